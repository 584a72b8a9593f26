// What a gateway tells of its feeds and its DON (8.2, 8.5 of the price specification): made once, at the start.

import Ethereum
import PriceStreams

/// What clients are told about one feed.
package struct CatalogueFeed: Equatable, Sendable {
    package var feedID: FeedID
    package var symbol: String
    package var segment: String
    package var decimals: Int
    package var feedClass: FeedClass
    package var hours: TradingHours
    package var staleAfterNanoseconds: UInt64
    package var positiveOnly: Bool

    package init(
        feedID: FeedID, symbol: String, segment: String = "spot", decimals: Int = 18, feedClass: FeedClass = .crypto,
        hours: TradingHours = .always, staleAfterNanoseconds: UInt64 = 3_000_000_000, positiveOnly: Bool = true
    ) {
        self.feedID = feedID
        self.symbol = symbol
        self.segment = segment
        self.decimals = decimals
        self.feedClass = feedClass
        self.hours = hours
        self.staleAfterNanoseconds = staleAfterNanoseconds
        self.positiveOnly = positiveOnly
    }

    package init(_ feed: FeedSettings) {
        self.init(
            feedID: feed.feedID, symbol: feed.symbol, segment: feed.segment, decimals: feed.decimals,
            feedClass: feed.feedClass, hours: feed.hours, staleAfterNanoseconds: feed.staleAfter,
            positiveOnly: feed.positiveOnly)
    }

    /// Other clients know the schemas 1 to 13 only.
    var isPublic: Bool { ReportSchema.versions.contains(feedID.version) }
    var unit: ReportSchema.HeaderUnit { ReportSchema(version: feedID.version)?.headerUnit ?? .seconds }

    /// The members that the TypeScript client has a type for; others read the first alone.
    var compatible: JSON {
        let sides = symbol.split(separator: "/", maxSplits: 1).map(String.init)
        return .object(JSONObject([
            ("feedID", .string(feedID.text)), ("name", .string(symbol)), ("decimals", .integer(decimals)),
            ("asset", .string(sides.first ?? symbol)), ("quoteAsset", .string(sides.count > 1 ? sides[1] : "")),
        ]))
    }

    var whole: JSON {
        .object(JSONObject([
            ("feedID", .string(feedID.text)), ("symbol", .string(symbol)), ("segment", .string(segment)),
            ("schema", .string("v\(ReportSchema(version: feedID.version)?.number ?? 0)")),
            ("version", .integer(Int(feedID.version))), ("decimals", .integer(decimals)),
            ("headerResolution", .string(unit == .seconds ? "s" : "ms")), ("class", .string(feedClass.rawValue)),
            ("tradingHours", .string(hours.rawValue)),
            ("staleAfterMilliseconds", .integer(Int(clamping: staleAfterNanoseconds / 1_000_000))),
            ("positiveOnly", .bool(positiveOnly)),
        ]))
    }
}

package struct FeedCatalogue: Sendable {
    package let feeds: [CatalogueFeed]
    package let origins: [String]
    private let byID: [FeedID: CatalogueFeed]
    /// The finished bodies of the two open paths.
    let wholeBody: Bytes
    let donBody: Bytes

    package init(feeds: [CatalogueFeed], origins: [String], don: [OracleSet], donName: String) {
        self.feeds = feeds
        self.origins = origins
        byID = Dictionary(feeds.map { ($0.feedID, $0) }) { first, _ in first }
        wholeBody = JSON.object(JSONObject([("feeds", .array(feeds.map(\.whole)))])).bytes
        let configurations = don.map { set in
            JSON.object(JSONObject([
                ("configurationDigest", .hash(set.digest)), ("donID", .integer(Int(set.donID))),
                ("faulty", .integer(set.faulty)),
                ("signers", .array(set.signers.map { .string($0.checksummed) })), ("isActive", .bool(set.isActive)),
            ]))
        }
        donBody = JSON.object(
            JSONObject([("name", .string(donName)), ("configurations", .array(configurations))])
        ).bytes
    }

    package init(_ streams: StreamsSettings) throws(PriceStreamsError) {
        self.init(
            feeds: streams.feeds.map { CatalogueFeed($0) }, origins: streams.gateways.map(\.name),
            don: [try streams.oracleSet()], donName: streams.name)
    }

    subscript(_ feedID: FeedID) -> CatalogueFeed? { byID[feedID] }

    /// Refuses alike what does not exist and what this key may not read (7.4 step 6).
    func authorise(_ feedIDs: [FeedID], _ key: APIKey) throws(APIRefusal) {
        for feedID in feedIDs where byID[feedID] == nil || !key.mayRead(feedID) { throw .forbidden(feedID) }
    }

    /// `{east,west}` (10.1): without blanks, which the Go client would take for part of a name.
    package var originsHeader: String { "{\(origins.joined(separator: ","))}" }
}
