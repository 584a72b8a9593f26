// Mutations: of bytes, blind or with an eye on lengths; and of JSON, whose shape stays JSON.

import Ethereum
import TestSupport

enum Mutation {
    private static let telling: [UInt8] = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbf, 0xc0, 0xf7, 0xf8, 0xff]

    /// One to six changes; now and then bytes out of nothing.
    static func bytes(_ base: Bytes, _ others: [Bytes], _ random: inout SplitMix64) -> Bytes {
        if random.below(64) == 0 { return random.bytes(random.below(200)) }
        var result = base
        for _ in 0..<(1 + random.below(random.below(3) == 0 ? 6 : 2)) { step(&result, others, &random) }
        return result
    }

    private static func step(_ b: inout Bytes, _ others: [Bytes], _ random: inout SplitMix64) {
        guard !b.isEmpty else {
            b = random.bytes(1 + random.below(40))
            return
        }
        let at = random.below(b.count)
        let end = min(b.count, at + 1 + random.below(random.below(4) == 0 ? b.count : 33))
        switch random.below(14) {
        case 0: b[at] ^= 1 << UInt8(random.below(8))
        case 1: b[at] = telling[random.below(telling.count)]
        case 2: b[at] = UInt8(truncatingIfNeeded: random.next())
        case 3: b[at] = b[at] &+ (random.below(2) == 0 ? 1 : 255)
        case 4: b.removeSubrange(at..<end)
        case 5: b.insert(contentsOf: random.bytes(1 + random.below(33)), at: at)
        case 6: b.removeLast(b.count - at)
        case 7: b.insert(contentsOf: Array(b[at..<end]), at: random.below(b.count + 1))
        case 8:
            // One piece many times over: depth and length.
            let piece = Array(b[at..<end].prefix(40))
            let times = 1 << (1 + random.below(9))
            b.insert(contentsOf: Array(repeatElement(piece, count: times).joined()), at: at)
        case 9:
            let other = others.isEmpty ? random.bytes(20) : others[random.below(others.count)]
            guard !other.isEmpty else { return }
            let from = random.below(other.count)
            let piece = other[from..<min(other.count, from + 1 + random.below(other.count))]
            if random.below(2) == 0 { b.replaceSubrange(at..<end, with: piece) } else { b.insert(contentsOf: piece, at: at) }
        case 10: b.replaceSubrange(at..<end, with: repeatElement(telling[random.below(telling.count)], count: end - at))
        case 11:
            // A word of 32 bytes that carries go wrong with, in place.
            let word = random.word().bytes
            for (offset, byte) in word.enumerated() where at + offset < b.count { b[at + offset] = byte }
        case 12:
            // A number of up to eight bytes, in place.
            let number = U256(random.next() >> UInt64(random.below(64))).bytes.suffix(1 + random.below(8))
            for (offset, byte) in number.enumerated() where at + offset < b.count { b[at + offset] = byte }
        default: number(&b, at, &random)
        }
    }

    private static let numbers = [
        "0", "1", "-1", "255", "256", "65536", "4294967295", "4294967296", "9007199254740993", "9223372036854775807",
        "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e9", "1e999", "-0", "0.5", "00",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936",
    ]

    /// Digits that stand somewhere become another number, for text.
    private static func number(_ b: inout Bytes, _ at: Int, _ random: inout SplitMix64) {
        let isDigit = { (byte: UInt8) in byte >= 0x30 && byte <= 0x39 }
        guard let start = b[at...].firstIndex(where: isDigit) else { return b[at] = 0x30 }
        let end = b[start...].firstIndex { !isDigit($0) } ?? b.count
        b.replaceSubrange(start..<end, with: Bytes(numbers[random.below(numbers.count)].utf8))
    }

    // MARK: JSON

    /// A value with one place changed.
    static func json(_ value: JSON, _ random: inout SplitMix64, depth: Int = 0) -> JSON {
        let descends = depth < 12 && random.below(5) > 0
        switch value {
        case .array(var items) where !items.isEmpty && descends:
            let at = random.below(items.count)
            switch random.below(8) {
            case 0: items.remove(at: at)
            case 1: items.insert(items[at], at: at)
            case 2: items.insert(leaf(&random), at: at)
            default: items[at] = json(items[at], &random, depth: depth + 1)
            }
            return .array(items)
        case .object(let object) where !object.members.isEmpty && descends:
            var members = object.members.map { ($0.name, $0.value) }
            let at = random.below(members.count)
            switch random.below(9) {
            case 0: members.remove(at: at)
            case 1: members[at].0 = members[random.below(members.count)].0
            case 2: members[at].0 += "x"
            case 3: members[at].1 = members[random.below(members.count)].1
            default: members[at].1 = json(members[at].1, &random, depth: depth + 1)
            }
            return .object(JSONObject(members))
        case .string(let text) where random.below(3) > 0: return .string(self.text(text, &random))
        default: return leaf(&random)
        }
    }

    private static func text(_ text: String, _ random: inout SplitMix64) -> String {
        if text.hasPrefix("0x"), let bytes = try? Hex.decode(text), !bytes.isEmpty {
            return Hex.encode(Mutation.bytes(bytes, [], &random).prefix(4_096))
        }
        return String(decoding: Mutation.bytes(Bytes(text.utf8), [], &random).prefix(4_096), as: UTF8.self)
    }

    /// A value of any kind, those at the edges of numbers before all.
    static func leaf(_ random: inout SplitMix64) -> JSON {
        switch random.below(12) {
        case 0: return .null
        case 1: return .bool(random.below(2) == 0)
        case 2: return .number(numbers[random.below(numbers.count - 4)])
        case 3: return .integer(random.below(20))
        case 4: return .quantity(random.next() >> UInt64(random.below(64)))
        case 5: return .quantity(random.word())
        case 6: return .data(random.bytes(random.below(70)))
        case 7: return .hash(random.hash32())
        case 8: return .address(random.address())
        case 9: return .string(["latest", "pending", "earliest", "safe", "finalized", "", "0x", "0x0"][random.below(8)])
        case 10: return .array((0..<random.below(4)).map { _ in leaf(&random) })
        default: return [:]
        }
    }
}

