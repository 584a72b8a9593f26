// Which logs a caller asks for: a range of blocks, addresses, topics by position. The rules are those of eth_getLogs.

import Ethereum

package struct LogFilter: Sendable {
    package enum Blocks: Sendable {
        case range(from: BlockSelector, to: BlockSelector)
        case hash(Hash32)
    }

    package var blocks: Blocks
    /// Any of these; every address when empty.
    package var addresses: [Address]
    /// For each position the topics of which one must stand there; any topic, even none, when nil.
    package var topics: [[Hash32]?]

    package init(
        blocks: Blocks = .range(from: .latest, to: .latest), addresses: [Address] = [], topics: [[Hash32]?] = []
    ) {
        self.blocks = blocks
        self.addresses = addresses
        self.topics = topics
    }

    package func matches(_ log: Log) -> Bool {
        guard addresses.isEmpty || addresses.contains(log.address) else { return false }
        guard topics.count <= log.topics.count else { return false }
        return zip(topics, log.topics).allSatisfy { wanted, topic in wanted?.contains(topic) ?? true }
    }

    /// A block's logs that match.
    package func logs(of block: StoredBlock) -> [LogEntry] {
        var found: [LogEntry] = []
        LogSearch(self).collect(from: block, into: &found)
        return found
    }
}

/// A filter with the bits that its addresses and topics set in blooms, computed once for many blocks.
package struct LogSearch: Sendable {
    private let filter: LogFilter
    private let addresses: [BloomProbe]
    private let topics: [[BloomProbe]?]

    package init(_ filter: LogFilter) {
        self.filter = filter
        addresses = filter.addresses.map { BloomProbe($0.bytes) }
        topics = filter.topics.map { $0?.map { BloomProbe($0.bytes) } }
    }

    /// False when a block with this bloom holds no log that matches.
    private func mayMatch(_ bloom: Bloom) -> Bool {
        if !addresses.isEmpty, !addresses.contains(where: { $0.mayBe(in: bloom) }) { return false }
        return topics.allSatisfy { wanted in wanted?.contains { $0.mayBe(in: bloom) } ?? true }
    }

    /// Adds a block's logs that match.
    package func collect(from block: StoredBlock, into found: inout [LogEntry]) {
        guard block.header.gasUsed > 0, mayMatch(block.header.logsBloom) else { return }
        for (index, outcome) in block.outcomes.enumerated() {
            for (offset, log) in outcome.receipt.logs.enumerated() where filter.matches(log) {
                found.append(
                    LogEntry(
                        log: log, block: block, transactionIndex: index, logIndex: outcome.firstLogIndex + offset))
            }
        }
    }

    /// All that match in these blocks, oldest first; throws when they are too many.
    package func collect(from blocks: [StoredBlock]) throws(DevChainError) -> [LogEntry] {
        var found: [LogEntry] = []
        for block in blocks {
            collect(from: block, into: &found)
            guard found.count <= Limits.logResultsMaximum else {
                throw DevChainError(
                    .limitExceeded,
                    "query returned more than \(Limits.logResultsMaximum) results; ask for blocks \(blocks[0].number) "
                        + "to \(block.number) or fewer")
            }
        }
        return found
    }
}

/// The three bits that one item sets in a bloom (Yellow Paper 4.3.1).
private struct BloomProbe: Sendable {
    private let positions: (Int, Int, Int)

    init(_ item: Bytes) {
        let word = keccak256(item).word.w3
        positions = (Int(word >> 48 & 2047), Int(word >> 32 & 2047), Int(word >> 16 & 2047))
    }

    func mayBe(in bloom: Bloom) -> Bool {
        func isSet(_ bit: Int) -> Bool { bloom.bytes[255 - (bit >> 3)] & (1 << UInt8(bit & 7)) != 0 }
        return isSet(positions.0) && isSet(positions.1) && isSet(positions.2)
    }
}
