// What a WebSocket of the compatible interface is given (sections 9.2, 9.3 and 10.4 of the price specification): of each
// of its feeds the first report of each new second, in rising order, newest first for who is slow. Pure.

import Ethereum
import PriceStreams

/// One client's feeds: what it has had, and what waits for it.
struct CompatibleFeed: Sendable {
    /// The second of the last report, by feed: clients drop what is not above it.
    private var watermarks: [FeedID: UInt64]
    private var queue = ConflatingQueue<FeedID, Bytes>()
    private var sizes: [FeedID: Int] = [:]
    private(set) var waitingBytes = 0

    init(_ feedIDs: [FeedID]) {
        watermarks = Dictionary(feedIDs.map { ($0, 0) }) { first, _ in first }
    }

    /// Reports that a newer one of the same feed displaced.
    var conflated: UInt64 { queue.conflated }

    /// - Returns: whether the report is for this client, and waits now.
    mutating func offer(_ feedID: FeedID, second: UInt64, message: Bytes) -> Bool {
        guard let last = watermarks[feedID], second > last else { return false }
        watermarks[feedID] = second
        waitingBytes += message.count - (sizes.updateValue(message.count, forKey: feedID) ?? 0)
        queue.put(message, for: feedID)
        return true
    }

    mutating func next() -> Bytes? {
        guard let (feedID, message) = queue.take() else { return nil }
        sizes[feedID] = nil
        waitingBytes -= message.count
        assert(waitingBytes >= 0, "what waits was counted")
        return message
    }
}
