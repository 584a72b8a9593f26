// Rounds of one instance: set-up, life cycle, carried values, jump guard, channel votes, bounds.

import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import PriceStreams

@Suite("Rounds of price streams")
struct RoundTests {
    @Test("one agreed round feeds a channel in seconds and one in milliseconds over the same streams")
    func twoResolutions() throws {
        var rounds = Rounds(try World.configuration())
        for _ in 0..<41 { try rounds.run() }
        // The first round defines the channels, the second has values; one interval later the first report.
        let (slow, fast) = (rounds.reports(of: World.seconds), rounds.reports(of: World.milliseconds))
        #expect(fast.count == 39 || fast.count == 40)
        #expect(slow.count == 4)
        #expect(HeaderTimes.breaks(slow.map(\.bytes)) == [] && HeaderTimes.breaks(fast.map(\.bytes)) == [])
        let v3 = try PriceReport(blob: try #require(slow.last).bytes)
        let private3 = try PriceReport(blob: try #require(fast.last).bytes)
        #expect(v3.body == private3.body && v3.header.feedID == World.secondsFeed)
        #expect(private3.header.feedID == World.millisecondsFeed)
        #expect(private3.header.observations == rounds.time / 1_000_000)
        #expect(slow.allSatisfy { $0.label.format == .premiumLegacy && $0.label.feedID == World.secondsFeed })
        let metal = try PriceReport(blob: try #require(rounds.reports(of: World.metals).last).bytes)
        guard case .v8(let updated, let mid, let status) = metal.body else {
            Issue.record("\(metal)")
            return
        }
        #expect(updated > World.start && mid.decimal == "4000" + String(repeating: "0", count: 18) && status == 2)
    }

    @Test("a value that stops is carried with its own time, and never stamped again")
    func carried() throws {
        var rounds = Rounds(try World.configuration())
        for _ in 0..<3 { try rounds.run() }
        let stopped = rounds.time - 40_000_000
        for _ in 0..<5 {
            try rounds.run { _, snapshot in
                snapshot.values[World.metal] = nil
                return true
            }
        }
        let key = AggregateKey(World.metal, .median)
        let kept = TimestampedDecimal(observedAtNanoseconds: stopped, value: Decimal(4_000))
        #expect(try rounds.state.aggregate(key) == .timestamped(kept))
        #expect(rounds.notes.contains(.missing(key, .tooFewObservations)))
        // Older than what is known: kept too. Later: replaced.
        try rounds.run { _, snapshot in
            snapshot.values[World.metal] = .timestamped(
                TimestampedDecimal(observedAtNanoseconds: stopped - 1, value: .one))
            return true
        }
        #expect(try rounds.state.aggregate(key) == .timestamped(kept))
        let renewed = StreamValue.timestamped(TimestampedDecimal(observedAtNanoseconds: stopped + 1, value: .one))
        try rounds.run { _, snapshot in
            snapshot.values[World.metal] = renewed
            return true
        }
        #expect(try rounds.state.aggregate(key) == renewed)
    }

    @Test("where a rule forbids carrying, a value that stops is missing")
    func notCarried() throws {
        var rounds = Rounds(try World.configuration(rules: [StreamRule(streamID: World.metal, carries: false)]))
        for _ in 0..<3 { try rounds.run() }
        try rounds.run { _, snapshot in
            snapshot.values[World.metal] = nil
            return true
        }
        #expect(try rounds.state.aggregate(AggregateKey(World.metal, .median)) == nil)
    }

    @Test("a missing value makes no report and no hole: the next report reaches back to the last")
    func noHole() throws {
        var rounds = Rounds(try World.configuration())
        for round in 0..<60 {
            try rounds.run { index, snapshot in
                if round % 7 == 3 || (20..<35).contains(round), index < 2 { snapshot.values[World.pair] = nil }
                return true
            }
        }
        for channel in [World.seconds, World.milliseconds] {
            let reports = rounds.reports(of: channel).map(\.bytes)
            #expect(reports.count > 2 && HeaderTimes.breaks(reports) == [])
            // The checker finds a report that is left out.
            #expect(HeaderTimes.breaks(Array(reports[..<1] + reports[2...])) == [1])
        }
    }

    static let guarded = [StreamRule(streamID: World.pair, jumpLimit: 100_000_000)]

    static func benchmark(_ rounds: Rounds) throws -> String? {
        guard case .quote(let quote)? = try rounds.state.aggregate(AggregateKey(World.pair, .quote)) else { return nil }
        return quote.benchmark.description
    }

    @Test("a jump is published in its third consecutive round; one that goes away is not")
    func jump() throws {
        var rounds = Rounds(try World.configuration(rules: Self.guarded))
        func step(_ cents: Int?) throws -> String? {
            try rounds.run { _, snapshot in
                snapshot.values[World.pair] = cents.map(World.quote)
                return true
            }
            return try Self.benchmark(rounds)
        }
        for _ in 0..<3 { #expect(try step(250_000) == (rounds.sequenceNumber == 1 ? nil : "2500")) }
        #expect(try step(274_000) == "2740", "9.6 % is no jump")
        #expect(try step(400_000) == nil)
        #expect(rounds.notes.contains(.missing(AggregateKey(World.pair, .quote), .jumpHeld)))
        #expect(try step(400_500) == nil)
        #expect(try step(274_100) == "2741", "back again: as if nothing had been")
        #expect(try step(400_000) == nil)
        #expect(try step(150_000) == nil, "another level begins to count anew")
        #expect(try step(150_100) == nil)
        #expect(try step(nil) == nil, "a round without value breaks the row")
        #expect(try step(150_100) == nil)
        #expect(try step(150_200) == nil)
        #expect(try step(150_300) == "1503")
        #expect(try step(150_400) == "1504")
        #expect(HeaderTimes.breaks(rounds.reports(of: World.milliseconds).map(\.bytes)) == [])
        // Without a guard the first round would have published it.
        var open = Rounds(try World.configuration())
        for cents in [250_000, 250_000, 400_000] {
            try open.run { _, snapshot in
                snapshot.values[World.pair] = World.quote(cents)
                return true
            }
        }
        #expect(try Self.benchmark(open) == "4000")
    }

    @Test("clocks of F oracles that are five minutes wrong change nothing")
    func skew() throws {
        for minutes in [-5, 5] as [Int64] {
            var (right, wrong) = (Rounds(try World.configuration()), Rounds(try World.configuration()))
            for round in 0..<30 {
                try right.run { index, _ in index != 3 }
                try wrong.run { index, snapshot in
                    // Small differences between right clocks are the rule.
                    if index == 3 {
                        snapshot.clockNanoseconds = UInt64(Int64(snapshot.clockNanoseconds) + minutes * 60_000_000_000)
                    }
                    return index != round % 3
                }
            }
            #expect(try right.state.observationTimestampNanoseconds == wrong.state.observationTimestampNanoseconds)
            #expect(right.reports.map(\.bytes) == wrong.reports.map(\.bytes))
        }
        var steady = Rounds(try World.configuration())
        for _ in 0..<5 { try steady.run() }
        let state = try steady.state
        let time = state.observationTimestampNanoseconds
        for (clock, isWrong) in [
            (time, false), (time + 1_000_000_000, false), (time - 1_000_000_000, false), (time + 1_000_000_001, true),
            (time - 1_000_000_001, true), (0, true), (.max, true),
        ] { #expect(state.finds(clockWrong: clock) == isWrong) }
        // Two of four would.
        var two = Rounds(try World.configuration())
        try two.run { index, snapshot in
            if index > 1 { snapshot.clockNanoseconds += 300_000_000_000 }
            return true
        }
        #expect(try two.state.observationTimestampNanoseconds == two.time + 300_000_000_000)
    }

    @Test("a retired instance makes one retirement report a round and nothing else")
    func retired() throws {
        var rounds = Rounds(try World.configuration())
        for _ in 0..<5 { try rounds.run() }
        let last = try #require(rounds.reports(of: World.milliseconds).last).label.observationTimestampNanoseconds
        // F votes do not retire.
        try rounds.run { index, snapshot in
            snapshot.shouldRetire = index == 0
            return true
        }
        #expect(try rounds.state.stage == .production)
        rounds.reports = []
        for _ in 0..<3 {
            try rounds.run { index, snapshot in
                snapshot.shouldRetire = index < 2
                return true
            }
        }
        #expect(rounds.reports.count == 3 && rounds.reports.allSatisfy { $0.label.format == .retirement })
        #expect(Set(rounds.reports.map(\.bytes)).count == 1, "frozen")
        let report = try RetirementReport(encoded: rounds.reports[0].bytes)
        let covered = report.validAfter.first { $0.channelID == World.milliseconds }?.validAfterNanoseconds
        #expect(covered == last + 100_000_000)
        #expect(try rounds.observer.streamsWanted(after: rounds.outcome) == [])
    }

    @Test("definitions need F+1 equal votes; flags cannot ride on honest votes")
    func votes() throws {
        let definitions = try World.definitions()
        let honest = try #require(definitions[World.json])
        let flipped = try ChannelDefinition(
            format: honest.format, streams: honest.streams, options: honest.options, isTombstone: true)
        #expect(honest.upstreamHash(World.json) == flipped.upstreamHash(World.json))
        var rounds = Rounds(try World.configuration(definitions: [:]))
        let only = try ChannelSet([World.json: honest])
        let tombstone = try ChannelSet([World.json: flipped])
        try rounds.run { index, snapshot in
            snapshot.channels = index == 0 ? only : .empty
            return true
        }
        #expect(try rounds.state.definitions.isEmpty, "F votes are not enough")
        try rounds.run { index, snapshot in
            snapshot.channels = index < 2 ? only : index == 2 ? tombstone : .empty
            return true
        }
        #expect(try rounds.state.definition(World.json) == honest)
        // Removal by F+1, and its time state with it.
        try rounds.run { index, snapshot in
            snapshot.channels = index < 2 ? .empty : only
            return true
        }
        #expect(try rounds.state.definitions.isEmpty && rounds.state.validAfter.isEmpty)
        #expect(rounds.notes.contains(.removed(World.json)))
    }

    @Test("a feed id is never in two channels, even when voters disagree about the rest of the set")
    func admissionInRound() throws {
        let definition = try World.premium(World.secondsFeed, World.pair)
        let (first, second) = (try ChannelSet([ChannelID(1): definition]), try ChannelSet([ChannelID(9): definition]))
        var rounds = Rounds(try World.configuration(definitions: [:]))
        try rounds.run { index, snapshot in
            snapshot.channels = index < 2 ? first : second
            return true
        }
        #expect(try rounds.state.definitions.map(\.channelID) == [ChannelID(1)])
        #expect(rounds.notes.contains(.definitionRefused(ChannelID(9), .feedIDTwice)))
        for _ in 0..<2 {
            try rounds.run { _, snapshot in
                snapshot.channels = second
                return true
            }
        }
        #expect(try rounds.state.definitions.map(\.channelID) == [ChannelID(9)])
    }

    @Test("a tombstoned channel is neither observed nor reported and keeps its time")
    func tombstone() throws {
        let live = try World.premium(World.secondsFeed, World.pair)
        let dead = try ChannelDefinition(
            format: live.format, streams: live.streams, options: live.options, isTombstone: true)
        var rounds = Rounds(try World.configuration(definitions: [World.seconds: live]))
        for _ in 0..<25 { try rounds.run() }
        let count = rounds.reports.count
        let set = try ChannelSet([World.seconds: dead])
        for _ in 0..<20 {
            try rounds.run { _, snapshot in
                snapshot.channels = set
                return true
            }
        }
        #expect(
            try count == 2 && rounds.reports.count == 2 && rounds.observer.streamsWanted(after: rounds.outcome) == [])
        for _ in 0..<20 { try rounds.run() }
        #expect(rounds.reports.count > 2 && HeaderTimes.breaks(rounds.reports.map(\.bytes)) == [])
    }

    @Test("observations that do not decode, come twice or are too few are refused by name")
    func refusals() throws {
        var rounds = Rounds(try World.configuration())
        try rounds.run()
        let good = try rounds.observation(
            StreamsSnapshot(clockNanoseconds: rounds.time, values: World.values(rounds.time)))
        func item(_ index: Int, _ bytes: Bytes) -> AttributedObservation {
            AttributedObservation(observer: index, observation: bytes)
        }
        #expect(throws: PriceStreamsError.self) {
            try rounds.plugin.validateObservation(item(0, []), in: rounds.context)
        }
        #expect(throws: PriceStreamsError.self) {
            try rounds.plugin.validateObservation(item(0, good + [0]), in: rounds.context)
        }
        #expect(throws: PriceStreamsError.self) {
            try rounds.plugin.outcome([item(0, good), item(1, good), item(1, good)], in: rounds.context)
        }
        let (_, notes) = try rounds.plugin.progress(
            [item(0, good), item(1, good), item(2, good), item(3, [9])], in: rounds.context)
        #expect(notes.contains(.ignored(3, .malformedObservation)))
        #expect(!rounds.plugin.observationQuorum([item(0, good), item(1, good)], in: rounds.context))
        #expect(rounds.plugin.observationQuorum([item(0, good), item(1, good), item(3, good)], in: rounds.context))
    }

    @Test("attestation digests go by format, as each verifier recomputes them")
    func digests() throws {
        let plugin = StreamsPlugin(configuration: try World.configuration())
        let digest = try #require(Digest(World.digest.bytes))
        func found(_ format: ReportFormat) -> Hash32? {
            let label = ReportLabel(
                channelID: World.seconds, format: format, feedID: nil, observationTimestampNanoseconds: 5)
            let report = Report(bytes: [1, 2, 3], metadata: label.encoded)
            return Hash32(
                bytes: plugin.attestationDigest(of: report, sequenceNumber: 700, configurationDigest: digest).bytes)
        }
        let context = try ReportContext(configurationDigest: World.digest, sequenceNumber: 700, donID: 42)
        let blob = signingDigest(blob: [1, 2, 3], context: context)
        #expect([.premiumLegacy, .unpacked, .unpackedExpression].allSatisfy { found($0) == blob })
        let sign3 = sign3Digest(report: [1, 2, 3], configurationDigest: World.digest, sequenceNumber: 700)
        #expect([.json, .retirement].allSatisfy { found($0) == sign3 })
        #expect(found(.streamlined) == streamlinedDigest(report: [1, 2, 3], configurationDigest: World.digest))
        #expect(Set([blob, sign3, found(.streamlined)]).count == 3)
    }
}
