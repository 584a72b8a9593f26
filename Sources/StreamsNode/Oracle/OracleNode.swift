// One oracle of a DON: its sources, its vote in agreement, and its reports on their way to the gateways.

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
    private let mesh: PeerMesh
    private let store: Store
    private let runner: InstanceRunner
    private let edge: StreamsEdge
    private let courier: ReportCourier
    private let census = ChannelCensus(now: InstanceRunner.now())
    private let failure = FailureBell()
    private let logger: Logger

    /// Opens everything that can fail because of a file, a key or a port.
    /// - Parameter sources: instead of those that the settings name.
    package init(settings: OracleSettings, sources: [any PriceSource]? = nil, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let streams = settings.process.streams
        let keys = try OracleKeys.open(settings)
        try SettingsFile.makeDirectory(settings.process.dataDirectory)
        store = try Store(
            path: "\(settings.process.dataDirectory)/oracle.sqlite", role: settings.process.name, logger: logger)
        let mesh = try PeerMesh(
            configuration: PeerMeshConfiguration(streams: streams, ownIndex: settings.ownIndex, keyPair: keys.curve),
            logger: logger)
        self.mesh = mesh
        let oracles = streams.oracles.count
        courier = ReportCourier(mesh: mesh, gateways: oracles..<(oracles + streams.gateways.count))
        desk =
            sources.map { SourceDesk(sources: $0, streams: streams, logger: logger) }
            ?? SourceDesk(settings: settings.sources, streams: streams, oracle: settings.ownIndex, logger: logger)
        let configuration = try streams.configuration()
        edge = StreamsEdge(configuration: configuration, desk: desk, courier: courier, logger: logger)
        guard let digest = Digest(configuration.configurationDigest.bytes) else {
            preconditionFailure("a digest has 32 bytes")
        }
        let instance = try InstanceConfiguration(
            label: InstanceLabel(destinationSelector: UInt64(streams.donID), plugin: "streams"), digest: digest,
            oracles: streams.oracles.map {
                OracleIdentity(offchainPublicKey: $0.offchainPublicKey, onchainSigner: $0.signer.bytes)
            },
            faulty: streams.faulty, ownIndex: settings.ownIndex, timing: streams.timing,
            sizes: Self.sizes(channels: streams.feeds.count))
        runner = InstanceRunner(
            configuration: instance, plugin: StreamsPlugin(configuration: configuration),
            crypto: keys.cryptography(streams), edge: edge, store: store,
            links: InstanceRunner.Links(
                send: { oracle, bytes in _ = mesh.send(to: oracle, channel: digest.bytes, payload: bytes) },
                broadcast: { bytes in
                    for oracle in 0..<oracles where oracle != settings.ownIndex {
                        _ = mesh.send(to: oracle, channel: digest.bytes, payload: bytes)
                    }
                }),
            logger: logger, onFailure: { [failure] in failure.ring($0) })
    }

    /// Bounds that fit what the DON is configured for, and leave room for twice as much.
    static func sizes(channels: Int) -> SizeLimits {
        var sizes = StreamsPlugin.sizes
        sizes.report = 64 << 10
        sizes.reportsPerOutcome = min(sizes.reportsPerOutcome, max(64, channels * 2))
        sizes.observation = min(sizes.observation, 512 << 10)
        sizes.outcome = min(sizes.outcome, 2 << 20)
        return sizes
    }

    /// Until the task is cancelled, or the store fails.
    package func run(isStoreLost: Bool = false) async throws {
        try runner.start(isLost: isStoreLost)
        defer { stop() }
        let digest = runner.configuration.digest.bytes
        let oracles = settings.process.streams.oracles.count
        try mesh.start { [census, runner] messages in
            let now = InstanceRunner.now()
            for message in messages {
                guard message.channel == digest, message.peer < oracles else {
                    census.unknown(from: message.peer, now: now)
                    continue
                }
                census.heard(digest, from: message.peer, now: now)
                runner.receive(from: message.peer, message.payload)
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [desk] in await desk.run() }
            group.addTask { [self] in await drive() }
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
            runner.workAvailable()
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    private func stop() {
        runner.stop()
        mesh.stop()
        try? store.close()
    }

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
    }

    package var condition: Condition {
        let (status, standing, carried) = (runner.status, edge.standing, courier.counts)
        let peers = mesh.statistics.peers
        let oracles = settings.process.streams.oracles.count
        let now = GatewayNode.now()
        let age = standing.committedAt == 0 ? UInt64.max : now &- standing.committedAt
        return Condition(
            stage: standing.stage.name, epoch: status.epoch, leader: status.leader,
            sequenceNumber: status.committedSequenceNumber,
            observationTimestampNanoseconds: standing.observationTimestampNanoseconds,
            roundAgeMilliseconds: age / 1_000_000, channels: standing.channels, observed: standing.observed,
            wanted: standing.wanted, reports: standing.reports, sent: carried.sent, dropped: carried.dropped,
            refused: status.refused, alarms: status.alarms,
            connectedOracles: peers.prefix(oracles).count(where: \.isConnected),
            connectedGateways: peers.dropFirst(oracles).count(where: \.isConnected),
            clockSkewNanoseconds: standing.clockSkewNanoseconds)
    }

    /// Nothing when the oracle does what it should.
    package func obstacles() -> [String] {
        let condition = condition
        let streams = settings.process.streams
        var obstacles: [String] = []
        let window = max(3_000, streams.timing.deltaProgress * 3)
        if let silence = census.obstacle(
            runner.configuration.digest.bytes, label: "streams", needed: 2 * streams.faulty, window: window,
            names: streams.oracles.map(\.name), now: InstanceRunner.now())
        { obstacles.append(silence) }
        if condition.roundAgeMilliseconds > window {
            obstacles.append("no round was agreed on for \(min(condition.roundAgeMilliseconds, 999_999_999)) ms")
        }
        if condition.clockSkewNanoseconds.magnitude > Limits.clockSkewNanosecondsMaximum {
            obstacles.append(
                "the clock is \(condition.clockSkewNanoseconds / 1_000_000) ms ahead of the oracles' median: set it right")
        }
        if condition.wanted > 0, condition.observed == 0 { obstacles.append("no source gives a value") }
        return obstacles
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
