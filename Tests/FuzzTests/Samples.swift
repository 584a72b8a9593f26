// Valid things to begin with, made by the code itself: keys, transactions of every kind, a chain with a few blocks.

import DevChain
import EVM
import Ethereum

enum Samples {
    static let keys: [PrivateKey] = (try? Mnemonic(Mnemonic.developmentText).accounts(count: 4)) ?? []
    static let start: UInt64 = 1_700_000_000
    static let gwei = U256(1_000_000_000)
    static let ether = U256(1_000_000_000_000_000_000)
    static let contract = Address(truncating: 0xc0de)
    static let other = Address(truncating: 0xd00d)

    static let profileText = """
        name: fuzz
        chainId: 31337
        selector: 7759470850252068959
        gasLimit: 30000000
        baseFee: {rule: eip1559, wei: 1000000000}
        blocks: {onDemand: true, heartbeatMilliseconds: 0}
        finality: {safeDepth: 2, finalizedDepth: 4}
        """

    /// Emits a log with the word of calldata, counts calls in slot 0 and returns the count.
    static let logger: Bytes = [
        0x5f, 0x35, 0x5f, 0x52, 0x60, 0x01, 0x60, 0x20, 0x5f, 0xa1, 0x5f, 0x54, 0x60, 0x01, 0x01, 0x5f, 0x55, 0x5f,
        0x54, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,
    ]

    /// Init code that returns `runtime`.
    static func deploy(_ runtime: Bytes) -> Bytes {
        [0x61, UInt8(runtime.count >> 8), UInt8(runtime.count & 255), 0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3]
            + runtime
    }

    static func transaction(
        _ kind: Transaction.Kind = .dynamicFee, from: Int = 0, nonce: UInt64 = 0, to: Address? = other, data: Bytes = [],
        gas: UInt64 = 200_000
    ) -> SignedTransaction {
        let entry = AccessListEntry(address: contract, storageKeys: [Hash32(1), Hash32(2)])
        let authorization = Authorization.signed(by: keys[1], chainID: 31337, address: contract, nonce: 0)
        return Transaction(
            kind: kind, chainID: 31337, nonce: nonce, maxPriorityFeePerGas: kind.hasTip ? gwei : U256(50) * gwei,
            maxFeePerGas: U256(50) * gwei, gasLimit: gas, to: to, value: data.isEmpty ? 1 : 0, data: data,
            accessList: kind == .legacy ? [] : [entry],
            maxFeePerBlobGas: kind == .blob ? 5 : 0, blobVersionedHashes: kind == .blob ? [Hash32(U256(1) << 248)] : [],
            authorizations: kind == .setCode ? [authorization] : []
        ).signed(by: keys[from])
    }

    static func transactions() throws -> [SignedTransaction] {
        var all = Transaction.Kind.allCases.map { transaction($0, data: [1, 2, 3]) }
        all.append(transaction(to: nil, data: deploy(logger)))
        all.append(Transaction.legacy(chainID: nil, nonce: 0, gasPrice: gwei, gasLimit: 21_000, to: other, value: 1)
            .signed(by: keys[2]))
        return all
    }

    static func configuration(_ fork: Fork = .prague) throws -> Blockchain.Configuration {
        Blockchain.Configuration(
            profile: try ChainProfile(yaml: profileText, file: "fuzz.yaml"), fork: fork, genesisTimestamp: start,
            balances: keys.map { ($0.address, U256(100) * ether) }, codes: [(contract, logger)])
    }

    /// A chain of four blocks with a few transactions.
    static func chain(_ fork: Fork = .prague) throws -> Blockchain {
        var chain = Blockchain(try configuration(fork))
        func submit(_ signed: SignedTransaction) throws {
            try chain.submit(try PooledTransaction(raw: signed.encoded, chainID: 31337, rules: chain.rules))
        }
        try submit(transaction(to: nil, data: deploy(logger)))
        chain.mine(at: start + 1)
        try submit(transaction(nonce: 1, to: contract, data: U256(7).bytes))
        try submit(transaction(.legacy, from: 1))
        chain.mine(at: start + 2)
        try submit(transaction(.accessList, from: 2))
        if fork >= .prague { try submit(transaction(.setCode, from: 3)) }
        chain.mine(at: start + 5)
        chain.mine(at: start + 6)
        return chain
    }

    /// Its blocks after the first one, as they travel.
    static func blocks(_ fork: Fork = .prague) throws -> [Bytes] {
        try chain(fork).blocks.dropFirst().map { try $0.body.encoded }
    }
}

extension Transaction.Kind {
    fileprivate var hasTip: Bool { self != .legacy && self != .accessList }
}
