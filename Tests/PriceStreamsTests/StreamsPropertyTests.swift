// What must hold whatever happens, over thousands of seeds. A failure prints the seed that replays it.

import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import PriceStreams

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Processor time of this thread: other tests run beside this one.
func threadNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

@Suite("Properties of price streams")
struct StreamsPropertyTests {
    static let base = SplitMix64.forTest("StreamsPropertyTests").seed

    /// A value by which a liar might try anything.
    static func lie(_ g: inout SplitMix64, clock: UInt64) -> StreamValue {
        func number() -> Decimal {
            switch g.below(5) {
            case 0: return .zero
            case 1:
                return Decimal(isNegative: g.below(2) == 0, magnitude: g.word(), exponent: g.below(2_000) - 1_000)
                    ?? .one
            case 2: return Decimal(-1_000_000)
            default: return Decimal(g.below(2_000_000))
            }
        }
        switch g.below(4) {
        case 0: return .decimal(number())
        case 1: return .quote(StreamQuote(bid: number(), benchmark: number(), ask: number()))
        case 2:
            let sorted = [number(), number(), number()].sorted()
            return .quote(StreamQuote(bid: sorted[0], benchmark: sorted[1], ask: sorted[2]))
        default:
            let time = [0, clock, clock + 1_999_999_999, clock + 3_000_000_000, .max][g.below(5)]
            return .timestamped(TimestampedDecimal(observedAtNanoseconds: time, value: number()))
        }
    }

    enum Kind: Int, CaseIterable { case median, quote, timestamped, mode }

    struct Case {
        let faulty: Int
        let aggregator: Aggregator
        let honest: [StreamValue]
        let all: [StreamValue]
        let clock: UInt64
    }

    /// At most F liars, at least one honest value, any number silent.
    static func scenario(_ seed: UInt64) -> Case {
        var g = SplitMix64(seed: seed)
        let faulty = 1 + g.below(3)
        let clock = World.start
        let kind = Kind.allCases[g.below(4)]
        let honestCount = 1 + g.below(2 * faulty + 1)
        let honest: [StreamValue] = (0..<honestCount).map { _ in
            let price = 100_000 + g.below(200)
            switch kind {
            case .median: return .decimal(Decimal(isNegative: false, magnitude: U256(price), exponent: -2) ?? .one)
            case .quote: return World.quote(price)
            case .mode: return .decimal(Decimal(1 + g.below(2)))
            case .timestamped:
                return .timestamped(
                    TimestampedDecimal(
                        observedAtNanoseconds: clock - UInt64(g.below(1_000_000_000)), value: Decimal(price)))
            }
        }
        let lies = (0..<g.below(faulty + 1)).map { _ in lie(&g, clock: clock) }
        let aggregator: Aggregator = kind == .quote ? .quote : kind == .mode ? .mode : .median
        return Case(
            faulty: faulty, aggregator: aggregator, honest: honest, all: (honest + lies).shuffled(using: &g),
            clock: clock)
    }

    /// Nil when the result is inside the range of honest values.
    static func escape(_ result: StreamValue, _ item: Case) -> String? {
        func outside<Value: Comparable>(_ value: Value, _ range: [Value]) -> Bool {
            guard let low = range.min(), let high = range.max() else { return true }
            return value < low || value > high
        }
        let numbers = item.honest.compactMap { if case .decimal(let value) = $0 { value } else { nil } }
        let quotes = item.honest.compactMap { if case .quote(let value) = $0 { value } else { nil } }
        let stamped = item.honest.compactMap { if case .timestamped(let value) = $0 { value } else { nil } }
        if item.aggregator == .mode { return item.honest.contains(result) ? nil : "no honest vote" }
        switch result {
        case .decimal(let value): return outside(value, numbers + quotes.map(\.benchmark)) ? "\(value)" : nil
        case .quote(let value):
            let isOutside =
                outside(value.bid, quotes.map(\.bid)) || outside(value.benchmark, quotes.map(\.benchmark))
                || outside(value.ask, quotes.map(\.ask))
            return isOutside ? "\(value)" : nil
        case .timestamped(let value):
            let isOutside =
                outside(value.value, stamped.map(\.value))
                || outside(value.observedAtNanoseconds, stamped.map(\.observedAtNanoseconds))
            return isOutside ? "\(value)" : nil
        }
    }

