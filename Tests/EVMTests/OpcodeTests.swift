// Each family of opcodes: its results, its edges, and the ways in which it halts.

import Ethereum
import TestSupport
import Testing

@testable import EVM

@Suite("Opcodes")
struct OpcodeTests {
    static let minusOne = U256.max
    static let lowest = U256.one << 255

    @Test(
        "two-operand opcodes give the specified word",
        arguments: [
            (0x01, U256.max, 1, 0), (0x02, lowest, 2, 0), (0x03, 0, 1, minusOne), (0x04, 7, 0, 0), (0x04, 7, 2, 3),
            (0x05, lowest, minusOne, lowest), (0x05, U256(7).negated, 2, U256(3).negated), (0x05, 1, 0, 0),
            (0x06, 7, 0, 0), (0x07, U256(7).negated, 4, U256(3).negated), (0x07, 7, U256(4).negated, 3),
            (0x0a, 0, 0, 1), (0x0a, 2, 255, lowest), (0x0a, 2, 256, 0), (0x0b, 0, 0xff, minusOne),
            (0x0b, 31, 0xff, 0xff), (0x0b, 0, 0x17f, 0x7f), (0x12, minusOne, 0, 1), (0x13, 0, minusOne, 1),
            (0x12, lowest, lowest >> 1, 1), (0x1a, 31, 0xab, 0xab), (0x1a, 32, 0xab, 0), (0x1b, 256, 1, 0),
            (0x1b, 255, 1, lowest), (0x1c, 256, minusOne, 0), (0x1d, 256, lowest, minusOne), (0x1d, 1, 4, 2),
            (0x1d, U256.max, 5, 0), (0x1d, 255, lowest, minusOne), (0x10, 1, 2, 1), (0x11, 1, 2, 0), (0x14, 3, 3, 1),
        ] as [(UInt8, U256, U256, U256)])
    func twoOperands(_ opcode: UInt8, _ top: U256, _ below: U256, _ expected: U256) throws {
        let code = Bytecode.push(below) + Bytecode.push(top) + [opcode]
        #expect(try Bench.top(code) == expected)
    }

    @Test("modular sums and products keep the bits beyond 256, and are zero for a zero modulus")
    func modular() throws {
        func run(_ opcode: UInt8, _ a: U256, _ b: U256, _ m: U256) throws -> U256? {
            try Bench.top(Bytecode.push(m) + Bytecode.push(b) + Bytecode.push(a) + [opcode])
        }
        #expect(try run(0x08, .max, .max, .max &- 1) == 2)
        #expect(try run(0x08, 5, 6, 0) == 0)
        #expect(try run(0x09, .max, .max, 12) == 9)
        #expect(try run(0x09, .max, .max, 0) == 0)
    }

    @Test("powers obey their laws, and those of powers of two are shifts")
    func powers() {
        var random = SplitMix64.forTest()
        for _ in 0..<500 {
            let (a, m, n) = (random.word(), random.word() >> 1, random.word() >> 1)
            #expect(a.raised(to: m &+ n) == a.raised(to: m) &* a.raised(to: n), "\(a), \(m), \(n)")
            let small = UInt64(random.below(40))
            let product = (0..<small).reduce(U256.one) { product, _ in product &* a }
            #expect(a.raised(to: U256(small)) == product, "\(a) to \(small)")
        }
        for shift in 0..<64 {
            for exponent in [0, 1, 3, 64, 200, 255, 256, UInt64.max] {
                let bits = UInt64(shift).multipliedReportingOverflow(by: exponent)
                let expected = bits.overflow || bits.partialValue > 255 ? .zero : U256.one << Int(bits.partialValue)
                #expect((U256.one << shift).raised(to: U256(exponent)) == expected, "2^\(shift) to \(exponent)")
            }
        }
        #expect(U256(2).raised(to: U256.one << 64) == .zero)
    }

    @Test("products, shifts, signs and bytes agree with their plain definitions for random words")
    func plainDefinitions() {
        var random = SplitMix64.forTest()
        for _ in 0..<20_000 {
            let (a, b) = (random.word(), random.word())
            #expect(a.times(b) == a.fullProduct(with: b).low)
            let n = random.below(260)
            let word = U256(n)
            #expect(a.shiftedLeft(byWord: word) == a << n && a.shiftedRight(byWord: word) == a >> n)
            let sign = a.isNegative ? U256.max << max(256 - n, 0) : .zero
            #expect(a.shiftedRightSigned(byWord: word) == (n == 0 ? a : a >> n | sign), "\(a) by \(n)")
            #expect(a.byte(at: word) == (n < 32 ? (a >> (248 - 8 * n)) & 255 : .zero))
            let index = random.below(34)
            let spare = 248 - 8 * index
            let extended = spare > 0 ? (a << spare).shiftedRightSigned(byWord: U256(spare)) : a
            #expect(a.signExtended(from: U256(index)) == extended, "\(a) from \(index)")
            #expect(a.isLessSigned(than: b) == (a.isNegative == b.isNegative ? a < b : a.isNegative))
        }
    }

