// The files that a relayer reads: the example is complete, and every wrong one is refused with place and reason.

import ChainAccess
import Configuration
import Ethereum
import Foundation
import JSONRPC
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
        ("batchGasLimit: 6500000", "access: {batch: maybe}", "auto, on, off"),
        ("batchGasLimit: 6500000", "access: {logBlocksMaximum: 0}", "logBlocksMaximum"),
        ("batchGasLimit: 6500000", "fees: {kind: cheap}", "auto, legacy or dynamic"),
        ("batchGasLimit: 6500000", "batchGasLimit: -1", "batchGasLimit"),
        ("batchGasLimit: 6500000", "batchGasLimit: 17000000", "EIP-7825"),
        ("transactionGasMaximum: 16000000", "transactionGasMaximum: 16777217", "EIP-7825"),
        ("name: example", "name: example\ntokenData:\n  tokens: []", "attestationAPI"),
        (
            "name: example", "name: example\ntokenData: {attestationAPI: \"https://a\", tokens: [{chain: nowhere}]}",
            "one of the chains ethereum, jovay"
        ),
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

    @Test("finality is stated for each chain, as a tag or as a depth", arguments: [
        ("{tag: finalized}", FinalityRule.tag(offset: 0)), ("{tag: finalized, offset: 4}", .tag(offset: 4)),
        ("{depth: 0}", .depth(0, offset: 0)), ("{depth: 500, offset: 2}", .depth(500, offset: 2)),
    ])
    func finality(text: String, rule: FinalityRule) throws {
        let changed = try Self.cluster().replacingOccurrences(
            of: "finality: {tag: finalized}", with: "finality: \(text)")
        let settings = try ClusterSettings(yaml: changed, file: "cluster.yaml")
        #expect(settings.chains.allSatisfy { $0.finality == rule })
        #expect(settings.chains[0].policy(quorum: nil).finality == rule)
    }

    @Test("a finality that says nothing, or too much, is refused with what to write", arguments: [
        ("", "finality"), ("finality: {}", "neither tag nor depth"), ("finality: {offset: 3}", "neither tag nor depth"),
        ("finality: {tag: finalized, depth: 3}", "a tag and a depth"),
        ("finality: {tag: latest}", "expected finalized"),
        ("finality: {depth: 10001}", "from 0 to 10000"), ("finality: {depth: -1}", "from 0 to 10000"),
        ("finality: {depth: 3, deep: 4}", "depth"), ("finality: finalized", "must hold keys"),
    ])
    func wrongFinality(text: String, says: String) throws {
        let changed = try Self.cluster().replacingOccurrences(of: "finality: {tag: finalized}", with: text)
        let error = try #require(throws: ConfigurationError.self) {
            _ = try ClusterSettings(yaml: changed, file: "cluster.yaml")
        }
        #expect(error.description.contains(says), "\(error)")
    }

    @Test("limits of nodes and prices have defaults, and are read")
    func access() throws {
        let plain = try ClusterSettings(yaml: try Self.cluster(), file: "cluster.yaml").chains[0]
        #expect(plain.access == ChainAccessSettings() && plain.fees == FeeRule())
        let policy = plain.policy(quorum: 2)
        #expect(policy.logWindow == 1_000 && policy.requestTimeout == .seconds(5) && policy.quorum == 2)
        let text = try Self.cluster().replacingOccurrences(
            of: "finality: {tag: finalized}",
            with: """
                finality: {tag: finalized}
                    access: {logBlocksMaximum: 50, requestTimeoutMilliseconds: 700, batch: off}
                    fees: {kind: legacy, tipWei: 3, gasPriceWei: "4"}
                """)
        let chain = try ClusterSettings(yaml: text, file: "cluster.yaml").chains[1]
        #expect(chain.access.batch == .off && chain.policy(quorum: nil).logWindow == 50)
        #expect(chain.policy(quorum: nil).requestTimeout == .milliseconds(700))
        #expect(chain.policy(quorum: nil, logWindow: 2_000).logWindow == 50, "a command asks for no more")
        #expect(chain.fees == FeeRule(kind: .legacy, tipWei: 3, gasPriceWei: 4))
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
