// Feed ids, numbers, schemas and reports: what has no vector.

import Ethereum
import PriceStreams
import TestSupport
import Testing

@Suite("Feed ids")
struct FeedIDTests {
    static let text = "0x0003f70783d6b0d6464b1cb5994596f427198e7c9e8e0ad4514ab5fe398f6802"

    @Test("text of either case is read, lower case is printed, the version is the first two bytes")
    func text() throws {
        let feed = try FeedID(text: Self.text)
        #expect(feed.text == Self.text)
        #expect(try FeedID(text: "0x" + Self.text.dropFirst(2).uppercased()) == feed)
        #expect(feed.version == 3)
        #expect(FeedID(bytes: feed.bytes) == feed)
        #expect(FeedID(bytes: feed.bytes.dropLast()) == nil)
    }

    static let bad: [String] = [
        "", "0x", String(text.dropFirst(2)), String(text.dropLast()), "\(text)0", "0X\(text.dropFirst(2))",
        " \(text.dropLast())", text.replacing("f", with: "g"), "0x" + String(repeating: "é", count: 32),
    ]

    @Test("anything but 0x and 64 digits is no feed id", arguments: bad)
    func refused(text: String) {
        expectError(.malformedFeedID, text) { () throws(PriceStreamsError) in _ = try FeedID(text: text) }
    }

    @Test("an own id is the version and the end of the name's hash")
    func own() {
        let feed = FeedID(version: 0x0f03, symbol: "ETH/USD", segment: "spot")
        #expect(feed.version == 0x0f03)
        #expect(feed.bytes.dropFirst(2) == keccak256(text: "ETH/USD/spot").bytes.dropFirst(2))
        #expect(FeedID(version: 3, symbol: "ETH/USD", segment: "spot") != feed)
    }
}

@Suite("Numbers of reports")
struct Int192Tests {
    @Test(
        "decimal text goes there and back, at the limits too",
        arguments: [
            "0", "1", "-1", "2417803355120000000000", "-37630000000000000000",
            "3138550867693340381917894711603833208051177722232017256447",
            "-3138550867693340381917894711603833208051177722232017256448",
        ])
    func decimal(text: String) throws {
        let value = try Int192(decimal: text)
        #expect(value.decimal == text)
        #expect(Int192(word: value.word) == value)
        #expect(Int192(magnitude: value.magnitude, isNegative: value.isNegative) == value)
    }

    @Test(
        "what is no int192 is refused",
        arguments: [
            ("3138550867693340381917894711603833208051177722232017256448", "numberTooLarge"),
            ("-3138550867693340381917894711603833208051177722232017256449", "numberTooLarge"),
            (String(repeating: "9", count: 79), "numberTooLarge"), ("", "malformedNumber"), ("-", "malformedNumber"),
            ("+1", "malformedNumber"), ("1.5", "malformedNumber"), ("0x10", "malformedNumber"),
            ("1e3", "malformedNumber"),
            ("--1", "malformedNumber"), (String(repeating: "1", count: 1_000), "malformedNumber"),
        ])
    func bad(text: String, code: String) {
        expectError(.init(rawValue: code), text) { () throws(PriceStreamsError) in _ = try Int192(decimal: text) }
    }

    @Test("small numbers order, add and subtract as Int does; sums past the limits are refused")
    func arithmetic() {
        var random = SplitMix64.forTest()
        for _ in 0..<2_000 {
            let a = Int(random.next() >> 2) * (random.below(2) == 0 ? 1 : -1) >> random.below(62)
            let b = Int(random.next() >> 2) * (random.below(2) == 0 ? 1 : -1) >> random.below(62)
            let (x, y) = (Int192(a), Int192(b))
            #expect((x < y) == (a < b) && (x == y) == (a == b))
            #expect(x.adding(y) == Int192(a + b) && x.subtracting(y) == Int192(a - b))
            #expect(x.distance(to: y) == U256(UInt64(abs(a - b))))
            #expect(x.decimal == String(a) && x.isNegative == (a < 0) && x.isPositive == (a > 0))
        }
        #expect(Int192.max.adding(1) == nil && Int192.min.subtracting(1) == nil)
        #expect(Int192.max.adding(.min) == -1 && Int192.min.adding(.max) == -1)
        #expect(Int192.max.distance(to: .min) == U256.max >> 64)
        #expect(Int192(Int.min).decimal == String(Int.min))
    }

    @Test("a word whose upper bits are not the sign is none")
    func words() {
        var random = SplitMix64.forTest()
        for _ in 0..<2_000 {
            let word = random.word()
            // The sign is bit 191; an int192 is what stays when it is spread over the upper bits.
            let low = word & (U256.max >> 64)
            let extended = (low >> 191).isZero ? low : low | ~(U256.max >> 64)
            #expect((Int192(word: word) != nil) == (extended == word))
            #expect(Int192(word: extended)?.word == extended)
            #expect((UInt192(word) != nil) == (word < U256.one << 192))
        }
    }
}

