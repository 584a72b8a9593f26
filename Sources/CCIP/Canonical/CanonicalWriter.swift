// The deterministic encoding of what plugins agree on (2.4 of the off-chain specification): fixed field order,
// big-endian integers of fixed width, length-prefixed byte strings, counted lists. One value has one encoding.

import Ethereum

package struct CanonicalWriter: Sendable {
    package private(set) var bytes: Bytes = []

    package init() {}

    package mutating func byte(_ value: UInt8) { bytes.append(value) }
    package mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }
    package mutating func u32(_ value: UInt32) { bytes += Bytes(bigEndian: value) }
    package mutating func u64(_ value: UInt64) { bytes += Bytes(bigEndian: value) }
    package mutating func selector(_ value: ChainSelector) { u64(value.rawValue) }
    package mutating func sequenceNumber(_ value: SequenceNumber) { u64(value.rawValue) }
    package mutating func word(_ value: U256) { bytes += value.bytes }
    package mutating func hash(_ value: Hash32) { bytes += value.bytes }
    package mutating func address(_ value: Address) { bytes += value.bytes }

    /// Count in 32 bits, then the bytes.
    package mutating func string(_ value: Bytes) {
        precondition(value.count <= Int(UInt32.max), "a byte string of \(value.count) bytes")
        u32(UInt32(value.count))
        bytes += value
    }

    /// Count in 32 bits, then the elements.
    package mutating func list<Element>(_ values: [Element], _ write: (inout CanonicalWriter, Element) -> Void) {
        precondition(values.count <= Int(UInt32.max), "a list of \(values.count) elements")
        u32(UInt32(values.count))
        for value in values { write(&self, value) }
    }
}
