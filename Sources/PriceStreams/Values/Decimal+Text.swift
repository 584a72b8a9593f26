// Decimal text: strict reading, plain printing without an exponent.

import Ethereum

extension Decimal {
    /// A sign, digits, at most one point with digits behind it, an optional power of ten (`e-18`).
    package init(text: some StringProtocol) throws(PriceStreamsError) {
        let utf8 = Array(text.utf8)
        guard utf8.count <= AgreementLimits.decimalTextMaximum, let value = Decimal.parse(utf8) else {
            throw PriceStreamsError(
                .badDecimal, "'\(text.prefix(80))'",
                hint: "digits with at most one point, 77 significant digits, 10^-1000 to 10^1000")
        }
        self = value
    }

    private static func parse(_ utf8: [UInt8]) -> Decimal? {
        var rest = utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = digits(&rest)
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = digits(&rest)
            guard !fraction.isEmpty else { return nil }
        }
        guard !whole.isEmpty, let power = power(&rest), rest.isEmpty else { return nil }
        let significant = trimmed(Array(whole) + fraction)
        guard let magnitude = magnitude(significant.digits) else { return nil }
        return Decimal(
            isNegative: isNegative, magnitude: magnitude, exponent: power - fraction.count + significant.zeros)
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let found = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(found.count)
        return found
    }

    /// Zero without an `e`; nil when what follows is no small integer.
    private static func power(_ rest: inout ArraySlice<UInt8>) -> Int? {
        guard let letter = rest.first, letter == UInt8(ascii: "e") || letter == UInt8(ascii: "E") else { return 0 }
        rest = rest.dropFirst()
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let found = digits(&rest)
        guard (1...5).contains(found.count) else { return nil }
        let value = found.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return isNegative ? -value : value
    }

    /// Without zeros at both ends, which need no room in a magnitude, and the number of those at the end.
    private static func trimmed(_ digits: [UInt8]) -> (digits: ArraySlice<UInt8>, zeros: Int) {
        let body = digits.drop { $0 == 0x30 }
        guard let last = body.lastIndex(where: { $0 != 0x30 }) else { return ([], 0) }
        return (body[...last], body.endIndex - 1 - last)
    }

    private static func magnitude(_ digits: ArraySlice<UInt8>) -> U256? {
        if digits.count <= 18 { return U256(digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 0x30) }) }
        return try? U256(text: String(decoding: digits, as: UTF8.self))
    }
}

extension Decimal: CustomStringConvertible {
    /// Plain notation without zeros at the end: `-0.5`, `120`.
    package var description: String {
        let digits = magnitude.decimal
        let sign = isNegative ? "-" : ""
        if exponent >= 0 { return sign + digits + String(repeating: "0", count: Int(exponent)) }
        let places = -Int(exponent)
        if digits.count > places {
            return sign + digits.dropLast(places) + "." + digits.suffix(places)
        }
        return sign + "0." + String(repeating: "0", count: places - digits.count) + digits
    }
}