    static func escapes(seeds: UInt64, needed: (Case) -> Int?) -> (found: [String], results: Int) {
        var found: [String] = []
        var results = 0
        for seed in base..<base + seeds {
            let item = scenario(seed)
            let result = AggregationVectorTests.aggregate(
                item.all, item.aggregator, faulty: item.faulty, minObservations: needed(item), clock: item.clock)
            guard case .success(let value) = result else { continue }
            results += 1
            if let why = escape(value, item) { found.append("seed \(seed): \(item.aggregator) \(why)") }
        }
        return (found, results)
    }

    @Test("F lying or silent oracles move no price, time or status outside the honest range, in 20,000 seeds")
    func honestRange() {
        let (found, results) = Self.escapes(seeds: 20_000) { _ in nil }
        #expect(found == [] && results > 4_000, "\(results) results")
        // With F+1 observations, as upstream has it, liars get through: the check can fail.
        #expect(Self.escapes(seeds: 20_000) { $0.faulty + 1 }.found.count > 100)
    }

    @Test("a timestamp from the future freezes no stream, in 500 runs")
    func future() throws {
        let key = AggregateKey(World.metal, .median)
        for seed in Self.base..<Self.base + 500 {
            var g = SplitMix64(seed: seed)
            // The weakest rule: F+1 observations.
            let rule = StreamRule(streamID: World.metal, minObservations: 2)
            var rounds = Rounds(try World.configuration(rules: [rule]))
            let liar = g.below(4)
            var last: UInt64 = 0
            for round in 0..<60 {
                let silent = g.below(4)
                try rounds.run { index, snapshot in
                    if index == liar {
                        let ahead =
                            [1_000_000_000, 2_000_000_000, 2_000_000_001, 60_000_000_000, 1 << 60][g.below(5)] as UInt64
                        snapshot.values[World.metal] = .timestamped(
                            TimestampedDecimal(observedAtNanoseconds: snapshot.clockNanoseconds + ahead, value: .one))
                    } else if index == silent {
                        snapshot.values[World.metal] = nil
                    }
                    return true
                }
                guard round > 1, case .timestamped(let value)? = try rounds.state.aggregate(key) else { continue }
                // At most two seconds ahead, and never more than that behind what the honest know.
                #expect(value.observedAtNanoseconds <= rounds.time + 2_000_000_000, "seed \(seed)")
                #expect(value.observedAtNanoseconds >= rounds.time - 2_140_000_000, "seed \(seed)")
                last = value.observedAtNanoseconds
            }
            #expect(last > World.start + 3_000_000_000, "seed \(seed)")
        }
        // Without the bound one liar's timestamp would win and stay.
        let values = [AggregationTests.stamped(5, 1), AggregationTests.stamped(.max, 2)]
        let unbounded = AggregationVectorTests.aggregate(values, .median, faulty: 1, minObservations: 2, clock: .max)
        #expect(unbounded == .success(AggregationTests.stamped(.max, 2)))
    }

    /// A run with clocks that jitter, values that miss, oracles that are silent or lie.
    static func wildRun(_ seed: UInt64, rounds count: Int) throws -> (rounds: Rounds, inputs: [[AttributedObservation]])
    {
        var g = SplitMix64(seed: seed)
        let rules = [
            StreamRule(streamID: World.pair, positiveOnly: true, jumpLimit: 100_000_000),
            StreamRule(streamID: World.metal, jumpLimit: 50_000_000),
        ]
        var rounds = Rounds(try World.configuration(rules: rules))
        var inputs: [[AttributedObservation]] = []
        let liar = g.below(4)
        var level = 0
        for _ in 0..<count {
            rounds.time += UInt64(20_000_000 + g.below(400_000_000))
            level += g.below(41) - 20
            if g.below(25) == 0 { level += 60_000 }
            let silent = g.below(6)
            var observations: [AttributedObservation] = []
            for index in 0..<4 where index != silent {
                let clock = rounds.time + UInt64(g.below(30_000_000))
                var snapshot = StreamsSnapshot(
                    clockNanoseconds: clock, values: World.values(clock, noise: level + g.below(9)))
                if g.below(12) == 0 { snapshot.values[World.pair] = nil }
                if g.below(12) == 0 { snapshot.values[World.native] = nil }
                if index == liar {
                    snapshot.clockNanoseconds = UInt64(g.below(2)) * 4_000_000_000_000_000_000
                    for id in [World.pair, World.metal, World.status] { snapshot.values[id] = lie(&g, clock: clock) }
                }
                observations.append(
                    AttributedObservation(observer: index, observation: try rounds.observation(snapshot)))
            }
            inputs.append(observations)
            try rounds.run(observations)
        }
        return (rounds, inputs)
    }

