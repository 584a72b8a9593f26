// Nodes of the trie that changes: immutable, shared between snapshots, each hashed at most once.

import Synchronization

/// One node. Content never changes; the hash is computed when it is first asked for.
final class TrieNode: Sendable {
    enum Content: Sendable {
        case leaf(path: Bytes, value: Bytes)
        /// An extension node.
        case link(path: Bytes, child: TrieNode)
        /// Sixteen children; the value is empty when no key ends here.
        case branch(children: [TrieNode?], value: Bytes)
    }

    let content: Content

    private enum Cache {
        static let empty: UInt8 = 0
        static let writing: UInt8 = 1
        static let ready: UInt8 = 2
    }
    private let cache = Atomic<UInt8>(Cache.empty)
    /// Written once between `writing` and `ready`, read after `ready`.
    nonisolated(unsafe) private var cachedHash = Hash32.zero

    init(_ content: Content) { self.content = content }

    static func leaf(_ path: some Collection<UInt8>, _ value: Bytes) -> TrieNode {
        TrieNode(.leaf(path: Bytes(path), value: value))
    }

    // MARK: Hashing

    /// The node's RLP. Its children are hashed first where they are not yet.
    var encoded: Bytes {
        switch content {
        case .leaf(let path, let value): return Trie.leaf(path, value)
        case .link(let path, let child):
            var reference = Bytes()
            child.appendReference(to: &reference)
            return Trie.link(path, reference)
        case .branch(let children, let value):
            var payload = Bytes()
            payload.reserveCapacity(16 * 33 + 1)
            for child in children {
                if let child { child.appendReference(to: &payload) } else { payload.append(0x80) }
            }
            RLP.append(value, to: &payload)
            return Trie.list(payload)
        }
    }

    /// The hash of the node's RLP, also of a short one: what the root needs.
    var hash: Hash32 {
        if cache.load(ordering: .acquiring) == Cache.ready { return cachedHash }
        return remember(encoded)
    }

    /// True when a parent names this node by its hash.
    var isNamedByHash: Bool { cache.load(ordering: .acquiring) == Cache.ready || encoded.count >= 32 }

    private func appendReference(to out: inout Bytes) {
        if cache.load(ordering: .acquiring) == Cache.ready {
            out.append(0xa0)
            out += cachedHash.bytes
            return
        }
        let node = encoded
        if node.count < 32 {
            out += node
        } else {
            out.append(0xa0)
            out += remember(node).bytes
        }
    }

    private func remember(_ node: Bytes) -> Hash32 {
        let hash = keccak256(node)
        // A short node stands inside its parent, so its hash must not be taken for its name.
        guard node.count >= 32 else { return hash }
        let (won, _) = cache.compareExchange(
            expected: Cache.empty, desired: Cache.writing, ordering: .acquiringAndReleasing)
        if won {
            cachedHash = hash
            cache.store(Cache.ready, ordering: .releasing)
        }
        return hash
    }
}

// MARK: - Change. Depth is bounded by the length of a key.

extension TrieNode {
    /// The trie under `node` with `value` at `key` from nibble `at` on; `node` itself when nothing changes.
    static func inserting(_ node: TrieNode?, _ key: Bytes, _ at: Int, _ value: Bytes) -> TrieNode {
        guard let node else { return leaf(key[at...], value) }
        switch node.content {
        case .leaf(let path, let old):
            let common = Nibbles.common(path, key, at)
            if common == path.count, at + common == key.count { return old == value ? node : leaf(path, value) }
            let rest = common == path.count ? nil : leaf(path[(common + 1)...], old)
            return fork(
                path, common, rest, valueHere: common == path.count ? old : [], key, at, value)
        case .link(let path, let child):
            let common = Nibbles.common(path, key, at)
            if common == path.count {
                let changed = inserting(child, key, at + common, value)
                return changed === child ? node : TrieNode(.link(path: path, child: changed))
            }
            let rest =
                common + 1 == path.count
                ? child : TrieNode(.link(path: Bytes(path[(common + 1)...]), child: child))
            return fork(path, common, rest, valueHere: [], key, at, value)
        case .branch(var children, let old):
            if at == key.count { return old == value ? node : TrieNode(.branch(children: children, value: value)) }
            let slot = Int(key[at])
            let changed = inserting(children[slot], key, at + 1, value)
            if changed === children[slot] { return node }
            children[slot] = changed
            return TrieNode(.branch(children: children, value: old))
        }
    }

    /// A branch after `common` nibbles of `path`, with what was there (`rest`, or `valueHere`) and the new value.
    private static func fork(
        _ path: Bytes, _ common: Int, _ rest: TrieNode?, valueHere: Bytes, _ key: Bytes, _ at: Int, _ value: Bytes
    ) -> TrieNode {
        var children = [TrieNode?](repeating: nil, count: 16)
        var own = valueHere
        if let rest { children[Int(path[common])] = rest }
        if at + common == key.count {
            own = value
        } else {
            children[Int(key[at + common])] = leaf(key[(at + common + 1)...], value)
        }
        let branch = TrieNode(.branch(children: children, value: own))
        return common == 0 ? branch : TrieNode(.link(path: Bytes(path[..<common]), child: branch))
    }

    /// The trie under `node` without `key`; `node` itself when the key is not there, nil when nothing is left.
    static func removing(_ node: TrieNode, _ key: Bytes, _ at: Int) -> TrieNode? {
        switch node.content {
        case .leaf(let path, _): return key[at...].elementsEqual(path) ? nil : node
        case .link(let path, let child):
            guard Nibbles.common(path, key, at) == path.count else { return node }
            let changed = removing(child, key, at + path.count)
            if changed === child { return node }
            return changed.map { joined(path, $0) }
        case .branch(var children, let value):
            if at == key.count { return value.isEmpty ? node : collapsed(children, []) }
            let slot = Int(key[at])
            guard let child = children[slot] else { return node }
            let changed = removing(child, key, at + 1)
            if changed === child { return node }
            children[slot] = changed
            return changed == nil ? collapsed(children, value) : TrieNode(.branch(children: children, value: value))
        }
    }

    /// A branch, or what takes its place when only one thing is left in it.
    private static func collapsed(_ children: [TrieNode?], _ value: Bytes) -> TrieNode? {
        let taken = children.indices.filter { children[$0] != nil }
        guard taken.count < 2, let slot = taken.first ?? (value.isEmpty ? nil : 16) else {
            return taken.isEmpty ? nil : TrieNode(.branch(children: children, value: value))
        }
        if slot == 16 { return leaf([], value) }
        guard value.isEmpty, let only = children[slot] else {
            return TrieNode(.branch(children: children, value: value))
        }
        return joined([UInt8(slot)], only)
    }

    /// `node` reached by `path`, which melts into a leaf's or a link's own path.
    private static func joined(_ path: Bytes, _ node: TrieNode) -> TrieNode {
        switch node.content {
        case .leaf(let own, let value): leaf(path + own, value)
        case .link(let own, let child): TrieNode(.link(path: path + own, child: child))
        case .branch: TrieNode(.link(path: path, child: node))
        }
    }
}
