// localnet.json: everything that a program must know of a running local network, under stable keys. Its reference is
// docs/reference/localnet-json.md; nothing is started or stopped here.

import CCIP
import Ethereum

package struct NetworkDocument: Sendable, Equatable {
    package static let version = 1
    package static let fileName = "localnet.json"

    package enum State: String, Sendable {
        case starting
        case running
        case stopped
    }

    package enum Kind: String, Sendable {
        /// Chains, contracts and relayers of `causeway up`.
        case local
        /// Relayers and guards of `causeway cluster`; the chains are somebody else's.
        case cluster
    }

    package struct Token: Sendable, Equatable {
        package var symbol: String
        package var name: String
        package var decimals: UInt8
        package var address: Address
        package var pool: Address
        package var poolKind: DeploymentRequest.PoolKind
    }

    package struct Chain: Sendable, Equatable {
        package var name: String
        package var displayName: String
        package var chainID: UInt64
        package var selector: ChainSelector
        package var rpc: String
        package var webSocket: String
        package var pid: Int
        package var log: String
        package var blockMilliseconds: Int
        /// Nil until the contracts stand.
        package var contracts: ChainContracts?
        package var commitDigest: Hash32?
        package var executeDigest: Hash32?
        package var tokens: [Token]

        package init(
            name: String, displayName: String, chainID: UInt64, selector: ChainSelector, rpc: String, webSocket: String,
            pid: Int, log: String, blockMilliseconds: Int, contracts: ChainContracts? = nil, commitDigest: Hash32? = nil,
            executeDigest: Hash32? = nil, tokens: [Token] = []
        ) {
            self.name = name
            self.displayName = displayName
            self.chainID = chainID
            self.selector = selector
            self.rpc = rpc
            self.webSocket = webSocket
            self.pid = pid
            self.log = log
            self.blockMilliseconds = blockMilliseconds
            self.contracts = contracts
            self.commitDigest = commitDigest
            self.executeDigest = executeDigest
            self.tokens = tokens
        }
    }

    package struct Account: Sendable, Equatable {
        package var index: Int
        package var address: Address
        package var privateKey: String
        /// True for the account that deployed and owns the contracts.
        package var isDeployer: Bool
    }

    package struct Relayer: Sendable, Equatable {
        package var index: Int
        package var name: String
        package var config: String
        /// By role; a process that is not running has none.
        package var pids: [String: Int]
        package var ports: RelayerPorts
        package var logs: [String: String]
        package var reportSigner: Address
        /// Transmitters by chain name and role.
        package var transmitters: [String: [String: Address]]

        package init(
            index: Int, name: String, config: String, pids: [String: Int], ports: RelayerPorts, logs: [String: String],
            reportSigner: Address, transmitters: [String: [String: Address]]
        ) {
            self.index = index
            self.name = name
            self.config = config
            self.pids = pids
            self.ports = ports
            self.logs = logs
            self.reportSigner = reportSigner
            self.transmitters = transmitters
        }
    }

    /// The stand-in for Circle's attestation service, where tokens need one.
    package struct Attester: Sendable, Equatable {
        package var api: String
        package var config: String
        package var log: String
        /// Nil when it is not running.
        package var pid: Int?
        package var attesters: [Address]
        package var threshold: Int
    }

    package var kind = Kind.local
    package var state: State
    /// The supervisor: SIGTERM to it ends the network.
    package var pid: Int
    /// Seconds since 1970.
    package var startedAt: UInt64
    package var readySeconds: String?
    package var dataDirectory: String
    package var chains: [Chain]
    package var accounts: [Account]
    package var relayers: [Relayer]
    package var guards: [Guard] = []
    /// Nil where no RMNRemote is configured.
    package var blessing: Blessing?
    package var attester: Attester?
    /// Nil where no price streams run.
    package var streams: Streams?

    package static let roles = ["committing", "executing"]

    package init(
        state: State, pid: Int, startedAt: UInt64, readySeconds: String? = nil, dataDirectory: String, chains: [Chain],
        accounts: [Account], relayers: [Relayer]
    ) {
        self.readySeconds = readySeconds
        self.state = state
        self.pid = pid
        self.startedAt = startedAt
        self.dataDirectory = dataDirectory
        self.chains = chains
        self.accounts = accounts
        self.relayers = relayers
    }

    /// The event feed that is offered first; each relayer has its own.
    package var eventFeed: String? { relayers.first.map { ClusterFiles.loopback($0.ports.eventFeed) } }
    package var path: String { dataDirectory + "/" + Self.fileName }

    package func chain(named text: String) throws(CCIPError) -> Chain {
        var registry = ChainRegistry()
        for chain in chains {
            registry.add(KnownChain(
                name: chain.name, registryName: registry.chain(chainID: chain.chainID)?.registryName ?? chain.name,
                chainID: chain.chainID, selector: chain.selector,
                aliases: registry.chain(chainID: chain.chainID)?.aliases ?? []))
        }
        let known = try registry.chain(named: text)
        guard let chain = chains.first(where: { $0.selector == known.selector }) else {
            throw CCIPError(
                .unknownChain, "the chain \(known.name) is not part of this network",
                hint: "it has: " + chains.map(\.name).joined(separator: ", "))
        }
        return chain
    }
}

