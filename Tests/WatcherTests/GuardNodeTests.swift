// The edge around the state machine: what is on disk before a signature leaves, and what a restart remembers.

import CCIP
import Ethereum
import Foundation
import GuardMessages
import Guarding
import Logging
import MessageBus
import Storage
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import CCIP
@testable import Guarding
@testable import Watcher

/// Lane, messages and answers for an edge without chains.
final class Bench: Sendable {
    static let source: ChainSelector = 16_015_286_601_757_825_753
    static let destination: ChainSelector = 945_045_181_441_419_236
    static let onRamp = Address(truncating: U256(1 as UInt64))
    static let offRamp = Address(truncating: U256(5 as UInt64))
    static let remote = Address(truncating: U256(7 as UInt64))
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-guard-\(UUID().uuidString)").path
    let signer = PrivateKey.random()
    let sent = Mutex<[Bytes]>([])
    let failures = Mutex<[WatcherError]>([])

    init() throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func store() throws -> GuardStore {
        try GuardStore(path: folder + "/guard.sqlite", role: "test", logger: Self.quiet)
    }

    func node(_ store: GuardStore) async throws -> GuardNode {
        let configuration = try GuardConfiguration(
            sources: [.init(selector: Self.source, onRamp: Self.onRamp)],
            destinations: [.init(selector: Self.destination, chainID: 2_019_775, offRamp: Self.offRamp)],
            lanes: [GuardLane(source: Self.source, destination: Self.destination)], signer: signer.address,
            relayerCount: 4)
        let keys = GuardKeys(signer: signer, curve: try CurveKeyPair.generate(), curseAdmin: nil)
        let node = try GuardNode(
            configuration: configuration, store: store, keys: keys, chains: [], logger: Self.quiet,
            onFailure: { [weak self] failure in self?.failures.withLock { $0.append(failure) } })
        await node.connect(readers: [:], curses: [:]) { [weak self] _, bytes in self?.sent.withLock { $0.append(bytes) } }
        return node
    }

    static func message(_ number: UInt64, data: Bytes = []) -> EVM2AnyRampMessage {
        var message = EVM2AnyRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(.zero), source: source, destination: destination,
                sequenceNumber: SequenceNumber(number), nonce: 0), sender: offRamp, data: data, receiver: remote.abiWord,
            extraArgs: ExtraArgs.evmV2(gasLimit: U256(9 as UInt64), allowOutOfOrderExecution: true).encoded,
            feeToken: remote, feeTokenAmount: .one, feeValueJuels: .one, tokenAmounts: [])
        message.header.messageID = message.computedID(onRamp: onRamp)
        return message
    }

    static func logs(_ messages: [EVM2AnyRampMessage]) -> [SourceLog] {
        messages.map { message in
            SourceLog(
                log: Log(
                    address: onRamp,
                    topics: [
                        MessageSentEvent.event.topic, Hash32(U256(destination.rawValue)),
                        Hash32(U256(message.header.sequenceNumber.rawValue)),
                    ], data: ABICodec.encode([message.abi], as: [EVM2AnyRampMessage.type])), block: 3)
        }
    }

    static func root(_ messages: [EVM2AnyRampMessage]) throws -> MerkleRoot {
        let lane = MessageLane(source: source, destination: destination, onRamp: onRamp)
        return MerkleRoot(
            source: source, onRamp: onRamp.abiWord, first: messages[0].header.sequenceNumber,
            last: messages[messages.count - 1].header.sequenceNumber,
            root: try MerkleTree(leaves: messages.map { try MessageValidation.leaf(of: $0, lane: lane).leaf }).root)
    }

    /// As a relayer encodes it.
    static func request(_ root: MerkleRoot) throws -> Bytes {
        var update = Causeway_Guard_V1_LaneUpdate()
        update.source = root.source.rawValue
        update.onRamp = Data(root.onRamp)
        update.min = root.first.rawValue
        update.max = root.last.rawValue
        update.root = Data(root.root.bytes)
        var request = Causeway_Guard_V1_SignatureRequest()
        request.chainID = 2_019_775
        request.destination = destination.rawValue
        request.offRamp = Data(offRamp.bytes)
        request.rmnRemote = Data(remote.bytes)
        request.homeDigest = Data(Hash32(U256.one).bytes)
        request.configVersion = 1
        request.updates = [update]
        request.requestID = Data(try GuardWire.requestID(of: request).bytes)
        return try request.serializedBytes()
    }

    func facts() -> DestinationFacts {
        DestinationFacts(
            destination: Self.destination, block: 1, rmnRemote: Self.remote, homeDigest: Hash32(U256.one),
            configVersion: 1, signers: [signer.address], cursedSubjects: [],
            sources: [
                Self.source: .init(isEnabled: true, requiresBlessing: true, nextNumber: 1, onRamp: Self.onRamp.abiWord)
            ])
    }

    /// The answers to one request.
    func ask(_ node: GuardNode, _ root: MerkleRoot) async throws -> [Causeway_Guard_V1_SignatureResponse] {
        sent.withLock { $0 = [] }
        await node.received(try Self.request(root), from: 0)
        try await node.sees(.destination(facts(), now: ChainEye.now))
        return try sent.withLock { $0 }.map { try Causeway_Guard_V1_SignatureResponse(serializedBytes: $0) }
    }

    func digest(_ root: MerkleRoot) -> RMNReportDigest {
        RMNReportDigest(
            destinationChainID: U256(2_019_775 as UInt64), destination: Self.destination, rmnRemote: Self.remote,
            offRamp: Self.offRamp, rmnHomeDigest: Hash32(U256.one), roots: [root])
    }
}

