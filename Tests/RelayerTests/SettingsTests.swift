// The files that a relayer reads: the example is complete, and every wrong one is refused with place and reason.

import Configuration
import Ethereum
import Foundation
import Relayer
import TestSupport
import Testing

@Suite("Relayer settings")
struct SettingsTests {
    static let folder = PackageRoot.url.appendingPathComponent("relayer-config").path

    static func cluster() throws -> String { try String(contentsOfFile: folder + "/cluster.yaml", encoding: .utf8) }

    @Test("the example cluster and its four relayers are read", arguments: 0..<4)
    func example(index: Int) throws {
        var entries: [ConfigurationEntry] = []
        let settings = try RelayerSettings.load(
            path: "\(Self.folder)/relayer-\(index).yaml", environment: [:], entries: &entries)
        #expect(settings.ownIndex == index)
        #expect(settings.cluster.relayers.count == 4 && settings.cluster.faulty == 1)
        #expect(settings.cluster.destinations.map(\.name) == ["ethereum", "jovay"])
        #expect(settings.endpoints[0].urls.count == 3 && settings.endpoints[0].quorum == 2)
        #expect(entries.contains { $0.path == "pollMilliseconds" })
    }

    @Test("the environment comes before the file, a flag before both")
    func precedence() throws {
        var entries: [ConfigurationEntry] = []
        let path = "\(Self.folder)/relayer-0.yaml"
        let environment = ["CAUSEWAY_POLL_MILLISECONDS": "50"]
        #expect(try RelayerSettings.load(path: path, environment: environment, entries: &entries).pollMilliseconds == 50)
        let flagged = try RelayerSettings.load(
            path: path, environment: environment, flags: ["pollMilliseconds": "60"], entries: &entries)
        #expect(flagged.pollMilliseconds == 60)
    }

    /// What is replaced in the example, by what, and what the error must say.
    static let wrong: [(String, String, String)] = [
        ("faulty: 1\nchains:", "faulty: 2\nchains:", "3F+1"),
        ("startBlock: 1", "startBlok: 1", "startBlock"),
        ("chainId: 2019775", "chainId: eleven", "chains[1].chainId"),
        ("chainId: 2019775", "chainId: 11155111", "same chain id"),
        ("selector: \"945045181441419236\"", "selector: \"16015286601757825753\"", "another chain"),
        ("{from: ethereum, to: jovay}", "{from: ethereum, to: joway}", "one of the chains ethereum, jovay"),
        ("{from: ethereum, to: jovay}", "{from: ethereum, to: ethereum}", "another chain"),
        ("{from: ethereum, to: jovay}", "{from: jovay, to: ethereum}", "same lane"),
        ("name: relayer-1", "name: relayer-0", "same relayer name"),
        ("batchGasLimit: 20000000", "batchGasLimit: -1", "batchGasLimit"),
        ("deltaStage: 15000", "deltaStage: 15000\n  deltaStages: 1", "deltaStage"),
        ("onRamp: \"0x2279B7A0a67DB372996a5FaB50D91eAA73d2eBe6\"", "onRamp: \"0x2279\"", "contracts.onRamp"),
    ]

    @Test("a wrong cluster file is refused, naming what and where", arguments: wrong)
    func refusals(old: String, new: String, says: String) throws {
        let text = try Self.cluster()
        let changed = text.replacingOccurrences(of: old, with: new)
        #expect(changed != text, "the example no longer has '\(old)'")
        let error = try #require(throws: ConfigurationError.self) {
            _ = try ClusterSettings(yaml: changed, file: "cluster.yaml")
        }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.description.contains("cluster.yaml"))
    }

    @Test("two relayers with one report signer are refused")
    func duplicateSigner() throws {
        let text = try Self.cluster()
        let settings = try ClusterSettings(yaml: text, file: "cluster.yaml")
        let (first, second) = (settings.relayers[0].reportSigner, settings.relayers[1].reportSigner)
        let changed = text.replacingOccurrences(of: second.checksummed, with: first.checksummed)
        let error = try #require(throws: ConfigurationError.self) {
            _ = try ClusterSettings(yaml: changed, file: "cluster.yaml")
        }
        #expect(error.description.contains("same report signer"))
    }

    @Test("a missing file is an error with a hint")
    func missing() throws {
        var entries: [ConfigurationEntry] = []
        let error = try #require(throws: ConfigurationError.self) {
            _ = try RelayerSettings.load(path: "/nowhere/relayer.yaml", environment: [:], entries: &entries)
        }
        #expect(error.code == .fileMissing && error.hint != nil)
    }
}
