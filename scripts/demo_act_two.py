#!/usr/bin/env python3
"""The second act of `make demo`: six lanes between three chains, every kind of token and message, one table of outcomes.

    python3 scripts/demo_act_two.py DATA        a network of ethereum, jovay and pharos runs in DATA

Standard library only. Everything goes through the command, as a person would do it. Exits with 1 when an outcome is not the
one that the kind of message must have.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request

from demo_table import document, draw, mend, transact, word

CAUSEWAY = ".build/release/causeway"
CHAINS = ["ethereum", "jovay", "pharos"]
DEADLINE_SECONDS = 120
# Function selectors: approve(address,uint256), provideSiloedLiquidity(uint64,uint256).
APPROVE, PROVIDE_SILOED_LIQUIDITY = "0x095ea7b3", "0x2d4a148f"


def causeway(*arguments, expect=(0,)):
    """The `data` of one command."""
    done = subprocess.run([CAUSEWAY, *arguments, "--json", "--quiet"], capture_output=True, text=True)
    answer = json.loads(done.stdout) if done.stdout else {"ok": False, "error": {"message": done.stderr[-500:]}}
    if done.returncode not in expect:
        raise SystemExit(f"causeway {' '.join(arguments)}: exit {done.returncode}: {answer.get('error')}")
    return answer.get("data") or answer


class Message:
    """One message on its way, and what must become of it."""

    def __init__(self, lane, kind, options, outcome="executed"):
        self.lane, self.kind, self.options, self.outcome = lane, kind, options, outcome
        self.story, self.note = None, ""

    def send(self):
        source, destination = self.lane
        sent = causeway("send", source, destination, *self.options)
        self.id, self.sent_at = sent["messages"][0]["messageId"], time.monotonic()
        self.nonce = sent["messages"][0]["nonce"]
        self.fee = sent["fee"]["text"]

    def look(self):
        self.story = causeway("show", self.id, expect=(0, 3, 4, 5))
        return self.story.get("stage")

    def is_over(self):
        return self.story is not None and self.story.get("stage") in ("executed", "failed")


def wait(messages, until=Message.is_over, what="messages"):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while open_ones := [message for message in messages if not until(message)]:
        if time.monotonic() > deadline:
            stuck = ", ".join(f"{m.id} ({m.kind}: {(m.story or {}).get('waitsFor')})" for m in open_ones)
            raise SystemExit(f"{len(open_ones)} {what} did not come to their end: {stuck}")
        for message in open_ones:
            message.look()
        print(f"  {len(messages) - len([m for m in messages if not until(m)])} of {len(messages)} {what}", file=sys.stderr)
        time.sleep(0.2)


def faults(**wanted):
    """How the attestation service misbehaves from now on; nothing for not at all."""
    request = urllib.request.Request(document(DATA)["attester"]["api"] + "/faults", json.dumps(wanted).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def tokens_of_every_kind():
    """Each kind of pool once both ways or round three chains; USDC while its attestation service behaves."""
    home, other, third = CHAINS
    messages = []
    for symbol, kind in [
        ("BFROM", "burned by burnFrom, minted"), ("BWITH", "burned by burn(from), minted"),
        ("BADDR", "sent to a dead address, minted"), ("USDC", "USDC over CCTP v2"), ("USDCV1", "USDC over CCTP v1"),
    ]:
        for lane in [(home, other), (other, third), (third, home)]:
            messages.append(Message(lane, f"{symbol}, {kind}", ["--token", f"{symbol}=2.5", "--receiver", "account:2"]))
    # What is below a millionth is lost on the way to 6 decimals; nothing is on the way back.
    messages += [
        Message((home, other), "MIXED, 18 decimals to 6", ["--token", "MIXED=1.234567890123456789", "--receiver", "account:2"]),
        Message((other, home), "MIXED, 6 decimals to 18", ["--token", "MIXED=1.234567", "--receiver", "account:2"]),
        Message((other, third), "MIXED, 6 decimals to 6", ["--token", "MIXED=0.000001", "--receiver", "account:2"]),
        Message((home, other), "USDC over CCTP v2, with data", ["--token", "USDC=1", "--text", "paid"]),
    ]
    return messages


def silos():
    """A token with a silo for each chain: what is away on one chain does not come back from another. Account 1 sends
    what it has received."""
    home, other, third = CHAINS

    def message(lane, amount, kind, outcome="executed"):
        return Message(lane, f"SILO, {kind}", ["--token", f"SILO={amount}", "--receiver", "account:1"], outcome)

    messages = [message((home, other), 10, "into a silo"), message((home, third), 2, "into another silo")]
    send(messages)
    messages += [message((other, home), 4, "out of its silo"), message((other, third), 3, "burned and minted")]
    send(messages[2:])
    last = message((third, home), 5, "more than its silo has", "failed")
    send([last])
    return messages + [last]


def late_attestations():
    """An attestation that comes late, one that is lost for a while, one that overtakes, one that expires."""
    home, other, third = CHAINS
    late = [Message((home, third), "USDC over CCTP v2, attested late", ["--token", "USDC=7", "--receiver", "account:2"]),
            Message((other, home), "USDC over CCTP v1, attested late", ["--token", "USDCV1=7", "--receiver", "account:2"])]
    faults(withheld=True)
    for message in late:
        message.send()

    def waits(m):
        return m.is_over() or "attestation" in str((m.story or {}).get("waitsFor"))

    wait(late, waits, "messages wait for their attestations")
    for message in late:
        if message.is_over():
            raise SystemExit(f"{message.id} was executed without an attestation")
        message.note = "waited for its attestation, then executed"
    faults(reorderMilliseconds=1000, refusedQuestions=2)
    wait(late)
    faults(lostQuestions=12, pendingQuestions=4)
    lost = Message((third, other), "USDC over CCTP v1, attestation lost for a while", ["--token", "USDCV1=8", "--receiver", "account:2"])
    send([lost])
    faults(expiryBlocks=0)
    expired = Message((home, other), "USDC over CCTP v2, attestation expired", ["--token", "USDC=9", "--receiver", "account:2"], "failed")
    send([expired])
    faults()
    return late + [lost, expired]


def attest_again(message):
    """Has an attestation that expired made anew."""
    api, place = document(DATA)["attester"]["api"], message.story["sent"]
    with urllib.request.urlopen(f"{api}/v2/messages/0?transactionHash={place['transaction']}", timeout=10) as answer:
        nonce = json.load(answer)["messages"][0]["eventNonce"]
    with urllib.request.urlopen(urllib.request.Request(f"{api}/v2/reattest/{nonce}", b""), timeout=10) as answer:
        assert answer.status == 200


def provide(message):
    """Account 0, who owns the silos, puts what a message needs into the one of its source."""
    network = document(DATA)
    source, home = (next(c for c in network["chains"] if c["name"] == name) for name in message.lane)
    token = next(t for t in home["tokens"] if t["symbol"] == "SILO")
    amount = int(message.story["tokens"][0]["amount"])
    transact(network, home, token["address"], APPROVE + word(token["pool"]) + f"{amount:064x}", "approving the pool")
    transact(
        network, home, token["pool"], PROVIDE_SILOED_LIQUIDITY + f"{int(source['selector']):064x}{amount:064x}",
        "filling the silo")


def send(messages):
    for message in messages:
        message.send()
    wait(messages)


def every_kind():
    """At least one message of each kind; each of the six lanes carries several."""
    lanes = [(a, b) for a in CHAINS for b in CHAINS if a != b]
    messages = []
    for lane in lanes:
        messages += [
            Message(lane, "data", ["--text", f"from {lane[0]} to {lane[1]}"]),
            Message(lane, "LINK, burned and minted", ["--token", "LINK=1.5", "--receiver", "account:2"]),
        ]
        here = "locked" if lane[0] == "ethereum" else "burned"
        there = "released" if lane[1] == "ethereum" else "minted"
        messages.append(Message(
            lane, f"CWT, {here} and {there}, with data", ["--token", "CWT=3", "--text", "with tokens", "--gas-limit", "200000"]))
    a, b, c, d, e, f = lanes
    messages += [
        Message(a, "in order, first", ["--text", "one", "--ordered"]),
        Message(a, "in order, second", ["--text", "two", "--ordered"]),
        Message(b, "in order by version 1", ["--text", "three", "--extra-args", "v1"]),
        Message(b, "no extra arguments", ["--text", "four", "--extra-args", "none"]),
        Message(c, "fee in LINK", ["--text", "five", "--fee-token", "LINK"]),
        Message(d, "fee in LINK, tokens of the same", ["--token", "LINK=1", "--fee-token", "LINK", "--receiver", "account:3"]),
        Message(e, "an account as receiver", ["--text", "nobody listens", "--receiver", "account:2"]),
        Message(f, "30,000 bytes", ["--data", "0x" + "5a" * 30_000, "--gas-limit", "2500000"]),
        Message(a, "too little gas", ["--text", "starved", "--gas-limit", "2000"], "failed"),
        Message(("ethereum", "jovay"), "a receiver that reverts", ["--text", "mend me", "--receiver", "revertingReceiver"],
                "failed"),
    ]
    return messages


def by_hand(messages):
    """What failed is executed by hand: with more gas, or once its receiver is mended."""
    mend(DATA)
    for message in messages:
        if message.outcome != "failed":
            continue
        more, why = [], ""
        if message.kind == "too little gas":
            more, why = ["--gas-limit", "200000"], " with more gas"
        elif "expired" in message.kind:
            attest_again(message)
            why = " with a new attestation"
        elif message.kind.startswith("SILO"):
            provide(message)
            why = " once the silo was filled"
        done = causeway("exec", message.id, *more)
        assert done["state"] == "success", done
        message.note = "failed, then executed by hand" + why


def cursed():
    """A cursed lane carries nothing, and goes on when the curse is lifted."""
    lane = ("pharos", "jovay")
    message = Message(lane, "sent, then the lane is cursed", ["--text", "patience"])
    message.send()
    message.look()
    causeway("curse", "pharos", "--on", "jovay")
    second = Message(lane, "on a lane cursed at its end", ["--text", "still patience"])
    second.send()

    def waits(m):
        return m.is_over() or "curse" in str((m.story or {}).get("waitsFor"))

    wait([second], waits, "messages wait for the curse")
    if second.is_over():
        raise SystemExit(f"{second.id} crossed a cursed lane")
    second.note = "waited for the curse to be lifted, then executed"
    causeway("uncurse", "pharos", "--on", "jovay")
    wait([message, second])
    return [message, second]


def blessed(messages):
    """Roots of the lanes that need guards came with their signatures, those of the others without."""
    rmn = document(DATA)["rmn"]
    guarded = [(lane["from"], lane["to"]) for lane in rmn["lanes"]]
    for message in messages:
        assert message.story["committed"]["blessed"] == (message.lane in guarded), f"{message.id}: {message.lane}"
    print(f"\n{sum(message.lane in guarded for message in messages)} of {len(messages)} messages crossed under roots that "
          f"{rmn['faulty'] + 1} of {len(document(DATA)['guards'])} guards signed")


def main():
    first = [Message(("ethereum", chain), "CWT, locked and minted", ["--token", "CWT=10", "--receiver", "account:1"])
             for chain in CHAINS[1:]]
    print("\nLocking CWT on Ethereum, minting it on the others", file=sys.stderr)
    for message in first:
        message.send()
    wait(first)
    messages = every_kind() + tokens_of_every_kind()
    print(f"\nSending {len(messages)} messages over six lanes", file=sys.stderr)
    for message in messages:
        message.send()
    wait(messages)
    print("\nSilos, and an attestation service that misbehaves", file=sys.stderr)
    messages = first + messages + silos() + late_attestations()
    wrong = [m for m in messages if m.story["stage"] != m.outcome]
    by_hand(messages)
    messages += cursed()
    rows = []
    for message in messages:
        story = message.story
        tokens = ", ".join(token["text"] or token["amount"] for token in story["tokens"]) or "-"
        took = story["executed"]["timestamp"] - story["sent"]["timestamp"] if story["executed"] else 0
        rows.append([
            " -> ".join(message.lane), message.kind, tokens, str(message.nonce) if message.nonce else "any", message.fee,
            f"{took} s", "blessed" if story["committed"]["blessed"] else "-", message.note or story["stage"],
            message.id[:12]])
    rows.sort(key=lambda row: row[0])
    draw(["lane", "message", "tokens", "order", "fee", "took", "root", "outcome", "id"], rows)
    blessed(messages)
    nonces = [m.story["executed"]["block"] for m in messages if m.kind.startswith("in order,")]
    assert nonces == sorted(nonces), "ordered messages crossed out of order"
    print()
    done = subprocess.run([CAUSEWAY, "supply"])
    if done.returncode or wrong:
        raise SystemExit("outcomes that should not be: " + (", ".join(f"{m.kind}: {m.story['stage']}" for m in wrong) or "supplies"))


if __name__ == "__main__":
    DATA = sys.argv[1]
    os.environ["CAUSEWAY_NETWORK"] = DATA
    assert {chain["name"] for chain in document(DATA)["chains"]} == set(CHAINS), "the network has other chains"
    main()
