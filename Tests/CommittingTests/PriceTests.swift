// When prices are written: thresholds, heartbeats, medians, and what is under way.

import CCIP
import Ethereum
import OffchainReporting
import Testing

@testable import Committing

@Suite("Prices")
struct PriceTests {
    static let token = Address(truncating: U256(0x70))
    static let dollar = U256(1_000_000_000_000_000_000)
    static let percent: UInt64 = 10_000_000

    static func prices(
        gas: [GasPriceRule]? = nil, tokens: [TokenPriceRule]? = nil, perReport: Int = 64
    ) -> PriceConfiguration {
        PriceConfiguration(
            gas: gas ?? [
                GasPriceRule(chain: 101, executionDeviationPPB: percent, dataAvailabilityDeviationPPB: percent)
            ],
            gasHeartbeatSeconds: 1_200,
            tokens: tokens ?? [TokenPriceRule(token: token, deviationPPB: percent)], tokenHeartbeatSeconds: 7_200,
            feedChain: destinationChain, inflightTimeoutMilliseconds: 5_000, pricesPerReportMaximum: perReport)
    }

    /// The model's gas price: 2 gwei at 3,000 dollars.
    static let gasUSD = U256(2_000_000_000) * U256(3_000)

    private func world() -> World {
        var world = World(sources: 1)
        world.gasPrices[101] = TimestampedPrice(value: .zero, timestamp: 0)
        world.tokenPrices[Self.token] = TimestampedPrice(value: .zero, timestamp: 0)
        return world
    }

    private func snapshot(_ world: World, feed: U256 = dollar) -> CommitSnapshot {
        var snapshot = world.snapshot()
        snapshot.feedPrices[Self.token] = feed
        return snapshot
    }

    @Test("prices that were never written are, once, and not again while they are under way")
    func first() throws {
        var world = world()
        var rounds = Rounds(try world.configuration(prices: Self.prices()))
        #expect(try rounds.observer(0).hasWork(previousOutcome: [], snapshot: snapshot(world)))
        let views = { (world: World) in [CommitSnapshot?](repeating: self.snapshot(world), count: 4) }
        let report = try #require(try rounds.play(views(world)))
        #expect(report.prices.gas.map(\.destination) == [101])
        #expect(report.prices.gas.map(\.usdPerUnitGas.value) == [Self.gasUSD])
        #expect(report.prices.tokens.map(\.usdPerToken.value) == [Self.dollar])
        #expect(try rounds.play(views(world)) == nil)
        #expect(try !rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: snapshot(world)))
        let needs = try rounds.observer(0).needs(previousOutcome: rounds.outcome)
        #expect(!needs.readsPrices && needs.readsPriceSequenceNumber)
        try world.commit(report.encoded, sequenceNumber: 1, digest: world.digest)
        #expect(try rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: snapshot(world)))
        #expect(try rounds.play(views(world)) == nil)
        #expect(rounds.has(.pricesTransmitted))
        #expect(try rounds.play(views(world)) == nil, "as stored: nothing to write")
        #expect(try !rounds.observer(0).hasWork(previousOutcome: rounds.outcome, snapshot: snapshot(world)))
    }

    @Test("prices that never land are given up by agreed time and written again")
    func givenUp() throws {
        var world = world()
        var rounds = Rounds(try world.configuration(prices: Self.prices()))
        let views = { (world: World) in [CommitSnapshot?](repeating: self.snapshot(world), count: 4) }
        #expect(try rounds.play(views(world)) != nil)
        world.now += 4_999
        #expect(try rounds.play(views(world)) == nil)
        world.now += 1
        #expect(try rounds.play(views(world)) == nil)
        #expect(rounds.has(.pricesGivenUp))
        #expect(try rounds.play(views(world))?.prices.gas.count == 1)
    }

    /// (stored as parts of a thousand of the fresh price, seconds since written, due)
    static let rules: [(UInt64, UInt64, Bool)] = [
        (1_000, 0, false), (1_009, 0, false), (1_011, 0, true), (991, 0, false), (989, 0, true),
        (1_000, 1_200, false), (1_000, 1_201, true), (0, 0, true),
    ]

