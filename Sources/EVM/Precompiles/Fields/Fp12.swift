// Fp12 = Fp6[w] / (w^2 - v), where pairings take their values, once for both curves.

struct Fp12<E: QuadraticField>: Sendable {
    var c0, c1: Fp6<E>

    static var one: Fp12 { Fp12(c0: .one, c1: .zero) }

    static func == (a: Fp12, b: Fp12) -> Bool { a.c0 == b.c0 && a.c1 == b.c1 }

    static func * (a: Fp12, b: Fp12) -> Fp12 {
        let p0 = a.c0 * b.c0
        let p1 = a.c1 * b.c1
        return Fp12(c0: p0 + p1.timesV, c1: (a.c0 + a.c1) * (b.c0 + b.c1) - p0 - p1)
    }

    var squared: Fp12 {
        let product = c0 * c1
        return Fp12(c0: (c0 + c1) * (c0 + c1.timesV) - product - product.timesV, c1: product + product)
    }

    /// a^(p^6); the inverse of what the easy part of a final exponentiation leaves.
    var conjugated: Fp12 { Fp12(c0: c0, c1: -c1) }

    var inverted: Fp12 {
        let inverse = (c0 * c0 - (c1 * c1).timesV).inverted
        return Fp12(c0: c0 * inverse, c1: -(c1 * inverse))
    }

    /// a^p.
    var frobenius: Fp12 {
        let k = E.frobenius
        return Fp12(
            c0: Fp6(c0: c0.c0.conjugated, c1: c0.c1.conjugated * k.second, c2: c0.c2.conjugated * k.fourth),
            c1: Fp6(
                c0: c1.c0.conjugated * k.first, c1: c1.c1.conjugated * k.third, c2: c1.c2.conjugated * k.fifth))
    }

    /// Times b0 + b1 v + b4 v w, the line of an M-twist.
    func times(_ b0: E, v b1: E, vw b4: E) -> Fp12 {
        let p0 = c0.times(b0, b1)
        let p1 = c1.times(v: b4)
        return Fp12(c0: p1.timesV + p0, c1: (c0 + c1).times(b0, b1 + b4) - p0 - p1)
    }

    /// Times b0 + b3 w + b4 v w, the line of a D-twist.
    func times(_ b0: E, w b3: E, vw b4: E) -> Fp12 {
        let p0 = c0 * b0
        let p1 = c1.times(b3, b4)
        return Fp12(c0: p0 + p1.timesV, c1: (c0 + c1).times(b0 + b3, b4) - p0 - p1)
    }
}

extension Fp12 {
    /// The square of an element whose order divides p^4 - p^2 + 1 (Granger and Scott, "Faster Squaring in the
    /// Cyclotomic Subgroup of Sixth Degree Extensions", 2010).
    var cyclotomicSquared: Fp12 {
        let (a0, a1) = Self.square(c0.c0, c1.c1)
        let (b0, b1) = Self.square(c1.c0, c0.c2)
        let (d0, d1) = Self.square(c0.c1, c1.c2)
        let e = d1.timesNonResidue
        return Fp12(
            c0: Fp6(
                c0: (a0 - c0.c0).doubled + a0, c1: (b0 - c0.c1).doubled + b0, c2: (d0 - c0.c2).doubled + d0),
            c1: Fp6(
                c0: (e + c1.c0).doubled + e, c1: (a1 + c1.c1).doubled + a1, c2: (b1 + c1.c2).doubled + b1))
    }

    /// (a + b s)^2 with s^2 = xi.
    private static func square(_ a: E, _ b: E) -> (E, E) {
        let a2 = a.squared
        let b2 = b.squared
        return (b2.timesNonResidue + a2, (a + b).squared - a2 - b2)
    }

    /// self^exponent for an element of that subgroup.
    func cyclotomicPower(_ exponent: UInt64) -> Fp12 {
        var result = self
        for bit in (0..<max(63 - exponent.leadingZeroBitCount, 0)).reversed() {
            result = result.cyclotomicSquared
            if exponent >> UInt64(bit) & 1 == 1 { result = result * self }
        }
        return result
    }
}
