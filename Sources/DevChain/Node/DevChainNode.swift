// A running chain: its RPC server, its block timer, its subscribers. The one place of this room that reads a clock.

import EVM
import Ethereum
import JSONRPC
import Logging
import Synchronization

/// Milliseconds since 1970.
package typealias WallClock = @Sendable () -> UInt64

package struct DevChainOptions: Sendable {
    /// Loopback unless someone decides otherwise.
    package var host = "127.0.0.1"
    /// The profile's port when nil; 0 takes any free one.
    package var port: Int?
    /// True takes the next free port when the one that was asked for is taken.
    package var triesNextPorts = false
    /// The words of the funded accounts. Known to everyone: for local chains only.
    package var mnemonic = Mnemonic.developmentText
    package var accountCount = 10
    /// Wei of each account; 10,000 ether.
    package var balance: U256 = U256(10_000) * U256(1_000_000_000_000_000_000)
    /// Further balances at the start.
    package var balances: [(address: Address, wei: U256)] = []
    /// Further code at the start.
    package var codes: [(address: Address, code: Bytes)] = []
    /// Further accounts at the start, whole.
    package var accounts: [AccountChange] = []
    /// Seconds since 1970; now when nil. With a fixed one and fixed calls every block hash is the same again.
    package var genesisTimestamp: UInt64?
    package var fork = Fork.prague
    package var statesKept = Limits.statesKept
    /// The folder that keeps the chain over restarts; nil for a chain that ends with its process.
    package var dataDirectory: String?
    /// Bytes that the process should stay below; only with a data directory, where what is let go can be read again.
    package var memoryBudget: Int?
    /// Instead of the profile's.
    package var cadence: MiningCadence?
    package var clock: WallClock = DevChainNode.systemClock
    package var metrics = MetricsRegistry()

    package init() {}
}

