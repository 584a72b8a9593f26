// Key files: what opens, and what is refused.

import Agreement
import Configuration
import Ethereum
import Foundation
@testable import Relayer
import Testing

@Suite("Relayer keys")
struct KeyTests {
    let folder: String
    let password = Secret(Bytes("a password".utf8))

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-keys-\(UUID().uuidString)").path
        try SettingsFile.makeDirectory(folder)
    }

    func write(_ name: String, mode: Int = 0o600) throws -> PrivateKey {
        let key = PrivateKey.random()
        let file = try KeyFile.sealed(key, password: password, work: .light)
        _ = FileManager.default.createFile(
            atPath: "\(folder)/\(name)", contents: Data(file.encoded), attributes: [.posixPermissions: mode])
        return key
    }

    @Test("a sealed key opens with its password")
    func opens() throws {
        let key = try write("report-signer.json")
        #expect(try KeyShelf(directory: folder).openPrivateKey("report-signer.json", password).address == key.address)
    }

    @Test("a wrong password, a missing file, damage and open permissions are errors that say what to do")
    func refusals() throws {
        _ = try write("a.json")
        _ = try write("open.json", mode: 0o644)
        _ = FileManager.default.createFile(
            atPath: "\(folder)/damaged.json", contents: Data("{".utf8), attributes: [.posixPermissions: 0o600])
        let shelf = KeyShelf(directory: folder)
        func code(_ name: String, _ password: String = "a password") -> ConfigurationError? {
            do throws(ConfigurationError) {
                _ = try shelf.openPrivateKey(name, Secret(Bytes(password.utf8)))
                return nil
            } catch { return error }
        }
        #expect(code("a.json", "another")?.code == .keyUnreadable)
        #expect(code("none.json")?.code == .keyMissing)
        #expect(code("damaged.json")?.code == .keyUnreadable)
        #expect(code("open.json")?.code == .keyPermissions)
        #expect(code("open.json")?.hint?.hasPrefix("chmod 600") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        #expect(throws: ConfigurationError.self) { try shelf.check() }
    }

    @Test("a signature by another key than the listed one is not accepted as the oracle's")
    func wrongReportKey() throws {
        let keys = (0..<4).map { _ in PrivateKey.random() }
        let stranger = PrivateKey.random()
        let signers = keys.map(\.address)
        let digest = keccak256([1, 2, 3]).bytes
        let honest = ReportScheme(key: keys[1], signers: signers)
        let wrong = ReportScheme(key: stranger, signers: signers)
        #expect(honest.verify(honest.sign(digest), digest, oracle: 1))
        #expect(!honest.verify(wrong.sign(digest), digest, oracle: 1), "a stranger's signature")
        #expect(!honest.verify(honest.sign(digest), digest, oracle: 2), "another oracle's signature")
        #expect(!honest.verify(honest.sign(digest), keccak256([4]).bytes, oracle: 1), "another report")
        #expect(!honest.verify([], digest, oracle: 1) && !honest.verify(honest.sign(digest), digest, oracle: 9))
    }
}
