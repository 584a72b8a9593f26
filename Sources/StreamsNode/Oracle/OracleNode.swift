// One oracle of a DON: its sources, its vote in agreement, and its reports on their way to the gateways. During a handover
// it serves two configurations, the one that publishes and the one that is to follow; HandoverBook decides which.

import Agreement
import Configuration
import Ethereum
import Foundation
import JSONRPC
import Logging
import MessageBus
import OffchainReporting
import PriceStreams
import Storage
import Synchronization

package final class OracleNode: Sendable {
    package let settings: OracleSettings
    package let desk: SourceDesk
    private let keys: OracleKeys
    private let store: Store
    private let initial: Hash32
    private let instances = Mutex<[Hash32: OracleInstance]>([:])
    /// Why a configuration that should be served is not.
    private let troubles = Mutex<[Hash32: String]>([:])
    private let isStoreLost = Mutex(false)
    /// Nil for a process that follows no Configurator.
    private let following: (keeper: HandoverKeeper, watch: ConfiguratorWatch)?
    private let reconciler: Reconciler
    private let failure = FailureBell()
    private let logger: Logger

    /// What the keeper calls, which is made before the node is.
    private final class Reconciler: Sendable {
        let apply = Mutex<(@Sendable ([HandoverBook.Run]) -> Void)?>(nil)
        func callAsFunction(_ runs: [HandoverBook.Run]) { apply.withLock { $0 }?(runs) }
    }

    /// Opens everything that can fail because of a file, a key or a port.
    /// - Parameter sources: instead of those that the settings name.
    package init(settings: OracleSettings, sources: [any PriceSource]? = nil, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let streams = settings.process.streams
        keys = try OracleKeys.open(settings)
        try SettingsFile.makeDirectory(settings.process.dataDirectory)
        store = try Store(
            path: "\(settings.process.dataDirectory)/oracle.sqlite", role: settings.process.name, logger: logger)
        desk =
            sources.map { SourceDesk(sources: $0, streams: streams, logger: logger) }
            ?? SourceDesk(settings: settings.sources, streams: streams, oracle: settings.ownIndex, logger: logger)
        let registered = try streams.registered()
        initial = registered.digest
        let reconciler = Reconciler()
        self.reconciler = reconciler
        if let watching = settings.process.watch {
            let keeper = try HandoverKeeper(
                store: store, donID: streams.donID, initial: registered, logger: logger,
                onFailure: { [failure] in failure.ring($0) }, apply: { reconciler($0) })
            let name = settings.process.name
            let watch = try ConfiguratorWatch(
                watching, streams: streams, store: store, keeper: keeper, logger: logger
            ) { file in file.oracles.contains { $0.name == name } }
            following = (keeper, watch)
        } else {
            following = nil
            // What cannot start is known at once: a port in use, keys of others, a predecessor that nobody can follow.
            let only = try instance(streams, predecessor: nil)
            instances.withLock { $0[only.digest] = only }
        }
    }

    private func instance(_ streams: StreamsSettings, predecessor: OracleSet?) throws -> OracleInstance {
        let keeper = following?.keeper
        let digest = try streams.configurationDigest()
        return try OracleInstance(
            streams: streams, name: settings.process.name, predecessor: predecessor, keys: keys, desk: desk, store: store,
            lifeCycle: StreamsEdge.LifeCycle(
                entered: { keeper?.post(.outcome(digest, $0)) }, retired: { keeper?.post(.retired(digest, $0)) }),
            logger: logger, onFailure: { [failure] in failure.ring($0) })
    }

    // MARK: What is served

    /// Makes the running instances those that are to run. On the keeper's queue, one call at a time.
    private func reconcile(_ runs: [HandoverBook.Run]) {
        let wanted = Set(runs.map(\.digest))
        let leaving = instances.withLock { instances in
            let leaving = instances.filter { !wanted.contains($0.key) }
            for digest in leaving.keys { instances[digest] = nil }
            return leaving
        }
        for (digest, instance) in leaving.sorted(by: { $0.key < $1.key }) {
            logger.notice("configuration is served no more", metadata: ["digest": "\(digest)"])
            instance.stop()
        }
        troubles.withLock { $0 = $0.filter { wanted.contains($0.key) } }
        for run in runs {
            if let running = instances.withLock({ $0[run.digest] }) { running.order(run) } else { start(run) }
        }
    }

    /// What does not succeed is tried again at the next event; the keeper makes one twice a second.
    private func start(_ run: HandoverBook.Run) {
        do {
            let own = settings.process.streams
            guard let streams = run.digest == initial ? own : following?.watch.file(run.digest) else {
                throw StreamsNodeError(.settings, "there is no file of the configuration")
            }
            let instance = try instance(streams, predecessor: try run.predecessor.flatMap { try oracles(of: $0) })
            instance.order(run)
            do { try instance.start(isStoreLost: isStoreLost.withLock { $0 }) } catch {
                instance.stop()
                throw error
            }
            instances.withLock { $0[run.digest] = instance }
            _ = troubles.withLock { $0.removeValue(forKey: run.digest) }
            logger.notice("configuration is served", metadata: ["digest": "\(run.digest)", "name": "\(streams.name)"])
        } catch {
            let text = "\(error)"
            if troubles.withLock({ $0.updateValue(text, forKey: run.digest) }) != text {
                logger.error("a configuration cannot be served", metadata: ["digest": "\(run.digest)", "error": "\(text)"])
            }
        }
    }

    /// Whose retirement the successor believes: as the contract registered them, or as a file tells whose digest is theirs.
    private func oracles(of digest: Hash32) throws -> OracleSet? {
        try following?.keeper.current.oracleSet(digest) ?? following?.watch.file(digest)?.oracleSet()
    }

    /// Until the task is cancelled, or the store fails.
    package func run(isStoreLost: Bool = false) async throws {
        self.isStoreLost.withLock { $0 = isStoreLost }
        defer { stop() }
        if let following {
            reconciler.apply.withLock { apply in apply = { [weak self] in self?.reconcile($0) } }
            following.watch.prepare()
            following.keeper.start()
        } else {
            for instance in instances.withLock({ $0.values }) { try instance.start(isStoreLost: isStoreLost) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [desk] in await desk.run() }
            group.addTask { [self] in await drive() }
            if let watch = following?.watch { group.addTask { await watch.run() } }
            group.addTask { [failure] in
                guard let reason = await failure.wait() else { return }
                throw StreamsNodeError(
                    .stopped, reason, hint: "free the disk, or restore the store; the oracle signs nothing until then")
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// There is always something new to agree on.
    private func drive() async {
        let pause = max(10, Int(settings.process.streams.timing.deltaRound) / 2)
        while !Task.isCancelled {
            for instance in instances.withLock({ Array($0.values) }) { instance.runner.workAvailable() }
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    private func stop() {
        following?.keeper.stop()
        let all = instances.withLock { instances in
            defer { instances = [:] }
            return instances.values.map { $0 }
        }
        for instance in all { instance.stop() }
        try? store.close()
    }

    /// The one that publishes; of several the newest, and before that whichever there is.
    private var primary: OracleInstance? {
        let all = instances.withLock { $0.values.sorted { $0.streams.configurator.count < $1.streams.configurator.count } }
        return all.last { $0.edge.standing.stage == .production } ?? all.last
    }

    /// Digest and stage of what is served, in the order of registration.
    package var served: [(digest: Hash32, stage: LifeCycleStage)] {
        instances.withLock { $0.values.sorted { $0.streams.configurator.count < $1.streams.configurator.count } }
            .map { ($0.digest, $0.edge.standing.stage) }
    }

    /// What this process knows of the handover; nil without a Configurator.
    package var handover: HandoverBook? { following?.keeper.current }

    // MARK: Condition

    package struct Condition: Sendable {
        package var stage: String
        package var epoch: UInt64
        package var leader: Int
        package var sequenceNumber: UInt64
        package var observationTimestampNanoseconds: UInt64
        package var roundAgeMilliseconds: UInt64
        package var channels: Int
        package var observed: Int
        package var wanted: Int
        package var reports: UInt64
        package var sent: UInt64
        package var dropped: UInt64
        package var refused: UInt64
        package var alarms: UInt64
        package var connectedOracles: Int
        package var connectedGateways: Int
        /// What the clock is ahead of the last round's median, in nanoseconds; negative when behind.
        package var clockSkewNanoseconds: Int64
        /// Configurations that are served, and those of them that are to retire.
        package var instances: Int
        package var retiring: Int
    }

    /// Of the instance that publishes.
    package var condition: Condition {
        let primary = primary
        let (status, standing) = (primary?.runner.status, primary?.edge.standing ?? .init())
        let carried = primary?.courier.counts ?? (sent: 0, dropped: 0)
        let peers = primary?.mesh.statistics.peers ?? []
        let oracles = primary?.streams.oracles.count ?? 0
        let now = GatewayNode.now()
        let age = standing.committedAt == 0 ? UInt64.max : now &- standing.committedAt
        let all = instances.withLock { $0.values.map { $0.edge.standing } }
        return Condition(
            stage: standing.stage.name, epoch: status?.epoch ?? 0, leader: status?.leader ?? 0,
            sequenceNumber: status?.committedSequenceNumber ?? 0,
            observationTimestampNanoseconds: standing.observationTimestampNanoseconds,
            roundAgeMilliseconds: age / 1_000_000, channels: standing.channels, observed: standing.observed,
            wanted: standing.wanted, reports: standing.reports, sent: carried.sent, dropped: carried.dropped,
            refused: status?.refused ?? 0, alarms: status?.alarms ?? 0,
            connectedOracles: peers.prefix(oracles).count(where: \.isConnected),
            connectedGateways: peers.dropFirst(oracles).count(where: \.isConnected),
            clockSkewNanoseconds: standing.clockSkewNanoseconds, instances: all.count,
            retiring: all.count { $0.shouldRetire })
    }

    /// Nothing when the oracle does what it should.
    package func obstacles() -> [String] {
        var obstacles = primary?.obstacles() ?? ["no configuration names this oracle"]
        for (digest, trouble) in troubles.withLock({ $0.sorted { $0.key < $1.key } }) {
            obstacles.append("the configuration \(digest) is not served: \(trouble)")
        }
        return obstacles + (following?.watch.obstacles(staging: true) ?? [])
    }
}

/// Rings once, with the reason.
final class FailureBell: Sendable {
    private let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(1)) }

    func ring(_ reason: String) { continuation.yield(reason) }

    /// Nil when the task is cancelled first.
    func wait() async -> String? {
        for await reason in stream { return reason }
        return nil
    }
}
