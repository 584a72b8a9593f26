// `priceStreams` of cluster.yaml: whose reports are believed, and what is known of their feeds. Every relayer must have it
// alike. Where one of them asks, and with which key, is in its own file (StreamsAccessSettings.swift).

import CCIP
import Configuration
import Ethereum
import PriceStreams

package struct PriceStreamSettings: Sendable, Equatable {
    /// What no report says of itself.
    package struct Feed: Sendable, Equatable {
        package var id: FeedID
        /// The DON that publishes it: nobody else's signatures count.
        package var donID: UInt32
        /// Of the reports' prices.
        package var decimals: UInt8
        package var hours: TradingHours
        /// An older price is not used, however new its report is; nil where the schema does not tell.
        package var priceAgeMaximumSeconds: UInt64?
        /// (ask - bid) / price, in parts per million; nil where it does not matter.
        package var spreadMaximumPPM: UInt64?
        /// What a price may be, in the unit of the reports. Anything else is refused, not cut.
        package var bounds: ClosedRange<U256>
    }

    /// Several of one DON while one hands over to the next.
    package var configurations: [OracleSet]
    /// Ascending; every feed that some price comes from is here.
    package var feeds: [Feed]

    package func feed(_ id: FeedID) -> Feed? { feeds.first { $0.id == id } }

    /// Believes a report when F+1 oracles of a configuration signed it and its feed is of their DON.
    package var verifier: ReportVerifier {
        ReportVerifier(
            configurations, feeds: Dictionary(grouping: feeds, by: \.donID).mapValues { Set($0.map(\.id)) })
    }
}

extension ClusterSettings {
    /// A feed from which a price comes.
    package struct StreamSource: Sendable, Hashable {
        package var feed: FeedID
        /// A report older than this, by the clock of this machine, is not used.
        package var maximumAgeSeconds: UInt64

        /// As `causeway config show` prints it.
        package var text: String { "stream \(feed), at most \(maximumAgeSeconds) s old" }
    }

    /// Every place that takes a price from a stream, with its name for people.
    var streamUses: [(place: String, source: StreamSource, tokenDecimals: UInt8)] {
        chains.flatMap { chain in
            let tokens = chain.tokenPrices.compactMap { item -> (String, StreamSource, UInt8)? in
                guard case .stream(let source, let decimals) = item.source else { return nil }
                return ("the price of \(item.token) on \(chain.name)", source, decimals)
            }
            let native = chain.nativePrice.map {
                [("the price of the coin of \(chain.name)", $0, ReportSchema.coinDecimals)]
            }
            return tokens + (native ?? [])
        }
    }

    /// Whether relayers of this cluster need access to the streams.
    package var takesStreamPrices: Bool { !streamUses.isEmpty }
}

extension ReportSchema {
    /// Every chain's coin has so many.
    static let coinDecimals: UInt8 = 18
    /// Schemas with one price in a currency. v1 is obsolete; v5 is an interest rate, v7 a rate of two tokens; v6 has five
    /// prices, v10 two; v13 has both sides of a book and none between.
    private static let priced: Set<Int> = [2, 3, 4, 8, 9, 11, 12]

    var hasSinglePrice: Bool { Self.priced.contains(number) }
    var hasMarketStatus: Bool { [4, 8, 11].contains(number) }
    var hasQuote: Bool { [3, 11].contains(number) }
    /// Seconds by default; nil where reports do not tell when their price was seen. Net asset values come once a day.
    var priceAgeSeconds: UInt64? {
        switch number {
        case 8, 11: 300
        case 9, 12: 129_600
        default: nil
        }
    }
    /// Its prices are scaled by 10^18, whatever the feed.
    var hasFixedDecimals: Bool { number >= 7 }
}

// MARK: - Reading

extension ConfigurationSection {
    /// `stream` and `maximumAgeSeconds` of a place that takes a price.
    mutating func streamSource() throws(ConfigurationError) -> ClusterSettings.StreamSource {
        let feed = try pricedFeed("stream")
        let range = Limits.streamAgeSeconds
        let age = try integer("maximumAgeSeconds", in: range, default: Limits.streamAgeSecondsDefault)
        return ClusterSettings.StreamSource(feed: feed, maximumAgeSeconds: UInt64(age))
    }

    /// A feed whose reports have one price.
    private mutating func pricedFeed(_ key: String) throws(ConfigurationError) -> FeedID {
        let text = try string(key)
        let expected = "a feed id (0x and 64 hex digits)"
        guard let feed = try? FeedID(text: text) else { throw refused(key, text, expected) }
        guard let schema = ReportSchema(version: feed.version), schema.hasSinglePrice else {
            throw refused(
                key, text, "the id of a feed of schema v2, v3, v4, v8, v9, v11 or v12: others have no single price")
        }
        return feed
    }

