// What a change writes into the tree: accounts and slots in the order of their hashed keys, and what stood there before.

import EVM
import Ethereum

/// The new end of one account. What undoes an edit is an edit as well.
struct AccountEdit: Sendable {
    /// Keccak-256 of the address.
    let key: U256
    let address: Address
    /// Nil removes the account with its storage.
    var state: AccountState?
    /// True when the storage is put aside and `storage` takes its place before `slots` are written.
    var replacesStorage = false
    /// The head of a storage tree that stands in no account; 0 for an empty one.
    var storage: NodeRef = 0
    /// Zero removes.
    var slots: [SlotChange] = []
}

/// What the update of a tree asks of the list of edits: leaves are known here only.
protocol LeafEdits: AnyObject {
    func key(_ index: Int) -> U256
    /// The hashed key of a leaf that stands in the tree.
    func key(ofLeaf leaf: UnsafeMutableRawPointer) -> U256
    /// True when the edit is about this leaf.
    func concerns(_ index: Int, _ leaf: UnsafeMutableRawPointer) -> Bool
    /// Writes the edit into its leaf; false when the leaf is to go.
    func write(_ index: Int, _ leaf: UnsafeMutableRawPointer) -> Bool
    /// A leaf for an edit whose key is not in the tree; 0 when there is nothing to write.
    func make(_ index: Int) -> NodeRef
}

/// Slots of one account.
final class SlotEdits: LeafEdits {
    private let arena: NodeArena
    private let keys: [U256]
    private let changes: [SlotChange]
    /// What stood there before, in the order of the edits.
    private(set) var undo: [SlotChange]

    /// The changes must be sorted by their keys.
    init(_ arena: NodeArena, keys: [U256], _ changes: [SlotChange]) {
        self.arena = arena
        self.keys = keys
        self.changes = changes
        undo = changes.map { SlotChange(slot: $0.slot, value: .zero) }
    }

    var count: Int { changes.count }

    func key(_ index: Int) -> U256 { keys[index] }
    func key(ofLeaf leaf: UnsafeMutableRawPointer) -> U256 { TreeKey.of(slot: SlotLeaf(at: leaf).slot) }
    func concerns(_ index: Int, _ leaf: UnsafeMutableRawPointer) -> Bool {
        SlotLeaf(at: leaf).slot == changes[index].slot
    }

    func write(_ index: Int, _ leaf: UnsafeMutableRawPointer) -> Bool {
        let leaf = SlotLeaf(at: leaf)
        undo[index].value = leaf.value
        guard !changes[index].value.isZero else { return false }
        leaf.value = changes[index].value
        return true
    }

    func make(_ index: Int) -> NodeRef {
        guard !changes[index].value.isZero else { return 0 }
        let ref = arena.allocate(units: SlotLeaf.units)
        let leaf = SlotLeaf(at: arena[ref])
        leaf.make(changes[index].slot)
        leaf.value = changes[index].value
        return ref
    }
}

/// Accounts of a state.
final class AccountEdits: LeafEdits {
    private unowned let tree: StateTree
    private let edits: [AccountEdit]
    /// What undoes the edits, in their order.
    private(set) var undo: [AccountEdit]

    /// The edits must be sorted by their keys.
    init(_ tree: StateTree, _ edits: [AccountEdit]) {
        self.tree = tree
        self.edits = edits
        undo = []
        undo.reserveCapacity(edits.count)
        for edit in edits { undo.append(AccountEdit(key: edit.key, address: edit.address, state: nil)) }
    }

    var count: Int { edits.count }

    func key(_ index: Int) -> U256 { edits[index].key }
    func key(ofLeaf leaf: UnsafeMutableRawPointer) -> U256 { TreeKey.of(addressAt: AccountLeaf(at: leaf).addressBytes) }
    func concerns(_ index: Int, _ leaf: UnsafeMutableRawPointer) -> Bool {
        AccountLeaf(at: leaf).address == edits[index].address
    }

    func write(_ index: Int, _ leaf: UnsafeMutableRawPointer) -> Bool {
        let leaf = AccountLeaf(at: leaf)
        undo[index].state = tree.state(of: leaf)
        guard let state = edits[index].state else {
            undo[index].replacesStorage = leaf.storage != 0
            undo[index].storage = leaf.storage
            tree.accountCount -= 1
            return false
        }
        if edits[index].replacesStorage {
            undo[index].replacesStorage = true
            undo[index].storage = leaf.storage
            leaf.storage = edits[index].storage
        }
        write(state, index, leaf)
        return true
    }

    func make(_ index: Int) -> NodeRef {
        guard let state = edits[index].state else { return 0 }
        let ref = tree.arena.allocate(units: AccountLeaf.units)
        let leaf = AccountLeaf(at: tree.arena[ref])
        leaf.make(edits[index].address)
        tree.accountCount += 1
        if edits[index].replacesStorage { leaf.storage = edits[index].storage }
        write(state, index, leaf)
        return ref
    }

    private func write(_ state: AccountState, _ index: Int, _ leaf: AccountLeaf) {
        leaf.nonce = state.nonce
        leaf.balance = state.balance
        leaf.code = tree.codes.number(of: state.codeHash)
        guard !edits[index].slots.isEmpty else { return }
        let before = tree.writeSlots(edits[index].slots, leaf)
        // Where the whole storage was put aside it comes back as a whole.
        if !undo[index].replacesStorage { undo[index].slots = before }
    }
}

/// Keys as they stand in tries: hashed.
enum TreeKey {
    static func of(_ address: Address) -> U256 {
        var word = U256.zero
        return withUnsafeMutableBytes(of: &word) { buffer in
            guard let base = buffer.baseAddress else { return .zero }
            address.word.storeBigEndian(to: base)
            return of(addressAt: UnsafeRawPointer(base + 12))
        }
    }

    static func of(addressAt bytes: UnsafeRawPointer) -> U256 {
        keccak256(UnsafeRawBufferPointer(start: bytes, count: 20)).word
    }

    static func of(slot: U256) -> U256 {
        var word = U256.zero
        return withUnsafeMutableBytes(of: &word) { buffer in
            guard let base = buffer.baseAddress else { return .zero }
            slot.storeBigEndian(to: base)
            return keccak256(UnsafeRawBufferPointer(buffer)).word
        }
    }
}
