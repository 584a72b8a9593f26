// relayer-N.yaml: what one relayer alone knows: its place in the cluster, its keys, its endpoints, its ports.

import Configuration
import Ethereum
import JSONRPC
import Logging
import MessageBus

/// Which half of a relayer a process runs.
package enum RelayerRole: String, Sendable, CaseIterable {
    case committing, executing, both

    package var commits: Bool { self != .executing }
    package var executes: Bool { self != .committing }
}

/// One relayer. docs/reference/relayer-config.md explains every key.
package struct RelayerSettings: Sendable {
    package typealias Endpoints = ChainEndpoints<EndpointURL>

    package var relayer: String
    package var ownIndex: Int
    package var dataDirectory: String
    package var keysDirectory: String
    package var passwordFile: String?
    package var password: Secret?
    package var endpoints: [Endpoints]
    package var pair: Endpoint
    package var committingHTTP: ListenAddress
    package var executingHTTP: ListenAddress
    package var eventFeed: Endpoint
    /// Nil where no price comes from streams.
    package var streams: StreamsAccessSettings?
    package var pollMilliseconds: Int
    package var logLevel: Logger.Level
    package var cluster: ClusterSettings

    /// Names of chains on which this relayer has one account for both plugins.
    package var sharedTransmitterChains: [String] {
        cluster.destinations.filter { chain in
            cluster.relayers[ownIndex].transmitters.contains {
                $0.chain == chain.selector && $0.committing != nil && $0.committing == $0.executing
            }
        }.map(\.name)
    }

    package func http(_ role: RelayerRole) -> ListenAddress { role == .executing ? executingHTTP : committingHTTP }
}

extension RelayerSettings {
    /// Reads `path` and the cluster file that it names. `readFile` gives the text of a file, or throws why not.
    package static func load(
        path: String, environment: [String: String], flags: [String: String] = [:],
        entries: inout [ConfigurationEntry],
        readFile: (String) throws(ConfigurationError) -> String = SettingsFile.read
    ) throws(ConfigurationError) -> RelayerSettings {
        let reader = try ConfigurationReader(
            text: try readFile(path), file: path, environment: environment, flags: flags)
        let settings = try RelayerSettings(reader: reader, path: path, environment: environment, readFile: readFile)
        entries = reader.entries
        return settings
    }

    private init(
        reader: ConfigurationReader, path: String, environment: [String: String],
        readFile: (String) throws(ConfigurationError) -> String
    ) throws(ConfigurationError) {
        var root = reader.root
        let folder = SettingsFile.folder(of: path)
        _ = try root.integer("version", in: 1...1, default: 1)
        let clusterPath = SettingsFile.join(folder, try root.string("cluster"))
        let cluster = try ClusterSettings(yaml: try readFile(clusterPath), file: clusterPath)
        self.cluster = cluster
        relayer = try root.string("relayer")
        guard let index = cluster.relayers.firstIndex(where: { [relayer] in $0.name == relayer }) else {
            throw root.refused(
                "relayer", relayer, "one of \(cluster.relayers.map(\.name).joined(separator: ", ")) in \(clusterPath)")
        }
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
                    chain.name, reason: "the relayer reads every chain of its cluster", maximum: Limits.endpointsMaximum
                ) { try EndpointURL.parse($0) })
        }
        try table.finish()
        self.endpoints = endpoints
        pair = try root.value("pair", expected: "an endpoint like tcp://127.0.0.1:7000") { try? Endpoint($0) }
        var http = try root.section("http")
        committingHTTP = try http.listenAddress("committing", example: 9100)
        executingHTTP = try http.listenAddress("executing", example: 9100)
        try http.finish()
        eventFeed = try root.value("eventFeed", expected: "an endpoint like tcp://127.0.0.1:7001") { try? Endpoint($0) }
        streams = try root.streamsAccess(folder)
        guard streams != nil || !cluster.takesStreamPrices else {
            throw root.missing(
                "priceStreams",
                hint: "\(clusterPath) takes prices from streams: say where to ask for them, and with which key")
        }
        pollMilliseconds = try root.integer("pollMilliseconds", in: 5...60_000, default: 1_000)
        logLevel = try root.value(
            "logLevel", expected: "trace, debug, info, notice, warning, error or critical", default: "info"
        ) { Logger.Level(rawValue: $0) }
        try root.finish()
        try reader.finish()
    }
}
