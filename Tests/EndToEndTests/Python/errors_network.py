"""A local network without relayers: its contracts, the state of its chains to change and to take back, and the command.

What lives here: how things are changed and asked. What is provoked, and what the command must say, is in the tables.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from eth_abi import encode
from eth_utils import keccak
from foreign_client import ZERO, Contract, Node, RPCError, artifact, types, word

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Contracts"))
KINDS = {
    "router": "router", "onRamp": "on_ramp", "offRamp": "off_ramp", "feeQuoter": "fee_quoter",
    "nonceManager": "nonce_manager", "rmnRemote": "rmn_remote", "rmnProxy": "arm_proxy",
    "tokenAdminRegistry": "token_admin_registry", "weth": "weth9",
}
POOLS = {"burnMint": "burn_mint_token_pool", "lockRelease": "lock_release_token_pool"}
# What a stand-in contract answers when it is asked whether it has an interface: yes, but for the one nobody may have.
INTERFACES = bytes.fromhex("60043560e01c63ffffffff141560005260206000f3")


def selector(signature):
    return keccak(text=signature)[:4]


def thrown(signature, *arguments):
    """Revert data of an error."""
    inside = signature[signature.index("(") + 1:-1]
    return selector(signature) + encode([t for t in inside.split(",") if t], arguments)


def stand_in(answers, otherwise=(True, (1).to_bytes(32, "big"))):
    """
    Code that answers by selector: (True, data) returns data, (False, data) reverts with it. For contracts that others
    wrote: tokens, pools and receivers that do what ours do not.
    """
    parts = [answers[s] for s in answers]
    head = bytes.fromhex("60003560e01c")
    # DUP1 PUSH4 s EQ PUSH2 place JUMPI for each; the interfaces first.
    size = len(head) + 11 * (len(parts) + 1)
    blocks, tail, place = [], b"", size

    def block(ok, data, at):
        return (b"\x5b\x61" + len(data).to_bytes(2, "big") + b"\x61" + at.to_bytes(2, "big") + b"\x60\x00\x39\x61"
                + len(data).to_bytes(2, "big") + b"\x60\x00" + (b"\xf3" if ok else b"\xfd"))

    wanted = [otherwise, *parts]
    length = len(block(True, b"", 0))
    data_at = size + 1 + len(INTERFACES) + length * len(wanted)
    jumps = {}
    for index, (ok, data) in enumerate(wanted):
        jumps[index] = place
        blocks.append(block(ok, data, data_at + len(tail)))
        tail += data
        place += length
    interfaces_at = place
    table = b""
    for s, index in [(selector("supportsInterface(bytes4)"), None), *((s, i + 1) for i, s in enumerate(answers))]:
        to = interfaces_at if index is None else jumps[index]
        table += b"\x80\x63" + s + b"\x14\x61" + to.to_bytes(2, "big") + b"\x57"
    return head + table + b"".join(blocks) + b"\x5b" + INTERFACES + tail


class Side:
    """One chain of the network: its contracts by name, changed in the owner's name."""

    def __init__(self, entry, owner):
        self.entry, self.owner, self.name = entry, owner, entry["name"]
        self.selector = int(entry["selector"])
        self.node = Node(int(entry["rpc"].rsplit(":", 1)[1]))
        self.at = dict(entry["contracts"])
        self.kinds = dict(KINDS)
        for token in entry["tokens"]:
            symbol = token["symbol"]
            self.at |= {symbol: token["address"], f"{symbol} pool": token["pool"]}
            self.kinds |= {symbol: "burn_mint_erc20", f"{symbol} pool": POOLS.get(token["poolKind"])}
        self.node.rpc("evm_setAutomine", True)
        self.kept = None

    def contract(self, name):
        return Contract(self.node, self.at[name], self.kinds[name])

    def call(self, name, function, *arguments):
        return self.contract(name).call(function, *arguments)

    def send(self, data, to=None, sender=None, value=0, gas=8_000_000):
        """A transaction in anybody's name; the receipt. An error when it fails."""
        request = {"from": sender or self.owner, "data": "0x" + data.hex(), "value": hex(value), "gas": hex(gas),
                   "maxFeePerGas": hex(20 * 10**9), "maxPriorityFeePerGas": "0x0"}
        sent = self.node.rpc("eth_sendUnsignedTransaction", request | ({"to": to} if to else {}))
        [receipt] = self.node.wait([sent])
        if receipt["status"] != "0x1":
            refused = self.revert_data(data, to, sender or self.owner)
            raise RuntimeError(f"{self.name}: a change failed: 0x{refused.hex()}")
        return receipt

    def do(self, name, function, *arguments, sender=None):
        return self.send(self.contract(name).data(function, *arguments), self.at[name], sender)

    def deploy(self, name, kind, *arguments):
        """Deploys a contract and keeps it under a name."""
        built = artifact(kind)
        inputs = [i for e in built["abi"] if e["type"] == "constructor" for i in e["inputs"]]
        code = bytes.fromhex(built["bytecode"][2:]) + encode(types(inputs), arguments)
        self.at[name] = self.send(code, gas=12_000_000)["contractAddress"]
        self.kinds[name] = kind
        return self.at[name]

    def put(self, name, code):
        """Other code at a contract's address."""
        self.node.rpc("anvil_setCode", self.at[name], "0x" + code.hex())

    def revert_data(self, data, to, sender, value=0):
        """What a call is refused with."""
        try:
            answer = self.node.rpc("eth_call", {
                "from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value), "gas": hex(12_000_000),
            }, "latest")
        except RPCError as error:
            return bytes.fromhex((error.data or "0x")[2:])
        raise RuntimeError(f"{self.name}: the call was not refused: {answer[:80]}")

    def travel(self, seconds):
        self.node.rpc("evm_increaseTime", seconds)
        self.node.rpc("evm_mine")

    def keep(self):
        self.kept = self.node.rpc("evm_snapshot")

    def take_back(self):
        if not self.node.rpc("evm_revert", self.kept):
            raise RuntimeError(f"{self.name}: the snapshot is gone")
        self.keep()

    # What tables say often

    def configure(self, other, quoter="feeQuoter", **changes):
        """The lane's settings in the FeeQuoter, with some of them changed."""
        entry = self.contract(quoter).entry("function", "getDestChainConfig")
        names = [i["name"] for i in entry["outputs"][0]["components"]]
        settings = list(self.call("feeQuoter", "getDestChainConfig", other.selector))
        for name, value in changes.items():
            settings[names.index(name)] = value
        self.do(quoter, "applyDestChainConfigUpdates", [(other.selector, tuple(settings))])

    def curse(self, other, at="rmnRemote"):
        """Curses the other chain here; the interface of one subject has the same name as that of many."""
        data = selector("curse(bytes16)") + bytes(8) + other.selector.to_bytes(8, "big") + bytes(16)
        self.send(data, self.at[at])

    def intercept(self, interceptor, quoter="feeQuoter"):
        _, entered, _, aggregator, admin = self.call("onRamp", "getDynamicConfig")
        self.do("onRamp", "setDynamicConfig", (self.at[quoter], entered, interceptor, aggregator, admin))

    def connect(self, pool, other, symbol):
        """Makes a pool of `symbol` serve the lane to `other`, and makes it the token's."""
        off = (False, 0, 0)
        self.do(pool, "applyChainUpdates", [], [
            (other.selector, [word(other.at[f"{symbol} pool"])], word(other.at[symbol]), off, off)])
        self.do("tokenAdminRegistry", "setPool", self.at[symbol], self.at[pool])


