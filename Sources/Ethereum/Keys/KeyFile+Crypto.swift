// Opening and sealing of key files: scrypt or PBKDF2, AES-128-CTR, and the Keccak check word. No JSON here.

import CLibCrypto

extension KeyFile {
    /// How much work a guess of the password costs.
    package enum Work: Sendable {
        /// 256 MiB and about a second: keys that hold value.
        case standard
        /// 4 MiB and some ten milliseconds: local networks and tests.
        case light

        var n: Int {
            switch self {
            case .standard: 1 << 18
            case .light: 1 << 12
            }
        }

        var p: Int {
            switch self {
            case .standard: 1
            case .light: 6
            }
        }
    }

    /// Seals `secret` under `password`. `randomness` gives salt, vector and id; tests pass their own.
    package static func sealed(
        _ secret: Secret, password: Secret, work: Work = .standard, address: Address? = nil, kind: String? = nil,
        publicKey: Bytes? = nil, randomness: (Int) -> Bytes = randomBytes
    ) throws(EthereumError) -> KeyFile {
        guard (1...Limits.secretBytesMaximum).contains(secret.bytes.count) else {
            throw EthereumError(.limitExceeded, "a key file holds 1 to \(Limits.secretBytesMaximum) bytes of secret")
        }
        let derivation = Derivation.scrypt(n: work.n, r: 8, p: work.p, salt: randomness(32))
        let vector = randomness(16)
        precondition(vector.count == 16, "the vector of AES-CTR has 16 bytes")
        let key = try derivation.key(password: password)
        let cipherText = try crypt(secret.bytes, key: key, vector: vector)
        return KeyFile(
            id: uuid(randomness(16)), address: address, kind: kind, publicKey: publicKey, cipherText: cipherText,
            initialisationVector: vector, derivation: derivation, mac: mac(key: key, cipherText))
    }

    /// Seals a secp256k1 key as wallets do.
    package static func sealed(
        _ key: PrivateKey, password: Secret, work: Work = .standard
    ) throws(EthereumError) -> KeyFile {
        try sealed(key.secret, password: password, work: work, address: key.address)
    }

    /// The secret; throws `wrongPassword` when the password (or the file) is not the one that sealed it.
    package func open(password: Secret) throws(EthereumError) -> Secret {
        let key = try derivation.key(password: password)
        guard constantTimeEqual(Self.mac(key: key, cipherText), mac) else {
            throw EthereumError(.wrongPassword, "the password does not open the key file (or the file was changed)")
        }
        return Secret(try Self.crypt(cipherText, key: key, vector: initialisationVector))
    }

    /// The secp256k1 key; throws `malformedKeyFile` when it is not the key of the address that the file tells.
    package func openPrivateKey(password: Secret) throws(EthereumError) -> PrivateKey {
        let key = try PrivateKey(try open(password: password))
        if let address, address != key.address {
            throw Self.malformed("it tells the address \(address), but holds the key of \(key.address)")
        }
        return key
    }

    /// Keccak-256 over the second half of the derived key and the cipher text.
    private static func mac(key: Bytes, _ cipherText: Bytes) -> Bytes { keccak256(key[16..<32] + cipherText).bytes }

    /// AES-128-CTR both ways, with the first half of the derived key.
    private static func crypt(_ input: Bytes, key: Bytes, vector: Bytes) throws(EthereumError) -> Bytes {
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        var output = Bytes(repeating: 0, count: input.count)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nil, Bytes(key[0..<16]), vector) == 1,
            EVP_EncryptUpdate(context, &output, &length, input, Int32(input.count)) == 1, Int(length) == input.count
        else { throw EthereumError(.unsupported, "libcrypto has no AES-128-CTR") }
        return output
    }

    private static func uuid(_ random: Bytes) -> String {
        var bytes = random
        precondition(bytes.count == 16, "a UUID has 16 bytes")
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
            .map { Hex.encodeBare($0) }.joined(separator: "-")
    }
}

extension KeyFile.Derivation {
    /// 32 bytes: the cipher's key, then the key of the check word.
    func key(password: Secret) throws(EthereumError) -> Bytes {
        try checkBounds()
        var key = Bytes(repeating: 0, count: 32)
        let done = password.bytes.withUnsafeBytes { raw in
            let text = raw.bindMemory(to: CChar.self).baseAddress
            switch self {
            case .scrypt(let n, let r, let p, let salt):
                // libcrypto counts a little more than n * r * 128 bytes; the bound on those was checked above.
                let memory = UInt64(Limits.scryptMemoryMaximum) + UInt64(r * p * 128) + 1 << 20
                return EVP_PBE_scrypt(
                    text, raw.count, salt, salt.count, UInt64(n), UInt64(r), UInt64(p), memory, &key, 32)
            case .pbkdf2(let rounds, let salt):
                return PKCS5_PBKDF2_HMAC(
                    text, Int32(raw.count), salt, Int32(salt.count), Int32(rounds), EVP_sha256(), 32, &key)
            }
        }
        guard done == 1 else {
            ERR_clear_error()
            throw EthereumError(.malformedKeyFile, "libcrypto refused the key derivation of the key file")
        }
        return key
    }
}
