// The one that makes blocks and changes what blocks are made from, one thing after another. A block is built beside the
// lock, so readers go on.

import Ethereum
import JSONRPC
import Logging

actor BlockProducer {
    private let hub: ChainHub
    private let clock: WallClock
    private let metrics: NodeMetrics
    private let logger: Logger
    private var logsBlocks = true

    init(hub: ChainHub, clock: @escaping WallClock, metrics: NodeMetrics, logger: Logger) {
        self.hub = hub
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    private var seconds: UInt64 { clock() / 1000 }

    /// Makes one block now.
    @discardableResult
    func mine(timestamp: UInt64? = nil) -> StoredBlock {
        let began = ContinuousClock.now
        while true {
            let seconds = seconds
            let plan = hub.read { $0.plan(at: seconds, timestamp: timestamp) }
            let built = plan.run()
            // Only this actor changes the head, so one turn does; a second one costs a block's work and is right too.
            guard hub.change({ $0.commit(built) }) else { continue }
            tell(built, took: ContinuousClock.now - began)
            return built.block
        }
    }

    /// Whether blocks that are made are logged.
    func setLogging(_ on: Bool) { logsBlocks = on }

    private func tell(_ built: BuiltBlock, took: Duration) {
        let block = built.block
        metrics.blocks.add()
        metrics.transactions.add(UInt64(block.transactions.count))
        metrics.buildSeconds.observe(took / .seconds(1))
        for (transaction, reason) in built.dropped {
            metrics.dropped.add()
            logger.warning(
                "transaction dropped from the pool",
                metadata: [
                    LogKey.transaction: "\(transaction.hash)", LogKey.reason: "\(reason.message)",
                    LogKey.block: "\(block.number)",
                ])
        }
        guard logsBlocks else { return }
        logger.debug(
            "block made",
            metadata: [
                LogKey.block: "\(block.number)", LogKey.hash: "\(block.hash)",
                LogKey.transactions: "\(block.transactions.count)", LogKey.gas: "\(block.header.gasUsed)",
            ])
    }

    /// Lets the pending block take up what waits, on a chain that preconfirms; how many transactions it holds.
    @discardableResult
    func preconfirm() -> Int {
        while hub.read({ $0.preconfirms && $0.hasUnconfirmed }) {
            let seconds = seconds
            let built = hub.read { $0.plan(at: seconds) }.run()
            // A block made by hand may have come between the plan and this.
            if hub.change({ $0.preconfirm(built) }) { break }
        }
        return hub.read { $0.preconfirmedBlock?.block.transactions.count ?? 0 }
    }

    /// Makes blocks until no transaction waits that a block could hold.
    func mineWaiting() {
        while hub.read({ $0.hasWork }) {
            if mine().transactions.isEmpty { return }
        }
    }

    /// Makes `count` blocks with `interval` seconds between their timestamps; nil leaves them to the clock.
    func mine(count: UInt64, interval: UInt64?) -> StoredBlock? {
        var last: StoredBlock?
        for position in 0..<count {
            if position > 0, let interval, let last {
                let (next, overflow) = last.header.timestamp.addingReportingOverflow(interval)
                let reached = hub.change { chain in
                    do throws(DevChainError) {
                        try chain.setNextTimestamp(overflow ? .max : next)
                        return true
                    } catch { return false }
                }
                guard reached else { return last }
            }
            last = mine()
        }
        return last
    }

    /// Changes the chain while no block is being made.
    func perform<Result: Sendable, Failure: Error>(
        _ body: @Sendable (inout Blockchain, _ realSeconds: UInt64) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let seconds = seconds
        return try hub.change { chain throws(Failure) in try body(&chain, seconds) }
    }
}
