// Every bound of the commands that talk to chains and relayers, each with its reason.

enum CommandLimits {
    /// Blocks looked through for a message when nothing tells where it is: five hours of 100 ms blocks.
    static let scanBlocksDefault: UInt64 = 200_000
    /// Blocks in one log query; halved by the reader when an endpoint complains.
    static let logWindowBlocks: UInt64 = 2_000
    /// A relayer that does not answer in this time is left out of the story.
    static let relayerAnswerMilliseconds = 1_500
    /// An endpoint that does not answer in this time is called unreachable.
    static let callMilliseconds = 10_000
    /// Messages of one `send`: what a pool keeps for one sender, with room to spare.
    static let sendCountMaximum = 10_000
    /// Transactions in one JSON-RPC batch: below what public endpoints refuse.
    static let batchTransactions = 50
    /// Between two looks at chains while somebody waits.
    static let pollMilliseconds = 25
    /// Committed messages of a lane whose states `lanes` looks at.
    static let laneStatesMaximum: UInt64 = 512
    /// Bytes of a configuration file.
    static let configurationBytesMaximum = 1 << 20
    /// Letters of message data that `show` prints as text.
    static let shownDataBytes = 64
}
