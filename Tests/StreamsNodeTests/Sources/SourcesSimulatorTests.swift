// The simulated markets: equal for a seed, near each other for all oracles, closed and silent when they should be.

import Ethereum
import PriceStreams
import Testing
import TestSupport

@testable import StreamsNode

@Suite struct SourcesSimulatorTests {
    static let second: UInt64 = 1_000_000_000
    /// Friday 2026-11-27 15:00 UTC: New York is open, on a short day.
    static func open() throws -> UInt64 { UInt64(try SourcesMarketCalendarTests.utc("2026-11-27T15:00")) * second }
    static func weekend() throws -> UInt64 { UInt64(try SourcesMarketCalendarTests.utc("2026-11-28T15:00")) * second }

    static func values(_ simulator: MarketSimulator, at now: UInt64) -> [StreamID: StreamValue] {
        var found: [StreamID: StreamValue] = [:]
        for interval in simulator.intervals {
            for tick in simulator.ticks(every: interval, at: now) { found[tick.stream] = tick.value }
        }
        return found
    }

    @Test("one line serves every stream with a value of its kind that passes the panel")
    func oneLine() throws {
        let streams = try SourcesFixture.streams()
        let simulator = MarketSimulator(try SourcesFixture.simulator(), oracle: 0)
        let now = try Self.open()
        let values = Self.values(simulator, at: now)
        for stream in streams.streams {
            let value = try #require(values[stream.id], "\(stream.name)")
            var panel = SourcePanel(stream)
            let tick = SourceTick(stream: stream.id, value: value, madeAt: now, receivedAt: now)
            #expect(panel.take(tick, from: 0) == nil, "\(stream.name): \(value.text)")
            #expect(panel.value(at: now) == value, "\(stream.name)")
        }
        let navDate = try #require(values[StreamID(41)])
        // Thursday's value came out at 21:00 UTC.
        let published = UInt64(try SourcesMarketCalendarTests.utc("2026-11-26T21:00")) * 1_000
        #expect(navDate == .decimal(Decimal(published)))
        #expect(values[StreamID(43)] == .decimal(.zero))
        #expect(values[StreamID(21)] == .decimal(Decimal(2)))
        #expect(values[StreamID(35)] == .decimal(Decimal(2)))
        let eth = try #require(values[StreamID(10)]?.level)
        #expect(Decimal(1_000) < eth && eth < Decimal(9_000), "\(eth)")
        let cnh = try #require(values[StreamID(13)]?.level)
        #expect(SourcesFixture.decimal("0.1").level < cnh && cnh < SourcesFixture.decimal("0.2").level, "\(cnh)")
    }

    @Test("the same seed and time give the same ticks, in any order and after any restart")
    func deterministic() throws {
        var random = SplitMix64.forTest()
        let base = try Self.open()
        var settings = try SourcesFixture.simulator()
        for _ in 0..<200 {
            settings.seed = random.next()
            let one = MarketSimulator(settings, oracle: 2)
            let other = MarketSimulator(settings, oracle: 2)
            let now = base + random.next() % (400 * 86_400 * Self.second)
            _ = Self.values(other, at: now + 77 * Self.second)
            #expect(Self.values(one, at: now) == Self.values(other, at: now))
        }
        let one = MarketSimulator(try SourcesFixture.simulator(), oracle: 0)
        let other = MarketSimulator(try SourcesFixture.simulator("  - {kind: simulator, seed: 8}"), oracle: 0)
        // The planted fault: another seed must be another market.
        #expect(Self.values(one, at: base)[StreamID(10)] != Self.values(other, at: base)[StreamID(10)])
    }

    @Test("four oracles differ by their noise and never by more")
    func honestRange() throws {
        var random = SplitMix64.forTest()
        let settings = try SourcesFixture.simulator()
        let simulators = (0..<4).map { MarketSimulator(settings, oracle: $0) }
        let base = try Self.open()
        var isDifferent = false
        for _ in 0..<500 {
            let now = base + random.next() % (30 * 86_400 * Self.second)
            let all = simulators.map { Self.values($0, at: now) }
            for stream in [10, 11, 12, 13, 14, 30, 31].map({ StreamID($0) }) {
                let levels = all.compactMap { $0[stream]?.level }
                try #require(levels.count == 4)
                for level in levels {
                    // Twice the noise of 0.001 %, and a unit in the last of nine digits.
                    #expect(!level.differs(from: levels[0], byMoreThan: 20_200), "\(stream) \(levels)")
                    if level != levels[0] { isDifferent = true }
                }
            }
            for stream in [21, 35, 40, 41, 43].map({ StreamID($0) }) {
                #expect(Set(all.map { $0[stream] }).count == 1, "\(stream) must be equal everywhere")
            }
        }
        #expect(isDifferent, "noise that is not there")
    }

