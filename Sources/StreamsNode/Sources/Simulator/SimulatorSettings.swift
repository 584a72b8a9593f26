// What a simulated market is like, and which stream tells what of it. Without a word in the file, every stream finds its
// market by its name: `AAPL/USD.status` is the status of the market AAPL/USD.

import Configuration
import Ethereum
import PriceStreams

package struct SimulatorSettings: Sendable, Equatable {
    package var seed: UInt64
    /// Thousand-millionths by which what this oracle sees differs from what the others see.
    package var noise: UInt64
    package var markets: [SimulatedMarket]
    package var streams: [SimulatedStream]
    package var closedDays: Set<CivilDay>
}

package struct SimulatedMarket: Sendable, Equatable {
    package var name: String
    package var start: Decimal
    /// Shares are thousand-millionths; volatility is that of a year.
    package var volatility: UInt64
    package var spread: UInt64
    package var jumpsPerDay: Int
    package var jumpSize: UInt64
    /// Of all sources of this market at once; a second kind befalls this oracle's alone.
    package var outagesPerDay: Int
    package var ownOutagesPerDay: Int
    package var outageSeconds: Int
    package var group: String
    package var correlation: UInt64
    package var hours: MarketHours
    package var tickNanoseconds: UInt64
    /// A net asset value is told once a day.
    package var isDaily: Bool
}

package struct SimulatedStream: Sendable, Equatable {
    package enum Role: String, Sendable, CaseIterable {
        case price, bidVolume, askVolume, lastTraded, status, navDate, aum, ripcord, multiplier, activation
        case tokenizedPrice
    }

    package var id: StreamID
    package var kind: StreamValue.Kind
    package var role: Role
    /// Position in the list of markets.
    package var market: Int
    package var numbering: StatusNumbering
}

extension SimulatorSettings {
    init(
        _ section: inout ConfigurationSection, streams all: StreamsSettings, only: [StreamSettings]
    ) throws(ConfigurationError) {
        seed = try section.number("seed", default: "1")
        noise = try section.share("noise", default: 10_000) ?? 0
        closedDays = try section.closedDays()
        var placed: [String: (market: String, role: SimulatedStream.Role)] = [:]
        for stream in only { placed[stream.name] = Self.place(stream) }
        for var item in try section.sections("streams") {
            let names = only.map(\.name).joined(separator: ", ")
            let stream = try item.value("stream", expected: "one of the streams \(names)") { name in
                only.first { $0.name == name }
            }
            let found = Self.place(stream)
            let roles = SimulatedStream.Role.allCases.map(\.rawValue).joined(separator: ", ")
            let market = try item.value("market", expected: "a name", default: found.market) { text in
                StreamSettings.isName(text) ? text : nil
            }
            let role: SimulatedStream.Role = try item.value(
                "role", expected: "one of \(roles)", default: found.role.rawValue
            ) { SimulatedStream.Role(rawValue: $0) }
            placed[stream.name] = (market, role)
            try item.finish()
        }
        var names: [String] = []
        for stream in only {
            if let name = placed[stream.name]?.market, !names.contains(name) { names.append(name) }
        }
        var markets = names.map { name in
            Self.market(name, all, only.filter { placed[$0.name]?.market == name })
        }
        var written: Set<String> = []
        for var item in try section.sections("markets") {
            let name = try item.value("name", expected: "one of the markets \(names.joined(separator: ", "))") { text in
                names.contains(text) ? text : nil
            }
            guard written.insert(name).inserted, let at = names.firstIndex(of: name) else {
                throw item.refused("name", name, "a market that stands here once")
            }
            try markets[at].read(&item)
        }
        self.markets = markets
        streams = only.compactMap { stream in
            guard let found = placed[stream.name], let market = names.firstIndex(of: found.market) else { return nil }
            return SimulatedStream(
                id: stream.id, kind: stream.kind, role: found.role, market: market,
                numbering: all.statusNumbering(of: stream.id))
        }
    }

