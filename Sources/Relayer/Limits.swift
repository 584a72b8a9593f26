// Every bound of this room, each with its reason.

package enum Limits {
    /// Oracles of a cluster: `MAX_NUM_ORACLES` of the OCR3 base contract is 256, of libocr 31.
    package static let relayersMaximum = 31
    /// Guards of a cluster: with the relayers they are members of one mesh of at most 64.
    package static let guardsMaximum = 32
    /// Guards that have not signed are asked again after so long; they take four requests a second.
    package static let guardRepeatMilliseconds: UInt64 = 2_000
    /// Bytes of a guard's answer: 16 lanes with a reason each.
    package static let guardAnswerBytesMaximum = 8 << 10
    /// Letters of a guard's reason that are kept.
    package static let guardTextMaximum = 512
    /// Gas and native prices of a chain are read again after so long, and forgotten after three times that.
    package static let priceRefreshMilliseconds: UInt64 = 10_000
    /// How long one reading of prices may take.
    package static let priceReadingMilliseconds: UInt64 = 20_000
    /// How old a report of a stream may be, in seconds: above three refreshes, so that one that is lost costs no price.
    static let streamAgeSeconds = 30...86_400
    static let streamAgeSecondsDefault = 60
    /// Configurations whose reports are believed: a few DONs, each while it hands over.
    static let streamConfigurationsMaximum = 16
    /// Feeds of one cluster: each is asked for in every refresh.
    static let streamFeedsMaximum = 64
    /// Gateways that are asked one after the other.
    static let streamOriginsMaximum = 8
    /// Requests to gateways at once.
    static let streamRequestsAtOnce = 4
    /// Between two feeds: gateways let a user ask ten times a second.
    static let streamRequestSpacingMilliseconds: Int64 = 120
    /// Bytes of a gateway's answer: twice the longest report as JSON, since others add members of their own.
    static let streamAnswerBytesMaximum = 64 << 10
    /// Letters of a gateway's own words that go into the log.
    static let streamWordsMaximum = 160
    /// Bytes of the file with the key of the streams' API.
    static let streamsKeyFileBytesMaximum = 4 << 10
    /// Lanes whose standing is remembered with the time since when.
    package static let standingsMaximum = 4_096
    /// Chains of one cluster: bounds the reads of a round.
    package static let chainsMaximum = 64
    /// Endpoints of one chain: each is asked whenever a quorum is read.
    package static let endpointsMaximum = 16
    /// Messages of one lane kept in memory beyond what is committed: 16 commit reports of 256.
    package static let messagesPerLaneMaximum = 4096
    /// Between two comparisons of what was read with the contracts' counters, while messages are under way and else.
    package static let auditMilliseconds: UInt64 = 5_000
    package static let auditIdleMilliseconds: UInt64 = 60_000
    /// Between two questions about the states of messages that nobody has seen executed.
    package static let auditStatesMilliseconds: UInt64 = 15_000
    /// Messages of one lane that are compared, and that the OffRamp is asked about, in one look.
    package static let auditNumbersMaximum = 4_096
    package static let auditStatesMaximum = 256
    /// Roots of one lane that are walked in one look; more come in the next.
    package static let auditRootsMaximum = 1_000
    /// Vain readings before a missing log is an error, and the longest pause between two of them.
    package static let failedReadingsBeforeAlarm = 3
    package static let searchMillisecondsMaximum: UInt64 = 600_000
    /// Finalized blocks after which they are read a second time.
    package static let rereadBlocks: UInt64 = 100
    /// Alternatives for one topic of a log filter.
    package static let topicsMaximum = 64
    /// Between two looks at a destination when nothing seems to be going on: price heartbeats are minutes long.
    package static let idleLookMilliseconds: UInt64 = 5_000
    /// Message ids that a node can still name the lane and number of, for `causeway show`.
    package static let storiesMaximum = 16_384
    /// Gas of one transaction on chains since Osaka (EIP-7825).
    package static let transactionGasMaximum: UInt64 = 16_777_216
    /// Tokens whose off-chain data is being fetched: more than any lane has under way.
    static let tokenDataEntriesMaximum = 4_096
    /// Requests for token data at once (4.6).
    static let tokenDataWorkers = 10
    /// Between two looks at what is due.
    static let tokenDataTickMilliseconds = 250
    /// Data that is not ready is asked for again after this (4.6).
    package static let tokenDataRetryMilliseconds: UInt64 = 5_000
    /// An answer that is ready is not asked for again for this long (4.6).
    static let tokenDataCacheMilliseconds: UInt64 = 600_000
    /// Entries that no round wants any more go after this.
    static let tokenDataForgottenMilliseconds: UInt64 = 900_000
    /// Tries to find out whether to transmit, a second apart, before the turn is given up.
    static let transmissionTries = 5
    /// Skipped messages remembered for each lane: what `causeway show` can still explain.
    static let skipsMaximum = 256
}
