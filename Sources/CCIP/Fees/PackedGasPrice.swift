// Prices as the FeeQuoter stores them: 224-bit numbers, and the pair of gas prices packed into one (15.1).

import Ethereum

/// A number below 2^224, so that its encoding cannot fail.
package struct UInt224: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: U256

    /// Nil at 2^224 and above.
    package init?(_ value: U256) {
        guard value.bitWidth <= 224 else { return nil }
        self.value = value
    }

    package init(_ value: UInt64) { self.value = U256(value) }
    package static let zero = UInt224(0 as UInt64)
    package static func < (a: UInt224, b: UInt224) -> Bool { a.value < b.value }
    package var description: String { value.decimal }
}

/// Execution price in the low 112 bits, data availability price in the high 112; USD with 18 decimals per unit of gas.
package struct PackedGasPrice: Hashable, Sendable {
    package static let partBits = 112

    package let execution: U256
    package let dataAvailability: U256

    /// Throws `priceTooLarge` when a part does not fit 112 bits: it would spill into the other.
    package init(execution: U256, dataAvailability: U256) throws(CCIPError) {
        guard execution.bitWidth <= Self.partBits, dataAvailability.bitWidth <= Self.partBits else {
            throw CCIPError(
                .priceTooLarge, "gas price \(execution) / \(dataAvailability) does not fit 112 bits each",
                hint: "check the units of the price feed and of the gas price")
        }
        self.execution = execution
        self.dataAvailability = dataAvailability
    }

    package init(_ packed: UInt224) {
        execution = packed.value & ((U256.one << Self.partBits) &- U256.one)
        dataAvailability = packed.value >> Self.partBits
    }

    package var packed: UInt224 {
        UInt224(dataAvailability << Self.partBits | execution) ?? .zero
    }
}

/// When a price has moved enough to be written again (3.5 of the off-chain specification).
package enum PriceDeviation {
    /// True when the two differ by more than `partsPerBillion` of the smaller one; a zero deviates from anything else.
    package static func deviates(_ a: U256, _ b: U256, partsPerBillion: U256) -> Bool {
        if a.isZero || b.isZero { return a != b }
        let low = min(a, b)
        let difference = max(a, b) - low
        // floor(difference * 10^9 / low); a quotient past 256 bits is more than any threshold.
        guard let parts = difference.multiplied(by: 1_000_000_000, dividedBy: low) else { return true }
        return parts > partsPerBillion
    }
}
