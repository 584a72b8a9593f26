// Keys from words: the BIP-39 seed and BIP-32 derivation. The word list is not checked: a mnemonic is any bounded text.

import CLibCrypto
import CSecp256k1

package struct Mnemonic: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let words: Secret

    /// ASCII words with single blanks between them; throws `invalidKey` for anything else.
    package init(_ text: String) throws(EthereumError) {
        let bytes = Bytes(text.utf8)
        guard !bytes.isEmpty, bytes.count <= Limits.mnemonicBytesMaximum else {
            throw EthereumError(
                .invalidKey, "a mnemonic has 1 to \(Limits.mnemonicBytesMaximum) bytes, not \(bytes.count)")
        }
        // BIP-39 normalises by NFKD, which leaves ASCII as it is; other texts are refused and not guessed at.
        guard bytes.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
            throw EthereumError(.invalidKey, "only mnemonics of ASCII words are supported")
        }
        guard bytes.first != 0x20, bytes.last != 0x20,
            !zip(bytes, bytes.dropFirst()).contains(where: { $0 == (0x20, 0x20) })
        else { throw EthereumError(.invalidKey, "the words of a mnemonic stand with one blank between them") }
        self.words = Secret(bytes)
    }

    /// The mnemonic that every EVM developer's tools know. Worth nothing: for local networks only.
    package static let developmentText = "test test test test test test test test test test test junk"

    /// The 64-byte BIP-39 seed: PBKDF2-HMAC-SHA-512, 2048 rounds.
    package func seed(passphrase: String = "") -> Secret {
        var seed = Bytes(repeating: 0, count: 64)
        let salt = Bytes("mnemonic".utf8) + Bytes(passphrase.utf8)
        let done = words.bytes.withUnsafeBytes { raw in
            PKCS5_PBKDF2_HMAC(
                raw.bindMemory(to: CChar.self).baseAddress, Int32(raw.count), salt, Int32(salt.count), 2048,
                EVP_sha512(), 64,
                &seed)
        }
        precondition(done == 1, "libcrypto refused PBKDF2")
        return Secret(seed)
    }

    /// The key at m/44'/60'/0'/0/index: the account that wallets show as number `index`.
    package func account(_ index: UInt32, passphrase: String = "") throws(EthereumError) -> PrivateKey {
        try accounts(from: index, count: 1, passphrase: passphrase)[0]
    }

    /// The first `count` accounts from `first` on, with one seed computation.
    package func accounts(
        from first: UInt32 = 0, count: Int, passphrase: String = ""
    ) throws(EthereumError) -> [PrivateKey] {
        let parent = try ExtendedKey(seed: seed(passphrase: passphrase)).derived(path: "m/44'/60'/0'/0")
        var keys: [PrivateKey] = []
        for index in 0..<UInt32(count) { keys.append(try parent.child(first + index).privateKey()) }
        return keys
    }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A private key with the chain code that derives its children (BIP-32).
package struct ExtendedKey: Equatable, Sendable {
    package let key: Secret
    package let chainCode: Secret

    /// From a seed of 16 to 64 bytes.
    package init(seed: Secret) throws(EthereumError) {
        guard (16...64).contains(seed.bytes.count) else {
            throw EthereumError(.invalidKey, "a BIP-32 seed has 16 to 64 bytes, not \(seed.bytes.count)")
        }
        let digest = hmacSHA512(key: Bytes("Bitcoin seed".utf8), seed.bytes)
        self.key = Secret(Bytes(digest[0..<32]))
        self.chainCode = Secret(Bytes(digest[32..<64]))
        _ = try PrivateKey(key)
    }

    private init(key: Bytes, chainCode: Bytes) {
        self.key = Secret(key)
        self.chainCode = Secret(chainCode)
    }

    /// The child at `index`; from 2^31 on it is hardened.
    package func child(_ index: UInt32) throws(EthereumError) -> ExtendedKey {
        let own = index >> 31 == 1 ? [0] + key.bytes : try PrivateKey(key).compressedPublicKey
        let digest = hmacSHA512(key: chainCode.bytes, own + Bytes(bigEndian: index))
        var child = key.bytes
        guard secp256k1_ec_seckey_tweak_add(Secp256k1.context.pointer, &child, Bytes(digest[0..<32])) == 1 else {
            throw EthereumError(.invalidKey, "BIP-32 has no child key at index \(index); take the next one")
        }
        return ExtendedKey(key: child, chainCode: Bytes(digest[32..<64]))
    }

    /// The descendant at a path like `m/44'/60'/0'/0/3`.
    package func derived(path: String) throws(EthereumError) -> ExtendedKey {
        let levels = path.split(separator: "/", omittingEmptySubsequences: false)
        guard levels.first == "m", levels.count <= Limits.derivationDepthMaximum + 1 else {
            throw EthereumError(
                .invalidKey, "a derivation path begins with 'm' and has few levels, as m/44'/60'/0'/0/0")
        }
        var result = self
        for level in levels.dropFirst() {
            let hardened = level.hasSuffix("'")
            let digits = hardened ? level.dropLast() : level
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = UInt32(digits),
                index >> 31 == 0
            else { throw EthereumError(.invalidKey, "'\(level.prefix(20))' is no level of a derivation path") }
            result = try result.child(hardened ? index | 1 << 31 : index)
        }
        return result
    }

    package func privateKey() throws(EthereumError) -> PrivateKey { try PrivateKey(key) }
}
