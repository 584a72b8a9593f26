"""A whole bridge between two chains in one process: every contract is the real one, and the test is its relayer.

What lives here: wiring of both directions, tokens of two kinds, and the acts of users, relayers and owners. What must
hold is in the tests.
"""

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, artifact
from destination import Destination
from pools import BURN_MINT, LOCK_RELEASE, UNLIMITED
from reference import CCIP_MESSAGE_SENT, converted, padded

CHAINS = {"left": (101, 16015286601757825753), "right": (102, 5009297550715157269)}
FEE_CONFIG = (
    True, 5, 30_000, 3_000_000, 225_000, 16, 40, 3000, 0, 0, 0, bytes.fromhex("2812d52c"), False, 25, 90_000, 200_000,
    11 * 10**17, 0, 10,
)
USERS = [to_checksum_address(keccak(text=f"user {i}")[12:]) for i in range(3)]
# More of the chain's coin than fees can take.
COINS = 10**27
ALL = 2**256 - 1


def account(text):
    return to_checksum_address(keccak(text=text)[12:])


class Side:
    """One chain of the bridge, sending and receiving."""

    def __init__(self, name, other):
        self.name, (chain_id, self.here) = name, CHAINS[name]
        self.there = CHAINS[other][1]
        self.chain = chain = Chain(chain_id=chain_id)
        self.link = chain.deploy(artifact("burn_mint_erc20"), "Link", "LINK", 18, 0, 0, OWNER)
        self.receiving = receiving = Destination(
            self.here, [(self.there, padded(account(f"on-ramp {other}")), True)], chain=chain, quoter=self.make_quoter
        )
        self.rmn, self.router, self.registry = receiving.rmn, receiving.router, receiving.registry
        self.off_ramp, self.quoter = receiving.off_ramp, receiving.quoter
        native = receiving.wrapped.address
        self.on_ramp = chain.deploy(
            artifact("on_ramp"),
            (self.here, receiving.proxy.address, receiving.nonces.address, self.registry.address),
            (self.quoter.address, False, ZERO, OWNER, ZERO),
            [(self.there, self.router.address, False)],
            at=account(f"on-ramp {name}"),
        )
        receiving.nonces.send("applyAuthorizedCallerUpdates", ([self.on_ramp.address], []))
        self.router.send("applyRampUpdates", [(self.there, self.on_ramp.address)], [], [])
        self.quoter.send("applyFeeTokensUpdates", [], [native])
        self.quoter.send("applyAuthorizedCallerUpdates", ([OWNER], []))
        self.quoter.send("updatePrices", ([(native, 10**18), (self.link.address, 10**18)], [(self.there, 10**9)]))
        self.storing = chain.deploy(artifact("storing_receiver"), self.router.address)
        self.fickle = chain.deploy(artifact("reverting_receiver"), self.router.address)
        for user in USERS:
            chain.fund(user, COINS)
        self.tokens = {}

    def make_quoter(self, chain):
        return chain.deploy(
            artifact("fee_quoter"), (2**96 - 1, self.link.address, 2**32 - 1), [], [], [], [], [],
            [(self.there, FEE_CONFIG)],
        )

    def add_token(self, symbol, kind, decimals, supply, wrapper=None):
        """
        A token with its pool; `supply` in smallest units for each user. A `wrapper` stands between the ramps and the
        pool, which takes it for its router.
        """
        chain = self.chain
        token = chain.deploy(
            artifact("burn_mint_erc20"), symbol, symbol, decimals, 0, 0, OWNER, at=account(f"{symbol} {self.name}")
        )
        listed, router = account(f"pool of {symbol} {self.name}"), self.router.address
        if wrapper:
            router = listed
        pool = chain.deploy(
            artifact(kind), token.address, decimals, [], self.receiving.proxy.address, router,
            at=None if wrapper else listed,
        )
        around = pool
        if wrapper:
            around = chain.deploy(wrapper, at=listed)
            around.send("wrap", token.address, pool.address)
        for minter in {OWNER: None, pool.address: None, listed: None}:
            token.send("grantMintAndBurnRoles", minter)
        for user in USERS:
            if supply:
                token.send("mint", user, supply)
            token.send("approve", self.router.address, ALL, sender=user)
        self.receiving.list_token(token.address, listed, OWNER)
        self.tokens[symbol] = Token(self, symbol, kind, decimals, token, pool, around)

    # What users do

    def send(self, user, amounts, receiver, data, gas, in_any_order):
        """ccipSend with a native fee; the message as the destination gets it, and the result."""
        arguments = bytes.fromhex("181dcf10") + encode(["uint256", "bool"], [gas, in_any_order])
        tokens = [(self.tokens[symbol].token.address, amount) for symbol, amount in amounts]
        sent = (encode(["address"], [receiver]), data, tokens, ZERO, arguments)
        fee = self.router.call("getFee", self.there, sent, sender=user)
        result = self.router.send("ccipSend", self.there, sent, sender=user, value=fee)
        [log] = [data for address, topics, data in result.logs if topics[0] == CCIP_MESSAGE_SENT]
        return converted(log), result


class Token:
    """A token on one side, its pool there, and what the ramps take for the pool, which as a rule is the pool."""

    def __init__(self, side, symbol, kind, decimals, token, pool, listed):
        self.side, self.symbol, self.kind, self.decimals = side, symbol, kind, decimals
        self.token, self.pool, self.listed = token, pool, listed

    def connect(self, outbound=UNLIMITED, inbound=UNLIMITED):
        """Makes the same token on the other side this one's counterpart."""
        other = "right" if self.side.name == "left" else "left"
        self.remote_pool = padded(account(f"pool of {self.symbol} {other}"))
        self.remote_token = padded(account(f"{self.symbol} {other}"))
        self.pool.send(
            "applyChainUpdates", [],
            [(self.side.there, [self.remote_pool], self.remote_token, outbound, inbound)],
        )

    def limit(self, outbound, inbound):
        self.pool.send("setChainRateLimiterConfig", self.side.there, outbound, inbound)

    def level(self, direction):
        return self.pool.call(f"getCurrent{direction}RateLimiterState", self.side.there)

    def held(self):
        """What moves when tokens cross: all that there is of a burnt token, or what the pool keeps of a locked one."""
        if self.kind == BURN_MINT:
            return self.token.call("totalSupply")
        return self.token.call("balanceOf", self.pool.address)


class Bridge:
    """
    Token ONE is burnt and minted on both sides, with 18 and 6 decimals; TWO is locked on the left with 8 decimals,
    where all of it comes from, and minted on the right with 18.
    """

    def __init__(self, right_wrapper=None):
        self.sides = {"left": Side("left", "right"), "right": Side("right", "left")}
        left, right = self.left, self.right = self.sides["left"], self.sides["right"]
        left.add_token("ONE", BURN_MINT, 18, 10**6 * 10**18)
        right.add_token("ONE", BURN_MINT, 6, 10**6 * 10**6, wrapper=right_wrapper)
        left.add_token("TWO", LOCK_RELEASE, 8, 10**6 * 10**8)
        right.add_token("TWO", BURN_MINT, 18, 0, wrapper=right_wrapper)

    def connect(self, outbound=UNLIMITED, inbound=UNLIMITED):
        for side in self.sides.values():
            for token in side.tokens.values():
                token.connect(outbound, inbound)
        return self

    def advance(self, seconds):
        for side in self.sides.values():
            side.chain.timestamp += seconds
