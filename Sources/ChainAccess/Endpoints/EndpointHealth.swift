// How well one endpoint serves, as a value: what happened goes in, whom to ask first comes out. No clock, no wire.

struct EndpointHealth: Sendable {
    enum Identity: Sendable, Equatable {
        case unverified
        case verified
        case refused(found: UInt64)
    }

    var identity = Identity.unverified
    private(set) var penalty = 0
    private(set) var failuresInRow = 0
    /// Seconds on the caller's clock until which others are asked first.
    private(set) var restsUntil = 0.0
    /// Seconds on the caller's clock until which the endpoint wants to be left alone.
    private(set) var coolsUntil = 0.0
    private(set) var lastError: ChainAccessError?
    var latest: UInt64?
    var finalized: UInt64?

    var isRefused: Bool { if case .refused = identity { true } else { false } }

    mutating func succeeded() {
        failuresInRow = 0
        restsUntil = 0
        penalty = max(0, penalty - 1)
        lastError = nil
    }

    mutating func failed(_ error: ChainAccessError, now: Double) {
        failuresInRow += 1
        penalty = min(Limits.penaltyMaximum, penalty + Limits.failurePenalty)
        restsUntil = now + min(Limits.restSecondsMaximum, 0.125 * Double(1 << min(failuresInRow - 1, 10)))
        lastError = error
        if let pause = error.retryAfterMilliseconds {
            coolsUntil = max(coolsUntil, now + min(Double(pause) / 1_000, Limits.cooldownSecondsMaximum))
        }
        // Behind the same address may stand another machine when it comes back.
        if error.code == .unreachable, identity == .verified { identity = .unverified }
    }

    /// The others contradicted it.
    mutating func disagreed() { penalty = min(Limits.penaltyMaximum, penalty + Limits.disagreementPenalty) }

    /// Smaller is asked first.
    func rank(now: Double, best: UInt64) -> Int {
        var rank = penalty
        if restsUntil > now { rank += 2 * Limits.penaltyMaximum }
        if isBehind(best) { rank += Limits.penaltyMaximum }
        return rank
    }

    func isBehind(_ best: UInt64) -> Bool {
        guard let latest else { return false }
        return latest + Limits.syncThresholdBlocks < best
    }

    func state(now: Double, best: UInt64) -> EndpointState {
        switch identity {
        case .refused: .refused
        case .unverified: failuresInRow > 0 ? .failing : .unverified
        case .verified where failuresInRow > 0: .failing
        case .verified: isBehind(best) ? .behind : .ready
        }
    }
}
