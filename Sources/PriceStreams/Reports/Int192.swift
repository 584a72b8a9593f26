// The numbers of reports: int192 and uint192 as the ABI has them. Their ranges are kept by construction, so that what
// holds one can be encoded without a check.

import Ethereum

/// A signed number of 192 bits, held as its ABI word: two's complement, sign-extended to 256 bits.
package struct Int192: Hashable, Sendable, BitwiseCopyable {
    package let word: U256

    /// The canonical ABI word of an int192; nil when bits 191 to 255 are not all equal.
    @inlinable package init?(word: U256) {
        guard word.w3 == (word.w2 >> 63 == 1 ? UInt64.max : 0) else { return nil }
        self.word = word
    }

    private init(unchecked word: U256) {
        assert(Int192(word: word) != nil, "the word is sign-extended")
        self.word = word
    }

    package init(_ value: Int) {
        let magnitude = U256(UInt64(value.magnitude))
        word = value < 0 ? ~magnitude &+ .one : magnitude
    }

    /// nil when the number lies outside -2^191 ..< 2^191.
    package init?(magnitude: U256, isNegative: Bool) {
        guard magnitude.w3 == 0 else { return nil }
        let limit = U256.one << 191
        guard magnitude < limit || (isNegative && magnitude == limit) else { return nil }
        word = isNegative ? ~magnitude &+ .one : magnitude
    }

    /// Decimal text with an optional minus; throws `malformedNumber`, or `numberTooLarge` past the range.
    package init(decimal text: some StringProtocol) throws(PriceStreamsError) {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.count <= 80, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw PriceStreamsError(
                .malformedNumber, "'\(text.prefix(40))' is no decimal integer", hint: "digits, with a minus before them"
            )
        }
        guard let magnitude = try? U256(text: digits), let value = Int192(magnitude: magnitude, isNegative: isNegative)
        else {
            throw PriceStreamsError(
                .numberTooLarge, "\(text) does not fit int192", hint: "-2^191 to 2^191 - 1; is the scale right?")
        }
        self = value
    }

    package static let zero = Int192(0)
    package static let min = Int192(unchecked: U256(w0: 0, w1: 0, w2: 1 << 63, w3: .max))
    package static let max = Int192(unchecked: U256(w0: .max, w1: .max, w2: .max >> 1, w3: 0))

    @inlinable package var isNegative: Bool { word.isNegative }
    @inlinable package var isZero: Bool { word.isZero }
    package var isPositive: Bool { !isNegative && !isZero }
    /// The absolute value; that of `min` is 2^191.
    package var magnitude: U256 { isNegative ? ~word &+ .one : word }

    /// The sum; nil when it leaves the range.
    package func adding(_ other: Int192) -> Int192? { Int192(word: word &+ other.word) }
    /// The difference; nil when it leaves the range.
    package func subtracting(_ other: Int192) -> Int192? { Int192(word: word &- other.word) }

    /// |self - other|, which always fits 192 bits without a sign.
    package func distance(to other: Int192) -> U256 { self < other ? other.word &- word : word &- other.word }

    package var decimal: String { (isNegative ? "-" : "") + magnitude.decimal }
}

extension Int192: Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int) { self.init(value) }

    package static func < (a: Int192, b: Int192) -> Bool {
        a.isNegative == b.isNegative ? a.word < b.word : a.isNegative
    }

    package var description: String { decimal }
}

/// An unsigned number of 192 bits: fees.
package struct UInt192: Hashable, Sendable, BitwiseCopyable {
    package let word: U256

    /// nil from 2^192 on.
    @inlinable package init?(_ word: U256) {
        guard word.w3 == 0 else { return nil }
        self.word = word
    }

    package static let zero = UInt192(integerLiteral: 0)
    package var decimal: String { word.decimal }
}

extension UInt192: Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    package init(integerLiteral value: UInt64) { word = U256(value) }
    package static func < (a: UInt192, b: UInt192) -> Bool { a.word < b.word }
    package var description: String { decimal }
}
