// Exact decimal numbers: a coefficient of at most 256 bits, held inline, and a power of ten. No floats, no heap.
// Arithmetic stands in Decimal+Arithmetic.swift, text in Decimal+Text.swift.

import Ethereum

/// A number ±magnitude × 10^exponent, always in lowest terms (no factor of ten in the magnitude, zero has exponent 0
/// and no sign), so that equal numbers have equal fields and equal bytes. That makes a mode over bytes a mode over
/// numbers.
///
/// 256 bits hold every Solidity integer; a number that needs more digits is refused where it enters.
package struct Decimal: Hashable, Sendable, BitwiseCopyable {
    package let magnitude: U256
    /// -1000...1000 (5.3).
    package let exponent: Int32
    package let isNegative: Bool

    /// For fields that are in lowest terms.
    init(reduced magnitude: U256, exponent: Int32, isNegative: Bool) {
        assert(magnitude.isZero ? exponent == 0 && !isNegative : !Decimal.isMultipleOfTen(magnitude))
        self.magnitude = magnitude
        self.exponent = exponent
        self.isNegative = isNegative
    }

    /// Reduces; nil when the exponent leaves its range.
    package init?(isNegative: Bool = false, magnitude: U256, exponent: Int = 0) {
        var rest = magnitude
        var power = exponent
        if magnitude.isZero {
            self.init(reduced: .zero, exponent: 0, isNegative: false)
            return
        }
        while !rest.fitsUInt64, Decimal.isMultipleOfTen(rest) {
            rest = rest / 10
            power += 1
        }
        if rest.fitsUInt64 {
            var small = rest.w0
            while small % 10 == 0 {
                small /= 10
                power += 1
            }
            rest = U256(small)
        }
        guard abs(power) <= AgreementLimits.decimalExponentMaximum else { return nil }
        self.init(reduced: rest, exponent: Int32(power), isNegative: isNegative)
    }

    package init(_ value: Int) {
        // 64 bits have at most 19 factors of ten, far inside the range of exponents.
        self = Decimal(isNegative: value < 0, magnitude: U256(UInt64(value.magnitude))) ?? .zero
    }

    package init(_ value: UInt64) { self = Decimal(magnitude: U256(value)) ?? .zero }

    package static let zero = Decimal(reduced: .zero, exponent: 0, isNegative: false)
    package static let one = Decimal(reduced: .one, exponent: 0, isNegative: false)

    package var isZero: Bool { magnitude.isZero }
    package var isPositive: Bool { !isNegative && !magnitude.isZero }
    package var negated: Decimal {
        isZero ? self : Decimal(reduced: magnitude, exponent: exponent, isNegative: !isNegative)
    }
    package var absolute: Decimal { Decimal(reduced: magnitude, exponent: exponent, isNegative: false) }

    /// 2^64 is 6 modulo 10, and so is every power of it.
    @inline(__always) static func isMultipleOfTen(_ value: U256) -> Bool {
        if value.fitsUInt64 { return value.w0 % 10 == 0 }
        return (value.w0 % 10 + 6 * (value.w1 % 10 + value.w2 % 10 + value.w3 % 10)) % 10 == 0
    }

    /// 10^0 ... 10^77, all that fit 256 bits.
    static let powersOfTen: [U256] = {
        var powers = [U256.one]
        for _ in 0..<77 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()
    static let powerMaximum = 77
}

extension Decimal: Comparable {
    package static func < (a: Decimal, b: Decimal) -> Bool {
        if a.isNegative != b.isNegative { return a.isNegative }
        return a.isNegative ? smaller(b, a) : smaller(a, b)
    }

    /// By magnitude.
    private static func smaller(_ a: Decimal, _ b: Decimal) -> Bool {
        if a.exponent == b.exponent { return a.magnitude < b.magnitude }
        if a.isZero || b.isZero { return a.isZero && !b.isZero }
        let apart = Int(a.exponent) - Int(b.exponent)
        if apart > 0 {
            guard let scaled = scaled(a.magnitude, apart) else { return false }
            return scaled < b.magnitude
        }
        guard let scaled = scaled(b.magnitude, -apart) else { return true }
        return a.magnitude < scaled
    }

    /// magnitude × 10^power; nil past 256 bits.
    static func scaled(_ magnitude: U256, _ power: Int) -> U256? {
        guard power <= powerMaximum else { return magnitude.isZero ? .zero : nil }
        let factor = powersOfTen[power]
        if magnitude.fitsUInt64, factor.fitsUInt64 { return U256(UInt128(magnitude.w0) * UInt128(factor.w0)) }
        let (product, overflow) = magnitude.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

extension Decimal {
    /// Exponent (int32, big-endian), sign byte, magnitude without leading zeros (5.3). Behind a count byte in lists.
    package var bytes: Bytes {
        var writer = CanonicalWriter(reserving: 40)
        write(to: &writer)
        return Bytes(writer.bytes.dropFirst())
    }

    /// With the count byte.
    var encodedCount: Int { 6 + magnitude.byteWidth }

    /// A count byte, then `bytes`.
    func write(to writer: inout CanonicalWriter) {
        let width = magnitude.byteWidth
        writer.byte(UInt8(5 + width))
        writer.u32(UInt32(bitPattern: exponent))
        writer.flag(isNegative)
        if magnitude.fitsUInt64 {
            var shift = width * 8
            while shift > 0 {
                shift -= 8
                writer.byte(UInt8(truncatingIfNeeded: magnitude.w0 >> UInt64(shift)))
            }
        } else {
            writer.raw(magnitude.minimalBytes)
        }
    }

    init(from reader: inout CanonicalReader) throws(PriceStreamsError) {
        let count = Int(try reader.byte())
        guard (5...37).contains(count) else { throw reader.malformed("a decimal of \(count) bytes") }
        let exponent = Int32(bitPattern: try reader.u32())
        let isNegative = try reader.flag()
        let magnitude = try reader.magnitude(count - 5)
        let isReduced =
            magnitude.isZero ? exponent == 0 && !isNegative : !Decimal.isMultipleOfTen(magnitude)
        guard isReduced, abs(Int(exponent)) <= AgreementLimits.decimalExponentMaximum else {
            throw reader.malformed("a decimal that is not in lowest terms")
        }
        self.init(reduced: magnitude, exponent: exponent, isNegative: isNegative)
    }

    /// The strict inverse of `bytes`.
    package init(bytes: Bytes) throws(PriceStreamsError) {
        var reader = CanonicalReader([UInt8(clamping: bytes.count)] + bytes, .badDecimal)
        try self.init(from: &reader)
        try reader.finish()
    }
}