@Suite("Reports")
struct ReportTests {
    /// A report of any schema with numbers out of nothing, sparse ones among them.
    static func random(_ random: inout SplitMix64) -> Bytes {
        let privately = random.below(4) == 0
        let version = privately ? 0x0f02 + random.below(12) : 1 + random.below(13)
        guard let schema = ReportSchema(version: UInt16(version)) else { return [] }
        var blob = Bytes(bigEndian: UInt16(version)) + random.bytes(30)
        for field in schema.fields.dropFirst() {
            let word = random.word()
            let low = word & (U256.max >> 64)
            let canonical: U256 =
                switch field.kind {
                case .bytes32: word
                case .uint32: word & U256(UInt64(UInt32.max))
                case .uint64: word & U256(UInt64.max)
                case .uint192: low
                case .int192: (low >> 191).isZero ? low : low | ~(U256.max >> 64)
                }
            blob += canonical.bytes
        }
        return blob
    }

    @Test("canonical bytes of any schema decode and encode to themselves")
    func roundTrip() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<2_000 {
            let blob = Self.random(&random)
            let report = try PriceReport(blob: blob)
            #expect(report.blob == blob)
            #expect(try PriceReport(header: report.header, body: report.body) == report)
            #expect(report.fields.count == report.schema.wordCount)
        }
    }

    @Test("damaged bytes are refused, or are the bytes of the report that they decode to")
    func damage() {
        var random = SplitMix64.forTest()
        var taken = 0
        for _ in 0..<4_000 {
            var blob = Self.random(&random)
            switch random.below(4) {
            case 0: blob.removeLast(1 + random.below(blob.count))
            case 1: blob += random.bytes(1 + random.below(64))
            case 2: blob[random.below(blob.count)] ^= UInt8(1 + random.below(255))
            default: blob = random.bytes(random.below(500))
            }
            guard let report = try? PriceReport(blob: blob) else { continue }
            #expect(report.blob == blob)
            taken += 1
        }
        // Changed digits inside a number are another report.
        #expect(taken > 100 && taken < 2_000)
    }

    @Test("one bit above the width of any word of any schema is refused by the word's name")
    func dirtyWords() throws {
        var random = SplitMix64.forTest()
        var refused = 0
        for version in Array(ReportSchema.versions) + Array(ReportSchema.privateVersions) {
            let schema = try #require(ReportSchema(version: version))
            let feed = Bytes(bigEndian: version) + Bytes(repeating: 7, count: 30)
            let blob = feed + Bytes(repeating: 0, count: schema.byteCount - 32)
            #expect(try PriceReport(blob: blob).blob == blob)
            for (index, field) in schema.fields.enumerated() where field.kind != .bytes32 {
                let width =
                    switch field.kind {
                    case .uint32: 32
                    case .uint64: 64
                    case .int192: 191
                    default: 192
                    }
                let bit = width + random.below(256 - width)
                var dirty = blob
                dirty[32 * index + 31 - bit / 8] |= 1 << UInt8(bit % 8)
                do {
                    _ = try PriceReport(blob: dirty)
                    Issue.record("bit \(bit) of \(field.name) of \(schema) was taken")
                } catch {
                    #expect(error.code == .nonCanonicalWord && error.message.hasPrefix(field.name + " "))
                    refused += 1
                }
            }
        }
        // 7 words of v1, and twice the 106 of the others that are no ids.
        #expect(refused == 219)
    }

    @Test("the private range has the same bodies under a header of milliseconds")
    func privateRange() throws {
        let now: UInt64 = 1_767_225_600_250
        let feed = FeedID(version: 0x0f03, symbol: "ETH/USD", segment: "spot")
        let header = ReportHeader(feedID: feed, validFrom: now - 99, observations: now, expiresAt: now + 60_000)
        let report = try PriceReport(header: header, body: .v3(benchmarkPrice: 3, bid: 2, ask: 4))
        #expect(report.blob.count == 288)
        #expect(try PriceReport(blob: report.blob) == report)
        #expect(report.observationsNanoseconds == 1_767_225_600_250_000_000)
        #expect(report.schema.version == 0x0f03 && report.schema.headerUnit == .milliseconds)

        // The same bytes under the public version do not fit: that is what the private range is for.
        let publicBytes = [0, 3] + report.blob.dropFirst(2)
        expectError(.nonCanonicalWord) { () throws(PriceStreamsError) in _ = try PriceReport(blob: publicBytes) }
        let second = FeedID(version: 3, symbol: "ETH/USD", segment: "spot")
        expectError(.headerTimestamp) { () throws(PriceStreamsError) in
            _ = try PriceReport(
                header: ReportHeader(feedID: second, validFrom: 1, observations: 1, expiresAt: 1 << 32),
                body: .v3(benchmarkPrice: 3, bid: 2, ask: 4))
        }
    }

    @Test("unknown versions, wrong lengths and bodies of other schemas are refused by name")
    func refusals() throws {
        for version: UInt16 in [0, 14, 0x0f00, 0x0f01, 0x0f0e, 0x0fff, 0xffff] {
            #expect(ReportSchema(version: version) == nil)
            let blob = Bytes(bigEndian: version) + Bytes(repeating: 0, count: 30)
            expectError(.unknownSchema) { () throws(PriceStreamsError) in _ = try PriceReport(blob: blob) }
        }
        for count in [0, 1, 31, 32, 287, 289, 320] {
            let blob = Bytes(([0, 3] + Bytes(repeating: 0, count: 400)).prefix(count))
            expectError(.reportLength) { () throws(PriceStreamsError) in _ = try PriceReport(blob: blob) }
        }
        let header = ReportHeader(
            feedID: FeedID(version: 3, symbol: "A", segment: "B"), validFrom: 1, observations: 1, expiresAt: 2)
        expectError(.schemaMismatch) { () throws(PriceStreamsError) in
            _ = try PriceReport(header: header, body: .v2(benchmarkPrice: 1))
        }
        let old = ReportHeader(
            feedID: FeedID(version: 1, symbol: "A", segment: "B"), validFrom: 1, observations: 2, expiresAt: 3)
        let body = ReportBody.v1(
            benchmarkPrice: 1, bid: 1, ask: 1, currentBlockNumber: 1, currentBlockHash: .zero, validFromBlockNumber: 1,
            currentBlockTimestamp: 1)
        expectError(.headerTimestamp) { () throws(PriceStreamsError) in _ = try PriceReport(header: old, body: body) }
    }

    @Test("price, book, time, status and ripcord are found in every schema that has them")
    func accessors() throws {
        let eleven = ReportBody.v11(
            mid: 5, lastSeenNanoseconds: 9, bid: 4, bidVolume: 1, ask: 6, askVolume: 2, lastTradedPrice: 7,
            marketStatus: 3)
        #expect(eleven.price == 5 && eleven.priceNanoseconds == 9 && eleven.marketStatus == 3)
        #expect(eleven.quote?.bid == 4 && eleven.quote?.ask == 6 && eleven.ripcord == nil)
        let thirteen = ReportBody.v13(bestAsk: 6, bestBid: 4, askVolume: 1, bidVolume: 1, lastTradedPrice: 5)
        #expect(thirteen.price == 5 && thirteen.quote?.bid == 4 && thirteen.quote?.ask == 6)
        // Milliseconds in v9, nanoseconds in v12, seconds in v5.
        let nine = ReportBody.v9(navPerShare: 1, navDateMilliseconds: 1_767_139_200_000, aum: 2, ripcord: 1)
        #expect(nine.priceNanoseconds == 1_767_139_200_000_000_000 && nine.ripcord == 1)
        let twelve = ReportBody.v12(navPerShare: 1, nextNavPerShare: 2, navDateNanoseconds: 7, ripcord: 0)
        #expect(twelve.priceNanoseconds == 7 && twelve.ripcord == 0)
        #expect(ReportBody.v5(rate: 1, timestamp: 2, duration: 3).priceNanoseconds == 2_000_000_000)
        let late = ReportBody.v9(navPerShare: 1, navDateMilliseconds: .max, aum: 2, ripcord: 0)
        #expect(late.priceNanoseconds == .max)
        #expect(
            ReportBody.v10(
                lastUpdateNanoseconds: 8, price: 1, marketStatus: 2, currentMultiplier: 1, newMultiplier: 0,
                activationDateTime: 0, tokenizedPrice: 3
            ).priceNanoseconds == 8)
    }

    @Test("what clients of others cannot read is told before it is published")
    func publication() {
        #expect(ReportBody.v8(lastUpdateNanoseconds: 1, midPrice: 1, marketStatus: 2).publicationProblem == nil)
        #expect(ReportBody.v8(lastUpdateNanoseconds: 1, midPrice: 1, marketStatus: 5).publicationProblem != nil)
        #expect(ReportBody.v4(benchmarkPrice: 1, marketStatus: 3).publicationProblem != nil)
        #expect(ReportBody.v9(navPerShare: 1, navDateMilliseconds: 1, aum: 1, ripcord: 2).publicationProblem != nil)
        let date = UInt64(Int64.max) + 1
        let late = ReportBody.v12(navPerShare: 1, nextNavPerShare: 1, navDateNanoseconds: date, ripcord: 0)
        #expect(late.publicationProblem != nil)
        let eleven = ReportBody.v11(
            mid: 5, lastSeenNanoseconds: 9, bid: 4, bidVolume: 1, ask: 6, askVolume: 2, lastTradedPrice: 7,
            marketStatus: 5)
        #expect(eleven.publicationProblem == nil)
    }
}
