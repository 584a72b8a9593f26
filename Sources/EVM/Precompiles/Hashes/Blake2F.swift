// Precompile 9: the compression function F of BLAKE2b with a count of rounds (EIP-152, RFC 7693).

import CPrecompiles
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
        causeway_blake2b_rounds(&v, m, rounds)
        return (0..<8).flatMap { at in
            withUnsafeBytes(of: (h[at] ^ v[at] ^ v[at + 8]).littleEndian) { Bytes($0) }
        }
    }
}
