// One recorded tick as a line of JSON: {"at":1764270000000000000,"stream":"ETH/USD","value":"3000.1"}. A quote has bid,
// benchmark and ask instead of value; a timestamped value has observedAt beside it. Times are nanoseconds since 1970.
// docs/reference/price-sources.md describes the format. Pure.

import Ethereum
import PriceStreams

package struct ReplayLine: Equatable, Sendable {
    package struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    package var at: UInt64
    package var stream: String
    package var value: StreamValue

    package init(at: UInt64, stream: String, value: StreamValue) {
        self.at = at
        self.stream = stream
        self.value = value
    }

    package init(_ bytes: some Collection<UInt8>) throws(Malformed) {
        guard bytes.count <= Limits.replayLineBytesMaximum else {
            throw Malformed(description: "longer than \(Limits.replayLineBytesMaximum) bytes")
        }
        guard let object = (try? JSON.parse(bytes))?.asObject else { throw Malformed(description: "no JSON object") }
        let known = ["at", "stream", "value", "bid", "benchmark", "ask", "observedAt"]
        for (name, _) in object.members where !known.contains(name) {
            throw Malformed(description: "unknown name '\(name.prefix(40))'")
        }
        at = try Self.time("at", object)
        guard let stream = object["stream"]?.asString, StreamSettings.isName(stream) else {
            throw Malformed(description: "no stream")
        }
        self.stream = stream
        func has(_ names: [String]) -> Bool {
            object.members.count == names.count + 2 && names.allSatisfy { object[$0] != nil }
        }
        if has(["value"]) {
            value = .decimal(try Self.number("value", object))
        } else if has(["value", "observedAt"]) {
            value = .timestamped(
                TimestampedDecimal(
                    observedAtNanoseconds: try Self.time("observedAt", object), value: try Self.number("value", object)))
        } else if has(["bid", "benchmark", "ask"]) {
            value = .quote(
                StreamQuote(
                    bid: try Self.number("bid", object), benchmark: try Self.number("benchmark", object),
                    ask: try Self.number("ask", object)))
        } else {
            throw Malformed(description: "neither value, nor value and observedAt, nor bid, benchmark and ask")
        }
    }

    private static func time(_ name: String, _ object: JSONObject) throws(Malformed) -> UInt64 {
        guard case .number(let text)? = object[name], let time = UInt64(text) else {
            throw Malformed(description: "'\(name)' is no whole number of nanoseconds")
        }
        return time
    }

    private static func number(_ name: String, _ object: JSONObject) throws(Malformed) -> Decimal {
        switch object[name] {
        case .number(let text)?, .string(let text)?:
            guard let number = try? Decimal(text: text) else { break }
            return number
        default: break
        }
        throw Malformed(description: "'\(name)' is no decimal number")
    }

    /// The inverse, without a line's end.
    package var text: String {
        let head = "{\"at\":\(at),\"stream\":\"\(stream)\","
        return switch value {
        case .decimal(let number): head + "\"value\":\"\(number)\"}"
        case .timestamped(let stamped):
            head + "\"value\":\"\(stamped.value)\",\"observedAt\":\(stamped.observedAtNanoseconds)}"
        case .quote(let quote):
            head + "\"bid\":\"\(quote.bid)\",\"benchmark\":\"\(quote.benchmark)\",\"ask\":\"\(quote.ask)\"}"
        }
    }
}

/// Places recorded times on the present clock: the first line plays at the start, the others after it in proportion.
package struct ReplayClock: Equatable, Sendable {
    package let first: UInt64
    package let start: UInt64
    /// In thousandths.
    package let speed: UInt64

    package init(first: UInt64, start: UInt64, speed: UInt64) {
        precondition(speed > 0, "a replay that stands still")
        self.first = first
        self.start = start
        self.speed = speed
    }

    /// Nil for a time that no clock has.
    package func played(_ recorded: UInt64) -> UInt64? {
        let apart = UInt128(recorded > first ? recorded - first : first - recorded) * 1_000 / UInt128(speed)
        guard let apart = UInt64(exactly: apart) else { return nil }
        let (time, overflow) =
            recorded >= first ? start.addingReportingOverflow(apart) : start.subtractingReportingOverflow(apart)
        return overflow ? nil : time
    }
}
