// Every bound of this room, each with its reason.

package enum Limits {
    /// Messages under one root: the multi-proof verifier allows 256 hashes (9.3 of the on-chain specification).
    package static let rootMessagesMaximum: UInt64 = 256
    /// Lane updates of one request: as many blessed roots as a commit report of ours carries.
    package static let updatesMaximum = 16
    /// Bytes of a log that is read: eight times a message of 30 kB in ABI form.
    package static let logBytesMaximum = 1 << 20
    /// Tokens of one message; the FeeQuoter allows one on most lanes.
    package static let tokensMaximum = 64
    /// Messages of a lane that are kept in memory, and signed numbers likewise; below the lowest nothing is signed.
    package static let messagesPerLaneMaximum = 65_536
    /// Roots and executions that wait for their source messages; beyond it the oldest are given up as unverified.
    package static let unverifiedMaximum = 4_096
    /// Requests of one relayer and destination that wait: for a look at the destination, or for their messages.
    package static let pendingPerRelayerMaximum = 4
    /// Requests in one second that one relayer may make about one destination: it resends every two seconds while a set of
    /// roots is open.
    package static let requestsPerSecondMaximum = 4
    /// How long a request that came too early is kept: longer than a set of roots stays open.
    package static let earlyMillisecondsMaximum: UInt64 = 30_000
    /// Age of the view of a destination at which a request is judged, milliseconds: older ones are read again.
    package static let viewAgeMillisecondsMaximum: UInt64 = 500
    /// Blocks that the logs of a source may be behind its finalized head before nothing is concluded from their absence.
    package static let logLagBlocksMaximum: UInt64 = 16
    /// How long a committed root or an executed message may be ahead of our own finalized view of the source.
    package static let graceMillisecondsDefault: UInt64 = 60_000
}
