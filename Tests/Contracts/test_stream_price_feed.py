"""The adapter by which data feed readers, a FeeQuoter among them, take prices from the streams."""

import unittest

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, artifact, error, mock, planted, string_error
from harness import Case, on_every_machine
from streams import SECRETS, Streams, digest_of, feed_id, full_report, words

ANYBODY = to_checksum_address(b"\x55" * 20)
TOKEN, LINK = to_checksum_address(b"\x22" * 20), to_checksum_address(b"\x23" * 20)
MAX_AGE = 3_600
PRICE = 3_123_456789000000000000
LARGEST = 2**191 - 1
NO_DATA = string_error("No data present")
ANSWER_UPDATED = keccak(text="AnswerUpdated(int256,uint256,uint256)")
OPEN, CLOSED, UNKNOWN = 2, 1, 0


def common(version, observed, expires=None, unit=1):
    """The six words that all schemas have."""
    return [feed_id(version), observed * unit, observed * unit, 1, 2, (expires or observed + 86_400) * unit]


# Schema -> the words after the common ones, of a price, a status and the second in which the price was seen.
BODIES = {
    2: lambda price, status, seen: [price],
    3: lambda price, status, seen: [price, price - 1, price + 1],
    4: lambda price, status, seen: [price, status],
    7: lambda price, status, seen: [price],
    8: lambda price, status, seen: [seen * 10**9, price, status],
    9: lambda price, status, seen: [price, seen * 10**3, 10**24, status],
    10: lambda price, status, seen: [seen * 10**9, price, status, 10**18, 0, 0, price],
    11: lambda price, status, seen: [price, seen * 10**9, price, 1, price, 1, price, status],
    12: lambda price, status, seen: [price, price, seen * 10**9, status],
}
# Schemas with a market status; with a ripcord, of which zero is the good one; with the time of the price.
WITH_STATUS, WITH_RIPCORD, WITH_TIME = (4, 8, 10, 11), (9, 12), (8, 9, 10, 11, 12)


def not_newer(observed, latest):
    return error("NotNewer(uint256,uint256)", observed, latest)


class FeedCase(Case):
    def setUp(self):
        self.streams = Streams(Chain())
        self.chain = self.streams.chain
        self.digest = self.streams.own("feed")

    def feed(self, version=3, built=None, **changes):
        statuses = 1 << OPEN if version & 255 in WITH_STATUS else 1 if version & 255 in WITH_RIPCORD else 0
        settings = {
            "proxy": self.streams.proxy.address, "feedId": feed_id(version), "decimals": 18,
            "description": "ETH / USD", "maxAge": MAX_AGE, "statuses": statuses, "minAnswer": 1,
            "maxAnswer": LARGEST, **changes,
        }
        return self.chain.deploy(built or artifact("stream_price_feed"), tuple(settings.values()))

    def report(self, blob, secrets=SECRETS[:2]):
        return full_report(self.digest, blob, secrets)

    def blob(self, version=3, observed=None, price=PRICE, status=None, seen=None, expires=None):
        observed = self.chain.timestamp if observed is None else observed
        schema = version & 255
        if status is None:
            status = OPEN if schema in WITH_STATUS else 0
        unit = 1000 if version >> 8 else 1
        body = BODIES[schema](price, status, observed if seen is None else seen)
        return words(*common(version, observed, expires, unit), *body)

    def update(self, feed, *given, **named):
        return feed.send("update", self.report(self.blob(*given, **named)), sender=ANYBODY)


