// The least gas limit with which a transaction succeeds, as `eth_estimateGas` asks.

import Ethereum

/// What an estimate came to.
package enum GasEstimate: Sendable, Hashable {
    /// The least gas limit that succeeds.
    case gas(UInt64)
    /// The transaction fails even with the most gas: this is how.
    case fails(ExecutionResult)
}

extension Executor {
    /// Searches between what the transaction must have and its own gas limit. Each probe is one call, at most about
    /// thirty of them; the journal is as before. Throws where `call` does.
    package func estimateGas(
        _ transaction: Transaction, sender: Address, block: BlockEnvironment, journal: Journal
    ) throws(TransactionRefusal) -> GasEstimate {
        let least = max(transaction.intrinsicGas(rules.transactions), transaction.floorGas(rules.transactions))
        var probe = transaction
        probe.gasLimit = min(transaction.gasLimit, Limits.gasMaximum)
        let first = try call(probe, sender: sender, block: block, journal: journal)
        guard first.succeeded else { return .fails(first) }
        // Less than what was paid for cannot do; what is passed on by 63/64 and refunded later may ask for more.
        var failing = max(first.gasUsed, least) - 1
        var passing = probe.gasLimit
        let likely = first.gasUsed + first.gasRefunded + UInt64(Gas.callStipend)
        if likely < passing / 64 * 63 { probe.gasLimit = likely + likely / 63 + 1 }
        while failing + 1 < passing {
            if probe.gasLimit >= passing { probe.gasLimit = failing + (passing - failing) / 2 }
            if try call(probe, sender: sender, block: block, journal: journal).succeeded {
                passing = probe.gasLimit
            } else {
                failing = probe.gasLimit
            }
            probe.gasLimit = failing + (passing - failing) / 2
        }
        return .gas(passing)
    }
}
