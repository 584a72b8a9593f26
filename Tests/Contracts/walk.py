"""One random walk over a whole bridge: what users, relayers, owners and intruders do to it, under an accountant.

What lives here: the acts, and what must come of each. How long to walk, and that walking can fail, is in
test_properties.py.
"""

import random

from eth_abi import encode
from eth_utils import keccak

from bridge import USERS, account
from chain import OWNER, ZERO, Reverted, selector
from destination import EXACT_CHECK_GAS, PERMISSIONLESS_AFTER
from ledger import Broken, Ledger
from pools import UNLIMITED
from reference import FAILURE, SUCCESS, commit_report, padded, states
from results import least_gas_limit

STATES = {SUCCESS: "success", FAILURE: "failure"}
STRANGER = account("stranger")


class Walk:
    """One random walk. What it does follows from its seed and from what the contracts answered, from nothing else."""

    def __init__(self, bridge, seed):
        self.bridge, self.random = bridge, random.Random(seed)
        self.ledger = Ledger(bridge)
        # Lane -> messages sent, and trees committed as (messages, layers).
        self.sent = {side.there: [] for side in bridge.sides.values()}
        self.trees = {side.here: [] for side in bridge.sides.values()}
        self.committed = {side.here: 0 for side in bridge.sides.values()}
        self.done = set()
        self.counts = {}

    ACTS = {
        "send": 34, "commit": 14, "execute": 18, "execute_manually": 8, "wait": 8, "limit": 4, "reconnect": 3,
        "mend": 3, "forge": 5, "intrude": 4, "curse": 1, "unlist": 1, "recover": 10, "run_dry": 4,
    }

    def step(self):
        name = self.random.choices([*self.ACTS], [*self.ACTS.values()])[0]
        self.note(name, getattr(self, name)(self.bridge.sides[self.random.choice(["left", "right"])]))

    def note(self, what, outcome):
        self.counts[what, outcome] = self.counts.get((what, outcome), 0) + 1

    def attempt(self, side, act, kind):
        """A transaction that may be refused; a refused one must move nothing. What moved, or None."""
        def guarded():
            try:
                return act()
            except Reverted:
                return None
        moved, answer = self.ledger.watch(side, guarded, kind)
        if answer is None and any(moved.values()):
            raise Broken(f"a refused transaction moved {moved}")
        return (moved, answer) if answer is not None else None

    # Users

    def amount(self, token):
        whole = 10**token.decimals
        wrong = self.random.random()
        if wrong < 0.06:
            return 0 if wrong < 0.03 else 10**6 * whole + 1
        return self.random.choice([1, self.random.randrange(1, 5 * whole), self.random.randrange(1, 900 * whole)])

    def send(self, side):
        user, other = self.random.choice(USERS), self.bridge.sides["right" if side.name == "left" else "left"]
        symbols = self.random.choices(["ONE", "TWO"], k=self.random.choice([0, 1, 1, 2, 3]))
        amounts = [(symbol, self.amount(side.tokens[symbol])) for symbol in symbols]
        receiver = self.random.choice([
            *USERS, other.storing.address, other.fickle.address, other.tokens["ONE"].pool.address, other.router.address,
        ])
        data = self.random.choice([b"", b"hello", bytes(1_000)])
        gas = self.random.choice([0, 3_000, 200_000, 400_000])
        in_any_order = self.random.random() < 0.6
        done = self.attempt(side, lambda: side.send(user, amounts, receiver, data, gas, in_any_order), "send")
        if done is None:
            return "refused"
        moved, (message, _) = done
        for symbol, entered in moved.items():
            if entered != sum(amount for asked, amount in amounts if asked == symbol):
                raise Broken(f"{symbol}: {amounts} were sent, {entered} entered")
        self.sent[side.there].append(message)
        return "done"

    # Relayers

    def commit(self, side):
        waiting = self.sent[side.here][self.committed[side.here]:]
        if not waiting:
            return "nothing"
        chosen = waiting[:self.random.randrange(1, 1 + min(len(waiting), 6))]
        done = self.attempt(side, lambda: side.receiving.commit_messages(chosen), None)
        if done is None:
            return "refused"
        self.trees[side.here].append((chosen, done[1]))
        self.committed[side.here] += len(chosen)
        # The same root again, and one over the same numbers, are refused.
        for root in (done[1][-1][0], keccak(b"another")):
            first, last = chosen[0][0][3], chosen[-1][0][3]
            if self.attempt(side, lambda: side.receiving.commit_root(side.there, root, first, last), None):
                raise Broken("two roots over the same messages")
        return "done"

    def choice(self, side):
        """A committed tree and some of its messages, tried ones among them."""
        if not self.trees[side.here]:
            return None
        messages, layers = self.random.choice(self.trees[side.here])
        size = self.random.randrange(1, 1 + len(messages))
        return messages, layers, sorted(self.random.sample(range(len(messages)), size))

    def execute(self, side):
        chosen = self.choice(side)
        if chosen is None:
            return "nothing"
        report = side.receiving.report(*chosen)
        return self.executed(side, chosen, lambda: side.receiving.execute(report))

    def run_dry(self, side):
        """With so little gas that messages fail for it, or the transaction does."""
        chosen = self.choice(side)
        if chosen is None:
            return "nothing"
        report = side.receiving.report(*chosen)
        gas = least_gas_limit(side.receiving.execution(report)) + self.random.randrange(400_000)
        return self.executed(side, chosen, lambda: side.receiving.execute(report, gas=gas))

    def execute_manually(self, side):
        chosen = self.choice(side)
        if chosen is None:
            return "nothing"
        messages, _, indices = chosen
        report = side.receiving.report(*chosen)
        overrides = [
            (
                self.random.choice([0, messages[i][4] + 150_000]),
                [self.random.choice([0, 200_000]) for _ in messages[i][5]],
            )
            for i in indices
        ]
        send = lambda: side.off_ramp.send("manuallyExecute", [report], [overrides], sender=STRANGER)
        return self.executed(side, chosen, send)

    def executed(self, side, chosen, act):
        messages, _, indices = chosen
        done = self.attempt(side, act, "execute")
        if done is None:
            return "refused"
        moved, result = done
        by_number = {messages[i][0][3]: messages[i] for i in indices}
        due = {symbol: 0 for symbol in side.tokens}
        for sequence, state, _, _, _ in states(result):
            self.note("message", STATES[state])
            if state != SUCCESS:
                continue
            if (side.here, sequence) in self.done:
                raise Broken(f"message {sequence} to the {side.name} succeeded twice")
            self.done.add((side.here, sequence))
            for _, local, _, pool_data, amount in by_number[sequence][5]:
                token = next(t for t in side.tokens.values() if t.token.address.lower() == local)
                # What does not divide stays behind.
                due[token.symbol] += amount * 10**token.decimals // 10 ** int.from_bytes(pool_data, "big")
        if moved != due:
            raise Broken(f"{moved} came out where messages say {due}")
        return "done"

    # Owners and time

    def wait(self, side):
        self.bridge.advance(self.random.choice([1, 10, 60, PERMISSIONLESS_AFTER + 1]))
        return "done"

    def config(self, token):
        whole = 10**token.decimals
        capacity = self.random.randrange(1, 800 * whole)
        return self.random.choice([
            UNLIMITED, UNLIMITED, UNLIMITED, (True, capacity, 0),
            (True, capacity, self.random.randrange(1, 2 + capacity // 50)),
            (True, capacity, capacity), (True, 0, 0), (True, capacity, capacity + 1),
        ])

    def limit(self, side):
        token = side.tokens[self.random.choice(["ONE", "TWO"])]
        configs = self.config(token), self.config(token)
        done = self.attempt(side, lambda: (token.limit(*configs), True), None)
        if done is None:
            return "refused"
        self.ledger.configured(token, *configs)
        return "done"

    def reconnect(self, side):
        """The other chain is taken out of a pool and put back, with limits that begin full."""
        token = side.tokens[self.random.choice(["ONE", "TWO"])]
        configs = self.config(token), self.config(token)
        update = (side.there, [token.remote_pool], token.remote_token, *configs)
        done = self.attempt(side, lambda: token.pool.send("applyChainUpdates", [side.there], [update]), None)
        if done is None:
            return "refused"
        self.ledger.reconnected(token, *configs)
        return "done"

    def mend(self, side):
        wanted = self.random.random() < 0.5
        self.attempt(side, lambda: side.fickle.send("setReverting", wanted), None)
        return "done"

    def curse(self, side):
        done = self.attempt(side, lambda: side.rmn.raw(selector("curse(bytes16)") + self.subject(side)), None)
        return "done" if done else "refused"

    def subject(self, side):
        return encode(["bytes16"], [bytes(8) + side.there.to_bytes(8, "big")])

    def unlist(self, side):
        """A token without a pool, until all recover."""
        token = side.tokens[self.random.choice(["ONE", "TWO"])]
        self.attempt(side, lambda: side.registry.send("setPool", token.token.address, ZERO), None)
        return "done"

    def recover(self, side):
        """No curse, and every token has its pool."""
        if int.from_bytes(side.chain.call(selector("isCursed(bytes16)") + self.subject(side), side.rmn.address), "big"):
            self.attempt(side, lambda: side.rmn.raw(selector("uncurse(bytes16)") + self.subject(side)), None)
        for token in side.tokens.values():
            self.attempt(
                side, lambda: side.registry.send("setPool", token.token.address, token.listed.address), None
            )
        return "done"

    # Those who want more than is theirs

    def forge(self, side):
        """A committed message changed after the fact, or one that was never sent, must not be executed."""
        chosen = self.choice(side)
        if chosen is None:
            return "nothing"
        messages, layers, indices = chosen
        header, sender, data, receiver, gas, tokens = messages[indices[0]]
        token = self.random.choice([*side.tokens.values()])
        more = [(token.remote_pool, token.token.address, 200_000, bytes(31) + b"\x12", 10**20)]
        forged = self.random.choice([
            ((*header[:3], header[3] + 1_000, 0), sender, data, receiver, gas, more),
            (header, sender, data, receiver, gas, more),
            (header, sender, data, STRANGER, gas, tokens),
            (header, sender, data, receiver, gas + 1, tokens),
        ])
        damaged = list(messages)
        damaged[indices[0]] = forged
        report = side.receiving.report(damaged, layers, indices)
        done = self.attempt(side, lambda: side.receiving.execute(report), None)
        if done is None:
            return "refused"
        # The report of a cursed chain is passed over unread.
        if states(done[1]):
            raise Broken("a forged message was executed")
        return "passed over"

    def intrude(self, side):
        """Calls that only ramps, pools or the off-ramp itself may make."""
        token = self.random.choice([*side.tokens.values()])
        release = (padded(OWNER), side.there, STRANGER, 10**9, token.token.address, token.remote_pool, b"", b"")
        lock = (padded(STRANGER), side.there, STRANGER, 10**9, token.token.address)
        message = ((keccak(b"x"), side.there, side.here, 1, 0), padded(OWNER), b"", STRANGER, 0, [
            (token.remote_pool, token.token.address, 200_000, b"", 10**9)
        ])
        act = self.random.choice([
            lambda: token.pool.send("releaseOrMint", release, sender=STRANGER),
            lambda: token.pool.send("releaseOrMint", release, sender=side.on_ramp.address),
            lambda: token.pool.send("lockOrBurn", lock, sender=STRANGER),
            lambda: token.token.send("mint", STRANGER, 1, sender=STRANGER),
            lambda: side.off_ramp.send("executeSingleMessage", message, [b""], [], sender=STRANGER),
            lambda: side.receiving.commit(commit_report(), sender=STRANGER),
            lambda: side.router.send(
                "routeMessage", (bytes(32), side.there, b"", b"", []), EXACT_CHECK_GAS, 0, STRANGER, sender=STRANGER
            ),
        ])
        if self.attempt(side, act, None):
            raise Broken("an intruder was let in")
        return "refused"

    # The end

    def settle(self):
        """Every obstacle is taken away, and then every message must arrive, if need be by hand."""
        self.bridge.advance(PERMISSIONLESS_AFTER + 1)
        for side in self.bridge.sides.values():
            self.recover(side)
            side.fickle.send("setReverting", False)
            for token in side.tokens.values():
                token.limit(UNLIMITED, UNLIMITED)
                self.ledger.configured(token, UNLIMITED, UNLIMITED)
        for side in self.bridge.sides.values():
            while self.committed[side.here] < len(self.sent[side.here]):
                self.commit(side)
        self.bridge.advance(PERMISSIONLESS_AFTER + 1)
        # Locked tokens come back only after those that they stand for were burnt, so any order will do.
        for side in self.bridge.sides.values():
            for messages, layers in self.trees[side.here]:
                for index, message in enumerate(messages):
                    self.deliver(side, messages, layers, index, message)
        self.check_end()

    def deliver(self, side, messages, layers, index, message):
        report = side.receiving.report(messages, layers, [index])
        override = [[(message[4] + 400_000, [400_000] * len(message[5]))]]
        send = lambda: side.off_ramp.send("manuallyExecute", [report], override, sender=STRANGER)
        self.executed(side, (messages, layers, [index]), send)
        if side.off_ramp.call("getExecutionState", side.there, message[0][3]) != SUCCESS:
            raise Broken(f"message {message[0][3]} to the {side.name} cannot arrive: {message}")

    def check_end(self):
        self.ledger.check_buckets()
        for side in self.bridge.sides.values():
            lane = (side.there, side.here)
            for symbol, token in side.tokens.items():
                [source] = [s for s in self.bridge.sides.values() if s is not side]
                moved = [
                    (amount, amount * 10**token.decimals // 10 ** source.tokens[symbol].decimals)
                    for message in self.sent[side.here] for _, local, _, _, amount in message[5]
                    if local == token.token.address.lower()
                ]
                entered = sum(self.ledger.common(source.tokens[symbol], amount) for amount, _ in moved)
                left = sum(self.ledger.common(token, amount) for _, amount in moved)
                if (entered, left) != (self.ledger.entered[lane, symbol], self.ledger.left[lane, symbol]):
                    raise Broken(f"{symbol} to the {side.name}: messages and balances tell different sums")
