// Every bound of this room, each with its reason.

package enum Limits {
    /// Oracles of a cluster: `MAX_NUM_ORACLES` of the OCR3 base contract is 256, of libocr 31.
    package static let relayersMaximum = 31
    /// Chains of one cluster: bounds the reads of a round.
    package static let chainsMaximum = 64
    /// Endpoints of one chain: each is asked whenever a quorum is read.
    package static let endpointsMaximum = 16
    /// Bytes of a key file: a Web3 Secret Storage file has about 500.
    package static let keyFileBytesMaximum = 16 << 10
    /// Bytes of a password file.
    package static let passwordBytesMaximum = 4 << 10
    /// Messages of one lane kept in memory beyond what is committed: 16 commit reports of 256.
    package static let messagesPerLaneMaximum = 4096
    /// Messages of peers that wait for an instance's loop: more means that it is stuck, and old ones are worthless.
    package static let mailboxMessagesMaximum = 8_192
    /// Blocks that the log poller may be behind the finalized head before a node says that it does not know enough.
    package static let logLagBlocksMaximum: UInt64 = 16
    /// Between two looks at a destination when nothing seems to be going on: price heartbeats are minutes long.
    package static let idleLookMilliseconds: UInt64 = 5_000
    /// Message ids that a node can still name the lane and number of, for `causeway show`.
    package static let storiesMaximum = 16_384
}
