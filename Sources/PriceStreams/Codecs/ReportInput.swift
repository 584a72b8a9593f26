// What a codec is given, and the parts of a report that all EVM codecs share: range, header, fees.

import Ethereum

package struct ReportInput: Sendable {
    package var channelID: ChannelID
    package var validAfterNanoseconds: UInt64
    package var observationTimestampNanoseconds: UInt64
    /// One for each of the channel's values; nil where the round has none.
    package var values: [StreamValue?]
    package var sequenceNumber: UInt64
    package var configurationDigest: Hash32
    package var isSpecimen: Bool

    package init(
        channelID: ChannelID, validAfterNanoseconds: UInt64, observationTimestampNanoseconds: UInt64,
        values: [StreamValue?], sequenceNumber: UInt64, configurationDigest: Hash32, isSpecimen: Bool = false
    ) {
        self.channelID = channelID
        self.validAfterNanoseconds = validAfterNanoseconds
        self.observationTimestampNanoseconds = observationTimestampNanoseconds
        self.values = values
        self.sequenceNumber = sequenceNumber
        self.configurationDigest = configurationDigest
        self.isSpecimen = isSpecimen
    }

    func value(_ index: Int) throws(PriceStreamsError) -> StreamValue {
        guard values.indices.contains(index), let value = values[index] else {
            throw PriceStreamsError(
                .missingValue, "channel \(channelID), value \(index)", hint: "the round did not agree on that stream")
        }
        return value
    }

    /// A price that only fees depend on may be missing.
    func price(_ index: Int) throws(PriceStreamsError) -> Decimal? {
        guard values.indices.contains(index), let value = values[index] else { return nil }
        guard case .decimal(let price) = value else {
            throw wrongKind(index, "a fee price is a plain number")
        }
        return price
    }

    func wrongKind(_ index: Int, _ hint: String) -> PriceStreamsError {
        PriceStreamsError(.wrongValueKind, "channel \(channelID), value \(index)", hint: hint)
    }
}

/// The six common words (2.2) in the header's unit.
struct ReportHeaderWords {
    let words: [U256]

    init(_ input: ReportInput, _ terms: ReportTerms, prices: (native: Decimal?, link: Decimal?))
        throws(PriceStreamsError)
    {
        let observation = input.observationTimestampNanoseconds
        guard input.validAfterNanoseconds <= observation else { throw Self.outOfRange(input, "the range is empty") }
        // A range that is too long is cut at its old end (5.7.3).
        let span = min(observation - input.validAfterNanoseconds, terms.rangeMaximumNanoseconds)
        let unit = terms.resolution.nanoseconds
        let validFrom = (observation - span) / unit + 1
        let observations = observation / unit
        guard validFrom <= observations else { throw Self.outOfRange(input, "the range is shorter than its unit") }
        let (window, wide) = terms.expirationSeconds.multipliedReportingOverflow(by: 1_000_000_000 / unit)
        let (expiresAt, past) = observations.addingReportingOverflow(window)
        let most = terms.resolution == .seconds ? UInt64(UInt32.max) : UInt64.max
        guard !wide, !past, expiresAt <= most else { throw Self.outOfRange(input, "expiresAt does not fit") }
        words = [
            terms.feedID.hash.word, U256(validFrom), U256(observations),
            try Fee.amount(tokenPrice: prices.native, baseUSDFee: terms.baseUSDFee),
            try Fee.amount(tokenPrice: prices.link, baseUSDFee: terms.baseUSDFee), U256(expiresAt),
        ]
    }

    private static func outOfRange(_ input: ReportInput, _ why: String) -> PriceStreamsError {
        PriceStreamsError(
            .timestampOutOfRange,
            "channel \(input.channelID), \(input.validAfterNanoseconds) to \(input.observationTimestampNanoseconds)",
            hint: why)
    }
}

/// What a report costs in a token, scaled by 10^18 (5.7.2).
package enum Fee {
    /// Zero without a price, or when price or base fee is not positive.
    package static func amount(tokenPrice: Decimal?, baseUSDFee: Decimal) throws(PriceStreamsError) -> U256 {
        guard let tokenPrice, tokenPrice.isPositive, baseUSDFee.isPositive else { return .zero }
        guard let quotient = baseUSDFee.divided(by: tokenPrice, places: 18),
            let amount = quotient.truncated(times: U256(1_000_000_000_000_000_000)), amount.bitWidth <= 192
        else {
            throw PriceStreamsError(
                .valueOutOfRange, "a fee of \(baseUSDFee) USD at a price of \(tokenPrice)", hint: "check baseUSDFee")
        }
        return amount
    }
}

/// Words as one blob.
func blob(_ words: [U256]) -> Bytes {
    Bytes(unsafeUninitializedCapacity: 32 * words.count) { buffer, count in
        if let base = buffer.baseAddress {
            for (index, word) in words.enumerated() {
                word.storeBigEndian(to: UnsafeMutableRawPointer(base + 32 * index))
            }
        }
        count = 32 * words.count
    }
}
