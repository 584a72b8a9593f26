// All states of one chain over one tree. The tree holds one of them, the present one; every other state is told by what
// differs from its neighbour on the way to the present one, so a state that nobody asks for costs its changes and no
// copy, and a state that nobody holds costs nothing (Baker's persistent arrays). Changing a state that is not the
// present one turns the tree to it first.

import EVM
import Ethereum
import Synchronization

/// One state. What it holds is guarded by the lock of its store.
final class StateVersion: @unchecked Sendable {
    /// The neighbour towards the present state; nil for the present one.
    fileprivate(set) var next: StateVersion?
    /// What stands here where the neighbour has something else, by ascending key.
    fileprivate(set) var differences: [AccountEdit] = []
    /// The state root, once it was asked for.
    fileprivate(set) var root: Hash32?
    private let orphans: OrphanedStorages

    fileprivate init(_ orphans: OrphanedStorages) { self.orphans = orphans }

    deinit {
        orphans.add(differences)
        // One after another: a chain of a hundred thousand states must not end in as many nested calls.
        var link = next
        next = nil
        while isKnownUniquelyReferenced(&link) {
            let following = link?.next
            link?.next = nil
            link = following
        }
    }

    fileprivate func difference(_ key: U256) -> AccountEdit? {
        var low = 0
        var high = differences.count
        while low < high {
            let middle = (low + high) / 2
            if differences[middle].key < key { low = middle + 1 } else { high = middle }
        }
        guard low < differences.count, differences[low].key == key else { return nil }
        return differences[low]
    }
}

/// Storages whose accounts and states are gone, until the tree is changed the next time.
private final class OrphanedStorages: Sendable {
    private let heads = Mutex<[NodeRef]>([])

    func add(_ edits: [AccountEdit]) {
        let found = edits.lazy.filter(\.replacesStorage).map(\.storage).filter { $0 != 0 }
        guard !found.isEmpty else { return }
        heads.withLock { $0 += found }
    }

    func take() -> [NodeRef] {
        heads.withLock { heads in
            let taken = heads
            heads = []
            return taken
        }
    }
}

final class StateStore: @unchecked Sendable {
    private let lock = Mutex(())
    /// Touched under the lock only.
    private let tree: StateTree
    private let keyHasher = HashLanes()
    private let orphans = OrphanedStorages()

    init(_ tree: StateTree = StateTree()) { self.tree = tree }

    /// The state that the tree holds; asked for once, before anything else.
    func first() -> StateVersion { StateVersion(orphans) }

    // MARK: A tree in a file

    /// `version` is what a restart begins from; `position` is how far the owner's log has come with it.
    func sync(_ version: StateVersion, position: UInt64) {
        lock.withLock { _ in
            turn(to: version)
            tree.sync(position: position)
            version.root = tree.renewRoot()
        }
    }

    /// The position of the last sync; 0 for a new file.
    var syncedPosition: UInt64 { lock.withLock { _ in tree.file?.mark.position ?? 0 } }

    /// Ends the use of the file; nothing may be changed after it.
    func close(_ version: StateVersion, position: UInt64) {
        sync(version, position: position)
        lock.withLock { _ in tree.file?.close(free: tree.arena.freeLists) }
    }

    /// Lets the system take pages of the file when the process holds more than `bytes` of it.
    func keepResident(below bytes: Int) { lock.withLock { _ in tree.arena.keepResident(below: bytes) } }

    /// Code from a number on, in the order of the numbers.
    func codes(from number: Int) -> [(hash: Hash32, code: Bytes)] {
        lock.withLock { _ in tree.codes.entries(from: number) }
    }

    /// What leads from one state to another, with values and nothing that depends on the tree.
    func changes(from old: StateVersion, to new: StateVersion) -> [AccountChange] {
        lock.withLock { _ in
            turn(to: new)
            var touched: [U256: Touched] = [:]
            var here = old
            while let next = here.next {
                for edit in here.differences { touched[edit.key, default: Touched(edit.address)].add(edit) }
                here = next
            }
            return touched.sorted { $0.key < $1.key }.map { change(of: $0.value, key: $0.key) }
        }
    }

    /// What a walk from state to state says of one account.
    private struct Touched {
        let address: Address
        var slots: Set<U256> = []
        var isWhole = false

        init(_ address: Address) { self.address = address }

        mutating func add(_ edit: AccountEdit) {
            for slot in edit.slots { slots.insert(slot.slot) }
            // An account that was not there comes with all its slots.
            if edit.replacesStorage || edit.state == nil { isWhole = true }
        }
    }

    private func change(of touched: Touched, key: U256) -> AccountChange {
        guard let leaf = tree.leaf(of: touched.address, key: key) else {
            return AccountChange(address: touched.address, state: nil)
        }
        var slots: [SlotChange] = []
        if touched.isWhole {
            tree.forEachSlot(leaf.storage) { slot in
                slots.append(SlotChange(slot: slot.slot, value: slot.value))
                return true
            }
        } else {
            slots = touched.slots.map { slot in
                SlotChange(slot: slot, value: leaf.storage == 0 ? .zero : tree.slot(slot, inStorage: leaf.storage))
            }
        }
        slots.sort { $0.slot < $1.slot }
        return AccountChange(
            address: touched.address, state: tree.state(of: leaf), clearsStorage: touched.isWhole, slots: slots)
    }

