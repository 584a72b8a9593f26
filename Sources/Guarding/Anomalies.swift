// What should never be seen (7.5 of the off-chain specification), by name. Each of these stops at least a lane.

import CCIP
import Ethereum

/// A stable name; an open set. It is also the kind of the stop that it raises.
package struct AnomalyKind: RawRepresentable, Hashable, Sendable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    /// The root on the destination is not the root over the source's messages.
    package static let committedRootMismatch = AnomalyKind(rawValue: "committedRootMismatch")
    /// A root over messages that are not final, or not there, at the source.
    package static let unfinalizedRoot = AnomalyKind(rawValue: "unfinalizedRoot")
    /// What was executed is not what was sent under that number.
    package static let executedContentMismatch = AnomalyKind(rawValue: "executedContentMismatch")
    /// Executed, and never sent.
    package static let executedWithoutSource = AnomalyKind(rawValue: "executedWithoutSource")
    /// Success twice, or anything after success.
    package static let doubleExecution = AnomalyKind(rawValue: "doubleExecution")
    /// Two messages of one number, both in finalized blocks of the source.
    package static let contradictingMessage = AnomalyKind(rawValue: "contradictingMessage")
    /// A number was left out: an endpoint hides a log.
    package static let missingMessage = AnomalyKind(rawValue: "missingMessage")
    /// A log of the OnRamp that is no message, or whose id is wrong.
    package static let unreadableMessage = AnomalyKind(rawValue: "unreadableMessage")
    /// A leaf was signed under this number, and the source now shows another one.
    package static let signedOtherwise = AnomalyKind(rawValue: "signedOtherwise")
    /// More tokens in one message or root than the operator allows.
    package static let valueLimit = AnomalyKind(rawValue: "valueLimit")
    /// A pool's limiter on chain allows more than the operator of the guard does.
    package static let rateLimitLoosened = AnomalyKind(rawValue: "rateLimitLoosened")
    /// More tokens passed a pool than the operator of the guard allows.
    package static let rateLimitExceeded = AnomalyKind(rawValue: "rateLimitExceeded")
    /// A finalized block changed. Also the kind under which ChainAccess stores it.
    package static let finalityViolation = AnomalyKind(rawValue: "finalityViolation")

    package static let all: [AnomalyKind] = [
        .committedRootMismatch, .unfinalizedRoot, .executedContentMismatch, .executedWithoutSource, .doubleExecution,
        .contradictingMessage, .missingMessage, .unreadableMessage, .signedOtherwise, .valueLimit,
        .rateLimitLoosened, .rateLimitExceeded, .finalityViolation,
    ]

    /// True when something wrong was let through: a curse limits the damage. The others are of the source or of our
    /// view of it, or announce damage that may never come, and refusing to sign is enough.
    var callsForCurse: Bool {
        switch self {
        case .committedRootMismatch, .executedContentMismatch, .executedWithoutSource, .doubleExecution,
            .rateLimitExceeded: true
        default: false
        }
    }
}

package struct Anomaly: Hashable, Sendable {
    package let kind: AnomalyKind
    /// Nil for a whole chain.
    package let lane: GuardLane?
    /// Message or root that shows it, for people.
    package let detail: String

    package init(kind: AnomalyKind, lane: GuardLane?, detail: String) {
        self.kind = kind
        self.lane = lane
        self.detail = detail
    }
}
