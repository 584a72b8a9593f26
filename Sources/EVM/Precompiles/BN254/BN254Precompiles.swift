// Precompiles 6 to 8: addition, multiplication and pairing check on bn254 (EIP-196, EIP-197), priced by EIP-1108
// from Istanbul on.

import CPrecompiles
import Ethereum

extension Precompile {
    /// 6: the sum of two points.
    package static let bn254Add = bn254Add(price: 150)
    package static let bn254AddByzantium = bn254Add(price: 500)

    private static func bn254Add(price: Int64) -> Precompile {
        Precompile(name: "bn254 add") { input, gasLimit in bn254Add(input, gasLimit, price) }
    }

    private static func bn254Add(
        _ input: UnsafeRawBufferPointer, _ gasLimit: Int64, _ price: Int64
    ) -> PrecompileOutcome {
        guard gasLimit >= price else { return .failure }
        let padded = PaddedInput.bytes(input, 0, 128)
        guard let a = BN254.readG1(padded, at: 0), let b = BN254.readG1(padded, at: 64) else { return .failure }
        return .success(BN254.write(a + b), gas: price)
    }

    /// 7: a point times a word.
    package static let bn254Multiply = bn254Multiply(price: 6_000)
    package static let bn254MultiplyByzantium = bn254Multiply(price: 40_000)

    private static func bn254Multiply(price: Int64) -> Precompile {
        Precompile(name: "bn254 mul") { input, gasLimit in bn254Multiply(input, gasLimit, price) }
    }

    private static func bn254Multiply(
        _ input: UnsafeRawBufferPointer, _ gasLimit: Int64, _ price: Int64
    ) -> PrecompileOutcome {
        guard gasLimit >= price else { return .failure }
        let padded = PaddedInput.bytes(input, 0, 64)
        guard let point = BN254.readG1(padded, at: 0) else { return .failure }
        let product = JacobianPoint(point).multiplied(by: PaddedInput.word(input, 64))
        return .success(BN254.write(product.affine), gas: price)
    }

    /// 8: one when the product of the pairings is one, else zero.
    package static let bn254Pairing = bn254Pairing(base: 45_000, pair: 34_000)
    package static let bn254PairingByzantium = bn254Pairing(base: 100_000, pair: 80_000)

    private static func bn254Pairing(base: Int64, pair: Int64) -> Precompile {
        Precompile(name: "bn254 pairing") { input, gasLimit in bn254Pairing(input, gasLimit, base, pair) }
    }

    private static func bn254Pairing(
        _ input: UnsafeRawBufferPointer, _ gasLimit: Int64, _ base: Int64, _ pair: Int64
    ) -> PrecompileOutcome {
        let (count, rest) = input.count.quotientAndRemainder(dividingBy: 192)
        let price = base + pair * Int64(count)
        guard rest == 0, gasLimit >= price else { return .failure }
        let bytes = Bytes(input)
        var pairs: [(AffinePoint<BN254.G1>, AffinePoint<BN254.G2>)] = []
        for offset in stride(from: 0, to: bytes.count, by: 192) {
            guard let p = BN254.readG1(bytes, at: offset), let q = BN254.readG2(bytes, at: offset + 64) else {
                return .failure
            }
            pairs.append((p, q))
        }
        return .success(U256(BN254.productIsOne(pairs) ? 1 : 0).bytes, gas: price)
    }
}

extension BN254 {
    /// A point of G1, which is all of the curve; nil for numbers not below p and for points beside the curve.
    static func readG1(_ bytes: Bytes, at offset: Int) -> AffinePoint<G1>? {
        guard let x = readFp(bytes, at: offset), let y = readFp(bytes, at: offset + 32) else { return nil }
        let point = AffinePoint<G1>(x: x, y: y)
        return point.isOnCurve ? point : nil
    }

    /// A point of G2; nil as above, and for points of another order. The imaginary part comes first.
    static func readG2(_ bytes: Bytes, at offset: Int) -> AffinePoint<G2>? {
        guard let x1 = readFp(bytes, at: offset), let x0 = readFp(bytes, at: offset + 32),
            let y1 = readFp(bytes, at: offset + 64), let y0 = readFp(bytes, at: offset + 96)
        else { return nil }
        let point = AffinePoint<G2>(x: BN254Fp2(c0: x0, c1: x1), y: BN254Fp2(c0: y0, c1: y1))
        return point.isOnCurve && isInG2(point) ? point : nil
    }

    static func write(_ point: AffinePoint<G1>) -> Bytes { point.x.bytes + point.y.bytes }

    private static func readFp(_ bytes: Bytes, at offset: Int) -> BN254Fp? {
        BN254Fp(Bytes(bytes[offset..<offset + 32]))
    }
}
