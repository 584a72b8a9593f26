"""A chain for contract tests, on any of two machines: py-evm in this process, or a running `causeway chain`.

What lives here: deploying artifacts, calling and sending, reverts, and what every test needs of files. What contracts
should do is the business of the tests; the machines are machine_in_process.py and machine_node.py.
"""

import functools
import hashlib
import json
import pathlib
import subprocess
import sys

from eth_abi import decode, encode
from eth_utils import function_abi_to_4byte_selector, keccak, to_checksum_address

from machine_in_process import InProcess
from machine_node import Node
from results import GAS, Result, Reverted

__all__ = ["Chain", "Contract", "Result", "Reverted"]

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ARTIFACTS = ROOT / "chains" / "artifacts"
CONTRACTS = ROOT / "chains" / "contracts"
MOCKS = pathlib.Path(__file__).resolve().parent / "mocks"
# Compiled mocks by the hash of everything that goes into them.
COMPILED_MOCKS = ROOT / ".build" / "contract-mocks"
VECTORS = ROOT / "Tests" / "Vectors" / "ccip-1.6.json"
STREAMS_VECTORS = ROOT / "Tests" / "Vectors" / "data-streams.json"
ZERO = "0x" + "00" * 20
OWNER = to_checksum_address(b"\x11" * 20)
# The present of a chain: after the start of any chain that is made now, as time does not go back, and within the 32
# bits that contracts keep of it.
PRESENT = 4_000_000_000
MACHINES = {machine.name: machine for machine in (InProcess, Node)}


@functools.cache
def vectors():
    return json.loads(VECTORS.read_text())


@functools.cache
def streams_vectors():
    return json.loads(STREAMS_VECTORS.read_text())


@functools.cache
def artifact(name):
    return json.loads((ARTIFACTS / f"{name}.json").read_text())


@functools.cache
def compiler():
    vyper = pathlib.Path(sys.executable).parent / "vyper"
    version = subprocess.run([vyper, "--version"], capture_output=True, text=True, check=True).stdout
    modules = [path.read_bytes() for path in sorted((CONTRACTS / "modules").glob("*.vy"))]
    return vyper, hashlib.sha256(version.encode() + b"".join(modules)).hexdigest()


@functools.cache
def mock(name):
    """Compiles Tests/Contracts/mocks/NAME.vy, which may import what the contracts import."""
    return compiled(name, (MOCKS / f"{name}.vy").read_text())


@functools.cache
def planted(name, right, wrong):
    """Compiles a contract with a fault: `right`, which its source must say once, gives way to `wrong`."""
    text = (CONTRACTS / f"{name}.vy").read_text()
    if text.count(right) != 1:
        raise ValueError(f"{name}.vy says {text.count(right)} times: {right}")
    fault = hashlib.sha256(f"{right}\0{wrong}".encode()).hexdigest()[:8]
    built = compiled(f"faulty_{name}_{fault}", text.replace(right, wrong))
    # What only the published interface tells, custom errors and functions of __default__, is the same.
    return {**built, "abi": artifact(name)["abi"]}


def compiled(name, text):
    """ABI and code of a source that is no contract of ours, kept until it or what it may import changes."""
    vyper, common = compiler()
    key = hashlib.sha256(common.encode() + text.encode()).hexdigest()[:32]
    kept = COMPILED_MOCKS / f"{name}-{key}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        source = kept.with_suffix(".vy")
        source.write_text(text)
        done = subprocess.run(
            [vyper, "-p", CONTRACTS, "-f", "abi,bytecode", source], capture_output=True, text=True, check=False
        )
        source.unlink()
        if done.returncode != 0:
            raise ValueError(f"{name}.vy does not compile\n{done.stderr.strip()}")
        abi, bytecode = done.stdout.splitlines()
        for older in kept.parent.glob(f"{name}-*.json"):
            older.unlink()
        fresh = kept.with_suffix(".new")
        fresh.write_text(json.dumps({"abi": json.loads(abi), "bytecode": bytecode}))
        fresh.replace(kept)
    return json.loads(kept.read_text())


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


class Chain:
    # The machine that chains are made on, and those made since a test began; harness.py sets both.
    machine_name = InProcess.name
    made = []

    def __init__(self, chain_id=5734951, timestamp=PRESENT):
        self.machine = MACHINES[Chain.machine_name](chain_id, timestamp)
        self.created = 0
        # What every transaction and call did, to be compared between machines.
        self.transcript = []
        Chain.made.append(self)

    @property
    def state(self):
        """py-evm's own state, for tests that run in this process only."""
        return self.machine.state

    @property
    def timestamp(self):
        """Of every transaction and call, in seconds since 1970, until it is set anew; it does not go back."""
        return self.machine.timestamp

    @timestamp.setter
    def timestamp(self, seconds):
        self.machine.timestamp = seconds

    def fund(self, account, amount):
        self.machine.set_balance(account, amount)

    def balance(self, account):
        return self.machine.balance(account)

    def code(self, account):
        return self.machine.code(account)

    def deploy(self, built, *arguments, at=None, sender=OWNER):
        """Runs the constructor at an address of the caller's choice and returns the contract."""
        self.created += 1
        address = to_checksum_address(at or keccak(text=f"contract {self.created}")[12:])
        # Its price depends on the machine, so that is not compared.
        code = creation_code(built, *arguments)
        result = self.noted(lambda: self.machine.create(code, address, sender), priced=False)
        contract = Contract(self, address, built["abi"])
        contract.deployment = result
        return contract

    def transact(self, data, to, sender=OWNER, value=0, gas=GAS):
        return self.noted(lambda: self.machine.transact(data, to, sender, value, gas))

    def call(self, data, to, sender=OWNER):
        return self.noted(lambda: self.machine.call(data, to, sender), priced=False)

    def noted(self, run, priced=True):
        try:
            result = run()
        except Reverted as refusal:
            self.transcript.append(("reverted", refusal.data))
            raise
        if isinstance(result, Result):
            self.transcript.append(("did", result.output, result.logs, result.total if priced else None))
        else:
            self.transcript.append(("answered", result))
        return result


def creation_code(built, *arguments):
    inputs = [i for entry in built["abi"] if entry["type"] == "constructor" for i in entry["inputs"]]
    return bytes.fromhex(built["bytecode"][2:]) + encode([canonical(i) for i in inputs], arguments)


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
        return self.decoded(name, self.chain.call(self.data(name, *arguments), self.address, sender))

    def send(self, name, *arguments, sender=OWNER, value=0, gas=GAS):
        return self.raw(self.data(name, *arguments), sender=sender, value=value, gas=gas)

    def raw(self, data, sender=OWNER, value=0, gas=GAS):
        return self.chain.transact(data, self.address, sender, value, gas)
