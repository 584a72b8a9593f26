// Random and hostile code: it may fail in any named way, but it never traps, and it never makes or loses money.

import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Hostile code")
struct HostileCodeTests {
    /// The forks that change what code does.
    private static let forks: [Fork] = [
        .frontier, .homestead, .tangerineWhistle, .spuriousDragon, .byzantium, .constantinople, .petersburg, .istanbul,
        .berlin, .london, .shanghai, .cancun, .prague, .osaka,
    ]

    @Test("random code never traps, uses no more than its gas, and keeps the sum of balances", arguments: forks)
    func random(_ fork: Fork) throws {
        var random = SplitMix64.forTest()
        var statuses: [String: Int] = [:]
        for _ in 0..<4000 {
            let code = Self.program(&random)
            let bench = Bench(fork, Bytecode(code), other: Bytecode(Self.program(&random)))
            let before = Self.wealth(bench.state)
            let gas = UInt64(30_000 + random.below(400_000))
            let creates = random.below(4) == 0
            let data = creates ? code : random.bytes(random.below(70))
            var transaction = bench.transaction(
                data: data, value: U256(UInt64(random.below(50))), gas: max(gas, 150_000),
                to: creates ? nil : Bench.contract)
            if fork < .london { transaction.kind = .legacy }
            let result = try bench.execute(transaction)
            #expect(result.gasUsed <= transaction.gasLimit)
            statuses["\(result.status)", default: 0] += 1
            bench.state.apply(bench.journal.changes)
            let burnt = U256(result.gasUsed) * bench.block.baseFee
            let after = Self.wealth(bench.state)
            // SELFDESTRUCT to oneself burns too, so there may be less, never more.
            #expect(after + burnt <= before, "\(Hex.encode(code))")
        }
        print(
            "\(fork.name): "
                + statuses.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        #expect(statuses.count > 4, "the programs reach several ends")
    }

    @Test("random bytes as calldata, code and gas never trap a call")
    func bytes() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<4000 {
            let bench = Bench(.prague, Bytecode(random.bytes(random.below(300))))
            _ = try bench.call(
                bench.transaction(data: random.bytes(random.below(100)), gas: UInt64(30_000 + random.below(1 << 20))))
        }
    }

    @Test("random input never traps a precompile", arguments: 1...17 as ClosedRange<UInt64>)
    func precompiles(_ number: UInt64) throws {
        var random = SplitMix64.forTest()
        let precompile = try #require(PrecompileSet(.prague)[number])
        for _ in 0..<300 {
            var input = random.bytes(random.below(260))
            if number == 5, input.count >= 96 {
                // Lengths near the real ones, and now and then absurd ones.
                for field in 0..<3 {
                    let length = random.below(8) == 0 ? random.word() : U256(UInt64(random.below(40)))
                    input.replaceSubrange(field * 32..<field * 32 + 32, with: length.bytes)
                }
            }
            if number == 9, input.count > 3 { input.replaceSubrange(0..<3, with: [0, 0, 0]) }
            let gas = Int64(random.below(1_000_000))
            if case .success(_, let used) = input.withUnsafeBytes({ precompile.run($0, gas) }) { #expect(used <= gas) }
        }
    }

    private static func wealth(_ state: MemoryState) -> U256 {
        state.accounts.values.reduce(.zero) { $0 + $1.balance }
    }

    /// Code that leans towards doing something: pushes of small and huge words before opcodes of all kinds.
    private static func program(_ random: inout SplitMix64) -> Bytes {
        var code = Bytes()
        for _ in 0..<random.below(60) {
            for _ in 0..<(random.below(3) == 0 ? 7 : random.below(5)) {
                switch random.below(6) {
                case 0: code += Bytecode.push(random.word())
                case 1: code += Bytecode.push(random.below(2) == 0 ? Bench.other : Bench.contract)
                case 2: code += [0x60, UInt8(random.below(12))]
                case 3: code += [0x5a]
                default: code += [0x60, UInt8(random.below(256))]
                }
            }
            let opcodes: [UInt8] = [
                0x54, 0x55, 0x5c, 0x5d, 0xf0, 0xf1, 0xf2, 0xf4, 0xf5, 0xfa, 0xff, 0x3e, 0x5e, 0x52, 0x20,
            ]
            switch random.below(4) {
            case 0: code.append(opcodes[random.below(opcodes.count)])
            case 1: code.append(0x5b)
            case 2: code.append(UInt8(random.below(0x60)))
            default: code.append(random.below(20) == 0 ? UInt8(random.below(256)) : UInt8(0x60 + random.below(0x45)))
            }
        }
        return code
    }
}
