// The 2048-bit filter of a block's log addresses and topics (Yellow Paper 4.3.1).

package struct Bloom: Hashable, Sendable {
    /// 256 bytes; bit 0 is the lowest bit of the last byte.
    package private(set) var bytes: Bytes

    package init() { bytes = Bytes(repeating: 0, count: 256) }

    /// Exactly 256 bytes; nil otherwise.
    package init?(bytes: Bytes) {
        guard bytes.count == 256 else { return nil }
        self.bytes = bytes
    }

    /// The filter of `logs`.
    package init(_ logs: [Log]) {
        self.init()
        for log in logs {
            add(log.address.bytes)
            for topic in log.topics { add(topic.bytes) }
        }
    }

    package mutating func add(_ item: Bytes) {
        for bit in Self.bits(item) { bytes[255 - (bit >> 3)] |= 1 << UInt8(bit & 7) }
    }

    /// False when no log has this address or topic; true when one may have.
    package func mayContain(_ item: Bytes) -> Bool {
        Self.bits(item).allSatisfy { bytes[255 - ($0 >> 3)] & (1 << UInt8($0 & 7)) != 0 }
    }

    package mutating func formUnion(_ other: Bloom) {
        for index in 0..<256 { bytes[index] |= other.bytes[index] }
    }

    package var isEmpty: Bool { bytes.allSatisfy { $0 == 0 } }
    package var hex: String { Hex.encode(bytes) }

    /// The three bits of an item: the low eleven bits of the first three pairs of bytes of its hash.
    private static func bits(_ item: Bytes) -> [Int] {
        let hash = keccak256(item).word
        return [hash.w3 >> 48, hash.w3 >> 32, hash.w3 >> 16].map { Int($0 & 2047) }
    }
}
