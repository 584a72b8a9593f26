// 256-bit words: identities under random words that like carries, and known edges.

import Ethereum
import TestSupport
import Testing

@Suite("U256")
struct U256Tests {
    @Test("sums, differences and products obey their identities")
    func ring() {
        var random = SplitMix64.forTest()
        for _ in 0..<20_000 {
            let (a, b, c) = (random.word(), random.word(), random.word())
            #expect((a &+ b) &- b == a)
            #expect(a &+ b == b &+ a)
            #expect((a &+ b) &+ c == a &+ (b &+ c))
            #expect(a &* b == b &* a)
            #expect(a &* (b &+ c) == a &* b &+ a &* c)
            #expect((a &* b) &* c == a &* (b &* c))
            #expect(a.addingReportingOverflow(b).overflow == (a > ~b))
            #expect(a.subtractingReportingOverflow(b).overflow == (a < b))
            #expect(a &+ a.negated == .zero)
            let (low, high) = a.fullProduct(with: b)
            #expect(low == a &* b)
            #expect(a.multipliedReportingOverflow(by: b).overflow == !high.isZero)
        }
    }

    @Test("the full product agrees with school multiplication by halves of 128 bits")
    func fullProduct() {
        var random = SplitMix64.forTest()
        let mask = U256.max >> 128
        for _ in 0..<5_000 {
            let (a, b) = (random.word(), random.word())
            let (a0, a1, b0, b1) = (a & mask, a >> 128, b & mask, b >> 128)
            // Four partial products of 256 bits each; none overflows.
            let (p00, p01, p10, p11) = (a0 &* b0, a0 &* b1, a1 &* b0, a1 &* b1)
            let middle = (p00 >> 128) &+ (p01 & mask) &+ (p10 & mask)
            let low = (middle << 128) | (p00 & mask)
            let high = p11 &+ (p01 >> 128) &+ (p10 >> 128) &+ (middle >> 128)
            let product = a.fullProduct(with: b)
            #expect(product.low == low && product.high == high, "\(a) * \(b), seed \(random.seed)")
        }
    }

    @Test("comparison goes by the highest limb that differs")
    func order() {
        var random = SplitMix64.forTest()
        for _ in 0..<20_000 {
            let (a, b) = (random.word(), random.word())
            let limbs = [(a.w3, b.w3), (a.w2, b.w2), (a.w1, b.w1), (a.w0, b.w0)]
            let first = limbs.first { $0.0 != $0.1 }
            #expect((a < b) == (first.map { $0.0 < $0.1 } ?? false), "\(a) < \(b)")
        }
    }

    @Test("division where digits of the quotient are the largest there are, and where a first guess is too large")
    func hardDigits() {
        var random = SplitMix64.forTest()
        for _ in 0..<20_000 {
            let limbs = 1 + random.below(4)
            let d = random.word() >> (256 - 64 * limbs + random.below(64))
            if d.isZero { continue }
            // Just below a multiple of the divisor, at each limb; the product's high half is just below the divisor.
            let scale = 64 * random.below(4)
            for a in [(d << scale) &- 1, (d << scale) &- d, (d << scale) &+ 1, ~(d << scale)] {
                let (q, r) = a.quotientAndRemainder(dividingBy: d)
                let (product, overflow) = q.multipliedReportingOverflow(by: d)
                #expect(!overflow && product &+ r == a && r < d, "\(a) / \(d)")
            }
            for b in [U256.max, .max &- U256(random.next() & 3), d &- 1] {
                guard let q = (d &- 1).multiplied(by: b, dividedBy: d) else { continue }
                let (low, high) = (d &- 1).fullProduct(with: b)
                let (backLow, backHigh) = q.fullProduct(with: d)
                let (r, borrow) = low.subtractingReportingOverflow(backLow)
                #expect(r < d && high == backHigh &+ (borrow ? 1 : 0), "\(b) / \(d)")
                #expect((d &- 1).multiplyingModulo(b, d) == r)
            }
        }
    }

    @Test("quotient times divisor plus remainder is the dividend, and the remainder is smaller")
    func division() {
        var random = SplitMix64.forTest()
        for _ in 0..<50_000 {
            let (a, d) = (random.word(), random.word())
            let (q, r) = a.quotientAndRemainder(dividingBy: d)
            if d.isZero {
                #expect(q.isZero && r.isZero)
                continue
            }
            let (product, overflow) = q.multipliedReportingOverflow(by: d)
            #expect(!overflow && product &+ r == a && r < d, "\(a) / \(d), seed \(random.seed)")
        }
    }

