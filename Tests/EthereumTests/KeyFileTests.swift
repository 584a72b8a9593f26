// Key files: what we seal ourselves, and refusals.

import Ethereum
import Foundation
import Testing

@Suite("Key files")
struct KeyFileTests {
    private func secret(_ text: String) -> Secret { Secret(Bytes(text.utf8)) }

    @Test("a sealed key opens again, tells its address, and is not the same twice")
    func sealing() throws {
        let key = PrivateKey.random()
        let file = try KeyFile.sealed(key, password: secret("correct horse"), work: .light)
        #expect(file.address == key.address)
        let again = try KeyFile.decode(file.encoded)
        #expect(again == file)
        #expect(try again.openPrivateKey(password: secret("correct horse")) == key)
        #expect { try again.open(password: secret("correct hors")) } throws: {
            ($0 as? EthereumError)?.code == .wrongPassword
        }
        #expect(try KeyFile.sealed(key, password: secret("correct horse"), work: .light) != file)
    }

    @Test("other secrets keep their kind and public key")
    func otherSecrets() throws {
        let key = try Ed25519PrivateKey.random()
        let file = try KeyFile.sealed(
            key.secret, password: secret(""), work: .light, kind: "ed25519", publicKey: key.publicKey)
        let again = try KeyFile.decode(file.encoded)
        #expect(again.kind == "ed25519")
        #expect(again.publicKey == key.publicKey)
        #expect(again.address == nil)
        #expect(try Ed25519PrivateKey(again.open(password: secret(""))) == key)
    }

    @Test("any changed byte of the cipher text is noticed")
    func tampering() throws {
        let file = try KeyFile.sealed(Secret([1, 2, 3]), password: secret("p"), work: .light)
        let text = String(decoding: file.encoded, as: UTF8.self)
        let cipher = try #require(file.json["crypto"]?["ciphertext"]?.asString)
        let changed = (cipher.first == "0" ? "1" : "0") + cipher.dropFirst()
        let broken = try KeyFile.decode(Bytes(text.replacingOccurrences(of: cipher, with: changed).utf8))
        #expect { try broken.open(password: secret("p")) } throws: { ($0 as? EthereumError)?.code == .wrongPassword }
    }

    @Test("a file that tells another address than its key's is refused")
    func wrongAddress() throws {
        let file = try KeyFile.sealed(
            PrivateKey.random().secret, password: secret("p"), work: .light, address: PrivateKey.random().address)
        #expect { try file.openPrivateKey(password: secret("p")) } throws: {
            ($0 as? EthereumError)?.code == .malformedKeyFile
        }
    }

    @Test(
        "files that ask for too much, or are no key files, are refused before any work",
        arguments: [
            ("\"n\": 4096", "\"n\": 4095", "malformedKeyFile"), ("\"n\": 4096", "\"n\": 1", "malformedKeyFile"),
            ("\"n\": 4096", "\"n\": 2097152", "limitExceeded"), ("\"p\": 6", "\"p\": 17", "limitExceeded"),
            ("\"p\": 6", "\"p\": 0", "malformedKeyFile"), ("\"r\": 8", "\"r\": 9223372036854775807", "limitExceeded"),
            ("\"r\": 8", "\"r\": -8", "malformedKeyFile"), ("\"dklen\": 32", "\"dklen\": 16", "malformedKeyFile"),
            ("aes-128-ctr", "aes-128-cbc", "malformedKeyFile"),
            ("\"version\": 3", "\"version\": 2", "malformedKeyFile"),
            ("\"scrypt\"", "\"argon2\"", "malformedKeyFile"), ("\"mac\": \"", "\"mac\": \"00", "malformedKeyFile"),
            ("\"iv\": \"", "\"iv\": \"0", "malformedKeyFile"), ("\"crypto\"", "\"cripto\"", "malformedKeyFile"),
            ("{", "[", "malformedKeyFile"),
        ])
    func refusals(find: String, replace: String, code: String) throws {
        let file = try KeyFile.sealed(Secret(Bytes(repeating: 1, count: 32)), password: secret("p"), work: .light)
        let text = String(decoding: file.encoded, as: UTF8.self)
        #expect(text.contains(find))
        let changed = Bytes(text.replacingOccurrences(of: find, with: replace).utf8)
        #expect { try KeyFile.decode(changed) } throws: { ($0 as? EthereumError)?.code.rawValue == code }
    }

    @Test("no secret shows in a print, a dump or an interpolation")
    func redaction() throws {
        let key = try PrivateKey(hex: "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
        var dumped = ""
        dump(key, to: &dumped)
        dump(key.secret, to: &dumped)
        dump(try Mnemonic(Mnemonic.developmentText), to: &dumped)
        dump(try Ed25519PrivateKey(bytes: key.secret.bytes), to: &dumped)
        let texts = dumped + "\(key) \(key.secret) \(String(reflecting: key)) \(String(reflecting: key.secret))"
        #expect(!texts.contains("ac0974") && !texts.contains("172") && !texts.contains("junk"))
        #expect(texts.contains("<redacted>"))
    }
}