// MARK: - Writing

extension NetworkDocument {
    package var json: JSON {
        var object = JSONObject()
        object["version"] = .integer(Self.version)
        if kind != .local { object["kind"] = .string(kind.rawValue) }
        object["state"] = .string(state.rawValue)
        object["pid"] = .integer(pid)
        object["startedAt"] = .integer(startedAt)
        object["readySeconds"] = readySeconds.map { .number($0) } ?? .null
        object["dataDirectory"] = .string(dataDirectory)
        object["chains"] = .array(chains.map(\.json))
        object["accounts"] = .array(accounts.map(\.json))
        object["relayers"] = .array(relayers.map(\.json))
        object["guards"] = .array(guards.map(\.json))
        object["rmn"] = blessing?.json ?? .null
        if let attester { object["attester"] = attester.json }
        if let streams { object["streams"] = streams.json }
        object["eventFeed"] = eventFeed.map { .string($0) } ?? .null
        return .object(object)
    }

    /// Puts the document in its place in one step, readable by its owner only: it holds the accounts' keys.
    package func write() throws(LocalnetError) { try Files.write(json.pretty, to: path, mode: 0o600) }
}

extension NetworkDocument.Chain {
    var json: JSON {
        var object = JSONObject()
        object["name"] = .string(name)
        object["displayName"] = .string(displayName)
        object["chainId"] = .integer(chainID)
        object["selector"] = .string(selector.description)
        object["rpc"] = .string(rpc)
        object["ws"] = .string(webSocket)
        object["pid"] = .integer(pid)
        object["log"] = .string(log)
        object["blockMilliseconds"] = .integer(blockMilliseconds)
        object["contracts"] = contracts?.json ?? .object(JSONObject())
        object["digests"] = .object(
            JSONObject([
                ("commit", commitDigest.map { .hash($0) } ?? .null), ("execute", executeDigest.map { .hash($0) } ?? .null),
            ]))
        object["tokens"] = .array(tokens.map(\.json))
        return .object(object)
    }
}

extension ChainContracts {
    /// Name and place of every contract that is no token, in a fixed order.
    package var named: [(name: String, address: Address)] {
        var list = [
            ("router", router), ("onRamp", onRamp), ("offRamp", offRamp), ("feeQuoter", feeQuoter),
            ("nonceManager", nonceManager), ("rmnRemote", rmnRemote), ("rmnProxy", rmnProxy),
            ("tokenAdminRegistry", tokenAdminRegistry), ("registryModule", registryModule), ("weth", wrappedNative),
        ]
        if let receiver { list.append(("receiver", receiver)) }
        if let revertingReceiver { list.append(("revertingReceiver", revertingReceiver)) }
        for version in cctp { list += version.named }
        if let streams { list += streams.named }
        return list
    }

