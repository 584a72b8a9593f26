// The state tree against the trie of Ethereum's room, which is written another way and is checked by the public suites:
// random changes, copies, branches and returns, with roots, reads and proofs compared at each step.

import EVM
import Ethereum
import Testing
import TestSupport

@testable import DevChain

/// A state as plain maps.
private struct Model: Equatable {
    struct Entry: Equatable {
        var state = AccountState()
        var slots: [U256: U256] = [:]
    }

    var accounts: [Address: Entry] = [:]

    var root: Hash32 {
        var trie = MerkleTrie()
        for (address, entry) in accounts { trie[address.bytes] = record(entry).encoded }
        return trie.root
    }

    func storage(_ entry: Entry) -> MerkleTrie {
        var trie = MerkleTrie()
        for (slot, value) in entry.slots { trie.setSlot(slot, value) }
        return trie
    }

    func record(_ entry: Entry) -> AccountRecord {
        AccountRecord(
            nonce: entry.state.nonce, balance: entry.state.balance, storageRoot: storage(entry).root,
            codeHash: entry.state.codeHash)
    }

    mutating func apply(_ change: AccountChange) {
        guard let state = change.state else {
            accounts[change.address] = nil
            return
        }
        var entry = accounts[change.address] ?? Entry()
        entry.state = state
        if change.clearsStorage { entry.slots = [:] }
        for slot in change.slots { entry.slots[slot.slot] = slot.value.isZero ? nil : slot.value }
        accounts[change.address] = entry
    }
}

@Suite("World state")
struct WorldStateTests {
    /// Few addresses and slots, so that changes meet each other.
    private static func change(_ random: inout SplitMix64, _ model: Model, spread: Int) -> AccountChange {
        let address = Address(truncating: U256(UInt64(random.below(spread) + 1)))
        if random.below(8) == 0, model.accounts[address] != nil {
            return AccountChange(address: address, state: nil, code: nil, clearsStorage: false, slots: [])
        }
        var state = model.accounts[address]?.state ?? AccountState()
        state.nonce = UInt64(random.below(300))
        state.balance = random.below(3) == 0 ? random.word() : U256(UInt64(random.below(500)))
        var code: Bytes?
        if random.below(6) == 0 {
            let bytes = random.bytes(random.below(40) + 1)
            code = bytes
            state.codeHash = keccak256(bytes)
        }
        var slots: [U256: U256] = [:]
        for _ in 0..<random.below(6) {
            let value = random.below(3) == 0 ? U256.zero : random.below(2) == 0 ? U256(UInt64(random.below(200))) : random.word()
            slots[U256(UInt64(random.below(40)))] = value
        }
        return AccountChange(
            address: address, state: state, code: code, clearsStorage: random.below(7) == 0,
            slots: slots.map { SlotChange(slot: $0.key, value: $0.value) }.sorted { $0.slot < $1.slot })
    }

    private static func block(_ random: inout SplitMix64, _ model: Model, spread: Int) -> [AccountChange] {
        var changes: [Address: AccountChange] = [:]
        for _ in 0..<(random.below(12) + 1) {
            let change = change(&random, model, spread: spread)
            changes[change.address] = change
        }
        return changes.values.sorted { $0.address < $1.address }
    }

    private static func compare(_ state: WorldState, _ model: Model, _ random: inout SplitMix64, spread: Int) {
        for _ in 0..<8 {
            let address = Address(truncating: U256(UInt64(random.below(spread) + 1)))
            let entry = model.accounts[address]
            #expect(state.account(address)?.state == entry?.state)
            #expect(state.hasStorage(address) == !(entry?.slots.isEmpty ?? true))
            let slot = U256(UInt64(random.below(40)))
            #expect(state.storage(address, slot) == entry?.slots[slot] ?? .zero)
        }
    }

