// The records of a Journal: accounts, slots, and what to undo. Plain data, no rules.

import Ethereum

struct AccountEntry {
    let address: Address
    var nonce: UInt64
    var balance: U256
    var codeHash: Hash32
    /// Loaded when it is first needed.
    var code: Code?
    /// True when the state held the account as the transaction began.
    var exists: Bool
    /// True once the storage that the reader knows is gone.
    var wiped = false
    /// What the reader said; nil for an account that it did not hold.
    var committed: AccountState?
    /// The head of the list of this account's slots; -1 for none.
    var firstSlot: Int32 = -1
    var warm: UInt32 = 0
    var touched: UInt32 = 0
    var created: UInt32 = 0
    var destroyed: UInt32 = 0

    static let emptyCodeHash = Hash32.emptyCodeHash

    init(address: Address, state: AccountState?) {
        self.address = address
        self.nonce = state?.nonce ?? 0
        self.balance = state?.balance ?? .zero
        self.codeHash = state?.codeHash ?? Self.emptyCodeHash
        self.exists = state != nil
        self.committed = state
    }

    var isEmpty: Bool { nonce == 0 && balance.isZero && codeHash == Self.emptyCodeHash }
}

struct SlotEntry: BitwiseCopyable {
    let key: U256
    var current: U256
    /// The value as the transaction began; right while `stamp` is the journal's.
    var original: U256
    /// What the reader said.
    var committed: U256
    /// The next slot of the same account; -1 for none.
    var next: Int32
    var stamp: UInt32
    var warm: UInt32
}

struct Undo: BitwiseCopyable {
    enum Kind: UInt8 {
        case balance, nonce, code, touch, warmAccount, created, destroyed, slot, warmSlot, transient
    }

    let kind: Kind
    let position: Int32
    /// What stood there before.
    let value: U256

    init(_ kind: Kind, _ position: Int32, _ value: U256) {
        self.kind = kind
        self.position = position
        self.value = value
    }
}
