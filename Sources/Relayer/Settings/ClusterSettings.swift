// cluster.yaml: what all relayers of a cluster share. Public data; strict; checked as a whole before anything starts.

import CCIP
import Configuration
import Ethereum
import OffchainReporting

/// One cluster: chains, lanes, members. docs/reference/cluster-config.md explains every key.
package struct ClusterSettings: Sendable, Equatable {
    package struct Contracts: Sendable, Equatable {
        package var router: Address
        package var onRamp: Address
        package var offRamp: Address
        package var feeQuoter: Address
        package var nonceManager: Address
        package var rmnRemote: Address
        package var rmnProxy: Address
        package var tokenAdminRegistry: Address
    }

    package struct TokenPrice: Sendable, Equatable {
        package var token: Address
        /// USD with 18 decimals for 10^18 smallest units of the token (FeeQuoter's unit).
        package var usd: U256
    }

    package struct Chain: Sendable, Equatable {
        package var name: String
        package var chainID: UInt64
        package var selector: ChainSelector
        /// f of this chain: readers that may be wrong.
        package var faulty: Int
        /// The first block that can hold a log of ours.
        package var startBlock: UInt64
        package var contracts: Contracts
        package var wrappedNative: Address
        package var tokenPrices: [TokenPrice]
        /// Execution gas price in wei; nil reads it from the chain.
        package var gasPrice: U256?
        package var maxFeePerGas: U256
        /// Blocks without inclusion after which the price of a transaction is raised.
        package var feeBumpBlocks: UInt64
        package var commitDigest: Hash32
        package var executeDigest: Hash32
        /// Gas that one execute transaction may ask for.
        package var batchGasLimit: UInt64
    }

    package struct Lane: Hashable, Sendable {
        package var source: ChainSelector
        package var destination: ChainSelector
    }

    /// One process of a relayer as its peers see it.
    package struct Member: Sendable, Equatable {
        package var curvePublicKey: String
        package var mesh: String
    }

    package struct Transmitters: Sendable, Equatable {
        package var chain: ChainSelector
        package var committing: Address
        package var executing: Address
    }

    package struct Relayer: Sendable, Equatable {
        package var name: String
        /// Ed25519, 32 bytes.
        package var offchainPublicKey: Bytes
        package var reportSigner: Address
        package var committing: Member
        package var executing: Member
        package var transmitters: [Transmitters]
    }

    /// When prices are reported again (ccip-offchain.md 3.5, 3.6).
    package struct Prices: Sendable, Equatable {
        package var gasDeviationPPB: UInt64
        package var gasHeartbeatSeconds: UInt64
        package var tokenDeviationPPB: UInt64
        package var tokenHeartbeatSeconds: UInt64
    }

    package var name: String
    /// F of the cluster: N = 3F+1.
    package var faulty: Int
    package var chains: [Chain]
    package var lanes: [Lane]
    package var relayers: [Relayer]
    package var timing: Timing
    package var prices: Prices

    package func chain(_ selector: ChainSelector) -> Chain? { chains.first { $0.selector == selector } }
    /// Sources of the lanes into `destination`, ascending.
    package func sources(into destination: ChainSelector) -> [ChainSelector] {
        lanes.filter { $0.destination == destination }.map(\.source).sorted()
    }
    /// Chains that some lane ends at, in the order of the file.
    package var destinations: [Chain] { chains.filter { chain in lanes.contains { $0.destination == chain.selector } } }
}

