// The fixed configuration of one reporting instance (2.2, 8.1 of the off-chain specification) and its validation.
// Where the values come from, and how the digest is computed, is the business of whoever starts the instance.

/// Public keys of one oracle, opaque here: the signature schemes know what they mean.
package struct OracleIdentity: Equatable, Sendable {
    package let offchainPublicKey: [UInt8]
    package let onchainSigner: [UInt8]

    package init(offchainPublicKey: [UInt8], onchainSigner: [UInt8]) {
        self.offchainPublicKey = offchainPublicKey
        self.onchainSigner = onchainSigner
    }
}

/// Intervals in milliseconds. They affect liveness only.
package struct Timing: Equatable, Sendable {
    /// Without a committed outcome for this long a follower asks for a new epoch.
    package var deltaProgress: UInt64 = 30_000
    /// Period of repeating the newest wish and the latest message of the current phase.
    package var deltaResend: UInt64 = 5_000
    /// Wait for a valid EpochStart at the beginning of an epoch.
    package var deltaInitial: UInt64 = 5_000
    /// Smallest distance between the starts of two rounds.
    package var deltaRound: UInt64 = 2_000
    /// Largest distance between the starts of two rounds when nobody has work: the leader's sign of life.
    package var deltaIdle: UInt64 = 10_000
    /// Wait for slower oracles after the observation quorum; it ends early when nobody is missing.
    package var deltaGrace: UInt64 = 500
    /// Wait before, and between, requests for a missing commit certificate.
    package var deltaCertifiedCommitRequest: UInt64 = 1_000
    /// Distance between two transmitters of one report (m in 12.2).
    package var deltaStage: UInt64 = 15_000
    /// Outcomes per epoch before a planned change of leader.
    package var rMax: UInt64 = 25

    package init() {}
}

/// Upper bounds for what plugins and peers produce, in bytes.
package struct SizeLimits: Equatable, Sendable {
    package var query = 0
    package var observation = 256 << 10
    package var outcome = 1 << 20
    package var report = 1 << 20
    package var reportsPerOutcome = 100

    package init() {}
}

/// Names an instance inside signed payloads: destination and plugin.
package struct InstanceLabel: Hashable, Sendable {
    package let destinationSelector: UInt64
    package let plugin: String

    package init(destinationSelector: UInt64, plugin: String) {
        self.destinationSelector = destinationSelector
        self.plugin = plugin
    }
}

