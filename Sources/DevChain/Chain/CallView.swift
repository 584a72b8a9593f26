// Calls that no block will hold: eth_call, estimates, traces, access lists. A view is a value apart from the chain, so
// that a long call holds nobody up.

import EVM
import Ethereum

package struct CallView: Sendable {
    package var state: WorldState
    package var environment: BlockEnvironment
    package var hashes: RecentHashes
    package var blockHashOfDecimalText: Bool
    package var engines: EnginePool

    /// What a caller wants to be otherwise for the length of one call.
    package struct AccountOverride: Sendable {
        package var address: Address
        package var balance: U256?
        package var nonce: UInt64?
        package var code: Bytes?
        /// All slots that the account has then.
        package var state: [SlotChange]?
        /// Slots that differ.
        package var stateDifference: [SlotChange] = []

        package init(address: Address) { self.address = address }
    }

    /// Runs a call. Throws for one that cannot be begun, or whose result would be wrong.
    package func call(
        _ transaction: Transaction, sender: Address, overrides: [AccountOverride] = []
    ) throws(DevChainError) -> ExecutionResult {
        try engines.use { engine throws(DevChainError) in
            try run(transaction, sender, journal(overrides, engine), engine)
        }
    }

    /// The least gas that succeeds, or how the transaction fails with the most.
    package func estimate(
        _ transaction: Transaction, sender: Address, overrides: [AccountOverride] = []
    ) throws(DevChainError) -> GasEstimate {
        try engines.use { engine throws(DevChainError) in
            let journal = journal(overrides, engine)
            let first = try run(transaction, sender, journal, engine)
            guard first.succeeded else { return .fails(first) }
            do throws(TransactionRefusal) {
                return try engine.executor.estimateGas(
                    transaction, sender: sender, block: environment, journal: journal)
            } catch {
                throw DevChainError(refusal: error)
            }
        }
    }

    /// Runs a call and tells its calls.
    package func trace(
        _ transaction: Transaction, sender: Address, overrides: [AccountOverride] = []
    ) throws(DevChainError) -> (result: ExecutionResult, tracer: CallTracer) {
        try engines.use { engine throws(DevChainError) in
            var tracer = CallTracer()
            let result: ExecutionResult
            do throws(TransactionRefusal) {
                result = try engine.executor.call(
                    transaction, sender: sender, block: environment, journal: journal(overrides, engine),
                    tracer: &tracer)
            } catch {
                throw DevChainError(refusal: error)
            }
            return (result, tracer)
        }
    }

    /// Runs the transactions before one of a block, then that one, watched.
    package func replay(
        _ block: StoredBlock, upTo index: Int
    ) throws(DevChainError) -> (result: ExecutionResult, tracer: CallTracer) {
        try engines.use { engine throws(DevChainError) in
            let journal = journal([], engine)
            let plan = replayPlan(block)
            SystemContracts.beginBlock(plan, engine, journal)
            var tracer = CallTracer()
            do throws(TransactionRefusal) {
                for earlier in block.transactions[..<index] {
                    _ = try engine.executor.execute(
                        earlier.transaction, sender: earlier.sender, block: environment, journal: journal)
                }
                let last = block.transactions[index]
                let result = try engine.executor.execute(
                    last.transaction, sender: last.sender, block: environment, journal: journal, tracer: &tracer)
                return (result, tracer)
            } catch {
                throw DevChainError(refusal: error)
            }
        }
    }

    /// The accounts and slots that a call touches, and the gas with and without them named.
    package func accessList(
        _ transaction: Transaction, sender: Address
    ) throws(DevChainError) -> (list: [AccessListEntry], result: ExecutionResult) {
        var named = transaction
        var tracer = AccessListTracer(
            excluding: [
                sender, environment.coinbase, transaction.to ?? .created(by: sender, nonce: state.nonce(sender)),
            ],
            precompiles: engines.precompiles)
        // Named slots change gas and so, maybe, the way that code takes; the list settles in a few turns, or is good
        // enough.
        for _ in 0..<4 {
            let before = tracer.list
            let result = try run(named, sender, watchedBy: &tracer)
            if tracer.list == before { return (before, result) }
            named.accessList = tracer.list
        }
        return (named.accessList, try call(named, sender: sender))
    }

    private func run(
        _ transaction: Transaction, _ sender: Address, watchedBy tracer: inout AccessListTracer
    ) throws(DevChainError) -> ExecutionResult {
        let watched = try engines.use { [tracer] engine throws(DevChainError) in
            var tracer = tracer
            do throws(TransactionRefusal) {
                let result = try engine.executor.call(
                    transaction, sender: sender, block: environment, journal: journal([], engine), tracer: &tracer)
                return (result, tracer)
            } catch {
                throw DevChainError(refusal: error)
            }
        }
        tracer = watched.1
        return watched.0
    }

    // MARK: Inside

    private func journal(_ overrides: [AccountOverride], _ engine: EnginePool.Engine) -> Journal {
        let reader = ChainReader(state: state, hashes: hashes, blockHashOfDecimalText: blockHashOfDecimalText)
        let journal = Journal(reader: reader, codeCache: engine.codeCache)
        for override in overrides {
            let address = override.address
            if let balance = override.balance { journal.override(balance: balance, of: address) }
            if let nonce = override.nonce { journal.override(nonce: nonce, of: address) }
            if let code = override.code { journal.override(code: code, of: address) }
            if override.state != nil { journal.overrideClearingStorage(of: address) }
            for slot in (override.state ?? []) + override.stateDifference {
                journal.override(slot: slot.slot, to: slot.value, of: address)
            }
        }
        return journal
    }

    private func run(
        _ transaction: Transaction, _ sender: Address, _ journal: Journal, _ engine: EnginePool.Engine
    ) throws(DevChainError) -> ExecutionResult {
        do throws(TransactionRefusal) {
            return try engine.executor.call(transaction, sender: sender, block: environment, journal: journal)
        } catch {
            throw DevChainError(refusal: error)
        }
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
