// The integer types of a payload: which numbers fit, and their words and packed bytes (5.7).

import Ethereum

package struct SolidityInteger: Hashable, Sendable, CustomStringConvertible {
    package let isSigned: Bool
    /// 8, 16, ... 256; 0 is `bytes0`, which takes no room and is known to packed reports only.
    package let bits: Int

    /// `int8` ... `uint256`; the width is mandatory.
    package init(_ text: String, allowsNothing: Bool = false) throws(PriceStreamsError) {
        if text == "bytes0", allowsNothing {
            isSigned = false
            bits = 0
            return
        }
        isSigned = text.hasPrefix("int")
        let prefix = isSigned ? "int" : "uint"
        let width = text.dropFirst(prefix.count)
        guard text.hasPrefix(prefix), let bits = Int(width), String(bits) == width, bits % 8 == 0,
            (8...256).contains(bits)
        else {
            throw PriceStreamsError(.badSolidityType, "'\(text.prefix(40))'", hint: "int8, uint16, ... int192, uint256")
        }
        self.bits = bits
    }

    package var description: String { bits == 0 ? "bytes0" : (isSigned ? "int" : "uint") + String(bits) }

    /// Whether ±magnitude is a number of this type.
    package func holds(isNegative: Bool, _ magnitude: U256) -> Bool {
        if bits == 0 { return true }
        guard isSigned else { return (!isNegative || magnitude.isZero) && magnitude.bitWidth <= bits }
        if magnitude.bitWidth < bits { return true }
        return isNegative && magnitude == U256.one << (bits - 1)
    }

    /// The two's complement word; throws `valueOutOfRange`.
    package func word(isNegative: Bool, _ magnitude: U256) throws(PriceStreamsError) -> U256 {
        guard holds(isNegative: isNegative, magnitude) else {
            throw PriceStreamsError(
                .valueOutOfRange, "\(isNegative ? "-" : "")\(magnitude) is no \(self)",
                hint: "check the multiplier and the type of the channel's abi entry")
        }
        return isNegative ? magnitude.negated : magnitude
    }

    /// trunc(value × multiplier) as a word.
    package func word(_ value: Decimal, times multiplier: U256) throws(PriceStreamsError) -> U256 {
        guard let magnitude = value.truncated(times: multiplier) else {
            throw PriceStreamsError(
                .valueOutOfRange, "\(value) times \(multiplier) does not fit 256 bits", hint: "check the multiplier")
        }
        return try word(isNegative: value.isNegative, magnitude)
    }

    /// The last `bits / 8` bytes of a word of this type.
    package func packed(_ word: U256) -> ArraySlice<UInt8> { word.bytes.suffix(bits / 8) }
}
