// One half of a relayer: store, keys, chains, mesh, pair, instances, wired together. No decision about messages lives
// here.

import CCIP
import ChainAccess
import Committing
import Ethereum
import Executing
import JSONRPC
import Logging
import MessageBus
import OffchainReporting
import Storage
import Synchronization
import Transactions

/// A committing or an executing node. `RelayerProcess` runs one of them, or both.
package final class RelayerNode: Sendable {
    package let role: RelayerRole
    let settings: RelayerSettings
    let store: Store
    let watches: [ChainWatch]
    let keeper: BookKeeper
    let feed: LifecycleFeed?
    let mesh: PeerMesh
    let pair: PairLink
    let feeder: PairFeeder?
    let committers: [Committer]
    let executors: [Executor]
    let logger: Logger
    private let failure: Failure

    struct Committer: Sendable {
        let destination: ClusterSettings.Chain
        let edge: CommitEdge
        let sender: TransactionSender
        let runner: InstanceRunner
        let bell: Bell
    }

    struct Executor: Sendable {
        let destination: ClusterSettings.Chain
        let edge: ExecuteEdge
        let sender: TransactionSender
        let runner: InstanceRunner
        let bell: Bell
    }

    /// Opens the store, the sockets and the keys; nothing is dialled and nothing runs yet.
    package init(
        settings: RelayerSettings, role: RelayerRole, keys: RelayerKeys, logger base: Logger
    ) throws {
        precondition(role != .both)
        self.role = role
        self.settings = settings
        var logger = base
        logger[metadataKey: "relayer"] = "\(settings.relayer)"
        logger[metadataKey: "role"] = "\(role.rawValue)"
        self.logger = logger
        let cluster = settings.cluster
        try SettingsFile.makeDirectory(settings.dataDirectory)
        store = try Store(
            path: "\(settings.dataDirectory)/\(role.rawValue).sqlite", role: "\(settings.relayer) \(role.rawValue)",
            logger: logger)
        feed =
            role == .executing
            ? try LifecycleFeed(endpoint: settings.eventFeed, relayer: settings.relayer, logger: logger) : nil
        let directory = BellDirectory()
        keeper = try BookKeeper(
            cluster: cluster, store: store, feed: feed, logger: logger, onNews: { directory.ring($0) })
        watches = try cluster.chains.map { [store, keeper] chain in
            try ChainWatch(chain, settings, store: store, keeper: keeper, logger: logger)
        }
        mesh = try PeerMesh(configuration: try Self.mesh(settings, role, keys), logger: logger)
        pair = try PairLink(configuration: try Self.pair(settings, role, keys), logger: logger)
        failure = Failure()
        var committers: [Committer] = []
        var executors: [Executor] = []
        let parts = Parts(
            settings: settings, keys: keys, store: store, watches: watches, keeper: keeper, mesh: mesh, logger: logger,
            failure: failure, bells: directory)
        for destination in cluster.destinations {
            if role == .committing {
                committers.append(try parts.committer(destination))
            } else {
                executors.append(try parts.executor(destination))
            }
        }
        self.committers = committers
        self.executors = executors
        let lanes = cluster.lanes.map { LaneKey(source: $0.source, destination: $0.destination) }.sorted()
        feeder = role == .committing ? PairFeeder(link: pair, keeper: keeper, lanes: lanes, logger: logger) : nil
    }

    private static func mesh(
        _ settings: RelayerSettings, _ role: RelayerRole, _ keys: RelayerKeys
    ) throws -> PeerMeshConfiguration {
        let peers = try settings.cluster.relayers.map { relayer in
            let member = role == .committing ? relayer.committing : relayer.executing
            return PeerMeshConfiguration.Peer(
                name: relayer.name, endpoint: try Endpoint(member.mesh),
                publicKey: try CurvePublicKey(z85: member.curvePublicKey))
        }
        var configuration = PeerMeshConfiguration(peers: peers, ownIndex: settings.ownIndex, keyPair: keys.curve)
        configuration.timings = timings
        return configuration
    }

    private static func pair(
        _ settings: RelayerSettings, _ role: RelayerRole, _ keys: RelayerKeys
    ) throws -> PairLinkConfiguration {
        let own = settings.cluster.relayers[settings.ownIndex]
        let configuredRole: PairLinkConfiguration.Role =
            role == .committing
            ? .dialling(to: settings.pair, peer: try CurvePublicKey(z85: own.executing.curvePublicKey))
            : .listening(at: settings.pair, peer: try CurvePublicKey(z85: own.committing.curvePublicKey))
        var configuration = PairLinkConfiguration(role: configuredRole, keyPair: keys.curve)
        configuration.timings = timings
        return configuration
    }

    /// A peer that comes back is found again within a second.
    private static var timings: LinkTimings {
        var timings = LinkTimings()
        timings.heartbeatIntervalMilliseconds = 1_000
        timings.heartbeatTimeoutMilliseconds = 5_000
        timings.reconnectIntervalMilliseconds = 100
        timings.reconnectIntervalMaximumMilliseconds = 1_000
        return timings
    }

    // MARK: Running

    /// Until the task is cancelled, or something that must stop the process happens (thrown).
    package func run(isStoreLost: Bool) async throws {
        try await verify()
        try startLinks()
        for runner in committers.map(\.runner) + executors.map(\.runner) { try runner.start(isLost: isStoreLost) }
        defer { stop() }
        await withTaskGroup(of: Void.self) { group in
            for watch in watches {
                group.addTask { await watch.heads.run() }
                group.addTask { [self] in await follow(watch) }
            }
            for item in committers {
                group.addTask { [self] in if let watch = watch(item.destination) { await item.sender.run(heads: watch.heads) } }
                group.addTask { [self] in await drive(item.bell, isBusy: item.edge.isBusy, hasWork: item.edge.hasWork, item.runner) }
            }
            for item in executors {
                group.addTask { [self] in if let watch = watch(item.destination) { await item.sender.run(heads: watch.heads) } }
                group.addTask { await item.edge.followOutcomes() }
                group.addTask { [self] in await drive(item.bell, isBusy: item.edge.isBusy, hasWork: item.edge.hasWork, item.runner) }
            }
            group.addTask { [self] in await tick() }
            group.addTask { [failure] in await failure.wait() }
            // The first to end is a failure or a cancellation; everything else ends with it.
            await group.next()
            group.cancelAll()
        }
        for watch in watches { await watch.close() }
        if let reason = failure.reason { throw RelayerError(.stopped, reason) }
    }

    private func watch(_ chain: ClusterSettings.Chain) -> ChainWatch? {
        watches.first { $0.settings.selector == chain.selector }
    }

    /// Chain ids of all endpoints; a wrong one is an error that no waiting mends.
    private func verify() async throws {
        for watch in watches {
            for status in await watch.endpoints.verify() where status.state == .refused {
                throw RelayerError(
                    .chain, "endpoint \(status.label) of \(watch.settings.name): \(status.lastError.map { "\($0)" } ?? "refused")",
                    hint: "correct endpoints.\(watch.settings.name) in the relayer's file")
            }
        }
    }

    private func startLinks() throws {
        let runners = committers.map(\.runner) + executors.map(\.runner)
        let byDigest = Dictionary(uniqueKeysWithValues: runners.map { ($0.configuration.digest.bytes, $0) })
        try mesh.start { messages in
            for message in messages { byDigest[message.channel]?.receive(from: message.peer, message.payload) }
        }
        let edges = Dictionary(uniqueKeysWithValues: executors.map { ($0.destination.selector, $0) })
        try pair.start(
            onMessages: { [logger] messages in
                for message in messages where message.channel == PairFeeder.channel {
                    do {
                        let frame = try PairFeedFrame(encoded: message.payload)
                        edges[frame.destination]?.edge.feed(frame)
                        edges[frame.destination]?.bell.ring()
                    } catch {
                        logger.warning("feed frame refused", metadata: ["error": "\(error)"])
                    }
                }
            },
            onChange: { [feeder] isConnected in
                guard isConnected, let feeder else { return }
                feeder.startOver()
                Task { feeder.feed() }
            })
    }

    private func follow(_ watch: ChainWatch) async {
        let outcome = await watch.poller.run(heads: watch.heads)
        if case .stopped(let reason) = outcome {
            logger.critical("chain stopped", metadata: ["chain": "\(watch.settings.name)", "reason": "\(reason)"])
            // The stop is in the store; the process stays up to say so, and takes no part in this chain any more.
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
        }
    }

    /// Asks for a round whenever there may be something to do.
    private func drive(
        _ bell: Bell, isBusy: @Sendable () -> Bool, hasWork: @Sendable () async -> Bool, _ runner: InstanceRunner
    ) async {
        var lastLook: Milliseconds = 0
        for await _ in bell.rings {
            if Task.isCancelled { return }
            feeder?.feed()
            let now = InstanceRunner.now()
            guard isBusy() || now >= lastLook + Limits.idleLookMilliseconds else { continue }
            lastLook = now
            if await hasWork() { runner.workAvailable() }
        }
    }

    /// Lets loops look even when no chain says anything: prices have heartbeats.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Limits.idleLookMilliseconds))
            for bell in committers.map(\.bell) + executors.map(\.bell) { bell.ring() }
        }
    }

    private func stop() {
        for bell in committers.map(\.bell) + executors.map(\.bell) { bell.takeDown() }
        for runner in committers.map(\.runner) + executors.map(\.runner) { runner.stop() }
        mesh.stop()
        pair.stop()
        feed?.stop()
        try? store.close()
    }

    // MARK: Condition

    /// What keeps this node from being ready; empty when it is.
    package func obstacles() async -> [String] {
        var obstacles: [String] = []
        for watch in watches {
            if await watch.heads.current == nil {
                obstacles.append("chain \(watch.settings.name): \(await watch.heads.lastFailure ?? "no head read yet")")
            } else if await !watch.isCaughtUp() {
                obstacles.append("chain \(watch.settings.name): reading logs up to the finalized block")
            }
        }
        let needed = 2 * settings.cluster.faulty
        let connected = mesh.statistics.connectedPeers
        if connected < needed { obstacles.append("\(connected) of \(needed) needed peers are connected") }
        for runner in committers.map(\.runner) + executors.map(\.runner) {
            if let failure = runner.status.failure { obstacles.append(failure) }
        }
        if let failure = store.writeFailure { obstacles.append("store: \(failure)") }
        for stop in (try? store.activeStops()) ?? [] { obstacles.append("stopped: \(stop.scope): \(stop.reason)") }
        return obstacles
    }
}

