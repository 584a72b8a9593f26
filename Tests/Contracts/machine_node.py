"""A running `causeway chain` reached by JSON-RPC, as a client would: one of the machines that chain.py runs on.

What lives here: starting and reusing processes, and transactions in the name of any sender. Time stands still unless a
test moves it: each block gets the timestamp that the test set. Fees are zero, so that balances are those of the test.
"""

import atexit
import http.client
import json
import os
import pathlib
import subprocess
import tempfile
import time
import weakref

from eth_utils import to_checksum_address

from results import BLOCK_GAS_LIMIT, GAS, Result, Reverted

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# How long one call may take, in seconds: a chain that hangs must not hang the tests.
TIMEOUT_SECONDS = 60
# After so long without a call a connection is made anew: the chain closes those that are idle.
IDLE_SECONDS = 5
# Code of the JSON-RPC errors that mean that the call reverted, and that it failed in another way.
REVERTED, FAILED = 3, -32000
SENDER_HAS_CODE = "sender not an eoa"
PROFILE = """\
name: contract-tests
displayName: Contract tests
chainId: {chain_id}
selector: 7759470850252068959
gasToken: ETH
port: 8545
gasLimit: {gas_limit}
baseFee:
  rule: eip1559
  wei: 0
blocks:
  onDemand: true
  heartbeatMilliseconds: 0
finality:
  safeDepth: 0
  finalizedDepth: 0
"""


def executable():
    """
    The program under test: CAUSEWAY_BINARY, or what was built in this checkout; None when there is none.
    Raises FileNotFoundError when the variable names nothing: a wrong path must not skip tests silently.
    """
    named = os.environ.get("CAUSEWAY_BINARY")
    path = pathlib.Path(named) if named else ROOT / ".build" / "release" / "causeway"
    if path.is_file():
        return path.resolve()
    if named:
        raise FileNotFoundError(f"CAUSEWAY_BINARY names no file: {named}")
    return None


class RPCError(Exception):
    def __init__(self, method, error):
        super().__init__(f"{method}: {error}")
        self.error = error


