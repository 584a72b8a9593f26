// secp256k1 by libsecp256k1: keys, deterministic signatures (RFC 6979), verification and recovery.

import CSecp256k1

package enum Secp256k1 {
    /// The order n of the group.
    package static let order = U256(
        w0: 0xbfd2_5e8c_d036_4141, w1: 0xbaae_dce6_af48_a03b, w2: 0xffff_ffff_ffff_fffe, w3: 0xffff_ffff_ffff_ffff)
    /// floor(n / 2).
    package static let halfOrder = order >> 1

    static let context = Context()

    /// One context for the process. libsecp256k1 only reads it once it is randomised, so threads may share it.
    final class Context: @unchecked Sendable {
        let pointer: OpaquePointer

        init() {
            guard let pointer = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY))
            else {
                preconditionFailure("libsecp256k1 gave no context")
            }
            // Blinding protects the secret keys against observers of time and power.
            let done = secp256k1_context_randomize(pointer, randomBytes(32))
            precondition(done == 1, "libsecp256k1 refused its seed")
            self.pointer = pointer
        }
    }

    /// The public key (x || y, 64 bytes) that made `signature` over `digest`; nil when there is none.
    /// High s is allowed: callers that must refuse it ask `isLowS`.
    package static func recoverPublicKey(digest: Hash32, signature: Signature) -> Bytes? {
        withRecoveredKey(digest, signature) { Bytes($0) }
    }

    /// The account that signed `digest`; nil when the signature has no public key.
    package static func recoverAddress(digest: Hash32, signature: Signature) -> Address? {
        withRecoveredKey(digest, signature) { Address(truncating: keccak256($0).word) }
    }

    /// Hands over the 64 bytes of the key. Everything lies on the stack: chains and gateways recover tens of thousands a
    /// second.
    private static func withRecoveredKey<Result>(
        _ digest: Hash32, _ signature: Signature, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        guard signature.isInRange else { return nil }
        let context = Self.context.pointer
        var parsed = secp256k1_ecdsa_recoverable_signature()
        var key = secp256k1_pubkey()
        return withUnsafeTemporaryAllocation(byteCount: 96, alignment: 8) { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("96 bytes of the stack") }
            signature.r.storeBigEndian(to: base)
            signature.s.storeBigEndian(to: base + 32)
            digest.word.storeBigEndian(to: base + 64)
            let bytes = UnsafePointer(base.assumingMemoryBound(to: UInt8.self))
            guard
                secp256k1_ecdsa_recoverable_signature_parse_compact(
                    context, &parsed, bytes, Int32(signature.yParity)) == 1,
                secp256k1_ecdsa_recover(context, &key, &parsed, bytes + 64) == 1
            else { return nil }
            // The one byte before the key says in which form it is.
            var length = 65
            let done = secp256k1_ec_pubkey_serialize(
                context, base.assumingMemoryBound(to: UInt8.self), &length, &key, UInt32(SECP256K1_EC_UNCOMPRESSED))
            precondition(done == 1 && length == 65, "libsecp256k1 did not serialise a key")
            return body(UnsafeRawBufferPointer(start: base + 1, count: 64))
        }
    }

    /// True when the holder of `publicKey` (64 bytes) signed `digest`; either half of s will do.
    package static func verify(digest: Hash32, signature: Signature, publicKey: Bytes) -> Bool {
        guard signature.isInRange, publicKey.count == 64 else { return false }
        let context = Self.context.pointer
        let low = signature.isLowS ? signature : signature.flipped
        var parsed = secp256k1_ecdsa_signature()
        var key = secp256k1_pubkey()
        return secp256k1_ecdsa_signature_parse_compact(context, &parsed, low.compactBytes) == 1
            && secp256k1_ec_pubkey_parse(context, &key, [4] + publicKey, 65) == 1
            && secp256k1_ecdsa_verify(context, &parsed, digest.bytes, &key) == 1
    }

    /// The account of a public key of 64 bytes: the last 20 bytes of its Keccak-256.
    package static func address(ofPublicKey key: Bytes) -> Address {
        Address(truncating: keccak256(key).word)
    }

    /// The 64 bytes of a public key given as 33 (compressed), 64 or 65 bytes; throws `invalidKey` off the curve.
    package static func publicKey(parsing bytes: Bytes) throws(EthereumError) -> Bytes {
        var key = secp256k1_pubkey()
        let full = bytes.count == 64 ? [4] + bytes : bytes
        guard secp256k1_ec_pubkey_parse(context.pointer, &key, full, full.count) == 1 else {
            throw EthereumError(.invalidKey, "\(bytes.count) bytes are no public key of secp256k1")
        }
        return serialise(&key)
    }

    static func serialise(_ key: inout secp256k1_pubkey, compressed: Bool = false) -> Bytes {
        var length = 65
        var out = Bytes(repeating: 0, count: 65)
        let form = UInt32(compressed ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED)
        let done = secp256k1_ec_pubkey_serialize(context.pointer, &out, &length, &key, form)
        precondition(done == 1 && length == (compressed ? 33 : 65), "libsecp256k1 did not serialise a key")
        return compressed ? Bytes(out[0..<33]) : Bytes(out[1..<65])
    }
}