    @Test("ranges of consecutive reports touch and never overlap; order and restarts change nothing, in 400 runs")
    func ranges() throws {
        var reports = 0
        for seed in Self.base..<Self.base + 400 {
            let (rounds, inputs) = try Self.wildRun(seed, rounds: 50)
            for channel in [World.seconds, World.milliseconds, World.metals] {
                let found = rounds.reports(of: channel).map(\.bytes)
                #expect(HeaderTimes.breaks(found) == [], "seed \(seed), channel \(channel)")
                reports += found.count
                if found.count > 3 { #expect(HeaderTimes.breaks([found[0], found[2]]) == [1]) }
            }
            // The same observations in other orders, with state held in memory instead of bytes.
            var g = SplitMix64(seed: seed)
            let plugin = rounds.plugin
            var state = StreamsOutcome.initial(plugin.configuration)
            var previous: Bytes = []
            for (index, observations) in inputs.enumerated() {
                let context = RoundContext(
                    sequenceNumber: UInt64(index + 1), previousOutcome: previous, query: [])
                let next = try plugin.outcome(observations.shuffled(using: &g), in: context)
                let voices = try observations.map {
                    StreamsRound.Voice(
                        observer: $0.observer, observation: try StreamsObservation(encoded: $0.observation))
                }
                var round = StreamsRound(configuration: plugin.configuration, previous: state, voices: voices)
                round.run()
                state = round.next
                #expect(state.encoded == next, "seed \(seed), round \(index)")
                previous = next
            }
            #expect(previous == rounds.outcome, "seed \(seed)")
        }
        #expect(reports > 10_000)
    }

    @Test("oracles with other channel files compute the same outcomes and reports")
    func foreignDefinitions() throws {
        let (rounds, inputs) = try Self.wildRun(Self.base, rounds: 40)
        let other = StreamsPlugin(
            configuration: try World.configuration(
                rules: rounds.configuration.rules.rules,
                definitions: [World.json: try #require(World.definitions()[World.json])]))
        var previous: Bytes = []
        for (index, observations) in inputs.enumerated() {
            let context = RoundContext(sequenceNumber: UInt64(index + 1), previousOutcome: previous, query: [])
            let next = try other.outcome(observations, in: context)
            #expect(try next == rounds.plugin.outcome(observations, in: context))
            #expect(
                try other.reports(sequenceNumber: 9, outcome: next)
                    == rounds.plugin.reports(sequenceNumber: 9, outcome: next))
            previous = next
        }
    }

    @Test("damaged observations and outcomes are refused, or are another value in its one encoding")
    func damage() throws {
        var g = SplitMix64(seed: Self.base)
        let (rounds, inputs) = try Self.wildRun(Self.base + 1, rounds: 30)
        let first = try #require(inputs.first?.first).observation
        let samples = [first, try #require(inputs.last?.first).observation]
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = g.below(2) == 0 ? samples[g.below(2)] : rounds.outcome
            let isOutcome = bytes == rounds.outcome
            switch g.below(3) {
            case 0: bytes[g.below(bytes.count)] ^= UInt8(1 << g.below(8))
            case 1: bytes.removeLast(1 + g.below(bytes.count))
            default: bytes.insert(UInt8(g.below(256)), at: g.below(bytes.count + 1))
            }
            do throws(PriceStreamsError) {
                let again =
                    isOutcome
                    ? try StreamsOutcome(encoded: bytes).encoded : try StreamsObservation(encoded: bytes).encoded
                #expect(again == bytes)
            } catch { refused += 1 }
        }
        #expect(refused > 10_000)
    }

    @Test("the largest observation and outcome stay inside their limits")
    func sizes() throws {
        let wide = try #require(Decimal(magnitude: .max))
        let quote = StreamValue.quote(StreamQuote(bid: wide, benchmark: wide, ask: wide))
        #expect(quote.encodedCount == quote.bytes.count && quote.bytes.count == 115)
        let channels = try (0..<10).map { at in
            ChannelUpdate(
                ChannelID(UInt32(at)),
                try ChannelDefinition(
                    format: .json, streams: (0..<1_000).map { AggregateKey(StreamID(UInt32(at * 1_000 + $0)), .quote) },
                    options: []))
        }
        let previous = StreamsOutcome(stage: .production, definitions: channels)
        let observer = StreamsObserver(configuration: try World.configuration())
        let values = Dictionary(uniqueKeysWithValues: (0..<10_000).map { (StreamID($0), quote) })
        let bytes = try observer.observation(
            after: previous.encoded, StreamsSnapshot(clockNanoseconds: World.start, values: values))
        #expect(
            bytes.count <= AgreementLimits.observationBytesMaximum
                && bytes.count > AgreementLimits.observationBytesMaximum - 200)
        #expect(try StreamsObservation(encoded: bytes).values.count > 8_000)
        let narrow = try observer.observation(
            after: previous.encoded,
            StreamsSnapshot(clockNanoseconds: World.start, values: values.mapValues { _ in World.quote(250_000) }))
        #expect(try StreamsObservation(encoded: narrow).values.count == 10_000)
        let keys = (0..<10_000).map { AggregateKey(StreamID($0), .quote) }
        let outcome = StreamsOutcome(
            stage: .production, definitions: channels,
            validAfter: (0..<UInt32(AgreementLimits.validAfterMaximum)).map { ChannelTime(ChannelID($0), .max) },
            aggregates: keys.map { Aggregate($0, quote) },
            jumps: keys.map { JumpState(key: $0, reference: quote, candidate: quote, rounds: 2) })
        let others = outcome.encoded.count - channels.reduce(0) { $0 + 4 + $1.definition.encodedCount }
        #expect(others + AgreementLimits.definitionsBytesMaximum <= AgreementLimits.outcomeBytesMaximum)
        #expect(try StreamsOutcome(encoded: outcome.encoded) == outcome)
    }

    @Test("what a round of 300 quotes and 600 channels costs is printed, with 4 observers")
    func cost() throws {
        var definitions: [ChannelID: ChannelDefinition] = [:]
        for index in 0..<300 as Range<UInt32> {
            let name = "P\(index)/USD"
            definitions[ChannelID(2 * index + 1)] = try World.premium(
                FeedID(version: 3, symbol: name, segment: "t"), StreamID(100 + index))
            definitions[ChannelID(2 * index + 2)] = try World.fast(
                FeedID(version: 0x0f03, symbol: name, segment: "t"), StreamID(100 + index))
        }
        var rounds = Rounds(try World.configuration(definitions: definitions))
        var g = SplitMix64(seed: 1)
        var spent: [String: Int] = [:]
        func timed<Value>(_ name: String, _ work: () throws -> Value) rethrows -> Value {
            let start = threadNanoseconds()
            defer { spent[name, default: 0] += threadNanoseconds() - start }
            return try work()
        }
        let count = 60
        for round in 0..<count + 10 {
            if round == 10 { spent = [:] }
            rounds.time += 50_000_000
            var observations: [AttributedObservation] = []
            for index in 0..<4 {
                var values = World.values(rounds.time)
                for stream in 0..<300 as Range<UInt32> {
                    values[StreamID(100 + stream)] = World.quote(250_000 + g.below(100))
                }
                let snapshot = StreamsSnapshot(clockNanoseconds: rounds.time, values: values)
                let bytes = try timed("observe") { try rounds.observation(snapshot) }
                observations.append(AttributedObservation(observer: index, observation: bytes))
            }
            for item in observations {
                try timed("validate") { try rounds.plugin.validateObservation(item, in: rounds.context) }
            }
            rounds.outcome = try timed("outcome") { try rounds.plugin.outcome(observations, in: rounds.context) }
            rounds.sequenceNumber += 1
            let reports = try timed("reports") {
                try rounds.plugin.reports(sequenceNumber: rounds.sequenceNumber, outcome: rounds.outcome)
            }
            if round == count + 9 {
                #expect(reports.count >= 300)
                print(
                    "observation \(observations[0].observation.count) bytes, outcome \(rounds.outcome.count) bytes, "
                        + "\(reports.count) reports"
                )
            }
        }
        // Aggregation alone: decoded observations, 300 streams.
        let voices = try (0..<4).map { index in
            StreamsRound.Voice(
                observer: index,
                observation: try StreamsObservation(
                    encoded: rounds.observation(
                        StreamsSnapshot(
                            clockNanoseconds: rounds.time,
                            values: Dictionary(
                                uniqueKeysWithValues: (0..<300).map {
                                    (StreamID(100 + $0), World.quote(250_000 + g.below(100)))
                                })))))
        }
        var round = StreamsRound(configuration: rounds.configuration, previous: try rounds.state, voices: voices)
        let channels = rounds.configuration.channels(of: round.previous)
        for _ in 0..<count { timed("aggregate") { round.aggregate(channels) } }
        for (name, duration) in spent.sorted(by: { $0.key < $1.key }) {
            print("\(name): \(duration / count / 1_000) us of processor time a round")
        }
        #expect(round.next.aggregates.count >= 900)
    }
}
