// Renewing the names of what changed, level by level from the leaves up, four nodes at a time: the nodes of a level do
// not depend on each other, and four hashes side by side cost little more than two.

import CKeccak
import Ethereum

extension StateTree {
    /// The state root.
    func renewRoot() -> Hash32 {
        if let known = rootHash { return known }
        let hash = root == 0 ? Hash32.emptyTrieRoot : hasher.hash(self, root)
        rootHash = hash
        return hash
    }

    /// The hash of a storage as an account's record names it; `head` is 0 without storage.
    func renewStorage(_ ref: NodeRef) -> Hash32 {
        guard ref != 0 else { return .emptyTrieRoot }
        let head = StorageHead(at: arena[ref])
        if !head.isValid {
            hasher.hashStorages(self, [ref])
        }
        return Hash32(U256(bigEndianAt: head.hash))
    }
}

/// The buffers of the work; kept from one root to the next.
final class TreeHasher {
    /// A node whose name is to be renewed.
    private struct Task {
        let node: NodeRef
        /// Nibbles of the key above the node.
        let depth: Int32
        /// The child's nibble in a branch; unused for others.
        let nibble: UInt16
        /// Who holds the name: a branch, an extension, the head of a storage; nil for the top of the state.
        let holder: UnsafeMutableRawPointer?
        let name: UnsafeMutableRawPointer
    }

    private var levels: [[Task]] = Array(repeating: [], count: StateTree.levelsMaximum)
    private var levelCount = 0
    private let lanes = HashLanes()
    private let keys = UnsafeMutablePointer<U256>.allocate(capacity: 4)
    private let emptyRoot = UnsafeMutableRawPointer.allocate(byteCount: 32, alignment: 8)
    private let top = UnsafeMutableRawPointer.allocate(byteCount: 32, alignment: 8)

    init() { Hash32.emptyTrieRoot.word.storeBigEndian(to: emptyRoot) }

    deinit {
        keys.deallocate()
        emptyRoot.deallocate()
        top.deallocate()
    }

    /// The hash of the state's top node; every name below it holds afterwards.
    func hash(_ tree: StateTree, _ root: NodeRef) -> Hash32 {
        var storages: [NodeRef] = []
        collect(tree, Task(node: root, depth: 0, nibble: 0, holder: nil, name: top), &storages)
        // The accounts' tasks wait while the storages that they name are hashed.
        if !storages.isEmpty {
            let waiting = levels
            let count = levelCount
            levels = Array(repeating: [], count: StateTree.levelsMaximum)
            hashStorages(tree, storages)
            (levels, levelCount) = (waiting, count)
        }
        run(tree)
        return Hash32(U256(bigEndianAt: top))
    }

    func hashStorages(_ tree: StateTree, _ heads: [NodeRef]) {
        levelCount = 0
        for ref in heads {
            let head = StorageHead(at: tree.arena[ref])
            var none: [NodeRef] = []
            collect(tree, Task(node: head.root, depth: 0, nibble: 0, holder: head.at, name: head.hash), &none)
        }
        run(tree)
    }

    /// Lists all nodes under a task whose names do not hold.
    private func collect(_ tree: StateTree, _ first: Task, _ storages: inout [NodeRef]) {
        let arena = tree.arena
        levels[0].append(first)
        levelCount = max(levelCount, 1)
        var open: [(ref: NodeRef, depth: Int32, level: Int)] = [(first.node, first.depth, 0)]
        while let (ref, depth, level) = open.popLast() {
            let at = arena[ref]
            switch at.load(as: UInt8.self) {
            case NodeKind.branch:
                let node = BranchNode(at: at)
                var left = node.mask & ~node.valid
                while left != 0 {
                    let nibble = left.trailingZeroBitCount
                    left &= left &- 1
                    let position = node.position(nibble)
                    let child = node.child(position)
                    add(Task(
                        node: child, depth: depth + 1, nibble: UInt16(nibble), holder: at, name: node.name(position)),
                        level + 1)
                    open.append((child, depth + 1, level + 1))
                }
            case NodeKind.link:
                let node = LinkNode(at: at)
                guard !node.isValid else { continue }
                let below = depth + Int32(node.count)
                add(Task(node: node.child, depth: below, nibble: 0, holder: at, name: node.name), level + 1)
                open.append((node.child, below, level + 1))
            case NodeKind.account:
                let storage = AccountLeaf(at: at).storage
                if storage != 0, !StorageHead(at: arena[storage]).isValid { storages.append(storage) }
            default: break
            }
        }
    }

    private func add(_ task: Task, _ level: Int) {
        levels[level].append(task)
        levelCount = max(levelCount, level + 1)
    }

