// What the state trie holds of an account, and what a storage trie holds of a slot.

/// The leaf of an account: rlp([nonce, balance, storage root, code hash]).
package struct AccountRecord: Hashable, Sendable {
    package var nonce: UInt64
    /// Wei.
    package var balance: U256
    package var storageRoot: Hash32
    package var codeHash: Hash32

    package init(
        nonce: UInt64 = 0, balance: U256 = .zero, storageRoot: Hash32 = .emptyTrieRoot,
        codeHash: Hash32 = .emptyCodeHash
    ) {
        self.nonce = nonce
        self.balance = balance
        self.storageRoot = storageRoot
        self.codeHash = codeHash
    }

    package var encoded: Bytes {
        RLP.list([.uint(nonce), .uint(balance), .bytes(storageRoot.bytes), .bytes(codeHash.bytes)]).encoded
    }

    package static func decode(_ bytes: Bytes) throws(EthereumError) -> AccountRecord {
        let items = try RLP.decode(bytes).asList("account")
        guard items.count == 4 else {
            throw EthereumError(.malformedRLP, "an account has \(items.count) fields, not 4")
        }
        return AccountRecord(
            nonce: try items[0].asUInt64("nonce"), balance: try items[1].asUInt256("balance"),
            storageRoot: try items[2].asHash32("storage root"), codeHash: try items[3].asHash32("code hash"))
    }
}

extension MerkleTrie {
    /// A storage slot: rlp(value) at the hash of the slot's number. A zero removes it.
    package mutating func setSlot(_ slot: U256, _ value: U256) {
        self[slot.bytes] = value.isZero ? nil : RLP.uint(value).encoded
    }

    /// The value of a storage slot; zero where there is none.
    package func slot(_ slot: U256) throws(EthereumError) -> U256 {
        guard let bytes = self[slot.bytes] else { return .zero }
        return try RLP.decode(bytes).asUInt256("slot")
    }
}
