// The bounds of this room, each with its reason.

package enum Limits {
    /// Signatures of a report fit one word of recovery bytes.
    package static let oraclesMaximum = 31
    /// Clients use two origins; more serve more clients.
    package static let gatewaysMaximum = 8
    /// Sources of one stream.
    package static let sourcesPerStreamMaximum = 16
    /// Reports of one round in one message to a gateway: OCR allows 2,000 of about 800 bytes.
    package static let batchBytesMaximum = 6 << 20
    package static let batchReportsMaximum = 2_000
    /// How long signed reports of a round wait for the others of it.
    package static let batchMilliseconds = 2
    /// Reports whose signatures are checked at once, before the first of them is published.
    package static let verifiedTogether = 8
    /// Reports that wait for the disk: ten seconds at the highest rate.
    package static let unstoredReportsMaximum = 20_000
    /// Between two writes of the history (5.8): oracles wait for what it says before they stand in for others.
    package static let storeMilliseconds = 10
    /// The longest interval of agreement that a file may ask for: a day.
    package static let intervalMillisecondsMaximum = 86_400_000
    /// Between two looks for reports that wait for one before them, and what they wait beyond the oracles' own time.
    package static let releaseMilliseconds = 20
    package static let patienceMilliseconds: UInt64 = 60
    /// Between two steps of forgetting old history.
    package static let pruneSeconds = 10
    /// Reports of which a gateway remembers that it has published them.
    package static let rememberedReportsMaximum = 262_144
    /// Batches of one oracle that wait for a gateway: a second at the highest cadence. Old prices are worthless.
    package static let batchesQueuedMaximum = 20
    /// Reports that a gateway gives another one for one request.
    package static let historyReportsMaximum = 1_000

    // MARK: Handover

    /// Endpoints of the chain on which a Configurator is.
    package static let watchEndpointsMaximum = 16
    /// For one request to such an endpoint.
    package static let watchRequestMilliseconds = 5_000
    /// Between two looks at the folder of configurations, and at what has served its time.
    package static let handoverTickMilliseconds = 500
    /// Files in that folder: as many as a book of handovers remembers, and twice that.
    package static let configurationFilesMaximum = 32

    // MARK: Withheld feeds

    /// Feeds that are or were withheld: those of a large DON. What is over is forgotten first.
    package static let withheldEntriesMaximum = 2_000
    /// Letters of a reason and of a name.
    package static let withheldTextCharacters = 200
    package static let withheldFileBytesMaximum = 4 << 20

    // MARK: Sources

    /// Sources of one oracle: each is a task, and a connection or a file.
    package static let sourcesMaximum = 256
    /// Values that one source reads out of its answers.
    package static let valuesPerSourceMaximum = 1_000
    /// By how much a source's clock may be ahead of ours, as in the round's rule for future timestamps.
    package static let sourceClockAheadNanoseconds: UInt64 = 2_000_000_000
    /// Named days off: twenty years of an exchange that has twenty a year.
    package static let closedDaysMaximum = 400
    /// Text that is sent to a source: a subscription to a few hundred pairs.
    package static let sentTextBytesMaximum = 16_384
    /// Headers of a request, and words that stand for numbers.
    package static let headersMaximum = 32
    /// The longest pause before a source that fails is asked again.
    package static let sourcePauseMillisecondsMaximum = 30_000
    /// The longest pause that a source may ask for: whoever wants more should be taken off the list.
    package static let sourceRetryAfterSecondsMaximum: UInt64 = 3_600
    /// Messages in a row without JSON after which a connection is given up.
    package static let garbageMessagesMaximum = 20
    /// One recorded tick.
    package static let replayLineBytesMaximum = 4_096
    package static let replayChunkBytes = 65_536

    // MARK: Clocks and clients

    /// Feeds that a client remembers: twice what a round may report on.
    package static let clientFeedsMaximum = 4_096
    /// Between two looks of a client for configurations that it does not know.
    package static let clientRenewalNanoseconds: UInt64 = 1_000_000_000
    /// Late reports of one feed that a client remembers having delivered.
    package static let lateReportsRemembered = 4_096
}
