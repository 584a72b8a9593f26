// Takes blocks in that were made elsewhere: decodes them strictly, checks header and body, runs them, and compares what
// that came to with what the header says. Since the merge the last valid block that came is the head, wherever its
// branch began, as a consensus layer would have told it; before it is the one with the most work below it.

import EVM
import Ethereum

extension Blockchain {
    /// Takes in one block in its RLP form and makes it the head, unless it is one of proof of work with no more work
    /// than the head. Throws the rule that it breaks, or `unknownParent`, `belowFinalized`, `statePruned`; nothing has
    /// changed then. A block that is known already becomes the head again by the same rule.
    @discardableResult
    package mutating func importBlock(_ bytes: Bytes) throws(DevChainError) -> StoredBlock {
        let block = try ImportedBlock(bytes)
        if let known = storedBlock(block.hash) {
            if isPreferred(known) { try makeHead(known, branches[known.hash]?.states) }
            return known
        }
        guard let parent = storedBlock(block.header.parentHash) else {
            throw DevChainError(
                .unknownParent,
                "block \(block.header.number) names the parent \(block.header.parentHash), which is not known")
        }
        let before = try stateAfter(parent)
        let era = era(over: parent, timestamp: block.header.timestamp)
        try headerRules(era, over: parent).check(block.header, parent: parent.header)
        let transactions = try block.checkBody(era, chainID: chainID)
        if !block.ommers.isEmpty { try checkOmmers(block, over: parent) }
        let outcome = try plan(block, transactions, parent: parent, before: before, era: era).runExactly()
        try block.compare(with: outcome)
        let states = States(before: before, after: outcome.after)
        if isPreferred(outcome.block) {
            try makeHead(outcome.block, states)
        } else {
            branches.insert(SideBlocks.Entry(block: outcome.block, states: states))
        }
        return outcome.block
    }

    /// Takes in blocks that stand one behind the other; how many. Throws at the first that is refused, and those before
    /// it stay.
    @discardableResult
    package mutating func importChain(_ bytes: Bytes) throws(DevChainError) -> Int {
        let items: [Bytes]
        do throws(EthereumError) { items = try RLP.sequence(bytes) } catch {
            throw DevChainError(.malformedBlock, "the file holds no blocks one behind the other: \(error.message)")
        }
        for (index, item) in items.enumerated() {
            do throws(DevChainError) { try importBlock(item) } catch {
                throw DevChainError(error.code, "block \(index + 1) of \(items.count) in the file: \(error.message)")
            }
        }
        return items.count
    }

    /// Whether a block becomes the head when it comes: proof of work goes by the total difficulty.
    private func isPreferred(_ block: StoredBlock) -> Bool {
        block.header.difficulty.isZero || block.totalDifficulty > head.totalDifficulty
    }

    /// A block of the chain or of a branch beside it.
    private func storedBlock(_ hash: Hash32) -> StoredBlock? {
        numbers[hash].map { blocks[Int($0)] } ?? branches[hash]?.block
    }

    private func headerRules(_ era: Era, over parent: StoredBlock) -> HeaderRules {
        HeaderRules(
            fork: era.fork, rules: era.rules, baseFee: profile.baseFee,
            isMerged: schedule.isMerged(after: parent.totalDifficulty))
    }

    private func checkOmmers(_ block: ImportedBlock, over parent: StoredBlock) throws(DevChainError) {
        var ancestors: [Ancestor] = []
        var next: StoredBlock? = parent
        while let ancestor = next, ancestors.count < OmmerRules.depth {
            ancestors.append(Ancestor(header: ancestor.header, ommers: ancestor.ommers))
            next = storedBlock(ancestor.header.parentHash)
        }
        try OmmerRules.check(block.ommers, of: block.header, ancestors: ancestors) { ommer in
            let era = era(of: ommer)
            return HeaderRules(fork: era.fork, rules: era.rules, baseFee: profile.baseFee, isMerged: false)
        }
    }

    private func stateAfter(_ block: StoredBlock) throws(DevChainError) -> WorldState {
        if block === head { return headState }
        if let entry = branches[block.hash] { return entry.states.after }
        return try states(of: block).after
    }

