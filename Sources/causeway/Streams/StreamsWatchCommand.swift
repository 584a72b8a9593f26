// causeway streams watch: a live table of prices in a terminal, one JSON object a report into a pipe.

import ArgumentParser
import Configuration
import Ethereum
import Foundation
import Glibc
import PriceStreams
import StreamsNode
import Synchronization

struct StreamsWatchCommand: CausewayCommand {
    static let path = "streams watch"
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow prices live.",
        discussion: """
            In a terminal it draws a table: price, spread, age of the report and of the price, signers, gaps. Into a pipe, or
            with --json, it writes one JSON object for each report. Every report is checked before it is shown. Ctrl-C ends it.

            Examples:
              causeway streams watch
              causeway streams watch ETH/USD BTC/USD
              causeway streams watch ETH/USD --count 5 | jq .price
            """)

    @Argument(help: "Symbols or feed ids; all feeds when none is given.")
    var feeds: [String] = []
    @Option(name: .long, help: "End after so many reports.")
    var count: Int?
    @Flag(name: .long, help: "Every report in order, waiting for missing ones, instead of the newest at once.")
    var complete = false
    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is at least 1") }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let settings = try streams.load()
        let wanted = try feeds.flatMap { try settings.feeds(named: $0) }
        var configuration = try StreamClientConfiguration(
            streams: settings, configurations: try streams.configurations(), keyPair: nil)
        configuration.feeds = wanted.map(\.feedID)
        configuration.mode = complete ? .complete : .latest
        let board = WatchBoard(settings: settings, feeds: wanted.isEmpty ? settings.feeds : wanted)
        let isDrawn = !output.json && isatty(1) == 1
        let (ends, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        let remaining = Mutex(count ?? Int.max)
        let client = try StreamClient(configuration: configuration, logger: StreamsLimits.silent) { update in
            board.take(update)
            guard case .report(let delivery) = update else {
                if !isDrawn, let line = board.words(update) { out.talk(line) }
                return
            }
            let isMine = remaining.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            guard isMine else { return }
            if !isDrawn {
                Terminal.writeData(ReportText.json(delivery, feed: settings.feed(delivery.report.feedID)).text + "\n")
            }
            if remaining.withLock({ $0 }) == 0 { end.yield() }
        }
        defer { client.stop() }
        let signals = Signals()
        let ending = Task {
            _ = await signals.first()
            end.yield()
        }
        defer { ending.cancel() }
        let drawing = Task {
            guard isDrawn else { return }
            Terminal.writeData("\u{1b}[?25l")
            while !Task.isCancelled {
                Terminal.writeData("\u{1b}[H\u{1b}[J" + board.table(now: board.now()))
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        for await _ in ends { break }
        drawing.cancel()
        if isDrawn { Terminal.writeData("\u{1b}[H\u{1b}[J" + board.table(now: board.now()) + "\u{1b}[?25h") }
        return .done
    }
}

/// What was last seen of each feed.
final class WatchBoard: Sendable {
    private struct Row {
        var last: StreamDelivery?
        var reports: UInt64 = 0
        var gaps: UInt64 = 0
        var uncovered: UInt64 = 0
        var direction = 0
        var first: UInt64 = 0
    }

    private struct State {
        var rows: [FeedID: Row] = [:]
        var refused: [String: UInt64] = [:]
        var stalled: Set<String> = []
        /// Feeds that gateways withhold, by gateway.
        var withheld: [String: Set<FeedID>] = [:]
    }

    private let settings: StreamsSettings
    private let feeds: [FeedSettings]
    private let state = Mutex(State())

    init(settings: StreamsSettings, feeds: [FeedSettings]) {
        self.settings = settings
        self.feeds = feeds
    }

    func now() -> UInt64 { UInt64(Date().timeIntervalSince1970 * 1_000) * 1_000_000 }

    func take(_ update: StreamUpdate) {
        state.withLock { state in
            switch update {
            case .report(let delivery):
                var row = state.rows[delivery.report.feedID] ?? Row(first: delivery.receivedAt)
                if let last = row.last {
                    let (old, new) = (last.report.body.price, delivery.report.body.price)
                    if old != new { row.direction = old < new ? 1 : -1 }
                }
                row.last = delivery
                row.reports += 1
                state.rows[delivery.report.feedID] = row
            case .gap(let gap, _): state.rows[gap.feedID, default: Row()].gaps += gap.to - gap.from + 1
            case .uncovered(let feed, _, _): state.rows[feed, default: Row()].uncovered += 1
            case .refused(let reason, _): state.refused[reason, default: 0] += 1
            case .stalled(let gateway): state.stalled.insert(gateway)
            case .resumed(let gateway): state.stalled.remove(gateway)
            case .withheld(let feed, let gateway): state.withheld[gateway, default: []].insert(feed)
            case .released(let feed, let gateway): state.withheld[gateway]?.remove(feed)
            case .restarted(let gateway): state.withheld[gateway] = nil
            case .lost, .tooSlow: break
            }
        }
    }

    /// For people beside a pipe; nil for what is no news to them.
    func words(_ update: StreamUpdate) -> String? {
        func name(_ feed: FeedID) -> String { settings.feed(feed)?.symbol ?? feed.text }
        return switch update {
        case .report: nil
        case .gap(let gap, let gateway): "\(name(gap.feedID)): \(gap.from) to \(gap.to) did not come from \(gateway), asked for"
        case .lost(let gap, let gateway): "\(name(gap.feedID)): \(gap.from) to \(gap.to) are gone from \(gateway)"
        case .uncovered(let feed, let after, let until): "\(name(feed)): no report covers \(after) to \(until)"
        case .stalled(let gateway): "\(gateway) is silent"
        case .resumed(let gateway): "\(gateway) speaks again"
        case .restarted(let gateway): "\(gateway) started anew"
        case .tooSlow(let gateway): "this process is too slow for \(gateway); connected again"
        case .withheld(let feed, let gateway): "\(name(feed)) is withheld by \(gateway)'s operator"
        case .released(let feed, let gateway): "\(name(feed)) is published by \(gateway) again"
        case .refused(let reason, let gateway): "refused from \(gateway): \(reason)"
        }
    }

    func table(now: UInt64) -> String {
        let (rows, refused, stalled, withheld) = state.withLock { ($0.rows, $0.refused, $0.stalled, $0.withheld) }
        var table = Table(["feed", "price", "spread", "report age", "price age", "market", "signers", "per s", "gaps"])
        for feed in feeds {
            guard let row = rows[feed.feedID], let last = row.last else {
                table.add("\(feed.symbol) \(feed.schema.headerUnit == .milliseconds ? "ms" : "s")", "-")
                continue
            }
            table.add(cells(feed, row, last, now))
        }
        var text = Terminal.data.paint("\(settings.name), DON \(settings.donID)", .bold) + "  Ctrl-C ends\n\n" + table.text()
        if !stalled.isEmpty { text += "\nsilent: \(stalled.sorted().joined(separator: ", "))\n" }
        for (gateway, held) in withheld.sorted(by: { $0.key < $1.key }) where !held.isEmpty {
            let names = feeds.filter { held.contains($0.feedID) }.map { "\($0.symbol) \($0.schema.name)" }
            text += "\nwithheld by \(gateway)'s operator: \(names.joined(separator: ", "))\n"
        }
        if !refused.isEmpty {
            text += "\nrefused: " + refused.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") + "\n"
        }
        return text
    }

    private func cells(_ feed: FeedSettings, _ row: Row, _ last: StreamDelivery, _ now: UInt64) -> [String] {
        let report = last.report
        let price = ReportText.scaled(report.body.price, decimals: feed.decimals)
        let arrow = row.direction > 0 ? "▲" : row.direction < 0 ? "▼" : " "
        let colour: Terminal.Colour = row.direction > 0 ? .green : row.direction < 0 ? .red : .faint
        let age = now > last.observationsTimestampNanoseconds ? (now - last.observationsTimestampNanoseconds) / 1_000_000 : 0
        let isStale = age * 1_000_000 > feed.staleAfter
        let priceAge = report.body.priceNanoseconds.map { now > $0 ? (now - $0) / 1_000_000 : 0 }
        let seconds = Double(max(1, last.receivedAt &- row.first)) / 1e9
        let rate = row.reports > 1 ? String(format: "%.1f", Double(row.reports - 1) / seconds) : "-"
        return [
            "\(feed.symbol) \(feed.schema.headerUnit == .milliseconds ? "ms" : "s")",
            Terminal.data.paint("\(arrow) \(price)", colour), Self.spread(report),
            Terminal.data.paint(Self.age(age), isStale ? .red : .faint), priceAge.map(Self.age) ?? "",
            report.session(hours: feed.hours)?.rawValue ?? "",
            (last.verified?.signers ?? []).map(String.init).joined(separator: ","), rate,
            row.gaps + row.uncovered == 0 ? "0" : Terminal.data.paint("\(row.gaps + row.uncovered)", .yellow),
        ]
    }

    private static func age(_ milliseconds: UInt64) -> String {
        milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1_000) s"
    }

    /// Basis points between bid and ask; empty where the report has no sides.
    private static func spread(_ report: PriceReport) -> String {
        let price = report.body.price
        guard let (bid, ask) = report.body.quote, price.isPositive,
            let millionths = ask.distance(to: bid).multiplied(by: U256(1_000_000), dividedBy: price.magnitude)?.asUInt64
        else { return "" }
        return String(format: "%.2f bp", Double(millionths) / 100)
    }
}
