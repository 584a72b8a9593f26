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
