// The aggregators against the vectors, and the corrections of their weak spots.

import Ethereum
import TestSupport
import Testing

@testable import PriceStreams

extension JSON {
    func streamValue() throws -> StreamValue {
        if let text = asString { return .decimal(try Decimal(text: text)) }
        if let parts = self["quote"]?.asArray {
            let numbers = try parts.map { try Decimal(text: try #require($0.asString)) }
            return .quote(StreamQuote(bid: numbers[0], benchmark: numbers[1], ask: numbers[2]))
        }
        let time = self["ts"] == nil ? "observedAtNanoseconds" : "ts"
        let value = self["v"] == nil ? "value" : "v"
        return .timestamped(
            TimestampedDecimal(observedAtNanoseconds: try u64(time), value: try Decimal(text: text(value))))
    }
}

@Suite("Aggregators against the vectors")
struct AggregationVectorTests {
    static func aggregate(
        _ values: [StreamValue], _ aggregator: Aggregator, faulty: Int, minObservations: Int?, clock: UInt64 = 1_000
    ) -> Result<StreamValue, AggregationFailure> {
        var aggregation = Aggregation(faulty: faulty, clockNanoseconds: clock)
        let rule = StreamRule(streamID: StreamID(1), minObservations: minObservations)
        return aggregation.aggregate(values, by: aggregator, rule: rule)
    }

    @Test("15 cases give upstream's result with F+1 observations, in any order; with 2F+1 ours or none")
    func aggregators() throws {
        let vectors = try StreamsVector.list("aggregators")
        #expect(vectors.count == 15)
        var (results, withheld) = (0, 0)
        for vector in vectors {
            let aggregator = try #require(Aggregator(name: try vector.text("aggregator")))
            let faulty = try vector.int("f")
            let values = try vector.items("values").map { try $0.streamValue() }
            let expected = try vector["result"].map { try $0.streamValue() }
            for order in [values, values.reversed()] {
                let found = Self.aggregate(order, aggregator, faulty: faulty, minObservations: faulty + 1)
                #expect((try? found.get()) == expected, "\(vector)")
            }
            results += expected == nil ? 0 : 1
            let ours = Self.aggregate(values, aggregator, faulty: faulty, minObservations: nil)
            if values.count >= 2 * faulty + 1, aggregator != .quote {
                #expect((try? ours.get()) == expected, "\(vector)")
            } else if case .failure(let failure) = ours, expected != nil {
                #expect(failure == .tooFewObservations && aggregator != .mode)
                withheld += 1
            }
        }
        #expect(results == 11 && withheld == 2)
    }

    @Test("the median of an even number of clocks is the upper middle")
    func clocks() throws {
        let vectors = try StreamsVector.list("observationTimestampMedian")
        #expect(vectors.count == 2)
        for vector in vectors {
            var clocks = try vector.items("timestamps").map { try #require($0.asUInt64) }
            #expect(try upperMedian(&clocks) == vector.u64("median"))
        }
    }
}

@Suite("Aggregation")
struct AggregationTests {
    static func number(_ value: Int) -> StreamValue { .decimal(Decimal(value)) }
    static func stamped(_ time: UInt64, _ value: Int) -> StreamValue {
        .timestamped(TimestampedDecimal(observedAtNanoseconds: time, value: Decimal(value)))
    }

    @Test("two observations of four let one liar set the price under upstream's rule, and give none under ours")
    func pushedByOne() {
        let values = [Self.number(100), Self.number(1_000_000)]
        let upstream = AggregationVectorTests.aggregate(values, .median, faulty: 1, minObservations: 2)
        #expect(upstream == .success(Self.number(1_000_000)))
        let ours = AggregationVectorTests.aggregate(values, .median, faulty: 1, minObservations: nil)
        #expect(ours == .failure(.tooFewObservations))
    }

    @Test("a timestamp may run ahead of the round's clock by two seconds, not by a nanosecond more")
    func future() {
        let clock: UInt64 = 1_000_000_000_000
        for (ahead, counts) in [(2_000_000_000 as UInt64, true), (2_000_000_001, false), (.max - clock, false)] {
            let values = [Self.stamped(clock, 1), Self.stamped(clock, 2), Self.stamped(clock + ahead, 3)]
            let found = AggregationVectorTests.aggregate(
                values, .median, faulty: 1, minObservations: nil, clock: clock)
            #expect(found == (counts ? .success(Self.stamped(clock, 2)) : .failure(.tooFewObservations)))
        }
    }

    @Test("values at or below zero are not used where only positive ones make sense")
    func positiveOnly() {
        var aggregation = Aggregation(faulty: 1, clockNanoseconds: 0)
        let rule = StreamRule(streamID: StreamID(1), positiveOnly: true)
        let quote = StreamQuote(bid: .zero, benchmark: .one, ask: .one)
        for bad in [Self.number(0), Self.number(-5), .quote(quote), Self.stamped(0, 0)] {
            let three = [Self.number(1), Self.number(2), bad]
            #expect(aggregation.aggregate(three, by: .median, rule: rule) == .failure(.tooFewObservations))
            let four = three + [Self.number(3)]
            #expect(aggregation.aggregate(four, by: .median, rule: rule) == .success(Self.number(2)))
        }
        let all = (0..<4).map { _ in Self.number(0) }
        #expect(aggregation.aggregate(all, by: .mode, rule: rule) == .failure(.tooFewObservations))
    }

    @Test("votes for 1.0 and 1.00 are votes for one value")
    func modeOfNumbers() throws {
        let values: [StreamValue] = [
            .decimal(try Decimal(text: "1.0")), .decimal(try Decimal(text: "1.00")), Self.number(2),
        ]
        #expect(
            AggregationVectorTests.aggregate(values, .mode, faulty: 1, minObservations: nil) == .success(Self.number(1))
        )
    }

    @Test("rules have one encoding, which names everything that changes a result")
    func rules() throws {
        let rules = try StreamRules([
            StreamRule(
                streamID: StreamID(9), positiveOnly: true, jumpLimit: 100_000_000, minObservations: 2, carries: false),
            StreamRule(streamID: StreamID(3)),
        ])
        #expect(try StreamRules(encoded: rules.encoded) == rules)
        #expect(
            rules.rule(of: StreamID(9)).positiveOnly && rules.rule(of: StreamID(4)) == StreamRule(streamID: StreamID(4))
        )
        let base = StreamRule(streamID: StreamID(1))
        var variants = [base, base, base, base, base]
        variants[1].positiveOnly = true
        variants[2].jumpLimit = 1
        variants[3].minObservations = 3
        variants[4].carries = false
        #expect(Set(try variants.map { try StreamRules([$0]).encoded }).count == 5)
        #expect(throws: PriceStreamsError.self) { try StreamRules([base, base]) }
        for length in 0..<rules.encoded.count {
            #expect(throws: PriceStreamsError.self) { try StreamRules(encoded: Bytes(rules.encoded.prefix(length))) }
        }
    }
}

@Suite("Expressions")
struct ExpressionTests {
    static func value(_ text: String) throws -> String? {
        let quote = StreamQuote(bid: Decimal(9), benchmark: Decimal(10), ask: Decimal(12))
        let values: [StreamID: StreamValue] = [
            StreamID(1): .decimal(Decimal(4)), StreamID(2): .decimal(try Decimal(text: "-0.5")),
            StreamID(3): .quote(quote),
            StreamID(4): .timestamped(
                TimestampedDecimal(observedAtNanoseconds: 1_767_225_600_000_000_001, value: .one)),
        ]
        return try Expression(text).value { values[$0] }?.description
    }

