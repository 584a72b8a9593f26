"""The aggregate rate limiter: alone, and as the interceptor of a lane.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, artifact, error
from lane import AGGREGATOR, DEST, LIST_ADMIN, SENDER, message
from test_pools import topic, topics_of
from test_sending import Case
from whole import WholeLane

STRANGER = to_checksum_address(b"\x77" * 20)
DOLLAR = 10**18
RECEIVER = encode(["address"], [STRANGER])
CONFIG = "(bool,uint128,uint128)"


class Interceptor(Case):
    def setUp(self):
        self.whole = whole = WholeLane()
        self.chain = whole.chain
        self.token, _ = whole.add_token()
        whole.quoter.send("updatePrices", ([(self.token.address, 3 * DOLLAR)], []))
        self.limiter = self.chain.deploy(
            artifact("multi_aggregate_rate_limiter"), whole.quoter.address, [whole.on_ramp.address, OWNER]
        )
        whole.on_ramp.send(
            "setDynamicConfig", (whole.quoter.address, False, self.limiter.address, AGGREGATOR, LIST_ADMIN)
        )

    def limit(self, config=(True, 30 * DOLLAR, 1 * DOLLAR), outbound=True):
        return self.limiter.send("applyRateLimiterConfigUpdates", [(DEST, outbound, config)])

    def listed(self):
        return self.limiter.send("updateRateLimitTokens", [], [((DEST, self.token.address), RECEIVER)])

    def cross(self, amount):
        sent = message(RECEIVER, b"", [(self.token.address, amount)])
        fee = self.whole.router.call("getFee", DEST, sent, sender=SENDER)
        return self.whole.router.send("ccipSend", DEST, sent, sender=SENDER, value=fee)

    def arrive(self, amount, token=None, sender=OWNER):
        tokens = [(token or self.token.address, amount)]
        return self.limiter.send("onInboundMessage", (bytes(32), DEST, RECEIVER, b"x", tokens), sender=sender)

    def test_a_lane_is_limited_by_worth(self):
        self.cross(10**20)
        self.limit()
        # Limits without tokens, and tokens without limits, stop nothing.
        self.cross(10**20)
        self.listed()
        consumed = self.cross(9 * DOLLAR)
        log = next(log for log in consumed.logs if log[0] == self.limiter.address)
        self.assertEqual((log[1][0], log[2]), (topic("TokensConsumed(uint256)"), encode(["uint256"], [27 * DOLLAR])))
        self.refuses(
            error("AggregateValueRateLimitReached(uint256,uint256)", 3, 3 * DOLLAR), self.cross, 2 * DOLLAR
        )
        self.refuses(
            error("AggregateValueMaxCapacityExceeded(uint256,uint256)", 30 * DOLLAR, 33 * DOLLAR),
            self.cross, 11 * DOLLAR,
        )
        self.chain.state.execution_context._timestamp += 3
        self.cross(2 * DOLLAR)
        self.assertEqual(self.limiter.call("currentRateLimiterState", DEST, True)[0], 0)

    def test_the_way_in_has_a_bucket_of_its_own(self):
        self.listed()
        self.arrive(10**24)
        self.limit(outbound=False)
        self.arrive(10 * DOLLAR)
        self.refuses(error("AggregateValueRateLimitReached(uint256,uint256)", 3, 0), self.arrive, DOLLAR)
        # What is not listed is not counted.
        self.arrive(10**24, token=STRANGER)
        self.assertEqual(self.limiter.call("currentRateLimiterState", DEST, True)[3], 0)

    def test_a_token_without_price(self):
        self.limit(outbound=False)
        self.limiter.send("updateRateLimitTokens", [], [((DEST, STRANGER), RECEIVER)])
        self.refuses(error("PriceNotFoundForToken(address)", STRANGER), self.arrive, 1, token=STRANGER)

    def test_only_ramps_are_heard(self):
        refusal = error("UnauthorizedCaller(address)", STRANGER)
        self.refuses(refusal, self.arrive, 1, sender=STRANGER)
        outbound = (RECEIVER, b"", [], ZERO, b"")
        self.refuses(refusal, self.limiter.send, "onOutboundMessage", DEST, outbound, sender=STRANGER)
        self.refuses(b"", self.limiter.raw, b"\1\2\3\4")

    def test_settings(self):
        limiter = self.limiter
        self.refuses(
            error("ZeroChainSelectorNotAllowed()"),
            limiter.send, "applyRateLimiterConfigUpdates", [(0, True, (False, 0, 0))],
        )
        for wrong, name in [
            ((True, 10, 10), "InvalidRateLimitRate"), ((True, 10, 0), "InvalidRateLimitRate"),
            ((False, 1, 0), "DisabledNonZeroRateLimit"),
        ]:
            self.refuses(keccak(text=f"{name}({CONFIG})")[:4] + encode([CONFIG], [wrong]), self.limit, wrong)
        updated = topic(f"RateLimiterConfigUpdated(uint64,bool,{CONFIG})")
        self.assertEqual(topics_of(self.limit()), [updated])
        self.assertEqual(self.limiter.call("currentRateLimiterState", DEST, True)[0], 30 * DOLLAR)
        self.assertEqual(topics_of(self.limit((True, 20 * DOLLAR, 1))), [topic(f"ConfigChanged({CONFIG})"), updated])
        self.assertEqual(self.limiter.call("currentRateLimiterState", DEST, True)[0], 20 * DOLLAR)
        self.assertEqual(topics_of(self.listed()), [topic("TokenAggregateRateLimitAdded(uint64,bytes,address)")])
        self.assertEqual(self.listed().logs, [])
        self.assertEqual(
            limiter.call("getAllRateLimitTokens", DEST), ((self.token.address.lower(),), (RECEIVER,))
        )
        gone = limiter.send("updateRateLimitTokens", [(DEST, self.token.address), (DEST, STRANGER)], [])
        self.assertEqual(topics_of(gone), [topic("TokenAggregateRateLimitRemoved(uint64,address)")])
        zero = error("ZeroAddressNotAllowed()")
        self.refuses(zero, limiter.send, "updateRateLimitTokens", [], [((DEST, ZERO), RECEIVER)])
        self.refuses(zero, limiter.send, "updateRateLimitTokens", [], [((DEST, STRANGER), b"")])
        self.refuses(zero, limiter.send, "setFeeQuoter", ZERO)
        self.refuses(zero, self.chain.deploy, artifact("multi_aggregate_rate_limiter"), ZERO, [])
        self.assertEqual(topics_of(limiter.send("setFeeQuoter", STRANGER)), [topic("FeeQuoterSet(address)")])
        self.assertEqual(limiter.call("getFeeQuoter"), STRANGER)
        for name, *arguments in [
            ("setFeeQuoter", STRANGER), ("updateRateLimitTokens", [], []), ("applyRateLimiterConfigUpdates", []),
            ("applyAuthorizedCallerUpdates", ([], [])),
        ]:
            self.refuses(error("OnlyCallableByOwner()"), limiter.send, name, *arguments, sender=STRANGER)
        self.assertEqual(limiter.call("typeAndVersion"), "MultiAggregateRateLimiter 1.6.0")


if __name__ == "__main__":
    unittest.main()
