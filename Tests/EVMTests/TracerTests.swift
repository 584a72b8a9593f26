// Tracers: what they tell is what the machine did, on public state tests and on small code by hand.

@testable import EVM
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Tracers")
struct TracerTests {
    @Test(
        "the price that a step asks for is the gas that the machine takes, in public state tests",
        arguments: [
            ("state-cancun", Fork.cancun, "/stSStoreTest/"), ("state-cancun", .cancun, "/stCallCodes/"),
            ("state-cancun", .cancun, "/stCreate2/"), ("state-cancun", .cancun, "/stMemoryTest/"),
            ("state-cancun", .cancun, "/stRevertTest/"), ("state-cancun", .cancun, "/stSelfBalance/"),
            ("state-eest", .prague, "/eip7702"), ("state-eest", .cancun, "/eip6780"),
        ])
    func prices(_ group: String, _ fork: Fork, _ part: String) throws {
        let files = Fixtures.files(group).filter { $0.path.contains(part) }.prefix(60)
        guard !files.isEmpty else { return }
        let fixture = StateFixture(fork)
        var steps = 0
        var faults: [String] = []
        for file in files {
            for (name, test) in try Fixtures.json(file).asObject?.members ?? [] {
                for post in test["post"]?[fixture.forkName]?.asArray ?? [] {
                    guard let text = post["txbytes"]?.asString,
                        let signed = try? SignedTransaction.decode(Hex.decode(text)), let sender = try? signed.sender()
                    else { continue }
                    let journal = Journal(reader: MemoryState(try StateFixture.state(test["pre"])))
                    var check = PriceCheck(journal, fixture.executor)
                    _ = try? fixture.executor.execute(
                        signed.transaction, sender: sender, block: try fixture.block(test), journal: journal,
                        tracer: &check)
                    steps += check.count
                    faults += check.faults.map { "\(name): \($0)" }
                }
            }
        }
        #expect(steps > 100)
        #expect(faults.isEmpty, "\(faults.prefix(10))")
    }

    @Test("the opcode logger tells each instruction with its cost, stack, memory, storage and refund")
    func opcodes() throws {
        // SSTORE(0, 0) of a slot that holds 7; MSTORE(0, 5); SLOAD(1); STOP
        let code: Bytes = [0x5f, 0x5f, 0x55, 0x60, 5, 0x5f, 0x52, 0x60, 1, 0x54, 0x00]
        let bench = Bench(.prague, [code])
        bench.journal.override(slot: .zero, to: 7, of: Bench.contract)
        var options = OpcodeLogger.Options()
        options.memory = true
        let log = try bench.logged(options)
        #expect(log.entries.map(\.opcode) == [0x5f, 0x5f, 0x55, 0x60, 0x5f, 0x52, 0x60, 0x54, 0x00])
        #expect(log.entries.map(\.programCounter) == [0, 1, 2, 3, 5, 6, 7, 9, 10])
        #expect(log.entries.map(\.gasCost) == [2, 2, 5000, 3, 2, 6, 3, 2100, 0])
        #expect(log.entries.map(\.refund) == [0, 0, 4800, 4800, 4800, 4800, 4800, 4800, 4800])
        #expect(log.entries.allSatisfy { $0.depth == 1 && $0.error == nil })
        #expect(log.entries[2].stack == [0, 0] && log.entries[5].stack == [5, 0])
        #expect(log.entries[5].memory.isEmpty && log.entries[6].memory == U256(5).bytes)
        #expect(log.entries[2].storage == [0: 0])
        #expect(log.entries[7].storage == [0: 0, 1: 0] && log.entries[8].storage.isEmpty)
        options.stack = false
        options.storage = false
        options.memory = false
        options.limit = 3
        let short = try bench.logged(options)
        #expect(short.entries.count == 3 && !short.isCut)
        #expect(short.entries.allSatisfy { $0.stack == nil && $0.memory.isEmpty && $0.storage.isEmpty })
    }

