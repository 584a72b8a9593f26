// When which market trades (12.3 of the price specification), as a function of time alone. Nothing here knows whether a
// market was halted: that shows in prices that stop.

import PriceStreams

/// The hours of one market. Asian exchanges' days off follow the moon and their governments: name them as closed days.
package enum MarketHours: String, CaseIterable, Sendable {
    case always, currencies, metals, oil, usEquities, usEquities24x5, krx, tse, china, twse, hkex
}

/// How a status is written as a number (2.4).
package enum StatusNumbering: Sendable, Equatable {
    /// v4, v8 and v10: 0 unknown, 1 closed, 2 open, and never more.
    case openOrClosed
    /// v11 of a feed with the hours of its exchange: 2 open, 5 closed.
    case standard
    /// v11 of a 24/5 equity: all sessions.
    case sessions

    package func number(_ session: MarketSession) -> UInt32 {
        switch (self, session) {
        case (_, .unknown): 0
        case (.openOrClosed, .open): 2
        case (.openOrClosed, _): 1
        case (.standard, .open), (.sessions, .open): 2
        case (.standard, _), (.sessions, .closed): 5
        case (.sessions, .preMarket): 1
        case (.sessions, .postMarket): 3
        case (.sessions, .overnight): 4
        }
    }
}

/// Answers for any instant between 2007 (the present rule of US daylight saving) and 2199; outside it knows nothing.
package struct MarketCalendar: Sendable, Equatable {
    package let hours: MarketHours
    /// Trading days besides the known ones on which the market stays closed.
    package var closedDays: Set<CivilDay>

    package init(_ hours: MarketHours, closedDays: Set<CivilDay> = []) {
        self.hours = hours
        self.closedDays = closedDays
    }

    /// Part of a trading day, in seconds from its local midnight; it may begin on the evening before.
    private struct Span {
        var from: Int
        var to: Int
        var session: MarketSession
    }

    private static let known = CivilDay(2007, 4, 1).number * 86_400..<CivilDay(2199, 1, 1).number * 86_400
    /// Days to look back for the last trade: the longest breaks of Asian exchanges are about ten.
    private static let lookBackDays = 14

    /// - Parameter seconds: since 1970.
    package func session(at seconds: Int) -> MarketSession {
        guard hours != .always else { return .open }
        guard Self.known.contains(seconds) else { return .unknown }
        let (day, second) = local(seconds)
        for (span, offset) in spans(day).map({ ($0, 0) }) + spans(day.adding(1)).map({ ($0, 86_400) })
        where (span.from + offset..<span.to + offset).contains(second) { return span.session }
        return .closed
    }

    /// The last second at or before `seconds` in which the market traded; nil when there is none near.
    package func lastTrading(at seconds: Int) -> Int? {
        guard session(at: seconds) != .unknown else { return nil }
        if session(at: seconds).isTrading { return seconds }
        let (today, second) = local(seconds)
        for back in -1...Self.lookBackDays {
            let day = today.adding(-back)
            // Seconds from today's midnight at which that day's spans ended.
            let ends = spans(day).map { $0.to - back * 86_400 }.filter { $0 <= second }
            if let last = ends.max() { return utc(today, last - 1) }
        }
        return nil
    }

    // MARK: Trading days

    private func spans(_ day: CivilDay) -> [Span] {
        guard !day.isWeekend, !closedDays.contains(day) else { return [] }
        func open(_ from: Int, _ to: Int) -> Span { Span(from: from * 60, to: to * 60, session: .open) }
        func clock(_ hour: Int, _ minute: Int = 0) -> Int { hour * 60 + minute }
        switch hours {
        case .always: return [open(0, clock(24))]
        case .currencies:
            let (_, month, number) = day.civil
            return (month, number) == (1, 1) || (month, number) == (12, 25) ? [] : [open(clock(-7), clock(17))]
        case .metals, .oil: return metals(day).map { [open(clock(-6), $0)] } ?? []
        case .usEquities:
            return newYork(day).map { [open(clock(9, 30), $0)] } ?? []
        case .usEquities24x5:
            guard let end = newYork(day) else { return [] }
            return [
                Span(from: clock(-4) * 60, to: clock(4) * 60, session: .overnight),
                Span(from: clock(4) * 60, to: clock(9, 30) * 60, session: .preMarket), open(clock(9, 30), end),
                Span(from: end * 60, to: (end + clock(4)) * 60, session: .postMarket),
            ]
        case .krx: return [open(clock(9), clock(15, 20))]
        case .tse: return [open(clock(9), clock(11, 30)), open(clock(12, 30), clock(15, 25))]
        case .china: return [open(clock(9, 30), clock(11, 30)), open(clock(13), clock(14, 57))]
        case .twse: return [open(clock(9), clock(13, 25))]
        case .hkex: return [open(clock(9, 30), clock(12)), open(clock(13), clock(16))]
        }
    }

    /// Minute at which the regular session ends; nil on a day off.
    private func newYork(_ day: CivilDay) -> Int? {
        switch ExchangeHolidays.newYork(day) {
        case .none: 16 * 60
        case .early: 13 * 60
        case .closed: nil
        }
    }

    /// Closed on three days; ends early on the other days off of New York (14:30) and on its short days (13:45), which
    /// are the usual times of the futures that metals and oil are priced by.
    private func metals(_ day: CivilDay) -> Int? {
        let (year, month, number) = day.civil
        let isClosed =
            (month, number) == (1, 1) || (month, number) == (12, 25) || day == CivilDay.easter(year).adding(-2)
        guard !isClosed else { return nil }
        return switch ExchangeHolidays.newYork(day) {
        case .none: 17 * 60
        case .closed: 14 * 60 + 30
        case .early: 13 * 60 + 45
        }
    }

    // MARK: Local time

    private func local(_ seconds: Int) -> (day: CivilDay, second: Int) {
        let shifted = seconds + offset(at: seconds)
        let day = shifted >= 0 ? shifted / 86_400 : (shifted - 86_399) / 86_400
        return (CivilDay(number: day), shifted - day * 86_400)
    }

    /// The instant of a local time; sessions end at no hour that daylight saving skips or repeats.
    private func utc(_ day: CivilDay, _ second: Int) -> Int {
        let wall = day.number * 86_400 + second
        return wall - offset(at: wall - offset(at: wall))
    }

    /// Seconds by which the market's clocks are ahead of UTC.
    private func offset(at seconds: Int) -> Int {
        switch hours {
        case .always: 0
        case .currencies, .metals, .oil, .usEquities, .usEquities24x5: Self.isSummer(seconds) ? -14_400 : -18_000
        case .krx, .tse: 32_400
        case .china, .twse, .hkex: 28_800
        }
    }

    /// From the second Sunday of March to the first Sunday of November, at two o'clock by the clock that ends.
    static func isSummer(_ seconds: Int) -> Bool {
        let day = CivilDay(number: seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        let year = day.civil.year
        let begin = CivilDay.nth(2, weekday: 0, year, 3).number * 86_400 + 7 * 3_600
        let end = CivilDay.nth(1, weekday: 0, year, 11).number * 86_400 + 6 * 3_600
        return (begin..<end).contains(seconds)
    }
}
