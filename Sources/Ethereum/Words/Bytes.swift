// Byte strings, and the few helpers that every codec leans on. No meaning of any byte lives here.

package typealias Bytes = [UInt8]

extension Array where Element == UInt8 {
    /// The big-endian bytes of an integer, as many as its type is wide.
    @inlinable package init(bigEndian value: some FixedWidthInteger) {
        self = Swift.withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    /// These bytes with zeros before them up to `count`; longer ones come back unchanged.
    package func leftPadded(to count: Int) -> Bytes {
        self.count >= count ? self : Bytes(repeating: 0, count: count - self.count) + self
    }

    /// These bytes with zeros behind them up to a multiple of 32, as the ABI pads byte strings.
    package func rightPaddedToWord() -> Bytes {
        self + Bytes(repeating: 0, count: (32 - count % 32) % 32)
    }

    /// These bytes without their leading zeros.
    package func trimmingLeadingZeros() -> Bytes {
        Bytes(drop { $0 == 0 })
    }
}

extension UInt64 {
    /// Reads at most eight big-endian bytes; nil when there are more.
    package init?(bigEndianBytes bytes: some Collection<UInt8>) {
        guard bytes.count <= 8 else { return nil }
        self = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