extension ClusterSettings {
    /// Reads and validates. Throws `ConfigurationError` that names file, line, key and what was expected.
    package init(yaml text: String, file: String) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: file, environment: [:])
        var root = reader.root
        _ = try root.integer("version", in: 1...1, default: 1)
        name = try root.string("name")
        faulty = try root.integer("faulty", in: 1...10)
        var chains: [Chain] = []
        for var section in try root.sections("chains", required: true) { chains.append(try Self.chain(&section)) }
        self.chains = chains
        var lanes: [Lane] = []
        for var section in try root.sections("lanes", required: true) { lanes.append(try Self.lane(&section, chains)) }
        self.lanes = lanes
        var relayers: [Relayer] = []
        for var section in try root.sections("relayers", required: true) {
            relayers.append(try Self.relayer(&section, chains))
        }
        self.relayers = relayers
        var intervals = try root.section("timing")
        timing = try Self.timing(&intervals)
        var rules = try root.section("prices")
        prices = try Self.prices(&rules)
        try root.finish()
        try reader.finish()
        try validate(file)
    }

    private static func chain(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Chain {
        let name = try section.string("name")
        let chainID = try section.number("chainId")
        let selector = ChainSelector(try section.number("selector"))
        let faulty = try section.integer("faulty", in: 1...10)
        let startBlock = try section.number("startBlock", default: "0")
        var addresses = try section.section("contracts")
        let contracts = Contracts(
            router: try addresses.address("router"), onRamp: try addresses.address("onRamp"),
            offRamp: try addresses.address("offRamp"), feeQuoter: try addresses.address("feeQuoter"),
            nonceManager: try addresses.address("nonceManager"), rmnRemote: try addresses.address("rmnRemote"),
            rmnProxy: try addresses.address("rmnProxy"), tokenAdminRegistry: try addresses.address("tokenAdminRegistry"))
        try addresses.finish()
        var prices: [TokenPrice] = []
        for var price in try section.sections("tokenPrices") {
            prices.append(TokenPrice(token: try price.address("token"), usd: try price.word("usd")))
            try price.finish()
        }
        var digests = try section.section("digests")
        let commit = try digests.hash("commit")
        let execute = try digests.hash("execute")
        try digests.finish()
        let gasPrice = section.has("gasPrice") ? try section.word("gasPrice") : nil
        let chain = Chain(
            name: name, chainID: chainID, selector: selector, faulty: faulty, startBlock: startBlock,
            contracts: contracts, wrappedNative: try section.address("wrappedNative"), tokenPrices: prices,
            gasPrice: gasPrice, maxFeePerGas: try section.word("maxFeePerGas", default: "500000000000"),
            feeBumpBlocks: try section.number("feeBumpBlocks", default: "3"),
            commitDigest: commit, executeDigest: execute,
            batchGasLimit: try section.number("batchGasLimit", default: "20000000"))
        try section.finish()
        return chain
    }

    private static func lane(
        _ section: inout ConfigurationSection, _ chains: [Chain]
    ) throws(ConfigurationError) -> Lane {
        let names = chains.map(\.name).joined(separator: ", ")
        func end(_ key: String) throws(ConfigurationError) -> ChainSelector {
            try section.value(key, expected: "one of the chains \(names)") { name in
                chains.first { $0.name == name }?.selector
            }
        }
        let lane = Lane(source: try end("from"), destination: try end("to"))
        guard lane.source != lane.destination else {
            throw section.refused("to", "\(lane.destination)", "another chain than 'from'")
        }
        try section.finish()
        return lane
    }

    private static func relayer(
        _ section: inout ConfigurationSection, _ chains: [Chain]
    ) throws(ConfigurationError) -> Relayer {
        let name = try section.string("name")
        let key: Bytes = try section.value("offchainPublicKey", expected: "32 bytes as hex (Ed25519)") { text in
            (try? Hex.decode(text)).flatMap { $0.count == 32 ? $0 : nil }
        }
        let signer = try section.address("reportSigner")
        var committing = try section.section("committing")
        var executing = try section.section("executing")
        var table = try section.section("transmitters")
        var transmitters: [Transmitters] = []
        for chain in chains {
            var row = try table.section(chain.name)
            transmitters.append(
                Transmitters(
                    chain: chain.selector, committing: try row.address("committing"),
                    executing: try row.address("executing")))
            try row.finish()
        }
        try table.finish()
        let relayer = Relayer(
            name: name, offchainPublicKey: key, reportSigner: signer, committing: try member(&committing),
            executing: try member(&executing), transmitters: transmitters)
        try section.finish()
        return relayer
    }

    private static func member(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Member {
        let member = Member(
            curvePublicKey: try section.value("curvePublicKey", expected: "40 letters of Z85") { text in
                text.utf8.count == 40 ? text : nil
            },
            mesh: try section.string("mesh"))
        try section.finish()
        return member
    }

    private static func timing(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Timing {
        var timing = Timing()
        timing.deltaProgress = try section.number("deltaProgress", default: "\(timing.deltaProgress)")
        timing.deltaResend = try section.number("deltaResend", default: "\(timing.deltaResend)")
        timing.deltaInitial = try section.number("deltaInitial", default: "\(timing.deltaInitial)")
        timing.deltaRound = try section.number("deltaRound", default: "\(timing.deltaRound)")
        timing.deltaIdle = try section.number("deltaIdle", default: "\(timing.deltaIdle)")
        timing.deltaGrace = try section.number("deltaGrace", default: "\(timing.deltaGrace)")
        timing.deltaCertifiedCommitRequest = try section.number(
            "deltaCertifiedCommitRequest", default: "\(timing.deltaCertifiedCommitRequest)")
        timing.deltaStage = try section.number("deltaStage", default: "\(timing.deltaStage)")
        timing.rMax = try section.number("rMax", default: "\(timing.rMax)")
        try section.finish()
        return timing
    }

    private static func prices(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Prices {
        let prices = Prices(
            gasDeviationPPB: try section.number("gasDeviationPPB", default: "200000000"),
            gasHeartbeatSeconds: try section.number("gasHeartbeatSeconds", default: "1200"),
            tokenDeviationPPB: try section.number("tokenDeviationPPB", default: "5000000"),
            tokenHeartbeatSeconds: try section.number("tokenHeartbeatSeconds", default: "7200"))
        try section.finish()
        return prices
    }

    /// What no single key can show.
    private func validate(_ file: String) throws(ConfigurationError) {
        func refuse(_ text: String, _ hint: String) -> ConfigurationError {
            ConfigurationError(.invalidValue, "\(file): \(text)", hint: hint)
        }
        guard relayers.count == 3 * faulty + 1, relayers.count <= Limits.relayersMaximum else {
            throw refuse(
                "\(relayers.count) relayers with faulty: \(faulty)",
                "N must be 3F+1, that is \(3 * faulty + 1), and at most \(Limits.relayersMaximum)")
        }
        guard (2...Limits.chainsMaximum).contains(chains.count) else {
            throw refuse("\(chains.count) chains", "a cluster serves 2 to \(Limits.chainsMaximum) chains")
        }
        try distinct(file, "chain name", chains.map(\.name))
        try distinct(file, "chain id", chains.map { "\($0.chainID)" })
        try distinct(file, "selector", chains.map { "\($0.selector)" })
        try distinct(file, "lane", lanes.map { "\($0.source) -> \($0.destination)" })
        try distinct(file, "relayer name", relayers.map(\.name))
        try distinct(file, "off-chain public key", relayers.map { Hex.encode($0.offchainPublicKey) })
        try distinct(file, "report signer", relayers.map { "\($0.reportSigner)" })
        try distinct(file, "CURVE key", relayers.flatMap { [$0.committing.curvePublicKey, $0.executing.curvePublicKey] })
        for chain in chains {
            let all = relayers.flatMap { relayer in
                relayer.transmitters.filter { $0.chain == chain.selector }.flatMap { ["\($0.committing)", "\($0.executing)"] }
            }
            try distinct(file, "transmitter on \(chain.name)", all)
            guard chain.faulty <= faulty else {
                throw refuse("chain \(chain.name) has faulty: \(chain.faulty)", "at most the cluster's \(faulty)")
            }
            guard chain.commitDigest != chain.executeDigest else {
                throw refuse("chain \(chain.name) has one digest twice", "commit and execute have a digest each")
            }
        }
    }

    private func distinct(_ file: String, _ what: String, _ values: [String]) throws(ConfigurationError) {
        var seen: Set<String> = []
        for value in values where !seen.insert(value).inserted {
            throw ConfigurationError(.invalidValue, "\(file): two entries have the same \(what) \(value)")
        }
    }
}
