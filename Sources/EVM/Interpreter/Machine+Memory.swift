// Memory of frames: its price, its growth, and copies into it.

import Ethereum

extension Machine {
    /// Makes `count` bytes at `offset` part of the frame's memory and takes their price; false where that is too much.
    @inline(never)
    func expand(_ frame: UnsafeMutablePointer<Frame>, _ offset: U256, _ count: U256) -> Bool {
        if count.isZero { return true }
        guard offset.fitsUInt64, count.fitsUInt64, offset.w0 < Limits.memoryOffsetMaximum,
            count.w0 < Limits.memoryOffsetMaximum
        else { return false }
        let end = Int(offset.w0 + count.w0)
        return end <= frame.pointee.memorySize || grow(frame, to: end)
    }

    private func grow(_ frame: UnsafeMutablePointer<Frame>, to end: Int) -> Bool {
        let size = Self.aligned(end)
        let old = frame.pointee.memorySize
        frame.pointee.gas &-= Self.memoryPrice(size) &- Self.memoryPrice(old)
        guard frame.pointee.gas >= 0 else { return false }
        let base = frame.pointee.memoryBase
        guard workspace.reserve(base + size, keeping: base + old) else { return false }
        refresh(frame)
        (frame.pointee.memory + old).initializeMemory(as: UInt8.self, repeating: 0, count: size - old)
        frame.pointee.memorySize = size
        return true
    }

    /// The price of so many bytes from nothing: 3 a word and a square term (Yellow Paper H.1).
    static func memoryPrice(_ bytes: Int) -> Int64 {
        let words = Int64(bytes / 32)
        return 3 * words + words * words / 512
    }

    static func words(_ count: U256) -> Int64 { Int64((count.w0 + 31) / 32) }

    /// Takes `price`; false when the frame has less.
    @inline(__always) func charge(_ frame: UnsafeMutablePointer<Frame>, _ price: Int64) -> Bool {
        frame.pointee.gas &-= price
        return frame.pointee.gas >= 0
    }

    /// Copies `count` bytes from `offset` of a buffer to `target` in memory, with zeros past the buffer's end.
    func copy(
        _ source: UnsafeRawPointer, _ sourceCount: Int, from offset: U256, to target: U256, count: U256,
        _ frame: UnsafeMutablePointer<Frame>
    ) {
        let count = Int(count.w0)
        guard count > 0 else { return }
        let start = min(offset.asInt ?? sourceCount, sourceCount)
        let copied = min(count, sourceCount - start)
        let destination = frame.pointee.memory + Int(target.w0)
        if copied > 0 { destination.copyMemory(from: source + start, byteCount: copied) }
        (destination + copied).initializeMemory(as: UInt8.self, repeating: 0, count: count - copied)
    }
}