    @Test("the opcode logger counts what a call passes on, and not what a creation does")
    func costsOfCalls() throws {
        // CALL(1000, other, 0...) where other returns one word; STATICCALL of the identity; CREATE of nothing; REVERT
        let call: Bytes = [0x5f, 0x5f, 0x5f, 0x5f, 0x5f] + Bytecode.push(Bench.other) + [0x61, 0x03, 0xe8, 0xf1]
        let identity: Bytes = [0x5f, 0x5f, 0x5f, 0x5f, 0x60, 4, 0x61, 0x03, 0xe8, 0xfa]
        let create: Bytes = [0x5f, 0x5f, 0x5f, 0xf0, 0x5f, 0x5f, 0xfd]
        let bench = Bench(.prague, [call + identity + create], other: [[0x60, 0x20, 0x5f, 0xf3]])
        var options = OpcodeLogger.Options()
        options.returnData = true
        let entries = try bench.logged(options).entries
        func entry(_ opcode: UInt8, depth: Int = 1) throws -> OpcodeLogger.Entry {
            try #require(entries.last { $0.opcode == opcode && $0.depth == depth })
        }
        #expect(try entry(0xf1).gasCost == 2600 + 1000)
        #expect(try entry(0xf3, depth: 2).gasCost == 3, "a RETURN costs the memory that it names")
        #expect(try entry(0xfa).gasCost == 100 + 1000)
        #expect(try entry(0xfa).returnData == Bytes(repeating: 0, count: 32))
        #expect(try entry(0xf0).gasCost == 32_000)
        #expect(try entry(0xfd).gasCost == 0)
        let gas = entries.filter { $0.depth == 1 }.map(\.gas)
        #expect(gas == gas.sorted(by: >), "a frame's gas only falls here")
    }

    @Test(
        "the last entry of a frame that halts says why, where go-ethereum does",
        arguments: [
            ([0x01], "stack underflow (0 <=> 2)", 3), ([0x60, 0x00, 0x56], nil, 8),
            ([0x60, 1, 0x5f, 0x55], "out of gas: not enough gas for reentrancy sentry", 0), ([0xfe], nil, 0),
            ([0x63, 1, 0, 0, 0, 0x5f, 0x53], nil, 0), ([0x61, 0xff, 0xff, 0x5f, 0x20], "out of gas", 26_654),
        ] as [(Bytes, String?, Int64)])
    func faults(_ code: Bytes, _ error: String?, _ cost: Int64) throws {
        let bench = Bench(.prague, [code])
        let last = try #require(try bench.logged(OpcodeLogger.Options(), gas: 23_000).entries.last)
        if code == [0x63, 1, 0, 0, 0, 0x5f, 0x53] {
            #expect(last.error == nil && last.opcode == 0x00)
        } else {
            #expect(last.error == error)
            #expect(last.gasCost == cost)
        }
    }

    @Test("a call that is refused for its value or its depth is told with its reason, and all its gas comes back")
    func refusedCalls() throws {
        // CALL(1000, other, 2000 wei) with 1000 wei; CREATE(2000 wei)
        let code: Bytes =
            [0x5f, 0x5f, 0x5f, 0x5f, 0x61, 0x07, 0xd0] + Bytecode.push(Bench.other) + [0x61, 0x03, 0xe8, 0xf1]
        let bench = Bench(.prague, [code + [0x5f, 0x5f, 0x61, 0x07, 0xd0, 0xf0, 0x00]])
        var tracer = CallTracer()
        _ = try bench.executor.call(
            bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal, tracer: &tracer)
        #expect(tracer.calls.map(\.status) == [.success, .halt(.insufficientBalance), .halt(.insufficientBalance)])
        #expect(tracer.calls[1].gas == 1000 + 2300 && tracer.calls[1].gasUsed == 0)
        #expect(tracer.calls[2].kind == .create && tracer.calls[2].input.isEmpty)
    }

    @Test("a delegate call is told as coming from the contract that made it, and logs know how many calls came before")
    func delegateCallsAndLogs() throws {
        let call: Bytes = [0x5f, 0x5f, 0x5f, 0x5f] + Bytecode.push(Bench.other) + [0x61, 0x27, 0x10, 0xf4]
        let bench = Bench(.prague, [[0x5f, 0x5f, 0xa0] + call + [0x5f, 0x5f, 0xa0, 0x00]], other: [[0x5f, 0x5f, 0xa0]])
        var tracer = CallTracer(keepsLogs: true, firstLogIndex: 5)
        _ = try bench.executor.call(
            bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal, tracer: &tracer)
        #expect(tracer.calls[1].from == Bench.contract && tracer.calls[1].to == Bench.other)
        #expect(tracer.calls[0].logs.map(\.position) == [0, 1])
        #expect(tracer.calls[0].logs.map(\.index) == [5, 7] && tracer.calls[1].logs.map(\.index) == [6])
        #expect(tracer.calls[1].logs[0].log.address == Bench.contract, "the log is the contract's")
        var top = CallTracer(onlyTop: true, keepsLogs: true)
        _ = try bench.executor.call(
            bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal, tracer: &top)
        #expect(top.calls.count == 1 && top.calls[0].logs.count == 2)
    }

