// The laws of the fields under the curves, at random elements and at those where carries go wrong.

import CPrecompiles
import Ethereum
import TestSupport
import Testing

@testable import EVM

@Suite("Fields")
struct FieldTests {
    @Test("the three prime fields obey the laws of a field")
    func primeFields() {
        var random = SplitMix64.forTest()
        Self.checkPrimeField(BN254Fp.self, &random)
        Self.checkPrimeField(BLS12Fp.self, &random)
        Self.checkPrimeField(BLS12Fr.self, &random)
    }

    @Test("the quadratic, sextic and twelfth extensions obey the laws of a field")
    func extensions() {
        var random = SplitMix64.forTest()
        Self.checkTower(BN254Fp2.self, &random)
        Self.checkTower(BLS12Fp2.self, &random)
    }

    @Test("products agree with addition alone, bit by bit")
    func products() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<300 {
            let a = Self.element(BN254Fp.self, &random)
            let b = Self.element(BN254Fp.self, &random)
            #expect((a * b).bytes == Self.product(a.bytes, b.bytes, modulus: BN254Fp.modulus))
            let c = Self.element(BLS12Fp.self, &random)
            let d = Self.element(BLS12Fp.self, &random)
            #expect((c * d).bytes == Self.product(c.bytes, d.bytes, modulus: BLS12Fp.modulus))
        }
    }

    @Test("any word is reduced to what its bytes add up to")
    func reduction() {
        var random = SplitMix64.forTest()
        let base = BLS12Fr(small: 256)
        for index in 0..<200 {
            let word = index == 0 ? U256.max : index == 1 ? Generators.bls12Order : random.word()
            let sum = word.bytes.reduce(BLS12Fr.zero) { $0 * base + BLS12Fr(small: UInt64($1)) }
            #expect(BLS12Fr(reducing: word) == sum)
        }
    }

    @Test("the kernel for any CPU and the one chosen for this CPU agree")
    func kernels() {
        var random = SplitMix64.forTest()
        for _ in 0..<300 {
            let a = Self.quadratic(BN254Fp2.self, &random)
            let b = Self.quadratic(BN254Fp2.self, &random)
            var product = BN254Fp2()
            var square = BN254Fp2()
            var low = BN254Fp()
            withUnsafePointer(to: a) { a in withUnsafePointer(to: b) { BN254Fp2_multiply_portable(&product, a, $0) } }
            withUnsafePointer(to: a) { BN254Fp2_square_portable(&square, $0) }
            withUnsafePointer(to: a.c0) { a in withUnsafePointer(to: b.c0) { BN254Fp_multiply_portable(&low, a, $0) } }
            #expect(product == a * b && square == a.squared && low == a.c0 * b.c0)
        }
        for _ in 0..<300 {
            let a = Self.quadratic(BLS12Fp2.self, &random)
            let b = Self.quadratic(BLS12Fp2.self, &random)
            var product = BLS12Fp2()
            var square = BLS12Fp2()
            var low = BLS12Fp()
            withUnsafePointer(to: a) { a in withUnsafePointer(to: b) { BLS12Fp2_multiply_portable(&product, a, $0) } }
            withUnsafePointer(to: a) { BLS12Fp2_square_portable(&square, $0) }
            withUnsafePointer(to: a.c0) { a in withUnsafePointer(to: b.c0) { BLS12Fp_multiply_portable(&low, a, $0) } }
            #expect(product == a * b && square == a.squared && low == a.c0 * b.c0)
        }
    }

    private static func checkPrimeField<F: PrimeField>(_: F.Type, _ random: inout SplitMix64) {
        let edges = [F.zero, .one, -.one, F.one.doubled.inverted]
        var elements = edges
        for _ in 0..<60 { elements.append(element(F.self, &random)) }
        for a in elements {
            let b = elements[random.below(elements.count)]
            let c = elements[random.below(elements.count)]
            #expect((a + b) * c == a * c + b * c)
            #expect((a * b) * c == a * (b * c) && a * b == b * a)
            #expect((a - b) + b == a && (a - a).isZero && (a + -a).isZero)
            #expect(a.squared == a * a && a * .one == a && (a * .zero).isZero)
            #expect(a.isZero ? a.inverted.isZero : a * a.inverted == .one)
            #expect(F(a.bytes).map { $0 == a } == true)
            #expect(a.isZero || a.isInUpperHalf != (-a).isInUpperHalf)
            #expect(a.isZero || a.power(Words.adding(F.modulus, 0)) == a)
        }
        var inverses = elements
        F.invert(&inverses)
        #expect(zip(elements, inverses).allSatisfy { $0.inverted == $1 })
        let modulus = Bytes(F.modulus.reversed().flatMap { Bytes(bigEndian: $0) })
        #expect(F(modulus) == nil, "p is no element")
        #expect(F(Bytes(repeating: 255, count: F.byteCount)) == nil)
        #expect(F(Bytes(repeating: 0, count: F.byteCount - 1)) == nil)
        var last = modulus
        last[last.count - 1] -= 1
        #expect(F(last).map { $0 == -.one } == true, "p - 1 is -1")
    }

    private static func checkTower<E: QuadraticField>(_: E.Type, _ random: inout SplitMix64) {
        let exponent = E.Base.modulus
        for _ in 0..<20 {
            let a = quadratic(E.self, &random)
            let b = quadratic(E.self, &random)
            #expect(a * a.inverted == .one && a.squared == a * a)
            #expect(a * b == b * a && (a + b) * a == a * a + b * a)
            #expect(a.power(exponent) == a.conjugated, "conjugation is the p-th power")
            let root = a.squared.squareRoot
            #expect(root.map { $0 == a || $0 == -a } == true)
            #expect(a.squareRoot.map { $0.squared == a } ?? true)
            #expect(a.timesNonResidue == a * E.one.timesNonResidue)
            let f = twelfth(E.self, &random)
            let g = twelfth(E.self, &random)
            #expect(f * f.inverted == .one && f * g == g * f && f.squared == f * f)
            #expect((f * g).frobenius == f.frobenius * g.frobenius)
            var twelve = f
            for _ in 0..<12 { twelve = twelve.frobenius }
            #expect(twelve == f)
            #expect(f.frobenius.frobenius.frobenius.frobenius.frobenius.frobenius == f.conjugated)
            let once = f.conjugated * f.inverted
            let unit = once.frobenius.frobenius * once
            #expect(unit.cyclotomicSquared == unit * unit && unit * unit.conjugated == .one)
            #expect(unit.cyclotomicPower(13) == unit.squared.squared.squared * unit.squared.squared * unit)
        }
        let pure = quadratic(E.self, &random)
        #expect(E.one.timesNonResidue.squareRoot == nil, "xi is no square")
        #expect(E(c0: pure.c0, c1: .zero).squareRoot.map { $0.squared == E(c0: pure.c0, c1: .zero) } == true)
    }

    /// Random bytes modulo p, often with extreme limbs.
    static func element<F: PrimeField>(_: F.Type, _ random: inout SplitMix64) -> F {
        let bytes = random.word().bytes + random.word().bytes
        let base = F(small: 256)
        return bytes.reduce(F.zero) { $0 * base + F(small: UInt64($1)) }
    }

    static func quadratic<E: QuadraticField>(_: E.Type, _ random: inout SplitMix64) -> E {
        E(c0: element(E.Base.self, &random), c1: element(E.Base.self, &random))
    }

    private static func sixth<E: QuadraticField>(_: E.Type, _ random: inout SplitMix64) -> Fp6<E> {
        Fp6(c0: quadratic(E.self, &random), c1: quadratic(E.self, &random), c2: quadratic(E.self, &random))
    }

    private static func twelfth<E: QuadraticField>(_: E.Type, _ random: inout SplitMix64) -> Fp12<E> {
        Fp12(c0: sixth(E.self, &random), c1: sixth(E.self, &random))
    }

    /// a b mod p, one bit of b at a time on plain bytes: slow and of another make.
    private static func product(_ a: Bytes, _ b: Bytes, modulus: [UInt64]) -> Bytes {
        let p = Bytes(modulus.reversed().flatMap { Bytes(bigEndian: $0) })
        func sum(_ x: Bytes, _ y: Bytes) -> Bytes {
            var carry = 0
            var result = x
            for index in x.indices.reversed() {
                carry += Int(x[index]) + Int(y[index])
                result[index] = UInt8(carry & 255)
                carry >>= 8
            }
            guard !result.lexicographicallyPrecedes(p) else { return result }
            var borrow = 0
            for index in result.indices.reversed() {
                let difference = Int(result[index]) - Int(p[index]) - borrow
                borrow = difference < 0 ? 1 : 0
                result[index] = UInt8(difference & 255)
            }
            return result
        }
        var result = Bytes(repeating: 0, count: p.count)
        for byte in b {
            for bit in (0..<8).reversed() {
                result = sum(result, result)
                if byte >> UInt8(bit) & 1 == 1 { result = sum(result, a) }
            }
        }
        return result
    }
}
