// What a gateway asks another one after it was away: the reports of a feed from a time on. The answer is a batch like
// those of oracles, and is checked like those.

import Ethereum
import PriceStreams

struct HistoryRequest: Equatable, Sendable {
    static let channel = Bytes("history/1".utf8)

    var feedID: FeedID
    /// Nanoseconds since 1970.
    var from: UInt64

    init(feedID: FeedID, from: UInt64) {
        self.feedID = feedID
        self.from = from
    }

    var encoded: Bytes { feedID.bytes + Bytes(bigEndian: from) }

    init?(encoded bytes: Bytes) {
        guard bytes.count == 40, let feedID = FeedID(bytes: bytes[..<32]), let from = UInt64(bigEndianBytes: bytes[32...])
        else { return nil }
        self.init(feedID: feedID, from: from)
    }
}
