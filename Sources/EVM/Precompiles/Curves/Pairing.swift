// The optimal ate pairing as a product over pairs, once for both curves: what differs is in `PairingCurve`.
// Miller's loop runs on the twist in homogeneous coordinates (Costello, Lange, Naehrig, "Faster Pairing Computations on
// Curves with High-Degree Twists", 2010; Aranha and others, "The Realm of the Pairings", 2013).

protocol PairingCurve: Sendable {
    associatedtype G1: Curve
    associatedtype G2: Curve where G2.F: QuadraticField, G2.F.Base == G1.F
    typealias E = G2.F

    /// The digits of the loop's number, the highest first, without the leading one.
    static var loopDigits: [Int8] { get }
    /// f times a line, whose coefficients the twist puts at places of its own.
    static func multiply(_ f: inout Fp12<E>, by line: Line<E>, at point: AffinePoint<G1>)
    /// What follows the loop.
    static func finish(_ f: inout Fp12<E>, _ terms: inout [MillerTerm<Self>])
    /// Some fixed power of f^((p^4 - p^2 + 1) / r), for f of the cyclotomic subgroup.
    static func hardPart(_ f: Fp12<E>) -> Fp12<E>
}

/// The three coefficients of a line: without a coordinate of the point in G1, times x, and times y.
struct Line<E: QuadraticField> {
    var constant, x, y: E
}

/// One pair inside Miller's loop.
struct MillerTerm<P: PairingCurve> {
    let p: AffinePoint<P.G1>
    let q: AffinePoint<P.G2>
    /// The multiple of q that the loop has reached: (x / z, y / z).
    private var x, y, z: P.E

    init(_ p: AffinePoint<P.G1>, _ q: AffinePoint<P.G2>) {
        self.p = p
        self.q = q
        x = q.x
        y = q.y
        z = .one
    }

    /// Doubles, and returns the tangent.
    mutating func double(half: P.E.Base) -> Line<P.E> {
        let a = x * y * half
        let b = y.squared
        let c = z.squared
        let e = P.G2.b * c.tripled
        let f = e.tripled
        let g = (b + f) * half
        let h = (y + z).squared - (b + c)
        let j = x.squared
        let line = Line(constant: e - b, x: j.tripled, y: -h)
        x = a * (b - f)
        y = g.squared - e.squared.tripled
        z = b * h
        return line
    }

    /// Adds a point other than the one reached, and returns the line through both.
    mutating func add(_ point: AffinePoint<P.G2>) -> Line<P.E> {
        let theta = y - point.y * z
        let lambda = x - point.x * z
        let c = theta.squared
        let d = lambda.squared
        let e = lambda * d
        let f = z * c
        let g = x * d
        let h = e + f - g.doubled
        x = lambda * h
        y = theta * (g - h) - e * y
        z = z * e
        return Line(constant: theta * point.x - lambda * point.y, x: -theta, y: lambda)
    }
}

extension PairingCurve {
    /// True when the product of the pairings of all pairs is one. Pairs with infinity count as one. The points are in
    /// their groups of order r: the caller has checked.
    static func productIsOne(_ pairs: [(AffinePoint<G1>, AffinePoint<G2>)]) -> Bool {
        var terms = pairs.filter { !$0.isInfinity && !$1.isInfinity }.map { MillerTerm<Self>($0, $1) }
        if terms.isEmpty { return true }
        return finalPower(millerLoop(&terms)) == .one
    }

    static func millerLoop(_ terms: inout [MillerTerm<Self>]) -> Fp12<E> {
        let half = E.Base.one.doubled.inverted
        var f = Fp12<E>.one
        for digit in loopDigits {
            f = f.squared
            for index in terms.indices {
                multiply(&f, by: terms[index].double(half: half), at: terms[index].p)
                if digit != 0 {
                    let q = digit > 0 ? terms[index].q : -terms[index].q
                    multiply(&f, by: terms[index].add(q), at: terms[index].p)
                }
            }
        }
        finish(&f, &terms)
        return f
    }

    /// f^((p^12 - 1) / r), or a fixed power of it.
    static func finalPower(_ f: Fp12<E>) -> Fp12<E> {
        let once = f.conjugated * f.inverted
        return hardPart(once.frobenius.frobenius * once)
    }
}