    private func run(_ tree: StateTree) {
        while levelCount > 0 {
            levelCount -= 1
            let tasks = levels[levelCount]
            levels[levelCount].removeAll(keepingCapacity: true)
            runLeaves(tree, tasks)
            for task in tasks {
                let at = tree.arena[task.node]
                switch at.load(as: UInt8.self) {
                case NodeKind.branch:
                    var writer = NodeWriter(lanes.next)
                    writer.branch(BranchNode(at: at))
                    hand(task, writer.count)
                case NodeKind.link:
                    var writer = NodeWriter(lanes.next)
                    writer.link(LinkNode(at: at))
                    hand(task, writer.count)
                default: break
                }
            }
            lanes.flush()
        }
    }

    /// Leaves, whose keys are hashed first.
    private func runLeaves(_ tree: StateTree, _ tasks: [Task]) {
        var waiting: [Task] = []
        waiting.reserveCapacity(4)
        for task in tasks {
            let kind = tree.arena[task.node].load(as: UInt8.self)
            guard kind == NodeKind.account || kind == NodeKind.slot else { continue }
            waiting.append(task)
            if waiting.count == 4 {
                runLeaves(tree, four: waiting)
                waiting.removeAll(keepingCapacity: true)
            }
        }
        if !waiting.isEmpty { runLeaves(tree, four: waiting) }
        lanes.flush()
    }

    private func runLeaves(_ tree: StateTree, four tasks: [Task]) {
        for (lane, task) in tasks.enumerated() {
            let at = tree.arena[task.node]
            if at.load(as: UInt8.self) == NodeKind.account {
                lanes.setKey(lane, from: AccountLeaf(at: at).addressBytes, 20)
            } else {
                var slot = U256.zero
                SlotLeaf(at: at).slot.storeBigEndian(to: &slot)
                lanes.setKey(lane, from: &slot, 32)
            }
        }
        lanes.hashKeys(tasks.count, keys)
        for (lane, task) in tasks.enumerated() {
            let at = tree.arena[task.node]
            var writer = NodeWriter(lanes.next)
            if at.load(as: UInt8.self) == NodeKind.account {
                let leaf = AccountLeaf(at: at)
                let storage = leaf.storage
                writer.account(
                    leaf, key: keys[lane], depth: Int(task.depth),
                    storageHash: storage == 0 ? emptyRoot : StorageHead(at: tree.arena[storage]).hash,
                    codeHash: tree.codes.hash(of: leaf.code))
            } else {
                writer.slot(SlotLeaf(at: at), key: keys[lane], depth: Int(task.depth))
            }
            hand(task, writer.count)
        }
    }

    /// Gives the node that was just written on to be hashed, or to stand in its parent as it is.
    private func hand(_ task: Task, _ count: Int) {
        let kind = task.holder.map { $0.load(as: UInt8.self) }
        let isShort = count < 32 && (kind == NodeKind.branch || kind == NodeKind.link)
        if isShort {
            task.name.copyMemory(from: lanes.next, byteCount: count)
        } else {
            lanes.push(count, task.name)
        }
        guard let holder = task.holder else { return }
        switch kind {
        case NodeKind.branch:
            let node = BranchNode(at: holder)
            let bit: UInt16 = 1 << task.nibble
            node.short = isShort ? node.short | bit : node.short & ~bit
            node.valid |= bit
        case NodeKind.link:
            let node = LinkNode(at: holder)
            node.isShort = isShort
            node.isValid = true
        default: StorageHead(at: holder).isValid = true
        }
    }
}

/// Inputs that wait until four of one length in blocks are there.
final class HashLanes {
    private static let rate = 136
    /// Blocks of the largest node.
    private static let blocksMaximum = 4
    private static let laneBytes = 576

