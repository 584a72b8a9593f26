// What may be asked of the chain: blocks by tag, number or hash, states, logs, fees.

import EVM
import Ethereum

/// How a caller names a block.
package enum BlockSelector: Sendable, Equatable {
    case earliest, finalized, safe, latest, pending
    case number(UInt64)
    case hash(Hash32)
}

extension Blockchain {
    /// The block that is named; nil when there is none. `pending` is the head here: what is to come is a plan.
    package func block(_ selector: BlockSelector) -> StoredBlock? {
        switch selector {
        case .earliest: blocks.first
        case .finalized: blocks[Int(finalized)]
        case .safe: blocks[Int(safe)]
        case .latest, .pending: head
        case .number(let number): number < UInt64(blocks.count) ? blocks[Int(number)] : nil
        case .hash(let hash): numbers[hash].map { blocks[Int($0)] }
        }
    }

    /// The named block, or a refusal that says which was asked for.
    package func knownBlock(_ selector: BlockSelector) throws(DevChainError) -> StoredBlock {
        if let block = block(selector) { return block }
        switch selector {
        case .number(let number):
            throw DevChainError(
                .blockNotFound, "header not found: no block \(number) yet, the latest is \(head.number)")
        case .hash(let hash): throw DevChainError(.blockNotFound, "header not found: no block \(hash) in the chain")
        default: throw DevChainError(.blockNotFound, "header not found")
        }
    }

    /// The state after the named block. The latest one's includes what development methods changed since.
    package func state(_ selector: BlockSelector) throws(DevChainError) -> WorldState {
        let block = try knownBlock(selector)
        return block === head ? headState : try states(of: block).after
    }

    /// The states around a block.
    package func states(of block: StoredBlock) throws(DevChainError) -> States {
        if let around = states[Int(block.number)] { return around }
        throw DevChainError(
            .statePruned,
            "missing trie node: the state of block \(block.number) is no longer kept (the last \(statesKept) are)")
    }

    /// Where a transaction stands, if a block holds it.
    package func place(of hash: Hash32) -> (block: StoredBlock, index: Int)? {
        for place in places.places(hash) {
            let block = blocks[Int(place.number)]
            if block.transactions[place.index].hash == hash { return (block, place.index) }
        }
        return nil
    }

    /// The nonce of an account, counting what waits in the pool.
    package func pendingNonce(_ address: Address) -> UInt64 {
        max(headState.nonce(address), pool.nextNonce(address) ?? 0)
    }

    /// A view in which calls run as if inside the named block.
    package func view(_ selector: BlockSelector) throws(DevChainError) -> CallView {
        let block = try knownBlock(selector)
        return CallView(
            state: try state(selector), environment: environment(of: block), hashes: hashes(before: block),
            blockHashOfDecimalText: profile.quirks.blockHashOfDecimalText,
            engines: era(of: block.header).engines)
    }

    /// A view in which a block's transactions can be run again: the state that it started from.
    package func replayView(_ block: StoredBlock) throws(DevChainError) -> CallView {
        CallView(
            state: try states(of: block).before, environment: environment(of: block), hashes: hashes(before: block),
            blockHashOfDecimalText: profile.quirks.blockHashOfDecimalText,
            engines: era(of: block.header).engines)
    }

    /// The hashes that code of a block may ask for.
    func hashes(before block: StoredBlock) -> RecentHashes {
        if block.number + UInt64(Limits.blockHashesKept) > UInt64(blocks.count) { return hashes }
        let first = block.number > UInt64(Limits.blockHashesKept) ? Int(block.number) - Limits.blockHashesKept : 0
        return RecentHashes(first: UInt64(first), blocks[first..<Int(block.number)].map(\.hash))
    }

    /// The hashes that code of a block over `block` may ask for.
    func hashes(through block: StoredBlock) -> RecentHashes {
        var hashes = hashes(before: block)
        if hashes[block.number] == nil { hashes.append(block.hash) }
        return hashes
    }

    /// What code of a block knows of it.
    package func environment(of block: StoredBlock) -> BlockEnvironment {
        let header = block.header
        let excess = header.excessBlobGas ?? 0
        return BlockEnvironment(
            chainID: chainID, number: header.number, timestamp: header.timestamp,
            coinbase: profile.quirks.minerZero ? profile.coinbase : header.beneficiary,
            gasLimit: header.gasLimit, baseFee: block.baseFee, prevRandao: header.randomness, excessBlobGas: excess,
            blobBaseFee: profile.quirks.blobBaseFeeZero
                ? .zero : era(of: header).rules.blobBaseFee(excessBlobGas: excess))
    }

    /// How far a rollup's batches are on their L1; nil on a chain that is none.
    package var rollupLevels: [(level: ChainProfile.Rollup.Level, block: UInt64)]? {
        guard case .rollup(let rollup) = profile.finality.rule else { return nil }
        return rollup.levels(head: head.number) { block(.number($0))?.header.timestamp ?? 0 }
    }

    /// The tip that a sender without haste should offer, in wei.
    package var suggestedTip: U256 { profile.quirks.priorityFeeZero ? .zero : 1_000_000_000 }

    /// Logs that match, oldest first.
    package func logs(_ filter: LogFilter) throws(DevChainError) -> [LogEntry] {
        try LogSearch(filter).collect(from: try blocks(of: filter))
    }

    /// The blocks that a filter asks to look through, as far as they may hold what it names. Apart from the looking, which takes long and needs no lock.
    package func blocks(of filter: LogFilter) throws(DevChainError) -> [StoredBlock] {
        switch filter.blocks {
        case .hash(let hash): return [try knownBlock(.hash(hash))]
        case .range(let from, let to):
            let first = try firstBlock(from)
            let last = min(try firstBlock(to), head.number)
            guard first <= last else { return [] }
            let most = profile.rpc.logBlocksMaximum
            guard last - first < most else {
                throw DevChainError(
                    .limitExceeded,
                    "query exceeds the range of \(most) blocks: \(first) to \(last); ask for less "
                        + "at a time")
            }
            let range = first...last
            return (logIndex.candidates(filter, in: range) ?? Array(range)).map { blocks[Int($0)] }
        }
    }

    /// The number that a bound of a range stands for; one above the head stands as it is.
    private func firstBlock(_ selector: BlockSelector) throws(DevChainError) -> UInt64 {
        if case .number(let number) = selector { return number }
        return try knownBlock(selector).number
    }
}
