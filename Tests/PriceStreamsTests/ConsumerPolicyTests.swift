// When a consumer may use a report: each rule alone, and their order.

import Ethereum
import PriceStreams
import TestSupport
import Testing

@Suite("Consumer policy")
struct ConsumerPolicyTests {
    static let second: UInt64 = 1_000_000_000
    static let start: UInt64 = 1_767_225_600

    static func crypto(
        at time: UInt64 = start, price: Int192 = 1_000, bid: Int192 = 999, ask: Int192 = 1_001, expiresAt: UInt64? = nil
    ) throws -> PriceReport {
        try PriceReport(
            header: ReportHeader(
                feedID: FeedID(version: 3, symbol: "ETH/USD", segment: "spot"), validFrom: time, observations: time,
                expiresAt: expiresAt ?? time + 86_400),
            body: .v3(benchmarkPrice: price, bid: bid, ask: ask))
    }

    static func gold(status: UInt32 = 2, age: UInt64 = 0, price: Int192 = 2_650) throws -> PriceReport {
        try PriceReport(
            header: ReportHeader(
                feedID: FeedID(version: 8, symbol: "XAU/USD", segment: "spot"), validFrom: start, observations: start,
                expiresAt: start + 86_400),
            body: .v8(lastUpdateNanoseconds: (start - age) * second, midPrice: price, marketStatus: status))
    }

    private func policy() throws -> ConsumerPolicy {
        ConsumerPolicy(feedID: try Self.crypto().feedID, class: .crypto)
    }

    @Test("a fresh report of the right feed passes; of another feed nothing else is said")
    func feed() throws {
        let now = Self.start * Self.second
        #expect(try policy().refusals(Self.crypto(), now: now) == [])
        #expect(try policy().refusals(Self.gold(status: 0), now: 0) == [.feedMismatch])
    }

    @Test("the age of a report counts from its observations, to the nanosecond; the clock may lag five seconds")
    func ages() throws {
        let report = try Self.crypto()
        let time = Self.start * Self.second
        let policy = try policy()
        #expect(policy.refusals(report, now: time + 5 * Self.second) == [])
        #expect(policy.refusals(report, now: time + 5 * Self.second + 1) == [.staleReport])
        #expect(policy.refusals(report, now: time - 5 * Self.second) == [])
        #expect(policy.refusals(report, now: time - 5 * Self.second - 1) == [.fromTheFuture])
        #expect(policy.refusals(report, now: 0) == [.fromTheFuture])
        #expect(policy.refusals(report, now: .max) == [.expired, .staleReport])
        let expired = try Self.crypto(expiresAt: Self.start)
        #expect(policy.refusals(expired, now: time) == [])
        #expect(policy.refusals(expired, now: time + 1) == [.expired])
    }

    @Test("an open market with a fresh report and an old price is a halt; a closed one is closed first")
    func markets() throws {
        var policy = ConsumerPolicy(feedID: try Self.gold().feedID, class: .commodity, hours: .standard)
        let now = Self.start * Self.second
        #expect(try policy.refusals(Self.gold(), now: now) == [])
        #expect(try policy.refusals(Self.gold(age: 60), now: now) == [])
        #expect(try policy.refusals(Self.gold(age: 61), now: now) == [.stalePrice])
        #expect(try policy.refusals(Self.gold(status: 1), now: now) == [.marketClosed])
        #expect(try policy.refusals(Self.gold(status: 1, age: 90_000), now: now) == [.marketClosed, .stalePrice])
        for status: UInt32 in [0, 3, 5, .max] {
            #expect(try policy.refusals(Self.gold(status: status), now: now) == [.statusUnknown])
        }
        policy.requireStatus = [.open, .closed]
        #expect(try policy.refusals(Self.gold(status: 1), now: now) == [])
        policy.requireStatus = nil
        #expect(try policy.refusals(Self.gold(status: 0), now: now) == [])
    }

