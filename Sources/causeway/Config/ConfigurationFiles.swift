// Configuration files by kind: which kind a file is, and its values with where they came from. Nothing is started here.

import CCIP
import ChainAccess
import Configuration
import DevChain
import Ethereum
import Foundation
import JSONRPC
import Localnet
import PriceStreams
import Relayer
import StreamsNode
import Watcher

enum ConfigurationKind: String, Sendable, CaseIterable {
    case relayer
    case guardian = "guard"
    case cluster
    case profile
    case deployment
    case attester
    /// The file that the processes of a DON share, and those of their own.
    case streams, oracle, gateway
}

/// One value of a file: dotted path, text, and its origin where the reader keeps it.
struct ConfigurationValue: Sendable, Equatable {
    let path: String
    let text: String
    let origin: String?
}

enum ConfigurationFiles {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    static func relayer(_ path: String) throws -> (settings: RelayerSettings, entries: [ConfigurationEntry]) {
        var entries: [ConfigurationEntry] = []
        let settings = try RelayerSettings.load(path: path, environment: environment, entries: &entries)
        return (settings, entries)
    }

    static func guardian(_ path: String) throws -> (settings: GuardSettings, entries: [ConfigurationEntry]) {
        var entries: [ConfigurationEntry] = []
        let settings = try GuardSettings.load(path: path, environment: environment, entries: &entries)
        return (settings, entries)
    }

    /// Told by the keys that only one kind has. Throws `unknownKind`, or what is wrong with the YAML.
    static func kind(of text: String, file: String) throws -> ConfigurationKind {
        let root = try ConfigurationReader(text: text, file: file).root
        if root.has("relayer") && root.has("endpoints") { return .relayer }
        if root.has("guard") && root.has("endpoints") { return .guardian }
        if root.has("don") && root.has("feeds") { return .streams }
        if root.has("oracle") && root.has("streams") { return .oracle }
        if root.has("gateway") && root.has("streams") { return .gateway }
        if root.has("attesters") && root.has("http") { return .attester }
        if root.has("lanes") || root.has("relayers") { return .cluster }
        if root.has("deployer") || root.has("cluster") && root.has("chains") { return .deployment }
        if root.has("chainId") && root.has("selector") { return .profile }
        throw CommandFailure(
            "unknownKind", "\(file): no file of a relayer, a guard, a cluster, a deployment, an attester or price streams, and no chain profile",
            hint: "say which with --kind \(ConfigurationKind.allCases.map(\.rawValue).joined(separator: "|"))")
    }

    /// Reads the whole file as its kind, and the cluster file that a relayer's file names. Throws what is wrong with it.
    static func values(_ path: String, kind: ConfigurationKind) throws -> [ConfigurationValue] {
        let text = try SettingsFile.read(path)
        switch kind {
        case .relayer:
            return try relayer(path).entries.map {
                // URLs may carry keys.
                let text = $0.path.contains(".url") ? EndpointURL.redacted($0.text) : $0.text
                return ConfigurationValue(path: $0.path, text: text, origin: $0.origin.description)
            }
        case .guardian:
            var entries: [ConfigurationEntry] = []
            _ = try GuardSettings.load(path: path, environment: environment, entries: &entries)
            return entries.map {
                let text = $0.path.contains(".url") ? EndpointURL.redacted($0.text) : $0.text
                return ConfigurationValue(path: $0.path, text: text, origin: $0.origin.description)
            }
        case .streams: return values(of: try StreamsSettings(yaml: text, file: path))
        case .oracle:
            var entries: [ConfigurationEntry] = []
            _ = try OracleSettings.load(path: path, environment: environment, entries: &entries)
            return entries.map {
                // Where sources are may carry keys.
                let text = $0.path.contains("url") ? EndpointURL.redacted($0.text) : $0.text
                return ConfigurationValue(path: $0.path, text: text, origin: $0.origin.description)
            }
        case .gateway:
            var entries: [ConfigurationEntry] = []
            _ = try GatewaySettings.load(path: path, environment: environment, entries: &entries)
            return entries.map { ConfigurationValue(path: $0.path, text: $0.text, origin: $0.origin.description) }
        case .cluster: return values(of: try ClusterSettings(yaml: text, file: path))
        case .profile: return values(of: try ChainProfile(yaml: text, file: path, artifact: ProjectFiles.deployedCode))
        case .attester:
            let settings = try AttesterSettings(yaml: text, file: path, environment: environment)
            var list = ValueList()
            list.add("http", "\(settings.host):\(settings.port)")
            list.add("attesters", settings.attesters)
            list.add("threshold", settings.threshold)
            for chain in settings.chains {
                list.add("chains.\(chain.name).domain", chain.domain)
                list.add("chains.\(chain.name).rpc", EndpointURL.redacted(chain.rpc))
            }
            return list.values
        case .deployment:
            let deployment = try DeploymentFile(yaml: text, file: path)
            return deployment.endpoints.sorted { $0.key < $1.key }.map {
                ConfigurationValue(path: "chains.\($0.key).rpc", text: EndpointURL.redacted($0.value), origin: nil)
            }
        }
    }

