// One half of a relayer: store, keys, chains, mesh, pair, instances, wired together. No decision about messages lives
// here.

import Agreement
import CCIP
import ChainAccess
import Committing
import Configuration
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
    let auditor: LaneAuditor
    /// Of a committing node.
    let prices: PriceBoard?
    /// Of a committing node in a cluster with guards.
    let guards: BlessingCollector?
    let committers: [Committer]
    let executors: [Executor]
    let logger: Logger
    private let failure: Failure
    let census = ChannelCensus(now: InstanceRunner.now())

    struct Committer: Sendable {
        let destination: ClusterSettings.Chain
        let edge: CommitEdge
        /// Nil where this relayer does not transmit.
        let sender: TransactionSender?
        let runner: InstanceRunner
        let bell: Bell
    }

    struct Executor: Sendable {
        let destination: ClusterSettings.Chain
        let edge: ExecuteEdge
        let sender: TransactionSender?
        /// Nil where no token needs off-chain data.
        let tokenData: TokenDataWorker?
        let runner: InstanceRunner
        let bell: Bell
    }

    /// Opens the store, the sockets and the keys; nothing is dialled and nothing runs yet.
    package init(
        settings: RelayerSettings, role: RelayerRole, keys: RelayerKeys, senders: SenderPool, logger base: Logger
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
            path: Self.storePath(settings, role), role: "\(settings.relayer) \(role.rawValue)",
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
        let isCommitting = role == .committing
        prices = isCommitting
            ? PriceBoard(
                cluster: cluster, watches: watches, streams: try Self.streams(settings, keys, logger),
                now: { InstanceRunner.now() }, logger: logger) : nil
        guards = isCommitting ? Self.collector(cluster, mesh, directory, logger) : nil
        var committers: [Committer] = []
        var executors: [Executor] = []
        let parts = Parts(
            settings: settings, keys: keys, store: store, watches: watches, keeper: keeper, mesh: mesh, logger: logger,
            failure: failure, bells: directory, senders: senders, prices: prices, guards: guards,
            pacer: cluster.tokenData.map { SharedPacer($0) })
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
        auditor = LaneAuditor(lanes: lanes, watches: watches, keeper: keeper, logger: logger)
        feeder = role == .committing ? PairFeeder(link: pair, keeper: keeper, lanes: lanes, logger: logger) : nil
    }

    static func storePath(_ settings: RelayerSettings, _ role: RelayerRole) -> String {
        "\(settings.dataDirectory)/\(role.rawValue).sqlite"
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
        let guards = try (role == .committing ? settings.cluster.guards : []).map { item in
            PeerMeshConfiguration.Peer(
                name: item.name, endpoint: try Endpoint(item.member.mesh),
                publicKey: try CurvePublicKey(z85: item.member.curvePublicKey))
        }
        var configuration = PeerMeshConfiguration(
            peers: peers + guards, ownIndex: settings.ownIndex, keyPair: keys.curve)
        configuration.timings = timings
        return configuration
    }

    /// Nil where no price comes from streams.
    private static func streams(
        _ settings: RelayerSettings, _ keys: RelayerKeys, _ logger: Logger
    ) throws(RelayerError) -> StreamPriceReader? {
        guard settings.cluster.takesStreamPrices else { return nil }
        guard let access = settings.streams, let credential = keys.streams else {
            throw RelayerError(.keyMissing, "prices come from streams, and there is no key for them")
        }
        return StreamPriceReader(cluster: settings.cluster, access: access, credential: credential, logger: logger)
    }

    /// Nil without guards.
    private static func collector(
        _ cluster: ClusterSettings, _ mesh: PeerMesh, _ bells: BellDirectory, _ logger: Logger
    ) -> BlessingCollector? {
        guard !cluster.guards.isEmpty else { return nil }
        return BlessingCollector(
            guards: cluster.guards.map(\.name), relayers: cluster.relayers.count,
            send: { member, bytes in _ = mesh.send(to: member, channel: BlessingCollector.channel, payload: bytes) },
            onEnough: { bells.ring($0) }, now: { InstanceRunner.now() }, logger: logger)
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
                group.addTask { [self] in await drive(item.bell, isBusy: item.edge.isBusy, hasWork: item.edge.hasWork, item.runner) }
            }
            for item in executors {
                group.addTask { await item.edge.followOutcomes() }
                if let tokens = item.tokenData { group.addTask { await tokens.run() } }
                group.addTask { [self] in await drive(item.bell, isBusy: item.edge.isBusy, hasWork: item.edge.hasWork, item.runner) }
            }
            group.addTask { [auditor] in await auditor.run() }
            // Neither of them ends before the task: the first to end stops the node.
            if let prices { group.addTask { await prices.run(); await Self.forever() } }
            if let guards { group.addTask { await guards.run() } }
            group.addTask { [self] in await tick() }
            group.addTask { [failure] in await failure.wait() }
            // The first to end is a failure or a cancellation; everything else ends with it.
            await group.next()
            group.cancelAll()
        }
        for watch in watches { await watch.close() }
        if let reason = failure.reason { throw RelayerError(.stopped, reason) }
    }

    /// Chain ids of all endpoints, all chains at once. A chain that cannot be read is an obstacle of its own lanes and of
    /// no others; only when every endpoint of every chain serves another one is the configuration not ours at all.
    private func verify() async throws {
        let refused = await withTaskGroup(of: (refused: EndpointStatus?, isUsable: Bool).self) { group in
            for watch in watches {
                group.addTask {
                    let statuses = await watch.endpoints.verify()
                    return (statuses.first { $0.state == .refused }, statuses.contains { $0.state != .refused })
                }
            }
            var outcomes: [(refused: EndpointStatus?, isUsable: Bool)] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes.contains(where: \.isUsable) ? nil : outcomes.compactMap(\.refused).first
        }
        guard let refused else { return }
        throw RelayerError(
            .chain, "endpoint \(refused.label): \(refused.lastError ?? "refused"), and so are all others",
            hint: "correct the endpoints in the relayer's file")
    }

    private static func forever() async {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
    }

    private func startLinks() throws {
        let runners = committers.map(\.runner) + executors.map(\.runner)
        var byDigest: [[UInt8]: InstanceRunner] = [:]
        for runner in runners { byDigest[runner.configuration.digest.bytes] = runner }
        let relayers = settings.cluster.relayers.count
        try mesh.start { [census, byDigest, guards] messages in
            let now = InstanceRunner.now()
            for message in messages {
                // Guards speak on their own channel and nothing else; relayers never do.
                guard (message.peer >= relayers) == (message.channel == BlessingCollector.channel) else {
                    census.unknown(from: message.peer, now: now)
                    continue
                }
                if message.peer >= relayers {
                    guards?.receive(from: message.peer, message.payload)
                    continue
                }
                guard let runner = byDigest[message.channel] else {
                    census.unknown(from: message.peer, now: now)
                    continue
                }
                census.heard(message.channel, from: message.peer, now: now)
                runner.receive(from: message.peer, message.payload)
            }
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
    }

    /// After everything that writes has ended.
    func close() { try? store.close() }

    // MARK: Condition

    /// Guards are members of the committing mesh too, and no oracles.
    var connectedRelayers: Int {
        mesh.statistics.peers.prefix(settings.cluster.relayers.count).count(where: \.isConnected)
    }

    /// By chain, of those whose prices were read.
    var priceAges: [(chain: String, milliseconds: UInt64)] {
        watches.compactMap { watch in
            prices?.age(of: watch.settings.selector).map { (watch.settings.name, $0) }
        }
    }

    var connectedGuards: Int {
        mesh.statistics.peers.dropFirst(settings.cluster.relayers.count).count(where: \.isConnected)
    }

    /// What keeps this node from being ready; empty when it is.
    package func obstacles() async -> [String] {
        var obstacles: [String] = []
        for watch in watches {
            for status in watch.refusedEndpoints {
                let why = status.lastError ?? "refused"
                obstacles.append("chain \(watch.settings.name): endpoint \(status.label): \(why)")
            }
            if await watch.heads.current == nil {
                obstacles.append("chain \(watch.settings.name): \(await watch.heads.lastFailure ?? "no head read yet")")
            } else if await !watch.isCaughtUp() {
                obstacles.append("chain \(watch.settings.name): reading logs up to the finalized block")
            }
        }
        obstacles += keeper.complaints
        let needed = 2 * settings.cluster.faulty
        let connected = connectedRelayers
        if connected < needed { obstacles.append("\(connected) of \(needed) needed peers are connected") }
        for (chain, runner) in committers.map({ ($0.destination.name, $0.runner) })
            + executors.map({ ($0.destination.name, $0.runner) })
        {
            if let failure = runner.status.failure { obstacles.append(failure) }
            let silence = census.obstacle(
                runner.configuration.digest.bytes, label: "\(runner.configuration.label.plugin)/\(chain)",
                needed: needed, window: 3 * (settings.cluster.timing.deltaProgress + settings.cluster.timing.deltaResend),
                names: settings.cluster.relayers.map(\.name), now: InstanceRunner.now())
            if let silence { obstacles.append(silence) }
        }
        for item in committers { if let why = item.edge.halt.reason { obstacles.append("commit/\(item.destination.name) sends nothing: \(why)") } }
        for item in executors { if let why = item.edge.halt.reason { obstacles.append("execute/\(item.destination.name) sends nothing: \(why)") } }
        for destination in settings.cluster.destinations {
            if let text = await gasObstacle(destination) { obstacles.append(text) }
        }
        if let failure = store.writeFailure { obstacles.append("store: \(failure)") }
        for stop in (try? store.activeStops()) ?? [] {
            obstacles.append("stopped: \(stop.scope): \(stop.reason) (`causeway relayer resume \(stop.scope)` lifts it)")
        }
        return obstacles
    }
}

