// Changing the tree: sorted edits go down together, so each node on their paths is visited once. Names of changed
// children lose their validity on the way; StateTree+Hashing.swift renews them. Depth is bounded by the nibbles of a key.

import EVM
import Ethereum
import Synchronization

extension StateTree {
    /// Writes edits that are sorted by their keys; what undoes them, in the same order.
    func apply(_ edits: [AccountEdit]) -> [AccountEdit] {
        guard !edits.isEmpty else { return [] }
        file?.keep(before(edits))
        let list = AccountEdits(self, edits)
        root = update(list, root, 0, 0, 0, list.count)
        rootHash = nil
        return list.undo
    }

    /// Writes slots of an account; what stood there before.
    func writeSlots(_ slots: [SlotChange], _ leaf: AccountLeaf) -> [SlotChange] {
        let keys = keyHasher.keys(slots.map(\.slot))
        let keyed = zip(keys, slots).map { (key: $0, change: $1) }.sorted { $0.key < $1.key }
        let edits = SlotEdits(arena, keys: keyed.map(\.key), keyed.map(\.change))
        if leaf.storage == 0 {
            let ref = arena.allocate(units: StorageHead.units)
            StorageHead(at: arena[ref]).make()
            leaf.storage = ref
        }
        let head = StorageHead(at: arena[leaf.storage])
        head.isValid = false
        head.root = update(edits, head.root, 0, 65, 0, edits.count)
        if head.root == 0 {
            arena.release(leaf.storage, units: StorageHead.units)
            leaf.storage = 0
        }
        return edits.undo
    }

    /// The subtree under `ref` at `depth` nibbles with the edits `low..<high`; 0 when nothing is left of it.
    private func update<Edits: LeafEdits>(
        _ edits: Edits, _ ref: NodeRef, _ depth: Int, _ level: Int, _ low: Int, _ high: Int
    ) -> NodeRef {
        guard ref != 0 else { return build(edits, depth, level, low, high) }
        let at = arena[ref]
        switch at.load(as: UInt8.self) {
        case NodeKind.branch:
            let node = BranchNode(at: at)
            let children = room(level)
            for nibble in 0..<16 where node.has(nibble) { children[nibble] = node.child(node.position(nibble)) }
            let changed = updateChildren(edits, children, depth, level, low, high)
            return finish(ref, children, changed)
        case NodeKind.link: return updateLink(edits, ref, depth, level, low, high)
        default: return updateLeaf(edits, ref, depth, level, low, high)
        }
    }

    private func room(_ level: Int) -> UnsafeMutablePointer<NodeRef> {
        precondition(level < Self.levelsMaximum, "a path of the tree is too deep")
        let children = scratch + 16 * level
        children.update(repeating: 0, count: 16)
        return children
    }

    /// Puts the edits into the children of a branch at `depth`; which children may have changed.
    private func updateChildren<Edits: LeafEdits>(
        _ edits: Edits, _ children: UnsafeMutablePointer<NodeRef>, _ depth: Int, _ level: Int, _ low: Int, _ high: Int
    ) -> UInt16 {
        var changed: UInt16 = 0
        var at = low
        while at < high {
            let nibble = edits.key(at).nibble(depth)
            var end = at + 1
            while end < high, edits.key(end).nibble(depth) == nibble { end += 1 }
            let old = children[nibble]
            let new = update(edits, old, depth + 1, level + 1, at, end)
            children[nibble] = new
            if old != 0 || new != 0 { changed |= 1 << UInt16(nibble) }
            at = end
        }
        return changed
    }

    /// A branch that stood in the tree, with its new children.
    private func finish(_ ref: NodeRef, _ children: UnsafeMutablePointer<NodeRef>, _ changed: UInt16) -> NodeRef {
        let node = BranchNode(at: arena[ref])
        let mask = Self.mask(children)
        // What the children are must be in memory before anything names them: a process may end between two stores.
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        if mask == node.mask {
            node.valid &= ~changed
            node.short &= ~changed
            for nibble in 0..<16 where changed & mask & (1 << UInt16(nibble)) != 0 {
                node.setChild(node.position(nibble), children[nibble])
            }
            return ref
        }
        defer { arena.release(ref, units: BranchNode.units(node.count)) }
        switch mask.nonzeroBitCount {
        case 0: return 0
        case 1:
            let nibble = mask.trailingZeroBitCount
            let result = prefixed(children[nibble], Self.word(nibble), 1)
            if changed & mask == 0, arena[result].load(as: UInt8.self) == NodeKind.link {
                keepName(of: node, nibble, LinkNode(at: arena[result]), child: children[nibble])
            }
            return result
        default:
            let made = branch(mask, children)
            let new = BranchNode(at: arena[made])
            let kept = mask & node.mask & node.valid & ~changed
            for nibble in 0..<16 where kept & (1 << UInt16(nibble)) != 0 {
                new.name(new.position(nibble)).copyMemory(from: node.name(node.position(nibble)), byteCount: 32)
            }
            new.valid = kept
            new.short = kept & node.short
            return made
        }
    }

    /// Hands a branch's name of an only child on to the extension that takes the branch's place.
    private func keepName(of node: BranchNode, _ nibble: Int, _ link: LinkNode, child: NodeRef) {
        guard link.child == child, node.valid & (1 << UInt16(nibble)) != 0 else { return }
        link.name.copyMemory(from: node.name(node.position(nibble)), byteCount: 32)
        link.isShort = node.short & (1 << UInt16(nibble)) != 0
        link.isValid = true
    }

