// The pure part of a plugin: what commit and execute supply to the protocol. Slow or impure questions (observation,
// should this report be accepted, should it be transmitted) are actions answered by events, see Event.swift.

/// Everything that fixes a round before observations are made.
package struct RoundContext: Equatable, Sendable {
    package let sequenceNumber: UInt64
    /// Empty in the first round.
    package let previousOutcome: [UInt8]
    package let query: [UInt8]

    package init(sequenceNumber: UInt64, previousOutcome: [UInt8], query: [UInt8]) {
        self.sequenceNumber = sequenceNumber
        self.previousOutcome = previousOutcome
        self.query = query
    }
}

package struct AttributedObservation: Equatable, Sendable {
    package let observer: Int
    package let observation: [UInt8]

    package init(observer: Int, observation: [UInt8]) {
        self.observer = observer
        self.observation = observation
    }
}

/// One report of an outcome. `metadata` travels with it inside this process and is covered by nothing: it must be
/// derived from the same outcome.
package struct Report: Equatable, Sendable {
    package let bytes: [UInt8]
    package let metadata: [UInt8]

    package init(bytes: [UInt8], metadata: [UInt8] = []) {
        self.bytes = bytes
        self.metadata = metadata
    }
}

/// Pure functions of their arguments: no clock, no cache that changes a result, no iteration order of sets or
/// dictionaries (I15 and 0.3 of the off-chain specification). All honest oracles must return identical bytes.
package protocol ReportingPlugin: Sendable {
    /// The leader's query; empty in this profile.
    func query(previousOutcome: [UInt8], sequenceNumber: UInt64) -> [UInt8]
    /// Throws a named error when the observation must not be used.
    func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws
    /// Whether these valid observations, ascending by observer, suffice for an outcome. Monotone.
    func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool
    /// The next outcome. Observations are ascending by observer and satisfy the quorum.
    func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8]
    /// The reports of a committed outcome, often none.
    func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report]
    /// The 32 bytes an oracle signs with its on-chain key to attest a report (2.10).
    func attestationDigest(of report: Report, sequenceNumber: UInt64, configurationDigest: Digest) -> Digest
    /// Whether signatures are handed to the transmitter (commit: yes, execute: no; attestation happens in both).
    var transmitsSignatures: Bool { get }
    /// Whether this outcome is one step of several, so that the next round should start at once.
    func continues(after outcome: [UInt8]) -> Bool
    /// Whether the signatures of others are checked only when it is this oracle's turn to hand a report over, and not at
    /// all once the receivers have it: for many reports a second, whose receivers check every signature themselves and
    /// say what they have (`Event.reportsDelivered`).
    var attestsByTurn: Bool { get }
    /// Whether the receivers' word is enough to leave out a turn of this report; false for what every oracle itself needs,
    /// which then has no turns at all.
    func isDelivered(_ report: Report) -> Bool
}

extension ReportingPlugin {
    package func query(previousOutcome: [UInt8], sequenceNumber: UInt64) -> [UInt8] { [] }
    package func continues(after outcome: [UInt8]) -> Bool { false }
    package var attestsByTurn: Bool { false }
    package func isDelivered(_ report: Report) -> Bool { true }
}