// MARK: RLP

extension Mutation {
    /// A document in RLP with one or two items changed and all lengths right again; blind when it is none.
    static func rlp(_ base: Bytes, _ others: [Bytes], _ random: inout SplitMix64) -> Bytes {
        guard random.below(4) > 0 else { return bytes(base, others, &random) }
        // Typed transactions and receipts: a byte, then the list.
        let prefix = base.first.map { $0 < 0x7f ? Bytes([$0]) : [] } ?? []
        guard var item = try? RLP.decode(Bytes(base.dropFirst(prefix.count))) else { return bytes(base, others, &random) }
        for _ in 0...random.below(2) { item = rlp(item, &random, depth: 0) }
        return prefix + item.encoded
    }

    private static func rlp(_ item: RLP, _ random: inout SplitMix64, depth: Int) -> RLP {
        switch item {
        case .list(var items) where !items.isEmpty && depth < 20 && random.below(8) > 0:
            let at = random.below(items.count)
            switch random.below(12) {
            case 0: items.remove(at: at)
            case 1: items.insert(items[at], at: random.below(items.count + 1))
            case 2: items.swapAt(at, random.below(items.count))
            case 3: items[at] = .list([])
            default: items[at] = rlp(items[at], &random, depth: depth + 1)
            }
            return .list(items)
        case .list: return .uint(random.next() >> UInt64(random.below(64)))
        case .bytes(let content):
            switch random.below(6) {
            case 0: return .uint(random.word())
            case 1: return .uint(random.next() >> UInt64(random.below(64)))
            case 2: return .bytes([])
            case 3: return .bytes(random.bytes(content.count))
            // The type of a transaction in a block, and all behind it.
            case 4: return .bytes(rlp(content, [], &random))
            default: return .bytes(bytes(content, [], &random))
            }
        }
    }
}
