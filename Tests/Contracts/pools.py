"""A token and its pool on one chain, with a router that takes two plain accounts for its ramps.

What lives here: wiring, and the two calls that ramps make of a pool. What is expected of it is in the tests.
"""

from eth_abi import encode
from eth_utils import to_checksum_address

from chain import OWNER, ZERO, artifact
from reference import padded

REMOTE = 16015286601757825753
ON_RAMP = to_checksum_address(b"\x0a" * 20)
OFF_RAMP = to_checksum_address(b"\x0f" * 20)
REMOTE_POOL = padded("0x" + "d0" * 20)
REMOTE_TOKEN = padded("0x" + "d1" * 20)
RECEIVER = to_checksum_address(b"\xbe" * 20)
SENDER = to_checksum_address(b"\x5e" * 20)
UNLIMITED = (False, 0, 0)
BURN_MINT, LOCK_RELEASE = "burn_mint_token_pool", "lock_release_token_pool"


class Pool:
    def __init__(self, chain, kind, decimals=18, outbound=UNLIMITED, inbound=UNLIMITED, token_at=None):
        self.chain, self.kind = chain, kind
        self.rmn = chain.deploy(artifact("rmn_remote"), 1, ZERO)
        router = chain.deploy(artifact("router"), OWNER, self.rmn.address)
        router.send("applyRampUpdates", [(REMOTE, ON_RAMP)], [], [(REMOTE, OFF_RAMP)])
        self.token = chain.deploy(artifact("burn_mint_erc20"), "Token", "TOK", decimals, 0, 0, OWNER, at=token_at)
        self.pool = chain.deploy(artifact(kind), self.token.address, decimals, [], self.rmn.address, router.address)
        self.pool.send("applyChainUpdates", [], [(REMOTE, [REMOTE_POOL], REMOTE_TOKEN, outbound, inbound)])
        for minter in (OWNER, self.pool.address):
            self.token.send("grantMintAndBurnRoles", minter)

    def reconnect(self, outbound, inbound):
        """The remote chain taken out and put back: limits that begin full."""
        update = (REMOTE, [REMOTE_POOL], REMOTE_TOKEN, outbound, inbound)
        return self.pool.send("applyChainUpdates", [REMOTE], [update])

    def limit(self, outbound, inbound):
        return self.pool.send("setChainRateLimiterConfig", REMOTE, outbound, inbound)

    def give(self, amount):
        """Tokens that the pool owns: what a sender brought, or liquidity."""
        self.token.send("mint", self.pool.address, amount)

    def release(self, amount, data=b"", receiver=RECEIVER, sender=OFF_RAMP, source_pool=REMOTE_POOL):
        request = (padded(SENDER), REMOTE, receiver, amount, self.token.address, source_pool, data, b"")
        return self.pool.send("releaseOrMint", request, sender=sender)

    def lock(self, amount, sender=ON_RAMP):
        request = (encode(["address"], [RECEIVER]), REMOTE, SENDER, amount, self.token.address)
        return self.pool.send("lockOrBurn", request, sender=sender)

    def level(self, direction):
        """(tokens, lastUpdated, isEnabled, capacity, rate) of the bucket `Inbound` or `Outbound`."""
        return self.pool.call(f"getCurrent{direction}RateLimiterState", REMOTE)
