// Every bound of this room, each with its reason.

package enum Limits {
    /// Sources of one destination: keeps an observation below the 256 KiB that an instance allows by default.
    package static let lanesMaximum = 128
    /// Chains whose gas price one destination keeps: its sources are the chains that it can send back to.
    package static let pricedChainsMaximum = 128
    /// Tokens priced by one FeeQuoter.
    package static let pricedTokensMaximum = 256
    /// Leaf hashes of one observation over all lanes: 128 KiB.
    package static let observedLeavesMaximum = 4_096
    /// Leaves of one root (3.3.1): the multi-proof verifier takes no more.
    package static let leavesPerRootMaximum = 256
    /// Roots of one report: a root costs about 60,000 gas, so 64 stay below 5 million.
    package static let rootsPerReportMaximum = 64
    /// Token and gas prices of one report, together; each costs two storage writes.
    package static let pricesPerReportMaximum = 256
    /// Signers of one RMNRemote: its contract names no bound, the RMN networks seen have at most 17.
    package static let rmnSignersMaximum = 256
    /// Blessed roots of one report: what one request to a guard may hold.
    package static let blessedRootsMaximum = 16
    /// Signatures of RMN nodes that one observation passes on: what bounds the recoveries that a liar can cause. More
    /// come in the next round.
    package static let observedSignaturesMaximum = 16
    /// A lane that guards do not sign is tried again after 32 times the timeout at last.
    static let blessingDoublingsMaximum: UInt32 = 6
    /// Prices that do not land are tried again after 64 times the in-flight timeout at last, or a heartbeat.
    static let priceDoublingsMaximum: UInt32 = 7
    /// Reports of one outcome: prices apart from roots when prices are in trouble.
    package static let reportsPerOutcomeMaximum = 2
    /// Bytes of an encoded observation; a test computes the largest from the encoder.
    package static let observationBytesMaximum = 256 << 10
    /// Bytes of an encoded outcome; same test.
    package static let outcomeBytesMaximum = 128 << 10
    /// Bytes of an encoded report; same test.
    package static let reportBytesMaximum = 128 << 10
    /// Oracles of one instance: signers of an OffRamp (2.2).
    static let oraclesMaximum = 31
    /// A day: anything longer is a unit mistake.
    static let intervalMillisecondsMaximum: UInt64 = 86_400_000
    /// A year: no price is meant to be older.
    static let heartbeatSecondsMaximum: UInt64 = 31_536_000
    /// Milliseconds since 1970 of a clock that is right before the year 5000.
    static let timestampMillisecondsMaximum: UInt64 = 100_000_000_000_000
    /// Seconds of a block's time; it may run ahead of all clocks on a test chain.
    static let blockTimestampMaximum: UInt64 = 1 << 40
    /// Bits of one half of a packed gas price (3.5).
    static let gasPriceBits = 112
    /// Bits of a token price in a FeeQuoter.
    static let tokenPriceBits = 224
}
