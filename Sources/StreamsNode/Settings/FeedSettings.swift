// One feed of streams.yaml: what it is, and the channel definition that makes its reports (5.2, 5.7 of the price
// specification). Two feeds of one symbol, one of seconds and one of milliseconds, read the same streams.

import Configuration
import Ethereum
import PriceStreams

package struct FeedSettings: Sendable, Equatable {
    package var symbol: String
    package var segment: String
    package var channel: ChannelID
    package var feedID: FeedID
    package var schema: ReportSchema
    package var feedClass: FeedClass
    package var hours: TradingHours
    package var decimals: Int
    /// Silence after which the feed counts as stale, in nanoseconds.
    package var staleAfter: UInt64
    package var positiveOnly: Bool
    package var definition: ChannelDefinition
}

extension FeedSettings {
    /// Which streams a schema's body is made of, in the order of its words.
    private enum Part {
        /// A stream that gives one word.
        case value(role: String, type: String, isPrice: Bool)
        /// A timestamped stream that gives its time and its value.
        case timestamped(role: String)
    }

    private static func parts(_ schema: Int) -> [Part]? {
        switch schema {
        case 4: [.value(role: "price", type: "int192", isPrice: true), .value(role: "status", type: "uint32", isPrice: false)]
        case 7: [.value(role: "rate", type: "int192", isPrice: true)]
        case 8: [.timestamped(role: "price"), .value(role: "status", type: "uint32", isPrice: false)]
        case 9:
            [
                .value(role: "nav", type: "int192", isPrice: true), .value(role: "navDate", type: "uint64", isPrice: false),
                .value(role: "aum", type: "int192", isPrice: true), .value(role: "ripcord", type: "uint32", isPrice: false),
            ]
        case 10:
            [
                .timestamped(role: "price"), .value(role: "status", type: "uint32", isPrice: false),
                .value(role: "multiplier", type: "int192", isPrice: true),
                .value(role: "newMultiplier", type: "int192", isPrice: true),
                .value(role: "activation", type: "uint32", isPrice: false),
                .value(role: "tokenizedPrice", type: "int192", isPrice: true),
            ]
        default: nil
        }
    }

    init(
        _ section: inout ConfigurationSection, streams: [StreamSettings], fees: FeeStreams
    ) throws(ConfigurationError) {
        symbol = try section.value("symbol", expected: "a name such as ETH/USD") { StreamSettings.isName($0) ? $0 : nil }
        let numbers = [3, 4, 7, 8, 9, 10, 11]
        let number = try section.value(
            "schema", expected: "one of \(numbers.map { "v\($0)" }.joined(separator: ", "))"
        ) { text in numbers.first { "v\($0)" == text } }
        let isFast = try section.value("resolution", expected: "s or ms", default: "s") { text in
            text == "s" ? false : text == "ms" ? true : nil
        }
        guard let schema = ReportSchema(version: UInt16(number) | (isFast ? 0x0f00 : 0)) else {
            throw section.refused("schema", "v\(number)", "a schema of our range")
        }
        self.schema = schema
        segment = try section.value("segment", expected: "a name", default: "spot") { StreamSettings.isName($0) ? $0 : nil }
        feedID = FeedID(version: schema.version, symbol: symbol, segment: segment)
        channel = ChannelID(UInt32(try section.integer("channel", in: 1...1_000_000)))
        let classes = FeedClass.allCases.map(\.rawValue).joined(separator: ", ")
        feedClass = try section.value("class", expected: "one of \(classes)", default: "crypto") { FeedClass(rawValue: $0) }
        let hourNames = TradingHours.allCases.map(\.rawValue).joined(separator: ", ")
        hours = try section.value("hours", expected: "one of \(hourNames)", default: "always") { TradingHours(rawValue: $0) }
        decimals = try section.integer("decimals", in: 0...36, default: 18)
        staleAfter = try section.milliseconds("staleAfter", default: 3_000)
        positiveOnly = try section.bool("positiveOnly", default: true)
        let expiration = try section.integer("expirationSeconds", in: 1...157_680_000, default: 2_592_000)
        let fee = try section.value("baseUSDFee", expected: "a decimal number", default: "0") { text in
            (try? Decimal(text: text)).map { _ in text }
        }
        var roles = try section.section("streams")
        let place = section.place
        let builder = DefinitionBuilder(
            channel: channel, feedID: feedID, decimals: decimals, expiration: expiration, fee: fee,
            resolution: isFast ? "ms" : "s", fees: fees)
        func stream(_ role: String) throws(ConfigurationError) -> StreamSettings {
            let names = streams.map(\.name).joined(separator: ", ")
            return try roles.value(role, expected: "one of the streams \(names)") { name in
                streams.first { $0.name == name }
            }
        }
        func check(_ role: String, _ found: StreamSettings, _ kind: StreamValue.Kind) throws(ConfigurationError) {
            guard found.kind == kind else { throw roles.refused(role, found.name, "a stream of kind \(kind)") }
        }
        let text: String
        switch number {
        case 3:
            let quote = try stream("quote")
            try check("quote", quote, .quote)
            text = isFast ? builder.quoteByExpressions(quote) : builder.premium(quote)
        case 11:
            let mid = try stream("mid")
            let quote = try stream("quote")
            try check("mid", mid, .timestamped)
            try check("quote", quote, .quote)
            text = builder.topOfBook(
                mid: mid, quote: quote, bidVolume: try stream("bidVolume"), askVolume: try stream("askVolume"),
                lastTraded: try stream("lastTraded"), status: try stream("status"))
        default:
            var items: [(StreamSettings, String)] = []
            for part in Self.parts(number) ?? [] {
                switch part {
                case .timestamped(let role):
                    let found = try stream(role)
                    try check(role, found, .timestamped)
                    items.append((found, builder.pair()))
                case .value(let role, let type, let isPrice):
                    let found = try stream(role)
                    try check(role, found, .decimal)
                    items.append((found, builder.entry(type, isPrice: isPrice)))
                }
            }
            text = builder.unpacked(items)
        }
        try roles.finish()
        try section.finish()
        do {
            definition = try ChannelDefinition(try JSON.parse(Bytes(text.utf8)))
            _ = try Channel(channel, definition)
        } catch {
            throw ConfigurationError(.invalidValue, "\(place): the channel of \(symbol) is refused: \(error)")
        }
    }
}

