// The commit plugin of one destination (chapter 3 of the off-chain specification) as the pure functions that agreement
// asks for. Reading chains is the edge's part, making observations CommitObserver's.

import CCIP
import Ethereum
import OffchainReporting

/// Selects ranges of messages for each source, agrees on their roots and on prices, and makes the reports that the
/// OffRamp's `commit` takes.
///
/// A message crosses in one round: observers see it final, send its leaf, and the outcome holds its root. Where leaves
/// are not sent (`buildsAtOnce` is off, or an oracle does not read the destination) the range is selected in one round
/// and built in the next, which follows at once (`continues`). See LaneProgression for why both are safe.
package struct CommitPlugin: ReportingPlugin {
    package let configuration: CommitConfiguration

    package init(configuration: CommitConfiguration) { self.configuration = configuration }

    /// What an instance of this plugin must allow; no query, one report for each outcome, two while prices are in
    /// trouble.
    package static var sizes: SizeLimits {
        var sizes = SizeLimits()
        sizes.query = 0
        sizes.observation = Limits.observationBytesMaximum
        sizes.outcome = Limits.outcomeBytesMaximum
        sizes.report = Limits.reportBytesMaximum
        sizes.reportsPerOutcome = Limits.reportsPerOutcomeMaximum
        return sizes
    }

    /// The contract checks F+1 signatures of a commit report.
    package var transmitsSignatures: Bool { true }

    package func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {
        let value = try CommitObservation(encoded: observation.observation)
        try ObservationRules(configuration: configuration).check(
            value, by: observation.observer, after: try CommitOutcome(encoded: context.previousOutcome))
    }

    package func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
        Set(observations.map(\.observer)).count >= configuration.observationQuorum
    }

    package func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] {
        try progress(observations, in: context).outcome.encoded
    }

    /// The outcome with what happened on the way to it, for whoever counts.
    package func progress(
        _ observations: [AttributedObservation], in context: RoundContext
    ) throws(CommittingError) -> (outcome: CommitOutcome, notes: [CommitNote]) {
        var voices: [Round.Voice] = []
        for item in observations {
            voices.append(
                Round.Voice(observer: item.observer, observation: try CommitObservation(encoded: item.observation)))
        }
        guard strictlyAscending(voices.map(\.observer)) else {
            throw CommittingError(
                .tooFewObservations, "observers \(voices.map(\.observer))", hint: "each counts once, in order")
        }
        let round = try Round(
            configuration: configuration, sequenceNumber: context.sequenceNumber,
            previous: try CommitOutcome(encoded: context.previousOutcome), voices: voices)
        let lanes = LaneProgression(round)
        let prices = PriceProgression(round)
        let outcome = CommitOutcome(
            lanes: lanes.lanes, prices: prices.updates, inflightPrices: prices.inflight, priceTrouble: prices.trouble,
            blessing: lanes.blessing.open, blessed: lanes.blessing.blessed, suspects: lanes.blessing.suspects)
        return (outcome, lanes.notes + lanes.blessing.notes + prices.notes)
    }

    /// Usually at most one: roots and prices of this outcome. While prices are in trouble they come first, alone.
    package func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
        let value = try CommitOutcome(encoded: outcome)
        // The chain's own configuration at acceptance must be the one that signatures were gathered for.
        let metadata = value.blessed?.remote.fingerprint.bytes ?? []
        return try commitReports(sequenceNumber: sequenceNumber, outcome: value).map { report in
            Report(bytes: report.encoded, metadata: report.blessed.isEmpty ? [] : metadata)
        }
    }

    func commitReports(sequenceNumber: UInt64, outcome: CommitOutcome) throws(CommittingError) -> [CommitReport] {
        var report = CommitReport(prices: outcome.prices)
        for (source, pending) in outcome.newRoots(sequenceNumber) {
            guard let lane = configuration.lane(from: source) else {
                throw CommittingError(
                    .malformedOutcome, "a root of \(source)", hint: "the outcome belongs to another configuration")
            }
            if outcome.blessed?.sources.contains(source) == true {
                report.blessed.append(lane.lane.root(pending))
            } else {
                report.unblessed.append(lane.lane.root(pending))
            }
        }
        if !report.blessed.isEmpty { report.rmnSignatures = outcome.blessed?.signatures ?? [] }
        guard outcome.priceTrouble != nil, !report.prices.isEmpty, !report.roots.isEmpty else {
            return report.isEmpty ? [] : [report]
        }
        var roots = report
        roots.prices = PriceUpdates()
        return [CommitReport(prices: report.prices), roots]
    }

    /// keccak256(keccak256(report) || digest || sequence number): what the OffRamp recovers signers from (2.10).
    package func attestationDigest(
        of report: Report, sequenceNumber: UInt64, configurationDigest: Digest
    ) -> Digest {
        let context = ReportContext(configurationDigest: Hash32(configurationDigest), sequenceNumber: sequenceNumber)
        guard let digest = Digest(context.digest(report: report.bytes).bytes) else {
            preconditionFailure("a Keccak hash has 32 bytes")
        }
        return digest
    }

    /// A selected range is built in the round that follows at once.
    package func continues(after outcome: [UInt8]) -> Bool {
        (try? CommitOutcome(encoded: outcome))?.isBuilding ?? false
    }
}

extension Hash32 {
    init(_ digest: Digest) {
        guard let word = U256(bigEndianBytes: digest.bytes) else { preconditionFailure("a digest has 32 bytes") }
        self.init(word)
    }
}
