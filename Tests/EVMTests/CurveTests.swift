// The groups: their laws, their orders, sums of multiples, and the pairings on them.

import CPrecompiles
import Ethereum
import TestSupport
import Testing

@testable import EVM

@Suite("Curves")
struct CurveTests {
    @Test("all four groups obey the laws of a group")
    func groups() {
        var random = SplitMix64.forTest()
        Self.checkGroup(Generators.bn254G1, order: Generators.bn254Order, &random)
        Self.checkGroup(Generators.bn254G2, order: Generators.bn254Order, &random)
        Self.checkGroup(Generators.bls12G1, order: Generators.bls12Order, &random)
        Self.checkGroup(Generators.bls12G2, order: Generators.bls12Order, &random)
    }

    @Test("sums of multiples are what one multiple at a time gives", arguments: [0, 1, 2, 3, 5, 13, 40, 130, 320])
    func sums(_ count: Int) {
        var random = SplitMix64.forTest()
        Self.checkSum(Generators.bls12G1, count, &random)
        if count < 50 { Self.checkSum(Generators.bls12G2, count, &random) }
    }

    @Test("the pairings are bilinear and do not vanish")
    func bilinearity() {
        var random = SplitMix64.forTest()
        for _ in 0..<6 {
            Self.checkPairing(BN254.self, Generators.bn254G1, Generators.bn254G2, &random)
            Self.checkPairing(BLS12.self, Generators.bls12G1, Generators.bls12G2, &random)
        }
    }

    @Test("the quick membership tests agree with multiplying by the order")
    func membership() {
        var random = SplitMix64.forTest()
        var inside = 0
        var outside = 0
        func check<C: Curve>(_ point: AffinePoint<C>, order: U256, _ verdict: Bool) {
            let truth = JacobianPoint(point).multiplied(by: order).isInfinity
            #expect(truth == verdict)
            if truth { inside += 1 } else { outside += 1 }
        }
        for _ in 0..<20 {
            let p = Self.point(BLS12.G1.self) { FieldTests.element(BLS12Fp.self, &random) }
            check(p, order: Generators.bls12Order, BLS12.isInG1(p))
            let q = Self.point(BLS12.G2.self) { FieldTests.quadratic(BLS12Fp2.self, &random) }
            check(q, order: Generators.bls12Order, BLS12.isInG2(q))
            let s = Self.point(BN254.G2.self) { FieldTests.quadratic(BN254Fp2.self, &random) }
            check(s, order: Generators.bn254Order, BN254.isInG2(s))
            let k = random.word()
            let a = JacobianPoint(Generators.bls12G1).multiplied(by: k).affine
            check(a, order: Generators.bls12Order, BLS12.isInG1(a))
            let b = JacobianPoint(Generators.bls12G2).multiplied(by: k).affine
            check(b, order: Generators.bls12Order, BLS12.isInG2(b))
            let c = JacobianPoint(Generators.bn254G2).multiplied(by: k).affine
            check(c, order: Generators.bn254Order, BN254.isInG2(c))
        }
        #expect(inside >= 60 && outside >= 50, "both kinds were there")
    }

    @Test("points of small order beside the group are refused")
    func smallOrders() throws {
        // The cofactor of BLS12-381's G1 is divisible by 3: (0, 2) has order three.
        let three = AffinePoint<BLS12.G1>(x: .zero, y: BLS12Fp(small: 2))
        #expect(three.isOnCurve && JacobianPoint(three).multiplied(by: UInt64(3)).isInfinity)
        #expect(!BLS12.isInG1(three))
        // A point of the twist times r keeps only what is beside G2.
        var random = SplitMix64.forTest()
        let q = Self.point(BLS12.G2.self) { FieldTests.quadratic(BLS12Fp2.self, &random) }
        let beside = JacobianPoint(q).multiplied(by: Generators.bls12Order).affine
        #expect(!beside.isInfinity && !BLS12.isInG2(beside))
        let s = Self.point(BN254.G2.self) { FieldTests.quadratic(BN254Fp2.self, &random) }
        let aside = JacobianPoint(s).multiplied(by: Generators.bn254Order).affine
        #expect(!aside.isInfinity && !BN254.isInG2(aside))
    }

    @Test("maps to the curves end in the groups of order r")
    func maps() {
        var random = SplitMix64.forTest()
        let edges = [BLS12Fp.zero, .one, -.one]
        for index in 0..<20 {
            let u = index < edges.count ? edges[index] : FieldTests.element(BLS12Fp.self, &random)
            let p = BLS12.mapToG1(u)
            #expect(p.isOnCurve && !p.isInfinity && JacobianPoint(p).multiplied(by: Generators.bls12Order).isInfinity)
            let q = BLS12.mapToG2(BLS12Fp2(c0: u, c1: FieldTests.element(BLS12Fp.self, &random)))
            #expect(q.isOnCurve && !q.isInfinity && JacobianPoint(q).multiplied(by: Generators.bls12Order).isInfinity)
        }
    }

