// Transactions run again, or calls run once, with something that watches. A transaction's state is made by running the
// block's earlier ones on the state that the block started from.

import EVM
import Ethereum

/// One run that is to be watched: what a tracer may need to know beforehand.
package struct TracedRun {
    package let transaction: Transaction
    package let sender: Address
    package let environment: BlockEnvironment
    package let journal: Journal
    /// Logs that the block has before this transaction.
    package let firstLogIndex: Int
    package let executor: Executor
    /// False for a call, which pays no fee and leaves nothing behind.
    fileprivate let isTransaction: Bool

    /// Runs it under a tracer. Once only: a transaction changes the state.
    package func callAsFunction(_ tracer: inout some Tracer) throws(DevChainError) -> ExecutionResult {
        do throws(TransactionRefusal) {
            if isTransaction {
                // A block holds it already: whether it was an impersonated contract that sent it is no question any more.
                return try executor.execute(
                    transaction, sender: sender, block: environment, journal: journal, mayHaveCode: true, tracer: &tracer)
            }
            return try executor.call(
                transaction, sender: sender, block: environment, journal: journal, tracer: &tracer)
        } catch {
            throw DevChainError(refusal: error)
        }
    }
}

extension CallView {
    /// Runs a call as `body` says.
    package func trace<Result>(
        _ transaction: Transaction, sender: Address, overrides: [AccountOverride] = [],
        _ body: (TracedRun) throws(DevChainError) -> Result
    ) throws(DevChainError) -> Result {
        try engines.use { engine throws(DevChainError) in
            let (journal, executor) = try prepare(overrides, engine)
            return try body(
                TracedRun(
                    transaction: transaction, sender: sender, environment: environment, journal: journal,
                    firstLogIndex: 0, executor: executor, isTransaction: false))
        }
    }

    /// Runs the first transactions of a block again: those that `isWatched` names as `body` says, the others as they
    /// are; the results of `body` in their order. The view is the one that the block started from.
    package func replay<Result>(
        _ block: StoredBlock, upTo count: Int, isWatched: (Int) -> Bool = { _ in true },
        _ body: (Int, TracedRun) throws(DevChainError) -> Result
    ) throws(DevChainError) -> [Result] {
        try engines.use { engine throws(DevChainError) in
            let (journal, executor) = try prepare([], engine)
            SystemContracts.beginBlock(replayPlan(block), engine, journal)
            var results: [Result] = []
            var logCount = 0
            for (index, pooled) in block.transactions[..<count].enumerated() {
                let run = TracedRun(
                    transaction: pooled.transaction, sender: pooled.sender, environment: environment, journal: journal,
                    firstLogIndex: logCount, executor: executor, isTransaction: true)
                if isWatched(index) {
                    results.append(try body(index, run))
                } else {
                    var nobody = NoTracer()
                    _ = try run(&nobody)
                }
                logCount += block.outcomes[index].receipt.logs.count
            }
            return results
        }
    }

    /// The state after the first transactions of a block, of which the rest is left out.
    package func replay(_ block: StoredBlock, upTo count: Int) throws(DevChainError) -> CallView {
        let changes = try engines.use { engine throws(DevChainError) in
            let (journal, executor) = try prepare([], engine)
            SystemContracts.beginBlock(replayPlan(block), engine, journal)
            do throws(TransactionRefusal) {
                for pooled in block.transactions[..<count] {
                    _ = try executor.execute(
                        pooled.transaction, sender: pooled.sender, block: environment, journal: journal,
                        mayHaveCode: true)
                }
            } catch {
                throw DevChainError(refusal: error)
            }
            return journal.changes
        }
        var view = self
        view.state.apply(changes)
        return view
    }

    private func replayPlan(_ block: StoredBlock) -> BlockPlan {
        BlockPlan(
            parentHash: block.header.parentHash, before: state, environment: environment, extraData: [],
            hashes: hashes, candidates: [], fork: block.header.fork, engines: engines,
            blockHashOfDecimalText: blockHashOfDecimalText,
            parentBeaconBlockRoot: block.header.parentBeaconBlockRoot ?? .zero,
            depositContract: SystemContracts.deposits, realSeconds: 0, version: 0)
    }
}

extension BlockHeader {
    /// The fork whose fields the header has.
    fileprivate var fork: Fork {
        requestsHash != nil ? .prague : parentBeaconBlockRoot != nil ? .cancun : .shanghai
    }
}
