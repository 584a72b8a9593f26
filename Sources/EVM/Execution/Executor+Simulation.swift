// Transactions that are tried one after another in blocks that nobody keeps (eth_simulateV1): as in a block, or with the
// checks left out that only a signed transaction can pass.

import Ethereum

extension Executor {
    /// Runs a transaction of a simulated block. What it did stays in the journal. A sender may have code.
    /// - Parameter validating: checks nonces, and the fee also where it is zero. Without it a transaction that offers
    ///   nothing pays nothing.
    /// - Throws: with the journal as before, for a transaction that cannot be begun.
    package func simulate<T: Tracer>(
        _ transaction: Transaction, sender: Address, block: BlockEnvironment, journal: Journal, validating: Bool,
        tracer: inout T
    ) throws(TransactionRefusal) -> ExecutionResult {
        guard transaction.gasLimit <= Limits.gasMaximum else {
            throw .gasLimitExceedsBlock(limit: Limits.gasMaximum, got: transaction.gasLimit)
        }
        let isFree =
            !validating && transaction.maxFeePerGas.isZero && transaction.maxPriorityFeePerGas.isZero
        let position = journal.position(sender)
        let account = journal.accounts[position].pointee
        if validating {
            guard transaction.nonce <= account.nonce else {
                throw .nonceTooHigh(expected: account.nonce, got: transaction.nonce)
            }
            guard transaction.nonce >= account.nonce else {
                throw .nonceTooLow(expected: account.nonce, got: transaction.nonce)
            }
        }
        guard account.nonce < .max else { throw .nonceIsMaximum }
        var price = U256.zero
        if !isFree {
            guard transaction.maxPriorityFeePerGas <= transaction.maxFeePerGas else {
                throw .priorityFeeAboveCap(priority: transaction.maxPriorityFeePerGas, cap: transaction.maxFeePerGas)
            }
            guard let effective = transaction.effectiveGasPrice(baseFee: block.baseFee) else {
                throw .feeCapTooLow(baseFee: block.baseFee, cap: transaction.maxFeePerGas)
            }
            price = effective
        }
        try validateKind(transaction, block, checksBlobFee: validating || !transaction.maxFeePerBlobGas.isZero)
        let cost = transaction.costMaximum
        guard let cost, cost <= account.balance else {
            throw .insufficientFunds(needed: cost, balance: account.balance)
        }
        try validateGas(transaction)
        let result = begin(transaction, sender, block, journal, price: price, paysFees: !isFree, &tracer)
        journal.finishTransaction()
        return result
    }
}
