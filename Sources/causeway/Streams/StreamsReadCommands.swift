// causeway streams feeds, decode, verify, latest and history: one answer each.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import JSONRPC
import Logging
import PriceStreams
import StreamsNode
import Synchronization

struct StreamsFeedsCommand: CausewayCommand {
    static let path = "streams feeds"
    static let configuration = CommandConfiguration(
        commandName: "feeds",
        abstract: "List the feeds of a DON.",
        discussion: """
            Examples:
              causeway streams feeds
              causeway streams feeds --config streams.yaml --json
            """)

    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let settings = try streams.load()
        out.data(
            .array(
                settings.feeds.map { feed in
                    [
                        "symbol": .string(feed.symbol), "feedID": .string(feed.feedID.text),
                        "schema": .string("v\(feed.schema.number)"),
                        "resolution": .string(feed.schema.headerUnit.rawValue), "class": .string(feed.feedClass.rawValue),
                        "hours": .string(feed.hours.rawValue), "decimals": .integer(feed.decimals),
                        "channel": .integer(feed.channel.rawValue),
                        "staleAfterMilliseconds": .integer(feed.staleAfter / 1_000_000),
                    ]
                })
        ) {
            var table = Table(["symbol", "schema", "resolution", "class", "hours", "feed id"])
            for feed in settings.feeds {
                table.add(
                    feed.symbol, "v\(feed.schema.number)", feed.schema.headerUnit.rawValue, feed.feedClass.rawValue,
                    feed.hours.rawValue, feed.feedID.text)
            }
            return table.text()
        }
        return .done
    }
}

struct StreamsDecodeCommand: CausewayCommand {
    static let path = "streams decode"
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Show what a report says, word by word.",
        discussion: """
            Takes a full report (context, blob and signatures) or a blob alone; `-` reads it from stdin. Nothing is verified.

            Examples:
              causeway streams decode 0x00093...
              causeway streams latest ETH/USD --json | jq -r .data.fullReport | causeway streams decode -
            """)

    @Argument(help: "Hexadecimal digits of a report, or - for stdin.")
    var hex: String
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let bytes = try ReportInput.bytes(hex)
        if let full = try? FullReport(encoded: bytes) {
            let report = try PriceReport(blob: full.blob)
            out.data(
                [
                    "configurationDigest": .string(full.context.configurationDigest.hex),
                    "sequenceNumber": .string("\(full.context.sequenceNumber)"),
                    "extraHash": .string(full.context.extraHash.hex), "signatures": .integer(full.signatures.count),
                    "signingDigest": .string(full.digest.hex), "report": ReportText.json(report),
                ]
            ) {
                var table = Table()
                table.add("config digest", full.context.configurationDigest.hex)
                table.add("sequence number", "\(full.context.sequenceNumber)")
                table.add("extra hash", full.context.extraHash.hex)
                table.add("signatures", "\(full.signatures.count)")
                return table.text() + ReportText.text(report)
            }
            return .done
        }
        let report = try PriceReport(blob: bytes)
        out.data(["report": ReportText.json(report)]) { ReportText.text(report) }
        return .done
    }
}

/// Reports as people hand them over.
enum ReportInput {
    /// Throws `malformedReport`.
    static func bytes(_ text: String) throws -> Bytes {
        var digits = text
        if text == "-" {
            let data = FileHandle.standardInput.readData(ofLength: StreamsLimits.reportTextMaximum)
            digits = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        if digits.hasPrefix("0x") { digits.removeFirst(2) }
        guard digits.utf8.count <= StreamsLimits.reportTextMaximum, let bytes = try? Hex.decode(digits), !bytes.isEmpty else {
            throw CommandFailure(
                "malformedReport", "this is no report: hexadecimal digits are wanted",
                hint: "causeway streams latest FEED --json prints one as fullReport", status: .usage)
        }
        return bytes
    }
}

enum StreamsLimits {
    /// Text of a report: thirty times the largest there is.
    static let reportTextMaximum = 131_072
    /// How long commands that look once wait for a gateway.
    static let waitSeconds = 5
    /// Commands say themselves what happens to a connection.
    static let silent = Logger(label: "causeway.streams") { _ in SwiftLogNoOpLogHandler() }
}

struct StreamsVerifyCommand: CausewayCommand {
    static let path = "streams verify"
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a full report: form, signatures, feed; and, with --chain, in the VerifierProxy too.",
        discussion: """
            Exits with 0 when F+1 oracles of the DON signed exactly this report, and with 6 and the reason when not.

            Examples:
              causeway streams verify 0x00093...
              causeway streams latest ETH/USD --json | jq -r .data.fullReport | causeway streams verify -
              causeway streams verify 0x00093... --chain jovay
            """)

