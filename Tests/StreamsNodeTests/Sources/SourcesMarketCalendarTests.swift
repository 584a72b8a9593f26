// Hours of markets against dates that were looked up by hand: daylight saving, days off, short days, breaks.

import PriceStreams
import Testing

@testable import StreamsNode

@Suite struct SourcesMarketCalendarTests {
    /// Seconds since 1970 of a UTC time `2026-11-27T14:30`.
    static func utc(_ text: String) throws -> Int {
        let parts = text.split(separator: "T")
        let day = try #require(CivilDay(text: String(parts[0])))
        let clock = try parts[1].split(separator: ":").map { try #require(Int($0)) }
        return day.number * 86_400 + clock[0] * 3_600 + clock[1] * 60
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var hours: MarketHours
        var time: String
        var session: MarketSession
        var testDescription: String { "\(hours) at \(time) UTC is \(session)" }

        init(_ hours: MarketHours, _ time: String, _ session: MarketSession) {
            self.hours = hours
            self.time = time
            self.session = session
        }
    }

    static let currencies: [Case] = [
        // Sunday 17:00 in New York: 22:00 UTC in winter, 21:00 in summer.
        Case(.currencies, "2026-01-11T21:59", .closed), Case(.currencies, "2026-01-11T22:00", .open),
        Case(.currencies, "2026-07-12T20:59", .closed), Case(.currencies, "2026-07-12T21:00", .open),
        Case(.currencies, "2026-01-16T21:59", .open), Case(.currencies, "2026-01-16T22:00", .closed),
        Case(.currencies, "2026-01-14T03:00", .open), Case(.currencies, "2026-01-17T12:00", .closed),
        Case(.currencies, "2025-12-25T12:00", .closed), Case(.currencies, "2025-12-25T22:00", .open),
        Case(.currencies, "2026-01-01T12:00", .closed), Case(.currencies, "2026-07-03T12:00", .open),
        // The week in which Europe and the United States differ.
        Case(.currencies, "2026-03-08T20:59", .closed), Case(.currencies, "2026-03-08T21:00", .open),
    ]

    static let metals: [Case] = [
        Case(.metals, "2026-01-11T22:59", .closed), Case(.metals, "2026-01-11T23:00", .open),
        // The daily break from 17:00 to 18:00.
        Case(.metals, "2026-01-13T21:59", .open), Case(.metals, "2026-01-13T22:00", .closed),
        Case(.metals, "2026-01-13T22:59", .closed), Case(.metals, "2026-01-13T23:00", .open),
        Case(.metals, "2026-04-03T15:00", .closed), Case(.metals, "2026-11-26T19:29", .open),
        Case(.metals, "2026-11-26T19:30", .closed), Case(.metals, "2026-11-27T18:45", .closed),
        Case(.oil, "2026-01-13T22:30", .closed), Case(.oil, "2026-01-13T20:00", .open),
    ]

    static let equities: [Case] = [
        Case(.usEquities, "2026-01-13T14:29", .closed), Case(.usEquities, "2026-01-13T14:30", .open),
        Case(.usEquities, "2026-01-13T20:59", .open), Case(.usEquities, "2026-01-13T21:00", .closed),
        Case(.usEquities, "2026-07-14T13:30", .open), Case(.usEquities, "2026-07-14T20:00", .closed),
        Case(.usEquities, "2026-11-26T16:00", .closed), Case(.usEquities, "2026-11-27T17:59", .open),
        Case(.usEquities, "2026-11-27T18:00", .closed), Case(.usEquities, "2026-01-17T16:00", .closed),
        // 4 July 2026 is a Saturday: Friday is off, Thursday a whole day.
        Case(.usEquities, "2026-07-03T15:00", .closed), Case(.usEquities, "2026-07-02T19:00", .open),
        Case(.usEquities, "2025-07-03T17:30", .closed), Case(.usEquities, "2025-12-24T18:30", .closed),
    ]

    static let sessions: [Case] = [
        Case(.usEquities24x5, "2026-01-12T00:59", .closed), Case(.usEquities24x5, "2026-01-12T01:00", .overnight),
        Case(.usEquities24x5, "2026-01-12T08:59", .overnight), Case(.usEquities24x5, "2026-01-12T09:00", .preMarket),
        Case(.usEquities24x5, "2026-01-12T14:29", .preMarket), Case(.usEquities24x5, "2026-01-12T14:30", .open),
        Case(.usEquities24x5, "2026-01-12T21:00", .postMarket), Case(.usEquities24x5, "2026-01-13T00:59", .postMarket),
        Case(.usEquities24x5, "2026-01-13T01:00", .overnight), Case(.usEquities24x5, "2026-01-17T00:59", .postMarket),
        Case(.usEquities24x5, "2026-01-17T01:00", .closed),
        // The evening before a day off belongs to it.
        Case(.usEquities24x5, "2026-11-26T02:00", .closed), Case(.usEquities24x5, "2026-11-27T02:00", .overnight),
    ]

    static let asia: [Case] = [
        Case(.tse, "2026-01-13T00:00", .open), Case(.tse, "2026-01-13T02:30", .closed),
        Case(.tse, "2026-01-13T03:30", .open), Case(.tse, "2026-01-13T06:25", .closed),
        Case(.krx, "2026-01-13T06:19", .open), Case(.krx, "2026-01-13T06:20", .closed),
        Case(.china, "2026-01-13T01:29", .closed), Case(.china, "2026-01-13T01:30", .open),
        Case(.china, "2026-01-13T03:30", .closed), Case(.china, "2026-01-13T05:00", .open),
        Case(.china, "2026-01-13T06:57", .closed), Case(.hkex, "2026-01-13T04:00", .closed),
        Case(.hkex, "2026-01-13T07:59", .open), Case(.twse, "2026-01-13T05:24", .open),
        Case(.twse, "2026-01-13T05:25", .closed), Case(.hkex, "2026-01-17T05:30", .closed),
    ]

    @Test("every market is open when its table says", arguments: currencies + metals + equities + sessions + asia)
    func table(_ item: Case) throws {
        let seconds = try Self.utc(item.time)
        #expect(MarketCalendar(item.hours).session(at: seconds) == item.session)
    }

    @Test("the days off of New York from 2023 to 2027 are those that the exchange published")
    func newYork() throws {
        let closed = [
            "2023-01-02", "2023-01-16", "2023-02-20", "2023-04-07", "2023-05-29", "2023-06-19", "2023-07-04",
            "2023-09-04", "2023-11-23", "2023-12-25", "2024-01-01", "2024-01-15", "2024-02-19", "2024-03-29",
            "2024-05-27", "2024-06-19", "2024-07-04", "2024-09-02", "2024-11-28", "2024-12-25", "2025-01-01",
            "2025-01-20", "2025-02-17", "2025-04-18", "2025-05-26", "2025-06-19", "2025-07-04", "2025-09-01",
            "2025-11-27", "2025-12-25", "2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03", "2026-05-25",
            "2026-06-19", "2026-07-03", "2026-09-07", "2026-11-26", "2026-12-25", "2027-01-01", "2027-01-18",
            "2027-02-15", "2027-03-26", "2027-05-31", "2027-06-18", "2027-07-05", "2027-09-06", "2027-11-25",
            "2027-12-24",
        ]
        let early = [
            "2023-07-03", "2023-11-24", "2024-07-03", "2024-11-29", "2024-12-24", "2025-07-03", "2025-11-28",
            "2025-12-24", "2026-11-27", "2026-12-24", "2027-11-26",
        ]
        var foundClosed: [String] = []
        var foundEarly: [String] = []
        var day = CivilDay(2023, 1, 1)
        while day < CivilDay(2028, 1, 1) {
            if !day.isWeekend {
                switch ExchangeHolidays.newYork(day) {
                case .closed: foundClosed.append("\(day)")
                case .early: foundEarly.append("\(day)")
                case .none: break
                }
            }
            day = day.adding(1)
        }
        #expect(foundClosed == closed)
        #expect(foundEarly == early)
    }

    @Test("days count as the calendar does, through centuries and back from text")
    func days() throws {
        #expect(CivilDay(1970, 1, 1).number == 0)
        #expect(CivilDay(2000, 2, 29).number == 11_016)
        #expect(CivilDay(2026, 11, 27).weekday == 5)
        var day = CivilDay(1899, 12, 31)
        var last = day.civil
        while day < CivilDay(2201, 1, 1) {
            day = day.adding(1)
            let (year, month, number) = day.civil
            #expect(CivilDay(year, month, number) == day)
            let isNext = (year, month, number) == (last.year, last.month, last.day + 1) || number == 1
            #expect(isNext, "\(day)")
            last = (year, month, number)
        }
        for text in ["2026-02-29", "2026-13-01", "2026-1-01", "26-01-01", "2026-00-10", "2026-01-00", "", "2026-01-01-"] {
            #expect(CivilDay(text: text) == nil, "\(text)")
        }
        #expect(CivilDay(text: "2028-02-29").map { "\($0)" } == "2028-02-29")
    }

    @Test("the last trade is the second before the market closed, through two years")
    func lastTrading() throws {
        for hours in MarketHours.allCases where hours != .always {
            let calendar = MarketCalendar(hours)
            let begin = try Self.utc("2025-11-01T00:00")
            var last: Int?
            for second in stride(from: begin, to: begin + 2 * 366 * 86_400, by: 5_400) {
                let found = try #require(calendar.lastTrading(at: second), "\(hours) \(second)")
                #expect(found <= second)
                #expect(calendar.session(at: found).isTrading, "\(hours) \(second)")
                if found < second { #expect(!calendar.session(at: found + 1).isTrading, "\(hours) \(second)") }
                if let last { #expect(found >= last, "\(hours) \(second)") }
                last = found
            }
        }
    }

    @Test("a named closed day is closed, and a year without rules is unknown")
    func closedDays() throws {
        let noon = try Self.utc("2025-01-09T17:00")
        // The day of mourning for President Carter.
        #expect(MarketCalendar(.usEquities).session(at: noon) == .open)
        #expect(MarketCalendar(.usEquities, closedDays: [CivilDay(2025, 1, 9)]).session(at: noon) == .closed)
        #expect(MarketCalendar(.usEquities).session(at: 0) == .unknown)
        #expect(MarketCalendar(.usEquities).lastTrading(at: 0) == nil)
        #expect(MarketCalendar(.always).session(at: 0) == .open)
    }

    @Test("each session has its number in each schema, and no v8 feed says more than closed or open")
    func numbers() {
        let all = MarketSession.allCases
        #expect(all.map { StatusNumbering.openOrClosed.number($0) } == [0, 1, 2, 1, 1, 1])
        #expect(all.map { StatusNumbering.standard.number($0) } == [0, 5, 2, 5, 5, 5])
        #expect(all.map { StatusNumbering.sessions.number($0) } == [0, 5, 2, 1, 3, 4])
        for session in all {
            let number = StatusNumbering.sessions.number(session)
            #expect(MarketSession(status: number, schemaNumber: 11, hours: .equities24x5) == session)
        }
    }
}
