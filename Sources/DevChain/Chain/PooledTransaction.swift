// A transaction whose sender is known, as the pool and the blocks hold it. Recovery happens here, before any lock.

import EVM
import Ethereum

package final class PooledTransaction: Sendable {
    package let signed: SignedTransaction
    package let sender: Address
    /// True for a transaction of an impersonated account, whose signature means nothing.
    package let isImpersonated: Bool

    package var transaction: Transaction { signed.transaction }
    package var hash: Hash32 { signed.hash }

    /// Decodes a raw transaction, checks all that needs no state, and recovers the sender.
    package convenience init(raw: Bytes, chainID: UInt64, rules: RuleSet) throws(DevChainError) {
        guard raw.count <= Limits.transactionBytesMaximum else {
            throw DevChainError(
                .transactionTooLarge,
                "oversized data: transaction of \(raw.count) bytes, at most \(Limits.transactionBytesMaximum)")
        }
        let signed: SignedTransaction
        do throws(EthereumError) { signed = try SignedTransaction.decode(raw) } catch {
            throw Self.translated(error)
        }
        try self.init(signed, chainID: chainID, rules: rules)
    }

    /// Checks all that needs no state, and recovers the sender.
    package init(_ signed: SignedTransaction, chainID: UInt64, rules: RuleSet) throws(DevChainError) {
        let transaction = signed.transaction
        if let id = transaction.chainID, id != chainID {
            throw DevChainError(
                .wrongChain,
                "invalid chain id for signer: the transaction is signed for chain \(id), this is chain \(chainID)")
        }
        guard transaction.kind != .blob else {
            throw DevChainError(
                .kindNotSupported, "transaction type not supported: blob transactions (type 3) are not taken here")
        }
        let floor = max(transaction.intrinsicGas(rules.transactions), transaction.floorGas(rules.transactions))
        guard transaction.gasLimit >= floor else {
            throw DevChainError(
                .intrinsicGasTooLow, "intrinsic gas too low: gas limit \(transaction.gasLimit), needs \(floor)")
        }
        guard transaction.maxPriorityFeePerGas <= transaction.maxFeePerGas else {
            throw DevChainError(
                .priorityFeeAboveCap,
                "max priority fee per gas higher than max fee per gas: \(transaction.maxPriorityFeePerGas) > "
                    + "\(transaction.maxFeePerGas)")
        }
        if transaction.isCreation, transaction.data.count > rules.initCodeBytesMaximum {
            throw DevChainError(
                .initCodeTooLarge,
                "max initcode size exceeded: \(transaction.data.count) bytes, at most \(rules.initCodeBytesMaximum)")
        }
        do throws(EthereumError) {
            sender = try signed.validate(rules: rules.transactions, chainID: chainID)
        } catch {
            throw Self.translated(error)
        }
        self.signed = signed
        isImpersonated = false
    }

    /// A transaction that was here before and was kept with its sender.
    init(kept signed: SignedTransaction, sender: Address, isImpersonated: Bool) {
        self.signed = signed
        self.sender = sender
        self.isImpersonated = isImpersonated
    }

    /// A transaction of a block that came from elsewhere: of any kind that the fork has. Checks all that needs no state,
    /// and recovers the sender.
    package init(ofBlock signed: SignedTransaction, chainID: UInt64, rules: RuleSet) throws(DevChainError) {
        do throws(EthereumError) {
            sender = try signed.validate(rules: rules.transactions, chainID: chainID)
        } catch {
            throw Self.translated(error)
        }
        self.signed = signed
        isImpersonated = false
    }

    /// A transaction of an account whose key nobody holds. Its signature names the sender, so that no two impersonated
    /// senders share a hash; recovering from it gives some other account.
    package init(impersonating sender: Address, _ transaction: Transaction) {
        signed = SignedTransaction(
            transaction: transaction, signature: Signature(r: sender.word, s: U256.one, yParity: 0))
        self.sender = sender
        isImpersonated = true
    }

    private static func translated(_ error: EthereumError) -> DevChainError {
        switch error.code {
        case .invalidSignature: DevChainError(.invalidSignature, "invalid sender: \(error.message)")
        case .unsupported: DevChainError(.kindNotSupported, "transaction type not supported: \(error.message)")
        case .limitExceeded: DevChainError(.transactionTooLarge, "oversized data: \(error.message)")
        default: DevChainError(.malformedTransaction, error.message)
        }
    }
}