    package var json: JSON { .object(JSONObject(named.map { ($0.name, .string($0.address.checksummed)) })) }

    init?(json: JSON) {
        func address(_ name: String) -> Address? { json[name]?.asString.flatMap { try? Address(hex: $0) } }
        guard let router = address("router"), let onRamp = address("onRamp"), let offRamp = address("offRamp"),
            let feeQuoter = address("feeQuoter"), let nonceManager = address("nonceManager"),
            let rmnRemote = address("rmnRemote"), let rmnProxy = address("rmnProxy"),
            let tokenAdminRegistry = address("tokenAdminRegistry"), let weth = address("weth")
        else { return nil }
        self.init()
        self.router = router
        self.onRamp = onRamp
        self.offRamp = offRamp
        self.feeQuoter = feeQuoter
        self.nonceManager = nonceManager
        self.rmnRemote = rmnRemote
        self.rmnProxy = rmnProxy
        self.tokenAdminRegistry = tokenAdminRegistry
        registryModule = address("registryModule") ?? .zero
        wrappedNative = weth
        receiver = address("receiver")
        revertingReceiver = address("revertingReceiver")
        cctp = CCTPVersion.allCases.compactMap { CCTPContracts($0, at: address) }
        streams = StreamContracts(at: address)
    }
}

extension NetworkDocument.Token {
    var json: JSON {
        [
            "symbol": .string(symbol), "name": .string(name), "decimals": .integer(decimals),
            "address": .string(address.checksummed), "pool": .string(pool.checksummed),
            "poolKind": .string(poolKind.rawValue),
        ]
    }
}

extension NetworkDocument.Attester {
    var json: JSON {
        [
            "api": .string(api), "config": .string(config), "log": .string(log), "pid": pid.map { .integer($0) } ?? .null,
            "attesters": .array(attesters.map { .string($0.checksummed) }), "threshold": .integer(threshold),
        ]
    }

    init?(json: JSON) {
        guard let api = json["api"]?.asString, let config = json["config"]?.asString, let log = json["log"]?.asString,
            let attesters = json["attesters"]?.asArray, let threshold = json["threshold"]?.asInt
        else { return nil }
        self.init(
            api: api, config: config, log: log, pid: json["pid"]?.asInt,
            attesters: attesters.compactMap { $0.asString.flatMap { try? Address(hex: $0) } }, threshold: threshold)
    }
}

extension NetworkDocument.Account {
    var json: JSON {
        [
            "index": .integer(index), "address": .string(address.checksummed), "privateKey": .string(privateKey),
            "deployer": .bool(isDeployer),
        ]
    }
}

extension NetworkDocument.Relayer {
    var json: JSON {
        let roles = NetworkDocument.roles
        var chains = JSONObject()
        for (chain, addresses) in transmitters.sorted(by: { $0.key < $1.key }) {
            chains[chain] = .object(
                JSONObject(roles.compactMap { role in addresses[role].map { (role, .string($0.checksummed)) } }))
        }
        return [
            "index": .integer(index),
            "name": .string(name),
            "config": .string(config),
            "roles": .array(roles.map { .string($0) }),
            "pids": .object(JSONObject(roles.map { ($0, pids[$0].map { .integer($0) } ?? .null) })),
            "ports": [
                "committingMesh": .integer(ports.committingMesh), "executingMesh": .integer(ports.executingMesh),
                "pair": .integer(ports.pair), "committingHTTP": .integer(ports.committingHTTP),
                "executingHTTP": .integer(ports.executingHTTP), "eventFeed": .integer(ports.eventFeed),
            ],
            "eventFeed": .string(ClusterFiles.loopback(ports.eventFeed)),
            "logs": .object(JSONObject(roles.map { ($0, .string(logs[$0] ?? "")) })),
            "reportSigner": .string(reportSigner.checksummed),
            "transmitters": .object(chains),
        ]
    }
}
