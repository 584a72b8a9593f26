// The trie that changes: states and storages of a running chain. A copy is a snapshot and costs nothing; a root costs
// one hash for each node changed since the last.

/// A Merkle-Patricia trie in memory, with the semantics of a value.
package struct MerkleTrie: Sendable {
    package enum Keys: Sendable {
        /// Keys are hashed first (a "secure" trie): states and storages.
        case hashed
        /// Keys stand as they are, at most `Limits.trieKeyBytesMaximum` bytes.
        case plain
    }

    private let keys: Keys
    private var top: TrieNode?

    package init(keys: Keys = .hashed) { self.keys = keys }

    package var isEmpty: Bool { top == nil }

    /// The root hash; `Hash32.emptyTrieRoot` without entries.
    package var root: Hash32 { top?.hash ?? .emptyTrieRoot }

    /// The value at `key`. Setting nil, or no bytes, removes it.
    package subscript(key: Bytes) -> Bytes? {
        get { value(at: path(key)) }
        set { set(newValue ?? [], at: path(key)) }
    }

    /// As the subscript, with a key that is hashed already.
    package subscript(hashed key: Hash32) -> Bytes? {
        get { value(at: Nibbles.of(key.bytes)) }
        set { set(newValue ?? [], at: Nibbles.of(key.bytes)) }
    }

    private func path(_ key: Bytes) -> Bytes {
        switch keys {
        case .hashed: return Nibbles.of(keccak256(key).bytes)
        case .plain:
            precondition(key.count <= Limits.trieKeyBytesMaximum, "a trie's key is too long")
            return Nibbles.of(key)
        }
    }

    private mutating func set(_ value: Bytes, at path: Bytes) {
        if !value.isEmpty {
            top = TrieNode.inserting(top, path, 0, value)
        } else if let node = top {
            top = TrieNode.removing(node, path, 0)
        }
    }

    private func value(at key: Bytes) -> Bytes? {
        var node = top
        var at = 0
        while let here = node {
            switch here.content {
            case .leaf(let path, let value): return key[at...].elementsEqual(path) ? value : nil
            case .link(let path, let child):
                guard Nibbles.common(path, key, at) == path.count else { return nil }
                at += path.count
                node = child
            case .branch(let children, let value):
                if at == key.count { return value.isEmpty ? nil : value }
                node = children[Int(key[at])]
                at += 1
            }
        }
        return nil
    }

    /// The RLP of the nodes from the root to `key`, or to where the path ends: what `eth_getProof` returns. Nodes that
    /// stand inside their parents are not listed. Empty for an empty trie.
    package func proof(for key: Bytes) -> [Bytes] {
        let key = path(key)
        var nodes: [Bytes] = []
        var node = top
        var at = 0
        while let here = node {
            if nodes.isEmpty || here.isNamedByHash { nodes.append(here.encoded) }
            node = nil
            switch here.content {
            case .leaf: break
            case .link(let path, let child):
                if Nibbles.common(path, key, at) == path.count {
                    at += path.count
                    node = child
                }
            case .branch(let children, _):
                if at < key.count {
                    node = children[Int(key[at])]
                    at += 1
                }
            }
        }
        return nodes
    }

    /// All entries in the order of their keys; of a hashed trie the keys are hashes.
    package var entries: [(key: Bytes, value: Bytes)] {
        var result: [(key: Bytes, value: Bytes)] = []
        var open: [(node: TrieNode, path: Bytes)] = top.map { [($0, [])] } ?? []
        while let (node, path) = open.popLast() {
            switch node.content {
            case .leaf(let rest, let value): result.append((Nibbles.joined(path + rest), value))
            case .link(let rest, let child): open.append((child, path + rest))
            case .branch(let children, let value):
                if !value.isEmpty { result.append((Nibbles.joined(path), value)) }
                for slot in stride(from: 15, through: 0, by: -1) {
                    if let child = children[slot] { open.append((child, path + [UInt8(slot)])) }
                }
            }
        }
        return result
    }
}
