// One state of the chain: accounts, their slots and code, and the trie that commits to them. A value: a copy is a
// snapshot and costs nothing. All states that come from one another share one StateStore. Which block a state belongs to
// is not known here.

import EVM
import Ethereum

package struct WorldState: Sendable {
    /// An account; its slots are asked for one by one.
    package struct Account: Sendable {
        package var state: AccountState
    }

    /// An account with all that it holds.
    package struct FullAccount: Sendable {
        package var address: Address
        package var state: AccountState
        package var code: Bytes
        /// By ascending slot.
        package var slots: [SlotChange]
    }

    private let store: StateStore
    private var version: StateVersion

    package init() { self.init(StateStore()) }

    /// The state that a file holds, which is made when it is not there. Its code is not in it: for benchmarks of states
    /// without code.
    package init(file path: String) throws(DevChainError) {
        self.init(StateStore(StateTree(try StateFile(path: path), codes: CodeTable())))
    }

    init(_ store: StateStore) {
        self.store = store
        version = store.first()
    }

    /// The state root. Costs one hash for each node changed since the last call.
    package var root: Hash32 { store.root(version) }

    /// Accounts that the trie holds.
    package var accountCount: Int { store.looking(at: version) { $0.accountCount } }

    /// Bytes that the nodes of the present state take.
    package var bytesUsed: Int { store.looking(at: version) { $0.arena.bytesUsed } }

    /// The tree itself, for tests that end a process inside a change.
    func lookingForTest<Result>(_ body: (StateTree) -> Result) -> Result { store.looking(at: version, body) }

    // MARK: Reading

    package func account(_ address: Address) -> Account? { store.account(address, version).map(Account.init) }

    package func balance(_ address: Address) -> U256 { store.account(address, version)?.balance ?? .zero }

    package func nonce(_ address: Address) -> UInt64 { store.account(address, version)?.nonce ?? 0 }

    package func code(of address: Address) -> Bytes {
        store.account(address, version).map { code($0.codeHash) } ?? []
    }

    package func code(_ hash: Hash32) -> Bytes { hash == .emptyCodeHash ? [] : store.code(hash) }

    package func storage(_ address: Address, _ slot: U256) -> U256 { store.slot(slot, of: address, version) }

    package func hasStorage(_ address: Address) -> Bool { store.hasStorage(address, version) }

    /// The root of an account's storage trie; that of an empty one for an account that is not there.
    package func storageRoot(of address: Address) -> Hash32 {
        let key = TreeKey.of(address)
        return store.looking(at: version) { tree in
            tree.leaf(of: address, key: key).map { tree.renewStorage($0.storage) } ?? .emptyTrieRoot
        }
    }

    /// The nodes that prove an account, from the root on (EIP-1186).
    package func proof(of address: Address) -> [Bytes] {
        let key = TreeKey.of(address)
        return store.looking(at: version) { $0.proof(key) }
    }

    /// The nodes that prove a slot, from the root of the account's storage on; none without storage.
    package func proof(of slot: U256, in address: Address) -> [Bytes] {
        let key = TreeKey.of(address)
        return store.looking(at: version) { tree in
            tree.leaf(of: address, key: key).map { tree.storageProof($0.storage, slot: slot) } ?? []
        }
    }

    /// All accounts by the order of their hashed addresses; nil when there are more than `limit` accounts and slots.
    package func dump(limit: Int) -> [FullAccount]? {
        store.looking(at: version) { tree in
            var accounts: [FullAccount] = []
            var left = limit
            tree.forEachAccount { leaf in
                left -= 1
                var slots: [SlotChange] = []
                tree.forEachSlot(leaf.storage) { slot in
                    left -= 1
                    slots.append(SlotChange(slot: slot.slot, value: slot.value))
                    return left >= 0
                }
                guard left >= 0 else { return false }
                slots.sort { $0.slot < $1.slot }
                let state = tree.state(of: leaf)
                accounts.append(
                    FullAccount(
                        address: leaf.address, state: state, code: tree.codes.code(state.codeHash) ?? [], slots: slots))
                return true
            }
            return left >= 0 ? accounts : nil
        }
    }

    // MARK: A state in a file

    /// What leads here from another state of the same store.
    func changes(since old: WorldState) -> [AccountChange] { store.changes(from: old.version, to: version) }

    /// Code from a number on, in the order of the numbers.
    func codes(from number: Int) -> [(hash: Hash32, code: Bytes)] { store.codes(from: number) }

    /// This state is what a restart begins from; `position` is how far the owner's log has come with it.
    package func sync(position: UInt64) { store.sync(version, position: position) }

    /// The position of the last sync of this state's file.
    var syncedPosition: UInt64 { store.syncedPosition }

    /// Ends the use of the file with this state in it.
    package func close(position: UInt64) { store.close(version, position: position) }

    /// Lets the system take pages of the file while the process holds more than `bytes` of it.
    package func keepResident(below bytes: Int) { store.keepResident(below: bytes) }

    // MARK: Writing

    /// The state without accounts, of the same store.
    var emptied: WorldState {
        let addresses = store.looking(at: version) { tree in
            var addresses: [Address] = []
            tree.forEachAccount { leaf in
                addresses.append(leaf.address)
                return true
            }
            return addresses
        }
        var empty = self
        empty.apply(addresses.sorted().map { AccountChange(address: $0, state: nil) })
        return empty
    }

    /// Writes what a block changed.
    package mutating func apply(_ changes: [AccountChange]) { store.apply(changes, to: &version) }

    package mutating func setBalance(_ balance: U256, of address: Address) {
        change(address) { $0.state.balance = balance }
    }

    package mutating func setNonce(_ nonce: UInt64, of address: Address) { change(address) { $0.state.nonce = nonce } }

    package mutating func setCode(_ code: Bytes, of address: Address) {
        let hash = code.isEmpty ? Hash32.emptyCodeHash : keccak256(code)
        change(address, code: code.isEmpty ? nil : code) { $0.state.codeHash = hash }
    }

    package mutating func setStorage(_ slot: U256, to value: U256, of address: Address) {
        let state = store.account(address, version) ?? AccountState()
        apply([
            AccountChange(
                address: address, state: state, code: nil, clearsStorage: false,
                slots: [SlotChange(slot: slot, value: value)])
        ])
        dropIfEmpty(address)
    }

    private mutating func change(_ address: Address, code: Bytes? = nil, _ body: (inout Account) -> Void) {
        var account = account(address) ?? Account(state: AccountState())
        body(&account)
        apply([AccountChange(address: address, state: account.state, code: code, clearsStorage: false, slots: [])])
        dropIfEmpty(address)
    }

    /// An account without anything is none (EIP-161).
    private mutating func dropIfEmpty(_ address: Address) {
        guard let state = store.account(address, version), state.isEmpty, !hasStorage(address) else { return }
        apply([AccountChange(address: address, state: nil, code: nil, clearsStorage: false, slots: [])])
    }
}
