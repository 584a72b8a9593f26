// Preconfirmations, as Base's Flashblocks: between two blocks the pending one takes up what waits, beat by beat, and
// what it holds is shown before it is a block. It can be rolled back: nothing here is a promise.

import EVM
import Ethereum

/// What the pending block holds, in the order in which it took it up.
package struct Preconfirmations: Sendable {
    package private(set) var transactions: [PooledTransaction] = []
    /// The pending block as it stood at the last beat.
    package private(set) var built: BuiltBlock?
    /// For each sender the nonce after its last one here.
    private(set) var nextNonces: [Address: UInt64] = [:]

    init() {}

    init(_ built: BuiltBlock) {
        transactions = built.block.transactions
        self.built = built
        for transaction in transactions { nextNonces[transaction.sender] = transaction.transaction.nonce + 1 }
    }
}

extension Blockchain {
    package var preconfirms: Bool { profile.cadence.preconfirmationMilliseconds > 0 }

    /// The preconfirmed transactions that still wait: one that was dropped is none any more, nor are those of its
    /// sender that came after it.
    private var standing: [PooledTransaction] {
        var broken: Set<Address> = []
        return preconfirmed.transactions.filter { transaction in
            if broken.contains(transaction.sender) { return false }
            if pool.find(transaction.hash) === transaction { return true }
            broken.insert(transaction.sender)
            return false
        }
    }

    /// The candidates of a block: the preconfirmed first, as they stand, then what the pool offers.
    func ordered(baseFee: U256, limit: Int) -> [PooledTransaction] {
        let offered = pool.ordered(baseFee: baseFee, limit: limit)
        let first = standing
        guard !first.isEmpty else { return offered }
        let known = Set(first.map(\.hash))
        return first + offered.filter { !known.contains($0.hash) }
    }

    /// The block that `pending` stands for: what is preconfirmed on a chain that preconfirms, else all that waits.
    package func pendingPlan(at realSeconds: UInt64) -> BlockPlan {
        plan(at: realSeconds, candidates: preconfirms ? standing : nil)
    }

    /// The pending block of the last beat, while nothing changed under it.
    package var preconfirmedBlock: BuiltBlock? {
        preconfirmed.built.flatMap { built in
            built.version == version && standing.count == preconfirmed.transactions.count ? built : nil
        }
    }

    /// Where a preconfirmed transaction stands in the pending block.
    package func preconfirmedPlace(of hash: Hash32) -> (block: StoredBlock, index: Int)? {
        guard preconfirms, let block = preconfirmedBlock?.block,
            let index = block.transactions.firstIndex(where: { $0.hash == hash })
        else { return nil }
        return (block, index)
    }

    /// True when a beat would change the pending block.
    package var hasUnconfirmed: Bool {
        pool.readyCount > 0 && (preconfirmedBlock == nil || pool.readyCount > preconfirmed.transactions.count)
    }

    /// True when time has something to do: a transaction that no block and no pending block holds yet.
    var waits: Bool { preconfirms ? hasUnconfirmed : pool.readyCount > 0 }

    /// Shows a built block as the pending one; false when the chain moved on since it was planned.
    @discardableResult
    package mutating func preconfirm(_ built: BuiltBlock) -> Bool {
        guard built.version == version else { return false }
        preconfirmed = Preconfirmations(built)
        return true
    }

    /// Takes back what was shown. The transactions wait again, or leave the pool; their hashes.
    package mutating func rollBackPreconfirmations(dropping: Bool) -> [Hash32] {
        let hashes = standing.map(\.hash)
        preconfirmed = Preconfirmations()
        guard dropping else { return hashes }
        for hash in hashes where pool.remove(hash) != nil {
            tellDropped(hash, "its preconfirmation was rolled back")
        }
        return hashes
    }

    /// What is preconfirmed cannot be replaced by another of the same nonce.
    func checkNotPreconfirmed(_ transaction: PooledTransaction) throws(DevChainError) {
        let nonce = transaction.transaction.nonce
        guard let next = preconfirmed.nextNonces[transaction.sender], nonce < next, pool.find(transaction.hash) == nil,
            standing.contains(where: { $0.sender == transaction.sender && $0.transaction.nonce == nonce })
        else { return }
        throw DevChainError(
            .nonceTooLow,
            "nonce too low: next nonce \(next), tx nonce \(nonce) of \(transaction.sender) is preconfirmed")
    }
}
