// A 256-bit unsigned word in four limbs: the number type of the EVM. Arithmetic that the interpreter needs on its hot
// path is inlinable; text lives in U256+Text.swift, division in U256+Division.swift.

/// An unsigned 256-bit integer; `w0` is the least significant limb.
@frozen package struct U256: Hashable, Sendable, BitwiseCopyable {
    package var w0: UInt64
    package var w1: UInt64
    package var w2: UInt64
    package var w3: UInt64

    @inlinable @inline(__always) package init(w0: UInt64, w1: UInt64, w2: UInt64, w3: UInt64) {
        self.w0 = w0
        self.w1 = w1
        self.w2 = w2
        self.w3 = w3
    }

    @inlinable @inline(__always) package init(_ value: UInt64) { self.init(w0: value, w1: 0, w2: 0, w3: 0) }

    @inlinable package init(_ value: UInt128) {
        self.init(w0: UInt64(truncatingIfNeeded: value), w1: UInt64(truncatingIfNeeded: value >> 64), w2: 0, w3: 0)
    }

    @inlinable package init(_ value: Int) {
        precondition(value >= 0, "a negative number is no U256")
        self.init(UInt64(value))
    }

    /// Reads at most 32 big-endian bytes; nil when there are more.
    package init?(bigEndianBytes bytes: some Collection<UInt8>) {
        let count = bytes.count
        guard count <= 32 else { return nil }
        // Hashes, signatures and ABI words come as 32 bytes in a row: four loads instead of a loop.
        let whole = bytes.withContiguousStorageIfAvailable { buffer -> U256? in
            guard count == 32, let base = buffer.baseAddress else { return nil }
            return U256(bigEndianAt: UnsafeRawPointer(base))
        }
        if case .some(.some(let word)) = whole {
            self = word
            return
        }
        self = .zero
        for byte in bytes { self = (self << 8) | U256(UInt64(byte)) }
    }

    /// Reads exactly 32 big-endian bytes at `pointer`.
    @inlinable @inline(__always) package init(bigEndianAt pointer: UnsafeRawPointer) {
        self.init(
            w0: UInt64(bigEndian: pointer.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
            w1: UInt64(bigEndian: pointer.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
            w2: UInt64(bigEndian: pointer.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            w3: UInt64(bigEndian: pointer.loadUnaligned(fromByteOffset: 0, as: UInt64.self)))
    }

    /// Writes 32 big-endian bytes at `pointer`.
    @inlinable @inline(__always) package func storeBigEndian(to pointer: UnsafeMutableRawPointer) {
        pointer.storeBytes(of: w3.bigEndian, toByteOffset: 0, as: UInt64.self)
        pointer.storeBytes(of: w2.bigEndian, toByteOffset: 8, as: UInt64.self)
        pointer.storeBytes(of: w1.bigEndian, toByteOffset: 16, as: UInt64.self)
        pointer.storeBytes(of: w0.bigEndian, toByteOffset: 24, as: UInt64.self)
    }

    @inlinable package static var zero: U256 { U256(0) }
    @inlinable package static var one: U256 { U256(1) }
    @inlinable package static var max: U256 { U256(w0: .max, w1: .max, w2: .max, w3: .max) }

    /// The 32 big-endian bytes.
    package var bytes: Bytes {
        Bytes(unsafeUninitializedCapacity: 32) { buffer, count in
            if let base = buffer.baseAddress { storeBigEndian(to: base) }
            count = 32
        }
    }

    /// The big-endian bytes without leading zeros: what RLP and JSON-RPC quantities hold; empty for zero.
    package var minimalBytes: Bytes { bytes.trimmingLeadingZeros() }

    @inlinable @inline(__always) package var isZero: Bool { (w0 | w1 | w2 | w3) == 0 }
    @inlinable @inline(__always) package var fitsUInt64: Bool { (w1 | w2 | w3) == 0 }
    /// The value when it fits 64 bits.
    @inlinable package var asUInt64: UInt64? { fitsUInt64 ? w0 : nil }
    /// The value when it fits a non-negative Int.
    @inlinable package var asInt: Int? { fitsUInt64 ? Int(exactly: w0) : nil }
    /// The value, or the largest UInt64 when it does not fit.
    @inlinable package var clampedUInt64: UInt64 { fitsUInt64 ? w0 : .max }
    /// True for a negative number in two's complement.
    @inlinable @inline(__always) package var isNegative: Bool { w3 >> 63 == 1 }

    @inlinable package var bitWidth: Int {
        if w3 != 0 { return 256 - w3.leadingZeroBitCount }
        if w2 != 0 { return 192 - w2.leadingZeroBitCount }
        if w1 != 0 { return 128 - w1.leadingZeroBitCount }
        return 64 - w0.leadingZeroBitCount
    }
    @inlinable package var byteWidth: Int { (bitWidth + 7) / 8 }
}

extension U256: Comparable {
    /// By the borrow of a difference: no branches, which data would mislead.
    @inlinable @inline(__always) package static func < (a: U256, b: U256) -> Bool {
        a.subtractingReportingOverflow(b).overflow
    }
}

extension U256: ExpressibleByIntegerLiteral {
    @inlinable package init(integerLiteral value: UInt64) { self.init(value) }
}

// MARK: - Arithmetic modulo 2^256, and its checked forms

extension U256 {
    @inlinable @inline(__always) package func addingReportingOverflow(_ b: U256) -> (partialValue: U256, overflow: Bool) {
        let (r0, c0) = w0.addingReportingOverflow(b.w0)
        let (s1, c1a) = w1.addingReportingOverflow(b.w1)
        let (r1, c1b) = s1.addingReportingOverflow(c0 ? 1 : 0)
        let (s2, c2a) = w2.addingReportingOverflow(b.w2)
        let (r2, c2b) = s2.addingReportingOverflow(c1a != c1b ? 1 : 0)
        let (s3, c3a) = w3.addingReportingOverflow(b.w3)
        let (r3, c3b) = s3.addingReportingOverflow(c2a != c2b ? 1 : 0)
        return (U256(w0: r0, w1: r1, w2: r2, w3: r3), c3a != c3b)
    }

    @inlinable @inline(__always)
    package func subtractingReportingOverflow(_ b: U256) -> (partialValue: U256, overflow: Bool) {
        let (r0, c0) = w0.subtractingReportingOverflow(b.w0)
        let (s1, c1a) = w1.subtractingReportingOverflow(b.w1)
        let (r1, c1b) = s1.subtractingReportingOverflow(c0 ? 1 : 0)
        let (s2, c2a) = w2.subtractingReportingOverflow(b.w2)
        let (r2, c2b) = s2.subtractingReportingOverflow(c1a != c1b ? 1 : 0)
        let (s3, c3a) = w3.subtractingReportingOverflow(b.w3)
        let (r3, c3b) = s3.subtractingReportingOverflow(c2a != c2b ? 1 : 0)
        return (U256(w0: r0, w1: r1, w2: r2, w3: r3), c3a != c3b)
    }

    @inlinable @inline(__always) package static func &+ (a: U256, b: U256) -> U256 { a.addingReportingOverflow(b).0 }
    @inlinable @inline(__always) package static func &- (a: U256, b: U256) -> U256 {
        a.subtractingReportingOverflow(b).0
    }

    /// The low 256 bits of the product.
    @inlinable @inline(__always) package static func &* (a: U256, b: U256) -> U256 {
        let (l0, _) = a.row(b.w0, adding: .zero)
        var t = UInt128(a.w0) &* UInt128(b.w1) &+ UInt128(l0.w1)
        let r1 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(a.w1) &* UInt128(b.w1) &+ UInt128(l0.w2)
        let s2 = UInt64(truncatingIfNeeded: t)
        let s3 = UInt64(truncatingIfNeeded: t >> 64) &+ a.w2 &* b.w1 &+ l0.w3
        t = UInt128(a.w0) &* UInt128(b.w2) &+ UInt128(s2)
        let r3 = UInt64(truncatingIfNeeded: t >> 64) &+ a.w1 &* b.w2 &+ s3 &+ a.w0 &* b.w3
        return U256(w0: l0.w0, w1: r1, w2: UInt64(truncatingIfNeeded: t), w3: r3)
    }

    /// self * limb + addend, in five limbs.
    @inlinable @inline(__always) func row(_ limb: UInt64, adding addend: U256) -> (low: U256, high: UInt64) {
        var t = UInt128(w0) &* UInt128(limb) &+ UInt128(addend.w0)
        let r0 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w1) &* UInt128(limb) &+ UInt128(addend.w1)
        let r1 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w2) &* UInt128(limb) &+ UInt128(addend.w2)
        let r2 = UInt64(truncatingIfNeeded: t)
        t = (t >> 64) &+ UInt128(w3) &* UInt128(limb) &+ UInt128(addend.w3)
        let r3 = UInt64(truncatingIfNeeded: t)
        return (U256(w0: r0, w1: r1, w2: r2, w3: r3), UInt64(truncatingIfNeeded: t >> 64))
    }

    /// The sum; traps on overflow. For amounts whose bound is proved; outside numbers go through the reporting forms.
    @inlinable package static func + (a: U256, b: U256) -> U256 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        precondition(!overflow, "256-bit sum overflows")
        return sum
    }

    /// The difference; traps when it would be negative.
    @inlinable package static func - (a: U256, b: U256) -> U256 {
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        precondition(!overflow, "256-bit difference is negative")
        return difference
    }

    /// The product, and whether it lost bits.
    package func multipliedReportingOverflow(by b: U256) -> (partialValue: U256, overflow: Bool) {
        let (low, high) = fullProduct(with: b)
        return (low, !high.isZero)
    }

    /// The product; traps on overflow.
    package static func * (a: U256, b: U256) -> U256 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        precondition(!overflow, "256-bit product overflows")
        return product
    }

    @inlinable package static func += (a: inout U256, b: U256) { a = a + b }
    @inlinable package static func -= (a: inout U256, b: U256) { a = a - b }

    /// All 512 bits of the product.
    @inlinable package func fullProduct(with b: U256) -> (low: U256, high: U256) {
        let (l0, c0) = row(b.w0, adding: .zero)
        let (l1, c1) = row(b.w1, adding: U256(w0: l0.w1, w1: l0.w2, w2: l0.w3, w3: c0))
        let (l2, c2) = row(b.w2, adding: U256(w0: l1.w1, w1: l1.w2, w2: l1.w3, w3: c1))
        let (l3, c3) = row(b.w3, adding: U256(w0: l2.w1, w1: l2.w2, w2: l2.w3, w3: c2))
        return (U256(w0: l0.w0, w1: l1.w0, w2: l2.w0, w3: l3.w0), U256(w0: l3.w1, w1: l3.w2, w2: l3.w3, w3: c3))
    }

    /// Two's complement negation.
    @inlinable @inline(__always) package var negated: U256 { U256.zero &- self }
}

