// What the market status of a report means, by feed (2.4, 12.2 of the price specification). The status alone decides
// whether a market is open; no timestamp does.

/// The hours that a feed follows, from its metadata.
package enum TradingHours: String, CaseIterable, Sendable {
    /// Open always; reports carry no status.
    case always
    /// Open or closed: currencies, metals, commodities, and equities in the hours of their exchange.
    case standard
    /// US equities from Sunday to Friday evening, in four sessions.
    case equities24x5
}

/// The session of a market. `unknown` is a normal state that needs an answer.
package enum MarketSession: String, CaseIterable, Sendable {
    case unknown, closed, open, preMarket, postMarket, overnight

    /// Some trading goes on.
    package var isTrading: Bool { self != .unknown && self != .closed }

    /// Which of a symbol's three feeds speaks in this session (12.2); nil where the equity itself has no price.
    package var equityFeedSegment: String? {
        switch self {
        case .open: "RegularHours"
        case .preMarket, .postMarket: "ExtendedHours"
        case .overnight: "OvernightHours"
        case .unknown, .closed: nil
        }
    }

    /// Reads the number of a report of schema `schemaNumber`. Numbers that this feed never sends are unknown.
    package init(status: UInt32, schemaNumber: Int, hours: TradingHours) {
        switch (schemaNumber, hours, status) {
        case (11, .equities24x5, 1): self = .preMarket
        case (11, .equities24x5, 2): self = .open
        case (11, .equities24x5, 3): self = .postMarket
        case (11, .equities24x5, 4): self = .overnight
        case (11, .equities24x5, 5): self = .closed
        case (11, _, 2): self = .open
        case (11, _, 5): self = .closed
        case (11, _, _): self = .unknown
        case (_, _, 1): self = .closed
        case (_, _, 2): self = .open
        default: self = .unknown
        }
    }
}

extension PriceReport {
    /// nil when the schema has no status.
    package func session(hours: TradingHours) -> MarketSession? {
        body.marketStatus.map { MarketSession(status: $0, schemaNumber: schema.number, hours: hours) }
    }
}
