// Operations on words that only the machine has: division of small numbers without a call, signed division, sign
// extension, bytes, powers. What the loop inlines has no branches that data could mislead.

import Ethereum

extension U256 {
    /// DIV: zero for a zero divisor.
    @inline(__always) func dividing(by d: U256) -> U256 {
        if fitsUInt64, d.fitsUInt64 { return d.w0 == 0 ? .zero : U256(w0 / d.w0) }
        return self / d
    }

    /// MOD: zero for a zero divisor.
    @inline(__always) func remainder(dividingBy d: U256) -> U256 {
        if fitsUInt64, d.fitsUInt64 { return d.w0 == 0 ? .zero : U256(w0 % d.w0) }
        return self % d
    }

    /// SDIV: truncated towards zero; zero for a zero divisor; the lowest number divided by -1 is itself.
    @inline(never) func signedDividing(by b: U256) -> U256 {
        let quotient = (isNegative ? negated : self) / (b.isNegative ? b.negated : b)
        return isNegative != b.isNegative ? quotient.negated : quotient
    }

    /// SMOD: the sign of the dividend; zero for a zero divisor.
    @inline(never) func signedRemainder(dividingBy b: U256) -> U256 {
        let rest = (isNegative ? negated : self) % (b.isNegative ? b.negated : b)
        return isNegative ? rest.negated : rest
    }

