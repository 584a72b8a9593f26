// The pool's door and the making of blocks: submit, plan, commit.

import EVM
import Ethereum

extension Blockchain {
    // MARK: Transactions

    /// Takes a transaction into the pool; throws a named refusal, and nothing has changed then.
    package mutating func submit(_ transaction: PooledTransaction) throws(DevChainError) {
        let asked = transaction.transaction
        guard asked.kind != .blob || profile.blobs.areTaken else {
            throw DevChainError(
                .kindNotSupported, "transaction type not supported: this chain takes no blob transactions (type 3)")
        }
        guard asked.gasLimit <= settings.gasLimit else {
            throw DevChainError(
                .gasLimitExceedsBlock,
                "exceeds block gas limit: gas limit \(asked.gasLimit), the block's is \(settings.gasLimit)")
        }
        let account = headState.account(transaction.sender)?.state ?? AccountState()
        let code = account.codeHash == .emptyCodeHash ? [] : headState.code(account.codeHash)
        guard transaction.isImpersonated || code.isEmpty || Code.isDelegation(code) else {
            throw DevChainError(
                .senderHasCode, "sender not an eoa: \(transaction.sender) has code and cannot send (EIP-3607)")
        }
        guard asked.nonce >= account.nonce else {
            throw DevChainError(
                .nonceTooLow,
                "nonce too low: next nonce \(account.nonce), tx nonce \(asked.nonce) of \(transaction.sender)")
        }
        try checkNotPreconfirmed(transaction)
        let cost = asked.costMaximum.flatMap { cost -> U256? in
            let (sum, overflow) = cost.addingReportingOverflow(blockFees.l1Fee(of: transaction))
            return overflow ? nil : sum
        }
        guard let cost, cost <= account.balance else {
            throw DevChainError(
                .insufficientFunds,
                "insufficient funds for gas * price + value: \(transaction.sender) has \(account.balance) wei, the "
                    + "transaction may cost \(cost?.decimal ?? "more than 2^256")")
        }
        let baseFee = nextBaseFee
        guard asked.maxFeePerGas >= baseFee else {
            throw DevChainError(
                .feeBelowBaseFee,
                "max fee per gas less than block base fee: \(asked.maxFeePerGas) wei, the next block asks \(baseFee)")
        }
        let replaced = try pool.insert(transaction, accountNonce: account.nonce, isDelegated: Code.isDelegation(code))
        if let replaced { tellDropped(replaced.hash, "replaced by \(transaction.hash)") }
        events.append(.pending(transaction))
    }

    /// What transactions of the next block pay beside gas and tip.
    var blockFees: BlockFees {
        let price = profile.fees.oracle.map { headState.storage($0.address, $0.slot) } ?? .zero
        return BlockFees(
            baseFeeToCoinbase: profile.fees.baseFeeToCoinbase,
            l1FeePerByte: profile.fees.oracle == nil ? nil : min(price, Limits.l1FeePerByteMaximum))
    }

    /// The base fee of the next block, in wei.
    package var nextBaseFee: U256 {
        // Before the merge a fork's time says nothing, and after it every fork has a base fee.
        let fork = era(over: head, timestamp: head.header.timestamp).fork
        return settings.nextBaseFee ?? BaseFees.next(after: head.header, rule: profile.baseFee, fork: fork) ?? .zero
    }

    /// The blob base fee of the next block, in wei, where that has the head's fork.
    package var nextBlobBaseFee: U256 { rules.blobBaseFee(excessBlobGas: rules.excessBlobGas(after: head.header)) }

    /// True when a block made now would hold a transaction.
    package var hasWork: Bool { pool.hasWork(baseFee: nextBaseFee) }

    // MARK: Blocks

