// A world that does not answer at once: observations are tried again within their round, a report that nobody could
// judge is accepted, and the last check before a transmission waits for its answer.

import Agreement
import Ethereum
import Foundation
import OffchainReporting
import Storage
import Synchronization
import Testing

@Suite("Questions that are asked again")
struct QuestionTests {
    /// One report of the same bytes in every outcome.
    struct Steady: ReportingPlugin {
        var transmitsSignatures: Bool { true }
        func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {}
        func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
            observations.count >= 4
        }
        func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] { [1] }
        func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] {
            sequenceNumber == 1 ? [Report(bytes: [7])] : []
        }
        func attestationDigest(of report: Report, sequenceNumber: UInt64, configurationDigest: Digest) -> Digest {
            Digest(sha256(report.bytes + Bytes(bigEndian: sequenceNumber)).bytes) ?? .zero
        }
    }

    /// Fails the first times it is asked, and says nothing the first times that it should judge.
    final class Shaky: PluginEdge {
        struct Fault: Error {}
        struct Counts {
            var observed = 0
            var judged = 0
            var asked = 0
            var transmitted = 0
        }
        let counts = Mutex(Counts())
        let failures: Int
        let silences: Int
        let wants: Bool

        init(failures: Int, silences: Int, wants: Bool) {
            self.failures = failures
            self.silences = silences
            self.wants = wants
        }

        func observe(previousOutcome: [UInt8], sequenceNumber: UInt64) async throws -> [UInt8] {
            let count = counts.withLock { counts in
                counts.observed += 1
                return counts.observed
            }
            if count <= failures { throw Fault() }
            return [1]
        }
        func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool? {
            counts.withLock { $0.judged += 1 }
            return nil
        }
        func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool? {
            let count = counts.withLock { counts in
                counts.asked += 1
                return counts.asked
            }
            return count <= silences ? nil : wants
        }
        func transmit(_ report: AttestedReport) async { counts.withLock { $0.transmitted += 1 } }
        func restored(outcome: [UInt8]) {}
        func committed(sequenceNumber: UInt64, outcome: [UInt8]) {}
        var now: Counts { counts.withLock { $0 } }
    }

    /// Where messages go; the runners come after the links.
    final class Switch: Sendable {
        let runners = Mutex<[InstanceRunner]>([])
        func deliver(_ bytes: [UInt8], from: Int, to: Int) {
            runners.withLock { $0.indices.contains(to) ? $0[to] : nil }?.receive(from: from, bytes)
        }
    }

    static func cluster(_ edges: [Shaky], deltaProgress: UInt64, deltaStage: UInt64) throws -> [InstanceRunner] {
        let reporters = edges.map { _ in PrivateKey.random() }
        let offchain = try edges.map { _ in try Ed25519PrivateKey.random() }
        let digest = try #require(Digest(keccak256([9]).bytes))
        var timing = Timing()
        (timing.deltaProgress, timing.deltaStage, timing.deltaInitial) = (deltaProgress, deltaStage, 200)
        (timing.deltaRound, timing.deltaIdle, timing.deltaGrace, timing.deltaResend) = (10, 100, 5, 200)
        let wires = Switch()
        let runners = try edges.enumerated().map { index, edge in
            let configuration = try InstanceConfiguration(
                label: InstanceLabel(destinationSelector: 1, plugin: "commit"), digest: digest,
                oracles: zip(reporters, offchain).map {
                    OracleIdentity(offchainPublicKey: $1.publicKey, onchainSigner: $0.address.bytes)
                },
                faulty: 1, ownIndex: index, timing: timing)
            return InstanceRunner(
                configuration: configuration, plugin: Steady(),
                crypto: Cryptography(
                    hashing: Hashing { sha256($0).bytes },
                    offchain: OffchainScheme(key: offchain[index], publicKeys: offchain.map(\.publicKey)),
                    attestation: ReportScheme(key: reporters[index], signers: reporters.map(\.address))),
                edge: edge, store: try RestartTests.store(),
                links: .init(
                    send: { wires.deliver($1, from: index, to: $0) },
                    broadcast: { bytes in
                        for other in edges.indices where other != index { wires.deliver(bytes, from: index, to: other) }
                    }),
                logger: RestartTests.quiet, onFailure: { _ in })
        }
        wires.runners.withLock { $0 = runners }
        return runners
    }

    static func wait(_ seconds: Double, _ condition: () -> Bool) async {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end, !condition() { try? await Task.sleep(for: .milliseconds(10)) }
    }

    @Test("an observation that fails is tried again in the same round, and unjudged reports are sent in the end")
    func shaky() async throws {
        let edges = (0..<4).map { _ in Shaky(failures: 2, silences: 1, wants: true) }
        let runners = try Self.cluster(edges, deltaProgress: 40_000, deltaStage: 3_000)
        let start = Date()
        for runner in runners { try runner.start() }
        for runner in runners { runner.workAvailable() }
        await Self.wait(60) { edges.contains { $0.now.transmitted > 0 } }
        #expect(edges.map(\.now.transmitted).reduce(0, +) >= 1)
        #expect(Date().timeIntervalSince(start) < 39, "no round was lost to the failures: that costs deltaProgress")
        #expect(edges.allSatisfy { $0.now.observed >= 3 && $0.now.judged >= 1 })
        #expect(edges.contains { $0.now.asked >= 2 && $0.now.transmitted == 1 }, "asked again, then sent")
        for runner in runners { runner.stop() }
    }

    @Test("a transmission that can never be judged is not sent, and the turn passes on")
    func silent() async throws {
        let edges = (0..<4).map { _ in Shaky(failures: 0, silences: .max, wants: true) }
        let runners = try Self.cluster(edges, deltaProgress: 8_000, deltaStage: 1_100)
        for runner in runners { try runner.start() }
        for runner in runners { runner.workAvailable() }
        await Self.wait(60) { edges.allSatisfy { $0.now.asked > 0 } }
        #expect(edges.allSatisfy { $0.now.asked > 0 && $0.now.transmitted == 0 })
        for runner in runners { runner.stop() }
    }
}
