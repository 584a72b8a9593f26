// cluster.yaml: what all relayers of a cluster share. Public data; strict; checked as a whole before anything starts.

import CCIP
import ChainAccess
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

    /// A token that crosses, for commands that name tokens; relayers need none.
    package struct Token: Sendable, Equatable {
        package var symbol: String
        package var address: Address
        package var pool: Address
        package var decimals: Int
    }

    package struct Chain: Sendable, Equatable {
        package var name: String
        package var chainID: UInt64
        package var selector: ChainSelector
        /// f of this chain: readers that may be wrong.
        package var faulty: Int
        /// The first block that can hold a log of ours.
        package var startBlock: UInt64
        /// When a block of this chain counts as final.
        package var finality: FinalityRule
        package var access: ChainAccessSettings
        package var fees: FeeRule
        package var contracts: Contracts
        package var wrappedNative: Address
        /// Where the USD price of the native coin comes from; nil: from the chain's own FeeQuoter.
        package var nativePrice: StreamSource?
        package var tokenPrices: [TokenPrice]
        /// Where the aggregators of `tokenPrices` stand; the chain itself by default.
        package var feedChain: ChainSelector
        /// What commit reports to this chain say of prices.
        package var prices: Prices
        package var dataAvailability: DataAvailability
        /// Execution gas price in wei; nil reads it from the chain.
        package var gasPrice: U256?
        package var maxFeePerGas: U256
        /// Blocks without inclusion after which the price of a transaction is raised.
        package var feeBumpBlocks: UInt64
        package var commitDigest: Hash32
        package var executeDigest: Hash32
        /// Sum of the estimates of 4.9 in one execution report.
        package var batchGasLimit: UInt64
        /// Gas limit that no transaction exceeds: below the block's, and below EIP-7825's.
        package var transactionGasMaximum: UInt64
        package var tokens: [Token] = []
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

    /// The accounts of one relayer on one chain; nil where the OffRamp does not list it. Both may be the same account,
    /// when one process runs both roles.
    package struct Transmitters: Sendable, Equatable {
        package var chain: ChainSelector
        package var committing: Address?
        package var executing: Address?
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

    package var name: String
    /// F of the cluster: N = 3F+1.
    package var faulty: Int
    package var chains: [Chain]
    package var lanes: [Lane]
    package var relayers: [Relayer]
    package var timing: Timing
    /// What chains have that say nothing else.
    package var prices: Prices
    /// In the order of the mesh, behind the relayers. Empty: no source may require signatures.
    package var guards: [Guard]
    /// How long guards may take to sign a set of roots.
    package var guardTimeoutMilliseconds: UInt64
    /// Nil where no token needs off-chain data.
    package var tokenData: TokenDataSettings?
    /// Nil where no price comes from streams.
    package var priceStreams: PriceStreamSettings?

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
        prices = try root.prices(nil)
        var feedChains: [String?] = []
        for var section in try root.sections("chains", required: true) {
            feedChains.append(try section.optional("feedChain"))
            chains.append(try Self.chain(&section, prices))
        }
        for (index, name) in feedChains.enumerated() {
            guard let name else { continue }
            guard let feed = chains.first(where: { $0.name == name }) else {
                throw ConfigurationError(
                    .invalidValue, "\(file): chain \(chains[index].name) has feedChain '\(name)'",
                    hint: "name one of the chains \(chains.map(\.name).joined(separator: ", "))")
            }
            chains[index].feedChain = feed.selector
        }
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
        guards = try root.guards()
        guardTimeoutMilliseconds = try root.number("guardTimeoutMilliseconds", default: "15000")
        tokenData = try TokenDataSettings.read(&root, chains)
        priceStreams = nil
        priceStreams = try root.priceStreams(self, file)
        try root.finish()
        try reader.finish()
        try validate(file)
    }

    private static func chain(
        _ section: inout ConfigurationSection, _ inherited: Prices
    ) throws(ConfigurationError) -> Chain {
        let name = try section.string("name")
        let chainID = try section.number("chainId")
        let selector = ChainSelector(try section.number("selector"))
        let faulty = try section.integer("faulty", in: 1...10)
        let startBlock = try section.number("startBlock", default: "0")
        let finality = try section.finality()
        let access = try section.access()
        let fees = try section.fees()
        var addresses = try section.section("contracts")
        let contracts = Contracts(
            router: try addresses.address("router"), onRamp: try addresses.address("onRamp"),
            offRamp: try addresses.address("offRamp"), feeQuoter: try addresses.address("feeQuoter"),
            nonceManager: try addresses.address("nonceManager"), rmnRemote: try addresses.address("rmnRemote"),
            rmnProxy: try addresses.address("rmnProxy"), tokenAdminRegistry: try addresses.address("tokenAdminRegistry"))
        try addresses.finish()
        let tokenPrices = try section.tokenPrices()
        let prices = try section.prices(inherited)
        var digests = try section.section("digests")
        let commit = try digests.hash("commit")
        let execute = try digests.hash("execute")
        try digests.finish()
        let gasPrice = section.has("gasPrice") ? try section.word("gasPrice") : nil
        var chain = Chain(
            name: name, chainID: chainID, selector: selector, faulty: faulty, startBlock: startBlock,
            finality: finality, access: access, fees: fees, contracts: contracts,
            wrappedNative: try section.address("wrappedNative"), nativePrice: try section.nativePrice(),
            tokenPrices: tokenPrices, feedChain: selector,
            prices: prices, dataAvailability: try section.dataAvailability(),
            gasPrice: gasPrice, maxFeePerGas: try section.word("maxFeePerGas", default: "500000000000"),
            feeBumpBlocks: try section.number("feeBumpBlocks", default: "3"),
            commitDigest: commit, executeDigest: execute,
            batchGasLimit: try section.number("batchGasLimit", default: "6500000"),
            transactionGasMaximum: try section.number("transactionGasMaximum", default: "16000000"))
        chain.tokens = try tokens(&section)
        try section.finish()
        return chain
    }

    private static func tokens(_ section: inout ConfigurationSection) throws(ConfigurationError) -> [Token] {
        var tokens: [Token] = []
        for var entry in try section.sections("tokens") {
            tokens.append(
                Token(
                    symbol: try entry.string("symbol"), address: try entry.address("address"),
                    pool: try entry.address("pool"), decimals: try entry.integer("decimals", in: 0...255)))
            try entry.finish()
        }
        return tokens
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
            if let row = try Self.transmitters(&table, chain) { transmitters.append(row) }
        }
        try table.finish()
        let relayer = Relayer(
            name: name, offchainPublicKey: key, reportSigner: signer, committing: try member(&committing),
            executing: try member(&executing), transmitters: transmitters)
        try section.finish()
        return relayer
    }

    /// One address for both plugins, or one for each; nil where the relayer does not transmit on the chain.
    private static func transmitters(
        _ table: inout ConfigurationSection, _ chain: Chain
    ) throws(ConfigurationError) -> Transmitters? {
        guard table.has(chain.name) else { return nil }
        if table.isSingle(chain.name) {
            let address = try table.address(chain.name)
            return Transmitters(chain: chain.selector, committing: address, executing: address)
        }
        var row = try table.section(chain.name)
        let committing = row.has("committing") ? try row.address("committing") : nil
        let executing = row.has("executing") ? try row.address("executing") : nil
        try row.finish()
        return Transmitters(chain: chain.selector, committing: committing, executing: executing)
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
        try distinct(
            file, "CURVE key",
            relayers.flatMap { [$0.committing.curvePublicKey, $0.executing.curvePublicKey] }
                + guards.map(\.member.curvePublicKey))
        guard guards.count <= Limits.guardsMaximum else {
            throw refuse("\(guards.count) guards", "at most \(Limits.guardsMaximum)")
        }
        try distinct(file, "relayer or guard name", relayers.map(\.name) + guards.map(\.name))
        try distinct(file, "guard signer", guards.map { "\($0.signer)" })
        for chain in chains {
            let all = relayers.flatMap { relayer in
                Set(relayer.transmitters.filter { $0.chain == chain.selector }.flatMap { [$0.committing, $0.executing] })
                    .compactMap { $0.map { "\($0)" } }.sorted()
            }
            try distinct(file, "transmitter on \(chain.name)", all)
            guard chain.faulty <= faulty else {
                throw refuse("chain \(chain.name) has faulty: \(chain.faulty)", "at most the cluster's \(faulty)")
            }
            try validateGas(chain, file)
        }
        for chain in destinations {
            for plugin in InstancePlugin.allCases where transmitters(on: chain.selector, plugin).isEmpty {
                throw refuse(
                    "nobody transmits \(plugin.rawValue) reports on \(chain.name)",
                    "list the transmitters of its OffRamp under relayers[].transmitters.\(chain.name)")
            }
        }
    }

    private func validateGas(_ chain: Chain, _ file: String) throws(ConfigurationError) {
        let cap = Limits.transactionGasMaximum
        guard chain.batchGasLimit >= 500_000, chain.transactionGasMaximum >= chain.batchGasLimit,
            chain.transactionGasMaximum <= cap
        else {
            throw ConfigurationError(
                .invalidValue,
                "\(file): chain \(chain.name) has batchGasLimit \(chain.batchGasLimit) and transactionGasMaximum "
                    + "\(chain.transactionGasMaximum)",
                hint: "500000 <= batchGasLimit <= transactionGasMaximum <= \(cap) (EIP-7825), and less than the chain's "
                    + "block gas limit")
        }
    }

    private func distinct(_ file: String, _ what: String, _ values: [String]) throws(ConfigurationError) {
        var seen: Set<String> = []
        for value in values where !seen.insert(value).inserted {
            throw ConfigurationError(.invalidValue, "\(file): two entries have the same \(what) \(value)")
        }
    }
}
