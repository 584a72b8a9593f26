// One secp256k1 key: its account, and what it signs. It prints as its address only.

import CSecp256k1

package struct PrivateKey: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The 32 bytes.
    package let secret: Secret
    /// x || y, 64 bytes.
    package let publicKey: Bytes
    package let address: Address

    /// Exactly 32 bytes, a number in 1..<n; throws `invalidKey` otherwise.
    package init(bytes: Bytes) throws(EthereumError) {
        guard bytes.count == 32 else {
            throw EthereumError(.invalidKey, "a private key has 32 bytes, not \(bytes.count)")
        }
        var key = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_create(Secp256k1.context.pointer, &key, bytes) == 1 else {
            throw EthereumError(.invalidKey, "the private key is zero or not below the order of the curve")
        }
        self.secret = Secret(bytes)
        self.publicKey = Secp256k1.serialise(&key)
        self.address = Secp256k1.address(ofPublicKey: publicKey)
    }

    /// 64 hexadecimal digits, with or without `0x`. The error never quotes the text.
    package init(hex: some StringProtocol) throws(EthereumError) {
        let bytes: Bytes
        do { bytes = try Hex.decode(hex, count: 32) } catch {
            throw EthereumError(.invalidKey, "the private key is not 32 bytes of hexadecimal")
        }
        try self.init(bytes: bytes)
    }

    package init(_ secret: Secret) throws(EthereumError) { try self.init(bytes: secret.bytes) }

    /// A new random key.
    package static func random() -> PrivateKey {
        while true {
            // One draw in 2^128 lies outside the range.
            if let key = try? PrivateKey(bytes: randomBytes(32)) { return key }
        }
    }

    /// Signs a digest: deterministic (RFC 6979), low s.
    package func sign(digest: Hash32) -> Signature {
        let context = Secp256k1.context.pointer
        var signature = secp256k1_ecdsa_recoverable_signature()
        let signed = secp256k1_ecdsa_sign_recoverable(context, &signature, digest.bytes, secret.bytes, nil, nil)
        precondition(signed == 1, "libsecp256k1 refused a key that it had accepted")
        var compact = Bytes(repeating: 0, count: 64)
        var recovery: Int32 = 0
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context, &compact, &recovery, &signature)
        // A recovery id of 2 or 3 means r overflowed the order: one signature in 2^127, which no v can express.
        precondition(recovery < 2, "the signature has no v")
        let (r, s) = compact.withUnsafeBytes { raw in
            let base = raw.baseAddress.unsafelyUnwrapped
            return (U256(bigEndianAt: base), U256(bigEndianAt: base + 32))
        }
        assert(s <= Secp256k1.halfOrder, "libsecp256k1 signs with low s")
        return Signature(r: r, s: s, yParity: UInt8(recovery))
    }

    /// The public key in its compressed form, 33 bytes.
    package var compressedPublicKey: Bytes { [2 + (publicKey[63] & 1)] + publicKey[0..<32] }

    package var description: String { "<private key of \(address)>" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["address": address]) }

    package static func == (a: PrivateKey, b: PrivateKey) -> Bool { a.secret == b.secret }
}
