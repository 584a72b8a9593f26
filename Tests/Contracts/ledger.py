"""The accountant of the property tests: what went into each lane and what came out, told by balances alone.

What lives here: sums per token and lane, token buckets counted apart from the contracts, and the complaint when either
is broken. It asks no bridge contract for anything that it could be lied to about: only tokens' supplies and balances.
"""

from pools import BURN_MINT

# Decimals of the common unit in which amounts of both sides are compared.
COMMON_DECIMALS = 18


class Broken(AssertionError):
    """An invariant does not hold."""


class Bucket:
    """The rules of section 19.5, counted by what really moved."""

    def __init__(self, name, config, now):
        self.name = name
        self.enabled, self.capacity, self.rate = config
        self.tokens, self.updated = self.capacity, now

    def at(self, now):
        return min(self.capacity, self.tokens + self.rate * (now - self.updated))

    def configure(self, config, now):
        self.tokens, self.updated = self.at(now), now
        self.enabled, self.capacity, self.rate = config
        self.tokens = min(self.tokens, self.capacity)

    def move(self, amount, now):
        if amount and self.enabled:
            self.tokens, self.updated = self.at(now) - amount, now
            if self.tokens < 0:
                raise Broken(f"{self.name}: {-self.tokens} more than its bucket held went through")

    def check(self, told, now):
        due = (self.at(now), self.enabled, self.capacity, self.rate)
        found = (told[0], *told[2:])
        if found != due:
            raise Broken(f"{self.name}: the contract says {found}, what moved says {due}")


class Ledger:
    def __init__(self, bridge):
        self.bridge = bridge
        lanes = [(side.here, side.there) for side in bridge.sides.values()]
        self.entered = {(lane, symbol): 0 for lane in lanes for symbol in bridge.left.tokens}
        self.left = dict(self.entered)
        self.buckets = {}
        for side in bridge.sides.values():
            for token in side.tokens.values():
                for direction in ("Outbound", "Inbound"):
                    told = token.level(direction)
                    name = f"{direction} of {token.symbol} on the {side.name}"
                    key = (side.name, token.symbol, direction)
                    self.buckets[key] = Bucket(name, told[2:], side.chain.timestamp)

    def common(self, token, amount):
        return amount * 10 ** (COMMON_DECIMALS - token.decimals)

    def configured(self, token, outbound, inbound):
        for direction, config in (("Outbound", outbound), ("Inbound", inbound)):
            now = token.side.chain.timestamp
            self.buckets[token.side.name, token.symbol, direction].configure(config, now)

    def reconnected(self, token, outbound, inbound):
        """Removed and added again: new buckets, which begin full."""
        for direction, config in (("Outbound", outbound), ("Inbound", inbound)):
            key = (token.side.name, token.symbol, direction)
            self.buckets[key] = Bucket(self.buckets[key].name, config, token.side.chain.timestamp)

    def watch(self, side, act, kind):
        """
        Runs `act`, a transaction on `side`. `kind` says what it may do to tokens: "send" may take some in, "execute"
        may give some out, None may do neither. The amounts that moved, by symbol, in the side's own units; and what
        `act` gave.
        """
        before = {symbol: token.held() for symbol, token in side.tokens.items()}
        answer = act()
        moved = {}
        for symbol, token in side.tokens.items():
            grown = token.held() - before[symbol]
            # A burnt token's supply falls when it enters a lane; a pool's holdings grow.
            entered = -grown if token.kind == BURN_MINT else grown
            if entered and kind is None:
                raise Broken(f"{symbol} on the {side.name}: {entered} moved where nothing may move")
            if entered < 0 and kind == "send" or entered > 0 and kind == "execute":
                raise Broken(f"{symbol} on the {side.name}: {entered} moved the wrong way in {kind}")
            moved[symbol] = abs(entered)
            self._count(side, token, abs(entered), kind)
        self.check()
        return moved, answer

    def _count(self, side, token, amount, kind):
        direction = "Outbound" if kind == "send" else "Inbound"
        self.buckets[side.name, token.symbol, direction].move(amount, side.chain.timestamp)
        if kind == "send":
            self.entered[(side.here, side.there), token.symbol] += self.common(token, amount)
        else:
            self.left[(side.there, side.here), token.symbol] += self.common(token, amount)

    def check(self):
        for key, amount in self.left.items():
            if amount > self.entered[key]:
                raise Broken(f"{key}: {amount} came out of {self.entered[key]}")

    def check_buckets(self):
        for side in self.bridge.sides.values():
            for token in side.tokens.values():
                for direction in ("Outbound", "Inbound"):
                    bucket = self.buckets[side.name, token.symbol, direction]
                    bucket.check(token.level(direction), side.chain.timestamp)
