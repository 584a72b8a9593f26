// What one oracle says in one round, its canonical bytes, and the checks that need no chain: roles, shapes, sizes.
// Nothing here decides what is true.

import CCIP
import Ethereum
import OffchainReporting

/// A root with what the observer sees executed of it. Destination readers only.
package struct ObservedRoot: Hashable, Sendable {
    package var committed: CommittedRoot
    /// Messages that are not untouched any more, at the latest block.
    package var executed: MessageSet

    package init(committed: CommittedRoot, executed: MessageSet) {
        self.committed = committed
        self.executed = executed
    }
}

/// A message in full, `abi.encode(Any2EVMRampMessage)`, with token data that is ready.
package struct ObservedMessage: Hashable, Sendable {
    /// Place under the root.
    package var index: Int
    package var encoded: Bytes
    package var tokenData: [Bytes]

    package init(index: Int, encoded: Bytes, tokenData: [Bytes]) {
        self.index = index
        self.encoded = encoded
        self.tokenData = tokenData
    }
}

/// The leaves of a root, all of them, and some of its messages in full; the others are what the reference calls
/// pseudo-deleted (4.4). Source readers only.
package struct ObservedLeaves: Hashable, Sendable {
    package var key: RootKey
    package var first: SequenceNumber
    package var leaves: [Hash32]
    /// Ascending by index.
    package var messages: [ObservedMessage]

    package init(key: RootKey, first: SequenceNumber, leaves: [Hash32], messages: [ObservedMessage]) {
        self.key = key
        self.first = first
        self.leaves = leaves
        self.messages = messages
    }
}

/// The inbound nonce of a sender. Destination readers only.
package struct ObservedNonce: Hashable, Sendable {
    package var sender: SenderKey
    package var nonce: UInt64

    package init(sender: SenderKey, nonce: UInt64) {
        self.sender = sender
        self.nonce = nonce
    }
}

package struct ExecuteObservation: Hashable, Sendable {
    /// Ascending by source, then root; so are `leaves`. `nonces` ascend by sender.
    package var roots: [ObservedRoot]
    package var leaves: [ObservedLeaves]
    package var nonces: [ObservedNonce]

    package init(roots: [ObservedRoot] = [], leaves: [ObservedLeaves] = [], nonces: [ObservedNonce] = []) {
        self.roots = roots.sorted { $0.committed.key < $1.committed.key }
        self.leaves = leaves.sorted { $0.key < $1.key }
        self.nonces = nonces.sorted { $0.sender < $1.sender }
    }

    package var isEmpty: Bool { roots.isEmpty && leaves.isEmpty && nonces.isEmpty }
}

// MARK: Canonical bytes (2.4)

extension ExecuteObservation {
    static let version: UInt8 = 1

    package var encoded: Bytes {
        var writer = CanonicalWriter()
        writer.byte(Self.version)
        writer.list(roots) { writer, item in
            writer.committedRoot(item.committed)
            writer.word(item.executed.bits)
        }
        writer.list(leaves) { writer, item in
            writer.selector(item.key.source)
            writer.hash(item.key.root)
            writer.sequenceNumber(item.first)
            writer.list(item.leaves) { $0.hash($1) }
            writer.list(item.messages) { writer, message in
                writer.u32(UInt32(message.index))
                writer.string(message.encoded)
                writer.list(message.tokenData) { $0.string($1) }
            }
        }
        writer.list(nonces) { writer, item in
            writer.sender(item.sender)
            writer.u64(item.nonce)
        }
        return writer.bytes
    }

    /// Strict; throws `malformedObservation`.
    package init(encoded: Bytes) throws(ExecutingError) {
        do { try self.init(reading: encoded) } catch { throw ExecutingError(.malformedObservation, error) }
    }

    private init(reading bytes: Bytes) throws(CCIPError) {
        var reader = CanonicalReader(bytes, "execute observation")
        guard try reader.byte() == Self.version else { throw reader.malformed("unknown version") }
        roots = try reader.list(maximum: Limits.rootsPerObservation) { reader throws(CCIPError) in
            ObservedRoot(committed: try reader.committedRoot(), executed: MessageSet(bits: try reader.word()))
        }
        leaves = try reader.list(maximum: Limits.rootsPerObservation) { reader throws(CCIPError) in
            try ObservedLeaves(&reader)
        }
        nonces = try reader.list(maximum: Limits.sendersPerObservation) { reader throws(CCIPError) in
            ObservedNonce(sender: try reader.sender(), nonce: try reader.u64())
        }
        try reader.finish()
    }
}

extension ObservedLeaves {
    fileprivate init(_ reader: inout CanonicalReader) throws(CCIPError) {
        let key = RootKey(source: try reader.selector(), root: try reader.hash())
        let first = try reader.sequenceNumber()
        let leaves = try reader.list(maximum: CCIP.Limits.treeLeavesMaximum) { reader throws(CCIPError) in
            try reader.hash()
        }
        let messages = try reader.list(maximum: Limits.fullMessagesPerObservation) {
            reader throws(CCIPError) in
            ObservedMessage(
                index: Int(try reader.u32()), encoded: try reader.string(maximum: Limits.messageBytesMaximum),
                tokenData: try reader.list(maximum: Limits.tokensPerMessage) { reader throws(CCIPError) in
                    try reader.string(maximum: Limits.tokenDataBytesMaximum)
                })
        }
        self.init(key: key, first: first, leaves: leaves, messages: messages)
    }
}