    // MARK: What names tell

    private static let words: [String: SimulatedStream.Role] = [
        "price": .price, "mid": .price, "quote": .price, "rate": .price, "nav": .price, "value": .price,
        "bidvolume": .bidVolume, "askvolume": .askVolume, "lasttraded": .lastTraded, "last": .lastTraded,
        "status": .status, "marketstatus": .status, "navdate": .navDate, "aum": .aum, "ripcord": .ripcord,
        "multiplier": .multiplier, "currentmultiplier": .multiplier, "newmultiplier": .multiplier,
        "activation": .activation, "activationdatetime": .activation, "tokenized": .tokenizedPrice,
        "tokenizedprice": .tokenizedPrice,
    ]

    /// `AAPL/USD.bidVolume` and `AAPL/USD-bidVolume` are one thing; without such an ending it is the price itself.
    static func place(_ stream: StreamSettings) -> (market: String, role: SimulatedStream.Role) {
        let name = stream.name
        let standard: SimulatedStream.Role = stream.aggregator == .mode ? .status : .price
        guard let cut = name.lastIndex(where: { $0 == "." || $0 == "-" }), cut > name.startIndex,
            let role = words[name[name.index(after: cut)...].lowercased()]
        else { return (name, standard) }
        return (String(name[..<cut]), role)
    }

    private static let starts: [(base: String, price: String)] = [
        ("ETH", "3000"), ("BTC", "95000"), ("LINK", "15"), ("USDC", "1"), ("USDT", "1"), ("CNH", "0.14"),
        ("EUR", "1.08"), ("XAU", "2650"), ("XAG", "31"), ("WTI", "70"), ("AAPL", "230"), ("TSLA", "340"),
        ("NVDA", "140"), ("SPY", "600"),
    ]

    private static func market(_ name: String, _ all: StreamsSettings, _ streams: [StreamSettings]) -> SimulatedMarket {
        let streamClass = streams.first { $0.streamClass.isPrice }?.streamClass ?? .number
        let base = name.prefix { $0 != "/" && $0 != "-" && $0 != "." }.uppercased()
        let start = starts.first { $0.base == base }.flatMap { try? Decimal(text: $0.price) } ?? Decimal(100)
        let isPegged = base == "USDC" || base == "USDT"
        let percent: UInt64 = 10_000_000
        let (volatility, spread): (UInt64, UInt64) =
            switch streamClass {
            case .crypto: isPegged ? (percent / 2, percent / 100) : (60 * percent, percent / 50)
            case .currency: (5 * percent, percent / 100)
            case .commodity: (15 * percent, percent / 50)
            case .equity: (25 * percent, percent / 50)
            case .exchangeRate: (percent, percent / 100)
            case .netAssetValue: (3 * percent, percent / 100)
            case .status, .number: (50 * percent, percent / 10)
            }
        let hasHours = all.feeds.contains { feed in
            feed.hours != .always && feed.definition.streams.contains { key in streams.contains { $0.id == key.streamID } }
        }
        let isSessions = all.feeds.contains { feed in
            feed.hours == .equities24x5
                && feed.definition.streams.contains { key in streams.contains { $0.id == key.streamID } }
        }
        let hours: MarketHours =
            switch streamClass {
            case _ where !hasHours: .always
            case _ where isSessions: .usEquities24x5
            case .currency: .currencies
            case .commodity: base == "WTI" ? .oil : .metals
            case .equity: .usEquities
            default: .always
            }
        return SimulatedMarket(
            name: name, start: start, volatility: volatility, spread: spread,
            jumpsPerDay: isPegged || streamClass == .netAssetValue ? 0 : 12, jumpSize: percent / 2, outagesPerDay: 0,
            ownOutagesPerDay: 0, outageSeconds: 20, group: streamClass.rawValue, correlation: 60 * percent,
            hours: hours, tickNanoseconds: 50_000_000, isDaily: streamClass == .netAssetValue)
    }
}

