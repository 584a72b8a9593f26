// The signature schemes of the agreement protocol over real keys (ccip-offchain.md 0.4, 2.5, 2.10).

import Ethereum
import OffchainReporting

/// Ed25519 for observations and votes.
struct OffchainScheme: SignatureScheme {
    let key: Ed25519PrivateKey
    let publicKeys: [Bytes]

    func sign(_ message: [UInt8]) -> [UInt8] { key.sign(message) }

    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        publicKeys.indices.contains(oracle) && ed25519Verify(message, signature: signature, publicKey: publicKeys[oracle])
    }
}

/// secp256k1 over the 32-byte report digest, as the OffRamp recovers it.
struct ReportScheme: SignatureScheme {
    let key: PrivateKey
    let signers: [Address]

    func sign(_ message: [UInt8]) -> [UInt8] {
        guard let digest = Hash32(bytes: message) else { preconditionFailure("a report digest has 32 bytes") }
        return key.sign(digest: digest).bytes
    }

    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        guard signers.indices.contains(oracle), let digest = Hash32(bytes: message),
            let parsed = try? Signature(bytes: signature), parsed.isLowS
        else { return false }
        return Secp256k1.recoverAddress(digest: digest, signature: parsed) == signers[oracle]
    }
}

extension Cryptography {
    static func production(_ keys: RelayerKeys, _ cluster: ClusterSettings) -> Cryptography {
        Cryptography(
            hashing: Hashing { sha256($0).bytes },
            offchain: OffchainScheme(key: keys.offchain, publicKeys: cluster.relayers.map(\.offchainPublicKey)),
            attestation: ReportScheme(key: keys.reportSigner, signers: cluster.relayers.map(\.reportSigner)))
    }
}
