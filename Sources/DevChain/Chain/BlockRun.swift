// Runs what a block holds, one thing after another, and says which header that makes. Blocks that are made here and
// blocks that come from elsewhere go through it alike; whom to take in is decided elsewhere.

import EVM
import Ethereum

struct BlockRun {
    /// What a block came to.
    struct Outcome {
        let block: StoredBlock
        let after: WorldState
        /// Set when a contract that the protocol calls at the end is missing or fails: no such block is valid.
        let systemFailure: DevChainError?
        /// What the block asks of the beacon chain, each with its kind in front (EIP-7685).
        let requests: [Bytes]
    }

    let plan: BlockPlan
    let engine: EnginePool.Engine
    let journal: Journal
    private(set) var gasUsed: UInt64 = 0
    private(set) var blobGasUsed: UInt64 = 0
    private var transactions: [PooledTransaction] = []
    private var outcomes: [StoredBlock.Outcome] = []
    private var logCount = 0
    private var bloom = Bloom()
    /// Deposits for the beacon chain, one behind the other (EIP-6110).
    private var deposits = Bytes()
    /// Bytes that the transactions take.
    private var byteCount = 0

    /// Begins the block: the protocol's own calls before the first transaction are made.
    init(plan: BlockPlan, engine: EnginePool.Engine) {
        self.plan = plan
        self.engine = engine
        journal = Journal(reader: plan.reader, codeCache: engine.codeCache)
        SystemContracts.beginBlock(plan, engine, journal)
    }

    var gasLeft: UInt64 { plan.environment.gasLimit - gasUsed }

    /// Whether the block stays below the largest size with one transaction more (EIP-7934).
    func hasRoom(for transaction: PooledTransaction) -> Bool {
        guard plan.fork >= .osaka else { return true }
        let rest = Limits.headerBytesReserved + 64 * plan.withdrawals.count
        return byteCount + transaction.signed.encoded.count + 8 + rest <= Limits.blockBytesMaximumOsaka
    }

    /// Runs the next transaction. Throws, with all as before, when it does not fit. What is returned tells that it ran
    /// and that no block can hold it: this run is spoilt then.
    mutating func run(_ transaction: PooledTransaction) throws(TransactionRefusal) -> DevChainError? {
        let rules = engine.executor.rules
        let blobs = transaction.transaction.blobVersionedHashes.count
        let blobsBefore = Int(blobGasUsed / Transaction.gasPerBlob)
        guard blobs == 0 || blobsBefore + blobs <= rules.blobsMaximum else {
            throw .tooManyBlobs(limit: rules.blobsMaximum - blobsBefore, got: blobs)
        }
        let l1Fee = plan.fees.l1Fee(of: transaction)
        try plan.fees.charge(l1Fee, transaction, journal)
        let result: ExecutionResult
        do throws(TransactionRefusal) {
            result = try engine.executor.execute(
                transaction.transaction, sender: transaction.sender, block: plan.environment, journal: journal,
                gasAvailable: gasLeft, mayHaveCode: transaction.isImpersonated)
        } catch {
            plan.fees.giveBack(l1Fee, transaction, journal)
            throw error
        }
        plan.fees.collect(l1Fee, result, plan.environment, journal)
        include(transaction, result, l1Fee)
        guard plan.fork >= .prague else { return nil }
        do throws(DevChainError) {
            deposits += try Deposits.requests(in: outcomes[outcomes.count - 1].receipt.logs, of: plan.depositContract)
            return nil
        } catch {
            return error
        }
    }

    private mutating func include(_ transaction: PooledTransaction, _ result: ExecutionResult, _ l1Fee: U256) {
        gasUsed += result.gasUsed
        blobGasUsed += transaction.transaction.blobGas
        byteCount += transaction.signed.encoded.count + 8
        let receipt = Receipt(
            kind: transaction.transaction.kind, succeeded: result.succeeded, cumulativeGasUsed: gasUsed,
            logs: result.succeeded ? result.logs : [], stateRoot: plan.fork < .byzantium ? presentRoot : nil)
        transactions.append(transaction.withoutSidecar)
        outcomes.append(
            StoredBlock.Outcome(
                receipt: receipt, gasUsed: result.gasUsed, effectiveGasPrice: result.effectiveGasPrice,
                blobGasPrice: transaction.transaction.kind == .blob ? plan.environment.blobBaseFee : nil,
                createdAddress: result.createdAddress, firstLogIndex: logCount,
                l1Fee: plan.fees.l1FeePerByte.map { StoredBlock.L1Fee(wei: l1Fee, perByte: $0) }))
        logCount += receipt.logs.count
        if !receipt.logs.isEmpty { bloom.formUnion(receipt.bloom) }
    }

    /// The state root as it is between two transactions, which receipts had before EIP-658.
    private var presentRoot: Hash32 {
        var state = plan.before
        state.apply(journal.changes)
        return state.root
    }

    /// Ends the block: rewards, withdrawals, the protocol's own calls, and the header.
    mutating func finish() -> Outcome {
        if let work = plan.work {
            let rewards = BlockReward.all(
                number: plan.environment.number, beneficiary: plan.environment.coinbase, ommers: work.ommers,
                fork: plan.fork)
            for (address, wei) in rewards { journal.credit(wei, to: address) }
        }
        for withdrawal in plan.withdrawals {
            journal.credit(U256(withdrawal.amountGwei) * U256(1_000_000_000), to: withdrawal.address)
        }
        let requests = SystemContracts.endBlock(plan, engine, journal, deposits: deposits)
        var after = plan.before
        after.apply(journal.changes)
        journal.markCommitted()
        let environment = plan.environment
        var header = BlockHeader(
            parentHash: plan.parentHash, beneficiary: plan.beneficiary ?? environment.coinbase, stateRoot: after.root,
            number: environment.number, gasLimit: environment.gasLimit, timestamp: environment.timestamp)
        header.transactionsRoot = Block.transactionsRoot(transactions.map(\.signed))
        header.receiptsRoot = Block.receiptsRoot(outcomes.map(\.receipt))
        header.logsBloom = bloom
        header.gasUsed = gasUsed
        header.extraData = plan.extraData
        if let work = plan.work {
            header.difficulty = work.difficulty
            header.mixHash = work.mixHash
            header.nonce = work.nonce
            header.ommersHash = Block.ommersHash(work.ommers)
        } else {
            header.mixHash = environment.prevRandao
        }
        if plan.fork >= .london { header.baseFeePerGas = environment.baseFee }
        if plan.fork >= .shanghai { header.withdrawalsRoot = Block.withdrawalsRoot(plan.withdrawals) }
        if plan.fork >= .cancun {
            header.blobGasUsed = blobGasUsed
            header.excessBlobGas = environment.excessBlobGas
            header.parentBeaconBlockRoot = plan.parentBeaconBlockRoot
        }
        if plan.fork >= .prague { header.requestsHash = requests.hash }
        return Outcome(
            block: StoredBlock(
                header: header, transactions: transactions, outcomes: outcomes, withdrawals: plan.withdrawals,
                ommers: plan.work?.ommers ?? [], totalDifficulty: plan.parentTotalDifficulty &+ header.difficulty),
            after: after, systemFailure: requests.failure, requests: requests.items.map { [$0.kind] + $0.data })
    }
}
