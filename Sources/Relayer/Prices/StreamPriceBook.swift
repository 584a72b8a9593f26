// What one relayer knows of the streams' prices: reports that were verified, that are fit for use, and that are no older
// than what was known before. Pure: time comes with each question, in nanoseconds since 1970.

import CCIP
import Ethereum
import PriceStreams

/// Why an answer gave no price.
struct StreamPriceRefusal: Error, Equatable {
    /// The most telling first.
    let reasons: [RefusalReason]
    let message: String

    init(_ reasons: [RefusalReason], _ message: String) {
        self.reasons = reasons
        self.message = message
    }
}

extension RefusalReason {
    /// Not within `minimum` and `maximum` of the feed.
    static let outOfBounds = RefusalReason(rawValue: "outOfBounds")
    /// A token of so many decimals has no such price in a FeeQuoter.
    static let unrepresentable = RefusalReason(rawValue: "unrepresentable")

    /// Every reason that the book may give; metrics have a series for each from the start.
    static let ofStreamPrices: [RefusalReason] = [
        .malformed, .unknownDigest, .badSignature, .feedMismatch, .replayed, .expired, .ripcord, .marketClosed,
        .statusUnknown, .fromTheFuture, .staleReport, .stalePrice, .nonPositive, .spreadTooWide, .outOfBounds,
        .unrepresentable,
    ]
}

extension PriceReport {
    /// USD with 18 decimals for 10^18 smallest units of a token. Nil for a price of zero or less, and for one that comes to
    /// zero or to more than a FeeQuoter holds.
    func feeQuoterPrice(decimals: UInt8, tokenDecimals: UInt8) -> U256? {
        guard body.price.isPositive else { return nil }
        return FeeQuoterUnit.price(body.price.magnitude, decimals: decimals, tokenDecimals: tokenDecimals)
    }
}

struct StreamPriceBook: Sendable {
    enum Verdict: Equatable { case taken, unchanged }

    private struct Entry {
        let rules: PriceStreamSettings.Feed
        /// Of the most lenient place that takes this feed's price; each place looks again.
        let policy: ConsumerPolicy
        let tokenDecimals: Set<UInt8>
        /// The newest report that was taken.
        var newest: PriceReport?
    }

    private let verifier: ReportVerifier
    private var entries: [FeedID: Entry]

    /// Ascending.
    let feeds: [FeedID]

    /// Of every feed that a price of the cluster comes from.
    init(_ cluster: ClusterSettings) {
        let uses = Dictionary(grouping: cluster.streamUses, by: \.source.feed)
        guard let settings = cluster.priceStreams else {
            precondition(uses.isEmpty, "a cluster file whose prices come from streams says which")
            (verifier, entries, feeds) = (ReportVerifier([]), [:], [])
            return
        }
        verifier = settings.verifier
        entries = [:]
        for rules in settings.feeds {
            guard let places = uses[rules.id], let age = places.map(\.source.maximumAgeSeconds).max() else { continue }
            entries[rules.id] = Entry(
                rules: rules, policy: ConsumerPolicy(rules, reportAgeSeconds: age),
                tokenDecimals: Set(places.map(\.tokenDecimals)))
        }
        feeds = entries.keys.sorted()
        assert(feeds.count == uses.count, "every feed in use has its rules")
    }

    // MARK: Taking

    /// Looks at the answer of a gateway to the question for the newest report of `feed`, and remembers what may be used.
    mutating func take(_ answer: Bytes, of feed: FeedID, now: UInt64) throws(StreamPriceRefusal) -> Verdict {
        guard let entry = entries[feed] else {
            throw StreamPriceRefusal([.feedMismatch], "no price comes from \(feed)")
        }
        let report = try verified(answer, of: feed)
        let isKnown = report == entry.newest
        // The same report once more is no replay, as long as it may be used.
        let last = isKnown ? nil : entry.newest.map(ConsumerPolicy.Accepted.init)
        var reasons = entry.policy.refusals(report, now: now, last: last)
        let price = report.body.price
        if price.isPositive {
            if !entry.rules.bounds.contains(price.magnitude) { reasons.append(.outOfBounds) }
            let decimals = entry.rules.decimals
            if entry.tokenDecimals.contains(where: { report.feeQuoterPrice(decimals: decimals, tokenDecimals: $0) == nil }) {
                reasons.append(.unrepresentable)
            }
        }
        guard reasons.isEmpty else {
            let age = Self.age(report, now).map { "\($0 / 1_000_000) ms old" } ?? "from the future"
            throw StreamPriceRefusal(reasons, "a report that is \(age), with the price \(price)")
        }
        entries[feed]?.newest = report
        return isKnown ? .unchanged : .taken
    }

    /// A report whose signatures were checked, of this feed.
    private func verified(_ answer: Bytes, of feed: FeedID) throws(StreamPriceRefusal) -> PriceReport {
        let item: ReportJSON
        do { item = try ReportJSON(single: answer) } catch { throw StreamPriceRefusal([.malformed], error.description) }
        let verified: VerifiedReport
        do { verified = try verifier.verify(item.fullReport) } catch {
            throw StreamPriceRefusal([error.reason], error.description)
        }
        // What is signed counts, not what stands around it.
        guard verified.feedID == feed, item.feedID == feed else {
            throw StreamPriceRefusal([.feedMismatch], "a report of \(verified.feedID) in answer to \(feed)")
        }
        return verified.report
    }

    // MARK: Asking

    /// USD with 18 decimals for 10^18 smallest units of a token; nil while it is not known.
    func price(_ source: ClusterSettings.StreamSource, tokenDecimals: UInt8, now: UInt64) -> U256? {
        guard let entry = entries[source.feed], let report = entry.newest else { return nil }
        var policy = entry.policy
        policy.reportAgeMaximum = source.maximumAgeSeconds * 1_000_000_000
        // Also an open market closes, and a report expires, while nobody has a newer one.
        guard policy.refusals(report, now: now).isEmpty else { return nil }
        return report.feeQuoterPrice(decimals: entry.rules.decimals, tokenDecimals: tokenDecimals)
    }

    /// Milliseconds since the oracles looked; nil while there is no report.
    func age(of feed: FeedID, now: UInt64) -> UInt64? {
        entries[feed]?.newest.map { (Self.age($0, now) ?? 0) / 1_000_000 }
    }

    /// In nanoseconds; nil for a report from the future.
    private static func age(_ report: PriceReport, _ now: UInt64) -> UInt64? {
        now >= report.observationsNanoseconds ? now - report.observationsNanoseconds : nil
    }
}

extension ConsumerPolicy {
    /// The class of a feed sets ages only, and both are set here.
    fileprivate init(_ feed: PriceStreamSettings.Feed, reportAgeSeconds: UInt64) {
        self.init(feedID: feed.id, class: .crypto, hours: feed.hours)
        reportAgeMaximum = reportAgeSeconds * 1_000_000_000
        priceAgeMaximum = feed.priceAgeMaximumSeconds.map { $0 * 1_000_000_000 }
        spreadMaximum = feed.spreadMaximumPPM
    }
}
