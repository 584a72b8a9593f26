// Nodes as RLP, written into a buffer: what is hashed, and what a proof shows.

import Ethereum

/// Writes RLP at a place that has room for the largest node.
struct NodeWriter {
    /// Bytes of the largest node: a branch with sixteen hashes.
    static let bytesMaximum = 3 + 16 * 33 + 1

    let start: UnsafeMutableRawPointer
    private(set) var count = 0

    init(_ start: UnsafeMutableRawPointer) { self.start = start }

    private mutating func put(_ byte: UInt8) {
        start.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    private mutating func put(_ bytes: UnsafeRawPointer, _ length: Int) {
        (start + count).copyMemory(from: bytes, byteCount: length)
        count &+= length
    }

    /// The header of a list or of a string whose content is not one small byte.
    private mutating func header(_ base: UInt8, _ length: Int) {
        if length < 56 {
            put(base &+ UInt8(length))
        } else if length < 256 {
            put(base &+ 56)
            put(UInt8(length))
        } else {
            put(base &+ 57)
            put(UInt8(length >> 8))
            put(UInt8(length & 255))
        }
    }

    private static func headerBytes(_ length: Int) -> Int { length < 56 ? 1 : length < 256 ? 2 : 3 }

    /// Bytes of a number as a string of RLP.
    private static func bytes(of number: U256) -> Int {
        number.fitsUInt64 && number.w0 < 128 ? 1 : 1 + number.byteWidth
    }

    private mutating func number(_ number: U256) {
        if number.fitsUInt64, number.w0 > 0, number.w0 < 128 {
            put(UInt8(number.w0))
            return
        }
        let width = number.byteWidth
        put(0x80 &+ UInt8(width))
        var shifted = number << (8 * (32 - width))
        if width <= 8 {
            var limb = shifted.w3.bigEndian
            put(&limb, width)
        } else {
            shifted = U256(
                w0: shifted.w3.bigEndian, w1: shifted.w2.bigEndian, w2: shifted.w1.bigEndian, w3: shifted.w0.bigEndian)
            put(&shifted, width)
        }
    }

    // MARK: Paths

    /// Bytes of `nibbles` nibbles in the hex-prefix encoding, and of that as a string.
    private static func pathBytes(_ nibbles: Int) -> (encoded: Int, string: Int) {
        let encoded = 1 + nibbles / 2
        return (encoded, encoded == 1 ? 1 : 1 + encoded)
    }

    /// The hex-prefix encoding of the first nibbles of `path`, as a string.
    private mutating func path(_ path: U256, _ nibbles: Int, isLeaf: Bool) {
        let bytes = Self.pathBytes(nibbles).encoded
        if bytes > 1 { put(0x80 &+ UInt8(bytes)) }
        let flag: UInt8 = isLeaf ? 0x20 : 0
        var rest = path
        if nibbles & 1 == 1 {
            put(flag | 0x10 | UInt8(path.nibble(0)))
            rest = path << 4
        } else {
            put(flag)
        }
        rest.storeBigEndian(to: start + count)
        count += nibbles / 2
    }

    // MARK: Nodes

    /// The leaf of an account whose key has `depth` nibbles above it. The storage's hash must hold.
    mutating func account(_ leaf: AccountLeaf, key: U256, depth: Int, storageHash: UnsafeRawPointer, codeHash: Hash32) {
        let nonce = U256(leaf.nonce)
        let balance = leaf.balance
        let payload = Self.bytes(of: nonce) + Self.bytes(of: balance) + 66
        let record = Self.headerBytes(payload) + payload
        let nibbles = 64 - depth
        header(0xc0, Self.pathBytes(nibbles).string + Self.headerBytes(record) + record)
        path(key << (4 * depth), nibbles, isLeaf: true)
        header(0x80, record)
        header(0xc0, payload)
        number(nonce)
        number(balance)
        put(0xa0)
        put(storageHash, 32)
        put(0xa0)
        codeHash.word.storeBigEndian(to: start + count)
        count += 32
    }

    mutating func slot(_ leaf: SlotLeaf, key: U256, depth: Int) {
        let value = leaf.value
        let inner = Self.bytes(of: value)
        let nibbles = 64 - depth
        header(0xc0, Self.pathBytes(nibbles).string + (inner == 1 ? 1 : 1 + inner))
        path(key << (4 * depth), nibbles, isLeaf: true)
        if inner > 1 { put(0x80 &+ UInt8(inner)) }
        number(value)
    }

    /// An extension; its child's name must hold.
    mutating func link(_ node: LinkNode) {
        let name = Self.nameBytes(node.name, isShort: node.isShort)
        header(0xc0, Self.pathBytes(node.count).string + name)
        path(node.path, node.count, isLeaf: false)
        self.name(node.name, isShort: node.isShort)
    }

    /// A branch; all names of its children must hold.
    mutating func branch(_ node: BranchNode) {
        let children = node.count
        let short = node.short
        var payload = 17 - children + 33 * children
        if short != 0 {
            payload = 17 - children
            for nibble in 0..<16 where node.has(nibble) {
                payload += Self.nameBytes(node.name(node.position(nibble)), isShort: short & (1 << UInt16(nibble)) != 0)
            }
        }
        header(0xc0, payload)
        var position = 0
        for nibble in 0..<16 {
            if node.has(nibble) {
                name(node.name(position), isShort: short & (1 << UInt16(nibble)) != 0)
                position += 1
            } else {
                put(0x80)
            }
        }
        put(0x80)
    }

    /// A child's name is its hash, or the node itself when it is shorter than one.
    private static func nameBytes(_ name: UnsafeRawPointer, isShort: Bool) -> Int {
        isShort ? Int(name.load(as: UInt8.self)) - 0xc0 + 1 : 33
    }

    private mutating func name(_ name: UnsafeRawPointer, isShort: Bool) {
        if isShort {
            put(name, Self.nameBytes(name, isShort: true))
        } else {
            put(0xa0)
            put(name, 32)
        }
    }
}