    // MARK: Reading

    func account(_ address: Address, _ version: StateVersion) -> AccountState? {
        let key = TreeKey.of(address)
        return lock.withLock { _ in
            var here = version
            while let next = here.next {
                if let edit = here.difference(key) { return edit.state }
                here = next
            }
            return tree.account(address, key: key)
        }
    }

    func slot(_ slot: U256, of address: Address, _ version: StateVersion) -> U256 {
        let key = TreeKey.of(address)
        return lock.withLock { _ in
            var here = version
            while let next = here.next {
                if let edit = here.difference(key), let value = value(of: slot, edit) { return value }
                here = next
            }
            return tree.slot(slot, of: address, key: key)
        }
    }

    /// What a difference says of a slot; nil when it says nothing.
    private func value(of slot: U256, _ edit: AccountEdit) -> U256? {
        guard edit.state != nil else { return .zero }
        if let change = edit.slots.first(where: { $0.slot == slot }) { return change.value }
        guard edit.replacesStorage else { return nil }
        return edit.storage == 0 ? .zero : tree.slot(slot, inStorage: edit.storage)
    }

    func code(_ hash: Hash32) -> Bytes { lock.withLock { _ in tree.codes.code(hash) ?? [] } }

    /// True when the account holds a slot.
    func hasStorage(_ address: Address, _ version: StateVersion) -> Bool {
        let key = TreeKey.of(address)
        return lock.withLock { _ in
            if version.next != nil { turn(to: version) }
            return tree.leaf(of: address, key: key).map { $0.storage != 0 } ?? false
        }
    }

    /// Looks at the tree while it holds `version`: for proofs, roots and walks.
    func looking<Result>(at version: StateVersion, _ body: (StateTree) -> Result) -> Result {
        lock.withLock { _ in
            turn(to: version)
            return body(tree)
        }
    }

    func root(_ version: StateVersion) -> Hash32 {
        lock.withLock { _ in
            if let known = version.root { return known }
            turn(to: version)
            let root = tree.renewRoot()
            version.root = root
            return root
        }
    }

    // MARK: Changing

    /// Changes a state. One that nobody else holds becomes the new one itself; else there are two afterwards.
    func apply(_ changes: [AccountChange], to version: inout StateVersion) {
        let keyed = edits(changes)
        lock.withLock { _ in
            turn(to: version)
            for change in changes {
                if let code = change.code, let state = change.state { tree.codes.insert(state.codeHash, code) }
            }
            let undo = tree.apply(keyed)
            // Asked after the turn: turning makes the former present state hold on to this one.
            if isKnownUniquelyReferenced(&version) {
                for edit in undo where edit.replacesStorage { tree.releaseStorage(edit.storage) }
                version.root = nil
            } else {
                let new = StateVersion(orphans)
                version.next = new
                version.differences = undo
                version = new
            }
            tidy()
        }
    }

    private func edits(_ changes: [AccountChange]) -> [AccountEdit] {
        var keys = [U256](repeating: .zero, count: (changes.count + 3) / 4 * 4)
        lock.withLock { _ in
            keys.withUnsafeMutableBufferPointer { keys in
                guard let out = keys.baseAddress else { return }
                for start in stride(from: 0, to: changes.count, by: 4) {
                    let count = min(4, changes.count - start)
                    for lane in 0..<count { keyHasher.setKey(lane, changes[start + lane].address) }
                    keyHasher.hashKeys(count, out + start)
                }
            }
        }
        var edits: [AccountEdit] = []
        edits.reserveCapacity(changes.count)
        for (index, change) in changes.enumerated() {
            edits.append(
                AccountEdit(
                    key: keys[index], address: change.address, state: change.state,
                    replacesStorage: change.clearsStorage, storage: 0, slots: change.slots))
        }
        edits.sort { $0.key < $1.key }
        return edits
    }

    /// Makes `version` the present one.
    private func turn(to version: StateVersion) {
        guard version.next != nil else { return }
        var chain = [version]
        while let next = chain[chain.count - 1].next { chain.append(next) }
        for index in stride(from: chain.count - 2, through: 0, by: -1) {
            let (here, present) = (chain[index], chain[index + 1])
            let undo = tree.apply(here.differences)
            here.differences = []
            here.next = nil
            present.differences = undo
            present.next = here
            tree.rootHash = here.root
            tidy()
        }
    }

    private func tidy() {
        for head in orphans.take() { tree.releaseStorage(head) }
        // A file's places are used again only after the next sync: until then a restart may go back to them.
        if tree.file == nil { tree.arena.settle() }
    }
}
