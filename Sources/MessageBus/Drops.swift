// Why a message went no further, counted by reason from zero; and what a sender is told.
// Nothing here is an error: a lossy bus drops, and says so in numbers.

/// The reason label of a dropped message.
package enum DropReason: String, Sendable, CaseIterable {
    /// Our bounded queue was full; the link policy says whether the oldest or the newest message went.
    case queueFull
    /// Above the payload bound of the link.
    case tooLarge
    /// Addressed to, or proven to come from, somebody who is not a member.
    case unknownPeer
    /// A connection whose key is not admitted, or a message without a proven sender.
    case unauthenticated
    /// Wrong number of frames, empty or oversize channel or topic.
    case malformed
    /// Above the inbound rate of its peer.
    case rateLimited
    /// Sent after stop, or before start where that matters.
    case notRunning
}

/// One counter a reason; all are there from the start, so that a metric exists before its first event.
package struct DropCounters: Equatable, Sendable {
    private var counts = [UInt64](repeating: 0, count: DropReason.allCases.count)

    package init() {}

    package subscript(reason: DropReason) -> UInt64 {
        get { counts[Self.index(of: reason)] }
        set { counts[Self.index(of: reason)] = newValue }
    }

    package var total: UInt64 { counts.reduce(0, &+) }

    /// In the order of `DropReason.allCases`.
    package var byReason: [(reason: DropReason, count: UInt64)] {
        DropReason.allCases.map { ($0, self[$0]) }
    }

    private static func index(of reason: DropReason) -> Int {
        switch reason {
        case .queueFull: 0
        case .tooLarge: 1
        case .unknownPeer: 2
        case .unauthenticated: 3
        case .malformed: 4
        case .rateLimited: 5
        case .notRunning: 6
        }
    }
}

/// What became of a message handed to the bus. Queued is not delivered: every link is best effort.
package enum SendResult: Equatable, Sendable {
    case queued
    /// Queued, and the oldest message of the same peer (and channel) was dropped for it.
    case queuedDisplacingOldest
    case dropped(DropReason)

    package var isQueued: Bool { if case .dropped = self { false } else { true } }
}

/// A message whose sender is proven by its CURVE key.
package struct InboundMessage: Equatable, Sendable {
    /// Index of the sender in the mesh; 0 on a pair link.
    package let peer: Int
    /// Instance or stream the payload belongs to, 1 to `Limits.channelBytesMaximum` bytes, opaque here.
    package let channel: [UInt8]
    package let payload: [UInt8]
    /// Monotonic clock, milliseconds, when it left the socket.
    package let receivedAtMilliseconds: UInt64

    package init(peer: Int, channel: [UInt8], payload: [UInt8], receivedAtMilliseconds: UInt64) {
        self.peer = peer
        self.channel = channel
        self.payload = payload
        self.receivedAtMilliseconds = receivedAtMilliseconds
    }
}

/// Takes the messages of one wake-up, in order. Runs on the bus thread: hand over and return, never wait.
package typealias MessageHandler = @Sendable ([InboundMessage]) -> Void
