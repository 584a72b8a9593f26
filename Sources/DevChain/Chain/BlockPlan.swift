// How a block is made: a plan holds all that it needs, and running it touches nothing else. So a block can be built
// beside a chain that is being read, and one that nobody keeps serves as the pending block.

import EVM
import Ethereum

/// All that a block is made from.
package struct BlockPlan: Sendable {
    package var parentHash: Hash32
    /// The state before the block.
    package var before: WorldState
    package var environment: BlockEnvironment
    package var extraData: Bytes
    package var hashes: RecentHashes
    /// In the order in which they are tried. One sender's stand in the order of their nonces.
    package var candidates: [PooledTransaction]
    package var fork: Fork
    package var blockHashOfDecimalText: Bool
    /// When it was planned, in seconds since 1970.
    package var realSeconds: UInt64
    /// Of the chain that it was planned for.
    package var version: UInt64

    package var reader: ChainReader {
        ChainReader(state: before, hashes: hashes, blockHashOfDecimalText: blockHashOfDecimalText)
    }
}

/// A block with its state, not yet part of a chain.
package struct BuiltBlock: Sendable {
    package let block: StoredBlock
    package let before: WorldState
    package let after: WorldState
    /// Candidates that can be in no block, with the reason.
    package let dropped: [(transaction: PooledTransaction, reason: DevChainError)]
    let realSeconds: UInt64
    let version: UInt64
}

extension BlockPlan {
    /// Builds the block. Candidates that do not fit stay out; those that can be in no block are named in `dropped`.
    package func run(_ engines: EnginePool) -> BuiltBlock {
        engines.use { engine in
            var refused: [Hash32: DevChainError] = [:]
            // Each turn that does not end refuses one more candidate, so the turns are bounded.
            while true {
                var draft = Draft(plan: self, engine: engine, refused: refused)
                if let missing = draft.execute() {
                    refused[missing.transaction.hash] = DevChainError(
                        .missingPrecompile,
                        "the transaction calls the precompile at \(missing.precompile), which this chain has but this "
                            + "build cannot run; it is refused since its result would be wrong")
                    continue
                }
                return draft.finish()
            }
        }
    }
}

/// A block in the making.
private struct Draft {
    let plan: BlockPlan
    let engine: EnginePool.Engine
    let refused: [Hash32: DevChainError]
    let journal: Journal
    var transactions: [PooledTransaction] = []
    var outcomes: [StoredBlock.Outcome] = []
    var dropped: [(transaction: PooledTransaction, reason: DevChainError)] = []
    var gasUsed: UInt64 = 0
    var logCount = 0
    var bloom = Bloom()

    init(plan: BlockPlan, engine: EnginePool.Engine, refused: [Hash32: DevChainError]) {
        self.plan = plan
        self.engine = engine
        self.refused = refused
        journal = Journal(reader: plan.reader, codeCache: engine.codeCache)
    }

    /// Runs the candidates; the one that called a precompile this build lacks, if any did.
    mutating func execute() -> (transaction: PooledTransaction, precompile: Address)? {
        SystemContracts.beginBlock(plan, engine, journal)
        var passedOver: Set<Address> = []
        for candidate in plan.candidates {
            let left = plan.environment.gasLimit - gasUsed
            if left < 21_000 { break }
            if passedOver.contains(candidate.sender) { continue }
            if let reason = refused[candidate.hash] {
                dropped.append((candidate, reason))
                passedOver.insert(candidate.sender)
                continue
            }
            do throws(TransactionRefusal) {
                let result = try engine.executor.execute(
                    candidate.transaction, sender: candidate.sender, block: plan.environment, journal: journal,
                    gasAvailable: left)
                if let precompile = result.missingPrecompile { return (candidate, precompile) }
                include(candidate, result)
            } catch {
                passedOver.insert(candidate.sender)
                switch error {
                case .gasLimitExceedsBlock, .feeCapTooLow, .nonceTooHigh: break
                default: dropped.append((candidate, DevChainError(refusal: error)))
                }
            }
        }
        return nil
    }

