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
    package struct Endpoints: Sendable {
        package var chain: String
        package var urls: [EndpointURL]
        /// Endpoints that must agree on what gets signed; nil takes one of one, two of more.
        package var quorum: Int?
    }

    package struct ListenAddress: Sendable, Equatable {
        package var host: String
        package var port: Int
    }

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
        for chain in cluster.chains { endpoints.append(try Self.endpoints(&table, chain.name)) }
        try table.finish()
        self.endpoints = endpoints
        pair = try root.value("pair", expected: "an endpoint like tcp://127.0.0.1:7000") { try? Endpoint($0) }
        var http = try root.section("http")
        committingHTTP = try Self.listen(&http, "committing")
        executingHTTP = try Self.listen(&http, "executing")
        try http.finish()
        eventFeed = try root.value("eventFeed", expected: "an endpoint like tcp://127.0.0.1:7001") { try? Endpoint($0) }
        pollMilliseconds = try root.integer("pollMilliseconds", in: 5...60_000, default: 1_000)
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
                hint: "add endpoints.\(chain).urls: the relayer reads every chain of its cluster")
        }
        var section = try table.section(chain)
        var urls: [EndpointURL] = []
        let texts = try section.strings("urls", required: true)
        for text in texts {
            do {
                urls.append(try EndpointURL.parse(text))
            } catch {
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

    private static func listen(
        _ section: inout ConfigurationSection, _ key: String
    ) throws(ConfigurationError) -> ListenAddress {
        try section.value(key, expected: "HOST:PORT, for example 127.0.0.1:9100") { text in
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (0...65535).contains(port), colon > text.startIndex
            else { return nil }
            return ListenAddress(host: String(text[..<colon]), port: port)
        }
    }
}
