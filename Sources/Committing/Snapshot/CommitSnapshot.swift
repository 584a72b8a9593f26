// What one oracle has read from chains and price sources, in one go, for one round or one check. Plain data made by an
// edge: "not read" is nil, and nil never means zero.

import CCIP
import Ethereum

/// The curse state of the destination's RMNRemote (3.13). Unknown counts as cursed.
package enum CurseState: Equatable, Sendable {
    case unknown
    case known(CursedSubjects)

    package static let none = CurseState.known(CursedSubjects([]))
}

/// What the destination says, read at its latest block (5.1).
package struct DestinationSnapshot: Equatable, Sendable {
    package var curse: CurseState
    /// The OffRamp's configuration of each source, with `minSequenceNumber`; what could not be read is missing.
    package var sourceConfigs: [ChainSelector: SourceChainConfig]
    /// Of the commit plugin: `OffRampCalls.latestConfigDetails(.commit)`.
    package var configurationDigest: Hash32?
    package var latestPriceSequenceNumber: UInt64?
    /// The FeeQuoter's gas prices; a timestamp of 0 says that none was ever written.
    package var gasPrices: [ChainSelector: TimestampedPrice]
    /// The FeeQuoter's token prices, same.
    package var tokenPrices: [Address: TimestampedPrice]
    /// Of the block that all this was read at, in the chain's own seconds: what price timestamps compare with.
    package var blockTimestamp: UInt64?
    /// What the RMNRemote verifies signatures with; nil when not read.
    package var rmn: RMNRemoteConfiguration?

    package init(
        curse: CurseState, sourceConfigs: [ChainSelector: SourceChainConfig], configurationDigest: Hash32? = nil,
        latestPriceSequenceNumber: UInt64? = nil, gasPrices: [ChainSelector: TimestampedPrice] = [:],
        tokenPrices: [Address: TimestampedPrice] = [:], blockTimestamp: UInt64? = nil,
        rmn: RMNRemoteConfiguration? = nil
    ) {
        self.curse = curse
        self.sourceConfigs = sourceConfigs
        self.configurationDigest = configurationDigest
        self.latestPriceSequenceNumber = latestPriceSequenceNumber
        self.gasPrices = gasPrices
        self.tokenPrices = tokenPrices
        self.blockTimestamp = blockTimestamp
        self.rmn = rmn
    }
}

/// What it costs to run something on a chain, in its smallest coin for each unit of gas.
package struct FeeComponents: Equatable, Sendable {
    package var execution: U256
    /// Only on rollups; 0 elsewhere.
    package var dataAvailability: U256

    package init(execution: U256, dataAvailability: U256 = .zero) {
        self.execution = execution
        self.dataAvailability = dataAvailability
    }
}

/// What a source says, read at its finalized block (5.1).
package struct SourceSnapshot: Equatable, Sendable {
    /// Of the newest finalized message to this destination; 0 before the first. Compared by the edge with the OnRamp's
    /// `getExpectedNextSequenceNumber` at the same block (5.4).
    package var finalizedMaximum: UInt64?
    /// Consecutive, checked; what `CommitReads` asked for, or less.
    package var leaves: [MessageLeaf]
    package var fees: FeeComponents?
    /// USD with 18 decimals for 10^18 units of the wrapped native coin, from this chain's FeeQuoter.
    package var nativePrice: U256?

    package init(
        finalizedMaximum: UInt64? = nil, leaves: [MessageLeaf] = [], fees: FeeComponents? = nil,
        nativePrice: U256? = nil
    ) {
        self.finalizedMaximum = finalizedMaximum
        self.leaves = leaves
        self.fees = fees
        self.nativePrice = nativePrice
    }
}

/// Everything that one observation or one check of a report is made from.
package struct CommitSnapshot: Equatable, Sendable {
    /// Milliseconds since 1970, by this oracle's clock.
    package var timestampMilliseconds: UInt64
    /// Nil: not read, or not this oracle's chain.
    package var destination: DestinationSnapshot?
    /// Missing: not read, or not this oracle's chain.
    package var sources: [ChainSelector: SourceSnapshot]
    /// USD with 18 decimals for 10^18 of a token's smallest units, positive and fresh by the edge's own rules (3.6).
    package var feedPrices: [Address: U256]
    /// Sources that this oracle must not vouch for: a finality violation (5.6) or the operator's own stop (8.6).
    package var haltedSources: Set<ChainSelector>
    /// What guards have signed for the open set, each checked; nil when none is open.
    package var signatures: BlessingVotes?

    package init(
        timestampMilliseconds: UInt64, destination: DestinationSnapshot? = nil,
        sources: [ChainSelector: SourceSnapshot] = [:], feedPrices: [Address: U256] = [:],
        haltedSources: Set<ChainSelector> = [], signatures: BlessingVotes? = nil
    ) {
        self.timestampMilliseconds = timestampMilliseconds
        self.destination = destination
        self.sources = sources
        self.feedPrices = feedPrices
        self.haltedSources = haltedSources
        self.signatures = signatures
    }
}
