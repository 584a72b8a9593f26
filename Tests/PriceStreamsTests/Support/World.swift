// A small DON for the tests: four or more oracles, channels over shared streams, rounds run by hand.

import Ethereum
import OffchainReporting
import TestSupport

@testable import PriceStreams

enum World {
    static let digest = Hash32(U256(0x0900))
    /// 2026-01-01, a whole second.
    static let start: UInt64 = 1_767_225_600_000_000_000
    static let native = StreamID(1)
    static let link = StreamID(2)
    /// A quote, a timestamped value and a market status.
    static let pair = StreamID(100)
    static let metal = StreamID(200)
    static let status = StreamID(201)

    static let secondsFeed = FeedID(version: 0x0003, symbol: "ETH/USD", segment: "test")
    static let millisecondsFeed = FeedID(version: 0x0f03, symbol: "ETH/USD", segment: "test")
    static let metalFeed = FeedID(version: 0x0008, symbol: "XAU/USD", segment: "test")

    static let seconds = ChannelID(1)
    static let milliseconds = ChannelID(2)
    static let metals = ChannelID(3)
    static let json = ChannelID(4)

    static let terms = "\"baseUSDFee\":\"0.35\",\"expirationWindow\":86400"
    static let e18 = "1000000000000000000"

    /// v3 in seconds from the quote.
    static func premium(_ feed: FeedID, _ quote: StreamID) throws -> ChannelDefinition {
        try ChannelDefinition(
            JSON.parse(
                """
                {"reportFormat":"evm_premium_legacy","streams":[{"streamId":1,"aggregator":"median"},
                {"streamId":2,"aggregator":"median"},{"streamId":\(quote),"aggregator":"quote"}],
                "opts":{\(terms),"feedID":"\(feed)","multiplier":"\(e18)"}}
                """))
    }

    /// The same words in milliseconds, through expressions over the same quote.
    static func fast(_ feed: FeedID, _ quote: StreamID) throws -> ChannelDefinition {
        let entries = ["benchmark", "bid", "ask"].enumerated().map { index, side in
            """
            {"type":"int192","multiplier":"\(e18)","expression":"s\(quote)_\(side)",
            "expressionStreamId":\(1_000_000 + quote.rawValue * 10 + UInt32(index))}
            """
        }
        return try ChannelDefinition(
            JSON.parse(
                """
                {"reportFormat":"evm_abi_encode_unpacked_expr","streams":[{"streamId":1,"aggregator":"median"},
                {"streamId":2,"aggregator":"median"},{"streamId":\(quote),"aggregator":"quote"}],
                "opts":{\(terms),"feedID":"\(feed)","TimeResolution":"ms","abi":[\(entries.joined(separator: ","))]}}
                """))
    }

    static func definitions() throws -> [ChannelID: ChannelDefinition] {
        let metals = try ChannelDefinition(
            JSON.parse(
                """
                {"reportFormat":4,"streams":[{"streamId":1,"aggregator":1},{"streamId":2,"aggregator":"median"},
                {"streamId":200,"aggregator":"median"},{"streamId":201,"aggregator":"mode"}],
                "opts":{\(terms),"feedId":"\(metalFeed)","abi":[[{"type":"uint64"},{"type":"int192",
                "multiplier":"\(e18)"}],{"type":"uint32"}]}}
                """))
        let json = try ChannelDefinition(
            JSON.parse("{\"reportFormat\":\"json\",\"streams\":[{\"streamId\":100,\"aggregator\":\"quote\"}]}"))
        return [
            seconds: try premium(secondsFeed, pair), milliseconds: try fast(millisecondsFeed, pair),
            Self.metals: metals,
            Self.json: json,
        ]
    }

    static func configuration(
        faulty: Int = 1, rules: [StreamRule] = [], definitions: [ChannelID: ChannelDefinition]? = nil,
        predecessor: OracleSet? = nil, digest: Hash32 = digest, interval: UInt64 = 50_000_000
    ) throws -> StreamsConfiguration {
        try StreamsConfiguration(
            configurationDigest: digest, donID: 42, oracleCount: 3 * faulty + 1, faulty: faulty,
            reportIntervalNanoseconds: interval, rules: StreamRules(rules),
            channels: ChannelSet(definitions ?? self.definitions()), predecessor: predecessor)
    }

