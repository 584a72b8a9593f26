// Reports as this interface gives them out, and where they come from.

import Ethereum
import PriceStreams
import Storage

/// One report with the times that its JSON needs.
package struct APIReport: Equatable, Sendable {
    package let feedID: FeedID
    /// Whole seconds; the first one that the report covers.
    package let firstSecond: UInt64
    package let validFromNanoseconds: UInt64
    package let observationsNanoseconds: UInt64
    package let sequenceNumber: UInt64
    package let fullReport: Bytes

    package init(
        feedID: FeedID, validFromNanoseconds: UInt64, observationsNanoseconds: UInt64, sequenceNumber: UInt64,
        fullReport: Bytes
    ) {
        self.feedID = feedID
        self.firstSecond = validFromNanoseconds / 1_000_000_000
        self.validFromNanoseconds = validFromNanoseconds
        self.observationsNanoseconds = observationsNanoseconds
        self.sequenceNumber = sequenceNumber
        self.fullReport = fullReport
    }

    package init(_ published: PublishedReport) {
        let report = published.verified.report
        self.init(
            feedID: report.feedID, validFromNanoseconds: report.validFromNanoseconds,
            observationsNanoseconds: report.observationsNanoseconds,
            sequenceNumber: published.verified.fullReport.context.sequenceNumber, fullReport: published.encoded)
    }

    /// Nil for a row under a feed id that has no schema.
    package init?(_ row: ReportRow) {
        guard let feedID = FeedID(bytes: row.feed), let schema = ReportSchema(version: feedID.version) else { return nil }
        self.init(
            feedID: feedID, validFromNanoseconds: row.validFrom.multipliedClamping(schema.headerUnit.nanoseconds),
            observationsNanoseconds: row.observed, sequenceNumber: row.sequence, fullReport: row.payload)
    }

    package var second: UInt64 { observationsNanoseconds / 1_000_000_000 }

    var json: ReportJSON {
        ReportJSON(
            feedID: feedID, validFromTimestamp: firstSecond, observationsTimestamp: second, fullReport: fullReport)
    }

    /// Nanoseconds do not fit the numbers of JavaScript: they are text.
    var whole: JSON {
        .object(JSONObject([
            ("feedID", .string(feedID.text)), ("validFromNs", .string(String(validFromNanoseconds))),
            ("observationsNs", .string(String(observationsNanoseconds))),
            ("sequenceNumber", .string(String(sequenceNumber))), ("fullReport", .string(Hex.encode(fullReport))),
        ]))
    }
}

extension UInt64 {
    fileprivate func multipliedClamping(_ factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// What was published. Throws what the storage throws.
package protocol ReportHistory: Sendable {
    func latest(of feedID: FeedID) throws -> APIReport?
    /// The report that covers a second; where several lie in it, the last of them.
    func covering(second: UInt64, of feedID: FeedID) throws -> APIReport?
    /// Ascending, both ends included.
    func page(of feedID: FeedID, from: UInt64, to end: UInt64, limit: Int) throws -> [APIReport]
    /// Whether the operator stopped the feed: what was published stays, but nothing is the newest.
    func isWithheld(_ feedID: FeedID) -> Bool
}

extension ReportHistory {
    /// From a second on, the last report of each second, at most `limit` of them.
    func seconds(of feed: CatalogueFeed, from second: UInt64, limit: Int) throws -> [APIReport] {
        var folded: [APIReport] = []
        var from = second * 1_000_000_000
        // Feeds of whole seconds have one report in each.
        let step = feed.unit == .seconds ? limit : Limits.foldedRowsStep
        while true {
            let rows = try page(of: feed.feedID, from: from, to: .max, limit: step)
            for row in rows {
                if folded.last?.second == row.second { folded[folded.count - 1] = row } else { folded.append(row) }
                if folded.count > limit { return Array(folded.prefix(limit)) }
            }
            guard rows.count == step, let last = rows.last, last.observationsNanoseconds < .max else { return folded }
            if feed.unit == .seconds, folded.count == limit { return folded }
            from = last.observationsNanoseconds + 1
        }
    }
}

/// The memory and the store of a gateway.
package struct GatewayHistory: ReportHistory {
    let node: GatewayNode

    package init(_ node: GatewayNode) { self.node = node }

    package func isWithheld(_ feedID: FeedID) -> Bool { node.withheldFeeds.contains(feedID) }

    package func latest(of feedID: FeedID) throws -> APIReport? {
        if isWithheld(feedID) { return nil }
        if let latest = node.latest(of: feedID) { return APIReport(latest) }
        return try node.store.latest(of: feedID.bytes).flatMap { APIReport($0) }
    }

    package func covering(second: UInt64, of feedID: FeedID) throws -> APIReport? {
        // The newest is not on the disk yet.
        if let latest = try latest(of: feedID), latest.second == second { return latest }
        if let stored = try node.store.covering(second: second, of: feedID.bytes) { return APIReport(stored) }
        guard let latest = try latest(of: feedID), latest.firstSecond <= second, second <= latest.second else { return nil }
        return latest
    }

    package func page(of feedID: FeedID, from: UInt64, to end: UInt64, limit: Int) throws -> [APIReport] {
        try node.store.page(of: feedID.bytes, from: from, to: end, limit: limit).compactMap { APIReport($0) }
    }
}
