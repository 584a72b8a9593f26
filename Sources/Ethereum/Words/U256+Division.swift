// Division of 256-bit words: Knuth's algorithm D over 64-bit limbs, with short paths for small numbers. 512-bit dividends
// serve ADDMOD and MULMOD. Division by zero gives zero, as the EVM defines it.

extension U256 {
    /// Quotient and remainder; both zero when the divisor is zero.
    package func quotientAndRemainder(dividingBy d: U256) -> (quotient: U256, remainder: U256) {
        if (w2 | w3 | d.w2 | d.w3) == 0 {
            if (w1 | d.w1) == 0 { return d.w0 == 0 ? (.zero, .zero) : (U256(w0 / d.w0), U256(w0 % d.w0)) }
            let divisor = d.low128
            return divisor == 0 ? (.zero, .zero) : (U256(low128 / divisor), U256(low128 % divisor))
        }
        if self < d { return (.zero, self) }
        return d.isZero ? (.zero, .zero) : Divisor(d).divide(self)
    }

    package static func / (a: U256, b: U256) -> U256 { a.quotientAndRemainder(dividingBy: b).quotient }
    package static func % (a: U256, b: U256) -> U256 { a.quotientAndRemainder(dividingBy: b).remainder }

    /// (self + b) mod m without losing the carry; zero when m is zero.
    package func addingModulo(_ b: U256, _ m: U256) -> U256 {
        let (sum, carry) = addingReportingOverflow(b)
        // The usual case: both are below the modulus, so the sum is below twice of it.
        if self < m, b < m { return carry || sum >= m ? sum &- m : sum }
        if m.isZero { return .zero }
        return carry ? Divisor(m).remainder(low: sum, high: .one) : sum % m
    }

    /// (self * b) mod m over the full 512-bit product; zero when m is zero.
    package func multiplyingModulo(_ b: U256, _ m: U256) -> U256 {
        let (low, high) = fullProduct(with: b)
        if high.isZero { return low % m }
        return m.isZero ? .zero : Divisor(m).remainder(low: low, high: high)
    }

    /// floor(self * b / d) over the full product; nil when the divisor is zero or the result needs more than 256 bits.
    package func multiplied(by b: U256, dividedBy d: U256) -> U256? {
        if d.isZero { return nil }
        let (low, high) = fullProduct(with: b)
        if high.isZero { return low / d }
        return high < d ? Divisor(d).divide(low: low, high: high).quotient : nil
    }

    private var low128: UInt128 { UInt128(w1) << 64 | UInt128(w0) }
}

/// A divisor shifted so that the top bit of its highest limb is set, with the reciprocal of its two highest limbs: each
/// digit of a quotient then costs two products (Moeller and Granlund, "Improved division by invariant integers", 2011).
private struct Divisor {
    private let original: U256
    private let value: U256
    /// 0 to 63.
    private let shift: Int
    private let limbs: Int
    private let reciprocal: UInt64

    init(_ divisor: U256) {
        original = divisor
        limbs = (divisor.bitWidth + 63) / 64
        shift = limbs * 64 - divisor.bitWidth
        value = divisor << shift
        switch limbs {
        case 4: reciprocal = Self.reciprocal(value.w3, value.w2)
        case 3: reciprocal = Self.reciprocal(value.w2, value.w1)
        case 2: reciprocal = Self.reciprocal(value.w1, value.w0)
        default: reciprocal = Self.reciprocal(value.w0)
        }
    }

    // MARK: Dividends

    /// The bits that a word loses above when it is shifted as the divisor was.
    private func spill(_ word: U256) -> UInt64 { shift == 0 ? 0 : word.w3 >> UInt64(64 - shift) }

