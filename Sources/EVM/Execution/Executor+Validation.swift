// What must hold before a transaction is begun. Signatures are checked by who recovered the sender.

import Ethereum

extension Executor {
    /// Checks a transaction against the block and the sender's account; returns its price in wei a gas. `mayHaveCode`
    /// lets contracts send (EIP-3607 forbids it): for impersonated senders of a development chain only.
    package func validate(
        _ transaction: Transaction, sender: Address, block: BlockEnvironment, journal: Journal, gasAvailable: UInt64,
        mayHaveCode: Bool = false
    ) throws(TransactionRefusal) -> U256 {
        try validateKind(transaction, block)
        if rules.transactions.contains(.gasLimitCap), transaction.gasLimit > Transaction.gasLimitMaximum {
            throw .gasLimitAboveCap(limit: Transaction.gasLimitMaximum, got: transaction.gasLimit)
        }
        let limit = min(gasAvailable, Limits.gasMaximum)
        guard transaction.gasLimit <= limit else {
            throw .gasLimitExceedsBlock(limit: limit, got: transaction.gasLimit)
        }
        guard transaction.maxPriorityFeePerGas <= transaction.maxFeePerGas else {
            throw .priorityFeeAboveCap(priority: transaction.maxPriorityFeePerGas, cap: transaction.maxFeePerGas)
        }
        guard let price = transaction.effectiveGasPrice(baseFee: block.baseFee) else {
            throw .feeCapTooLow(baseFee: block.baseFee, cap: transaction.maxFeePerGas)
        }
        try validateGas(transaction)
        let position = journal.position(sender)
        let account = journal.accounts[position].pointee
        guard transaction.nonce >= account.nonce else {
            throw .nonceTooLow(expected: account.nonce, got: transaction.nonce)
        }
        guard transaction.nonce <= account.nonce else {
            throw .nonceTooHigh(expected: account.nonce, got: transaction.nonce)
        }
        guard account.nonce < .max else { throw .nonceIsMaximum }
        let code = journal.code(position)
        guard code.count == 0 || mayHaveCode || (rules.hasDelegations && code.delegate != nil) else {
            throw .senderNotEOA(sender)
        }
        let cost = transaction.costMaximum
        guard let cost, cost <= account.balance else {
            throw .insufficientFunds(needed: cost, balance: account.balance)
        }
        return price
    }

    /// The checks of a call: gas, sizes, and the value.
    func validateCall(
        _ transaction: Transaction, sender: Address, journal: Journal
    ) throws(TransactionRefusal) {
        try validateGas(transaction)
        let balance = journal.balance(journal.position(sender))
        guard transaction.value <= balance else {
            throw .insufficientFunds(needed: transaction.value, balance: balance)
        }
    }

    /// - Parameter checksBlobFee: false where a transaction that offers nothing for its blobs may run.
    func validateKind(
        _ transaction: Transaction, _ block: BlockEnvironment, checksBlobFee: Bool = true
    ) throws(TransactionRefusal) {
        let needed: TransactionRules =
            switch transaction.kind {
            case .legacy: []
            case .accessList: .accessLists
            case .dynamicFee: .dynamicFees
            case .blob: .blobs
            case .setCode: .setCode
            }
        guard rules.transactions.contains(needed) else { throw .kindNotSupported(transaction.kind) }
        if let chain = transaction.chainID, chain != block.chainID {
            throw .wrongChain(expected: block.chainID, got: chain)
        }
        if transaction.kind == .setCode {
            guard !transaction.isCreation else { throw .creationNotAllowed(.setCode) }
            guard !transaction.authorizations.isEmpty else { throw .noAuthorizations }
        }
        guard transaction.kind == .blob else { return }
        guard !transaction.isCreation else { throw .creationNotAllowed(.blob) }
        let blobs = transaction.blobVersionedHashes
        guard !blobs.isEmpty else { throw .noBlobs }
        let most = min(rules.blobsMaximum, rules.blobsPerTransactionMaximum)
        guard blobs.count <= most else { throw .tooManyBlobs(limit: most, got: blobs.count) }
        guard blobs.allSatisfy({ $0.word.w3 >> 56 == 1 }) else { throw .blobHashVersionUnknown }
        guard !checksBlobFee || transaction.maxFeePerBlobGas >= block.blobBaseFee else {
            throw .blobFeeCapTooLow(blobBaseFee: block.blobBaseFee, cap: transaction.maxFeePerBlobGas)
        }
    }

    func validateGas(_ transaction: Transaction) throws(TransactionRefusal) {
        if transaction.isCreation, transaction.data.count > rules.initCodeBytesMaximum {
            throw .initCodeTooLarge(limit: rules.initCodeBytesMaximum, got: transaction.data.count)
        }
        let least = max(transaction.intrinsicGas(rules.transactions), transaction.floorGas(rules.transactions))
        guard transaction.gasLimit >= least else {
            throw .intrinsicGasTooLow(least: least, got: transaction.gasLimit)
        }
    }
}
