// Calls and creations: depth, static rules, return data, collisions, SELFDESTRUCT, and what a revert takes back.

import EVM
import Ethereum
import Foundation
import Testing

@Suite("Calls and creations")
struct CallTests {
    /// Calls itself with all gas and returns depth reached: result of the child plus one.
    private static let recursion: Bytes =
        [0x60, 32, 0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x5a, 0xf1, 0x50, 0x5f, 0x51, 0x60, 1, 0x01] + Bytecode.returnTop

    @Test("calls nest 1024 deep and no deeper")
    func depth() throws {
        let bench = Bench(.prague, Bytecode(Self.recursion))
        bench.block.gasLimit = .max
        let transaction = Transaction.legacy(
            chainID: nil, nonce: 0, gasPrice: 0, gasLimit: 1 << 50, to: Bench.contract)
        let result = try bench.call(transaction)
        #expect(result.output == U256(1025).bytes)
    }

    @Test("full depth needs no more native stack than a small thread has")
    func nativeStack() throws {
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var output: Bytes?
        let thread = Thread {
            let bench = Bench(.prague, Bytecode(Self.recursion))
            bench.block.gasLimit = .max
            let transaction = Transaction.legacy(
                chainID: nil, nonce: 0, gasPrice: 0, gasLimit: 1 << 50, to: Bench.contract)
            output = try? bench.call(transaction).output
            done.signal()
        }
        thread.stackSize = 128 << 10
        thread.start()
        done.wait()
        #expect(output == U256(1025).bytes)
    }

    @Test("creations nest to the same depth")
    func createDepth() throws {
        // Init code that creates a contract with its own code, over and over.
        let code: Bytes = [0x38, 0x5f, 0x5f, 0x39, 0x38, 0x5f, 0x5f, 0xf0, 0x00]
        let bench = Bench()
        bench.block.gasLimit = .max
        let result = try bench.call(
            Transaction.legacy(chainID: nil, nonce: 0, gasPrice: 0, gasLimit: 1 << 50, to: nil, data: code))
        #expect(result.succeeded)
    }

    @Test(
        "a static call refuses every write",
        arguments: [
            [0x5f, 0x5f, 0x55], [0x5f, 0x5f, 0x5d], [0x5f, 0x5f, 0xa0], [0x5f, 0x5f, 0x5f, 0xf0],
            [0x5f, 0x5f, 0x5f, 0x5f, 0xf5], [0x5f, 0xff], [0x5f, 0x5f, 0x5f, 0x5f, 0x60, 1, 0x5f, 0x5f, 0xf1],
        ] as [Bytes])
    func staticCalls(_ write: Bytes) throws {
        let call: Bytes = [0x5f, 0x5f, 0x5f, 0x5f] + Bytecode.push(Bench.other) + [0x62, 1, 0, 0, 0xfa]
        let bench = Bench(.prague, Bytecode(call + Bytecode.returnTop), other: Bytecode(write))
        #expect(try bench.call().output == U256(0).bytes)
        let plain = Bench(.prague, Bytecode([0x5f] + call + Bytecode.returnTop), other: [[0x5f, 0x54]])
        #expect(try plain.call().output == U256(1).bytes, "reading is allowed")
    }

    @Test("DELEGATECALL keeps caller, value and storage; CALLCODE keeps storage only")
    func contexts() throws {
        // other: SSTORE(0, CALLER)
        let other: Bytecode = [[0x33, 0x5f, 0x55]]
        for (opcode, caller) in [(0xf4, Bench.sender), (0xf2, Bench.contract)] as [(UInt8, Address)] {
            let value: Bytes = opcode == 0xf2 ? [0x5f] : []
            let call = [0x5f, 0x5f, 0x5f, 0x5f] + value + Bytecode.push(Bench.other) + [0x5a, opcode]
            let bench = Bench(.prague, Bytecode(call), other: other)
            _ = try bench.execute()
            #expect(bench.journal.storage(Bench.contract, 0) == caller.word)
            #expect(bench.journal.storage(Bench.other, 0) == 0)
        }
    }

    @Test("a revert returns data and takes back storage, balance, logs and transient storage")
    func reverts() throws {
        let other: Bytecode = [
            [0x60, 1, 0x5f, 0x55, 0x60, 1, 0x5f, 0x5d, 0x5f, 0x5f, 0xa0, 0x60, 42, 0x5f, 0x52, 0x60, 32, 0x5f, 0xfd]
        ]
        let code: Bytes =
            [0x60, 32, 0x5f, 0x5f, 0x5f, 0x60, 9] + Bytecode.push(Bench.other) + [0x5a, 0xf1]
            + [0x3d, 0x01, 0x5f, 0x51, 0x01] + Bytecode.returnTop
        let bench = Bench(.prague, Bytecode(code), other: other)
        let result = try bench.execute()
        #expect(result.output == U256(74).bytes)
        #expect(result.logs.isEmpty)
        #expect(bench.journal.storage(Bench.other, 0) == 0)
        #expect(bench.journal.account(Bench.contract)?.balance == 1000)
        #expect(bench.journal.changes.map(\.address) == [Bench.sender, Bench.coinbase])
    }

