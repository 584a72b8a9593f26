// What an instance takes from its store when it starts: rows decide, whatever else the store says.

@testable import Agreement
import Ethereum
import Foundation
import Logging
import OffchainReporting
import Storage
import Testing

@Suite("An instance that starts again")
struct RestartTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func store() throws -> Store {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-agree-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return try Store(path: folder.appendingPathComponent("node.sqlite").path, role: "test", logger: quiet)
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
    static func runOnce(_ store: Store, isLost: Bool) async throws {
        let runner = try Self.runner(store)
        try runner.start(isLost: isLost)
        let deadline = Date(timeIntervalSinceNow: 20)
        while try store.votes(digest: runner.configuration.digest.bytes).isEmpty, Date() < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        runner.stop()
    }

    @Test("an instance is fresh once, and never again after its first row, lost store or not", arguments: [false, true])
    func freshOnce(isLost: Bool) async throws {
        let store = try Self.store()
        #expect(try Self.runner(store).restoredState(isLost: false) == .fresh)
        #expect(try Self.runner(store).restoredState(isLost: false) == .fresh, "registered, and died before any row")
        try await Self.runOnce(store, isLost: isLost)
        guard case .intact = try Self.runner(store).restoredState(isLost: false) else {
            return #expect(Bool(false), "rows were there, and were not restored")
        }
        #expect(try Self.runner(store).restoredState(isLost: true) == .lost)
    }
}
