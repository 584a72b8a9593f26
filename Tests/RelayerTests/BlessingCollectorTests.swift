// Guards as a relayer sees them: what is asked, when again, which answers count, and that no answer can do harm.

import CCIP
@testable import Committing
import Ethereum
import Foundation
import GuardMessages
import Logging
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import Relayer

@Suite("Guards behind the mesh")
struct BlessingCollectorTests {
    /// Frames that left, by member.
    private final class Outbox: Sendable {
        let frames = Mutex<[(member: Int, payload: [UInt8])]>([])
        let rings = Mutex<[ChainSelector]>([])
        let clock = Mutex<UInt64>(1_000)
    }

    private let keys: [PrivateKey]
    private let destination: ClusterSettings.Chain

    init() throws {
        keys = try (0..<4).map { try PrivateKey(bytes: keccak256(text: "guard \($0)").bytes) }
        let cluster = try ClusterSettings(yaml: try SettingsTests.cluster(), file: "cluster.yaml")
        destination = try #require(cluster.destinations.first)
    }

    private func collector(_ outbox: Outbox) -> BlessingCollector {
        BlessingCollector(
            guards: ["guard-0", "guard-1", "guard-2"], relayers: 4,
            send: { member, payload in outbox.frames.withLock { $0.append((member, payload)) } },
            onEnough: { chain in outbox.rings.withLock { $0.append(chain) } },
            now: { outbox.clock.withLock { $0 } }, logger: Logger(label: "test"))
    }

    private func request(id: UInt64 = 7) throws -> BlessingRequest {
        let remote = RMNRemoteConfiguration(
            version: 3, homeDigest: keccak256(text: "home"), rmnRemote: Address(truncating: U256(0xA7 as UInt64)),
            faultySigners: 1, signers: keys.prefix(3).map(\.address))
        let roots = [
            MerkleRoot(
                source: 101, onRamp: Bytes(repeating: 9, count: 32), first: 4, last: 6, root: keccak256(text: "root"))
        ]
        let blessing = BlessingConfiguration(
            destinationChainID: destination.chainID, offRamp: destination.contracts.offRamp)
        return BlessingRequest(
            setID: id, since: 1, remote: remote, roots: roots,
            digest: blessing.digest(of: roots, to: destination.selector, remote), signatures: [])
    }

    private func decoded(_ payload: [UInt8]) throws -> Causeway_Guard_V1_SignatureRequest {
        try Causeway_Guard_V1_SignatureRequest(serializedBytes: payload)
    }

    private func answer(
        _ request: [UInt8], _ fill: (inout Causeway_Guard_V1_SignatureResponse) -> Void
    ) throws -> [UInt8] {
        var response = Causeway_Guard_V1_SignatureResponse()
        response.requestID = try decoded(request).requestID
        fill(&response)
        return try response.serializedBytes()
    }

    private func signed(_ request: BlessingRequest, _ payload: [UInt8], by key: PrivateKey) throws -> [UInt8] {
        let signature = RMNSignature(key.sign(digest: request.digest.digest))
        return try answer(payload) { response in
            response.signed.r = Data(signature.r.bytes)
            response.signed.s = Data(signature.s.bytes)
        }
    }

