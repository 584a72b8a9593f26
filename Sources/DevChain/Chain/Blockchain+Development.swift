// What only a development chain can do: change state by hand, travel in time, go back, and reorganise.

import EVM
import Ethereum

extension Blockchain {
    // MARK: State by hand. It shows at once and goes into the next block's state root.

    package mutating func setBalance(_ balance: U256, of address: Address) {
        headState.setBalance(balance, of: address)
        version += 1
    }

    package mutating func setCode(_ code: Bytes, of address: Address) {
        headState.setCode(code, of: address)
        version += 1
    }

    package mutating func setNonce(_ nonce: UInt64, of address: Address) {
        headState.setNonce(nonce, of: address)
        pool.sync(address, nonce: nonce)
        version += 1
    }

    package mutating func setStorage(_ slot: U256, to value: U256, of address: Address) {
        headState.setStorage(slot, to: value, of: address)
        version += 1
    }

    // MARK: Accounts without keys

    package mutating func impersonate(_ address: Address) { impersonated.insert(address) }

    /// False when it was not impersonated.
    @discardableResult
    package mutating func stopImpersonating(_ address: Address) -> Bool { impersonated.remove(address) != nil }

    package mutating func setAutoImpersonation(_ on: Bool) { impersonatesAll = on }

    package func isImpersonated(_ address: Address) -> Bool { impersonatesAll || impersonated.contains(address) }

    // MARK: Blocks to come

    package mutating func setGasLimit(_ limit: UInt64) { settings.gasLimit = limit }

    /// Throws where headers do not tell the fee recipient: it is the profile's for all blocks then.
    package mutating func setCoinbase(_ address: Address) throws(DevChainError) {
        guard !profile.quirks.minerZero else {
            throw DevChainError(
                .fixedByProfile, "the fee recipient of this chain is \(profile.coinbase), by its profile")
        }
        settings.coinbase = address
    }

    package mutating func setNextBaseFee(_ wei: U256) { settings.nextBaseFee = wei }

    package mutating func setNextPrevRandao(_ value: Hash32) { settings.nextPrevRandao = value }

    /// Adds seconds to the clock; the seconds that were added in all.
    package mutating func increaseTime(by seconds: UInt64) throws(DevChainError) -> Int64 {
        guard seconds <= Limits.timeStepMaximum else {
            throw DevChainError(
                .limitExceeded, "time can be moved by at most \(Limits.timeStepMaximum) seconds, not \(seconds)")
        }
        settings.clock.advance(by: seconds)
        return settings.clock.offset
    }

    /// Sets the next block's timestamp, which must not be below the last block's.
    package mutating func setNextTimestamp(_ timestamp: UInt64) throws(DevChainError) {
        try checkTimestamp(timestamp)
        settings.clock.setNext(timestamp)
    }

    /// Makes `timestamp` the chain's present.
    package mutating func setTime(_ timestamp: UInt64, at realSeconds: UInt64) throws(DevChainError) {
        try checkTimestamp(timestamp)
        settings.clock.set(timestamp, at: realSeconds)
    }

    /// From now on each block's timestamp is this much above its parent's; nil leaves them to the clock again. False
    /// when there was nothing to remove.
    @discardableResult
    package mutating func setTimestampInterval(_ seconds: UInt64?) throws(DevChainError) -> Bool {
        if let seconds, seconds > Limits.timeStepMaximum {
            throw DevChainError(
                .limitExceeded, "blocks are at most \(Limits.timeStepMaximum) seconds apart, not \(seconds)")
        }
        let was = settings.clock.interval
        settings.clock.setInterval(seconds)
        return was != nil
    }

    private func checkTimestamp(_ timestamp: UInt64) throws(DevChainError) {
        let last = head.header.timestamp
        let rises = profile.cadence.risingTimestamps
        guard rises ? timestamp > last : timestamp >= last else {
            throw DevChainError(
                .timestampTooLow,
                "timestamp \(timestamp) is \(rises ? "not above" : "below") that of block \(head.number), which has "
                    + "\(last)")
        }
        guard timestamp <= Limits.timeStepMaximum * 2 else {
            throw DevChainError(
                .limitExceeded, "timestamp \(timestamp) is past the limit \(Limits.timeStepMaximum * 2)")
        }
    }

    // MARK: Pool

    /// Takes a transaction out of the pool; false when it does not wait there.
    package mutating func drop(_ hash: Hash32) -> Bool {
        guard pool.remove(hash) != nil else { return false }
        tellDropped(hash, "dropped by request")
        return true
    }

    package mutating func dropAll() {
        for transaction in pool.removeAll() { tellDropped(transaction.hash, "dropped by request") }
    }

    /// Takes all transactions of one sender out of the pool.
    package mutating func dropAll(of sender: Address) {
        for transaction in pool.removeAll(of: sender) { tellDropped(transaction.hash, "dropped by request") }
    }

    // MARK: Going back

    /// Goes back to the genesis block: pool, snapshots, clock, impersonations and finality are as at the start.
    package mutating func reset() {
        dropAll()
        while blocks.count > 1 { _ = removeLast() }
        var fresh = Blockchain(configuration, in: headState.emptied)
        fresh.blocks.shelf = blocks.shelf
        fresh.version += version + 1
        fresh.events = takeEvents()
        self = fresh
    }

