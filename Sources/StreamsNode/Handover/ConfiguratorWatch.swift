// Follows the Configurator of a DON through endpoints that must agree, behind the finality of its chain, and hands its
// logs to the keeper, which has written them down before the cursor moves. Looks after the folder of files besides.

import Agreement
import ChainAccess
import Ethereum
import JSONRPC
import Logging
import PriceStreams
import Storage
import Synchronization

package final class ConfiguratorWatch: Sendable {
    private let settings: WatchSettings
    private let keeper: HandoverKeeper
    private let endpoints: ChainEndpointSet
    private let heads: HeadTracker
    private let poller: LogPoller
    private let clients: [RPCClient]
    private let folder: Mutex<ConfigurationFolder>
    /// Whether a configuration names this process.
    private let isServed: @Sendable (StreamsSettings) -> Bool
    /// Why the contract is not read any more.
    private let halt = Mutex<String?>(nil)
    private let logger: Logger

    package init(
        _ settings: WatchSettings, streams: StreamsSettings, store: Store, keeper: HandoverKeeper, logger: Logger,
        isServed: @escaping @Sendable (StreamsSettings) -> Bool
    ) throws {
        self.settings = settings
        self.keeper = keeper
        self.isServed = isServed
        self.logger = logger
        folder = Mutex(try ConfigurationFolder(path: settings.configurations, main: streams))
        let name = "configurator"
        let clients = settings.urls.map { url in
            RPCClient(url, timeoutMilliseconds: 2 * Limits.watchRequestMilliseconds, logger: logger)
        }
        self.clients = clients
        endpoints = try ChainEndpointSet(
            chainID: streams.configurator.chainID, name: name,
            transports: clients.enumerated().map { RPCTransport(label: "\(name)-\($0)", client: $1) },
            policy: AccessPolicy(
                finality: settings.finality, quorum: settings.quorum,
                requestTimeout: .milliseconds(Limits.watchRequestMilliseconds), logWindow: settings.logBlocksMaximum,
                pollInterval: .milliseconds(settings.pollMilliseconds)), logger: logger)
        heads = HeadTracker(endpoints, logger: logger)
        let donID = streams.donID
        let contract = streams.configurator.address
        let filter = LogFilter(
            addresses: [contract],
            topics: [ConfiguratorInterface.topics, [StreamsConfigurationDigest.identifier(donID: donID)]])
        poller = LogPoller(
            name: "\(name)/\(contract)/\(donID)", endpoints: endpoints, store: store, filter: filter,
            startBlock: settings.startBlock, logger: logger
        ) { event in
            // A finality violation ends the poller, which tells; nothing else is followed.
            guard case .finalized(let logs, _) = event else { return }
            try await keeper.record(Self.events(logs, donID: donID, logger))
        }
    }

    static func events(_ logs: [ChainLog], donID: UInt32, _ logger: Logger) -> [HandoverBook.Event] {
        logs.compactMap { log in
            do {
                guard let event = try ConfiguratorEvent(topics: log.log.topics, data: log.log.data, donID: donID) else {
                    return nil
                }
                return .log(event, at: LogPosition(block: log.blockNumber, index: log.logIndex))
            } catch {
                logger.error("a log of the Configurator is not understood", metadata: ["error": "\(error)"])
                return nil
            }
        }
    }

    /// The file of a configuration; nil when there is none.
    package func file(_ digest: Hash32) -> StreamsSettings? { folder.withLock { $0.content.known[digest] } }

    /// Looks at the folder before anything is started.
    package func prepare() { refresh() }

    private func refresh() {
        let content = folder.withLock { folder in folder.refresh() ? folder.content : nil }
        guard let content else { return }
        for problem in content.problems {
            logger.warning("a file is not used", metadata: ["folder": "\(settings.configurations)", "problem": "\(problem)"])
        }
        keeper.post(.served(Set(content.known.filter { isServed($0.value) }.keys)))
    }

    /// Until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in await heads.run() }
            group.addTask { [self] in
                guard case .stopped(let why) = await poller.run(heads: heads) else { return }
                halt.withLock { $0 = why }
            }
            group.addTask { [self] in await look() }
            await group.waitForAll()
        }
        for client in clients { await client.close() }
    }

    private func look() async {
        while !Task.isCancelled {
            refresh()
            if !keeper.current.isCurrent, let finalized = await heads.current?.finalized.number,
                await poller.isCaughtUp(with: finalized)
            {
                keeper.post(.current)
            }
            keeper.post(.tick(now: InstanceRunner.now()))
            try? await Task.sleep(for: .milliseconds(Limits.handoverTickMilliseconds))
        }
    }

    /// Why this process may not serve what it should. An endpoint that does not answer is none of it: prices flow on, and
    /// the log tells.
    /// - Parameter staging: also what concerns the staged configuration alone.
    package func obstacles(staging: Bool) -> [String] {
        var found: [String] = []
        if let halt = halt.withLock({ $0 }) { found.append("the Configurator is followed no more: \(halt)") }
        let book = keeper.current
        for digest in [book.production, staging ? book.staging : nil].compactMap({ $0 }) where file(digest) == nil {
            guard let standing = book.entry(digest)?.standing, standing == .production || standing == .staging else { continue }
            found.append("the configuration \(digest) is in \(standing), and no file in \(settings.configurations) is its")
        }
        return found
    }
}
