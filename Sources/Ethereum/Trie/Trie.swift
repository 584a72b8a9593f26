// Roots of Merkle-Patricia tries that are needed once: lists of transactions, receipts, withdrawals; whole states.
// No nodes are kept. MerkleTrie is the one that changes and remembers.

package enum Trie {
    /// The root over `rlp(index) -> value`, as blocks commit to lists.
    package static func root(ofOrdered values: [Bytes]) -> Hash32 {
        root(of: values.enumerated().map { (RLP.uint(UInt64($0.offset)).encoded, $0.element) })
    }

    /// The root over `keccak(key) -> value`, as states and storages are committed to.
    package static func secureRoot(of pairs: [(key: Bytes, value: Bytes)]) -> Hash32 {
        root(of: pairs.map { (keccak256($0.key).bytes, $0.value) })
    }

    /// The root over `key -> value`. Of equal keys the last counts; an empty value means that the key is absent.
    package static func root(of pairs: [(key: Bytes, value: Bytes)]) -> Hash32 {
        let ordered = pairs.enumerated().sorted { a, b in
            a.element.key == b.element.key
                ? a.offset < b.offset : a.element.key.lexicographicallyPrecedes(b.element.key)
        }
        var entries: [Entry] = []
        entries.reserveCapacity(ordered.count)
        for (_, pair) in ordered {
            precondition(pair.key.count <= Limits.trieKeyBytesMaximum, "a trie's key is too long")
            if entries.last?.key == pair.key { entries.removeLast() }
            entries.append(Entry(key: pair.key, value: pair.value))
        }
        entries.removeAll { $0.value.isEmpty }
        return entries.isEmpty ? .emptyTrieRoot : keccak256(node(entries[...], 0))
    }

    private struct Entry {
        let key: Bytes
        let value: Bytes

        var length: Int { key.count * 2 }
        func nibble(_ at: Int) -> UInt8 { at & 1 == 0 ? key[at >> 1] >> 4 : key[at >> 1] & 15 }
        func path(_ range: Range<Int>) -> Bytes { range.map(nibble) }
    }

    /// The RLP of the node over sorted entries that share their first `depth` nibbles. Recursion ends with the keys.
    private static func node(_ entries: ArraySlice<Entry>, _ depth: Int) -> Bytes {
        let first = entries[entries.startIndex]
        let last = entries[entries.endIndex - 1]
        if entries.count == 1 {
            return leaf(first.path(depth..<first.length), first.value)
        }
        var fork = depth
        while fork < first.length, fork < last.length, first.nibble(fork) == last.nibble(fork) { fork += 1 }
        let branch = branch(entries, fork)
        return fork == depth ? branch : link(first.path(depth..<fork), reference(branch))
    }

    private static func branch(_ entries: ArraySlice<Entry>, _ depth: Int) -> Bytes {
        var rest = entries
        var value = Bytes()
        if let first = rest.first, first.length == depth {
            value = first.value
            rest = rest.dropFirst()
        }
        var payload = Bytes()
        payload.reserveCapacity(16 * 33 + 1)
        for nibble in 0..<16 as Range<UInt8> {
            let end = rest.firstIndex { $0.nibble(depth) != nibble } ?? rest.endIndex
            if end == rest.startIndex {
                payload.append(0x80)
            } else {
                payload += reference(node(rest[..<end], depth + 1))
                rest = rest[end...]
            }
        }
        RLP.append(value, to: &payload)
        return list(payload)
    }

    // MARK: Shapes shared with MerkleTrie

    static func leaf(_ path: Bytes, _ value: Bytes) -> Bytes {
        var payload = Bytes()
        RLP.append(Nibbles.hexPrefix(path, isLeaf: true), to: &payload)
        RLP.append(value, to: &payload)
        return list(payload)
    }

    static func link(_ path: Bytes, _ reference: Bytes) -> Bytes {
        var payload = Bytes()
        RLP.append(Nibbles.hexPrefix(path, isLeaf: false), to: &payload)
        payload += reference
        return list(payload)
    }

    static func list(_ payload: Bytes) -> Bytes {
        var out = Bytes()
        out.reserveCapacity(payload.count + 4)
        RLP.appendHeader(length: payload.count, base: 0xc0, to: &out)
        out += payload
        return out
    }

    /// How a parent names a node: by its hash, or by itself when it has less than 32 bytes.
    static func reference(_ node: Bytes) -> Bytes { node.count < 32 ? node : [0xa0] + keccak256(node).bytes }
}
