// The plugin of a price stream instance as the pure functions that agreement asks for (sections 4 and 5 of the streams
// specification). Reading sources is the edge's part, making observations StreamsObserver's.

import Ethereum
import OffchainReporting

package struct StreamsPlugin: ReportingPlugin {
    package let configuration: StreamsConfiguration

    package init(configuration: StreamsConfiguration) { self.configuration = configuration }

    /// What an instance of this plugin must allow (4.1).
    package static var sizes: SizeLimits {
        var sizes = SizeLimits()
        sizes.query = 0
        sizes.observation = AgreementLimits.observationBytesMaximum
        sizes.outcome = AgreementLimits.outcomeBytesMaximum
        sizes.report = AgreementLimits.reportBytesMaximum
        sizes.reportsPerOutcome = AgreementLimits.reportsPerOutcomeMaximum
        return sizes
    }

    /// Verifiers check F+1 signatures.
    package var transmitsSignatures: Bool { true }
    /// Gateways check every signature themselves, and say what they have.
    package var attestsByTurn: Bool { true }
    /// A retirement report is for the oracles, who hand it to their successors.
    package func isDelivered(_ report: Report) -> Bool {
        (try? ReportLabel(encoded: report.metadata)).map { $0.format != .retirement } ?? false
    }

    package func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {
        try check(try StreamsObservation(encoded: observation.observation), stage: try stage(context))
    }

    package func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
        Set(observations.map(\.observer)).count >= configuration.observationQuorum
    }

    package func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] {
        try progress(observations, in: context).outcome.encoded
    }

    /// The outcome with what happened on the way to it. Observations that do not decode, or carry a false retirement
    /// proof, take no part; throws `tooFewObservations` when less than 2F+1 remain.
    package func progress(
        _ observations: [AttributedObservation], in context: RoundContext
    ) throws(PriceStreamsError) -> (outcome: StreamsOutcome, notes: [StreamsNote]) {
        let previous = try previous(context)
        var voices: [StreamsRound.Voice] = []
        var ignored: [StreamsNote] = []
        for item in observations.sorted(by: { $0.observer < $1.observer }) {
            do throws(PriceStreamsError) {
                guard voices.last?.observer != item.observer else {
                    throw PriceStreamsError(
                        .tooFewObservations, "observer \(item.observer) twice", hint: "each counts once")
                }
                let observation = try StreamsObservation(encoded: item.observation)
                try check(observation, stage: previous.stage)
                voices.append(StreamsRound.Voice(observer: item.observer, observation: observation))
            } catch {
                ignored.append(.ignored(item.observer, error.code))
            }
        }
        guard voices.count >= configuration.observationQuorum else {
            throw PriceStreamsError(
                .tooFewObservations, "\(voices.count) usable observations",
                hint: "a round needs \(configuration.observationQuorum)")
        }
        var round = StreamsRound(configuration: configuration, previous: previous, voices: voices)
        round.run()
        return (round.next, ignored + round.notes)
    }

    /// A retirement proof belongs into staging only, and a false one spoils the whole observation.
    private func check(_ observation: StreamsObservation, stage: LifeCycleStage) throws(PriceStreamsError) {
        guard let retirement = observation.retirement else { return }
        guard stage == .staging, let predecessor = configuration.predecessor else {
            throw PriceStreamsError(
                .unaskedRetirement, "a retirement proof in stage \(stage.name)",
                hint: "only an instance that waits for its predecessor wants one")
        }
        _ = try retirement.verified(by: predecessor)
    }

    func previous(_ context: RoundContext) throws(PriceStreamsError) -> StreamsOutcome {
        try StreamsOutcome.previous(context.previousOutcome, configuration)
    }

    private func stage(_ context: RoundContext) throws(PriceStreamsError) -> LifeCycleStage {
        context.previousOutcome.isEmpty
            ? StreamsOutcome.initial(configuration).stage : try StreamsOutcome.stage(ofEncoded: context.previousOutcome)
    }
}

extension StreamsOutcome {
    /// Before the first round.
    package static func initial(_ configuration: StreamsConfiguration) -> StreamsOutcome {
        StreamsOutcome(stage: configuration.predecessor == nil ? .production : .staging)
    }

    package static func previous(
        _ bytes: Bytes, _ configuration: StreamsConfiguration
    ) throws(PriceStreamsError) -> StreamsOutcome {
        bytes.isEmpty ? initial(configuration) : try StreamsOutcome(encoded: bytes, known: configuration.channels)
    }
}

// MARK: - Reports

/// A channel that was due and has no report.
package struct MissingReport: Equatable, Sendable {
    package let channelID: ChannelID
    package let error: PriceStreamsError
}

extension StreamsPlugin {
    package func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
        let value = try StreamsOutcome(encoded: outcome, known: configuration.channels)
        return try reporting(sequenceNumber: sequenceNumber, outcome: value).reports
    }

    /// Reports ascending by channel, and the due channels that have none. A codec's refusal drops only its report.
    package func reporting(
        sequenceNumber: UInt64, outcome: StreamsOutcome
    ) throws(PriceStreamsError) -> (reports: [Report], missing: [MissingReport]) {
        guard outcome.stage != .retired else { return ([retirement(outcome)], []) }
        var reports: [Report] = []
        var missing: [MissingReport] = []
        for channel in configuration.channels(of: outcome) {
            guard
                let input = Reportability.input(channel, in: outcome, configuration, sequenceNumber: sequenceNumber)
            else { continue }
            do {
                let bytes = try channel.report(input)
                let label = ReportLabel(
                    channelID: channel.id, format: channel.definition.format, feedID: channel.feedID,
                    observationTimestampNanoseconds: outcome.observationTimestampNanoseconds)
                reports.append(Report(bytes: bytes, metadata: label.encoded))
            } catch {
                missing.append(MissingReport(channelID: channel.id, error: error))
            }
        }
        return (reports, missing)
    }

    private func retirement(_ outcome: StreamsOutcome) -> Report {
        let report = RetirementReport(
            protocolVersion: configuration.protocolVersion, validAfter: outcome.validAfter)
        let label = ReportLabel(
            channelID: ChannelID(0), format: .retirement, feedID: nil,
            observationTimestampNanoseconds: outcome.observationTimestampNanoseconds)
        return Report(bytes: report.encoded, metadata: label.encoded)
    }

    /// What oracles sign (3.4, 3.6): by the format in the report's label.
    package func attestationDigest(
        of report: Report, sequenceNumber: UInt64, configurationDigest: Digest
    ) -> Digest {
        guard let configurationHash = Hash32(bytes: configurationDigest.bytes) else {
            preconditionFailure("a digest has 32 bytes")
        }
        let label = try? ReportLabel(encoded: report.metadata)
        let hash: Hash32
        switch label?.format {
        case .premiumLegacy?, .unpacked?, .unpackedExpression?:
            let context = try? ReportContext(
                configurationDigest: configurationHash, sequenceNumber: sequenceNumber, donID: configuration.donID)
            // 2^40 rounds are 1,700 years at twenty a second.
            guard let context else { preconditionFailure("sequence number \(sequenceNumber) has no epoch") }
            hash = signingDigest(blob: report.bytes, context: context)
        case .streamlined?:
            hash = streamlinedDigest(report: report.bytes, configurationDigest: configurationHash)
        default:
            hash = sign3Digest(
                report: report.bytes, configurationDigest: configurationHash, sequenceNumber: sequenceNumber)
        }
        guard let digest = Digest(hash.bytes) else { preconditionFailure("a Keccak hash has 32 bytes") }
        return digest
    }
}