    /// Edits where nothing stood.
    private func build<Edits: LeafEdits>(
        _ edits: Edits, _ depth: Int, _ level: Int, _ low: Int, _ high: Int
    ) -> NodeRef {
        if high - low == 1 { return edits.make(low) }
        let fork = edits.key(low).commonNibbles(edits.key(high - 1))
        let children = room(level)
        _ = updateChildren(edits, children, fork, level, low, high)
        return assembled(children, edits.key(low), fork, depth)
    }

    private func updateLeaf<Edits: LeafEdits>(
        _ edits: Edits, _ ref: NodeRef, _ depth: Int, _ level: Int, _ low: Int, _ high: Int
    ) -> NodeRef {
        let at = arena[ref]
        if high - low == 1, edits.concerns(low, at) {
            if edits.write(low, at) { return ref }
            arena.release(ref, units: AccountLeaf.units)
            return 0
        }
        let key = edits.key(ofLeaf: at)
        let fork = min(key.commonNibbles(edits.key(low)), key.commonNibbles(edits.key(high - 1)))
        assert(fork < 64, "two keys of one hash")
        let children = room(level)
        children[key.nibble(fork)] = ref
        _ = updateChildren(edits, children, fork, level, low, high)
        return assembled(children, key, fork, depth)
    }

    private func updateLink<Edits: LeafEdits>(
        _ edits: Edits, _ ref: NodeRef, _ depth: Int, _ level: Int, _ low: Int, _ high: Int
    ) -> NodeRef {
        let node = LinkNode(at: arena[ref])
        let path = node.path
        let count = node.count
        let first = (edits.key(low) << (4 * depth)).commonNibbles(path)
        let last = (edits.key(high - 1) << (4 * depth)).commonNibbles(path)
        let common = min(first, last, count)
        if common == count {
            let child = update(edits, node.child, depth + count, level + 1, low, high)
            atomicMemoryFence(ordering: .acquiringAndReleasing)
            if child != 0, arena[child].load(as: UInt8.self) == NodeKind.branch {
                node.isValid = false
                node.child = child
                return ref
            }
            arena.release(ref, units: LinkNode.units)
            return child == 0 ? 0 : prefixed(child, path, count)
        }
        let children = room(level)
        children[path.nibble(common)] = rest(of: node, from: common + 1)
        arena.release(ref, units: LinkNode.units)
        _ = updateChildren(edits, children, depth + common, level, low, high)
        return assembled(children, edits.key(low), depth + common, depth)
    }

    /// What an extension leads to after its first nibbles.
    private func rest(of node: LinkNode, from first: Int) -> NodeRef {
        guard first < node.count else { return node.child }
        let ref = arena.allocate(units: LinkNode.units)
        let rest = LinkNode(at: arena[ref])
        rest.make(path: node.path << (4 * first), count: node.count - first, child: node.child)
        if node.isValid {
            rest.name.copyMemory(from: node.name, byteCount: 32)
            rest.isShort = node.isShort
            rest.isValid = true
        }
        return ref
    }

    /// Children of a branch at `fork`, reached from `depth` by the nibbles of `key`.
    private func assembled(
        _ children: UnsafeMutablePointer<NodeRef>, _ key: U256, _ fork: Int, _ depth: Int
    ) -> NodeRef {
        let mask = Self.mask(children)
        let top: NodeRef
        switch mask.nonzeroBitCount {
        case 0: return 0
        case 1:
            let nibble = mask.trailingZeroBitCount
            top = prefixed(children[nibble], Self.word(nibble), 1)
        default: top = branch(mask, children)
        }
        return fork == depth ? top : prefixed(top, key << (4 * depth), fork - depth)
    }

    /// A node reached by further nibbles: leaves know their keys, an extension takes them in.
    private func prefixed(_ ref: NodeRef, _ path: U256, _ count: Int) -> NodeRef {
        let at = arena[ref]
        switch at.load(as: UInt8.self) {
        case NodeKind.branch:
            let made = arena.allocate(units: LinkNode.units)
            LinkNode(at: arena[made]).make(path: path, count: count, child: ref)
            return made
        case NodeKind.link:
            let old = LinkNode(at: at)
            let made = arena.allocate(units: LinkNode.units)
            let new = LinkNode(at: arena[made])
            new.make(
                path: path.keepingNibbles(count) | old.path >> (4 * count), count: count + old.count, child: old.child)
            if old.isValid {
                new.name.copyMemory(from: old.name, byteCount: 32)
                new.isShort = old.isShort
                new.isValid = true
            }
            arena.release(ref, units: LinkNode.units)
            return made
        default: return ref
        }
    }

    private func branch(_ mask: UInt16, _ children: UnsafeMutablePointer<NodeRef>) -> NodeRef {
        let ref = arena.allocate(units: BranchNode.units(mask.nonzeroBitCount))
        let node = BranchNode(at: arena[ref])
        node.make(mask: mask)
        var position = 0
        for nibble in 0..<16 where children[nibble] != 0 {
            node.setChild(position, children[nibble])
            position += 1
        }
        return ref
    }

    private static func mask(_ children: UnsafeMutablePointer<NodeRef>) -> UInt16 {
        var mask: UInt16 = 0
        for nibble in 0..<16 where children[nibble] != 0 { mask |= 1 << UInt16(nibble) }
        return mask
    }

    /// A nibble in the topmost four bits.
    private static func word(_ nibble: Int) -> U256 { U256(UInt64(nibble)) << 252 }
}
