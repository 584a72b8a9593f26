// The keys by which this room names things on the way: a message, a sender, a root, and which messages of a root.

import CCIP
import Ethereum

/// A message by its place in its lane.
package struct MessageKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let source: ChainSelector
    package let sequenceNumber: SequenceNumber

    package init(source: ChainSelector, sequenceNumber: SequenceNumber) {
        self.source = source
        self.sequenceNumber = sequenceNumber
    }

    package static func < (a: MessageKey, b: MessageKey) -> Bool {
        (a.source, a.sequenceNumber) < (b.source, b.sequenceNumber)
    }
    package var description: String { "\(source)/\(sequenceNumber)" }
}

/// Whose nonce: the sender's bytes exactly as the message carries them (16 of the on-chain specification).
package struct SenderKey: Hashable, Comparable, Sendable {
    package let source: ChainSelector
    package let sender: Bytes

    package init(source: ChainSelector, sender: Bytes) {
        self.source = source
        self.sender = sender
    }

    package static func < (a: SenderKey, b: SenderKey) -> Bool {
        a.source != b.source ? a.source < b.source : a.sender.lexicographicallyPrecedes(b.sender)
    }
}

/// A root of one source. A root can be committed only once per source (A.6).
package struct RootKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let source: ChainSelector
    package let root: Hash32

    package init(source: ChainSelector, root: Hash32) {
        self.source = source
        self.root = root
    }

    package static func < (a: RootKey, b: RootKey) -> Bool { (a.source, a.root) < (b.source, b.root) }
    package var description: String { "\(source)/\(root)" }
}

/// One bit for each of up to 256 messages of a root, from its first.
package struct MessageSet: Hashable, Sendable {
    package private(set) var bits: U256

    package init(bits: U256 = .zero) { self.bits = bits }

    package func contains(_ index: Int) -> Bool { !((bits >> index) & U256.one).isZero }
    package mutating func insert(_ index: Int) { bits = bits | (U256.one << index) }

    /// Whether only the first `count` bits are used.
    package func fits(_ count: Int) -> Bool { count >= 256 || (bits >> count).isZero }

    /// Whether all of the first `count` are in.
    package func isFull(_ count: Int) -> Bool { (0..<count).allSatisfy(contains) }
}

extension MerkleRoot {
    package var key: RootKey { RootKey(source: source, root: root) }

    /// How many messages stand under the root; nil when the interval is invalid or larger than a tree may be.
    var checkedCount: Int? {
        guard let range, range.count <= CCIP.Limits.treeLeavesMaximum else { return nil }
        return range.count
    }

    /// The key of the message at `index`. Only for checked roots.
    package func message(at index: Int) -> MessageKey {
        MessageKey(source: source, sequenceNumber: SequenceNumber(first.rawValue &+ UInt64(index)))
    }

    package func contains(_ key: MessageKey) -> Bool {
        key.source == source && first <= key.sequenceNumber && key.sequenceNumber <= last
    }
}

extension Any2EVMRampMessage {
    package var key: MessageKey { MessageKey(source: header.source, sequenceNumber: header.sequenceNumber) }

    /// Nil for a message that may be executed in any order.
    package var orderedSender: SenderKey? { isOrdered ? SenderKey(source: header.source, sender: sender) : nil }
}

/// A root as the OffRamp accepted it.
package struct CommittedRoot: Hashable, Comparable, Sendable {
    /// As in `CommitReportAccepted`.
    package var root: MerkleRoot
    /// Destination block time of the acceptance, seconds.
    package var timestamp: UInt64

    package init(root: MerkleRoot, timestamp: UInt64) {
        self.root = root
        self.timestamp = timestamp
    }

    package var key: RootKey { root.key }

    /// The order of execution: oldest first, then by source, then by first message (4.1).
    package static func < (a: CommittedRoot, b: CommittedRoot) -> Bool {
        if a.timestamp != b.timestamp { return a.timestamp < b.timestamp }
        if a.root.source != b.root.source { return a.root.source < b.root.source }
        if a.root.first != b.root.first { return a.root.first < b.root.first }
        return a.root.root < b.root.root
    }

    /// Whether the chain could have accepted this at all.
    var isPlausible: Bool {
        root.checkedCount != nil && !root.root.isZero && timestamp > 0 && root.source.rawValue != 0
            && !root.onRamp.isEmpty && root.onRamp.contains { $0 != 0 }
            && root.onRamp.count <= Limits.onRampBytesMaximum
    }
}