@on_every_machine
class Updates(FeedCase):
    def test_a_report_becomes_a_round(self):
        feed = self.feed()
        for name, *given in [("latestRoundData",), ("freshRoundData",), ("getRoundData", 0), ("getRoundData", 1)]:
            self.refuses(NO_DATA, feed.call, name, *given)
        now = self.chain.timestamp
        result = self.update(feed)
        self.assertEqual(feed.decoded("update", result.output), 1)
        self.assertEqual(result.logs[1:], [(
            feed.address, [ANSWER_UPDATED, encode(["int256"], [PRICE]), (1).to_bytes(32, "big")],
            encode(["uint256"], [now]),
        )])
        self.assertEqual(result.logs[0][2], encode(["address"], [feed.address]))
        for name, *given in [("latestRoundData",), ("freshRoundData",), ("getRoundData", 1)]:
            self.assertEqual(feed.call(name, *given), (1, PRICE, now, now, 1))
        self.assertEqual(feed.call("latestObservation"), now)
        self.assertEqual(
            [feed.call(name) for name in ("decimals", "description", "version", "typeAndVersion")],
            [18, "ETH / USD", 1, "StreamPriceFeed 1.0.0"],
        )
        settings = feed.call("getSettings")
        self.assertEqual(settings[1:], (feed_id(3), 18, "ETH / USD", MAX_AGE, 0, 1, LARGEST))
        self.assertEqual(settings[0].lower(), self.streams.proxy.address.lower())

    def test_recent_rounds_only(self):
        feed = self.feed()
        start = self.chain.timestamp
        for i in range(35):
            self.chain.timestamp = start + i
            self.update(feed, price=PRICE + i)
        self.assertEqual(feed.call("latestRoundData"), (35, PRICE + 34, start + 34, start + 34, 35))
        for known in (35, 20, 4):
            self.assertEqual(feed.call("getRoundData", known)[:3], (known, PRICE + known - 1, start + known - 1))
        for unknown in (0, 1, 3, 36, 67, 2**80 - 1, 2**32 + 35):
            self.refuses(NO_DATA, feed.call, "getRoundData", unknown)

    def test_age(self):
        feed = self.feed()
        then = self.chain.timestamp
        self.update(feed)
        self.chain.timestamp = then + MAX_AGE
        self.assertEqual(feed.call("freshRoundData")[3], then)
        self.chain.timestamp = then + MAX_AGE + 1
        self.refuses(error("StalePrice(uint256)", then), feed.call, "freshRoundData")
        # As any data feed, it keeps telling its last price, and how old that is.
        self.assertEqual(feed.call("latestRoundData")[1:4], (PRICE, then, then))

    def test_what_is_refused(self):
        feed = self.feed()
        now = self.chain.timestamp
        self.update(feed, observed=now - 10)
        before = feed.call("latestRoundData")
        other_feed = words(feed_id(3, "BTC/USD"), *common(3, now)[1:], PRICE, PRICE, PRICE)
        for name, report, refusal in [
            ("replayed", self.report(self.blob(observed=now - 10)), not_newer(now - 10, now - 10)),
            ("older", self.report(self.blob(observed=now - 11)), not_newer(now - 11, now - 10)),
            ("expired", self.report(self.blob(expires=now - 1)), error("ExpiredReport()")),
            ("ahead", self.report(self.blob(observed=now + 31)), error("FutureReport(uint256)", now + 31)),
            ("far ahead", self.report(self.blob(observed=2**32 - 1)), error("FutureReport(uint256)", 2**32 - 1)),
            ("other feed", self.report(other_feed), error("WrongFeed(bytes32)", feed_id(3, "BTC/USD"))),
            ("other schema", self.report(self.blob(2)), error("WrongFeed(bytes32)", feed_id(2))),
            ("too short", self.report(self.blob()[:-32]), error("WrongLength(uint256)", 256)),
            ("too long", self.report(self.blob() + bytes(32)), error("WrongLength(uint256)", 320)),
            ("zero", self.report(self.blob(price=0)), error("AnswerOutOfRange(int256)", 0)),
            ("negative", self.report(self.blob(price=-1)), error("AnswerOutOfRange(int256)", -1)),
            ("too large", self.report(self.blob(price=LARGEST + 1)), error("AnswerOutOfRange(int256)", LARGEST + 1)),
            ("no feed id", self.report(b"\x03" * 31), b""),
            ("one signature", self.report(self.blob(), SECRETS[:1]),
             error("IncorrectSignatureCount(uint256,uint256)", 1, 2)),
            ("a signer twice", self.report(self.blob(), SECRETS[:1] * 2), error("BadVerification()")),
            ("a stranger's", self.report(self.blob(), SECRETS[5:7]), error("BadVerification()")),
            ("other digest", full_report(digest_of("x"), self.blob(), SECRETS[:2]),
             error("VerifierNotFound(bytes32)", digest_of("x"))),
        ]:
            with self.subTest(name):
                self.refuses(refusal, feed.send, "update", report, sender=ANYBODY)
                self.assertEqual(feed.call("latestRoundData"), before)
        self.chain.timestamp = now + MAX_AGE + 1
        self.refuses(error("StaleReport(uint256)", now), self.update, feed, observed=now)
        self.update(feed, observed=now + 1)

    def test_bounds_that_are_the_owners(self):
        feed = self.feed(minAnswer=PRICE - 5, maxAnswer=PRICE + 5)
        for price in (PRICE - 6, PRICE + 6):
            self.refuses(error("AnswerOutOfRange(int256)", price), self.update, feed, price=price)
        for i, price in enumerate((PRICE - 5, PRICE + 5)):
            self.update(feed, observed=self.chain.timestamp + i, price=price)

    def test_a_clock_a_little_ahead(self):
        """Taken, but told as of now: readers subtract it from the time of their block."""
        feed = self.feed()
        now = self.chain.timestamp
        self.update(feed, observed=now + 30)
        self.assertEqual(feed.call("latestRoundData")[2:4], (now, now))
        self.assertEqual(feed.call("latestObservation"), now + 30)

    def test_settings_that_cannot_be(self):
        for changes in ({"maxAge": 0}, {"minAnswer": 0}, {"minAnswer": -1}, {"minAnswer": 6, "maxAnswer": 5},
                        {"statuses": 4}):
            self.refuses(error("InvalidSettings()"), self.feed, **changes)
        self.refuses(error("InvalidSettings()"), self.feed, 8, statuses=0)
        self.refuses(error("ZeroAddress()"), self.feed, proxy=ZERO)
        for version in (0, 1, 5, 6, 13, 14, 0x0103, 0x0f01, 0x0f0d, 0xffff):
            self.refuses(error("UnsupportedSchema(uint16)", version), self.feed, version)


