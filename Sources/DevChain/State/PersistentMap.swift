// A map whose copies cost nothing and share what they have in common: the states of all kept blocks stand in such maps.
// A hash array mapped trie of 32 branches; the order of its entries means nothing and is not offered.

import Ethereum

/// A key that spreads its own bits; equal keys have equal ones.
package protocol SpreadKey: Equatable, Sendable {
    var spread: UInt64 { get }
}

extension Address: SpreadKey {
    package var spread: UInt64 { word.spread }
}

extension Hash32: SpreadKey {
    package var spread: UInt64 { word.spread }
}

extension U256 {
    /// All bits mixed into 64 (the finaliser of MurmurHash3 after each limb).
    fileprivate var spread: UInt64 {
        @inline(__always) func mix(_ value: UInt64) -> UInt64 {
            var value = (value ^ (value >> 33)) &* 0xff51_afd7_ed55_8ccd
            value = (value ^ (value >> 33)) &* 0xc4ce_b9fe_1a85_ec53
            return value ^ (value >> 33)
        }
        return mix(mix(mix(mix(w0) ^ w1) ^ w2) ^ w3)
    }
}

package struct PersistentMap<Key: SpreadKey, Value: Sendable>: Sendable {
    private var top: Node?
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package subscript(key: Key) -> Value? {
        get {
            let hash = key.spread
            var node = top
            var shift: UInt64 = 0
            while let here = node {
                guard let slot = here.slot(Self.bit(hash, shift)) else { return nil }
                switch slot {
                case .leaf(let leaf): return leaf.key == key ? leaf.value : nil
                case .bucket(let bucket): return bucket.leaves.first { $0.key == key }?.value
                case .node(let child): node = child
                }
                shift += 5
            }
            return nil
        }
        set {
            let hash = key.spread
            if let newValue {
                let (changed, grew) = Self.inserting(top ?? Node(bitmap: 0, slots: []), Leaf(key, newValue), hash, 0)
                top = changed
                if grew { count += 1 }
            } else if let node = top, let changed = Self.removing(node, key, hash, 0) {
                top = changed.slots.isEmpty ? nil : changed
                count -= 1
            }
        }
    }

    // MARK: Nodes

    private final class Leaf: Sendable {
        let key: Key
        let value: Value
        init(_ key: Key, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// Keys whose 64 bits are all the same.
    private final class Bucket: Sendable {
        let leaves: [Leaf]
        init(_ leaves: [Leaf]) { self.leaves = leaves }
    }

    private enum Slot: Sendable {
        case leaf(Leaf)
        case bucket(Bucket)
        case node(Node)
    }

    private final class Node: Sendable {
        let bitmap: UInt32
        let slots: [Slot]

        init(bitmap: UInt32, slots: [Slot]) {
            self.bitmap = bitmap
            self.slots = slots
        }

        func position(_ bit: UInt32) -> Int { (bitmap & (bit &- 1)).nonzeroBitCount }

        func slot(_ bit: UInt32) -> Slot? { bitmap & bit == 0 ? nil : slots[position(bit)] }

        func setting(_ bit: UInt32, _ slot: Slot) -> Node {
            var slots = slots
            if bitmap & bit == 0 { slots.insert(slot, at: position(bit)) } else { slots[position(bit)] = slot }
            return Node(bitmap: bitmap | bit, slots: slots)
        }

        func removing(_ bit: UInt32) -> Node {
            var slots = slots
            slots.remove(at: position(bit))
            return Node(bitmap: bitmap & ~bit, slots: slots)
        }
    }

    /// Bits of a hash; beyond them keys share a bucket.
    private static var depthBits: UInt64 { 60 }

    private static func bit(_ hash: UInt64, _ shift: UInt64) -> UInt32 { 1 << UInt32((hash >> shift) & 31) }

    // MARK: Change. Depth is bounded by the bits of a hash.

    private static func inserting(_ node: Node, _ leaf: Leaf, _ hash: UInt64, _ shift: UInt64) -> (Node, grew: Bool) {
        let bit = bit(hash, shift)
        switch node.slot(bit) {
        case nil: return (node.setting(bit, .leaf(leaf)), true)
        case .node(let child):
            let (changed, grew) = inserting(child, leaf, hash, shift + 5)
            return (node.setting(bit, .node(changed)), grew)
        case .leaf(let old):
            if old.key == leaf.key { return (node.setting(bit, .leaf(leaf)), false) }
            return (node.setting(bit, joined(old, leaf, hash, shift + 5)), true)
        case .bucket(let bucket):
            if let at = bucket.leaves.firstIndex(where: { $0.key == leaf.key }) {
                var leaves = bucket.leaves
                leaves[at] = leaf
                return (node.setting(bit, .bucket(Bucket(leaves))), false)
            }
            return (node.setting(bit, .bucket(Bucket(bucket.leaves + [leaf]))), true)
        }
    }

    /// Two leaves with different keys that share their bits below `shift`.
    private static func joined(_ old: Leaf, _ new: Leaf, _ hash: UInt64, _ shift: UInt64) -> Slot {
        if shift >= depthBits { return .bucket(Bucket([old, new])) }
        let oldBit = bit(old.key.spread, shift)
        let newBit = bit(hash, shift)
        if oldBit == newBit {
            return .node(Node(bitmap: newBit, slots: [joined(old, new, hash, shift + 5)]))
        }
        let slots: [Slot] = oldBit < newBit ? [.leaf(old), .leaf(new)] : [.leaf(new), .leaf(old)]
        return .node(Node(bitmap: oldBit | newBit, slots: slots))
    }

    /// The node without `key`; nil when the key is not there.
    private static func removing(_ node: Node, _ key: Key, _ hash: UInt64, _ shift: UInt64) -> Node? {
        let bit = bit(hash, shift)
        switch node.slot(bit) {
        case nil: return nil
        case .leaf(let leaf): return leaf.key == key ? node.removing(bit) : nil
        case .bucket(let bucket):
            let left = bucket.leaves.filter { $0.key != key }
            guard left.count < bucket.leaves.count else { return nil }
            return left.isEmpty ? node.removing(bit) : node.setting(bit, .bucket(Bucket(left)))
        case .node(let child):
            guard let changed = removing(child, key, hash, shift + 5) else { return nil }
            if changed.slots.isEmpty { return node.removing(bit) }
            if changed.slots.count == 1, case .leaf = changed.slots[0] { return node.setting(bit, changed.slots[0]) }
            return node.setting(bit, .node(changed))
        }
    }
}