    /// (high * 2^256 + low) mod m, one bit after the other.
    private func slowRemainder(_ low: U256, _ high: U256, _ m: U256) -> U256 {
        var rest = U256.zero
        for bit in stride(from: 511, through: 0, by: -1) {
            let carry = rest.isNegative
            rest = rest << 1
            let word = bit >= 256 ? high : low
            if !((word >> (bit & 255)) & 1).isZero { rest = rest | 1 }
            if carry || rest >= m { rest = rest &- m }
        }
        return rest
    }

    @Test("addmod and mulmod agree with long division bit by bit")
    func modular() {
        var random = SplitMix64.forTest()
        for _ in 0..<2_000 {
            let (a, b, m) = (random.word(), random.word(), random.word())
            if m.isZero {
                #expect(a.addingModulo(b, m).isZero && a.multiplyingModulo(b, m).isZero)
                continue
            }
            let (low, high) = a.fullProduct(with: b)
            #expect(a.multiplyingModulo(b, m) == slowRemainder(low, high, m), "\(a) * \(b) mod \(m)")
            let (sum, carry) = a.addingReportingOverflow(b)
            #expect(a.addingModulo(b, m) == slowRemainder(sum, carry ? 1 : 0, m), "\(a) + \(b) mod \(m)")
        }
    }

    @Test("a product divided: exact over 512 bits, nil when it does not fit")
    func productDivided() {
        var random = SplitMix64.forTest()
        for _ in 0..<5_000 {
            let (a, b, d) = (random.word(), random.word(), random.word())
            let (low, high) = a.fullProduct(with: b)
            guard let q = a.multiplied(by: b, dividedBy: d) else {
                #expect(d.isZero || high >= d)
                continue
            }
            let (backLow, backHigh) = q.fullProduct(with: d)
            let (restLow, borrow) = low.subtractingReportingOverflow(backLow)
            let restHigh = high &- backHigh &- (borrow ? 1 : 0)
            #expect(restHigh.isZero && restLow < d, "\(a) * \(b) / \(d), seed \(random.seed)")
        }
    }

    @Test("shifts agree with multiplication and division by powers of two, at every distance")
    func shifts() {
        var random = SplitMix64.forTest()
        for distance in 0...300 {
            let a = random.word()
            if distance < 256 {
                let power = (0..<distance).reduce(U256.one) { value, _ in value &+ value }
                #expect(a << distance == a &* power)
                #expect(a >> distance == a / power)
            } else {
                #expect(a << distance == .zero && a >> distance == .zero)
            }
        }
        #expect(U256.one.bitWidth == 1 && U256.zero.bitWidth == 0 && U256.max.bitWidth == 256)
    }

    @Test("bits: complement, and, or, exclusive or")
    func bits() {
        var random = SplitMix64.forTest()
        for _ in 0..<2_000 {
            let (a, b) = (random.word(), random.word())
            #expect(~(a & b) == (~a | ~b))
            #expect(a ^ b == (a | b) &- (a & b))
            #expect(a.negated == ~a &+ 1)
        }
    }

    @Test("text and bytes survive a round trip")
    func text() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<2_000 {
            let a = random.word()
            #expect(try U256(text: a.decimal) == a)
            #expect(try U256(text: a.hex) == a)
            #expect(U256(bigEndianBytes: a.bytes) == a)
            #expect(U256(bigEndianBytes: a.minimalBytes) == a)
            #expect(a.minimalBytes.first != 0 && a.minimalBytes.count == a.byteWidth)
        }
    }

    @Test(
        "known texts",
        arguments: [
            ("0", "0x0"), ("1", "0x1"), ("18446744073709551615", "0xffffffffffffffff"),
            ("18446744073709551616", "0x10000000000000000"), ("10000000000000000000", "0x8ac7230489e80000"),
            ("100000000000000000000000000000000000000", "0x4b3b4ca85a86c47a098a224000000000"),
            (
                "115792089237316195423570985008687907853269984665640564039457584007913129639935",
                "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            ),
        ])
    func known(decimal: String, hex: String) throws {
        #expect(try U256(text: decimal).hex == hex)
        #expect(try U256(text: hex).decimal == decimal)
    }

    @Test(
        "texts that are no words are refused",
        arguments: [
            "", "0x", "-1", "+1", " 1", "1 ", "1e3", "0xg", "x", "1_000",
            "115792089237316195423570985008687907853269984665640564039457584007913129639936",
            "0x10000000000000000000000000000000000000000000000000000000000000000",
        ])
    func refused(text: String) {
        #expect { try U256(text: text) } throws: { ($0 as? EthereumError)?.code == .malformedNumber }
    }
}
