// What forks before Cancun and after Prague do otherwise: the tables of the EIPs, one fork against the one before it.

import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Fork rules")
struct ForkRuleTests {
    // MARK: SSTORE

    private struct StoreCase: CustomStringConvertible {
        /// The slot before the transaction, and what is written to it.
        let original: U256
        let values: [U256]
        let gas: UInt64
        let refund: Int64

        init(_ original: U256, _ values: [U256], _ gas: UInt64, _ refund: Int64) {
            self.original = original
            self.values = values
            self.gas = gas
            self.refund = refund
        }

        var description: String { "\(original) then \(values)" }
    }

    /// EIP-1283, "Test cases".
    private static let net: [StoreCase] = [
        .init(0, [0, 0], 412, 0), .init(0, [0, 1], 20_212, 0), .init(0, [1, 0], 20_212, 19_800),
        .init(0, [1, 2], 20_212, 0), .init(0, [1, 1], 20_212, 0), .init(1, [0, 0], 5_212, 15_000),
        .init(1, [0, 1], 5_212, 4_800), .init(1, [0, 2], 5_212, 0), .init(1, [2, 0], 5_212, 15_000),
        .init(1, [2, 3], 5_212, 0), .init(1, [2, 1], 5_212, 4_800), .init(1, [2, 2], 5_212, 0),
        .init(1, [1, 0], 5_212, 15_000), .init(1, [1, 2], 5_212, 0), .init(1, [1, 1], 412, 0),
        .init(0, [1, 0, 1], 40_218, 19_800), .init(1, [0, 1, 0], 10_218, 19_800),
    ]

    /// EIP-2200, "Test cases".
    private static let netWithSentry: [StoreCase] = [
        .init(0, [0, 0], 1_612, 0), .init(0, [0, 1], 20_812, 0), .init(0, [1, 0], 20_812, 19_200),
        .init(0, [1, 2], 20_812, 0), .init(0, [1, 1], 20_812, 0), .init(1, [0, 0], 5_812, 15_000),
        .init(1, [0, 1], 5_812, 4_200), .init(1, [0, 2], 5_812, 0), .init(1, [2, 0], 5_812, 15_000),
        .init(1, [2, 3], 5_812, 0), .init(1, [2, 1], 5_812, 4_200), .init(1, [2, 2], 5_812, 0),
        .init(1, [1, 0], 5_812, 15_000), .init(1, [1, 2], 5_812, 0), .init(1, [1, 1], 1_612, 0),
        .init(0, [1, 0, 1], 40_818, 19_200), .init(1, [0, 1, 0], 10_818, 19_200),
    ]

    /// EIP-3529, "Reference implementation": with a warm slot, so that the cold access comes to it here.
    private static let cheapRefunds: [StoreCase] = [
        .init(0, [0, 0], 212, 0), .init(0, [0, 1], 20_112, 0), .init(0, [1, 0], 20_112, 19_900),
        .init(0, [1, 2], 20_112, 0), .init(0, [1, 1], 20_112, 0), .init(1, [0, 0], 3_012, 4_800),
        .init(1, [0, 1], 3_012, 2_800), .init(1, [0, 2], 3_012, 0), .init(1, [2, 0], 3_012, 4_800),
        .init(1, [2, 3], 3_012, 0), .init(1, [2, 1], 3_012, 2_800), .init(1, [2, 2], 3_012, 0),
        .init(1, [1, 0], 3_012, 4_800), .init(1, [1, 2], 3_012, 0), .init(1, [1, 1], 212, 0),
        .init(0, [1, 0, 1], 40_118, 19_900), .init(1, [0, 1, 0], 5_918, 7_600),
    ]

