// The chains, contracts and relayers that a command works on: those of a local network, or those that a relayer's
// configuration names. Nothing is read from a chain here.

import ArgumentParser
import CCIP
import ChainAccess
import Configuration
import Ethereum
import Executing
import Foundation
import JSONRPC
import Localnet
import Logging
import Relayer

/// Which network: a local one, or a real deployment by the file of one of its relayers.
struct BridgeOptions: ParsableArguments {
    @OptionGroup var local: NetworkOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Chains, contracts and endpoints of this relayer's configuration instead of a local network.",
            valueName: "relayer.yaml"))
    var config: String?

    func validate() throws {
        guard config == nil || local.network == nil else {
            throw ValidationError("--network and --config name two networks: give one of them")
        }
    }

    func load() throws -> BridgeNetwork {
        if let config { return try BridgeNetwork(ConfigurationFiles.relayer(config).settings) }
        // A cluster's chains are there whether its relayers run or not.
        if let folder = local.network, ClusterFolder.holds(folder) { return try BridgeNetwork(ClusterFolder(folder)) }
        let document = try local.known()
        if document.kind == .cluster { return try BridgeNetwork(ClusterFolder(document.dataDirectory)) }
        return try BridgeNetwork(local.running())
    }
}

/// A token that crosses, as it is on one chain.
struct BridgeToken: Sendable, Equatable {
    let symbol: String
    let decimals: Int
    let address: Address
    /// Nil when only the registry knows it.
    let pool: Address?
}

struct BridgeChain: Sendable {
    let name: String
    let displayName: String
    let chainID: UInt64
    let selector: ChainSelector
    /// Without keys that URLs may carry.
    let rpc: [String]
    let contracts: ChainContracts
    let tokens: [BridgeToken]
    /// The first block that can hold a log of ours.
    let startBlock: UInt64
    let endpoints: ChainEndpointSet
    /// The endpoint that transactions go to.
    let client: RPCClient

    init(
        name: String, displayName: String, chainID: UInt64, selector: ChainSelector, urls: [EndpointURL],
        contracts: ChainContracts, tokens: [BridgeToken], startBlock: UInt64,
        finality: FinalityRule = .tag(offset: 0), batch: BatchMode = .auto, fees: FeeRule = FeeRule(),
        logWindow: UInt64 = CommandLimits.logWindowBlocks
    ) throws {
        self.name = name
        self.displayName = displayName
        self.chainID = chainID
        self.selector = selector
        self.contracts = contracts
        self.tokens = tokens
        self.startBlock = startBlock
        rpc = urls.map { "\($0)" }
        let logger = Logger.silent
        let clients = urls.map {
            RPCClient($0, timeoutMilliseconds: CommandLimits.callMilliseconds, batchMode: batch, logger: logger)
        }
        guard let first = clients.first else {
            throw CommandFailure("noEndpoint", "chain \(name) has no endpoint")
        }
        client = first
        let policy = AccessPolicy(
            finality: finality, quorum: 1, requestTimeout: .milliseconds(CommandLimits.callMilliseconds),
            logWindow: logWindow, fees: fees)
        endpoints = try ChainEndpointSet(
            chainID: chainID, name: name,
            transports: zip(rpc, clients).map { RPCTransport(label: $0, client: $1) }, policy: policy, logger: logger)
    }

    var json: JSON {
        ["name": .string(name), "chainId": .integer(chainID), "selector": .string(selector.description)]
    }

    var reader: ContractReader { ContractReader(endpoints) }

    /// By symbol in any case, or by address.
    func token(_ text: String) -> BridgeToken? {
        let address = try? Address(hex: text)
        return tokens.first { $0.symbol.lowercased() == text.lowercased() || $0.address == address }
    }

    func token(at address: Address) -> BridgeToken? { tokens.first { $0.address == address } }
    func token(ofPool pool: Address) -> BridgeToken? { tokens.first { $0.pool == pool } }
}

/// Where one process of a relayer answers questions.
struct RelayerAddress: Sendable, Equatable {
    let relayer: String
    let role: String
    let url: String
}

struct BridgeNetwork: Sendable {
    let chains: [BridgeChain]
    let relayers: [RelayerAddress]
    let accounts: [NetworkDocument.Account]
    /// Nil for a real deployment.
    let document: NetworkDocument?
    /// Tokens that need off-chain data; nil where there are none.
    let tokenData: TokenDataSettings?

