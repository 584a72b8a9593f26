// The check that stands between a stranger's bytes and a price: 3.7 of the price specification, steps 1 to 7. Whether
// two reports contradict each other (step 8) is seen by the store, whether a price is fit for use by `ConsumerPolicy`.

import Ethereum

/// A full report whose signatures were checked.
package struct VerifiedReport: Hashable, Sendable {
    package let fullReport: FullReport
    package let report: PriceReport
    /// The configuration whose oracles signed.
    package let configurationDigest: Hash32
    package let donID: UInt32
    /// Indexes of the oracles that signed, in the order of the signatures.
    package let signers: [Int]

    package var feedID: FeedID { report.feedID }
}

/// Why a full report was refused.
package enum VerificationRefusal: Error, Equatable, Sendable {
    /// Not the canonical bytes of a full report.
    case malformed(PriceStreamsError)
    case unknownDigest(Hash32)
    case inactiveDigest(Hash32)
    case signatureCount(Int, wanted: Int)
    /// The larger of the two values s of a signature: contracts take it, so the bytes of a report would not be unique.
    case highS(index: Int)
    /// No key could have made it.
    case invalidSignature(index: Int)
    case unknownSigner(Address)
    case duplicateSigner(Address)
    case malformedReport(PriceStreamsError)
    /// Not validFrom <= observations <= expiresAt.
    case timesOutOfOrder(FeedID)
    /// The DON that signed is not the one that publishes this feed.
    case unregisteredFeed(FeedID, donID: UInt32)
}

/// Holds the configurations and checks full reports against them.
package struct ReportVerifier: Sendable {
    package let generation: VerifierGeneration
    /// By digest.
    private let sets: [Hash32: OracleSet]
    /// By time of activation, for v0.4.
    private let ordered: [OracleSet]
    /// The feeds of each DON; nil for a client that keeps no registry.
    private let feeds: [UInt32: Set<FeedID>]?

    /// Of two sets with one digest the later one counts.
    package init(_ sets: [OracleSet], feeds: [UInt32: Set<FeedID>]? = nil, generation: VerifierGeneration = .v05) {
        self.generation = generation
        self.sets = Dictionary(sets.map { ($0.digest, $0) }) { $1 }
        self.ordered = sets.sorted { ($0.activatedAt, $0.digest) < ($1.activatedAt, $1.digest) }
        self.feeds = feeds
    }

    /// Checks the bytes of a full report.
    package func verify(_ bytes: Bytes) throws(VerificationRefusal) -> VerifiedReport {
        let full: FullReport
        do { full = try FullReport(encoded: bytes) } catch { throw .malformed(error) }
        return try verify(full)
    }

    package func verify(_ full: FullReport) throws(VerificationRefusal) -> VerifiedReport {
        let set = try oracleSet(for: full)
        try Self.checkCount(full.signatures.count, set, generation)
        let signers = try Self.signers(of: full, in: set)
        let report: PriceReport
        do { report = try PriceReport(blob: full.blob) } catch { throw .malformedReport(error) }
        guard report.header.isOrdered else { throw .timesOutOfOrder(report.feedID) }
        if let feeds, feeds[set.donID]?.contains(report.feedID) != true {
            throw .unregisteredFeed(report.feedID, donID: set.donID)
        }
        return VerifiedReport(
            fullReport: full, report: report, configurationDigest: set.digest, donID: set.donID, signers: signers)
    }

    private func oracleSet(for full: FullReport) throws(VerificationRefusal) -> OracleSet {
        let digest = full.context.configurationDigest
        let found: OracleSet? =
            switch generation {
            case .v05: sets[digest]
            case .v03: sets[digest].flatMap { $0.feedID == FeedID(WordReader.first(of: full.blob)) ? $0 : nil }
            case .v04: Self.newest(ordered, at: OnchainRules.observations(full.blob))
            }
        guard let found else { throw .unknownDigest(digest) }
        guard found.isActive else { throw .inactiveDigest(found.digest) }
        return found
    }

    /// The set that v0.4 uses for a report of that second.
    static func newest(_ ordered: [OracleSet], at observations: UInt64) -> OracleSet? {
        ordered.last { $0.activatedAt <= observations }
    }

    private static func checkCount(
        _ count: Int, _ set: OracleSet, _ generation: VerifierGeneration
    ) throws(VerificationRefusal) {
        let wanted = set.faulty + 1
        guard count == wanted || (generation == .v04 && count > wanted) else {
            throw .signatureCount(count, wanted: wanted)
        }
    }

    private static func signers(of full: FullReport, in set: OracleSet) throws(VerificationRefusal) -> [Int] {
        let digest = full.digest
        var seen: UInt32 = 0
        var signers: [Int] = []
        signers.reserveCapacity(full.signatures.count)
        for (position, signature) in full.signatures.enumerated() {
            guard signature.isLowS else { throw .highS(index: position) }
            guard let address = Secp256k1.recoverAddress(digest: digest, signature: signature) else {
                throw .invalidSignature(index: position)
            }
            guard let index = set.index(of: address) else { throw .unknownSigner(address) }
            let bit = UInt32(1) << UInt32(index)
            guard seen & bit == 0 else { throw .duplicateSigner(address) }
            seen |= bit
            signers.append(index)
        }
        assert(seen.nonzeroBitCount == full.signatures.count, "each signature is another oracle's")
        return signers
    }
}

