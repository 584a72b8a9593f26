// Reading localnet.json back, and finding the network that a command means.

import CCIP
import Ethereum
import Glibc

extension NetworkDocument {
    /// Throws `malformedNetworkFile` that names the part which is not as documented.
    package init(json: JSON) throws(LocalnetError) {
        guard json["version"]?.asInt == Self.version else { throw Self.malformed("'version' is not \(Self.version)") }
        guard let state = json["state"]?.asString.flatMap(State.init(rawValue:)), let pid = json["pid"]?.asInt,
            let startedAt = json["startedAt"]?.asUInt64, let directory = json["dataDirectory"]?.asString,
            let chains = json["chains"]?.asArray, let accounts = json["accounts"]?.asArray,
            let relayers = json["relayers"]?.asArray
        else { throw Self.malformed("a top-level key is missing") }
        kind = json["kind"]?.asString.flatMap(Kind.init(rawValue:)) ?? .local
        self.state = state
        self.pid = pid
        self.startedAt = startedAt
        if case .number(let text)? = json["readySeconds"] { readySeconds = text } else { readySeconds = nil }
        dataDirectory = directory
        self.chains = try Self.map(chains, "chains") { Chain(json: $0) }
        self.accounts = try Self.map(accounts, "accounts") { Account(json: $0) }
        self.relayers = try Self.map(relayers, "relayers") { Relayer(json: $0) }
        // Missing in files of earlier versions.
        guards = try Self.map(json["guards"]?.asArray ?? [], "guards") { Guard(json: $0) }
        blessing = json["rmn"].flatMap { Blessing(json: $0) }
        attester = json["attester"].flatMap { Attester(json: $0) }
        streams = json["streams"].flatMap { Streams(json: $0) }
    }

    private static func map<Element>(
        _ items: [JSON], _ name: String, _ read: (JSON) -> Element?
    ) throws(LocalnetError) -> [Element] {
        var result: [Element] = []
        for (position, item) in items.enumerated() {
            guard let element = read(item) else { throw malformed("'\(name)[\(position)]' lacks a key") }
            result.append(element)
        }
        return result
    }

    private static func malformed(_ why: String) -> LocalnetError {
        LocalnetError(
            .malformedNetworkFile, "no localnet.json of this version: \(why)",
            hint: "docs/reference/localnet-json.md says what it holds; causeway up writes a new one")
    }

    /// Reads a file, or the localnet.json in a folder. Throws `networkMissing` or `malformedNetworkFile`.
    package static func load(_ path: String) throws(LocalnetError) -> NetworkDocument {
        let file = Files.isDirectory(path) ? path + "/" + fileName : path
        guard let bytes = Files.read(file, maximum: Limits.stateBytesMaximum) else {
            throw LocalnetError(
                .networkMissing, "no local network at \(path)", hint: "start one: causeway up")
        }
        let json: JSON
        do { json = try JSON.parse(bytes) } catch {
            throw LocalnetError(.malformedNetworkFile, "\(file): \(error.message)")
        }
        return try NetworkDocument(json: json)
    }

    /// The network that is named by a flag, else by CAUSEWAY_NETWORK, else the one that was started last by this user.
    /// Throws `networkMissing` when there is none.
    package static func find(_ named: String?) throws(LocalnetError) -> NetworkDocument {
        if let path = named ?? Files.environment("CAUSEWAY_NETWORK") { return try load(path) }
        guard let path = CurrentNetwork.path else {
            throw LocalnetError(
                .networkMissing, "no local network runs here",
                hint: "start one: causeway up, or name one: --network DATA_DIR")
        }
        return try load(path)
    }

    /// As `find`, and the network must run. Throws `networkMissing` when its supervisor is gone.
    package static func findRunning(_ named: String?) throws(LocalnetError) -> NetworkDocument {
        let document = try find(named)
        guard document.state != .stopped, document.isSupervised else {
            throw LocalnetError(
                .networkMissing, "the network in \(document.dataDirectory) has ended",
                hint: document.kind == .cluster
                    ? "start it again: causeway cluster \(document.dataDirectory)"
                    : "start it again: causeway up --data-dir \(document.dataDirectory)")
        }
        return document
    }

