// The streams' edge of agreement: what it tells of the life cycle, what it is told, and when it keeps silent.

import Agreement
import Ethereum
import MessageBus
@testable import OffchainReporting
import PriceStreams
import Synchronization
import Testing

@testable import StreamsNode

@Suite("The edge of an instance")
struct StreamsEdgeTests {
    private final class Told: Sendable {
        let stages = Mutex<[LifeCycleStage]>([])
        let proofs = Mutex<[AttestedRetirement]>([])
    }

    private func edge(_ told: Told) throws -> StreamsEdge {
        let pair = try CurveKeyPair.generate()
        let mesh = try PeerMesh(
            configuration: PeerMeshConfiguration(
                peers: [.init(name: "one", endpoint: Endpoint("tcp://127.0.0.1:0"), publicKey: pair.publicKey)], ownIndex: 0,
                keyPair: pair), logger: HandoverFolder.quiet)
        let streams = try HandoverFixture.first()
        return StreamsEdge(
            configuration: try streams.configuration(),
            desk: SourceDesk(sources: [], streams: streams, logger: HandoverFolder.quiet),
            courier: ReportCourier(mesh: mesh, gateways: 0..<0),
            lifeCycle: StreamsEdge.LifeCycle(
                entered: { stage in told.stages.withLock { $0.append(stage) } },
                retired: { proof in told.proofs.withLock { $0.append(proof) } }), logger: HandoverFolder.quiet)
    }

    private func outcome(_ stage: LifeCycleStage, secondsAgo: UInt64 = 0) -> Bytes {
        StreamsOutcome(
            stage: stage, observationTimestampNanoseconds: GatewayNode.now() - secondsAgo * 1_000_000_000
        ).encoded
    }

    @Test("an oracle that comes back votes in the first round: what it restores says nothing of its clock")
    func restored() async throws {
        let told = Told()
        let edge = try edge(told)
        edge.restored(outcome: outcome(.production, secondsAgo: 600))
        #expect(edge.standing.committedAt == 0 && edge.standing.stage == .production, "nobody is ready by an old round")
        _ = try await edge.observe(previousOutcome: outcome(.production), sequenceNumber: 5)
        // A round that finds its clock wrong silences it.
        edge.committed(sequenceNumber: 5, outcome: outcome(.production, secondsAgo: 30))
        await #expect(throws: StreamsNodeError.self) {
            try await edge.observe(previousOutcome: outcome(.production), sequenceNumber: 6)
        }
        #expect(told.stages.withLock { $0 } == [.production], "a stage is told once")
    }

    @Test("it votes to retire when it is told to, and tells how it retired, once")
    func retirement() async throws {
        let told = Told()
        let edge = try edge(told)
        let before = try await edge.observe(previousOutcome: outcome(.production), sequenceNumber: 1)
        edge.order(shouldRetire: true, retirement: nil)
        let after = try await edge.observe(previousOutcome: outcome(.production), sequenceNumber: 2)
        #expect(try !StreamsObservation(encoded: before).shouldRetire && StreamsObservation(encoded: after).shouldRetire)
        edge.committed(sequenceNumber: 2, outcome: outcome(.production))
        edge.committed(sequenceNumber: 3, outcome: outcome(.retired))
        #expect(told.stages.withLock { $0 } == [.production, .retired])

        let label = ReportLabel(channelID: ChannelID(0), format: .retirement, feedID: nil, observationTimestampNanoseconds: 1)
        let body = RetirementReport(protocolVersion: 1, validAfter: [ChannelTime(ChannelID(1), 7)]).encoded
        let signature = try PrivateKey(bytes: Bytes(repeating: 1, count: 32)).sign(digest: .zero)
        let attested = AttestedReport(
            key: ReportKey(sequenceNumber: 3, index: 0), configurationDigest: try #require(Digest(Bytes(repeating: 1, count: 32))),
            report: Report(bytes: body, metadata: label.encoded),
            signatures: [AttributedSignature(signer: 2, signature: signature.bytes)])
        await edge.transmit(attested)
        await edge.transmit(attested)
        let proofs = told.proofs.withLock { $0 }
        #expect(proofs.count == 1 && proofs.first?.report == body && proofs.first?.sequenceNumber == 3)
        #expect(proofs.first?.signatures.map(\.signer) == [2])
    }
}
