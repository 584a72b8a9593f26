// Half-bytes, the steps of a Merkle-Patricia trie, and their hex-prefix form (Yellow Paper, appendix C).

package enum Nibbles {
    /// Two nibbles for each byte, the high one first.
    package static func of(_ key: Bytes) -> Bytes {
        Bytes(unsafeUninitializedCapacity: key.count * 2) { buffer, count in
            for (index, byte) in key.enumerated() {
                buffer[index * 2] = byte >> 4
                buffer[index * 2 + 1] = byte & 15
            }
            count = key.count * 2
        }
    }

    /// The bytes of an even number of nibbles.
    package static func joined(_ nibbles: Bytes) -> Bytes {
        assert(nibbles.count % 2 == 0, "an odd number of nibbles makes no bytes")
        return stride(from: 0, to: nibbles.count - 1, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }

    /// The hex-prefix form of a path that ends in a leaf, or goes on.
    package static func hexPrefix(_ path: some RandomAccessCollection<UInt8>, isLeaf: Bool) -> Bytes {
        let flag: UInt8 = isLeaf ? 0x20 : 0
        var out = Bytes()
        out.reserveCapacity(path.count / 2 + 1)
        var rest = path[...]
        if path.count % 2 == 1, let first = rest.popFirst() {
            out.append(flag | 0x10 | first)
        } else {
            out.append(flag)
        }
        while let high = rest.popFirst(), let low = rest.popFirst() { out.append(high << 4 | low) }
        return out
    }

    /// Reads a hex-prefix form; nil when it is none.
    package static func path(hexPrefix bytes: Bytes) -> (path: Bytes, isLeaf: Bool)? {
        guard let first = bytes.first, first < 0x40 else { return nil }
        let rest = of(Bytes(bytes.dropFirst()))
        if first & 0x10 != 0 { return ([first & 15] + rest, first & 0x20 != 0) }
        return first & 15 == 0 ? (rest, first & 0x20 != 0) : nil
    }

    /// How many nibbles `path` shares with `key` from `at` on.
    static func common(_ path: Bytes, _ key: Bytes, _ at: Int) -> Int {
        let limit = min(path.count, key.count - at)
        var count = 0
        while count < limit, path[count] == key[at + count] { count += 1 }
        return count
    }
}
