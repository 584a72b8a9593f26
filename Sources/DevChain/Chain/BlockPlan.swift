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
    /// Who the header says made the block, where that is not who gets the fees.
    package var beneficiary: Address?
    package var fees = BlockFees()
    package var extraData: Bytes
    package var hashes: RecentHashes
    /// In the order in which they are tried. One sender's stand in the order of their nonces.
    package var candidates: [PooledTransaction]
    package var fork: Fork
    package var engines: EnginePool
    package var blockHashOfDecimalText: Bool
    /// What the beacon chain pays out (EIP-4895); nothing in blocks that are made here.
    package var withdrawals: [Withdrawal] = []
    /// What a block of proof of work has beside; nil since the merge.
    package var work: Work?
    /// The difficulties of the parent and of all below it.
    package var parentTotalDifficulty = U256.zero
    /// The root of the parent's beacon block (EIP-4788); zero where there is no beacon chain.
    package var parentBeaconBlockRoot = Hash32.zero
    /// The contract whose logs are deposits (EIP-6110).
    package var depositContract: Address
    /// When it was planned, in seconds since 1970.
    package var realSeconds: UInt64
    /// Of the chain that it was planned for.
    package var version: UInt64

    /// The header fields and the ommers of a block of proof of work.
    package struct Work: Sendable, Equatable {
        package var difficulty: U256
        /// The seal, which is not looked at.
        package var mixHash = Hash32.zero
        package var nonce: UInt64 = 0
        package var ommers: [BlockHeader] = []
    }

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
    package func run() -> BuiltBlock {
        engines.use { engine in
            var refused: [Hash32: DevChainError] = [:]
            // Each turn that does not end refuses one more candidate, so the turns are bounded.
            while true {
                var draft = Draft(plan: self, engine: engine, refused: refused)
                if let spoilt = draft.execute() {
                    refused[spoilt.transaction.hash] = spoilt.reason
                    continue
                }
                return draft.finish()
            }
        }
    }
}

/// A block in the making: who of the candidates gets in.
private struct Draft {
    let refused: [Hash32: DevChainError]
    var run: BlockRun
    var dropped: [(transaction: PooledTransaction, reason: DevChainError)] = []

    init(plan: BlockPlan, engine: EnginePool.Engine, refused: [Hash32: DevChainError]) {
        self.refused = refused
        run = BlockRun(plan: plan, engine: engine)
    }

    /// Runs the candidates; the one that spoilt the run, if any did.
    mutating func execute() -> (transaction: PooledTransaction, reason: DevChainError)? {
        var passedOver: Set<Address> = []
        for candidate in run.plan.candidates {
            if run.gasLeft < 21_000 { break }
            guard run.hasRoom(for: candidate) else {
                passedOver.insert(candidate.sender)
                continue
            }
            if passedOver.contains(candidate.sender) { continue }
            if let reason = refused[candidate.hash] {
                dropped.append((candidate, reason))
                passedOver.insert(candidate.sender)
                continue
            }
            do throws(TransactionRefusal) {
                if let reason = try run.run(candidate) { return (candidate, reason) }
            } catch {
                passedOver.insert(candidate.sender)
                switch error {
                case .gasLimitExceedsBlock, .feeCapTooLow, .nonceTooHigh, .blobFeeCapTooLow: break
                // More than any block takes is refused for good; more than this one has left may come later.
                case .tooManyBlobs(_, let got) where got <= run.engine.executor.rules.blobsMaximum: break
                default: dropped.append((candidate, DevChainError(refusal: error)))
                }
            }
        }
        return nil
    }

    /// A system contract that a development method broke asks for nothing here: the chain goes on.
    mutating func finish() -> BuiltBlock {
        let plan = run.plan
        let outcome = run.finish()
        return BuiltBlock(
            block: outcome.block, before: plan.before, after: outcome.after, dropped: dropped,
            realSeconds: plan.realSeconds, version: plan.version)
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
            case .gasLimitAboveCap: (.gasLimitExceedsBlock, "transaction gas limit too high")
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
