// Bytecode and precompiles: whatever runs ends within its gas, in bounded time and memory, the same way each time, and
// leaves nothing behind when it fails.

import EVM
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Fuzz: code")
struct CodeFuzzTests {
    /// One input: how to run, then calldata, then code. Two contracts have the code and its mirror image.
    private struct Program {
        let fork: Fork
        let creates: Bool
        let gas: UInt64
        let data: Bytes
        let code: Bytes

        /// Half of the gas may come back before London.
        var leastGas: UInt64 { fork >= .london ? 21_000 : 10_500 }

        init?(_ input: Bytes) {
            guard input.count > 4 else { return nil }
            fork = Fork.allCases[Int(input[0] & 0x7f) % Fork.allCases.count]
            creates = input[0] & 0x80 != 0
            gas = 25_000 + UInt64(input[1]) << 12 + UInt64(input[2])
            let split = min(Int(input[3]), input.count - 4)
            data = Bytes(input[4..<4 + split])
            code = Bytes(input[(4 + split)...])
        }
    }

    /// Calls `target` with all gas and no value: 64 bytes of memory in, 32 out.
    private static func call(_ opcode: UInt8, _ target: Address) -> Bytes {
        var code: Bytes = [0x60, 32, 0x5f, 0x60, 64, 0x5f]
        if opcode == 0xf1 || opcode == 0xf2 { code.append(0x5f) }
        return joined(code, [0x73], target.bytes, [0x5a, opcode])
    }

    private static func joined(_ parts: Bytes...) -> Bytes { Bytes(parts.joined()) }

    private static let programs: [Bytes] = [
        Samples.logger, Samples.deploy(Samples.logger),
        // A loop: JUMPDEST, count up, jump back.
        [0x5f, 0x5b, 0x60, 0x01, 0x01, 0x80, 0x60, 0x80, 0x11, 0x60, 0x01, 0x57, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3],
        joined(call(0xf1, Samples.contract), call(0xf4, Samples.other), [0x3d, 0x5f, 0x5f, 0x3e, 0x3d, 0x5f, 0xfd]),
        joined(call(0xfa, Samples.contract), call(0xf2, Samples.other), call(0xf1, Address(truncating: 5)), [0x00]),
        // CREATE and CREATE2 of calldata, then a call of what came.
        [
            0x36, 0x5f, 0x5f, 0x37, 0x36, 0x5f, 0x5f, 0xf0, 0x60, 0x07, 0x36, 0x5f, 0x5f, 0xf5, 0x5f, 0x5f, 0x5f, 0x5f,
            0x5f, 0x85, 0x5a, 0xf1, 0xff,
        ],
        // Storage, transient storage, memory, hashes, logs.
        [
            0x60, 1, 0x5f, 0x55, 0x5f, 0x54, 0x60, 2, 0x5f, 0x5d, 0x5f, 0x5c, 0x60, 64, 0x5f, 0x20, 0x61, 4, 0, 0x52,
            0x60, 40, 0x5f, 0x60, 3, 0x5e, 0x5f, 0x5f, 0x60, 9, 0x5f, 0xa2, 0x59, 0x60, 3, 0x40, 0x49, 0x4a, 0xfd,
        ],
        // Arithmetic of every kind over wide words.
        joined(
            [0x7f], Bytes(repeating: 0xff, count: 32), [0x68, 1, 0, 0, 0, 0, 0, 0, 0, 5],
            [0x80, 0x80, 0x05, 0x80, 0x07, 0x08, 0x90, 0x82, 0x82, 0x09, 0x82, 0x0a, 0x0b, 0x1a, 0x81, 0x1b, 0x1c, 0x1d],
            [0x06, 0x04, 0x03, 0x02]),
    ]

    private static let corpus: [Bytes] = {
        var inputs: [Bytes] = []
        for (index, code) in programs.enumerated() {
            let fork = Fork.prague.rawValue - UInt8(index % 3)
            inputs.append(joined([fork, 40, 0, 32], Bytes(repeating: 1, count: 32), code))
            let data = Bytes(code.prefix(255))
            inputs.append(joined([Fork.prague.rawValue, 200, 7, UInt8(data.count)], data, code))
            inputs.append(joined([Fork.osaka.rawValue | 0x80, 60, 0, 0], code))
        }
        return inputs
    }()