    @Test("the question holds what the digest is made of, and its id is the hash of the rest")
    func question() throws {
        let outbox = Outbox()
        let request = try request()
        collector(outbox).ask(request, destination: destination, instance: Bytes(repeating: 5, count: 32))
        let frames = outbox.frames.withLock { $0 }
        #expect(frames.map(\.member) == [4, 5, 6])
        var message = try decoded(try #require(frames.first).payload)
        #expect(message.chainID == destination.chainID && message.destination == destination.selector.rawValue)
        #expect(Bytes(message.offRamp) == destination.contracts.offRamp.bytes)
        #expect(Bytes(message.rmnRemote) == request.remote.rmnRemote.bytes && message.configVersion == 3)
        #expect(Bytes(message.homeDigest) == request.remote.homeDigest.bytes)
        let update = try #require(message.updates.first)
        #expect(message.updates.count == 1 && update.source == 101 && update.min == 4 && update.max == 6)
        #expect(Bytes(update.onRamp) == request.roots[0].onRamp && Bytes(update.root) == request.roots[0].root.bytes)
        let id = Bytes(message.requestID)
        message.requestID = Data()
        let rest: [UInt8] = try message.serializedBytes()
        #expect(sha256(rest).bytes == id)
    }

    @Test("signatures of signers count once each, and enough of them ring the bell")
    func signatures() throws {
        let outbox = Outbox()
        let collector = collector(outbox)
        let request = try request()
        collector.ask(request, destination: destination, instance: [])
        let payload = try #require(outbox.frames.withLock { $0.first }).payload
        #expect(collector.votes(destination.selector) == nil)
        // A stranger's, the same twice, one that came through another guard: only the second signer completes it.
        collector.receive(from: 4, try signed(request, payload, by: keys[3]))
        #expect(collector.votes(destination.selector) == nil && collector.statistics.useless == 1)
        collector.receive(from: 4, try signed(request, payload, by: keys[0]))
        collector.receive(from: 5, try signed(request, payload, by: keys[0]))
        #expect(collector.votes(destination.selector)?.signatures.count == 1)
        #expect(outbox.rings.withLock { $0 }.isEmpty)
        collector.receive(from: 6, try signed(request, payload, by: keys[2]))
        let votes = try #require(collector.votes(destination.selector))
        #expect(votes.setID == 7 && votes.signatures.count == 2)
        #expect(votes.signatures.compactMap(request.signer(of:)).count == 2)
        #expect(outbox.rings.withLock { $0 } == [destination.selector])
        // A new set forgets them; late answers to the old one do nothing.
        collector.ask(try self.request(id: 8), destination: destination, instance: [])
        #expect(collector.votes(destination.selector) == nil)
        collector.ask(nil, destination: destination, instance: [])
        collector.receive(from: 6, try signed(request, payload, by: keys[2]))
        #expect(collector.votes(destination.selector) == nil && collector.words(destination.selector).isEmpty)
    }

    @Test("who has not signed is asked again after two seconds, until there are enough")
    func again() throws {
        let outbox = Outbox()
        let collector = collector(outbox)
        let request = try request()
        collector.ask(request, destination: destination, instance: [])
        collector.ask(request, destination: destination, instance: [])
        #expect(outbox.frames.withLock { $0.count } == 3, "the same question is asked once")
        let payload = try #require(outbox.frames.withLock { $0.first }).payload
        collector.receive(from: 5, try signed(request, payload, by: keys[1]))
        collector.askAgain()
        #expect(outbox.frames.withLock { $0.count } == 3)
        outbox.clock.withLock { $0 += 2_000 }
        collector.askAgain()
        #expect(outbox.frames.withLock { $0.dropFirst(3).map(\.member) } == [4, 6])
        collector.receive(from: 4, try signed(request, payload, by: keys[0]))
        outbox.clock.withLock { $0 += 60_000 }
        collector.askAgain()
        #expect(outbox.frames.withLock { $0.count } == 5)
        #expect(collector.statistics.requests == 5)
    }

    @Test("what guards say is told, cut and printable; contradictions are counted by lane")
    func words() throws {
        let outbox = Outbox()
        let collector = collector(outbox)
        collector.ask(try request(), destination: destination, instance: [])
        let payload = try #require(outbox.frames.withLock { $0.first }).payload
        #expect(collector.words(destination.selector).first == "guard-0 does not answer")
        collector.receive(from: 4, try answer(payload) { response in
            var wait = Causeway_Guard_V1_Wait()
            (wait.source, wait.finalizedThrough, wait.reason) = (101, 5, "not final\u{1B}[31m")
            response.waits.lanes = [wait]
        })
        collector.receive(from: 5, try answer(payload) { response in
            var refusal = Causeway_Guard_V1_LaneRefusal()
            (refusal.source, refusal.code, refusal.detail) = (101, "root_mismatch", String(repeating: "x", count: 4_000))
            response.refused.lanes = [refusal]
        })
        let words = collector.words(destination.selector)
        #expect(words[0] == "guard-0 waits: 101 finalized through 5 (not final?[31m)")
        #expect(words[1].hasPrefix("guard-1 refuses: 101 root_mismatch (xxx") && words[1].count < 600)
        #expect(collector.contradictions(destination.selector, of: 101) == 1)
        #expect(collector.contradictions(destination.selector, of: 102) == 0)
    }

    @Test("hostile frames change nothing and never trap")
    func fuzz() throws {
        var random = SplitMix64.forTest()
        let outbox = Outbox()
        let collector = collector(outbox)
        let request = try request()
        collector.ask(request, destination: destination, instance: [])
        let payload = try #require(outbox.frames.withLock { $0.first }).payload
        let good = try signed(request, payload, by: keys[3])
        for _ in 0..<4_000 {
            var bytes = random.below(3) == 0 ? random.bytes(random.below(300)) : good
            for _ in 0...random.below(4) where !bytes.isEmpty {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            collector.receive(from: random.below(9), bytes)
        }
        collector.receive(from: 4, Bytes(repeating: 0x0A, count: 1 << 20))
        #expect(collector.votes(destination.selector) == nil)
        #expect(collector.statistics.signatures == 0 && collector.statistics.useless > 0)
    }

    // MARK: Settings

    @Test("guards, prices and rollup fees of a cluster file")
    func settings() throws {
        let text = try SettingsTests.cluster()
        let plain = try ClusterSettings(yaml: text, file: "cluster.yaml")
        #expect(plain.guards.isEmpty && plain.chains[0].prices.reportsGas && plain.chains[0].dataAvailability.kind == .none)
        #expect(plain.chains[0].prices == plain.prices && plain.chains[0].feedChain == plain.chains[0].selector)
        let key = String(repeating: "a", count: 40)
        let guards = """

            guards:
              - {name: guard-0, signer: "0x00000000000000000000000000000000000000a1", curvePublicKey: "\(key)", mesh: "tcp://127.0.0.1:1"}
            guardTimeoutMilliseconds: 9000

            """
        let name = plain.chains[0].name
        let chain = """
            - name: \(name)
                prices: {gas: off, tokens: on, tokenHeartbeatSeconds: 60}
                feedChain: \(plain.chains[1].name)
                dataAvailability: {kind: optimism}
            """
        let changed = (text + guards).replacingOccurrences(of: "- name: \(name)", with: chain)
        let cluster = try ClusterSettings(yaml: changed, file: "cluster.yaml")
        #expect(cluster.guards.map(\.name) == ["guard-0"] && cluster.guardTimeoutMilliseconds == 9_000)
        #expect(!cluster.chains[0].prices.reportsGas && cluster.chains[0].prices.tokenHeartbeatSeconds == 60)
        #expect(cluster.chains[0].prices.gasHeartbeatSeconds == plain.prices.gasHeartbeatSeconds)
        #expect(cluster.chains[0].feedChain == plain.chains[1].selector)
        #expect(cluster.chains[0].dataAvailability.oracle.checksummed.hasPrefix("0x4200000000000000000000000000000000"))
        let twice = guards.replacingOccurrences(of: "guard-0", with: plain.relayers[0].name)
        #expect(throws: (any Error).self) { try ClusterSettings(yaml: text + twice, file: "cluster.yaml") }
    }
}