    static func values(of streams: StreamsSettings) -> [ConfigurationValue] {
        var list = ValueList()
        list.add("name", streams.name)
        list.add("don.id", streams.donID)
        list.add("don.faulty", streams.faulty)
        if let digest = try? streams.configurationDigest() { list.add("digest", digest) }
        for (index, oracle) in streams.oracles.enumerated() {
            list.add("oracles[\(index)]", "\(oracle.name) \(oracle.signer) \(oracle.endpoint)")
        }
        for (index, gateway) in streams.gateways.enumerated() {
            list.add("gateways[\(index)]", "\(gateway.name) \(gateway.ingress)")
            if let access = gateway.access { list.add("gateways[\(index)].api", access.api) }
        }
        for stream in streams.streams {
            list.add("streams.\(stream.name)", "\(stream.id) \(stream.kind) \(stream.streamClass.rawValue)")
        }
        for feed in streams.feeds {
            list.add("feeds.\(feed.channel)", "\(feed.symbol) v\(feed.schema.number) \(feed.feedID)")
        }
        return list.values
    }

    static func values(of cluster: ClusterSettings) -> [ConfigurationValue] {
        var list = ValueList()
        list.add("name", cluster.name)
        list.add("faulty", cluster.faulty)
        for chain in cluster.chains { list.add(chain) }
        for (index, lane) in cluster.lanes.enumerated() {
            let from = cluster.chain(lane.source)?.name ?? "\(lane.source)"
            let to = cluster.chain(lane.destination)?.name ?? "\(lane.destination)"
            list.add("lanes[\(index)]", "\(from) -> \(to)")
        }
        // By reflection: the type is the agreement's own, and its fields are what the file may say.
        for field in Mirror(reflecting: cluster.timing).children { list.add("timing.\(field.label ?? "")", field.value) }
        let prices = cluster.prices
        list.add("prices.gasDeviationPPB", prices.gasDeviationPPB)
        list.add("prices.gasHeartbeatSeconds", prices.gasHeartbeatSeconds)
        list.add("prices.tokenDeviationPPB", prices.tokenDeviationPPB)
        list.add("prices.tokenHeartbeatSeconds", prices.tokenHeartbeatSeconds)
        for item in cluster.guards {
            list.add("guards.\(item.name).signer", item.signer)
            list.add("guards.\(item.name).mesh", item.member.mesh)
        }
        if !cluster.guards.isEmpty { list.add("guardTimeoutMilliseconds", cluster.guardTimeoutMilliseconds) }
        if let streams = cluster.priceStreams { list.add(streams) }
        for relayer in cluster.relayers { list.add(relayer, cluster) }
        return list.values
    }

    static func values(of profile: ChainProfile) -> [ConfigurationValue] {
        var list = ValueList()
        list.add("name", profile.name)
        list.add("displayName", profile.displayName)
        list.add("chainId", profile.chainID)
        list.add("selector", profile.selector)
        list.add("gasTokenSymbol", profile.gasTokenSymbol)
        list.add("gasLimit", profile.gasLimit)
        list.add("port", profile.port)
        list.add("blocks.intervalMilliseconds", profile.cadence.intervalMilliseconds)
        list.add("blocks.heartbeatMilliseconds", profile.cadence.heartbeatMilliseconds)
        list.add("blocks.onDemand", profile.cadence.onDemand)
        list.add("blocks.preconfirmationMilliseconds", profile.cadence.preconfirmationMilliseconds)
        list.add("blocks.risingTimestamps", profile.cadence.risingTimestamps)
        list.add("finality.rule", profile.finality.rule)
        list.add("finality.safeDepth", profile.finality.safeDepth)
        list.add("finality.finalizedDepth", profile.finality.finalizedDepth)
        list.add("baseFee", profile.baseFee)
        list.add("coinbase", profile.coinbase)
        return list.values
    }
}

