"""Sends messages over every lane, waits until they have ended, and compares with how they should.

What lives here: sending, waiting and judging, by the logs and states of the OffRamps alone.
"""

import time

from foreign_messages import SUCCESS, Users, kinds
from foreign_proofs import check_roots

STATES = {0: "untouched", 1: "in progress", 2: "success", 3: "failure"}


class Run:
    def __init__(self, chains, keys, say=print, rounds=1):
        self.chains, self.users, self.say, self.rounds = chains, Users(chains, keys), say, rounds
        self.sent = []
        self.users.approve(chains)

    @property
    def lanes(self):
        return [(a, b) for a in self.chains for b in self.chains if a is not b]

    def send(self, count=None):
        """One of each kind over each lane."""
        fresh = []
        for kind in kinds()[:count]:
            for source, destination in self.lanes:
                fresh.append(self.users.send(source, destination, kind))
        self.users.number(fresh)
        self.sent += fresh

    def executions(self, destination):
        """(source selector, number) to the states that its events tell, each with its place on the chain."""
        found = {}
        events = destination.contract("offRamp").events("ExecutionStateChanged")
        for log, (source, number, identity), (_, state, output, _) in events:
            place = (int(log["blockNumber"], 16), int(log["logIndex"], 16))
            found.setdefault((source, number), []).append((state, place, identity, output))
        return found

    def open(self):
        """Messages that have not ended."""
        done = {chain.index: self.executions(chain) for chain in self.chains}
        return [m for m in self.sent if (m.source.selector, m.number) not in done[m.destination.index]]

    def wait(self, seconds):
        deadline, told = time.monotonic() + seconds, None
        while left := self.open():
            if len(left) != told:
                told = len(left)
                self.say(f"{int(deadline - time.monotonic())} s left, {told} of {len(self.sent)} messages are open")
            if time.monotonic() > deadline:
                break
            time.sleep(1)
        return left

    # --- what it cost

    def transactions(self, chain, accounts):
        """(all, reverted, gas) of the transactions that relayers have in blocks."""
        receipts = []
        for height in range(chain.node.height + 1):
            block = chain.node.rpc("eth_getBlockByNumber", hex(height), True)
            for transaction in block["transactions"]:
                if transaction["from"].lower() in accounts:
                    receipts.append(chain.node.rpc("eth_getTransactionReceipt", transaction["hash"]))
        reverted = [r for r in receipts if r["status"] != "0x1"]
        return len(receipts), len(reverted), sum(int(r["gasUsed"], 16) for r in receipts)

    def cost(self, accounts, quiet_seconds=8):
        """A line for each chain; deviations when relayers go on paying though nothing is left to do."""
        accounts, lines, wrong = {a.lower() for a in accounts}, [], []
        before = [self.transactions(chain, accounts) for chain in self.chains]
        time.sleep(quiet_seconds)
        for chain, (count, _, _) in zip(self.chains, before):
            later, reverted, gas = self.transactions(chain, accounts)
            lines.append(
                f"{chain.name}: relayers sent {later} transactions, {reverted} reverted, {gas} gas; "
                f"{later - count} in {quiet_seconds} s after the end")
            # A report under way when the last message ended, and prices.
            if later - count > 6:
                wrong.append(f"{chain.name}: {later - count} transactions in {quiet_seconds} s with nothing to do")
            if reverted * 2 > later:
                wrong.append(f"{chain.name}: {reverted} of {later} transactions reverted")
        return lines, wrong

    # --- judging

    def judge(self):
        """(lines of the table, deviations)."""
        lines, wrong = [], []
        for chain in self.chains:
            found = self.executions(chain)
            for message in [m for m in self.sent if m.destination is chain]:
                events = found.get((message.source.selector, message.number), [])
                line = self.one(message, events, wrong)
                lines.append(line)
            strangers = set(found) - {(m.source.selector, m.number) for m in self.sent}
            wrong += [f"{chain.name}: {stranger} was executed and not sent" for stranger in strangers]
            wrong += self.order(chain, found) + self.received(chain) + self.supply(chain)
        for source, destination in self.lanes:
            bad, count = check_roots(source, destination)
            wrong += bad
            if count == 0 and any((m.source, m.destination) == (source, destination) for m in self.sent):
                wrong.append(f"{source.name} -> {destination.name}: no root")
            lines.append(f"{source.name} -> {destination.name}  {count} roots, {len(bad)} wrong")
        return lines, wrong

    def one(self, message, events, wrong):
        name = f"{message.source.name} -> {message.destination.name} {message.number} ({message.kind.name})"
        held = message.destination.contract("offRamp").call(
            "getExecutionState", message.source.selector, message.number)
        if [state for state, *_ in events] != [message.kind.state] or held != message.kind.state:
            told = [(STATES.get(state, state), output.hex()) for state, _, _, output in events]
            wrong.append(f"{name}: {STATES.get(held, held)} with events {told}, expected {STATES[message.kind.state]}")
        if any(identity != message.identity for _, _, identity, _ in events):
            wrong.append(f"{name}: executed under another id")
        if message.kind.token and message.kind.receiver == "account" and held == SUCCESS:
            token = message.kind.token
            balance = message.destination.contract(token).call("balanceOf", message.account)
            if balance != 2 * 10 ** message.destination.decimals[token]:
                wrong.append(f"{name}: {balance} smallest units arrived")
        place = events[0][1] if events else "-"
        return f"{name:55} nonce {message.nonce:3}  {STATES.get(held, held):10} at {place}"

    def order(self, chain, found):
        """Ordered messages of one sender end in the order of their nonces."""
        wrong, last = [], {}
        for message in sorted((m for m in self.sent if m.destination is chain and m.nonce), key=lambda m: m.nonce):
            sender = (message.source.selector, message.sender)
            for _, place, _, _ in found.get((message.source.selector, message.number), [])[:1]:
                if place < last.get(sender, (0, 0)):
                    wrong.append(f"{chain.name}: nonce {message.nonce} of {message.sender} ended before an earlier one")
                last[sender] = place
        for message in self.sent:
            if message.kind.is_ordered != bool(message.nonce):
                wrong.append(f"{message.kind.name}: nonce {message.nonce}")
        return wrong

    def received(self, chain):
        """A receiver is called as often as messages reached it."""
        expected = sum(
            m.kind.counted and m.kind.state == SUCCESS for m in self.sent
            if m.destination is chain and m.kind.receiver == "receiver")
        count = chain.contract("receiver").call("count")
        return [] if count == expected else [f"{chain.name}: the receiver was called {count} times, not {expected}"]

    def supply(self, chain):
        """What left and what came of a minted token is what its supply says."""
        minted = 1_000 * len(self.users.keys.users)
        came = sum(2 for m in self.sent if m.destination is chain and m.kind.token == "burn")
        went = sum(2 for m in self.sent if m.source is chain and m.kind.token == "burn")
        expected = (minted + came - went) * 10**18
        total = chain.contract("burn").call("totalSupply")
        return [] if total == expected else [f"{chain.name}: supply {total} instead of {expected}"]
