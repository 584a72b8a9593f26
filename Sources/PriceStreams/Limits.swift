// Bounds of reports, full reports and requests, each with its reason.

package enum Limits {
    /// Oracles of a DON: the verifiers take at most 31 signers (6.3 of the price specification).
    package static let oraclesMaximum = 31
    /// Signatures in one full report: every oracle's at most. `rawVs` would have room for 32.
    package static let signaturesMaximum = oraclesMaximum
    /// Longest report that is looked into: twice the words of the longest schema, v11, with room for future ones.
    package static let reportBytesMaximum = 64 * 32
    /// Longest full report: that report with all signatures, and the bytes around them (3.1).
    package static let fullReportBytesMaximum = 320 + reportBytesMaximum + 64 * signaturesMaximum
    /// The off-chain part of a configuration has three small numbers; 6 + 11 + 2 bytes at most (3.3).
    package static let offchainConfigurationBytesMaximum = 19
    /// Longest JSON of one report: the Go client reads messages up to this (9.2).
    package static let reportJSONBytesMaximum = 32_768
    /// How far the clock of a request may be from ours, in milliseconds (7.4).
    package static let requestSkewMillisecondsMaximum: UInt64 = 5_000
    /// Digits of a request's timestamp (7.4).
    package static let requestTimestampDigitsMaximum = 16
}
