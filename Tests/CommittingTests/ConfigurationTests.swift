// What a configuration must satisfy, one rule at a time, and what its bytes are for.

import CCIP
import Ethereum
import Testing

@testable import Committing

@Suite("Configuration")
struct ConfigurationTests {
    private struct Draft {
        var destination = destinationChain
        var count = 4
        var faulty = 1
        var chains = [
            ChainReaders(chain: 101, faulty: 1, readers: [0, 1, 2, 3]),
            ChainReaders(chain: destinationChain, faulty: 1, readers: [0, 1, 2, 3]),
        ]
        var lanes = [CommitLane(lane: World.source(0).lane)]
        var leaves = 256
        var roots = 16
        var timeout: UInt64 = 1_000
        var prices: PriceConfiguration?

        func make() throws(CommittingError) -> CommitConfiguration {
            try CommitConfiguration(
                destination: destination, oracleCount: count, faulty: faulty, chains: chains, lanes: lanes,
                prices: prices, leavesPerRootMaximum: leaves, rootsPerReportMaximum: roots,
                transmissionTimeoutMilliseconds: timeout)
        }
    }

    @Test("the draft is good, and each spoiled draft is refused", arguments: 0..<24)
    func rules(kind: Int) throws {
        var draft = Draft()
        let rule = GasPriceRule(chain: 101, executionDeviationPPB: 1, dataAvailabilityDeviationPPB: 1)
        draft.prices = PriceConfiguration(gas: [rule], feedChain: 101)
        _ = try draft.make()
        switch kind {
        case 0: draft.count = 5
        case 1: draft.faulty = 0
        case 2: (draft.count, draft.faulty) = (34, 11)
        case 3: draft.chains.swapAt(0, 1)
        case 4: draft.chains[0] = ChainReaders(chain: 101, faulty: 2, readers: [0, 1, 2, 3])
        case 5: draft.chains[0] = ChainReaders(chain: 101, faulty: 0, readers: [0, 1, 2, 3])
        case 6: draft.chains[0] = ChainReaders(chain: 101, faulty: 1, readers: [0, 1, 2])
        case 7: draft.chains[0] = ChainReaders(chain: 101, faulty: 1, readers: [0, 1, 2, 4])
        case 8: draft.chains[0] = ChainReaders(chain: 101, faulty: 1, readers: [0, 1, 1, 2])
        case 9: draft.chains.removeLast()
        case 10: draft.chains.removeFirst()
        case 11: draft.lanes.append(draft.lanes[0])
        case 12: draft.destination = 901
        case 13: draft.lanes = [CommitLane(lane: MessageLane(source: 101, destination: 102, onRamp: .zero))]
        case 14: draft.lanes = [CommitLane(lane: MessageLane(source: 101, destination: 900, onRamp: .zero))]
        case 15: draft.leaves = 257
        case 16: draft.leaves = 0
        case 17: draft.roots = 65
        case 18: draft.timeout = 0
        case 19: draft.timeout = 86_400_001
        case 20: draft.prices = PriceConfiguration(gas: [rule, rule], feedChain: 101)
        case 21:
            let zero = GasPriceRule(chain: 101, executionDeviationPPB: 0, dataAvailabilityDeviationPPB: 1)
            draft.prices = PriceConfiguration(gas: [zero], feedChain: 101)
        case 22:
            let token = TokenPriceRule(token: Address(truncating: 1), deviationPPB: 1)
            draft.prices = PriceConfiguration(gas: [], tokens: [token], feedChain: 555)
        default: draft.prices = PriceConfiguration(gas: [rule], gasHeartbeatSeconds: 0, feedChain: 101)
        }
        #expect { try draft.make() } throws: { ($0 as? CommittingError)?.code == .badConfiguration }
    }

    @Test("every field enters the canonical bytes")
    func canonicalBytes() throws {
        var drafts = [Draft](repeating: Draft(), count: 6)
        drafts[1].leaves = 255
        drafts[2].roots = 15
        drafts[3].timeout = 1_001
        drafts[4].lanes = [CommitLane(lane: World.source(0).lane, isEnabled: false)]
        drafts[5].prices = PriceConfiguration(gas: [], feedChain: 101)
        let bytes = try drafts.map { try $0.make().canonicalBytes }
        #expect(Set(bytes).count == 6)
        #expect(try Draft().make().canonicalBytes == bytes[0])
    }

    @Test("leaves in an observation are a fair share of its budget")
    func leafShare() throws {
        #expect(try World(sources: 1).configuration().leavesPerLaneObserved == 256)
        #expect(try World(sources: 64).configuration().leavesPerLaneObserved == 64)
        #expect(try World(sources: 128).configuration().leavesPerLaneObserved == 32)
        #expect(try World(sources: 2).configuration(buildsAtOnce: false).leavesPerLaneObserved == 0)
    }
}
