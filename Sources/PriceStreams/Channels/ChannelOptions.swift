// A channel's `opts` by format (5.7), strict: unknown names, impossible types and zero multipliers are refused.

import Ethereum

/// What every EVM report says about itself.
package struct ReportTerms: Hashable, Sendable {
    package let feedID: FeedID
    package let baseUSDFee: Decimal
    package let expirationSeconds: UInt64
    /// A longer range is cut to this (5.7.3).
    package let rangeMaximumNanoseconds: UInt64
    package let resolution: TimeResolution
}

/// One integer of a payload: a Solidity type and the factor before cutting.
package struct ABIField: Hashable, Sendable {
    package let type: SolidityInteger
    package let multiplier: U256
}

/// What one stream becomes: one field, or two (timestamp, value) for a timestamped stream.
package struct ABIEntry: Hashable, Sendable {
    package let fields: [ABIField]
    /// Format 7: the calculated stream and its expression.
    package let calculated: CalculatedStream?
}

package struct CalculatedStream: Hashable, Sendable {
    package let streamID: StreamID
    package let expression: Expression
}

package enum ChannelOptions: Hashable, Sendable {
    case premium(ReportTerms, multiplier: U256)
    case unpacked(ReportTerms, [ABIEntry])
    case expressions(ReportTerms, [ABIEntry])
    case streamlined(FeedID?, [ABIEntry])
    case json

    package var feedID: FeedID? {
        switch self {
        case .premium(let terms, _), .unpacked(let terms, _), .expressions(let terms, _): terms.feedID
        case .streamlined(let feedID, _): feedID
        case .json: nil
        }
    }

    /// JSON and streamlined reports carry nanoseconds.
    package var resolution: TimeResolution {
        switch self {
        case .premium(let terms, _), .unpacked(let terms, _), .expressions(let terms, _): terms.resolution
        case .streamlined, .json: .nanoseconds
        }
    }

    package var calculated: [CalculatedStream] {
        if case .expressions(_, let entries) = self { entries.compactMap(\.calculated) } else { [] }
    }
}

extension ChannelOptions {
    package init(format: ReportFormat, options: Bytes) throws(PriceStreamsError) {
        if format == .json {
            guard options.isEmpty || options == Bytes("{}".utf8) else {
                throw PriceStreamsError(.badOptions, "\(options.count) bytes", hint: "format json has no options")
            }
            self = .json
            return
        }
        let value: JSON
        do { value = try JSON.parse(options.isEmpty ? Bytes("{}".utf8) : options) } catch {
            throw PriceStreamsError(.badOptions, error.message, hint: "opts must be a JSON object")
        }
        switch format {
        case .premiumLegacy: self = try ChannelOptions.premium(value)
        case .unpacked: self = try ChannelOptions.unpacked(value, isExpression: false)
        case .unpackedExpression: self = try ChannelOptions.unpacked(value, isExpression: true)
        case .streamlined: self = try ChannelOptions.streamlined(value)
        default:
            throw PriceStreamsError(
                .unsupportedFormat, "a channel of format \(format)", hint: "formats 1, 2, 4, 6 and 7 make reports")
        }
    }

    private static func premium(_ value: JSON) throws(PriceStreamsError) -> ChannelOptions {
        let object = try FoldedObject(
            value, known: ["baseusdfee", "expirationwindow", "feedid", "multiplier", "maxreportrange"], .badOptions)
        return .premium(try terms(object, .seconds), multiplier: try multiplier(object))
    }

    private static func unpacked(_ value: JSON, isExpression: Bool) throws(PriceStreamsError) -> ChannelOptions {
        let object = try FoldedObject(
            value,
            known: ["baseusdfee", "expirationwindow", "feedid", "maxreportrange", "abi", "timeresolution"], .badOptions)
        var resolution = TimeResolution.seconds
        if let text = object["timeresolution"] {
            guard let found = text.asString.flatMap(TimeResolution.init(rawValue:)) else {
                throw object.wrong("timeresolution", "s, ms, us or ns")
            }
            resolution = found
        }
        let terms = try terms(object, resolution)
        guard resolution == .seconds || terms.feedID.version >> 8 == 0x0f else {
            throw PriceStreamsError(
                .badOptions, "feed \(terms.feedID) has times in \(resolution.rawValue)",
                hint: "public clients read such times as seconds: use a version of the private range 0x0f00...0x0fff")
        }
        let entries = try entries(object, isExpression: isExpression, isPacked: false)
        return isExpression ? .expressions(terms, entries) : .unpacked(terms, entries)
    }

    private static func streamlined(_ value: JSON) throws(PriceStreamsError) -> ChannelOptions {
        let object = try FoldedObject(value, known: ["feedid", "abi"], .badOptions)
        let hasFeed = object["feedid"].map { _ in true } ?? false
        return .streamlined(try hasFeed ? feed(object) : nil, try entries(object, isExpression: false, isPacked: true))
    }

