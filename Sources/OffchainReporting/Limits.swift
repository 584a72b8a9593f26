// The hard bounds of the reporting protocol, each with its reason (2.14 of the off-chain specification).
// No logic: a limit that depends on the configuration is computed in InstanceConfiguration.

/// Bounds that hold whatever the configuration says.
package enum Limits {
    /// Signers of an OffRamp fit one byte and the contract accepts at most 31 (2.2).
    package static let oraclesMaximum = 31
    /// A query is empty in this profile; the bound stops a leader from filling memory with one.
    package static let queryBytesMaximum = 5 << 20
    package static let observationBytesMaximum = 1 << 20
    package static let outcomeBytesMaximum = 5 << 20
    package static let reportBytesMaximum = 5 << 20
    package static let reportsPerOutcomeMaximum = 2_000
    /// Ed25519 takes 64 bytes, secp256k1 with recovery id 65; room for one more scheme.
    package static let signatureBytesMaximum = 96
    /// Framing of one message and of one embedded signature.
    static let framingBytes = 256
    static let attributionBytes = 16
    /// Messages of later epochs kept per sender; the oldest is displaced (2.6).
    static let bufferedMessagesPerSender = 10
    /// Sequence numbers pooled per sender and message type inside an epoch (2.6).
    static let pooledSequenceNumbers = 3
    /// Commit certificates served to one peer for one sequence number: repeats cover lost answers.
    static let certificateServesPerPeer = 4
    /// Repeats of the epoch's start that a leader grants one follower that asks late.
    static let lateEpochStartAnswersPerPeer = 8
    /// EpochStart messages whose proof is verified in one epoch.
    static let epochStartAttempts = 2
    /// Attested reports waiting for their turn to be transmitted; beyond it the oldest are given up.
    static let pendingReportsMaximum = 256
    /// Epochs above this are refused, so that epoch + 2 never overflows.
    static let epochMaximum = UInt64.max / 2
    /// Same for sequence numbers.
    static let sequenceNumberMaximum = UInt64.max / 2
    /// Largest accepted instance label.
    static let labelBytesMaximum = 128
    /// Timers: anything longer than a day is a unit mistake.
    static let intervalMillisecondsMaximum: UInt64 = 86_400_000
    /// Attestation window in rounds (2.10): past rounds kept, and rounds ahead of the cluster that are listened to.
    static let attestationExpiryRounds: ClosedRange<UInt64> = 10...50
    static let attestationLookaheadRounds: ClosedRange<UInt64> = 4...10
}
