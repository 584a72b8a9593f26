// The inputs and outputs of an instance: plain data. How an edge must perform actions is part of the contract below.

/// Milliseconds of a monotonic clock of this process.
package typealias Milliseconds = UInt64

/// A round of this instance; the result of a slow plugin call carries it back.
package struct RoundTag: Hashable, Sendable {
    package let epoch: UInt64
    package let sequenceNumber: UInt64
}

/// A report: its outcome's sequence number and its place in that outcome's list.
package struct ReportKey: Hashable, Sendable {
    package let sequenceNumber: UInt64
    package let index: Int

    package init(sequenceNumber: UInt64, index: Int) {
        self.sequenceNumber = sequenceNumber
        self.index = index
    }
}

/// What the store holds when an instance starts.
package enum RestoredState: Equatable, Sendable {
    /// This configuration digest never ran on this oracle. Wrong use forfeits safety: the edge writes a row per digest
    /// before the first start.
    case fresh
    /// All rows, decoded strictly.
    case intact(DurableState)
    /// The rows are lost or damaged. Only on an explicit wish of the operator: the oracle listens without voting until
    /// the cluster has moved two epochs past everything it can have voted in, and has committed again (2.9, rule 3).
    case lost
}

package enum TimerID: Hashable, Sendable {
    case progress, resend, initial, round, grace, certificateRequest
    case transmission(ReportKey)
    /// The next turn of this oracle among the reports of an outcome, where a plugin attests by turn.
    case attestation(UInt64)
}

package enum Event: Equatable, Sendable {
    /// First event, exactly once.
    case started(RestoredState)
    /// Bytes of a peer; the transport has proven the sender.
    case message(from: Int, bytes: [UInt8])
    /// A timer set by an action has come due. A late firing of a replaced or cancelled timer is ignored.
    case timerFired(TimerID)
    /// Answer to `requestObservation`.
    case observationReady(RoundTag, [UInt8])
    case observationFailed(RoundTag, reason: String)
    /// This oracle's plugin has something new to report: the next round should not wait for the idle interval.
    case workAvailable
    /// Answers to `askAcceptance` and `askTransmission`.
    case acceptanceAnswered(ReportKey, Bool)
    case transmissionAnswered(ReportKey, Bool)
    /// Every receiver has so many of the outcome's reports, checked: what has not had its turn needs none.
    case reportsDelivered(sequenceNumber: UInt64, count: Int)
}

/// An attested report with exactly F+1 signatures of distinct oracles (none where the plugin transmits none).
package struct AttestedReport: Equatable, Sendable {
    package let key: ReportKey
    package let configurationDigest: Digest
    package let report: Report
    /// Ascending by signer; signature bytes as the attestation scheme made them.
    package let signatures: [AttributedSignature]
}

/// Reasons to call a person.
package enum Alarm: Equatable, Sendable {
    /// Two different signed statements of one oracle where an honest one makes only one. Both are complete.
    case equivocation(accused: Int, what: String, first: [UInt8], second: [UInt8])
    /// Voting stopped, durably: a signature of this oracle that it does not remember, or two certificates that exclude
    /// each other.
    case votingHalted(reason: String)
    /// This oracle listens without voting because its store was lost.
    case listening
    case listeningEnded
    case pluginFailed(what: String)
    /// The configured on-chain signer does not match this oracle's key.
    case ownSignatureRejected
}

/// Effects, **to be performed strictly in list order**. `persist` is synchronous and durable (fsync) when it returns:
/// everything after it in the list depends on it. If it fails the edge performs none of the following actions, drops
/// the instance and starts it again from the store. The records of one `persist` go into one transaction.
package enum Action: Equatable, Sendable {
    case persist([DurableRecord])
    case send(to: Int, bytes: [UInt8])
    /// To all oracles but this one.
    case broadcast(bytes: [UInt8])
    /// Replaces a timer with the same id.
    case setTimer(TimerID, deadline: Milliseconds)
    case cancelTimer(TimerID)
    /// Observe in the background, under the plugin's own deadline.
    case requestObservation(RoundTag, previousOutcome: [UInt8], query: [UInt8])
    /// A new outcome is final here. Sequence numbers grow, with gaps after an absence.
    case outcomeCommitted(sequenceNumber: UInt64, outcome: [UInt8])
    /// shouldAcceptAttestedReport, in the background.
    case askAcceptance(ReportKey, Report)
    /// shouldTransmitAcceptedReport, in the background.
    case askTransmission(ReportKey, Report)
    case transmit(AttestedReport)
    case epochEntered(epoch: UInt64, leader: Int)
    /// An input was not used; counted, worth a metric, rarely a log line.
    case refused(Refusal)
    case alarm(Alarm)
}
