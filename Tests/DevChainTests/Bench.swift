// What the tests of the chain share: a profile, accounts, signed transactions, small contracts.

import Configuration
import DevChain
import EVM
import Ethereum
import Testing

struct Bench {
    static let profileText = """
        name: bench
        chainId: 31337
        selector: 7759470850252068959
        gasLimit: 30000000
        baseFee: {rule: eip1559, wei: 1000000000}
        blocks: {onDemand: true, heartbeatMilliseconds: 0}
        finality: {safeDepth: 2, finalizedDepth: 4}
        """
    static let start: UInt64 = 1_700_000_000
    static let gwei = U256(1_000_000_000)
    static let ether = U256(1_000_000_000_000_000_000)

    let keys: [PrivateKey]
    var chain: Blockchain
    /// The real time of the next call, in seconds.
    var now = Bench.start

    static func profile(_ text: String = profileText) throws -> ChainProfile {
        try ChainProfile(yaml: text, file: "bench.yaml")
    }

    init(_ text: String = profileText, statesKept: Int = 1000, fork: Fork = .prague) throws {
        keys = try Mnemonic(Mnemonic.developmentText).accounts(count: 5)
        chain = Blockchain(
            Blockchain.Configuration(
                profile: try Self.profile(text), fork: fork, genesisTimestamp: Self.start,
                balances: keys.map { ($0.address, U256(100) * Self.ether) }, statesKept: statesKept))
    }

    /// A signed transfer or call.
    func transaction(
        from: Int = 0, nonce: UInt64, to: Address? = Address(truncating: 0xbeef), value: U256 = 1, data: Bytes = [],
        gas: UInt64 = 21_000, cap: U256 = U256(100) * gwei, tip: U256 = gwei, chainID: UInt64 = 31337
    ) throws -> PooledTransaction {
        let signed = Transaction.dynamicFee(
            chainID: chainID, nonce: nonce, maxPriorityFeePerGas: tip, maxFeePerGas: cap, gasLimit: gas, to: to,
            value: value, data: data
        ).signed(by: keys[from])
        return try PooledTransaction(raw: signed.encoded, chainID: 31337, rules: chain.rules)
    }

    mutating func send(
        from: Int = 0, nonce: UInt64, to: Address? = Address(truncating: 0xbeef), value: U256 = 1, data: Bytes = [],
        gas: UInt64 = 21_000, cap: U256 = U256(100) * gwei, tip: U256 = gwei
    ) throws -> PooledTransaction {
        let transaction = try transaction(
            from: from, nonce: nonce, to: to, value: value, data: data, gas: gas, cap: cap, tip: tip)
        try chain.submit(transaction)
        return transaction
    }

    @discardableResult
    mutating func mine(_ count: Int = 1) -> StoredBlock {
        for _ in 0..<count {
            now += 1
            chain.mine(at: now)
        }
        return chain.head
    }

    /// Init code that returns `runtime`.
    static func deploy(_ runtime: Bytes) -> Bytes {
        // PUSH2 n DUP1 PUSH1 11 PUSH0 CODECOPY PUSH0 RETURN
        [0x61, UInt8(runtime.count >> 8), UInt8(runtime.count & 255), 0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3]
            + runtime
    }

    /// Emits one log with topic 1 and the word of calldata as data, and counts calls in slot 0.
    static let logger: Bytes = [
        0x5f, 0x35, 0x5f, 0x52,  // calldata word to memory
        0x60, 0x01, 0x60, 0x20, 0x5f, 0xa1,  // LOG1(0, 32, 1)
        0x5f, 0x54, 0x60, 0x01, 0x01, 0x5f, 0x55,  // slot 0 += 1
        0x5f, 0x54, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,  // returns slot 0
    ]

    /// Reverts with Error("no").
    static let reverter: Bytes = {
        let data =
            [0x08, 0xc3, 0x79, 0xa0] + U256(32).bytes + U256(2).bytes + Bytes("no".utf8).rightPaddedToWord()
        // PUSH1 n PUSH1 12 PUSH0 CODECOPY PUSH1 n PUSH0 REVERT
        return [0x60, UInt8(data.count), 0x60, 0x0a, 0x5f, 0x39, 0x60, UInt8(data.count), 0x5f, 0xfd] + data
    }()

    /// Calls the precompile that its calldata word names and returns 1.
    static let prober: Bytes = [
        0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x35, 0x5a, 0xfa, 0x50, 0x60, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,
    ]
}

/// The code of the refusal of `body`; nil when it refused nothing.
func refusal<Result>(_ body: () throws -> Result) -> DevChainError.Code? {
    do {
        _ = try body()
        return nil
    } catch let error as DevChainError {
        #expect(!error.message.isEmpty)
        return error.code
    } catch {
        Issue.record("an error of another room: \(error)")
        return nil
    }
}
