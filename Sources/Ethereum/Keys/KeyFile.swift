// Web3 Secret Storage, version 3: one secret under a password, as JSON. Works on bytes; reading and writing files, and
// checking their modes, is for callers. The cryptography is in KeyFile+Crypto.swift.

/// A secret sealed by a password. Holds secp256k1 keys as other wallets do, and any other short secret the same way.
package struct KeyFile: Equatable, Sendable {
    /// How the password becomes a key.
    package enum Derivation: Equatable, Sendable {
        /// `n` is a power of two; memory is n * r * 128 bytes.
        case scrypt(n: Int, r: Int, p: Int, salt: Bytes)
        /// PBKDF2-HMAC-SHA-256.
        case pbkdf2(rounds: Int, salt: Bytes)
    }

    /// A random UUID; names the file, not the key.
    package let id: String
    /// The account, when the secret is a secp256k1 key and the file tells it.
    package let address: Address?
    /// What the secret is for, as `ed25519` or `curve`; absent in wallets' files.
    package let kind: String?
    /// The public half of the secret, when there is one that is not an address.
    package let publicKey: Bytes?
    let cipherText: Bytes
    /// 16 bytes.
    let initialisationVector: Bytes
    let derivation: Derivation
    let mac: Bytes
}

// MARK: - JSON

extension KeyFile {
    /// Reads the JSON of a key file; throws `malformedKeyFile`, or `limitExceeded` for costs past the limits.
    package static func decode(_ bytes: Bytes) throws(EthereumError) -> KeyFile {
        guard bytes.count <= Limits.keyFileBytesMaximum else {
            throw EthereumError(.limitExceeded, "a key file has at most \(Limits.keyFileBytesMaximum) bytes")
        }
        let json: JSON
        do { json = try JSON.parse(bytes) } catch { throw malformed("it is no JSON (\(error.message))") }
        return try decode(json)
    }

    package static func decode(_ json: JSON) throws(EthereumError) -> KeyFile {
        guard json["version"]?.asInt == 3 else { throw malformed("'version' is not 3") }
        guard let crypto = json["crypto"] ?? json["Crypto"] else { throw malformed("there is no 'crypto'") }
        guard crypto["cipher"]?.asString == "aes-128-ctr" else { throw malformed("'cipher' is not aes-128-ctr") }
        let vector = try hex(crypto["cipherparams"]?["iv"], "cipherparams.iv", 16...16)
        var address: Address?
        if let text = json["address"]?.asString, !text.isEmpty {
            do { address = try Address(hex: text) } catch { throw malformed(error.message) }
        }
        return KeyFile(
            id: json["id"]?.asString ?? "",
            address: address,
            kind: json["kind"]?.asString,
            publicKey: json["publicKey"] == nil ? nil : try hex(json["publicKey"], "publicKey", 1...128),
            cipherText: try hex(crypto["ciphertext"], "ciphertext", 1...Limits.secretBytesMaximum),
            initialisationVector: vector,
            derivation: try derivation(crypto),
            mac: try hex(crypto["mac"], "mac", 32...32))
    }

    private static func derivation(_ crypto: JSON) throws(EthereumError) -> Derivation {
        guard let parameters = crypto["kdfparams"] else { throw malformed("there is no 'kdfparams'") }
        guard parameters["dklen"]?.asInt == 32 else { throw malformed("'kdfparams.dklen' is not 32") }
        let salt = try hex(parameters["salt"], "kdfparams.salt", 0...Limits.saltBytesMaximum)
        let result: Derivation
        switch crypto["kdf"]?.asString {
        case "scrypt":
            result = .scrypt(
                n: try count(parameters, "n"), r: try count(parameters, "r"), p: try count(parameters, "p"), salt: salt)
        case "pbkdf2":
            guard parameters["prf"]?.asString == "hmac-sha256" else { throw malformed("'prf' is not hmac-sha256") }
            result = .pbkdf2(rounds: try count(parameters, "c"), salt: salt)
        default: throw malformed("'kdf' is neither scrypt nor pbkdf2")
        }
        try result.checkBounds()
        return result
    }

