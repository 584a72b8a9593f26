// causeway streams withhold, release, withheld: the kill switch of a feed. A gateway publishes nothing rather than something
// doubtful; whoever may write into its data directory may say so, and a running gateway hears it within a second.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Localnet
import PriceStreams
import StreamsNode

/// Gateways by their files; else those of the local network.
struct WithholdingOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            "The settings of a gateway; once for each. Else every gateway of the network which was started last.",
            valueName: "path"))
    var config: [String] = []

    @OptionGroup var network: NetworkOptions

    func places() throws -> [GatewayOptions.Place] {
        guard config.isEmpty else { return try GatewayOptions.places(config) }
        let folder = "\(try network.known().dataDirectory)/streams"
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().filter {
            $0.hasPrefix("gateway-") && $0.hasSuffix(".yaml")
        }
        guard !files.isEmpty else {
            throw CommandFailure(
                "gatewayMissing", "there is no gateway in \(folder)", hint: "name its file with --config gateway.yaml")
        }
        return try GatewayOptions.places(files.map { "\(folder)/\($0)" })
    }
}

/// What both directions have in common.
enum Withholding {
    static func change(
        _ names: [String], isWithheld: Bool, _ options: WithholdingOptions, reason: String, _ out: CommandOutput
    ) throws {
        let places = try options.places()
        guard let streams = places.first?.settings.process.streams else { preconditionFailure("there is a gateway") }
        var feeds: [FeedSettings] = []
        for name in names {
            for feed in try streams.feeds(named: name) where !feeds.contains(where: { $0.feedID == feed.feedID }) {
                feeds.append(feed)
            }
        }
        let who = NSUserName()
        let now = UInt64(Date().timeIntervalSince1970 * 1_000)
        let (word, before) = isWithheld ? ("withheld", "was withheld before") : ("released", "was not withheld")
        var table = Table(["gateway", "feed", "schema", "id", "state"])
        var items: [JSON] = []
        for place in places {
            let changed = try WithheldStore.change(
                feeds.map(\.feedID), isWithheld: isWithheld, directory: place.directory, by: who, why: reason,
                nowMilliseconds: now)
            for feed in feeds {
                let isNews = changed.contains(feed.feedID)
                let name = place.settings.process.name
                table.add(name, feed.symbol, feed.schema.name, feed.feedID.text, isNews ? word : before)
                items.append([
                    "gateway": .string(name), "feed": .string(feed.symbol), "feedID": .string(feed.feedID.text),
                    "changed": .bool(isNews),
                ])
            }
        }
        let json: JSON = [
            "state": .string(word), "feeds": .array(items), "by": .string(who), "why": .string(reason),
        ]
        out.data(json) { table.text() }
        let missing = streams.gateways.map(\.name).filter { name in
            !places.contains { $0.settings.process.name == name }
        }
        if isWithheld, !missing.isEmpty {
            out.warn("\(missing.joined(separator: ", ")) still publishes: name every gateway of the service with --config")
        }
    }
}

struct StreamsWithholdCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "withhold",
        abstract: "Stop publishing feeds at gateways, until they are released.",
        discussion: """
            FEED is a symbol, which means every feed of it, or a feed id. Running gateways take it within a second, and keep to
            it over restarts. Subscribers are told; `latest` answers 404; what was published before stays in the history.
            Reports that come in meanwhile are thrown away. Name every gateway of the service: each one publishes by itself.

            Examples:
              causeway streams withhold ETH/USD --reason "a venue prints nonsense" --config east.yaml --config west.yaml
              causeway streams withhold 0x0f03... --reason "split on Monday"
            """)
    static var path: String { "streams withhold" }

    @Argument(help: "Symbols or feed ids.")
    var feeds: [String]
    @Option(name: .long, help: ArgumentHelp("Why; stays beside the feed.", valueName: "text"))
    var reason: String
    @OptionGroup var gateways: WithholdingOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        try Withholding.change(feeds, isWithheld: true, gateways, reason: reason, out)
        return .done
    }
}

struct StreamsReleaseCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Let withheld feeds go on.",
        discussion: """
            The next report of each feed is published; the time between is told as a hole.

            Examples:
              causeway streams release ETH/USD --reason "the venue is off the list" --config east.yaml --config west.yaml
            """)
    static var path: String { "streams release" }

    @Argument(help: "Symbols or feed ids.")
    var feeds: [String]
    @Option(name: .long, help: ArgumentHelp("Why it is safe to go on; stays beside the feed.", valueName: "text"))
    var reason: String
    @OptionGroup var gateways: WithholdingOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        try Withholding.change(feeds, isWithheld: false, gateways, reason: reason, out)
        return .done
    }
}

struct StreamsWithheldCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "withheld",
        abstract: "List the feeds that gateways withhold: since when, by whom, why.",
        discussion: """
            --all shows those that were released, too.

            Examples:
              causeway streams withheld --config east.yaml --config west.yaml
              causeway streams withheld --all --json
            """)
    static var path: String { "streams withheld" }

    @Flag(name: .long, help: "Released feeds, too.")
    var all = false
    @OptionGroup var gateways: WithholdingOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        func time(_ milliseconds: UInt64) -> String {
            Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
        }
        var table = Table(["gateway", "feed", "since", "by", "why"] + (all ? ["released"] : []))
        var items: [JSON] = []
        for place in try gateways.places() {
            let name = place.settings.process.name
            for entry in try WithheldStore.list(directory: place.directory) where all || entry.released == nil {
                let feed = place.settings.process.streams.feed(entry.feedID)
                let label = feed.map { "\($0.symbol) \($0.schema.name)" } ?? entry.feedID.text
                let over = entry.released.map { "\(time($0.at)) by \($0.by): \($0.why)" } ?? "stands"
                table.add([name, label, time(entry.since), entry.by, entry.why] + (all ? [over] : []))
                let released: JSON = entry.released.map { release -> JSON in
                    ["at": .string(time(release.at)), "by": .string(release.by), "why": .string(release.why)]
                } ?? .null
                items.append([
                    "gateway": .string(name), "feed": feed.map { .string($0.symbol) } ?? .null,
                    "feedID": .string(entry.feedID.text), "since": .string(time(entry.since)), "by": .string(entry.by),
                    "why": .string(entry.why), "released": released,
                ])
            }
        }
        out.data(["withheld": .array(items)]) { items.isEmpty ? "nothing is withheld\n" : table.text() }
        return .done
    }
}
