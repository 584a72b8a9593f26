// Two things that the OffRamp knows of an instance and agreement does not: the digest it has installed, and the price
// sequence number that an earlier instance left behind. A pure shell around the commit plugin; what is inside never
// sees either of them.

import OffchainReporting

/// The outcome of a shelled plugin: the base of sequence numbers in report contexts, then the plugin's own outcome.
/// Empty bytes are the state before the base is agreed on.
struct ContextualOutcome: Equatable, Sendable {
    /// Added to the sequence number of agreement to give that of the report's context.
    var base: UInt64
    var inner: [UInt8]

    static let version: UInt8 = 1
    /// Bytes in front of the plugin's own.
    static let headerBytes = 9

    init(base: UInt64, inner: [UInt8]) {
        self.base = base
        self.inner = inner
    }

    /// Nil for empty bytes and for what no honest oracle writes.
    init?(encoded: [UInt8]) {
        guard encoded.count >= Self.headerBytes, encoded[0] == Self.version else { return nil }
        base = encoded[1..<9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        inner = Array(encoded[9...])
    }

    var encoded: [UInt8] { [Self.version] + contextBytes(base) + inner }
}

/// An observation of a shelled plugin: what the OffRamp says, in the first rounds only, then the plugin's own.
struct ContextualObservation: Equatable, Sendable {
    /// `getLatestPriceSequenceNumber`, while no base is agreed on.
    var latest: UInt64?
    var inner: [UInt8]

    init(latest: UInt64?, inner: [UInt8]) {
        self.latest = latest
        self.inner = inner
    }

    /// Strict: nil unless these bytes are what `encoded` gives.
    init?(encoded: [UInt8]) {
        switch encoded.first {
        case 0:
            latest = nil
            inner = Array(encoded[1...])
        case 1 where encoded.count >= ContextualOutcome.headerBytes:
            latest = encoded[1..<9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            inner = Array(encoded[9...])
        default: return nil
        }
    }

    var encoded: [UInt8] { (latest.map { [1] + contextBytes($0) } ?? [0]) + inner }
}

func contextBytes(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }

/// Attests reports for the OffRamp's own digest, which is an opaque constant there and may be the same on several
/// chains and for both plugins (on-chain 10.1): agreement goes by the digest of the instance instead.
///
/// Sequence numbers of agreement begin at 1 in each instance. The OffRamp keeps the highest it has seen with prices
/// (`getLatestPriceSequenceNumber`) and takes prices of none below: a new instance over a used OffRamp goes on above
/// it. The base is agreed on once, as the median of at least 2F+1 observed values, and never changes; until then
/// nothing else is agreed on.
struct ContextualPlugin: ReportingPlugin {
    let inner: any ReportingPlugin
    /// As `latestConfigDetails` of the OffRamp has it.
    let onChainDigest: Digest
    /// F of the cluster.
    let faulty: Int

    /// Above that a number is a lie or the chain is broken: sums must not run over.
    static let latestMaximum: UInt64 = 1 << 62

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    var transmitsSignatures: Bool { inner.transmitsSignatures }

    /// Room for the header, on top of what the plugin itself needs.
    static func sizes(_ inner: SizeLimits) -> SizeLimits {
        var sizes = inner
        sizes.observation += ContextualOutcome.headerBytes
        sizes.outcome += ContextualOutcome.headerBytes
        return sizes
    }

    private func previous(_ outcome: [UInt8]) -> [UInt8] { ContextualOutcome(encoded: outcome)?.inner ?? [] }

    private func context(_ context: RoundContext) -> RoundContext {
        RoundContext(
            sequenceNumber: context.sequenceNumber, previousOutcome: previous(context.previousOutcome),
            query: context.query)
    }

    func query(previousOutcome: [UInt8], sequenceNumber: UInt64) -> [UInt8] {
        inner.query(previousOutcome: previous(previousOutcome), sequenceNumber: sequenceNumber)
    }

    private func opened(_ observation: AttributedObservation) throws -> (latest: UInt64?, own: AttributedObservation) {
        guard let value = ContextualObservation(encoded: observation.observation) else {
            throw Refusal(description: "an observation without its header")
        }
        return (value.latest, AttributedObservation(observer: observation.observer, observation: value.inner))
    }

    func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {
        let (latest, own) = try opened(observation)
        if let latest {
            guard context.previousOutcome.isEmpty else { throw Refusal(description: "a base that is agreed on already") }
            guard latest <= Self.latestMaximum else { throw Refusal(description: "sequence number \(latest)") }
        }
        try inner.validateObservation(own, in: self.context(context))
    }

    func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
        guard let own = try? observations.map({ try opened($0).own }) else { return false }
        return inner.observationQuorum(own, in: self.context(context))
    }

    func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] {
        let parts = try observations.map(opened)
        let known = ContextualOutcome(encoded: context.previousOutcome)?.base
        guard let base = known ?? Self.median(parts.compactMap(\.latest), faulty: faulty) else { return [] }
        return ContextualOutcome(base: base, inner: try inner.outcome(parts.map(\.own), in: self.context(context))).encoded
    }

    /// Of 2F+1 or more values the median lies between two honest ones; nil with fewer.
    static func median(_ values: [UInt64], faulty: Int) -> UInt64? {
        values.count >= 2 * faulty + 1 ? values.sorted()[values.count / 2] : nil
    }

    func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
        guard let outcome = ContextualOutcome(encoded: outcome) else { return [] }
        return try inner.reports(sequenceNumber: sequenceNumber, outcome: outcome.inner).map { report in
            Report(bytes: report.bytes, metadata: contextBytes(outcome.base) + report.metadata)
        }
    }

    func attestationDigest(of report: Report, sequenceNumber: UInt64, configurationDigest: Digest) -> Digest {
        let base = report.metadata.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return inner.attestationDigest(
            of: Report(bytes: report.bytes, metadata: Array(report.metadata.dropFirst(8))),
            sequenceNumber: base &+ sequenceNumber, configurationDigest: onChainDigest)
    }

    func continues(after outcome: [UInt8]) -> Bool {
        // Without a base the next round asks for it again.
        ContextualOutcome(encoded: outcome).map { inner.continues(after: $0.inner) } ?? true
    }
}
