// The 32-byte digest and the injected hash. Nothing here knows which hash it is.

/// 32 bytes: the hash of an outcome, of a round's inputs, or the configuration digest D.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    package static let byteCount = 32
    package static let zero = Digest(unchecked: [UInt8](repeating: 0, count: byteCount))

    package let bytes: [UInt8]

    /// Nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Digest.byteCount else { return nil }
        self.bytes = bytes
    }

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    package var description: String {
        let digits = Array("0123456789abcdef")
        return "0x" + String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    package static func < (left: Digest, right: Digest) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// The hash H of the protocol (SHA-256 in production), injected so that this room links no crypto library.
package struct Hashing: Sendable {
    /// Pure; returns 32 bytes.
    package var sha256: @Sendable ([UInt8]) -> [UInt8]

    package init(sha256: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.sha256 = sha256
    }

    func digest(_ bytes: [UInt8]) -> Digest {
        guard let digest = Digest(sha256(bytes)) else {
            fatalError("the injected hash must return \(Digest.byteCount) bytes")
        }
        return digest
    }
}

/// Signs and verifies with one kind of key. A pure function of its arguments and of the keys it was made with:
/// `sign` must be deterministic (RFC 8032, RFC 6979), because a vote may be signed again after a crash.
package protocol SignatureScheme: Sendable {
    /// Signature of this oracle. Never fails: keys are checked when the process starts.
    func sign(_ message: [UInt8]) -> [UInt8]
    /// Whether `signature` over `message` was made by the oracle with that index. Any bytes are allowed as signature.
    func verify(_ signature: [UInt8], _ message: [UInt8], oracle: Int) -> Bool
}

/// What an instance needs of cryptography, passed in by value.
package struct Cryptography: Sendable {
    package let hashing: Hashing
    /// Ed25519 keys of the oracles; messages are short (a tag and a 32-byte hash).
    package let offchain: any SignatureScheme
    /// secp256k1 keys registered at the OffRamp; the message is the 32-byte report digest, the signature r, s, v
    /// (65 bytes, v = 0 or 1).
    package let attestation: any SignatureScheme

    package init(hashing: Hashing, offchain: any SignatureScheme, attestation: any SignatureScheme) {
        self.hashing = hashing
        self.offchain = offchain
        self.attestation = attestation
    }
}
