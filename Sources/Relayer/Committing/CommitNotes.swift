// Counts what rounds of the commit plugin note: why lanes stay silent here, and what became of their roots. Notes change
// nothing; who shows the numbers is NodeMetrics.

import CCIP
import Committing
import OffchainReporting
import Synchronization

/// How often each note was made. An outcome may be computed several times before one is agreed on: it counts once, when
/// it is.
struct NoteTally: Sendable {
    private(set) var counts: [CommitNote: UInt64] = [:]
    private var pending: (sequenceNumber: UInt64, notes: [CommitNote])?

    func count(_ kind: CommitNote.Kind, _ chain: ChainSelector? = nil) -> UInt64 { counts[CommitNote(kind, chain)] ?? 0 }

    /// An observation of this oracle went out.
    mutating func observed(_ notes: [CommitNote]) { add(notes) }

    /// An outcome that may or may not be agreed on.
    mutating func computed(_ notes: [CommitNote], sequenceNumber: UInt64) { pending = (sequenceNumber, notes) }

    /// Outcomes that others computed while this oracle was away have no notes.
    mutating func committed(sequenceNumber: UInt64) {
        if let pending, pending.sequenceNumber == sequenceNumber { add(pending.notes) }
        pending = nil
    }

    private mutating func add(_ notes: [CommitNote]) {
        for note in notes { counts[note, default: 0] += 1 }
    }
}

/// The tally of one destination, shared by its plugin and its edge.
final class CommitNotes: Sendable {
    private let tally = Mutex(NoteTally())

    var current: NoteTally { tally.withLock { $0 } }
    func observed(_ notes: [CommitNote]) { tally.withLock { $0.observed(notes) } }
    func computed(_ notes: [CommitNote], sequenceNumber: UInt64) {
        tally.withLock { $0.computed(notes, sequenceNumber: sequenceNumber) }
    }
    func committed(sequenceNumber: UInt64) { tally.withLock { $0.committed(sequenceNumber: sequenceNumber) } }
}

/// The commit plugin as it is, with an ear for its notes.
struct NotedCommitPlugin: ReportingPlugin {
    let inner: CommitPlugin
    let notes: CommitNotes

    var transmitsSignatures: Bool { inner.transmitsSignatures }

    func query(previousOutcome: [UInt8], sequenceNumber: UInt64) -> [UInt8] {
        inner.query(previousOutcome: previousOutcome, sequenceNumber: sequenceNumber)
    }

    func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {
        try inner.validateObservation(observation, in: context)
    }

    func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
        inner.observationQuorum(observations, in: context)
    }

    func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] {
        let (outcome, found) = try inner.progress(observations, in: context)
        notes.computed(found, sequenceNumber: context.sequenceNumber)
        return outcome.encoded
    }

    func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
        try inner.reports(sequenceNumber: sequenceNumber, outcome: outcome)
    }

    func attestationDigest(of report: Report, sequenceNumber: UInt64, configurationDigest: Digest) -> Digest {
        inner.attestationDigest(of: report, sequenceNumber: sequenceNumber, configurationDigest: configurationDigest)
    }

    func continues(after outcome: [UInt8]) -> Bool { inner.continues(after: outcome) }
}
