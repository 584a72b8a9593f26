// A simulated block in the making: its calls as transactions without signatures, its receipts, its header.

import EVM
import Ethereum
import JSONRPC

struct SimulatedDraft {
    let plan: BlockPlan
    let engine: EnginePool.Engine
    /// With the block's precompiles where overrides moved some.
    let executor: Executor
    let journal: Journal
    let simulation: Simulation
    private(set) var gasBudget: UInt64
    private var gasUsed: UInt64 = 0
    private var blobGasUsed: UInt64 = 0
    private var transactions: [PooledTransaction] = []
    private var outcomes: [StoredBlock.Outcome] = []
    private var calls: [SimulatedCall] = []
    private var logCount = 0
    private var writtenCount = 0

    init(
        plan: BlockPlan, engine: EnginePool.Engine, executor: Executor, journal: Journal, simulation: Simulation,
        gasBudget: UInt64
    ) {
        self.plan = plan
        self.engine = engine
        self.executor = executor
        self.journal = journal
        self.simulation = simulation
        self.gasBudget = gasBudget
        SystemContracts.beginBlock(plan, engine, journal)
    }

    mutating func run(_ call: TransactionRequest) throws(JSONRPCError) {
        let sender = call.from ?? .zero
        let transaction = try transaction(call, sender)
        var tracer = TransferTracer(seesTransfers: simulation.traceTransfers, count: writtenCount)
        let result: ExecutionResult
        do throws(TransactionRefusal) {
            result = try executor.simulate(
                transaction, sender: sender, block: plan.environment, journal: journal,
                validating: simulation.validation, tracer: &tracer)
        } catch {
            throw JSONRPCError(simulated: error, gasLimit: transaction.gasLimit)
        }
        writtenCount = tracer.count
        gasUsed += result.gasUsed
        gasBudget -= min(gasBudget, result.gasUsed)
        blobGasUsed += transaction.blobGas
        include(transaction, sender, result)
        calls.append(SimulatedCall(result: result, logs: tracer.logs))
    }

    /// The call with everything that it left open.
    private func transaction(_ call: TransactionRequest, _ sender: Address) throws(JSONRPCError) -> Transaction {
        if let asked = call.chainID, asked != plan.environment.chainID {
            throw JSONRPCError(
                code: -32000,
                message: "chainId does not match node's (have=\(asked), want=\(plan.environment.chainID))")
        }
        let left = plan.environment.gasLimit - min(gasUsed, plan.environment.gasLimit)
        let asked = call.gas ?? left
        guard asked <= left else {
            throw JSONRPCError(
                code: -38015, message: "block gas limit reached: remaining: \(left), required: \(asked)")
        }
        var request = call
        // An offer of a tip alone has no cap, which is zero then, as in go-ethereum.
        if request.gasPrice == nil { request.maxFeePerGas = request.maxFeePerGas ?? .zero }
        return request.call(
            chainID: plan.environment.chainID, gasLimit: min(asked, gasBudget),
            nonce: call.nonce ?? journal.account(sender)?.nonce ?? 0)
    }

    private mutating func include(_ transaction: Transaction, _ sender: Address, _ result: ExecutionResult) {
        let receipt = Receipt(
            kind: transaction.kind, succeeded: result.succeeded, cumulativeGasUsed: gasUsed,
            logs: result.succeeded ? result.logs : [], stateRoot: plan.fork < .byzantium ? .zero : nil)
        transactions.append(PooledTransaction(simulating: sender, transaction))
        outcomes.append(
            StoredBlock.Outcome(
                receipt: receipt, gasUsed: result.gasUsed, effectiveGasPrice: result.effectiveGasPrice,
                blobGasPrice: transaction.kind == .blob ? plan.environment.blobBaseFee : nil,
                createdAddress: result.createdAddress, firstLogIndex: logCount))
        logCount += receipt.logs.count
    }

    func finish() throws(JSONRPCError) -> (simulated: SimulatedBlock, after: WorldState, gasBudget: UInt64) {
        var deposits = Bytes()
        if plan.fork >= .prague {
            deposits = try refusable { () throws(DevChainError) in
                try Deposits.requests(in: outcomes.flatMap(\.receipt.logs), of: plan.depositContract)
            }
        }
        // go-ethereum asks the system contracts before it pays withdrawals out.
        let requests = SystemContracts.endBlock(plan, engine, journal, deposits: deposits)
        if plan.work != nil {
            let rewards = BlockReward.all(
                number: plan.environment.number, beneficiary: plan.environment.coinbase, ommers: [], fork: plan.fork)
            for (address, wei) in rewards { journal.credit(wei, to: address) }
        }
        for withdrawal in plan.withdrawals {
            journal.credit(U256(withdrawal.amountGwei) * U256(1_000_000_000), to: withdrawal.address)
        }
        var after = plan.before
        after.apply(journal.changes)
        journal.markCommitted()
        let block = StoredBlock(
            header: header(after.root, requests), transactions: transactions, outcomes: outcomes,
            withdrawals: plan.withdrawals,
            totalDifficulty: plan.parentTotalDifficulty &+ (plan.work?.difficulty ?? .zero))
        return (SimulatedBlock(block: block, calls: calls), after, gasBudget)
    }

    private func header(_ root: Hash32, _ requests: BlockRequests) -> BlockHeader {
        let environment = plan.environment
        var header = BlockHeader(
            parentHash: plan.parentHash, beneficiary: environment.coinbase, stateRoot: root,
            number: environment.number, gasLimit: environment.gasLimit, timestamp: environment.timestamp)
        header.transactionsRoot = Block.transactionsRoot(transactions.map(\.signed))
        header.receiptsRoot = Block.receiptsRoot(outcomes.map(\.receipt))
        var bloom = Bloom()
        for outcome in outcomes where !outcome.receipt.logs.isEmpty { bloom.formUnion(outcome.receipt.bloom) }
        header.logsBloom = bloom
        header.gasUsed = gasUsed
        if let work = plan.work {
            header.difficulty = work.difficulty
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
        return header
    }
}

extension JSONRPCError {
    /// A refusal in the numbers that the specification of eth_simulateV1 fixes.
    init(simulated refusal: TransactionRefusal, gasLimit: UInt64) {
        let code =
            switch refusal {
            case .nonceTooLow: -38010
            case .nonceTooHigh: -38011
            case .feeCapTooLow: -38012
            case .intrinsicGasTooLow: -38013
            case .insufficientFunds: -38014
            case .gasLimitExceedsBlock: -38015
            case .senderNotEOA: -38024
            case .initCodeTooLarge: -38025
            default: -32603
            }
        self.init(
            code: code, message: "err: \(DevChainError(refusal: refusal).message) (supplied gas \(gasLimit))")
    }
}