@on_every_machine
class Schemas(FeedCase):
    def test_each_schema(self):
        now = self.chain.timestamp
        for version in BODIES:
            with self.subTest(version):
                feed = self.feed(version)
                self.update(feed, version, seen=now - 7)
                due = now - 7 if version in WITH_TIME else now
                self.assertEqual(feed.call("latestRoundData"), (1, PRICE, due, due, 1))
        self.assertEqual(len(BODIES), 9)

    def test_market_status(self):
        now = self.chain.timestamp
        for version in WITH_STATUS:
            feed = self.feed(version)
            for status in (UNKNOWN, CLOSED, 3, 255, 256, 2**32 - 1):
                self.refuses(error("StatusForbids(uint256)", status), self.update, feed, version, status=status)
            self.update(feed, version, status=OPEN)
        # A 24/5 feed is open in four sessions, and closed by status 5.
        feed = self.feed(11, statuses=0b11110)
        for i, status in enumerate((1, 2, 3, 4)):
            self.update(feed, 11, observed=now + i, status=status)
        for status in (0, 5):
            refusal = error("StatusForbids(uint256)", status)
            self.refuses(refusal, self.update, feed, 11, observed=now + 9, status=status)

    def test_ripcord(self):
        for version in WITH_RIPCORD:
            feed = self.feed(version)
            self.refuses(error("StatusForbids(uint256)", 1), self.update, feed, version, status=1)
            self.update(feed, version)

    def test_a_halt_shows(self):
        """Fresh reports of an old price: the round is as old as the price."""
        feed = self.feed(8)
        then = self.chain.timestamp
        self.chain.timestamp = then + MAX_AGE + 5
        self.update(feed, 8, seen=then)
        self.assertEqual(feed.call("latestRoundData")[3], then)
        self.refuses(error("StalePrice(uint256)", then), feed.call, "freshRoundData")

    def test_milliseconds(self):
        feed = self.feed(0x0F03)
        now = self.chain.timestamp
        first, second = (
            words(feed_id(0x0F03), *[(now * 1000) + ms] * 2, 1, 2, (now + 60) * 1000, PRICE + ms, PRICE, PRICE)
            for ms in (100, 200)
        )
        feed.send("update", self.report(first), sender=ANYBODY)
        feed.send("update", self.report(second), sender=ANYBODY)
        self.assertEqual(feed.call("latestRoundData"), (2, PRICE + 200, now, now, 2))
        self.refuses(not_newer(now * 1000 + 100, now * 1000 + 200), feed.send, "update", self.report(first))


