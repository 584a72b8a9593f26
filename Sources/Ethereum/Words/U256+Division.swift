// Division of 256-bit words: Knuth's algorithm D over 64-bit limbs, with short paths for small divisors.
// 512-bit dividends serve ADDMOD and MULMOD. Division by zero gives zero, as the EVM defines it.

extension U256 {
    /// Quotient and remainder; both zero when the divisor is zero.
    package func quotientAndRemainder(dividingBy d: U256) -> (quotient: U256, remainder: U256) {
        if d.isZero { return (.zero, .zero) }
        if self < d { return (.zero, self) }
        if fitsUInt64 { return (U256(w0 / d.w0), U256(w0 % d.w0)) }
        if d.fitsUInt64 { return dividedByLimb(d.w0) }
        var u: Wide = (w0, w1, w2, w3, 0, 0, 0, 0, 0)
        let q = Self.divide(&u, limbs: 4, by: d)
        return (U256(w0: q.0, w1: q.1, w2: q.2, w3: q.3), U256(w0: u.0, w1: u.1, w2: u.2, w3: u.3))
    }

    package static func / (a: U256, b: U256) -> U256 { a.quotientAndRemainder(dividingBy: b).quotient }
    package static func % (a: U256, b: U256) -> U256 { a.quotientAndRemainder(dividingBy: b).remainder }

    /// (self + b) mod m without losing the carry; zero when m is zero.
    package func addingModulo(_ b: U256, _ m: U256) -> U256 {
        if m.isZero { return .zero }
        let (sum, carry) = addingReportingOverflow(b)
        return carry ? Self.remainder(low: sum, high: .one, m) : sum % m
    }

    /// (self * b) mod m over the full 512-bit product; zero when m is zero.
    package func multiplyingModulo(_ b: U256, _ m: U256) -> U256 {
        if m.isZero { return .zero }
        let (low, high) = fullProduct(with: b)
        return high.isZero ? low % m : Self.remainder(low: low, high: high, m)
    }

    /// floor(self * b / d) over the full product; nil when the divisor is zero or the result needs more than 256 bits.
    package func multiplied(by b: U256, dividedBy d: U256) -> U256? {
        if d.isZero { return nil }
        let (low, high) = fullProduct(with: b)
        if high.isZero { return low / d }
        guard high < d else { return nil }
        var u: Wide = (low.w0, low.w1, low.w2, low.w3, high.w0, high.w1, high.w2, high.w3, 0)
        let q = Self.divide(&u, limbs: 8, by: d)
        return U256(w0: q.0, w1: q.1, w2: q.2, w3: q.3)
    }

    private typealias Wide = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    private static func remainder(low: U256, high: U256, _ m: U256) -> U256 {
        var u: Wide = (low.w0, low.w1, low.w2, low.w3, high.w0, high.w1, high.w2, high.w3, 0)
        _ = divide(&u, limbs: 8, by: m)
        return U256(w0: u.0, w1: u.1, w2: u.2, w3: u.3)
    }

    private func dividedByLimb(_ d: UInt64) -> (quotient: U256, remainder: U256) {
        let q3 = w3 / d
        let (q2, r2) = d.dividingFullWidth((w3 % d, w2))
        let (q1, r1) = d.dividingFullWidth((r2, w1))
        let (q0, r0) = d.dividingFullWidth((r1, w0))
        return (U256(w0: q0, w1: q1, w2: q2, w3: q3), U256(r0))
    }

