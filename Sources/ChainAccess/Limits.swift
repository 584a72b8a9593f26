// Every bound of this room, each with its reason.

package enum Limits {
    /// Calls in one JSON-RPC batch: public endpoints refuse more than 100 to 1,000.
    package static let batchCallsMaximum = 100
    /// Blocks in one `eth_getLogs`: the reference's LogBackfillBatchSize.
    package static let logWindowBlocks: UInt64 = 1_000
    /// Logs taken from one answer. Public endpoints cut at 10,000; more than this in one window is garbage.
    package static let logsPerAnswerMaximum = 100_000
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
    /// Seconds for which a suggested tip is used again: the reference's fee cache.
    package static let tipCacheSeconds = 10.0
    /// Seconds after which a broadcast without an answer goes out again.
    package static let rebroadcastSeconds = 1.0
    /// Outcomes that wait for a slow reader of the stream; `status` answers for what fell out.
    package static let outcomesBuffered = 4_096
    /// Receipts asked for in one go.
    package static let receiptsPerBatch = 64
    /// Characters of an endpoint's message that are kept in errors.
    package static let remoteMessageCharacters = 300
}
