// The newest value of each feed for a consumer that is slower than the stream: memory is bounded by the number of feeds,
// never by the length of a queue (data-streams.md 11.6, 9.4).

/// Values by key, handed out in the order in which the keys became ready.
package struct ConflatingQueue<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var newest: [Key: Value] = [:]
    private var ready: [Key] = []
    private var head = 0
    /// Values that were displaced before anybody took them.
    package private(set) var conflated: UInt64 = 0

    package init() {}

    package var count: Int { ready.count - head }
    package var isEmpty: Bool { count == 0 }

    /// Keeps a value; one of the same key that still waits is displaced and its place kept.
    package mutating func put(_ value: Value, for key: Key) {
        if newest.updateValue(value, forKey: key) == nil { ready.append(key) } else { conflated += 1 }
    }

    package mutating func take() -> (key: Key, value: Value)? {
        guard head < ready.count else { return nil }
        let key = ready[head]
        head += 1
        if head > 256, head * 2 > ready.count {
            ready.removeFirst(head)
            head = 0
        }
        guard let value = newest.removeValue(forKey: key) else { preconditionFailure("a ready key has a value") }
        return (key, value)
    }
}
