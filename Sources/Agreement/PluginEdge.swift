// What an agreement instance asks of the world: the slow and impure questions of a plugin.

import OffchainReporting

/// The edge of one plugin on one destination. Every call may take as long as a few reads of a chain take; the instance
/// goes on meanwhile and drops an answer that comes too late.
package protocol PluginEdge: Sendable {
    /// The observation for a round; throws when this oracle has nothing that it can vouch for.
    func observe(previousOutcome: [UInt8], sequenceNumber: UInt64) async throws -> [UInt8]
    /// Nil: could not tell. The report is then accepted, for the check before its transmission decides, and after
    /// that the contract.
    func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool?
    /// Nil: could not tell. Asked again while it is this oracle's turn.
    func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool?
    func transmit(_ report: AttestedReport) async
    /// The last outcome before a restart, before anything else is asked; empty when there is none.
    func restored(outcome: [UInt8])
    /// A new outcome is final. Called in order, from the instance's own thread: must not wait.
    func committed(sequenceNumber: UInt64, outcome: [UInt8])
}

/// The edge of a plugin with many reports a second, for which there is nothing to ask of the world: it answers on the
/// instance's own thread, so that a report costs no task.
package protocol ImmediateEdge: PluginEdge {
    /// Must not wait.
    func accepts(_ report: Report, _ key: ReportKey) -> Bool
    /// Must not wait.
    func carry(_ report: AttestedReport)
}

extension ImmediateEdge {
    package func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool? { accepts(report, key) }
    package func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool? { true }
    package func transmit(_ report: AttestedReport) async { carry(report) }
}