    static func quote(_ cents: Int) -> StreamValue {
        let unit = -2
        func price(_ value: Int) -> Decimal {
            Decimal(isNegative: value < 0, magnitude: U256(UInt64(value.magnitude)), exponent: unit) ?? .zero
        }
        return .quote(StreamQuote(bid: price(cents - 5), benchmark: price(cents), ask: price(cents + 5)))
    }

    /// What an honest oracle sees at `time`; `noise` in cents.
    static func values(_ time: UInt64, noise: Int = 0) -> [StreamID: StreamValue] {
        [
            native: .decimal(Decimal(2_500)), link: .decimal(Decimal(14)), pair: quote(250_000 + noise),
            metal: .timestamped(
                TimestampedDecimal(observedAtNanoseconds: time - 40_000_000, value: Decimal(4_000 + noise))),
            status: .decimal(Decimal(2)),
        ]
    }
}

/// Rounds of one instance, without agreement around them.
struct Rounds {
    let plugin: StreamsPlugin
    let observer: StreamsObserver
    var outcome: Bytes = []
    var sequenceNumber: UInt64 = 0
    var time = World.start
    /// Reports of all rounds by channel, and notes of the last one.
    var reports: [(label: ReportLabel, bytes: Bytes)] = []
    var notes: [StreamsNote] = []

    init(_ configuration: StreamsConfiguration) {
        plugin = StreamsPlugin(configuration: configuration)
        observer = StreamsObserver(configuration: configuration)
    }

    var configuration: StreamsConfiguration { plugin.configuration }
    var state: StreamsOutcome { get throws { try StreamsOutcome.previous(outcome, configuration) } }
    var context: RoundContext {
        RoundContext(sequenceNumber: sequenceNumber + 1, previousOutcome: outcome, query: [])
    }

    func observation(_ snapshot: StreamsSnapshot) throws -> Bytes { try observer.observation(after: outcome, snapshot) }

    /// One round of what these observers say.
    mutating func run(_ observations: [AttributedObservation]) throws {
        for item in observations { try plugin.validateObservation(item, in: context) }
        let (next, notes) = try plugin.progress(observations, in: context)
        sequenceNumber += 1
        outcome = next.encoded
        self.notes = notes
        for report in try plugin.reports(sequenceNumber: sequenceNumber, outcome: outcome) {
            reports.append((try ReportLabel(encoded: report.metadata), report.bytes))
        }
    }

    /// One round in which all oracles see the same; `change` may alter one's snapshot, nil silences it.
    mutating func run(
        advance: UInt64 = 100_000_000, _ change: (Int, inout StreamsSnapshot) -> Bool = { _, _ in true }
    ) throws {
        time += advance
        var observations: [AttributedObservation] = []
        for index in 0..<configuration.oracleCount {
            var snapshot = StreamsSnapshot(clockNanoseconds: time, values: World.values(time))
            guard change(index, &snapshot) else { continue }
            observations.append(AttributedObservation(observer: index, observation: try observation(snapshot)))
        }
        try run(observations)
    }

    func reports(of channel: ChannelID) -> [(label: ReportLabel, bytes: Bytes)] {
        reports.filter { $0.label.channelID == channel }
    }
}

/// validFrom and observations of an EVM report.
struct HeaderTimes: Equatable {
    let validFrom: UInt64
    let observations: UInt64

    init(_ bytes: Bytes) {
        validFrom = bytes[56..<64].reduce(0) { $0 << 8 | UInt64($1) }
        observations = bytes[88..<96].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Indices at which a range does not begin right behind the one before.
    static func breaks(_ reports: [Bytes]) -> [Int] {
        let times = reports.map(HeaderTimes.init)
        return times.indices.filter { index in
            let time = times[index]
            let touches = index == 0 || time.validFrom == times[index - 1].observations + 1
            return time.validFrom > time.observations || !touches
        }
    }
}