    /// Remembers the present; its number.
    package mutating func takeSnapshot() throws(DevChainError) -> UInt64 {
        guard snapshots.count < Limits.snapshotsMaximum else {
            throw DevChainError(
                .limitExceeded, "\(snapshots.count) snapshots are held; revert to one of them to let the later ones go")
        }
        snapshotCount += 1
        snapshots.append(
            Snapshot(
                id: snapshotCount, number: head.number, hash: head.hash, headState: headState, safe: safe,
                finalized: finalized, pool: pool, settings: settings))
        return snapshotCount
    }

    /// Goes back to a snapshot, which is used up with those after it. False when it is not known: never taken, used, or
    /// its block was reorganised away. This is the one way in which finality moves down.
    package mutating func revert(to id: UInt64) -> Bool {
        guard let index = snapshots.firstIndex(where: { $0.id == id }) else { return false }
        let snapshot = snapshots[index]
        precondition(blocks[Int(snapshot.number)].hash == snapshot.hash, "a snapshot stands on a block of the chain")
        let earlier = Array(snapshots[..<index])
        var gone = 0
        while head.number > snapshot.number {
            _ = removeLast()
            gone += 1
        }
        snapshots = earlier
        rebuildHashes(dropping: gone)
        headState = snapshot.headState
        safe = snapshot.safe
        finalized = snapshot.finalized
        pool = snapshot.pool
        preconfirmed = Preconfirmations()
        settings = snapshot.settings
        version += 1
        return true
    }

    /// Replaces the last `depth` blocks by as many others with the same timestamps.
    /// - Parameters:
    ///   - transactions: what the new blocks hold, by position from the first new one; the others are empty.
    ///   - restoring: puts the transactions of the removed blocks that the new ones do not hold back into the pool.
    /// - Returns: the new blocks.
    /// - Throws: `belowFinalized` when a finalized block would go, `limitExceeded`; nothing has changed then.
    package mutating func reorg(
        depth: UInt64, transactions: [Int: [PooledTransaction]] = [:], restoring: Bool = false,
        at realSeconds: UInt64
    ) throws(DevChainError) -> [StoredBlock] {
        guard transactions.keys.allSatisfy({ $0 >= 0 && $0 < Int(clamping: depth) }) else {
            throw DevChainError(
                .limitExceeded, "a transaction of the new branch is for a block past its \(depth) blocks")
        }
        let removed = try unwind(depth)
        settings.branch += 1
        var added: [StoredBlock] = []
        for (offset, old) in removed.reversed().enumerated() {
            let built = mine(
                at: realSeconds, candidates: transactions[offset] ?? [], timestamp: old.header.timestamp)
            added.append(built.block)
        }
        finishUnwinding(removed, restoring: restoring)
        return added
    }

    /// Takes the last `depth` blocks away.
    package mutating func rollback(depth: UInt64, restoring: Bool = false) throws(DevChainError) -> [StoredBlock] {
        let removed = try unwind(depth)
        settings.branch += 1
        finishUnwinding(removed, restoring: restoring)
        return removed
    }

    /// Removes blocks, newest first, and steps back to the state before the oldest of them.
    private mutating func unwind(_ depth: UInt64) throws(DevChainError) -> [StoredBlock] {
        guard depth <= Limits.reorgDepthMaximum else {
            throw DevChainError(
                .limitExceeded, "a reorg goes at most \(Limits.reorgDepthMaximum) blocks deep, not \(depth)")
        }
        guard depth <= head.number, head.number - depth >= finalized else {
            throw DevChainError(
                .belowFinalized,
                "a reorg of \(depth) blocks would remove finalized blocks: the latest is \(head.number), block "
                    + "\(finalized) is finalized; at most \(head.number - finalized) can go")
        }
        guard depth > 0 else { return [] }
        guard let base = states[blocks.count - Int(depth)]?.before else {
            throw DevChainError(
                .statePruned, "the state \(depth) blocks ago is no longer kept (the last \(statesKept) are)")
        }
        var removed: [StoredBlock] = []
        for _ in 0..<depth { removed.append(removeLast().block) }
        rebuildHashes(dropping: Int(depth))
        headState = base
        safe = min(safe, head.number)
        preconfirmed = Preconfirmations()
        version += 1
        return removed
    }

    private mutating func finishUnwinding(_ removed: [StoredBlock], restoring: Bool) {
        let state = headState
        pool.syncAll { state.nonce($0) }
        for block in removed.reversed() {
            for transaction in block.transactions where place(of: transaction.hash) == nil {
                guard restoring else {
                    tellDropped(transaction.hash, "its block was reorganised away")
                    continue
                }
                do throws(DevChainError) { try submit(transaction) } catch {
                    tellDropped(transaction.hash, error.message)
                }
            }
        }
    }

    mutating func rebuildHashes(dropping count: Int) {
        guard count > 0 else { return }
        let first = max(blocks.count - Limits.blockHashesKept, 0)
        hashes = RecentHashes(first: UInt64(first), blocks[first..<blocks.count].map(\.hash))
    }
}
