// Quorum certificates and their order (2.6, 2.8 of the off-chain specification). Pure data and verification.

package struct AttributedSignature: Equatable, Sendable {
    package let signer: Int
    package let signature: [UInt8]
}

/// q prepare votes for one outcome: the lock that protects it across epochs.
package struct CertifiedPrepare: Equatable, Sendable {
    package let epoch: UInt64
    package let sequenceNumber: UInt64
    package let inputsDigest: Digest
    package let outcome: [UInt8]
    /// Exactly q, signers ascending.
    package let signatures: [AttributedSignature]
}

/// q commit votes: the outcome is final.
package struct CertifiedCommit: Equatable, Sendable {
    package let epoch: UInt64
    package let sequenceNumber: UInt64
    package let outcome: [UInt8]
    /// Exactly q, signers ascending.
    package let signatures: [AttributedSignature]
}

/// Order of certificates: sequence number, then commit above prepare, then epoch.
package struct CertificateTimestamp: Equatable, Comparable, Sendable {
    package let sequenceNumber: UInt64
    package let committed: Bool
    package let epoch: UInt64

    static let genesis = CertificateTimestamp(sequenceNumber: 0, committed: true, epoch: 0)

    package static func < (left: CertificateTimestamp, right: CertificateTimestamp) -> Bool {
        if left.sequenceNumber != right.sequenceNumber { return left.sequenceNumber < right.sequenceNumber }
        if left.committed != right.committed { return right.committed }
        return left.epoch < right.epoch
    }
}

package enum Certificate: Equatable, Sendable {
    case genesis
    case prepare(CertifiedPrepare)
    case commit(CertifiedCommit)

    package var timestamp: CertificateTimestamp {
        switch self {
        case .genesis: return .genesis
        case .prepare(let certificate): return certificate.timestamp
        case .commit(let certificate): return certificate.timestamp
        }
    }
}

extension CertifiedPrepare {
    package var timestamp: CertificateTimestamp {
        CertificateTimestamp(sequenceNumber: sequenceNumber, committed: false, epoch: epoch)
    }
}

extension CertifiedCommit {
    package var timestamp: CertificateTimestamp {
        CertificateTimestamp(sequenceNumber: sequenceNumber, committed: true, epoch: epoch)
    }
}

extension Statements {
    /// Exactly q signatures, signers ascending and in range, each valid for the payload rebuilt from the fields.
    func verifies(_ certificate: Certificate) -> Bool {
        switch certificate {
        case .genesis:
            return true
        case .prepare(let prepare):
            return verifies(prepare)
        case .commit(let commit):
            return verifies(commit)
        }
    }

    func verifies(_ certificate: CertifiedPrepare) -> Bool {
        guard plausible(certificate.epoch, certificate.sequenceNumber, certificate.outcome) else { return false }
        let message = vote(
            .prepare, epoch: certificate.epoch, sequenceNumber: certificate.sequenceNumber,
            inputsDigest: certificate.inputsDigest, outcomeDigest: outcomeDigest(certificate.outcome))
        return quorumSigned(certificate.signatures, message)
    }

    func verifies(_ certificate: CertifiedCommit) -> Bool {
        guard plausible(certificate.epoch, certificate.sequenceNumber, certificate.outcome) else { return false }
        let message = vote(
            .commit, epoch: certificate.epoch, sequenceNumber: certificate.sequenceNumber,
            inputsDigest: .zero, outcomeDigest: outcomeDigest(certificate.outcome))
        return quorumSigned(certificate.signatures, message)
    }

    private func plausible(_ epoch: UInt64, _ sequenceNumber: UInt64, _ outcome: [UInt8]) -> Bool {
        epoch >= 1 && epoch <= Limits.epochMaximum
            && sequenceNumber >= 1 && sequenceNumber <= Limits.sequenceNumberMaximum
            && outcome.count <= configuration.sizes.outcome
    }

    private func quorumSigned(_ signatures: [AttributedSignature], _ message: [UInt8]) -> Bool {
        guard signatures.count == configuration.quorum else { return false }
        guard signatures.allSatisfy({ configuration.oracles.indices.contains($0.signer) }) else { return false }
        guard zip(signatures, signatures.dropFirst()).allSatisfy({ $0.signer < $1.signer }) else { return false }
        return signatures.allSatisfy { crypto.offchain.verify($0.signature, message, oracle: $0.signer) }
    }
}
