// Tries: the one that changes and the one-shot function against each other.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Tries")
struct TrieTests {
    @Test(
        "random changes: the incremental root is the one-shot root, values read back, order does not matter",
        arguments: [MerkleTrie.Keys.plain, .hashed])
    func againstOneShot(keys: MerkleTrie.Keys) throws {
        var random = SplitMix64.forTest("againstOneShot \(keys)")
        for _ in 0..<40 {
            var model: [Bytes: Bytes] = [:]
            var trie = MerkleTrie(keys: keys)
            // Short keys of few letters, so that they are prefixes of each other and nodes melt together.
            for step in 0..<120 {
                let key = (0..<random.below(4)).map { _ in UInt8([0x00, 0x01, 0x10, 0x11][random.below(4)]) }
                let value = random.below(3) == 0 ? nil : random.bytes(1 + random.below(40))
                trie[key] = value
                model[key] = value
                if step % 10 == 0 {
                    let pairs = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
                    let expected: Hash32
                    switch keys {
                    case .plain: expected = Trie.root(of: pairs)
                    case .hashed: expected = Trie.secureRoot(of: pairs)
                    }
                    #expect(trie.root == expected, "seed \(random.seed)")
                    #expect(trie.entries.count == model.count)
                }
                #expect(trie[key] == value)
            }
            for (key, value) in model { #expect(trie[key] == value) }
            for key in model.keys { trie[key] = nil }
            #expect(trie.isEmpty && trie.root == .emptyTrieRoot)
        }
    }

    @Test("a copy is a snapshot: changes on either side stay there")
    func snapshots() {
        var random = SplitMix64.forTest()
        var trie = MerkleTrie()
        var snapshots: [(MerkleTrie, Hash32)] = []
        for _ in 0..<300 {
            trie[random.bytes(1)] = random.below(4) == 0 ? nil : random.bytes(8)
            snapshots.append((trie, trie.root))
        }
        for (snapshot, root) in snapshots {
            #expect(snapshot.root == root)
            var copy = snapshot
            copy[[1, 2, 3]] = [9]
            #expect(copy.root != root && snapshot.root == root)
            copy[[1, 2, 3]] = nil
            #expect(copy.root == root)
        }
    }

    @Test("a root taken from many tasks at once is the same root")
    func concurrentRoots() async {
        var random = SplitMix64.forTest()
        var trie = MerkleTrie()
        for _ in 0..<2_000 { trie[random.bytes(20)] = random.bytes(50) }
        let copy = trie
        let expected = Trie.root(of: trie.entries)
        let roots = await withTaskGroup(of: Hash32.self) { group in
            for _ in 0..<8 { group.addTask { copy.root } }
            return await group.reduce(into: Set<Hash32>()) { $0.insert($1) }
        }
        #expect(roots == [expected])
    }

    @Test("proofs verify presence and absence, and a changed or shortened proof is refused")
    func proofs() throws {
        var random = SplitMix64.forTest()
        var trie = MerkleTrie()
        #expect(try TrieProof.verify(root: trie.root, key: [1], nodes: trie.proof(for: [1])) == nil)
        var model: [(Bytes, Bytes)] = []
        for _ in 0..<300 {
            let entry = (random.bytes(20), random.bytes(1 + random.below(60)))
            trie[entry.0] = entry.1
            model.append(entry)
        }
        for (key, value) in model {
            let proof = trie.proof(for: key)
            #expect(try TrieProof.verify(root: trie.root, key: key, nodes: proof) == value)
            let absent = random.bytes(20)
            #expect(try TrieProof.verify(root: trie.root, key: absent, nodes: trie.proof(for: absent)) == nil)
            #expect(throws: EthereumError.self) { try TrieProof.verify(root: random.hash32(), key: key, nodes: proof) }
            #expect(throws: EthereumError.self) {
                try TrieProof.verify(root: trie.root, key: key, nodes: Array(proof.dropLast()))
            }
            #expect(throws: EthereumError.self) {
                try TrieProof.verify(root: trie.root, key: key, nodes: proof + [[0xc0]])
            }
            var changed = proof
            let node = random.below(changed.count)
            changed[node][random.below(changed[node].count)] ^= 1
            #expect(throws: EthereumError.self) { try TrieProof.verify(root: trie.root, key: key, nodes: changed) }
        }
    }

    @Test("short values stand inside their parents, and proofs of them verify")
    func inlineNodes() throws {
        var trie = MerkleTrie(keys: .plain)
        for index in 0..<200 as Range<UInt8> { trie[[index]] = [index] }
        for index in 0..<200 as Range<UInt8> {
            let proof = trie.proof(for: [index])
            let value = try TrieProof.verify(root: trie.root, path: Nibbles.of([index]), nodes: proof)
            #expect(value == [index])
        }
        #expect(trie.root == Trie.root(of: (0..<200 as Range<UInt8>).map { ([$0], [$0]) }))
    }

    @Test("slots read back, and a zero removes")
    func slots() throws {
        var trie = MerkleTrie()
        trie.setSlot(5, .max)
        trie.setSlot(6, 1)
        #expect(try trie.slot(5) == .max)
        #expect(try trie.slot(6) == 1)
        #expect(try trie.slot(7) == 0)
        trie.setSlot(5, 0)
        trie.setSlot(6, 0)
        #expect(trie.root == .emptyTrieRoot)
    }

    @Test("hex-prefix forms that are none are refused")
    func hexPrefix() {
        for bytes in [[], [0x40], [0x01], [0x2f, 0x00]] as [Bytes] { #expect(Nibbles.path(hexPrefix: bytes) == nil) }
        var random = SplitMix64.forTest()
        for _ in 0..<200 {
            let path = random.bytes(random.below(20)).map { $0 & 15 }
            let isLeaf = random.below(2) == 0
            let read = Nibbles.path(hexPrefix: Nibbles.hexPrefix(path, isLeaf: isLeaf))
            #expect(read?.path == path && read?.isLeaf == isLeaf)
        }
    }
}
