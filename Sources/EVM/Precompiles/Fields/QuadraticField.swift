// Fp2 = Fp[i] / (i^2 + 1) for both base fields, with what each curve adds: its non-residue and its Frobenius constants.

import CPrecompiles

/// The second floor of a tower: Fp6 = Fp2[v] / (v^3 - xi), Fp12 = Fp6[w] / (w^2 - v).
protocol QuadraticField: CoordinateField {
    associatedtype Base: PrimeField, CoordinateField
    var c0: Base { get set }
    var c1: Base { get set }
    init(c0: Base, c1: Base)
    /// This times xi.
    var timesNonResidue: Self { get }
    static var frobenius: FrobeniusConstants<Self> { get }
}

extension QuadraticField {
    static var zero: Self { Self(c0: .zero, c1: .zero) }
    static var one: Self { Self(c0: .one, c1: .zero) }
    static func == (a: Self, b: Self) -> Bool { a.c0 == b.c0 && a.c1 == b.c1 }
    static func + (a: Self, b: Self) -> Self { Self(c0: a.c0 + b.c0, c1: a.c1 + b.c1) }
    static func - (a: Self, b: Self) -> Self { Self(c0: a.c0 - b.c0, c1: a.c1 - b.c1) }
    static func * (a: Self, b: Base) -> Self { Self(c0: a.c0 * b, c1: a.c1 * b) }

    /// a^p.
    var conjugated: Self { Self(c0: c0, c1: -c1) }
    /// a a^p.
    var norm: Base { c0.squared + c1.squared }

    var inverted: Self {
        let inverse = norm.inverted
        return Self(c0: c0 * inverse, c1: -(c1 * inverse))
    }

    /// (x + y i)^2 = a asks for x^2 = (c0 + n) / 2 with n a root of the norm of a, or with -n; then y = c1 / 2x.
    var squareRoot: Self? {
        if c1.isZero {
            // A number of the base field has a root there, or its negative has.
            if let root = c0.squareRoot { return Self(c0: root, c1: .zero) }
            return (-c0).squareRoot.map { Self(c0: .zero, c1: $0) }
        }
        guard let root = norm.squareRoot else { return nil }
        let half = Base.one.doubled.inverted
        guard let x = ((c0 + root) * half).squareRoot ?? ((c0 - root) * half).squareRoot else { return nil }
        return Self(c0: x, c1: c1 * x.doubled.inverted)
    }

    /// RFC 9380, 4.1: the sign of c0 counts unless it is zero.
    var isOdd: Bool { c0.isOdd || c0.isZero && c1.isOdd }
}

/// xi^(k (p - 1) / 6) for k = 1 ... 5: what Frobenius multiplies the powers of w by.
struct FrobeniusConstants<E: QuadraticField>: Sendable {
    let first, second, third, fourth, fifth: E

    init() {
        let exponent = Words.divided(E.Base.modulus, by: 6)
        first = E.one.timesNonResidue.power(exponent)
        second = first.squared
        third = second * first
        fourth = second.squared
        fifth = fourth * first
    }
}

extension BN254Fp2: QuadraticField {
    static let frobenius = FrobeniusConstants<BN254Fp2>()
    static func * (a: BN254Fp2, b: BN254Fp2) -> BN254Fp2 { BN254Fp2_multiply(a, b) }
    var squared: BN254Fp2 { BN254Fp2_square(self) }

    /// xi = 9 + i.
    var timesNonResidue: BN254Fp2 {
        let eight = doubled.doubled.doubled
        return BN254Fp2(c0: eight.c0 + c0 - c1, c1: eight.c1 + c1 + c0)
    }
}

extension BLS12Fp2: QuadraticField {
    static let frobenius = FrobeniusConstants<BLS12Fp2>()
    static func * (a: BLS12Fp2, b: BLS12Fp2) -> BLS12Fp2 { BLS12Fp2_multiply(a, b) }
    var squared: BLS12Fp2 { BLS12Fp2_square(self) }

    /// xi = 1 + i.
    var timesNonResidue: BLS12Fp2 { BLS12Fp2(c0: c0 - c1, c1: c0 + c1) }
}