    /// Divides the `limbs` limbs in `u` by `d`, leaves the remainder in `u`, and returns the quotient's limbs.
    private static func divide(_ u: inout Wide, limbs: Int, by d: U256) -> Wide {
        var quotient: Wide = (0, 0, 0, 0, 0, 0, 0, 0, 0)
        let n = (d.bitWidth + 63) / 64
        let shift = (256 - d.bitWidth) % 64
        let normal = d << shift
        withUnsafeMutableBytes(of: &u) { uRaw in
            withUnsafeMutableBytes(of: &quotient) { qRaw in
                withUnsafeBytes(of: normal) { vRaw in
                    let u = uRaw.bindMemory(to: UInt64.self)
                    let q = qRaw.bindMemory(to: UInt64.self)
                    let v = vRaw.bindMemory(to: UInt64.self)
                    shiftLeft(u, limbs: limbs, by: shift)
                    if n == 1 {
                        var rest: UInt64 = 0
                        rest = u[limbs]
                        for j in stride(from: limbs - 1, through: 0, by: -1) {
                            let (digit, r) = v[0].dividingFullWidth((rest, u[j]))
                            q[j] = digit
                            u[j] = 0
                            rest = r
                        }
                        u[limbs] = 0
                        u[0] = rest >> UInt64(shift)
                        return
                    }
                    for j in stride(from: limbs - n, through: 0, by: -1) { q[j] = digit(u, j, v, n) }
                    shiftRight(u, limbs: n, by: shift)
                }
            }
        }
        return quotient
    }

    /// One step D3-D6 of Knuth's algorithm: the quotient digit at `j`, with `u` reduced by it.
    private static func digit(
        _ u: UnsafeMutableBufferPointer<UInt64>, _ j: Int, _ v: UnsafeBufferPointer<UInt64>, _ n: Int
    ) -> UInt64 {
        let top = v[n - 1]
        var estimate: UInt64
        if u[j + n] >= top {
            estimate = .max
        } else {
            let (guess, rest) = top.dividingFullWidth((u[j + n], u[j + n - 1]))
            estimate = guess
            var r = UInt128(rest)
            while r >> 64 == 0, UInt128(estimate) &* UInt128(v[n - 2]) > (r << 64 | UInt128(u[j + n - 2])) {
                estimate &-= 1
                r &+= UInt128(top)
            }
        }
        var carry: UInt64 = 0
        var borrow: UInt64 = 0
        for i in 0..<n {
            let product = UInt128(estimate) &* UInt128(v[i]) &+ UInt128(carry)
            carry = UInt64(truncatingIfNeeded: product >> 64)
            let (a, b1) = u[j + i].subtractingReportingOverflow(UInt64(truncatingIfNeeded: product))
            let (b, b2) = a.subtractingReportingOverflow(borrow)
            u[j + i] = b
            borrow = (b1 ? 1 : 0) &+ (b2 ? 1 : 0)
        }
        let (a, b1) = u[j + n].subtractingReportingOverflow(carry)
        let (b, b2) = a.subtractingReportingOverflow(borrow)
        u[j + n] = b
        guard b1 || b2 else { return estimate }
        // The estimate was too large (by one, or by two where it was clamped): add the divisor back.
        var over = true
        while over {
            estimate &-= 1
            var c: UInt64 = 0
            for i in 0..<n {
                let sum = UInt128(u[j + i]) &+ UInt128(v[i]) &+ UInt128(c)
                u[j + i] = UInt64(truncatingIfNeeded: sum)
                c = UInt64(truncatingIfNeeded: sum >> 64)
            }
            let (t, carryOut) = u[j + n].addingReportingOverflow(c)
            u[j + n] = t
            over = !carryOut
        }
        return estimate
    }

    private static func shiftLeft(_ u: UnsafeMutableBufferPointer<UInt64>, limbs: Int, by shift: Int) {
        guard shift > 0 else { return }
        u[limbs] = u[limbs - 1] >> UInt64(64 - shift)
        for i in stride(from: limbs - 1, to: 0, by: -1) { u[i] = u[i] << UInt64(shift) | u[i - 1] >> UInt64(64 - shift) }
        u[0] = u[0] << UInt64(shift)
    }

    private static func shiftRight(_ u: UnsafeMutableBufferPointer<UInt64>, limbs: Int, by shift: Int) {
        for i in limbs..<9 { u[i] = 0 }
        guard shift > 0 else { return }
        for i in 0..<(limbs - 1) { u[i] = u[i] >> UInt64(shift) | u[i + 1] << UInt64(64 - shift) }
        u[limbs - 1] = u[limbs - 1] >> UInt64(shift)
    }
}
