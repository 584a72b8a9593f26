// Every bound of this room, each with its reason.

package enum Limits {
    /// Milliseconds a statement waits for a lock. Only our own reader tools can hold one: the process lock keeps writers out.
    package static let busyTimeoutMilliseconds = 5_000
    /// Pages in the write-ahead log before it is folded back: SQLite's default, 4 MB.
    package static let checkpointPages = 1_000
    /// Pages that a store keeps in memory: SQLite's default, about 2 MB.
    package static let cachedPages = 500
    /// Those of a gateway's history. A round of a thousand feeds touches a page of the index for each feed and some three
    /// hundred others: they stay in memory, 16 MB, and are written back after six rounds instead of in each.
    package static let reportCheckpointPages = 8_000
    package static let reportCachedPages = 4_000
    /// One value of the key/value table. Larger things have a table of their own.
    package static let valueBytesMaximum = 1 << 20
    /// Errors of an integrity check that are shown; the first ones say enough.
    package static let integrityErrorsShown = 5
    /// Rows that one read of the log index gives back at most; callers page on from the last row.
    package static let indexPageMaximum = 10_000
    /// Blocks a cursor stood at that are kept: a violation deeper than this is seen at the cursor itself.
    package static let cursorHistoryMaximum = 256
    /// Keys of finished requests that are kept, newest first: as many as a transaction manager remembers.
    package static let finishedKeysMaximum = 4_096
    /// Bytes of the reason with which a stop is lifted: a paragraph.
    package static let stopReasonBytesMaximum = 4_096
    /// Contradictions that are listed; the first ones say enough.
    package static let evidenceShown = 100
    /// One block of a simulated chain with its receipts: a gigagas block of the costliest logs is far below it.
    package static let chainRowBytesMaximum = 1 << 29
    /// Rows that one step of forgetting removes: a writer waits for no longer than that takes.
    package static let prunedRowsMaximum = 5_000
    /// Seconds whose nanoseconds fit into 63 bits.
    package static let reportSecondMaximum: UInt64 = 9_223_372_036
}
