// A transaction whose sender is known, as the pool and the blocks hold it. Recovery happens here, before any lock.

import EVM
import Ethereum

package final class PooledTransaction: Sendable {
    package let signed: SignedTransaction
    package let sender: Address
    /// True for a transaction of an impersonated account, whose signature means nothing.
    package let isImpersonated: Bool
    /// The blobs of a blob transaction that waits; nil once a block holds it.
    package let sidecar: BlobSidecar?
    /// Who signed the authorizations of a set-code transaction (EIP-7702); wrong ones are left out.
    package let authorities: [Address]

    package var transaction: Transaction { signed.transaction }
    package var hash: Hash32 { signed.hash }

    package typealias BlobVerifier = @Sendable (BlobSidecar) -> Bool

    /// True where each proof fits its blob and its commitment (EIP-4844), or all proofs of cells do (EIP-7594).
    package static func provesBlobs(_ sidecar: BlobSidecar) -> Bool {
        do throws(KZG.Malformed) {
            if sidecar.hasCellProofs {
                return try KZG.verify(
                    blobs: sidecar.blobs, commitments: sidecar.commitments, cellProofs: sidecar.proofs)
            }
            return try KZG.verify(
                blobs: sidecar.blobs, commitments: sidecar.commitments, proofs: sidecar.proofs)
        } catch {
            return false
        }
    }

    /// Decodes a raw transaction, checks all that needs no state, and recovers the sender.
    /// - Parameter verifyBlobs: whether the proofs of blobs hold.
    package convenience init(
        raw: Bytes, chainID: UInt64, rules: RuleSet, verifyBlobs: BlobVerifier = PooledTransaction.provesBlobs
    ) throws(DevChainError) {
        if raw.first == Transaction.Kind.blob.rawValue {
            let (signed, sidecar) = try Self.decodeBlobs(raw, rules)
            try self.init(signed, chainID: chainID, rules: rules, sidecar: sidecar)
            guard verifyBlobs(sidecar) else {
                throw DevChainError(.invalidBlobs, "invalid blob proof: a proof does not fit its blob and commitment")
            }
            return
        }
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

    /// A blob transaction in its network form.
    private static func decodeBlobs(
        _ raw: Bytes, _ rules: RuleSet
    ) throws(DevChainError) -> (SignedTransaction, BlobSidecar) {
        guard rules.transactions.contains(.blobs) else {
            throw DevChainError(
                .kindNotSupported, "transaction type not supported: this chain takes no blob transactions (type 3)")
        }
        let proofs = rules.takesCellProofs ? BlobSidecar.proofsMaximum : 1
        // One blob too many is still read, so that it is refused as such.
        let most =
            Limits.transactionBytesMaximum
            + (rules.blobsMaximum + 1)
            * (BlobSidecar.blobBytes + (proofs + 1) * (BlobSidecar.pointBytes + 2) + 16)
        guard raw.count <= most else {
            throw DevChainError(
                .transactionTooLarge, "oversized data: blob transaction of \(raw.count) bytes, at most \(most)")
        }
        guard SignedTransaction.hasSidecar(raw) else {
            throw DevChainError(.invalidBlobs, "missing sidecar in blob transaction: send the network form (EIP-4844)")
        }
        do throws(EthereumError) {
            let (signed, sidecar) = try SignedTransaction.decodeWithSidecar(raw)
            guard !sidecar.hasCellProofs || rules.takesCellProofs else {
                throw EthereumError(
                    .unsupported, "sidecars of cell proofs (EIP-7594) begin with Osaka; send one proof a blob")
            }
            let permitted = min(rules.blobsMaximum, rules.blobsPerTransactionMaximum)
            guard sidecar.blobs.count <= permitted else {
                throw EthereumError(
                    .malformedTransaction,
                    "too many blobs in transaction: have \(sidecar.blobs.count), permitted \(permitted)")
            }
            return (signed, sidecar)
        } catch {
            throw translated(error)
        }
    }

    /// Checks all that needs no state, and recovers the sender.
    package init(
        _ signed: SignedTransaction, chainID: UInt64, rules: RuleSet, sidecar: BlobSidecar? = nil
    ) throws(DevChainError) {
        let transaction = signed.transaction
        if let id = transaction.chainID, id != chainID {
            throw DevChainError(
                .wrongChain,
                "invalid chain id for signer: the transaction is signed for chain \(id), this is chain \(chainID)")
        }
        guard transaction.kind != .blob || sidecar != nil else {
            throw DevChainError(.invalidBlobs, "missing sidecar in blob transaction: send the network form (EIP-4844)")
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
        self.sidecar = sidecar
        authorities = transaction.authorizations.compactMap(\.authority)
    }

    /// A transaction that was here before and was kept with its sender.
    init(kept signed: SignedTransaction, sender: Address, isImpersonated: Bool) {
        self.signed = signed
        self.sender = sender
        self.isImpersonated = isImpersonated
        sidecar = nil
        authorities = signed.transaction.authorizations.compactMap(\.authority)
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
        sidecar = nil
        authorities = signed.transaction.authorizations.compactMap(\.authority)
    }

    /// The same from its raw form, which for a blob transaction is the one without blobs.
    package convenience init(bareOfBlock raw: Bytes, chainID: UInt64, rules: RuleSet) throws(DevChainError) {
        let signed: SignedTransaction
        do throws(EthereumError) { signed = try SignedTransaction.decode(raw) } catch { throw Self.translated(error) }
        try self.init(ofBlock: signed, chainID: chainID, rules: rules)
    }

    /// A transaction without a signature, in a block that nobody keeps.
    package init(simulating sender: Address, _ transaction: Transaction) {
        signed = SignedTransaction(transaction: transaction, signature: .none)
        self.sender = sender
        isImpersonated = true
        sidecar = nil
        authorities = []
    }

    /// The same without its blobs, as a block holds it.
    package var withoutSidecar: PooledTransaction { sidecar == nil ? self : PooledTransaction(bare: self) }

    private init(bare whole: PooledTransaction) {
        signed = whole.signed
        sender = whole.sender
        isImpersonated = whole.isImpersonated
        sidecar = nil
        authorities = whole.authorities
    }

    /// The form in which it goes over the wire: with its blobs as long as it waits.
    package var networkForm: Bytes { sidecar.map { signed.encoded(with: $0) } ?? signed.encoded }

    /// A transaction of an account whose key nobody holds. Its signature names the sender, so that no two impersonated
    /// senders share a hash; recovering from it gives some other account.
    package init(impersonating sender: Address, _ transaction: Transaction) {
        signed = SignedTransaction(
            transaction: transaction, signature: Signature(r: sender.word, s: U256.one, yParity: 0))
        self.sender = sender
        isImpersonated = true
        sidecar = nil
        authorities = transaction.authorizations.compactMap(\.authority)
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
