"""A chain with a data directory under load, killed with SIGKILL again and again: no block whose receipt was served, no
transaction that was acknowledged, and no change of the development methods may be lost.

usage: chain_survives.py CAUSEWAY ROUNDS
"""
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time


class Chain:
    def __init__(self, executable, directory, port):
        self.executable, self.directory, self.port = executable, directory, port
        self.process = None

    def start(self):
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.executable, "chain", "--profile", "any", "--block-time", "20", "--data-dir", self.directory,
             "--port", str(self.port), "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline() + self.process.stdout.readline()
        if '"ok": true' not in line:
            self.process.kill()
            raise SystemExit(f"the chain did not start: {line} {self.process.stderr.read()[-3000:]}")
        return time.monotonic() - began

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method, *parameters, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        own.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}),
                    {"Content-Type": "application/json"})
        answer = json.loads(own.getresponse().read())
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


def load(chain, account, round_number, stop, acknowledged, receipts, edits):
    """Sends, reads receipts and edits until the chain is gone."""
    seed = random.Random(f"{account} {round_number}")
    # Places of its own, so that nobody else writes what it remembers.
    first = 0x3000 + int(account[-4:], 16) * 0x100
    connection = http.client.HTTPConnection("127.0.0.1", chain.port, timeout=10)
    waiting = []
    try:
        while not stop.is_set():
            target = "0x%040x" % seed.randrange(0x1000, 0x2000)
            sent = chain.ask("eth_sendTransaction", {"from": account, "to": target, "value": "0x1"}, connection=connection)
            acknowledged.append(sent)
            waiting.append(sent)
            if seed.random() < 0.2:
                place, value = "0x%040x" % (first + seed.randrange(0x100)), "0x%x" % seed.randrange(1, 1 << 60)
                # From here on either the old or the new value is right, until the answer says the new one is.
                edits[place] = (edits.get(place, (None, None))[1], value, False)
                chain.ask("anvil_setBalance", place, value, connection=connection)
                edits[place] = (value, value, True)
            for one in waiting[:]:
                receipt = chain.ask("eth_getTransactionReceipt", one, connection=connection)
                if receipt:
                    receipts[one] = receipt
                    waiting.remove(one)
    except (OSError, http.client.HTTPException, ValueError):
        pass  # killed


def main():
    executable, rounds = sys.argv[1], int(sys.argv[2])
    directory = tempfile.mkdtemp(prefix="causeway-survives-")
    # Below the ports that the system hands out by itself.
    port = random.randrange(20_000, 32_000)
    chain = Chain(executable, directory, port)
    acknowledged, receipts, edits = [], {}, {}
    starts = []
    try:
        for round_number in range(rounds):
            starts.append(chain.start())
            accounts = chain.ask("eth_accounts")[:3]
            stop = threading.Event()
            threads = [threading.Thread(target=load, args=(chain, account, round_number, stop, acknowledged, receipts, edits))
                       for account in accounts]
            for thread in threads:
                thread.start()
            time.sleep(0.4 + random.random())
            chain.kill()
            stop.set()
            for thread in threads:
                thread.join()
        chain.start()
        deadline = time.monotonic() + 20
        missing = list(acknowledged)
        while missing and time.monotonic() < deadline:
            missing = [one for one in missing if chain.ask("eth_getTransactionReceipt", one) is None]
            time.sleep(0.05)
        assert not missing, f"{len(missing)} acknowledged transactions are in no block, the first is {missing[0]}"
        for one, receipt in receipts.items():
            now = chain.ask("eth_getTransactionReceipt", one)
            assert now == receipt, f"the receipt of {one} was {receipt}, is {now}"
        for place, (old, new, certain) in edits.items():
            balance = chain.ask("eth_getBalance", place, "latest")
            allowed = {new} if certain else {old or "0x0", new}
            assert balance in allowed, f"{place} has {balance}, not one of {allowed}"
        head = int(chain.ask("eth_blockNumber"), 16)
        parent = None
        for number in range(head + 1):
            block = chain.ask("eth_getBlockByNumber", hex(number), False)
            assert parent is None or block["parentHash"] == parent, f"block {number} does not follow its parent"
            parent = block["hash"]
        chain.kill()
        print(json.dumps({"rounds": rounds, "acknowledged": len(acknowledged), "receipts": len(receipts),
                          "edits": len(edits), "blocks": head, "slowestStart": round(max(starts), 3)}))
    finally:
        if chain.process and chain.process.poll() is None:
            chain.kill()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
