// The curve of EIP-196 and EIP-197 (alt_bn128): y^2 = x^3 + 3 over Fp, and y^2 = x^3 + 3 / (9 + i) over Fp2, a D-twist.

import CPrecompiles

enum BN254: PairingCurve {
    /// The number that the curve is made from: p, r and the pairing's loop are polynomials in it.
    static let parameter: UInt64 = 4_965_661_367_192_848_881

    enum G1: Curve {
        static let b = BN254Fp(small: 3)
    }

    enum G2: Curve {
        static let b = BN254Fp2(c0: BN254Fp(small: 3), c1: .zero) * BN254Fp2.one.timesNonResidue.inverted
    }

    /// 6 x + 2 with digits -1, 0 and 1.
    static let loopDigits: [Int8] = {
        var digits: [Int8] = []
        var rest = 6 * Int128(parameter) + 2
        while rest != 0 {
            let digit: Int8 = rest & 1 == 0 ? 0 : rest & 3 == 3 ? -1 : 1
            digits.append(digit)
            rest = (rest - Int128(digit)) >> 1
        }
        return digits.dropLast().reversed()
    }()

    static func multiply(_ f: inout Fp12<BN254Fp2>, by line: Line<BN254Fp2>, at point: AffinePoint<G1>) {
        f = f.times(line.y * point.y, w: line.x * point.x, vw: line.constant)
    }

    /// Two more lines, through psi(Q) and -psi^2(Q).
    static func finish(_ f: inout Fp12<BN254Fp2>, _ terms: inout [MillerTerm<BN254>]) {
        for index in terms.indices {
            let first = frobenius(terms[index].q)
            multiply(&f, by: terms[index].add(first), at: terms[index].p)
            multiply(&f, by: terms[index].add(-frobenius(first)), at: terms[index].p)
        }
    }

    /// psi: untwist, p-th power, twist.
    static func frobenius(_ q: AffinePoint<G2>) -> AffinePoint<G2> {
        AffinePoint(
            x: q.x.conjugated * BN254Fp2.frobenius.second, y: q.y.conjugated * BN254Fp2.frobenius.third)
    }

    /// Whether a point of the twist has order r. psi satisfies psi^2 - t psi + p = 0, and t - 1 = 6 x^2. So if psi(Q)
    /// is [6 x^2] Q, then (p + 1 - t) Q = r Q = 0; and all of G2 is like that.
    static func isInG2(_ q: AffinePoint<G2>) -> Bool {
        if q.isInfinity { return true }
        let square = JacobianPoint(q).multiplied(by: parameter).multiplied(by: parameter)
        return (square.doubled + square).doubled == JacobianPoint(frobenius(q))
    }

    /// Fuentes-Castaneda, Knapp and Rodriguez-Henriquez, "Faster Hashing to G2" (2011).
    static func hardPart(_ f: Fp12<BN254Fp2>) -> Fp12<BN254Fp2> {
        func negativePower(_ f: Fp12<BN254Fp2>) -> Fp12<BN254Fp2> { f.cyclotomicPower(parameter).conjugated }
        let y1 = negativePower(f).cyclotomicSquared
        let y3 = y1.cyclotomicSquared * y1
        let y4 = negativePower(y3)
        let y6 = negativePower(y4.cyclotomicSquared).conjugated
        let y8 = y6 * y4 * y3.conjugated
        let y9 = y8 * y1
        let low = y9.frobenius * (y8 * y4 * f)
        let middle = y8.frobenius.frobenius * low
        return (f.conjugated * y9).frobenius.frobenius.frobenius * middle
    }
}
