// Contracts that prices are read from and that are no part of CCIP: price feeds, and the fee oracles of rollups.

import Ethereum

/// `latestRoundData` of an aggregator.
package struct FeedRound: Hashable, Sendable {
    package let id: U256
    /// In the feed's own decimals; nil when it is 0 or negative, which no price is.
    package let answer: U256?
    /// Seconds of the chain's clock; 0 while the round is incomplete.
    package let updatedAt: UInt64
    package let answeredInRound: U256

    package init(id: U256, answer: U256?, updatedAt: UInt64, answeredInRound: U256) {
        self.id = id
        self.answer = answer
        self.updatedAt = updatedAt
        self.answeredInRound = answeredInRound
    }

    /// USD with 18 decimals for 10^18 of the token's smallest units (3.6 of the off-chain specification):
    /// `answer · 10^(18 - feedDecimals) · 10^(18 - tokenDecimals)`. Nil for an answer that must not be used: none,
    /// incomplete, carried over from an earlier round, older than `maximumAgeSeconds` at the chain's time `now`, or out
    /// of the range of a price.
    package func price(
        feedDecimals: UInt8, tokenDecimals: UInt8, maximumAgeSeconds: UInt64, now: UInt64
    ) -> U256? {
        guard let answer, updatedAt > 0, answeredInRound >= id,
            now <= updatedAt || now - updatedAt <= maximumAgeSeconds
        else { return nil }
        return FeeQuoterUnit.price(answer, decimals: feedDecimals, tokenDecimals: tokenDecimals)
    }
}

/// The unit in which a FeeQuoter keeps the prices of tokens: USD with 18 decimals for 10^18 of their smallest units.
package enum FeeQuoterUnit {
    package static let decimalsMaximum: UInt8 = 36

    /// `answer` is the price of one whole token, in USD with `decimals`. Nil when it comes to 0 or to more than 224 bits, or
    /// when either number of decimals is beyond 36: no price is better than a wrong one.
    package static func price(_ answer: U256, decimals: UInt8, tokenDecimals: UInt8) -> U256? {
        guard decimals <= decimalsMaximum, tokenDecimals <= decimalsMaximum else { return nil }
        let places = 36 - Int(decimals) - Int(tokenDecimals)
        let power = (0..<abs(places)).reduce(U256.one) { product, _ in product * 10 }
        let price = places >= 0 ? answer.multiplied(by: power, dividedBy: .one) : answer / power
        guard let price, !price.isZero, UInt224(price) != nil else { return nil }
        return price
    }
}

package enum PriceFeedCalls {
    package static let latestRoundDataFunction = ABIFunction(
        constant: "latestRoundData()", returns: "(uint80,int256,uint256,uint256,uint80)")
    private static let decimalsFunction = ABIFunction(constant: "decimals()", returns: "(uint8)")

    package static func latestRoundData() -> ContractCall<FeedRound> {
        ContractCall(latestRoundDataFunction) { cursor throws(CCIPError) in
            let id = try cursor.uint256()
            let answer = try cursor.positive()
            _ = try cursor.uint256()
            let updatedAt = try cursor.uint256().asUInt64 ?? 0
            return FeedRound(id: id, answer: answer, updatedAt: updatedAt, answeredInRound: try cursor.uint256())
        }
    }

    package static func decimals() -> ContractCall<UInt8> {
        ContractCall(decimalsFunction) { cursor throws(CCIPError) in try cursor.uint8() }
    }
}

/// What a unit of data costs on the chain below a rollup, in wei of the rollup's coin.
package enum RollupFeeCalls {
    /// Arbitrum: `ArbGasInfo`.
    package static func l1BaseFeeEstimate() -> ContractCall<U256> { word("getL1BaseFeeEstimate()") }
    /// OP stack: `GasPriceOracle`; also what other rollups' oracles have.
    package static func l1BaseFee() -> ContractCall<U256> { word("l1BaseFee()") }
    package static func baseFeeScalar() -> ContractCall<U256> { word("baseFeeScalar()", "(uint32)") }
    package static func blobBaseFee() -> ContractCall<U256> { word("blobBaseFee()") }
    package static func blobBaseFeeScalar() -> ContractCall<U256> { word("blobBaseFeeScalar()", "(uint32)") }

    private static func word(_ signature: String, _ returns: String = "(uint256)") -> ContractCall<U256> {
        ContractCall(ABIFunction(constant: signature, returns: returns)) { cursor throws(CCIPError) in
            try cursor.uint256()
        }
    }

    /// OP stack since Ecotone: `(16 · baseFee · baseFeeScalar + blobBaseFee · blobBaseFeeScalar) / (16 · 10^6)`.
    /// Nil when it does not fit.
    package static func optimismPrice(
        baseFee: U256, baseFeeScalar: U256, blobBaseFee: U256, blobBaseFeeScalar: U256
    ) -> U256? {
        let unit = U256(16_000_000 as UInt64)
        guard baseFee.bitWidth <= 128, blobBaseFee.bitWidth <= 128, baseFeeScalar.bitWidth <= 32,
            blobBaseFeeScalar.bitWidth <= 32
        else { return nil }
        return (U256(16 as UInt64) * baseFee * baseFeeScalar + blobBaseFee * blobBaseFeeScalar) / unit
    }
}

extension ABICursor {
    /// A signed number; nil unless it is above 0.
    mutating func positive() throws(CCIPError) -> U256? {
        let word = try signed()
        return word.isZero || word.bitWidth == 256 ? nil : word
    }
}
