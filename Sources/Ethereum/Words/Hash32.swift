// 32-byte hashes, and the two hash functions of Ethereum's world.

import CKeccak
import CLibCrypto

/// Any 32-byte value that is an identifier and not a number: hashes, message ids, digests, storage keys on the wire.
@frozen package struct Hash32: Hashable, Sendable, BitwiseCopyable {
    /// The bytes as a big-endian number, so that comparison is that of the bytes.
    package var word: U256

    @inlinable package init(_ word: U256) { self.word = word }

    /// Exactly 32 bytes; nil otherwise.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32, let word = U256(bigEndianBytes: bytes) else { return nil }
        self.word = word
    }

    /// Exactly 64 hexadecimal digits, with or without `0x`.
    package init(hex: some StringProtocol) throws(EthereumError) {
        let bytes = try Hex.decode(hex, count: 32)
        self.word = U256(bigEndianBytes: bytes) ?? .zero
    }

    package static var zero: Hash32 { Hash32(.zero) }
    package var bytes: Bytes { word.bytes }
    package var hex: String { Hex.encode(bytes) }
    package var isZero: Bool { word.isZero }
}

extension Hash32: Comparable, CustomStringConvertible {
    package static func < (a: Hash32, b: Hash32) -> Bool { a.word < b.word }
    package var description: String { hex }
}

/// Keccak-256 as Ethereum uses it (not SHA3-256: the padding differs).
package func keccak256(_ bytes: Bytes) -> Hash32 {
    bytes.withUnsafeBytes { keccak256($0) }
}

/// Keccak-256 of a raw buffer.
package func keccak256(_ buffer: UnsafeRawBufferPointer) -> Hash32 {
    var out = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    return withUnsafeMutableBytes(of: &out) { raw in
        let output = raw.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) }
        let input = buffer.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) }
        causeway_keccak256(input, buffer.count, output)
        return Hash32(U256(bigEndianAt: UnsafeRawPointer(raw.baseAddress.unsafelyUnwrapped)))
    }
}

/// Keccak-256 of UTF-8 text, as in event and function signatures.
package func keccak256(text: String) -> Hash32 { keccak256(Bytes(text.utf8)) }

/// SHA-256 by libcrypto.
package func sha256(_ bytes: Bytes) -> Hash32 {
    var digest = Bytes(repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(done == 1 && length == 32, "libcrypto refused SHA-256")
    return Hash32(U256(bigEndianBytes: digest) ?? .zero)
}
