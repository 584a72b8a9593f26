"""One cell of the acceptance table: nodes, contracts, `causeway adopt`, `causeway cluster`, messages, verdict.

    python acceptance.py --cell interval-1 [--causeway PATH] [--keep DIR] [--list]
Ends with 0 when all came as it should, 1 on a deviation. Whatever happens, no process is left.
"""

import argparse
import ctypes
import dataclasses
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from foreign_client import Node, Sender
from foreign_deploy import Keys, address, adoption, deploy
from foreign_run import Run

HERE = pathlib.Path(__file__).resolve().parent
FAULTS = "errors=.05,429=.03,500=.03,drop=.03,lost=.03,null=.03,hang=.01"


@dataclasses.dataclass
class Cell:
    """A row of the table. Options of nodes are for one chain each, the last for those that follow."""

    name: str
    nodes: list
    chains: int = 2
    faulty: int = 1
    rmn: str | None = None
    faults: bool = False
    one_transmitter: bool = True
    equal_digests: bool = False
    depth: int = 3
    # Strangers' transactions, seconds between them: what makes blocks on nodes that mine by transaction.
    noise: float = 1
    tag: bool = False
    reorganise: int = 0
    kill: bool = False
    blessings: int = 2

    @property
    def finality_rule(self):
        return {"tag": "finalized"} if self.tag else {"depth": self.depth}

    @property
    def seconds(self):
        return (180 + 60 * (self.chains - 2)) * (2 if self.faults else 1) + (60 if self.faulty > 1 else 0)


def interval(milliseconds, *options):
    return ["--interval", str(milliseconds), *options]


AUTOMINE = ["--automine", "--finality", "depth", "0"]
BARE = ["--no-batch", "--no-blockhash-logs", "--log-range", "50"]

