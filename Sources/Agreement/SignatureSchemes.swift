// The signature schemes of the agreement protocol over real keys (ccip-offchain.md 0.4, 2.5, 2.10).

import Ethereum
import OffchainReporting

/// Ed25519 for observations and votes.
package struct OffchainScheme: SignatureScheme {
    private let key: Ed25519PrivateKey
    private let publicKeys: [Bytes]

    package init(key: Ed25519PrivateKey, publicKeys: [Bytes]) {
        self.key = key
        self.publicKeys = publicKeys
    }

    package func sign(_ message: [UInt8]) -> [UInt8] { key.sign(message) }

    package func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        publicKeys.indices.contains(oracle) && ed25519Verify(message, signature: signature, publicKey: publicKeys[oracle])
    }
}

/// secp256k1 over a 32-byte report digest, as the contracts recover it.
package struct ReportScheme: SignatureScheme {
    private let key: PrivateKey
    private let signers: [Address]

    package init(key: PrivateKey, signers: [Address]) {
        self.key = key
        self.signers = signers
    }

    package func sign(_ message: [UInt8]) -> [UInt8] {
        guard let digest = Hash32(bytes: message) else { preconditionFailure("a report digest has 32 bytes") }
        return key.sign(digest: digest).bytes
    }

    package func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool {
        guard signers.indices.contains(oracle), let digest = Hash32(bytes: message),
            let parsed = try? Signature(bytes: signature), parsed.isLowS
        else { return false }
        return Secp256k1.recoverAddress(digest: digest, signature: parsed) == signers[oracle]
    }
}