    @Test("each byte is the opcode of its value, so the loop may take bytes for opcodes")
    func bytes() {
        #expect(Opcode.allCases.count == 256)
        for byte in UInt8.min...UInt8.max {
            #expect(Opcode(byte) == Opcode(rawValue: byte) && Opcode(byte).rawValue == byte)
        }
        #expect(Opcode(0x5b) == .jumpdest && Opcode(0x7f) == .push32 && Opcode(0x9f) == .swap16)
    }

    @Test("code sees its message and its block")
    func environment() throws {
        let cases: [(UInt8, U256)] = [
            (0x30, Bench.contract.word), (0x32, Bench.sender.word), (0x33, Bench.sender.word), (0x34, 5), (0x36, 2),
            (0x3a, 9), (0x41, Bench.coinbase.word), (0x42, 1_700_000_000), (0x43, 1000), (0x44, 0xabcd),
            (0x45, 1 << 40), (0x46, 1), (0x47, 1005), (0x48, 7), (0x4a, 3), (0x58, 0), (0x59, 0), (0x3d, 0),
        ]
        for (opcode, expected) in cases {
            let got = try Bench.top([opcode], data: [0xaa, 0xbb], value: 5)
            #expect(got == expected, "opcode \(String(opcode, radix: 16))")
        }
        #expect(try Bench.top([0x5f, 0x35], data: [0xaa, 0xbb]) == U256(0xaabb) << 240)
        #expect(try Bench.top(Bytecode.push(.max) + [0x35], data: [1]) == 0)
        #expect(try Bench.top(Bytecode.push(999) + [0x40]) == keccak256(text: "999").word)
        #expect(try Bench.top(Bytecode.push(1000) + [0x40]) == 0)
        #expect(try Bench.top(Bytecode.push(743) + [0x40]) == 0)
        #expect(try Bench.top(Bytecode.push(744) + [0x40]) == keccak256(text: "744").word)
    }

    @Test("every PUSH takes its bytes, also past the end of the code")
    func pushes() throws {
        for count in 1...32 {
            let data = (1...count).map { UInt8($0) }
            let expected = try #require(U256(bigEndianBytes: data))
            #expect(try Bench.top([0x5f + UInt8(count)] + data) == expected, "PUSH\(count)")
            let cut = Bench(.prague, Bytecode([0x5f + UInt8(count)]))
            #expect(try cut.call().succeeded)
        }
    }

