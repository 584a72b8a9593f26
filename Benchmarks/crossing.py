#!/usr/bin/env python3
"""How long a crossing takes, how many a second, how much memory: against a local network that is running.

    .venv/bin/python Benchmarks/crossing.py LOCALNET_JSON [--single 50] [--many 1000] [--json FILE]

Latency is wall-clock time from the moment a signed ccipSend is handed to the source chain's RPC to the moment the
destination chain's RPC shows ExecutionStateChanged, polled every 5 ms. Transactions are signed before the clock starts.
"""

import argparse
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import time
from urllib.parse import urlparse

from eth_abi import encode
from eth_account import Account
from eth_utils import keccak

STATE_CHANGED = "0x" + keccak(
    text="ExecutionStateChanged(uint64,uint64,bytes32,bytes32,uint8,bytes,uint256)").hex()


class Chain:
    def __init__(self, entry):
        self.entry = entry
        url = urlparse(entry["rpc"])
        self.connection = http.client.HTTPConnection(url.hostname, url.port)
        self.number = 0

    def call(self, method, *params):
        return self.batch([(method, params)])[0]

    def batch(self, calls):
        body = []
        for method, params in calls:
            self.number += 1
            body.append({"jsonrpc": "2.0", "id": self.number, "method": method, "params": list(params)})
        self.connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        answers = json.loads(self.connection.getresponse().read())
        for answer in answers:
            if "error" in answer:
                raise RuntimeError(f"{answer['error']}")
        return [answer["result"] for answer in sorted(answers, key=lambda item: item["id"])]


def selector(signature):
    return keccak(text=signature)[:4]


MESSAGE = "(bytes,bytes,(address,uint256)[],address,bytes)"


