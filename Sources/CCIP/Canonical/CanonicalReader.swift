// The strict inverse of CanonicalWriter: refuses truncation, bounds that are passed, flags other than 0 and 1, and
// bytes behind the value. Order inside lists is checked by who knows it.

import Ethereum

package struct CanonicalReader: Sendable {
    private let bytes: Bytes
    private var position = 0
    private let what: String

    /// `what` names the value in errors.
    package init(_ bytes: Bytes, _ what: String) {
        self.bytes = bytes
        self.what = what
    }

    package mutating func byte() throws(CCIPError) -> UInt8 { try take(1).first ?? 0 }

    package mutating func flag() throws(CCIPError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        case let other: throw malformed("a flag is 0 or 1, not \(other)")
        }
    }

    package mutating func u32() throws(CCIPError) -> UInt32 { try take(4).reduce(0) { $0 << 8 | UInt32($1) } }
    package mutating func u64() throws(CCIPError) -> UInt64 { try take(8).reduce(0) { $0 << 8 | UInt64($1) } }
    package mutating func selector() throws(CCIPError) -> ChainSelector { ChainSelector(try u64()) }
    package mutating func sequenceNumber() throws(CCIPError) -> SequenceNumber { SequenceNumber(try u64()) }
    package mutating func word() throws(CCIPError) -> U256 { U256(bigEndianBytes: try take(32)) ?? .zero }
    package mutating func hash() throws(CCIPError) -> Hash32 { Hash32(try word()) }

    package mutating func address() throws(CCIPError) -> Address {
        Address(truncating: U256(bigEndianBytes: try take(20)) ?? .zero)
    }

    package mutating func string(maximum: Int) throws(CCIPError) -> Bytes {
        let count = Int(try u32())
        guard count <= maximum else { throw malformed("\(count) bytes where at most \(maximum) are allowed") }
        return Bytes(try take(count))
    }

    /// `maximum` bounds the count before memory is taken; each element needs at least one byte.
    package mutating func list<Element>(
        maximum: Int, _ read: (inout CanonicalReader) throws(CCIPError) -> Element
    ) throws(CCIPError) -> [Element] {
        let count = Int(try u32())
        guard count <= maximum else { throw malformed("\(count) elements where at most \(maximum) are allowed") }
        guard count <= bytes.count - position else { throw truncated(count) }
        var values: [Element] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// Must be the last call.
    package func finish() throws(CCIPError) {
        guard position == bytes.count else {
            throw CCIPError(
                .canonicalTrailingBytes, "\(what): \(bytes.count - position) bytes follow offset \(position)",
                hint: "the peer runs another version")
        }
    }

    package func malformed(_ why: String) -> CCIPError {
        CCIPError(
            .canonicalMalformed, "\(what), before offset \(position): \(why)", hint: "the peer runs another version")
    }

    private func truncated(_ wanted: Int) -> CCIPError {
        CCIPError(
            .canonicalTruncated, "\(what): \(wanted) bytes wanted at offset \(position) of \(bytes.count)",
            hint: "the peer runs another version")
    }

    private mutating func take(_ count: Int) throws(CCIPError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw truncated(count) }
        defer { position += count }
        return bytes[position..<position + count]
    }
}
