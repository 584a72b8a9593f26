// Code as the interpreter reads it: padded, with its jump destinations found. Immutable once made.

import Ethereum

/// One contract's code, ready to run.
package final class Code: @unchecked Sendable {
    /// The code and 33 zero bytes behind it: a PUSH may read past the end, and then STOP follows.
    let start: UnsafePointer<UInt8>
    package let count: Int
    /// One bit a byte of code, set where a JUMPDEST stands that is no data of a PUSH.
    let jumpDestinations: UnsafePointer<UInt64>
    /// Whose code to run instead (EIP-7702); nil for code of one's own.
    package let delegate: Address?

    static let padding = 33
    package static let empty = Code([])

    package init(_ bytes: Bytes) {
        (start, jumpDestinations) = bytes.withUnsafeBytes(Self.analyse)
        count = bytes.count
        delegate = Self.delegate(start, count)
    }

    init(copying buffer: UnsafeRawBufferPointer) {
        (start, jumpDestinations) = Self.analyse(buffer)
        count = buffer.count
        delegate = Self.delegate(start, count)
    }

    private static func analyse(_ buffer: UnsafeRawBufferPointer) -> (UnsafePointer<UInt8>, UnsafePointer<UInt64>) {
        let count = buffer.count
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: count + padding)
        if let source = buffer.baseAddress, count > 0 {
            UnsafeMutableRawPointer(bytes).copyMemory(from: source, byteCount: count)
        }
        (bytes + count).initialize(repeating: 0, count: padding)
        let words = (count + 63) / 64 + 1
        let bitmap = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
        bitmap.initialize(repeating: 0, count: words)
        var at = 0
        while at < count {
            let opcode = bytes[at]
            if opcode == 0x5b {
                bitmap[at >> 6] |= 1 << UInt64(at & 63)
            } else if opcode >= 0x60, opcode <= 0x7f {
                at += Int(opcode) - 0x5f
            }
            at += 1
        }
        return (UnsafePointer(bytes), UnsafePointer(bitmap))
    }

    deinit {
        start.deallocate()
        jumpDestinations.deallocate()
    }

    /// The bytes that stand in the state.
    package var bytes: Bytes { Bytes(UnsafeBufferPointer(start: start, count: count)) }

    /// The designator 0xef0100 || address (EIP-7702).
    package static func designator(_ address: Address) -> Bytes { [0xef, 0x01, 0x00] + address.bytes }

    private static func delegate(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Address? {
        guard count == 23, bytes[0] == 0xef, bytes[1] == 0x01, bytes[2] == 0 else { return nil }
        return Address(bytes: UnsafeBufferPointer(start: bytes + 3, count: 20))
    }
}

/// Analysed code by its hash, for one chain. Not for use from two threads at once.
package final class CodeCache {
    private var codes: [Hash32: Code] = [:]
    private var bytes = 0

    package init() {}

    package func find(_ hash: Hash32) -> Code? { codes[hash] }

    /// Keeps `code`; starts anew when the cache is full.
    package func insert(_ hash: Hash32, _ code: Code) {
        let size = code.count + code.count / 8 + 200
        if bytes + size > Limits.codeCacheBytesMaximum {
            codes.removeAll(keepingCapacity: true)
            bytes = 0
        }
        if codes.updateValue(code, forKey: hash) == nil { bytes += size }
    }
}
