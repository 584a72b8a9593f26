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
        /// New, and newer than everything that was published: to the store, and to the subscribers in its turn.
        case taken
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

    /// A report whose turn to be published has come.
    package struct Release: Sendable {
        package let verified: VerifiedReport
        package let report: PublishableReport
        package let receivedAt: UInt64
    }

    package struct Admission: Sendable {
        package var verdict: Verdict
        /// In order; the report itself is among them, or waits.
        package var released: [Release] = []
        package var notes: [Note] = []
    }

    /// Waits for the report before it, which another oracle is to bring.
    private struct Held: Sendable {
        let release: Release
        let until: UInt64

        var header: ReportHeader { release.verified.report.header }
    }

    private struct Feed: Sendable {
        let watch: WatchedFeed
        /// Header time of the newest published report.
        var observations: UInt64?
        var heardAt: UInt64
        var isStale = false
        /// The last reports that were published, by configuration and round.
        var recent: [(digest: Hash32, sequenceNumber: UInt64)] = []
        var recentAt = 0
        /// Blobs of the last header times: contradictions are looked for among them.
        var past: [(observations: UInt64, blob: Bytes)] = []
        var pastAt = 0
        /// Ascending by time.
        var held: [Held] = []
    }

    /// Rounds of one feed that are remembered: three seconds at the highest cadence.
    private static let recentMaximum = 64
    /// Reports of one feed that wait: more rounds than an oracle that stands in is late by.
    package static let heldMaximum = 32

    private var feeds: [FeedID: Feed] = [:]
    private let order: [FeedID]
    private let patience: UInt64
    /// Feeds of which reports wait.
    private var waiting: Set<FeedID> = []
    package private(set) var withheld: Set<FeedID> = []

    /// - Parameter patience: nanoseconds for which a report waits for the one before it, so that oracles that stand in for
    ///   others leave no hole.
    package init(_ watches: [WatchedFeed], patience: UInt64 = 0, now: UInt64) {
        self.patience = patience
        order = watches.map(\.feedID).sorted()
        for watch in watches { feeds[watch.feedID] = Feed(watch: watch, heardAt: now) }
    }

    /// Stops publishing feeds rather than publishing what is doubtful; the kill switch of 12.5. These, and no others.
    package mutating func withhold(_ feeds: Set<FeedID>, now: UInt64) {
        // Silence counts from the release on.
        for id in order where withheld.contains(id) && !feeds.contains(id) { self.feeds[id]?.heardAt = now }
        for id in order where feeds.contains(id) {
            self.feeds[id]?.isStale = false
            self.feeds[id]?.held = []
            waiting.remove(id)
        }
        withheld = feeds
    }

    /// Whether this very report was published before: asked before its signatures are looked at.
    package func knows(_ feedID: FeedID, digest: Hash32, sequenceNumber: UInt64) -> Bool {
        feeds[feedID]?.recent.contains { $0.sequenceNumber == sequenceNumber && $0.digest == digest } ?? false
    }

    /// Decides about a report whose signatures were checked. `label` is the round's full time as the oracle tells it,
    /// which the signed bytes bear out as far as their unit goes; else their own time counts.
    package mutating func admit(
        _ verified: VerifiedReport, encoded: Bytes, label: UInt64, receivedAt: UInt64, now: UInt64
    ) -> Admission {
        let report = verified.report
        guard var feed = feeds[report.feedID] else { return Admission(verdict: .withheld) }
        let context = verified.fullReport.context
        guard !knows(report.feedID, digest: context.configurationDigest, sequenceNumber: context.sequenceNumber) else {
            return Admission(verdict: .duplicate)
        }
        guard !withheld.contains(report.feedID) else { return Admission(verdict: .withheld) }
        let blob = verified.fullReport.blob
        let time = report.header.observations
        if let known = feed.past.first(where: { $0.observations == time }) {
            return Admission(verdict: known.blob == blob ? .duplicate : .equivocation(first: known.blob))
        }
        defer { feeds[report.feedID] = feed }
        Self.remember(&feed.past, &feed.pastAt, (time, blob))
        Self.remember(&feed.recent, &feed.recentAt, (context.configurationDigest, context.sequenceNumber))
        if let last = feed.observations, time < last { return Admission(verdict: .late) }
        var flags: StreamFlags = []
        if report.schema.headerUnit == .milliseconds { flags.insert(.subSecond) }
        if report.session(hours: feed.watch.hours) == .closed { flags.insert(.marketClosed) }
        let unit = report.schema.headerUnit.nanoseconds
        let full = label / unit == time ? label : report.observationsNanoseconds
        let release = Release(
            verified: verified,
            report: PublishableReport(
                feedID: report.feedID, flags: flags, observationsTimestampNanoseconds: full, payload: encoded),
            receivedAt: receivedAt)
        let place = feed.held.firstIndex { $0.header.observations > time } ?? feed.held.count
        feed.held.insert(Held(release: release, until: now + patience), at: place)
        var admission = Admission(verdict: .taken)
        self.release(&feed, now, &admission.released, &admission.notes)
        return admission
    }

    /// Takes out what follows on what was published, what has waited long enough, and what is too much to wait.
    private mutating func release(_ feed: inout Feed, _ now: UInt64, _ released: inout [Release], _ notes: inout [Note]) {
        let id = feed.watch.feedID
        while let first = feed.held.first {
            let follows = feed.observations.map { first.header.validFrom <= $0 + 1 } ?? true
            guard follows || now >= first.until || feed.held.count > Self.heldMaximum else { break }
            feed.held.removeFirst()
            if let last = feed.observations, !follows {
                notes.append(.hole(id, after: last, until: first.header.validFrom))
            }
            if feed.isStale {
                feed.isStale = false
                notes.append(.recovered(id))
            }
            (feed.observations, feed.heardAt) = (first.header.observations, now)
            released.append(first.release)
        }
        if feed.held.isEmpty { waiting.remove(id) } else { waiting.insert(id) }
    }

    package var hasWaiting: Bool { !waiting.isEmpty }

    /// What has waited long enough, in the order of feeds and times.
    package mutating func releaseDue(now: UInt64) -> (released: [Release], notes: [Note]) {
        var released: [Release] = []
        var notes: [Note] = []
        for id in waiting.sorted() {
            guard var feed = feeds[id] else { continue }
            release(&feed, now, &released, &notes)
            feeds[id] = feed
        }
        return (released, notes)
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
