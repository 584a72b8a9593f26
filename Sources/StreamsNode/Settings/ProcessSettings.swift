// What one process of the streams alone knows: its place in the DON, its keys, its ports. The sources of an oracle are
// read in Sources.

import Configuration
import Ethereum
import Logging
import MessageBus
import PriceStreams

/// What the files of oracles and gateways have in common.
package struct ProcessSettings: Sendable {
    package var name: String
    package var dataDirectory: String
    package var keysDirectory: String
    package var passwordFile: String?
    package var password: Secret?
    package var http: ListenAddress
    package var logLevel: Logger.Level
    package var streams: StreamsSettings
    /// Nil: this process serves the configuration of its file, whatever the Configurator says.
    package var watch: WatchSettings?

    /// Reads everything but what only one kind of process has; the caller finishes the section.
    init(
        _ root: inout ConfigurationSection, name key: String, path: String, environment: [String: String],
        readFile: (String) throws(ConfigurationError) -> String
    ) throws(ConfigurationError) {
        let folder = SettingsFile.folder(of: path)
        _ = try root.integer("version", in: 1...1, default: 1)
        let streamsPath = SettingsFile.join(folder, try root.string("streams"))
        streams = try StreamsSettings(yaml: try readFile(streamsPath), file: streamsPath)
        name = try root.string(key)
        dataDirectory = SettingsFile.join(folder, try root.string("dataDirectory"))
        var keys = try root.section("keys")
        keysDirectory = SettingsFile.join(folder, try keys.string("directory"))
        passwordFile = try keys.optional("passwordFile").map { SettingsFile.join(folder, $0) }
        try keys.finish()
        password = environment["CAUSEWAY_KEYS_PASSWORD"].map { Secret(Bytes($0.utf8)) }
        http = try root.listenAddress("http", example: 9700)
        logLevel = try root.value(
            "logLevel", expected: "trace, debug, info, notice, warning, error or critical", default: "info"
        ) { Logger.Level(rawValue: $0) }
        watch = try WatchSettings.read(&root, folder: folder)
    }
}

/// One oracle. docs/reference/streams-config.md explains every key.
package struct OracleSettings: Sendable {
    package var process: ProcessSettings
    package var ownIndex: Int
    package var sources: [SourceSettings]

    package static func load(
        path: String, environment: [String: String], flags: [String: String] = [:],
        entries: inout [ConfigurationEntry],
        readFile: (String) throws(ConfigurationError) -> String = SettingsFile.read
    ) throws(ConfigurationError) -> OracleSettings {
        let reader = try ConfigurationReader(
            text: try readFile(path), file: path, environment: environment, flags: flags)
        var root = reader.root
        let process = try ProcessSettings(
            &root, name: "oracle", path: path, environment: environment, readFile: readFile)
        guard let index = process.streams.oracles.firstIndex(where: { $0.name == process.name }) else {
            throw root.refused(
                "oracle", process.name, "one of \(process.streams.oracles.map(\.name).joined(separator: ", "))")
        }
        let sources = try SourceSettings.read(&root, streams: process.streams, folder: SettingsFile.folder(of: path))
        try root.finish()
        try reader.finish()
        entries = reader.entries
        return OracleSettings(process: process, ownIndex: index, sources: sources)
    }
}

/// One gateway. docs/reference/streams-config.md explains every key.
package struct GatewaySettings: Sendable {
    package var process: ProcessSettings
    package var ownIndex: Int
    /// Where frames are published, and where requests of subscribers are answered.
    package var feed: Endpoint
    package var requests: Endpoint
    /// Subscribers by their CURVE keys; nil lets every key in. The gateway is proven either way.
    package var subscribers: [CurvePublicKey: String]?
    /// Readable without keys: on this machine only.
    package var isPlaintext: Bool
    package var retentionDays: Int
    package var retentionReports: Int
    /// Requests of one user and path in a second, and WebSockets of one user (8.4).
    package var requestsPerSecond: Int
    package var connectionsPerUser: Int

    package var own: StreamsSettings.Gateway { process.streams.gateways[ownIndex] }

    package static func load(
        path: String, environment: [String: String], flags: [String: String] = [:],
        entries: inout [ConfigurationEntry],
        readFile: (String) throws(ConfigurationError) -> String = SettingsFile.read
    ) throws(ConfigurationError) -> GatewaySettings {
        let reader = try ConfigurationReader(
            text: try readFile(path), file: path, environment: environment, flags: flags)
        var root = reader.root
        let process = try ProcessSettings(
            &root, name: "gateway", path: path, environment: environment, readFile: readFile)
        guard let index = process.streams.gateways.firstIndex(where: { $0.name == process.name }) else {
            throw root.refused(
                "gateway", process.name, "one of \(process.streams.gateways.map(\.name).joined(separator: ", "))")
        }
        let settings = GatewaySettings(
            process: process, ownIndex: index, feed: try root.endpoint("feed"), requests: try root.endpoint("requests"),
            subscribers: try subscribers(&root), isPlaintext: try root.bool("plaintext", default: false),
            retentionDays: try root.integer("retentionDays", in: 1...3_650, default: 30),
            retentionReports: try root.integer("retentionReports", in: 1_000...1_000_000_000, default: 20_000_000),
            requestsPerSecond: try root.integer("requestsPerSecond", in: 1...100_000, default: 10),
            connectionsPerUser: try root.integer("connectionsPerUser", in: 1...10_000, default: 20))
        try root.finish()
        try reader.finish()
        entries = reader.entries
        return settings
    }

    private static func subscribers(
        _ root: inout ConfigurationSection
    ) throws(ConfigurationError) -> [CurvePublicKey: String]? {
        guard root.has("subscribers") else { return nil }
        var known: [CurvePublicKey: String] = [:]
        for var section in try root.sections("subscribers") {
            let name = try section.string("name")
            let key = try section.curveKey("curvePublicKey")
            guard known.updateValue(name, forKey: key) == nil else {
                throw section.refused("curvePublicKey", key.z85, "a key that no other subscriber has")
            }
            try section.finish()
        }
        return known
    }
}
