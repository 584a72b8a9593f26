// DIV, MOD, ADDMOD and MULMOD as the loop calls them: short paths first, and products without arrays.

import Ethereum

extension U256 {
    /// Zero for a zero divisor.
    @inline(__always) func dividing(by d: U256) -> U256 {
        if fitsUInt64, d.fitsUInt64 { return d.w0 == 0 ? .zero : U256(w0 / d.w0) }
        return self / d
    }

    /// Zero for a zero divisor.
    @inline(__always) func remainder(dividingBy d: U256) -> U256 {
        if fitsUInt64, d.fitsUInt64 { return d.w0 == 0 ? .zero : U256(w0 % d.w0) }
        return self % d
    }

    /// (self + b) mod m; zero for a zero modulus.
    @inline(never) func sum(_ b: U256, modulo m: U256) -> U256 {
        // The usual case: both below a modulus that is not small.
        if self < m, b < m {
            let (sum, carry) = addingReportingOverflow(b)
            return carry || sum >= m ? sum &- m : sum
        }
        return addingModulo(b, m)
    }

    /// (self * b) mod m; zero for a zero modulus.
    @inline(never) func product(_ b: U256, modulo m: U256) -> U256 {
        // Moduli of four limbs, which is what curves and hashes use, are divided here without a detour over memory.
        guard m.w3 != 0 else { return multiplyingModulo(b, m) }
        let (low, high) = wideProduct(with: b)
        let shift = m.w3.leadingZeroBitCount
        let divisor = m << shift
        let top = shift == 0 ? 0 : high.w3 &>> UInt64(64 &- shift)
        let upper = shift == 0 ? high : (high << shift) | U256(low.w3 &>> UInt64(64 &- shift))
        let lower = low << shift
        var rest = U256(w0: upper.w1, w1: upper.w2, w2: upper.w3, w3: top)
        if rest >= divisor { rest = rest &- divisor }
        rest = rest.followed(by: upper.w0, modulo: divisor)
        rest = rest.followed(by: lower.w3, modulo: divisor)
        rest = rest.followed(by: lower.w2, modulo: divisor)
        rest = rest.followed(by: lower.w1, modulo: divisor)
        rest = rest.followed(by: lower.w0, modulo: divisor)
        return rest >> shift
    }

    /// (self * 2^64 + limb) mod d for self < d and a divisor whose top bit is set (Knuth's step D3 to D6).
    @inline(__always) private func followed(by limb: UInt64, modulo d: U256) -> U256 {
        if w3 == 0 {
            let shifted = U256(w0: limb, w1: w0, w2: w1, w3: w2)
            return shifted >= d ? shifted &- d : shifted
        }
        var digit = UInt64.max
        if w3 < d.w3 {
            let (guess, rest) = d.w3.dividingFullWidth((w3, w2))
            digit = guess
            // At most two corrections by the second limb.
            var remainder = UInt128(rest)
            while remainder >> 64 == 0, UInt128(digit) &* UInt128(d.w2) > (remainder << 64 | UInt128(w1)) {
                digit &-= 1
                remainder &+= UInt128(d.w3)
            }
        }
        var t = UInt128(digit) &* UInt128(d.w0)
        let p0 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(digit) &* UInt128(d.w1)
        let p1 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(digit) &* UInt128(d.w2)
        let p2 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(digit) &* UInt128(d.w3)
        let p3 = UInt64(truncatingIfNeeded: t)
        let p4 = UInt64(truncatingIfNeeded: t >> 64)
        let (low, borrow) = U256(w0: limb, w1: w0, w2: w1, w3: w2)
            .subtractingReportingOverflow(U256(w0: p0, w1: p1, w2: p2, w3: p3))
        // The true difference lies between -2d and d, so the fifth limb is 0, -1 or -2.
        var result = low
        var top = w3 &- p4 &- (borrow ? 1 : 0)
        while top != 0 {
            let (sum, carry) = result.addingReportingOverflow(d)
            result = sum
            if carry { top &+= 1 }
        }
        return result
    }

    /// All 512 bits of a product.
    @inline(__always) func wideProduct(with b: U256) -> (low: U256, high: U256) {
        let (l0, c0) = row(b.w0, adding: .zero)
        let (l1, c1) = row(b.w1, adding: U256(w0: l0.w1, w1: l0.w2, w2: l0.w3, w3: c0))
        let (l2, c2) = row(b.w2, adding: U256(w0: l1.w1, w1: l1.w2, w2: l1.w3, w3: c1))
        let (l3, c3) = row(b.w3, adding: U256(w0: l2.w1, w1: l2.w2, w2: l2.w3, w3: c2))
        return (U256(w0: l0.w0, w1: l1.w0, w2: l2.w0, w3: l3.w0), U256(w0: l3.w1, w1: l3.w2, w2: l3.w3, w3: c3))
    }

    /// self * limb + addend, in five limbs.
    @inline(__always) private func row(_ limb: UInt64, adding addend: U256) -> (U256, UInt64) {
        var t = UInt128(w0) &* UInt128(limb) &+ UInt128(addend.w0)
        let r0 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w1) &* UInt128(limb) &+ UInt128(addend.w1)
        let r1 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w2) &* UInt128(limb) &+ UInt128(addend.w2)
        let r2 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w3) &* UInt128(limb) &+ UInt128(addend.w3)
        let r3 = UInt64(truncatingIfNeeded: t)
        return (U256(w0: r0, w1: r1, w2: r2, w3: r3), UInt64(truncatingIfNeeded: t >> 64))
    }
}