// MARK: - Bits

extension U256 {
    @inlinable @inline(__always) package static func & (a: U256, b: U256) -> U256 {
        U256(w0: a.w0 & b.w0, w1: a.w1 & b.w1, w2: a.w2 & b.w2, w3: a.w3 & b.w3)
    }
    @inlinable @inline(__always) package static func | (a: U256, b: U256) -> U256 {
        U256(w0: a.w0 | b.w0, w1: a.w1 | b.w1, w2: a.w2 | b.w2, w3: a.w3 | b.w3)
    }
    @inlinable @inline(__always) package static func ^ (a: U256, b: U256) -> U256 {
        U256(w0: a.w0 ^ b.w0, w1: a.w1 ^ b.w1, w2: a.w2 ^ b.w2, w3: a.w3 ^ b.w3)
    }
    @inlinable @inline(__always) package static prefix func ~ (a: U256) -> U256 {
        U256(w0: ~a.w0, w1: ~a.w1, w2: ~a.w2, w3: ~a.w3)
    }

    /// Shifted left; zero from 256 bits on.
    @inlinable package static func << (a: U256, n: Int) -> U256 {
        if n <= 0 { return a }
        if n >= 256 { return .zero }
        let s = UInt64(n & 63)
        var r = a
        switch n >> 6 {
        case 1: r = U256(w0: 0, w1: a.w0, w2: a.w1, w3: a.w2)
        case 2: r = U256(w0: 0, w1: 0, w2: a.w0, w3: a.w1)
        case 3: r = U256(w0: 0, w1: 0, w2: 0, w3: a.w0)
        default: break
        }
        if s == 0 { return r }
        let t = 64 &- s
        return U256(
            w0: r.w0 &<< s, w1: r.w1 &<< s | r.w0 &>> t, w2: r.w2 &<< s | r.w1 &>> t, w3: r.w3 &<< s | r.w2 &>> t)
    }

    /// Shifted right without sign; zero from 256 bits on.
    @inlinable package static func >> (a: U256, n: Int) -> U256 {
        if n <= 0 { return a }
        if n >= 256 { return .zero }
        let s = UInt64(n & 63)
        var r = a
        switch n >> 6 {
        case 1: r = U256(w0: a.w1, w1: a.w2, w2: a.w3, w3: 0)
        case 2: r = U256(w0: a.w2, w1: a.w3, w2: 0, w3: 0)
        case 3: r = U256(w0: a.w3, w1: 0, w2: 0, w3: 0)
        default: break
        }
        if s == 0 { return r }
        let t = 64 &- s
        return U256(
            w0: r.w0 &>> s | r.w1 &<< t, w1: r.w1 &>> s | r.w2 &<< t, w2: r.w2 &>> s | r.w3 &<< t, w3: r.w3 &>> s)
    }
}
