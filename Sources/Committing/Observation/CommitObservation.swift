// What one oracle says in one round (3.1, 3.3 to 3.7 of the off-chain specification), and its canonical bytes.
// Whether an observer may say it is decided in ObservationRules.swift.

import CCIP
import Ethereum

/// A root over a range that the last outcome selected.
package struct RootVote: Hashable, Comparable, Sendable {
    package var range: SequenceRange
    package var root: Hash32

    package init(range: SequenceRange, root: Hash32) {
        self.range = range
        self.root = root
    }

    package static func < (a: RootVote, b: RootVote) -> Bool { (a.range, a.root) < (b.range, b.root) }
}

/// Leaf hashes of consecutive messages.
package struct LeafVotes: Hashable, Sendable {
    package var first: SequenceNumber
    /// Not empty.
    package var leaves: [Hash32]

    package init(first: SequenceNumber, leaves: [Hash32]) {
        self.first = first
        self.leaves = leaves
    }

    package subscript(number: SequenceNumber) -> Hash32? {
        guard number >= first, number.rawValue - first.rawValue < UInt64(leaves.count) else { return nil }
        return leaves[Int(number.rawValue - first.rawValue)]
    }
}

package struct LaneObservation: Hashable, Sendable {
    package var source: ChainSelector
    /// Readers of the destination: the OffRamp's `minSeqNr`.
    package var next: SequenceNumber?
    /// Readers of the destination: whether the OffRamp wants signatures of RMN nodes for roots of this source.
    package var requiresBlessing: Bool?
    /// Readers of the source: the newest finalized message, 0 for none.
    package var maximum: UInt64?
    /// Readers of the source: the messages from `next` on.
    package var leaves: LeafVotes?
    /// Readers of the source: the range that was selected.
    package var root: RootVote?

    package init(
        source: ChainSelector, next: SequenceNumber? = nil, requiresBlessing: Bool? = nil, maximum: UInt64? = nil,
        leaves: LeafVotes? = nil, root: RootVote? = nil
    ) {
        self.source = source
        self.next = next
        self.requiresBlessing = requiresBlessing
        self.maximum = maximum
        self.leaves = leaves
        self.root = root
    }

    var isEmpty: Bool {
        next == nil && requiresBlessing == nil && maximum == nil && leaves == nil && root == nil
    }
}

/// What a reader of a chain says about the cost of its gas.
package struct GasObservation: Hashable, Sendable {
    package var chain: ChainSelector
    package var execution: U256
    package var dataAvailability: U256
    package var nativePrice: U256
}

package struct StoredGasPrice: Hashable, Sendable {
    package var chain: ChainSelector
    package var price: TimestampedPrice
}

package struct FeedPrice: Hashable, Sendable {
    package var token: Address
    package var price: U256
}

package struct StoredTokenPrice: Hashable, Sendable {
    package var token: Address
    package var price: TimestampedPrice
}

package struct CommitObservation: Hashable, Sendable {
    static let version: UInt8 = 2

    /// Milliseconds since 1970, by this oracle's clock.
    package var timestamp: UInt64
    /// Readers of the destination, while prices are observed: the time of its newest block, in its own seconds.
    package var destinationTime: UInt64?
    /// Ascending by source.
    package var lanes: [LaneObservation] = []
    /// Readers of the destination, while prices are under way.
    package var priceSequenceNumber: UInt64?
    /// Ascending by chain, as are the next three by chain or token.
    package var gas: [GasObservation] = []
    package var storedGas: [StoredGasPrice] = []
    package var feeds: [FeedPrice] = []
    package var storedTokens: [StoredTokenPrice] = []
    /// Readers of the destination, where a lane needs signatures: what its RMNRemote verifies them with.
    package var rmn: RMNRemoteConfiguration?
    /// Anybody, while a set of roots is open.
    package var signatures: BlessingVotes?

    package init(timestamp: UInt64) { self.timestamp = timestamp }

    func lane(_ source: ChainSelector) -> LaneObservation? { lanes.first { $0.source == source } }
}

// MARK: Canonical bytes