    init(_ document: NetworkDocument) throws {
        self.document = document
        tokenData = Self.tokenData(document)
        accounts = document.accounts
        chains = try document.chains.map { chain in
            guard let contracts = chain.contracts else {
                throw CommandFailure(
                    "notReady", "the contracts on \(chain.name) do not stand yet", hint: "causeway status")
            }
            return try BridgeChain(
                name: chain.name, displayName: chain.displayName, chainID: chain.chainID, selector: chain.selector,
                urls: [try EndpointURL.parse(chain.rpc)], contracts: contracts,
                tokens: chain.tokens.map {
                    BridgeToken(
                        symbol: $0.symbol, decimals: Int($0.decimals), address: $0.address, pool: $0.pool)
                }, startBlock: 0)
        }
        relayers = document.relayers.flatMap { relayer in
            NetworkDocument.roles.map { role in
                RelayerAddress(
                    relayer: relayer.name, role: role, url: "http://127.0.0.1:\(relayer.ports.http(role))")
            }
        }
    }

    /// As the relayers of a local network have it.
    private static func tokenData(_ document: NetworkDocument) -> TokenDataSettings? {
        guard let attester = document.attester else { return nil }
        let rules = document.chains.flatMap { chain in
            chain.tokens.compactMap { token -> TokenDataRule? in
                guard let version = token.poolKind.cctp else { return nil }
                return TokenDataRule(
                    source: chain.selector, pool: token.pool,
                    messageTransmitter: version == .v1 ? chain.contracts?.cctp(.v1)?.transmitter : nil)
            }
        }
        return TokenDataSettings(
            api: attester.api, intervalMilliseconds: 5, retryMilliseconds: 250, rules: TokenDataRules(rules))
    }

    init(_ settings: RelayerSettings) throws { try self.init([settings], accounts: []) }

    init(_ folder: ClusterFolder) throws { try self.init(folder.settings, accounts: folder.accounts) }

    /// Relayers of one cluster; chains are read through the endpoints of the first.
    private init(_ relayers: [RelayerSettings], accounts: [NetworkDocument.Account]) throws {
        document = nil
        tokenData = relayers.first?.cluster.tokenData
        self.accounts = accounts
        chains = try relayers.first.map { settings in
            try settings.cluster.chains.map { chain in
                try BridgeChain(
                    name: chain.name, displayName: chain.name, chainID: chain.chainID, selector: chain.selector,
                    urls: settings.endpoints.first { $0.chain == chain.name }?.urls ?? [],
                    contracts: chain.bridgeContracts,
                    tokens: chain.tokens.map {
                        BridgeToken(symbol: $0.symbol, decimals: $0.decimals, address: $0.address, pool: $0.pool)
                    }, startBlock: chain.startBlock, finality: chain.finality, batch: chain.access.batch,
                    fees: chain.fees, logWindow: min(CommandLimits.logWindowBlocks, chain.access.logBlocksMaximum))
            }
        } ?? []
        self.relayers = relayers.flatMap { settings in
            [RelayerRole.committing, .executing].map { role in
                let address = settings.http(role)
                let host = address.host == "0.0.0.0" ? "127.0.0.1" : address.host
                return RelayerAddress(
                    relayer: settings.relayer, role: role.rawValue, url: "http://\(host):\(address.port)")
            }
        }
    }

    func chain(_ selector: ChainSelector) -> BridgeChain? { chains.first { $0.selector == selector } }

    /// By name, chain id or selector. Throws `unknownChain` naming those that there are.
    func chain(named text: String) throws -> BridgeChain {
        if let chain = chains.first(where: { $0.name == text.lowercased() }) { return chain }
        if let number = (try? U256(text: text))?.asUInt64,
            let chain = chains.first(where: { $0.chainID == number || $0.selector.rawValue == number })
        {
            return chain
        }
        if let known = try? ChainNames.resolve(text), let chain = self.chain(known.selector) { return chain }
        throw CommandFailure(
            "unknownChain", "no chain '\(text.prefix(80))' in this network",
            hint: "it has: " + chains.map(\.name).joined(separator: ", "))
    }

    /// Two different chains.
    func lane(_ from: String, _ to: String) throws -> (source: BridgeChain, destination: BridgeChain) {
        let source = try chain(named: from)
        let destination = try chain(named: to)
        guard source.selector != destination.selector else {
            throw CommandFailure("sameChain", "a message goes from one chain to another, not from \(source.name) to itself")
        }
        return (source, destination)
    }
}

extension Logger {
    /// For reads whose failures the command itself tells.
    static let silent = Logger(label: "causeway", factory: { _ in SwiftLogNoOpLogHandler() })
}
