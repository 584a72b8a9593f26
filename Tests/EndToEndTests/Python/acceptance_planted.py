"""Deviations planted into the logs of two chains that do not exist: the judge of acceptance.py must name each of them.

    python acceptance_planted.py
Ends with 0 when every planted deviation is found and the clean logs are called clean.
"""

import copy
import sys

from eth_abi import encode
from eth_utils import keccak
from foreign_client import ZERO, word
from foreign_messages import FAILURE, SUCCESS, Kind, Sent, version_2
from foreign_proofs import leaf, root
from foreign_run import Run

ON_RAMP = "0x" + "a1" * 20
SENDER, RECEIVER = "0x" + "b2" * 20, "0x" + "c3" * 20


class Chain:
    """Answers for a chain: events by contract and name, results of calls by name."""

    def __init__(self, index, blessed=False):
        self.index, self.name, self.selector = index, f"chain-{index}", 1000 + index
        self.logs, self.answers, self.asked = {}, {}, None
        self.blessed = blessed
        self.decimals = {"burn": 18, "lock": 18}

    def contract(self, name):
        view = copy.copy(self)
        view.asked, view.address = name, ON_RAMP
        return view

    def events(self, name):
        return self.logs.get((self.asked, name), [])

    def call(self, name, *arguments):
        return self.answers[(self.asked, name, *arguments)]

    def rmn_required(self, _):
        return self.blessed


def message(number, nonce, destination, source):
    header = (keccak(text=f"message {number}"), source.selector, destination.selector, number, nonce)
    return (header, SENDER, b"data", word(RECEIVER), version_2(200_000, nonce == 0), ZERO, 1, 1, [
        ("0x" + "d4" * 20, word("0x" + "e5" * 20), encode(["uint256"], [18]), 5, encode(["uint32"], [90_000]))])


def world():
    """Three messages under two roots, executed in order; the third fails as it should."""
    source, destination = Chain(0), Chain(1)
    messages = [message(n, nonce, destination, source) for n, nonce in ((1, 1), (2, 2), (3, 0))]
    source.logs["onRamp", "CCIPMessageSent"] = [({}, [destination.selector, m[0][3]], (m,)) for m in messages]
    leaves = [leaf(m, ON_RAMP) for m in messages]
    lane = (source.selector, word(ON_RAMP))
    roots = [(*lane, 1, 1, root(leaves[:1])), (*lane, 2, 3, root(leaves[1:]))]
    destination.logs["offRamp", "CommitReportAccepted"] = [({}, [], ([], [r], ([], []))) for r in roots]
    kinds = [Kind("ordered 1", "receiver"), Kind("ordered 2", "receiver"),
             Kind("fails", "receiver", extra=version_2(9_000, True), state=FAILURE)]
    run = Run.__new__(Run)
    run.chains, run.sent = [source, destination], []
    run.users = type("Users", (), {"keys": type("Keys", (), {"users": [1]})})
    destination.logs["offRamp", "ExecutionStateChanged"] = []
    for kind, m in zip(kinds, messages):
        run.sent.append(Sent(kind, source, destination, SENDER, "0x", RECEIVER, m[0][3], m[0][4], m[0][0]))
        destination.answers["offRamp", "getExecutionState", source.selector, m[0][3]] = kind.state
        event(destination, source, m, kind.state, 10 + m[0][3])
    for chain in run.chains:
        chain.answers["receiver", "count"] = 2 if chain is destination else 0
        chain.answers["burn", "totalSupply"] = 1_000 * 10**18
    return run, source, destination, messages, roots


def event(destination, source, m, state, block):
    log = {"blockNumber": hex(block), "logIndex": "0x0"}
    destination.logs["offRamp", "ExecutionStateChanged"].append(
        (log, [source.selector, m[0][3], m[0][0]], (bytes(32), state, b"", 1)))


def altered(field, value, place=1):
    def plant(run, source, destination, messages, roots):
        wrong = list(roots[place])
        wrong[field] = value
        destination.logs["offRamp", "CommitReportAccepted"][place] = ({}, [], ([], [tuple(wrong)], ([], [])))
    return plant


def padded_with_zero(run, source, destination, messages, roots):
    # Another tree than the standard's: an odd layer padded with zeros.
    node = lambda a, b: keccak(bytes(31) + b"\x01" + min(a, b) + max(a, b))
    leaves = [leaf(m, ON_RAMP) for m in messages]
    other = node(node(*leaves[:2]), node(leaves[2], bytes(32)))
    del destination.logs["offRamp", "CommitReportAccepted"][1]
    altered(3, 3, 0)(run, source, destination, messages, [(*roots[0][:4], other)])


def twice(run, source, destination, messages, roots):
    event(destination, source, messages[0], SUCCESS, 20)


def swapped(run, source, destination, messages, roots):
    logs = destination.logs["offRamp", "ExecutionStateChanged"]
    logs[0], logs[1] = (logs[1][0], *logs[0][1:]), (logs[0][0], *logs[1][1:])


def untouched(run, source, destination, messages, roots):
    del destination.logs["offRamp", "ExecutionStateChanged"][2]
    destination.answers["offRamp", "getExecutionState", source.selector, 3] = 0


def unexpected_success(run, source, destination, messages, roots):
    del destination.logs["offRamp", "ExecutionStateChanged"][2]
    event(destination, source, messages[2], SUCCESS, 13)
    destination.answers["offRamp", "getExecutionState", source.selector, 3] = SUCCESS


def stranger(run, source, destination, messages, roots):
    event(destination, source, message(9, 0, destination, source), SUCCESS, 30)


def called_twice(run, source, destination, messages, roots):
    destination.answers["receiver", "count"] = 3


def minted_twice(run, source, destination, messages, roots):
    destination.answers["burn", "totalSupply"] += 1


def not_blessed(run, source, destination, messages, roots):
    destination.blessed = True


PLANTED = [
    ("a wrong root", altered(4, keccak(b"other")), "is not 0x"),
    ("a tree that pads with zeros", padded_with_zero, "is not 0x"),
    ("a gap between roots", altered(2, 3), "was next"),
    ("more than was sent", altered(3, 4), "were sent"),
    ("another on-ramp", altered(1, word(ZERO)), "on-ramp 0x"),
    ("no blessing", not_blessed, "blessed is False"),
    ("executed twice", twice, "expected success"),
    ("out of order", swapped, "ended before an earlier one"),
    ("not executed", untouched, "untouched with events []"),
    ("a success that should fail", unexpected_success, "expected failure"),
    ("executed and not sent", stranger, "was executed and not sent"),
    ("a receiver called once too often", called_twice, "was called 3 times"),
    ("a token from nothing", minted_twice, "supply"),
]


def main():
    missed = []
    lines, wrong = world()[0].judge()
    if wrong:
        missed.append(f"the clean world: {wrong}")
    for name, plant, words in PLANTED:
        made = world()
        plant(*made)
        lines, wrong = made[0].judge()
        if not any(words in line for line in wrong):
            missed.append(f"{name}: {wrong}")
    for line in missed:
        print(line)
    print(f"{len(PLANTED) + 1 - len(missed)} of {len(PLANTED) + 1} judged right")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
