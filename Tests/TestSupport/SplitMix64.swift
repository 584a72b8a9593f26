// The seeded generator of every property test: one number replays a run exactly.

import Ethereum
import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014). Not for secrets.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        self.state = seed
    }

    /// A generator for one named test, whose seed is `CAUSEWAY_SEED`, or else fixed; prints it.
    package static func forTest(_ name: String = #function) -> SplitMix64 {
        let text = ProcessInfo.processInfo.environment["CAUSEWAY_SEED"] ?? ""
        let seed = UInt64(text) ?? 0x5eed
        print("seed \(seed) (\(name)); CAUSEWAY_SEED sets another")
        return SplitMix64(seed: seed)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number below `bound`.
    package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    package mutating func bytes(_ count: Int) -> Bytes { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    package mutating func hash32() -> Hash32 { Hash32(U256(w0: next(), w1: next(), w2: next(), w3: next())) }

    package mutating func address() -> Address { Address(truncating: hash32().word) }

    /// A word whose limbs are often 0, 1, all ones or a power of two, where carries go wrong.
    package mutating func word() -> U256 {
        func limb(_ g: inout SplitMix64) -> UInt64 {
            switch g.below(6) {
            case 0: 0
            case 1: .max
            case 2: UInt64(1) << UInt64(g.below(64))
            case 3: UInt64.max << UInt64(g.below(64))
            default: g.next()
            }
        }
        let word = U256(w0: limb(&self), w1: limb(&self), w2: limb(&self), w3: limb(&self))
        return below(2) == 0 ? word : word >> below(257)
    }
}
