// The logs of the transaction that runs, in raw memory: a log that is taken back again costs no allocation, and those
// that stay become values once, when the transaction ends.

import Ethereum

final class LogBook {
    private struct Entry: BitwiseCopyable {
        let address: Address
        let topicCount: Int
        /// The first `topicCount` are the log's.
        let topics: (U256, U256, U256, U256)
        /// In `bytes`.
        let start: Int
        let count: Int
    }

    private let entries = Pool<Entry>(capacity: 16)
    @exclusivity(unchecked) private var bytes: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var capacity: Int
    @exclusivity(unchecked) private var used = 0

    private static let capacityAtFirst = 4096

    init() {
        capacity = Self.capacityAtFirst
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { bytes.deallocate() }

    var count: Int { entries.count }

    /// Adds a log; `topics` points to the first topic, and the next ones lie below it, as on a stack.
    func append(_ address: Address, topics: UnsafePointer<U256>, topicCount: Int, data: UnsafeRawBufferPointer) {
        if used + data.count > capacity { grow(to: used + data.count) }
        if let source = data.baseAddress, data.count > 0 {
            (bytes + used).copyMemory(from: source, byteCount: data.count)
        }
        func topic(_ at: Int) -> U256 { at < topicCount ? topics[-at] : .zero }
        entries.append(
            Entry(
                address: address, topicCount: topicCount, topics: (topic(0), topic(1), topic(2), topic(3)), start: used,
                count: data.count))
        used += data.count
    }

    private func grow(to count: Int) {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: max(count, capacity * 2), alignment: 16)
        larger.copyMemory(from: bytes, byteCount: used)
        bytes.deallocate()
        bytes = larger
        capacity = max(count, capacity * 2)
    }

    /// Takes back all logs but the first `kept`.
    func remove(keeping kept: Int) {
        while entries.count > kept { used = entries.removeLast().start }
    }

    func removeAll() {
        entries.removeAll()
        used = 0
        guard capacity > Limits.memoryBytesKept else { return }
        bytes.deallocate()
        capacity = Self.capacityAtFirst
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    /// All of them, in order.
    var logs: [Log] { entries.positions.map { log(entries[$0].pointee) } }

    var last: Log? { entries.positions.last.map { log(entries[$0].pointee) } }

    private func log(_ entry: Entry) -> Log {
        let topics = [Hash32](unsafeUninitializedCapacity: entry.topicCount) { buffer, count in
            count = entry.topicCount
            if count > 0 { buffer.initializeElement(at: 0, to: Hash32(entry.topics.0)) }
            if count > 1 { buffer.initializeElement(at: 1, to: Hash32(entry.topics.1)) }
            if count > 2 { buffer.initializeElement(at: 2, to: Hash32(entry.topics.2)) }
            if count > 3 { buffer.initializeElement(at: 3, to: Hash32(entry.topics.3)) }
        }
        let data = UnsafeRawBufferPointer(start: bytes + entry.start, count: entry.count)
        return Log(address: entry.address, topics: topics, data: Bytes(data))
    }
}