class Outcome:
    def __init__(self, words, done):
        self.words, self.status, self.errors = words, done.returncode, done.stderr
        self.text = done.stdout
        try:
            self.json = json.loads(done.stdout)
        except json.JSONDecodeError:
            self.json = {}

    def __str__(self):
        words = " ".join(w[:90] for w in self.words)
        return f"causeway {words}: exit {self.status}\n{self.text[-1200:]}{self.errors[-600:]}"


class Network:
    def __init__(self, causeway):
        self.causeway = causeway
        self.folder = tempfile.TemporaryDirectory(prefix="causeway-errors-")
        self.path = os.path.join(self.folder.name, "net")
        up = self.run("up", "--no-relayers", "--detach", "--data-dir", self.path, network=False)
        if up.status != 0:
            raise RuntimeError(str(up))
        document = json.loads(pathlib.Path(self.path, "localnet.json").read_text())
        self.accounts = document["accounts"]
        owner = next(a["address"] for a in self.accounts if a["deployer"])
        self.sides = {c["name"]: Side(c, owner) for c in document["chains"]}

    def run(self, *words, network=True, as_json=True, seconds=60):
        words = [str(w) for w in words] + (["--json"] if as_json else [])
        words += ["--network", self.path] if network else []
        return Outcome(words, subprocess.run(
            [self.causeway, *words], capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL))

    def good(self, *words, **named):
        """A run that must succeed; its data."""
        outcome = self.run(*words, **named)
        if outcome.status != 0:
            raise RuntimeError(str(outcome))
        return outcome.json["data"]

    def stop(self):
        self.run("down", as_json=False)
        time.sleep(0.1)
        self.folder.cleanup()


__all__ = ["ZERO", "Network", "Outcome", "Side", "selector", "stand_in", "thrown", "word"]
