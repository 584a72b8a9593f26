// Valid blocks beside the chain: branches that were the chain once, or may become it.

import Ethereum

package struct SideBlocks: Sendable {
    package struct Entry: Sendable {
        let block: StoredBlock
        let states: Blockchain.States
    }

    private var entries: [Hash32: Entry] = [:]
    /// Oldest first; may name some that are gone.
    private var order: [Hash32] = []

    package init() {}

    package var count: Int { entries.count }

    package subscript(hash: Hash32) -> Entry? { entries[hash] }

    /// Lets the oldest go when there are too many.
    mutating func insert(_ entry: Entry) {
        if entries.updateValue(entry, forKey: entry.block.hash) == nil { order.append(entry.block.hash) }
        while entries.count > Limits.sideBlocksMaximum, let oldest = order.first {
            order.removeFirst()
            entries[oldest] = nil
        }
        if order.count > 2 * Limits.sideBlocksMaximum { order.removeAll { entries[$0] == nil } }
    }

    mutating func remove(_ hash: Hash32) { entries[hash] = nil }
}