@on_every_machine
class InAFeeQuoter(FeedCase):
    """End to end: signed by oracles, verified at the proxy, read by the fee quoter's data feed path."""

    def test_prices_come_from_the_streams(self):
        feed = self.feed()
        quoter = self.chain.deploy(
            artifact("fee_quoter"), (200 * 10**18, LINK, 86_400), [OWNER], [LINK],
            [(TOKEN, (feed.address, 6, True))], [], [], [],
        )
        # Before the first report there is no price, as with any data feed.
        self.refuses(NO_DATA, quoter.call, "getTokenPrice", TOKEN)
        now = self.chain.timestamp
        self.update(feed)
        # Six decimals: the price of 1e18 smallest units is that of 1e12 whole tokens.
        self.assertEqual(quoter.call("getTokenPrice", TOKEN), (PRICE * 10**12, now))
        self.assertEqual(quoter.call("getValidatedTokenPrice", TOKEN), PRICE * 10**12)
        self.assertEqual(quoter.call("getTokenPriceFeedConfig", TOKEN)[1:], (6, True))
        # A price that was pushed wins while it is fresh; then the streams' newer one.
        quoter.send("updatePrices", ([(TOKEN, 7), (LINK, 2 * 10**18)], []))
        self.assertEqual(quoter.call("getTokenPrice", TOKEN)[0], 7)
        self.chain.timestamp = now + 86_400
        self.assertEqual(quoter.call("getTokenPrice", TOKEN)[0], PRICE * 10**12)
        self.update(feed, price=PRICE * 2)
        self.assertEqual(quoter.call("getTokenPrice", TOKEN), (PRICE * 2 * 10**12, now + 86_400))
        quoter.send("updatePrices", ([(LINK, 2 * 10**18)], []))
        converted = quoter.call("convertTokenAmount", TOKEN, 10**6, LINK)
        self.assertEqual(converted, PRICE * 10**12 * 2 * 10**6 // (2 * 10**18))

    def test_with_a_fee_manager_that_charges_nothing(self):
        fees = self.chain.deploy(mock("stream_fees"))
        self.streams.proxy.send("setFeeManager", fees.address)
        feed = self.feed()
        self.update(feed)
        self.assertEqual(feed.call("latestRoundData")[1], PRICE)
        fees.send("refuse", True)
        self.refuses(error("ExpiredReport()"), self.update, feed, observed=self.chain.timestamp + 1)


class PlantedFaults(FeedCase):
    """Adapters with one check less; the tests above must find each out. In process only: one machine will do."""

    def lacking(self, version, condition):
        """An adapter in which a condition to refuse is never true."""
        return self.feed(version, built=planted("stream_price_feed", f"if {condition}:", "if False:"))

    def test_each_check_is_missed(self):
        now = self.chain.timestamp
        for condition, version, changes in [
            ("feedId != FEED_ID", 3, None),
            ("observed <= latest >> 80", 3, {"observed": now - 10}),
            ("self._word(blob, EXPIRES_AT) // LAYOUT.headerUnit < block.timestamp", 3, {"expires": now - 1}),
            ("observedAt > block.timestamp + MAX_AHEAD", 3, {"observed": now + 3_000}),
            ("status > 255 or (STATUSES >> status) & 1 == 0", 8, {"status": CLOSED}),
            ("answer < convert(MIN_ANSWER, int256) or answer > convert(MAX_ANSWER, int256)", 3, {"price": 0}),
        ]:
            with self.subTest(condition):
                whole, faulty = self.feed(version), self.lacking(version, condition)
                blob = self.blob(version, **(changes or {}))
                if changes is None:
                    blob = feed_id(3, "BTC/USD") + blob[32:]
                for feed, refused in ((whole, True), (faulty, False)):
                    self.update(feed, version, observed=now - 5)
                    self.assertEqual(self.refusal(feed.send, "update", self.report(blob)) is not None, refused)

    def test_an_old_report(self):
        blob = self.blob(observed=self.chain.timestamp - MAX_AGE - 1)
        faulty = self.lacking(3, "observedAt + MAX_AGE < block.timestamp")
        for feed, refused in ((self.feed(), True), (faulty, False)):
            self.assertEqual(self.refusal(feed.send, "update", self.report(blob)) is not None, refused)


if __name__ == "__main__":
    unittest.main()
