// Fp6 = Fp2[v] / (v^3 - xi), once for both curves.

struct Fp6<E: QuadraticField>: Sendable {
    var c0, c1, c2: E

    static var zero: Fp6 { Fp6(c0: .zero, c1: .zero, c2: .zero) }
    static var one: Fp6 { Fp6(c0: .one, c1: .zero, c2: .zero) }

    static func == (a: Fp6, b: Fp6) -> Bool { a.c0 == b.c0 && a.c1 == b.c1 && a.c2 == b.c2 }
    static func + (a: Fp6, b: Fp6) -> Fp6 { Fp6(c0: a.c0 + b.c0, c1: a.c1 + b.c1, c2: a.c2 + b.c2) }
    static func - (a: Fp6, b: Fp6) -> Fp6 { Fp6(c0: a.c0 - b.c0, c1: a.c1 - b.c1, c2: a.c2 - b.c2) }
    static prefix func - (a: Fp6) -> Fp6 { .zero - a }

    /// Karatsuba with six products.
    static func * (a: Fp6, b: Fp6) -> Fp6 {
        let p0 = a.c0 * b.c0
        let p1 = a.c1 * b.c1
        let p2 = a.c2 * b.c2
        let p12 = (a.c1 + a.c2) * (b.c1 + b.c2) - p1 - p2
        let p01 = (a.c0 + a.c1) * (b.c0 + b.c1) - p0 - p1
        let p02 = (a.c0 + a.c2) * (b.c0 + b.c2) - p0 - p2
        return Fp6(c0: p0 + p12.timesNonResidue, c1: p01 + p2.timesNonResidue, c2: p02 + p1)
    }

    static func * (a: Fp6, b: E) -> Fp6 { Fp6(c0: a.c0 * b, c1: a.c1 * b, c2: a.c2 * b) }

    /// Times b0 + b1 v.
    func times(_ b0: E, _ b1: E) -> Fp6 {
        let p0 = c0 * b0
        let p1 = c1 * b1
        return Fp6(
            c0: ((c1 + c2) * b1 - p1).timesNonResidue + p0,
            c1: (c0 + c1) * (b0 + b1) - p0 - p1,
            c2: (c0 + c2) * b0 - p0 + p1)
    }

    /// Times b1 v.
    func times(v b1: E) -> Fp6 { Fp6(c0: (c2 * b1).timesNonResidue, c1: c0 * b1, c2: c1 * b1) }

    /// Times v.
    var timesV: Fp6 { Fp6(c0: c2.timesNonResidue, c1: c0, c2: c1) }

    var inverted: Fp6 {
        let t0 = c0.squared - (c1 * c2).timesNonResidue
        let t1 = c2.squared.timesNonResidue - c0 * c1
        let t2 = c1.squared - c0 * c2
        let inverse = (c0 * t0 + (c2 * t1 + c1 * t2).timesNonResidue).inverted
        return Fp6(c0: t0 * inverse, c1: t1 * inverse, c2: t2 * inverse)
    }
}
