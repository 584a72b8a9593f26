// Pieces of canonical encoding that observations and outcomes share.

import CCIP
import Ethereum

extension CanonicalWriter {
    mutating func optional<Value>(_ value: Value?, _ write: (inout CanonicalWriter, Value) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }

    mutating func range(_ range: SequenceRange) {
        sequenceNumber(range.first)
        sequenceNumber(range.last)
    }

    mutating func price(_ price: TimestampedPrice) {
        word(price.value.value)
        u32(price.timestamp)
    }
}

extension CanonicalReader {
    mutating func optional<Value>(
        _ read: (inout CanonicalReader) throws(CCIPError) -> Value
    ) throws(CCIPError) -> Value? {
        try flag() ? try read(&self) : nil
    }

    /// A range that fits one root.
    mutating func range() throws(CCIPError) -> SequenceRange {
        let first = try sequenceNumber()
        let last = try sequenceNumber()
        guard let range = SequenceRange(first: first, last: last), range.count <= Limits.leavesPerRootMaximum else {
            throw malformed("the range \(first)...\(last)")
        }
        return range
    }

    mutating func price224() throws(CCIPError) -> UInt224 {
        guard let value = UInt224(try word()) else { throw malformed("a price of more than 224 bits") }
        return value
    }

    mutating func price() throws(CCIPError) -> TimestampedPrice {
        TimestampedPrice(value: try price224(), timestamp: try u32())
    }
}
