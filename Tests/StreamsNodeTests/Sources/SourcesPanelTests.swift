// What a panel takes and what it makes of it: age, clocks, sign, order, deviation, majority.

import Ethereum
import PriceStreams
import Testing
import TestSupport

@testable import StreamsNode

@Suite struct SourcesPanelTests {
    private static let second: UInt64 = 1_000_000_000
    private static let now: UInt64 = 1_800_000_000 * second

    private static func tick(
        _ value: StreamValue, made: Int64? = nil, received: Int64 = 0
    ) -> SourceTick {
        func time(_ milliseconds: Int64) -> UInt64 { UInt64(Int64(now) + milliseconds * 1_000_000) }
        return SourceTick(
            stream: StreamID(7), value: value, madeAt: made.map(time), receivedAt: time(received))
    }

    private static func quote(_ bid: String, _ benchmark: String, _ ask: String) -> StreamValue {
        func number(_ text: String) -> Decimal { SourcesFixture.decimal(text).level }
        return .quote(StreamQuote(bid: number(bid), benchmark: number(benchmark), ask: number(ask)))
    }

    private static func stamped(_ value: String, _ milliseconds: Int64) -> StreamValue {
        let time = UInt64(Int64(now) + milliseconds * 1_000_000)
        return .timestamped(TimestampedDecimal(observedAtNanoseconds: time, value: SourcesFixture.decimal(value).level))
    }

    @Test("a tick of the wrong kind, sign, order or time is refused by its name, and the last good one stays")
    func refusals() {
        let good = SourcesFixture.decimal("100")
        var panel = SourcePanel(SourcesFixture.stream())
        #expect(panel.take(Self.tick(good, made: -100), from: 0) == nil)
        #expect(panel.take(Self.tick(Self.quote("1", "2", "3")), from: 0) == .wrongKind)
        #expect(panel.take(Self.tick(SourcesFixture.decimal("0")), from: 0) == .nonPositive)
        #expect(panel.take(Self.tick(SourcesFixture.decimal("-1")), from: 0) == .nonPositive)
        #expect(panel.take(Self.tick(SourcesFixture.decimal("101"), made: 2_001), from: 0) == .clockAhead)
        #expect(panel.take(Self.tick(SourcesFixture.decimal("101"), made: -101), from: 0) == .outOfOrder)
        #expect(panel.value(at: Self.now) == good)
        #expect(
            panel.refused == [.wrongKind: 1, .nonPositive: 2, .clockAhead: 1, .outOfOrder: 1])
        #expect(panel.take(Self.tick(SourcesFixture.decimal("102"), made: 2_000), from: 0) == nil)

        var quotes = SourcePanel(SourcesFixture.stream(.quote))
        #expect(quotes.take(Self.tick(Self.quote("100", "99", "101")), from: 0) == .crossedQuote)
        #expect(quotes.take(Self.tick(Self.quote("0", "1", "2")), from: 0) == .nonPositive)
        #expect(quotes.take(Self.tick(Self.quote("1", "1", "1")), from: 0) == nil)

        var stamped = SourcePanel(SourcesFixture.stream(.timestamped, .equity))
        #expect(stamped.take(Self.tick(Self.stamped("5", 2_001)), from: 0) == .clockAhead)
        #expect(stamped.take(Self.tick(Self.stamped("5", 2_000)), from: 0) == nil)

