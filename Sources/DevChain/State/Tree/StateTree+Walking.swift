// Walks over the tree: proofs, all accounts with their slots, and giving back a storage that nobody names any more.

import EVM
import Ethereum

extension StateTree {
    // MARK: Proofs

    /// The RLP of the nodes from the top towards `key`, or to where the path ends (EIP-1186). Nodes that stand inside
    /// their parents are not listed. All names hold afterwards.
    func proof(_ key: U256) -> [Bytes] {
        _ = renewRoot()
        return proof(root, key)
    }

    /// As `proof`, in a storage.
    func storageProof(_ head: NodeRef, slot: U256) -> [Bytes] {
        guard head != 0 else { return [] }
        _ = renewStorage(head)
        return proof(StorageHead(at: arena[head]).root, TreeKey.of(slot: slot))
    }

    private func proof(_ top: NodeRef, _ key: U256) -> [Bytes] {
        var nodes: [Bytes] = []
        var ref = top
        var depth = 0
        while ref != 0 {
            let node = encoded(ref, depth)
            if nodes.isEmpty || node.count >= 32 { nodes.append(node) }
            let at = arena[ref]
            ref = 0
            switch at.load(as: UInt8.self) {
            case NodeKind.branch:
                let branch = BranchNode(at: at)
                let nibble = key.nibble(depth)
                if branch.has(nibble) { ref = branch.child(branch.position(nibble)) }
                depth += 1
            case NodeKind.link:
                let link = LinkNode(at: at)
                if (key << (4 * depth)).commonNibbles(link.path) >= link.count { ref = link.child }
                depth += link.count
            default: break
            }
        }
        return nodes
    }

    /// A node's RLP; the names in it must hold.
    private func encoded(_ ref: NodeRef, _ depth: Int) -> Bytes {
        withUnsafeTemporaryAllocation(byteCount: NodeWriter.bytesMaximum + 64, alignment: 16) { buffer in
            guard let base = buffer.baseAddress else { return [] }
            var writer = NodeWriter(base)
            let at = arena[ref]
            switch at.load(as: UInt8.self) {
            case NodeKind.branch: writer.branch(BranchNode(at: at))
            case NodeKind.link: writer.link(LinkNode(at: at))
            case NodeKind.account:
                let leaf = AccountLeaf(at: at)
                let key = TreeKey.of(addressAt: leaf.addressBytes)
                var storage = renewStorage(leaf.storage).word.bytes
                writer.account(
                    leaf, key: key, depth: depth, storageHash: &storage, codeHash: codes.hash(of: leaf.code))
            default:
                let leaf = SlotLeaf(at: at)
                writer.slot(leaf, key: TreeKey.of(slot: leaf.slot), depth: depth)
            }
            return Bytes(UnsafeRawBufferPointer(start: base, count: writer.count))
        }
    }

    // MARK: All of it

    /// The accounts in the order of their hashed addresses, until `body` says no.
    func forEachAccount(_ body: (AccountLeaf) -> Bool) {
        walk(root) { $0.load(as: UInt8.self) != NodeKind.account || body(AccountLeaf(at: $0)) }
    }

    /// The slots of a storage in the order of their hashed numbers, until `body` says no.
    func forEachSlot(_ head: NodeRef, _ body: (SlotLeaf) -> Bool) {
        guard head != 0 else { return }
        walk(StorageHead(at: arena[head]).root) {
            $0.load(as: UInt8.self) != NodeKind.slot || body(SlotLeaf(at: $0))
        }
    }

    /// All nodes under `top`, parents first; children of a storage are not entered.
    private func walk(_ top: NodeRef, _ body: (UnsafeMutableRawPointer) -> Bool) {
        var open = top == 0 ? [] : [top]
        while let ref = open.popLast() {
            let at = arena[ref]
            guard body(at) else { return }
            switch at.load(as: UInt8.self) {
            case NodeKind.branch:
                let node = BranchNode(at: at)
                for position in stride(from: node.count - 1, through: 0, by: -1) { open.append(node.child(position)) }
            case NodeKind.link: open.append(LinkNode(at: at).child)
            default: break
            }
        }
    }

    /// Gives back a storage that stands in no account.
    func releaseStorage(_ head: NodeRef) {
        guard head != 0 else { return }
        var open = [StorageHead(at: arena[head]).root].filter { $0 != 0 }
        arena.release(head, units: StorageHead.units)
        while let ref = open.popLast() {
            let at = arena[ref]
            switch at.load(as: UInt8.self) {
            case NodeKind.branch:
                let node = BranchNode(at: at)
                for position in 0..<node.count { open.append(node.child(position)) }
                arena.release(ref, units: BranchNode.units(node.count))
            case NodeKind.link:
                open.append(LinkNode(at: at).child)
                arena.release(ref, units: LinkNode.units)
            default: arena.release(ref, units: SlotLeaf.units)
            }
        }
    }
}
