// BLS12-381: y^2 = x^3 + 4 over Fp, and y^2 = x^3 + 4 (1 + i) over Fp2, an M-twist.

import CPrecompiles

enum BLS12: PairingCurve {
    /// Minus the number z that the curve is made from: p, r and the pairing's loop are polynomials in z.
    static let negatedParameter: UInt64 = 0xd201_0000_0001_0000

    enum G1: Curve {
        static let b = BLS12Fp(small: 4)
    }

    enum G2: Curve {
        static let b = BLS12Fp2(c0: BLS12Fp(small: 4), c1: BLS12Fp(small: 4))
    }

    /// The bits of -z: conjugation after the loop makes up for the sign.
    static let loopDigits: [Int8] = (0..<63).reversed().map { Int8(negatedParameter >> UInt64($0) & 1) }

    static func multiply(_ f: inout Fp12<BLS12Fp2>, by line: Line<BLS12Fp2>, at point: AffinePoint<G1>) {
        f = f.times(line.constant, v: line.x * point.x, vw: line.y * point.y)
    }

    static func finish(_ f: inout Fp12<BLS12Fp2>, _ terms: inout [MillerTerm<BLS12>]) { f = f.conjugated }

    /// Three times (p^4 - p^2 + 1) / r is (z - 1)^2 (z + p)(z^2 + p^2 - 1) + 3 (Hayashida, Hayasaka and Teruya,
    /// "Efficient Final Exponentiation via Cyclotomic Structure", 2020).
    static func hardPart(_ f: Fp12<BLS12Fp2>) -> Fp12<BLS12Fp2> {
        func power(_ f: Fp12<BLS12Fp2>) -> Fp12<BLS12Fp2> { f.cyclotomicPower(negatedParameter).conjugated }
        let first = power(f) * f.conjugated
        let square = power(first) * first.conjugated
        let third = power(square) * square.frobenius
        let last = power(power(third)) * third.frobenius.frobenius * third.conjugated
        return last * f.cyclotomicSquared * f
    }
}

// Membership in the groups of order r. Curve and twist have other points too.
extension BLS12 {
    /// A cube root of one in Fp, such that (beta x, y) is [-z^2] (x, y) in G1.
    private static let beta: BLS12Fp = {
        let third = Words.divided(BLS12Fp.modulus, by: 3)
        return BLS12Fp(small: 2).power(third)
    }()

    /// The endomorphism phi(x, y) = (beta x, y) satisfies phi^2 + phi + 1 = 0. If phi(P) is [-z^2] P, then
    /// (z^4 - z^2 + 1) P = r P = 0; and all of G1 is like that.
    static func isInG1(_ p: AffinePoint<G1>) -> Bool {
        if p.isInfinity { return true }
        let multiple = JacobianPoint(p).multiplied(by: negatedParameter).multiplied(by: negatedParameter)
        return -multiple == JacobianPoint(AffinePoint<G1>(x: p.x * beta, y: p.y))
    }

    /// psi: untwist, p-th power, twist.
    static func frobenius(_ q: JacobianPoint<G2>) -> JacobianPoint<G2> {
        JacobianPoint(x: q.x.conjugated * twistX, y: q.y.conjugated * twistY, z: q.z.conjugated)
    }

    private static let twistX = BLS12Fp2.frobenius.second.inverted
    private static let twistY = BLS12Fp2.frobenius.third.inverted

    /// psi satisfies psi^2 - t psi + p = 0, and t - 1 = z. If psi(Q) is [z] Q, then (p + 1 - t) Q = 0. That is the
    /// order of the curve over Fp, and all that it shares with the order of the twist is r (Scott, "A Note on Group
    /// Membership Tests for G1, G2 and GT on BLS Pairing-Friendly Curves", 2021). And all of G2 is like that.
    static func isInG2(_ q: AffinePoint<G2>) -> Bool {
        if q.isInfinity { return true }
        let point = JacobianPoint(q)
        return -point.multiplied(by: negatedParameter) == frobenius(point)
    }
}
