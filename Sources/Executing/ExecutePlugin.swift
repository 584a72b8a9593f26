// The execute plugin as OffchainReporting runs it: pure functions from observations to an outcome and its reports
// (chapter 4 of the off-chain specification). No clock, no cache, no chain.

import CCIP
import Ethereum
import OffchainReporting

/// The three states of the reference in one round.
///
/// The reference spends a round on each of GetCommitReports, GetMessages and Filter (4.1), because what one asks for is
/// what the one before agreed on. Here an observation holds all three parts as far as the oracle knows them: roots and
/// executed messages, leaves and messages, nonces. Where oracles know them already, because their committing pairs fed
/// them, one round ends in a report; where they do not, the outcome names the roots that are pending and the senders
/// whose nonces are wanted, and the next rounds fill the gaps: never more than the three of the reference.
///
/// What the specification requires of the three states holds in the merged one, part by part: roots and executed
/// messages with FChain(destination) + 1 votes, messages, leaves and token data with FChain(source) + 1, nonces as an
/// order statistic of more than FChain(destination); observers only inside their roles; leaves of every message of a
/// root, messages inside a budget that goes to executable ones first; the root recomputed before anything is executed;
/// reports built inside `outcome`, deterministically.
package struct ExecutePlugin: ReportingPlugin {
    package let configuration: ExecuteConfiguration

    package init(configuration: ExecuteConfiguration) {
        self.configuration = configuration
    }

    /// Execution reports carry no signatures on chain; oracles attest them among themselves nevertheless (2.10).
    package var transmitsSignatures: Bool { false }

    package func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {
        guard context.query.isEmpty else {
            throw ExecutingError(
                .malformedObservation, "a query of \(context.query.count) bytes", hint: "queries are empty")
        }
        guard observation.observation.count <= configuration.limits.observationBytesMaximum else {
            throw ExecutingError(
                .malformedObservation, "an observation of \(observation.observation.count) bytes",
                hint: "at most \(configuration.limits.observationBytesMaximum)")
        }
        try ExecuteObservation(encoded: observation.observation).validate(
            observer: observation.observer, configuration)
    }

    package func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
        observations.count >= 2 * configuration.faulty + 1
    }

    package func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] {
        guard observationQuorum(observations, in: context) else {
            throw ExecutingError(
                .tooFewObservations, "\(observations.count) observations",
                hint: "at least \(2 * configuration.faulty + 1)")
        }
        let previous = try ExecuteOutcome(encoded: context.previousOutcome)
        let decoded = try observations.map { try ExecuteObservation(encoded: $0.observation) }
        return try Self.outcome(decoded, previous: previous, round: context.sequenceNumber, configuration).encoded
    }

    static func outcome(
        _ observations: [ExecuteObservation], previous: ExecuteOutcome, round: UInt64,
        _ configuration: ExecuteConfiguration
    ) throws(ExecutingError) -> ExecuteOutcome {
        let agreement = Agreement(observations, configuration)
        let builder = try ReportBuilder(agreement, configuration.limits)
        var pending: [PendingRoot] = []
        for (root, verdicts) in zip(agreement.roots, builder.verdicts)
        where verdicts.contains(where: { $0 != .executed }) {
            let known = previous.pending(root.committed.key)
            pending.append(
                PendingRoot(
                    committed: root.committed, executed: root.executed, firstRound: known?.firstRound ?? round,
                    verdicts: verdicts))
        }
        if pending.count > Limits.rootsPerOutcome { pending.removeLast(pending.count - Limits.rootsPerOutcome) }
        return ExecuteOutcome(
            round: round, pending: pending, wantedSenders: builder.wantedSenders, reports: builder.reports)
    }

    package func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
        try ExecuteOutcome(encoded: outcome).reports.map { Report(bytes: $0) }
    }

    /// As for commit reports, so that one kind of key signs one kind of digest: K(K(report) || D || s), with D the
    /// digest that the OffRamp has installed. The digest of the instance names it among oracles only.
    package func attestationDigest(
        of report: Report, sequenceNumber: UInt64, configurationDigest: Digest
    ) -> Digest {
        let context = ReportContext(
            configurationDigest: configuration.configurationDigest, sequenceNumber: sequenceNumber)
        return Digest(context.digest(report: report.bytes).bytes) ?? .zero
    }

    package func continues(after outcome: [UInt8]) -> Bool {
        (try? ExecuteOutcome(encoded: outcome))?.wantsNextRound ?? false
    }
}
