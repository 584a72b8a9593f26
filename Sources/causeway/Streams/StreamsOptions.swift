// Which DON a command of the streams means, and how its feeds are named.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Localnet
import MessageBus
import PriceStreams
import StreamsNode

struct StreamsOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The DON's file. Else that of the network which was started last.", valueName: "streams.yaml"))
    var config: String?

    @OptionGroup var network: NetworkOptions

    func path() throws -> String {
        if let config { return config }
        let document = try network.known()
        let path = "\(document.dataDirectory)/streams/streams.yaml"
        guard Files.exists(path) else {
            throw CommandFailure(
                "streamsMissing", "the network in \(document.dataDirectory) has no price streams",
                hint: "causeway up starts them unless told --no-streams, or name a DON with --config streams.yaml")
        }
        return path
    }

    func load() throws -> StreamsSettings {
        let path = try path()
        return try StreamsSettings(yaml: try SettingsFile.read(path), file: path)
    }

    /// The DON's other configurations are in the folder `configurations` beside its file: reports of theirs are believed too.
    func configurations() throws -> String {
        (((try path()) as NSString).deletingLastPathComponent as NSString).appendingPathComponent("configurations")
    }

    /// Never inlined: Swift 6.3 crashes while it splits asynchronous callers that this became a part of.
    @inline(never)
    func others(than settings: StreamsSettings) throws -> [StreamsSettings] {
        try ConfigurationFolder.all(beside: settings, in: try configurations())
    }
}

extension StreamsSettings {
    /// Feeds that a person means: by id, or by symbol, of which the fastest comes first. Throws `unknownFeed`.
    func feeds(named text: String) throws -> [FeedSettings] {
        if text.hasPrefix("0x") {
            let id = try FeedID(text: text)
            if let found = feed(id) { return [found] }
        } else {
            let found = feeds.filter { $0.symbol.lowercased() == text.lowercased() }
            if !found.isEmpty { return found.sorted { $0.schema.version > $1.schema.version } }
        }
        let names = Array(Set(feeds.map(\.symbol))).sorted()
        let nearest = Nearest.of(text.uppercased(), among: names)
        throw CommandFailure(
            "unknownFeed", "no feed is called '\(text)'",
            hint: nearest.map { "did you mean \($0)? causeway streams feeds lists all" } ?? "causeway streams feeds lists all")
    }
}

/// How reports look to people and programs.
enum ReportText {
    /// A whole number with its decimal point, without trailing zeros.
    static func scaled(_ value: Int192, decimals: Int) -> String {
        let text = value.decimal
        let isNegative = text.hasPrefix("-")
        var digits = isNegative ? String(text.dropFirst()) : text
        if digits.count <= decimals { digits = String(repeating: "0", count: decimals - digits.count + 1) + digits }
        let whole = digits.dropLast(decimals)
        var fraction = digits.suffix(decimals)
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return (isNegative ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// Every word by its name; big numbers are strings.
    static func json(_ report: PriceReport) -> JSON {
        var object = JSONObject()
        object["schema"] = .string(report.schema.name)
        for field in report.fields { object[field.name] = .string(field.value) }
        return .object(object)
    }

    static func text(_ report: PriceReport) -> String {
        var table = Table()
        table.add("schema", report.schema.name)
        for (field, row) in zip(report.schema.fields, report.fields) {
            table.add(row.name, row.value, field.unit)
        }
        return table.text()
    }

    /// One line of a live stream.
    static func json(_ delivery: StreamDelivery, feed: FeedSettings?) -> JSON {
        var object = JSONObject()
        object["feed"] = feed.map { .string($0.symbol) } ?? .null
        object["feedID"] = .string(delivery.report.feedID.text)
        object["price"] = .string(scaled(delivery.report.body.price, decimals: feed?.decimals ?? 18))
        object["report"] = json(delivery.report)
        object["observationsTimestampNs"] = .string("\(delivery.observationsTimestampNanoseconds)")
        object["publishTimestampNs"] = .string("\(delivery.publishTimestampNanoseconds)")
        object["receivedNs"] = .string("\(delivery.receivedAt)")
        object["sequence"] = .string("\(delivery.feedSequence)")
        object["gateway"] = .string(delivery.gateway)
        object["signers"] = .array((delivery.verified?.signers ?? []).map { .integer($0) })
        object["backfill"] = .bool(delivery.flags.contains(.backfill))
        object["fullReport"] = .string(Hex.encode(delivery.fullReport))
        return .object(object)
    }
}
