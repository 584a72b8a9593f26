// Secret bytes that no print, dump or log shows, and the random bytes from which they are made.

import CLibCrypto

/// Bytes that print as redacted. Comparison takes the same time wherever the bytes differ.
package struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The bytes themselves: hand them to a cipher or a signer, never to a text.
    package let bytes: Bytes

    package init(_ bytes: Bytes) { self.bytes = bytes }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package static func == (a: Secret, b: Secret) -> Bool { constantTimeEqual(a.bytes, b.bytes) }
}

/// Compares without telling by time where two byte strings differ; their lengths are not secret.
package func constantTimeEqual(_ a: Bytes, _ b: Bytes) -> Bool {
    a.count == b.count && (a.isEmpty || CRYPTO_memcmp(a, b, a.count) == 0)
}

/// Random bytes of libcrypto's generator. A machine without randomness must not make keys, so that stops the process.
package func randomBytes(_ count: Int) -> Bytes {
    precondition(count >= 0 && count <= Int(Int32.max), "no such number of random bytes")
    var bytes = Bytes(repeating: 0, count: count)
    let done = RAND_bytes(&bytes, Int32(count))
    precondition(done == 1, "libcrypto has no randomness")
    return bytes
}

/// HMAC-SHA-512 (RFC 2104), 64 bytes.
package func hmacSHA512(key: Bytes, _ message: Bytes) -> Bytes {
    var out = Bytes(repeating: 0, count: 64)
    var length: UInt32 = 0
    let done = HMAC(EVP_sha512(), key, Int32(key.count), message, message.count, &out, &length)
    precondition(done != nil && length == 64, "libcrypto refused HMAC-SHA-512")
    return out
}
