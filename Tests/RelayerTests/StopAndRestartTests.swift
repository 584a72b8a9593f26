// What must outlive a restart: a stop, and the memory of having voted.

import ChainAccess
import Ethereum
import Foundation
import Logging
import OffchainReporting
@testable import Relayer
import Storage
import Testing

@Suite("Stops and restarts")
struct StopAndRestartTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func store() throws -> Store {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-stop-\(UUID().uuidString)")
        try SettingsFile.makeDirectory(folder.path)
        return try Store(path: folder.appendingPathComponent("node.sqlite").path, role: "test", logger: quiet)
    }

    static func keeper(_ store: Store) throws -> (BookKeeper, ClusterSettings) {
        let cluster = try ClusterSettings(yaml: try SettingsTests.cluster(), file: "cluster.yaml")
        let keeper = try BookKeeper(cluster: cluster, store: store, feed: nil, logger: quiet, onNews: { _ in })
        return (keeper, cluster)
    }

    @Test("a stop that stands in the store stops that chain from the start, and no other")
    func stopOutlivesRestart() throws {
        let store = try Self.store()
        try store.raiseStop(scope: "chain/11155111", kind: "finalityViolation", reason: "a block changed")
        let (keeper, cluster) = try Self.keeper(store)
        #expect(keeper.isStopped(cluster.chains[0].selector))
        #expect(!keeper.isStopped(cluster.chains[1].selector))
    }

    @Test("a finality violation stops the chain at once, and a stop of everything stops every chain")
    func violation() throws {
        let (keeper, cluster) = try Self.keeper(try Self.store())
        #expect(!keeper.isStopped(cluster.chains[1].selector))
        try keeper.handle(.violated(reason: "a finalized block changed"), of: cluster.chains[1])
        #expect(keeper.isStopped(cluster.chains[1].selector) && !keeper.isStopped(cluster.chains[0].selector))
        let all = try Self.store()
        try all.raiseStop(scope: "all", kind: "operator", reason: "by hand")
        let (halted, _) = try Self.keeper(all)
        #expect(cluster.chains.allSatisfy { halted.isStopped($0.selector) })
    }

    struct Still: PluginEdge {
        func observe(previousOutcome: [UInt8], sequenceNumber: UInt64) async throws -> [UInt8] { [] }
        func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool? { false }
        func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool? { false }
        func transmit(_ report: AttestedReport) async {}
        func restored(outcome: [UInt8]) {}
        func committed(sequenceNumber: UInt64, outcome: [UInt8]) {}
    }

    struct Nothing: ReportingPlugin {
        var transmitsSignatures: Bool { true }
        func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {}
        func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool { false }
        func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] { [] }
        func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] { [] }
        func attestationDigest(of report: Report, sequenceNumber: UInt64, configurationDigest: Digest) -> Digest { .zero }
    }

    static func runner(_ store: Store) throws -> InstanceRunner {
        let reporters = (0..<4).map { _ in PrivateKey.random() }
        let offchain = try (0..<4).map { _ in try Ed25519PrivateKey.random() }
        let digest = try #require(Digest(keccak256([7]).bytes))
        let configuration = try InstanceConfiguration(
            label: InstanceLabel(destinationSelector: 1, plugin: "commit"), digest: digest,
            oracles: zip(reporters, offchain).map {
                OracleIdentity(offchainPublicKey: $1.publicKey, onchainSigner: $0.address.bytes)
            },
            faulty: 1, ownIndex: 0)
        let crypto = Cryptography(
            hashing: Hashing { sha256($0).bytes },
            offchain: OffchainScheme(key: offchain[0], publicKeys: offchain.map(\.publicKey)),
            attestation: ReportScheme(key: reporters[0], signers: reporters.map(\.address)))
        return InstanceRunner(
            configuration: configuration, plugin: Nothing(), crypto: crypto, edge: Still(), store: store,
            links: .init(send: { _, _ in }, broadcast: { _ in }), logger: quiet, onFailure: { _ in })
    }

    /// Starts, waits for the first row, stops.
    static func runOnce(_ store: Store, isLost: Bool) throws {
        let runner = try Self.runner(store)
        try runner.start(isLost: isLost)
        let deadline = Date(timeIntervalSinceNow: 20)
        while try store.votes(digest: runner.configuration.digest.bytes).isEmpty, Date() < deadline { usleep(5_000) }
        runner.stop()
    }

    @Test("an instance is fresh once, and never again after its first row, lost store or not", arguments: [false, true])
    func freshOnce(isLost: Bool) throws {
        let store = try Self.store()
        #expect(try Self.runner(store).restoredState(isLost: false) == .fresh)
        #expect(try Self.runner(store).restoredState(isLost: false) == .fresh, "registered, and died before any row")
        try Self.runOnce(store, isLost: isLost)
        guard case .intact = try Self.runner(store).restoredState(isLost: false) else {
            return #expect(Bool(false), "rows were there, and were not restored")
        }
        #expect(try Self.runner(store).restoredState(isLost: true) == .lost)
    }
}