private struct ValueList {
    var values: [ConfigurationValue] = []

    mutating func add(_ path: String, _ value: some Any) {
        values.append(ConfigurationValue(path: path, text: "\(value)", origin: nil))
    }

    mutating func add(_ chain: ClusterSettings.Chain) {
        let path = "chains.\(chain.name)"
        add("\(path).chainId", chain.chainID)
        add("\(path).selector", chain.selector)
        add("\(path).faulty", chain.faulty)
        add("\(path).startBlock", chain.startBlock)
        add("\(path).finality", chain.finality)
        add("\(path).access.logBlocksMaximum", chain.access.logBlocksMaximum)
        add("\(path).access.requestTimeoutMilliseconds", chain.access.requestTimeoutMilliseconds)
        add("\(path).access.batch", chain.access.batch.rawValue)
        add("\(path).fees.kind", chain.fees.kind.map { "\($0)" } ?? "auto")
        add("\(path).fees.tipWei", chain.fees.tipWei.decimal)
        add("\(path).fees.gasPriceWei", chain.fees.gasPriceWei?.decimal ?? "none")
        let contracts = chain.contracts
        for (name, address) in [
            ("router", contracts.router), ("onRamp", contracts.onRamp), ("offRamp", contracts.offRamp),
            ("feeQuoter", contracts.feeQuoter), ("nonceManager", contracts.nonceManager),
            ("rmnRemote", contracts.rmnRemote), ("rmnProxy", contracts.rmnProxy),
            ("tokenAdminRegistry", contracts.tokenAdminRegistry),
        ] { add("\(path).contracts.\(name)", address) }
        add("\(path).wrappedNative", chain.wrappedNative)
        add("\(path).nativePrice", chain.nativePrice?.text ?? "from its FeeQuoter")
        for (index, price) in chain.tokenPrices.enumerated() {
            add("\(path).tokenPrices[\(index)]", "\(price.token) \(price.text)")
        }
        add("\(path).prices.gas", chain.prices.reportsGas ? "on" : "off")
        add("\(path).prices.tokens", chain.prices.reportsTokens ? "on" : "off")
        add("\(path).dataAvailability.kind", chain.dataAvailability.kind.rawValue)
        add("\(path).gasPrice", chain.gasPrice?.decimal ?? "read from the chain")
        add("\(path).maxFeePerGas", chain.maxFeePerGas.decimal)
        add("\(path).digests.commit", chain.commitDigest)
        add("\(path).digests.execute", chain.executeDigest)
        add("\(path).batchGasLimit", chain.batchGasLimit)
    }

    mutating func add(_ streams: PriceStreamSettings) {
        for (index, set) in streams.configurations.enumerated() {
            let path = "priceStreams.configurations[\(index)]"
            add("\(path).digest", set.digest)
            add("\(path).don", set.donID)
            add("\(path).faulty", set.faulty)
            add("\(path).signers", set.signers.map { "\($0)" }.joined(separator: " "))
        }
        for feed in streams.feeds {
            let path = "priceStreams.feeds.\(feed.id)"
            add("\(path).don", feed.donID)
            add("\(path).decimals", feed.decimals)
            add("\(path).hours", feed.hours.rawValue)
            add("\(path).maximumPriceAgeSeconds", feed.priceAgeMaximumSeconds.map { "\($0)" } ?? "not told by its reports")
            add("\(path).spreadMaximumPPM", feed.spreadMaximumPPM.map { "\($0)" } ?? "any")
            add("\(path).minimum", feed.bounds.lowerBound.decimal)
            add("\(path).maximum", feed.bounds.upperBound == .max ? "any" : feed.bounds.upperBound.decimal)
        }
    }

    mutating func add(_ relayer: ClusterSettings.Relayer, _ cluster: ClusterSettings) {
        let path = "relayers.\(relayer.name)"
        add("\(path).offchainPublicKey", Hex.encode(relayer.offchainPublicKey))
        add("\(path).reportSigner", relayer.reportSigner)
        add("\(path).committing", "\(relayer.committing.mesh) \(relayer.committing.curvePublicKey)")
        add("\(path).executing", "\(relayer.executing.mesh) \(relayer.executing.curvePublicKey)")
        for pair in relayer.transmitters {
            let chain = cluster.chain(pair.chain)?.name ?? "\(pair.chain)"
            let accounts = [pair.committing, pair.executing].map { $0.map { "\($0)" } ?? "none" }
            add("\(path).transmitters.\(chain)", accounts.joined(separator: " "))
        }
    }
}
