// What a commit instance is told once and for its whole life: chains, readers, lanes, thresholds (1.1, 8.2 of the
// off-chain specification). It belongs to the configuration digest; nothing of it is read again while rounds run.

import CCIP
import Ethereum

/// Who observes one chain.
package struct ChainReaders: Hashable, Sendable {
    package let chain: ChainSelector
    /// f_c: how many of the readers may lie about this chain.
    package let faulty: Int
    /// Oracle indices, ascending, at least 3·f_c + 1.
    package let readers: [Int]

    package init(chain: ChainSelector, faulty: Int, readers: [Int]) {
        self.chain = chain
        self.faulty = faulty
        self.readers = readers
    }

    /// f_c + 1: one of them is honest.
    var oneHonest: Int { faulty + 1 }
    /// 2·f_c + 1: most of them are honest.
    var majority: Int { 2 * faulty + 1 }
    func contains(_ oracle: Int) -> Bool { readers.contains(oracle) }
}

/// One source. A disabled lane is known, and neither observed nor committed.
package struct CommitLane: Hashable, Sendable {
    package let lane: MessageLane
    package let isEnabled: Bool

    package init(lane: MessageLane, isEnabled: Bool = true) {
        self.lane = lane
        self.isEnabled = isEnabled
    }

    package var source: ChainSelector { lane.source }
}

/// Everything that the commit plugin of one destination is configured with. Immutable: a change is a new instance with
/// a new digest (3.12).
package struct CommitConfiguration: Hashable, Sendable {
    package let destination: ChainSelector
    /// N.
    package let oracleCount: Int
    /// F of the instance; at least as large as every chain's.
    package let faulty: Int
    /// Ascending by chain; the destination and every source are in it.
    package let chains: [ChainReaders]
    /// Ascending by source.
    package let lanes: [CommitLane]
    /// Nil: no price is observed or reported.
    package let prices: PriceConfiguration?
    /// Nil: nobody signs for roots, and lanes that need it are not served.
    package let blessing: BlessingConfiguration?
    /// Messages of one root, 1 to 256.
    package let leavesPerRootMaximum: Int
    package let rootsPerReportMaximum: Int
    /// How long a report may take to show on the destination before its lanes are selected anew. Longer than the
    /// whole transmission schedule takes, else two reports race for one range.
    package let transmissionTimeoutMilliseconds: UInt64
    /// Whether observers send leaf hashes along with their numbers, so that one round selects and builds
    /// (see CommitPlugin). Without it a root takes two rounds.
    package let buildsAtOnce: Bool

    /// Throws `badConfiguration`, naming the value.
    package init(
        destination: ChainSelector, oracleCount: Int, faulty: Int, chains: [ChainReaders], lanes: [CommitLane],
        prices: PriceConfiguration? = nil, blessing: BlessingConfiguration? = nil,
        leavesPerRootMaximum: Int = Limits.leavesPerRootMaximum,
        rootsPerReportMaximum: Int = 16, transmissionTimeoutMilliseconds: UInt64 = 60_000, buildsAtOnce: Bool = true
    ) throws(CommittingError) {
        self.destination = destination
        self.oracleCount = oracleCount
        self.faulty = faulty
        self.chains = chains
        self.lanes = lanes
        self.prices = prices
        self.blessing = blessing
        self.leavesPerRootMaximum = leavesPerRootMaximum
        self.rootsPerReportMaximum = rootsPerReportMaximum
        self.transmissionTimeoutMilliseconds = transmissionTimeoutMilliseconds
        self.buildsAtOnce = buildsAtOnce
        try validate()
    }

    /// 2F + 1 observations make an outcome (1.4).
    package var observationQuorum: Int { 2 * faulty + 1 }

    /// Leaf hashes that one observation may carry for one lane: a fair share of the budget, the same for everybody.
    package var leavesPerLaneObserved: Int {
        guard buildsAtOnce, !lanes.isEmpty else { return 0 }
        return max(1, min(leavesPerRootMaximum, Limits.observedLeavesMaximum / lanes.count))
    }

    package func readers(of chain: ChainSelector) -> ChainReaders? { chains.first { $0.chain == chain } }
    package func lane(from source: ChainSelector) -> CommitLane? { lanes.first { $0.source == source } }

    /// The destination's readers. Validated to exist.
    var destinationReaders: ChainReaders {
        guard let readers = readers(of: destination) else { preconditionFailure("validated: destination has readers") }
        return readers
    }

    /// The canonical bytes of all this, for whoever computes the configuration digest (2.4, 3.12).
    package var canonicalBytes: Bytes {
        var writer = CanonicalWriter()
        writer.byte(2)
        writer.selector(destination)
        writer.u32(UInt32(oracleCount))
        writer.u32(UInt32(faulty))
        writer.list(chains) { writer, chain in
            writer.selector(chain.chain)
            writer.u32(UInt32(chain.faulty))
            writer.list(chain.readers) { $0.u32(UInt32($1)) }
        }
        writer.list(lanes) { writer, lane in
            writer.selector(lane.source)
            writer.address(lane.lane.onRamp)
            writer.flag(lane.isEnabled)
        }
        writer.u32(UInt32(leavesPerRootMaximum))
        writer.u32(UInt32(rootsPerReportMaximum))
        writer.u64(transmissionTimeoutMilliseconds)
        writer.flag(buildsAtOnce)
        writer.flag(prices != nil)
        prices?.write(to: &writer)
        writer.flag(blessing != nil)
        blessing?.write(to: &writer)
        return writer.bytes
    }
}
