// Canonical bytes: one value has one encoding, everything else is refused, and the largest values fit their limits.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Committing

@Suite("Canonical encoding")
struct EncodingTests {
    private func samples() throws -> (observations: [CommitObservation], outcomes: [CommitOutcome]) {
        var world = World(sources: 3, blessed: [2])
        try world.send(5, on: 0)
        try world.send(2, on: 1)
        try world.send(2, on: 2)
        world.gasPrices[101] = TimestampedPrice(value: UInt224(7), timestamp: 9)
        var observations: [CommitObservation] = []
        var outcomes: [CommitOutcome] = [.initial]
        for buildsAtOnce in [true, false] {
            var rounds = Rounds(
                try world.configuration(
                    prices: PriceTests.prices(), blessing: GuardModel.blessing, buildsAtOnce: buildsAtOnce))
            for number in 0..<4 {
                // One guard alone first, then all of them.
                if number < 3 { world.guards.silent = [1, 2] } else { world.guards.silent = [] }
                observations.append(try rounds.observe(0, world.guardedSnapshot(try rounds.request)))
                try rounds.playGuarded(world)
                outcomes.append(try rounds.state)
            }
        }
        outcomes.append(
            CommitOutcome(
                lanes: [], prices: PriceUpdates(), inflightPrices: nil, priceTrouble: PriceTrouble(failures: 3, since: 7),
                suspects: [BlessingSuspect(source: 103, failures: 2, until: 9)]))
        return (observations, outcomes)
    }

