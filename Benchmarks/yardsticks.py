#!/usr/bin/env python3
"""The rooms of the chain beside other implementations, in one run on one thread: the interpreter beside revm (pyrevm),
sender recovery beside libsecp256k1 (coincurve).

    .venv/bench/bin/python Benchmarks/yardsticks.py [--rounds 5] [--fixtures DIR] [--only TEXT] [--json FILE]

Machines are noisy, so ours and theirs take turns, several rounds of each, and the best of each counts. For both, the
state is made before the clock starts and one message call is timed: intrinsic gas, calldata and result as they come.
pyrevm's figure has the crossing from Python in it, about a microsecond; what it wrote stays from one repetition to the
next, and stays warm, while ours begins anew each time, so programs that write ask more of ours. Programs: the public
benchmark group of state tests where its archive is found (--fixtures, CAUSEWAY_FIXTURES or ../shared/fixtures/evm), and
those of programs.py.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

import coincurve
import pyrevm

import programs

ROOT = pathlib.Path(__file__).resolve().parent.parent


def best(milliseconds, body):
    """The least time of one `body` in nanoseconds; short ones are timed in batches."""
    start = time.perf_counter_ns()
    body()
    batch = max(1, min(1000, 20_000 // max(time.perf_counter_ns() - start, 1)))
    end = time.perf_counter_ns() + milliseconds * 1_000_000
    least, rounds = float("inf"), 0
    while rounds < 3 or time.perf_counter_ns() < end:
        start = time.perf_counter_ns()
        for _ in range(batch):
            body()
        least = min(least, (time.perf_counter_ns() - start) / batch)
        rounds += 1
    return least


class RevmProgram:
    """One input of a state test on a prepared pyrevm machine."""

    def __init__(self, test, index):
        call = test["transaction"]
        self.limit = int(call["gasLimit"][0], 16)
        env = pyrevm.Env(block=pyrevm.BlockEnv(
            number=int(test["env"]["currentNumber"], 16), timestamp=int(test["env"]["currentTimestamp"], 16),
            coinbase=test["env"]["currentCoinbase"], gas_limit=int(test["env"]["currentGasLimit"], 16), basefee=0))
        self.evm = pyrevm.EVM(env=env, gas_limit=self.limit)
        for address, account in test["pre"].items():
            code = bytes.fromhex(account["code"][2:])
            self.evm.insert_account_info(address, pyrevm.AccountInfo(
                balance=int(account["balance"], 16), nonce=int(account["nonce"], 16), code=code))
        self.sender, self.to, self.data = call["sender"], call["to"], bytes.fromhex(call["data"][index][2:])

    def run(self):
        self.evm.message_call(self.sender, self.to, self.data, 0, gas=self.limit)

    def gas(self):
        self.run()
        return self.evm.result.gas_used


def find_programs(options, directory):
    """The folder with all state-test files of this run."""
    directory = pathlib.Path(directory)
    (directory / "own").mkdir()
    programs.write(directory / "own")
    folder = pathlib.Path(
        options.fixtures or os.environ.get("CAUSEWAY_FIXTURES") or ROOT.parent / "shared/fixtures/evm")
    archives = sorted((folder / "bench").glob("*.tar.gz"))
    if not archives:
        print(f"left out: no benchmark group in {folder}; it is github.com/ipsilon/evm-benchmarks", file=sys.stderr)
    for archive in archives:
        with tarfile.open(archive) as tar:
            tar.extractall(directory / "public", filter="data")
    return directory


def tests(directory):
    for path in sorted(directory.rglob("*.json")):
        for name, test in json.loads(path.read_text()).items():
            for index in range(len(test["transaction"]["data"])):
                yield f"{name} #{index}", path.parent, test, index


def ours(options, *arguments):
    command = [options.bench, *arguments, "--milliseconds", str(options.milliseconds), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def interpreter(options, directory):
    rows = []
    for name, folder, test, index in tests(directory):
        if options.only and options.only not in name:
            continue
        theirs = RevmProgram(test, index)
        row = {"program": name, "revmGas": theirs.gas(), "ours": float("inf"), "theirs": float("inf")}
        for _ in range(options.rounds):
            (mine,) = ours(options, "interpreter", "--fixtures", str(folder), "--program", name)
            row["ours"] = min(row["ours"], mine["bestNanoseconds"])
            row["theirs"] = min(row["theirs"], best(options.milliseconds, theirs.run))
        row.update(gas=mine["gas"], status=mine["status"], mgasPerSecond=round(mine["gas"] / row["ours"] * 1000, 1))
        row["ratio"] = round(row["ours"] / row["theirs"], 3)
        print(f"{name:<34}{row['gas']:>11} gas {row['ours'] / 1000:>10.2f} us {row['theirs'] / 1000:>10.2f} us "
              f"{row['ratio']:>6.2f} {row['mgasPerSecond']:>9.1f} Mgas/s"
              + ("" if row["gas"] == row["revmGas"] else f"  revm's gas is {row['revmGas']}"), flush=True)
        rows.append(row)
    return rows


def recovery(options):
    key = coincurve.PrivateKey(b"\x01" * 32)
    digest = bytes(32)
    signature = key.sign_recoverable(digest, hasher=None)
    row = {"program": "recover", "ours": float("inf"), "theirs": float("inf")}
    for _ in range(options.rounds):
        row["ours"] = min(row["ours"], ours(options, "recover")["recover the sender"])
        row["theirs"] = min(row["theirs"], best(
            options.milliseconds, lambda: coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)))
    row["ratio"] = round(row["ours"] / row["theirs"], 3)
    print(f"{'recover the sender':<49} {row['ours'] / 1000:>10.2f} us {row['theirs'] / 1000:>10.2f} us {row['ratio']:>6.2f}")
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=str(ROOT / ".build/release/causeway-bench"))
    parser.add_argument("--fixtures", help="the folder of fixture archives")
    parser.add_argument("--only", help="programs whose name has this in it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--milliseconds", type=int, default=100, help="for each program, round and side")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    print(f"{'program':<49} {'ours':>13} {'theirs':>13} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as directory:
        rows = interpreter(options, find_programs(options, directory))
    result = {"interpreter": rows, "keccak": ours(options, "keccak")}
    if not options.only:
        result["recover"] = recovery(options)
    for name, time_ns in result["keccak"].items():
        print(f"{name:<49} {time_ns:>10.1f} ns")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