// MARK: - Text

extension VerificationRefusal: CustomStringConvertible {
    /// A stable name for logs, metrics and clients.
    package var code: String {
        switch self {
        case .malformed(let error), .malformedReport(let error): error.code.rawValue
        case .unknownDigest: "unknownDigest"
        case .inactiveDigest: "inactiveDigest"
        case .signatureCount: "signatureCount"
        case .highS: "highS"
        case .invalidSignature: "invalidSignature"
        case .unknownSigner: "unknownSigner"
        case .duplicateSigner: "duplicateSigner"
        case .timesOutOfOrder: "timesOutOfOrder"
        case .unregisteredFeed: "unregisteredFeed"
        }
    }

    package var message: String {
        switch self {
        case .malformed(let error), .malformedReport(let error): error.message
        case .unknownDigest(let digest): "no configuration has the digest \(digest)"
        case .inactiveDigest(let digest): "the configuration \(digest) is not active any more"
        case .signatureCount(let count, let wanted): "\(count) signatures where \(wanted) are wanted"
        case .highS(let index): "signature \(index) has a high s"
        case .invalidSignature(let index): "signature \(index) is no signature of any key"
        case .unknownSigner(let address): "\(address) is no oracle of this configuration"
        case .duplicateSigner(let address): "\(address) signed twice"
        case .timesOutOfOrder(let feed): "the times of a report of \(feed) are out of order"
        case .unregisteredFeed(let feed, let donID): "DON \(donID) does not publish \(feed)"
        }
    }

    package var hint: String {
        switch self {
        case .malformed(let error), .malformedReport(let error): error.hint
        case .unknownDigest: "add the configuration, or ask whether the report is of another DON"
        case .inactiveDigest: "ask for a newer report"
        case .signatureCount: "F+1 oracles sign a report"
        case .highS, .invalidSignature, .unknownSigner, .duplicateSigner:
            "the report was changed on its way, or is of other oracles"
        case .timesOutOfOrder: "F+1 oracles signed nonsense: stop using this DON"
        case .unregisteredFeed: "compare the registry of feeds with the DON's channels"
        }
    }

    package var description: String { "\(code): \(message) (\(hint))" }

    /// What a consumer is told.
    package var reason: RefusalReason {
        switch self {
        case .unknownDigest, .inactiveDigest: .unknownDigest
        case .unregisteredFeed: .feedMismatch
        case .malformed, .malformedReport, .timesOutOfOrder: .malformed
        case .signatureCount, .highS, .invalidSignature, .unknownSigner, .duplicateSigner: .badSignature
        }
    }
}