    @Test("code ends within its gas, the same way twice, in bounded time, and leaves nothing when it fails")
    func bytecode() throws {
        let executors = Dictionary(uniqueKeysWithValues: Fork.allCases.map { ($0, Executor(fork: $0)) })
        let cache = CodeCache()
        let sender = Samples.keys[0].address
        let block = BlockEnvironment(
            chainID: 1, number: 1000, timestamp: 1_700_000_000, coinbase: Address(truncating: 0xc0ff_ee), gasLimit: 1 << 40,
            baseFee: 7, prevRandao: Hash32(0xabcd), blobBaseFee: 3)
        try Fuzz("bytecode", corpus: Self.corpus).run { input in
            guard let program = Program(input), let executor = executors[program.fork] else { return false }
            let state = SmallState(program.code, sender: sender)
            let transaction = Transaction.legacy(
                chainID: 1, nonce: 0, gasPrice: 100, gasLimit: program.gas,
                to: program.creates ? nil : Samples.contract, value: 3,
                data: program.creates ? Bytes(program.code.prefix(49_152)) : program.data)
            func run() -> (Result<ExecutionResult, TransactionRefusal>, [AccountChange]) {
                let journal = Journal(reader: state, codeCache: cache)
                let result = Result { () throws(TransactionRefusal) in
                    try executor.execute(transaction, sender: sender, block: block, journal: journal)
                }
                return (result, journal.changes)
            }
            let began = threadSeconds()
            let (first, changes) = run()
            // A million gas is some milliseconds; the slowest precompile stays far below this on the slowest host.
            try hold(threadSeconds() - began < 2, "\(program.gas) gas end in time")
            let (second, changesAgain) = run()
            try hold(first == second, "twice the same result")
            try hold(changes == changesAgain, "twice the same changes")
            guard case .success(let result) = first else {
                try hold(changes.isEmpty, "a refused transaction changes nothing")
                return false
            }
            try hold((program.leastGas...program.gas).contains(result.gasUsed), "gas used is within the limit")
            // The price of memory: words * 3 + words² / 512 is at most the gas.
            try hold(result.output.count <= 1 << 20, "output is bounded by what memory costs")
            if result.status != .success {
                try hold(result.logs.isEmpty && result.createdAddress == nil, "what failed leaves no log")
                try hold(
                    changes.allSatisfy { $0.address == sender || $0.address == block.coinbase } && changes.count <= 2
                        && changes.allSatisfy(\.slots.isEmpty), "what failed changes purses only: \(changes)")
            }
            // A call leaves the journal as it was.
            let journal = Journal(reader: state, codeCache: cache)
            _ = try? executor.call(transaction, sender: sender, block: block, journal: journal)
            try hold(journal.changes.isEmpty, "a call leaves nothing")
            return true
        }
    }

    @Test("precompiles: any input is answered or refused, within its gas, the same way twice")
    func precompiles() throws {
        let set = PrecompileSet(.prague)
        let numbers = (1...17 as ClosedRange<UInt64>).filter { set[$0] != nil }
        var corpus: [Bytes] = []
        var random = SplitMix64.forTest("fuzz precompile: samples")
        for place in numbers.indices {
            for length in [0, 32, 64, 96, 128, 160, 192, 213, 256, 288, 384, 512] {
                corpus.append(Self.joined([UInt8(place), 200], Bytes(repeating: 0, count: length)))
                corpus.append(Self.joined([UInt8(place), 200], random.bytes(length)))
            }
        }
        func add(_ number: UInt64, _ parts: Bytes...) {
            guard let place = numbers.firstIndex(of: number) else { return }
            corpus.append([UInt8(place), 200] + Bytes(parts.joined()))
        }
        let digest = keccak256([1])
        let signature = Samples.keys[0].sign(digest: digest)
        add(1, digest.bytes, U256(UInt64(signature.yParity) + 27).bytes, signature.r.bytes, signature.s.bytes)
        // MODEXP of small lengths, the generator of bn254 added to itself, one round of BLAKE2.
        add(5, U256(1).bytes, U256(2).bytes, U256(3).bytes, [3, 1, 0, 9, 9, 9])
        add(6, U256(1).bytes, U256(2).bytes, U256(1).bytes, U256(2).bytes)
        add(9, [0, 0, 0, 1], random.bytes(208), [1])
        try Fuzz("precompile", corpus: corpus).run { input in
            guard input.count >= 2, let precompile = set[numbers[Int(input[0]) % numbers.count]] else { return false }
            let gas = Int64(input[1]) << 12
            let data = Bytes(input.dropFirst(2))
            let began = threadSeconds()
            let first = data.withUnsafeBytes { precompile.run($0, gas) }
            try hold(threadSeconds() - began < 2, "\(precompile.name) ends in time for \(gas) gas")
            let second = data.withUnsafeBytes { precompile.run($0, gas) }
            switch (first, second) {
            case (.success(let output, let used), .success(let again, let usedAgain)):
                try hold(output == again && used == usedAgain, "\(precompile.name) answers the same twice")
                try hold(used >= 0 && used <= gas, "\(precompile.name) stays within its gas")
                return !output.isEmpty
            case (.failure, .failure): return false
            default: throw Broken(description: "\(precompile.name) answers once and refuses once")
            }
        }
    }
}

/// Processor time of this thread: what other processes do does not count.
private func threadSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// A sender with money, a contract with the code, and one with the code behind a jump.
private struct SmallState: StateReader {
    let sender: Address
    let codes: [Address: Bytes]
    let byHash: [Hash32: Bytes]

    init(_ code: Bytes, sender: Address) {
        self.sender = sender
        codes = [Samples.contract: code, Samples.other: [0x5b, 0x5f, 0x50] + code]
        byHash = Dictionary(codes.values.map { (keccak256($0), $0) }) { first, _ in first }
    }

    func account(_ address: Address) -> AccountState? {
        if address == sender { return AccountState(balance: U256(1) << 70) }
        return codes[address].map { AccountState(nonce: 1, balance: 1000, codeHash: keccak256($0)) }
    }

    func code(_ hash: Hash32) -> Bytes { byHash[hash] ?? [] }
    func storage(_ address: Address, _ slot: U256) -> U256 { address == Samples.contract && slot < 4 ? 9 : .zero }
    func hasStorage(_ address: Address) -> Bool { address == Samples.contract }
    func blockHash(_ number: UInt64) -> Hash32 { keccak256(text: String(number)) }
}
