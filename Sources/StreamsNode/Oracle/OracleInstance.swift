// One configuration of a DON as an oracle serves it: its mesh, its agreement, its way to the gateways. Two of them run side
// by side during a handover, with the same keys and sources; their rows, channels and signatures are told apart by the
// digest.

import Agreement
import Ethereum
import Logging
import MessageBus
import OffchainReporting
import PriceStreams
import Storage
import Synchronization

final class OracleInstance: Sendable {
    let streams: StreamsSettings
    let digest: Hash32
    let edge: StreamsEdge
    let courier: ReportCourier
    let runner: InstanceRunner
    let mesh: PeerMesh
    let census = ChannelCensus(now: InstanceRunner.now())
    private let receipts: Mutex<ReceiptBook>
    private let hasStarted = Mutex(false)

    /// Opens the port, and nothing else that others see.
    init(
        streams: StreamsSettings, name: String, predecessor: OracleSet?, keys: OracleKeys, desk: SourceDesk, store: Store,
        lifeCycle: StreamsEdge.LifeCycle, logger: Logger, onFailure: @escaping @Sendable (String) -> Void
    ) throws {
        guard let ownIndex = streams.oracles.firstIndex(where: { $0.name == name }) else {
            throw StreamsNodeError(.settings, "a configuration has no oracle \(name)")
        }
        try keys.check(streams, ownIndex: ownIndex)
        self.streams = streams
        let configuration = try streams.configuration(predecessor: predecessor)
        digest = configuration.configurationDigest
        var logger = logger
        logger[metadataKey: "digest"] = "\(digest.hex.prefix(12))"
        let mesh = try PeerMesh(
            configuration: PeerMeshConfiguration(streams: streams, ownIndex: ownIndex, keyPair: keys.curve),
            logger: logger)
        self.mesh = mesh
        let oracles = streams.oracles.count
        receipts = Mutex(ReceiptBook(gateways: streams.gateways.count))
        courier = ReportCourier(mesh: mesh, gateways: oracles..<(oracles + streams.gateways.count))
        edge = StreamsEdge(configuration: configuration, desk: desk, courier: courier, lifeCycle: lifeCycle, logger: logger)
        guard let channel = Digest(digest.bytes) else { preconditionFailure("a digest has 32 bytes") }
        let instance = try InstanceConfiguration(
            label: InstanceLabel(destinationSelector: UInt64(streams.donID), plugin: "streams"), digest: channel,
            oracles: streams.oracles.map {
                OracleIdentity(offchainPublicKey: $0.offchainPublicKey, onchainSigner: $0.signer.bytes)
            },
            faulty: streams.faulty, ownIndex: ownIndex, timing: streams.timing,
            sizes: Self.sizes(channels: streams.feeds.count))
        runner = InstanceRunner(
            configuration: instance, plugin: StreamsPlugin(configuration: configuration),
            crypto: keys.cryptography(streams), edge: edge, store: store,
            links: InstanceRunner.Links(
                send: { oracle, bytes in _ = mesh.send(to: oracle, channel: channel.bytes, payload: bytes) },
                broadcast: { bytes in
                    for oracle in 0..<oracles where oracle != ownIndex {
                        _ = mesh.send(to: oracle, channel: channel.bytes, payload: bytes)
                    }
                }),
            logger: logger, onFailure: onFailure)
    }

    /// Bounds that fit what the DON is configured for, and leave room for twice as much.
    static func sizes(channels: Int) -> SizeLimits {
        var sizes = StreamsPlugin.sizes
        // A retirement report has 33 bytes for each channel, those of the predecessor as well.
        sizes.report = min(AgreementLimits.retirementBytesMaximum, max(64 << 10, channels * 96))
        sizes.reportsPerOutcome = min(sizes.reportsPerOutcome, max(64, channels * 2))
        sizes.observation = min(sizes.observation, 512 << 10)
        sizes.outcome = min(sizes.outcome, 2 << 20)
        return sizes
    }

    func start(isStoreLost: Bool) throws {
        try runner.start(isLost: isStoreLost)
        hasStarted.withLock { $0 = true }
        let own = digest.bytes
        let oracles = streams.oracles.count
        try mesh.start { [census, runner, weak self] messages in
            let now = InstanceRunner.now()
            for message in messages {
                if message.channel == DeliveryReceipt.channel, message.peer >= oracles {
                    self?.delivered(message.payload, gateway: message.peer - oracles)
                    continue
                }
                guard message.channel == own, message.peer < oracles else {
                    census.unknown(from: message.peer, now: now)
                    continue
                }
                census.heard(own, from: message.peer, now: now)
                runner.receive(from: message.peer, message.payload)
            }
        }
    }

    /// A gateway says what it has of a round; what all of them have needs nobody to stand in.
    private func delivered(_ payload: [UInt8], gateway: Int) {
        guard let receipt = DeliveryReceipt(encoded: payload), receipt.digest == digest else { return }
        let peers = mesh.statistics.peers.dropFirst(streams.oracles.count).map(\.isConnected)
        let count = receipts.withLock { $0.note(receipt, from: gateway) { peers.indices.contains($0) && peers[$0] } }
        if count > 0 { runner.reportsDelivered(sequenceNumber: receipt.sequenceNumber, count: count) }
    }

    func stop() {
        // A loop that never began never ends.
        if hasStarted.withLock({ $0 }) { runner.stop() }
        mesh.stop()
    }

    func order(_ run: HandoverBook.Run) { edge.order(shouldRetire: run.shouldRetire, retirement: run.retirement) }

    /// Nothing when the instance does what it should.
    func obstacles() -> [String] {
        var obstacles: [String] = []
        let standing = edge.standing
        let age = standing.committedAt == 0 ? UInt64.max : (GatewayNode.now() &- standing.committedAt) / 1_000_000
        let window = max(3_000, streams.timing.deltaProgress * 3)
        if let silence = census.obstacle(
            digest.bytes, label: "streams", needed: 2 * streams.faulty, window: window,
            names: streams.oracles.map(\.name), now: InstanceRunner.now())
        { obstacles.append(silence) }
        if age > window { obstacles.append("no round was agreed on for \(min(age, 999_999_999)) ms") }
        if standing.clockSkewNanoseconds.magnitude > ClockWatch.skewNanosecondsMaximum {
            obstacles.append(
                "the clock is \(standing.clockSkewNanoseconds / 1_000_000) ms ahead of the oracles' median: set it right")
        }
        if standing.wanted > 0, standing.observed == 0 { obstacles.append("no source gives a value") }
        return obstacles
    }
}
