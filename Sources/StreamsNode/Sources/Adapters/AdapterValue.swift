// One value of an answer: where it stands, and what its number means. Pure; numbers are read from their text.

import Ethereum
import PriceStreams

/// Why a document gives no tick for a stream. Stable: metrics carry these names.
package enum AdapterFault: String, Error, CaseIterable, Sendable {
    case missingValue, badNumber, outOfRange, missingTime, badTime
}

package enum TimeUnit: String, CaseIterable, Sendable {
    case s, ms, us, ns, rfc3339
}

package struct AdapterValue: Sendable, Equatable {
    package var stream: StreamID
    package var kind: StreamValue.Kind
    /// The value itself, or a quote's benchmark.
    package var path: ValuePath?
    package var bid: ValuePath?
    package var ask: ValuePath?
    package var scale: Decimal
    /// Bounds after scaling: a source that changes its unit must not pass.
    package var minimum: Decimal?
    package var maximum: Decimal?
    package var time: ValuePath?
    package var timeUnit: TimeUnit
    /// Numbers for words such as `open`.
    package var words: [String: Decimal]
    /// A document counts only when this stands in it: feeds push many things over one connection.
    package var when: (path: ValuePath, text: String)?

    package static func == (a: AdapterValue, b: AdapterValue) -> Bool {
        a.stream == b.stream && a.kind == b.kind && a.path == b.path && a.bid == b.bid && a.ask == b.ask
            && a.scale == b.scale && a.minimum == b.minimum && a.maximum == b.maximum && a.time == b.time
            && a.timeUnit == b.timeUnit && a.words == b.words && a.when?.path == b.when?.path
            && a.when?.text == b.when?.text
    }

    /// Whether the document is about this value at all.
    package func concerns(_ document: JSON) -> Bool {
        guard let when else { return true }
        return when.path.value(in: document).map(Self.text) == when.text
    }

    package func tick(in document: JSON, receivedAt: UInt64) throws(AdapterFault) -> SourceTick {
        let madeAt = try madeAt(document)
        let value: StreamValue
        switch kind {
        case .decimal: value = .decimal(try number(path, document))
        case .timestamped:
            guard let madeAt else { throw .missingTime }
            value = .timestamped(TimestampedDecimal(observedAtNanoseconds: madeAt, value: try number(path, document)))
        case .quote: value = .quote(try quote(document))
        }
        return SourceTick(stream: stream, value: value, madeAt: madeAt, receivedAt: receivedAt)
    }

    private func quote(_ document: JSON) throws(AdapterFault) -> StreamQuote {
        guard let bidPath = bid, let askPath = ask else {
            let price = try number(path, document)
            return StreamQuote(bid: price, benchmark: price, ask: price)
        }
        let bid = try number(bidPath, document)
        let ask = try number(askPath, document)
        if path != nil { return StreamQuote(bid: bid, benchmark: try number(path, document), ask: ask) }
        let half = Decimal(magnitude: U256(UInt64(5)), exponent: -1) ?? .one
        guard let middle = bid.adding(ask)?.multiplied(by: half) else { throw .badNumber }
        return StreamQuote(bid: bid, benchmark: middle, ask: ask)
    }

    private func number(_ path: ValuePath?, _ document: JSON) throws(AdapterFault) -> Decimal {
        guard let found = path?.value(in: document) else { throw .missingValue }
        let text = Self.text(found)
        if let word = words[text] { return word }
        guard let number = try? Decimal(text: text), let scaled = number.multiplied(by: scale) else { throw .badNumber }
        if let minimum, scaled < minimum { throw .outOfRange }
        if let maximum, maximum < scaled { throw .outOfRange }
        return scaled
    }

    /// Numbers and texts alike: many APIs write numbers in quotes.
    private static func text(_ value: JSON) -> String {
        switch value {
        case .number(let text), .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        default: ""
        }
    }

    private func madeAt(_ document: JSON) throws(AdapterFault) -> UInt64? {
        guard let time else { return nil }
        guard let found = time.value(in: document) else { throw .missingTime }
        let text = Self.text(found)
        if timeUnit == .rfc3339 {
            guard let instant = Self.instant(rfc3339: text) else { throw .badTime }
            return instant
        }
        let factor: UInt64 =
            switch timeUnit {
            case .s: 1_000_000_000
            case .ms: 1_000_000
            case .us: 1_000
            case .ns, .rfc3339: 1
            }
        guard let number = try? Decimal(text: text), !number.isNegative,
            let instant = number.truncated(times: U256(factor))?.asUInt64
        else { throw .badTime }
        return instant
    }

    /// `2026-11-27T14:30:00.123Z`, or with an offset such as `+09:00`; nanoseconds since 1970.
    static func instant(rfc3339 text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        guard (20...40).contains(bytes.count), bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let day = CivilDay(text: String(decoding: bytes[..<10], as: UTF8.self)), let hour = two(bytes[11...12]),
            let minute = two(bytes[14...15]), let second = two(bytes[17...18]), hour < 24, minute < 60, second < 61
        else { return nil }
        var rest = bytes[19...]
        var nanoseconds: UInt64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard (1...18).contains(digits.count) else { return nil }
            for place in 0..<9 {
                let digit = place < digits.count ? UInt64(digits[digits.startIndex + place] - 0x30) : 0
                nanoseconds = nanoseconds * 10 + digit
            }
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let offset = zone(rest) else { return nil }
        let seconds = day.number * 86_400 + hour * 3_600 + minute * 60 + second - offset
        guard (0...9_223_372_036).contains(seconds) else { return nil }
        return UInt64(seconds) * 1_000_000_000 + nanoseconds
    }

    private static func zone(_ rest: ArraySlice<UInt8>) -> Int? {
        guard let sign = rest.first else { return nil }
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return rest.count == 1 ? 0 : nil }
        let at = rest.startIndex
        guard rest.count == 6, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), rest[at + 3] == UInt8(ascii: ":"),
            let hours = two(rest[(at + 1)...(at + 2)]), let minutes = two(rest[(at + 4)...(at + 5)]), hours < 24,
            minutes < 60
        else { return nil }
        return (hours * 3_600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    private static func two(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.count == 2, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