    /// MUL, as `&*`, which the compiler leaves out of line.
    @inline(__always) func times(_ b: U256) -> U256 {
        var t = UInt128(w0) &* UInt128(b.w0)
        let r0 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w1) &* UInt128(b.w0)
        let s1 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w2) &* UInt128(b.w0)
        let s2 = UInt64(truncatingIfNeeded: t)
        let s3 = UInt64(truncatingIfNeeded: t >> 64) &+ w3 &* b.w0
        t = UInt128(w0) &* UInt128(b.w1) &+ UInt128(s1)
        let r1 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w1) &* UInt128(b.w1) &+ UInt128(s2)
        let u2 = UInt64(truncatingIfNeeded: t)
        let u3 = UInt64(truncatingIfNeeded: t >> 64) &+ w2 &* b.w1 &+ s3
        t = UInt128(w0) &* UInt128(b.w2) &+ UInt128(u2)
        let r3 = UInt64(truncatingIfNeeded: t >> 64) &+ w1 &* b.w2 &+ u3 &+ w0 &* b.w3
        return U256(w0: r0, w1: r1, w2: UInt64(truncatingIfNeeded: t), w3: r3)
    }

    /// SHL by a word.
    @inline(__always) func shiftedLeft(byWord n: U256) -> U256 {
        n.fitsUInt64 && n.w0 < 256 ? left(n.w0) : .zero
    }

    /// SHR by a word.
    @inline(__always) func shiftedRight(byWord n: U256) -> U256 {
        n.fitsUInt64 && n.w0 < 256 ? right(n.w0, filling: 0) : .zero
    }

    /// Shifted left by `n` below 256. Limbs move in two steps that select and do not branch; the shift by 1 and then by
    /// 63 - n is one by 64 - n that is right for n = 0 too.
    @inline(__always) private func left(_ n: UInt64) -> U256 {
        let two = n & 128 != 0
        let (m0, m1) = (two ? 0 : w0, two ? 0 : w1)
        let (m2, m3) = (two ? w0 : w2, two ? w1 : w3)
        let one = n & 64 != 0
        let (l0, l1, l2, l3) = (one ? 0 : m0, one ? m0 : m1, one ? m1 : m2, one ? m2 : m3)
        return U256(
            w0: l0 &<< n, w1: l1 &<< n | (l0 &>> 1) &>> ~n, w2: l2 &<< n | (l1 &>> 1) &>> ~n,
            w3: l3 &<< n | (l2 &>> 1) &>> ~n)
    }

    /// Shifted right by `n` below 256, with copies of `fill` (no bit or all bits) coming in from the left.
    @inline(__always) private func right(_ n: UInt64, filling fill: UInt64) -> U256 {
        let two = n & 128 != 0
        let (m0, m1) = (two ? w2 : w0, two ? w3 : w1)
        let (m2, m3) = (two ? fill : w2, two ? fill : w3)
        let one = n & 64 != 0
        let (l0, l1, l2, l3) = (one ? m1 : m0, one ? m2 : m1, one ? m3 : m2, one ? fill : m3)
        return U256(
            w0: l0 &>> n | (l1 &<< 1) &<< ~n, w1: l1 &>> n | (l2 &<< 1) &<< ~n, w2: l2 &>> n | (l3 &<< 1) &<< ~n,
            w3: l3 &>> n | (fill &<< 1) &<< ~n)
    }

    /// SAR by a word.
    @inline(__always) func shiftedRightSigned(byWord n: U256) -> U256 {
        let sign = UInt64(bitPattern: Int64(bitPattern: w3) &>> 63)
        return n.fitsUInt64 && n.w0 < 256
            ? right(n.w0, filling: sign) : U256(w0: sign, w1: sign, w2: sign, w3: sign)
    }

    /// SIGNEXTEND: the number in the low `index` + 1 bytes of `self`, signed.
    @inline(__always) func signExtended(from index: U256) -> U256 {
        guard index.fitsUInt64, index.w0 < 31 else { return self }
        let limb = index.w0 >> 3
        let spare = 56 &- (index.w0 & 7) &* 8
        let (lower, upper) = (limb == 0 ? w0 : w1, limb == 2 ? w2 : w3)
        let holder = Int64(bitPattern: limb < 2 ? lower : upper)
        let signed = (holder &<< Int64(bitPattern: spare)) &>> Int64(bitPattern: spare)
        let (own, sign) = (UInt64(bitPattern: signed), UInt64(bitPattern: signed &>> 63))
        return U256(
            w0: limb == 0 ? own : w0, w1: limb == 1 ? own : limb < 1 ? sign : w1,
            w2: limb == 2 ? own : limb < 2 ? sign : w2, w3: limb == 3 ? own : sign)
    }

    @inline(__always) func isLessSigned(than b: U256) -> Bool {
        // With the sign bits turned over, the order is that of unsigned words.
        let top = UInt64(1) << 63
        return U256(w0: w0, w1: w1, w2: w2, w3: w3 ^ top) < U256(w0: b.w0, w1: b.w1, w2: b.w2, w3: b.w3 ^ top)
    }

    /// BYTE: the byte at `index`, counted from the most significant.
    @inline(__always) func byte(at index: U256) -> U256 {
        guard index.fitsUInt64, index.w0 < 32 else { return .zero }
        let at = 31 &- index.w0
        let (lower, upper) = (at < 8 ? w0 : w1, at < 24 ? w2 : w3)
        return U256((at < 16 ? lower : upper) &>> ((at & 7) &* 8) & 255)
    }

    /// EXP modulo 2^256.
    @inline(never) func raised(to exponent: U256) -> U256 {
        // Powers of a power of two, of which 2 and 256 are frequent, are shifts.
        if fitsUInt64, w0.nonzeroBitCount == 1, exponent.fitsUInt64 {
            let (shift, isOver) = exponent.w0.multipliedReportingOverflow(by: UInt64(w0.trailingZeroBitCount))
            return isOver || shift > 255 ? .zero : U256.one.left(shift)
        }
        var result = U256.one
        var base = self
        var rest = exponent
        while true {
            // All bits of a limb, or of the last one those that are set.
            var bits = rest.w0
            rest = U256(w0: rest.w1, w1: rest.w2, w2: rest.w3, w3: 0)
            let isLast = rest.isZero
            var count = isLast ? 64 - bits.leadingZeroBitCount : 64
            while count > 0 {
                if bits & 1 == 1 { result = result.times(base) }
                bits >>= 1
                count -= 1
                if count > 0 || !isLast { base = base.times(base) }
            }
            if isLast { return result }
        }
    }
}
