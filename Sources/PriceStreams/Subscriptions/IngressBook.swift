// What a gateway decides about reports that oracles send it (data-streams.md 3.7, 10.2, 12.5): each is published once and
// in order, two that contradict each other raise an alarm, silence and holes are told. It signs nothing.

import Ethereum

/// What a feed's watch needs to know.
package struct WatchedFeed: Equatable, Sendable {
    package let feedID: FeedID
    /// Silence after which it counts as stale, in nanoseconds.
    package let staleAfter: UInt64
    package let hours: TradingHours

    package init(feedID: FeedID, staleAfter: UInt64, hours: TradingHours) {
        self.feedID = feedID
        self.staleAfter = staleAfter
        self.hours = hours
    }
}

package struct IngressBook: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// New, and newer than everything before it: to the store and to the subscribers.
        case publish(PublishableReport)
        /// New, but something newer was published already: to the store alone.
        case late
        case duplicate
        /// The feed is withheld by its operator: to nobody.
        case withheld
        /// Another blob with the same feed and time was signed by F+1 oracles. Kept, published to nobody.
        case equivocation(first: Bytes)
    }

    package enum Note: Equatable, Sendable {
        /// Time that no report covers, in the unit of the feed's header: from the last one to the next.
        case hole(FeedID, after: UInt64, until: UInt64)
        case stale(FeedID, nanoseconds: UInt64)
        case recovered(FeedID)
    }

    private struct Feed: Sendable {
        let watch: WatchedFeed
        /// Header time of the newest published report, and its bytes.
        var observations: UInt64?
        var blob: Bytes = []
        var heardAt: UInt64
        var isStale = false
        /// The last reports that were published, by configuration and round.
        var recent: [(digest: Hash32, sequenceNumber: UInt64)] = []
        var recentAt = 0
        /// Blobs of the last header times: contradictions are looked for among them.
        var past: [(observations: UInt64, blob: Bytes)] = []
        var pastAt = 0
    }

    /// Rounds of one feed that are remembered: three seconds at the highest cadence.
    private static let recentMaximum = 64

    private var feeds: [FeedID: Feed] = [:]
    private let order: [FeedID]
    package private(set) var withheld: Set<FeedID> = []

    package init(_ watches: [WatchedFeed], now: UInt64) {
        order = watches.map(\.feedID).sorted()
        for watch in watches { feeds[watch.feedID] = Feed(watch: watch, heardAt: now) }
    }

    /// Stops publishing feeds rather than publishing what is doubtful; the kill switch of 12.5. These, and no others.
    package mutating func withhold(_ feeds: Set<FeedID>, now: UInt64) {
        // Silence counts from the release on.
        for id in order where withheld.contains(id) && !feeds.contains(id) { self.feeds[id]?.heardAt = now }
        for id in order where feeds.contains(id) { self.feeds[id]?.isStale = false }
        withheld = feeds
    }

    /// Whether this very report was published before: asked before its signatures are looked at.
    package func knows(_ feedID: FeedID, digest: Hash32, sequenceNumber: UInt64) -> Bool {
        feeds[feedID]?.recent.contains { $0.sequenceNumber == sequenceNumber && $0.digest == digest } ?? false
    }

    /// Decides about a report whose signatures were checked. `label` is the round's full time as the oracle tells it,
    /// which the signed bytes bear out as far as their unit goes; else their own time counts.
    package mutating func admit(
        _ verified: VerifiedReport, encoded: Bytes, label: UInt64, now: UInt64
    ) -> (verdict: Verdict, notes: [Note]) {
        let report = verified.report
        guard var feed = feeds[report.feedID] else { return (.withheld, []) }
        let context = verified.fullReport.context
        guard !knows(report.feedID, digest: context.configurationDigest, sequenceNumber: context.sequenceNumber) else {
            return (.duplicate, [])
        }
        guard !withheld.contains(report.feedID) else { return (.withheld, []) }
        let blob = verified.fullReport.blob
        let time = report.header.observations
        if let known = feed.past.first(where: { $0.observations == time }) {
            return (known.blob == blob ? .duplicate : .equivocation(first: known.blob), [])
        }
        defer { feeds[report.feedID] = feed }
        Self.remember(&feed.past, &feed.pastAt, (time, blob))
        Self.remember(&feed.recent, &feed.recentAt, (context.configurationDigest, context.sequenceNumber))
        if let last = feed.observations, time < last { return (.late, []) }
        var notes: [Note] = []
        if let last = feed.observations, report.header.validFrom > last + 1 {
            notes.append(.hole(report.feedID, after: last, until: report.header.validFrom))
        }
        if feed.isStale {
            feed.isStale = false
            notes.append(.recovered(report.feedID))
        }
        (feed.observations, feed.blob, feed.heardAt) = (time, blob, now)
        var flags: StreamFlags = []
        if report.schema.headerUnit == .milliseconds { flags.insert(.subSecond) }
        if report.session(hours: feed.watch.hours) == .closed { flags.insert(.marketClosed) }
        let unit = report.schema.headerUnit.nanoseconds
        let full = label / unit == time ? label : report.observationsNanoseconds
        return (
            .publish(
                PublishableReport(
                    feedID: report.feedID, flags: flags, observationsTimestampNanoseconds: full, payload: encoded)),
            notes
        )
    }

    /// Looks for feeds that fell silent.
    package mutating func tick(now: UInt64) -> [Note] {
        var notes: [Note] = []
        for id in order {
            guard let feed = feeds[id], !feed.isStale, !withheld.contains(id),
                now > feed.heardAt + feed.watch.staleAfter
            else { continue }
            feeds[id]?.isStale = true
            notes.append(.stale(id, nanoseconds: now - feed.heardAt))
        }
        return notes
    }

    package var staleFeeds: [FeedID] { order.filter { feeds[$0]?.isStale ?? false } }

    private static func remember<Item>(_ ring: inout [Item], _ at: inout Int, _ item: Item) {
        if ring.count < recentMaximum {
            ring.append(item)
        } else {
            ring[at] = item
            at = (at + 1) % recentMaximum
        }
    }
}
