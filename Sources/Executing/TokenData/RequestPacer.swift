// When the attestation service may be asked: evenly spaced, and not at all for a while after it said "too many". Clients
// of one host share one pacer: the service blocks an address, not a client (4.6).

/// Milliseconds are those of a monotonic clock of this process.
package struct RequestPacer: Sendable {
    /// Between two requests.
    package let spacing: UInt64
    /// After a 429 without Retry-After.
    package let coolDown: UInt64
    private var next: UInt64 = 0
    private var coldUntil: UInt64 = 0

    package init(spacing: UInt64, coolDown: UInt64) {
        self.spacing = spacing
        self.coolDown = coolDown
    }

    package enum Slot: Hashable, Sendable {
        /// Ask at this time.
        case at(UInt64)
        /// Ask nothing before this time.
        case notBefore(UInt64)
    }

    package mutating func reserve(now: UInt64) -> Slot {
        guard now >= coldUntil else { return .notBefore(coldUntil) }
        // Whoever would wait longer than a few seconds asks again later, with what is wanted then.
        guard next < now + Limits.attestationQueueMilliseconds else { return .notBefore(next) }
        let slot = max(now, next)
        next = slot + spacing
        return .at(slot)
    }

    /// The service answered 429.
    package mutating func throttled(retryAfterSeconds: UInt64?, now: UInt64) {
        let wanted = retryAfterSeconds.map { min($0, Limits.attestationCoolDownMaximum / 1_000) * 1_000 } ?? coolDown
        coldUntil = max(coldUntil, now + min(max(wanted, spacing), Limits.attestationCoolDownMaximum))
        next = max(next, coldUntil)
    }
}
