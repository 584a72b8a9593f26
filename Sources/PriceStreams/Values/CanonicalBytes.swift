// The deterministic encoding of observations, outcomes, rules and labels: fixed field order, big-endian integers,
// counted lists; a strict reader. One value has one encoding.

import Ethereum

struct CanonicalWriter {
    private(set) var bytes: Bytes = []

    init(reserving count: Int = 0) { bytes.reserveCapacity(count) }

    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func u32(_ value: UInt32) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func u64(_ value: UInt64) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Bytes whose number the reader knows.
    mutating func raw(_ value: some Collection<UInt8>) { bytes.append(contentsOf: value) }

    /// Count in 32 bits, then the bytes.
    mutating func string(_ value: Bytes) {
        u32(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func list<Element>(_ values: [Element], _ write: (inout CanonicalWriter, Element) -> Void) {
        u32(UInt32(values.count))
        for value in values { write(&self, value) }
    }
}

struct CanonicalReader {
    let bytes: Bytes
    private(set) var position = 0
    /// The code under which every failure is thrown.
    let code: PriceStreamsError.Code

    init(_ bytes: Bytes, _ code: PriceStreamsError.Code) {
        self.bytes = bytes
        self.code = code
    }

    mutating func byte() throws(PriceStreamsError) -> UInt8 {
        let start = try skip(1)
        return bytes[start]
    }

    mutating func flag() throws(PriceStreamsError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        case let other: throw malformed("a flag is 0 or 1, not \(other)")
        }
    }

    mutating func u32() throws(PriceStreamsError) -> UInt32 {
        let start = try skip(4)
        return bytes.withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt32.self)) }
    }

    mutating func u64() throws(PriceStreamsError) -> UInt64 {
        let start = try skip(8)
        return bytes.withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt64.self)) }
    }

    mutating func raw(_ count: Int) throws(PriceStreamsError) -> ArraySlice<UInt8> {
        let start = try skip(count)
        return bytes[start..<start + count]
    }

    /// At most 32 bytes without leading zeros.
    mutating func magnitude(_ count: Int) throws(PriceStreamsError) -> U256 {
        let start = try skip(count)
        guard count == 0 || bytes[start] != 0 else { throw malformed("a number with leading zeros") }
        if count <= 8 {
            var small: UInt64 = 0
            for at in start..<start + count { small = small << 8 | UInt64(bytes[at]) }
            return U256(small)
        }
        guard let magnitude = U256(bigEndianBytes: bytes[start..<start + count]) else {
            throw malformed("a number of \(count) bytes")
        }
        return magnitude
    }

    /// Whether these bytes follow; they are then passed over.
    mutating func takes(_ expected: Bytes) -> Bool {
        let count = expected.count
        guard count <= bytes.count - position else { return false }
        let start = position
        // Eight bytes at a time: definitions are most of an outcome, and Sequence's comparison goes byte by byte.
        let isEqual = bytes.withUnsafeBytes { all in
            expected.withUnsafeBytes { wanted in
                var at = 0
                while at + 8 <= count {
                    let found = all.loadUnaligned(fromByteOffset: start + at, as: UInt64.self)
                    guard found == wanted.loadUnaligned(fromByteOffset: at, as: UInt64.self) else { return false }
                    at += 8
                }
                while at < count, all[start + at] == wanted[at] { at += 1 }
                return at == count
            }
        }
        if isEqual { position += count }
        return isEqual
    }

    mutating func string(maximum: Int) throws(PriceStreamsError) -> Bytes {
        let count = Int(try u32())
        guard count <= maximum else { throw malformed("\(count) bytes where at most \(maximum) are allowed") }
        return Bytes(try raw(count))
    }

    /// `maximum` bounds the count before memory is taken; each element needs at least `least` bytes.
    mutating func list<Element>(
        maximum: Int, least: Int = 1, _ read: (inout CanonicalReader) throws(PriceStreamsError) -> Element
    ) throws(PriceStreamsError) -> [Element] {
        let count = Int(try u32())
        guard count <= maximum else { throw malformed("\(count) elements where at most \(maximum) are allowed") }
        guard count <= (bytes.count - position) / least else { throw malformed("\(count) elements do not follow") }
        var values: [Element] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// Must be the last call.
    func finish() throws(PriceStreamsError) {
        guard position == bytes.count else {
            throw malformed("\(bytes.count - position) bytes follow")
        }
    }

    func malformed(_ why: String) -> PriceStreamsError {
        PriceStreamsError(code, "before offset \(position): \(why)", hint: "the peer runs another version")
    }

    private mutating func skip(_ count: Int) throws(PriceStreamsError) -> Int {
        guard count >= 0, count <= bytes.count - position else {
            throw malformed("\(count) bytes wanted of \(bytes.count - position)")
        }
        defer { position += count }
        return position
    }
}