def message(receiver, data):
    extra = bytes.fromhex("181dcf10") + encode(["uint256", "bool"], [200_000, True])
    return (encode(["address"], [receiver]), data, [], "0x" + "00" * 20, extra)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def gas(causeway, network, source, destination):
    """Gas of the three transactions of a crossing, Ethereum -> Jovay; the second of each kind, so that slots are warm."""
    kinds = {
        "data, 32 bytes": ["--data", "0x" + "11" * 32],
        "one token": ["--receiver", "account:5", "--gas-limit", "0", "--token", "LINK=1"],
        "data, 30,000 bytes": ["--data", "0x" + "22" * 30_000, "--gas-limit", "3000000"],
    }
    found = {}
    for name, flags in kinds.items():
        for _ in range(2):
            progress(f"gas: {name}")
            command = [causeway, "send", "ethereum", "jovay", "--wait", "--json", "--network", network, *flags]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)[:200]}: exit {done.returncode}: {done.stderr[-500:]}")
            message = json.loads(done.stdout)["data"]["messages"][0]

            def used(chain, transaction):
                return int(chain.call("eth_getTransactionReceipt", transaction)["gasUsed"], 16)

            found[name] = {
                "send": used(source, message["transaction"]),
                "commit": used(destination, message["commit"]["transaction"]),
                "execute": used(destination, message["execution"]["transaction"]),
            }
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("--single", type=int, default=50)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--json")
    parser.add_argument("--causeway", help="the command; with it the gas of send, commit and execute is measured too")
    options = parser.parse_args()
    network = json.loads(pathlib.Path(options.network).read_text())
    chains = {chain["name"]: chain for chain in network["chains"]}
    source, destination = Chain(chains["ethereum"]), Chain(chains["jovay"])
    account = Account.from_key(network["accounts"][4]["privateKey"])
    target = int(destination.entry["selector"])
    receiver = destination.entry["contracts"]["receiver"]
    router = source.entry["contracts"]["router"]
    off_ramp = destination.entry["contracts"]["offRamp"]

    def payload(data):
        return selector(f"ccipSend(uint64,{MESSAGE})") + encode(["uint64", MESSAGE], [target, message(receiver, data)])

    quote = selector(f"getFee(uint64,{MESSAGE})") + encode(["uint64", MESSAGE], [target, message(receiver, b"x" * 32)])
    fee = int(source.call("eth_call", {"to": router, "data": "0x" + quote.hex()}, "latest"), 16)
    nonce = int(source.call("eth_getTransactionCount", account.address, "latest"), 16)

    def sign(count):
        nonlocal nonce
        signed = []
        for _ in range(count):
            transaction = {
                "chainId": source.entry["chainId"], "nonce": nonce, "to": router, "value": fee * 2, "gas": 400_000,
                "maxFeePerGas": 100 * 10**9, "maxPriorityFeePerGas": 10**9, "data": payload(nonce.to_bytes(32, "big")),
            }
            signed.append("0x" + account.sign_transaction(transaction).raw_transaction.hex().removeprefix("0x"))
            nonce += 1
        return signed

    def executions(from_block):
        return destination.call("eth_getLogs", {
            "address": off_ramp, "topics": [STATE_CHANGED], "fromBlock": hex(from_block), "toBlock": "latest"})

    def head():
        return int(destination.call("eth_blockNumber"), 16)

    latencies = []
    for position, raw in enumerate(sign(options.single)):
        start_block = head() + 1
        begun = time.perf_counter()
        source.call("eth_sendRawTransaction", raw)
        while not executions(start_block):
            if time.perf_counter() - begun > 60:
                sys.exit("a message was not executed within 60 s")
            time.sleep(0.005)
        latencies.append(time.perf_counter() - begun)
        # Off the beat of the blocks, so that the place inside a block time is random.
        time.sleep(0.05 + 0.1 * ((position * 37 % 100) / 100))
        if (position + 1) % 10 == 0:
            progress(f"single messages: {position + 1} of {options.single}")

    result = {"singleMessages": options.single}
    if latencies:
        ordered = sorted(latencies)
        result["latencyMilliseconds"] = {
            "p50": round(statistics.median(ordered) * 1000), "p99": round(ordered[int(len(ordered) * 0.99) - 1] * 1000),
            "minimum": round(ordered[0] * 1000), "maximum": round(ordered[-1] * 1000),
        }

    if options.many:
        progress(f"signing {options.many} messages")
        signed = sign(options.many)
        start_block = head() + 1
        begun = time.perf_counter()
        for at in range(0, len(signed), 100):
            source.batch([("eth_sendRawTransaction", (raw,)) for raw in signed[at:at + 100]])
        handed = time.perf_counter() - begun
        done, shown = 0, 0
        while done < options.many:
            if time.perf_counter() - begun > 600:
                sys.exit(f"only {done} of {options.many} messages were executed within 600 s")
            time.sleep(0.1)
            logs = executions(start_block)
            done = len({log["topics"][2] for log in logs})
            if done - shown >= 100 or done == options.many:
                shown = done
                progress(f"executed: {done} of {options.many}")
        elapsed = time.perf_counter() - begun
        if len(logs) != options.many:
            sys.exit(f"{len(logs)} executions of {options.many} messages")
        result |= {
            "messages": options.many, "handedOverSeconds": round(handed, 2), "seconds": round(elapsed, 2),
            "messagesPerSecond": round(options.many / elapsed, 1),
        }

    if options.causeway:
        result["gas"] = gas(options.causeway, options.network, source, destination)

    def memory(pid):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return round(int(line.split()[1]) / 1024, 1)

    result["memoryMiB"] = {chain["name"]: memory(chain["pid"]) for chain in network["chains"]} | {
        f"{relayer['name']} {role}": memory(pid)
        for relayer in network["relayers"] for role, pid in relayer["pids"].items() if pid}

    print(f"{'latency of single messages':32} p50 {result.get('latencyMilliseconds', {}).get('p50')} ms, "
          f"p99 {result.get('latencyMilliseconds', {}).get('p99')} ms  ({options.single} messages)")
    if options.many:
        print(f"{'sustained':32} {result['messagesPerSecond']} messages/s  "
              f"({options.many} messages in {result['seconds']} s)")
    for name, figures in result.get("gas", {}).items():
        print(f"{'gas, ' + name:32} send {figures['send']:,}  commit {figures['commit']:,}  execute {figures['execute']:,}")
    for name, mebibytes in result["memoryMiB"].items():
        print(f"{'memory, ' + name:32} {mebibytes} MiB")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
