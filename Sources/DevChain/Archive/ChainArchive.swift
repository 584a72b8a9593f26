// What a chain with a data directory keeps on disk, and how a restart finds it: blocks, the changes of each step and code
// in one SQLite file, the state in a file that is changed in place, waiting transactions in a third. A step is written
// before anything of it is answered or told.

import EVM
import Ethereum
import Logging
import Storage
import Synchronization

package final class ChainArchive: Sendable {
    /// What was there when the directory was opened.
    struct Content: Sendable {
        /// By number, from the genesis block on.
        var blocks: [(hash: Hash32, transactions: [Hash32])]
        var blocksWithLogs: [UInt64]
        var state: WorldState
        var settings: JSON
        /// Raw transactions that waited, as `PoolJournal` holds them.
        var waiting: [Bytes]
    }

    private struct Written: Sendable {
        var position: UInt64
        var state: WorldState
        /// By number.
        var hashes: [Hash32]
        /// The number that the next new code has.
        var nextCode: Int
        var settings: ArchivedSettings?
        /// Of the chain, when it was written last.
        var version: UInt64?
    }

    let store: BlockStore
    let journal: PoolJournal
    private let written: Mutex<Written>
    private let cache = Mutex<[Int: StoredBlock]>([:])
    private let logger: Logger

    /// Opens a directory; what it holds, or nil when it is new. `state` is the first state of a new one.
    static func open(
        _ directory: String, role: String, logger: Logger
    ) throws(DevChainError) -> (archive: ChainArchive, content: Content?, state: WorldState) {
        let store: BlockStore
        do throws(StorageError) {
            store = try BlockStore(path: directory + "/chain.db", role: role, logger: logger)
        } catch { throw DevChainError(storage: error) }
        let (journal, waiting) = try PoolJournal.open(path: directory + "/pool.log")
        let codes = CodeTable()
        do throws(StorageError) { for code in try store.codes() { codes.insert(code.hash, code.content) } } catch {
            throw DevChainError(storage: error)
        }
        let file = try StateFile(path: directory + "/state")
        var state = WorldState(StateStore(StateTree(file, codes: codes)))
        let began = try Self.replay(store, &state, logger)
        guard let position = began else {
            let archive = ChainArchive(
                store, journal, Written(position: 0, state: state, hashes: [], nextCode: 1, settings: nil), logger)
            return (archive, nil, state)
        }
        let content = try Self.content(store, state, waiting)
        let archive = ChainArchive(
            store, journal,
            Written(
                position: position, state: state, hashes: content.blocks.map(\.hash), nextCode: codes.count,
                settings: nil), logger)
        return (archive, content, state)
    }

    private init(_ store: BlockStore, _ journal: PoolJournal, _ written: Written, _ logger: Logger) {
        self.store = store
        self.journal = journal
        self.written = Mutex(written)
        self.logger = logger
    }

    /// Brings the state to the last step; its position, or nil when there is none.
    private static func replay(
        _ store: BlockStore, _ state: inout WorldState, _ logger: Logger
    ) throws(DevChainError) -> UInt64? {
        do {
            guard let last = try store.lastPosition() else { return nil }
            let reached = state.syncedPosition
            guard reached <= last else {
                throw DevChainError(
                    .storeFailed,
                    "the state file is at step \(reached), chain.db only at \(last): one of them is not of this chain; "
                        + "move the state file away and it is made again")
            }
            if reached < last {
                logger.notice(
                    "state is brought up to date", metadata: ["from": "\(reached)", "to": "\(last)"])
            }
            var current = state
            try store.forEachStep(after: reached) { position, bytes in
                current.apply(try ChangeCoding.changes(bytes))
                if position % 1_000 == 0 { current.sync(position: position) }
            }
            state = current
            state.sync(position: last)
            return last
        } catch { throw DevChainError(storage: error) }
    }

    private static func content(
        _ store: BlockStore, _ state: WorldState, _ waiting: [Bytes]
    ) throws(DevChainError) -> Content {
        do {
            var blocks: [(hash: Hash32, transactions: [Hash32])] = []
            var blocksWithLogs: [UInt64] = []
            try store.forEachBlock { number, hash, transactions, logs in
                guard number == UInt64(blocks.count) else {
                    throw DevChainError(.storeFailed, "chain.db has no block \(blocks.count) but block \(number)")
                }
                blocks.append((hash, transactions))
                if logs > 0 { blocksWithLogs.append(number) }
            }
            guard !blocks.isEmpty else { throw DevChainError(.storeFailed, "chain.db has steps and no block") }
            let settings = try store.settings().map { try JSON.parse($0) } ?? .null
            return Content(
                blocks: blocks, blocksWithLogs: blocksWithLogs, state: state, settings: settings, waiting: waiting)
        } catch { throw DevChainError(storage: error) }
    }

    // MARK: Writing

    /// Writes what the chain became since the last call, if it changed. It is on the disk when this returns.
    func keep(_ chain: Blockchain) throws(DevChainError) {
        do {
            try written.withLock { written in
                let settings = ArchivedSettings(chain)
                guard written.version != chain.version || written.settings != settings else { return }
                var common = min(written.hashes.count, chain.blocks.count)
                while common > 0, chain.blocks[common - 1].hash != written.hashes[common - 1] { common -= 1 }
                let new = Array(chain.blocks[common..<chain.blocks.count])
                let position = written.position + 1
                let codes = chain.headState.codes(from: written.nextCode)
                let numbered = codes.enumerated().map { index, code in
                    (number: UInt64(written.nextCode + index), hash: code.hash, content: code.code)
                }
                try store.write(
                    BlockStore.Step(
                        position: position, removesFrom: common < written.hashes.count ? UInt64(common) : nil,
                        blocks: new.map { block in
                            BlockStore.Block(
                                number: block.number, hash: block.hash, transactions: block.transactions.map(\.hash),
                                logs: block.outcomes.reduce(0) { $0 + $1.receipt.logs.count }, content: block.archived)
                        },
                        changes: ChangeCoding.bytes(chain.headState.changes(since: written.state)), codes: numbered,
                        settings: Bytes(settings.json(stateRoot: chain.headState.root).text.utf8)))
                if common < written.hashes.count { cache.withLock { $0 = $0.filter { $0.key < common } } }
                chain.headState.sync(position: position)
                written.position = position
                written.state = chain.headState
                written.hashes.removeLast(written.hashes.count - common)
                written.hashes += new.map(\.hash)
                written.nextCode += codes.count
                written.settings = settings
                written.version = chain.version
            }
        } catch { throw DevChainError(storage: error) }
    }

    /// Keeps transactions that the pool took.
    func keepWaiting(_ transactions: [PooledTransaction]) {
        journal.append(transactions.map(\.kept))
    }

    /// Begins the pool's file anew once it is large.
    func tidyPool(_ pool: TransactionPool) {
        guard journal.size > Limits.poolJournalBytesMaximum + 2 * pool.count * 300 else { return }
        journal.rewrite(pool.contents.flatMap { ($0.ready + $0.gapped).map(\.kept) })
    }

    /// Ends the use of the directory.
    func close() throws(DevChainError) {
        let (state, position) = written.withLock { ($0.state, $0.position) }
        state.close(position: position)
        do throws(StorageError) { try store.close() } catch { throw DevChainError(storage: error) }
    }
}

extension ChainArchive: BlockShelf {
    func block(_ number: Int) -> StoredBlock {
        if let known = cache.withLock({ $0[number] }) { return known }
        do {
            guard let bytes = try store.block(UInt64(number)) else {
                preconditionFailure("block \(number) is not in chain.db, which the chain relies on")
            }
            let block = try StoredBlock.archived(bytes)
            cache.withLock { cache in
                if cache.count >= Limits.archivedBlocksCached { cache.removeAll() }
                cache[number] = block
            }
            return block
        } catch { preconditionFailure("block \(number) cannot be read from chain.db: \(error)") }
    }
}

extension DevChainError {
    /// A failure of the data directory, in its own words.
    init(storage error: any Error) {
        self = error as? DevChainError ?? DevChainError(.storeFailed, "the data directory: \(error)")
    }
}