    @Argument(help: "Hexadecimal digits of a full report, or - for stdin.")
    var hex: String
    @Option(name: .long, help: ArgumentHelp("Ask the VerifierProxy of this chain of the local network as well.", valueName: "name"))
    var chain: String?
    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    /// With the configuration whose oracles signed.
    @inline(never)
    private func verified(_ bytes: Bytes) throws -> (VerifiedReport, StreamsSettings) {
        let settings = try streams.load()
        let others = try streams.others(than: settings)
        let verified: VerifiedReport
        do { verified = try settings.verifier(others).verify(bytes) } catch let refusal as VerificationRefusal {
            throw CommandFailure(refusal.code, refusal.message, hint: refusal.hint, status: .checkFailed)
        }
        let signing = try others.first { try $0.configurationDigest() == verified.configurationDigest }
        return (verified, signing ?? settings)
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let bytes = try ReportInput.bytes(hex)
        let (verified, signing) = try verified(bytes)
        var onChain: String?
        if let chain { onChain = try await OnChainVerifier(streams: streams, chain: chain).verify(bytes) }
        let names = verified.signers.map { signing.oracles[$0].name }
        let feed = signing.feed(verified.report.feedID)
        out.data(
            [
                "valid": true, "feed": feed.map { .string($0.symbol) } ?? .null,
                "signers": .array(names.map { .string($0) }), "proxy": onChain.map { .string($0) } ?? .null,
                "report": ReportText.json(verified.report),
            ]
        ) {
            "valid: \(feed?.symbol ?? verified.report.feedID.text), signed by \(names.joined(separator: " and "))\n"
                + (onChain.map { "valid in the VerifierProxy \($0) of \(chain ?? "")\n" } ?? "")
                + ReportText.text(verified.report)
        }
        return .done
    }
}

struct StreamsLatestCommand: CausewayCommand {
    static let path = "streams latest"
    static let configuration = CommandConfiguration(
        commandName: "latest",
        abstract: "The newest report of a feed, checked and decoded.",
        discussion: """
            A feed is named by symbol or id; of a symbol's feeds the fastest is taken, --seconds takes the public one.

            Examples:
              causeway streams latest ETH/USD
              causeway streams latest ETH/USD --seconds --json
            """)

