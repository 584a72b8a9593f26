// Every bound of this room, each with its reason. What depends on the deployment stands in ExecuteConfiguration.

package enum Limits {
    /// Oracles of an instance (2.2 of the off-chain specification).
    package static let oraclesMaximum = 31
    /// Source chains of one destination: more than CCIP has chains today, few enough to bound an observation.
    package static let sourcesMaximum = 256
    /// Full messages in one observation (4.13).
    package static let fullMessagesPerObservation = 100
    /// Roots an oracle reports in one round, at some 150 bytes each; roots that can be executed go first.
    package static let rootsPerObservation = 128
    /// Roots carried in an outcome. Each has at most as many from F+1 different observers.
    package static let rootsPerOutcome = 256
    /// Nonces in one observation, and senders an outcome asks for.
    package static let sendersPerObservation = 512
    /// Sender bytes: 32 for EVM sources, room for longer account names.
    package static let senderBytesMaximum = 64
    /// On-ramp bytes: 32 for EVM sources.
    package static let onRampBytesMaximum = 64
    /// One message in ABI form: 30,000 bytes of data (15.9 of the on-chain specification) and tokens, with room.
    package static let messageBytesMaximum = 96 << 10
    /// Tokens of one message; one in practice (4.9).
    package static let tokensPerMessage = 16
    /// Token data of one token: an attestation is some hundred bytes.
    package static let tokenDataBytesMaximum = 16 << 10
    /// Reports of one outcome (4.13).
    package static let reportsPerOutcomeMaximum = 50
    /// An encoded observation or outcome, as OCR bounds them (4.13).
    package static let observationBytesMaximum = 1 << 20
    package static let outcomeBytesMaximum = 5 << 20
    /// Rounds after a root was agreed in which the next round starts at once, while its messages or nonces are missing.
    /// Three rounds are what the reference needs when nothing is known before (4.1).
    package static let eagerRounds: UInt64 = 2
    /// Entries of each local cache; the oldest expiry goes first.
    package static let cacheEntriesMaximum = 20_000
    /// Items in one frame from the committing pair, and bytes of the frame: a frame is sent for each block.
    package static let feedItemsPerFrame = 256
    package static let feedFrameBytesMaximum = 4 << 20
    /// Fed messages kept until their root is seen: 64 full roots.
    package static let feedMessagesMaximum = 16_384
    /// Bytes of fed messages kept.
    package static let feedBytesMaximum = 64 << 20
    /// Roots named by the feed and not yet looked up.
    package static let feedRootsMaximum = 1_024
    /// How many times a simulation may ask for half as much gas again before the transaction is left to a person.
    package static let gasRaisesMaximum = 6
    /// Messages simulated anew in one look at the destination: each is a call or two.
    package static let simulationsPerLook = 16
    /// A message that reverts is simulated again after 1, 2, 4 ... 64 blocks, and not twice within 5 seconds.
    package static let simulationPauseDoublings = 6
    package static let simulationPauseMilliseconds: UInt64 = 5_000
    /// Pause of messages whose transaction failed, in expiries of the in-flight cache: 0, 1, 2, 4 ... 64.
    package static let failurePauseDoublings = 6
    /// Messages that the attestation service may list for one transaction.
    package static let attestationsPerTransaction = 256
    /// Requests to the attestation service are queued no longer than this.
    static let attestationQueueMilliseconds: UInt64 = 5_000
    /// The longest pause that the attestation service can ask for: 10 minutes (4.6).
    static let attestationCoolDownMaximum: UInt64 = 600_000
}
