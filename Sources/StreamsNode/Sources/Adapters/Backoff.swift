// When a source is asked again. Pure.

/// Doubles the pause with each failure in a row, up to a bound, and keeps the pause that the source asks for.
package struct Backoff: Sendable, Equatable {
    package let usualMilliseconds: Int
    package private(set) var failures = 0

    package init(usualMilliseconds: Int) { self.usualMilliseconds = usualMilliseconds }

    /// Until the next question after an answer that was of use.
    package mutating func succeeded() -> Int {
        failures = 0
        return usualMilliseconds
    }

    /// - Parameters:
    ///   - retryAfterSeconds: what the source said, if it did.
    ///   - draw: a random number; oracles that failed together must not come back together.
    package mutating func failed(retryAfterSeconds: UInt64? = nil, draw: UInt64) -> Int {
        failures = min(failures + 1, 16)
        let ceiling = max(usualMilliseconds, Limits.sourcePauseMillisecondsMaximum)
        let doubled = min(ceiling, usualMilliseconds << min(failures, 10))
        // Up to a fifth more.
        let pause = doubled + Int(draw % UInt64(doubled / 5 + 1))
        guard let seconds = retryAfterSeconds else { return pause }
        return max(pause, Int(min(seconds, Limits.sourceRetryAfterSecondsMaximum)) * 1_000)
    }
}
