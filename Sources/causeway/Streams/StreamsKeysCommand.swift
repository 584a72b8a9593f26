// causeway streams keys: who may use a gateway's REST and WebSocket interface. A running gateway sees a change within a
// second; secrets are shown once, when they are made.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Logging
import PriceStreams
import StreamsNode

struct StreamsKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Create, list and revoke API keys of gateways.",
        discussion: """
            A key is a UUID and a secret. Clients sign requests with the secret (HMAC-SHA-256); gateways keep it sealed under
            the password of their key files, in DATADIRECTORY/api-keys.json. Name every gateway of a service with --config, so
            that a client may use any of them.

            Examples:
              causeway streams keys create --config east.yaml --config west.yaml --user desk-7
              causeway streams keys create --config east.yaml --user desk-7 --feeds 0x0003...,0x0008...
              causeway streams keys list --config east.yaml
              causeway streams keys revoke b7e2d6a0-4c1f-4f52-9d3a-6f0f5a1c2e34 --config east.yaml --config west.yaml
            """,
        subcommands: [
            StreamsKeysCreateCommand.self, StreamsKeysImportCommand.self, StreamsKeysListCommand.self,
            StreamsKeysRevokeCommand.self,
        ])
}

/// The gateways that a command means.
struct GatewayOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("The settings of a gateway; once for each gateway of the service.", valueName: "path"))
    var config: [String] = []

    func validate() throws {
        guard !config.isEmpty else { throw ValidationError("--config names the settings of a gateway") }
    }

    struct Place {
        let path: String
        let settings: GatewaySettings
        var directory: String { settings.process.dataDirectory }
        /// The password of its key files, as the gateway itself finds it.
        func password() throws -> Secret {
            try KeyShelf.password(settings.process.password, file: settings.process.passwordFile)
        }
    }

    func places() throws -> [Place] { try Self.places(config) }

    static func places(_ files: [String]) throws -> [Place] {
        try files.map { path in
            var entries: [ConfigurationEntry] = []
            let settings = try GatewaySettings.load(
                path: path, environment: ProcessInfo.processInfo.environment, entries: &entries)
            return Place(path: path, settings: settings)
        }
    }
}

/// Which feeds a key may read.
struct KeyFeedOptions: ParsableArguments {
    @Option(name: .long, help: "Feed ids or symbols with commas; every feed, later ones too, when it is left out.")
    var feeds: String?

    /// A symbol means every feed of that symbol.
    func chosen(_ known: [FeedSettings]) throws -> [FeedID]? {
        guard let feeds else { return nil }
        var chosen: [FeedID] = []
        for text in feeds.split(separator: ",", omittingEmptySubsequences: false) {
            let matching = known.filter { $0.symbol == text || $0.feedID.text == text.lowercased() }
            guard !matching.isEmpty else {
                let names = Set(known.map(\.symbol)).sorted().joined(separator: ", ")
                throw CommandFailure(
                    "unknownFeed", "'\(text.prefix(80))' is no feed of this gateway", hint: "there are \(names)", status: .usage)
            }
            chosen += matching.map(\.feedID).filter { !chosen.contains($0) }
        }
        return chosen
    }
}

struct StreamsKeysCreateCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a key and its secret, and show both once.",
        discussion: """
            Examples:
              causeway streams keys create --config gateway.yaml --user desk-7
              causeway streams keys create --config gateway.yaml --user desk-7 --feeds ETH/USD,XAU/USD --json
            """)
    static var path: String { "streams keys create" }

    @OptionGroup var gateways: GatewayOptions
    @Option(name: .long, help: "Whose key it is; limits count by user.")
    var user: String
    @OptionGroup var feeds: KeyFeedOptions
    @OptionGroup var seal: SealOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let places = try gateways.places()
        let now = UInt64(Date().timeIntervalSince1970 * 1_000)
        let key = APIKeyStore.random(
            user: user, feeds: try feeds.chosen(places.first?.settings.process.streams.feeds ?? []), nowMilliseconds: now)
        try StreamsKeyWriting.add(key, places, seal.work)
        let secret = String(decoding: key.secret.bytes, as: UTF8.self)
        let data: JSON = [
            "key": .string(key.key), "secret": .string(secret), "user": .string(user),
            "feeds": StreamsKeyWriting.feeds(key.feeds?.sorted()),
            "gateways": .array(places.map { .string($0.settings.process.name) }),
        ]
        out.data(data) { "key     \(key.key)\nsecret  \(secret)\n" }
        out.talk("the secret is not shown again")
        return .done
    }
}

