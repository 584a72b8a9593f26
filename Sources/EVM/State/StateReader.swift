// The door through which the machine sees a chain's state. Reading only: what changes comes out of the Journal.

import Ethereum

/// What a state knows of an account, storage apart.
package struct AccountState: Hashable, Sendable {
    package var nonce: UInt64
    /// Wei.
    package var balance: U256
    package var codeHash: Hash32

    package init(nonce: UInt64 = 0, balance: U256 = .zero, codeHash: Hash32 = .emptyCodeHash) {
        self.nonce = nonce
        self.balance = balance
        self.codeHash = codeHash
    }

    /// True without nonce, balance and code (EIP-161).
    package var isEmpty: Bool { nonce == 0 && balance.isZero && codeHash == .emptyCodeHash }
}

/// A state at one block. Each account and slot is asked for once by a journal, never inside the interpreter's loop.
package protocol StateReader {
    /// Nil for an account that the state trie does not hold.
    func account(_ address: Address) -> AccountState?
    /// The code of a hash that an account named; empty when it is not known.
    func code(_ hash: Hash32) -> Bytes
    /// Zero for a slot that is not held.
    func storage(_ address: Address, _ slot: U256) -> U256
    /// True when the account holds any slot: contracts are not created over one (EIP-7610).
    func hasStorage(_ address: Address) -> Bool
    /// The hash of an earlier block; zero when it is not known.
    func blockHash(_ number: UInt64) -> Hash32
}
