// What the verifier contracts of each generation answer to a full report (6.2 to 6.4 of the price specification), with
// their laxness: they follow offsets wherever they lead, ignore trailing bytes, take a high s and never look at times.
// For tools that say beforehand what the chain will say; nothing is trusted because of it.

import Ethereum

/// The answer of a contract.
package enum OnchainVerdict: Hashable, Sendable, CustomStringConvertible {
    case accepted
    case verifierNotFound(Hash32)
    case digestInactive(Hash32)
    case incorrectSignatureCount(Int, Int)
    case mismatchedSignatures(Int, Int)
    case noSigners
    case badVerification
    /// Checked arithmetic failed: 0x11 an overflow, 0x32 an index.
    case panic(UInt8)
    /// The ABI decoder reverts, without data.
    case undecodable

    package var description: String {
        switch self {
        case .accepted: "ok"
        case .verifierNotFound(let digest): "VerifierNotFound(\(digest))"
        case .digestInactive(let digest): "DigestInactive(\(digest))"
        case .incorrectSignatureCount(let count, let wanted): "IncorrectSignatureCount(\(count),\(wanted))"
        case .mismatchedSignatures(let rs, let ss): "MismatchedSignatures(\(rs),\(ss))"
        case .noSigners: "NoSigners()"
        case .badVerification: "BadVerification()"
        case .panic(let code): "Panic(\(Hex.encode([code])))"
        case .undecodable: "revert (abi decode)"
        }
    }
}

package enum OnchainRules {
    /// The answer of the proxy and verifier of a generation that know these sets. Without access control and fees.
    package static func verdict(
        _ payload: Bytes, generation: VerifierGeneration, sets: [OracleSet]
    ) -> OnchainVerdict {
        generation == .v04 ? byTime(payload, sets) : byDigest(payload, sets, perFeed: generation == .v03)
    }

    private static func byDigest(_ payload: Bytes, _ sets: [OracleSet], perFeed: Bool) -> OnchainVerdict {
        // The proxy finds the verifier by the first word, however short the payload is.
        let digest = word(payload, at: 0)
        guard sets.contains(where: { $0.digest == digest }) else { return .verifierNotFound(digest) }
        guard let parts = LaxFullReport(payload) else { return .undecodable }
        let feedID = perFeed ? FeedID(word(parts.blob, at: 0)) : nil
        let known = sets.last { $0.digest == digest && (!perFeed || $0.feedID == feedID) }
        guard let set = known, set.isActive else { return .digestInactive(digest) }
        guard parts.rs.count == set.faulty + 1 else {
            return .incorrectSignatureCount(parts.rs.count, set.faulty + 1)
        }
        guard parts.rs.count == parts.ss.count else {
            return .mismatchedSignatures(parts.rs.count, parts.ss.count)
        }
        var seen: Set<Address> = []
        var isDoubled = false
        for index in parts.rs.indices {
            switch parts.signer(index) {
            case .failure(let panic): return .panic(panic.code)
            case .success(let signer):
                guard set.index(of: signer) != nil else { return .badVerification }
                isDoubled = !seen.insert(signer).inserted || isDoubled
            }
        }
        return isDoubled ? .badVerification : .accepted
    }

    private static func byTime(_ payload: Bytes, _ sets: [OracleSet]) -> OnchainVerdict {
        guard let parts = LaxFullReport(payload) else { return .undecodable }
        guard parts.rs.count == parts.ss.count else {
            return .mismatchedSignatures(parts.rs.count, parts.ss.count)
        }
        guard !parts.rs.isEmpty else { return .noSigners }
        var signers: [Address] = []
        for index in parts.rs.indices {
            switch parts.signer(index) {
            case .failure(let panic): return .panic(panic.code)
            case .success(let signer): signers.append(signer)
            }
        }
        let ordered = sets.sorted { ($0.activatedAt, $0.digest) < ($1.activatedAt, $1.digest) }
        guard Set(signers).count == signers.count,
            let set = ReportVerifier.newest(ordered, at: observations(parts.blob)), set.isActive,
            signers.count > set.faulty, signers.allSatisfy({ set.index(of: $0) != nil })
        else { return .badVerification }
        return .accepted
    }

    /// The third word of a report, which is `observationsTimestamp` except in v1; larger numbers count as the largest.
    static func observations(_ blob: Bytes) -> UInt64 { word(blob, at: 64).word.clampedUInt64 }

    /// A word, with zeros where the bytes end.
    private static func word(_ bytes: Bytes, at offset: Int) -> Hash32 {
        let part = bytes.dropFirst(offset).prefix(32)
        return Hash32((U256(bigEndianBytes: part) ?? .zero) << (8 * (32 - part.count)))
    }
}

/// The parts of a full report as Solidity's decoder finds them.
private struct LaxFullReport {
    struct Panic: Error { let code: UInt8 }

    let blob: Bytes
    let rs: [U256]
    let ss: [U256]
    let rawVs: Bytes
    let digest: Hash32

    /// nil where the decoder would revert.
    init?(_ payload: Bytes) {
        guard payload.count >= 224, payload.count <= Limits.fullReportBytesMaximum * 2 else { return nil }
        func content(at place: Int, unit: Int) -> (Int, Bytes)? {
            guard let offset = U256(bigEndianBytes: payload[place..<place + 32])?.asInt,
                offset <= payload.count - 32,
                let count = U256(bigEndianBytes: payload[offset..<offset + 32])?.asInt,
                count <= (payload.count - offset - 32) / unit
            else { return nil }
            return (count, Bytes(payload[offset + 32..<offset + 32 + count * unit]))
        }
        func words(_ list: (Int, Bytes)) -> [U256] {
            (0..<list.0).map { U256(bigEndianBytes: list.1[32 * $0..<32 * $0 + 32]) ?? .zero }
        }
        guard let blob = content(at: 96, unit: 1), let rs = content(at: 128, unit: 32),
            let ss = content(at: 160, unit: 32)
        else { return nil }
        self.blob = blob.1
        self.rs = words(rs)
        self.ss = words(ss)
        rawVs = Bytes(payload[192..<224])
        digest = keccak256(keccak256(blob.1).bytes + payload[0..<96])
    }

    /// The account that ecrecover gives; zero where it gives none.
    func signer(_ index: Int) -> Result<Address, Panic> {
        guard index < 32 else { return .failure(Panic(code: 0x32)) }
        let v = rawVs[index]
        guard v <= 255 - 27 else { return .failure(Panic(code: 0x11)) }
        guard v < 2 else { return .success(.zero) }
        let signature = Signature(r: rs[index], s: ss[index], yParity: v)
        return .success(Secp256k1.recoverAddress(digest: digest, signature: signature) ?? .zero)
    }
}
