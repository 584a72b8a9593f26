// When a question that nobody answered is put again: a value without a clock.

/// The attempts of one question. A fault that passes (a lost connection, an HTTP error, a block that is not there yet)
/// delays an answer; it must not cost a round its observation.
struct Retries: Sendable {
    private let attemptsMaximum: Int
    private let budget: Double
    private var attempts = 1
    /// Seconds; the time of the first failure's question is not known better than by its own limit.
    private var deadline: Double?

    init(_ policy: AccessPolicy) {
        attemptsMaximum = policy.attempts
        let (seconds, fraction) = policy.requestTimeout.components
        budget = (Double(seconds) + Double(fraction) / 1e18) * Limits.questionTimeouts
    }

    /// How long to wait before the next attempt; nil when the failure stands. `now` in seconds.
    mutating func pause(after error: ChainAccessError, now: Double) -> Duration? {
        guard error.isTransient, attempts < attemptsMaximum else { return nil }
        // A request that ran into its timeout has used up half of the time already.
        let end = deadline ?? now + (error.code == .timeout ? budget / 2 : budget)
        deadline = end
        let planned = Limits.attemptPauses[min(attempts, Limits.attemptPauses.count) - 1]
        let pause = max(planned, Double(error.retryAfterMilliseconds ?? 0) / 1_000)
        guard now + pause < end else { return nil }
        attempts += 1
        // Seven relayers that lost one endpoint at the same moment do not come back at the same moment.
        return .seconds(pause * Double.random(in: 1...1.25))
    }
}
