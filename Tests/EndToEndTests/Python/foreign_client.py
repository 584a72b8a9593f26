"""A small client of foreign nodes: calls, contracts by their ABI, accounts that send.

What lives here: how to talk to a chain. Nothing of what is said.
"""

import functools
import http.client
import json
import pathlib
import threading
import time

import rlp
from eth_abi import decode, encode
from eth_account import Account
from eth_utils import keccak, to_canonical_address, to_checksum_address

ARTIFACTS = pathlib.Path(__file__).resolve().parents[3] / "chains" / "artifacts"
ZERO = "0x" + "00" * 20
MAX_FEE, TIP = 20 * 10**9, 10**8


class RPCError(Exception):
    def __init__(self, method, error):
        super().__init__(f"{method}: {error.get('message')} {error.get('data', '')}")
        self.data = error.get("data")


@functools.cache
def artifact(name):
    return json.loads((ARTIFACTS / f"{name}.json").read_text())


def canonical(parameter):
    kind = parameter["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(canonical(c) for c in parameter["components"]) + ")" + kind[5:]
    return kind


def types(parameters):
    return [canonical(p) for p in parameters]


def topic(entry):
    return keccak(text=f"{entry['name']}({','.join(types(entry['inputs']))})")


def word(address):
    """abi.encode(address)."""
    return bytes(12) + to_canonical_address(address)


def created(sender, nonce):
    return to_checksum_address(keccak(rlp.encode([to_canonical_address(sender), nonce]))[12:])


class Node:
    """One node by its port without faults."""

    def __init__(self, port):
        self.port, self.local = port, threading.local()
        self.chain_id = None

    def rpc(self, method, *parameters):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        for attempt in range(3):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                answer = json.loads(connection.getresponse().read())
                break
            except (OSError, http.client.HTTPException):
                connection.close()
                self.local.connection = None
                if attempt == 2:
                    raise
        if "error" in answer:
            raise RPCError(method, answer["error"])
        return answer["result"]

    @property
    def height(self):
        return int(self.rpc("eth_blockNumber"), 16)

    def wait(self, hashes, seconds=60):
        """Receipts of transactions; an error when one failed."""
        deadline, receipts = time.monotonic() + seconds, []
        for value in hashes:
            while (receipt := self.rpc("eth_getTransactionReceipt", value)) is None:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no receipt of {value} within {seconds} s")
                time.sleep(0.05)
            receipts.append(receipt)
        return receipts


class Sender:
    """An account on one node that counts its own nonces."""

    def __init__(self, node, key):
        self.node, self.account = node, Account.from_key(key)
        self.address = self.account.address
        node.chain_id = node.chain_id or int(node.rpc("eth_chainId"), 16)
        self.nonce = int(node.rpc("eth_getTransactionCount", self.address, "latest"), 16)

    def send(self, to, data=b"", value=0, gas=1_000_000):
        """Hands a transaction over and returns its hash."""
        fields = {
            "type": 2, "chainId": self.node.chain_id, "nonce": self.nonce, "value": value, "gas": gas, "data": data,
            "maxFeePerGas": MAX_FEE, "maxPriorityFeePerGas": TIP,
        } | ({"to": to} if to else {})
        signed = self.account.sign_transaction(fields)
        value = self.node.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        self.nonce += 1
        return value


class Contract:
    """Functions and events of one contract by name."""

    def __init__(self, node, address, name):
        self.node, self.address, self.abi = node, to_checksum_address(address), artifact(name)["abi"]

    def entry(self, kind, name, count=None):
        found = [e for e in self.abi if e["type"] == kind and e["name"] == name]
        if count is not None:
            found = [e for e in found if len(e["inputs"]) == count]
        return found[0]

    def data(self, name, *arguments):
        entry = self.entry("function", name, len(arguments))
        return topic(entry)[:4] + encode(types(entry["inputs"]), arguments)

    def call(self, name, *arguments, at="latest"):
        output = self.node.rpc(
            "eth_call", {"to": self.address, "data": "0x" + self.data(name, *arguments).hex()}, at)
        values = decode(types(self.entry("function", name, len(arguments))["outputs"]), bytes.fromhex(output[2:]))
        return values[0] if len(values) == 1 else values

    def events(self, name, first=0):
        """(log, indexed values, other values) of an event in chain order."""
        entry = self.entry("event", name)
        wanted = {"address": self.address, "topics": ["0x" + topic(entry).hex()]}
        found, last = [], self.node.height
        # Short ranges, for nodes that give no longer ones.
        for low in range(first, last + 1, 50):
            window = {"fromBlock": hex(low), "toBlock": hex(min(low + 49, last))}
            found += self.node.rpc("eth_getLogs", wanted | window)
        return [(log, *self.decoded(entry, log)) for log in found]

    @staticmethod
    def decoded(entry, log):
        indexed = [i for i in entry["inputs"] if i["indexed"]]
        others = [i for i in entry["inputs"] if not i["indexed"]]
        topics = [decode([canonical(i)], bytes.fromhex(t[2:]))[0] for i, t in zip(indexed, log["topics"][1:])]
        return topics, decode(types(others), bytes.fromhex(log["data"][2:]))