    private func plan(
        _ block: ImportedBlock, _ transactions: [PooledTransaction], parent: StoredBlock, before: WorldState, era: Era
    ) -> BlockPlan {
        let header = block.header
        let excess = header.excessBlobGas ?? 0
        let environment = BlockEnvironment(
            chainID: chainID, number: header.number, timestamp: header.timestamp, coinbase: header.beneficiary,
            gasLimit: header.gasLimit, baseFee: header.baseFeePerGas ?? .zero, prevRandao: header.randomness,
            excessBlobGas: excess, blobBaseFee: era.rules.blobBaseFee(excessBlobGas: excess))
        return BlockPlan(
            parentHash: parent.hash, before: before, environment: environment, extraData: header.extraData,
            hashes: hashes(upTo: parent), candidates: transactions, fork: era.fork, engines: era.engines,
            blockHashOfDecimalText: profile.quirks.blockHashOfDecimalText, withdrawals: block.withdrawals,
            work: block.work, parentTotalDifficulty: parent.totalDifficulty,
            parentBeaconBlockRoot: header.parentBeaconBlockRoot ?? .zero, depositContract: depositContract,
            realSeconds: 0, version: version)
    }

    /// The hashes that code of a block over `parent` may ask for.
    private func hashes(upTo parent: StoredBlock) -> RecentHashes {
        if parent === head { return hashes }
        var latest: [Hash32] = []
        var next: StoredBlock? = parent
        while let block = next, latest.count < Limits.blockHashesKept {
            latest.append(block.hash)
            next = storedBlock(block.header.parentHash)
        }
        return RecentHashes(first: parent.number + 1 - UInt64(latest.count), latest.reversed())
    }

    // MARK: The head

    /// Makes a block the head whose parent is known: blocks off its way leave the chain, those on it come back. `states`
    /// are nil for a block of the chain itself.
    private mutating func makeHead(_ block: StoredBlock, _ states: States?) throws(DevChainError) {
        if block === head { return }
        var coming: [SideBlocks.Entry] = []
        var base = block.hash
        if let states {
            coming.append(SideBlocks.Entry(block: block, states: states))
            base = block.header.parentHash
        }
        while numbers[base] == nil {
            guard let entry = branches[base] else {
                throw DevChainError(.unknownParent, "the branch of block \(block.hash) is no longer kept whole")
            }
            coming.append(entry)
            base = entry.block.header.parentHash
        }
        guard let ancestor = numbers[base], ancestor >= finalized else {
            throw DevChainError(
                .belowFinalized,
                "block \(block.hash) stands on a branch that begins below the finalized block \(finalized)")
        }
        leave(downTo: ancestor)
        for entry in coming.reversed() {
            branches.remove(entry.block.hash)
            append(entry.block, entry.states)
            events.append(.added(entry.block))
        }
        let state = headState
        pool.syncAll { state.nonce($0) }
    }

    private mutating func leave(downTo ancestor: UInt64) {
        guard head.number > ancestor else { return }
        let count = Int(head.number - ancestor)
        let base = states[Int(ancestor) + 1]?.before
        for _ in 0..<count {
            let (block, states) = removeLast()
            if let states { branches.insert(SideBlocks.Entry(block: block, states: states)) }
        }
        rebuildHashes(dropping: count)
        safe = min(safe, head.number)
        if let base { headState = base }
        version += 1
    }
}

extension BlockPlan {
    /// Runs the candidates, all of them and in their order, or throws.
    func runExactly() throws(DevChainError) -> BlockRun.Outcome {
        try engines.use { engine throws(DevChainError) in
            var run = BlockRun(plan: self, engine: engine)
            for (index, candidate) in candidates.enumerated() {
                let reason: DevChainError?
                do throws(TransactionRefusal) { reason = try run.run(candidate) } catch {
                    throw DevChainError(.invalidTransaction, "transaction \(index) cannot be in the block: \(error)")
                }
                if let reason { throw reason }
            }
            let outcome = run.finish()
            if let failure = outcome.systemFailure { throw failure }
            return outcome
        }
    }
}
