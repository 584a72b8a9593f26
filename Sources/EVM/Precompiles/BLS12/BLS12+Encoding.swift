// Points as EIP-2537 writes them: coordinates of 64 bytes, of which the first sixteen are zero; infinity is all zeros.

import CPrecompiles
import Ethereum

extension BLS12 {
    static let coordinateBytes = 64
    static let g1Bytes = 128
    static let g2Bytes = 256

    static func readFp(_ bytes: Bytes, at offset: Int) -> BLS12Fp? {
        guard bytes[offset..<offset + 16].allSatisfy({ $0 == 0 }) else { return nil }
        return BLS12Fp(Bytes(bytes[offset + 16..<offset + coordinateBytes]))
    }

    static func readFp2(_ bytes: Bytes, at offset: Int) -> BLS12Fp2? {
        guard let c0 = readFp(bytes, at: offset), let c1 = readFp(bytes, at: offset + coordinateBytes) else {
            return nil
        }
        return BLS12Fp2(c0: c0, c1: c1)
    }

    /// A point of the curve, of whatever order; nil for numbers not below p and for points beside the curve.
    static func readCurvePoint1(_ bytes: Bytes, at offset: Int) -> AffinePoint<G1>? {
        guard let x = readFp(bytes, at: offset), let y = readFp(bytes, at: offset + 64) else { return nil }
        let point = AffinePoint<G1>(x: x, y: y)
        return point.isOnCurve ? point : nil
    }

    static func readCurvePoint2(_ bytes: Bytes, at offset: Int) -> AffinePoint<G2>? {
        guard let x = readFp2(bytes, at: offset), let y = readFp2(bytes, at: offset + 128) else { return nil }
        let point = AffinePoint<G2>(x: x, y: y)
        return point.isOnCurve ? point : nil
    }

    /// A point of G1: also nil for points of another order.
    static func readG1(_ bytes: Bytes, at offset: Int) -> AffinePoint<G1>? {
        readCurvePoint1(bytes, at: offset).flatMap { isInG1($0) ? $0 : nil }
    }

    static func readG2(_ bytes: Bytes, at offset: Int) -> AffinePoint<G2>? {
        readCurvePoint2(bytes, at: offset).flatMap { isInG2($0) ? $0 : nil }
    }

    static func write(_ point: AffinePoint<G1>) -> Bytes { write(point.x) + write(point.y) }

    static func write(_ point: AffinePoint<G2>) -> Bytes {
        write(point.x.c0) + write(point.x.c1) + write(point.y.c0) + write(point.y.c1)
    }

    private static func write(_ element: BLS12Fp) -> Bytes { element.bytes.leftPadded(to: coordinateBytes) }
}