struct StreamsKeysImportCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Add a key that exists: one line on stdin, the key, a blank, the secret.",
        discussion: """
            For gateways on other machines, and for clients that keep the keys they have.

            Examples:
              causeway streams keys import --config west.yaml --user desk-7 < key.txt
            """)
    static var path: String { "streams keys import" }

    @OptionGroup var gateways: GatewayOptions
    @Option(name: .long, help: "Whose key it is; limits count by user.")
    var user: String
    @OptionGroup var feeds: KeyFeedOptions
    @OptionGroup var seal: SealOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let places = try gateways.places()
        // The line is in no error: it holds the secret.
        let parts = (readLine(strippingNewline: true) ?? "").split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            throw CommandFailure("malformedKey", "stdin holds no key", hint: "one line: KEY SECRET")
        }
        let now = UInt64(Date().timeIntervalSince1970 * 1_000)
        let chosen = try feeds.chosen(places.first?.settings.process.streams.feeds ?? [])
        let key = APIKey(
            key: parts[0], user: user, secret: Secret(Bytes(parts[1].utf8)), feeds: chosen.map { Set($0) }, created: now)
        try StreamsKeyWriting.add(key, places, seal.work)
        let data: JSON = [
            "key": .string(key.key), "user": .string(user), "feeds": StreamsKeyWriting.feeds(chosen),
            "gateways": .array(places.map { .string($0.settings.process.name) }),
        ]
        out.data(data) { "key     \(key.key)\n" }
        return .done
    }
}

struct StreamsKeysListCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the keys of gateways; no secret, and no password is needed.",
        discussion: """
            Examples:
              causeway streams keys list --config gateway.yaml
            """)
    static var path: String { "streams keys list" }

    @OptionGroup var gateways: GatewayOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        var table = Table(["gateway", "key", "user", "feeds", "state", "created"])
        var items: [JSON] = []
        for place in try gateways.places() {
            for entry in try APIKeyStore.list(directory: place.directory) {
                let created = Date(timeIntervalSince1970: Double(entry.created) / 1_000).formatted(.iso8601)
                let name = place.settings.process.name
                table.add(
                    name, entry.key, entry.user, entry.feeds.map { "\($0.count)" } ?? "all",
                    entry.isDisabled ? "revoked" : "active", created)
                items.append([
                    "gateway": .string(name), "key": .string(entry.key), "user": .string(entry.user),
                    "feeds": StreamsKeyWriting.feeds(entry.feeds), "revoked": .bool(entry.isDisabled),
                    "created": .string(created),
                ])
            }
        }
        out.data(["keys": .array(items)]) { items.isEmpty ? "no keys\n" : table.text() }
        return .done
    }
}

struct StreamsKeysRevokeCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Disable a key for good; its WebSockets are closed within a second.",
        discussion: """
            Examples:
              causeway streams keys revoke b7e2d6a0-4c1f-4f52-9d3a-6f0f5a1c2e34 --config gateway.yaml
            """)
    static var path: String { "streams keys revoke" }

    @Argument(help: "The key, as `causeway streams keys list` shows it.")
    var key: String
    @OptionGroup var gateways: GatewayOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let places = try gateways.places()
        for place in places {
            try APIKeyStore.revoke(key, directory: place.directory)
            out.talk("revoked at \(place.settings.process.name)")
        }
        let names = places.map { JSON.string($0.settings.process.name) }
        out.data(["key": .string(key), "gateways": .array(names)]) { "\(key)  revoked\n" }
        return .done
    }
}

enum StreamsKeyWriting {
    /// Into every gateway's file; what the first ones took stands when a later one fails, and is named.
    static func add(_ key: APIKey, _ places: [GatewayOptions.Place], _ work: KeyFile.Work) throws {
        // Passwords first: a missing one must not leave half of it done.
        let passwords = try places.map { try $0.password() }
        var done: [String] = []
        for (place, password) in zip(places, passwords) {
            do {
                try APIKeyStore.add(key, directory: place.directory, password: password, work: work)
            } catch {
                let failure = CommandFailure(error)
                let stands = done.isEmpty ? "" : " (the key stands at \(done.joined(separator: ", ")): revoke it there)"
                throw CommandFailure(failure.code, "\(place.path): \(failure.message)\(stands)", hint: failure.hint)
            }
            done.append(place.settings.process.name)
        }
    }

    static func feeds(_ feeds: [FeedID]?) -> JSON {
        feeds.map { .array($0.map { .string($0.text) }) } ?? "all"
    }
}
