// What passes between a block and the beacon chain: withdrawals, blobs, the beacon root, deposits and their hash.

import DevChain
import EVM
import Ethereum
import Testing

@Suite("Blocks and the beacon chain")
struct BeaconTests {
    private static let depositContract = Address(truncating: 0xdede)
    private static let topic = keccak256(text: "DepositEvent(bytes,bytes,bytes,bytes,bytes)")
    /// Logs its calldata under the topic of deposits.
    private static let depositCode: Bytes = [0x36, 0x5f, 0x5f, 0x37, 0x7f] + topic.bytes + [0x36, 0x5f, 0xa1]

    /// A bench whose deposit contract says what it is told.
    private func bench() throws -> Bench {
        var bench = try Bench()
        var configuration = Blockchain.Configuration(
            profile: try Bench.profile(), genesisTimestamp: Bench.start,
            balances: bench.keys.map { ($0.address, U256(100) * Bench.ether) },
            codes: [(Self.depositContract, Self.depositCode)])
        configuration.depositContract = Self.depositContract
        bench.chain = Blockchain(configuration)
        return bench
    }

    private func blobs(_ bench: Bench, from: Int, _ count: Int) throws -> PooledTransaction {
        let hashes = (0..<count).map { Hash32((U256(1) << 248) | U256($0)) }
        let signed = Transaction(
            kind: .blob, chainID: 31337, nonce: 0, maxPriorityFeePerGas: Bench.gwei,
            maxFeePerGas: U256(100) * Bench.gwei, gasLimit: 21_000, to: Address(truncating: 0xbeef),
            maxFeePerBlobGas: Bench.gwei, blobVersionedHashes: hashes
        ).signed(by: bench.keys[from])
        return try PooledTransaction(ofBlock: signed, chainID: 31337, rules: bench.chain.rules)
    }

    /// Data of a deposit's log, as the contract lays it out.
    private func deposit() -> (log: Bytes, request: Bytes) {
        var log = Bytes()
        for offset in [160, 256, 320, 384, 512] { log += U256(offset).bytes }
        var request = Bytes()
        for (mark, count) in [(1, 48), (2, 32), (3, 8), (4, 96), (5, 8)] as [(UInt8, Int)] {
            let field = Bytes(repeating: mark, count: count)
            log += U256(count).bytes + field + Bytes(repeating: 0, count: (32 - count % 32) % 32)
            request += field
        }
        return (log, request)
    }

    @Test("withdrawals, blobs and the beacon root are in the block, and in the state of who imports it")
    func roundTrip() throws {
        var bench = try bench()
        var other = bench.chain
        var plan = bench.chain.plan(
            at: bench.now + 1, candidates: [try blobs(bench, from: 0, 7), try blobs(bench, from: 1, 2)])
        let payee = Address(truncating: 0x9a9a)
        plan.withdrawals = [
            Withdrawal(index: 4, validatorIndex: 2, address: payee, amountGwei: 3),
            Withdrawal(index: 5, validatorIndex: 3, address: payee, amountGwei: 4),
            Withdrawal(index: 6, validatorIndex: 3, address: Address(truncating: 0x9b9b), amountGwei: 0),
        ]
        plan.parentBeaconBlockRoot = keccak256([7])
        let built = plan.run()
        #expect(built.dropped.isEmpty && built.block.transactions.count == 2)
        #expect(built.block.header.blobGasUsed == 9 * 131_072 && built.block.header.excessBlobGas == 0)
        #expect(built.after.balance(payee) == U256(7) * Bench.gwei)
        #expect(built.after.account(Address(truncating: 0x9b9b)) == nil, "a withdrawal of nothing makes no account")
        #expect(built.block.body.withdrawals?.count == 3)
        try other.importBlock(built.block.body.encoded)
        #expect(other.head.hash == built.block.hash && other.head.withdrawals.count == 3)
        let isCommitted = bench.chain.commit(built)
        #expect(isCommitted)
        // Three blobs above the target of six raise the excess by as many.
        #expect(bench.chain.plan(at: bench.now + 2).run().block.header.excessBlobGas == 3 * 131_072)
        // The transactions run again as they ran.
        let replayed = try bench.chain.replayView(built.block).replay(built.block, upTo: 2) {
            (_, run) throws(DevChainError) in
            var nobody = NoTracer()
            return try run(&nobody).gasUsed
        }
        #expect(replayed == built.block.outcomes.map(\.gasUsed))
    }

    @Test("blobs past the most of a block wait for the next one; a transaction with more is dropped")
    func blobLimit() throws {
        let bench = try bench()
        let candidates = [
            try blobs(bench, from: 0, 6), try blobs(bench, from: 1, 4), try blobs(bench, from: 2, 10),
            try blobs(bench, from: 3, 3),
        ]
        let built = bench.chain.plan(at: bench.now + 1, candidates: candidates).run()
        #expect(built.block.transactions.map(\.sender) == [bench.keys[0].address, bench.keys[3].address])
        #expect(built.dropped.map(\.transaction.sender) == [bench.keys[2].address])
    }

    @Test("a deposit is a request of its block, and the hash commits to it")
    func deposits() throws {
        var bench = try bench()
        var other = bench.chain
        let (log, request) = deposit()
        _ = try bench.send(nonce: 0, to: Self.depositContract, value: 0, data: log, gas: 200_000)
        let block = bench.mine()
        #expect(block.header.requestsHash == sha256(sha256([0] + request).bytes))
        try other.importBlock(block.body.encoded)
        bench.mine()
        #expect(bench.chain.head.header.requestsHash == sha256([]))
    }

    @Test("a deposit whose log is laid out otherwise is in no block")
    func malformedDeposits() throws {
        var bench = try bench()
        let (log, _) = deposit()
        for index in [31, 191, 415] {
            var wrong = log
            wrong[index] ^= 1
            let sent = try bench.send(nonce: 0, to: Self.depositContract, value: 0, data: wrong, gas: 200_000)
            let built = bench.chain.plan(at: bench.now + 1).run()
            #expect(built.block.transactions.isEmpty)
            #expect(built.dropped.map(\.reason.code) == [.invalidDepositLog])
            let isDropped = bench.chain.drop(sent.hash)
            #expect(isDropped)
        }
    }
}
