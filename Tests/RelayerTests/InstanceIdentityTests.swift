// What makes two instances the same, who transmits, and one sender for one key.

import CCIP
import ChainAccess
import Configuration
import Ethereum
import Foundation
import Logging
import OffchainReporting
import Storage
import TestSupport
import Testing
@testable import Transactions

@testable import Relayer

@Suite("Identity of instances")
struct InstanceIdentityTests {
    static func cluster(_ changes: [(String, String)] = []) throws -> ClusterSettings {
        var text = try SettingsTests.cluster()
        for (old, new) in changes {
            #expect(text.contains(old), "the example no longer has '\(old)'")
            text = text.replacingOccurrences(of: old, with: new)
        }
        return try ClusterSettings(yaml: text, file: "cluster.yaml")
    }

    static func digests(_ cluster: ClusterSettings, pinned: Bytes = [1]) -> [Digest] {
        cluster.destinations.flatMap { destination in
            InstancePlugin.allCases.map {
                InstanceIdentity(cluster: cluster, destination: destination, plugin: $0, pinned: pinned).digest
            }
        }
    }

    @Test("one digest for every chain and both plugins gives an identity for each instance")
    func oneDigestEverywhere() throws {
        let example = try Self.cluster()
        let one = "0x" + String(repeating: "77", count: 32)
        var changes: [(String, String)] = []
        for chain in example.chains {
            changes += [("\"\(chain.commitDigest)\"", "\"\(one)\""), ("\"\(chain.executeDigest)\"", "\"\(one)\"")]
        }
        let same = try Self.cluster(changes)
        #expect(Set(same.chains.flatMap { [$0.commitDigest, $0.executeDigest] }).count == 1)
        let digests = Self.digests(same)
        #expect(digests.count == 4 && Set(digests).count == 4)
        #expect(Set(digests).isDisjoint(with: Self.digests(example)))
        #expect(!digests.contains { $0.bytes == same.chains[0].commitDigest.bytes })
    }

    @Test(
        "whatever decides is part of the identity",
        arguments: [
            ("deltaStage: 15000", "deltaStage: 15001"), ("rMax: 1000", "rMax: 999"),
            ("0x263f7db0aEDe28d534875ea44e9e3399F171e931", "0x263f7db0aede28d534875ea44e9e3399f171e930"),
            ("0x8A791620dd6260079BF849Dc5567aDC3F2FdC318", "0x8a791620dd6260079bf849dc5567adc3f2fdc319"),
            ("0x000a65f6a1e962d536b2276eecbc52604301b30929be3aa6a2f8ed412d1793cb",
             "0x000a65f6a1e962d536b2276eecbc52604301b30929be3aa6a2f8ed412d1793cc"),
        ])
    func sensitive(_ old: String, _ new: String) throws {
        let (before, after) = (Self.digests(try Self.cluster()), Self.digests(try Self.cluster([(old, new)])))
        #expect(before != after)
    }

    @Test("the plugin's own rules are part of the identity, and names and places of relayers are not")
    func pinned() throws {
        let example = try Self.cluster()
        #expect(Set(Self.digests(example, pinned: [1])).isDisjoint(with: Self.digests(example, pinned: [2])))
        let moved = try Self.cluster([("relayer-3.example", "elsewhere.example"), ("name: example", "name: other")])
        #expect(Self.digests(moved) == Self.digests(example))
    }

    // MARK: Transmitters

    static let both = """
              jovay:
                committing: "0xd3AeE87E264fF76Cfb5aB3342c0cFC03448c85ea"
                executing: "0x555E421D217729b39a4267a4870C97110D030be0"
        """

    @Test("one account may serve both plugins of one relayer, in the short form and in the long one")
    func oneAccount() throws {
        let short = try Self.cluster([(Self.both, "      jovay: \"0xd3AeE87E264fF76Cfb5aB3342c0cFC03448c85ea\"")])
        let long = try Self.cluster([
            ("0x555E421D217729b39a4267a4870C97110D030be0", "0xd3AeE87E264fF76Cfb5aB3342c0cFC03448c85ea")
        ])
        for cluster in [short, long] {
            let row = try #require(cluster.relayers[0].transmitters.last)
            #expect(row.committing == row.executing && row.committing != nil)
        }
        #expect(short.relayers == long.relayers)
    }

    @Test("two relayers with one account are refused, and so is a plugin that nobody transmits for")
    func refusals() throws {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try Self.cluster([
                ("0x8EF14c4f586566a4218d9dFc04C9Fa501BF69A78", "0xd3AeE87E264fF76Cfb5aB3342c0cFC03448c85ea")
            ])
        }
        #expect(error?.description.contains("same transmitter on jovay") == true)
        let text = try SettingsTests.cluster()
        let kept = text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("        executing:") }
        let nobody = #expect(throws: ConfigurationError.self) {
            _ = try ClusterSettings(yaml: kept.joined(separator: "\n"), file: "cluster.yaml")
        }
        #expect(nobody?.description.contains("nobody transmits execute reports on ethereum") == true)
    }

    @Test("a relayer that a chain does not list does not transmit there, and all others keep their order")
    func subset() throws {
        let cluster = try Self.cluster([(Self.both, "")])
        let (ethereum, jovay) = (cluster.chains[0].selector, cluster.chains[1].selector)
        #expect(cluster.transmitters(on: ethereum, .commit) == [0, 1, 2, 3])
        #expect(cluster.transmitters(on: jovay, .commit) == [1, 2, 3])
        #expect(cluster.transmitters(on: jovay, .execute) == [1, 2, 3])
        #expect(Self.digests(cluster) != Self.digests(try Self.cluster()))
    }

    // MARK: The outbox of one key

    @Test("entries that another arrangement left behind move once, and what is newer in the new store stays")
    func move() throws {
        let (old, new) = (try StopAndRestartTests.store(), try StopAndRestartTests.store())
        let sender = Address(truncating: 5)
        func entry(_ number: UInt64, nonce: UInt64) -> OutboxEntry {
            OutboxEntry(
                request: TransactionRequest(key: keccak256(Bytes(bigEndian: number)), to: sender, data: [], gasLimit: 21_000),
                phase: .inFlight(nonce: nonce), attempts: [], isFiller: false)
        }
        func put(_ store: Store, _ entries: [OutboxEntry]) throws {
            try store.applyOutbox(
                chain: 1, sender: sender, entries.map { .put(key: $0.request.key, entry: $0.encoded) })
        }
        try put(old, [entry(1, nonce: 1), entry(2, nonce: 2), entry(3, nonce: 3)])
        try put(new, [entry(2, nonce: 9)])
        try new.applyOutbox(chain: 1, sender: sender, [.forget(key: entry(3, nonce: 3).request.key)])
        for _ in 0..<2 {
            try SenderPool.move(from: old, to: new, chain: 1, sender: sender)
            #expect(try old.outbox(chain: 1, sender: sender).isEmpty)
            let nonces = try new.outbox(chain: 1, sender: sender).compactMap { try OutboxEntry(decoding: $0).nonce }
            #expect(nonces.sorted() == [1, 9])
        }
    }
}