    @Test("the prestate tracer tells accounts and slots as they stood before, and what changed")
    func prestate() throws {
        // SSTORE(0, 1); SSTORE(1, SLOAD(1)); CALL(other, 3 wei)
        let code: Bytes =
            [0x60, 1, 0x5f, 0x55, 0x60, 1, 0x54, 0x60, 1, 0x55, 0x5f, 0x5f, 0x5f, 0x5f, 0x60, 3]
            + Bytecode.push(Bench.other) + [0x5a, 0xf1, 0x00]
        let bench = Bench(.prague, [code])
        bench.journal.override(slot: 1, to: 8, of: Bench.contract)
        bench.journal.override(balance: 10, of: Bench.contract)
        let before = bench.journal.account(Bench.sender)
        let whole = try bench.prestate(PrestateTracer.Options())
        #expect(whole.before[Bench.contract]?.storage == [0: 0, 1: 8])
        #expect(whole.before[Bench.contract]?.balance == 10)
        #expect(whole.before[Bench.sender]?.balance == before?.balance, "as it was before the gas was bought")
        #expect(whole.before[Bench.other] == nil, "an account that was empty is left out")
        var options = PrestateTracer.Options()
        options.difference = true
        let difference = try bench.prestate(options)
        #expect(difference.before[Bench.contract]?.storage == [:], "a slot that was zero or did not change is left out")
        #expect(difference.after[Bench.contract]?.storage == [0: 1])
        #expect(difference.after[Bench.contract]?.balance == 7)
        #expect(difference.after[Bench.other]?.balance == 3)
        #expect(difference.after[Bench.sender]?.nonce == (before?.nonce ?? 0) + 1)
    }
}

extension Bench {
    fileprivate func logged(_ options: OpcodeLogger.Options, gas: UInt64 = 200_000) throws -> OpcodeLogger {
        var tracer = OpcodeLogger(
            options, journal: journal, rules: executor.rules, precompiles: executor.precompiles)
        var transaction = transaction()
        transaction.gasLimit = gas
        _ = try executor.call(transaction, sender: Bench.sender, block: block, journal: journal, tracer: &tracer)
        return tracer
    }

    fileprivate func prestate(_ options: PrestateTracer.Options) throws -> PrestateTracer {
        let transaction = transaction()
        var tracer = PrestateTracer(
            options, journal: journal, transaction: transaction, sender: Bench.sender, coinbase: block.coinbase)
        _ = try executor.call(transaction, sender: Bench.sender, block: block, journal: journal, tracer: &tracer)
        return tracer
    }
}

/// Compares the price of each step that did not end its frame with the gas that went.
private struct PriceCheck: Tracer {
    private struct Open {
        let opcode: UInt8
        let programCounter: Int
        let gas: Int64
        let price: Int64
        var lent: Int64 = 0
    }

    static var seesSteps: Bool { true }
    static var seesCalls: Bool { true }

    private(set) var count = 0
    private(set) var faults: [String] = []
    private var open: [Open] = []
    private let prices: StepPrice

    init(_ journal: Journal, _ executor: Executor) {
        prices = StepPrice(journal: journal, rules: executor.rules, precompiles: executor.precompiles)
    }

    mutating func step(_ step: TracedStep) {
        if step.depth < open.count {
            let last = open[step.depth]
            let taken = last.gas - step.gas + last.lent
            count += 1
            if taken != last.price {
                faults.append(
                    "\(OpcodeFacts.name(last.opcode)) at \(last.programCounter) took \(taken), asked \(last.price)")
            }
            open.removeLast(open.count - step.depth)
        }
        open.append(
            Open(
                opcode: step.opcode, programCounter: step.programCounter, gas: step.gas, price: prices.of(step)))
    }

    mutating func enter(_ call: TracedCall) {
        if call.depth > 0, call.kind == .create || call.kind == .create2 { open[call.depth - 1].lent -= call.gas }
    }

    mutating func exit(_ end: TracedEnd) {
        if end.depth < open.count { open.removeLast(open.count - end.depth) }
        if end.depth > 0 { open[end.depth - 1].lent += end.gasLeft }
    }
}
