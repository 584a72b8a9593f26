// Every bound of this room, each with its reason.

import Ethereum

package enum Limits {
    /// Calls in one JSON-RPC batch: public endpoints refuse more than 100 to 1,000.
    package static let batchCallsMaximum = 100
    /// Blocks in one `eth_getLogs`: the reference's LogBackfillBatchSize.
    package static let logWindowBlocks: UInt64 = 1_000
    /// Logs taken from one answer. Public endpoints cut at 10,000; more than this in one window is garbage.
    package static let logsPerAnswerMaximum = 100_000
    /// Seconds for which logs that were read up to the finalized head of then count as complete.
    package static let caughtUpSeconds = 10.0
    /// Headers that one step reads above the finalized block; the rest comes with the next step.
    package static let headersPerStep = 64
    /// Blocks kept above the finalized one. On a chain that finalizes later than this only the newest are followed.
    package static let tailBlocksMaximum = 1_024
    /// Seconds that an endpoint rests after failures in a row: doubles from 1/8 s to this.
    package static let restSecondsMaximum = 10.0
    /// Blocks behind the best endpoint at which another is asked first: the reference's SyncThreshold.
    package static let syncThresholdBlocks: UInt64 = 5
    /// Points an endpoint loses for a failure, and for an answer that the others contradict. A success gives one back.
    package static let failurePenalty = 4
    package static let disagreementPenalty = 64
    package static let penaltyMaximum = 256
    /// Deepest finality that is believed: the reference refuses to start above it.
    package static let finalityDepthMaximum: UInt64 = 10_000
    /// How often a read is put to the endpoints before the caller hears of its failure.
    package static let attempts = 3
    /// Pauses between the attempts: a fault of one request passes at once, a restart takes longer.
    static let attemptPauses: [Double] = [0.05, 0.15, 0.4]
    /// One question, all attempts together, takes at most this many request timeouts.
    static let questionTimeouts = 2.0
    /// The longest pause that an endpoint may ask for (`Retry-After`); nothing is sent to it meanwhile.
    package static let cooldownSecondsMaximum = 30.0
    /// Log queries that go well before a window grows past the size that was refused last: providers change their
    /// limits rarely, and each refusal costs a request.
    static let windowPatience = 100
    /// Tip where a node tells none: what wallets offer when they know nothing (1 gwei).
    package static let tipWeiDefault: U256 = 1_000_000_000
    /// Seconds for which a suggested tip is used again: the reference's fee cache.
    package static let tipCacheSeconds = 10.0
    /// Seconds after which a broadcast without an answer goes out again.
    package static let rebroadcastSeconds = 1.0
    /// Seconds after which one that could not be paid, or came too early, goes out again.
    package static let unpaidSeconds = 5.0
    /// Outcomes that wait for a slow reader of the stream; `status` answers for what fell out.
    package static let outcomesBuffered = 4_096
    /// Receipts asked for in one go.
    package static let receiptsPerBatch = 64
    /// Characters of an endpoint's message that are kept in errors.
    package static let remoteMessageCharacters = 300
}
