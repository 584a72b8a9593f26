// One call or creation in progress, as plain memory, and the buffers that all frames of a transaction share.

import Ethereum

/// How the interpreter's loop left a frame, or came out of a cold operation.
enum Exit: Equatable {
    /// A cold operation is done; go on.
    case next
    /// Another frame is on top now.
    case entered
    case stop
    /// RETURN: the frame's result range is set.
    case output
    case revert
    case halt(HaltReason)
}

struct Frame: BitwiseCopyable {
    /// Where the next instruction stands.
    var ip: UnsafePointer<UInt8>
    let code: UnsafePointer<UInt8>
    let codeCount: Int
    let jumpDestinations: UnsafePointer<UInt64>
    let stack: UnsafeMutablePointer<U256>
    /// One past the top of the stack.
    var sp: UnsafeMutablePointer<U256>
    var gas: Int64
    /// The frame's memory inside the arena; moves when the arena grows.
    var memory: UnsafeMutableRawPointer
    /// Always a multiple of 32.
    var memorySize: Int
    let memoryBase: Int
    var input: UnsafeRawPointer
    let inputOffset: Int
    let inputCount: Int
    /// Whose storage and balance these are.
    let address: Address
    let caller: Address
    let value: U256
    /// The journal's position of `address`.
    let account: Int32
    let isStatic: Bool
    let isCreation: Bool
    let snapshot: Journal.Snapshot
    /// Where in the parent's memory the output goes.
    let outputOffset: Int
    let outputCount: Int
    /// What RETURN or REVERT named, from the frame's memory base.
    var resultOffset = 0
    var resultCount = 0
}

/// The buffers of one machine, kept from one transaction to the next.
final class Workspace {
    let frames: UnsafeMutablePointer<Frame>
    private let stacks: UnsafeMutablePointer<UnsafeMutablePointer<U256>?>
    /// The code of each frame, held so that it lives.
    @exclusivity(unchecked) var codes: [Code?]
    @exclusivity(unchecked) private(set) var arena: UnsafeMutableRawPointer
    @exclusivity(unchecked) private(set) var arenaCapacity: Int
    @exclusivity(unchecked) private(set) var returned: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var returnedCapacity: Int
    @exclusivity(unchecked) var returnedCount = 0

    private static let depths = Limits.callDepthMaximum + 1

    init() {
        frames = .allocate(capacity: Self.depths)
        stacks = .allocate(capacity: Self.depths)
        stacks.initialize(repeating: nil, count: Self.depths)
        codes = Array(repeating: nil, count: Self.depths)
        arenaCapacity = 64 << 10
        arena = .allocate(byteCount: arenaCapacity, alignment: 32)
        returnedCapacity = 1024
        returned = .allocate(byteCount: returnedCapacity, alignment: 32)
    }

    deinit {
        for depth in 0..<Self.depths { stacks[depth]?.deallocate() }
        stacks.deallocate()
        frames.deallocate()
        arena.deallocate()
        returned.deallocate()
    }

    /// The stack of a depth; its words are not cleared, the stack's bounds guard them.
    func stack(_ depth: Int) -> UnsafeMutablePointer<U256> {
        if let stack = stacks[depth] { return stack }
        let stack = UnsafeMutablePointer<U256>.allocate(capacity: Limits.stackWordsMaximum)
        stacks[depth] = stack
        return stack
    }

    /// Makes room for `count` bytes of arena, keeping the first `kept`; false beyond the limit.
    func reserve(_ count: Int, keeping kept: Int) -> Bool {
        if count <= arenaCapacity { return true }
        guard count <= Limits.memoryBytesMaximum else { return false }
        let capacity = min(max(arenaCapacity * 2, count), Limits.memoryBytesMaximum)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 32)
        larger.copyMemory(from: arena, byteCount: kept)
        arena.deallocate()
        arena = larger
        arenaCapacity = capacity
        return true
    }

    /// Keeps a copy of an output as the return data.
    func setReturned(_ source: UnsafeRawPointer, _ count: Int) {
        if count > returnedCapacity {
            returned.deallocate()
            returnedCapacity = max(count, returnedCapacity * 2)
            returned = .allocate(byteCount: returnedCapacity, alignment: 32)
        }
        returned.copyMemory(from: source, byteCount: count)
        returnedCount = count
    }

    func setReturned(_ bytes: Bytes) {
        bytes.withUnsafeBytes { buffer in
            if let base = buffer.baseAddress { setReturned(base, buffer.count) } else { returnedCount = 0 }
        }
    }

    var returnedBytes: Bytes { Bytes(UnsafeRawBufferPointer(start: returned, count: returnedCount)) }

    /// Gives back what one large transaction took.
    func trim() {
        if arenaCapacity > Limits.memoryBytesKept {
            arena.deallocate()
            arenaCapacity = 64 << 10
            arena = .allocate(byteCount: arenaCapacity, alignment: 32)
        }
        if returnedCapacity > Limits.memoryBytesKept {
            returned.deallocate()
            returnedCapacity = 1024
            returned = .allocate(byteCount: returnedCapacity, alignment: 32)
        }
        returnedCount = 0
    }
}
