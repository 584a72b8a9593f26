// Which blocks hold logs of an address, or with a topic in a position: so that a search reads the blocks that matter and
// no others, whatever the length of its range.

import Ethereum

package struct LogIndex: Sendable {
    /// Blocks by what their logs name, each once, ascending. A key stands for a word and its place; two words that share
    /// one cost a block that is read in vain.
    private var blocks: [UInt64: [UInt32]] = [:]

    package init() {}

    /// Takes in the newest block.
    package mutating func add(_ block: StoredBlock) {
        let number = UInt32(clamping: block.number)
        forEachKey(of: block) { key in
            if blocks[key]?.last == number { return }
            blocks[key, default: []].append(number)
        }
    }

    /// Forgets the newest block.
    package mutating func removeLast(_ block: StoredBlock) {
        let number = UInt32(clamping: block.number)
        forEachKey(of: block) { key in
            guard blocks[key]?.last == number else { return }
            blocks[key]?.removeLast()
            if blocks[key]?.isEmpty == true { blocks[key] = nil }
        }
    }

    /// The blocks of a range that may hold a matching log, ascending; nil when the filter names nothing.
    package func candidates(_ filter: LogFilter, in range: ClosedRange<UInt64>) -> [UInt64]? {
        var lists: [[UInt32]] = []
        if !filter.addresses.isEmpty { lists.append(union(filter.addresses.map { Self.key($0.word, 4) })) }
        for (position, wanted) in filter.topics.enumerated() {
            guard let wanted else { continue }
            lists.append(union(wanted.map { Self.key($0.word, position) }))
        }
        guard let shortest = lists.indices.min(by: { lists[$0].count < lists[$1].count }) else { return nil }
        let first = lists.remove(at: shortest)
        let low = UInt32(clamping: range.lowerBound)
        let high = UInt32(clamping: range.upperBound)
        var found: [UInt64] = []
        for number in first[Self.position(of: low, in: first)...] {
            if number > high { break }
            if lists.allSatisfy({ Self.contains(number, $0) }) { found.append(UInt64(number)) }
        }
        return found
    }

    private func union(_ keys: [UInt64]) -> [UInt32] {
        if keys.count == 1 { return blocks[keys[0]] ?? [] }
        return Set(keys.flatMap { blocks[$0] ?? [] }).sorted()
    }

    /// The position of the first number that is not below `number`.
    private static func position(of number: UInt32, in list: [UInt32]) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func contains(_ number: UInt32, _ list: [UInt32]) -> Bool {
        let at = position(of: number, in: list)
        return at < list.count && list[at] == number
    }

    private func forEachKey(of block: StoredBlock, _ body: (UInt64) -> Void) {
        for outcome in block.outcomes {
            for log in outcome.receipt.logs {
                body(Self.key(log.address.word, 4))
                for (position, topic) in log.topics.enumerated() { body(Self.key(topic.word, position)) }
            }
        }
    }

    /// A word in a place: topics stand in places 0 to 3, addresses in 4.
    private static func key(_ word: U256, _ place: Int) -> UInt64 {
        var key: UInt64 = 0x9e37_79b9_7f4a_7c15 &* UInt64(place + 1)
        for limb in [word.w0, word.w1, word.w2, word.w3] {
            key = (key ^ limb) &* 0xff51_afd7_ed55_8ccd
            key ^= key >> 29
        }
        return key
    }
}