/// Something that ends the process.
final class Failure: Sendable {
    private let state = Mutex<String?>(nil)
    private let bell = Bell()

    var reason: String? { state.withLock { $0 } }

    func raise(_ reason: String) {
        state.withLock { $0 = $0 ?? reason }
        bell.ring()
    }

    func wait() async { for await _ in bell.rings { return } }
}

/// Which loops hear of which chain.
final class BellDirectory: Sendable {
    private let bells = Mutex<[ChainSelector: [Bell]]>([:])

    func add(_ bell: Bell, for chains: [ChainSelector]) {
        bells.withLock { bells in
            for chain in chains { bells[chain, default: []].append(bell) }
        }
    }

    func ring(_ chain: ChainSelector) {
        for bell in bells.withLock({ $0[chain] ?? [] }) { bell.ring() }
    }
}

/// What instances are made of.
private struct Parts {
    let settings: RelayerSettings
    let keys: RelayerKeys
    let store: Store
    let watches: [ChainWatch]
    let keeper: BookKeeper
    let mesh: PeerMesh
    let logger: Logger
    let failure: Failure
    let bells: BellDirectory

    private var factory: InstanceFactory {
        InstanceFactory(settings: settings, crypto: .production(keys, settings.cluster))
    }

    func watch(_ chain: ClusterSettings.Chain) throws -> ChainWatch {
        guard let watch = watches.first(where: { $0.settings.selector == chain.selector }) else {
            throw RelayerError(.settings, "chain \(chain.name) is not watched")
        }
        return watch
    }

