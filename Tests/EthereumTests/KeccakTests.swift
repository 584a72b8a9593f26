// Keccak-256 of four buffers at once against that of one, for lengths that part the lanes in every way.

import CKeccak
import Ethereum
import TestSupport
import Testing

@Suite("Keccak")
struct KeccakTests {
    private func quad(_ inputs: [Bytes]) -> [Hash32] {
        var digests = [Hash32](repeating: .zero, count: 4)
        inputs[0].withUnsafeBytes { a in
            inputs[1].withUnsafeBytes { b in
                inputs[2].withUnsafeBytes { c in
                    inputs[3].withUnsafeBytes { d in
                        digests.withUnsafeMutableBufferPointer { out in
                            if let base = out.baseAddress { keccak256x4((a, b, c, d), into: base) }
                        }
                    }
                }
            }
        }
        return digests
    }

    @Test("four at once have the digests of one after another, for lengths of 0 to 1000")
    func lengths() {
        var random = SplitMix64.forTest()
        for _ in 0..<3000 {
            // Half of the rounds have like lengths, as nodes of a trie do.
            let common = random.below(1001)
            let alike = random.below(2) == 0
            let inputs = (0..<4).map { _ in
                random.bytes(alike ? min(common + random.below(3), 1000) : random.below(1001))
            }
            #expect(quad(inputs) == inputs.map { keccak256($0) }, "\(inputs.map(\.count))")
        }
    }

    @Test(
        "lengths around the block's 136 bytes, empty ones among them", arguments: [0, 1, 135, 136, 137, 271, 272, 273])
    func edges(_ count: Int) {
        var random = SplitMix64.forTest()
        for other in [0, 1, 135, 136, 137, 271, 272] {
            let inputs = [count, other, count, other].map { random.bytes($0) }
            #expect(quad(inputs) == inputs.map { keccak256($0) }, "\(count) and \(other)")
        }
    }

    @Test("a lane without an output is left out, and an output may be its own input")
    func lanes() {
        var random = SplitMix64.forTest()
        for absent in 0..<16 {
            let inputs = (0..<4).map { _ in random.bytes(32 + random.below(300)) }
            var room = Bytes()
            for input in inputs { room += input + Bytes(repeating: 0, count: 400 - input.count) }
            room.withUnsafeMutableBufferPointer { room in
                let lanes = (0..<4).map { lane in room.baseAddress.map { $0 + 400 * lane } }
                let outputs = lanes.enumerated().map { absent >> $0.offset & 1 == 1 ? nil : $0.element }
                causeway_keccak256_x4(lanes.map { UnsafePointer($0) }, inputs.map(\.count), outputs)
            }
            for lane in 0..<4 {
                let left = Bytes(room[400 * lane..<400 * lane + inputs[lane].count])
                let digest = keccak256(inputs[lane]).bytes + inputs[lane].dropFirst(32)
                #expect(left == (absent >> lane & 1 == 1 ? inputs[lane] : digest), "lane \(lane) of \(absent)")
            }
        }
    }
}
