// The streams and feeds that a local network has unless it is told to have none. Values only; StreamsDocument writes them.

import Ethereum
import PriceStreams

/// One observed value, as streams.yaml names it.
package struct LocalStream: Sendable, Equatable {
    package enum Kind: String, Sendable { case decimal, quote, timestamped, status }

    package var name: String
    package var id: UInt32
    package var kind: Kind
    package var streamClass: StreamClass

    var rule: StreamRule { StreamRule(streamID: StreamID(id), class: streamClass) }
}

package struct LocalFeed: Sendable, Equatable {
    package var symbol: String
    package var schema: UInt16
    package var isFast = false
    package var channel: Int
    package var feedClass: FeedClass
    package var hours = TradingHours.always
    /// Names of streams by their role in the report.
    package var streams: [(role: String, stream: String)]

    package var segment: String { isFast ? "fast" : "spot" }
    package var feedID: FeedID {
        FeedID(version: isFast ? 0x0f00 | schema : schema, symbol: symbol, segment: segment)
    }

    package static func == (a: LocalFeed, b: LocalFeed) -> Bool { a.text == b.text }
}

package struct LocalFeeds: Sendable, Equatable {
    package private(set) var streams: [LocalStream] = []
    package private(set) var feeds: [LocalFeed] = []

    /// Streams that price the fees of reports, and the feeds that contracts take prices from.
    package static let native = "ETH/USD"
    package static let link = "LINK/USD"
    /// Of all prices of the local network.
    package static let decimals: UInt8 = 18

    package static let standard: LocalFeeds = {
        var feeds = LocalFeeds()
        for symbol in [native, "BTC/USD", link, "USDC/USD"] { feeds.addQuote(symbol, .crypto, .crypto) }
        feeds.addQuote("CNH/USD", .currency, .currency)
        feeds.addQuote("XAU/USD", .commodity, .commodity)
        feeds.addHours("WTI/USD")
        feeds.addEquity("AAPL/USD")
        feeds.addFund("FUND/USD")
        for symbol in [native, link] { feeds.add(feeStream(symbol), .decimal, .crypto) }
        return feeds
    }()

    /// Fees are counted with a plain number, not with a quote.
    static func feeStream(_ symbol: String) -> String { symbol + ".price" }

    package func feed(_ symbol: String, isFast: Bool = false) -> LocalFeed? {
        feeds.first { $0.symbol == symbol && $0.isFast == isFast }
    }

    // MARK: Kinds of feeds

    @discardableResult
    private mutating func add(_ name: String, _ kind: LocalStream.Kind, _ streamClass: StreamClass) -> String {
        streams.append(LocalStream(name: name, id: UInt32(streams.count + 1), kind: kind, streamClass: streamClass))
        return name
    }

    private var nextChannel: Int { feeds.count + 1 }

    /// Bid, middle and ask: a feed with whole seconds, as public clients know it, and a fast one.
    private mutating func addQuote(_ symbol: String, _ streamClass: StreamClass, _ feedClass: FeedClass) {
        let quote = add(symbol + ".quote", .quote, streamClass)
        for isFast in [false, true] {
            feeds.append(
                LocalFeed(
                    symbol: symbol, schema: 3, isFast: isFast, channel: nextChannel, feedClass: feedClass,
                    streams: [("quote", quote)]))
        }
    }

    /// A price with its own time, and whether its market is open.
    private mutating func addHours(_ symbol: String) {
        let price = add(symbol + ".price", .timestamped, .commodity)
        let status = add(symbol + ".status", .status, .status)
        feeds.append(
            LocalFeed(
                symbol: symbol, schema: 8, channel: nextChannel, feedClass: .commodity, hours: .standard,
                streams: [("price", price), ("status", status)]))
    }

    /// Top of the book of a share in four sessions a day.
    private mutating func addEquity(_ symbol: String) {
        let parts: [(String, LocalStream.Kind, StreamClass)] = [
            ("mid", .timestamped, .equity), ("quote", .quote, .equity), ("bidVolume", .decimal, .number),
            ("askVolume", .decimal, .number), ("lastTraded", .decimal, .equity), ("status", .status, .status),
        ]
        feeds.append(
            LocalFeed(
                symbol: symbol, schema: 11, channel: nextChannel, feedClass: .equity, hours: .equities24x5,
                streams: parts.map { ($0.0, add("\(symbol).\($0.0)", $0.1, $0.2)) }))
    }

    /// A net asset value, told once a day.
    private mutating func addFund(_ symbol: String) {
        let parts: [(String, StreamClass)] = [
            ("nav", .netAssetValue), ("navDate", .number), ("aum", .number), ("ripcord", .number),
        ]
        feeds.append(
            LocalFeed(
                symbol: symbol, schema: 9, channel: nextChannel, feedClass: .netAssetValue,
                streams: parts.map { ($0.0, add("\(symbol).\($0.0)", .decimal, $0.1)) }))
    }
}

extension LocalStream {
    /// The simulated market stands for all venues.
    var text: String {
        "{name: \(name), id: \(id), kind: \(kind.rawValue), class: \(streamClass.rawValue), sources: 1}"
    }
}

extension LocalFeed {
    var text: String {
        let roles = streams.map { "\($0.role): \($0.stream)" }.joined(separator: ", ")
        return "{symbol: \(symbol), schema: v\(schema), resolution: \(isFast ? "ms" : "s"), segment: \(segment), "
            + "channel: \(channel), class: \(feedClass.rawValue), hours: \(hours.rawValue), streams: {\(roles)}}"
    }
}
