// The files that a guard reads: a whole one, and every wrong one refused with place and reason.

import CCIP
import ChainAccess
import Configuration
import Ethereum
import Foundation
import Guarding
import Testing

@testable import Watcher

/// A cluster of two chains, four relayers and two guards, as files.
enum Files {
    static let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    static let other = "E9vS!tUuBcu:0Ha0[@Q%WfCFcYIlJb[VU-F9IJ0q"

    static func address(_ number: UInt64) -> String { Address(truncating: U256(number)).checksummed }

    static let cluster = """
        version: 1
        name: test
        faulty: 1
        unheardOf: {keys: "of relayers are none of a guard's business"}
        chains:
          - name: ethereum
            chainId: 11155111
            selector: "16015286601757825753"
            startBlock: 7
            finality: {tag: finalized, offset: 2}
            contracts: {onRamp: "\(address(1))", offRamp: "\(address(2))", router: "\(address(3))"}
          - name: jovay
            chainId: 2019775
            selector: "945045181441419236"
            finality: {depth: 5}
            access: {logBlocksMaximum: 500, batch: off}
            maxFeePerGas: 1000
            contracts: {onRamp: "\(address(4))", offRamp: "\(address(5))"}
        lanes:
          - {from: ethereum, to: jovay}
        relayers:
          - {name: relayer-0, committing: {curvePublicKey: "\(key)", mesh: "tcp://127.0.0.1:7001"}}
        guards:
          - {name: guard-0, signer: "\(address(9))", curvePublicKey: "\(other)", mesh: "tcp://127.0.0.1:7101"}
        """

    static let own = """
        version: 1
        cluster: cluster.yaml
        guard: guard-0
        dataDirectory: data
        keys: {directory: keys, passwordFile: password}
        endpoints:
          ethereum: {urls: ["http://127.0.0.1:8545", "http://127.0.0.1:9545"], quorum: 2}
          jovay: {urls: ["http://127.0.0.1:8546"]}
        http: 127.0.0.1:9400
        limits:
          - {from: ethereum, pool: "\(address(20))", perMessage: "1000000000000000000", perRoot: 5000000000000000000}
        pools:
          - {chain: ethereum, pool: "\(address(20))", remote: jovay, outbound: {capacity: "7000", rate: 70}}
          - {chain: jovay, pool: "\(address(21))", remote: ethereum, inbound: {capacity: 8000, rate: 0}}
        """

    static func load(
        cluster: String = cluster, own: String = own, environment: [String: String] = [:]
    ) throws -> GuardSettings {
        var entries: [ConfigurationEntry] = []
        return try GuardSettings.load(path: "/etc/guard/guard-0.yaml", environment: environment, entries: &entries) {
            path throws(ConfigurationError) in path.hasSuffix("cluster.yaml") ? cluster : own
        }
    }
}

@Suite("Guard settings")
struct SettingsTests {
    @Test("a guard's file and its cluster's are read")
    func whole() throws {
        let settings = try Files.load()
        #expect(settings.name == "guard-0" && settings.ownIndex == 0 && settings.http == ListenAddress(host: "127.0.0.1", port: 9400))
        #expect(settings.dataDirectory == "/etc/guard/data" && settings.keysDirectory == "/etc/guard/keys")
        #expect(settings.cluster.chains[0].finality == .tag(offset: 2) && settings.cluster.chains[0].startBlock == 7)
        #expect(settings.cluster.chains[1].finality == .depth(5, offset: 0))
        #expect(settings.cluster.chains[1].logBlocksMaximum == 500)
        #expect(settings.endpoints[0].quorum == 2 && settings.endpoints[1].quorum == nil)
        #expect(settings.graceMilliseconds == 60_000 && !settings.cursesOnAnomaly && settings.pollMilliseconds == 1_000)
        let configuration = try settings.configuration()
        #expect(configuration.lanes.count == 1 && configuration.relayerCount == 1)
        #expect(configuration.sources.keys.sorted() == [16_015_286_601_757_825_753])
        #expect(configuration.destinations.keys.sorted() == [945_045_181_441_419_236])
        #expect(configuration.limits[0].perRoot == (try U256(text: "5000000000000000000")))
        let gates = settings.pools.map(\.gate)
        #expect(gates.map(\.direction) == [.outbound, .inbound] && gates.allSatisfy { $0.lane == configuration.lanes[0] })
        #expect(settings.pools[0].capacity == (try U256(text: "7000")) && settings.pools[1].rate == .zero)
        #expect(configuration.pools.count == 2)
        #expect(try Files.load(environment: ["CAUSEWAY_POLL_MILLISECONDS": "50"]).pollMilliseconds == 50)
    }

    /// In which file, what is replaced by what, and what the error must say.
    static let wrong: [(Bool, String, String, String)] = [
        (true, "finality: {depth: 5}\n", "\n", "chains[1].finality"),
        (true, "{depth: 5}", "{depth: 5, tag: finalized}", "a tag or a depth"),
        (true, "{depth: 5}", "{depth: 10001}", "from 0 to 10000"),
        (true, "{tag: finalized, offset: 2}", "{tag: safe}", "expected finalized"),
        (true, "to: jovay}", "to: joway}", "one of the chains ethereum, jovay"),
        (true, "\n  - {name: guard-0", "\n  - {nom: guard-0", "guards[0].name"),
        (true, "signer: \"0x", "signer: \"0y", "guards[0].signer"),
        (true, "onRamp:", "onrump:", "contracts.onRamp"),
        (false, "guard: guard-0", "guard: guard-7", "one of guard-0"),
        (false, "http: 127.0.0.1:9400", "http: 9400", "HOST:PORT"),
        (false, "quorum: 2", "quorum: 3", "from 1 to 2"),
        (false, "  jovay: {urls: [\"http://127.0.0.1:8546\"]}\n", "", "no endpoints for chain 'jovay'"),
        (false, "http://127.0.0.1:8546", "gopher://x", "no endpoint"),
        (false, "perRoot: 5000000000000000000", "perRoot: much", "perRoot"),
        (false, "perRoot: 5", "perRout: 5", "perRoot"),
        (false, "rate: 70", "rate: -1", "pools[0].outbound.rate"),
        (false, "{capacity: \"7000\", rate: 70}", "{capacity: 1}", "pools[0].outbound.rate"),
        (false, ", outbound: {capacity: \"7000\", rate: 70}", "", "outbound or inbound"),
        (false, "outbound:", "inbound:", "a lane that the cluster does not have"),
        (false, "remote: jovay", "remote: mars", "one of the chains"),
        (false, "inbound: {capacity: 8000, rate: 0}", "inbound: {capacity: 8000, rate: 0, pace: 1}", "pace"),
        (false, "dataDirectory: data", "dataDirectory: data\nlogLevel: loud", "logLevel"),
        (false, "dataDirectory: data", "dataDirectory: data\ngraceMilliseconds: 5", "graceMilliseconds"),
        (false, "dataDirectory: data", "dataDirectory: data\ncurse: true", "unknown key 'curse'"),
    ]

    @Test("a wrong file is refused, naming what and where", arguments: wrong)
    func refusals(isCluster: Bool, old: String, new: String, says: String) throws {
        let text = (isCluster ? Files.cluster : Files.own).replacingOccurrences(of: old, with: new)
        #expect(text != (isCluster ? Files.cluster : Files.own), "nothing was replaced: \(old)")
        let error = try #require(throws: ConfigurationError.self) {
            _ = isCluster ? try Files.load(cluster: text) : try Files.load(own: text)
        }
        #expect(error.description.contains(says), "\(error)")
    }
}
