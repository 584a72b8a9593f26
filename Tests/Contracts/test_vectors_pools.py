"""Decimals and rate limiter timelines of the vectors on both of our pools."""

import unittest

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from chain import Chain, vectors
from harness import Case, b, on_every_machine
from pools import BURN_MINT, LOCK_RELEASE, OFF_RAMP, RECEIVER, REMOTE, Pool

RELEASED = keccak(text="ReleasedOrMinted(uint64,address,address,address,uint256)")


@on_every_machine
class Decimals(Case):
    def check(self, kind):
        cases = vectors()["poolDecimals"]
        self.assertEqual(len(cases), 39)
        chain = Chain()
        refused = 0
        for case in cases:
            with self.subTest(case):
                pool = Pool(chain, kind, case["localDecimals"])
                if kind == LOCK_RELEASE:
                    pool.give(2**256 - 1)
                amount, data = int(case["sourceAmount"]), b(case["sourcePoolData"])
                if "revertData" in case:
                    refused += 1
                    self.refuses(b(case["revertData"]), pool.release, amount, data)
                    continue
                local = int(case["localAmount"])
                result = pool.release(amount, data)
                self.assertEqual(int.from_bytes(result.output, "big"), local)
                self.assertEqual(pool.token.call("balanceOf", RECEIVER), local)
                told = encode(["address"] * 3 + ["uint256"], [pool.token.address, OFF_RAMP, RECEIVER, local])
                due = (pool.pool.address, [RELEASED, REMOTE.to_bytes(32, "big")], told)
                self.assertEqual(result.logs[-1], due)
        self.assertEqual(refused, sum("revertData" in case for case in cases))
        self.assertGreater(refused, 5)

    def test_minted(self):
        self.check(BURN_MINT)

    def test_released(self):
        self.check(LOCK_RELEASE)


@on_every_machine
class RateLimiterTimelines(Case):
    """Both timelines, inbound and outbound, on both pools: as the recorded pools went, second by second."""

    def check(self, kind, direction):
        timelines = vectors()["rateLimiter"]
        self.assertEqual(len(timelines), 2)
        steps = 0
        for timeline in timelines:
            capacity, rate = int(timeline["capacity"]), int(timeline["rate"])
            limit, token = (True, capacity, rate), self.token_of(timeline)
            named = {direction.lower(): limit}
            chain = Chain()
            pool = Pool(chain, kind, token_at=token, **named)
            pool.give(10**6)
            self.assertEqual(pool.level(direction), (int(timeline["initialTokens"]), chain.timestamp, *limit))
            for step in timeline["timeline"]:
                chain.timestamp += step["advanceSeconds"]
                with self.subTest(f"{timeline['name']} {steps}: {step}"):
                    refusal = self.refusal(
                        pool.release if direction == "Inbound" else pool.lock, int(step["amount"])
                    )
                    self.assertEqual(refusal, None if step["ok"] else b(step["revertData"]))
                    self.assertEqual(str(pool.level(direction)[0]), step["tokensAfter"])
                steps += 1
        self.assertEqual(steps, 28)

    def token_of(self, timeline):
        """The recorded token, which the recorded refusals name."""
        refused = next(step for step in timeline["timeline"] if not step["ok"])
        return to_checksum_address(b(refused["revertData"])[-20:])

    def test_inbound_mint(self):
        self.check(BURN_MINT, "Inbound")

    def test_outbound_burn(self):
        self.check(BURN_MINT, "Outbound")

    def test_inbound_release(self):
        self.check(LOCK_RELEASE, "Inbound")

    def test_outbound_lock(self):
        self.check(LOCK_RELEASE, "Outbound")


if __name__ == "__main__":
    unittest.main()
