// The bounded queue between senders on any thread and a bus thread; a value, guarded by its owner's lock.
// Bounded in messages, in messages of one channel, and in bytes.

struct OutboundMessage: Equatable, Sendable {
    let channel: [UInt8]
    let payload: [UInt8]
    var byteCount: Int { channel.count + payload.count }
}

/// Bounds of one peer's queue, and who gives way at the bound.
package struct QueuePolicy: Equatable, Sendable {
    package enum Overflow: Equatable, Sendable {
        /// The newest is worth most: agreement messages (specification 2.14).
        case displaceOldest
        /// The order is worth most: the sender is told and may come again.
        case refuseNewest
    }

    package var messagesMaximum: Int
    package var messagesPerChannelMaximum: Int
    package var bytesMaximum: Int
    package var overflow: Overflow

    package init(messagesMaximum: Int, messagesPerChannelMaximum: Int, bytesMaximum: Int, overflow: Overflow) {
        self.messagesMaximum = messagesMaximum
        self.messagesPerChannelMaximum = messagesPerChannelMaximum
        self.bytesMaximum = bytesMaximum
        self.overflow = overflow
    }

    /// What a mesh link has unless configured otherwise.
    package static let mesh = QueuePolicy(
        messagesMaximum: Limits.queuedPerPeerDefault, messagesPerChannelMaximum: Limits.queuedPerChannelDefault,
        bytesMaximum: Limits.queuedBytesPerPeerDefault, overflow: .displaceOldest)
    /// What a pair link has unless configured otherwise.
    package static let pair = QueuePolicy(
        messagesMaximum: Limits.queuedPerPairDefault, messagesPerChannelMaximum: Limits.queuedPerPairDefault,
        bytesMaximum: Limits.queuedBytesPerPeerDefault, overflow: .refuseNewest)

    func validate(payloadBytesMaximum: Int) throws(MessageBusError) {
        guard messagesMaximum > 0, messagesPerChannelMaximum > 0 else {
            throw .configuration("a queue must hold at least one message")
        }
        guard bytesMaximum >= payloadBytesMaximum + Limits.channelBytesMaximum else {
            throw .configuration(
                "a queue of \(bytesMaximum) bytes cannot hold one payload of \(payloadBytesMaximum)",
                hint: "raise the queue's bytes or lower the payload bound")
        }
    }
}

struct OutboundQueue: Sendable {
    private var messages: [OutboundMessage] = []
    private(set) var byteCount = 0
    private let policy: QueuePolicy

    init(policy: QueuePolicy) { self.policy = policy }

    var count: Int { messages.count }

    /// Queues a message. The second result is how many gave way: displaced ones, or 1 for itself.
    mutating func append(_ message: OutboundMessage) -> (result: SendResult, dropped: Int) {
        assert(messages.count <= policy.messagesMaximum && byteCount <= policy.bytesMaximum)
        var dropped = 0
        while let victim = victim(for: message) {
            guard policy.overflow == .displaceOldest else { return (.dropped(.queueFull), 1) }
            byteCount -= messages[victim].byteCount
            messages.remove(at: victim)
            dropped += 1
        }
        guard byteCount + message.byteCount <= policy.bytesMaximum else { return (.dropped(.queueFull), dropped + 1) }
        messages.append(message)
        byteCount += message.byteCount
        return (dropped == 0 ? .queued : .queuedDisplacingOldest, dropped)
    }

    /// The message that must go before `message` fits; nil when it fits (or when nothing is left to go).
    private func victim(for message: OutboundMessage) -> Int? {
        if messages.isEmpty { return nil }
        if messages.count >= policy.messagesPerChannelMaximum {
            var sameChannel = 0
            var first: Int?
            for (position, queued) in messages.enumerated() where queued.channel == message.channel {
                sameChannel += 1
                if first == nil { first = position }
            }
            if sameChannel >= policy.messagesPerChannelMaximum { return first }
        }
        let isFull = messages.count >= policy.messagesMaximum || byteCount + message.byteCount > policy.bytesMaximum
        return isFull ? 0 : nil
    }

    /// Up to a batch from the front: the rest stays open to displacement.
    mutating func popFirst() -> OutboundMessage? {
        guard let first = messages.first else { return nil }
        messages.removeFirst()
        byteCount -= first.byteCount
        return first
    }
}
