// What the precompiles of curves refuse, made from inputs that they accept; and round trips through their encodings.

import CPrecompiles
import Ethereum
import TestSupport
import Testing

@testable import EVM

@Suite("Precompile refusals")
struct PrecompileRefusalTests {
    private static func output(_ precompile: Precompile, _ input: Bytes) -> Bytes? {
        guard case .success(let output, _) = input.withUnsafeBytes({ precompile.run($0, 1 << 40) }) else { return nil }
        return output
    }

    @Test("bn254 pads short inputs, ignores what follows, and refuses coordinates of p and more")
    func bn254() {
        let g = BN254.write(Generators.bn254G1)
        let doubled = BN254.write(Generators.bn254G1 + Generators.bn254G1)
        #expect(Self.output(.bn254Add, g + g) == doubled)
        #expect(Self.output(.bn254Add, g) == g, "what is missing is infinity")
        #expect(Self.output(.bn254Add, g + g + [1, 2, 3]) == doubled)
        #expect(Self.output(.bn254Add, []) == Bytes(repeating: 0, count: 64))
        #expect(Self.output(.bn254Multiply, g + U256(2).bytes) == doubled)
        #expect(Self.output(.bn254Multiply, g + U256(2).bytes + [9]) == doubled)
        let p = Bytes(BN254Fp.modulus.reversed().flatMap { Bytes(bigEndian: $0) })
        let zero = Bytes(repeating: 0, count: 32)
        #expect(Self.output(.bn254Add, p + zero) == nil, "p is not read as 0")
        #expect(Self.output(.bn254Multiply, zero + p + zero) == nil)
        #expect(Self.output(.bn254Add, U256(1).bytes + U256(1).bytes) == nil, "(1, 1) is beside the curve")
        #expect(Self.output(.bn254Pairing, g) == nil, "pairs have 192 bytes")
        #expect(Self.output(.bn254Pairing, []) == U256(1).bytes)
    }

    @Test("a pairing refuses a point of the twist that is beside the group")
    func bn254Subgroup() throws {
        let g2 = Generators.bn254G2
        func write(_ q: AffinePoint<BN254.G2>) -> Bytes { q.x.c1.bytes + q.x.c0.bytes + q.y.c1.bytes + q.y.c0.bytes }
        let infinity = Bytes(repeating: 0, count: 64)
        #expect(Self.output(.bn254Pairing, infinity + write(g2)) == U256(1).bytes)
        var x = BN254Fp2.one
        var beside: AffinePoint<BN254.G2>?
        while beside == nil {
            x = x + .one
            beside = (x.squared * x + BN254.G2.b).squareRoot.map { AffinePoint(x: x, y: $0) }
        }
        let point = try #require(beside)
        #expect(point.isOnCurve)
        #expect(Self.output(.bn254Pairing, infinity + write(point)) == nil)
        #expect(Self.output(.bn254Pairing, infinity + write(AffinePoint(x: g2.x, y: g2.y + .one))) == nil)
    }

