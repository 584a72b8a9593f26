// Precompiles: which fork has which. The public vectors are run by Tests/ConformanceTests.

import EVM
import Ethereum
import Testing

@Suite("Precompiles")
struct PrecompileTests {
    @Test("each fork has its contracts")
    func forks() {
        let counts = [Fork.shanghai: 9, .cancun: 10, .prague: 17] as [Fork: UInt64]
        for fork in Fork.allCases {
            let set = PrecompileSet(fork)
            let last = counts[fork] ?? 0
            for number in 1...last { #expect(set.contains(Address(truncating: U256(number)))) }
            #expect(!set.contains(Address(truncating: U256(last + 1))))
            #expect(!set.contains(Address(truncating: U256(0x100))))
            #expect(!set.contains(.zero))
        }
    }
}
