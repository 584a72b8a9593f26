// A growing list in raw memory. Class fields that are arrays cost an exclusivity check and a uniqueness check at each
// touch, and the journal's lists are touched at every SLOAD; nothing here is held inout over a call, so no field is
// checked. Positions stay valid; pointers do not outlive an append.

final class Pool<Element> {
    @exclusivity(unchecked) private var base: UnsafeMutablePointer<Element>
    @exclusivity(unchecked) private var capacity: Int
    @exclusivity(unchecked) private(set) var count = 0

    init(capacity: Int = 64) {
        base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    /// The element at a position; good until the next append.
    @inline(__always) subscript(position: Int32) -> UnsafeMutablePointer<Element> {
        precondition(position >= 0 && Int(position) < count, "no such position")
        return base + Int(position)
    }

    @inline(__always) func append(_ element: Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count &+= 1
    }

    @inline(never) private func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }

    @inline(__always) func removeLast() -> Element {
        precondition(count > 0, "nothing to remove")
        count &-= 1
        return (base + count).move()
    }

    func removeAll() {
        base.deinitialize(count: count)
        count = 0
    }

    /// All positions, in the order of their making.
    var positions: Range<Int32> { 0..<Int32(count) }
}
