// What a block changed, in a fixed order, ready for the tries; and direct writes for genesis states, development
// chains and call overrides, which no transaction pays for.

import Ethereum

/// The end of one account that a block changed.
package struct AccountChange: Hashable, Sendable {
    package var address: Address
    /// Nil for an account that the state holds no longer.
    package var state: AccountState?
    /// Code that the state does not know yet; nil when the code is as before.
    package var code: Bytes?
    /// True when all slots that the state held are to be removed before `slots` are written.
    package var clearsStorage: Bool
    /// Final values of changed slots, by ascending slot; zero removes.
    package var slots: [SlotChange]

    package init(
        address: Address, state: AccountState?, code: Bytes? = nil, clearsStorage: Bool = false,
        slots: [SlotChange] = []
    ) {
        self.address = address
        self.state = state
        self.code = code
        self.clearsStorage = clearsStorage
        self.slots = slots
    }
}

package struct SlotChange: Hashable, Sendable {
    package var slot: U256
    package var value: U256

    package init(slot: U256, value: U256) {
        self.slot = slot
        self.value = value
    }
}

extension Journal {
    /// What differs from the reader's state, by ascending address. Between transactions only.
    package var changes: [AccountChange] {
        var result: [AccountChange] = []
        for at in accounts.positions {
            let entry = accounts[at].pointee
            let state =
                entry.exists
                ? AccountState(nonce: entry.nonce, balance: entry.balance, codeHash: entry.codeHash) : nil
            var written: [SlotChange] = []
            var next = entry.firstSlot
            while next >= 0 {
                let slot = slots[next].pointee
                if entry.wiped ? !slot.current.isZero : slot.current != slot.committed {
                    written.append(SlotChange(slot: slot.key, value: slot.current))
                }
                next = slot.next
            }
            let clears = entry.wiped && entry.committed != nil
            guard state != entry.committed || !written.isEmpty || clears else { continue }
            // An account that is gone has no slots to write.
            if state == nil { written = [] }
            written.sort { $0.slot < $1.slot }
            result.append(
                AccountChange(
                    address: entry.address, state: state,
                    code: entry.codeHash == entry.committed?.codeHash ? nil : newCodes[entry.codeHash]?.bytes,
                    clearsStorage: clears, slots: written))
        }
        return result.sorted { $0.address < $1.address }
    }

    /// Makes the present state the one that `changes` counts from: call it once the changes are in the reader's state.
    package func markCommitted() {
        for at in accounts.positions {
            let entry = accounts[at].pointee
            accounts[at].pointee.committed =
                entry.exists
                ? AccountState(nonce: entry.nonce, balance: entry.balance, codeHash: entry.codeHash) : nil
            accounts[at].pointee.wiped = false
        }
        for at in slots.positions { slots[at].pointee.committed = slots[at].pointee.current }
        for (hash, code) in newCodes { codeCache.insert(hash, code) }
        newCodes = [:]
    }

    // MARK: Reading and writing from outside

    package func account(_ address: Address) -> AccountState? {
        let entry = accounts[position(address)].pointee
        guard entry.exists || !entry.isEmpty else { return nil }
        return AccountState(nonce: entry.nonce, balance: entry.balance, codeHash: entry.codeHash)
    }

    package func code(_ address: Address) -> Bytes { code(position(address)).bytes }

    package func storage(_ address: Address, _ key: U256) -> U256 {
        slots[slot(position(address), key)].pointee.current
    }

    /// Sets a balance in wei, outside of any transaction.
    package func override(balance: U256, of address: Address) {
        setBalance(position(address), balance)
        finishTransaction()
    }

    package func override(nonce: UInt64, of address: Address) {
        setNonce(position(address), nonce)
        finishTransaction()
    }

    package func override(code: Bytes, of address: Address) {
        setCode(position(address), code.isEmpty ? .empty : Code(code), hash: keccak256(code))
        finishTransaction()
    }

    package func override(slot key: U256, to value: U256, of address: Address) {
        setSlot(slot(position(address), key), value)
        finishTransaction()
    }

    /// Removes all slots of an account, as `state` in a call override asks.
    package func overrideClearingStorage(of address: Address) {
        let at = position(address)
        let exists = accounts[at].pointee.exists
        wipe(at)
        accounts[at].pointee.exists = exists
        finishTransaction()
    }

    /// Adds wei to an account outside of any transaction, as a withdrawal of the beacon chain does (EIP-4895).
    package func credit(_ amount: U256, to address: Address) {
        let at = position(address)
        setBalance(at, balance(at) &+ amount)
        finishTransaction()
    }
}
