// One guard process: store, keys, chains, mesh and HTTP port, wired together.

import CCIP
import ChainAccess
import Configuration
import Ethereum
import Guarding
import JSONRPC
import Logging
import MessageBus
import Storage
import Synchronization

/// `causeway guard`.
package final class GuardProcess: Sendable {
    let settings: GuardSettings
    let store: GuardStore
    let node: GuardNode
    let eyes: [ChainEye]
    /// Of chains with pools that are watched.
    let pools: [PoolEye]
    let mesh: PeerMesh
    private let readers: [ChainSelector: DestinationReader]
    private let curses: [ChainSelector: CurseSender]
    private let logger: Logger
    private let ending: Ending

    /// Opens everything that can fail because of a file, a key or a port. `rereads`: logs are read again from the start
    /// block; what was signed stays. `resumed`: scopes whose stops the operator lifts, and why.
    package init(
        settings: GuardSettings, rereads: Bool = false, resumed: [String] = [], operatorName: String = "operator",
        reason: String? = nil, logger base: Logger
    ) throws {
        self.settings = settings
        var logger = base
        logger[metadataKey: "guard"] = "\(settings.name)"
        self.logger = logger
        let configuration = try settings.configuration()
        let keys = try GuardKeys.open(settings)
        try SettingsFile.makeDirectory(settings.dataDirectory)
        let opened = try GuardStore(
            path: "\(settings.dataDirectory)/guard.sqlite", role: "\(settings.name) guard", logger: logger)
        store = opened
        if rereads {
            for name in settings.cluster.chains.flatMap(ChainEye.cursors) { try opened.store.removeCursor(name) }
        }
        for scope in resumed { try Self.resume(scope, opened.store, settings.cluster, operatorName, reason) }
        let ending = Ending()
        self.ending = ending
        let node = try GuardNode(
            configuration: configuration, store: opened, keys: keys, chains: settings.cluster.chains, logger: logger,
            onFailure: { ending.raise($0) })
        self.node = node
        let eyes = try settings.cluster.chains.map { chain in
            try ChainEye(chain, settings, store: opened.store, audience: node, logger: logger)
        }
        self.eyes = eyes
        pools = eyes.compactMap { eye in
            PoolEye(eye, pools: settings.pools, store: opened.store, audience: node, logger: logger)
        }
        var readers: [ChainSelector: DestinationReader] = [:]
        var curses: [ChainSelector: CurseSender] = [:]
        for eye in eyes where eye.arrivals != nil {
            let sources = settings.cluster.lanes.filter { $0.destination == eye.chain.selector }.map(\.source)
            readers[eye.chain.selector] = DestinationReader(eye, sources: sources)
            if let key = keys.curseAdmin {
                curses[eye.chain.selector] = try CurseSender(key: key, eye: eye, store: opened.store, logger: logger)
            }
        }
        self.readers = readers
        self.curses = curses
        mesh = try PeerMesh(configuration: try Self.mesh(settings, keys), logger: logger)
    }

    /// The committing mesh: relayers first, guards behind them. A guard dials relayers only.
    private static func mesh(_ settings: GuardSettings, _ keys: GuardKeys) throws -> PeerMeshConfiguration {
        let cluster = settings.cluster
        let ownIndex = cluster.relayers.count + settings.ownIndex
        let members = cluster.relayers + cluster.guards.map(\.member)
        let peers = try members.enumerated().map { index, member in
            let place = try Endpoint(member.mesh)
            let isDialled = index < cluster.relayers.count || index == ownIndex
            return PeerMeshConfiguration.Peer(
                name: member.name, endpoint: isDialled ? place : place.withPort(0),
                publicKey: try CurvePublicKey(z85: member.curvePublicKey))
        }
        var configuration = PeerMeshConfiguration(peers: peers, ownIndex: ownIndex, keyPair: keys.curve)
        configuration.bindEndpoint = settings.bind
        configuration.timings.heartbeatIntervalMilliseconds = 1_000
        configuration.timings.heartbeatTimeoutMilliseconds = 5_000
        configuration.timings.reconnectIntervalMilliseconds = 100
        configuration.timings.reconnectIntervalMaximumMilliseconds = 1_000
        return configuration
    }

    /// Throws `settings` when nothing stands under the scope.
    private static func resume(
        _ scope: String, _ store: Store, _ cluster: WatchedCluster, _ operatorName: String, _ reason: String?
    ) throws {
        // A chain's stop stands twice: as ChainAccess wrote it, and as the guard did.
        let twins = cluster.chains.filter { GuardStop.scope($0.selector) == scope }.map {
            LogPoller.stopScope(chainID: $0.chainID)
        }
        var cleared = false
        for stop in try store.activeStops() where stop.scope == scope || twins.contains(stop.scope) {
            let isDone = try store.clearStop(scope: stop.scope, kind: stop.kind, by: operatorName, why: reason)
            cleared = cleared || isDone
        }
        guard cleared else {
            let standing = try store.activeStops().map(\.scope).joined(separator: ", ")
            throw WatcherError(
                .settings, "no stop stands under '\(scope)'",
                hint: standing.isEmpty ? "nothing is stopped" : "stopped are: \(standing)")
        }
    }

    // MARK: Running

    /// Until the task is cancelled, or a write failed (thrown). `onListening` gets the HTTP port.
    package func run(onListening: @Sendable (Int) -> Void = { _ in }) async throws {
        let server = GuardService.server(for: self, logger: logger)
        onListening(try await server.start())
        do { try await watch() } catch {
            await shutDown(server)
            throw error
        }
        await shutDown(server)
    }

    private func shutDown(_ server: RPCServer) async {
        mesh.stop()
        for eye in eyes { await eye.close() }
        await server.stop()
        try? store.close()
    }

    private func watch() async throws {
        for eye in eyes { try await eye.verify() }
        let mesh = mesh
        await node.connect(readers: readers, curses: curses) { relayer, bytes in
            _ = mesh.send(to: relayer, channel: GuardWire.channel, payload: bytes)
        }
        let (requests, inbox) = AsyncStream.makeStream(
            of: InboundMessage.self, bufferingPolicy: .bufferingNewest(Limits.mailboxMaximum))
        let relayerCount = settings.cluster.relayers.count
        try mesh.start { messages in
            // The mesh also carries the relayers' agreement, which is none of a guard's business.
            for message in messages where message.peer < relayerCount && message.channel == GuardWire.channel {
                inbox.yield(message)
            }
        }
        let (node, logger, ending) = (node, logger, ending)
        await withTaskGroup(of: Void.self) { group in
            for eye in eyes { group.addTask { await eye.run(logger: logger) } }
            for pool in pools { group.addTask { await pool.run() } }
            for curse in curses.values { group.addTask { await curse.run() } }
            group.addTask { for await message in requests { await node.received(message.payload, from: message.peer) } }
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(Limits.tickMilliseconds))
                    try? await node.sees(.tick(now: ChainEye.now))
                }
            }
            group.addTask { await ending.wait() }
            // The first to end is a failure or a cancellation; everything else ends with it.
            await group.next()
            group.cancelAll()
            inbox.finish()
        }
        if let failure = ending.failure { throw failure }
    }

    // MARK: Condition

    /// What keeps this guard from being of use; empty when nothing does.
    package func obstacles() async -> [String] {
        var obstacles: [String] = []
        let condition = await node.condition()
        for eye in eyes {
            if await eye.heads.current == nil {
                obstacles.append("chain \(eye.chain.name): \(await eye.heads.lastFailure ?? "no head read yet")")
            } else if condition.behind.contains(eye.chain.selector) {
                obstacles.append("chain \(eye.chain.name): reading logs up to the finalized block")
            }
        }
        for pool in pools {
            let name = pool.eye.chain.name
            if let why = pool.failure { obstacles.append("chain \(name): limiters of pools: \(why)") }
            if let heads = await pool.eye.heads.current, await !pool.flows.isCaughtUp(with: heads.finalized.number) {
                obstacles.append("chain \(name): reading what passes pools up to the finalized block")
            }
        }
        if connectedRelayers == 0 { obstacles.append("no relayer is connected") }
        if let failure = condition.failure { obstacles.append(failure.message) }
        for stop in condition.stops {
            obstacles.append(
                "stopped: \(stop.scope): \(stop.kind): \(stop.reason) (`causeway guard --resume \(stop.scope)` lifts it)")
        }
        return obstacles
    }

    var connectedRelayers: Int {
        mesh.statistics.peers.prefix(settings.cluster.relayers.count).count(where: \.isConnected)
    }
}

/// Why the process ends.
final class Ending: Sendable {
    private let state = Mutex<WatcherError?>(nil)
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    var failure: WatcherError? { state.withLock { $0 } }

    func raise(_ failure: WatcherError) {
        state.withLock { $0 = $0 ?? failure }
        continuation.yield()
    }

    func wait() async { for await _ in stream { return } }
}