    private static func feed(_ object: FoldedObject) throws(PriceStreamsError) -> FeedID {
        guard let text = object["feedid"]?.asString, let id = try? FeedID(text: text) else {
            throw object.wrong("feedid", "0x and 64 hexadecimal digits")
        }
        return id
    }

    private static func terms(
        _ object: FoldedObject, _ resolution: TimeResolution
    ) throws(PriceStreamsError) -> ReportTerms {
        var fee = Decimal.zero
        switch object["baseusdfee"] {
        case .none: break
        case .number(let text), .string(let text):
            guard let parsed = try? Decimal(text: text) else { throw object.wrong("baseusdfee", "a decimal number") }
            fee = parsed
        default: throw object.wrong("baseusdfee", "a decimal number")
        }
        return ReportTerms(
            feedID: try feed(object), baseUSDFee: fee,
            expirationSeconds: try object.unsigned("expirationwindow", maximum: AgreementLimits.expirationWindowMaximum)
                ?? 0,
            rangeMaximumNanoseconds: try range(object), resolution: resolution)
    }

    /// Nanoseconds, or a duration such as `5m`.
    private static func range(_ object: FoldedObject) throws(PriceStreamsError) -> UInt64 {
        let found: UInt64?
        switch object["maxreportrange"] {
        case .none: return AgreementLimits.reportRangeDefault
        case .number(let text): found = UInt64(text)
        case .string(let text): found = GoDuration.nanoseconds(text)
        default: found = nil
        }
        guard let found, (1...AgreementLimits.reportRangeMaximum).contains(found) else {
            throw object.wrong("maxreportrange", "nanoseconds, or a duration such as \"5m\"; at most a year")
        }
        return found
    }

    private static func multiplier(_ object: FoldedObject) throws(PriceStreamsError) -> U256 {
        guard let value = object["multiplier"] else { return .one }
        guard let number = value.asUInt256, !number.isZero else {
            throw object.wrong("multiplier", "a whole number above zero, as number, text or 0x text")
        }
        return number
    }

    private static func entries(
        _ object: FoldedObject, isExpression: Bool, isPacked: Bool
    ) throws(PriceStreamsError) -> [ABIEntry] {
        guard let items = object["abi"]?.asArray,
            (1...AgreementLimits.streamsPerChannelMaximum).contains(items.count)
        else { throw object.wrong("abi", "a list of encoders, one for each value") }
        var entries: [ABIEntry] = []
        for item in items { entries.append(try entry(item, isExpression: isExpression, isPacked: isPacked)) }
        return entries
    }

    private static func entry(_ item: JSON, isExpression: Bool, isPacked: Bool) throws(PriceStreamsError) -> ABIEntry {
        guard let pair = item.asArray else {
            let (field, calculated) = try field(item, isExpression: isExpression, isPacked: isPacked)
            return ABIEntry(fields: [field], calculated: calculated)
        }
        guard pair.count == 2, !isExpression else {
            throw PriceStreamsError(
                .badOptions, "a nested list of \(pair.count) encoders",
                hint: "two, for time and value of a timestamped stream; none in format 7")
        }
        let time = try field(pair[0], isExpression: false, isPacked: isPacked).0
        return ABIEntry(
            fields: [time, try field(pair[1], isExpression: false, isPacked: isPacked).0], calculated: nil)
    }

    private static func field(
        _ item: JSON, isExpression: Bool, isPacked: Bool
    ) throws(PriceStreamsError) -> (ABIField, CalculatedStream?) {
        let names = ["type", "multiplier"] + (isExpression ? ["expression", "expressionstreamid"] : [])
        let object = try FoldedObject(item, known: names, .badOptions)
        guard let text = object["type"]?.asString else { throw object.wrong("type", "a Solidity type") }
        let type = try SolidityInteger(text, allowsNothing: isPacked)
        let field = ABIField(type: type, multiplier: try multiplier(object))
        guard isExpression else { return (field, nil) }
        guard let expression = object["expression"]?.asString,
            let id = try object.unsigned("expressionstreamid", maximum: UInt64(UInt32.max))
        else { throw object.wrong("expression", "expression and expressionStreamId go together in format 7") }
        let calculated = CalculatedStream(
            streamID: StreamID(UInt32(truncatingIfNeeded: id)), expression: try Expression(expression))
        return (field, calculated)
    }
}

/// Durations as Go writes them: `1h30m`, `5m`, `1.5s`, `250ms`.
enum GoDuration {
    private static let units: [(String, UInt64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Nil when it is none, or does not fit.
    static func nanoseconds(_ text: String) -> UInt64? {
        var rest = text[...]
        var total: UInt64 = 0
        guard !rest.isEmpty, text.utf8.count <= 64 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { !($0.isASCII && $0.isNumber) && $0 != "." }
            rest = rest.dropFirst(letters.count)
            guard let unit = units.first(where: { $0.0 == letters })?.1,
                let number = try? Decimal(text: digits.hasPrefix(".") ? "0" + digits : String(digits)),
                let part = number.truncated(times: U256(unit))?.asUInt64
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return total
    }
}
