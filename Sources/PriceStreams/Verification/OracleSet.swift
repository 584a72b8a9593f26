// Who may sign: one configuration of a DON as verifiers keep it (section 6 of the price specification).

import Ethereum

/// The signers of one configuration. Public keys are not kept: a signature does not say whose it is, so recovering the
/// key (1.3 times the work of checking against a known one) costs less than trying the keys one after the other.
package struct OracleSet: Hashable, Sendable {
    package let digest: Hash32
    /// F: reports carry F+1 signatures.
    package let faulty: Int
    /// In the order of the oracles' indexes.
    package let signers: [Address]
    package let donID: UInt32
    /// Reports under an inactive configuration are refused.
    package var isActive: Bool
    /// From when v0.4 contracts use this set, in seconds; the other generations go by the digest.
    package let activatedAt: UInt64
    /// The one feed of this configuration in v0.3 contracts.
    package let feedID: FeedID?

    /// Throws `invalidOracleSet` for what a verifier contract would refuse: f of zero, at most 3f signers, more than
    /// 31, one of them zero or there twice, a digest of zero.
    package init(
        digest: Hash32, faulty: Int, signers: [Address], donID: UInt32, isActive: Bool = true, activatedAt: UInt64 = 0,
        feedID: FeedID? = nil
    ) throws(PriceStreamsError) {
        if let problem = Self.problem(digest, faulty, signers) {
            throw PriceStreamsError(
                .invalidOracleSet, "configuration \(digest): \(problem)",
                hint: "3f+1 to \(Limits.oraclesMaximum) different signers, f at least 1")
        }
        self.digest = digest
        self.faulty = faulty
        self.signers = signers
        self.donID = donID
        self.isActive = isActive
        self.activatedAt = activatedAt
        self.feedID = feedID
    }

    private static func problem(_ digest: Hash32, _ faulty: Int, _ signers: [Address]) -> String? {
        if digest.isZero { return "the digest is zero" }
        if faulty < 1 { return "f is \(faulty)" }
        if signers.count > Limits.oraclesMaximum { return "\(signers.count) signers" }
        // More than 3f, without the product of a number from outside.
        if faulty > (signers.count - 1) / 3 { return "\(signers.count) signers with f = \(faulty)" }
        if signers.contains(where: \.isZero) { return "the zero address is no signer" }
        return Set(signers).count < signers.count ? "a signer stands there twice" : nil
    }

    package func index(of signer: Address) -> Int? { signers.firstIndex(of: signer) }
}

/// The contracts that verify reports, by their rules (6.1).
package enum VerifierGeneration: String, CaseIterable, Sendable {
    /// Verifier v0.3.0: a configuration is known by feed and digest; exactly F+1 signatures.
    case v03
    /// DestinationVerifier v0.4.0: the newest set at the time of the report, whatever the digest; more than F
    /// signatures.
    case v04
    /// Verifier v0.5.1: a configuration is known by its digest; exactly F+1 signatures.
    case v05
}
