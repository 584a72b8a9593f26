// Keeps what the committing pair has fed until the chain confirms it. A fed message is used only when the leaves of its
// whole root, computed here, lead to a root that this node has itself seen accepted, or when its log was read again.

import CCIP
import Ethereum

package struct FeedRefusal: Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case otherDestination, unknownSource, implausibleRoot, badMessage, conflicting, shelfFull
    }
    package let code: Code
    package let detail: String
    package var description: String { "\(code.rawValue): \(detail)" }
}

/// What became of one frame.
package struct FeedReceipt: Hashable, Sendable {
    package var messages = 0
    package var roots = 0
    package var refusals: [FeedRefusal] = []
    /// Frames that never came before this one: reads of the chain must fill in.
    package var missedFrames: UInt64 = 0
}

/// What the shelf knows about the messages of an accepted root.
package enum FeedVerdict: Hashable, Sendable {
    /// All of them, ascending, proven by the root itself: no log needs to be read again.
    case verified([Any2EVMRampMessage])
    /// These are missing: wait for the feed, or read them.
    case incomplete([LaneRange])
    /// The feed tells something else than the chain: `discard` it, read the source, and tell the operator.
    case contradicts
}

package struct PairFeedShelf: Sendable {
    private let destination: ChainSelector
    private let sources: Set<ChainSelector>
    private var messages: [MessageKey: FedMessage] = [:]
    private var order: [MessageKey] = []
    private var bytes = 0
    private var hints: [FedRoot] = []
    private var lastFrame: UInt64?
    /// Fed values that another fed value, or the chain, contradicted.
    package private(set) var contradictions: UInt64 = 0

    package init(configuration: ExecuteConfiguration) {
        destination = configuration.destination.selector
        sources = Set(configuration.sources.map(\.selector))
    }

    package var messageCount: Int { messages.count }

    // MARK: Taking in

    /// Keeps what is plausible. Nothing of it counts before `verify`.
    package mutating func accept(_ frame: PairFeedFrame) -> FeedReceipt {
        var receipt = FeedReceipt()
        guard frame.destination == destination else {
            receipt.refusals.append(
                FeedRefusal(code: .otherDestination, detail: "\(frame.destination) instead of \(destination)"))
            return receipt
        }
        // A lower number is a restart of the pair, which begins a new count.
        if let lastFrame, frame.number > lastFrame { receipt.missedFrames = frame.number - lastFrame - 1 }
        lastFrame = frame.number
        for item in frame.messages {
            if let refusal = take(item) { receipt.refusals.append(refusal) } else { receipt.messages += 1 }
        }
        for item in frame.roots {
            if let refusal = take(item) { receipt.refusals.append(refusal) } else { receipt.roots += 1 }
        }
        return receipt
    }

    private mutating func take(_ item: FedMessage) -> FeedRefusal? {
        let header = item.message.header
        guard sources.contains(header.source) else {
            return FeedRefusal(code: .unknownSource, detail: "\(header.source)")
        }
        guard header.destination == destination, header.sequenceNumber.rawValue >= 1, !header.messageID.isZero else {
            return FeedRefusal(code: .badMessage, detail: "\(item.key)")
        }
        if let known = messages[item.key] {
            guard known.message != item.message else { return nil }
            // After a reorganisation of the source the newer one is likelier; the root decides.
            contradictions += 1
            replace(item)
            return FeedRefusal(code: .conflicting, detail: "\(item.key) was fed before with other content; replaced")
        }
        let size = item.message.cost
        guard size <= Limits.feedBytesMaximum / 16 else {
            return FeedRefusal(code: .shelfFull, detail: "\(item.key) takes \(size) bytes")
        }
        messages[item.key] = item
        order.append(item.key)
        bytes += size
        while messages.count > Limits.feedMessagesMaximum || bytes > Limits.feedBytesMaximum { dropOldest() }
        return nil
    }

    private mutating func replace(_ item: FedMessage) {
        bytes += item.message.cost - (messages[item.key]?.message.cost ?? 0)
        messages[item.key] = item
        while bytes > Limits.feedBytesMaximum { dropOldest() }
    }

    private mutating func dropOldest() {
        guard !order.isEmpty else { return }
        remove(order.removeFirst())
    }

    private mutating func remove(_ key: MessageKey) {
        if let old = messages.removeValue(forKey: key) { bytes -= old.message.cost }
    }

    private mutating func take(_ item: FedRoot) -> FeedRefusal? {
        guard item.committed.isPlausible, sources.contains(item.committed.root.source) else {
            return FeedRefusal(code: .implausibleRoot, detail: "\(item.committed.key)")
        }
        guard !hints.contains(item) else { return nil }
        if hints.count >= Limits.feedRootsMaximum { hints.removeFirst() }
        hints.append(item)
        return nil
    }

    // MARK: Checking

    /// Roots to look up at the destination, by log or `getMerkleRoot`; taken once.
    package mutating func takeHints() -> [FedRoot] {
        defer { hints = [] }
        return hints
    }

    /// `accepted` must come from this node's own read of the destination.
    package func verify(_ accepted: MerkleRoot) -> FeedVerdict {
        guard let count = accepted.checkedCount else { return .contradicts }
        let keys = (0..<count).map { accepted.message(at: $0) }
        let missing = keys.filter { messages[$0] == nil }
        guard missing.isEmpty else { return .incomplete(LaneRange.joining(missing)) }
        let found = keys.compactMap { messages[$0]?.message }
        let metadata = Any2EVMRampMessage.metadataHash(
            source: accepted.source, destination: destination, onRamp: accepted.onRamp)
        let leaves = found.map { $0.leafHash(metadataHash: metadata) }
        guard (try? MerkleTree(leaves: leaves))?.root == accepted.root else { return .contradicts }
        return .verified(found)
    }

    /// Where to read the log of a fed message again.
    package func place(of key: MessageKey) -> LogPlace? { messages[key]?.place }

    /// Forgets the messages of a root: taken over after `verified`, or false after `contradicts`.
    package mutating func discard(_ root: MerkleRoot, contradicted: Bool = false) {
        guard let range = root.range else { return }
        if contradicted { contradictions += 1 }
        order.removeAll { $0.source == root.source && range.contains($0.sequenceNumber) }
        let keep = Set(order)
        for key in messages.keys.filter({ !keep.contains($0) }) { remove(key) }
    }
}

extension Any2EVMRampMessage {
    /// Roughly what it takes in memory.
    fileprivate var cost: Int {
        tokenAmounts.reduce(512 + data.count + sender.count) { $0 + 256 + $1.extraData.count + $1.sourcePool.count }
    }
}