    private static func count(_ parameters: JSON, _ name: String) throws(EthereumError) -> Int {
        guard let value = parameters[name]?.asInt, value > 0 else {
            throw malformed("'kdfparams.\(name)' is no positive number")
        }
        return value
    }

    private static func hex(
        _ json: JSON?, _ name: String, _ range: ClosedRange<Int>
    ) throws(EthereumError) -> Bytes {
        guard let text = json?.asString else { throw malformed("there is no '\(name)'") }
        let bytes: Bytes
        do { bytes = try Hex.decode(text) } catch { throw malformed("'\(name)': \(error.message)") }
        guard range.contains(bytes.count) else { throw malformed("'\(name)' has \(bytes.count) bytes") }
        return bytes
    }

    static func malformed(_ why: String) -> EthereumError {
        EthereumError(.malformedKeyFile, "no version 3 key file: \(why)")
    }

    /// The JSON value in the field order that geth writes.
    package var json: JSON {
        var file = JSONObject()
        file["address"] = address.map { .string(Hex.encodeBare($0.bytes)) }
        file["kind"] = kind.map { .string($0) }
        file["publicKey"] = publicKey.map { .string(Hex.encodeBare($0)) }
        let parameters: JSON
        let name: JSON
        switch derivation {
        case .scrypt(let n, let r, let p, let salt):
            name = "scrypt"
            parameters = [
                "dklen": 32, "n": .integer(n), "p": .integer(p), "r": .integer(r),
                "salt": .string(Hex.encodeBare(salt)),
            ]
        case .pbkdf2(let rounds, let salt):
            name = "pbkdf2"
            parameters = [
                "c": .integer(rounds), "dklen": 32, "prf": "hmac-sha256", "salt": .string(Hex.encodeBare(salt)),
            ]
        }
        file["crypto"] = [
            "cipher": "aes-128-ctr",
            "ciphertext": .string(Hex.encodeBare(cipherText)),
            "cipherparams": ["iv": .string(Hex.encodeBare(initialisationVector))],
            "kdf": name,
            "kdfparams": parameters,
            "mac": .string(Hex.encodeBare(mac)),
        ]
        file["id"] = .string(id)
        file["version"] = 3
        return .object(file)
    }

    /// The JSON text as it stands in a file.
    package var encoded: Bytes { Bytes(json.pretty.utf8) }
}

extension KeyFile.Derivation {
    /// Throws `limitExceeded` for costs past the limits, `malformedKeyFile` for numbers that scrypt does not have.
    func checkBounds() throws(EthereumError) {
        switch self {
        case .scrypt(let n, let r, let p, _):
            guard n > 1, n & (n - 1) == 0, r > 0, p > 0 else {
                throw KeyFile.malformed("scrypt's n must be a power of two above 1")
            }
            let (block, lost) = r.multipliedReportingOverflow(by: 128)
            let (memory, overflow) = n.multipliedReportingOverflow(by: block)
            guard !lost, !overflow, memory <= Limits.scryptMemoryMaximum, p <= Limits.scryptParallelismMaximum,
                r <= Limits.scryptMemoryMaximum / 128 / 1024
            else {
                throw EthereumError(
                    .limitExceeded,
                    "the key file asks for too much scrypt (n \(n), r \(r), p \(p)); at most "
                        + "\(Limits.scryptMemoryMaximum >> 20) MiB and p \(Limits.scryptParallelismMaximum)")
            }
        case .pbkdf2(let rounds, _):
            guard rounds > 0 else { throw KeyFile.malformed("'kdfparams.c' is no positive number") }
            guard rounds <= Limits.pbkdf2RoundsMaximum else {
                throw EthereumError(
                    .limitExceeded,
                    "the key file asks for \(rounds) rounds of PBKDF2, at most \(Limits.pbkdf2RoundsMaximum)")
            }
        }
    }
}