extension CanonicalWriter {
    mutating func committedRoot(_ value: CommittedRoot) {
        selector(value.root.source)
        string(value.root.onRamp)
        sequenceNumber(value.root.first)
        sequenceNumber(value.root.last)
        hash(value.root.root)
        u64(value.timestamp)
    }

    mutating func sender(_ value: SenderKey) {
        selector(value.source)
        string(value.sender)
    }
}

extension CanonicalReader {
    mutating func committedRoot() throws(CCIPError) -> CommittedRoot {
        let root = MerkleRoot(
            source: try selector(), onRamp: try string(maximum: Limits.onRampBytesMaximum),
            first: try sequenceNumber(), last: try sequenceNumber(), root: try hash())
        return CommittedRoot(root: root, timestamp: try u64())
    }

    mutating func sender() throws(CCIPError) -> SenderKey {
        SenderKey(source: try selector(), sender: try string(maximum: Limits.senderBytesMaximum))
    }
}

// MARK: Validity (1.5, 4.4)

extension ExecuteObservation {
    /// Whether `observer` may say this at all. Pure; throws `notAllowedToObserve` or `malformedObservation`.
    func validate(observer: Int, _ configuration: ExecuteConfiguration) throws(ExecutingError) {
        if !roots.isEmpty || !nonces.isEmpty {
            guard configuration.readsDestination(observer) else {
                throw Self.notAllowed("oracle \(observer) does not read the destination")
            }
        }
        for (a, b) in zip(roots, roots.dropFirst()) where !(a.committed.key < b.committed.key) {
            throw Self.malformed("roots do not ascend")
        }
        for item in roots { try Self.validate(item, configuration) }
        for (a, b) in zip(leaves, leaves.dropFirst()) where !(a.key < b.key) {
            throw Self.malformed("leaves do not ascend")
        }
        guard leaves.reduce(0, { $0 + $1.messages.count }) <= Limits.fullMessagesPerObservation else {
            throw Self.malformed("more than \(Limits.fullMessagesPerObservation) full messages")
        }
        var ids: Set<MessageID> = []
        for item in leaves {
            guard configuration.reads(observer, item.key.source) else {
                throw Self.notAllowed("oracle \(observer) does not read source \(item.key.source)")
            }
            try Self.validate(item, configuration, &ids)
        }
        for (a, b) in zip(nonces, nonces.dropFirst()) where !(a.sender < b.sender) {
            throw Self.malformed("nonces do not ascend")
        }
        for item in nonces where item.sender.sender.isEmpty || configuration.source(item.sender.source) == nil {
            throw Self.malformed("a nonce of an unknown source or of nobody")
        }
    }

    private static func validate(
        _ item: ObservedRoot, _ configuration: ExecuteConfiguration
    ) throws(ExecutingError) {
        guard configuration.source(item.committed.root.source) != nil else {
            throw malformed("unknown source \(item.committed.root.source)")
        }
        guard item.committed.isPlausible, let count = item.committed.root.checkedCount, item.executed.fits(count)
        else { throw malformed("root \(item.committed.key) could not have been accepted") }
    }

    private static func validate(
        _ item: ObservedLeaves, _ configuration: ExecuteConfiguration, _ ids: inout Set<MessageID>
    ) throws(ExecutingError) {
        guard !item.leaves.isEmpty, !item.leaves.contains(where: \.isZero), item.first.rawValue >= 1,
            item.first.rawValue <= UInt64.max - UInt64(item.leaves.count)
        else { throw malformed("leaves of \(item.key)") }
        var before = -1
        for entry in item.messages {
            guard entry.index > before, entry.index < item.leaves.count else {
                throw malformed("messages of \(item.key) do not ascend")
            }
            before = entry.index
            let message: Any2EVMRampMessage
            do { message = try Any2EVMRampMessage(encoded: entry.encoded) } catch {
                throw ExecutingError(.malformedObservation, error)
            }
            let header = message.header
            guard header.source == item.key.source, header.destination == configuration.destination.selector,
                header.sequenceNumber.rawValue == item.first.rawValue + UInt64(entry.index)
            else { throw malformed("message \(entry.index) of \(item.key) belongs elsewhere") }
            guard entry.tokenData.count == message.tokenAmounts.count,
                message.tokenAmounts.count <= Limits.tokensPerMessage
            else { throw malformed("token data of message \(entry.index) of \(item.key)") }
            guard !message.sender.isEmpty, message.sender.count <= Limits.senderBytesMaximum,
                !header.messageID.isZero, ids.insert(header.messageID).inserted
            else { throw malformed("sender or id of message \(entry.index) of \(item.key)") }
        }
    }

    private static func malformed(_ what: String) -> ExecutingError {
        ExecutingError(.malformedObservation, what, hint: "the peer is faulty or runs another version")
    }

    private static func notAllowed(_ what: String) -> ExecutingError {
        ExecutingError(.notAllowedToObserve, what, hint: "roles are fixed by the configuration digest")
    }
}
