// Just enough of gzip (RFC 1952) for state dumps: written without compression, read with it. Everything that is read is
// bounded.

import Ethereum

package enum Gzip {
    /// Bytes that a block without compression can hold (RFC 1951 3.2.4).
    private static let storedMaximum = 65_535

    /// A gzip file that holds these bytes as they are.
    package static func store(_ bytes: Bytes) -> Bytes {
        var out: Bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        var position = 0
        repeat {
            let count = min(bytes.count - position, storedMaximum)
            let isLast = position + count == bytes.count
            out += [
                isLast ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8((~count >> 8) & 255),
            ]
            out += bytes[position..<position + count]
            position += count
        } while position < bytes.count
        return out + littleEndian(checksum(bytes)) + littleEndian(UInt32(truncatingIfNeeded: bytes.count))
    }

    package static func isGzip(_ bytes: Bytes) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

    /// What a gzip file of one member holds; throws for one that is damaged or larger than `limit`.
    package static func open(_ bytes: Bytes, atMost limit: Int) throws(DevChainError) -> Bytes {
        guard bytes.count >= 18, isGzip(bytes), bytes[2] == 8 else { throw damaged("its head is none") }
        var start = 10
        let flags = bytes[3]
        if flags & 4 != 0 {
            guard start + 2 <= bytes.count else { throw damaged("it ends in its head") }
            start += 2 + Int(bytes[start]) + Int(bytes[start + 1]) << 8
        }
        for flag in [8, 16] as [UInt8] where flags & flag != 0 {
            while start < bytes.count, bytes[start] != 0 { start += 1 }
            start += 1
        }
        if flags & 2 != 0 { start += 2 }
        guard start <= bytes.count - 8 else { throw damaged("it ends in its head") }
        var inflater = Inflater(bytes, from: start, to: bytes.count - 8, limit: limit)
        try inflater.run()
        let tail = bytes.suffix(8)
        guard Array(tail.prefix(4)) == littleEndian(checksum(inflater.out)),
            Array(tail.suffix(4)) == littleEndian(UInt32(truncatingIfNeeded: inflater.out.count))
        else { throw damaged("its checksum is another") }
        return inflater.out
    }

    fileprivate static func damaged(_ why: String) -> DevChainError {
        DevChainError(.malformedDump, "no gzip file that is whole: \(why)")
    }

    private static func littleEndian(_ value: UInt32) -> Bytes {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// CRC-32 (RFC 1952 8).
    private static func checksum(_ bytes: Bytes) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in table[Int((sum ^ UInt32(byte)) & 255)] ^ (sum >> 8) }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
    }
}

/// Deflate (RFC 1951), read bit by bit.
private struct Inflater {
    let input: Bytes
    let limit: Int
    let end: Int
    var position: Int
    var bits: UInt32 = 0
    var bitCount = 0
    var out: Bytes = []

    init(_ input: Bytes, from start: Int, to end: Int, limit: Int) {
        self.input = input
        self.limit = limit
        self.end = end
        position = start
    }

    mutating func run() throws(DevChainError) {
        var isLast = false
        while !isLast {
            isLast = try take(1) == 1
            switch try take(2) {
            case 0: try stored()
            case 1: try compressed(.fixedLengths, .fixedDistances)
            case 2:
                let (lengths, distances) = try codes()
                try compressed(lengths, distances)
            default: throw Gzip.damaged("a block of no kind")
            }
        }
    }

    private mutating func take(_ count: Int) throws(DevChainError) -> Int {
        while bitCount < count {
            guard position < end else { throw Gzip.damaged("it ends too early") }
            bits |= UInt32(input[position]) << UInt32(bitCount)
            position += 1
            bitCount += 8
        }
        let value = bits & ((1 << UInt32(count)) - 1)
        bits >>= UInt32(count)
        bitCount -= count
        return Int(value)
    }

    private func checkRoom(_ count: Int) throws(DevChainError) {
        guard out.count + count <= limit else {
            throw DevChainError(.limitExceeded, "a dump holds at most \(limit) bytes")
        }
    }

    private mutating func stored() throws(DevChainError) {
        (bits, bitCount) = (0, 0)
        let count = try take(16)
        guard try take(16) == ~count & 0xffff, position + count <= end else {
            throw Gzip.damaged("a block of a wrong length")
        }
        try checkRoom(count)
        out += input[position..<position + count]
        position += count
    }

    private mutating func compressed(_ lengths: Huffman, _ distances: Huffman) throws(DevChainError) {
        while true {
            let symbol = try decode(lengths)
            if symbol < 256 {
                try checkRoom(1)
                out.append(UInt8(symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol - 257 < Self.lengthBases.count else { throw Gzip.damaged("a length of no code") }
            let count = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
            let code = try decode(distances)
            guard code < Self.distanceBases.count else { throw Gzip.damaged("a distance of no code") }
            let distance = Self.distanceBases[code] + (try take(Self.distanceBits[code]))
            guard distance <= out.count else { throw Gzip.damaged("a distance before the begin") }
            try checkRoom(count)
            // One by one: a copy may run into what it writes.
            for _ in 0..<count { out.append(out[out.count - distance]) }
        }
    }

    private mutating func decode(_ code: Huffman) throws(DevChainError) -> Int {
        var value = 0
        var first = 0
        var index = 0
        for length in 1...15 {
            value |= try take(1)
            let count = code.counts[length]
            if value - count < first { return code.symbols[index + value - first] }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw Gzip.damaged("a code of no symbol")
    }

    /// The codes of a block that brings its own (RFC 1951 3.2.7).
    private mutating func codes() throws(DevChainError) -> (lengths: Huffman, distances: Huffman) {
        let lengthCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let orderCount = try take(4) + 4
        var orderLengths = [Int](repeating: 0, count: 19)
        for index in 0..<orderCount { orderLengths[Self.order[index]] = try take(3) }
        let meta = Huffman(orderLengths)
        var lengths: [Int] = []
        while lengths.count < lengthCount + distanceCount {
            let symbol = try decode(meta)
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw Gzip.damaged("a repetition of nothing") }
                lengths += Array(repeating: last, count: 3 + (try take(2)))
            case 17: lengths += Array(repeating: 0, count: 3 + (try take(3)))
            case 18: lengths += Array(repeating: 0, count: 11 + (try take(7)))
            default: lengths.append(symbol)
            }
        }
        guard lengths.count == lengthCount + distanceCount else { throw Gzip.damaged("too many lengths") }
        return (Huffman(Array(lengths[..<lengthCount])), Huffman(Array(lengths[lengthCount...])))
    }

    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145,
        8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]
}

/// A canonical Huffman code: how many codes have each length, and the symbols in their order.
private struct Huffman: Sendable {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    init(_ lengths: [Int]) {
        for length in lengths where length > 0 { counts[length] += 1 }
        for wanted in 1...15 {
            for (symbol, length) in lengths.enumerated() where length == wanted { symbols.append(symbol) }
        }
    }

    static let fixedLengths = Huffman(
        Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112) + Array(repeating: 7, count: 24)
            + Array(repeating: 8, count: 8))
    static let fixedDistances = Huffman(Array(repeating: 5, count: 30))
}
