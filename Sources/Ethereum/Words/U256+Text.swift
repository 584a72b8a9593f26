// Decimal and hexadecimal text of 256-bit words, strict: no sign, no blank, no overflow.

extension U256 {
    /// Reads `0x`-hexadecimal or decimal text; throws `malformedNumber` on anything else or past 2^256 - 1.
    package init(text: some StringProtocol) throws(EthereumError) {
        let utf8 = Array(text.utf8)
        if utf8.count > 2, utf8[0] == 0x30, utf8[1] == 0x78 || utf8[1] == 0x58 {
            try self.init(hexDigits: utf8.dropFirst(2), of: String(text))
        } else {
            try self.init(decimalDigits: utf8, of: String(text))
        }
    }

    private init(hexDigits: ArraySlice<UInt8>, of text: String) throws(EthereumError) {
        let significant = hexDigits.drop { $0 == 0x30 }
        guard significant.count <= 64 else {
            throw EthereumError(.malformedNumber, "\(Self.shown(text)) does not fit 256 bits")
        }
        var value = U256.zero
        for character in significant {
            guard let digit = Hex.value(character) else {
                throw EthereumError(.malformedNumber, "\(Self.shown(text)) is no hexadecimal number")
            }
            value = (value << 4) | U256(UInt64(digit))
        }
        self = value
    }

    private init(decimalDigits: [UInt8], of text: String) throws(EthereumError) {
        guard !decimalDigits.isEmpty else { throw EthereumError(.malformedNumber, "an empty text is no number") }
        var value = U256.zero
        for character in decimalDigits {
            guard (0x30...0x39).contains(character) else {
                throw EthereumError(.malformedNumber, "\(Self.shown(text)) is no decimal number")
            }
            let (product, lost) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(U256(UInt64(character - 0x30)))
            guard !lost, !carried else {
                throw EthereumError(.malformedNumber, "\(Self.shown(text)) does not fit 256 bits")
            }
            value = sum
        }
        self = value
    }

    private static func shown(_ text: String) -> String { text.count > 80 ? "'\(text.prefix(77))...'" : "'\(text)'" }

    /// Minimal `0x` text, `0x0` for zero: a JSON-RPC quantity.
    package var hex: String {
        if isZero { return "0x0" }
        let digits = Hex.encodeBare(minimalBytes)
        return "0x" + (digits.first == "0" ? digits.dropFirst() : digits[...])
    }

    /// Decimal text.
    package var decimal: String {
        if fitsUInt64 { return String(w0) }
        var parts: [String] = []
        var rest = self
        let billions = U256(10_000_000_000_000_000_000)
        while !rest.isZero {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: billions)
            let digits = String(remainder.w0)
            parts.append(quotient.isZero ? digits : String(repeating: "0", count: 19 - digits.count) + digits)
            rest = quotient
        }
        return parts.reversed().joined()
    }
}

extension U256: CustomStringConvertible {
    package var description: String { decimal }
}
