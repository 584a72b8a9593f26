// What one oracle remembers between rounds: messages in flight, roots that are done or snoozed, since when a message
// stands as it does (4.3 of the off-chain specification). It influences observations only, and may be lost.

import CCIP

struct ExecuteCaches: Sendable {
    private var inflight = ExpiringKeys<MessageKey>()
    private var held = ExpiringKeys<MessageKey>()
    private var failures: [MessageKey: Int] = [:]
    private var settled = ExpiringKeys<RootKey>()
    private var since: [MessageKey: (code: String, milliseconds: UInt64)] = [:]

    // MARK: In flight

    mutating func markInflight(_ key: MessageKey, until: UInt64, now: UInt64) {
        inflight.insert(key, until: until, now: now)
    }

    func inflightUntil(_ key: MessageKey, now: UInt64) -> UInt64? { inflight.until(key, now: now) }

    mutating func forgetInflight(_ key: MessageKey) { inflight.remove(key) }

    // MARK: Held back after failures

    func heldUntil(_ key: MessageKey, now: UInt64) -> UInt64? { held.until(key, now: now) }
    mutating func hold(_ key: MessageKey, until: UInt64, now: UInt64) { held.insert(key, until: until, now: now) }

    /// One more paid attempt that came to nothing; returns how many came before in the row.
    mutating func countFailure(_ key: MessageKey) -> Int {
        if failures.count >= Limits.cacheEntriesMaximum { failures = [:] }
        let before = failures[key] ?? 0
        failures[key] = before + 1
        return before
    }

    mutating func forgetFailures(_ key: MessageKey) {
        guard failures[key] != nil else { return }
        failures[key] = nil
        held.remove(key)
    }

    // MARK: Roots with nothing left to do

    mutating func settle(_ key: RootKey, until: UInt64, now: UInt64) { settled.insert(key, until: until, now: now) }
    func isSettled(_ key: RootKey, now: UInt64) -> Bool { settled.until(key, now: now) != nil }

    // MARK: Since when

    mutating func note(_ standings: [(MessageKey, ExecutionStanding)], now: UInt64) {
        var next: [MessageKey: (code: String, milliseconds: UInt64)] = [:]
        for (key, standing) in standings.prefix(Limits.cacheEntriesMaximum) {
            let code = standing.code
            if let known = since[key], known.code == code { next[key] = known } else { next[key] = (code, now) }
        }
        since = next
    }

    func since(_ key: MessageKey, _ standing: ExecutionStanding) -> UInt64? {
        guard let known = since[key], known.code == standing.code else { return nil }
        return known.milliseconds
    }
}

/// Keys with an end. Bounded: the earliest end goes first.
struct ExpiringKeys<Key: Hashable & Comparable & Sendable>: Sendable {
    private var ends: [Key: UInt64] = [:]

    var count: Int { ends.count }

    mutating func insert(_ key: Key, until: UInt64, now: UInt64) {
        if ends.count >= Limits.cacheEntriesMaximum, ends[key] == nil { prune(now) }
        ends[key] = until
    }

    mutating func remove(_ key: Key) { ends[key] = nil }

    func until(_ key: Key, now: UInt64) -> UInt64? {
        guard let end = ends[key], end > now else { return nil }
        return end
    }

    private mutating func prune(_ now: UInt64) {
        ends = ends.filter { $0.value > now }
        let surplus = ends.count - Limits.cacheEntriesMaximum + 1
        guard surplus > 0 else { return }
        let earliest = ends.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.prefix(surplus)
        for (key, _) in earliest { ends[key] = nil }
    }
}
