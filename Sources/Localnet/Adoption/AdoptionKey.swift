// A secp256k1 key as an adoption file gives it: as hexadecimal text, in a key file, or by mnemonic. Secrets never stand in
// messages.

import Configuration
import Ethereum

enum AdoptionKey {
    static let expected =
        "a private key: \"0x\" and 64 hex digits, or {keyFile: FILE, passwordFile: FILE}, or {mnemonic: \"...\", index: N}"

    /// The key under `value`; paths are relative to `folder`. Throws `ConfigurationError` with the place.
    static func read(_ value: LenientValue, folder: String) throws(ConfigurationError) -> PrivateKey {
        if value.scalar != nil { return try hex(value) }
        guard value.isMapping else { throw value.refused(expected, secret: true) }
        var section = try value.section()
        let key: PrivateKey
        if let text = section.optional("key", "privateKey", "secret") {
            key = try hex(text)
            // Files that list both are common; the address must then be the key's.
            if let told = section.optional("address") {
                let address: Address = try told.value(Address.self, "an address") { try? Address(hex: $0) }
                guard address == key.address else { throw told.refused("\(key.address), the address of the key beside it") }
            }
        } else if let file = section.optional("keyFile", "file", "keystore", "path") {
            key = try self.file(file, &section, folder)
        } else if let words = section.optional("mnemonic") {
            key = try mnemonic(words, &section)
        } else {
            throw section.missing("key", expected)
        }
        try section.finish()
        return key
    }

    private static func hex(_ value: LenientValue) throws(ConfigurationError) -> PrivateKey {
        let text = try value.string(expected)
        if let key = try? PrivateKey(hex: text) { return key }
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text[...]
        switch digits.count {
        case 40:
            throw value.refused("a private key", hint: "this is an address; the cluster needs the key behind it (64 hex digits)")
        case 128, 130:
            throw value.refused(
                "a private key", secret: true, hint: "this looks like a public key; the cluster needs the private one (64 hex digits)")
        default:
            throw value.refused(expected, secret: true, hint: "the text here has \(digits.count) digits behind any 0x")
        }
    }

    /// A Web3 Secret Storage file, or one line of hexadecimal digits.
    private static func file(
        _ value: LenientValue, _ section: inout LenientSection, _ folder: String
    ) throws(ConfigurationError) -> PrivateKey {
        let path = resolve(try value.string("the path of a key file"), folder)
        guard let bytes = Files.read(path, maximum: Limits.stateBytesMaximum) else {
            throw value.refused("a readable key file", hint: "there is none at \(path)")
        }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        let passwordFile = section.optional("passwordFile")
        let passwordText = section.optional("password")
        if let key = try? PrivateKey(hex: text) { return key }
        let file: KeyFile
        do { file = try KeyFile.decode(bytes) } catch {
            throw value.refused("a Web3 Secret Storage file, or one line of 64 hex digits", hint: "\(path): \(error.message)")
        }
        let password: Secret
        if let passwordFile {
            let place = resolve(try passwordFile.string("the path of a password file"), folder)
            guard let bytes = Files.read(place, maximum: 4096) else {
                throw passwordFile.refused("a readable password file", hint: "there is none at \(place)")
            }
            password = Secret(Bytes(bytes.prefix { $0 != 0x0a && $0 != 0x0d }))
        } else if let passwordText {
            password = Secret(Bytes(try passwordText.string("the password").utf8))
        } else if let text = Files.environment("CAUSEWAY_KEYS_PASSWORD") {
            password = Secret(Bytes(text.utf8))
        } else {
            throw value.refused("a password for it", hint: "add passwordFile: FILE, or set CAUSEWAY_KEYS_PASSWORD")
        }
        do { return try file.openPrivateKey(password: password) } catch {
            throw value.refused("a key file that its password opens", hint: "\(path): \(error.message)")
        }
    }

    private static func mnemonic(
        _ words: LenientValue, _ section: inout LenientSection
    ) throws(ConfigurationError) -> PrivateKey {
        var index: UInt32 = 0
        if let number = section.optional("index", "account") {
            index = try number.value(UInt32.self, "the number of an account, from 0") { UInt32($0) }
        }
        let text = try words.string("a mnemonic")
        do { return try Mnemonic(text).account(index) } catch {
            throw words.refused("a BIP-39 mnemonic", secret: true, hint: error.message)
        }
    }

    private static func resolve(_ path: String, _ folder: String) -> String {
        path.hasPrefix("/") ? path : folder + "/" + path
    }
}
