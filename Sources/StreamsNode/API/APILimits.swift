// The bounds of the compatible interface (sections 7 to 9 of the price specification), each with its reason.

extension Limits {
    /// Feeds of one bulk request (8.3).
    package static let bulkFeedsMaximum = 100
    /// Feeds of one WebSocket: as many as a request target has room for.
    package static let subscribedFeedsMaximum = 1_000
    /// Reports of one page, and how many when nobody says (8.3).
    package static let pageReportsMaximum = 100
    package static let pageReportsDefault = 10
    /// Reports of one range of the extension, and how many when nobody says.
    package static let rangeReportsMaximum = 1_000
    package static let rangeReportsDefault = 100
    /// Rows that are read in one step while reports of one second are folded into one.
    package static let foldedRowsStep = 500
    /// A request target: a thousand feed ids do not fit, some four hundred do; the parser takes 32 KiB of head.
    package static let requestTargetBytesMaximum = 28 << 10
    /// A request has no body that means anything; it is signed, so that it is read.
    package static let requestBodyBytesMaximum = 64 << 10
    /// Connections of all users together.
    package static let apiConnectionsMaximum = 10_000
    /// Messages that wait for one client, in bytes (9.3).
    package static let unsentBytesMaximum = 4 << 20
    /// Reports of the history that an event stream begins with when it goes on: what fits the bytes that may wait.
    package static let resumedReportsMaximum = 1_000
    /// How much of what it has is sent again: reports of one time reach a gateway one after the other.
    package static let resumeOverlapNanoseconds: UInt64 = 1_000_000_000
    /// Reports that are published while a client's history is read.
    package static let earlyReportsMaximum = 4_096
    /// How often the file of API keys is looked at: a revoked key is dead within a second.
    package static let keysWatchMilliseconds = 250
    /// Ten thousand keys with their sealed secrets.
    package static let keysFileBytesMaximum = 16 << 20
    package static let apiKeysMaximum = 10_000
    /// Letters of a user's name, and of a secret that is imported.
    package static let userNameBytesMaximum = 64
    package static let apiSecretBytesMaximum = 256
}