    @Test(
        "functions of numbers, sides and times",
        arguments: [
            ("s1", "4"), ("7", "7"), ("-0.25", "-0.25"), ("Add(s1, s2)", "3.5"), ("Sub(s2,s1)", "-4.5"),
            ("Mul(s1,s1)", "16"),
            ("Div(1,3)", "0.333333333333333333333333333333"), ("Div(Add(s3_bid,s3_ask),2)", "10.5"),
            ("s3_benchmark", "10"),
            ("Min(s1,s2,3)", "-0.5"), ("Max(s1)", "4"), ("Avg(1,2,3,4)", "2.5"), ("Sum(1,2,3)", "6"),
            ("Abs(s2)", "0.5"),
            ("s4_timestamp", "1767225600000000001"), (" Abs( Sub( Mul(2,3), 10 ) ) ", "4"), ("s3", "10"),
        ])
    func values(text: String, expected: String) throws { #expect(try Self.value(text) == expected) }

    @Test(
        "a missing input, a wrong part, a division by zero have no value",
        arguments: [
            "s99", "s1_bid", "s3_timestamp", "Div(s1,0)", "Add(s1,s99)", "Mul(1e900,1e900)",
        ])
    func none(text: String) throws { #expect(try Self.value(text) == nil) }

    @Test(
        "what is no expression is refused",
        arguments: [
            "", "s", "sx", "s1_mid", "s1 s2", "Add", "Add(", "Add(1", "Add(1,", "Add(1)", "Add(1,2,3)", "Abs(1,2)",
            "Min()", "Pow(1,2)",
            "1+2", "(1)", "Add(1,2))", "s4294967296", "add(1,2)", ",", "Add(1,,2)",
            String(repeating: "Abs(", count: 300),
        ])
    func bad(text: String) { #expect(throws: PriceStreamsError.self, "\(text)") { try Expression(text) } }

    @Test("nesting costs no stack: a hundred calls are read, more steps than the limit are not")
    func deep() throws {
        let deep = String(repeating: "Abs(", count: 100) + "-1" + String(repeating: ")", count: 100)
        #expect(try Self.value(deep) == "1")
        let long = "Sum(" + Array(repeating: "1", count: 128).joined(separator: ",") + ")"
        #expect(throws: PriceStreamsError.self) { try Expression(long) }
    }
}
