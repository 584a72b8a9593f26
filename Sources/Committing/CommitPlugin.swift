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

    /// What an instance of this plugin must allow; no query, one report for each outcome.
    package static var sizes: SizeLimits {
        var sizes = SizeLimits()
        sizes.query = 0
        sizes.observation = Limits.observationBytesMaximum
        sizes.outcome = Limits.outcomeBytesMaximum
        sizes.report = Limits.reportBytesMaximum
        sizes.reportsPerOutcome = 1
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
            lanes: lanes.lanes, prices: prices.updates, inflightPrices: prices.inflight)
        return (outcome, lanes.notes + prices.notes)
    }

    /// At most one: the roots and the prices of this outcome. RMN blessing is off, so all roots are unblessed.
    package func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
        let report = try commitReport(sequenceNumber: sequenceNumber, outcome: CommitOutcome(encoded: outcome))
        return report.isEmpty ? [] : [Report(bytes: report.encoded)]
    }

    func commitReport(sequenceNumber: UInt64, outcome: CommitOutcome) throws(CommittingError) -> CommitReport {
        var roots: [MerkleRoot] = []
        for (source, pending) in outcome.newRoots(sequenceNumber) {
            guard let lane = configuration.lane(from: source) else {
                throw CommittingError(
                    .malformedOutcome, "a root of \(source)", hint: "the outcome belongs to another configuration")
            }
            roots.append(
                MerkleRoot(
                    source: source, onRamp: lane.lane.onRampBytes, first: pending.range.first,
                    last: pending.range.last, root: pending.root))
        }
        return CommitReport(prices: outcome.prices, unblessed: roots)
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
