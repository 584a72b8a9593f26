// Markets out of a seed: correlated walks with jumps, spreads, outages and hours, each value a function of the time. All
// oracles of a local network use one seed, and agree but for a little noise of their own. Pure.

import Ethereum
import PriceStreams

package struct MarketSimulator: Sendable {
    private struct Market: Sendable {
        let profile: SimulatedMarket
        let calendar: Int
        let own: SeededWalk
        let group: SeededWalk
        let ownDeviation: Int64
        let groupDeviation: Int64
        let jumps: SeededNoise
        let outages: SeededNoise
        let ownOutages: SeededNoise
        let volumes: SeededNoise
        let noise: SeededNoise
        /// start = coefficient / 10^places, with nine digits.
        let coefficient: UInt64
        let places: Int
    }

    package let settings: SimulatorSettings
    private let markets: [Market]
    private let calendars: [MarketCalendar]
    /// Streams by the interval of their market's ticks.
    private let byInterval: [UInt64: [SimulatedStream]]

    /// - Parameter oracle: gives the noise that this oracle alone sees.
    package init(_ settings: SimulatorSettings, oracle: Int) {
        self.settings = settings
        var hours: [MarketHours] = []
        for market in settings.markets where !hours.contains(market.hours) { hours.append(market.hours) }
        calendars = hours.map { MarketCalendar($0, closedDays: settings.closedDays) }
        let root = SeededNoise(settings.seed)
        markets = settings.markets.map { profile in
            let noise = root.named("market").named(profile.name)
            let (coefficient, places) = Self.digits(profile.start)
            let deviation = SeededWalk.deviation(volatility: profile.volatility)
            let rest = squareRoot(1_000_000_000_000_000_000 - profile.correlation * profile.correlation)
            let ownSources = noise.named("oracle \(oracle)")
            return Market(
                profile: profile, calendar: hours.firstIndex(of: profile.hours) ?? 0,
                own: SeededWalk(noise.named("walk")), group: SeededWalk(root.named("group").named(profile.group)),
                ownDeviation: deviation * Int64(rest) / 1_000_000_000,
                groupDeviation: deviation * Int64(profile.correlation) / 1_000_000_000, jumps: noise.named("jumps"),
                outages: noise.named("outages"), ownOutages: ownSources.named("outages"),
                volumes: noise.named("volumes"), noise: ownSources, coefficient: coefficient, places: places)
        }
        byInterval = Dictionary(grouping: settings.streams) { settings.markets[$0.market].tickNanoseconds }
    }

    /// The intervals at which some market ticks, ascending.
    package var intervals: [UInt64] { byInterval.keys.sorted() }

    /// What the source tells at `now`: one tick for each stream of the markets with this interval that are not in an
    /// outage.
    package func ticks(every interval: UInt64, at now: UInt64) -> [SourceTick] {
        let instant = now - now % interval
        let seconds = Int(instant / 1_000_000_000)
        let sessions = calendars.map { $0.session(at: seconds) }
        let frozen = zip(calendars, sessions).map { calendar, session in
            session.isTrading ? instant : calendar.lastTrading(at: seconds).map { UInt64($0) * 1_000_000_000 } ?? instant
        }
        return (byInterval[interval] ?? []).compactMap { stream in
            let market = markets[stream.market]
            guard stream.role == .status || !isOut(market, instant) else { return nil }
            let value = value(
                of: stream, market, session: sessions[market.calendar], at: instant, traded: frozen[market.calendar])
            return value.map { SourceTick(stream: stream.id, value: $0, madeAt: instant, receivedAt: now) }
        }
    }

    // MARK: One value

    private func value(
        of stream: SimulatedStream, _ market: Market, session: MarketSession, at instant: UInt64, traded: UInt64
    ) -> StreamValue? {
        let day: UInt64 = 86_400_000_000_000
        // Net asset values come out at 21:00 UTC.
        let published = market.profile.isDaily ? (instant + day / 8) / day * day - day / 8 : traded
        switch stream.role {
        case .price: return price(market, stream.kind, at: published)
        case .tokenizedPrice: return price(market, stream.kind, at: instant)
        case .lastTraded: return price(market, stream.kind, at: published - published % 1_000_000_000)
        case .status: return .decimal(Decimal(UInt64(stream.numbering.number(session))))
        case .navDate: return .decimal(Decimal(published / 1_000_000))
        case .aum: return decimal(market, cents(market, at: published) * 1_000_000).map { .decimal($0) }
        case .ripcord, .activation: return .decimal(.zero)
        case .multiplier: return .decimal(.one)
        case .bidVolume: return .decimal(volume(market, at: traded, side: 0))
        case .askVolume: return .decimal(volume(market, at: traded, side: 1))
        }
    }

    private func price(_ market: Market, _ kind: StreamValue.Kind, at instant: UInt64) -> StreamValue? {
        let middle = noisy(market, cents(market, at: instant), at: instant)
        guard let price = decimal(market, middle) else { return nil }
        switch kind {
        case .decimal: return .decimal(price)
        case .timestamped: return .timestamped(TimestampedDecimal(observedAtNanoseconds: instant, value: price))
        case .quote:
            // From half to one and a half of the usual spread.
            let breadth = UInt128(market.profile.spread) * UInt128(1_000 + market.volumes[instant] % 1_001) / 3_000
            let half = UInt64(UInt128(middle) * breadth / 1_000_000_000)
            guard let bid = decimal(market, max(1, middle - min(half, middle - 1))),
                let ask = decimal(market, middle + half)
            else { return nil }
            return .quote(StreamQuote(bid: bid, benchmark: price, ask: ask))
        }
    }

    /// The price in the market's smallest unit; never zero.
    private func cents(_ market: Market, at instant: UInt64) -> UInt64 {
        let logarithm =
            market.own.value(at: instant, deviation: market.ownDeviation)
            + market.group.value(at: instant, deviation: market.groupDeviation) + jump(market, at: instant)
        let factor = UInt128(exponential(logarithm))
        return max(1, UInt64(UInt128(market.coefficient) * factor / 1_000_000_000_000))
    }

    private func noisy(_ market: Market, _ cents: UInt64, at instant: UInt64) -> UInt64 {
        guard !market.profile.isDaily else { return cents }
        let share = market.noise.uniform(instant / 1_000_000, settings.noise)
        return UInt64(max(1, Int128(cents) * Int128(1_000_000_000 + share) / 1_000_000_000))
    }

    private func decimal(_ market: Market, _ cents: UInt64) -> Decimal? {
        Decimal(magnitude: U256(cents), exponent: -market.places)
    }

    private func volume(_ market: Market, at instant: UInt64, side: UInt64) -> Decimal {
        let hundredths = 100 + market.volumes[instant / 250_000_000 * 2 + side] % 99_900
        return Decimal(magnitude: U256(hundredths), exponent: -2) ?? .one
    }

    // MARK: Events

    private static let minute: UInt64 = 60_000_000_000
    private static let fadingMinutes: UInt64 = 64

    /// A jump comes with the minute, and is forgotten bit by bit in an hour.
    private func jump(_ market: Market, at instant: UInt64) -> Int64 {
        let rate = UInt64(market.profile.jumpsPerDay)
        guard rate > 0 else { return 0 }
        let now = instant / Self.minute
        var sum: Int64 = 0
        for back in 0..<min(Self.fadingMinutes, now) where market.jumps[(now - back) * 2] % 1_440 < rate {
            let size = Int64(market.profile.jumpSize) * 1_000
            let draw = market.jumps[(now - back) * 2 + 1]
            // Half to one and a half of the usual size, up or down.
            let height = size / 1_000 * Int64(500 + draw >> 1 % 1_001)
            let left = Self.fadingMinutes * Self.minute - (instant - (now - back) * Self.minute)
            let faded = Int128(height) * Int128(left) / Int128(Self.fadingMinutes * Self.minute)
            sum += draw & 1 == 0 ? Int64(faded) : -Int64(faded)
        }
        return sum
    }

    private func isOut(_ market: Market, _ instant: UInt64) -> Bool {
        let seconds = UInt64(market.profile.outageSeconds)
        let slot = instant / (seconds * 1_000_000_000)
        let slots = max(1, 86_400 / seconds)
        return market.outages[slot] % slots < UInt64(market.profile.outagesPerDay)
            || market.ownOutages[slot] % slots < UInt64(market.profile.ownOutagesPerDay)
    }

    /// Nine digits and the number of decimal places.
    private static func digits(_ start: Decimal) -> (UInt64, Int) {
        var places = -4
        while places < 20 {
            let power = Decimal(magnitude: .one, exponent: places) ?? .one
            let scaled = start.multiplied(by: power)?.truncated(times: .one)?.asUInt64 ?? 0
            if scaled >= 100_000_000 { return (scaled, places) }
            places += 1
        }
        return (1, 0)
    }
}