/// One instance: N = 3F+1 oracles under one configuration digest. Immutable; a change is a new instance.
package struct InstanceConfiguration: Equatable, Sendable {
    package let label: InstanceLabel
    package let digest: Digest
    package let oracles: [OracleIdentity]
    package let faulty: Int
    package let ownIndex: Int
    /// Oracles that may transmit (they support the destination), ascending.
    package let transmitters: [Int]
    package let timing: Timing
    package let sizes: SizeLimits

    /// - Throws: a named error that says which value is wrong.
    package init(
        label: InstanceLabel, digest: Digest, oracles: [OracleIdentity], faulty: Int, ownIndex: Int,
        transmitters: [Int]? = nil, timing: Timing = Timing(), sizes: SizeLimits = SizeLimits()
    ) throws(OffchainReportingError) {
        self.label = label
        self.digest = digest
        self.oracles = oracles
        self.faulty = faulty
        self.ownIndex = ownIndex
        self.transmitters = transmitters ?? Array(oracles.indices)
        self.timing = timing
        self.sizes = sizes
        try validateOracles()
        try validateTiming()
        try validateSizes()
    }

    /// N.
    package var count: Int { oracles.count }
    /// q = 2F+1: two quorums share at least F+1 oracles, one of them honest.
    package var quorum: Int { 2 * faulty + 1 }
    /// F+1: at least one honest oracle.
    package var oneHonest: Int { faulty + 1 }

    /// Largest valid peer message; anything above is refused before parsing.
    package var messageBytesMaximum: Int {
        let signature = Limits.signatureBytesMaximum + Limits.attributionBytes
        let certificate = sizes.outcome + signature * quorum + Limits.framingBytes
        let epochStart = certificate + signature * quorum + Limits.framingBytes
        let proposal = (sizes.observation + signature) * count + Limits.framingBytes
        let lists = sizes.reportsPerOutcome * signature + Limits.framingBytes
        return max(epochStart, proposal, lists, sizes.query + Limits.framingBytes) + Limits.framingBytes
    }

    private func validateOracles() throws(OffchainReportingError) {
        guard faulty >= 1 else {
            throw OffchainReportingError(.noFaultsTolerated, "F is \(faulty)", hint: "the OffRamp wants F >= 1")
        }
        guard oracles.count <= Limits.oraclesMaximum else {
            throw OffchainReportingError(
                .tooManyOracles, "\(oracles.count) oracles", hint: "at most \(Limits.oraclesMaximum)")
        }
        guard oracles.count == 3 * faulty + 1 else {
            throw OffchainReportingError(
                .oracleCountNotThreeFPlusOne, "N = \(oracles.count), F = \(faulty)", hint: "N must be 3F+1")
        }
        for (index, oracle) in oracles.enumerated() {
            guard !oracle.offchainPublicKey.isEmpty, !oracle.onchainSigner.isEmpty else {
                throw OffchainReportingError(.emptyKey, "oracle \(index)", hint: "name both public keys of the oracle")
            }
            for other in oracles[..<index] {
                guard other.offchainPublicKey != oracle.offchainPublicKey else {
                    throw OffchainReportingError(
                        .duplicateOffchainKey, "oracle \(index)", hint: "each oracle has its own off-chain key")
                }
                guard other.onchainSigner != oracle.onchainSigner else {
                    throw OffchainReportingError(
                        .duplicateOnchainSigner, "oracle \(index)", hint: "each oracle has its own on-chain signer")
                }
            }
        }
        guard oracles.indices.contains(ownIndex) else {
            throw OffchainReportingError(
                .ownIndexOutOfRange, "index \(ownIndex) of \(oracles.count)", hint: "indices start at 0")
        }
        let ascending = zip(transmitters, transmitters.dropFirst()).allSatisfy { $0 < $1 }
        guard !transmitters.isEmpty, ascending, transmitters.allSatisfy(oracles.indices.contains) else {
            throw OffchainReportingError(
                .badTransmitters, "\(transmitters)", hint: "list oracle indices in ascending order, at least one")
        }
    }

    private func validateTiming() throws(OffchainReportingError) {
        let atLeast100: [(String, UInt64)] = [
            ("deltaProgress", timing.deltaProgress), ("deltaResend", timing.deltaResend),
            ("deltaInitial", timing.deltaInitial), ("deltaCertifiedCommitRequest", timing.deltaCertifiedCommitRequest),
        ]
        for (name, value) in atLeast100 where value < 100 {
            throw interval(name, value, "at least 100 ms")
        }
        let belowProgress: [(String, UInt64)] = [
            ("deltaRound", timing.deltaRound), ("deltaGrace", timing.deltaGrace), ("deltaIdle", timing.deltaIdle),
        ]
        for (name, value) in belowProgress where value >= timing.deltaProgress {
            throw interval(name, value, "less than deltaProgress")
        }
        guard timing.deltaIdle >= timing.deltaRound else {
            throw interval("deltaIdle", timing.deltaIdle, "not less than deltaRound")
        }
        let all = atLeast100 + belowProgress + [("deltaStage", timing.deltaStage)]
        for (name, value) in all where value > Limits.intervalMillisecondsMaximum {
            throw interval(name, value, "at most a day")
        }
        guard timing.rMax > 0, timing.rMax <= Limits.sequenceNumberMaximum else {
            throw interval("rMax", timing.rMax, "at least 1")
        }
    }

    private func interval(_ name: String, _ value: UInt64, _ rule: String) -> OffchainReportingError {
        OffchainReportingError(.badInterval, "\(name) is \(value)", hint: "it must be \(rule)")
    }

    private func validateSizes() throws(OffchainReportingError) {
        let table: [(String, Int, Int)] = [
            ("query", sizes.query, Limits.queryBytesMaximum),
            ("observation", sizes.observation, Limits.observationBytesMaximum),
            ("outcome", sizes.outcome, Limits.outcomeBytesMaximum),
            ("report", sizes.report, Limits.reportBytesMaximum),
            ("reportsPerOutcome", sizes.reportsPerOutcome, Limits.reportsPerOutcomeMaximum),
        ]
        for (name, value, maximum) in table where value < 0 || value > maximum {
            throw OffchainReportingError(.badSizeLimit, "\(name) is \(value)", hint: "between 0 and \(maximum)")
        }
        let labelBytes = label.plugin.utf8.count
        guard labelBytes > 0, labelBytes <= Limits.labelBytesMaximum else {
            throw OffchainReportingError(
                .badLabel, "plugin name of \(labelBytes) bytes", hint: "1 to \(Limits.labelBytesMaximum) bytes")
        }
    }
}
