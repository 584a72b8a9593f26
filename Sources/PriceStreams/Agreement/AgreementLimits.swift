// The bounds of values, channels, observations and outcomes, each with its reason.

package enum AgreementLimits {
    /// Oracles of one instance: signatures of a verifier fit one word of recovery bytes, and OCR allows 31.
    package static let oraclesMaximum = 31
    /// Channels of one instance: OCR allows 2,000 reports a round (4.1).
    package static let channelsMaximum = 2_000
    /// Distinct streams, and distinct (stream, aggregator) pairs, of one instance.
    package static let streamsMaximum = 10_000
    /// Streams of one channel: a report of 1,000 words is far above any schema.
    package static let streamsPerChannelMaximum = 1_000
    /// Bytes of one channel's options: twenty ABI entries take about two thousand.
    package static let optionsBytesMaximum = 16 << 10
    /// Encoded bytes of all definitions of an outcome together: leaves 4 MiB for aggregates and jump guards.
    package static let definitionsBytesMaximum = 1 << 20
    /// A definition file, before it is parsed.
    package static let definitionFileBytesMaximum = 8 << 20
    /// Removals, and definitions, that one observation votes for. Upstream has 5, which would take 40 seconds to set up
    /// 2,000 channels at ten rounds a second; definitions are bounded in bytes too.
    package static let removalsPerObservationMaximum = 100
    package static let updatesPerObservationMaximum = 100
    package static let updatesBytesPerObservationMaximum = 256 << 10
    /// Time states kept: those of two generations of channels.
    package static let validAfterMaximum = 4_000
    /// OCR's own bounds (4.1).
    package static let observationBytesMaximum = 1 << 20
    package static let outcomeBytesMaximum = 5 << 20
    package static let reportBytesMaximum = 5 << 20
    package static let reportsPerOutcomeMaximum = 2_000
    /// An attested retirement report: 4,000 entries of 33 bytes of JSON, and signatures.
    package static let retirementBytesMaximum = 256 << 10
    /// Powers of ten of a Decimal (5.3).
    package static let decimalExponentMaximum = 1_000
    /// Text of one decimal number: 1,001 digits, sign, point.
    package static let decimalTextMaximum = 2_048
    /// How far a value's own timestamp may run ahead of the round's clock (5.4).
    package static let futureToleranceNanoseconds: UInt64 = 2_000_000_000
    /// How far an oracle's clock may be from the round's before it stops voting (rule 5 of 4.2).
    package static let clockToleranceNanoseconds: UInt64 = 1_000_000_000
    /// Consecutive rounds that must confirm a jump (12.5).
    package static let jumpRounds: UInt8 = 3
    /// A jump limit above 1,000 times is a unit mistake.
    package static let jumpLimitMaximum: UInt64 = 1_000_000_000_000
    /// Text and steps of one expression (5.7.4).
    package static let expressionBytesMaximum = 1_024
    package static let expressionStepsMaximum = 128
    /// Decimal places of a quotient in an expression: 18 of the report and 12 for products that follow.
    package static let quotientPlaces = 30
    /// Nanoseconds of a clock that is right before the year 2500.
    package static let timestampMaximum: UInt64 = 16_725_225_600_000_000_000
    /// A day between two reports of a channel is a unit mistake.
    package static let reportIntervalMaximum: UInt64 = 86_400_000_000_000
    /// Seconds that a report may be honoured (five years), and nanoseconds that one may cover (a year).
    package static let expirationWindowMaximum: UInt64 = 157_680_000
    package static let reportRangeMaximum: UInt64 = 31_536_000_000_000_000
    /// 5.7.3.
    package static let reportRangeDefault: UInt64 = 300_000_000_000
}
