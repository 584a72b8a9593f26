"""What the bridge's transactions cost, beside what is published of the CCIP 1.6 contracts: docs/reference/gas.md.

What lives here: measuring, and the table. The published figures were measured on the deployed contracts, or are told by
the logs of the recorded lane of the vectors; what they leave open (whose receiver, which slots were written before) is
said in the row for ours.

    gas_table.py            measure, print, and write the page
    gas_table.py --check    measure, and exit 1 when the page says otherwise
"""

import argparse
import dataclasses
import sys

from eth_abi import encode
from eth_keys import keys
from eth_utils import keccak

import gas_streams
from bridge import USERS, Bridge
from chain import ROOT, Chain, artifact
from destination import Destination, address_of, any_message
from harness import b
from machine_in_process import InProcess
from pools import BURN_MINT, UNLIMITED
from recorded import Recorded
from reference import FAILURE, ROOT_TYPE, SUCCESS, commit_report, padded, states
from results import Result

PAGE = ROOT / "docs" / "reference" / "gas.md"
SOURCE, HERE = 16015286601757825753, 5009297550715157269
ON_RAMP = padded("0x" + "0a" * 20)
RMN_SECRETS = sorted((keccak(text=f"rmn {i}") for i in range(3)), key=lambda secret: int(address_of(secret), 16))
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclasses.dataclass
class Row:
    """One operation: our gas, what is published, and the most of it, which ours should not be above."""

    name: str
    ours: int
    published: str = "none"
    bound: int = None

    @property
    def above(self):
        return self.bound is not None and self.ours > self.bound


def published(value, text=None):
    return {"published": text or f"{value:,}", "bound": value}


# Commit


def commits():
    lane = Destination(HERE, [(SOURCE, ON_RAMP, True)])
    root = lambda number: keccak(text=f"root {number}")
    first = lane.commit_root(SOURCE, root(1)).total
    yield Row("one root, 2 signatures, the first", first)
    yield Row("one root, 2 signatures", lane.commit_root(SOURCE, root(2)).total, **published(112_500))
    prices = ([(USERS[0], 10**18)], [(SOURCE, 10**9)])
    lane.commit(commit_report(prices=prices))
    result = lane.commit(commit_report([(SOURCE, ON_RAMP, 3, 3, root(3))], prices=prices))
    yield Row("one root and two prices, 2 signatures", result.total)
    result = lane.commit(commit_report(prices=prices))
    yield Row("two prices, 2 signatures", result.total)

    lane = Destination(HERE, [(SOURCE, ON_RAMP, False)])
    digest = keccak(text="rmn home")
    lane.rmn.send("setConfig", (digest, [(address_of(secret), i) for i, secret in enumerate(RMN_SECRETS)], 1))
    for number in (1, 2):
        roots = [(SOURCE, ON_RAMP, number, number, root(number))]
        result = lane.commit(commit_report(blessed=roots, signatures=list(blessing(lane, digest, roots))))
    yield Row("one blessed root, 2 signatures and 2 of RMN", result.total, **published(138_500))


def blessing(lane, digest, roots):
    """Signatures of two RMN nodes, made such that v is 27 (section 17.2)."""
    head = "(uint256,uint64,address,address,bytes32," + ROOT_TYPE + "[])"
    words = (CHAIN_ID, HERE, lane.rmn.address, lane.off_ramp.address, digest, roots)
    signed = keccak(encode(["bytes32", head], [keccak(text="RMN_V1_6_ANY2EVM_REPORT"), words]))
    for secret in RMN_SECRETS[:2]:
        signature = keys.PrivateKey(secret).sign_msg_hash(signed)
        s = signature.s if signature.v == 0 else ORDER - signature.s
        yield signature.r.to_bytes(32, "big"), s.to_bytes(32, "big")


# Execute


