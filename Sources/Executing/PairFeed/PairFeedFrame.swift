// What a committing node tells its executing pair: messages and roots it has seen. Value types and their canonical,
// bounded bytes. Nothing fed is true until PairFeedShelf has checked it against the chain.

import CCIP
import Ethereum

/// Where a log stands, so that it can be read again by one request.
package struct LogPlace: Hashable, Sendable {
    package var blockNumber: UInt64
    package var blockHash: Hash32
    package var transactionHash: Hash32
    package var logIndex: UInt32

    package init(blockNumber: UInt64, blockHash: Hash32, transactionHash: Hash32, logIndex: UInt32) {
        self.blockNumber = blockNumber
        self.blockHash = blockHash
        self.transactionHash = transactionHash
        self.logIndex = logIndex
    }
}

/// A `CCIPMessageSent` as the pair has read it, in the destination's form.
package struct FedMessage: Hashable, Sendable {
    package var message: Any2EVMRampMessage
    /// On the source chain.
    package var place: LogPlace

    package init(message: Any2EVMRampMessage, place: LogPlace) {
        self.message = message
        self.place = place
    }

    package var key: MessageKey { message.key }

    /// Whether the log, read again by this node, says the same. `onRamp` is the lane's, from the OffRamp.
    package func isConfirmed(by log: ContractLog, onRamp: Address) -> Bool {
        let header = message.header
        guard
            let read = try? MessageSentEvent.decode(
                log, source: header.source, destination: header.destination, onRamp: onRamp),
            let converted = try? Any2EVMRampMessage(converting: read)
        else { return false }
        return converted == message
    }
}

/// A root that the pair has seen accepted: a hint where to look, never a fact.
package struct FedRoot: Hashable, Sendable {
    package var committed: CommittedRoot
    /// On the destination chain.
    package var place: LogPlace

    package init(committed: CommittedRoot, place: LogPlace) {
        self.committed = committed
        self.place = place
    }
}

/// One frame of the feed.
package struct PairFeedFrame: Hashable, Sendable {
    static let version: UInt8 = 1

    /// Grows by one with each frame of one run of the feeding process: a gap means lost frames, and that reads of the
    /// chain must fill in.
    package var number: UInt64
    package var destination: ChainSelector
    package var messages: [FedMessage]
    package var roots: [FedRoot]

    package init(number: UInt64, destination: ChainSelector, messages: [FedMessage] = [], roots: [FedRoot] = []) {
        self.number = number
        self.destination = destination
        self.messages = messages
        self.roots = roots
    }

    package var encoded: Bytes {
        var writer = CanonicalWriter()
        writer.byte(Self.version)
        writer.u64(number)
        writer.selector(destination)
        writer.list(messages) { writer, item in
            writer.string(item.message.encoded)
            writer.place(item.place)
        }
        writer.list(roots) { writer, item in
            writer.committedRoot(item.committed)
            writer.place(item.place)
        }
        return writer.bytes
    }

    /// Frames within the bounds, in order; `number` is that of the first.
    package static func splitting(
        number: UInt64, destination: ChainSelector, messages: [FedMessage], roots: [FedRoot]
    ) -> [PairFeedFrame] {
        var frames: [PairFeedFrame] = []
        var current = PairFeedFrame(number: number, destination: destination)
        var bytes = 0
        func flush() {
            frames.append(current)
            current = PairFeedFrame(number: current.number + 1, destination: destination)
            bytes = 0
        }
        for message in messages {
            let size = message.message.encoded.count + 128
            let isFull = current.messages.count >= Limits.feedItemsPerFrame
            if isFull || bytes + size > Limits.feedFrameBytesMaximum / 2 { flush() }
            current.messages.append(message)
            bytes += size
        }
        for root in roots {
            if current.roots.count >= Limits.feedItemsPerFrame { flush() }
            current.roots.append(root)
        }
        if !current.messages.isEmpty || !current.roots.isEmpty { frames.append(current) }
        return frames
    }

    /// Strict and bounded; throws `malformedFeed`.
    package init(encoded: Bytes) throws(ExecutingError) {
        guard encoded.count <= Limits.feedFrameBytesMaximum else {
            throw ExecutingError(
                .malformedFeed, "a frame of \(encoded.count) bytes",
                hint: "at most \(Limits.feedFrameBytesMaximum); the pair runs another version")
        }
        do { try self.init(reading: encoded) } catch { throw ExecutingError(.malformedFeed, error) }
    }

    private init(reading bytes: Bytes) throws(CCIPError) {
        var reader = CanonicalReader(bytes, "pair feed")
        guard try reader.byte() == Self.version else { throw reader.malformed("unknown version") }
        number = try reader.u64()
        destination = try reader.selector()
        messages = try reader.list(maximum: Limits.feedItemsPerFrame) { reader throws(CCIPError) in
            let encoded = try reader.string(maximum: Limits.messageBytesMaximum)
            return FedMessage(message: try Any2EVMRampMessage(encoded: encoded), place: try reader.place())
        }
        roots = try reader.list(maximum: Limits.feedItemsPerFrame) { reader throws(CCIPError) in
            FedRoot(committed: try reader.committedRoot(), place: try reader.place())
        }
        try reader.finish()
    }
}

extension CanonicalWriter {
    fileprivate mutating func place(_ value: LogPlace) {
        u64(value.blockNumber)
        hash(value.blockHash)
        hash(value.transactionHash)
        u32(value.logIndex)
    }
}

extension CanonicalReader {
    fileprivate mutating func place() throws(CCIPError) -> LogPlace {
        LogPlace(
            blockNumber: try u64(), blockHash: try hash(), transactionHash: try hash(), logIndex: try u32())
    }
}
