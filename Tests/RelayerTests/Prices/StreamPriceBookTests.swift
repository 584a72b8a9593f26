// What becomes of a gateway's answer: taken, or refused by name; and what a price comes to in a FeeQuoter. Answers of
// misbehaving gateways over sockets are in StreamPriceReaderTests.

import Ethereum
import PriceStreams
import Testing

@testable import Relayer

@Suite("Prices of streams: the book")
struct StreamPriceBookTests {
    private static let dollar = StreamDON.dollar
    private static let now = StreamDON.now
    private static let second = StreamDON.second

    private struct World {
        let don: StreamDON
        let cluster: ClusterSettings
        var book: StreamPriceBook

        init(_ feed: FeedID = StreamDON.link, age: Int = 60, decimals: Int = 18, feeds: [String] = []) throws {
            don = try StreamDON()
            cluster = try StreamClusters.cluster(
                don, link: StreamClusters.stream(feed, decimals: decimals, age: age), feeds: feeds)
            book = StreamPriceBook(cluster)
        }

        func price(now: UInt64 = StreamDON.now) -> U256? {
            guard let (source, decimals) = cluster.linkSource else { return nil }
            return book.price(source, tokenDecimals: decimals, now: now)
        }

        /// The reasons against the answer; empty for one that was taken.
        mutating func take(_ answer: Bytes, of feed: FeedID = StreamDON.link, now: UInt64 = StreamDON.now) -> [RefusalReason] {
            do throws(StreamPriceRefusal) {
                _ = try book.take(answer, of: feed, now: now)
                return []
            } catch { return error.reasons }
        }
    }

    // MARK: The unit

    private static func ten(_ zeros: Int) -> U256 { (0..<zeros).reduce(U256.one) { product, _ in product * 10 } }

    struct Vector: Sendable, CustomTestStringConvertible {
        /// The report's price as it stands there, its decimals, those of the token, and what a FeeQuoter keeps.
        let price: Int192
        let decimals: UInt8
        let tokenDecimals: UInt8
        let kept: U256?

        init(_ price: Int192, _ decimals: UInt8, _ tokenDecimals: UInt8, _ kept: U256?) {
            self.price = price
            self.decimals = decimals
            self.tokenDecimals = tokenDecimals
            self.kept = kept
        }

        var testDescription: String { "\(price) with \(decimals) decimals, token of \(tokenDecimals)" }
    }

    static let vectors: [Vector] = [
        // A dollar for a token of 18, of 6, of no and of 24 decimals.
        Vector(dollar, 18, 18, ten(18)), Vector(dollar, 18, 6, ten(30)), Vector(dollar, 18, 0, ten(36)),
        Vector(dollar, 18, 24, ten(12)),
        // 15.25 dollars in eight decimals.
        Vector(1_525_000_000, 8, 18, U256(1_525) * ten(16)), Vector(1_525_000_000, 8, 6, U256(1_525) * ten(28)),
        // The smallest that is left, and what vanishes.
        Vector(1, 18, 18, .one), Vector(1_000_000, 18, 24, .one), Vector(999_999, 18, 24, nil), Vector(1, 18, 36, nil),
        Vector(0, 18, 18, nil), Vector(-1, 18, 18, nil), Vector(.min, 18, 18, nil),
        // 191 bits fit a FeeQuoter's 224 as they are, and not when they grow by 10^18.
        Vector(.max, 18, 18, Int192.max.magnitude), Vector(.max, 18, 0, nil), Vector(.max, 0, 0, nil),
        Vector(dollar, 37, 18, nil), Vector(dollar, 18, 37, nil), Vector(dollar, 255, 255, nil),
    ]

    @Test("a price comes out in a FeeQuoter's unit, or not at all", arguments: vectors)
    func unit(_ vector: Vector) throws {
        let report = try StreamDON.report(StreamDON.link, vector.price)
        let price = report.feeQuoterPrice(decimals: vector.decimals, tokenDecimals: vector.tokenDecimals)
        #expect(price == vector.kept)
    }

    // MARK: Taking

