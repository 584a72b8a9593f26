// ABI words one after the other: a strict reader and a writer into one buffer. No schema's order is known here.

import Ethereum

/// Takes typed words from a report. A word that its type does not fit is refused (2.1: decoders of others differ on
/// such words, so nobody may emit them).
struct WordReader {
    private let bytes: Bytes
    private var position = 0
    private let schema: ReportSchema

    /// `bytes` must have the length of the schema.
    init(_ bytes: Bytes, schema: ReportSchema) {
        precondition(bytes.count == schema.byteCount, "the length of the report was checked")
        self.bytes = bytes
        self.schema = schema
    }

    mutating func word() -> U256 {
        let offset = position
        precondition(offset + 32 <= bytes.count, "no schema reads past its words")
        position += 32
        return bytes.withUnsafeBytes { U256(bigEndianAt: $0.baseAddress.unsafelyUnwrapped + offset) }
    }

    /// The first word of at least 32 bytes.
    static func first(of bytes: Bytes) -> Hash32 {
        precondition(bytes.count >= 32, "there is a first word")
        return Hash32(bytes.withUnsafeBytes { U256(bigEndianAt: $0.baseAddress.unsafelyUnwrapped) })
    }

    mutating func hash() -> Hash32 { Hash32(word()) }

    mutating func uint32() throws(PriceStreamsError) -> UInt32 {
        guard let value = word().asUInt64, let small = UInt32(exactly: value) else { throw refused() }
        return small
    }

    mutating func uint64() throws(PriceStreamsError) -> UInt64 {
        guard let value = word().asUInt64 else { throw refused() }
        return value
    }

    /// A timestamp of the header, in its unit.
    mutating func timestamp() throws(PriceStreamsError) -> UInt64 {
        schema.headerUnit == .seconds ? UInt64(try uint32()) : try uint64()
    }

    mutating func uint192() throws(PriceStreamsError) -> UInt192 {
        guard let value = UInt192(word()) else { throw refused() }
        return value
    }

    mutating func int192() throws(PriceStreamsError) -> Int192 {
        guard let value = Int192(word: word()) else { throw refused() }
        return value
    }

    var isAtEnd: Bool { position == bytes.count }

    /// About the word that was read last.
    private func refused() -> PriceStreamsError {
        let field = schema.fields[position / 32 - 1]
        return PriceStreamsError(
            .nonCanonicalWord, "\(field.name) of a \(schema) report is no canonical \(field.kind.rawValue)",
            hint: "the encoder of whoever made this report is wrong")
    }
}

/// Writes words into memory that was taken for all of them.
struct WordWriter {
    private let base: UnsafeMutableRawPointer
    private(set) var position = 0
    private let capacity: Int

    init(_ base: UnsafeMutableRawPointer, capacity: Int) {
        self.base = base
        self.capacity = capacity
    }

    /// The bytes that `fill` writes, exactly `count` words.
    static func bytes(words count: Int, _ fill: (inout WordWriter) -> Void) -> Bytes {
        Bytes(unsafeUninitializedCapacity: 32 * count) { buffer, filled in
            guard let base = buffer.baseAddress else { return }
            var writer = WordWriter(base, capacity: 32 * count)
            fill(&writer)
            precondition(writer.position == 32 * count, "as many words are written as were counted")
            filled = 32 * count
        }
    }

    mutating func word(_ value: U256) {
        precondition(position + 32 <= capacity, "no word past the end")
        value.storeBigEndian(to: base + position)
        position += 32
    }

    mutating func word(_ value: UInt64) { word(U256(value)) }
    mutating func word(_ value: UInt32) { word(U256(UInt64(value))) }
    mutating func word(_ value: Int192) { word(value.word) }
    mutating func word(_ value: UInt192) { word(value.word) }
    mutating func word(_ value: Hash32) { word(value.word) }

    /// Bytes as they are; a multiple of 32.
    mutating func bytes(_ value: Bytes) {
        precondition(value.count % 32 == 0 && position + value.count <= capacity, "whole words that have room")
        value.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            (base + position).copyMemory(from: from, byteCount: value.count)
        }
        position += value.count
    }
}
