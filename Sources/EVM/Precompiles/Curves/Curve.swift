// Points of y^2 = x^3 + b, affine and Jacobian, once for all four groups.

import Ethereum

protocol Curve: Sendable {
    associatedtype F: CoordinateField
    static var b: F { get }
}

/// x and y; the point at infinity is (0, 0), which is on no curve here because b is not 0.
struct AffinePoint<C: Curve>: Sendable {
    var x, y: C.F

    static var infinity: AffinePoint { AffinePoint(x: .zero, y: .zero) }
    var isInfinity: Bool { x.isZero && y.isZero }
    /// True for infinity as well.
    var isOnCurve: Bool { isInfinity || y.squared == x.squared * x + C.b }

    static func == (a: AffinePoint, b: AffinePoint) -> Bool { a.x == b.x && a.y == b.y }
    static prefix func - (a: AffinePoint) -> AffinePoint { AffinePoint(x: a.x, y: -a.y) }

    /// One inversion: for a single sum this is cheaper than the way through Jacobian coordinates.
    static func + (a: AffinePoint, b: AffinePoint) -> AffinePoint {
        if a.isInfinity { return b }
        if b.isInfinity { return a }
        let slope: C.F
        if a.x == b.x {
            guard a.y == b.y, !a.y.isZero else { return .infinity }
            slope = a.x.squared.tripled * a.y.doubled.inverted
        } else {
            slope = (b.y - a.y) * (b.x - a.x).inverted
        }
        let x = slope.squared - a.x - b.x
        return AffinePoint(x: x, y: slope * (a.x - x) - a.y)
    }
}

/// (x / z^2, y / z^3); infinity where z is 0. Formulas from the Explicit-Formulas Database: dbl-2009-l, add-2007-bl,
/// madd-2007-bl.
struct JacobianPoint<C: Curve>: Sendable {
    var x, y, z: C.F

    static var infinity: JacobianPoint { JacobianPoint(x: .one, y: .one, z: .zero) }
    var isInfinity: Bool { z.isZero }

    init(x: C.F, y: C.F, z: C.F) {
        self.x = x
        self.y = y
        self.z = z
    }

    init(_ point: AffinePoint<C>) {
        self = point.isInfinity ? .infinity : JacobianPoint(x: point.x, y: point.y, z: .one)
    }

    var affine: AffinePoint<C> { isInfinity ? .infinity : affine(inverseOfZ: z.inverted) }

    private func affine(inverseOfZ inverse: C.F) -> AffinePoint<C> {
        let square = inverse.squared
        return AffinePoint(x: x * square, y: y * square * inverse)
    }

    /// Many at once with one inversion.
    static func affine(_ points: [JacobianPoint]) -> [AffinePoint<C>] {
        var inverses = points.map(\.z)
        C.F.invert(&inverses)
        return zip(points, inverses).map { $0.isInfinity ? .infinity : $0.affine(inverseOfZ: $1) }
    }

    static func == (a: JacobianPoint, b: JacobianPoint) -> Bool {
        if a.isInfinity || b.isInfinity { return a.isInfinity && b.isInfinity }
        let a2 = a.z.squared
        let b2 = b.z.squared
        return a.x * b2 == b.x * a2 && a.y * b2 * b.z == b.y * a2 * a.z
    }

    static prefix func - (a: JacobianPoint) -> JacobianPoint { JacobianPoint(x: a.x, y: -a.y, z: a.z) }

    var doubled: JacobianPoint {
        let a = x.squared
        let b = y.squared
        let c = b.squared
        let d = ((x + b).squared - a - c).doubled
        let e = a.tripled
        let x3 = e.squared - d.doubled
        return JacobianPoint(x: x3, y: e * (d - x3) - c.doubled.doubled.doubled, z: (y * z).doubled)
    }

    static func + (a: JacobianPoint, b: JacobianPoint) -> JacobianPoint {
        if a.isInfinity { return b }
        if b.isInfinity { return a }
        let za = a.z.squared
        let zb = b.z.squared
        let u1 = a.x * zb
        let u2 = b.x * za
        let s1 = a.y * b.z * zb
        let s2 = b.y * a.z * za
        let h = u2 - u1
        let r = (s2 - s1).doubled
        if h.isZero { return r.isZero ? a.doubled : .infinity }
        let i = h.doubled.squared
        let j = h * i
        let v = u1 * i
        let x = r.squared - j - v.doubled
        return JacobianPoint(
            x: x, y: r * (v - x) - (s1 * j).doubled, z: ((a.z + b.z).squared - za - zb) * h)
    }

    static func + (a: JacobianPoint, b: AffinePoint<C>) -> JacobianPoint {
        if a.isInfinity { return JacobianPoint(b) }
        if b.isInfinity { return a }
        let za = a.z.squared
        let h = b.x * za - a.x
        let r = (b.y * a.z * za - a.y).doubled
        if h.isZero { return r.isZero ? a.doubled : .infinity }
        let h2 = h.squared
        let i = h2.doubled.doubled
        let j = h * i
        let v = a.x * i
        let x = r.squared - j - v.doubled
        return JacobianPoint(x: x, y: r * (v - x) - (a.y * j).doubled, z: (a.z + h).squared - za - h2)
    }
}
