// Precompiles: which fork has which. The public vectors are run by Tests/ConformanceTests.

import EVM
import Ethereum
import Testing

@Suite("Precompiles")
struct PrecompileTests {
    @Test("each fork has its contracts")
    func forks() {
        for fork in Fork.allCases {
            let set = PrecompileSet(fork)
            let last: UInt64 =
                switch fork {
                case ..<Fork.byzantium: 4
                case ..<Fork.istanbul: 8
                case ..<Fork.cancun: 9
                case .cancun: 10
                default: 17
                }
            for number in 1...last { #expect(set.contains(Address(truncating: U256(number)))) }
            #expect(!set.contains(Address(truncating: U256(last + 1))))
            #expect(set.contains(Address(truncating: U256(0x100))) == (fork >= .osaka))
            #expect(!set.contains(.zero))
        }
    }
}
