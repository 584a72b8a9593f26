// Canonical bytes of observations, outcomes and feed frames: round trips, and hostile bytes.

import CCIP
import Ethereum
import OffchainReporting
import TestSupport
import Testing

@testable import Executing

@Suite("Encodings of the execute plugin")
struct EncodingTests {
    static func samples() throws -> [(String, Bytes, @Sendable (Bytes) throws -> Bytes)] {
        var world = World(try configuration())
        for _ in 0..<3 { world.send(sourceA, ordered: true, tokens: 1) }
        world.send(sourceB)
        let root = try world.commit(sourceA, 3)
        try world.commit(sourceB, 1)
        let observations = world.honest()
        let outcome = try world.outcome(observations)
        let noNonces = observations.map { ExecuteObservation(roots: $0.roots, leaves: $0.leaves) }
        let wanting = try world.outcome(noNonces)
        let place = LogPlace(blockNumber: 5, blockHash: testDigest, transactionHash: testDigest, logIndex: 2)
        let frame = PairFeedFrame(
            number: 3, destination: destination,
            messages: (world.messages[sourceA] ?? []).map { FedMessage(message: $0, place: place) },
            roots: root.map { [FedRoot(committed: $0, place: place)] } ?? [])
        #expect(!wanting.wantedSenders.isEmpty && !outcome.reports.isEmpty && frame.messages.count == 3)
        return [
            ("observation", observations[0].encoded, { try ExecuteObservation(encoded: $0).encoded }),
            ("outcome", outcome.encoded, { try ExecuteOutcome(encoded: $0).encoded }),
            ("wanting outcome", wanting.encoded, { try ExecuteOutcome(encoded: $0).encoded }),
            ("feed frame", frame.encoded, { try PairFeedFrame(encoded: $0).encoded }),
        ]
    }

    @Test("what is encoded decodes to the same value")
    func roundTrips() throws {
        let samples = try Self.samples()
        #expect(samples.count == 4)
        for (name, bytes, decode) in samples { #expect(try decode(bytes) == bytes, "\(name)") }
        #expect(try ExecuteOutcome(encoded: []) == .none)
    }

    @Test("a decoder takes only what its encoder gives, whatever bytes come")
    func fuzz() throws {
        var random = SplitMix64.forTest()
        for (name, valid, decode) in try Self.samples() {
            for _ in 0..<1_500 {
                var bytes = valid
                switch random.below(5) {
                case 0: bytes.removeLast(1 + random.below(min(96, bytes.count - 1)))
                case 1: bytes += random.bytes(1 + random.below(64))
                case 2: bytes[random.below(bytes.count)] ^= UInt8(1 + random.below(255))
                case 3: bytes[random.below(min(64, bytes.count))] = 0xff
                default: bytes = random.bytes(random.below(600))
                }
                if bytes.isEmpty { continue }
                if let again = try? decode(bytes) { #expect(again == bytes, "\(name)") }
            }
        }
    }

    @Test("hostile observations never stop validation, and what passes it never stops an outcome")
    func fuzzPlugin() throws {
        var random = SplitMix64.forTest()
        var world = World(try configuration())
        for _ in 0..<4 { world.send(sourceA, ordered: random.below(2) == 0, tokens: 1) }
        try world.commit(sourceA, 4)
        let honest = world.honest()
        let valid = honest[0].encoded
        let plugin = ExecutePlugin(configuration: world.configuration)
        var passed = 0
        for _ in 0..<2_000 {
            var bytes = valid
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            guard let lie = try? ExecuteObservation(encoded: bytes),
                (try? lie.validate(observer: 0, world.configuration)) != nil
            else { continue }
            passed += 1
            let outcome = try ExecutePlugin.outcome(
                [lie] + honest.dropFirst(), previous: .none, round: 1, plugin.configuration)
            #expect(try outcome.keys().count == 4)
        }
        #expect(passed > 100, "\(passed) mutations passed validation")
    }

    @Test("the largest outcome stays inside what the reporting instance allows")
    func largestOutcome() throws {
        let configuration = try configuration()
        let root = CommittedRoot(
            root: MerkleRoot(
                source: sourceA, onRamp: Bytes(repeating: 1, count: Executing.Limits.onRampBytesMaximum), first: 1,
                last: 256, root: testDigest), timestamp: 1)
        let verdicts = [ClusterVerdict](repeating: .notObserved, count: 256)
        let pending = (0..<Executing.Limits.rootsPerOutcome).map { index in
            var one = PendingRoot(committed: root, executed: MessageSet(), firstRound: 1, verdicts: verdicts)
            one.committed.timestamp = UInt64(index) + 1
            return one
        }
        let senders = (0..<Executing.Limits.sendersPerObservation).map {
            SenderKey(source: sourceA, sender: Bytes(bigEndian: UInt64($0)) + Bytes(repeating: 1, count: 56))
        }
        let outcome = ExecuteOutcome(
            round: 1, pending: pending, wantedSenders: senders,
            reports: [Bytes(repeating: 0, count: configuration.limits.reportBytesMaximum)])
        #expect(outcome.encoded.count == configuration.sizes.outcome)
        #expect(try ExecuteOutcome(encoded: outcome.encoded) == outcome)
    }
}
