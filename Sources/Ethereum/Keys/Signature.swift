// ECDSA signatures over secp256k1 as numbers, and their 65-byte forms. No curve arithmetic here.

/// A signature with the parity of its nonce point, so that the public key can be recovered.
package struct Signature: Hashable, Sendable {
    package let r: U256
    package let s: U256
    /// 0 or 1.
    package let yParity: UInt8

    /// `yParity` must be 0 or 1. The ranges of r and s are checked where the signature is used.
    package init(r: U256, s: U256, yParity: UInt8) {
        precondition(yParity < 2, "the parity of a signature is 0 or 1")
        self.r = r
        self.s = s
        self.yParity = yParity
    }

    /// Stands where nobody signed; no account has this signature.
    package static let none = Signature(r: .zero, s: .zero, yParity: 0)

    /// Reads r || s || v, 65 bytes, with v of 0, 1, 27 or 28.
    package init(bytes: Bytes) throws(EthereumError) {
        guard bytes.count == 65 else {
            throw EthereumError(.invalidSignature, "a signature has 65 bytes (r, s, v), not \(bytes.count)")
        }
        guard let r = U256(bigEndianBytes: bytes[0..<32]), let s = U256(bigEndianBytes: bytes[32..<64]),
            let parity = Self.parity(ofV: bytes[64])
        else { throw EthereumError(.invalidSignature, "v of a signature is 0, 1, 27 or 28, not \(bytes[64])") }
        self.init(r: r, s: s, yParity: parity)
    }

    /// Reads r || s, 64 bytes, beside a parity or v: the form of CCIP's report signatures.
    package init(r: Hash32, s: Hash32, v: UInt8) throws(EthereumError) {
        guard let parity = Self.parity(ofV: v) else {
            throw EthereumError(.invalidSignature, "v of a signature is 0, 1, 27 or 28, not \(v)")
        }
        self.init(r: r.word, s: s.word, yParity: parity)
    }

    private static func parity(ofV v: UInt8) -> UInt8? {
        switch v {
        case 0, 27: 0
        case 1, 28: 1
        default: nil
        }
    }

    /// 27 or 28.
    package var v: UInt8 { 27 + yParity }
    /// r || s || yParity.
    package var bytes: Bytes { r.bytes + s.bytes + [yParity] }
    /// r || s || v with v of 27 or 28, as `eth_sign` and Solidity's `ecrecover` have it.
    package var bytesWithV: Bytes { r.bytes + s.bytes + [v] }
    /// r || s.
    package var compactBytes: Bytes { r.bytes + s.bytes }

    /// True when r and s lie in 1..<n.
    package var isInRange: Bool {
        !r.isZero && !s.isZero && r < Secp256k1.order && s < Secp256k1.order
    }

    /// True when s is at most n/2, as EIP-2 demands of transactions. The ecrecover precompile takes both halves.
    package var isLowS: Bool { s <= Secp256k1.halfOrder }

    /// The other signature over the same digest by the same key.
    package var flipped: Signature {
        Signature(r: r, s: s.isZero ? s : Secp256k1.order &- s, yParity: 1 - yParity)
    }
}