extension RelayerNode {
    /// A block of the chain cannot hold what the cluster file allows a transaction: what needs more is not sent.
    private func gasObstacle(_ chain: ClusterSettings.Chain) async -> String? {
        guard let watch = watches.first(where: { $0.settings.selector == chain.selector }),
            let limit = await watch.heads.current?.latest.gasLimit, limit > 0, limit < chain.transactionGasMaximum
        else { return nil }
        return "chain \(chain.name): transactionGasMaximum \(chain.transactionGasMaximum) exceeds the block gas limit \(limit)"
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
    let senders: SenderPool
    let prices: PriceBoard?
    let guards: BlessingCollector?
    let pacer: SharedPacer?

    private var factory: InstanceFactory {
        InstanceFactory(settings: settings, crypto: .production(keys, settings.cluster))
    }

    func watch(_ chain: ClusterSettings.Chain) throws -> ChainWatch {
        guard let watch = watches.first(where: { $0.settings.selector == chain.selector }) else {
            throw RelayerError(.settings, "chain \(chain.name) is not watched")
        }
        return watch
    }

    /// Nil where the OffRamp does not list this relayer as a transmitter of the plugin.
    private func sender(
        _ destination: ClusterSettings.Chain, _ plugin: InstancePlugin, _ logger: Logger
    ) throws -> TransactionSender? {
        guard settings.cluster.transmitters(on: destination.selector, plugin).contains(settings.ownIndex) else { return nil }
        guard let key = keys.transmitters[destination.name] else {
            throw RelayerError(.keyMissing, "no transmitter key for \(destination.name)")
        }
        let policy = FeePolicy(
            bumpThresholdBlocks: destination.feeBumpBlocks, maxFeePerGasCap: destination.maxFeePerGas,
            gasLimitMaximum: destination.transactionGasMaximum, revalidates: true)
        return try senders.sender(try watch(destination), key: key, policy: policy, own: store, logger: logger)
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
        let sender = try sender(destination, .commit, logger)
        var sizes = SizeLimits()
        sizes.observation = Committing.Limits.observationBytesMaximum
        sizes.outcome = Committing.Limits.outcomeBytesMaximum
        sizes.report = Committing.Limits.reportBytesMaximum
        sizes.reportsPerOutcome = Committing.Limits.reportsPerOutcomeMaximum
        let instance = try factory.instance(
            destination, plugin: .commit, pinned: configuration.canonicalBytes, sizes: ContextualPlugin.sizes(sizes))
        guard let prices else { preconditionFailure("a committing node has a price board") }
        let base = ContextBase()
        let notes = CommitNotes()
        let lanes = configuration.lanes.map { LaneKey(source: $0.source, destination: destination.selector) }
        let watch = try watch(destination)
        let edge = CommitEdge(
            observer: CommitObserver(configuration: configuration, ownIndex: settings.ownIndex), destination: watch,
            sources: try configuration.lanes.compactMap { settings.cluster.chain($0.source) }.map(self.watch),
            keeper: keeper, sender: sender, prices: prices, guards: guards,
            stops: try LaneStops(lanes: lanes, store: store, logger: logger), instance: instance.digest, base: base,
            notes: notes, logger: logger)
        guard let onChain = Digest(destination.commitDigest.bytes) else { preconditionFailure("a hash has 32 bytes") }
        let shell = ContextualEdge(edge, base: base) {
            guard let head = await watch.heads.current else { throw RelayerError(.chain, "no head yet") }
            let call = OffRampCalls.latestPriceSequenceNumber()
            return try await ContractReader(watch.endpoints)
                .agreedAll([(call, watch.settings.contracts.offRamp)], at: head.latest).get()[0]
        }
        let runner = InstanceRunner(
            configuration: instance,
            plugin: ContextualPlugin(
                inner: NotedCommitPlugin(inner: CommitPlugin(configuration: configuration), notes: notes),
                onChainDigest: onChain,
                faulty: settings.cluster.faulty),
            crypto: factory.crypto, edge: shell, store: store, links: links(instance.digest), logger: logger,
            onFailure: { [failure] in failure.raise($0) })
        return RelayerNode.Committer(
            destination: destination, edge: edge, sender: sender, runner: runner, bell: bell(destination))
    }

    func executor(_ destination: ClusterSettings.Chain) throws -> RelayerNode.Executor {
        var logger = logger
        logger[metadataKey: "destination"] = "\(destination.name)"
        let configuration = try factory.executeConfiguration(destination)
        let sender = try sender(destination, .execute, logger)
        let instance = try factory.instance(
            destination, plugin: .execute, pinned: configuration.canonicalBytes, sizes: configuration.sizes)
        let tokenData = try tokenData(configuration, logger)
        let edge = ExecuteEdge(
            configuration: configuration, ownIndex: settings.ownIndex, destination: try watch(destination),
            keeper: keeper, sender: sender, tokenData: tokenData, instance: instance.digest, logger: logger)
        let runner = InstanceRunner(
            configuration: instance, plugin: ExecutePlugin(configuration: configuration), crypto: factory.crypto,
            edge: edge, store: store, links: links(instance.digest), logger: logger,
            onFailure: { [failure] in failure.raise($0) })
        return RelayerNode.Executor(
            destination: destination, edge: edge, sender: sender, tokenData: tokenData, runner: runner,
            bell: bell(destination))
    }

    private func tokenData(_ configuration: ExecuteConfiguration, _ logger: Logger) throws -> TokenDataWorker? {
        guard let tokens = settings.cluster.tokenData, let pacer else { return nil }
        var sources: [ChainSelector: TokenDataSource] = [:]
        for source in configuration.sources {
            guard let chain = settings.cluster.chain(source.selector) else { continue }
            sources[source.selector] = TokenDataSource(
                onRamp: chain.contracts.onRamp, endpoints: try watch(chain).endpoints)
        }
        return TokenDataWorker(settings: tokens, sources: sources, pacer: pacer, logger: logger, now: { InstanceRunner.now() })
    }
}
