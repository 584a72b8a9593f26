// Points of G1 in 48 bytes: x, with three flags in the highest bits (compressed, infinity, the greater of the two y's).

import CPrecompiles
import Ethereum

extension BLS12 {
    static let compressedBytes = 48

    /// Nil for anything but the one encoding of a point of G1.
    static func decompressG1(_ bytes: Bytes) -> AffinePoint<G1>? {
        guard bytes.count == compressedBytes, bytes[0] & 0x80 != 0 else { return nil }
        if bytes[0] & 0x40 != 0 {
            return bytes[0] == 0xc0 && bytes.dropFirst().allSatisfy { $0 == 0 } ? .infinity : nil
        }
        guard let x = BLS12Fp([bytes[0] & 0x1f] + bytes.dropFirst()),
            let root = (x.squared * x + G1.b).squareRoot
        else { return nil }
        let wantsUpper = bytes[0] & 0x20 != 0
        let point = AffinePoint<G1>(x: x, y: root.isInUpperHalf == wantsUpper ? root : -root)
        return isInG1(point) ? point : nil
    }

    static func compress(_ point: AffinePoint<G1>) -> Bytes {
        if point.isInfinity { return [0xc0] + Bytes(repeating: 0, count: compressedBytes - 1) }
        var bytes = point.x.bytes
        bytes[0] |= point.y.isInUpperHalf ? 0xa0 : 0x80
        return bytes
    }
}