    /// Nil when the section is missing and no price comes from a stream. `cluster` has its chains.
    mutating func priceStreams(
        _ cluster: ClusterSettings, _ file: String
    ) throws(ConfigurationError) -> PriceStreamSettings? {
        let uses = cluster.streamUses
        guard has("priceStreams") else {
            guard let first = uses.first else { return nil }
            throw missing(
                "priceStreams",
                hint: "\(first.place) comes from a stream: say under priceStreams.configurations whose reports are believed")
        }
        var section = try section("priceStreams")
        var configurations: [OracleSet] = []
        for var item in try section.sections("configurations", required: true) {
            let set = try item.oracleSet()
            guard !configurations.contains(where: { $0.digest == set.digest }) else {
                throw item.refused("digest", "\(set.digest)", "each configuration once")
            }
            configurations.append(set)
        }
        guard (1...Limits.streamConfigurationsMaximum).contains(configurations.count) else {
            throw section.refused(
                "configurations", "\(configurations.count) of them", "1 to \(Limits.streamConfigurationsMaximum)")
        }
        let dons = Set(configurations.map(\.donID)).sorted()
        var feeds: [PriceStreamSettings.Feed] = []
        for var item in try section.sections("feeds") {
            let feed = try item.streamFeed(dons)
            guard !feeds.contains(where: { $0.id == feed.id }) else {
                throw item.refused("id", "\(feed.id)", "each feed once")
            }
            feeds.append(feed)
        }
        try section.finish()
        for use in uses where !feeds.contains(where: { $0.id == use.source.feed }) {
            feeds.append(try Self.unlisted(use.source.feed, use.place, dons, file))
        }
        guard feeds.count <= Limits.streamFeedsMaximum else {
            throw section.refused("feeds", "\(feeds.count) of them", "at most \(Limits.streamFeedsMaximum)")
        }
        return PriceStreamSettings(configurations: configurations, feeds: feeds.sorted { $0.id < $1.id })
    }

    /// A feed of which nothing needs to be said.
    private static func unlisted(
        _ feed: FeedID, _ place: String, _ dons: [UInt32], _ file: String
    ) throws(ConfigurationError) -> PriceStreamSettings.Feed {
        func refuse(_ why: String, _ hint: String) -> ConfigurationError {
            ConfigurationError(.invalidValue, "\(file): \(place) comes from the feed \(feed), and \(why)", hint: hint)
        }
        guard dons.count == 1, let don = dons.first else {
            throw refuse(
                "which of the DONs \(dons) publishes it is not said", "list it under priceStreams.feeds with its 'don'")
        }
        guard let schema = ReportSchema(version: feed.version) else { preconditionFailure("its schema was looked at") }
        guard !schema.hasMarketStatus else {
            throw refuse(
                "when its market is open is not said",
                "list it under priceStreams.feeds with 'hours: standard' or 'hours: equities24x5'")
        }
        return PriceStreamSettings.Feed(
            id: feed, donID: don, decimals: 18, hours: .always, priceAgeMaximumSeconds: schema.priceAgeSeconds,
            spreadMaximumPPM: nil, bounds: U256.one...U256.max)
    }

    /// One of `configurations`, as `GET /ext/v1/don` of a gateway tells it.
    private mutating func oracleSet() throws(ConfigurationError) -> OracleSet {
        let digest = try hash("digest")
        let don = try integer("don", in: 1...Int(UInt32.max))
        let faulty = try integer("faulty", in: 1...10)
        var signers: [Address] = []
        for text in try strings("signers", required: true) {
            guard let signer = try? Address(hex: text) else {
                throw refused("signers", text, "addresses (0x and 40 hex digits)")
            }
            signers.append(signer)
        }
        try finish()
        do {
            return try OracleSet(digest: digest, faulty: faulty, signers: signers, donID: UInt32(don))
        } catch {
            throw ConfigurationError(.invalidValue, "\(place): '\(path)': \(error.message)", hint: error.hint)
        }
    }

    /// One of `feeds`.
    private mutating func streamFeed(_ dons: [UInt32]) throws(ConfigurationError) -> PriceStreamSettings.Feed {
        let id = try pricedFeed("id")
        guard let schema = ReportSchema(version: id.version) else { preconditionFailure("its schema was looked at") }
        let names = dons.map { "\($0)" }.joined(separator: ", ")
        let only = dons.count == 1 ? names : nil
        let don: UInt32 = try value("don", expected: "one of the DONs \(names)", default: only) { text in
            UInt32(text).flatMap { dons.contains($0) ? $0 : nil }
        }
        let decimals = try integer("decimals", in: 0...Int(FeeQuoterUnit.decimalsMaximum), default: 18)
        guard !schema.hasFixedDecimals || decimals == 18 else {
            throw refused("decimals", "\(decimals)", "18, which all prices of schema \(schema) have")
        }
        let hours: TradingHours
        if schema.hasMarketStatus {
            let names = [TradingHours.standard, .equities24x5]
            hours = try value("hours", expected: names.map(\.rawValue).joined(separator: " or ")) { text in
                names.first { $0.rawValue == text }
            }
        } else {
            let expected = "always: reports of schema \(schema) have no market status"
            hours = try value("hours", expected: expected, default: "always") { $0 == "always" ? .always : nil }
        }
        var priceAge: UInt64?
        if let usual = schema.priceAgeSeconds {
            priceAge = UInt64(try integer("maximumPriceAgeSeconds", in: 1...604_800, default: Int(usual)))
        }
        let spread: UInt64? =
            schema.hasQuote && has("spreadMaximumPPM") ? UInt64(try integer("spreadMaximumPPM", in: 1...1_000_000)) : nil
        let lowest = try word("minimum", default: "1")
        let highest = try word("maximum", default: U256.max.decimal)
        guard !lowest.isZero else { throw refused("minimum", "0", "at least 1: zero is no price") }
        guard lowest <= highest else { throw refused("maximum", highest.decimal, "at least 'minimum'") }
        try finish()
        return PriceStreamSettings.Feed(
            id: id, donID: don, decimals: UInt8(decimals), hours: hours, priceAgeMaximumSeconds: priceAge,
            spreadMaximumPPM: spread, bounds: lowest...highest)
    }
}
