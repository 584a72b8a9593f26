// The configurations that a gateway listens to and believes. Reports of one that is staged are believed before the gateway
// has heard of its promotion: its oracles make none before they know it, and the contract's owner named them.

import Ethereum
import Logging
import MessageBus
import PriceStreams
import Storage
import Synchronization

final class GatewayConfigurations: Sendable {
    private struct State {
        var verifier: ReportVerifier
        var believed = 1
        /// By digest, without the one of the gateway's own file.
        var meshes: [Hash32: (mesh: PeerMesh, oracles: Int)] = [:]
        var troubles: [Hash32: String] = [:]
        var heard: Set<Hash32> = []
    }

    typealias Receive = @Sendable (_ messages: [InboundMessage], _ oracles: Int) -> Void

    private let settings: GatewaySettings
    private let initial: Hash32
    private let keys: CurveKeyPair
    private let store: Store?
    private let state: Mutex<State>
    private let following: (keeper: HandoverKeeper, watch: ConfiguratorWatch)?
    private let reconciler: Reconciler
    private let logger: Logger

    private final class Reconciler: Sendable {
        let apply = Mutex<(@Sendable ([HandoverBook.Run]) -> Void)?>(nil)
    }

    /// Opens the store of the handover, where there is a Configurator to follow.
    init(
        settings: GatewaySettings, keys: CurveKeyPair, logger: Logger, onFailure: @escaping @Sendable (String) -> Void
    ) throws {
        self.settings = settings
        self.keys = keys
        self.logger = logger
        let streams = settings.process.streams
        let registered = try streams.registered()
        initial = registered.digest
        state = Mutex(State(verifier: try streams.verifier()))
        let reconciler = Reconciler()
        self.reconciler = reconciler
        guard let watching = settings.process.watch else {
            (store, following) = (nil, nil)
            return
        }
        let store = try Store(
            path: "\(settings.process.dataDirectory)/handover.sqlite", role: settings.process.name, logger: logger)
        self.store = store
        let keeper = try HandoverKeeper(
            store: store, donID: streams.donID, initial: registered, logger: logger, onFailure: onFailure
        ) { runs in reconciler.apply.withLock { $0 }?(runs) }
        let name = settings.process.name
        let watch = try ConfiguratorWatch(
            watching, streams: streams, store: store, keeper: keeper, logger: logger
        ) { file in file.gateways.contains { $0.name == name } }
        following = (keeper, watch)
    }

    var verifier: ReportVerifier { state.withLock { $0.verifier } }
    var believed: Int { state.withLock { $0.believed } }

    /// Follows the Configurator until the task is cancelled; returns at once where there is none.
    func run(_ receive: @escaping Receive) async {
        guard let following else { return }
        reconciler.apply.withLock { apply in apply = { [weak self] in self?.reconcile($0, receive) } }
        following.watch.prepare()
        following.keeper.start()
        await following.watch.run()
    }

    func stop() {
        following?.keeper.stop()
        let meshes = state.withLock { state in
            defer { state.meshes = [:] }
            return state.meshes.values.map(\.mesh)
        }
        for mesh in meshes { mesh.stop() }
        try? store?.close()
    }

    /// Of the gateway's own file.
    func isInitial(_ digest: Hash32) -> Bool { digest == initial }

    /// Through which the oracles of a configuration that is not in the own file are reached.
    func mesh(of digest: Hash32) -> (PeerMesh, Int)? { state.withLock { $0.meshes[digest].map { ($0.mesh, $0.oracles) } } }

    /// A report of this configuration was found good: whoever publishes is in production.
    func heard(_ digest: Hash32) {
        guard let following, state.withLock({ $0.heard.insert(digest).inserted }) else { return }
        following.keeper.post(.outcome(digest, .production))
    }

    /// The most oracles of one configuration that are connected, of those that extra meshes serve.
    var connected: [(oracles: Int, needed: Int, of: Int)] {
        state.withLock { $0.meshes.values.map { $0 } }.map { mesh, oracles in
            (mesh.statistics.peers.prefix(oracles).count(where: \.isConnected), (oracles - 1) / 3 + 1, oracles)
        }
    }

    func obstacles() -> [String] {
        let troubles = state.withLock { $0.troubles }
        return troubles.sorted { $0.key < $1.key }.map { "the configuration \($0.key) is not heard: \($0.value)" }
            + (following?.watch.obstacles(staging: false) ?? [])
    }

    // MARK: What is listened to

    /// On the keeper's queue, one call at a time.
    private func reconcile(_ runs: [HandoverBook.Run], _ receive: @escaping Receive) {
        guard let following else { return }
        believe(following.keeper.current, following.watch)
        let wanted = Set(runs.map(\.digest)).subtracting([initial])
        let leaving = state.withLock { state in
            let leaving = state.meshes.filter { !wanted.contains($0.key) }
            for digest in leaving.keys { state.meshes[digest] = nil }
            state.troubles = state.troubles.filter { wanted.contains($0.key) }
            return leaving
        }
        for (digest, item) in leaving {
            logger.notice("configuration is heard no more", metadata: ["digest": "\(digest)"])
            item.mesh.stop()
        }
        for digest in wanted.sorted() where state.withLock({ $0.meshes[digest] == nil }) {
            listen(digest, following.watch, receive)
        }
    }

    /// The digest binds signers and F: what the contract registered and what a file says of one digest are the same.
    private func believe(_ book: HandoverBook, _ watch: ConfiguratorWatch) {
        let own = settings.process.streams
        var feeds = Set(own.feeds.map(\.feedID))
        for set in book.believed { feeds.formUnion(watch.file(set.digest)?.feeds.map(\.feedID) ?? []) }
        let sets = (try? own.oracleSet()).map { [$0] } ?? []
        let all = sets + book.believed
        let verifier = ReportVerifier(all, feeds: [own.donID: feeds])
        let count = Set(all.map(\.digest)).count
        state.withLock { ($0.verifier, $0.believed) = (verifier, count) }
    }

    /// What does not succeed is tried again at the next event; the keeper makes one twice a second.
    private func listen(_ digest: Hash32, _ watch: ConfiguratorWatch, _ receive: @escaping Receive) {
        do {
            guard let streams = watch.file(digest),
                let index = streams.gateways.firstIndex(where: { $0.name == settings.process.name })
            else { return }
            let oracles = streams.oracles.count
            let mesh = try PeerMesh(
                configuration: PeerMeshConfiguration(streams: streams, ownIndex: oracles + index, keyPair: keys),
                logger: logger)
            try mesh.start { receive($0, oracles) }
            state.withLock { state in
                state.meshes[digest] = (mesh, oracles)
                state.troubles[digest] = nil
            }
            logger.notice("configuration is heard", metadata: ["digest": "\(digest)", "name": "\(streams.name)"])
        } catch {
            let text = "\(error)"
            if state.withLock({ $0.troubles.updateValue(text, forKey: digest) }) != text {
                logger.error("a configuration cannot be heard", metadata: ["digest": "\(digest)", "error": "\(text)"])
            }
        }
    }
}