    private let buffers = UnsafeMutableRawPointer.allocate(
        byteCount: HashLanes.laneBytes * (4 * HashLanes.blocksMaximum + 1), alignment: 64)
    private let keyBytes = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 64)
    private var counts: [Int] = Array(repeating: 0, count: HashLanes.blocksMaximum)
    private let lengths = UnsafeMutablePointer<Int>.allocate(capacity: 4 * HashLanes.blocksMaximum)
    private let names = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: 4 * HashLanes.blocksMaximum)
    private let keyLengths = UnsafeMutablePointer<Int>.allocate(capacity: 4)

    deinit {
        buffers.deallocate()
        keyBytes.deallocate()
        lengths.deallocate()
        names.deallocate()
        keyLengths.deallocate()
    }

    /// Where the next input is to be written.
    var next: UnsafeMutableRawPointer { buffers + Self.laneBytes * 4 * Self.blocksMaximum }

    /// Takes the input at `next`; its hash will be at `name` after a flush at the latest.
    func push(_ count: Int, _ name: UnsafeMutableRawPointer) {
        let blocks = count / Self.rate
        assert(blocks < Self.blocksMaximum, "a node of that size")
        let lane = 4 * blocks + counts[blocks]
        (buffers + Self.laneBytes * lane).copyMemory(from: next, byteCount: count)
        lengths[lane] = count
        names[lane] = name
        counts[blocks] += 1
        if counts[blocks] == 4 { hash(blocks) }
    }

    func flush() {
        for blocks in 0..<Self.blocksMaximum where counts[blocks] > 0 { hash(blocks) }
    }

    private func hash(_ blocks: Int) {
        let count = counts[blocks]
        counts[blocks] = 0
        let first = 4 * blocks
        func input(_ lane: Int) -> UnsafePointer<UInt8>? {
            UnsafePointer((buffers + Self.laneBytes * (first + lane)).assumingMemoryBound(to: UInt8.self))
        }
        func output(_ lane: Int) -> UnsafeMutablePointer<UInt8>? {
            names[first + lane].assumingMemoryBound(to: UInt8.self)
        }
        if count == 4 {
            var inputs = (input(0), input(1), input(2), input(3))
            var sizes = (lengths[first], lengths[first + 1], lengths[first + 2], lengths[first + 3])
            var outputs = (output(0), output(1), output(2), output(3))
            Self.four(&inputs, &sizes, &outputs)
        } else {
            for lane in 0..<count { causeway_keccak256(input(lane), lengths[first + lane], output(lane)) }
        }
    }

    private typealias Inputs = (
        UnsafePointer<UInt8>?, UnsafePointer<UInt8>?, UnsafePointer<UInt8>?, UnsafePointer<UInt8>?
    )
    private typealias Outputs = (
        UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?,
        UnsafeMutablePointer<UInt8>?
    )

    private static func four(_ inputs: inout Inputs, _ sizes: inout (Int, Int, Int, Int), _ outputs: inout Outputs) {
        withUnsafePointer(to: &inputs) { inputs in
            withUnsafePointer(to: &sizes) { sizes in
                withUnsafePointer(to: &outputs) { outputs in
                    UnsafeRawPointer(inputs).withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: 4) { inputs in
                        UnsafeRawPointer(sizes).withMemoryRebound(to: Int.self, capacity: 4) { sizes in
                            UnsafeRawPointer(outputs).withMemoryRebound(
                                to: UnsafeMutablePointer<UInt8>?.self, capacity: 4
                            ) { outputs in
                                causeway_keccak256_x4(inputs, sizes, outputs)
                            }
                        }
                    }
                }
            }
        }
    }

    // MARK: Keys

    func setKey(_ lane: Int, _ address: Address) {
        var word = U256.zero
        address.word.storeBigEndian(to: &word)
        withUnsafeBytes(of: &word) { bytes in
            if let base = bytes.baseAddress { setKey(lane, from: base + 12, 20) }
        }
    }

    func setKey(_ lane: Int, from bytes: UnsafeRawPointer, _ count: Int) {
        (keyBytes + 32 * lane).copyMemory(from: bytes, byteCount: count)
        keyLengths[lane] = count
    }

    /// The hashed numbers of slots.
    func keys(_ slots: [U256]) -> [U256] {
        var keys = [U256](repeating: .zero, count: (slots.count + 3) / 4 * 4)
        keys.withUnsafeMutableBufferPointer { keys in
            guard let out = keys.baseAddress else { return }
            for start in stride(from: 0, to: slots.count, by: 4) {
                let count = min(4, slots.count - start)
                for lane in 0..<count {
                    var word = U256.zero
                    slots[start + lane].storeBigEndian(to: &word)
                    setKey(lane, from: &word, 32)
                }
                hashKeys(count, out + start)
            }
        }
        return keys
    }

    /// Hashes the first keys.
    func hashKeys(_ count: Int, _ out: UnsafeMutablePointer<U256>) {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 64) { hashes in
            guard let base = hashes.baseAddress else { return }
            func input(_ lane: Int) -> UnsafePointer<UInt8>? {
                UnsafePointer((keyBytes + 32 * lane).assumingMemoryBound(to: UInt8.self))
            }
            func output(_ lane: Int) -> UnsafeMutablePointer<UInt8>? {
                (base + 32 * lane).assumingMemoryBound(to: UInt8.self)
            }
            if count == 4 {
                var inputs = (input(0), input(1), input(2), input(3))
                var sizes = (keyLengths[0], keyLengths[1], keyLengths[2], keyLengths[3])
                var outputs = (output(0), output(1), output(2), output(3))
                Self.four(&inputs, &sizes, &outputs)
            } else {
                for lane in 0..<count { causeway_keccak256(input(lane), keyLengths[lane], output(lane)) }
            }
            for lane in 0..<count { out[lane] = U256(bigEndianAt: base + 32 * lane) }
        }
    }
}
