// When a consumer may act on a verified report: the last paragraph of 12.5, in the order of 12.1 (price specification).
// Two clocks are kept apart: the age of the report says whether the service lives, that of the price whether the market
// does. Every refusal has a reason that machines can read.

import Ethereum

/// A stable name of why a report was not used; an open set.
package struct RefusalReason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    private init(_ name: String) { rawValue = name }

    package static let marketClosed = RefusalReason("marketClosed")
    package static let statusUnknown = RefusalReason("statusUnknown")
    package static let staleReport = RefusalReason("staleReport")
    package static let stalePrice = RefusalReason("stalePrice")
    package static let nonPositive = RefusalReason("nonPositive")
    package static let spreadTooWide = RefusalReason("spreadTooWide")
    package static let jumpTooLarge = RefusalReason("jumpTooLarge")
    package static let ripcord = RefusalReason("ripcord")
    package static let expired = RefusalReason("expired")
    package static let badSignature = RefusalReason("badSignature")
    package static let unknownDigest = RefusalReason("unknownDigest")
    package static let feedMismatch = RefusalReason("feedMismatch")
    package static let replayed = RefusalReason("replayed")
    /// Not in the specification's list: bytes that are no report, and a report of a time that is yet to come, where the
    /// consumer's clock is wrong and no age means anything.
    package static let malformed = RefusalReason("malformed")
    package static let fromTheFuture = RefusalReason("fromTheFuture")

    package var description: String { rawValue }
}

/// What a feed is about; sets how old things may be.
package enum FeedClass: String, CaseIterable, Sendable {
    case crypto, currency, commodity, equity, exchangeRate, netAssetValue

    /// Largest age of a report, in nanoseconds. Ours: a few reports may be lost on the way.
    package var reportAgeMaximum: UInt64 { self == .crypto ? 5 * second : 10 * second }

    /// Largest age of a price where reports tell it. The guide's example for equities is five minutes; a net asset
    /// value is published daily, with 36 hours for its day off.
    package var priceAgeMaximum: UInt64? {
        switch self {
        case .crypto, .exchangeRate: nil
        case .currency, .commodity: 60 * second
        case .equity: 300 * second
        case .netAssetValue: 36 * 3_600 * second
        }
    }
}

/// In nanoseconds.
private let second: UInt64 = 1_000_000_000

/// The rules of one consumer for one feed. Ages are in nanoseconds, ratios in parts per million.
package struct ConsumerPolicy: Hashable, Sendable {
    package var feedID: FeedID
    package var hours: TradingHours
    package var reportAgeMaximum: UInt64
    package var priceAgeMaximum: UInt64?
    /// How far a report may be ahead of the consumer's clock.
    package var leadMaximum: UInt64 = 5_000_000_000
    /// Sessions in which reports are used; nil where the status does not matter.
    package var requireStatus: Set<MarketSession>?
    /// Also refuses a report that was used already.
    package var requireMonotonicObservations = true
    package var requirePositive = true
    /// (ask - bid) / price; a crossed book never passes.
    package var spreadMaximum: UInt64?
    /// Distance from the last accepted price, divided by that price.
    package var jumpMaximum: UInt64?

    /// The defaults of a class.
    package init(feedID: FeedID, class feedClass: FeedClass, hours: TradingHours = .always) {
        self.feedID = feedID
        self.hours = hours
        reportAgeMaximum = feedClass.reportAgeMaximum
        priceAgeMaximum = feedClass.priceAgeMaximum
        requireStatus = hours == .always ? nil : [.open]
    }

    /// A report that was used: what the next one is compared with.
    package struct Accepted: Hashable, Sendable {
        package let observationsNanoseconds: UInt64
        package let price: Int192

        package init(_ report: PriceReport) {
            observationsNanoseconds = report.observationsNanoseconds
            price = report.body.price
        }
    }

    /// Every reason against the report, the most telling first; none when it may be used. `now` is in nanoseconds since
    /// 1970.
    package func refusals(_ report: PriceReport, now: UInt64, last: Accepted? = nil) -> [RefusalReason] {
        // Of another feed nothing else can be said.
        guard report.feedID == feedID else { return [.feedMismatch] }
        var reasons: [RefusalReason] = []
        if requireMonotonicObservations, let last, report.observationsNanoseconds <= last.observationsNanoseconds {
            reasons.append(.replayed)
        }
        if report.expiresAtNanoseconds < now { reasons.append(.expired) }
        if let ripcord = report.body.ripcord, ripcord != 0 { reasons.append(.ripcord) }
        reasons += status(report)
        reasons += ages(report, now)
        reasons += numbers(report, last)
        return reasons
    }

    private func status(_ report: PriceReport) -> [RefusalReason] {
        guard let wanted = requireStatus else { return [] }
        let session = report.session(hours: hours) ?? .unknown
        if wanted.contains(session) { return [] }
        return session == .unknown ? [.statusUnknown] : [.marketClosed]
    }

    private func ages(_ report: PriceReport, _ now: UInt64) -> [RefusalReason] {
        var reasons: [RefusalReason] = []
        if Self.isLater(report.observationsNanoseconds, than: now, by: leadMaximum) { reasons.append(.fromTheFuture) }
        if Self.isLater(now, than: report.observationsNanoseconds, by: reportAgeMaximum) {
            reasons.append(.staleReport)
        }
        if let limit = priceAgeMaximum, let time = report.body.priceNanoseconds,
            Self.isLater(now, than: time, by: limit)
        {
            reasons.append(.stalePrice)
        }
        return reasons
    }

    private func numbers(_ report: PriceReport, _ last: Accepted?) -> [RefusalReason] {
        let price = report.body.price
        var reasons: [RefusalReason] = []
        if requirePositive, !price.isPositive { reasons.append(.nonPositive) }
        if let limit = spreadMaximum, let (bid, ask) = report.body.quote,
            ask < bid || Self.exceeds(ask.distance(to: bid), limit, of: price)
        {
            reasons.append(.spreadTooWide)
        }
        if let limit = jumpMaximum, let last, Self.exceeds(price.distance(to: last.price), limit, of: last.price) {
            reasons.append(.jumpTooLarge)
        }
        return reasons
    }

    private static func isLater(_ time: UInt64, than other: UInt64, by limit: UInt64) -> Bool {
        time > other && time - other > limit
    }

    /// part / |whole| > limit / 10^6. 192 bits times 64 bits fit a word.
    private static func exceeds(_ part: U256, _ limit: UInt64, of whole: Int192) -> Bool {
        part &* U256(1_000_000 as UInt64) > whole.magnitude &* U256(limit)
    }
}

/// A consumer's memory of one feed: applies the policy and keeps what was accepted.
package struct PriceConsumer: Hashable, Sendable {
    package let policy: ConsumerPolicy
    package private(set) var last: ConsumerPolicy.Accepted?

    package init(_ policy: ConsumerPolicy) { self.policy = policy }

    /// The reasons against the report; an accepted one is remembered.
    package mutating func admit(_ report: PriceReport, now: UInt64) -> [RefusalReason] {
        let reasons = policy.refusals(report, now: now, last: last)
        if reasons.isEmpty { last = ConsumerPolicy.Accepted(report) }
        return reasons
    }
}
