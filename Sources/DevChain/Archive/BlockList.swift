// The blocks of a chain by number. The newest stand in memory; older ones may have been let go and are then read from
// the data directory.

import Ethereum

/// Where blocks that were let go are to be had. A block that was written and cannot be read is the end of the process:
/// nothing can be answered truly without it.
protocol BlockShelf: Sendable {
    func block(_ number: Int) -> StoredBlock
}

package struct BlockList: Sequence, Sendable {
    private var recent: [StoredBlock] = []
    /// The number of the first of the recent ones.
    private var start = 0
    /// Bytes that the recent blocks take, about.
    private var bytes = 0
    var shelf: (any BlockShelf)?

    package init() {}

    /// A list of blocks that all stand on a shelf.
    init(count: Int, on shelf: any BlockShelf) {
        start = count
        self.shelf = shelf
    }

    package var count: Int { start + recent.count }
    package var first: StoredBlock? { count > 0 ? self[0] : nil }
    package var last: StoredBlock? { count > 0 ? self[count - 1] : nil }

    package func makeIterator() -> some IteratorProtocol<StoredBlock> {
        (0..<count).lazy.map { self[$0] }.makeIterator()
    }

    package subscript(number: Int) -> StoredBlock {
        if number >= start { return recent[number - start] }
        guard let shelf else { preconditionFailure("block \(number) was let go, and there is no shelf") }
        return shelf.block(number)
    }

    package subscript(range: Range<Int>) -> [StoredBlock] { range.map { self[$0] } }
    package subscript(range: ClosedRange<Int>) -> [StoredBlock] { range.map { self[$0] } }

    mutating func append(_ block: StoredBlock) {
        recent.append(block)
        bytes += block.memoryBytes
    }

    mutating func removeLast() -> StoredBlock {
        if recent.isEmpty {
            recent = [self[start - 1]]
            start -= 1
            bytes = recent[0].memoryBytes
        }
        let last = recent.removeLast()
        bytes -= last.memoryBytes
        return last
    }

    /// Lets old blocks go until the rest takes no more than `limit` bytes; the newest stays. Without a shelf all stay.
    mutating func keep(bytes limit: Int) {
        guard shelf != nil, bytes > limit else { return }
        var surplus = 0
        // Half of the limit at a time, so that the list moves rarely.
        while bytes > limit / 2, surplus < recent.count - 1 {
            bytes -= recent[surplus].memoryBytes
            surplus += 1
        }
        recent.removeFirst(surplus)
        start += surplus
    }
}

extension StoredBlock {
    /// What the block takes in memory, about.
    var memoryBytes: Int {
        var bytes = 1_000
        for (transaction, outcome) in zip(transactions, outcomes) {
            bytes += 700 + 2 * transaction.transaction.data.count
            for log in outcome.receipt.logs { bytes += 150 + log.data.count + 32 * log.topics.count }
        }
        return bytes
    }
}
