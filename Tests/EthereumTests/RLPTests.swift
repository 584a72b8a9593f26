// RLP: round trips, and its strictness.

import Ethereum
import TestSupport
import Testing

@Suite("RLP")
struct RLPTests {
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

    @Test("items that stand one behind the other are cut apart, and torn ones are refused")
    func sequence() throws {
        let items: [RLP] = [.bytes([]), .bytes([1]), .list([.bytes(Bytes(repeating: 7, count: 60)), .list([])])]
        let bytes = items.flatMap(\.encoded)
        #expect(try RLP.sequence(bytes) == items.map(\.encoded))
        #expect(try RLP.sequence([]).isEmpty)
        #expect(throws: EthereumError.self) { try RLP.sequence(Bytes(bytes.dropLast())) }
        #expect(throws: EthereumError.self) { try RLP.sequence(bytes + [0xb8]) }
    }
}