    @Test("BLS12-381 takes exact lengths, zero padding, points of the curve, and where it must, of the group")
    func bls12() {
        let g1 = BLS12.write(BLS12.g1Generator)
        let g2 = BLS12.write(BLS12.g2Generator)
        let infinity1 = Bytes(repeating: 0, count: 128)
        #expect(Self.output(.bls12G1Add, g1 + infinity1) == g1)
        #expect(Self.output(.bls12G2Add, g2 + Bytes(repeating: 0, count: 256)) == g2)
        #expect(Self.output(.bls12G1MultiScalar, g1 + U256(1).bytes) == g1)
        #expect(Self.output(.bls12G2MultiScalar, g2 + U256(1).bytes) == g2)
        #expect(Self.output(.bls12Pairing, infinity1 + g2) == U256(1).bytes)
        for precompile in [
            Precompile.bls12G1Add, .bls12G1MultiScalar, .bls12G2Add, .bls12G2MultiScalar, .bls12Pairing, .bls12MapToG1,
            .bls12MapToG2,
        ] {
            #expect(Self.output(precompile, []) == nil, "\(precompile.name): nothing")
            #expect(Self.output(precompile, Bytes(repeating: 0, count: 63)) == nil, "\(precompile.name): short")
            #expect(Self.output(precompile, Bytes(repeating: 0, count: 65)) == nil, "\(precompile.name): long")
        }
        var padded = g1
        padded[3] = 1
        #expect(Self.output(.bls12G1Add, padded + g1) == nil)
        let p = Bytes(BLS12Fp.modulus.reversed().flatMap { Bytes(bigEndian: $0) }).leftPadded(to: 64)
        #expect(Self.output(.bls12MapToG1, p) == nil)
        #expect(Self.output(.bls12MapToG2, Bytes(repeating: 0, count: 64) + p) == nil)
        // (0, 2) is on the curve and of order three: sums take it, products and pairings do not.
        let three = BLS12.write(AffinePoint<BLS12.G1>(x: .zero, y: BLS12Fp(small: 2)))
        #expect(Self.output(.bls12G1Add, three + infinity1) == three)
        #expect(Self.output(.bls12G1MultiScalar, three + U256(3).bytes) == nil)
        #expect(Self.output(.bls12Pairing, three + g2) == nil)
    }

    @Test("P256VERIFY answers nothing, and does not fail, for what is no signature")
    func p256() {
        #expect(Self.output(.p256Verify, []) == [])
        #expect(Self.output(.p256Verify, Bytes(repeating: 0, count: 160)) == [])
        #expect(Self.output(.p256Verify, Bytes(repeating: 255, count: 160)) == [])
        #expect(Self.output(.p256Verify, Bytes(repeating: 1, count: 161)) == [])
        guard case .failure = Bytes().withUnsafeBytes({ Precompile.p256Verify.run($0, 6_899) }) else {
            Issue.record("it ran with too little gas")
            return
        }
    }

    @Test("modular powers agree with squaring and multiplying on words, for odd and even moduli")
    func modularPowers() throws {
        var random = SplitMix64.forTest()
        for round in 0..<3_000 {
            var modulus = random.next() >> UInt64(random.below(64))
            if round % 2 == 0 { modulus = modulus << UInt64(random.below(64)) }
            let base = random.word().bytes.suffix(random.below(20) + 1)
            let exponent = random.word().bytes.suffix(random.below(12) + 1)
            let expected = Self.power(Bytes(base), Bytes(exponent), modulus)
            let found = ModularPower.power(Bytes(base), Bytes(exponent), Bytes(bigEndian: modulus))
            #expect(found == Bytes(bigEndian: expected), "\(base) ^ \(exponent) mod \(modulus)")
        }
    }

    @Test("an even modulus agrees with its odd part and its power of two")
    func evenModuli() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<200 {
            let odd = random.bytes(random.below(90)) + [UInt8(truncatingIfNeeded: random.next()) | 1]
            let zeros = random.below(40) + 1
            let modulus = odd + Bytes(repeating: 0, count: zeros)
            let base = random.bytes(random.below(150))
            let exponent = random.bytes(random.below(40))
            let result = ModularPower.power(base, exponent, modulus)
            #expect(ModularPower.power(result, [1], odd) == ModularPower.power(base, exponent, odd))
            let power = [1] + Bytes(repeating: 0, count: zeros)
            #expect(result.suffix(zeros) == ModularPower.power(base, exponent, power).suffix(zeros))
        }
    }

    private static func power(_ base: Bytes, _ exponent: Bytes, _ modulus: UInt64) -> UInt64 {
        guard modulus > 1 else { return 0 }
        func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
            modulus.dividingFullWidth(a.multipliedFullWidth(by: b)).remainder
        }
        let reduced = base.reduce(UInt64(0)) { UInt64((UInt128($0) << 8 | UInt128($1)) % UInt128(modulus)) }
        var result: UInt64 = 1
        for byte in exponent {
            for bit in (0..<8).reversed() {
                result = product(result, result)
                if byte >> UInt8(bit) & 1 == 1 { result = product(result, reduced) }
            }
        }
        return result
    }
}
