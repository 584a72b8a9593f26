// How nodes lie in memory: leaves of accounts and of slots, extensions, branches, and the head of a storage tree. A
// parent holds the hashes of its children, so that hashing a node reads one place only.

import Ethereum

/// The kinds of nodes; the first byte of each.
enum NodeKind {
    static let account: UInt8 = 1
    static let slot: UInt8 = 2
    static let link: UInt8 = 3
    static let branch: UInt8 = 4
    static let storage: UInt8 = 5
}

/// An account: 0 kind, 4 address (20 bytes), 24 nonce, 32 balance, 64 head of the storage, 68 number of the code.
struct AccountLeaf {
    static let units = 5
    let at: UnsafeMutableRawPointer

    var address: Address {
        let low = UInt64(bigEndian: at.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        let middle = UInt64(bigEndian: at.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        let high = UInt32(bigEndian: at.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        return Address(truncating: U256(w0: low, w1: middle, w2: UInt64(high), w3: 0))
    }

    /// The twenty bytes.
    var addressBytes: UnsafeRawPointer { UnsafeRawPointer(at + 4) }

    var nonce: UInt64 {
        get { at.load(fromByteOffset: 24, as: UInt64.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 24, as: UInt64.self) }
    }
    var balance: U256 {
        get { at.load(fromByteOffset: 32, as: U256.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 32, as: U256.self) }
    }
    /// The head of the storage tree; 0 without storage.
    var storage: NodeRef {
        get { at.load(fromByteOffset: 64, as: UInt32.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 64, as: UInt32.self) }
    }
    /// The number of the code in the table of codes; 0 without code.
    var code: UInt32 {
        get { at.load(fromByteOffset: 68, as: UInt32.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 68, as: UInt32.self) }
    }

    func make(_ address: Address) {
        at.storeBytes(of: UInt32(NodeKind.account), as: UInt32.self)
        let word = address.word
        at.storeBytes(of: UInt32(truncatingIfNeeded: word.w2).bigEndian, toByteOffset: 4, as: UInt32.self)
        at.storeBytes(of: word.w1.bigEndian, toByteOffset: 8, as: UInt64.self)
        at.storeBytes(of: word.w0.bigEndian, toByteOffset: 16, as: UInt64.self)
        nonce = 0
        balance = .zero
        storage = 0
        code = 0
    }
}

/// A slot: 0 kind, 8 number of the slot, 40 its value.
struct SlotLeaf {
    static let units = 5
    let at: UnsafeMutableRawPointer

    var slot: U256 { at.load(fromByteOffset: 8, as: U256.self) }
    var value: U256 {
        get { at.load(fromByteOffset: 40, as: U256.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 40, as: U256.self) }
    }

    func make(_ slot: U256) {
        at.storeBytes(of: UInt64(NodeKind.slot), as: UInt64.self)
        at.storeBytes(of: slot, toByteOffset: 8, as: U256.self)
    }
}

/// An extension: 0 kind, 1 count of nibbles, 2 flags, 4 child, 8 nibbles from the top, 40 the child's name.
struct LinkNode {
    static let units = 5
    let at: UnsafeMutableRawPointer

    var count: Int { Int(at.load(fromByteOffset: 1, as: UInt8.self)) }
    var isValid: Bool {
        get { at.load(fromByteOffset: 2, as: UInt8.self) & 1 == 1 }
        nonmutating set {
            let flags = at.load(fromByteOffset: 2, as: UInt8.self)
            at.storeBytes(of: newValue ? flags | 1 : flags & ~1, toByteOffset: 2, as: UInt8.self)
        }
    }
    var isShort: Bool {
        get { at.load(fromByteOffset: 2, as: UInt8.self) & 2 == 2 }
        nonmutating set {
            let flags = at.load(fromByteOffset: 2, as: UInt8.self)
            at.storeBytes(of: newValue ? flags | 2 : flags & ~2, toByteOffset: 2, as: UInt8.self)
        }
    }
    var child: NodeRef {
        get { at.load(fromByteOffset: 4, as: UInt32.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 4, as: UInt32.self) }
    }
    /// The nibbles, the first one in the topmost four bits, zeros behind.
    var path: U256 { at.load(fromByteOffset: 8, as: U256.self) }
    var name: UnsafeMutableRawPointer { at + 40 }

    func make(path: U256, count: Int, child: NodeRef) {
        assert(count > 0 && count < 64, "an extension has nibbles")
        at.storeBytes(of: NodeKind.link, as: UInt8.self)
        at.storeBytes(of: UInt8(count), toByteOffset: 1, as: UInt8.self)
        at.storeBytes(of: 0, toByteOffset: 2, as: UInt16.self)
        self.child = child
        at.storeBytes(of: path.keepingNibbles(count), toByteOffset: 8, as: U256.self)
    }
}

/// A branch: 0 kind, 1 count, 2 which children, 4 whose names hold, 6 whose names are nodes shorter than a hash,
/// 8 children (4 bytes each), then their names (32 bytes each). Children stand in the order of their nibbles.
struct BranchNode {
    let at: UnsafeMutableRawPointer

    static func units(_ count: Int) -> Int { (8 + 36 * count + 15) / 16 }

    @inline(__always) var count: Int { Int(at.load(fromByteOffset: 1, as: UInt8.self)) }
    @inline(__always) var mask: UInt16 { at.load(fromByteOffset: 2, as: UInt16.self) }
    @inline(__always) var valid: UInt16 {
        get { at.load(fromByteOffset: 4, as: UInt16.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 4, as: UInt16.self) }
    }
    @inline(__always) var short: UInt16 {
        get { at.load(fromByteOffset: 6, as: UInt16.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 6, as: UInt16.self) }
    }

    @inline(__always) func position(_ nibble: Int) -> Int { (mask & ((1 &<< UInt16(nibble)) &- 1)).nonzeroBitCount }
    @inline(__always) func has(_ nibble: Int) -> Bool { mask & (1 &<< UInt16(nibble)) != 0 }
    /// By position, not by nibble.
    @inline(__always) func child(_ position: Int) -> NodeRef {
        at.load(fromByteOffset: 8 &+ 4 &* position, as: UInt32.self)
    }
    @inline(__always) func setChild(_ position: Int, _ ref: NodeRef) {
        at.storeBytes(of: ref, toByteOffset: 8 &+ 4 &* position, as: UInt32.self)
    }
    @inline(__always) func name(_ position: Int) -> UnsafeMutableRawPointer {
        at + (8 &+ 4 &* count &+ 32 &* position)
    }

    func make(mask: UInt16) {
        at.storeBytes(of: NodeKind.branch, as: UInt8.self)
        at.storeBytes(of: UInt8(mask.nonzeroBitCount), toByteOffset: 1, as: UInt8.self)
        at.storeBytes(of: mask, toByteOffset: 2, as: UInt16.self)
        valid = 0
        short = 0
    }
}

/// The head of a storage tree: 0 kind, 4 root, 8 whether the hash holds, 16 the root's hash.
struct StorageHead {
    static let units = 3
    let at: UnsafeMutableRawPointer

    var root: NodeRef {
        get { at.load(fromByteOffset: 4, as: UInt32.self) }
        nonmutating set { at.storeBytes(of: newValue, toByteOffset: 4, as: UInt32.self) }
    }
    var isValid: Bool {
        get { at.load(fromByteOffset: 8, as: UInt8.self) == 1 }
        nonmutating set { at.storeBytes(of: newValue ? 1 : 0, toByteOffset: 8, as: UInt8.self) }
    }
    /// As it stands in an account's record.
    var hash: UnsafeMutableRawPointer { at + 16 }

    func make() {
        at.storeBytes(of: UInt32(NodeKind.storage), as: UInt32.self)
        root = 0
        isValid = false
    }
}

extension U256 {
    /// The nibble at a depth of a key, the topmost first.
    @inline(__always) func nibble(_ depth: Int) -> Int {
        let limb = depth < 16 ? w3 : depth < 32 ? w2 : depth < 48 ? w1 : w0
        return Int(truncatingIfNeeded: (limb &>> UInt64(60 &- 4 &* (depth & 15))) & 15)
    }

    /// How many nibbles two keys share from the top.
    @inline(__always) func commonNibbles(_ other: U256) -> Int { (256 - (self ^ other).bitWidth) / 4 }

    /// The first nibbles, zeros behind.
    func keepingNibbles(_ count: Int) -> U256 { count >= 64 ? self : self & ~(U256.max >> (4 * count)) }
}