    func divide(_ a: U256) -> (quotient: U256, remainder: U256) {
        let dividend = a << shift
        let top = spill(a)
        var rest: U256
        var quotient = U256.zero
        switch limbs {
        case 4:
            rest = U256(w0: dividend.w1, w1: dividend.w2, w2: dividend.w3, w3: top)
            quotient.w0 = digit4(&rest, dividend.w0)
        case 3:
            rest = U256(w0: dividend.w2, w1: dividend.w3, w2: top, w3: 0)
            quotient.w1 = digit3(&rest, dividend.w1)
            quotient.w0 = digit3(&rest, dividend.w0)
        case 2:
            rest = U256(w0: dividend.w3, w1: top, w2: 0, w3: 0)
            quotient.w2 = digit2(&rest, dividend.w2)
            quotient.w1 = digit2(&rest, dividend.w1)
            quotient.w0 = digit2(&rest, dividend.w0)
        default:
            rest = U256(top)
            quotient = fourDigits(&rest, dividend)
        }
        return (quotient, rest >> shift)
    }

    /// For `high` below the divisor: the quotient has no more than four limbs.
    func divide(low: U256, high: U256) -> (quotient: U256, remainder: U256) {
        var rest = (high << shift) | U256(spill(low))
        let quotient = fourDigits(&rest, low << shift)
        return (quotient, rest >> shift)
    }

    func remainder(low: U256, high: U256) -> U256 {
        divide(low: low, high: high < original ? high : divide(high).remainder).remainder
    }

    // MARK: Digits

    // `rest` is below the divisor; each step takes one more limb in behind it and gives one digit of the quotient.

    private func fourDigits(_ rest: inout U256, _ limb: U256) -> U256 {
        let (q3, q2, q1, q0): (UInt64, UInt64, UInt64, UInt64)
        switch limbs {
        case 4:
            (q3, q2) = (digit4(&rest, limb.w3), digit4(&rest, limb.w2))
            (q1, q0) = (digit4(&rest, limb.w1), digit4(&rest, limb.w0))
        case 3:
            (q3, q2) = (digit3(&rest, limb.w3), digit3(&rest, limb.w2))
            (q1, q0) = (digit3(&rest, limb.w1), digit3(&rest, limb.w0))
        case 2:
            (q3, q2) = (digit2(&rest, limb.w3), digit2(&rest, limb.w2))
            (q1, q0) = (digit2(&rest, limb.w1), digit2(&rest, limb.w0))
        default:
            (q3, q2) = (digit1(&rest, limb.w3), digit1(&rest, limb.w2))
            (q1, q0) = (digit1(&rest, limb.w1), digit1(&rest, limb.w0))
        }
        return U256(w0: q0, w1: q1, w2: q2, w3: q3)
    }

    @inline(__always) private func digit1(_ rest: inout U256, _ limb: UInt64) -> UInt64 {
        let d = value.w0
        let p = reciprocal.multipliedFullWidth(by: rest.w0)
        let (low, carry) = p.low.addingReportingOverflow(limb)
        var digit = p.high &+ rest.w0 &+ (carry ? 2 : 1)
        var r = limb &- digit &* d
        if r > low { (digit, r) = (digit &- 1, r &+ d) }
        if r >= d { (digit, r) = (digit &+ 1, r &- d) }
        rest.w0 = r
        return digit
    }

    @inline(__always) private func digit2(_ rest: inout U256, _ limb: UInt64) -> UInt64 {
        let (digit, r) = threeByTwo(rest.w1, rest.w0, limb, value.w1, value.w0)
        rest.w0 = UInt64(truncatingIfNeeded: r)
        rest.w1 = UInt64(truncatingIfNeeded: r >> 64)
        return digit
    }

    @inline(__always) private func digit3(_ rest: inout U256, _ limb: UInt64) -> UInt64 {
        if rest.w2 == value.w2, rest.w1 == value.w1 { return largestDigit(&rest, limb) }
        let (digit, r) = threeByTwo(rest.w2, rest.w1, rest.w0, value.w2, value.w1)
        let product = UInt128(digit) &* UInt128(value.w0)
        let (w0, borrow) = limb.subtractingReportingOverflow(UInt64(truncatingIfNeeded: product))
        let (high, isOver) = r.subtractingReportingOverflow((product >> 64) &+ (borrow ? 1 : 0))
        return settle(&rest, digit, w0, 0, high, isOver)
    }

