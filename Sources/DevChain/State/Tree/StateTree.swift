// The Merkle-Patricia tries of one state, in memory that is changed in place: accounts with their storages. Hashing is in
// StateTree+Hashing.swift, changing in StateTree+Update.swift, walking in StateTree+Walking.swift. Which block the state
// belongs to, and what earlier ones were, is not known here. Not for use from two threads at once.

import EVM
import Ethereum

final class StateTree {
    let arena: NodeArena
    let codes: CodeTable
    /// The file that the tree lives in; nil for one in memory.
    let file: StateFile?
    /// The top of the accounts' trie; 0 without accounts.
    var root: NodeRef = 0 {
        didSet { file?.root = root }
    }
    /// Accounts in the tree.
    var accountCount = 0
    /// The root's hash, while it holds.
    var rootHash: Hash32?
    /// Places for the children of the branches that are being changed, sixteen for each level of the recursion.
    let scratch = UnsafeMutablePointer<NodeRef>.allocate(capacity: 16 * StateTree.levelsMaximum)
    let hasher = TreeHasher()
    let keyHasher = HashLanes()

    /// Levels of one path: 64 of an account, 64 of a slot below it, and a little more.
    static let levelsMaximum = 140

    /// A tree without accounts, in memory.
    init() {
        file = nil
        arena = NodeArena(NodeMapping())
        codes = CodeTable()
    }

    /// The tree of a file as it was at its last sync. `codes` must hold every code that the tree names.
    init(_ file: StateFile, codes: CodeTable) {
        self.file = file
        self.codes = codes
        arena = NodeArena(file.mapping, end: file.end)
        guard !file.isNew else {
            sync(position: 0)
            return
        }
        arena.resume(end: Int(file.end.pointee), used: Int(file.mark.unitsUsed), free: file.takeFree())
        root = file.root
        for edits in file.kept() { _ = apply(edits) }
        // The tree is as it was, so it has as much; what was counted on the way back means nothing.
        accountCount = Int(file.mark.accounts)
        arena.recount(used: Int(file.mark.unitsUsed))
        sync(position: file.mark.position)
    }

    /// What the tree is now is what a restart begins from. Names are renewed first: a restart may rely on those that say
    /// they hold.
    func sync(position: UInt64) {
        guard let file else { return }
        _ = renewRoot()
        file.sync(position: position, root: root, accounts: accountCount, unitsUsed: arena.unitsUsed)
        arena.settle()
    }

    /// What `edits` would overwrite.
    func before(_ edits: [AccountEdit]) -> [AccountEdit] {
        edits.map { edit in
            var old = AccountEdit(key: edit.key, address: edit.address, state: nil)
            guard let leaf = leaf(of: edit.address, key: edit.key) else { return old }
            old.state = state(of: leaf)
            if edit.state == nil || edit.replacesStorage {
                old.replacesStorage = true
                old.storage = leaf.storage
            } else {
                old.slots = edit.slots.map { change in
                    SlotChange(
                        slot: change.slot,
                        value: leaf.storage == 0 ? .zero : slot(change.slot, inStorage: leaf.storage))
                }
            }
            return old
        }
    }

    deinit { scratch.deallocate() }

    // MARK: Reading

    func account(_ address: Address, key: U256) -> AccountState? {
        leaf(of: address, key: key).map(state(of:))
    }

    func state(of leaf: AccountLeaf) -> AccountState {
        AccountState(nonce: leaf.nonce, balance: leaf.balance, codeHash: codes.hash(of: leaf.code))
    }

    func slot(_ slot: U256, of address: Address, key: U256) -> U256 {
        guard let leaf = leaf(of: address, key: key), leaf.storage != 0 else { return .zero }
        return self.slot(slot, inStorage: leaf.storage)
    }

    /// A slot of a storage tree, also of one that stands in no account.
    func slot(_ slot: U256, inStorage head: NodeRef) -> U256 {
        guard let at = find(StorageHead(at: arena[head]).root, TreeKey.of(slot: slot)) else { return .zero }
        let leaf = SlotLeaf(at: at)
        return leaf.slot == slot ? leaf.value : .zero
    }

    func leaf(of address: Address, key: U256) -> AccountLeaf? {
        guard let at = find(root, key) else { return nil }
        let leaf = AccountLeaf(at: at)
        return leaf.address == address ? leaf : nil
    }

    /// The only leaf that may have the key.
    private func find(_ top: NodeRef, _ key: U256) -> UnsafeMutableRawPointer? {
        var ref = top
        var depth = 0
        while ref != 0 {
            let at = arena[ref]
            switch at.load(as: UInt8.self) {
            case NodeKind.branch:
                let node = BranchNode(at: at)
                let nibble = key.nibble(depth)
                guard node.has(nibble) else { return nil }
                ref = node.child(node.position(nibble))
                depth += 1
            case NodeKind.link:
                let node = LinkNode(at: at)
                guard (key << (4 * depth)).commonNibbles(node.path) >= node.count else { return nil }
                depth += node.count
                ref = node.child
            default: return at
            }
        }
        return nil
    }
}

/// Code by its hash. It is only ever added to, so a number stays good.
final class CodeTable {
    private var numbers: [Hash32: UInt32] = [.emptyCodeHash: 0]
    private var hashes: [Hash32] = [.emptyCodeHash]
    private var codes: [Bytes] = [[]]

    func hash(of number: UInt32) -> Hash32 { hashes[Int(number)] }

    func code(_ hash: Hash32) -> Bytes? { numbers[hash].map { codes[Int($0)] } }

    /// The number of a code; one that is named before it came is empty until it comes.
    func number(of hash: Hash32) -> UInt32 {
        if let known = numbers[hash] { return known }
        return append(hash, [])
    }

    func insert(_ hash: Hash32, _ code: Bytes) {
        if let known = numbers[hash] { codes[Int(known)] = code } else { _ = append(hash, code) }
    }

    private func append(_ hash: Hash32, _ code: Bytes) -> UInt32 {
        let number = UInt32(hashes.count)
        hashes.append(hash)
        codes.append(code)
        numbers[hash] = number
        return number
    }

    /// How many there are, the empty one among them: the number that the next one gets.
    var count: Int { hashes.count }

    /// Those from a number on, in the order of their numbers.
    func entries(from number: Int) -> [(hash: Hash32, code: Bytes)] { Array(zip(hashes, codes).dropFirst(number)) }
}
