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
        if offset.w0 &+ count.w0 <= UInt64(UInt(bitPattern: frame.pointee.memorySize)) { return true }
        frame.pointee.gas = grow(frame, to: offset.w0 &+ count.w0, frame.pointee.gas)
        return frame.pointee.gas >= 0
    }

    /// The same for the loop, which keeps the gas in a register and knows that the memory ends before: what is left of
    /// `gas`, below zero where that is too much.
    @inline(never)
    func reach(_ frame: UnsafeMutablePointer<Frame>, _ offset: U256, _ count: UInt64, _ gas: Int64) -> Int64 {
        guard offset.fitsUInt64, offset.w0 < Limits.memoryOffsetMaximum else { return -1 }
        return grow(frame, to: offset.w0 &+ count, gas)
    }

    /// `end` is beyond the memory's size, and below twice the largest offset.
    @inline(__always)
    private func grow(_ frame: UnsafeMutablePointer<Frame>, to end: UInt64, _ gas: Int64) -> Int64 {
        let old = frame.pointee.memorySize
        let words = (end &+ 31) >> 5
        let left = gas &- Self.memoryPrice(words) &+ Self.memoryPrice(UInt64(UInt(bitPattern: old)) >> 5)
        guard left >= 0 else { return left }
        let size = Int(truncatingIfNeeded: words << 5)
        let top = frame.pointee.memoryBase + size
        if top > workspace.arenaCapacity {
            guard workspace.reserve(top, keeping: frame.pointee.memoryBase + old) else { return -1 }
            refresh(frame)
        }
        let fresh = frame.pointee.memory + old
        if size - old == 32 {
            fresh.storeBytes(of: U256.zero, as: U256.self)
        } else {
            fresh.initializeMemory(as: UInt8.self, repeating: 0, count: size - old)
        }
        frame.pointee.memorySize = size
        return left
    }

    /// The price of so many words from nothing: 3 each and a square term (Yellow Paper H.1).
    @inline(__always) static func memoryPrice(_ words: UInt64) -> Int64 {
        Int64(bitPattern: 3 &* words &+ (words &* words) >> 9)
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