    @Test("CREATE and CREATE2 deploy at the specified addresses")
    func creations() throws {
        let deployer = Bytecode.deployer([0x5f, 0x5f, 0xfd])
        let padded = deployer + Bytes(repeating: 0, count: 32 - deployer.count)
        let word = try #require(U256(bigEndianBytes: padded))
        for (tail, address) in [
            ([0xf0], Address.created(by: Bench.contract, nonce: 1)),
            (
                [0xf5],
                Address.created(by: Bench.contract, salt: Hash32(7), initCodeHash: keccak256(deployer))
            ),
        ] as [(Bytes, Address)] {
            let salt: Bytes = tail == [0xf5] ? [0x60, 7] : []
            let code = Bytecode.push(word) + [0x5f, 0x52] + salt + [0x60, UInt8(deployer.count), 0x5f, 0x60, 3] + tail
            let bench = Bench(.prague, Bytecode(code + Bytecode.returnTop))
            #expect(try bench.execute().output == address.word.bytes)
            #expect(bench.journal.code(address) == [0x5f, 0x5f, 0xfd])
            #expect(bench.journal.account(address)?.balance == 3)
            #expect(bench.journal.account(address)?.nonce == 1)
            #expect(bench.journal.account(Bench.contract)?.nonce == 2)
            bench.state.apply(bench.journal.changes)
            #expect(bench.state.accounts[address]?.code == [0x5f, 0x5f, 0xfd])
        }
    }

    @Test("a creation transaction returns its address, and fails over an account that is there")
    func creationTransaction() throws {
        let address = Address.created(by: Bench.sender, nonce: 0)
        let bench = Bench()
        let result = try bench.execute(bench.transaction(data: Bytecode.deployer([0x00]), to: nil))
        #expect(result.createdAddress == address && result.output == [0x00])
        let taken = Bench()
        taken.state.accounts[address] = MemoryAccount(storage: [1: 1])
        let failed = try taken.execute(taken.transaction(data: Bytecode.deployer([0x00]), gas: 100_000, to: nil))
        #expect(failed.status == .halt(.createCollision) && failed.createdAddress == nil)
        #expect(failed.gasUsed == 100_000)
        #expect(taken.journal.account(Bench.sender)?.nonce == 1)
    }

    @Test("deployed code is bounded, must not begin with 0xef, and is paid by the byte")
    func deposits() throws {
        let cases: [(Bytes, UInt64, ExecutionStatus)] = [
            ([0x61, 0x60, 0x00, 0x5f, 0xf3], 10_000_000, .success),
            ([0x61, 0x60, 0x01, 0x5f, 0xf3], 10_000_000, .halt(.codeTooLarge)),
            ([0x60, 0xef, 0x5f, 0x53, 0x60, 0x01, 0x5f, 0xf3], 1_000_000, .halt(.codeBeginsWithEF)),
            ([0x61, 0x10, 0x00, 0x5f, 0xf3], 500_000, .halt(.outOfGas)),
        ]
        for (code, gas, status) in cases {
            let bench = Bench()
            #expect(try bench.call(bench.transaction(data: code, gas: gas, to: nil)).status == status)
        }
    }

    @Test("SELFDESTRUCT moves the balance, and removes only what this transaction made")
    func selfDestruct() throws {
        let code = Bytecode.push(Bench.other) + [0xff]
        let bench = Bench(.prague, Bytecode(code))
        _ = try bench.execute()
        #expect(bench.journal.account(Bench.other)?.balance == 1000)
        #expect(bench.journal.account(Bench.contract)?.nonce == 1, "an old contract stays")
        let old = Bench(.shanghai, Bytecode(code))
        _ = try old.execute()
        #expect(old.journal.account(Bench.contract) == nil, "before Cancun it goes")
        let fresh = Bench()
        let result = try fresh.execute(fresh.transaction(data: code, value: 5, to: nil))
        #expect(result.succeeded)
        #expect(fresh.journal.account(Address.created(by: Bench.sender, nonce: 0)) == nil)
        #expect(fresh.journal.account(Bench.other)?.balance == 5)
    }

    @Test("transient storage lasts for a transaction")
    func transient() throws {
        let bench = Bench(.prague, [[0x5f, 0x5c, 0x60, 5, 0x5f, 0x5d, 0x5f, 0x5c, 0x01], Bytecode.returnTop])
        for nonce in 0..<2 as Range<UInt64> {
            let result = try bench.execute(bench.transaction(nonce: nonce))
            #expect(result.output == U256(5).bytes)
        }
    }

    @Test("a call tracer sees the tree of calls")
    func tracing() throws {
        let code: Bytes = [0x5f, 0x5f, 0x5f, 0x5f, 0x5f] + Bytecode.push(Bench.other) + [0x5a, 0xf1, 0x00]
        let bench = Bench(.prague, Bytecode(code), other: [[0x5f, 0x5f, 0xfd]])
        var tracer = CallTracer()
        _ = try bench.executor.call(
            bench.transaction(data: [1]), sender: Bench.sender, block: bench.block, journal: bench.journal,
            tracer: &tracer)
        #expect(tracer.calls.map(\.to) == [Bench.contract, Bench.other])
        #expect(tracer.calls.map(\.depth) == [0, 1])
        #expect(tracer.calls.map(\.status) == [.success, .revert])
        #expect(tracer.calls[0].input == [1] && tracer.calls[1].gasUsed == 4)
    }

    @Test("a step tracer sees each instruction")
    func steps() throws {
        struct Steps: Tracer {
            static var seesSteps: Bool { true }
            static var seesCalls: Bool { false }
            var opcodes: [UInt8] = []
            mutating func step(_ step: TracedStep) { opcodes.append(step.opcode) }
            mutating func enter(_ call: TracedCall) {}
            mutating func exit(_ end: TracedEnd) {}
        }
        let bench = Bench(.prague, [[0x60, 1, 0x60, 2, 0x01, 0x54, 0x00]])
        var tracer = Steps()
        _ = try bench.executor.call(
            bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal, tracer: &tracer)
        #expect(tracer.opcodes == [0x60, 0x60, 0x01, 0x54, 0x00])
    }
}