    @Test("every DUP and SWAP reaches its depth and not beyond")
    func depths() throws {
        for n in 1...16 {
            let pushes = (1...17).flatMap { Bytecode.push(U256(UInt64($0))) }
            #expect(try Bench.top(pushes + [0x7f + UInt8(n)]) == U256(UInt64(18 - n)))
            #expect(try Bench.top(pushes + [0x8f + UInt8(n)]) == U256(UInt64(17 - n)))
            let few = (1..<n).flatMap { Bytecode.push(U256(UInt64($0))) }
            #expect(try Bench(.prague, Bytecode(few + [0x7f + UInt8(n)])).call().status == .halt(.stackUnderflow))
            #expect(
                try Bench(.prague, Bytecode(few + [0x60, 1, 0x8f + UInt8(n)])).call().status == .halt(.stackUnderflow))
        }
    }

    @Test("each opcode halts on a stack that is too short")
    func underflow() throws {
        let needs: [(ClosedRange<UInt8>, Int)] = [
            (0x01...0x07, 2), (0x08...0x09, 3), (0x0a...0x0b, 2), (0x10...0x14, 2), (0x15...0x15, 1), (0x16...0x18, 2),
            (0x19...0x19, 1), (0x1a...0x1d, 2), (0x20...0x20, 2), (0x31...0x31, 1), (0x35...0x35, 1), (0x37...0x37, 3),
            (0x39...0x39, 3), (0x3b...0x3b, 1), (0x3c...0x3c, 4), (0x3e...0x3e, 3), (0x3f...0x40, 1), (0x49...0x49, 1),
            (0x50...0x51, 1), (0x52...0x53, 2), (0x54...0x54, 1), (0x55...0x55, 2), (0x56...0x56, 1), (0x57...0x57, 2),
            (0x5c...0x5c, 1), (0x5d...0x5d, 2), (0x5e...0x5e, 3), (0xa0...0xa0, 2), (0xa4...0xa4, 6), (0xf0...0xf0, 3),
            (0xf1...0xf2, 7), (0xf3...0xf3, 2), (0xf4...0xf4, 6), (0xf5...0xf5, 4), (0xfa...0xfa, 6), (0xfd...0xfd, 2),
            (0xff...0xff, 1),
        ]
        for (opcodes, count) in needs {
            for opcode in opcodes {
                let code = Bytes(repeating: 0x5f, count: count - 1) + [opcode]
                let status = try Bench(.prague, Bytecode(code)).call().status
                #expect(status == .halt(.stackUnderflow), "opcode \(String(opcode, radix: 16))")
            }
        }
    }

    @Test("the stack holds 1024 words and not one more")
    func overflow() throws {
        let full = Bytes(repeating: 0x5f, count: 1024)
        #expect(try Bench(.prague, Bytecode(full)).call().succeeded)
        let pushing: [UInt8] = [
            0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3d, 0x43, 0x47, 0x58, 0x59, 0x5a, 0x5f, 0x60, 0x61, 0x63, 0x73, 0x7f,
            0x80, 0x8f,
        ]
        for opcode in pushing {
            let status = try Bench(.prague, Bytecode(full + [opcode])).call().status
            #expect(status == .halt(.stackOverflow), "opcode \(String(opcode, radix: 16))")
        }
    }

    @Test("jumps land on JUMPDEST only, never inside the data of a PUSH")
    func jumps() throws {
        #expect(try Bench(.prague, [[0x60, 4, 0x56, 0xfe, 0x5b]]).call().succeeded)
        for code in [[0x60, 3, 0x56, 0x00], [0x60, 5, 0x56, 0x60, 0x5b, 0x5b], [0x60, 200, 0x56]] as [Bytes] {
            let right = code == [0x60, 5, 0x56, 0x60, 0x5b, 0x5b]
            #expect(try Bench(.prague, Bytecode(code)).call().succeeded == right)
        }
        #expect(try Bench(.prague, [[0x60, 4, 0x56, 0x60, 0x5b]]).call().status == .halt(.invalidJump))
        #expect(try Bench(.prague, [Bytecode.push(U256.one << 64 | 0), [0x56]]).call().status == .halt(.invalidJump))
        #expect(try Bench(.prague, [[0x5f, 0x60, 99, 0x57]]).call().succeeded, "an untaken JUMPI has no target")
    }

    @Test("opcodes that no fork has, and those of later forks, are invalid")
    func invalid() throws {
        for opcode in [0x0c, 0x1e, 0x21, 0x4b, 0xa5, 0xb0, 0xef, 0xf6, 0xfb, 0xfe] as [UInt8] {
            let code = Bytes(repeating: 0x5f, count: 8) + [opcode]
            #expect(try Bench(.prague, Bytecode(code)).call().status == .halt(.invalidOpcode))
        }
        for opcode in [0x49, 0x4a, 0x5c, 0x5d, 0x5e] as [UInt8] {
            let code = Bytes(repeating: 0x5f, count: 8) + [opcode]
            #expect(try Bench(.shanghai, Bytecode(code)).call().status == .halt(.invalidOpcode))
            #expect(try Bench(.cancun, Bytecode(code)).call().succeeded)
        }
    }

    @Test("memory copies overlap, pad with zeros, and refuse return data that is not there")
    func copies() throws {
        // MSTORE(0, 0x01..20); MCOPY(1, 0, 32); MLOAD(1)
        let word = try #require(U256(bigEndianBytes: (1...32).map { UInt8($0) }))
        #expect(
            try Bench.top(Bytecode.push(word) + [0x5f, 0x52, 0x60, 32, 0x5f, 0x60, 1, 0x5e, 0x60, 1, 0x51]) == word)
        #expect(try Bench.top([0x60, 2, 0x60, 1, 0x5f, 0x37, 0x5f, 0x51], data: [1, 2]) == U256(2) << 248)
        #expect(try Bench(.prague, [[0x60, 1, 0x5f, 0x5f, 0x3e]]).call().status == .halt(.returnDataOutOfBounds))
        let wide = Bytecode.push(.max)
        #expect(try Bench(.prague, [[0x5f], wide, [0x5f, 0x3e]]).call().status == .halt(.returnDataOutOfBounds))
        #expect(
            try Bench(.prague, [[0x5f], wide, wide, [0x37]]).call().succeeded, "no byte is copied, so none is paid")
    }
}
