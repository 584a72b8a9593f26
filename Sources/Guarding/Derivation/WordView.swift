// Bytes of a log seen as 32-byte words, read at offsets. A guard's own reader: nothing of the ABI codec that relayers use
// may appear in this folder, so that one mistake cannot be in both.

import Ethereum

/// A window on ABI words. Every read checks its bounds; numbers that are too wide and dirty padding are refused.
struct WordView {
    private let bytes: Bytes
    /// What is read, for errors.
    private let what: String

    init(_ bytes: Bytes, _ what: String) throws(GuardError) {
        self.bytes = bytes
        self.what = what
        guard bytes.count <= Limits.logBytesMaximum, bytes.count % 32 == 0 else {
            throw malformed("\(bytes.count) bytes are no row of words")
        }
    }

    var count: Int { bytes.count }

    func malformed(_ why: String) -> GuardError {
        GuardError(.malformedLog, "\(what): \(why)", hint: "the endpoint lies, or the contract is none of CCIP 1.6")
    }

    func word(_ offset: Int) throws(GuardError) -> U256 {
        guard offset >= 0, offset <= bytes.count - 32, let word = U256(bigEndianBytes: bytes[offset..<offset + 32]) else {
            throw malformed("a word at \(offset) of \(bytes.count) bytes")
        }
        return word
    }

    func number(_ offset: Int) throws(GuardError) -> UInt64 {
        guard let value = try word(offset).asUInt64 else { throw malformed("the number at \(offset) is above 2^64") }
        return value
    }

    func address(_ offset: Int) throws(GuardError) -> Address {
        let word = try word(offset)
        guard word.bitWidth <= 160 else { throw malformed("the address at \(offset) has more than 20 bytes") }
        return Address(truncating: word)
    }

    /// Where the dynamic member whose offset stands at `offset` begins; offsets count from `base`.
    func target(_ offset: Int, from base: Int) throws(GuardError) -> Int {
        let distance = try number(offset)
        guard distance % 32 == 0, distance <= UInt64(bytes.count - base) else {
            throw malformed("the offset at \(offset) leads outside")
        }
        return base + Int(distance)
    }

    /// The byte string whose offset stands at `offset`.
    func string(_ offset: Int, from base: Int) throws(GuardError) -> Bytes {
        let start = try target(offset, from: base)
        let length = try number(start)
        guard length <= UInt64(bytes.count) else { throw malformed("a byte string of \(length) bytes") }
        let (first, end) = (start + 32, start + 32 + Int(length))
        let padded = (end + 31) / 32 * 32
        guard padded <= bytes.count, bytes[end..<padded].allSatisfy({ $0 == 0 }) else {
            throw malformed("the byte string at \(start) is cut or padded with other than zeros")
        }
        return Bytes(bytes[first..<end])
    }

    func flag(_ offset: Int) throws(GuardError) -> Bool {
        let value = try word(offset)
        guard value <= U256.one else { throw malformed("the flag at \(offset) is neither 0 nor 1") }
        return value == U256.one
    }

    /// The number of elements of the list at `start`; each takes at least a word, so that no count passes the bytes.
    func length(_ start: Int) throws(GuardError) -> Int {
        let count = try number(start)
        guard count <= UInt64((bytes.count - start) / 32) else { throw malformed("a list of \(count) elements") }
        return Int(count)
    }

    /// Everything from `offset` to the end.
    func rest(_ offset: Int) -> Bytes { Bytes(bytes[offset...]) }
}