def executions():
    for ordered in (False, True):
        lane = Destination(HERE, [(SOURCE, ON_RAMP, True)])
        receiver = lane.chain.deploy(artifact("storing_receiver"), lane.router.address)
        messages = [
            any_message(SOURCE, HERE, number, receiver.address, b"small", 200_000, nonce=number if ordered else 0)
            for number in (1, 2, 3)
        ]
        layers = lane.commit_messages(messages)
        result = lane.execute(lane.report(messages, layers, [0, 1, 2]))
        assert [state[1] for state in states(result)] == [SUCCESS] * 3
        kind = "in order" if ordered else "in any order"
        name = f"3 small messages of a root, {kind}, to a fresh storing receiver"
        yield Row(name, result.total, **published(327_000))
        first, *_, last = [state[4] for state in states(result)]
        yield Row("— of these the first, as its log tells", first, **published(107_000, "89,000 to 107,000"))
        yield Row("— of these the last", last, **published(35_000, "25,000 to 35,000"))
    lane = Destination(HERE, [(SOURCE, ON_RAMP, True)])
    messages = [any_message(SOURCE, HERE, 1, USERS[0], b"\x11" * 12_000, 200_000)]
    result = lane.execute(lane.report(messages, lane.commit_messages(messages), [0]))
    # Published to the thousand. It is the least that the protocol takes for this call data (EIP-7623).
    yield Row("one message with 12,000 bytes, to a plain account", result.total, **published(516_020, "516,000"))
    yield Row("destGasAmount that a burn-mint pool needs", release_gas(), **published(60_000, "45,000 to 60,000"))


def release_gas():
    """The least destGasAmount with which tokens arrive at an account that has none yet, to a hundred."""
    fails, works = 0, 200_000
    while works - fails > 100:
        middle = (fails + works) // 2
        if released(middle) == SUCCESS:
            works = middle
        else:
            fails = middle
    return works


def released(gas):
    lane, token, pool = one_token()
    tokens = [(ON_RAMP, token.address, gas, encode(["uint8"], [18]), 5)]
    messages = [any_message(SOURCE, HERE, 1, USERS[0], tokens=tokens)]
    [(_, state, _, _, _)] = states(lane.execute(lane.report(messages, lane.commit_messages(messages), [0])))
    assert state in (SUCCESS, FAILURE)
    return state


def one_token():
    lane = Destination(HERE, [(SOURCE, ON_RAMP, True)])
    token = lane.chain.deploy(artifact("burn_mint_erc20"), "Token", "TOK", 18, 0, 10**18, USERS[2])
    owner = token.call("owner")
    pool = lane.chain.deploy(
        artifact(BURN_MINT), token.address, 18, [], lane.proxy.address, lane.router.address
    )
    pool.send("applyChainUpdates", [], [(SOURCE, [ON_RAMP], ON_RAMP, UNLIMITED, UNLIMITED)])
    token.send("grantMintAndBurnRoles", pool.address, sender=owner)
    lane.list_token(token.address, pool.address, owner)
    return lane, token, pool


# The recorded lane


def recorded_lane():
    """As they were recorded: in one transaction, which py-evm can do and no node."""
    machine, Chain.machine_name = Chain.machine_name, InProcess.name
    try:
        lane = Recorded(one_transaction=True)
    finally:
        Chain.machine_name = machine
    return [Row(name, ours, **published(theirs)) for name, ours, theirs in recorded_calls(lane)]


def recorded_lane_apart():
    return [Row(name, ours) for name, ours, _ in recorded_calls(Recorded())]


def recorded_calls(lane):
    """The recorded calls on our contracts: of each message its name, our gas, and what its recorded log tells."""
    for token in lane.tokens:
        token.send("grantMintAndBurnRoles", USERS[2])
        token.send("mint", USERS[2], 1, sender=USERS[2])
    relayer = lane.recorded["ocr"]["transmitters"][0]
    lane.off_ramp.raw(b(lane.recorded["commit"]["calldata"]), sender=relayer)
    for number, execution in enumerate(lane.recorded["executions"]):
        result = lane.off_ramp.raw(b(execution["executeCalldata"]), sender=relayer)
        yield from beside(number, result, execution["logs"])
    lane.fickle.send("refuse", b"")
    manual = lane.recorded["manualExecution"]
    yield from beside("manual", lane.off_ramp.raw(b(manual["calldata"]), sender=USERS[0]), manual["logs"])


def beside(transaction, result, logs):
    told = [(log["address"], [b(topic) for topic in log["topics"]], b(log["data"])) for log in logs]
    theirs = Result(b"", told, 0, b"")
    for ours, due in zip(states(result), states(theirs), strict=True):
        yield RECORDED[transaction, ours[0]], ours[4], due[4]


RECORDED = {
    (0, 2): "message 2: data, in any order, the first of its transaction",
    (0, 3): "message 3: one token to a plain account",
    (0, 5): "message 5: two tokens and data",
    (1, 1): "message 1: data, in order, the first of its transaction",
    (1, 4): "message 4: data to a receiver that reverts",
    ("manual", 4): "message 4 again, by hand, to the mended receiver",
}


