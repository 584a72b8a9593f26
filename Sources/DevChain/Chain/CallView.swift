// Calls that no block will hold: eth_call, estimates, access lists; traces are in CallView+Tracing.swift. A view is a value apart from the chain, so
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
        /// Where the precompile of this address is to be found instead.
        package var movesPrecompileTo: Address?

        package init(address: Address) { self.address = address }
    }

    /// Runs a call. Throws for one that cannot be begun, or whose result would be wrong.
    package func call(
        _ transaction: Transaction, sender: Address, overrides: [AccountOverride] = []
    ) throws(DevChainError) -> ExecutionResult {
        try engines.use { engine throws(DevChainError) in
            let (journal, executor) = try prepare(overrides, engine)
            return try run(transaction, sender, journal, executor)
        }
    }

    /// The least gas that succeeds, or how the transaction fails with the most.
    package func estimate(
        _ transaction: Transaction, sender: Address, overrides: [AccountOverride] = []
    ) throws(DevChainError) -> GasEstimate {
        try engines.use { engine throws(DevChainError) in
            let (journal, executor) = try prepare(overrides, engine)
            let first = try run(transaction, sender, journal, executor)
            guard first.succeeded else { return .fails(first) }
            do throws(TransactionRefusal) {
                return try executor.estimateGas(
                    transaction, sender: sender, block: environment, journal: journal)
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
            let (journal, executor) = try prepare([], engine)
            do throws(TransactionRefusal) {
                let result = try executor.call(
                    transaction, sender: sender, block: environment, journal: journal, tracer: &tracer)
                return (result, tracer)
            } catch {
                throw DevChainError(refusal: error)
            }
        }
        tracer = watched.1
        return watched.0
    }

    // MARK: Inside

    /// The journal over the state, with the overrides in it, and who runs calls on it.
    func prepare(
        _ overrides: [AccountOverride], _ engine: EnginePool.Engine
    ) throws(DevChainError) -> (journal: Journal, executor: Executor) {
        let reader = ChainReader(state: state, hashes: hashes, blockHashOfDecimalText: blockHashOfDecimalText)
        let journal = Journal(reader: reader, codeCache: engine.codeCache)
        return (journal, try Self.apply(overrides, to: journal, engine))
    }

    /// Writes overrides into a journal; who runs calls on it then. A precompile whose address is overridden is gone, or
    /// where the override moves it. Throws `invalidOverride`.
    static func apply(
        _ overrides: [AccountOverride], to journal: Journal, _ engine: EnginePool.Engine
    ) throws(DevChainError) -> Executor {
        var precompiles = engine.executor.precompiles
        var changesPrecompiles = false
        for override in overrides {
            let address = override.address
            let precompile = precompiles.find(address)
            if let target = override.movesPrecompileTo {
                guard let precompile else {
                    throw DevChainError(.invalidOverride, "account \(address.checksummed) is not a precompile")
                }
                guard !overrides.contains(where: { $0.address == target }) else {
                    throw DevChainError(.invalidOverride, "account \(target.checksummed) is already overridden")
                }
                precompiles.set(precompile, at: target)
            }
            if precompile != nil {
                precompiles.set(nil, at: address)
                changesPrecompiles = true
            }
            if let balance = override.balance { journal.override(balance: balance, of: address) }
            if let nonce = override.nonce { journal.override(nonce: nonce, of: address) }
            if let code = override.code { journal.override(code: code, of: address) }
            if override.state != nil { journal.overrideClearingStorage(of: address) }
            for slot in (override.state ?? []) + override.stateDifference {
                journal.override(slot: slot.slot, to: slot.value, of: address)
            }
        }
        return changesPrecompiles
            ? Executor(rules: engine.executor.rules, precompiles: precompiles, warm: engine.executor.precompiles)
            : engine.executor
    }

    private func run(
        _ transaction: Transaction, _ sender: Address, _ journal: Journal, _ executor: Executor
    ) throws(DevChainError) -> ExecutionResult {
        do throws(TransactionRefusal) {
            return try executor.call(transaction, sender: sender, block: environment, journal: journal)
        } catch {
            throw DevChainError(refusal: error)
        }
    }
}
