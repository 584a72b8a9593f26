// The one shared place of a running chain: the value behind its lock, and the way out for what it did. Short things
// happen under the lock; building blocks, recovering signatures and running calls do not.

import Ethereum
import Synchronization

final class ChainHub: Sendable {
    /// What one change did, in the order of the changes.
    struct Batch: Sendable {
        let sequence: UInt64
        let events: [ChainEvent]
        let baseFee: U256
    }

    private struct Held: Sendable {
        var chain: Blockchain
        var filters = FilterRegistry()
        var sequence: UInt64 = 0
    }

    private let held: Mutex<Held>
    /// Of the chain, where it is wanted without the lock.
    let profile: ChainProfile
    let engines: EnginePool
    /// The data directory of a chain that has one.
    private let archive: ChainArchive?
    private let memory: MemoryPlan
    /// All changes, for one reader.
    let batches: AsyncStream<Batch>
    private let out: AsyncStream<Batch>.Continuation
    /// Rung when a transaction waits where none did, and when the cadence changed.
    let bell = Bell()
    /// True once someone listens for transactions that enter the pool; until then those events go to filters only.
    private let tellsPending = Atomic(false)

    init(_ chain: Blockchain, archive: ChainArchive? = nil) {
        self.archive = archive
        memory = chain.configuration.memory
        profile = chain.profile
        engines = chain.engines
        // The reader keeps up or memory grows by what it has not read; it never waits for a client.
        (batches, out) = AsyncStream.makeStream(of: Batch.self, bufferingPolicy: .unbounded)
        held = Mutex(Held(chain: chain))
    }

    /// Ends the stream of changes.
    func close() { out.finish() }

    func read<Result: Sendable, Failure: Error>(
        _ body: (Blockchain) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try held.withLock { held throws(Failure) in try body(held.chain) }
    }

    /// Changes the chain. What it did reaches filters before this returns, and subscribers soon after.
    func change<Result: Sendable, Failure: Error>(
        _ body: (inout Blockchain) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var rings = false
        defer { if rings { bell.ring() } }
        return try held.withLock { held throws(Failure) in
            let waited = held.chain.waits
            defer {
                rings = !waited && held.chain.waits
                passOn(&held)
            }
            return try body(&held.chain)
        }
    }

    /// Writes what changed to the data directory. Nothing of it is answered or told before: a chain that cannot write
    /// stops, and says so.
    private func keep(_ held: inout Held, _ events: [ChainEvent]) {
        guard let archive else { return }
        archive.keepWaiting(events.compactMap { if case .pending(let transaction) = $0 { transaction } else { nil } })
        do throws(DevChainError) { try archive.keep(held.chain) } catch {
            preconditionFailure("\(error.message); the chain stops, since it could not keep what it would acknowledge")
        }
        archive.tidyPool(held.chain.pool)
        held.chain.blocks.keep(bytes: memory.blockBytes)
        if let bytes = memory.stateBytes { held.chain.headState.keepResident(below: bytes) }
    }

    private func passOn(_ held: inout Held) {
        var events = held.chain.takeEvents()
        keep(&held, events)
        guard !events.isEmpty else { return }
        held.filters.apply(events)
        if !tellsPending.load(ordering: .relaxed) { events.removeAll { $0.isPending } }
        guard !events.isEmpty else { return }
        held.sequence += 1
        // Inside the lock, so that batches leave in their order; it only queues.
        out.yield(Batch(sequence: held.sequence, events: events, baseFee: held.chain.nextBaseFee))
    }

    /// From now on transactions that enter the pool are told.
    func tellPending() { tellsPending.store(true, ordering: .relaxed) }

    /// The number of the latest batch: what comes later is new to a subscriber who starts now.
    var sequence: UInt64 { held.withLock { $0.sequence } }

    func filters<Result: Sendable, Failure: Error>(
        _ body: (inout FilterRegistry) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try held.withLock { held throws(Failure) in try body(&held.filters) }
    }
}