# Send


def sends():
    bridge = Bridge().connect()
    left, right = bridge.left, bridge.right
    receiver = right.storing.address
    kinds = [
        ("data, 32 bytes, in any order", [], b"\x11" * 32, True),
        ("data, 32 bytes, in order", [], b"\x11" * 32, False),
        ("one burnt token", [("ONE", 10**18)], b"", True),
        ("one locked token", [("TWO", 10**8)], b"", True),
        ("data, 30,000 bytes", [], b"\x22" * 30_000, True),
    ]
    for name, amounts, data, in_any_order in kinds:
        for _ in range(2):
            _, result = left.send(USERS[0], amounts, receiver, data, 200_000, in_any_order)
        yield Row(name, result.total)


SECTIONS = [
    ("Send", "Gas of a whole `ccipSend` paid in the chain's coin, the second of its kind. None is published.", sends),
    ("Commit", "Gas of the whole transaction; F = 1.", commits),
    ("Execute", "Gas of the whole transaction, or as the row says.", executions),
    (
        "The recorded lane",
        "`gasUsed` of each message in `ExecutionStateChanged`, when the recorded calls run on our contracts, all in\n"
        "one transaction with what set the lane up: whatever was touched before is warm, and what was written is cheap\n"
        "to write again. By its figures the recording was made so: a manual execution on its own pays about 21,000 for\n"
        "cold accesses, two writes and three logs alone, of 25,850 that are published; and so measured, ours are near\n"
        "all six figures, with tokens below them.\n"
        "The recorded receiver is a stand-in that emits the recorded event; one of the two pools of message 5 was of\n"
        "version 1.5.1, ours are 1.6.1; the tokens had a supply before, the receivers had none of them.",
        recorded_lane,
    ),
    (
        "The recorded lane, each call a transaction",
        "The same messages as a chain bills them, cold accesses included. No published figure was measured so.",
        recorded_lane_apart,
    ),
    (
        "Price streams",
        "Gas of a whole transaction that calls the verifier proxy, or the price feed, itself; no fee manager, no access\n"
        "controller. None is published.",
        lambda: (Row(name, total) for name, total in gas_streams.verifications()),
    ),
]
CHAIN_ID = 5734951
HEAD = """\
# Gas

What the contracts in `chains/contracts` cost, beside what is published of the contracts of CCIP 1.6. Written by
`make gas`, and measured again by the tests. The aim is not to be above a published figure; rows that are say so.
"""
TAIL = """\
## Where the rest goes

What is above its figure, and why it stays there:

- In order, the first: the protocol takes 28,900 more than of the same message in any order, for a new slot with the
  sender's count (22,100), the nonce manager's account (2,600), and two of its slots that are read (4,200).
- Messages 1 and 2, and 4 by hand: of each, 1,774 in the off-ramp's trial and 1,155 in the router are memory. The
  compiler gives a buffer the room of the most it may hold and lays it beside the others, and lays the frame of a
  function above those of all that it calls, so a message of 20 words reaches 456 words far in the one and 319 in the
  other. Windows of half the length would save half of that, and cost messages of 1,000 to 2,000 bytes some 60,000
  more, as those would take the way of the longest. Reading one word of the call data costs 153 in place and 206 through
  a function, where one of memory costs 3; functions are what the off-ramp has room for: it lacks 22 bytes to the most
  that a contract may have.
"""


def measure():
    return [(title, text, list(rows())) for title, text, rows in SECTIONS]


def page(measured):
    lines = [HEAD]
    for title, text, rows in measured:
        lines += [f"## {title}", "", text, "", "| operation | ours | published | |", "| --- | ---: | ---: | --- |"]
        for row in rows:
            mark = f"above by {row.ours - row.bound:,}" if row.above else ""
            lines.append(f"| {row.name} | {row.ours:,} | {row.published} | {mark} |")
        lines.append("")
    return "\n".join([*lines, TAIL])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the page instead of writing it")
    options = parser.parse_args()
    text = page(measure())
    if not options.check:
        PAGE.write_text(text)
        print(text)
    elif PAGE.read_text() != text:
        sys.exit(f"{PAGE.relative_to(ROOT)} is not what was measured: make gas")


if __name__ == "__main__":
    main()