    /// The block that would be made now.
    /// - Parameters:
    ///   - realSeconds: the time, in seconds since 1970.
    ///   - candidates: instead of what the pool offers.
    ///   - timestamp: instead of the clock's.
    package func plan(
        at realSeconds: UInt64, candidates: [PooledTransaction]? = nil, timestamp: UInt64? = nil
    ) -> BlockPlan {
        let parent = head
        let baseFee = nextBaseFee
        let randao = settings.nextPrevRandao ?? (profile.quirks.prevRandaoZero ? .zero : keccak256(parent.hash.bytes))
        let timestamp =
            timestamp
            ?? settings.clock.timestamp(
                at: realSeconds, parent: parent.header.timestamp, rising: profile.cadence.risingTimestamps)
        let era = era(over: parent, timestamp: timestamp)
        let work = work(over: parent, timestamp: timestamp, era.fork)
        let excess = era.fork >= .cancun ? era.rules.excessBlobGas(after: parent.header) : 0
        let environment = BlockEnvironment(
            chainID: chainID, number: parent.number + 1, timestamp: timestamp, coinbase: settings.coinbase,
            gasLimit: settings.gasLimit, baseFee: baseFee, prevRandao: work.map { Hash32($0.difficulty) } ?? randao,
            excessBlobGas: excess,
            blobBaseFee: profile.quirks.blobBaseFeeZero ? .zero : era.rules.blobBaseFee(excessBlobGas: excess))
        // No transaction uses less than 21,000 gas, so no more than these fit.
        let limit = Int(clamping: settings.gasLimit / 21_000) + 1
        return BlockPlan(
            parentHash: parent.hash, before: headState, environment: environment,
            beneficiary: profile.shownMiner(environment.coinbase), fees: blockFees,
            extraData: settings.branch == 0 ? [] : U256(settings.branch).minimalBytes, hashes: hashes,
            candidates: candidates ?? ordered(baseFee: baseFee, limit: limit), fork: era.fork,
            engines: era.engines, blockHashOfDecimalText: profile.quirks.blockHashOfDecimalText, work: work,
            parentTotalDifficulty: parent.totalDifficulty, depositContract: depositContract,
            realSeconds: realSeconds, version: version)
    }

    /// What a block of proof of work over `parent` has beside, without a seal and ommers; nil since the merge.
    func work(over parent: StoredBlock, timestamp: UInt64, _ fork: Fork) -> BlockPlan.Work? {
        guard !schedule.isMerged(after: parent.totalDifficulty) else { return nil }
        let later = max(timestamp, parent.header.timestamp)
        return BlockPlan.Work(difficulty: Difficulty.next(after: parent.header, timestamp: later, fork: fork))
    }

    /// Makes a built block the head; false, and nothing changed, when the chain moved on since it was planned.
    package mutating func commit(_ built: BuiltBlock) -> Bool {
        guard built.version == version else { return false }
        append(built.block, States(before: built.before, after: built.after))
        settings.clock.blockWasMade(at: built.realSeconds)
        settings.nextBaseFee = nil
        settings.nextPrevRandao = nil
        preconfirmed = Preconfirmations()
        for (transaction, reason) in built.dropped where pool.remove(transaction.hash) != nil {
            tellDropped(transaction.hash, reason.message)
        }
        for transaction in built.block.transactions {
            pool.sync(transaction.sender, nonce: headState.nonce(transaction.sender))
        }
        events.append(.added(built.block))
        return true
    }

    /// Plans, builds and commits one block.
    @discardableResult
    package mutating func mine(
        at realSeconds: UInt64, candidates: [PooledTransaction]? = nil, timestamp: UInt64? = nil
    ) -> BuiltBlock {
        let built = plan(at: realSeconds, candidates: candidates, timestamp: timestamp).run()
        let done = commit(built)
        precondition(done, "nothing came between the plan and the commit")
        return built
    }
}

extension Code {
    /// True for the designator of EIP-7702.
    static func isDelegation(_ code: Bytes) -> Bool { code.count == 23 && code.starts(with: [0xef, 0x01, 0x00]) }
}
