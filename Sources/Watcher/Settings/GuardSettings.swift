// guard-N.yaml: what one guard alone knows: its place among the guards, its keys, its endpoints, its limits.

import CCIP
import Configuration
import Ethereum
import Guarding
import JSONRPC
import Logging
import MessageBus

/// One guard. docs/reference/guard-config.md explains every key.
package struct GuardSettings: Sendable {
    package typealias Endpoints = ChainEndpoints<EndpointURL>

    package var name: String
    package var ownIndex: Int
    package var dataDirectory: String
    package var keysDirectory: String
    package var passwordFile: String?
    package var password: Secret?
    package var endpoints: [Endpoints]
    package var bind: Endpoint?
    package var http: ListenAddress
    package var pollMilliseconds: Int
    package var graceMilliseconds: UInt64
    package var cursesOnAnomaly: Bool
    package var limits: [GuardConfiguration.ValueLimit]
    package var pools: [PoolAllowance]
    package var logLevel: Logger.Level
    package var cluster: WatchedCluster

    package var own: WatchedCluster.Watchman { cluster.guards[ownIndex] }
}

extension GuardSettings {
    package typealias ReadFile = (String) throws(ConfigurationError) -> String

    package static func readOwn(_ path: String) throws(ConfigurationError) -> String {
        try SettingsFile.read(path, hint: "name the guard's file with --config")
    }

    /// Reads `path` and the cluster file that it names. `readFile` gives the text of a file, or throws why not.
    package static func load(
        path: String, environment: [String: String], entries: inout [ConfigurationEntry],
        readFile: ReadFile = readOwn
    ) throws(ConfigurationError) -> GuardSettings {
        let reader = try ConfigurationReader(text: try readFile(path), file: path, environment: environment)
        let settings = try GuardSettings(reader: reader, path: path, environment: environment, readFile: readFile)
        entries = reader.entries
        return settings
    }

    private init(
        reader: ConfigurationReader, path: String, environment: [String: String], readFile: ReadFile
    ) throws(ConfigurationError) {
        var root = reader.root
        let folder = SettingsFile.folder(of: path)
        _ = try root.integer("version", in: 1...1, default: 1)
        let clusterPath = SettingsFile.join(folder, try root.string("cluster"))
        let cluster = try WatchedCluster(yaml: try readFile(clusterPath), file: clusterPath)
        self.cluster = cluster
        let name = try root.string("guard")
        guard let index = cluster.guards.firstIndex(where: { $0.member.name == name }) else {
            throw root.refused(
                "guard", name, "one of \(cluster.guards.map(\.member.name).joined(separator: ", ")) in \(clusterPath)")
        }
        self.name = name
        ownIndex = index
        dataDirectory = SettingsFile.join(folder, try root.string("dataDirectory"))
        var keys = try root.section("keys")
        keysDirectory = SettingsFile.join(folder, try keys.string("directory"))
        passwordFile = try keys.optional("passwordFile").map { SettingsFile.join(folder, $0) }
        try keys.finish()
        password = environment["CAUSEWAY_KEYS_PASSWORD"].map { Secret(Bytes($0.utf8)) }
        var table = try root.section("endpoints")
        var endpoints: [Endpoints] = []
        for chain in cluster.chains {
            endpoints.append(
                try table.chainEndpoints(
                    chain.name, reason: "a guard reads every chain of its cluster, by nodes of its own",
                    maximum: Limits.endpointsMaximum
                ) { try EndpointURL.parse($0) })
        }
        try table.finish()
        self.endpoints = endpoints
        bind =
            root.has("bind")
            ? try root.value("bind", expected: "an endpoint like tcp://*:7200") { try? Endpoint($0) } : nil
        http = try root.listenAddress("http", example: 9400)
        pollMilliseconds = try root.integer("pollMilliseconds", in: 5...60_000, default: 1_000)
        graceMilliseconds = UInt64(
            try root.integer(
                "graceMilliseconds", in: 1_000...86_400_000, default: Int(Guarding.Limits.graceMillisecondsDefault)))
        cursesOnAnomaly = try root.bool("curseOnAnomaly", default: false)
        limits = try Self.limits(&root, cluster)
        pools = try PoolSettings.read(&root, cluster)
        logLevel = try root.value(
            "logLevel", expected: "trace, debug, info, notice, warning, error or critical", default: "info"
        ) { Logger.Level(rawValue: $0) }
        try root.finish()
        try reader.finish()
    }

    private static func limits(
        _ root: inout ConfigurationSection, _ cluster: WatchedCluster
    ) throws(ConfigurationError) -> [GuardConfiguration.ValueLimit] {
        let names = cluster.chains.map(\.name).joined(separator: ", ")
        var limits: [GuardConfiguration.ValueLimit] = []
        for var section in try root.sections("limits") {
            let source: ChainSelector = try section.value("from", expected: "one of the chains \(names)") { name in
                cluster.chains.first { $0.name == name }?.selector
            }
            func amount(_ key: String) throws(ConfigurationError) -> U256 {
                try section.value(key, expected: "an amount in the token's smallest units") { try? U256(text: $0) }
            }
            limits.append(
                GuardConfiguration.ValueLimit(
                    source: source, pool: try section.account("pool"), perMessage: try amount("perMessage"),
                    perRoot: try amount("perRoot")))
            try section.finish()
        }
        guard limits.count <= Limits.valueLimitsMaximum else {
            throw root.refused("limits", "\(limits.count) entries", "at most \(Limits.valueLimitsMaximum)")
        }
        return limits
    }

    /// What the state machine judges by. Throws `settings`.
    package func configuration() throws(WatcherError) -> GuardConfiguration {
        let sources = cluster.chains.filter { chain in cluster.lanes.contains { $0.source == chain.selector } }
        let destinations = cluster.chains.filter { chain in cluster.lanes.contains { $0.destination == chain.selector } }
        do {
            return try GuardConfiguration(
                sources: sources.map { .init(selector: $0.selector, onRamp: $0.onRamp) },
                destinations: destinations.map { .init(selector: $0.selector, chainID: $0.chainID, offRamp: $0.offRamp) },
                lanes: cluster.lanes.map { GuardLane(source: $0.source, destination: $0.destination) },
                signer: own.signer, relayerCount: cluster.relayers.count, limits: limits, pools: pools,
                graceMilliseconds: graceMilliseconds, cursesOnAnomaly: cursesOnAnomaly)
        } catch { throw WatcherError(.settings, error.message, hint: error.hint) }
    }
}