    @Test("observations and outcomes survive the round trip")
    func roundTrip() throws {
        let (observations, outcomes) = try samples()
        #expect(observations.count == 8 && outcomes.count == 10)
        #expect(observations.contains { $0.signatures != nil } && observations.contains { $0.rmn != nil })
        #expect(outcomes.contains { $0.blessing?.signatures.isEmpty == false } && outcomes.contains { $0.blessed != nil })
        for value in observations { #expect(try CommitObservation(encoded: value.encoded) == value) }
        for value in outcomes { #expect(try CommitOutcome(encoded: value.encoded) == value) }
        #expect(outcomes.contains { $0.isBuilding } && outcomes.contains { $0.inflightPrices != nil })
        #expect(try CommitOutcome(encoded: []) == .initial)
    }

    @Test("no prefix decodes, nor anything with a byte behind it")
    func strict() throws {
        let (observations, outcomes) = try samples()
        for bytes in observations.map(\.encoded) {
            for count in 0..<bytes.count {
                #expect(throws: CommittingError.self) { try CommitObservation(encoded: Bytes(bytes.prefix(count))) }
            }
            #expect(throws: CommittingError.self) { try CommitObservation(encoded: bytes + [0]) }
        }
        for bytes in outcomes.map(\.encoded) {
            for count in 1..<bytes.count {
                #expect(throws: CommittingError.self) { try CommitOutcome(encoded: Bytes(bytes.prefix(count))) }
            }
            #expect(throws: CommittingError.self) { try CommitOutcome(encoded: bytes + [0]) }
        }
    }

    @Test("hostile bytes never trap, and what decodes encodes to the same bytes")
    func fuzz() throws {
        var random = SplitMix64.forTest()
        let (observations, outcomes) = try samples()
        let rounds = Rounds(
            try World().configuration(prices: PriceTests.prices(), blessing: GuardModel.blessing))
        var decoded = 0
        for _ in 0..<4_000 {
            var bytes =
                random.below(2) == 0
                ? observations[random.below(observations.count)].encoded
                : outcomes[random.below(outcomes.count)].encoded
            for _ in 0...random.below(4) where !bytes.isEmpty {
                switch random.below(4) {
                case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeLast(random.below(bytes.count))
                case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(bytes.count))
                default: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
                }
            }
            if let value = try? CommitObservation(encoded: bytes) {
                #expect(value.encoded == bytes)
                decoded += 1
            }
            if let value = try? CommitOutcome(encoded: bytes), !bytes.isEmpty {
                #expect(value.encoded == bytes)
                decoded += 1
                _ = try? rounds.plugin.reports(sequenceNumber: 3, outcome: bytes)
                _ = rounds.plugin.continues(after: bytes)
            }
            let context = RoundContext(sequenceNumber: 3, previousOutcome: bytes, query: [])
            let item = AttributedObservation(observer: random.below(5), observation: bytes)
            try? rounds.plugin.validateObservation(item, in: context)
            _ = try? rounds.observer(0).needs(previousOutcome: bytes)
        }
        #expect(decoded > 100, "the fuzzer reaches past the decoder")
    }

    @Test("the largest observation, outcome and report fit their limits and those of an instance")
    func sizes() throws {
        var observation = CommitObservation(timestamp: 1)
        let perLane = Committing.Limits.observedLeavesMaximum / Committing.Limits.lanesMaximum
        let range = try #require(SequenceRange(first: 1, last: 256))
        for index in 0..<Committing.Limits.lanesMaximum {
            observation.lanes.append(
                LaneObservation(
                    source: ChainSelector(UInt64(index)), next: 1, requiresBlessing: true, maximum: 1,
                    leaves: LeafVotes(first: 1, leaves: [Hash32](repeating: .zero, count: perLane)),
                    root: RootVote(range: range, root: .zero)))
        }
        observation.priceSequenceNumber = 1
        observation.destinationTime = 1
        let signatures = (0..<Committing.Limits.rmnSignersMaximum).map { RMNSignature(r: Hash32(U256(UInt64($0))), s: .zero) }
        let remote = RMNRemoteConfiguration(
            version: 1, homeDigest: .zero, rmnRemote: .zero, faultySigners: 1,
            signers: [Address](repeating: .zero, count: Committing.Limits.rmnSignersMaximum))
        observation.rmn = remote
        observation.signatures = BlessingVotes(
            setID: 1, signatures: Array(signatures.prefix(Committing.Limits.observedSignaturesMaximum)))
        let price = TimestampedPrice(value: .zero, timestamp: 0)
        for index in 0..<Committing.Limits.pricedChainsMaximum {
            let chain = ChainSelector(UInt64(index))
            observation.gas.append(
                GasObservation(chain: chain, execution: 1, dataAvailability: 1, nativePrice: 1))
            observation.storedGas.append(StoredGasPrice(chain: chain, price: price))
        }
        for index in 0..<Committing.Limits.pricedTokensMaximum {
            let token = Address(truncating: U256(UInt64(index)))
            observation.feeds.append(FeedPrice(token: token, price: 1))
            observation.storedTokens.append(StoredTokenPrice(token: token, price: price))
        }
        let defaults = SizeLimits()
        #expect(CommitPlugin.sizes.observation == Committing.Limits.observationBytesMaximum)
        #expect(observation.encoded.count <= Committing.Limits.observationBytesMaximum)
        #expect(Committing.Limits.observationBytesMaximum <= defaults.observation)

        let pending = PendingRoot(range: range, root: .zero, sequenceNumber: 1, since: 1)
        let prices = PriceUpdates(
            tokens: (0..<Committing.Limits.pricesPerReportMaximum).map {
                TokenPriceUpdate(token: Address(truncating: U256(UInt64($0))), usdPerToken: .zero)
            },
            gas: (0..<Committing.Limits.pricesPerReportMaximum).map {
                GasPriceUpdate(destination: ChainSelector(UInt64($0)), usdPerUnitGas: .zero)
            })
        let blessed = (0..<Committing.Limits.blessedRootsMaximum).map { ChainSelector(UInt64($0)) }
        let outcome = CommitOutcome(
            lanes: (0..<Committing.Limits.lanesMaximum).map {
                LaneProgress(source: ChainSelector(UInt64($0)), state: .waiting(pending))
            }, prices: prices, inflightPrices: InflightPrices(sequenceNumber: 1, since: 1),
            priceTrouble: PriceTrouble(failures: 1, since: 1),
            blessing: BlessingSet(id: 1, since: 1, remote: remote, sources: blessed, signatures: signatures),
            blessed: BlessedRoots(remote: remote, sources: blessed, signatures: signatures),
            suspects: (0..<Committing.Limits.lanesMaximum).map {
                BlessingSuspect(source: ChainSelector(UInt64($0)), failures: 1, until: 1)
            })
        #expect(outcome.encoded.count <= Committing.Limits.outcomeBytesMaximum)
        #expect(try CommitOutcome(encoded: outcome.encoded) == outcome)
        #expect(Committing.Limits.outcomeBytesMaximum <= defaults.outcome)

        let root = MerkleRoot(
            source: 1, onRamp: Bytes(repeating: 1, count: 32), first: 1, last: 2, root: .zero)
        let report = CommitReport(
            prices: prices,
            blessed: [MerkleRoot](repeating: root, count: Committing.Limits.blessedRootsMaximum),
            unblessed: [MerkleRoot](repeating: root, count: Committing.Limits.rootsPerReportMaximum),
            rmnSignatures: signatures)
        #expect(report.encoded.count <= Committing.Limits.reportBytesMaximum)
        #expect(Committing.Limits.reportBytesMaximum <= defaults.report)
    }
}