SECOND = interval(1000, "--finality", "depth", "3")
CELLS = [
    Cell("interval-1", [SECOND]),
    Cell("automine-1", [AUTOMINE], depth=2),
    Cell("automine-quiet", [AUTOMINE + ["--clock", "ahead"]], depth=0, noise=0, one_transmitter=False),
    Cell("tags-two-keys", [interval(1000, "--finality", "tag", "4")], tag=True, one_transmitter=False),
    Cell("bare-nodes",
         [interval(1000, "--finality", "none", *BARE, "--no-gas-price", "--clock", "behind"),
          interval(500, "--finality", "none", *BARE, "--seed", "1", "--clock", "ahead")], equal_digests=True),
    Cell("rich-callers",
         [interval(1000, "--rich-callers", "--no-batch", "http"), AUTOMINE + ["--rich-callers"]], depth=2),
    Cell("reorganised", [interval(1000, "--finality", "depth", "6")], depth=6, reorganise=3),
    Cell("faults-1", [SECOND + ["--log-range", "200"]], faults=True),
    Cell("automine-faults", [AUTOMINE + ["--log-range", "100", "--seed", "2"]], faults=True, depth=2,
         equal_digests=True),
    Cell("rmn-one-lane", [SECOND], rmn="one"),
    Cell("rmn-faults",
         [interval(1000, "--log-range", "100"), interval(700, "--no-blockhash-logs")], rmn="all", faults=True),
    Cell("three-chains", [interval(1000), AUTOMINE, interval(2000, "--gas-limit", "16000000")], chains=3, depth=2,
         equal_digests=True),
    Cell("rmn-three-chains", [interval(1000), AUTOMINE, interval(500)], chains=3, rmn="all", depth=2,
         one_transmitter=False),
    Cell("f2", [SECOND], faulty=2),
    Cell("f2-rmn-faults", [interval(1000, "--log-range", "100"), AUTOMINE + ["--no-batch"]], faulty=2, rmn="all",
         faults=True, one_transmitter=False),
    Cell("killed-f2-three-chains", [interval(1000), AUTOMINE], chains=3, faulty=2, kill=True, depth=2),
]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def die_with_parent():
    # PR_SET_PDEATHSIG: a killed test leaves nothing behind.
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Acceptance:
    def __init__(self, cell, causeway, folder, seed):
        self.cell, self.causeway, self.folder, self.seed = cell, causeway, folder, seed
        self.processes, self.noisy, self.wrong = [], True, []
        self.begin = time.monotonic()

    def say(self, words):
        print(f"{time.monotonic() - self.begin:6.1f} {self.cell.name}: {words}", flush=True)

    def spawn(self, words, log):
        out = open(self.folder / log, "ab")
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=die_with_parent, start_new_session=True)
        self.processes.append(process)
        return process

    def start_nodes(self, keys):
        cell, ports = self.cell, free_ports(2 * self.cell.chains)
        for i in range(cell.chains):
            options = cell.nodes[min(i, len(cell.nodes) - 1)]
            # A seed among the options comes later and counts.
            words = [sys.executable, HERE / "foreign_node.py", "--chain-id", 61_001 + i, "--port", ports[2 * i],
                     "--faulty-port", ports[2 * i + 1], "--seed", self.seed + i, *options,
                     *(["--faults", FAULTS] if cell.faults else []), "--fund", *keys.funded]
            self.spawn([str(w) for w in words], f"node-{i}.log")
        nodes = [Node(port) for port in ports[::2]]
        for node in nodes:
            self.until(lambda: int(node.rpc("eth_chainId"), 16), 30, "a node")
        return nodes, ports[1::2]

    def until(self, ask, seconds, what):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if answer := ask():
                    return answer
            except OSError:
                pass
            if any(p.poll() is not None for p in self.processes) or time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not come")
            time.sleep(0.2)

    def make_noise(self, nodes, keys):
        senders = [Sender(node, keys.noise) for node in nodes]
        while self.noisy:
            for sender in senders:
                try:
                    sender.send("0x" + "99" * 20, value=1, gas=21_000)
                except Exception as error:
                    self.say(f"noise: {error}")
            time.sleep(self.cell.noise)

    def command(self, *words, seconds=180):
        return subprocess.run([self.causeway, *map(str, words)], capture_output=True, text=True, timeout=seconds)

    def adopt(self, chains, keys, clean, faulty):
        """The folder of the adopted cluster, whose relayers ask the nodes that fail."""
        cluster, file = self.folder / "cluster", self.folder / "deployment.json"
        # A failed adoption is a deviation; the rest is then seen with one that asked nodes without faults.
        for attempt, ports in enumerate([faulty, clean] if self.cell.faults else [faulty]):
            file.write_text(adoption(chains, keys, self.cell, ports, faulty))
            file.chmod(0o600)
            done = self.command("adopt", "--deployment", file, "--out", cluster)
            (self.folder / f"adopt-{attempt}.log").write_text(done.stdout + done.stderr)
            bad = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("FAILED")]
            if done.returncode == 0:
                return cluster
            self.wrong.append(f"causeway adopt: exit {done.returncode}: {bad[:3]}")
        raise RuntimeError("causeway adopt failed\n" + (done.stdout + done.stderr)[-3000:])

    def start_cluster(self, cluster):
        process = self.spawn([self.causeway, "cluster", str(cluster), "--timeout", "240"], "cluster.log")
        self.until(lambda: "\nready in" in (self.folder / "cluster.log").read_text(), 250, "the cluster")
        return process

    def kill_relayer(self, process):
        listed = subprocess.check_output(["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], text=True)
        relayers = [line.split()[0] for line in listed.splitlines() if " relayer " in line]
        self.say(f"kill -9 {relayers[1]}, one of {len(relayers)} relayers")
        subprocess.run(["kill", "-9", relayers[1]], check=True)

    def run(self):
        cell = self.cell
        keys = Keys(self.seed, cell.faulty, cell.one_transmitter, 3 if cell.rmn else 0)
        nodes, faulty_ports = self.start_nodes(keys)
        chains = deploy(nodes, keys, cell)
        self.say("deployed")
        if cell.noise:
            threading.Thread(target=self.make_noise, args=(nodes, keys), daemon=True).start()
        cluster = self.adopt(chains, keys, [node.port for node in nodes], faulty_ports)
        self.say("adopted")
        process = self.start_cluster(cluster)
        self.say("the cluster is ready")
        run = Run(chains, keys, self.say)
        run.send()
        self.say(f"sent {len(run.sent)} messages")
        if cell.reorganise:
            for node in nodes:
                node.rpc("foreign_reorganise", cell.reorganise)
            run.users.number(run.sent)
            self.say(f"replaced {cell.reorganise} blocks of each chain")
        if cell.kill:
            time.sleep(3)
            self.kill_relayer(process)
        run.wait(cell.seconds)
        lines, wrong = run.judge()
        costs, wasted = run.cost([address(secret) for secret in {*keys.committing, *keys.executing}])
        lines, wrong = lines + costs, self.wrong + wrong + wasted
        print("\n".join(lines))
        if process.poll() is not None:
            wrong.append(f"the cluster ended with {process.returncode}")
        told = (self.folder / "cluster.log").read_text().splitlines()
        restarts = [line for line in told if "was started again" in line]
        if restarts and not cell.kill:
            wrong.append(f"{len(restarts)} processes ended: {restarts[0]}")
        return wrong

    def stop(self):
        self.noisy = False
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cell", choices=[c.name for c in CELLS])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--causeway", default=str(HERE.parents[2] / ".build/release/causeway"))
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for logs that stays")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.list or not options.cell:
        print("\n".join(c.name for c in CELLS))
        return 0
    cell = next(c for c in CELLS if c.name == options.cell)
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="causeway-acceptance-"))
    folder.mkdir(parents=True, exist_ok=True)
    acceptance = Acceptance(cell, options.causeway, folder, options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        wrong = acceptance.run()
    finally:
        acceptance.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    for line in wrong:
        print(f"WRONG {line}")
    acceptance.say(f"{len(wrong)} deviations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
