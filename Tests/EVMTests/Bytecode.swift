// A small assembler and a runner for tests: code in, outcome out.

import EVM
import Ethereum

/// Code as bytes, written with opcodes by name.
struct Bytecode: ExpressibleByArrayLiteral {
    var bytes: Bytes

    init(_ bytes: Bytes = []) { self.bytes = bytes }
    init(arrayLiteral elements: Bytes...) { bytes = elements.flatMap { $0 } }

    static func push(_ word: U256) -> Bytes {
        let digits = word.minimalBytes
        return digits.isEmpty ? [0x5f] : [0x5f + UInt8(digits.count)] + digits
    }

    static func push(_ address: Address) -> Bytes { push(address.word) }

    /// Returns the word on top of the stack.
    static let returnTop: Bytes = [0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]

    /// Init code that deploys `code`.
    static func deployer(_ code: Bytes) -> Bytes {
        let size = push(U256(code.count))
        let offset = UInt8(size.count * 2 + 6)
        return size + [0x60, offset, 0x5f, 0x39] + size + [0x5f, 0xf3] + code
    }
}

/// A chain of one block with a rich sender and contracts.
final class Bench {
    static let sender = Address(truncating: 0xaaaa)
    static let contract = Address(truncating: 0xcccc)
    static let other = Address(truncating: 0xdddd)
    static let coinbase = Address(truncating: 0xc0ff_ee00)
    static let wealth = U256(UInt64(1) << 62)

    let state: MemoryState
    let journal: Journal
    let executor: Executor
    var block = BlockEnvironment(
        chainID: 1, number: 1000, timestamp: 1_700_000_000, coinbase: Bench.coinbase, gasLimit: 1 << 40, baseFee: 7,
        prevRandao: Hash32(0xabcd), blobBaseFee: 3)

    init(_ fork: Fork = .prague, _ code: Bytecode = [], at address: Address = Bench.contract, other: Bytecode? = nil) {
        var accounts = [
            Self.sender: MemoryAccount(balance: Self.wealth),
            address: MemoryAccount(nonce: 1, balance: 1000, code: code.bytes),
        ]
        if let other { accounts[Self.other] = MemoryAccount(nonce: 1, code: other.bytes) }
        state = MemoryState(accounts)
        journal = Journal(reader: state)
        executor = Executor(fork: fork)
    }

    func transaction(
        data: Bytes = [], value: U256 = 0, gas: UInt64 = 1_000_000, to: Address? = Bench.contract, nonce: UInt64 = 0
    ) -> Transaction {
        .dynamicFee(
            chainID: 1, nonce: nonce, maxPriorityFeePerGas: 2, maxFeePerGas: 100, gasLimit: gas, to: to, value: value,
            data: data)
    }

    /// Executes and keeps what it did.
    func execute(_ transaction: Transaction? = nil) throws -> ExecutionResult {
        try executor.execute(transaction ?? self.transaction(), sender: Self.sender, block: block, journal: journal)
    }

    /// Runs without keeping what it did.
    func call(_ transaction: Transaction? = nil) throws -> ExecutionResult {
        try executor.call(transaction ?? self.transaction(), sender: Self.sender, block: block, journal: journal)
    }

    /// The word that code leaves on the stack.
    static func top(_ code: Bytes, fork: Fork = .prague, data: Bytes = [], value: U256 = 0) throws -> U256? {
        let bench = Bench(fork, Bytecode(code + Bytecode.returnTop))
        let result = try bench.call(bench.transaction(data: data, value: value))
        return result.succeeded ? U256(bigEndianBytes: result.output) : nil
    }

    /// Gas of the code alone.
    static func gas(_ code: Bytes, fork: Fork = .prague, other: Bytecode? = nil) throws -> UInt64 {
        let bench = Bench(fork, Bytecode(code), other: other)
        let result = try bench.call()
        return result.gasUsed + result.gasRefunded - 21_000
    }
}