    @Test("a report that F+1 oracles signed is a price, until it is too old")
    func taken() throws {
        var world = try World(age: 45)
        #expect(world.price() == nil, "nothing is known at first")
        #expect(world.book.age(of: StreamDON.link, now: Self.now) == nil)
        #expect(world.take(try world.don.answer(StreamDON.link, 9_000_000_000_000_000_000)) == [])
        #expect(world.price() == U256(9_000_000_000_000_000_000))
        #expect(world.price(now: Self.now + 45_000_000_000) != nil)
        #expect(world.price(now: Self.now + 45_000_000_001) == nil, "unknown, not zero")
        #expect(world.book.age(of: StreamDON.link, now: Self.now + 7_000_000_000) == 7_000)
        #expect(world.book.feeds == [StreamDON.link])
    }

    /// A name, the answer, and the reasons that it must be refused for.
    private static func hostile(_ don: StreamDON) throws -> [(String, Bytes, [RefusalReason])] {
        let link = StreamDON.link
        let good = try StreamDON.report(link, dollar)
        var damaged = try don.full(good)
        damaged[8 * 32 + 9 * 32 - 1] ^= 1
        let strangers = try StreamDON(first: 10)
        let elsewhere = try StreamDON(digest: Hash32(U256(9) << 240 | 8))
        let renamed = ReportJSON(
            feedID: link, validFromTimestamp: second, observationsTimestamp: second,
            fullReport: try don.full(try StreamDON.report(StreamDON.ether, dollar)))
        let expired = try StreamDON.report(link, dollar, at: second - 10, expires: second - 1)
        let unordered = try PriceReport(
            header: ReportHeader(feedID: link, validFrom: second, observations: second - 1, expiresAt: second + 9),
            body: StreamDON.body(link, dollar, at: second))
        return [
            ("garbage", Bytes("<html>".utf8), [.malformed]), ("nothing", [], [.malformed]),
            ("no report", Bytes("{\"reports\":[]}".utf8), [.malformed]),
            ("cut off", Bytes(try don.answer(good).dropLast(40)), [.malformed]),
            ("a bit changed", ReportJSON(report: good, fullReport: damaged).single, [.badSignature]),
            ("one signature", try don.answer(good, signers: [2]), [.badSignature]),
            ("three signatures", try don.answer(good, signers: [0, 1, 2]), [.badSignature]),
            ("the same oracle twice", try don.answer(good, signers: [3, 3]), [.badSignature]),
            ("other oracles", try strangers.answer(good), [.badSignature]),
            ("another configuration", try elsewhere.answer(good), [.unknownDigest]),
            ("another feed", try don.answer(StreamDON.ether, dollar), [.feedMismatch]),
            ("another feed under this name", renamed.single, [.feedMismatch]),
            ("expired", try don.answer(expired), [.expired]),
            ("times out of order", try don.answer(unordered), [.malformed]),
            ("too old", try don.answer(link, dollar, at: second - 61), [.staleReport]),
            ("from the future", try don.answer(link, dollar, at: second + 6), [.fromTheFuture]),
            ("zero", try don.answer(link, 0), [.nonPositive]), ("negative", try don.answer(link, -5), [.nonPositive]),
        ]
    }

    @Test("whatever is no fresh report of this feed by this DON is refused by name, and the price stays what it was")
    func refused() throws {
        var empty = try World()
        var full = try World()
        let before = try full.don.answer(StreamDON.link, 42, at: Self.second - 20)
        #expect(full.take(before) == [])
        for (name, answer, reasons) in try Self.hostile(empty.don) {
            #expect(empty.take(answer) == reasons, "\(name)")
            #expect(empty.price() == nil, "\(name)")
            // With a price known before, whatever is older than that one is a replay besides.
            #expect(full.take(answer).filter { $0 != .replayed } == reasons, "\(name)")
            #expect(full.price() == 42, "\(name)")
        }
        #expect(empty.take(try empty.don.answer(StreamDON.link, Self.dollar)) == [], "and a good one is taken after all that")
    }

