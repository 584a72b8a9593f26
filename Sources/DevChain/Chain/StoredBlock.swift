// A block of the chain with what running it gave. Never changes once it is made.

import Ethereum

package final class StoredBlock: Sendable {
    /// What became of one transaction.
    package struct Outcome: Sendable {
        package let receipt: Receipt
        package let gasUsed: UInt64
        /// Wei a gas.
        package let effectiveGasPrice: U256
        /// Wei a blob gas, of a blob transaction.
        package let blobGasPrice: U256?
        package let createdAddress: Address?
        /// The position of the first log in the block.
        package let firstLogIndex: Int
        /// On a rollup that charges for bytes.
        package var l1Fee: L1Fee?
    }

    /// What a transaction paid for its bytes on the L1, in wei.
    package struct L1Fee: Sendable, Equatable {
        package let wei: U256
        package let perByte: U256
    }

    package let header: BlockHeader
    package let hash: Hash32
    package let transactions: [PooledTransaction]
    package let outcomes: [Outcome]
    /// What the beacon chain paid out; empty in blocks that are made here.
    package let withdrawals: [Withdrawal]
    /// Of a block of proof of work.
    package let ommers: [BlockHeader]
    /// The difficulties of this block and of all below it.
    package let totalDifficulty: U256

    /// - Parameter totalDifficulty: the block's own where it is not given, as of a genesis block.
    package init(
        header: BlockHeader, transactions: [PooledTransaction], outcomes: [Outcome], withdrawals: [Withdrawal] = [],
        ommers: [BlockHeader] = [], totalDifficulty: U256? = nil
    ) {
        precondition(transactions.count == outcomes.count, "each transaction of a block has its outcome")
        self.header = header
        self.hash = header.hash
        self.transactions = transactions
        self.outcomes = outcomes
        self.withdrawals = withdrawals
        self.ommers = ommers
        self.totalDifficulty = totalDifficulty ?? header.difficulty
    }

    /// About how many accounts and slots the block changed.
    var stateChangeEstimate: Int { 4 + Int(clamping: header.gasUsed / 10_000) }

    package var number: UInt64 { header.number }
    package var baseFee: U256 { header.baseFeePerGas ?? .zero }

    /// The block as it would go over the wire.
    package var body: Block {
        Block(
            header: header, transactions: transactions.map(\.signed), ommers: ommers,
            withdrawals: header.withdrawalsRoot == nil ? nil : withdrawals)
    }
}

/// One log with its place.
package struct LogEntry: Sendable {
    package let log: Log
    package let block: StoredBlock
    package let transactionIndex: Int
    /// Position in the block.
    package let logIndex: Int
}

/// What the chain did, in its order; subscribers and filters live on it.
package enum ChainEvent: Sendable {
    /// A block became the head.
    case added(StoredBlock)
    /// A block is no longer in the chain. A reorg removes the newest first.
    case removed(StoredBlock)
    /// A transaction entered the pool.
    case pending(PooledTransaction)
    /// A transaction left the pool without a block.
    case dropped(Hash32, reason: String)

    var isPending: Bool { if case .pending = self { true } else { false } }
}

extension BlockHeader {
    /// What DIFFICULTY, which is PREVRANDAO since the merge, says in the block (EIP-4399).
    var randomness: Hash32 { difficulty.isZero ? mixHash : Hash32(difficulty) }
}