    @Test("random blocks, copies, branches and returns agree with a trie that is made anew each time", arguments: [3, 30, 600])
    func againstModel(spread: Int) {
        var random = SplitMix64.forTest()
        var live: [(state: WorldState, model: Model)] = [(WorldState(), Model())]
        for step in 0..<400 {
            let at = random.below(live.count)
            var (state, model) = live[at]
            if random.below(4) == 0 { live.remove(at: at) }
            let changes = Self.block(&random, model, spread: spread)
            state.apply(changes)
            for change in changes { model.apply(change) }
            if step % 3 == 0 { #expect(state.root == model.root, "step \(step)") }
            Self.compare(state, model, &random, spread: spread)
            live.append((state, model))
            if live.count > 12 { live.removeFirst(random.below(6) + 1) }
        }
        for (state, model) in live {
            Self.compare(state, model, &random, spread: spread)
            #expect(state.root == model.root)
            #expect(state.accountCount == model.accounts.count)
        }
    }

    @Test("proofs are those of the other trie, for what is there and for what is not")
    func proofs() {
        var random = SplitMix64.forTest()
        var state = WorldState()
        var model = Model()
        for _ in 0..<30 {
            let changes = Self.block(&random, model, spread: 60)
            state.apply(changes)
            for change in changes { model.apply(change) }
        }
        var trie = MerkleTrie()
        for (address, entry) in model.accounts { trie[address.bytes] = model.record(entry).encoded }
        for number in 1...70 as ClosedRange<UInt64> {
            let address = Address(truncating: U256(number))
            #expect(state.proof(of: address) == trie.proof(for: address.bytes))
            guard let entry = model.accounts[address] else { continue }
            let storage = model.storage(entry)
            #expect(state.storageRoot(of: address) == storage.root)
            for slot in 0..<40 as Range<UInt64> {
                #expect(state.proof(of: U256(slot), in: address) == storage.proof(for: U256(slot).bytes))
            }
        }
    }

    @Test("all that was taken is given back once nobody holds it")
    func memory() {
        var random = SplitMix64.forTest()
        var state = WorldState()
        var model = Model()
        var kept: [WorldState] = []
        for step in 0..<300 {
            let changes = Self.block(&random, model, spread: 50)
            state.apply(changes)
            for change in changes { model.apply(change) }
            if step % 5 == 0 { kept.append(state) }
            if kept.count > 8 { kept.removeFirst() }
        }
        kept = []
        for address in model.accounts.keys.sorted() {
            state.apply([AccountChange(address: address, state: nil, code: nil, clearsStorage: false, slots: [])])
        }
        // Two more changes, each of which gives back what was orphaned before it.
        state.setBalance(1, of: Address(truncating: 1))
        state.setBalance(0, of: Address(truncating: 1))
        #expect(state.root == .emptyTrieRoot)
        #expect(state.accountCount == 0)
        #expect(state.bytesUsed == 0)
    }

    @Test("a dump lists every account and slot, or nothing above its limit")
    func dump() throws {
        var random = SplitMix64.forTest()
        var state = WorldState()
        var model = Model()
        for _ in 0..<30 {
            let changes = Self.block(&random, model, spread: 40)
            state.apply(changes)
            for change in changes { model.apply(change) }
        }
        let all = try #require(state.dump(limit: 10_000))
        #expect(all.count == model.accounts.count)
        for account in all {
            let entry = try #require(model.accounts[account.address])
            #expect(account.state == entry.state)
            #expect(keccak256(account.code) == entry.state.codeHash)
            #expect(Dictionary(uniqueKeysWithValues: account.slots.map { ($0.slot, $0.value) }) == entry.slots)
        }
        #expect(state.dump(limit: all.count - 1) == nil)
    }

    @Test("a long chain of states ends without deep recursion, and the first one reads as it was")
    func longChain() {
        var state = WorldState()
        var kept: [WorldState] = []
        for number in 1...50_000 as ClosedRange<UInt64> {
            state.setBalance(U256(number), of: Address(truncating: 7))
            kept.append(state)
        }
        #expect(kept[0].balance(Address(truncating: 7)) == 1)
        #expect(kept[40_000].balance(Address(truncating: 7)) == 40_001)
        let first = kept[0]
        kept = []
        #expect(first.root != state.root)
        #expect(first.balance(Address(truncating: 7)) == 1)
    }
}
