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

    /// The last so many, the oldest overwritten first.
    private struct Recent<Item: Sendable>: Sendable {
        private(set) var items: [Item] = []
        private var oldest = 0

        mutating func append(_ item: Item) {
            if items.count < recentMaximum {
                items.append(item)
            } else {
                items[oldest] = item
                oldest = (oldest + 1) % recentMaximum
            }
        }
    }

    private struct Round: Sendable {
        let digest: Hash32
        let sequenceNumber: UInt64
    }

    private struct Past: Sendable {
        let observations: UInt64
        let blob: Bytes
    }

    private struct Feed: Sendable {
        let watch: WatchedFeed
        /// Header time of the newest published report.
        var observations: UInt64?
        var heardAt: UInt64
        var isStale = false
        /// The last reports that were published, by configuration and round.
        var recent = Recent<Round>()
        /// Blobs of the last header times: contradictions are looked for among them.
        var past = Recent<Past>()
        /// Ascending by time.
        var held: [Held] = []

        func knows(_ digest: Hash32, _ sequenceNumber: UInt64) -> Bool {
            recent.items.contains { $0.sequenceNumber == sequenceNumber && $0.digest == digest }
        }
    }

    /// Rounds of one feed that are remembered: three seconds at the highest cadence.
    private static let recentMaximum = 64
    /// Reports of one feed that wait: more rounds than an oracle that stands in is late by.
    package static let heldMaximum = 32

    /// Ascending by id. They are changed where they stand: a copy would copy all that is remembered of a feed.
    private var feeds: [Feed] = []
    private let places: [FeedID: Int]
    private let patience: UInt64
    /// Places of the feeds of which reports wait.
    private var waiting: Set<Int> = []
    package private(set) var withheld: Set<FeedID> = []

    /// - Parameter patience: nanoseconds for which a report waits for the one before it, so that oracles that stand in for
    ///   others leave no hole.
    package init(_ watches: [WatchedFeed], patience: UInt64 = 0, now: UInt64) {
        self.patience = patience
        var places: [FeedID: Int] = [:]
        for watch in watches.sorted(by: { $0.feedID < $1.feedID }) where places[watch.feedID] == nil {
            places[watch.feedID] = feeds.count
            feeds.append(Feed(watch: watch, heardAt: now))
        }
        self.places = places
    }

    /// Stops publishing feeds rather than publishing what is doubtful; the kill switch of 12.5. These, and no others.
    package mutating func withhold(_ withheld: Set<FeedID>, now: UInt64) {
        for place in feeds.indices {
            let id = feeds[place].watch.feedID
            if withheld.contains(id) {
                feeds[place].isStale = false
                feeds[place].held = []
                waiting.remove(place)
            } else if self.withheld.contains(id) {
                // Silence counts from the release on.
                feeds[place].heardAt = now
            }
        }
        self.withheld = withheld
    }

    /// Whether this very report was published before: asked before its signatures are looked at.
    package func knows(_ feedID: FeedID, digest: Hash32, sequenceNumber: UInt64) -> Bool {
        places[feedID].map { feeds[$0].knows(digest, sequenceNumber) } ?? false
    }

    /// Decides about a report whose signatures were checked. `label` is the round's full time as the oracle tells it,
    /// which the signed bytes bear out as far as their unit goes; else their own time counts.
    package mutating func admit(
        _ verified: VerifiedReport, encoded: Bytes, label: UInt64, receivedAt: UInt64, now: UInt64
    ) -> Admission {
        let report = verified.report
        guard let place = places[report.feedID] else { return Admission(verdict: .withheld) }
        let context = verified.fullReport.context
        guard !feeds[place].knows(context.configurationDigest, context.sequenceNumber) else {
            return Admission(verdict: .duplicate)
        }
        guard !withheld.contains(report.feedID) else { return Admission(verdict: .withheld) }
        let blob = verified.fullReport.blob
        let time = report.header.observations
        if let known = feeds[place].past.items.first(where: { $0.observations == time }) {
            return Admission(verdict: known.blob == blob ? .duplicate : .equivocation(first: known.blob))
        }
        feeds[place].past.append(Past(observations: time, blob: blob))
        feeds[place].recent.append(
            Round(digest: context.configurationDigest, sequenceNumber: context.sequenceNumber))
        if let last = feeds[place].observations, time < last { return Admission(verdict: .late) }
        var flags: StreamFlags = []
        if report.schema.headerUnit == .milliseconds { flags.insert(.subSecond) }
        if report.session(hours: feeds[place].watch.hours) == .closed { flags.insert(.marketClosed) }
        let unit = report.schema.headerUnit.nanoseconds
        let full = label / unit == time ? label : report.observationsNanoseconds
        let release = Release(
            verified: verified,
            report: PublishableReport(
                feedID: report.feedID, flags: flags, observationsTimestampNanoseconds: full, payload: encoded),
            receivedAt: receivedAt)
        let turn = feeds[place].held.firstIndex { $0.header.observations > time } ?? feeds[place].held.count
        feeds[place].held.insert(Held(release: release, until: now + patience), at: turn)
        var admission = Admission(verdict: .taken)
        self.release(place, now, &admission.released, &admission.notes)
        return admission
    }

    /// Takes out what follows on what was published, what has waited long enough, and what is too much to wait.
    private mutating func release(_ place: Int, _ now: UInt64, _ released: inout [Release], _ notes: inout [Note]) {
        let id = feeds[place].watch.feedID
        while let first = feeds[place].held.first {
            let last = feeds[place].observations
            let follows = last.map { first.header.validFrom <= $0 + 1 } ?? true
            guard follows || now >= first.until || feeds[place].held.count > Self.heldMaximum else { break }
            feeds[place].held.removeFirst()
            if let last, !follows { notes.append(.hole(id, after: last, until: first.header.validFrom)) }
            if feeds[place].isStale {
                feeds[place].isStale = false
                notes.append(.recovered(id))
            }
            feeds[place].observations = first.header.observations
            feeds[place].heardAt = now
            released.append(first.release)
        }
        if feeds[place].held.isEmpty { waiting.remove(place) } else { waiting.insert(place) }
    }

    package var hasWaiting: Bool { !waiting.isEmpty }

    /// What has waited long enough, in the order of feeds and times.
    package mutating func releaseDue(now: UInt64) -> (released: [Release], notes: [Note]) {
        var released: [Release] = []
        var notes: [Note] = []
        for place in waiting.sorted() { release(place, now, &released, &notes) }
        return (released, notes)
    }

    /// Looks for feeds that fell silent.
    package mutating func tick(now: UInt64) -> [Note] {
        var notes: [Note] = []
        for place in feeds.indices {
            let feed = feeds[place]
            guard !feed.isStale, !withheld.contains(feed.watch.feedID), now > feed.heardAt + feed.watch.staleAfter
            else { continue }
            feeds[place].isStale = true
            notes.append(.stale(feed.watch.feedID, nanoseconds: now - feed.heardAt))
        }
        return notes
    }

    package var staleFeeds: [FeedID] { feeds.filter(\.isStale).map(\.watch.feedID) }
}
