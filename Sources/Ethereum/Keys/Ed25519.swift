// Ed25519 (RFC 8032) by libcrypto: the keys by which peers know each other.

import CLibCrypto

package struct Ed25519PrivateKey: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The 32-byte seed.
    package let secret: Secret
    /// 32 bytes.
    package let publicKey: Bytes

    /// Any 32 bytes are a key; throws `invalidKey` for another count.
    package init(bytes: Bytes) throws(EthereumError) {
        guard bytes.count == 32 else {
            throw EthereumError(.invalidKey, "an Ed25519 private key has 32 bytes, not \(bytes.count)")
        }
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes, 32) else {
            throw EthereumError(.invalidKey, "libcrypto refused the Ed25519 private key")
        }
        defer { EVP_PKEY_free(key) }
        var publicKey = Bytes(repeating: 0, count: 32)
        var length = 32
        guard EVP_PKEY_get_raw_public_key(key, &publicKey, &length) == 1, length == 32 else {
            throw EthereumError(.invalidKey, "libcrypto gave no Ed25519 public key")
        }
        self.secret = Secret(bytes)
        self.publicKey = publicKey
    }

    package init(_ secret: Secret) throws(EthereumError) { try self.init(bytes: secret.bytes) }

    /// A new random key.
    package static func random() throws(EthereumError) -> Ed25519PrivateKey {
        try Ed25519PrivateKey(bytes: randomBytes(32))
    }

    /// The 64-byte signature over `message`; deterministic.
    package func sign(_ message: Bytes) -> Bytes {
        let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, secret.bytes, 32)
        let context = EVP_MD_CTX_new()
        defer {
            EVP_MD_CTX_free(context)
            EVP_PKEY_free(key)
        }
        var signature = Bytes(repeating: 0, count: 64)
        var length = 64
        let done =
            EVP_DigestSignInit(context, nil, nil, nil, key) == 1
            && EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        precondition(done && length == 64, "libcrypto refused to sign with a key that it had accepted")
        return signature
    }

    package var description: String { "<Ed25519 private key of \(Hex.encode(publicKey))>" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package static func == (a: Ed25519PrivateKey, b: Ed25519PrivateKey) -> Bool { a.secret == b.secret }
}

/// True when `signature` (64 bytes) over `message` is by the holder of `publicKey` (32 bytes).
package func ed25519Verify(_ message: Bytes, signature: Bytes, publicKey: Bytes) -> Bool {
    guard signature.count == 64, publicKey.count == 32,
        let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, 32)
    else { return false }
    let context = EVP_MD_CTX_new()
    defer {
        EVP_MD_CTX_free(context)
        EVP_PKEY_free(key)
        // A wrong signature leaves an entry in this thread's error queue.
        ERR_clear_error()
    }
    return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
        && EVP_DigestVerify(context, signature, 64, message, message.count) == 1
}