    /// True while the process that holds the network together is there.
    package var isSupervised: Bool { DataDirectoryLock.holder(dataDirectory) == pid }
}

extension NetworkDocument.Chain {
    init?(json: JSON) {
        guard let name = json["name"]?.asString, let chainID = json["chainId"]?.asUInt64,
            let selector = json["selector"]?.asUInt64, let rpc = json["rpc"]?.asString,
            let webSocket = json["ws"]?.asString, let pid = json["pid"]?.asInt, let log = json["log"]?.asString
        else { return nil }
        self.init(
            name: name, displayName: json["displayName"]?.asString ?? name, chainID: chainID,
            selector: ChainSelector(selector), rpc: rpc, webSocket: webSocket, pid: pid, log: log,
            blockMilliseconds: json["blockMilliseconds"]?.asInt ?? 0)
        tokens = (json["tokens"]?.asArray ?? []).compactMap { NetworkDocument.Token(json: $0) }
        contracts = json["contracts"].flatMap { ChainContracts(json: $0) }
        contracts?.tokens = tokens.map { .init(symbol: $0.symbol, token: $0.address, pool: $0.pool) }
        commitDigest = json["digests"]?["commit"]?.asString.flatMap { try? Hash32(hex: $0) }
        executeDigest = json["digests"]?["execute"]?.asString.flatMap { try? Hash32(hex: $0) }
    }
}

extension NetworkDocument.Token {
    init?(json: JSON) {
        guard let symbol = json["symbol"]?.asString, let decimals = json["decimals"]?.asInt.flatMap(UInt8.init(exactly:)),
            let address = json["address"]?.asString.flatMap({ try? Address(hex: $0) }),
            let pool = json["pool"]?.asString.flatMap({ try? Address(hex: $0) }),
            let kind = json["poolKind"]?.asString.flatMap(DeploymentRequest.PoolKind.init(rawValue:))
        else { return nil }
        self.init(
            symbol: symbol, name: json["name"]?.asString ?? symbol, decimals: decimals, address: address, pool: pool,
            poolKind: kind)
    }
}

extension NetworkDocument.Account {
    init?(json: JSON) {
        guard let index = json["index"]?.asInt, let key = json["privateKey"]?.asString,
            let address = json["address"]?.asString.flatMap({ try? Address(hex: $0) })
        else { return nil }
        self.init(
            index: index, address: address, privateKey: key, isDeployer: json["deployer"]?.asBool ?? false)
    }
}

extension NetworkDocument.Relayer {
    init?(json: JSON) {
        func port(_ name: String) -> Int? { json["ports"]?[name]?.asInt }
        guard let index = json["index"]?.asInt, let name = json["name"]?.asString,
            let config = json["config"]?.asString, let committingMesh = port("committingMesh"),
            let executingMesh = port("executingMesh"), let pair = port("pair"),
            let committingHTTP = port("committingHTTP"), let executingHTTP = port("executingHTTP"),
            let eventFeed = port("eventFeed"),
            let signer = json["reportSigner"]?.asString.flatMap({ try? Address(hex: $0) })
        else { return nil }
        var pids: [String: Int] = [:]
        var logs: [String: String] = [:]
        for role in NetworkDocument.roles {
            pids[role] = json["pids"]?[role]?.asInt
            logs[role] = json["logs"]?[role]?.asString
        }
        var transmitters: [String: [String: Address]] = [:]
        for (chain, value) in json["transmitters"]?.asObject?.members ?? [] {
            for role in NetworkDocument.roles {
                transmitters[chain, default: [:]][role] = value[role]?.asString.flatMap { try? Address(hex: $0) }
            }
        }
        self.init(
            index: index, name: name, config: config, pids: pids,
            ports: RelayerPorts(
                committingMesh: committingMesh, executingMesh: executingMesh, pair: pair,
                committingHTTP: committingHTTP, executingHTTP: executingHTTP, eventFeed: eventFeed),
            logs: logs, reportSigner: signer, transmitters: transmitters)
    }
}
