// RLP against the public fixtures, and its strictness.

import Ethereum
import TestSupport
import Testing

@Suite("RLP")
struct RLPTests {
    /// The value of a fixture: text, `#`-decimal, number or list.
    private func value(_ json: JSON) throws -> RLP {
        switch json {
        case .string(let text) where text.hasPrefix("#"): return .bytes(try decimal(text.dropFirst()))
        case .string(let text): return .bytes(Bytes(text.utf8))
        case .number(let text): return .uint(try U256(text: text))
        case .array(let items): return .list(try items.map(value))
        default: throw EthereumError(.malformedJSON, "no RLP fixture: \(json)")
        }
    }

    /// The big-endian bytes of a decimal of any length: one fixture is past 256 bits.
    private func decimal(_ text: some StringProtocol) throws -> Bytes {
        var bytes = Bytes()
        for digit in text {
            var carry = try #require(digit.wholeNumberValue)
            for index in bytes.indices.reversed() {
                carry += Int(bytes[index]) * 10
                bytes[index] = UInt8(carry & 255)
                carry >>= 8
            }
            if carry > 0 { bytes.insert(UInt8(carry), at: 0) }
        }
        return bytes
    }

    @Test("fixtures rlp: every valid case encodes and decodes, every invalid one is refused")
    func fixtures() throws {
        guard Fixtures.group("rlp") != nil else { return }
        var valid = 0
        var invalid = 0
        for url in Fixtures.files("rlp") {
            for (name, test) in try #require(Fixtures.json(url).asObject).members {
                let input = try #require(test["in"])
                let bytes = try Hex.decode(try #require(test["out"]?.asString))
                switch input {
                case "INVALID":
                    #expect(throws: EthereumError.self, "\(name)") { try RLP.decode(bytes) }
                    invalid += 1
                case "VALID":
                    #expect(try RLP.decode(bytes).encoded == bytes, "\(name)")
                    valid += 1
                default:
                    let value = try value(input)
                    #expect(value.encoded == bytes, "\(name)")
                    #expect(try RLP.decode(bytes) == value, "\(name)")
                    valid += 1
                }
            }
        }
        #expect(valid == 19)
        #expect(invalid == 19)
    }

    @Test("random trees survive a round trip, and no prefix or extension of an encoding decodes")
    func roundTrip() throws {
        var random = SplitMix64.forTest()
        func tree(_ depth: Int) -> RLP {
            if depth == 0 || random.below(3) > 0 { return .bytes(random.bytes(random.below(70))) }
            return .list((0..<random.below(5)).map { _ in tree(depth - 1) })
        }
        for _ in 0..<500 {
            let value = tree(5)
            let bytes = value.encoded
            #expect(try RLP.decode(bytes) == value)
            #expect(throws: EthereumError.self) { try RLP.decode(bytes + [0]) }
            #expect(throws: EthereumError.self) { try RLP.decode(Bytes(bytes.dropLast())) }
        }
    }

    @Test("arbitrary bytes either fail by a named error or encode back to themselves")
    func fuzz() {
        var random = SplitMix64.forTest()
        for _ in 0..<20_000 {
            var bytes = random.bytes(random.below(24))
            if !bytes.isEmpty, random.below(2) == 0 { bytes[0] = 0xc0 + UInt8(bytes.count - 1) }
            if let value = try? RLP.decode(bytes) { #expect(value.encoded == bytes) }
        }
    }

    @Test("nesting past the limit is refused, and at the limit it decodes")
    func depth() throws {
        func nested(_ depth: Int) -> Bytes { (0..<depth).reduce(RLP.list([])) { value, _ in .list([value]) }.encoded }
        #expect(try RLP.decode(nested(63)).encoded == nested(63))
        #expect { try RLP.decode(nested(64)) } throws: { ($0 as? EthereumError)?.code == .limitExceeded }
    }

    @Test("integers have no leading zero and no more than 32 bytes")
    func integers() throws {
        #expect(throws: EthereumError.self) { try RLP.bytes([0]).asUInt256("x") }
        #expect(throws: EthereumError.self) { try RLP.bytes([0, 1]).asUInt256("x") }
        #expect(throws: EthereumError.self) { try RLP.bytes(Bytes(repeating: 1, count: 33)).asUInt256("x") }
        #expect(throws: EthereumError.self) { try RLP.bytes(Bytes(repeating: 1, count: 9)).asUInt64("x") }
        #expect(throws: EthereumError.self) { try RLP.list([]).asUInt256("x") }
        #expect(try RLP.bytes([]).asUInt256("x") == .zero)
    }
}
