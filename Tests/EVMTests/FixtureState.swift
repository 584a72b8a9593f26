// A state held in dictionaries, for tests: read by the machine, changed by a journal's changes, summed up to a root.

import EVM
import Ethereum

struct MemoryAccount {
    var nonce: UInt64 = 0
    var balance = U256.zero
    var code = Bytes()
    var storage: [U256: U256] = [:]
}

final class MemoryState: StateReader {
    var accounts: [Address: MemoryAccount] = [:]
    private var codes: [Hash32: Bytes] = [:]
    /// Answers BLOCKHASH; the public tests hash the decimal text of the number.
    var blockHashes: [UInt64: Hash32] = [:]

    init(_ accounts: [Address: MemoryAccount] = [:]) {
        self.accounts = accounts
        for (_, account) in accounts { codes[keccak256(account.code)] = account.code }
    }

    func account(_ address: Address) -> AccountState? {
        accounts[address].map { AccountState(nonce: $0.nonce, balance: $0.balance, codeHash: keccak256($0.code)) }
    }

    func code(_ hash: Hash32) -> Bytes {
        codes[hash] ?? accounts.values.first { keccak256($0.code) == hash }?.code ?? []
    }

    func storage(_ address: Address, _ slot: U256) -> U256 { accounts[address]?.storage[slot] ?? .zero }
    func hasStorage(_ address: Address) -> Bool { accounts[address]?.storage.isEmpty == false }
    func blockHash(_ number: UInt64) -> Hash32 { blockHashes[number] ?? keccak256(text: String(number)) }

    func apply(_ changes: [AccountChange]) {
        for change in changes {
            guard let state = change.state else {
                accounts[change.address] = nil
                continue
            }
            var account = accounts[change.address] ?? MemoryAccount()
            account.nonce = state.nonce
            account.balance = state.balance
            if let code = change.code {
                account.code = code
                codes[state.codeHash] = code
            } else if state.codeHash == .emptyCodeHash {
                account.code = []
            }
            if change.clearsStorage { account.storage = [:] }
            for slot in change.slots { account.storage[slot.slot] = slot.value.isZero ? nil : slot.value }
            accounts[change.address] = account
        }
    }

    /// The state root.
    var root: Hash32 {
        Trie.secureRoot(
            of: accounts.map { address, account in
                let storage = Trie.secureRoot(
                    of: account.storage.filter { !$0.value.isZero }.map { ($0.key.bytes, RLP.uint($0.value).encoded) })
                let record = AccountRecord(
                    nonce: account.nonce, balance: account.balance, storageRoot: storage,
                    codeHash: keccak256(account.code))
                return (address.bytes, record.encoded)
            })
    }
}