extension SimulatedMarket {
    mutating func read(_ item: inout ConfigurationSection) throws(ConfigurationError) {
        start = try item.value(
            "start", expected: "a number from 0.000000001 to 1000000000000", default: start.description
        ) { text in
            guard let number = try? Decimal(text: text), Self.starts.contains(number) else { return nil }
            return number
        }
        volatility = try item.boundedShare("volatility", maximumPercent: 1_000, default: volatility)
        spread = try item.boundedShare("spread", maximumPercent: 50, default: spread)
        jumpsPerDay = try item.integer("jumpsPerDay", in: 0...1_440, default: jumpsPerDay)
        jumpSize = try item.boundedShare("jumpSize", maximumPercent: 50, default: jumpSize)
        outageSeconds = try item.integer("outageSeconds", in: 1...86_400, default: outageSeconds)
        outagesPerDay = try item.integer("outagesPerDay", in: 0...86_400 / outageSeconds, default: outagesPerDay)
        ownOutagesPerDay = try item.integer(
            "ownOutagesPerDay", in: 0...86_400 / outageSeconds, default: ownOutagesPerDay)
        group = try item.value("group", expected: "a name", default: group) { StreamSettings.isName($0) ? $0 : nil }
        correlation = try item.boundedShare("correlation", maximumPercent: 100, default: correlation)
        let names = MarketHours.allCases.map(\.rawValue).joined(separator: ", ")
        hours = try item.value("hours", expected: "one of \(names)", default: hours.rawValue) { MarketHours(rawValue: $0) }
        tickNanoseconds = UInt64(
            try item.integer("tickMilliseconds", in: 10...60_000, default: Int(tickNanoseconds / 1_000_000))) * 1_000_000
        try item.finish()
    }

    private static let starts: ClosedRange<Decimal> = {
        let low = Decimal(magnitude: .one, exponent: -9) ?? .one
        return low...(Decimal(magnitude: .one, exponent: 12) ?? .one)
    }()
}

// MARK: - What feeds tell of their status

extension FeedSettings {
    /// The stream that tells whether the market is open, by its place in the channel: the fees' two stand first.
    package var statusStream: StreamID? {
        let place: Int? =
            switch schema.number {
            case 4, 8, 10: 3
            case 11: 7
            default: nil
            }
        guard let place, definition.streams.indices.contains(place) else { return nil }
        return definition.streams[place].streamID
    }

    package var statusNumbering: StatusNumbering {
        schema.number != 11 ? .openOrClosed : hours == .equities24x5 ? .sessions : .standard
    }
}

extension StreamsSettings {
    /// Streams of market status; a node that cannot tell says so (12.3).
    package var statusStreams: Set<StreamID> { Set(feeds.compactMap(\.statusStream)) }

    package func statusNumbering(of stream: StreamID) -> StatusNumbering {
        feeds.first { $0.statusStream == stream }?.statusNumbering ?? .openOrClosed
    }
}

extension ConfigurationSection {
    /// Up to a bound; `none` is zero.
    mutating func boundedShare(
        _ key: String, maximumPercent: UInt64, default builtIn: UInt64
    ) throws(ConfigurationError) -> UInt64 {
        let found = try share(key, default: builtIn == 0 ? nil : builtIn) ?? 0
        guard found <= maximumPercent * 10_000_000 else {
            throw refused(key, "a greater share", "at most \(maximumPercent)%")
        }
        return found
    }

    mutating func closedDays() throws(ConfigurationError) -> Set<CivilDay> {
        var days: Set<CivilDay> = []
        for text in try strings("closedDays") {
            guard days.count < Limits.closedDaysMaximum, let day = CivilDay(text: text) else {
                throw refused("closedDays", text, "days like 2026-11-26, at most \(Limits.closedDaysMaximum)")
            }
            days.insert(day)
        }
        return days
    }
}