    @inline(__always) private func digit4(_ rest: inout U256, _ limb: UInt64) -> UInt64 {
        if rest.w3 == value.w3, rest.w2 == value.w2 { return largestDigit(&rest, limb) }
        let (digit, r) = threeByTwo(rest.w3, rest.w2, rest.w1, value.w3, value.w2)
        let p0 = UInt128(digit) &* UInt128(value.w0)
        let p1 = UInt128(digit) &* UInt128(value.w1) &+ (p0 >> 64)
        let low = UInt128(rest.w0) << 64 | UInt128(limb)
        let (difference, borrow) = low.subtractingReportingOverflow(p1 << 64 | UInt128(UInt64(truncatingIfNeeded: p0)))
        let (high, isOver) = r.subtractingReportingOverflow((p1 >> 64) &+ (borrow ? 1 : 0))
        let (w0, w1) = (UInt64(truncatingIfNeeded: difference), UInt64(truncatingIfNeeded: difference >> 64))
        return settle(&rest, digit, w0, w1, high, isOver)
    }

    /// Puts the remainder together; a digit that was too large by one gives the divisor back.
    @inline(__always) private func settle(
        _ rest: inout U256, _ digit: UInt64, _ w0: UInt64, _ w1: UInt64, _ high: UInt128, _ isOver: Bool
    ) -> UInt64 {
        let (h0, h1) = (UInt64(truncatingIfNeeded: high), UInt64(truncatingIfNeeded: high >> 64))
        rest = limbs == 4 ? U256(w0: w0, w1: w1, w2: h0, w3: h1) : U256(w0: w0, w1: h0, w2: h1, w3: 0)
        guard isOver else { return digit }
        rest = rest &+ value
        if limbs == 3 { rest.w3 = 0 }
        return digit &- 1
    }

    /// The two highest limbs are the divisor's own: the digit is 2^64 - 1, so `rest` grows by the divisor less itself
    /// times 2^64.
    private func largestDigit(_ rest: inout U256, _ limb: UInt64) -> UInt64 {
        let shifted = U256(w0: limb, w1: rest.w0, w2: rest.w1, w3: rest.w2)
        rest = shifted &- U256(w0: 0, w1: value.w0, w2: value.w1, w3: value.w2) &+ value
        return .max
    }

    /// (u2, u1, u0) divided by (d1, d0), for (u2, u1) below it: the digit and the remainder.
    @inline(__always) private func threeByTwo(
        _ u2: UInt64, _ u1: UInt64, _ u0: UInt64, _ d1: UInt64, _ d0: UInt64
    ) -> (UInt64, UInt128) {
        let d = UInt128(d1) << 64 | UInt128(d0)
        let q = UInt128(reciprocal) &* UInt128(u2) &+ (UInt128(u2) << 64 | UInt128(u1))
        var digit = UInt64(truncatingIfNeeded: q >> 64)
        let r1 = u1 &- digit &* d1
        var r = (UInt128(r1) << 64 | UInt128(u0)) &- UInt128(d0) &* UInt128(digit) &- d
        digit &+= 1
        if r >> 64 >= UInt128(UInt64(truncatingIfNeeded: q)) { (digit, r) = (digit &- 1, r &+ d) }
        if r >= d { (digit, r) = (digit &+ 1, r &- d) }
        return (digit, r)
    }

    // MARK: Reciprocals

    /// floor((2^128 - 1) / d) - 2^64.
    private static func reciprocal(_ d: UInt64) -> UInt64 { d.dividingFullWidth((~d, .max)).quotient }

    /// floor((2^192 - 1) / (d1, d0)) - 2^64.
    private static func reciprocal(_ d1: UInt64, _ d0: UInt64) -> UInt64 {
        var v = reciprocal(d1)
        var p = d1 &* v &+ d0
        if p < d0 {
            v &-= 1
            if p >= d1 {
                v &-= 1
                p &-= d1
            }
            p &-= d1
        }
        let t = v.multipliedFullWidth(by: d0)
        let (sum, carry) = p.addingReportingOverflow(t.high)
        if carry {
            v &-= 1
            if sum > d1 || (sum == d1 && t.low >= d0) { v &-= 1 }
        }
        return v
    }
}