    @Test("a feed whose hours are asked for and which has no status is unknown")
    func noStatus() throws {
        let report = try Self.crypto()
        let policy = ConsumerPolicy(feedID: report.feedID, class: .crypto, hours: .standard)
        #expect(policy.refusals(report, now: Self.start * Self.second) == [.statusUnknown])
    }

    @Test("zero and negative prices, wide and crossed books, and jumps are refused at their limits")
    func numbers() throws {
        var policy = try policy()
        let now = Self.start * Self.second
        for price: Int192 in [0, -1, .min] {
            #expect(try policy.refusals(Self.crypto(price: price), now: now) == [.nonPositive])
        }
        policy.spreadMaximum = 2_000
        #expect(try policy.refusals(Self.crypto(), now: now) == [])
        #expect(try policy.refusals(Self.crypto(bid: 998), now: now) == [.spreadTooWide])
        #expect(try policy.refusals(Self.crypto(bid: 1_001, ask: 1_000), now: now) == [.spreadTooWide])
        #expect(try policy.refusals(Self.crypto(bid: .min, ask: .max), now: now) == [.spreadTooWide])
        policy.spreadMaximum = nil
        policy.jumpMaximum = 100_000
        let last = ConsumerPolicy.Accepted(try Self.crypto(at: Self.start - 1))
        for (price, reasons): (Int192, [RefusalReason]) in [
            (1_100, []), (1_101, [.jumpTooLarge]), (900, []), (899, [.jumpTooLarge]), (.max, [.jumpTooLarge]),
        ] {
            #expect(try policy.refusals(Self.crypto(price: price), now: now, last: last) == reasons)
        }
    }

    @Test("a ripcord stops the value, whatever number it is")
    func ripcord() throws {
        let feed = FeedID(version: 9, symbol: "FUND", segment: "nav")
        let policy = ConsumerPolicy(feedID: feed, class: .netAssetValue)
        let now = Self.start * Self.second
        for (ripcord, reasons): (UInt32, [RefusalReason]) in [(0, []), (1, [.ripcord]), (7, [.ripcord])] {
            let report = try PriceReport(
                header: ReportHeader(
                    feedID: feed, validFrom: Self.start, observations: Self.start, expiresAt: Self.start + 1),
                body: .v9(
                    navPerShare: 1, navDateMilliseconds: (Self.start - 3_600) * 1_000, aum: 1, ripcord: ripcord))
            #expect(policy.refusals(report, now: now) == reasons)
        }
    }

    @Test("a consumer takes each report once and none that is older; what it refused it forgets")
    func replay() throws {
        var consumer = PriceConsumer(try policy())
        let now = (Self.start + 2) * Self.second
        let report = try Self.crypto(at: Self.start + 1)
        #expect(consumer.admit(report, now: now) == [])
        #expect(consumer.admit(report, now: now) == [.replayed])
        #expect(try consumer.admit(Self.crypto(at: Self.start), now: now) == [.replayed])
        #expect(try consumer.admit(Self.crypto(at: Self.start + 2, price: 0), now: now) == [.nonPositive])
        #expect(consumer.last == ConsumerPolicy.Accepted(report))
        #expect(try consumer.admit(Self.crypto(at: Self.start + 2), now: now) == [])
    }

    /// Of v4, v8 and v10; of v11 in standard hours; of v11 around the clock.
    static let meanings: [(UInt32, [MarketSession])] = [
        (0, [.unknown, .unknown, .unknown]), (1, [.closed, .unknown, .preMarket]), (2, [.open, .open, .open]),
        (3, [.unknown, .unknown, .postMarket]), (4, [.unknown, .unknown, .overnight]),
        (5, [.unknown, .closed, .closed]),
        (6, [.unknown, .unknown, .unknown]),
    ]

    @Test("the same number means another thing on another feed", arguments: meanings)
    func status(number: UInt32, sessions: [MarketSession]) {
        for schema in [4, 8, 10] {
            let session = MarketSession(status: number, schemaNumber: schema, hours: .standard)
            #expect(session == sessions[0])
        }
        #expect(MarketSession(status: number, schemaNumber: 11, hours: .standard) == sessions[1])
        #expect(MarketSession(status: number, schemaNumber: 11, hours: .equities24x5) == sessions[2])
    }