    @Test("a gas price is written past its deviation or its heartbeat", arguments: rules)
    func gasRule(stored: UInt64, age: UInt64, isDue: Bool) throws {
        var world = world()
        let value = try #require(UInt224(Self.gasUSD * U256(stored) / 1_000))
        world.gasPrices[101] = TimestampedPrice(value: value, timestamp: UInt32(world.now / 1_000 - age))
        var rounds = Rounds(try world.configuration(prices: Self.prices(tokens: [])))
        #expect(try rounds.observer(2).hasWork(previousOutcome: [], snapshot: world.snapshot()) == isDue)
        #expect(try (rounds.play(world) != nil) == isDue)
    }

    @Test("a token price is written past its deviation or its heartbeat", arguments: rules)
    func tokenRule(stored: UInt64, age: UInt64, isDue: Bool) throws {
        var world = world()
        let value = try #require(UInt224(Self.dollar * U256(stored) / 1_000))
        world.tokenPrices[Self.token] = TimestampedPrice(
            value: value, timestamp: UInt32(world.now / 1_000 - age * 6))
        var rounds = Rounds(try world.configuration(prices: Self.prices(gas: [])))
        let report = try rounds.play([CommitSnapshot?](repeating: snapshot(world), count: 4))
        #expect((report != nil) == isDue)
    }

    @Test("with its deviation disabled only the heartbeat writes a gas price")
    func deviationDisabled() throws {
        var world = world()
        world.gasPrices[101] = TimestampedPrice(value: UInt224(1), timestamp: UInt32(world.now / 1_000))
        let rule = GasPriceRule(
            chain: 101, executionDeviationPPB: 1, dataAvailabilityDeviationPPB: 1, isDeviationDisabled: true)
        var rounds = Rounds(try world.configuration(prices: Self.prices(gas: [rule], tokens: [])))
        #expect(try rounds.play(world) == nil)
        world.now += 1_201_000
        #expect(try rounds.play(world)?.prices.gas.count == 1)
    }

    @Test("both halves of a gas price count, each with its own threshold")
    func dataAvailability() throws {
        let rule = GasPriceRule(
            chain: 101, executionDeviationPPB: 1_000_000_000, dataAvailabilityDeviationPPB: Self.percent)
        var world = world()
        let packed = try PackedGasPrice(execution: Self.gasUSD, dataAvailability: 1_000).packed
        world.gasPrices[101] = TimestampedPrice(value: packed, timestamp: UInt32(world.now / 1_000))
        for (fee, isDue) in [(U256(1_000), false), (U256(1_100), true)] {
            var snapshot = world.snapshot()
            // One dollar for the native coin, so that the two numbers are the same in dollars.
            snapshot.sources[101]?.nativePrice = Self.dollar
            snapshot.sources[101]?.fees = FeeComponents(execution: Self.gasUSD, dataAvailability: fee)
            var rounds = Rounds(try world.configuration(prices: Self.prices(gas: [rule], tokens: [])))
            let report = try rounds.play([CommitSnapshot?](repeating: snapshot, count: 4))
            #expect((report != nil) == isDue)
            if let update = report?.prices.gas.first {
                #expect(PackedGasPrice(update.usdPerUnitGas).dataAvailability == fee)
            }
        }
    }

    @Test("one liar moves no price past what honest oracles say", arguments: 0..<6)
    func liar(kind: Int) throws {
        var world = world()
        let packed = try #require(UInt224(Self.gasUSD))
        let seconds = UInt32(world.now / 1_000)
        world.gasPrices[101] = TimestampedPrice(value: packed, timestamp: seconds)
        world.tokenPrices[Self.token] = TimestampedPrice(value: try #require(UInt224(Self.dollar)), timestamp: seconds)
        for liar in 0..<4 {
            var rounds = Rounds(try world.configuration(prices: Self.prices()))
            let report = try rounds.play([CommitSnapshot?](repeating: snapshot(world), count: 4)) { index, value in
                guard index == liar else { return }
                switch kind {
                case 0: value.gas[0].execution = (U256.one << 112) &- 1
                case 1: value.gas[0].nativePrice = 1
                case 2: value.feeds[0].price = U256.one << 200
                case 3: value.storedGas[0].price.timestamp = 0
                case 4: value.storedTokens[0].price.timestamp = 1
                default: value.timestamp += 10_000_000_000
                }
            }
            #expect(report == nil, "kind \(kind), oracle \(liar)")
        }
    }

    @Test("a price that does not fit is refused in an observation and never sent", arguments: 0..<4)
    func tooLarge(kind: Int) throws {
        let world = world()
        let rounds = Rounds(try world.configuration(prices: Self.prices()))
        var snapshot = snapshot(world)
        switch kind {
        case 0: snapshot.sources[101]?.fees?.execution = U256.one << 112
        case 1: snapshot.sources[101]?.fees?.dataAvailability = U256.one << 112
        case 2: snapshot.sources[101]?.nativePrice = U256.one << 224
        default: snapshot.feedPrices[Self.token] = U256.one << 224
        }
        let (observation, notes) = try rounds.observer(0).observe(previousOutcome: [], snapshot: snapshot)
        #expect(notes.contains { $0.kind == .valueOutOfBounds })
        #expect(observation.gas.isEmpty == (kind < 3) && observation.feeds.isEmpty == (kind == 3))
        var forced = try rounds.observe(0, self.snapshot(world))
        if kind == 0 { forced.gas[0].execution = U256.one << 112 }
        if kind == 1 { forced.gas[0].dataAvailability = U256.one << 112 }
        if kind == 2 { forced.gas[0].nativePrice = U256.one << 224 }
        if kind == 3 { forced.feeds[0].price = U256.one << 224 }
        #expect(throws: CommittingError.self) {
            try ObservationRules(configuration: rounds.configuration).check(forced, by: 0, after: .initial)
        }
    }