    private static func checkGroup<C: Curve>(_ g: AffinePoint<C>, order: U256, _ random: inout SplitMix64) {
        let generator = JacobianPoint(g)
        #expect(g.isOnCurve && generator.multiplied(by: order).isInfinity)
        #expect(generator.multiplied(by: U256.zero).isInfinity && generator.multiplied(by: UInt64(0)).isInfinity)
        #expect(generator.multiplied(by: order - 1) == -generator && generator.multiplied(by: order + 1) == generator)
        for _ in 0..<8 {
            let (m, n) = (random.word() >> 1, random.word() >> 1)
            let a = generator.multiplied(by: m)
            let b = generator.multiplied(by: n)
            let c = generator.multiplied(by: random.word())
            #expect(generator.multiplied(by: m + n) == a + b)
            #expect(a + b == b + a && (a + b) + c == a + (b + c))
            let nothing = JacobianPoint<C>.infinity
            #expect((a + -a).isInfinity && a + nothing == a && nothing + a == a && a + a == a.doubled)
            #expect(a + b.affine == a + b && a + a.affine == a.doubled && (a + -a.affine).isInfinity)
            #expect(a.affine + b.affine == (a + b).affine && a.affine + a.affine == a.doubled.affine)
            #expect((a.affine + -a.affine).isInfinity && a.affine + AffinePoint.infinity == a.affine)
            #expect((a + b).affine.isOnCurve && -a.affine == (-a).affine)
            let beside = AffinePoint<C>(x: a.affine.x, y: a.affine.y + .one)
            #expect(!beside.isOnCurve)
            let many = JacobianPoint.affine([a, .infinity, b + c])
            #expect(many[0] == a.affine && many[1].isInfinity && many[2] == (b + c).affine)
            let short = random.next()
            #expect(a.multiplied(by: short) == a.multiplied(by: U256(short)))
        }
    }

    private static func checkSum<C: Curve>(_ g: AffinePoint<C>, _ count: Int, _ random: inout SplitMix64) {
        let scalars: [U256] = (0..<count).map { $0 == 0 ? .max : $0 == 1 ? .zero : random.word() }
        var points = (0..<count).map { _ in JacobianPoint(g).multiplied(by: random.next()).affine }
        if count > 3 {
            points[2] = .infinity
            points[3] = points[0]
        }
        var expected = JacobianPoint<C>.infinity
        for (point, scalar) in zip(points, scalars) {
            expected = expected + JacobianPoint(point).multiplied(by: scalar)
        }
        #expect(JacobianPoint.sum(points, times: scalars) == expected)
    }

    private static func checkPairing<P: PairingCurve>(
        _: P.Type, _ g1: AffinePoint<P.G1>, _ g2: AffinePoint<P.G2>, _ random: inout SplitMix64
    ) {
        let (a, b) = (random.next() | 1, random.next() | 1)
        let product = U256(a) * U256(b)
        let p = JacobianPoint(g1).multiplied(by: a).affine
        let q = JacobianPoint(g2).multiplied(by: b).affine
        let joined = JacobianPoint(g1).multiplied(by: product).affine
        #expect(P.productIsOne([(p, q), (-joined, g2)]))
        let other = JacobianPoint(g2).multiplied(by: product).affine
        #expect(P.productIsOne([(g1, other), (p, -q), (joined, g2), (-g1, other)]))
        #expect(!P.productIsOne([(p, q), (joined, g2)]))
        #expect(!P.productIsOne([(p, q), (-joined, q)]))
        #expect(!P.productIsOne([(p, q)]))
        #expect(P.productIsOne([]) && P.productIsOne([(.infinity, q), (p, .infinity)]))
    }

    /// Some point of the curve, of whatever order.
    private static func point<C: Curve>(_: C.Type, _ next: () -> C.F) -> AffinePoint<C> {
        while true {
            let x = next()
            if let y = (x.squared * x + C.b).squareRoot { return AffinePoint(x: x, y: y) }
        }
    }
}

/// The generators and orders that the standards name.
enum Generators {
    static let bn254Order = U256(
        w0: 0x43e1_f593_f000_0001, w1: 0x2833_e848_79b9_7091, w2: 0xb850_45b6_8181_585d, w3: 0x3064_4e72_e131_a029)
    static let bls12Order = U256(
        w0: 0xffff_ffff_0000_0001, w1: 0x53bd_a402_fffe_5bfe, w2: 0x3339_d808_09a1_d805, w3: 0x73ed_a753_299d_7d48)
    static let bn254G1 = AffinePoint<BN254.G1>(x: .one, y: .one.doubled)
    static let bn254G2 = AffinePoint<BN254.G2>(
        x: BN254Fp2(
            c0: element("1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"),
            c1: element("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2")),
        y: BN254Fp2(
            c0: element("12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"),
            c1: element("090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b")))
    static let bls12G1 = BLS12.g1Generator
    static let bls12G2 = BLS12.g2Generator

    private static func element<F: PrimeField>(_ hex: String) -> F {
        guard let bytes = try? Hex.decode(hex), let element = F(bytes) else { preconditionFailure("a bad constant") }
        return element
    }
}