    @Test("a report of another feed is no answer, though this DON signs it and the cluster knows it")
    func anotherFeed() throws {
        var world = try World(feeds: ["id: \"\(StreamDON.ether)\""])
        #expect(world.take(try world.don.answer(StreamDON.ether, Self.dollar)) == [.feedMismatch])
        let report = try StreamDON.report(StreamDON.ether, Self.dollar)
        let renamed = ReportJSON(
            feedID: StreamDON.link, validFromTimestamp: Self.second, observationsTimestamp: Self.second,
            fullReport: try world.don.full(report))
        #expect(world.take(renamed.single) == [.feedMismatch])
        #expect(world.price() == nil)
    }

    @Test("a report older than one that was taken is a replay, the same once more is none")
    func replay() throws {
        var world = try World()
        let don = world.don
        let first = try don.answer(StreamDON.link, 10, at: Self.second - 5)
        let second = try don.answer(StreamDON.link, 20, at: Self.second - 3)
        #expect(try world.book.take(second, of: StreamDON.link, now: Self.now) == .taken)
        #expect(try world.book.take(second, of: StreamDON.link, now: Self.now) == .unchanged)
        #expect(world.take(first) == [.replayed])
        // Of the same second with another price: somebody signed twice.
        #expect(world.take(try don.answer(StreamDON.link, 21, at: Self.second - 3)) == [.replayed])
        #expect(world.price() == 20)
        #expect(world.take(try don.answer(StreamDON.link, 30, at: Self.second - 2)) == [])
        #expect(world.price() == 30)
        // A gateway that stands still: its last report is good until it is too old.
        let later = Self.now + 59_000_000_000
        #expect(world.take(try don.answer(StreamDON.link, 30, at: Self.second - 2), now: later) == [.staleReport])
    }

    @Test("bounds and spread of a feed are kept, at their edges")
    func bounds() throws {
        let feed = "id: \"\(StreamDON.link)\", minimum: 100, maximum: 200, spreadMaximumPPM: 10000"
        for (price, expected) in [(99, [RefusalReason.outOfBounds]), (100, []), (200, []), (201, [.outOfBounds])] {
            var world = try World(feeds: [feed])
            #expect(world.take(try world.don.answer(StreamDON.link, Int192(price))) == expected, "\(price)")
        }
        for (bid, ask, expected) in [(100, 101, [RefusalReason]()), (100, 102, [.spreadTooWide]), (101, 100, [.spreadTooWide])] {
            var world = try World(feeds: [feed])
            let body = ReportBody.v3(benchmarkPrice: 100, bid: Int192(bid), ask: Int192(ask))
            let report = try StreamDON.report(StreamDON.link, 100, body: body)
            #expect(world.take(try world.don.answer(report)) == expected, "\(bid) \(ask)")
        }
    }

    @Test("a price that no FeeQuoter holds is refused")
    func unrepresentable() throws {
        var world = try World(decimals: 36)
        #expect(world.take(try world.don.answer(StreamDON.link, 999_999_999_999_999_999)) == [.unrepresentable])
        #expect(world.take(try world.don.answer(StreamDON.link, Self.dollar)) == [])
        #expect(world.price() == 1)
    }

    /// A feed that tells whether its market is open, its status, and what is said of it.
    static let statuses: [(FeedID, String, UInt32, [RefusalReason])] = [
        (StreamDON.plain, "standard", 2, []), (StreamDON.plain, "standard", 1, [.marketClosed]),
        (StreamDON.plain, "standard", 0, [.statusUnknown]), (StreamDON.oil, "standard", 2, []),
        (StreamDON.oil, "standard", 1, [.marketClosed]), (StreamDON.share, "equities24x5", 2, []),
        (StreamDON.share, "equities24x5", 1, [.marketClosed]), (StreamDON.share, "equities24x5", 5, [.marketClosed]),
        (StreamDON.share, "equities24x5", 9, [.statusUnknown]),
    ]

    @Test("prices count while their market is open", arguments: statuses.indices)
    func markets(_ index: Int) throws {
        let (feed, hours, status, expected) = Self.statuses[index]
        var world = try World(feed, feeds: ["id: \"\(feed)\", hours: \(hours)"])
        let body = StreamDON.body(feed, Self.dollar, at: Self.second, status: status)
        let answer = try world.don.answer(try StreamDON.report(feed, Self.dollar, body: body))
        #expect(world.take(answer, of: feed) == expected)
        #expect((world.price() == nil) == !expected.isEmpty)
    }

