// Precompile 9: the compression function F of BLAKE2b with a count of rounds (EIP-152, RFC 7693).

import Ethereum

extension Precompile {
    package static let blake2F = Precompile(name: "blake2f") { input, gasLimit in
        guard input.count == 213, input[212] <= 1 else { return .failure }
        let rounds = UInt32(bigEndian: input.loadUnaligned(as: UInt32.self))
        guard gasLimit >= Int64(rounds) else { return .failure }
        return .success(Blake2F.compress(input, rounds: rounds), gas: Int64(rounds))
    }
}

enum Blake2F {
    private static let initial: [UInt64] = [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
    ]

    /// The message schedule: ten rounds of sixteen word numbers.
    private static let schedule: [UInt8] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
    ]

    /// The input is rounds, h (64 bytes), m (128), t (16) and the final flag, words little-endian.
    static func compress(_ input: UnsafeRawBufferPointer, rounds: UInt32) -> Bytes {
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: input.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let h = (0..<8).map { word(4 + 8 * $0) }
        let m = (0..<16).map { word(68 + 8 * $0) }
        var v = h + initial
        v[12] ^= word(196)
        v[13] ^= word(204)
        if input[212] == 1 { v[14] = ~v[14] }
        v.withUnsafeMutableBufferPointer { v in
            m.withUnsafeBufferPointer { m in
                schedule.withUnsafeBufferPointer { schedule in
                    var row = 0
                    for _ in 0..<rounds {
                        round(v, m, schedule, row &* 16)
                        row = row == 9 ? 0 : row &+ 1
                    }
                }
            }
        }
        return (0..<8).flatMap { at in
            withUnsafeBytes(of: (h[at] ^ v[at] ^ v[at + 8]).littleEndian) { Bytes($0) }
        }
    }

    @inline(__always)
    private static func round(
        _ v: UnsafeMutableBufferPointer<UInt64>, _ m: UnsafeBufferPointer<UInt64>, _ s: UnsafeBufferPointer<UInt8>,
        _ at: Int
    ) {
        mix(v, 0, 4, 8, 12, m[Int(s[at])], m[Int(s[at &+ 1])])
        mix(v, 1, 5, 9, 13, m[Int(s[at &+ 2])], m[Int(s[at &+ 3])])
        mix(v, 2, 6, 10, 14, m[Int(s[at &+ 4])], m[Int(s[at &+ 5])])
        mix(v, 3, 7, 11, 15, m[Int(s[at &+ 6])], m[Int(s[at &+ 7])])
        mix(v, 0, 5, 10, 15, m[Int(s[at &+ 8])], m[Int(s[at &+ 9])])
        mix(v, 1, 6, 11, 12, m[Int(s[at &+ 10])], m[Int(s[at &+ 11])])
        mix(v, 2, 7, 8, 13, m[Int(s[at &+ 12])], m[Int(s[at &+ 13])])
        mix(v, 3, 4, 9, 14, m[Int(s[at &+ 14])], m[Int(s[at &+ 15])])
    }

    @inline(__always)
    private static func mix(
        _ v: UnsafeMutableBufferPointer<UInt64>, _ a: Int, _ b: Int, _ c: Int, _ d: Int, _ x: UInt64, _ y: UInt64
    ) {
        v[a] = v[a] &+ v[b] &+ x
        v[d] = rotated(v[d] ^ v[a], 32)
        v[c] = v[c] &+ v[d]
        v[b] = rotated(v[b] ^ v[c], 24)
        v[a] = v[a] &+ v[b] &+ y
        v[d] = rotated(v[d] ^ v[a], 16)
        v[c] = v[c] &+ v[d]
        v[b] = rotated(v[b] ^ v[c], 63)
    }

    @inline(__always) private static func rotated(_ x: UInt64, _ n: UInt64) -> UInt64 { x &>> n | x &<< (64 &- n) }
}
