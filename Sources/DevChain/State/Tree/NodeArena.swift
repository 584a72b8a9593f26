// Raw memory for the nodes of the state tree: one range of addresses that grows, cut into units of 16 bytes, with a list
// of free places for each size. What the bytes mean is not known here.

import Ethereum
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The place of a node, in units of 16 bytes; 0 is no node.
typealias NodeRef = UInt32

/// Memory for nodes. Not for use from two threads at once.
final class NodeArena {
    static let unitBytes = 16
    /// The largest node in units: a branch with sixteen children.
    static let unitsMaximum = 40

    /// Bytes at the start that hold no nodes: a page, which a file describes itself in.
    static let headBytes = 4_096

    let base: UnsafeMutableRawPointer
    private let mapping: NodeMapping
    /// Units that were ever given out, the head's among them.
    private(set) var end: Int
    /// Where else `end` is kept, so that it is right whenever the process ends.
    private let endCopy: UnsafeMutablePointer<UInt64>?
    /// Nodes by their size in units, ready to be given out again.
    private var free: [[NodeRef]]
    /// Given back since the last `settle`: what an interrupted change would still name.
    private var released: [(ref: NodeRef, units: Int)] = []
    /// Tests end the world here.
    var willAllocate: (() -> Void)?
    /// Where the next pages are given back.
    private var nextWindow = NodeArena.headBytes
    /// Units in use.
    private(set) var unitsUsed: Int

    init(_ mapping: NodeMapping, end endCopy: UnsafeMutablePointer<UInt64>? = nil) {
        self.mapping = mapping
        self.endCopy = endCopy
        base = mapping.base
        end = Self.headBytes / Self.unitBytes
        unitsUsed = 0
        free = Array(repeating: [], count: Self.unitsMaximum + 1)
    }

    /// Bytes that nodes take.
    var bytesUsed: Int { unitsUsed * Self.unitBytes }
    /// Bytes of the range that were ever touched.
    var bytesReached: Int { end * Self.unitBytes }

    @inline(__always) subscript(ref: NodeRef) -> UnsafeMutableRawPointer {
        assert(ref != 0 && Int(ref) < end, "no such node")
        return base + Int(ref) &* Self.unitBytes
    }

    /// A place of `units` units, its bytes as they were.
    func allocate(units: Int) -> NodeRef {
        assert(units > 0 && units <= Self.unitsMaximum, "a node of that size")
        willAllocate?()
        unitsUsed += units
        if let ref = free[units].popLast() { return ref }
        let ref = NodeRef(end)
        end += units
        mapping.reach(end * Self.unitBytes)
        endCopy?.pointee = UInt64(end)
        return ref
    }

    /// Gives a place back. It is not given out again before `settle`.
    func release(_ ref: NodeRef, units: Int) {
        unitsUsed -= units
        released.append((ref, units))
    }

    /// Ends a change: what was given back may be used again.
    func settle() {
        for (ref, units) in released { free[units].append(ref) }
        released.removeAll(keepingCapacity: true)
    }

    /// Takes up where an earlier process left: `end` units were given out, `used` of them hold nodes.
    func resume(end: Int, used: Int, free lists: [[NodeRef]]) {
        self.end = end
        unitsUsed = used
        mapping.reach(end * Self.unitBytes)
        for (units, refs) in lists.enumerated() where units < free.count { free[units] = refs }
    }

    /// Says how many units hold nodes.
    func recount(used: Int) { unitsUsed = used }

    /// The free places by size, after `settle`.
    var freeLists: [[NodeRef]] { free }

    /// Gives pages back to the system, a sixteenth of the range at a time, until no more than `bytes` are held. The
    /// window moves on from call to call, so what is used most comes back and what is not stays away.
    func keepResident(below bytes: Int) {
        let window = max(end * Self.unitBytes / 16, 1 << 20) / 4_096 * 4_096
        for _ in 0..<16 {
            guard let resident = NodeMapping.residentFileBytes, resident > bytes else { return }
            let reached = end * Self.unitBytes
            if nextWindow >= reached { nextWindow = Self.headBytes }
            mapping.letGo(from: nextWindow, bytes: min(window, (reached - nextWindow + 4_095) / 4_096 * 4_096))
            nextWindow += window
        }
    }
}

/// The range of addresses behind an arena: memory of the process, or a file.
final class NodeMapping {
    let base: UnsafeMutableRawPointer
    /// Bytes of the range.
    let capacity: Int
    private let descriptor: Int32
    private var reached: Int

    /// Memory that lives as long as the object.
    init() {
        capacity = Limits.stateBytesMaximum
        descriptor = -1
        reached = capacity
        // Without MAP_NORESERVE a strict system would count the whole range at once.
        let map = mmap(
            nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE), -1, 0)
        guard let map, map != MAP_FAILED else {
            preconditionFailure("the system gives no range of addresses for a state: errno \(errno)")
        }
        base = map
    }

    /// A file, which is made when it is not there. Throws when the system refuses.
    init(file path: String) throws(DevChainError) {
        capacity = Limits.stateBytesMaximum
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw Self.refusal("cannot open", path) }
        descriptor = opened
        let size = lseek(opened, 0, SEEK_END)
        reached = max(Int(size), 0)
        let map = mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | Int32(MAP_NORESERVE), opened, 0)
        guard let map, map != MAP_FAILED else {
            close(opened)
            throw Self.refusal("cannot map", path)
        }
        base = map
    }

    private static func refusal(_ what: String, _ path: String) -> DevChainError {
        DevChainError(.storeFailed, "\(what) the state file \(path): \(String(cString: strerror(errno)))")
    }

    deinit {
        munmap(base, capacity)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Bytes that the file has.
    var fileBytes: Int { descriptor < 0 ? 0 : reached }

    /// Makes the first `bytes` usable.
    func reach(_ bytes: Int) {
        precondition(bytes <= capacity, "the state has outgrown its range of addresses")
        guard bytes > reached else { return }
        // In steps that grow with it: the file is sparse, and a step costs a call.
        let step = min(max(bytes / 4, 1 << 20), 64 << 20) / 4_096 * 4_096
        reached = min((bytes + step) / 4_096 * 4_096, capacity)
        precondition(ftruncate(descriptor, off_t(reached)) == 0, "the disk has no room for the state: errno \(errno)")
    }

    /// Lets the system take the pages of a part of the range; what a file holds comes back when it is touched.
    func letGo(from offset: Int, bytes: Int) {
        guard descriptor >= 0, bytes > 0 else { return }
        madvise(base + offset, bytes, Int32(MADV_DONTNEED))
    }

    /// Bytes of files that the process holds in memory, this one's among them; nil where the system does not tell.
    static var residentFileBytes: Int? {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text = Bytes(repeating: 0, count: 128)
        let count = text.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        let fields = String(decoding: text.prefix(count), as: UTF8.self).split(separator: " ")
        return fields.count > 2 ? Int(fields[2]).map { $0 * Int(getpagesize()) } : nil
    }
}
