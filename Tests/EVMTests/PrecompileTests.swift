// Precompiles alone, against the public vectors: outputs, gas, and refusals.

import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Precompiles")
struct PrecompileTests {
    @Test(
        "public vectors give the expected output for the expected gas",
        arguments: [
            ("geth/ecRecover.json", 1), ("generated/ecrecover.json", 1), ("generated/sha256.json", 2),
            ("generated/ripemd160.json", 3), ("generated/identity.json", 4), ("geth/modexp_eip2565.json", 5),
            ("generated/modexp_eip2565.json", 5), ("geth/blake2F.json", 9), ("generated/blake2F.json", 9),
        ] as [(String, UInt64)])
    func vectors(_ name: String, _ number: UInt64) throws {
        guard let file = Fixtures.file("precompiles", name) else { return }
        let precompile = try #require(PrecompileSet(.cancun)[number])
        for test in try #require(Fixtures.json(file).asArray) {
            let label = test["Name"]?.asString ?? "?"
            let input = try Hex.decode(try #require(test["Input"]?.asString))
            let expected = try Hex.decode(try #require(test["Expected"]?.asString))
            let gas = Int64(try #require(test["Gas"]?.asUInt64))
            guard case .success(let output, let used) = input.withUnsafeBytes({ precompile.run($0, gas) }) else {
                Issue.record("\(name) \(label) failed")
                continue
            }
            #expect(output == expected, "\(name) \(label)")
            #expect(used == gas, "\(name) \(label)")
            if gas > 0 {
                guard case .failure = input.withUnsafeBytes({ precompile.run($0, gas - 1) }) else {
                    Issue.record("\(name) \(label) ran with too little gas")
                    continue
                }
            }
        }
    }

    @Test("refused inputs are refused", arguments: ["geth/fail-blake2f.json", "generated/fail-blake2F.json"])
    func failures(_ name: String) throws {
        guard let file = Fixtures.file("precompiles", name) else { return }
        let precompile = try #require(PrecompileSet(.cancun)[9])
        for test in try #require(Fixtures.json(file).asArray) {
            let input = try Hex.decode(try #require(test["Input"]?.asString))
            guard case .failure = input.withUnsafeBytes({ precompile.run($0, 1 << 40) }) else {
                Issue.record("\(name) \(test["Name"]?.asString ?? "?") was accepted")
                continue
            }
        }
    }

    @Test("each fork has its contracts")
    func forks() {
        let counts = [Fork.shanghai: 9, .cancun: 10, .prague: 17] as [Fork: UInt64]
        for fork in Fork.allCases {
            let set = PrecompileSet(fork)
            let last = counts[fork] ?? 0
            for number in 1...last { #expect(set.contains(Address(truncating: U256(number)))) }
            #expect(!set.contains(Address(truncating: U256(last + 1))))
            #expect(!set.contains(.zero))
        }
    }
}
