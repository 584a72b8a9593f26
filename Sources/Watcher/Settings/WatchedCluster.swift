// What a guard takes from cluster.yaml: chains, lanes, who relays, who guards. Read by code of its own, and only the keys
// that it judges by; the relayers refuse unknown keys of that file.

import CCIP
import ChainAccess
import Configuration
import Ethereum

package struct WatchedCluster: Sendable, Equatable {
    package struct Chain: Sendable, Equatable {
        package var name: String
        package var chainID: UInt64
        package var selector: ChainSelector
        package var startBlock: UInt64
        package var finality: FinalityRule
        package var logBlocksMaximum: UInt64
        package var requestTimeoutMilliseconds: Int
        package var onRamp: Address
        package var offRamp: Address
        package var maxFeePerGas: U256
    }

    package struct Lane: Hashable, Sendable {
        package var source: ChainSelector
        package var destination: ChainSelector
    }

    /// A member of the committing mesh.
    package struct Member: Sendable, Equatable {
        package var name: String
        package var curvePublicKey: String
        package var mesh: String
    }

    package struct Watchman: Sendable, Equatable {
        package var member: Member
        /// Account of its signatures, as RMNRemote lists it.
        package var signer: Address
    }

    package var name: String
    package var chains: [Chain]
    package var lanes: [Lane]
    /// Committing processes, in the order of the file.
    package var relayers: [Member]
    package var guards: [Watchman]

    package func chain(_ selector: ChainSelector) -> Chain? { chains.first { $0.selector == selector } }
}

extension WatchedCluster {
    /// Throws `ConfigurationError` that names file, line and key.
    package init(yaml text: String, file: String) throws(ConfigurationError) {
        var root = try ConfigurationReader(text: text, file: file).root
        name = try root.string("name")
        var chains: [Chain] = []
        for var section in try root.sections("chains", required: true) { chains.append(try Self.chain(&section)) }
        self.chains = chains
        var lanes: [Lane] = []
        for var section in try root.sections("lanes", required: true) { lanes.append(try Self.lane(&section, chains)) }
        self.lanes = lanes
        var relayers: [Member] = []
        for var section in try root.sections("relayers", required: true) {
            var committing = try section.section("committing")
            relayers.append(try Self.member(try section.string("name"), &committing))
        }
        self.relayers = relayers
        var guards: [Watchman] = []
        for var section in try root.sections("guards", required: true) {
            let name = try section.string("name")
            guards.append(Watchman(member: try Self.member(name, &section), signer: try section.account("signer")))
        }
        self.guards = guards
        guard (1...Limits.guardsMaximum).contains(guards.count), !relayers.isEmpty else {
            throw ConfigurationError(
                .invalidValue, "\(file): \(guards.count) guards, \(relayers.count) relayers",
                hint: "a cluster with guards has relayers and 1 to \(Limits.guardsMaximum) guards")
        }
    }

    private static func chain(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Chain {
        let name = try section.string("name")
        let (chainID, selector) = (try section.unsigned("chainId"), try section.unsigned("selector"))
        let start = try section.unsigned("startBlock", default: "0")
        let finality = try finality(&section)
        var access = try section.section("access")
        var contracts = try section.section("contracts")
        return Chain(
            name: name, chainID: chainID, selector: ChainSelector(selector), startBlock: start, finality: finality,
            logBlocksMaximum: try access.unsigned("logBlocksMaximum", default: "\(ChainAccess.Limits.logWindowBlocks)"),
            requestTimeoutMilliseconds: try access.integer("requestTimeoutMilliseconds", in: 100...60_000, default: 5_000),
            onRamp: try contracts.account("onRamp"), offRamp: try contracts.account("offRamp"),
            maxFeePerGas: try section.value(
                "maxFeePerGas", expected: "wei for one unit of gas", default: "500000000000"
            ) { try? U256(text: $0) })
    }

    /// `{tag: finalized, offset: 0}` or `{depth: 5, offset: 0}`. There is no default: a guard that trusts the wrong depth
    /// guards nothing.
    private static func finality(_ section: inout ConfigurationSection) throws(ConfigurationError) -> FinalityRule {
        guard section.has("finality") else {
            throw section.missing(
                "finality",
                hint: "write 'finality: {tag: finalized}' where the nodes know that tag, else 'finality: {depth: N}'")
        }
        var rule = try section.section("finality")
        let deepest = Int(ChainAccess.Limits.finalityDepthMaximum)
        let offset = UInt64(try rule.integer("offset", in: 0...deepest, default: 0))
        guard rule.has("depth") != rule.has("tag") else {
            throw ConfigurationError(
                .invalidValue, "\(rule.place): '\(rule.path)' needs a tag or a depth, and not both",
                hint: "write {tag: finalized} or {depth: N}")
        }
        if rule.has("depth") { return .depth(UInt64(try rule.integer("depth", in: 0...deepest)), offset: offset) }
        let isKnown: Bool = try rule.value("tag", expected: "finalized") { $0 == "finalized" ? true : nil }
        precondition(isKnown, "other tags are refused")
        return .tag(offset: offset)
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
        return Lane(source: try end("from"), destination: try end("to"))
    }

    private static func member(
        _ name: String, _ section: inout ConfigurationSection
    ) throws(ConfigurationError) -> Member {
        Member(
            name: name,
            curvePublicKey: try section.value("curvePublicKey", expected: "40 letters of Z85") { text in
                text.utf8.count == 40 ? text : nil
            }, mesh: try section.string("mesh"))
    }
}

extension ConfigurationSection {
    mutating func account(_ key: String) throws(ConfigurationError) -> Address {
        try value(key, expected: "an address (0x and 40 hex digits)") { try? Address(hex: $0) }
    }

    mutating func unsigned(_ key: String, default builtIn: String? = nil) throws(ConfigurationError) -> UInt64 {
        try value(key, expected: "a whole number from 0 to 2^64 - 1", default: builtIn) { UInt64($0) }
    }
}
