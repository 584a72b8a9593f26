// Days of the Gregorian calendar as plain numbers, and the rules of the exchanges' days off. Pure.

/// A day, counted from 1970-01-01.
package struct CivilDay: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var number: Int

    package init(number: Int) { self.number = number }

    /// Howard Hinnant's days_from_civil; months and days past their ends run on into the next.
    package init(_ year: Int, _ month: Int, _ day: Int) {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        number = era * 146_097 + dayOfEra - 719_468
    }

    package var civil: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let position = (5 * dayOfYear + 2) / 153
        let month = position < 10 ? position + 3 : position - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * position + 2) / 5 + 1)
    }

    /// 0 is Sunday.
    package var weekday: Int {
        let rest = (number + 4) % 7
        return rest < 0 ? rest + 7 : rest
    }

    package var isWeekend: Bool { weekday == 0 || weekday == 6 }

    package func adding(_ days: Int) -> CivilDay { CivilDay(number: number + days) }
    package static func < (a: CivilDay, b: CivilDay) -> Bool { a.number < b.number }

    /// `2026-11-27`, strictly; nil for a day that no calendar has.
    package init?(text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), let year = Int(parts[0]),
            let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month), day >= 1
        else { return nil }
        self.init(year, month, day)
        guard civil == (year, month, day) else { return nil }
    }

    package var description: String {
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        let (year, month, day) = civil
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// The `count`-th `weekday` of a month.
    package static func nth(_ count: Int, weekday: Int, _ year: Int, _ month: Int) -> CivilDay {
        let first = CivilDay(year, month, 1)
        return first.adding((weekday - first.weekday + 7) % 7 + 7 * (count - 1))
    }

    package static func last(weekday: Int, _ year: Int, _ month: Int) -> CivilDay {
        let end = CivilDay(year, month + 1, 1).adding(-1)
        return end.adding(-((end.weekday - weekday + 7) % 7))
    }

    /// Easter Sunday of the western churches (Meeus, Jones, Butcher).
    package static func easter(_ year: Int) -> CivilDay {
        let (a, b, c) = (year % 19, year / 100, year % 100)
        let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30
        let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7
        let m = (a + 11 * h + 22 * l) / 451
        let position = h + l - 7 * m + 114
        return CivilDay(year, position / 31, position % 31 + 1)
    }
}

/// Days off of the New York Stock Exchange, by rule. Days of mourning and storms are in no rule: name them as closed
/// days where sources are set up.
package enum ExchangeHolidays {
    package enum Kind: Sendable, Equatable { case none, closed, early }

    package static func newYork(_ day: CivilDay) -> Kind {
        let (year, month, _) = day.civil
        if day.isWeekend { return .closed }
        let fixed = closedDays(year)
        // The first of January on a Saturday is not made up for: the year before keeps its books open.
        if fixed.contains(day) { return .closed }
        if month == 11, day == CivilDay.nth(4, weekday: 4, year, 11).adding(1) { return .early }
        if day == CivilDay(year, 12, 24) { return .early }
        if day == CivilDay(year, 7, 3), !CivilDay(year, 7, 4).isWeekend { return .early }
        return .none
    }

    private static func closedDays(_ year: Int) -> [CivilDay] {
        let newYear = CivilDay(year, 1, 1)
        var days = [
            newYear.weekday == 0 ? newYear.adding(1) : newYear,
            CivilDay.nth(3, weekday: 1, year, 1), CivilDay.nth(3, weekday: 1, year, 2),
            CivilDay.easter(year).adding(-2), CivilDay.last(weekday: 1, year, 5),
        ]
        days.append(observed(CivilDay(year, 7, 4)))
        days.append(CivilDay.nth(1, weekday: 1, year, 9))
        days.append(CivilDay.nth(4, weekday: 4, year, 11))
        days.append(observed(CivilDay(year, 12, 25)))
        if year >= 2022 { days.append(observed(CivilDay(year, 6, 19))) }
        return days
    }

    /// Saturday's is taken on Friday, Sunday's on Monday.
    private static func observed(_ day: CivilDay) -> CivilDay {
        day.weekday == 6 ? day.adding(-1) : day.weekday == 0 ? day.adding(1) : day
    }
}
