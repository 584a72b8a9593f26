// Prices at their edges: memory, cold and warm, SSTORE's table, calls, refunds, the floor.

import EVM
import Ethereum
import Testing

@Suite("Gas")
struct GasTests {
    @Test("memory costs three a word and a square term, and only as it grows")
    func memory() throws {
        #expect(try Bench.gas([0x5f, 0x51]) == 2 + 3 + 3)
        #expect(try Bench.gas([0x5f, 0x51, 0x50, 0x5f, 0x51]) == 8 + 2 + 5)
        // 724 words are the first whose square term is 1023.
        let end = Bytecode.push(U256(UInt64(724 * 32 - 32)))
        #expect(try Bench.gas(end + [0x51]) == 3 + 3 + 3 * 724 + 724 * 724 / 512)
    }

    @Test("memory that no gas can pay halts, whatever the offset", arguments: [30, 40, 63, 64, 255])
    func hugeMemory(_ bits: Int) throws {
        let offset = Bytecode.push(U256.one << bits)
        for code in [
            offset + [0x51], [0x5f] + offset + [0x52], [0x5f] + offset + [0x53], offset + [0x5f, 0x20],
            offset + [0x5f, 0xf3], [0x60, 1] + offset + [0xfd], offset + offset + [0x5f, 0x5e],
            offset + [0x5f, 0x5f, 0x37], offset + [0x5f, 0xa0], offset + [0x5f, 0x5f, 0xf0],
        ] {
            let status = try Bench(.prague, Bytecode(code)).call().status
            let isFree = code == [0x60, 1] + offset + [0xfd]
            #expect(status != .success || isFree, "\(Hex.encode(code))")
        }
    }

    @Test("unbounded gas does not buy unbounded memory")
    func memoryLimit() throws {
        let bench = Bench(.prague, [Bytecode.push(U256.one << 33), [0x51]])
        bench.block.gasLimit = .max
        let transaction = Transaction.legacy(
            chainID: nil, nonce: 0, gasPrice: 0, gasLimit: 1 << 62, to: Bench.contract)
        #expect(try bench.call(transaction).status == .halt(.outOfGas))
    }

    @Test("accounts and slots are cold once")
    func access() throws {
        let balance = Bytecode.push(Bench.other) + [0x31, 0x50]
        #expect(try Bench.gas(balance) == 3 + 2600 + 2)
        #expect(try Bench.gas(balance + balance) == 3 + 2600 + 2 + 3 + 100 + 2)
        #expect(try Bench.gas([0x60, 1, 0x54, 0x50, 0x60, 1, 0x54]) == 3 + 2100 + 2 + 3 + 100)
        #expect(try Bench.gas([0x60, 2, 0x31]) == 3 + 100, "precompiles are warm")
        #expect(try Bench.gas([0x30, 0x31]) == 2 + 100, "the callee is warm")
        #expect(try Bench.gas([0x41, 0x31]) == 2 + 100, "the coinbase is warm")
    }

    @Test("an access list pays once and warms")
    func accessList() throws {
        let bench = Bench(.prague, [[0x60, 1, 0x54]])
        var transaction = bench.transaction()
        transaction.accessList = [AccessListEntry(address: Bench.contract, storageKeys: [Hash32(1)])]
        #expect(try bench.call(transaction).gasUsed == 21_000 + 2400 + 1900 + 3 + 100)
    }

    // The columns: original value, writes, gas and refund of the writes without their pushes.
    @Test(
        "SSTORE costs and refunds what the table of EIP-3529 says",
        arguments: [
            (0, [0, 0], 2300, 0), (0, [0, 1], 22200, 0), (0, [1, 0], 22200, 19900), (0, [1, 2], 22200, 0),
            (0, [1, 1], 22200, 0), (1, [0, 0], 5100, 4800), (1, [0, 1], 5100, 2800), (1, [0, 2], 5100, 0),
            (1, [2, 0], 5100, 4800), (1, [2, 3], 5100, 0), (1, [2, 1], 5100, 2800), (1, [2, 2], 5100, 0),
            (1, [1, 0], 5100, 4800), (1, [1, 2], 5100, 0), (1, [1, 1], 2300, 0), (0, [1, 0, 1], 42200, 19900),
            (1, [0, 1, 0], 8000, 7600),
        ] as [(UInt64, [UInt8], UInt64, UInt64)])
    func store(_ original: UInt64, _ writes: [UInt8], _ gas: UInt64, _ refund: UInt64) throws {
        var code = Bytes()
        for value in writes { code += [0x60, value, 0x5f, 0x55] }
        let bench = Bench(.prague, Bytecode(code))
        bench.state.accounts[Bench.contract]?.storage[0] = U256(original)
        let result = try bench.execute()
        let spent = 21_000 + gas + 5 * UInt64(writes.count)
        #expect(result.gasRefunded == min(refund, spent / 5))
        #expect(result.gasUsed == spent - result.gasRefunded)
    }

