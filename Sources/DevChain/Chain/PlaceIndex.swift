// Where each transaction stands, in a few bytes a transaction: a table of the first 64 bits of hashes. Hashes spread by
// themselves; who looks one up compares the whole hash in the block, so two that share their bits do no harm.

import Ethereum

struct PlaceIndex: Sendable {
    private struct Slot: BitwiseCopyable, Sendable {
        var key: UInt64
        /// The block's number and, in the low 24 bits, the position plus one; 0 for a free slot.
        var place: UInt64
    }

    private var slots: [Slot] = Array(repeating: Slot(key: 0, place: 0), count: 64)
    private(set) var count = 0

    private var mask: Int { slots.count - 1 }

    private static func key(_ hash: Hash32) -> UInt64 { hash.word.w3 }

    /// All places that may be the hash's: one, but for hashes that share their first 64 bits.
    func places(_ hash: Hash32) -> [Blockchain.Place] {
        let key = Self.key(hash)
        var found: [Blockchain.Place] = []
        var at = Int(truncatingIfNeeded: key) & mask
        while slots[at].place != 0 {
            if slots[at].key == key { found.append(Self.place(slots[at].place)) }
            at = (at + 1) & mask
        }
        return found
    }

    mutating func insert(_ hash: Hash32, _ place: Blockchain.Place) {
        if (count + 1) * 3 > slots.count * 2 { grow() }
        count += 1
        put(Slot(key: Self.key(hash), place: Self.word(place)))
    }

    /// Forgets a place; what is not there is passed over.
    mutating func remove(_ hash: Hash32, _ place: Blockchain.Place) {
        let gone = Slot(key: Self.key(hash), place: Self.word(place))
        var at = Int(truncatingIfNeeded: gone.key) & mask
        while slots[at].place != 0, slots[at].key != gone.key || slots[at].place != gone.place { at = (at + 1) & mask }
        guard slots[at].place != 0 else { return }
        count -= 1
        // What stands behind moves up as far as its own home allows, so that no search ends too soon.
        var hole = at
        var next = (at + 1) & mask
        while slots[next].place != 0 {
            let home = Int(truncatingIfNeeded: slots[next].key) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = Slot(key: 0, place: 0)
    }

    private mutating func put(_ slot: Slot) {
        var at = Int(truncatingIfNeeded: slot.key) & mask
        while slots[at].place != 0 { at = (at + 1) & mask }
        slots[at] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(key: 0, place: 0), count: old.count * 2)
        for slot in old where slot.place != 0 { put(slot) }
    }

    private static func word(_ place: Blockchain.Place) -> UInt64 {
        precondition(place.index < 1 << 24 - 1, "more transactions in a block than any gas limit allows")
        return place.number << 24 | UInt64(place.index + 1)
    }

    private static func place(_ word: UInt64) -> Blockchain.Place {
        Blockchain.Place(number: word >> 24, index: Int(word & 0xff_ffff) - 1)
    }
}
