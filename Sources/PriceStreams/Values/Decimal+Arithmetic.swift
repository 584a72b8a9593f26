// Sums, products, quotients and the step to integers. Every result is exact or rounded as it says; nil is a number that
// does not fit, never a wrong one.

import Ethereum

extension Decimal {
    package func adding(_ other: Decimal) -> Decimal? {
        if isZero { return other }
        if other.isZero { return self }
        let power = min(exponent, other.exponent)
        guard let a = Decimal.scaled(magnitude, Int(exponent - power)),
            let b = Decimal.scaled(other.magnitude, Int(other.exponent - power))
        else { return nil }
        if isNegative == other.isNegative {
            let (sum, overflow) = a.addingReportingOverflow(b)
            return overflow ? nil : Decimal(isNegative: isNegative, magnitude: sum, exponent: Int(power))
        }
        return b < a
            ? Decimal(isNegative: isNegative, magnitude: a - b, exponent: Int(power))
            : Decimal(isNegative: other.isNegative, magnitude: b - a, exponent: Int(power))
    }

    package func subtracting(_ other: Decimal) -> Decimal? { adding(other.negated) }

    package func multiplied(by other: Decimal) -> Decimal? {
        let (product, overflow) = magnitude.multipliedReportingOverflow(by: other.magnitude)
        guard !overflow else { return nil }
        return Decimal(
            isNegative: isNegative != other.isNegative, magnitude: product,
            exponent: Int(exponent) + Int(other.exponent))
    }

    /// The quotient with `places` decimal places, halves away from zero; nil by zero.
    package func divided(by other: Decimal, places: Int) -> Decimal? {
        guard !other.isZero else { return nil }
        guard let quotient = roundedQuotient(other, shift: Int(exponent) - Int(other.exponent) + places) else {
            return nil
        }
        return Decimal(isNegative: isNegative != other.isNegative, magnitude: quotient, exponent: -places)
    }

    /// round(magnitude × 10^shift / other.magnitude).
    private func roundedQuotient(_ other: Decimal, shift: Int) -> U256? {
        let divisor = other.magnitude
        guard shift < 0 else {
            guard shift <= Decimal.powerMaximum else { return isZero ? .zero : nil }
            let power = Decimal.powersOfTen[shift]
            guard let quotient = magnitude.multiplied(by: power, dividedBy: divisor) else { return nil }
            let rest = (magnitude &* power) &- (quotient &* divisor)
            return Decimal.rounded(quotient, rest: rest, divisor: divisor)
        }
        // 10^78 is more than twice any magnitude.
        guard -shift <= Decimal.powerMaximum else { return .zero }
        let (low, high) = divisor.fullProduct(with: Decimal.powersOfTen[-shift])
        guard high.isZero else {
            let doubledReaches = high == .one && magnitude.isNegative && !(magnitude << 1 < low)
            return doubledReaches ? .one : .zero
        }
        let (quotient, rest) = magnitude.quotientAndRemainder(dividingBy: low)
        return Decimal.rounded(quotient, rest: rest, divisor: low)
    }

    private static func rounded(_ quotient: U256, rest: U256, divisor: U256) -> U256? {
        guard !(rest < divisor - rest) else { return quotient }
        let (sum, overflow) = quotient.addingReportingOverflow(.one)
        return overflow ? nil : sum
    }

    /// The magnitude of the number times `multiplier`, cut towards zero; nil past 256 bits.
    package func truncated(times multiplier: U256) -> U256? {
        if exponent >= 0 {
            guard let scaled = Decimal.scaled(magnitude, Int(exponent)) else { return nil }
            let (product, overflow) = scaled.multipliedReportingOverflow(by: multiplier)
            return overflow ? nil : product
        }
        let power = -Int(exponent)
        if power <= Decimal.powerMaximum {
            return magnitude.multiplied(by: multiplier, dividedBy: Decimal.powersOfTen[power])
        }
        // A product has at most 155 digits. Cutting twice is cutting once.
        guard power <= 2 * Decimal.powerMaximum + 1 else { return .zero }
        let first = Decimal.powersOfTen[Decimal.powerMaximum]
        guard let cut = magnitude.multiplied(by: multiplier, dividedBy: first) else { return nil }
        let rest = power - Decimal.powerMaximum
        return rest <= Decimal.powerMaximum ? cut / Decimal.powersOfTen[rest] : .zero
    }

    /// Whether |self - reference| is more than `limit` thousand-millionths of |reference|. From zero every step is a
    /// jump.
    package func differs(from reference: Decimal, byMoreThan limit: UInt64) -> Bool {
        guard self != reference else { return false }
        guard let apart = subtracting(reference), let allowed = reference.absolute.multiplied(by: Decimal(limit)),
            let scaled = apart.absolute.multiplied(by: Decimal(1_000_000_000 as UInt64))
        else { return true }
        return allowed < scaled
    }
}