        var number = SourcePanel(SourcesFixture.stream(.decimal, .number))
        #expect(number.take(Self.tick(SourcesFixture.decimal("-1")), from: 0) == nil, "no rule forbids it")
    }

    @Test("a value is used up to its age and not a nanosecond longer", arguments: StreamClass.allCases)
    func age(_ streamClass: StreamClass) {
        let stream = SourcesFixture.stream(.decimal, streamClass)
        for made in [Int64?.none, 0, 1_500] {
            var panel = SourcePanel(stream)
            #expect(panel.take(Self.tick(SourcesFixture.decimal("1"), made: made), from: 0) == nil)
            let limit = Self.now + stream.sourceAgeMaximum
            #expect(panel.value(at: limit) != nil)
            #expect(panel.value(at: limit + 1) == nil)
            #expect(panel.lastRefusal == .stale)
        }
        // The source's own time counts when it is older than its arrival: a cache must not look fresh.
        var panel = SourcePanel(stream)
        #expect(panel.take(Self.tick(SourcesFixture.decimal("1"), made: -1_000), from: 0) == nil)
        #expect(panel.value(at: Self.now + stream.sourceAgeMaximum - Self.second + 1) == nil)
    }

    @Test("a timestamped value keeps its own old time while its source speaks, and goes when the source falls silent")
    func timestamped() {
        let stream = SourcesFixture.stream(.timestamped, .equity)
        var panel = SourcePanel(stream)
        let friday = Self.stamped("5", -60 * 3_600_000)
        #expect(panel.take(Self.tick(friday), from: 0) == nil)
        #expect(panel.value(at: Self.now + 10 * Self.second) == friday)
        #expect(panel.value(at: Self.now + 10 * Self.second + 1) == nil)
        // With three sources the value and the time are one source's.
        #expect(panel.take(Self.tick(Self.stamped("5.01", -1_000)), from: 1) == nil)
        #expect(panel.take(Self.tick(Self.stamped("4.99", -2_000)), from: 2) == nil)
        #expect(panel.value(at: Self.now) == friday)
    }

    @Test("our own clock set back by an hour makes old ticks stale at once")
    func ownClock() {
        var panel = SourcePanel(SourcesFixture.stream())
        #expect(panel.take(Self.tick(SourcesFixture.decimal("1")), from: 0) == nil)
        #expect(panel.value(at: Self.now - 3_600 * Self.second) == nil)
        #expect(panel.value(at: Self.now - Self.second) != nil)
    }

    @Test("a tick from before is taken once the newer one is too old to be used")
    func reorderedAfterStale() {
        var panel = SourcePanel(SourcesFixture.stream())
        #expect(panel.take(Self.tick(SourcesFixture.decimal("1"), made: 0), from: 0) == nil)
        #expect(panel.take(Self.tick(SourcesFixture.decimal("2"), made: -500, received: 1_000), from: 0) == .outOfOrder)
        #expect(panel.take(Self.tick(SourcesFixture.decimal("2"), made: -500, received: 2_001), from: 0) == nil)
    }

    @Test("one source that deviates is left out, two that contradict each other are not believed")
    func deviation() {
        func panel(_ values: [String]) -> SourcePanel {
            var panel = SourcePanel(SourcesFixture.stream())
            for (source, value) in values.enumerated() {
                #expect(panel.take(Self.tick(SourcesFixture.decimal(value)), from: source) == nil)
            }
            return panel
        }
        #expect(panel(["100", "100.5", "1"]).verdict(at: Self.now).value == SourcesFixture.decimal("100.5"))
        #expect(panel(["100", "100.5", "1"]).verdict(at: Self.now).reason == .deviates)
        // Wrong units: cents for dollars.
        #expect(panel(["100", "10000", "101"]).verdict(at: Self.now).sourcesInUse == 2)
        #expect(panel(["100", "103"]).verdict(at: Self.now).value == SourcesFixture.decimal("103"))
        #expect(panel(["100", "104"]).verdict(at: Self.now) == .init(value: nil, sourcesInUse: 0, ageNanoseconds: 0, reason: .sourcesDisagree))
        #expect(panel(["100", "100", "110", "110"]).verdict(at: Self.now).reason == .sourcesDisagree)
        #expect(panel(["100"]).verdict(at: Self.now).value != nil)
    }

    @Test("too few sources give no value")
    func minimum() {
        var panel = SourcePanel(SourcesFixture.stream(minimum: 3))
        #expect(panel.value(at: Self.now) == nil)
        #expect(panel.lastRefusal == .noSource)
        for source in 0..<2 { _ = panel.take(Self.tick(SourcesFixture.decimal("100")), from: source) }
        #expect(panel.value(at: Self.now) == nil)
        #expect(panel.lastRefusal == .tooFewSources)
        _ = panel.take(Self.tick(SourcesFixture.decimal("200")), from: 2)
        #expect(panel.value(at: Self.now) == nil)
        #expect(panel.lastRefusal == .deviates, "the third is no source of this price")
        _ = panel.take(Self.tick(SourcesFixture.decimal("100")), from: 2)
        #expect(panel.value(at: Self.now) != nil)
    }

    @Test("a market status of which nothing is known is unknown; another mode has no value then")
    func status() {
        let stream = SourcesFixture.stream(.decimal, .status, aggregator: .mode)
        var status = SourcePanel(stream, tellsUnknown: true)
        var ripcord = SourcePanel(stream)
        #expect(status.value(at: Self.now) == .decimal(.zero))
        #expect(ripcord.value(at: Self.now) == nil)
        for (source, value) in ["2", "1"].enumerated() {
            _ = status.take(Self.tick(SourcesFixture.decimal(value)), from: source)
            _ = ripcord.take(Self.tick(SourcesFixture.decimal(value)), from: source)
        }
        #expect(status.value(at: Self.now) == .decimal(.zero))
        #expect(status.lastRefusal == .sourcesDisagree)
        #expect(ripcord.value(at: Self.now) == nil)
        _ = status.take(Self.tick(SourcesFixture.decimal("2")), from: 2)
        #expect(status.value(at: Self.now) == SourcesFixture.decimal("2"))
        #expect(status.value(at: Self.now + 31 * Self.second) == .decimal(.zero))
    }

    @Test("fewer than half lying sources never move the value out of the range of the honest, over thousands of seeds")
    func liars() {
        var random = SplitMix64.forTest()
        for _ in 0..<5_000 {
            let count = 1 + random.below(15)
            let liars = random.below((count + 1) / 2)
            var panel = SourcePanel(SourcesFixture.stream(.quote))
            var honest: [Decimal] = []
            for source in 0..<count {
                let isLiar = source < liars
                let price = isLiar ? 1 + random.below(1_000_000_000) : 1_000_000 + random.below(10_000)
                if !isLiar { honest.append(Decimal(price)) }
                let spread = isLiar ? random.below(price) : 10
                let value = StreamValue.quote(
                    StreamQuote(
                        bid: Decimal(max(1, price - spread)), benchmark: Decimal(price), ask: Decimal(price + spread)))
                _ = panel.take(Self.tick(value), from: source)
            }
            guard let quote = panel.value(at: Self.now)?.quote else {
                Issue.record("no value of \(count) sources with \(liars) liars, seed \(random.seed)")
                continue
            }
            #expect(quote.isOrdered)
            #expect((honest.min() ?? .zero) <= quote.benchmark && quote.benchmark <= (honest.max() ?? .zero))
        }
    }

    @Test("the planted fault: without the majority rule two liars of four would set the price")
    func planted() {
        var panel = SourcePanel(SourcesFixture.stream())
        for (source, value) in ["100", "100.1", "150", "150.1"].enumerated() {
            _ = panel.take(Self.tick(SourcesFixture.decimal(value)), from: source)
        }
        // The upper middle is a liar's 150: a rule that only drops what is far from it would observe 150.1.
        #expect(panel.verdict(at: Self.now).value == nil)
    }
}