    @Argument(help: "Symbol or feed id.")
    var feed: String
    @Flag(name: .long, help: "The feed with whole seconds, as public clients know it.")
    var seconds = false
    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let settings = try streams.load()
        let found = try settings.feeds(named: feed)
        let chosen = seconds ? found.first { $0.schema.headerUnit == .seconds } : found.first
        guard let chosen else {
            throw CommandFailure("unknownFeed", "\(feed) has no feed with whole seconds", hint: "causeway streams feeds")
        }
        var configuration = try StreamClientConfiguration(
            streams: settings, configurations: try streams.configurations(), keyPair: nil)
        configuration.feeds = [chosen.feedID]
        let (updates, continuation) = AsyncStream.makeStream(of: StreamDelivery.self)
        let withholders = Mutex<Set<String>>([])
        let client = try StreamClient(configuration: configuration, logger: StreamsLimits.silent) { update in
            switch update {
            case .report(let delivery): continuation.yield(delivery)
            case .withheld(chosen.feedID, let gateway): withholders.withLock { _ = $0.insert(gateway) }
            default: break
            }
        }
        defer { client.stop() }
        let timer = Task {
            try? await Task.sleep(for: .seconds(StreamsLimits.waitSeconds))
            continuation.finish()
        }
        defer { timer.cancel() }
        for await delivery in updates {
            out.data(ReportText.json(delivery, feed: chosen)) {
                let price = ReportText.scaled(delivery.report.body.price, decimals: chosen.decimals)
                let age = Double(delivery.receivedAt &- delivery.observationsTimestampNanoseconds) / 1e6
                return "\(chosen.symbol) \(price), \(String(format: "%.0f", age)) ms old\n" + ReportText.text(delivery.report)
            }
            return .done
        }
        let operators = withholders.withLock { $0.sorted() }
        guard operators.isEmpty else {
            throw CommandFailure(
                "feedWithheld", "\(chosen.symbol) is withheld by \(operators.joined(separator: ", "))",
                hint: "its operators say why: causeway streams withheld", status: .waiting)
        }
        throw CommandFailure(
            "noReport", "no gateway sent a report of \(chosen.symbol) within \(StreamsLimits.waitSeconds) s",
            hint: "is the DON running? causeway status; causeway streams feeds lists what there is", status: .waiting)
    }
}

struct StreamsHistoryCommand: CausewayCommand {
    static let path = "streams history"
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Past reports of a feed from a time on, over the API.",
        discussion: """
            Takes the key of the local network, or CAUSEWAY_STREAMS_KEY and CAUSEWAY_STREAMS_SECRET. One line a report;
            --json and pipes have one JSON object a report.

            Examples:
              causeway streams history ETH/USD --from 60s --limit 20
              causeway streams history ETH/USD --from 1767225600 --json
            """)

    @Argument(help: "Symbol or feed id.")
    var feed: String
    @Option(name: .long, help: ArgumentHelp("Seconds since 1970, or so long ago: 90s, 15m, 2h.", valueName: "time"))
    var from = "60s"
    @Option(name: .long, help: "At most so many reports, 1 to 100.")
    var limit = 10
    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...100).contains(limit) else { throw ValidationError("--limit is 1 to 100") }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let settings = try streams.load()
        guard let chosen = try settings.feeds(named: feed).last else { return .error }
        let start = try HistoryStart.seconds(from, now: UInt64(Date().timeIntervalSince1970))
        let access = try StreamsAPIAccess(streams: streams, settings: settings)
        let target = "/api/v1/reports/page?feedID=\(chosen.feedID)&startTimestamp=\(start)&limit=\(limit)"
        let body = try await access.get(target)
        guard let items = try JSON.parse(body)["reports"]?.asArray else {
            throw CommandFailure("malformedAnswer", "the gateway's answer is no list of reports")
        }
        let reports = try items.map { item in
            let json = try ReportJSON(item)
            return (json, try PriceReport(blob: try FullReport(encoded: json.fullReport).blob))
        }
        out.data(.array(items)) {
            var table = Table(["observed", "price", "valid from"])
            for (json, report) in reports {
                table.add(
                    "\(json.observationsTimestamp)",
                    ReportText.scaled(report.body.price, decimals: chosen.decimals),
                    "\(json.validFromTimestamp)")
            }
            return reports.isEmpty ? "no report of \(chosen.symbol) from then on\n" : table.text()
        }
        return .done
    }
}

enum HistoryStart {
    /// Throws `malformedTime`.
    static func seconds(_ text: String, now: UInt64) throws -> UInt64 {
        if let seconds = UInt64(text) { return seconds }
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = UInt64(text.dropLast()), count < 100_000_000 else {
            throw CommandFailure(
                "malformedTime", "'\(text)' is no time", hint: "seconds since 1970, or 90s, 15m, 2h, 1d", status: .usage)
        }
        return now - min(now, count * unit)
    }
}