@Suite("Guard edge")
struct GuardNodeTests {
    let messages = (1...3 as ClosedRange<UInt64>).map { Bench.message($0) }

    @Test("the signature is the signer's with v of 27, and its leaves are on disk")
    func signs() async throws {
        let bench = try Bench()
        let store = try bench.store()
        let node = try await bench.node(store)
        try await node.sees(.sourceLogs(Bench.source, Bench.logs(messages), through: 9, now: 1))
        let root = try Bench.root(messages)
        let answers = try await bench.ask(node, root)
        #expect(answers.count == 1)
        let signed = try #require(answers.first).signed
        let signature = RMNSignature(
            r: try #require(Hash32(bytes: Bytes(signed.r))), s: try #require(Hash32(bytes: Bytes(signed.s))))
        #expect(bench.digest(root).signer(of: signature) == bench.signer.address)
        let rows = try store.signed(source: Bench.source.rawValue, destination: Bench.destination.rawValue, newest: 10)
        #expect(rows.map(\.sequence) == [1, 2, 3])
        #expect(try store.messages(source: Bench.source.rawValue, destination: Bench.destination.rawValue, newest: 2)
            .map(\.sequence) == [2, 3])
    }

    @Test("after a restart the record refuses a second leaf, and the same one is signed again")
    func restart() async throws {
        let bench = try Bench()
        let first = try bench.store()
        let node = try await bench.node(first)
        try await node.sees(.sourceLogs(Bench.source, Bench.logs(messages), through: 9, now: 1))
        let root = try Bench.root(messages)
        #expect(try await bench.ask(node, root).first?.signed.r.isEmpty == false)
        try first.close()

        let second = try bench.store()
        let again = try await bench.node(second)
        #expect(try await bench.ask(again, root).first?.signed.r.isEmpty == false, "messages and records are remembered")
        let forged = messages.map { Bench.message($0.header.sequenceNumber.rawValue, data: [1]) }
        let refused = try await bench.ask(again, try Bench.root(forged))
        #expect(refused.first?.refused.lanes.map(\.code) == ["root_mismatch"])
        // The source itself now shows other messages: a stop, on disk.
        await #expect(throws: WatcherError.self) {
            try await again.sees(.sourceLogs(Bench.source, Bench.logs(forged), through: 9, now: 2))
        }
        try second.close()

        let third = try bench.store()
        let stopped = try await bench.node(third)
        #expect(try third.store.activeStops().map(\.kind) == ["contradictingMessage"])
        #expect(try await bench.ask(stopped, root).first?.refused.lanes.map(\.code) == ["stopped"])
        try third.close()
    }

    @Test("a record that the disk refuses ends the guard, and nothing leaves")
    func diskRefuses() async throws {
        let bench = try Bench()
        let store = try bench.store()
        let node = try await bench.node(store)
        try await node.sees(.sourceLogs(Bench.source, Bench.logs(messages), through: 9, now: 1))
        // Another process, or an older backup, has signed something else.
        try store.sign([
            GuardSignedRow(
                source: Bench.source.rawValue, destination: Bench.destination.rawValue, sequence: 2, leaf: .zero)
        ])
        bench.sent.withLock { $0 = [] }
        await node.received(try Bench.request(Bench.root(messages)), from: 0)
        await #expect(throws: WatcherError.self) {
            try await node.sees(.destination(bench.facts(), now: ChainEye.now))
        }
        #expect(bench.sent.withLock { $0 }.isEmpty)
        #expect(bench.failures.withLock { $0.map(\.code) } == [.store])
        await #expect(throws: WatcherError.self) { try await node.sees(.tick(now: 1)) }
        try store.close()
    }

    @Test("what is no request is dropped and counted")
    func malformed() async throws {
        let bench = try Bench()
        let store = try bench.store()
        let node = try await bench.node(store)
        let good = try Bench.request(Bench.root(messages))
        #expect(try GuardWire.request(good).updates == [Bench.root(messages)])
        var random = SplitMix64(seed: 0x9a4d)
        for _ in 0..<200 {
            var bytes = good
            let bit = Int(random.next() % UInt64(8 * bytes.count))
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: WatcherError.self) { try GuardWire.request(bytes) }
        }
        #expect(throws: WatcherError.self) { try GuardWire.request(Bytes(repeating: 0, count: 9_000)) }
        await node.received([1, 2, 3], from: 0)
        #expect(await node.condition().malformedRequests == 1)
        try store.close()
    }

    @Test("a store of a relayer is none of a guard, and the other way round")
    func foreignStore() throws {
        let bench = try Bench()
        let store = try Store(path: bench.folder + "/guard.sqlite", role: "relayer", logger: Bench.quiet)
        try store.close()
        let error = #expect(throws: StorageError.self) { _ = try bench.store() }
        #expect(error?.code == .foreignFile)
    }
}