    /// Runs the writes; gas of the code before any refund, and the refund before its cap.
    private func store(_ fork: Fork, _ test: StoreCase) throws -> (gas: UInt64, refund: Int64) {
        let code = test.values.flatMap { Bytes([0x60, UInt8($0.w0), 0x60, 0, 0x55]) }
        let bench = Bench(fork, Bytecode(code))
        bench.journal.override(slot: 0, to: test.original, of: Bench.contract)
        var tracer = OpcodeLogger(
            OpcodeLogger.Options(), journal: bench.journal, rules: bench.executor.rules,
            precompiles: bench.executor.precompiles)
        let result = try bench.executor.call(
            bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal, tracer: &tracer)
        #expect(result.succeeded)
        #expect(
            tracer.entries.reduce(0) { $0 + $1.gasCost } == Int64(result.gasUsed + result.gasRefunded) - 21_000,
            "the costs that a trace tells add up: \(fork), \(test)")
        return (result.gasUsed + result.gasRefunded - 21_000, tracer.entries.last?.refund ?? 0)
    }

    @Test("SSTORE costs and gives back what the tables of EIP-1283, EIP-2200 and EIP-3529 say")
    func storeTables() throws {
        for (forks, table, cold) in [
            ([Fork.constantinople], Self.net, 0), ([.istanbul, .muirGlacier], Self.netWithSentry, 0),
            ([.london, .paris, .osaka], Self.cheapRefunds, 2_100),
        ] as [([Fork], [StoreCase], UInt64)] {
            for fork in forks {
                for test in table {
                    let found = try store(fork, test)
                    #expect(found.gas == test.gas + cold && found.refund == test.refund, "\(fork): \(test)")
                }
            }
        }
    }

    @Test("where only the present value counts, SSTORE costs 20,000 from zero and 5,000 else; clearing gives 15,000")
    func plainStore() throws {
        for fork in [Fork.frontier, .homestead, .tangerineWhistle, .spuriousDragon, .byzantium, .petersburg] {
            for (test, gas, refund) in [
                (StoreCase(0, [0], 0, 0), 5_006, 0), (StoreCase(0, [1], 0, 0), 20_006, 0),
                (StoreCase(1, [0], 0, 0), 5_006, 15_000), (StoreCase(1, [2], 0, 0), 5_006, 0),
                (StoreCase(0, [1, 0], 0, 0), 25_012, 15_000), (StoreCase(1, [1], 0, 0), 5_006, 0),
            ] as [(StoreCase, UInt64, Int64)] {
                #expect(try store(fork, test) == (gas, refund), "\(fork): \(test)")
            }
        }
        // Berlin has the slots of EIP-2929 and the refund of before.
        #expect(try store(.berlin, StoreCase(1, [0], 0, 0)) == (5_006, 15_000))
    }

    @Test("SSTORE needs more than a stipend from Istanbul on")
    func sentry() throws {
        for (fork, succeeds) in [(Fork.constantinople, true), (.petersburg, false), (.istanbul, false)] {
            let bench = Bench(fork, [[0x60, 0, 0x60, 0, 0x55]])
            // 2,300 are left when SSTORE is met, and writing what is there costs 200, 5,000 or more than there may be.
            let status = try bench.call(bench.transaction(gas: 21_000 + 2_306)).status
            #expect((status == .success) == succeeds, "\(fork)")
        }
    }

    // MARK: Opcodes

    @Test("a fork has its opcodes and halts at those of later ones, in the loop and out of it")
    func opcodes() throws {
        let brought: [(Fork, Bytes)] = [
            (.homestead, [0xf4]), (.byzantium, [0x3d, 0x3e, 0xfa]), (.constantinople, [0x1b, 0x1c, 0x1d, 0x3f, 0xf5]),
            (.istanbul, [0x46, 0x47]), (.london, [0x48]), (.shanghai, [0x5f]),
            (.cancun, [0x49, 0x4a, 0x5c, 0x5d, 0x5e]), (.osaka, [0x1e]),
        ]
        for fork in Fork.allCases {
            let rules = RuleSet(fork)
            for (since, opcodes) in brought {
                for opcode in opcodes {
                    #expect(rules.opcodes.contains(opcode) == (fork >= since), "\(opcode) in \(fork)")
                    let code = Bytes((0..<6).flatMap { _ in [0x60, 0] as Bytes } + [opcode, 0x00])
                    let status = try Bench(fork, Bytecode(code)).call().status
                    #expect((status == .halt(.invalidOpcode)) == (fork < since), "\(opcode) in \(fork): \(status)")
                }
            }
            // Data of a PUSH is no opcode.
            #expect(try Bench(fork, [[0x61, 0x5f, 0x1b, 0x00]]).call().succeeded, "\(fork)")
        }
    }

    @Test("a watched run of an early fork meets what the fork lacks where it stands")
    func watchedGate() throws {
        let bench = Bench(.petersburg, [[0x60, 1, 0x60, 2, 0x1b, 0x5f]])
        var tracer = OpcodeLogger(
            OpcodeLogger.Options(), journal: bench.journal, rules: bench.executor.rules,
            precompiles: bench.executor.precompiles)
        let result = try bench.executor.call(
            bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal, tracer: &tracer)
        #expect(result.status == .halt(.invalidOpcode))
        #expect(tracer.entries.map(\.opcode) == [0x60, 0x60, 0x1b, 0x5f])
        #expect(tracer.entries.map(\.gasCost) == [3, 3, 3, 0])
    }

    @Test("CLZ counts the zeros in front, as EIP-7939 has it")
    func leadingZeros() throws {
        let table: [(U256, U256)] = [
            (0, 256), (U256.one << 255, 0), (.max, 0), (U256.one << 254, 1), (.max >> 1, 1), (1, 255),
        ]
        for (word, zeros) in table {
            #expect(try Bench.top(Bytecode.push(word) + [0x1e], fork: .osaka) == zeros, "\(word)")
        }
        #expect(try Bench.gas([0x60, 1, 0x1e], fork: .osaka) == 8)
        #expect(try Bench(.osaka, [[0x1e]]).call().status == .halt(.stackUnderflow))
    }

    // MARK: Prices

    @Test("what looks at accounts and slots costs what EIP-150, EIP-1884 and EIP-2929 say")
    func accessPrices() throws {
        let address = Bytecode.push(Bench.other)
        let forks: [Fork] = [.homestead, .tangerineWhistle, .constantinople, .istanbul, .berlin]
        func row(_ code: Bytes, _ wanted: [UInt64?]) throws {
            for (fork, price) in zip(forks, wanted) {
                guard let price else { continue }
                #expect(try Bench.gas(code, fork: fork, other: []) == price, "\(code) in \(fork)")
            }
        }
        // PUSH costs 3 each.
        try row(address + [0x31], [23, 403, 403, 703, 2_603])
        try row(address + [0x3b], [23, 703, 703, 703, 2_603])
        try row(address + [0x3f], [nil, nil, 403, 703, 2_603])
        try row([0x60, 0, 0x60, 0, 0x60, 0] + address + [0x3c], [32, 712, 712, 712, 2_612])
        try row([0x60, 0, 0x54], [53, 203, 203, 803, 2_103])
        // A call of an account that is there, with no gas.
        let call = Bytes([0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0]) + address + [0x60, 0, 0xf1]
        try row(call, [61, 721, 721, 721, 2_621])
        // EXP with an exponent of two bytes (EIP-160).
        #expect(try Bench.gas([0x61, 1, 0, 0x60, 2, 0x0a], fork: .tangerineWhistle) == 6 + 10 + 20)
        #expect(try Bench.gas([0x61, 1, 0, 0x60, 2, 0x0a], fork: .spuriousDragon) == 6 + 10 + 100)
    }

    @Test("a call of no account costs 25,000 more where it brings one into the state")
    func newAccounts() throws {
        func call(_ value: UInt8) -> Bytes {
            [0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, value] + Bytecode.push(Bench.other) + [0x60, 0, 0xf1]
        }
        // Before EIP-161 any call does, since then one that brings money.
        for (fork, value, price) in [
            (Fork.homestead, 0, 21 + 40 + 25_000), (.tangerineWhistle, 0, 21 + 700 + 25_000),
            (.spuriousDragon, 0, 21 + 700), (.spuriousDragon, 1, 21 + 700 + 9_000 + 25_000 - 2_300),
            (.homestead, 1, 21 + 40 + 9_000 + 25_000 - 2_300),
        ] as [(Fork, UInt8, UInt64)] {
            #expect(try Bench.gas(call(value), fork: fork) == price, "\(fork), \(value) wei")
        }
        // The second call finds what the first one made.
        #expect(try Bench.gas(call(0) + call(0), fork: .homestead) == 2 * (21 + 40) + 25_000)
    }

    @Test("asking for more gas than there is ends the caller before EIP-150, and gives all but a 64th since")
    func gasOfCalls() throws {
        let call = Bytes([0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0]) + Bytecode.push(Bench.other)
            + [0x62, 0xff, 0xff, 0xff, 0xf1]
        #expect(try Bench(.homestead, Bytecode(call), other: []).call().status == .halt(.outOfGas))
        #expect(try Bench(.tangerineWhistle, Bytecode(call), other: []).call().succeeded)
    }

    @Test("half of the gas may come back before London, a fifth since; SELFDESTRUCT gives 24,000 before")
    func refunds() throws {
        for (fork, refunded) in [(Fork.istanbul, 15_000), (.berlin, 15_000), (.london, 4_800)] as [(Fork, UInt64)] {
            let bench = Bench(fork, [[0x60, 0, 0x60, 0, 0x55]])
            bench.journal.override(slot: 0, to: 1, of: Bench.contract)
            let result = try bench.call()
            let spent = result.gasUsed + result.gasRefunded
            #expect(result.gasRefunded == min(refunded, spent / (fork >= .london ? 5 : 2)), "\(fork)")
        }
        let destroys = Bytecode(Bytecode.push(Bench.coinbase) + [0xff])
        for (fork, gives) in [(Fork.homestead, true), (.berlin, true), (.london, false)] {
            let result = try Bench(fork, destroys).call()
            #expect((result.gasRefunded > 0) == gives, "\(fork)")
        }
    }

    // MARK: Creations

    @Test("code that cannot be paid for leaves an account without code in Frontier and is a failure since Homestead")
    func unpaidCode() throws {
        // Init code that returns 100 bytes: 20,000 gas to keep.
        let code: Bytes = [0x60, 100, 0x60, 0, 0xf3]
        let rows: [(Fork, UInt64, Bool)] = [(.frontier, 21_000, true), (.homestead, 53_000, false)]
        for (fork, base, succeeds) in rows {
            let bench = Bench(fork)
            var transaction = Transaction.legacy(
                chainID: nil, nonce: 0, gasPrice: 100, gasLimit: base + 1_000, to: nil, data: code)
            transaction.gasLimit += 68 * 4 + 4
            let result = try bench.execute(transaction)
            #expect(result.succeeded == succeeds, "\(fork): \(result.status)")
            #expect(result.createdAddress.map { bench.journal.code($0) } == (succeeds ? [] : nil))
        }
    }

    @Test("code of any length and beginning is kept until EIP-170 and EIP-3541; nonces begin at zero until EIP-161")
    func creationLimits() throws {
        let big: Bytes = [0x61, 0x60, 0x01, 0x60, 0, 0xf3]
        let marked: Bytes = [0x60, 0xef, 0x60, 0, 0x53, 0x60, 1, 0x60, 0, 0xf3]
        func create(_ fork: Fork, _ code: Bytes) throws -> (Bench, ExecutionResult) {
            let bench = Bench(fork)
            return (
                bench,
                try bench.execute(
                    Transaction.legacy(
                        chainID: nil, nonce: 0, gasPrice: 100, gasLimit: 10_000_000, to: nil, data: code))
            )
        }
        #expect(try create(.tangerineWhistle, big).1.succeeded)
        #expect(try create(.spuriousDragon, big).1.status == .halt(.codeTooLarge))
        #expect(try create(.berlin, marked).1.succeeded)
        #expect(try create(.london, marked).1.status == .halt(.codeBeginsWithEF))
        for (fork, nonce) in [(Fork.tangerineWhistle, 0), (.spuriousDragon, 1)] as [(Fork, UInt64)] {
            let (bench, result) = try create(fork, [0x60, 1, 0x60, 0, 0xf3])
            #expect(result.createdAddress.flatMap { bench.journal.account($0)?.nonce } == nonce)
        }
    }

    // MARK: Empty accounts

    @Test("an empty account that is touched is there until EIP-161 and goes since")
    func emptyAccounts() throws {
        for (fork, isThere) in [(Fork.tangerineWhistle, true), (.spuriousDragon, false)] {
            let call =
                Bytes([0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0]) + Bytecode.push(Bench.other) + [0x60, 0, 0xf1]
            let bench = Bench(fork, Bytecode(call))
            let result = try bench.execute(
                Transaction.legacy(
                    chainID: nil, nonce: 0, gasPrice: 100, gasLimit: 100_000, to: Bench.contract))
            #expect(result.succeeded)
            let change = bench.journal.changes.first { $0.address == Bench.other }
            #expect((change?.state == AccountState()) == isThere, "\(fork)")
        }
    }

    @Test("a precompile that a caller moved is cold where it is now, and its old address stays warm")
    func movedPrecompile() throws {
        let own = PrecompileSet(.prague)
        var moved = own
        let target = Address(truncating: 0x123456)
        moved.set(own[4], at: target)
        moved[4] = nil
        let executor = Executor(rules: RuleSet(.prague), precompiles: moved, warm: own)
        for (address, price) in [(target, 2_603), (Address(truncating: 4), 103)] as [(Address, UInt64)] {
            let bench = Bench(.prague, Bytecode(Bytecode.push(address) + [0x31]))
            let result = try executor.call(
                bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal)
            #expect(result.gasUsed == 21_000 + price, "\(address)")
        }
    }

    // MARK: Transactions

    @Test("a transaction of Osaka asks for 2^24 gas and names six blobs at most")
    func transactionLimits() throws {
        func refusal(_ fork: Fork, _ change: (inout Transaction) -> Void) -> TransactionRefusal? {
            let bench = Bench(fork)
            var transaction = bench.transaction()
            change(&transaction)
            do { _ = try bench.execute(transaction) } catch { return error as? TransactionRefusal }
            return nil
        }
        #expect(refusal(.osaka) { $0.gasLimit = 1 << 24 } == nil)
        let more: UInt64 = 1 << 24 + 1
        #expect(refusal(.osaka) { $0.gasLimit = more } == .gasLimitAboveCap(limit: 1 << 24, got: more))
        #expect(refusal(.prague) { $0.gasLimit = more } == nil)
        func blobs(_ count: Int) -> (inout Transaction) -> Void {
            {
                $0.kind = .blob
                $0.maxFeePerBlobGas = 10
                $0.blobVersionedHashes = Array(repeating: Hash32(U256.one << 248), count: count)
            }
        }
        #expect(refusal(.bpo2, blobs(6)) == nil)
        #expect(refusal(.bpo2, blobs(7)) == .tooManyBlobs(limit: 6, got: 7))
        #expect(refusal(.prague, blobs(7)) == nil)
        for fork in Fork.allCases {
            for (kind, since) in [
                (Transaction.Kind.accessList, Fork.berlin), (.dynamicFee, .london), (.blob, .cancun),
                (.setCode, .prague),
            ] {
                let isRefused = refusal(fork) { $0.kind = kind } == .kindNotSupported(kind)
                #expect(isRefused == (fork < since), "\(kind) in \(fork)")
            }
        }
    }

    @Test("the excess of blob gas rises by a third of what was used while blobs cost less than execution (EIP-7918)")
    func blobFloor() {
        let rules = RuleSet(.osaka)
        let used = Transaction.gasPerBlob * 9
        // With a price of one wei a blob gas the floor holds for base fees above 16 wei.
        #expect(rules.excessBlobGas(parentExcess: 0, parentUsed: used, parentBaseFee: 16) == Transaction.gasPerBlob * 3)
        #expect(rules.excessBlobGas(parentExcess: 0, parentUsed: used, parentBaseFee: 17) == Transaction.gasPerBlob * 3)
        let full = Transaction.gasPerBlob * 6
        #expect(rules.excessBlobGas(parentExcess: 10, parentUsed: full, parentBaseFee: 16) == 10)
        #expect(rules.excessBlobGas(parentExcess: 10, parentUsed: full, parentBaseFee: 17) == 10 + full / 3)
        #expect(RuleSet(.prague).excessBlobGas(parentExcess: 10, parentUsed: full, parentBaseFee: 17) == 10)
        #expect(rules.excessBlobGas(parentExcess: 0, parentUsed: full - 1, parentBaseFee: 1_000_000) == 0)
        #expect(rules.excessBlobGas(parentExcess: .max, parentUsed: .max, parentBaseFee: .max) > 1 << 62)
    }

    @Test("precompiles of bn254 and MODEXP cost more before Istanbul and Berlin")
    func precompilePrices() throws {
        func gas(_ fork: Fork, _ number: UInt64, _ input: Bytes) -> Int64? {
            guard let precompile = PrecompileSet(fork)[number],
                case .success(_, let gas) = input.withUnsafeBytes({ precompile.run($0, 1 << 40) })
            else { return nil }
            return gas
        }
        #expect(gas(.byzantium, 6, []) == 500 && gas(.istanbul, 6, []) == 150)
        #expect(gas(.byzantium, 7, []) == 40_000 && gas(.istanbul, 7, []) == 6_000)
        #expect(gas(.byzantium, 8, []) == 100_000 && gas(.istanbul, 8, []) == 45_000)
        #expect(gas(.spuriousDragon, 5, []) == nil)
        // EIP-198's second example: 3^(2^256 - 2^32 - 978) mod p over numbers of 32 bytes.
        let exponent = U256.max - U256(UInt64(1) << 32) - 977
        let modulus = U256.max - U256(UInt64(1) << 32) - 976
        let input = U256(1).bytes + U256(32).bytes + U256(32).bytes + [3] + exponent.bytes + modulus.bytes
        #expect(gas(.byzantium, 5, input) == 13_056)
        #expect(gas(.berlin, 5, input) == 1_360)
        #expect(gas(.osaka, 5, input) == 4_080)
    }
}
