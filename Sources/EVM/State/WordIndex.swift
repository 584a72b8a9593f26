// An open-addressing table from (owner, word) to a position in a dense list. Entries are added and cleared, never
// removed; nothing may depend on their order, which differs from run to run.

import Ethereum

final class WordIndex {
    private struct Bucket {
        var key: U256
        var owner: Int32
        /// The position plus one; zero for a free bucket.
        var position: Int32
    }

    @exclusivity(unchecked) private var buckets: UnsafeMutablePointer<Bucket>
    @exclusivity(unchecked) private var mask: Int
    @exclusivity(unchecked) private var count = 0
    /// Code can choose its storage keys, so the hash is seeded.
    private let seed0: UInt64
    private let seed1: UInt64

    init() {
        var generator = SystemRandomNumberGenerator()
        seed0 = generator.next()
        seed1 = generator.next()
        mask = 63
        buckets = Self.table(64)
    }

    deinit { buckets.deallocate() }

    private static func table(_ capacity: Int) -> UnsafeMutablePointer<Bucket> {
        let table = UnsafeMutablePointer<Bucket>.allocate(capacity: capacity)
        table.initialize(repeating: Bucket(key: .zero, owner: 0, position: 0), count: capacity)
        return table
    }

    private func home(_ owner: Int32, _ key: U256) -> Int {
        let a = (key.w0 ^ seed0).multipliedFullWidth(by: key.w1 ^ seed1 ^ UInt64(UInt32(bitPattern: owner)))
        let b = (key.w2 ^ seed1).multipliedFullWidth(by: key.w3 ^ seed0)
        let mixed = (a.high ^ a.low &+ (b.high ^ b.low)).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return Int(truncatingIfNeeded: mixed.high ^ mixed.low)
    }

    /// The position of a key; nil when it is not there.
    func find(_ owner: Int32, _ key: U256) -> Int32? {
        var at = home(owner, key) & mask
        while buckets[at].position != 0 {
            if buckets[at].key == key, buckets[at].owner == owner { return buckets[at].position &- 1 }
            at = (at &+ 1) & mask
        }
        return nil
    }

    /// Adds a key that is not there.
    func insert(_ owner: Int32, _ key: U256, _ position: Int32) {
        count += 1
        if count * 2 > mask + 1 { grow() }
        place(Bucket(key: key, owner: owner, position: position + 1))
    }

    private func place(_ bucket: Bucket) {
        var at = home(bucket.owner, bucket.key) & mask
        while buckets[at].position != 0 { at = (at &+ 1) & mask }
        buckets[at] = bucket
    }

    private func grow() {
        let old = buckets
        let capacity = mask + 1
        buckets = Self.table(capacity * 2)
        mask = capacity * 2 - 1
        for at in 0..<capacity where old[at].position != 0 { place(old[at]) }
        old.deallocate()
    }

    /// Removes all.
    func removeAll() {
        guard count > 0 else { return }
        if mask >= 4096 {
            buckets.deallocate()
            mask = 63
            buckets = Self.table(64)
        } else {
            buckets.update(repeating: Bucket(key: .zero, owner: 0, position: 0), count: mask + 1)
        }
        count = 0
    }
}
