// The circuit breaker of the DON (12.5): a step beyond the limit must be seen in three consecutive rounds before it is
// published. Its memory is part of the outcome, so that every oracle counts alike and a restart forgets nothing.

import Ethereum

/// Kept only while it is needed: a jump is being watched, or the last round had no value to compare with.
package struct JumpState: Hashable, Sendable {
    package let key: AggregateKey
    /// The last value that was agreed and published.
    package let reference: StreamValue
    package let candidate: StreamValue?
    /// Consecutive rounds in which the candidate's level was seen; 0 without one.
    package let rounds: UInt8

    package init(key: AggregateKey, reference: StreamValue, candidate: StreamValue? = nil, rounds: UInt8 = 0) {
        self.key = key
        self.reference = reference
        self.candidate = candidate
        self.rounds = rounds
    }
}

enum JumpGuard {
    enum Verdict: Equatable {
        case publish
        case hold(JumpState)
    }

    /// `fresh` is this round's value, `reference` the last published one (nil: none yet), `state` what is watched.
    static func judge(
        _ fresh: StreamValue, key: AggregateKey, reference: StreamValue?, state: JumpState?, limit: UInt64?
    ) -> Verdict {
        guard let limit, let reference, differs(fresh, from: reference, by: limit) else { return .publish }
        let isSameLevel = state?.candidate.map { !differs(fresh, from: $0, by: limit) } ?? false
        let rounds = isSameLevel ? (state?.rounds ?? 0) + 1 : 1
        if rounds >= AgreementLimits.jumpRounds { return .publish }
        return .hold(JumpState(key: key, reference: reference, candidate: fresh, rounds: rounds))
    }

    /// Timestamps do not jump; another type of value does.
    static func differs(_ value: StreamValue, from reference: StreamValue, by limit: UInt64) -> Bool {
        switch (value, reference) {
        case (.decimal(let a), .decimal(let b)): a.differs(from: b, byMoreThan: limit)
        case (.timestamped(let a), .timestamped(let b)): a.value.differs(from: b.value, byMoreThan: limit)
        case (.quote(let a), .quote(let b)):
            a.bid.differs(from: b.bid, byMoreThan: limit) || a.ask.differs(from: b.ask, byMoreThan: limit)
                || a.benchmark.differs(from: b.benchmark, byMoreThan: limit)
        default: true
        }
    }
}