    @Test("a product of medians that does not fit is left out, and the round goes on")
    func productTooLarge() throws {
        var world = world()
        try world.send(1)
        var rounds = Rounds(try world.configuration(prices: Self.prices()))
        var snapshot = snapshot(world)
        snapshot.sources[101]?.fees?.execution = (U256.one << 112) &- 1
        let report = try rounds.play([CommitSnapshot?](repeating: snapshot, count: 4))
        #expect(rounds.has(.priceTooLarge))
        #expect(report?.prices.gas.isEmpty == true && report?.unblessed.count == 1)
    }

    @Test("who does not know the stored price does not replace it")
    func storedUnknown() throws {
        var world = world()
        world.gasPrices = [:]
        world.tokenPrices = [:]
        var rounds = Rounds(try world.configuration(prices: Self.prices()))
        #expect(try rounds.play([CommitSnapshot?](repeating: snapshot(world), count: 4)) == nil)
    }

    @Test("prices past the size of a report follow in the next one")
    func perReport() throws {
        var world = world()
        let tokens = (1...5).map { Address(truncating: U256(UInt64($0))) }
        for token in tokens { world.tokenPrices[token] = TimestampedPrice(value: .zero, timestamp: 0) }
        let rules = tokens.map { TokenPriceRule(token: $0, deviationPPB: Self.percent) }
        var rounds = Rounds(try world.configuration(prices: Self.prices(tokens: rules, perReport: 3)))
        var written: [Address] = []
        for _ in 0..<12 {
            var snapshot = world.snapshot()
            for token in tokens { snapshot.feedPrices[token] = Self.dollar }
            guard let report = try rounds.play([CommitSnapshot?](repeating: snapshot, count: 4)) else { continue }
            #expect(report.prices.gas.count + report.prices.tokens.count <= 3)
            written += report.prices.tokens.map(\.token)
            try world.commit(report.encoded, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
        }
        #expect(written == tokens)
    }

    @Test("prices and roots travel in one report, and prices go on under a cursed source")
    func together() throws {
        var world = world()
        try world.send(1)
        var rounds = Rounds(try world.configuration(prices: Self.prices()))
        let report = try rounds.play([CommitSnapshot?](repeating: snapshot(world), count: 4))
        #expect(report?.unblessed.count == 1 && report?.prices.gas.count == 1)
        world.curses = [ChainSelector(101).curseSubject]
        var cursed = Rounds(try world.configuration(prices: Self.prices()))
        let other = try cursed.play([CommitSnapshot?](repeating: snapshot(world), count: 4))
        #expect(other?.unblessed.isEmpty == true && other?.prices.gas.count == 1)
    }

    @Test(
        "deviation at its edges",
        arguments: [
            (0, 0, false), (0, 1, true), (1, 0, true), (1_000_000_000, 1_000_000_001, false),
            (1_000_000_000, 1_000_000_002, true), (1_000_000_002, 1_000_000_000, true),
        ] as [(UInt64, UInt64, Bool)])
    func deviation(a: UInt64, b: UInt64, deviates: Bool) {
        #expect(PriceDeviation.deviates(U256(a), U256(b), partsPerBillion: 1) == deviates)
    }

    // MARK: The clock of the chain

    /// (seconds that the chain's clock is ahead of the oracles', seconds since the price was written by the chain's clock)
    static let clocks: [(Int64, UInt64, Bool)] = [-315_360_000, -3_600, 0, 3_600, 315_360_000].flatMap { ahead in
        [(ahead, UInt64(0), false), (ahead, 1_200, false), (ahead, 1_201, true), (ahead, 100_000, true)]
    }

    @Test("a heartbeat goes by the chain's clock, whatever the oracles' says", arguments: clocks)
    func heartbeat(ahead: Int64, age: UInt64, isDue: Bool) throws {
        var world = world()
        world.chainAhead = ahead
        let value = try #require(UInt224(Self.gasUSD))
        world.gasPrices[101] = TimestampedPrice(value: value, timestamp: UInt32(world.blockTime - age))
        var rounds = Rounds(try world.configuration(prices: Self.prices(tokens: [])))
        #expect(try rounds.observer(2).hasWork(previousOutcome: [], snapshot: world.snapshot()) == isDue)
        let report = try rounds.play(world)
        #expect((report != nil) == isDue)
        guard let report else { return }
        // Written once, and not again in the rounds that follow.
        try world.commit(report.encoded, sequenceNumber: 1, digest: world.digest)
        for _ in 0..<3 { #expect(try rounds.play(world) == nil) }
    }

    @Test("without an agreed block time no heartbeat fires, and one liar does not move it")
    func blockTimeAgreement() throws {
        var world = world()
        let value = try #require(UInt224(Self.gasUSD))
        world.gasPrices[101] = TimestampedPrice(value: value, timestamp: UInt32(world.blockTime))
        let snapshots = [CommitSnapshot?](repeating: world.snapshot(), count: 4)
        for time in [UInt64(1), 1 << 39] {
            var rounds = Rounds(try world.configuration(prices: Self.prices(tokens: [])))
            #expect(try rounds.play(snapshots) { index, value in if index == 1 { value.destinationTime = time } } == nil)
        }
        world.gasPrices[101]?.timestamp -= 2_000
        let old = [CommitSnapshot?](repeating: world.snapshot(), count: 4)
        var rounds = Rounds(try world.configuration(prices: Self.prices(tokens: [])))
        #expect(try rounds.play(old) { index, value in if index < 2 { value.destinationTime = nil } } == nil)
        #expect(try rounds.play(old) != nil)
    }

    // MARK: Prices that do not land

    @Test("an OffRamp that may not write prices loses no root: prices go alone, with growing pauses")
    func trouble() throws {
        var world = world()
        world.takesPrices = false
        var rounds = Rounds(try world.configuration(prices: Self.prices(tokens: []), timeout: 5_000))
        var attempts: [UInt64] = []
        var alone = 0
        for step in 0..<1_200 {
            if step % 20 == 0 { try world.send(1) }
            world.now += 1_000
            try rounds.play(world)
            for report in rounds.lastReports {
                let commit = try CommitReport(encoded: report.bytes)
                if !commit.prices.isEmpty {
                    attempts.append(world.now)
                    if commit.roots.isEmpty { alone += 1 }
                }
                try? world.commit(report.bytes, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
            }
        }
        #expect(world.isEverythingCommitted && world.violations.isEmpty)
        // Only the very first attempt may have taken a root with it.
        #expect(alone >= attempts.count - 1)
        #expect((4...12).contains(attempts.count), "\(attempts.count) attempts in 20 minutes")
        let gaps = zip(attempts, attempts.dropFirst()).map { $1 - $0 }
        #expect(zip(gaps, gaps.dropFirst()).allSatisfy { $1 + 3_000 >= $0 }, "pauses grow: \(gaps)")
        // Mended: one more report, and prices travel with roots again.
        world.takesPrices = true
        world.now += 400_000
        for _ in 0..<12 {
            world.now += 1_000
            try rounds.play(world)
            for report in rounds.lastReports {
                try world.commit(report.bytes, sequenceNumber: rounds.sequenceNumber, digest: world.digest)
            }
        }
        #expect(world.gasPrices[101]?.timestamp ?? 0 > 0)
        #expect(try rounds.state.priceTrouble == nil)
    }

    @Test("with prices switched off none is observed")
    func off() throws {
        let world = world()
        let rounds = Rounds(try world.configuration(prices: nil))
        let observation = try rounds.observe(0, world.snapshot())
        #expect(observation.gas.isEmpty && observation.storedGas.isEmpty && observation.destinationTime == nil)
        #expect(try !rounds.observer(0).hasWork(previousOutcome: [], snapshot: world.snapshot()))
    }
}
