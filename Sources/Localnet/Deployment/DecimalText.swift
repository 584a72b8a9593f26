// Decimal text such as `2999.95` as a whole number of a smaller unit. No rounding: digits that do not fit are refused.

import Ethereum

package enum DecimalText {
    /// `text` times 10^`decimals`; nil for anything but digits with at most one point, for more fraction digits than
    /// `decimals`, and past 256 bits.
    package static func parse(_ text: String, decimals: Int) -> U256? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, (0...77).contains(decimals) else { return nil }
        let fraction = parts.count > 1 ? parts[1] : ""
        guard parts.count == 1 || !fraction.isEmpty, fraction.count <= decimals else { return nil }
        guard (String(whole) + String(fraction)).utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let digits = String(whole) + String(fraction) + String(repeating: "0", count: decimals - fraction.count)
        return try? U256(text: digits)
    }

    /// The inverse of `parse`, without trailing zeros behind the point.
    package static func format(_ value: U256, decimals: Int) -> String {
        let digits = value.decimal
        guard decimals > 0 else { return digits }
        let padded = digits.count > decimals ? digits : String(repeating: "0", count: decimals + 1 - digits.count) + digits
        let point = padded.index(padded.endIndex, offsetBy: -decimals)
        var fraction = padded[point...]
        while fraction.last == "0" { fraction.removeLast() }
        return padded[..<point] + (fraction.isEmpty ? "" : "." + fraction)
    }
}
