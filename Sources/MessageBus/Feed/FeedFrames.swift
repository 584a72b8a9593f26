// The public feed's wire form and what a reader makes of its sequence numbers: pure values, no sockets.
// Frames: [topic][sequence, 8 bytes big-endian][payload]. Topic "heartbeat" carries the sequence of the last event
// and, as payload, 8 bytes that differ for each life of the publisher; it uses up no sequence number.

package enum FeedTopic {
    package static let heartbeat = "heartbeat"
}

package struct FeedEvent: Equatable, Sendable {
    package let topic: String
    /// Counts all events of the publisher, whatever their topic; the first is 1 unless configured otherwise.
    package let sequence: UInt64
    package let payload: [UInt8]

    package init(topic: String, sequence: UInt64, payload: [UInt8]) {
        self.topic = topic
        self.sequence = sequence
        self.payload = payload
    }
}

/// What a subscriber hands out, in order.
package enum FeedItem: Equatable, Sendable {
    case event(FeedEvent)
    /// Events the publisher numbered and we never saw. Only for subscribers to everything: others cannot know.
    case gap(ClosedRange<UInt64>)
    /// The publisher lives; `sequence` is that of its last event, 0 before the first.
    case heartbeat(sequence: UInt64)
    /// The publisher began anew; what it sent in between is unknown.
    case restarted
}

enum FeedFrames {
    static func frames(topic: String, sequence: UInt64, payload: [UInt8]) -> [[UInt8]] {
        [Array(topic.utf8), bigEndian(sequence), payload]
    }

    static func bigEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
    }

    static func number(_ bytes: [UInt8]) -> UInt64? {
        guard bytes.count == 8 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func decode(_ frames: [[UInt8]]) -> FeedEvent? {
        guard frames.count == 3, (1...Limits.topicBytesMaximum).contains(frames[0].count),
            let topic = String(validating: frames[0], as: UTF8.self), let sequence = number(frames[1])
        else { return nil }
        return FeedEvent(topic: topic, sequence: sequence, payload: frames[2])
    }

    /// Why a topic may not be published; nil when it may.
    static func refusal(topic: String) -> String? {
        if topic.isEmpty { return "a topic has at least one letter" }
        if topic.utf8.count > Limits.topicBytesMaximum { return "a topic has at most \(Limits.topicBytesMaximum) bytes" }
        if topic.hasPrefix(FeedTopic.heartbeat) { return "topics that begin with \(FeedTopic.heartbeat) are reserved" }
        return nil
    }
}

/// Turns received events into items: finds gaps and restarts.
struct FeedTracker: Equatable, Sendable {
    /// Subscribed to everything, so that each missing number is a lost event.
    let seesEverything: Bool
    private(set) var last: UInt64?
    private var instance: [UInt8]?

    init(seesEverything: Bool) { self.seesEverything = seesEverything }

    mutating func observe(_ event: FeedEvent) -> [FeedItem] {
        event.topic == FeedTopic.heartbeat ? heartbeat(event) : numbered(event)
    }

    private mutating func numbered(_ event: FeedEvent) -> [FeedItem] {
        defer { last = event.sequence }
        guard let last else { return [.event(event)] }
        if event.sequence <= last {
            instance = nil
            return [.restarted, .event(event)]
        }
        guard seesEverything, event.sequence > last + 1 else { return [.event(event)] }
        return [.gap(last + 1...event.sequence - 1), .event(event)]
    }

    private mutating func heartbeat(_ event: FeedEvent) -> [FeedItem] {
        let head = event.sequence
        defer { (last, instance) = (head, event.payload) }
        guard let last else { return [.heartbeat(sequence: head)] }
        let isSameLife = instance == nil || instance == event.payload
        // The numbers going back says the same as another instance does.
        guard isSameLife, head >= last else { return [.restarted, .heartbeat(sequence: head)] }
        guard seesEverything, head > last else { return [.heartbeat(sequence: head)] }
        return [.gap(last + 1...head), .heartbeat(sequence: head)]
    }
}