    private mutating func include(_ transaction: PooledTransaction, _ result: ExecutionResult) {
        gasUsed += result.gasUsed
        let receipt = Receipt(
            kind: transaction.transaction.kind, succeeded: result.succeeded, cumulativeGasUsed: gasUsed,
            logs: result.succeeded ? result.logs : [])
        transactions.append(transaction)
        outcomes.append(
            StoredBlock.Outcome(
                receipt: receipt, gasUsed: result.gasUsed, effectiveGasPrice: result.effectiveGasPrice,
                createdAddress: result.createdAddress, firstLogIndex: logCount))
        logCount += receipt.logs.count
        if !receipt.logs.isEmpty { bloom.formUnion(receipt.bloom) }
    }

    mutating func finish() -> BuiltBlock {
        let requestsHash = SystemContracts.endBlock(plan, engine, journal)
        var after = plan.before
        after.apply(journal.changes)
        journal.markCommitted()
        let environment = plan.environment
        var header = BlockHeader(
            parentHash: plan.parentHash, beneficiary: environment.coinbase, stateRoot: after.root,
            number: environment.number, gasLimit: environment.gasLimit, timestamp: environment.timestamp)
        header.transactionsRoot = Block.transactionsRoot(transactions.map(\.signed))
        header.receiptsRoot = Block.receiptsRoot(outcomes.map(\.receipt))
        header.logsBloom = bloom
        header.gasUsed = gasUsed
        header.extraData = plan.extraData
        header.mixHash = environment.prevRandao
        header.baseFeePerGas = environment.baseFee
        header.setForkFields(plan.fork, requestsHash: requestsHash)
        return BuiltBlock(
            block: StoredBlock(header: header, transactions: transactions, outcomes: outcomes), before: plan.before,
            after: after, dropped: dropped, realSeconds: plan.realSeconds, version: plan.version)
    }
}

extension BlockHeader {
    /// The fields that forks brought. There are no withdrawals, no blobs and no beacon chain here.
    mutating func setForkFields(_ fork: Fork, requestsHash: Hash32) {
        withdrawalsRoot = .emptyTrieRoot
        guard fork >= .cancun else { return }
        blobGasUsed = 0
        excessBlobGas = 0
        parentBeaconBlockRoot = .zero
        if fork >= .prague { self.requestsHash = requestsHash }
    }
}

extension DevChainError {
    /// A refusal of the machine in the words that Ethereum's clients know.
    package init(refusal: TransactionRefusal) {
        let (code, words): (Code, String?) =
            switch refusal {
            case .nonceTooLow: (.nonceTooLow, nil)
            case .nonceTooHigh: (.nonceTooFar, nil)
            case .nonceIsMaximum: (.malformedTransaction, "nonce has max value")
            case .insufficientFunds: (.insufficientFunds, "insufficient funds for gas * price + value")
            case .intrinsicGasTooLow: (.intrinsicGasTooLow, nil)
            case .gasLimitExceedsBlock: (.gasLimitExceedsBlock, "exceeds block gas limit")
            case .feeCapTooLow: (.feeBelowBaseFee, "max fee per gas less than block base fee")
            case .priorityFeeAboveCap: (.priorityFeeAboveCap, "max priority fee per gas higher than max fee per gas")
            case .initCodeTooLarge: (.initCodeTooLarge, "max initcode size exceeded")
            case .senderNotEOA: (.senderHasCode, "sender not an eoa")
            case .wrongChain: (.wrongChain, "invalid chain id for signer")
            case .kindNotSupported: (.kindNotSupported, "transaction type not supported")
            case .blobFeeCapTooLow, .noBlobs, .tooManyBlobs, .blobHashVersionUnknown, .creationNotAllowed,
                .noAuthorizations:
                (.malformedTransaction, nil)
            }
        self.init(code, words.map { "\($0): \(refusal)" } ?? "\(refusal)")
    }
}