    @Test("a new report of an old price is old where the schema tells; a fund with its ripcord pulled has no price")
    func oldPrices() throws {
        var oil = try World(StreamDON.oil, feeds: ["id: \"\(StreamDON.oil)\", hours: standard, maximumPriceAgeSeconds: 30"])
        let body = { (age: UInt64) in StreamDON.body(StreamDON.oil, Self.dollar, at: Self.second - age) }
        let old = try oil.don.answer(try StreamDON.report(StreamDON.oil, Self.dollar, body: body(31)))
        #expect(oil.take(old, of: StreamDON.oil) == [.stalePrice])
        let fresh = try oil.don.answer(try StreamDON.report(StreamDON.oil, Self.dollar, body: body(30)))
        #expect(oil.take(fresh, of: StreamDON.oil) == [])
        #expect(oil.price() != nil)
        #expect(oil.price(now: Self.now + 1_000_000_000) == nil, "31 seconds old while nobody has a newer one")

        var fund = try World(StreamDON.fund)
        let pulled = StreamDON.body(StreamDON.fund, Self.dollar, at: Self.second, status: 0)
        let answer = try fund.don.answer(try StreamDON.report(StreamDON.fund, Self.dollar, body: pulled))
        #expect(fund.take(answer, of: StreamDON.fund) == [.ripcord])
        #expect(fund.take(try fund.don.answer(StreamDON.fund, Self.dollar), of: StreamDON.fund) == [])
        #expect(fund.price() == Self.dollar.magnitude)
    }

    @Test("a report that expires is no price any more, however long its age may be")
    func expires() throws {
        var world = try World(age: 3_600)
        let report = try StreamDON.report(StreamDON.link, Self.dollar, expires: Self.second + 100)
        #expect(world.take(try world.don.answer(report)) == [])
        #expect(world.price(now: Self.now + 100_000_000_000) != nil)
        #expect(world.price(now: Self.now + 100_000_000_001) == nil)
    }

    @Test("of two DONs each is believed about its own feeds alone; the one that takes over signs beside the old one")
    func dons() throws {
        let (own, other) = (try StreamDON(), try StreamDON(id: 8, digest: Hash32(U256(9) << 240 | 9), first: 20))
        let next = try StreamDON(digest: Hash32(U256(9) << 240 | 10), first: 30)
        let text = try StreamClusters.text(
            link: StreamClusters.stream(StreamDON.link),
            tail: StreamClusters.section([own, other, next], feeds: ["id: \"\(StreamDON.link)\", don: 7"]))
        var book = StreamPriceBook(try ClusterSettings(yaml: text, file: "cluster.yaml"))
        func take(_ answer: Bytes) -> [RefusalReason] {
            do throws(StreamPriceRefusal) {
                _ = try book.take(answer, of: StreamDON.link, now: Self.now)
                return []
            } catch { return error.reasons }
        }
        #expect(take(try other.answer(StreamDON.link, 1)) == [.feedMismatch])
        #expect(take(try own.answer(StreamDON.link, 2, at: Self.second - 2)) == [])
        #expect(take(try next.answer(StreamDON.link, 3, at: Self.second - 1)) == [])
    }

    @Test("each place has an age of its own")
    func ages() throws {
        let don = try StreamDON()
        let cluster = try StreamClusters.cluster(
            don, link: StreamClusters.stream(StreamDON.ether, decimals: 6, age: 30),
            native: "{stream: \"\(StreamDON.ether)\", maximumAgeSeconds: 90}")
        var book = StreamPriceBook(cluster)
        _ = try book.take(try don.answer(StreamDON.ether, Self.dollar, at: Self.second - 50), of: StreamDON.ether, now: Self.now)
        let (source, decimals) = try #require(cluster.linkSource)
        let native = try #require(cluster.chains[0].nativePrice)
        #expect(book.price(source, tokenDecimals: decimals, now: Self.now) == nil)
        #expect(book.price(native, tokenDecimals: 18, now: Self.now) == Self.dollar.magnitude)
        let earlier = book.price(source, tokenDecimals: decimals, now: Self.now - 20_000_000_000)
        #expect(earlier == Self.ten(30), "a token of six decimals")
    }
}
