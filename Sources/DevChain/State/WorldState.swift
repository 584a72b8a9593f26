// One state of the chain: accounts, their slots and code, and the trie that commits to them. A value: a copy is a
// snapshot and costs nothing. Which block it belongs to is not known here.

import EVM
import Ethereum

package struct WorldState: Sendable {
    /// An account with its slots. The storage root is computed when the trie is written.
    package struct Account: Sendable {
        package var state: AccountState
        package var storage: MerkleTrie

        var record: AccountRecord {
            AccountRecord(
                nonce: state.nonce, balance: state.balance, storageRoot: storage.root, codeHash: state.codeHash)
        }
    }

    private var accounts = PersistentMap<Address, Account>()
    private var codes = PersistentMap<Hash32, Bytes>()
    private var trie = MerkleTrie()

    package init() {}

    /// The state root. Costs one hash for each node changed since the last call.
    package var root: Hash32 { trie.root }

    /// Accounts that the trie holds.
    package var accountCount: Int { accounts.count }

    // MARK: Reading

    package func account(_ address: Address) -> Account? { accounts[address] }

    package func balance(_ address: Address) -> U256 { accounts[address]?.state.balance ?? .zero }

    package func nonce(_ address: Address) -> UInt64 { accounts[address]?.state.nonce ?? 0 }

    package func code(of address: Address) -> Bytes { accounts[address].map { code($0.state.codeHash) } ?? [] }

    package func code(_ hash: Hash32) -> Bytes { hash == .emptyCodeHash ? [] : codes[hash] ?? [] }

    package func storage(_ address: Address, _ slot: U256) -> U256 {
        guard let account = accounts[address], !account.storage.isEmpty else { return .zero }
        // Only `setSlot` writes these leaves, so they always decode.
        return (try? account.storage.slot(slot)) ?? .zero
    }

    package func hasStorage(_ address: Address) -> Bool { !(accounts[address]?.storage.isEmpty ?? true) }

    /// The nodes that prove an account, from the root on (EIP-1186).
    package func proof(of address: Address) -> [Bytes] { trie.proof(for: address.bytes) }

    // MARK: Writing

    /// Writes what a block changed.
    package mutating func apply(_ changes: [AccountChange]) {
        for change in changes {
            guard let state = change.state else {
                remove(change.address)
                continue
            }
            var storage = change.clearsStorage ? MerkleTrie() : accounts[change.address]?.storage ?? MerkleTrie()
            for slot in change.slots { storage.setSlot(slot.slot, slot.value) }
            if let code = change.code { codes[state.codeHash] = code }
            write(change.address, Account(state: state, storage: storage))
        }
    }

    package mutating func setBalance(_ balance: U256, of address: Address) {
        change(address) { $0.state.balance = balance }
    }

    package mutating func setNonce(_ nonce: UInt64, of address: Address) { change(address) { $0.state.nonce = nonce } }

    package mutating func setCode(_ code: Bytes, of address: Address) {
        let hash = code.isEmpty ? Hash32.emptyCodeHash : keccak256(code)
        if !code.isEmpty { codes[hash] = code }
        change(address) { $0.state.codeHash = hash }
    }

    package mutating func setStorage(_ slot: U256, to value: U256, of address: Address) {
        change(address) { $0.storage.setSlot(slot, value) }
    }

    private mutating func change(_ address: Address, _ body: (inout Account) -> Void) {
        var account = accounts[address] ?? Account(state: AccountState(), storage: MerkleTrie())
        body(&account)
        if account.state.isEmpty, account.storage.isEmpty { remove(address) } else { write(address, account) }
    }

    private mutating func write(_ address: Address, _ account: Account) {
        accounts[address] = account
        trie[address.bytes] = account.record.encoded
    }

    private mutating func remove(_ address: Address) {
        accounts[address] = nil
        trie[address.bytes] = nil
    }
}
