"""A chain in memory for contract tests: py-evm with Prague rules, no blocks, no keys, any sender.

What lives here: deploying artifacts, calling and sending, logs and reverts. What contracts should do is the business
of the tests.
"""

import functools
import json
import pathlib
import subprocess
import sys

from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_abi import decode, encode
from eth_utils import function_abi_to_4byte_selector, keccak, to_canonical_address, to_checksum_address

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ARTIFACTS = ROOT / "chains" / "artifacts"
VECTORS = ROOT / "Tests" / "Vectors" / "ccip-1.6.json"
ZERO = "0x" + "00" * 20
# Gas of every transaction here; what it leaves over is not charged.
GAS = 25_000_000
OWNER = to_checksum_address(b"\x11" * 20)


class Reverted(Exception):
    """A call that reverted; `data` is its revert data."""

    def __init__(self, data):
        super().__init__("0x" + data.hex())
        self.data = data


@functools.cache
def vectors():
    return json.loads(VECTORS.read_text())


@functools.cache
def artifact(name):
    return json.loads((ARTIFACTS / f"{name}.json").read_text())


@functools.cache
def mock(name):
    """Compiles Tests/Contracts/mocks/NAME.vy."""
    source = pathlib.Path(__file__).parent / "mocks" / f"{name}.vy"
    vyper = pathlib.Path(sys.executable).parent / "vyper"
    done = subprocess.run([vyper, "-f", "abi,bytecode", source], capture_output=True, text=True, check=True)
    abi, bytecode = done.stdout.splitlines()
    return {"abi": json.loads(abi), "bytecode": bytecode}


def canonical(parameter):
    kind = parameter["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(canonical(c) for c in parameter["components"]) + ")" + kind[5:]
    return kind


def selector(signature):
    return keccak(text=signature)[:4]


def error(signature, *arguments):
    """Revert data of a custom error."""
    inside = signature[signature.index("(") + 1:-1]
    return selector(signature) + encode([t for t in inside.split(",") if t], arguments)


def string_error(text):
    return error("Error(string)", text)


class Result:
    """What a transaction did."""

    def __init__(self, output, logs, gas, intrinsic):
        self.output = output
        # (address, topics as 32-byte words, data)
        self.logs = [(to_checksum_address(a), [t.to_bytes(32, "big") for t in topics], d) for a, topics, d in logs]
        # Gas of the call itself, and with what every transaction costs for existing and for its data.
        self.gas = gas
        self.total = gas + intrinsic


class Chain:
    def __init__(self, chain_id=5734951, timestamp=1_800_000_000):
        class TestChain(MiningChain):
            vm_configuration = ((0, PragueVM),)

        TestChain.chain_id = chain_id
        parameters = {
            "difficulty": 0,
            "gas_limit": 60_000_000,
            "timestamp": timestamp,
            "coinbase": constants.ZERO_ADDRESS,
            "nonce": b"\x00" * 8,
        }
        self.state = TestChain.from_genesis(AtomicDB(), parameters).get_vm().state
        # py-evm would start the first block by the wall clock; runs must not differ.
        self.state.execution_context._timestamp = timestamp
        self.created = 0

    def fund(self, account, amount):
        self.state.set_balance(to_canonical_address(account), amount)

    def deploy(self, built, *arguments, at=None, sender=OWNER):
        """Runs the constructor at an address of the caller's choice and returns the contract."""
        self.created += 1
        address = at or to_checksum_address(keccak(text=f"contract {self.created}")[12:])
        inputs = [i for entry in built["abi"] if entry["type"] == "constructor" for i in entry["inputs"]]
        code = bytes.fromhex(built["bytecode"][2:]) + encode([canonical(i) for i in inputs], arguments)
        self.run(code, to=b"", sender=sender, create=to_canonical_address(address))
        return Contract(self, address, built["abi"])

    def run(self, data, to, sender, value=0, create=None, static=False):
        self.state.lock_changes()
        self.state.clear_transient_storage()
        origin = to_canonical_address(sender)
        self.state.mark_address_warm(origin)
        target = create or to
        self.state.mark_address_warm(target)
        for number in range(1, 18):
            self.state.mark_address_warm(number.to_bytes(20, "big"))
        message = Message(
            gas=GAS,
            to=to,
            sender=origin,
            value=value,
            data=b"" if create else data,
            code=data if create else self.state.get_code(to),
            create_address=create,
            is_static=static,
        )
        context = BaseTransactionContext(gas_price=0, origin=origin)
        machine = self.state.computation_class
        apply = machine.apply_create_message if create else machine.apply_message
        computation = apply(self.state, message, context)
        if computation.is_error:
            raise Reverted(computation.output)
        used = computation.get_gas_used()
        refund = min(computation.get_gas_refund(), (used + 21_000) // 5)
        intrinsic = 21_000 + sum(16 if byte else 4 for byte in data)
        return Result(computation.output, computation.get_log_entries(), used - refund, intrinsic)


class Contract:
    """A deployed contract; functions by name, as call(name, ...) and send(name, ...)."""

    def __init__(self, chain, address, abi):
        self.chain, self.address, self.abi = chain, to_checksum_address(address), abi

    def function(self, name):
        found = [e for e in self.abi if e["type"] == "function" and e["name"] == name]
        if len(found) != 1:
            raise KeyError(f"{name}: {len(found)} functions of that name")
        return found[0]

    def data(self, name, *arguments):
        entry = self.function(name)
        return function_abi_to_4byte_selector(entry) + encode([canonical(i) for i in entry["inputs"]], arguments)

    def decoded(self, name, output):
        values = decode([canonical(o) for o in self.function(name)["outputs"]], output)
        return values[0] if len(values) == 1 else values

    def call(self, name, *arguments, sender=OWNER):
        to = to_canonical_address(self.address)
        result = self.chain.run(self.data(name, *arguments), to, sender, static=True)
        return self.decoded(name, result.output)

    def send(self, name, *arguments, sender=OWNER, value=0):
        return self.raw(self.data(name, *arguments), sender=sender, value=value)

    def raw(self, data, sender=OWNER, value=0):
        return self.chain.run(data, to_canonical_address(self.address), sender, value=value)
