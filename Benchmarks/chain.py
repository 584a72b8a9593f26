#!/usr/bin/env python3
"""The simulated chain at work: transfers with their state root at growing numbers of accounts, a whole node under load,
and what its clients wait for. Prints a table with the aim beside each figure, and writes JSON.

    python3 Benchmarks/chain.py [--quick] [--seconds 60] [--json FILE]

Run it on a machine that does nothing else: everything shares its cores, the sender of the load included.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Report:
    def __init__(self, bench):
        self.bench, self.figures = bench, {}

    def run(self, name, *arguments):
        print(f"\n{name}: causeway-bench {' '.join(arguments)}", flush=True)
        done = subprocess.run([self.bench, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{name} ended with {done.returncode}\n{done.stderr[-2000:]}")
        self.figures[name] = json.loads(done.stdout)
        return self.figures[name]

    @staticmethod
    def row(what, figure, aim=""):
        print(f"  {what:<62}{figure:>18}  {aim}", flush=True)


def parts(figures):
    return ", ".join(f"{name} {time}" for name, time in figures.items())


def state(report, sizes):
    for size in sizes:
        (one,) = report.run(f"state {size:,}", "state", "--accounts", str(size), "--json")
        aim = size == 100_000
        report.row("native transfers with state root, a second", f"{one['nativePerSecond']:,}", "aim 100,000" if aim else "")
        report.row("  microseconds each", parts(one["nativeMicroseconds"]))
        report.row("ERC-20 transfers with state root, a second", f"{one['tokenPerSecond']:,}", "aim 60,000" if aim else "")
        report.row("  microseconds each", parts(one["tokenMicroseconds"]))
        report.row("bytes of nodes an account", f"{one['nodeBytesPerAccount']}")
        report.row("MiB in memory after all runs", f"{one['residentAfterMiB']}")


def files(report, size, mebibytes, directory):
    """The same in a file, as with a data directory: at its full size, and in a budget."""
    for more in [], ["--memory", str(mebibytes), "--blocks", "20"]:
        name = f"state {size:,} in a file" + (f", {mebibytes} MiB" if more else "")
        (one,) = report.run(name, "state", "--accounts", str(size), "--data-dir", directory, *more, "--json")
        report.row("native transfers with state root, a second", f"{one['nativePerSecond']:,}")
        report.row("ERC-20 transfers with state root, a second", f"{one['tokenPerSecond']:,}")
        report.row("MiB in memory after all runs", f"{one['residentAfterMiB']}",
                   f"pages of the state below {mebibytes}" if more else "")
        report.row("opened again, milliseconds (first read, microseconds)",
                   f"{one['restartMilliseconds']} ({one['firstReadMicroseconds']})")


def node(report, kind, rate, seconds, aim, *more):
    name = f"node {kind} {' '.join(more)}".strip()
    one = report.run(name, "node", "--kind", kind, "--rate", str(rate), "--seconds", str(seconds), *more, "--json")
    report.row(f"{kind} transfers a second, {one['secondsInAll']} s, each in a block", f"{one['perSecond']:,}", aim)
    report.row("  CPU microseconds each, sender of the load included", one["cpuMicrosecondsPerTransaction"])
    report.row("  MiB in memory at the end", one["residentMiB"])
    return one


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=str(ROOT / ".build/release/causeway-bench"))
    parser.add_argument("--quick", action="store_true", help="a minute in all: up to 100,000 accounts, five seconds of load")
    parser.add_argument("--seconds", type=int, default=60, help="of load on the node")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    report = Report(options.bench)
    sizes = [1_000, 100_000] if options.quick else [1_000, 100_000, 1_000_000, 10_000_000]
    seconds = 5 if options.quick else options.seconds
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as directory:
        state(report, sizes)
        files(report, sizes[-1], 512, directory)
        node(report, "native", 22_000, seconds, "aim 22,000")
        node(report, "token", 12_000, seconds, "aim 12,000")
        node(report, "native", 22_000, min(seconds, 20), "", "--door", "websocket")
        node(report, "native", 22_000, min(seconds, 20), "", "--data-dir", f"{directory}/chain")
    logs = 50_000 if options.quick else 1_000_000
    rpc = report.run("rpc", "rpc", "--logs", str(logs), "--subscribers", "1000", "--json")
    for name, what in [("getLogsByAddressAndTopic", f"eth_getLogs over {logs:,} logs, address and topic, ms p50 / p99"),
                       ("call", "eth_call over HTTP, ms p50 / p99"),
                       ("newHeads", "a new head at 1,000 WebSocket subscribers, ms p50 / p99")]:
        report.row(what, f"{rpc[name]['p50ms']} / {rpc[name]['p99ms']}")
    if options.json:
        options.json.write_text(json.dumps(report.figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