class Process:
    """One `causeway chain` and a connection to it."""

    def __init__(self, chain_id):
        self.folder = tempfile.TemporaryDirectory(prefix="causeway-contracts-")
        profile = pathlib.Path(self.folder.name) / "contract-tests.yaml"
        profile.write_text(PROFILE.format(chain_id=chain_id, gas_limit=BLOCK_GAS_LIMIT))
        self.process = subprocess.Popen(
            [executable(), "chain", "--profile", profile, "--port", "0", "--json"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        text = ""
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"the chain did not start: {text}")
            text += line
            try:
                told = json.loads(text)
                break
            except json.JSONDecodeError:
                continue
        address = told.get("data", told)["rpc"].removeprefix("http://")
        self.connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
        self.used = time.monotonic()
        atexit.register(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(TIMEOUT_SECONDS)
        self.process.stdout.close()
        self.folder.cleanup()

    def ask(self, *calls):
        """Several calls in one batch, run in their order; the results, errors as RPCError among them."""
        batch = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": parameters}
            for index, (method, *parameters) in enumerate(calls)
        ]
        if time.monotonic() - self.used > IDLE_SECONDS:
            self.connection.close()
        self.connection.request("POST", "/", json.dumps(batch), {"Content-Type": "application/json"})
        answers = sorted(json.loads(self.connection.getresponse().read()), key=lambda answer: answer["id"])
        assert len(answers) == len(calls), answers
        self.used = time.monotonic()
        return [
            RPCError(calls[index][0], answer["error"]) if "error" in answer else answer["result"]
            for index, answer in enumerate(answers)
        ]

    def demand(self, *calls):
        """As `ask`, where none may fail; the last result."""
        results = self.ask(*calls)
        for result in results:
            if isinstance(result, RPCError):
                raise result
        return results[-1]


# chain id -> processes that no chain uses now
_idle = {}


def _take(chain_id):
    idle = _idle.setdefault(chain_id, [])
    process = idle.pop() if idle else Process(chain_id)
    process.demand(["anvil_reset"])
    return process


def hexadecimal(data):
    return "0x" + data.hex()


class Node:
    name = "causeway"

    def __init__(self, chain_id, timestamp):
        self.process = _take(chain_id)
        # The process serves the next chain when this one is no longer used.
        weakref.finalize(self, _idle[chain_id].append, self.process)
        self.timestamp = timestamp

    def set_balance(self, account, amount):
        self.process.demand(["anvil_setBalance", account, hex(amount)])

    def balance(self, account):
        return int(self.process.demand(["eth_getBalance", account, "latest"]), 16)

    def code(self, account):
        return bytes.fromhex(self.process.demand(["eth_getCode", account, "latest"])[2:])

    def create(self, code, address, sender):
        """
        Runs a constructor at an address of the caller's choice: creation code is put there and called, which does all
        that a creation does but for the price of the code; what it answers takes its place.
        """
        self.process.demand(["anvil_setCode", address, hexadecimal(code)])
        try:
            result = self.transact(b"", address, sender, 0)
        except Reverted:
            self.process.demand(["anvil_setCode", address, "0x"])
            raise
        self.process.demand(["anvil_setCode", address, hexadecimal(result.output)])
        return result

    def created(self, code, sender):
        """A creation as anyone would send it: the address and its receipt."""
        receipt = self._mined({"from": sender, "data": hexadecimal(code), "gas": hex(GAS)})
        return to_checksum_address(receipt["contractAddress"]), receipt

    def transact(self, data, to, sender, value, gas=GAS):
        """Asks what the call would answer, then sends it; both must agree on whether it reverts."""
        request = {"from": sender, "to": to, "data": hexadecimal(data), "value": hex(value), "gas": hex(gas)}
        answer, refusal = self._answer(request)
        receipt = self._mined(request)
        succeeded = int(receipt["status"], 16) == 1
        assert succeeded == (refusal is None), f"eth_call and the transaction disagree: {refusal}, {receipt}"
        if refusal is not None:
            raise refusal
        logs = [
            (
                to_checksum_address(log["address"]),
                [bytes.fromhex(topic[2:]) for topic in log["topics"]],
                bytes.fromhex(log["data"][2:]),
            )
            for log in receipt["logs"]
        ]
        return Result(answer, logs, int(receipt["gasUsed"], 16), data)

    def call(self, data, to, sender):
        answer, refusal = self._answer({"from": sender, "to": to, "data": hexadecimal(data), "gas": hex(GAS)})
        if refusal is not None:
            raise refusal
        return answer

    def _answer(self, request):
        """What eth_call gives at the test's time: the answer, or the refusal."""
        moment = {"time": hex(self.timestamp), "baseFeePerGas": "0x0"}
        [result] = self.process.ask(["eth_call", {**request, "gasPrice": "0x0"}, "latest", {}, moment])
        if not isinstance(result, RPCError):
            return bytes.fromhex(result[2:]), None
        if result.error["code"] == REVERTED:
            return None, Reverted(bytes.fromhex(result.error["data"][2:]))
        if result.error["code"] == FAILED:
            return None, Reverted(b"")
        raise result

    def _mined(self, request):
        fees = {"maxFeePerGas": "0x0", "maxPriorityFeePerGas": "0x0"}
        *_, sent = self.process.ask(
            ["evm_setNextBlockTimestamp", hex(self.timestamp)],
            ["anvil_setNextBlockBaseFeePerGas", "0x0"],
            ["eth_sendUnsignedTransaction", {**request, **fees}],
        )
        if isinstance(sent, RPCError):
            raise sent
        receipt = None
        while receipt is None:
            receipt = self.process.demand(["eth_getTransactionReceipt", sent])
        return receipt