    private func sender(_ destination: ClusterSettings.Chain, _ logger: Logger) throws -> TransactionSender {
        guard let key = keys.transmitters[destination.name] else {
            throw RelayerError(.keyMissing, "no transmitter key for \(destination.name)")
        }
        return try TransactionSender(
            key: key, endpoints: try watch(destination).endpoints, store: store,
            policy: FeePolicy(
                bumpThresholdBlocks: destination.feeBumpBlocks, maxFeePerGasCap: destination.maxFeePerGas), logger: logger,
            alarm: { logger.error("transaction alarm", metadata: ["alarm": "\($0)"]) })
    }

    private func links(_ digest: Digest) -> InstanceRunner.Links {
        let (channel, mesh) = (digest.bytes, mesh)
        return InstanceRunner.Links(
            send: { oracle, bytes in _ = mesh.send(to: oracle, channel: channel, payload: bytes) },
            broadcast: { bytes in _ = mesh.broadcast(channel: channel, payload: bytes) })
    }

    private func bell(_ destination: ClusterSettings.Chain) -> Bell {
        let bell = Bell()
        bells.add(bell, for: settings.cluster.sources(into: destination.selector) + [destination.selector])
        return bell
    }

    func committer(_ destination: ClusterSettings.Chain) throws -> RelayerNode.Committer {
        var logger = logger
        logger[metadataKey: "destination"] = "\(destination.name)"
        let configuration = try factory.commitConfiguration(destination)
        let sender = try sender(destination, logger)
        let edge = CommitEdge(
            observer: CommitObserver(configuration: configuration, ownIndex: settings.ownIndex),
            destination: try watch(destination),
            sources: try configuration.lanes.compactMap { settings.cluster.chain($0.source) }.map(watch), keeper: keeper,
            sender: sender, prices: PriceSource(cluster: settings.cluster), logger: logger)
        var sizes = SizeLimits()
        sizes.observation = Committing.Limits.observationBytesMaximum
        sizes.outcome = Committing.Limits.outcomeBytesMaximum
        sizes.report = Committing.Limits.reportBytesMaximum
        sizes.reportsPerOutcome = 1
        let instance = try factory.instance(
            destination, plugin: "commit", digest: destination.commitDigest, sizes: sizes)
        let runner = InstanceRunner(
            configuration: instance, plugin: CommitPlugin(configuration: configuration), crypto: factory.crypto,
            edge: edge, store: store, links: links(instance.digest), logger: logger,
            onFailure: { [failure] in failure.raise($0) })
        return RelayerNode.Committer(
            destination: destination, edge: edge, sender: sender, runner: runner, bell: bell(destination))
    }

    func executor(_ destination: ClusterSettings.Chain) throws -> RelayerNode.Executor {
        var logger = logger
        logger[metadataKey: "destination"] = "\(destination.name)"
        let configuration = try factory.executeConfiguration(destination)
        let sender = try sender(destination, logger)
        let edge = ExecuteEdge(
            configuration: configuration, ownIndex: settings.ownIndex, destination: try watch(destination),
            keeper: keeper, sender: sender, logger: logger)
        let instance = try factory.instance(
            destination, plugin: "execute", digest: destination.executeDigest, sizes: configuration.sizes)
        let runner = InstanceRunner(
            configuration: instance, plugin: ExecutePlugin(configuration: configuration), crypto: factory.crypto,
            edge: edge, store: store, links: links(instance.digest), logger: logger,
            onFailure: { [failure] in failure.raise($0) })
        return RelayerNode.Executor(
            destination: destination, edge: edge, sender: sender, runner: runner, bell: bell(destination))
    }
}
