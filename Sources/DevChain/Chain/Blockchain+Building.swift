// Blocks that a consensus layer would ask for: over any block of the chain, with all that it fixes. Nothing of them is
// kept.

import EVM
import Ethereum

/// What a consensus layer says of a block that it wants (execution-apis, PayloadAttributes).
package struct PayloadRequest: Sendable {
    /// Seconds since 1970.
    package var timestamp: UInt64
    package var prevRandao: Hash32
    package var feeRecipient: Address
    package var withdrawals: [Withdrawal]
    package var parentBeaconBlockRoot: Hash32
    /// At most 32 bytes.
    package var extraData: Bytes

    package init(
        timestamp: UInt64, prevRandao: Hash32 = .zero, feeRecipient: Address = .zero, withdrawals: [Withdrawal] = [],
        parentBeaconBlockRoot: Hash32 = .zero, extraData: Bytes = []
    ) {
        self.timestamp = timestamp
        self.prevRandao = prevRandao
        self.feeRecipient = feeRecipient
        self.withdrawals = withdrawals
        self.parentBeaconBlockRoot = parentBeaconBlockRoot
        self.extraData = extraData
    }
}

/// A block that was asked for, with what a consensus layer is told beside it.
package struct BuiltPayload: Sendable {
    package let block: StoredBlock
    /// Each with its kind in front (EIP-7685).
    package let requests: [Bytes]
    /// Wei that the fee recipient gets.
    package let value: U256
}

extension Blockchain {
    /// The plan of a block over a block of the chain. Throws `blockNotFound`, `statePruned`, `invalidBlockTimestamp`,
    /// `extraDataTooLong`.
    /// - Parameter candidates: nil for what the pool offers.
    package func plan(
        over parentHash: Hash32, _ request: PayloadRequest, candidates: [PooledTransaction]?
    ) throws(DevChainError) -> BlockPlan {
        let parent = try knownBlock(.hash(parentHash))
        let before = try state(.hash(parentHash))
        guard request.timestamp > parent.header.timestamp else {
            throw DevChainError(
                .invalidBlockTimestamp,
                "timestamp \(request.timestamp) is not after the parent's, which is \(parent.header.timestamp)")
        }
        guard request.extraData.count <= 32 else {
            throw DevChainError(.extraDataTooLong, "extra data of \(request.extraData.count) bytes, at most 32")
        }
        let era = era(over: parent, timestamp: request.timestamp)
        let work = work(over: parent, timestamp: request.timestamp, era.fork)
        let baseFee = BaseFees.next(after: parent.header, rule: profile.baseFee, fork: era.fork) ?? .zero
        let gasLimit = Self.gasLimit(
            after: BaseFees.parentGasLimit(parent.header, era.fork), towards: settings.gasLimit)
        let excess = era.fork >= .cancun ? era.rules.excessBlobGas(after: parent.header) : 0
        let environment = BlockEnvironment(
            chainID: chainID, number: parent.number + 1, timestamp: request.timestamp, coinbase: request.feeRecipient,
            gasLimit: gasLimit, baseFee: baseFee, prevRandao: work.map { Hash32($0.difficulty) } ?? request.prevRandao,
            excessBlobGas: excess, blobBaseFee: era.rules.blobBaseFee(excessBlobGas: excess))
        return BlockPlan(
            parentHash: parent.hash, before: before, environment: environment, extraData: request.extraData,
            hashes: hashes(through: parent),
            candidates: candidates ?? pool.ordered(baseFee: baseFee, limit: Int(clamping: gasLimit / 21_000) + 1),
            fork: era.fork, engines: era.engines, blockHashOfDecimalText: profile.quirks.blockHashOfDecimalText,
            withdrawals: request.withdrawals, work: work, parentTotalDifficulty: parent.totalDifficulty,
            parentBeaconBlockRoot: request.parentBeaconBlockRoot, depositContract: depositContract, realSeconds: 0,
            version: version)
    }

    /// The limit next to the wanted one that a header may have: a step is below a 1024th of the parent's limit.
    package static func gasLimit(after parent: UInt64, towards wanted: UInt64) -> UInt64 {
        let step = max(parent / 1024, 1) - 1
        return wanted > parent ? parent + min(step, wanted - parent) : parent - min(step, parent - wanted)
    }
}

extension BlockPlan {
    /// Builds a block of exactly the candidates, in their order. Throws for one that cannot be in it.
    package func payload() throws(DevChainError) -> BuiltPayload {
        let outcome = try runExactly()
        let block = outcome.block
        let value = block.outcomes.reduce(U256.zero) { sum, outcome in
            sum &+ (outcome.effectiveGasPrice &- block.baseFee) * U256(outcome.gasUsed)
        }
        return BuiltPayload(block: block, requests: outcome.requests, value: value)
    }

    /// The same without the candidates that do not fit.
    package func payloadOfWhatFits() throws(DevChainError) -> BuiltPayload {
        var plan = self
        let chosen = Set(run().block.transactions.map(\.hash))
        plan.candidates = candidates.filter { chosen.contains($0.hash) }
        return try plan.payload()
    }
}