package final class DevChainNode: Sendable {
    package let profile: ChainProfile
    /// The funded accounts, in the order of their derivation.
    package let accounts: [PrivateKey]
    package let metrics: MetricsRegistry
    let hub: ChainHub
    private let archive: ChainArchive?
    let service: ChainService
    private let producer: BlockProducer
    private let cadence: CadenceControl
    private let counters: NodeMetrics
    private let server: RPCServer
    private let logger: Logger
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// Throws for a mnemonic or a count of accounts that cannot be.
    package convenience init(profile: ChainProfile, options: DevChainOptions = DevChainOptions(), logger: Logger)
        throws(DevChainError)
    {
        let accounts = try Self.accounts(options)
        var configuration = Blockchain.Configuration(
            profile: profile, fork: options.fork, genesisTimestamp: options.genesisTimestamp ?? options.clock() / 1000,
            codes: options.codes, statesKept: options.statesKept)
        configuration.accounts = options.accounts
        configuration.balances = accounts.map { ($0.address, options.balance) } + options.balances
        var logger = logger
        logger[metadataKey: LogKey.chain] = "\(profile.name)"
        let (chain, archive) = try Self.chain(&configuration, options, logger)
        try self.init(chain, archive, options, logger)
    }

    /// A node over a chain that is there already, in memory; of the options, those that make a genesis block or name a
    /// directory do not count.
    package convenience init(
        chain: Blockchain, options: DevChainOptions = DevChainOptions(), logger: Logger
    ) throws(DevChainError) {
        try self.init(chain, nil, options, logger)
    }

    private init(
        _ chain: Blockchain, _ archive: ChainArchive?, _ options: DevChainOptions, _ logger: Logger
    ) throws(DevChainError) {
        let profile = chain.profile
        self.logger = logger
        self.profile = profile
        metrics = options.metrics
        let accounts = try Self.accounts(options)
        self.accounts = accounts
        self.archive = archive
        let hub = ChainHub(chain, archive: archive)
        self.hub = hub
        counters = NodeMetrics(options.metrics, chain: profile.name)
        let producer = BlockProducer(hub: hub, clock: options.clock, metrics: counters, logger: logger)
        self.producer = producer
        cadence = CadenceControl(options.cadence ?? MiningCadence(profile.cadence))
        service = ChainService(
            hub: hub, producer: producer, cadence: cadence, accounts: accounts, clock: options.clock, logger: logger)
        var server = RPCServer.Configuration(
            host: options.host, port: options.port ?? profile.port,
            triesNextPorts: options.triesNextPorts ? Limits.portAttemptsMaximum : 0, metrics: options.metrics,
            label: profile.name)
        let registry = options.metrics
        let name = profile.name
        server.routes = [
            "/health": { Self.health(hub, name) },
            "/ready": { Self.health(hub, name) },
            "/metrics": { .metrics(registry) },
        ]
        self.server = RPCServer(configuration: server, service: service, logger: logger)
    }

    /// The chain that the data directory holds, or a new one.
    private static func chain(
        _ configuration: inout Blockchain.Configuration, _ options: DevChainOptions, _ logger: Logger
    ) throws(DevChainError) -> (Blockchain, ChainArchive?) {
        if let budget = options.memoryBudget {
            guard options.dataDirectory != nil else {
                throw DevChainError(
                    .limitExceeded, "a memory budget needs a data directory: what is let go is read again from there")
            }
            guard budget >= Limits.memoryBudgetMinimum else {
                throw DevChainError(
                    .limitExceeded,
                    "a memory budget of \(budget >> 20) MiB is too small; at least \(Limits.memoryBudgetMinimum >> 20) MiB"
                )
            }
            configuration.memory = MemoryPlan(budget: budget)
        }
        guard let directory = options.dataDirectory else { return (Blockchain(configuration), nil) }
        let (archive, content, state) = try ChainArchive.open(
            directory, role: "chain \(configuration.profile.name)", logger: logger)
        let chain: Blockchain
        if let content {
            chain = try Blockchain(configuration, content, shelf: archive)
        } else {
            var new = Blockchain(configuration, in: state)
            new.blocks.shelf = archive
            try archive.keep(new)
            chain = new
        }
        return (chain, archive)
    }

    private static func accounts(_ options: DevChainOptions) throws(DevChainError) -> [PrivateKey] {
        guard (0...Limits.accountsMaximum).contains(options.accountCount) else {
            throw DevChainError(
                .limitExceeded, "0 to \(Limits.accountsMaximum) accounts can be made, not \(options.accountCount)")
        }
        do throws(EthereumError) {
            return try Mnemonic(options.mnemonic).accounts(count: options.accountCount)
        } catch {
            throw DevChainError(.notAnAccount, "no accounts from this mnemonic: \(error.message)")
        }
    }

    private static func health(_ hub: ChainHub, _ name: String) -> HTTPAnswer {
        let (latest, safe, finalized, waiting) = hub.read { ($0.head.number, $0.safe, $0.finalized, $0.pool.count) }
        let answer: JSON = [
            "status": "ok", "chain": .string(name), "latest": .integer(latest), "safe": .integer(safe),
            "finalized": .integer(finalized), "poolTransactions": .integer(waiting),
        ]
        return .json(answer.text)
    }

    // MARK: Life

    /// Starts to listen and to make blocks; the port. Throws when the port is taken and no other was allowed.
    package func start() async throws(RPCServerError) -> Int {
        let port = try await server.start()
        let publishing = Task { [hub, service, counters, logger] in
            for await batch in hub.batches { Self.publish(batch, hub, service, counters, logger) }
        }
        let timing = Task { await keepTime() }
        tasks.withLock { $0 += [publishing, timing] }
        logger.info("chain is ready", metadata: [LogKey.address: "\(port)"])
        return port
    }

    /// Stops listening and making blocks, and waits until all has ended.
    package func stop() async {
        await server.stop()
        let running = tasks.withLock { tasks in
            let running = tasks
            tasks = []
            return running
        }
        hub.close()
        for task in running { task.cancel() }
        for task in running { await task.value }
        if let archive {
            do throws(DevChainError) { try archive.close() } catch {
                logger.error("the data directory was not closed", metadata: [LogKey.reason: "\(error.message)"])
            }
        }
        logger.info("chain has stopped")
    }

    /// Looks at the chain from inside the process. Short things only: the chain stands still meanwhile.
    package func read<Result: Sendable>(_ body: (Blockchain) -> Result) -> Result { hub.read(body) }

    /// Sends a transaction whose sender is known, as the methods do; throws what the pool refuses.
    package func submit(_ transaction: PooledTransaction) async throws(DevChainError) {
        try hub.change { chain throws(DevChainError) in try chain.submit(transaction) }
        if cadence.current.automine { await producer.mineWaiting() }
    }

    /// Takes raw transactions into the pool, in their order, as a batch of `eth_sendRawTransaction` does.
    package func submit(raw: [Bytes]) async -> [Result<Hash32, DevChainError>] { await service.submit(raw: raw) }

    /// Makes a block now.
    @discardableResult
    package func mine() async -> StoredBlock { await producer.mine() }

    private static func publish(
        _ batch: ChainHub.Batch, _ hub: ChainHub, _ service: ChainService, _ counters: NodeMetrics, _ logger: Logger
    ) {
        service.subscriptions.publish(batch.events, sequence: batch.sequence, baseFee: batch.baseFee)
        for case .removed(let block) in batch.events {
            counters.removedBlocks.add()
            logger.info("block removed", metadata: [LogKey.block: "\(block.number)", LogKey.hash: "\(block.hash)"])
        }
        let (latest, safe, finalized, waiting) = hub.read { ($0.head.number, $0.safe, $0.finalized, $0.pool.count) }
        counters.head.set(latest)
        counters.safe.set(safe)
        counters.finalized.set(finalized)
        counters.poolTransactions.set(waiting)
        counters.subscriptions.set(service.subscriptions.count)
    }

    /// Makes the blocks that time makes.
    private func keepTime() async {
        var last = Self.steadyMilliseconds()
        var lastBeat: UInt64?
        var lastNumber = hub.read { $0.head.number }
        while !Task.isCancelled {
            let now = Self.steadyMilliseconds()
            let (hasWork, hasUnconfirmed, number) = hub.read {
                ($0.hasWork, $0.preconfirms && $0.hasUnconfirmed, $0.head.number)
            }
            // A block that a method made counts as well.
            if number != lastNumber { (last, lastNumber) = (now, number) }
            let decision = cadence.current.decide(
                now: now, lastBlockAt: last, lastBeatAt: lastBeat, hasWork: hasWork, hasUnconfirmed: hasUnconfirmed)
            switch decision {
            case .mine(let due):
                // The beat is kept: a block that came a little late does not put off the next one.
                last = now - due < cadence.current.slackMilliseconds ? due : now
                lastNumber = await producer.mine().number
            case .preconfirm:
                lastBeat = now
                await producer.preconfirm()
            case .wait(let milliseconds): await hub.bell.wait(milliseconds: milliseconds)
            }
        }
    }

    private static func steadyMilliseconds() -> UInt64 {
        let passed = ContinuousClock.now - began
        return UInt64(max(passed / .milliseconds(1), 0))
    }

    private static let began = ContinuousClock.now
}