    @Test("SSTORE needs more than 2300 gas")
    func sentry() throws {
        for (gas, status) in [(2305, ExecutionStatus.halt(.outOfGas)), (2306, .success)] as [(UInt64, ExecutionStatus)]
        {
            let bench = Bench(.prague, [[0x60, 0, 0x5f, 0x55]])
            bench.state.accounts[Bench.contract]?.storage[0] = 0
            #expect(try bench.call(bench.transaction(gas: 21_000 + gas)).status == status)
        }
    }

    @Test("a call may pass on all but a 64th, and value brings a stipend")
    func callGas() throws {
        // CALL(gas: all, other, value 0) where other returns GAS.
        let other: Bytecode = [[0x5a], Bytecode.returnTop]
        let call: Bytes =
            [0x60, 32, 0x5f, 0x5f, 0x5f, 0x5f] + Bytecode.push(Bench.other) + Bytecode.push(.max) + [
                0xf1, 0x50, 0x5f, 0x51,
            ]
        let bench = Bench(.prague, Bytecode(call + Bytecode.returnTop), other: other)
        let result = try bench.call(bench.transaction(gas: 121_000))
        let left = 100_000 - (3 + 2 * 4 + 3 + 3) - 3 - 2600
        #expect(result.output == U256(left - left / 64 - 2).bytes)
        let paying: Bytes = [0x5f, 0x5f, 0x5f, 0x5f, 0x60, 1, 0x61, 0x12, 0x34, 0x5f, 0xf1]
        #expect(try Bench.gas(paying) == 2 * 5 + 3 + 3 + 2600 + 9000 + 25_000 - 2300)
    }

    @Test("data has a floor from Prague on (EIP-7623)")
    func floor() throws {
        let data = Bytes(repeating: 1, count: 1000)
        for (fork, gas) in [(Fork.cancun, 21_000 + 16_000), (.prague, 21_000 + 40_000)] as [(Fork, UInt64)] {
            let bench = Bench(fork)
            #expect(try bench.execute(bench.transaction(data: data, to: Bench.other)).gasUsed == gas)
            #expect(throws: TransactionRefusal.intrinsicGasTooLow(least: gas, got: gas - 1)) {
                try bench.execute(bench.transaction(data: data, gas: gas - 1, to: Bench.other, nonce: 1))
            }
        }
    }

    @Test("refunds stop at a fifth of what was spent")
    func refundCap() throws {
        let bench = Bench(.prague, [[0x5f, 0x5f, 0x55, 0x5f, 0x60, 1, 0x55, 0x5f, 0x60, 2, 0x55]])
        for slot in 0...2 { bench.state.accounts[Bench.contract]?.storage[U256(UInt64(slot))] = 1 }
        let result = try bench.execute()
        let spent: UInt64 = 21_000 + 3 * 5000 + 14
        #expect(result.gasRefunded == spent / 5 && result.gasUsed == spent - spent / 5)
    }

    @Test("a jump behind PUSH2 costs, goes and fails as one behind any other push", arguments: [0x56, 0x57] as [UInt8])
    func jumpsBehindPush2(_ jump: UInt8) throws {
        /// What a jump to the JUMPDEST, or `past` bytes beyond it, comes to.
        func run(_ before: Bytes, wide: Bool, past: Int, gas: UInt64) throws -> ExecutionResult {
            let target = before.count + (wide ? 4 : 3) + 2 + past
            let push: Bytes = (wide ? [0x62, 0] : [0x61]) + [UInt8(target >> 8), UInt8(target & 255)]
            let code = before + push + [jump, 0x00, 0x5b, 0x5a, 0x50, 0x00]
            let bench = Bench(.prague, Bytecode(code))
            return try bench.call(bench.transaction(gas: gas))
        }
        let full = Bytes(repeating: 0x5f, count: 1023)
        for before in [[], [0x5f], [0x60, 1], full, full + [0x58]] as [Bytes] {
            let needed = UInt64(before.count * 2 + 40)
            for gas in (needed > 100 ? [needed] : Array(0...needed)) {
                for past in [0, 1, -1, 60_000] {
                    let narrow = try run(before, wide: false, past: past, gas: 21_000 + gas)
                    let wide = try run(before, wide: true, past: past, gas: 21_000 + gas)
                    #expect(narrow.status == wide.status && narrow.gasUsed == wide.gasUsed, "\(before) \(past) \(gas)")
                }
            }
        }
        #expect(try run([0x60, 1], wide: false, past: 0, gas: 30_000).succeeded)
        #expect(try run([0x60, 1], wide: false, past: 1, gas: 30_000).status == .halt(.invalidJump))
    }
}