    @Test("each session of an equity has its feed; closed and unknown have none")
    func segments() {
        let segments = MarketSession.allCases.map(\.equityFeedSegment)
        #expect(segments == [nil, nil, "RegularHours", "ExtendedHours", "ExtendedHours", "OvernightHours"])
        #expect(MarketSession.allCases.map(\.isTrading) == [false, false, true, true, true, true])
    }
}

@Suite("JSON of reports")
struct ReportJSONTests {
    @Test(
        "a message without a whole report is refused",
        arguments: [
            "", "null", "[]", "{}", "{\"report\":null}", "{\"report\":{}}",
            "{\"report\":{\"feedID\":\"0x00\",\"validFromTimestamp\":1,\"observationsTimestamp\":1,\"fullReport\":\"0x\"}}",
        ])
    func bad(text: String) {
        expectError(.malformedReportJSON, text) { () throws(PriceStreamsError) in
            _ = try ReportJSON(single: Bytes(text.utf8))
        }
    }

    @Test("times are whole numbers, hexadecimal is strict, unknown members are ignored")
    func members() throws {
        let feed = FeedID(version: 3, symbol: "ETH/USD", segment: "spot")
        let good = ReportJSON(feedID: feed, validFromTimestamp: 1, observationsTimestamp: 2, fullReport: [0xab])
        let text = String(decoding: good.single, as: UTF8.self)
        #expect(try ReportJSON(single: Bytes(text.utf8)) == good)
        let extra = text.dropLast(2) + ",\"more\":[1]},\"other\":null}"
        #expect(try ReportJSON(single: Bytes(extra.utf8)) == good)
        let parts = text.split(separator: ":2,")
        for time in ["\"2\"", "2.0", "2e0", "-2", "18446744073709551616", "null"] {
            let changed = "\(parts[0]):\(time),\(parts[1])"
            expectError(.malformedReportJSON, changed) { () throws(PriceStreamsError) in
                _ = try ReportJSON(single: Bytes(changed.utf8))
            }
        }
        for hex in ["ab", "0xa", "0xgg", "0x" + String(repeating: "00", count: 20_000)] {
            let changed = text.split(separator: "0xab").joined(separator: hex)
            expectError(.malformedReportJSON) { () throws(PriceStreamsError) in
                _ = try ReportJSON(single: Bytes(changed.utf8))
            }
        }
    }

    @Test("lists may be empty")
    func empty() {
        #expect(ReportJSON.list([]) == Bytes("{\"reports\":[]}".utf8))
        #expect(ReportJSON.feeds([]) == Bytes("{\"feeds\":[]}".utf8))
    }

    @Test("milliseconds of a private feed are cut to seconds")
    func milliseconds() throws {
        let feed = FeedID(version: 0x0f03, symbol: "ETH/USD", segment: "spot")
        let report = try PriceReport(
            header: ReportHeader(feedID: feed, validFrom: 5_999, observations: 6_001, expiresAt: 7_000),
            body: .v3(benchmarkPrice: 1, bid: 1, ask: 1))
        let json = ReportJSON(report: report, fullReport: [])
        #expect(json.validFromTimestamp == 5 && json.observationsTimestamp == 6)
    }
}

@Suite("HMAC-SHA-256")
struct HMACTests {
    @Test("three cases of RFC 4231, keys shorter and longer than a block")
    func known() throws {
        let cases: [(Bytes, Bytes, String)] = [
            (
                Bytes(repeating: 0x0b, count: 20), Bytes("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Bytes("Jefe".utf8), Bytes("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                Bytes(repeating: 0xaa, count: 131),
                Bytes("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (key, message, digest) in cases { #expect(try hmacSHA256(key: key, message) == Hash32(hex: digest)) }
    }
}