    @Test("quotes are ordered, prices positive, and no price leaves a factor of twenty in a year")
    func sane() throws {
        var random = SplitMix64.forTest()
        let yaml = """
              - kind: simulator
                seed: 3
                markets:
                  - {name: ETH/USD, volatility: "1000%", spread: "50%", jumpsPerDay: 1440, jumpSize: "50%"}
                  - {name: BTC/USD, start: 0.000000001, volatility: "300%"}
                  - {name: XAU/USD, start: 1000000000000, spread: none, volatility: none, jumpsPerDay: 0}
            """
        let simulator = MarketSimulator(try SourcesFixture.simulator(yaml), oracle: 1)
        let base = try Self.open()
        for _ in 0..<2_000 {
            let now = base + random.next() % (366 * 86_400 * Self.second)
            for (id, value) in Self.values(simulator, at: now) where ![21, 35, 43].contains(id.rawValue) {
                #expect(value.isPositive, "\(id) \(value.text)")
                if let quote = value.quote { #expect(quote.isOrdered, "\(id) \(value.text)") }
            }
            let gold = try #require(Self.values(simulator, at: now)[StreamID(14)]?.quote)
            #expect(gold.bid == gold.ask, "no spread was asked for")
            #expect(!gold.benchmark.differs(from: Decimal(1_000_000_000_000), byMoreThan: 10_100))
        }
    }

    @Test("steps of 50 ms vary as the volatility says, within a tenth")
    func volatility() throws {
        var random = SplitMix64.forTest()
        let walk = SeededWalk(SeededNoise(random.next()))
        let deviation = SeededWalk.deviation(volatility: 600_000_000)
        // 60 % a year is 23.9 millionths in 50 ms.
        #expect((23_000_000...25_000_000).contains(deviation), "\(deviation)")
        for apart: UInt64 in [1, 64, 4_096] {
            var sum = 0.0
            for _ in 0..<20_000 {
                let now = random.next() % (1 << 40) * 1_000_000
                let step = apart * SeededWalk.stepNanoseconds
                let change = Double(
                    walk.value(at: now + step, deviation: deviation) - walk.value(at: now, deviation: deviation))
                sum += change * change
            }
            let found = (sum / 20_000 / Double(apart)).squareRoot() / Double(deviation)
            #expect((0.9...1.1).contains(found), "\(apart) steps: \(found)")
        }
    }

    @Test("markets of one group move together, others do not")
    func correlation() throws {
        let simulator = MarketSimulator(
            try SourcesFixture.simulator(
                """
                  - kind: simulator
                    seed: 11
                    noise: none
                    markets:
                      - {name: ETH/USD, correlation: "90%", jumpsPerDay: 0}
                      - {name: BTC/USD, correlation: "90%", jumpsPerDay: 0}
                      - {name: XAU/USD, correlation: "90%", jumpsPerDay: 0}
                """), oracle: 0)
        var changes: [[Double]] = [[], [], []]
        let base = try Self.open()
        for step in 0..<3_000 {
            let now = base + UInt64(step) * 60 * Self.second
            let before = Self.values(simulator, at: now)
            let after = Self.values(simulator, at: now + 30 * Self.second)
            for (place, id) in [10, 11, 14].enumerated() {
                let from = Double(try #require(before[StreamID(UInt32(id))]?.level).description) ?? 0
                let to = Double(try #require(after[StreamID(UInt32(id))]?.level).description) ?? 0
                changes[place].append(to / from - 1)
            }
        }
        func correlation(_ a: [Double], _ b: [Double]) -> Double {
            let products = zip(a, b).map { $0 * $1 }.reduce(0, +)
            return products / (a.map { $0 * $0 }.reduce(0, +) * b.map { $0 * $0 }.reduce(0, +)).squareRoot()
        }
        let together = correlation(changes[0], changes[1])
        let apart = correlation(changes[0], changes[2])
        // 0.9 squared.
        #expect((0.75...0.87).contains(together), "\(together)")
        #expect((-0.1...0.1).contains(apart), "\(apart)")
    }

    @Test("a closed market repeats its last price under the time of its last trade and says that it is closed")
    func closed() throws {
        let simulator = MarketSimulator(try SourcesFixture.simulator(), oracle: 0)
        let now = try Self.weekend()
        let values = Self.values(simulator, at: now)
        #expect(values[StreamID(21)] == .decimal(Decimal(1)), "v8 says closed with 1")
        #expect(values[StreamID(35)] == .decimal(Decimal(5)), "v11 says closed with 5")
        let price = try #require(values[StreamID(20)]?.timestamped)
        // The short Friday ended at 13:00 in New York.
        let close = UInt64(try SourcesMarketCalendarTests.utc("2026-11-27T18:00")) * Self.second
        #expect(price.observedAtNanoseconds == close - Self.second)
        let later = try #require(Self.values(simulator, at: now + 3_600 * Self.second)[StreamID(20)]?.timestamped)
        #expect(later == price)
        let crypto = values[StreamID(10)]
        #expect(Self.values(simulator, at: now + 3_600 * Self.second)[StreamID(10)] != crypto, "crypto never sleeps")
    }

    @Test("an outage silences all but the status; one of an oracle alone leaves the others")
    func outages() throws {
        let yaml = """
              - kind: simulator
                markets:
                  - {name: SPY/USD, outagesPerDay: 2000, outageSeconds: 10}
                  - {name: ETH/USD, ownOutagesPerDay: 2000, outageSeconds: 10}
            """
        let settings = try SourcesFixture.simulator(yaml)
        let simulators = (0..<4).map { MarketSimulator(settings, oracle: $0) }
        let base = try Self.open()
        var out = (market: 0, own: 0, apart: 0)
        for slot in 0..<1_000 {
            let now = base + UInt64(slot) * 10 * Self.second
            let all = simulators.map { Self.values($0, at: now) }
            let silent = all.map { $0[StreamID(20)] == nil }
            #expect(Set(silent).count == 1, "the market's outage is everybody's")
            #expect(all.allSatisfy { $0[StreamID(21)] != nil }, "the status stays")
            if silent[0] { out.market += 1 }
            let own = all.map { $0[StreamID(10)] == nil }
            if own[0] { out.own += 1 }
            if Set(own).count == 2 { out.apart += 1 }
        }
        // 2000 of 8640 slots.
        #expect((180...280).contains(out.market), "\(out)")
        #expect((180...280).contains(out.own), "\(out)")
        #expect(out.apart > 300, "\(out)")
    }

    @Test("jumps come as often as they should, and stand out of the walk")
    func jumps() throws {
        let yaml = """
              - kind: simulator
                noise: none
                markets:
                  - {name: ETH/USD, volatility: none, jumpsPerDay: 144, jumpSize: "2%"}
            """
        let simulator = MarketSimulator(try SourcesFixture.simulator(yaml), oracle: 0)
        let base = try Self.open()
        var count = 0
        for minute in 1...1_440 {
            let edge = base + UInt64(minute) * 60 * Self.second
            let before = try #require(Self.values(simulator, at: edge - 50_000_000)[StreamID(10)]?.level)
            let after = try #require(Self.values(simulator, at: edge)[StreamID(10)]?.level)
            if after.differs(from: before, byMoreThan: 8_000_000) { count += 1 }
            #expect(!after.differs(from: before, byMoreThan: 32_000_000))
        }
        #expect((100...190).contains(count), "\(count)")
    }

    @Test("the square root and the exponential are exact to their last digit")
    func functions() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<10_000 {
            let value = random.next() >> UInt64(random.below(64))
            let root = squareRoot(value)
            #expect(root * root <= value)
            #expect((root + 1).multipliedReportingOverflow(by: root + 1).overflow || (root + 1) * (root + 1) > value)
        }
        #expect(squareRoot(.max) == 4_294_967_295)
        #expect(exponential(0) == 1_000_000_000_000)
        #expect(abs(exponential(1_000_000_000_000) - 2_718_281_828_459) < 20)
        #expect(abs(exponential(-1_000_000_000_000) - 367_879_441_171) < 20)
        #expect(exponential(.max) == exponential(3_000_000_000_000))
    }
}
