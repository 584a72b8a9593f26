import Ethereum
import Foundation
import Localnet
import Testing

@testable import causeway

@Suite("key files of the command")
struct KeyStoreTests {
    private let folder: String
    private let password = Secret(Bytes("correct horse".utf8))

    init() throws { folder = try Files.makeTemporaryDirectory(prefix: "causeway-keys-") }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
    }

    @Test("a new key is sealed in a file of mode 600 and opens with its password only", arguments: KeyKind.allCases)
    func writing(_ kind: KeyKind) throws {
        defer { Files.removeTree(folder) }
        let path = folder + "/key.json"
        let key = try NewKey.random(kind)
        let part = try KeyStore.write(key, to: path, password: password, work: .light)
        #expect(try mode(path) == 0o600)
        let file = try KeyStore.open(path)
        #expect(PublicKeyPart(file, file: path) == part && part.kind == kind)
        #expect(try file.open(password: password) == key.secret)
        #expect(throws: EthereumError.self) { try file.open(password: Secret([1])) }
        #expect(try NewKey(kind, key.secret.bytes).address == part.address)
        #expect(part.text != "not told by the file")
    }

    @Test("nothing is overwritten")
    func overwriting() throws {
        defer { Files.removeTree(folder) }
        let path = folder + "/key.json"
        let first = try KeyStore.write(try .random(.account), to: path, password: password, work: .light)
        #expect(throws: CommandFailure.self) { try KeyStore.refuseExisting([folder + "/other.json", path]) }
        let second = try NewKey.random(.account)
        #expect(throws: CommandFailure.self) {
            try KeyStore.write(second, to: path, password: password, work: .light)
        }
        #expect(PublicKeyPart(try KeyStore.open(path), file: path) == first)
    }

    @Test("files and folders that others can read are refused")
    func modes() throws {
        defer { Files.removeTree(folder) }
        let path = folder + "/key.json"
        _ = try KeyStore.write(try .random(.account), to: path, password: password, work: .light)
        chmod(path, 0o644)
        #expect(throws: (any Error).self) { try KeyStore.open(path) }
        chmod(path, 0o600)
        _ = try KeyStore.open(path)
        chmod(folder, 0o755)
        #expect(throws: (any Error).self) { try KeyStore.makeFolder(folder) }
        let fresh = folder + "/fresh"
        try KeyStore.makeFolder(fresh)
        #expect(try mode(fresh) == 0o700)
    }

    @Test("a relayer's set has a key for each duty, and the entry for cluster.yaml follows from it")
    func relayerSet() throws {
        defer { Files.removeTree(folder) }
        let set = RelayerKeySet(chains: ["ethereum", "jovay"])
        #expect(
            set.files.map(\.name) == [
                "report-signer.json", "offchain.json", "curve-committing.json", "curve-executing.json",
                "transmitter-ethereum-committing.json", "transmitter-ethereum-executing.json",
                "transmitter-jovay-committing.json", "transmitter-jovay-executing.json",
            ])
        for (name, kind) in set.files {
            _ = try KeyStore.write(try .random(kind), to: folder + "/" + name, password: password, work: .light)
        }
        let parts = try KeyListing.read(folder)
        #expect(parts.count == 8 && KeyListing.chains(parts) == ["ethereum", "jovay"])
        let entry = try #require(RelayerKeySet.clusterEntry(name: "relayer-0", parts, chains: ["ethereum", "jovay"]))
        for part in parts { #expect(entry.contains(part.text)) }
        #expect(RelayerKeySet.clusterEntry(name: "relayer-0", parts, chains: ["pharos"]) == nil)
    }

    @Test("keys come in as hexadecimal with or without 0x, or as a mnemonic")
    func importing() throws {
        defer { Files.removeTree(folder) }
        let words = Mnemonic.developmentText
        let first = try KeysImportCommand.key(words, kind: .account, index: nil)
        #expect(first.address?.checksummed == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        let fourth = try KeysImportCommand.key(words + "\n", kind: .account, index: 3)
        #expect(fourth.address?.checksummed == "0x90F79bf6EB2c4f870365E785982E1f101E93b906")
        let hex = Hex.encodeBare(first.secret.bytes)
        #expect(try KeysImportCommand.key(hex, kind: .account, index: nil).address == first.address)
        #expect(try KeysImportCommand.key(" 0x" + hex, kind: .account, index: nil).address == first.address)
    }

    @Test("a bad secret is refused without being repeated", arguments: [
        "", "0x1234", "test test test", "zz", String(repeating: "0", count: 64),
    ])
    func badSecrets(_ text: String) throws {
        defer { Files.removeTree(folder) }
        do {
            _ = try KeysImportCommand.key(text, kind: .account, index: nil)
            Issue.record("'\(text)' was taken")
        } catch let failure as CommandFailure {
            #expect(failure.code == "malformedKey")
            #expect(text.isEmpty || !failure.description.contains(text))
        }
    }
}
