// Exact decimals: text, order, arithmetic against wide integers, canonical bytes.

import Ethereum
import PriceStreams
import TestSupport
import Testing

func decimal(_ text: String) throws -> Decimal { try Decimal(text: text) }

@Suite("Decimals")
struct DecimalTests {
    @Test(
        "text is read and printed in lowest terms",
        arguments: [
            ("0", "0"), ("-0", "0"), ("0.000", "0"), ("1.500", "1.5"), ("-1.5", "-1.5"), ("+7", "7"), ("1200", "1200"),
            ("0.000000000000000001", "0.000000000000000001"), ("1e3", "1000"), ("12.5E-2", "0.125"), ("007", "7"),
            (
                "115792089237316195423570985008687907853269984665640564039457584007913129639935",
                "115792089237316195423570985008687907853269984665640564039457584007913129639935"
            ),
            ("22650119.000000000000000042", "22650119.000000000000000042"),
        ])
    func text(written: String, printed: String) throws {
        #expect(try decimal(written).description == printed)
        #expect(try decimal(printed) == decimal(written))
    }

    @Test(
        "what is no number is refused",
        arguments: [
            "", "-", ".5", "5.", "1.2.3", "1e", "1e+", "0x10", " 1", "1 ", "1_000", "NaN", "１", "1e1001", "1e-1001",
            "1e99999",
            "115792089237316195423570985008687907853269984665640564039457584007913129639936", "1,5",
        ])
    func bad(text: String) {
        #expect(throws: PriceStreamsError.self, "'\(text)'") { try Decimal(text: text) }
    }

    /// Small coefficients and exponents, for which 128 bits are an independent reference.
    static func random(_ g: inout SplitMix64) -> (value: Decimal, coefficient: Int128, power: Int) {
        let magnitude = UInt64.random(in: 0...(1 << UInt64(g.below(40))), using: &g)
        let coefficient = Int128(magnitude) * (g.below(2) == 0 ? 1 : -1)
        let power = -g.below(13)
        let value = Decimal(isNegative: coefficient < 0, magnitude: U256(magnitude), exponent: power)
        return (value ?? .zero, coefficient, power)
    }

    static func scaled(_ item: (value: Decimal, coefficient: Int128, power: Int)) -> Int128 {
        var value = item.coefficient
        for _ in 0..<(12 + item.power) { value *= 10 }
        return value
    }

    @Test("order, sums, products and quotients agree with 128-bit integers in 20,000 cases")
    func arithmetic() throws {
        var g = SplitMix64.forTest()
        for _ in 0..<20_000 {
            let (a, b) = (Self.random(&g), Self.random(&g))
            let (x, y) = (Self.scaled(a), Self.scaled(b))
            #expect((a.value < b.value) == (x < y) && (a.value == b.value) == (x == y), "\(a.value) \(b.value)")
            let sum = x + y
            let expected = Decimal(isNegative: sum < 0, magnitude: U256(sum.magnitude), exponent: -12)
            #expect(a.value.adding(b.value) == expected, "\(a.value) + \(b.value)")
            #expect(a.value.adding(b.value)?.subtracting(b.value) == a.value)
            let product = a.coefficient * b.coefficient
            let times = Decimal(
                isNegative: product < 0, magnitude: U256(product.magnitude), exponent: a.power + b.power)
            #expect(a.value.multiplied(by: b.value) == times, "\(a.value) * \(b.value)")
            #expect(a.value.truncated(times: 1_000) == U256((x / 1_000_000_000).magnitude), "\(a.value)")
            guard y != 0 else {
                #expect(a.value.divided(by: b.value, places: 3) == nil)
                continue
            }
            // Halves away from zero, three places.
            let (q, r) = (x.magnitude * 1_000).quotientAndRemainder(dividingBy: y.magnitude)
            let rounded = r * 2 >= y.magnitude ? q + 1 : q
            let quotient = Decimal(isNegative: (x < 0) != (y < 0), magnitude: U256(rounded), exponent: -3)
            #expect(a.value.divided(by: b.value, places: 3) == quotient, "\(a.value) / \(b.value)")
        }
    }

    @Test("extreme exponents compare, and results that do not fit are nil, never wrong")
    func extremes() throws {
        let (huge, tiny) = (try decimal("1e1000"), try decimal("1e-1000"))
        #expect(tiny < huge && huge.negated < tiny.negated && .zero < tiny && tiny.negated < .zero && !(huge < tiny))
        #expect(huge.adding(tiny) == nil && huge.multiplied(by: huge) == nil && huge.truncated(times: 1) == nil)
        #expect(tiny.truncated(times: .max) == .zero && huge.divided(by: tiny, places: 18) == nil)
        #expect(tiny.divided(by: huge, places: 18) == .zero)
        let most = try #require(Decimal(magnitude: .max))
        #expect(most.adding(.one) == nil && most.adding(.one.negated) != nil && most.multiplied(by: .one) == most)
        #expect(try most.truncated(times: .max) == nil && decimal("1e-77").truncated(times: .max) == 1)
        #expect(try decimal("5e-78").truncated(times: .max) == .zero)
        #expect(huge.differs(from: tiny, byMoreThan: 1) && !huge.differs(from: huge, byMoreThan: 1))
    }

    @Test("a difference is more than a limit only past it")
    func differences() throws {
        let (a, limit) = (try decimal("100"), 100_000_000 as UInt64)
        #expect(try !decimal("110").differs(from: a, byMoreThan: limit))
        #expect(try decimal("110.000000000000000001").differs(from: a, byMoreThan: limit))
        #expect(try !decimal("90").differs(from: a, byMoreThan: limit))
        #expect(try decimal("89.99").differs(from: a, byMoreThan: limit))
        #expect(
            try decimal("0.1").differs(from: .zero, byMoreThan: limit)
                && !Decimal.zero.differs(from: .zero, byMoreThan: 1))
        #expect(try !decimal("-110").differs(from: a.negated, byMoreThan: limit))
    }

    @Test("one number has one encoding, and others are refused")
    func bytes() throws {
        #expect(try decimal("-1.5").bytes == [0xff, 0xff, 0xff, 0xff, 1, 15])
        #expect(Decimal.zero.bytes == [0, 0, 0, 0, 0])
        #expect(try decimal("256").bytes == [0, 0, 0, 0, 0, 1, 0])
        var g = SplitMix64.forTest()
        for _ in 0..<2_000 {
            let value = try #require(
                Decimal(isNegative: g.below(2) == 0, magnitude: g.word(), exponent: g.below(900) - 450))
            #expect(try Decimal(bytes: value.bytes) == value)
            #expect(try Decimal(text: value.description) == value)
        }
        let wrong: [Bytes] = [
            [], [0, 0, 0, 0], [0, 0, 0, 0, 2, 1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 10], [0, 0, 0, 0, 1],
            [0, 0, 0, 1, 0], [0, 0, 3, 0xe9, 0, 1], [0x80, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0] + Bytes(repeating: 1, count: 33),
        ]
        for bytes in wrong { #expect(throws: PriceStreamsError.self, "\(bytes)") { try Decimal(bytes: bytes) } }
    }
}
