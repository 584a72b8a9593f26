// guard-N.yaml: what one guard alone knows: its place among the guards, its keys, its endpoints, its limits.

import CCIP
import Configuration
import Ethereum
import Foundation
import Guarding
import JSONRPC
import Logging
import MessageBus

/// One guard. docs/reference/guard-config.md explains every key.
package struct GuardSettings: Sendable {
    package struct Endpoints: Sendable {
        package var chain: String
        package var urls: [EndpointURL]
        /// Endpoints that must agree; nil takes one of one, two of more.
        package var quorum: Int?
    }

    package var name: String
    package var ownIndex: Int
    package var dataDirectory: String
    package var keysDirectory: String
    package var passwordFile: String?
    package var password: Secret?
    package var endpoints: [Endpoints]
    package var bind: Endpoint?
    package var httpHost: String
    package var httpPort: Int
    package var pollMilliseconds: Int
    package var graceMilliseconds: UInt64
    package var cursesOnAnomaly: Bool
    package var limits: [GuardConfiguration.ValueLimit]
    package var logLevel: Logger.Level
    package var cluster: WatchedCluster

    package var own: WatchedCluster.Watchman { cluster.guards[ownIndex] }
}

extension GuardSettings {
    package typealias ReadFile = (String) throws(ConfigurationError) -> String

    /// Reads `path` and the cluster file that it names. `readFile` gives the text of a file, or throws why not.
    package static func load(
        path: String, environment: [String: String], entries: inout [ConfigurationEntry],
        readFile: ReadFile = GuardFiles.read
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
        let folder = GuardFiles.folder(of: path)
        _ = try root.integer("version", in: 1...1, default: 1)
        let clusterPath = GuardFiles.join(folder, try root.string("cluster"))
        let cluster = try WatchedCluster(yaml: try readFile(clusterPath), file: clusterPath)
        self.cluster = cluster
        let name = try root.string("guard")
        guard let index = cluster.guards.firstIndex(where: { $0.member.name == name }) else {
            throw root.refused(
                "guard", name, "one of \(cluster.guards.map(\.member.name).joined(separator: ", ")) in \(clusterPath)")
        }
        self.name = name
        ownIndex = index
        dataDirectory = GuardFiles.join(folder, try root.string("dataDirectory"))
        var keys = try root.section("keys")
        keysDirectory = GuardFiles.join(folder, try keys.string("directory"))
        passwordFile = try keys.optional("passwordFile").map { GuardFiles.join(folder, $0) }
        try keys.finish()
        password = environment["CAUSEWAY_KEYS_PASSWORD"].map { Secret(Bytes($0.utf8)) }
        var table = try root.section("endpoints")
        var endpoints: [Endpoints] = []
        for chain in cluster.chains { endpoints.append(try Self.endpoints(&table, chain.name)) }
        try table.finish()
        self.endpoints = endpoints
        bind =
            root.has("bind")
            ? try root.value("bind", expected: "an endpoint like tcp://*:7200") { try? Endpoint($0) } : nil
        (httpHost, httpPort) = try root.value("http", expected: "HOST:PORT, for example 127.0.0.1:9400") { text in
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (0...65_535).contains(port), colon > text.startIndex
            else { return nil }
            return (String(text[..<colon]), port)
        }
        pollMilliseconds = try root.integer("pollMilliseconds", in: 5...60_000, default: 1_000)
        graceMilliseconds = UInt64(
            try root.integer(
                "graceMilliseconds", in: 1_000...86_400_000, default: Int(Guarding.Limits.graceMillisecondsDefault)))
        cursesOnAnomaly = try root.bool("curseOnAnomaly", default: false)
        limits = try Self.limits(&root, cluster)
        logLevel = try root.value(
            "logLevel", expected: "trace, debug, info, notice, warning, error or critical", default: "info"
        ) { Logger.Level(rawValue: $0) }
        try root.finish()
        try reader.finish()
    }

    private static func endpoints(
        _ table: inout ConfigurationSection, _ chain: String
    ) throws(ConfigurationError) -> Endpoints {
        guard table.has(chain) else {
            throw ConfigurationError(
                .missingKey, "\(table.place): no endpoints for chain '\(chain)'",
                hint: "add endpoints.\(chain).urls: a guard reads every chain of its cluster, by nodes of its own")
        }
        var section = try table.section(chain)
        let texts = try section.strings("urls", required: true)
        var urls: [EndpointURL] = []
        for text in texts {
            do { urls.append(try EndpointURL.parse(text)) } catch {
                throw ConfigurationError(
                    .invalidValue, "\(section.place): an entry of '\(section.path).urls' is no endpoint: \(error)",
                    hint: "write it as http://HOST:PORT, https://, ws:// or wss://")
            }
        }
        guard (1...Limits.endpointsMaximum).contains(urls.count), Set(texts).count == texts.count else {
            throw section.refused("urls", "\(urls.count) entries", "1 to \(Limits.endpointsMaximum) different endpoints")
        }
        let quorum = section.has("quorum") ? try section.integer("quorum", in: 1...urls.count) : nil
        try section.finish()
        return Endpoints(chain: chain, urls: urls, quorum: quorum)
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
                signer: own.signer, relayerCount: cluster.relayers.count, limits: limits,
                graceMilliseconds: graceMilliseconds, cursesOnAnomaly: cursesOnAnomaly)
        } catch { throw WatcherError(.settings, error.message, hint: error.hint) }
    }
}

/// Files of a guard: reading, joining paths.
package enum GuardFiles {
    package static func read(_ path: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw ConfigurationError(
                .fileMissing, "\(path): \(exists ? "cannot be read" : "no such file")",
                hint: exists ? "check its owner and mode" : "name the guard's file with --config")
        }
        guard data.count <= ConfigurationReader.bytesMaximum else {
            throw ConfigurationError(
                .fileTooLarge, "\(path): \(data.count) bytes, at most \(ConfigurationReader.bytesMaximum)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError(.malformedYAML, "\(path): not UTF-8 text")
        }
        return text
    }

    static func folder(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    static func join(_ folder: String, _ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
}
