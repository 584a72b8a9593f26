// Definition files, options and the admission checks.

import Ethereum
import TestSupport
import Testing

@testable import PriceStreams

@Suite("Channel definitions")
struct ChannelTests {
    static let feed = FeedID(version: 2, symbol: "ETH/USD", segment: "test").description

    static func file(_ options: String, format: String = "evm_abi_encode_unpacked", streams: Int = 3) -> Bytes {
        let list = (1...streams).map { "{\"streamId\":\($0),\"aggregator\":\"median\"}" }.joined(separator: ",")
        return Bytes("{\"7\":{\"reportFormat\":\"\(format)\",\"streams\":[\(list)],\"opts\":\(options)}}".utf8)
    }

    static func set(_ bytes: Bytes) throws -> ChannelSet { try ChannelSet(ChannelDefinition.file(bytes)) }

    @Test("names are read without regard to case, and options are stored with sorted names")
    func canonical() throws {
        let written =
            "{\"FeedId\":\"\(Self.feed)\",\"maxReportRange\":\"1m30s\","
            + "\"abi\":[{\"type\":\"int192\",\"multiplier\":\"0x10\"}]}"
        let set = try Self.set(Self.file(written))
        let channel = try #require(set[ChannelID(7)])
        #expect(
            String(decoding: channel.definition.options, as: UTF8.self)
                == "{\"FeedId\":\"\(Self.feed)\",\"abi\":[{\"multiplier\":\"0x10\",\"type\":\"int192\"}],"
                + "\"maxReportRange\":\"1m30s\"}"
        )
        guard case .unpacked(let terms, let entries) = channel.options else {
            Issue.record("\(channel.options)")
            return
        }
        #expect(terms.rangeMaximumNanoseconds == 90_000_000_000 && entries[0].fields[0].multiplier == 16)
        #expect(terms.resolution == .seconds && terms.baseUSDFee == .zero)
        #expect(set[ChannelID(8)] == nil)
    }

    @Test("a definition survives its canonical bytes, flags included")
    func roundTrip() throws {
        for (id, definition) in try World.definitions() {
            let all = try ChannelDefinition(
                format: definition.format, streams: definition.streams, options: definition.options, source: 1_000,
                isTombstone: true, disablesNilValues: true)
            var writer = CanonicalWriter()
            all.write(to: &writer)
            #expect(writer.bytes.count == all.encodedCount)
            var reader = CanonicalReader(writer.bytes, .malformedOutcome)
            #expect(try ChannelDefinition(from: &reader) == all, "channel \(id)")
        }
    }

    @Test(
        "options that do not fit are refused",
        arguments: [
            "[]", "null", "{}", "{\"feedID\":\"0x00\",\"abi\":[{\"type\":\"int192\"}]}",
            "{\"feedID\":\"FEED\",\"abi\":[]}", "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int7\"}]}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"bytes0\"}]}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\",\"multiplier\":0}]}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\",\"multiplier\":-1}]}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\",\"colour\":1}]}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}],\"x\":1}",
            "{\"feedID\":\"FEED\",\"FEEDID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}]}",
            "{\"feedID\":\"FEED\",\"abi\":[[{\"type\":\"uint64\"}]]}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int8\"},{\"type\":\"int8\"}]}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}],\"TimeResolution\":\"min\"}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}],\"TimeResolution\":\"ms\"}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}],\"expirationWindow\":-1}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}],\"expirationWindow\":1e9}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}],\"maxReportRange\":\"5\"}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\"}],\"maxReportRange\":0}",
            "{\"feedID\":\"FEED\",\"abi\":[{\"type\":\"int192\",\"expression\":\"s1\",\"expressionStreamId\":9}]}",
        ])
    func badOptions(text: String) {
        let options = text.split(separator: "FEED", omittingEmptySubsequences: false)
        let filled = text.contains("\"FEEDID\"") ? text : options.joined(separator: Self.feed)
        #expect(throws: PriceStreamsError.self, "\(filled)") { try Self.set(Self.file(filled)) }
    }

    @Test(
        "files that are none are refused",
        arguments: [
            "", "[]", "{", "{\"x\":{}}", "{\"01\":{}}", "{\"4294967296\":{}}", "{\"1\":{}}",
            "{\"1\":{\"reportFormat\":\"json\"}}",
            "{\"1\":{\"reportFormat\":\"json\",\"streams\":[]}}",
            "{\"1\":{\"reportFormat\":\"xml\",\"streams\":[{\"streamId\":1,\"aggregator\":1}]}}",
            "{\"1\":{\"reportFormat\":\"json\",\"streams\":[{\"streamId\":1,\"aggregator\":0}]}}",
            "{\"1\":{\"reportFormat\":\"json\",\"streams\":[{\"streamId\":-1,\"aggregator\":1}]}}",
            "{\"1\":{\"reportFormat\":\"json\",\"streams\":[{\"streamId\":1,\"aggregator\":1}],\"opts\":{\"a\":1}}}",
            "{\"1\":{\"reportFormat\":\"retirement\",\"streams\":[{\"streamId\":1,\"aggregator\":1}]}}",
            "{\"1\":{\"reportFormat\":8,\"streams\":[{\"streamId\":1,\"aggregator\":1}]}}",
            "{\"1\":{\"reportFormat\":\"json\",\"streams\":[{\"streamId\":1,\"aggregator\":1}],\"tombstone\":1}}",
        ])
    func badFiles(text: String) { #expect(throws: PriceStreamsError.self) { try Self.set(Bytes(text.utf8)) } }

    @Test("a feed id in two channels, clashing expressions and a stream too many are not admitted")
    func admission() throws {
        func code(_ definitions: [ChannelID: ChannelDefinition]) -> PriceStreamsError.Code? {
            do throws(PriceStreamsError) { _ = try ChannelSet(definitions) } catch { return error.code }
            return nil
        }
        let (quote, fast) = (StreamID(7), FeedID(version: 0x0f03, symbol: "B", segment: "s"))
        let base = try World.fast(World.millisecondsFeed, quote)
        #expect(code([ChannelID(1): base]) == nil)
        #expect(code([ChannelID(1): base, ChannelID(2): base]) == .feedIDTwice)
        #expect(try code([ChannelID(1): base, ChannelID(2): World.fast(fast, quote)]) == .calculatedStreamTwice)
        #expect(try code([ChannelID(1): base, ChannelID(2): World.fast(fast, StreamID(8))]) == nil)
        let clash = try World.premium(World.secondsFeed, StreamID(1_000_070))
        #expect(code([ChannelID(1): base, ChannelID(2): clash]) == .calculatedStreamTwice)
        let many = try (0..<12).map { at in
            try ChannelDefinition(
                format: .json, streams: (0..<1_000).map { AggregateKey(StreamID(UInt32(at * 1_000 + $0)), .median) },
                options: [])
        }
        func numbered(_ count: Int) -> [ChannelID: ChannelDefinition] {
            Dictionary(
                uniqueKeysWithValues: many[..<count].enumerated().map { (ChannelID(UInt32($0.offset)), $0.element) })
        }
        #expect(code(numbered(10)) == nil && code(numbered(11)) == .tooLarge)
        #expect(throws: PriceStreamsError.self) {
            try ChannelDefinition(
                format: .json, streams: (0..<1_001).map { AggregateKey(StreamID($0), .median) }, options: [])
        }
    }

    @Test("a channel writes what its feed id promises: schema, words, types and unit")
    func schema() throws {
        func code(_ version: UInt16, _ abi: String, _ resolution: String = "s") -> PriceStreamsError.Code? {
            let feed = FeedID(version: version, symbol: "A", segment: "b")
            let options = "{\"feedID\":\"\(feed)\",\"abi\":[\(abi)],\"TimeResolution\":\"\(resolution)\"}"
            let streams = 2 + abi.split(separator: ";").count
            let file = Self.file(options.split(separator: ";").joined(separator: ","), streams: streams)
            do throws(PriceStreamsError) { _ = try ChannelSet(ChannelDefinition.file(file)) } catch {
                return error.code
            }
            return nil
        }
        let (price, status, time) = ("{\"type\":\"int192\"}", "{\"type\":\"uint32\"}", "{\"type\":\"uint64\"}")
        #expect(code(2, price) == nil && code(7, price) == nil && code(4, price + ";" + status) == nil)
        #expect(code(4, price + ";{\"type\":\"uint8\"}") == nil && code(8, "[\(time),\(price)];" + status) == nil)
        #expect(code(0x0f02, price, "ms") == nil)
        let wrong: [(UInt16, String, String)] = [
            (3, price, "s"), (1, price, "s"), (14, price, "s"), (0x0f0e, price, "ms"), (0x0f02, price, "s"),
            (0x0f02, price, "us"), (2, price, "ms"), (2, status + ";" + status, "s"), (4, price + ";" + price, "s"),
            (4, price + ";" + time, "s"), (2, "{\"type\":\"int256\"}", "s"), (2, "{\"type\":\"uint192\"}", "s"),
            (8, "[\(price),\(price)];" + status, "s"),
        ]
        for (version, abi, resolution) in wrong {
            #expect(code(version, abi, resolution) == .badOptions, "\(version) \(abi) \(resolution)")
        }
    }

    @Test("durations as Go writes them")
    func durations() {
        let good: [(String, UInt64)] = [
            ("5m", 300_000_000_000), ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000), ("250ms", 250_000_000),
            ("3us", 3_000), ("7ns", 7), ("µs", 0),
        ]
        for (text, value) in good.dropLast() { #expect(GoDuration.nanoseconds(text) == value, "\(text)") }
        for text in ["", "5", "m", "µs", "5 m", "-5m", "5m3", "5x", "99999999999h"] {
            #expect(GoDuration.nanoseconds(text) == nil, "\(text)")
        }
    }

    @Test("a configuration that cannot be safe is refused, and what is pinned covers its rules")
    func configuration() throws {
        func make(_ n: Int, _ f: Int, _ version: UInt32, _ interval: UInt64, _ least: Int? = nil) throws
            -> StreamsConfiguration
        {
            try StreamsConfiguration(
                configurationDigest: World.digest, donID: 1, oracleCount: n, faulty: f, protocolVersion: version,
                reportIntervalNanoseconds: interval,
                rules: StreamRules([StreamRule(streamID: StreamID(1), minObservations: least)]))
        }
        let good = try make(4, 1, 1, 100)
        for (n, f, version, interval) in [
            (4, 0, 1, 1), (3, 1, 1, 1), (5, 1, 1, 1), (4, 1, 0, 5), (4, 1, 1, 0), (4, 1, 2, 1), (34, 11, 1, 1),
        ] {
            #expect(throws: PriceStreamsError.self) { try make(n, f, UInt32(version), UInt64(interval)) }
        }
        #expect(throws: PriceStreamsError.self) { try make(4, 1, 1, 1, 1) }
        #expect(throws: PriceStreamsError.self) { try make(4, 1, 1, 1, 5) }
        #expect(
            try Set([good.pinned, make(4, 1, 1, 101).pinned, make(4, 1, 0, 0).pinned, make(4, 1, 1, 100, 2).pinned])
                .count == 4)
    }
}