/// The streams that price the fees of reports.
package struct FeeStreams: Sendable, Equatable {
    package var native: StreamSettings
    package var link: StreamSettings
}

/// Writes channel definitions as the definition file has them.
private struct DefinitionBuilder {
    let channel: ChannelID
    let feedID: FeedID
    let decimals: Int
    let expiration: Int
    let fee: String
    let resolution: String
    let fees: FeeStreams

    private var scale: String { "1" + String(repeating: "0", count: decimals) }

    func entry(_ type: String, isPrice: Bool, _ more: String = "") -> String {
        "{\"type\":\"\(type)\",\"multiplier\":\"\(isPrice ? scale : "1")\"\(more)}"
    }

    func pair() -> String { "[\(entry("uint64", isPrice: false)),\(entry("int192", isPrice: true))]" }

    private func reference(_ stream: StreamSettings) -> String {
        "{\"streamId\":\(stream.id),\"aggregator\":\"\(stream.aggregator)\"}"
    }

    private func whole(_ format: String, _ streams: [StreamSettings], _ options: String) -> String {
        let all = ([fees.native, fees.link] + streams).map(reference).joined(separator: ",")
        return "{\"reportFormat\":\"\(format)\",\"streams\":[\(all)],\"opts\":{"
            + "\"feedID\":\"\(feedID)\",\"baseUSDFee\":\"\(fee)\",\"expirationWindow\":\(expiration)\(options)}}"
    }

    func premium(_ quote: StreamSettings) -> String {
        whole("evm_premium_legacy", [quote], ",\"multiplier\":\"\(scale)\"")
    }

    func unpacked(_ items: [(StreamSettings, String)]) -> String {
        let entries = items.map(\.1).joined(separator: ",")
        return whole(
            "evm_abi_encode_unpacked", items.map(\.0), ",\"TimeResolution\":\"\(resolution)\",\"abi\":[\(entries)]")
    }

    /// Calculated streams stand above all observed ones: sixteen numbers for each channel.
    private func calculated(_ words: [(expression: String, type: String, isPrice: Bool)]) -> String {
        words.enumerated().map { index, word in
            let id = UInt64(1_000_000) + UInt64(channel.rawValue) * 16 + UInt64(index)
            return entry(
                word.type, isPrice: word.isPrice,
                ",\"expression\":\"\(word.expression)\",\"expressionStreamId\":\(id)")
        }.joined(separator: ",")
    }

    private func byExpressions(_ streams: [StreamSettings], _ words: [(String, String, Bool)]) -> String {
        whole(
            "evm_abi_encode_unpacked_expr", streams,
            ",\"TimeResolution\":\"\(resolution)\",\"abi\":[\(calculated(words))]")
    }

    func quoteByExpressions(_ quote: StreamSettings) -> String {
        let name = "s\(quote.id)"
        return byExpressions(
            [quote],
            [("\(name)_benchmark", "int192", true), ("\(name)_bid", "int192", true), ("\(name)_ask", "int192", true)])
    }

    func topOfBook(
        mid: StreamSettings, quote: StreamSettings, bidVolume: StreamSettings, askVolume: StreamSettings,
        lastTraded: StreamSettings, status: StreamSettings
    ) -> String {
        byExpressions(
            [mid, quote, bidVolume, askVolume, lastTraded, status],
            [
                ("s\(mid.id)", "int192", true), ("s\(mid.id)_timestamp", "uint64", false),
                ("s\(quote.id)_bid", "int192", true), ("s\(bidVolume.id)", "int192", true),
                ("s\(quote.id)_ask", "int192", true), ("s\(askVolume.id)", "int192", true),
                ("s\(lastTraded.id)", "int192", true), ("s\(status.id)", "uint32", false),
            ])
    }
}