extension CommitObservation {
    package var encoded: Bytes {
        var writer = CanonicalWriter()
        writer.byte(Self.version)
        writer.u64(timestamp)
        writer.optional(destinationTime) { $0.u64($1) }
        writer.list(lanes) { $1.write(to: &$0) }
        writer.optional(priceSequenceNumber) { $0.u64($1) }
        writer.list(gas) { writer, item in
            writer.selector(item.chain)
            writer.word(item.execution)
            writer.word(item.dataAvailability)
            writer.word(item.nativePrice)
        }
        writer.list(storedGas) { writer, item in
            writer.selector(item.chain)
            writer.price(item.price)
        }
        writer.list(feeds) { writer, item in
            writer.address(item.token)
            writer.word(item.price)
        }
        writer.list(storedTokens) { writer, item in
            writer.address(item.token)
            writer.price(item.price)
        }
        writer.optional(rmn) { $1.write(to: &$0) }
        writer.optional(signatures) { writer, votes in
            writer.u64(votes.setID)
            writer.list(votes.signatures) { $0.signature($1) }
        }
        return writer.bytes
    }

    /// Strict inverse of `encoded`; throws `malformedObservation`.
    package init(encoded: Bytes) throws(CommittingError) {
        guard encoded.count <= Limits.observationBytesMaximum else {
            throw CommittingError(
                .malformedObservation, "\(encoded.count) bytes", hint: "at most \(Limits.observationBytesMaximum)")
        }
        do throws(CCIPError) { self = try Self.read(encoded) } catch {
            throw .undecodable(.malformedObservation, error)
        }
    }

    private static func read(_ encoded: Bytes) throws(CCIPError) -> CommitObservation {
        var reader = CanonicalReader(encoded, "commit observation")
        let version = try reader.byte()
        guard version == Self.version else { throw reader.malformed("version \(version)") }
        var value = CommitObservation(timestamp: try reader.u64())
        value.destinationTime = try reader.optional { reader throws(CCIPError) in try reader.u64() }
        value.lanes = try reader.list(maximum: Limits.lanesMaximum) { reader throws(CCIPError) in
            try LaneObservation(&reader)
        }
        value.priceSequenceNumber = try reader.optional { reader throws(CCIPError) in try reader.u64() }
        value.gas = try reader.list(maximum: Limits.pricedChainsMaximum) { reader throws(CCIPError) in
            GasObservation(
                chain: try reader.selector(), execution: try reader.word(), dataAvailability: try reader.word(),
                nativePrice: try reader.word())
        }
        value.storedGas = try reader.list(maximum: Limits.pricedChainsMaximum) { reader throws(CCIPError) in
            StoredGasPrice(chain: try reader.selector(), price: try reader.price())
        }
        value.feeds = try reader.list(maximum: Limits.pricedTokensMaximum) { reader throws(CCIPError) in
            FeedPrice(token: try reader.address(), price: try reader.word())
        }
        value.storedTokens = try reader.list(maximum: Limits.pricedTokensMaximum) { reader throws(CCIPError) in
            StoredTokenPrice(token: try reader.address(), price: try reader.price())
        }
        value.rmn = try reader.optional { reader throws(CCIPError) in try RMNRemoteConfiguration(&reader) }
        value.signatures = try reader.optional { reader throws(CCIPError) in
            BlessingVotes(
                setID: try reader.u64(), signatures: try reader.signatures(maximum: Limits.observedSignaturesMaximum))
        }
        try reader.finish()
        return value
    }
}

extension LaneObservation {
    func write(to writer: inout CanonicalWriter) {
        writer.selector(source)
        writer.optional(next) { $0.sequenceNumber($1) }
        writer.optional(requiresBlessing) { $0.flag($1) }
        writer.optional(maximum) { $0.u64($1) }
        writer.optional(leaves) { writer, votes in
            writer.sequenceNumber(votes.first)
            writer.list(votes.leaves) { $0.hash($1) }
        }
        writer.optional(root) { writer, vote in
            writer.range(vote.range)
            writer.hash(vote.root)
        }
    }

    init(_ reader: inout CanonicalReader) throws(CCIPError) {
        source = try reader.selector()
        next = try reader.optional { reader throws(CCIPError) in try reader.sequenceNumber() }
        requiresBlessing = try reader.optional { reader throws(CCIPError) in try reader.flag() }
        maximum = try reader.optional { reader throws(CCIPError) in try reader.u64() }
        leaves = try reader.optional { reader throws(CCIPError) in
            LeafVotes(
                first: try reader.sequenceNumber(),
                leaves: try reader.list(maximum: Limits.leavesPerRootMaximum) { reader throws(CCIPError) in
                    try reader.hash()
                })
        }
        root = try reader.optional { reader throws(CCIPError) in
            RootVote(range: try reader.range(), root: try reader.hash())
        }
    }
}
