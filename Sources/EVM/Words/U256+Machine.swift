// Operations on words that only the machine has: signed division, sign extension, bytes, powers, wide products.

import Ethereum

extension U256 {
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

    /// SIGNEXTEND: the number in the low `index` + 1 bytes of `self`, signed.
    @inline(__always) func signExtended(from index: U256) -> U256 {
        guard index.fitsUInt64, index.w0 < 31 else { return self }
        let shift = Int(248 &- index.w0 &* 8)
        return (self << shift).shiftedRightSigned(by: shift)
    }

    /// SAR below 256 bits.
    @inline(__always) func shiftedRightSigned(by n: Int) -> U256 {
        let shifted = self >> n
        guard isNegative, n > 0 else { return shifted }
        return shifted | (U256.max << (256 &- n))
    }

    @inline(__always) func isLessSigned(than b: U256) -> Bool {
        isNegative == b.isNegative ? self < b : isNegative
    }

    /// BYTE: the byte at `index`, counted from the most significant.
    @inline(__always) func byte(at index: U256) -> U256 {
        guard index.fitsUInt64, index.w0 < 32 else { return .zero }
        return (self >> Int(248 &- index.w0 &* 8)) & U256(255)
    }

    /// EXP modulo 2^256.
    @inline(never) func raised(to exponent: U256) -> U256 {
        var result = U256.one
        var base = self
        var rest = exponent
        while !rest.fitsUInt64 {
            if rest.w0 & 1 == 1 { result = result &* base }
            base = base &* base
            rest = rest >> 1
        }
        var low = rest.w0
        while low != 0 {
            if low & 1 == 1 { result = result &* base }
            low >>= 1
            if low != 0 { base = base &* base }
        }
        return result
    }
}
