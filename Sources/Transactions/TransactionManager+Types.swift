// What goes into the transaction manager and what comes out of it.

import Ethereum

/// Fee rules of one chain (ccip-offchain.md 6.4).
package struct FeePolicy: Sendable, Equatable {
    /// Head blocks without inclusion after which the price is raised.
    package var bumpThresholdBlocks: UInt64
    /// Raise in percent; nodes demand at least 10.
    package var bumpPercent: UInt64
    /// The reference has 5 gwei, which is more than everything on a cheap chain: the percentage is what nodes ask for.
    package var bumpMinimumWei: U256
    package var tipMinimumWei: U256
    /// Never more than this for one unit of gas.
    package var maxFeePerGasCap: U256
    /// Blocks of rising base fee (12.5 % each) that the first price survives.
    package var baseFeeBufferBlocks: Int
    /// A request that asks for more gas is refused before anything is signed.
    package var gasLimitMaximum: UInt64
    /// Whether it is asked, before each higher price, if the request is still wanted (`TransactionAction.revalidate`).
    package var revalidates: Bool

    package init(
        bumpThresholdBlocks: UInt64 = 3, bumpPercent: UInt64 = 20, bumpMinimumWei: U256 = 1,
        tipMinimumWei: U256 = 1, maxFeePerGasCap: U256 = 500_000_000_000, baseFeeBufferBlocks: Int = 4,
        gasLimitMaximum: UInt64 = .max, revalidates: Bool = false
    ) {
        self.bumpThresholdBlocks = bumpThresholdBlocks
        self.bumpPercent = bumpPercent
        self.bumpMinimumWei = bumpMinimumWei
        self.tipMinimumWei = tipMinimumWei
        self.maxFeePerGasCap = maxFeePerGasCap
        self.baseFeeBufferBlocks = baseFeeBufferBlocks
        self.gasLimitMaximum = gasLimitMaximum
        self.revalidates = revalidates
    }
}

/// The head of the chain as the sender needs it.
package struct ChainHead: Sendable, Equatable {
    package var number: UInt64
    package var finalized: UInt64
    package var baseFee: U256
    package var suggestedTip: U256
    /// `eth_getTransactionCount(sender, latest)`.
    package var nonce: UInt64
    /// Of the block; nil when unknown.
    package var gasLimit: UInt64?

    package init(
        number: UInt64, finalized: UInt64, baseFee: U256, suggestedTip: U256, nonce: UInt64, gasLimit: UInt64? = nil
    ) {
        self.number = number
        self.finalized = finalized
        self.baseFee = baseFee
        self.suggestedTip = suggestedTip
        self.nonce = nonce
        self.gasLimit = gasLimit
    }
}

/// What is to be signed.
package struct TransactionDraft: Sendable, Equatable {
    package var nonce: UInt64
    package var to: Address
    package var data: Bytes
    package var value: U256
    package var gasLimit: UInt64
    package var maxFeePerGas: U256
    package var maxPriorityFeePerGas: U256
}

/// How an endpoint answered a broadcast. `rejected` is for answers that will not change by waiting.
package enum BroadcastOutcome: Sendable, Equatable {
    case accepted
    case alreadyKnown
    case nonceTooLow
    case nonceTooHigh
    case underpriced
    case insufficientFunds
    case rejected(String)
    /// No answer: the transaction may or may not be out.
    case unknown
}

/// What became of a request.
package enum RequestOutcome: Sendable, Equatable {
    case included(hash: Hash32, block: UInt64, succeeded: Bool)
    case finalized(hash: Hash32, succeeded: Bool)
    /// Not sent and never will be.
    case refused(String)
}

package enum TransactionEvent: Sendable, Equatable {
    case submit(TransactionRequest)
    /// Drops a request that has no nonce yet; one that is out stays out.
    case cancel(key: Hash32)
    /// Nobody wants the request any more: its nonce is used up by an empty transfer, which is cheaper than a revert.
    case obsolete(key: Hash32)
    /// The answer to `revalidate`; nil when it could not be found out, which counts as yes.
    case revalidated(key: Hash32, isWanted: Bool?)
    /// The answer to `locate`: every endpoint answered, and none knows an attempt for this nonce.
    case evicted(nonce: UInt64)
    case head(ChainHead)
    case broadcast(hash: Hash32, BroadcastOutcome)
    /// Nil when the chain knows no receipt for the hash.
    case receipt(hash: Hash32, TransactionReceiptSummary?)
}

package struct TransactionReceiptSummary: Sendable, Equatable {
    package var block: UInt64
    package var succeeded: Bool
    package init(block: UInt64, succeeded: Bool) {
        self.block = block
        self.succeeded = succeeded
    }
}

/// To be performed strictly in order: what is persisted stands before what is broadcast.
package enum TransactionAction: Sendable, Equatable {
    case persist(OutboxEntry)
    /// The request is over: its entry goes, its key stays known.
    case forget(key: Hash32)
    case broadcast(hash: Hash32, raw: Bytes)
    case queryReceipt(hash: Hash32)
    /// Find out whether the request is still wanted, before it is paid a higher price for.
    case revalidate(key: Hash32)
    /// Find out whether any endpoint still knows one of these attempts.
    case locate(nonce: UInt64, hashes: [Hash32])
    case report(key: Hash32, RequestOutcome)
    case alarm(String)
}
