// What an event stream is given (8.5 of the price specification): every report of its feeds in the order in which they are
// published, each once; a time that none of them covers is told. Pure.

import Ethereum
import PriceStreams

/// Events as they go over the wire (text/event-stream of the HTML standard).
enum EventText {
    /// The id is the report's time: it means the same at every gateway, and after a restart.
    static func report(_ report: APIReport) -> Bytes {
        Bytes("id: \(report.observationsNanoseconds)\ndata: ".utf8) + report.whole.bytes + Bytes("\n\n".utf8)
    }

    /// Nothing was sent of a feed for a time, both ends included.
    static func gap(_ feedID: FeedID, from: UInt64, to: UInt64) -> Bytes {
        event("gap", [("feedID", .string(feedID.text)), ("fromNs", .string(String(from))), ("toNs", .string(String(to)))])
    }

    static func withheld(_ feedID: FeedID, _ isWithheld: Bool) -> Bytes {
        event(isWithheld ? "withheld" : "released", [("feedID", .string(feedID.text))])
    }

    private static func event(_ name: String, _ members: [(String, JSON)]) -> Bytes {
        Bytes("event: \(name)\ndata: ".utf8) + JSON.object(JSONObject(members)).bytes + Bytes("\n\n".utf8)
    }
}

/// One client's feeds: what it has had, and what waits for it.
struct EventFeed: Sendable {
    private struct Mark: Sendable {
        /// One step of the feed's times.
        let unit: UInt64
        /// The time of the last report, in nanoseconds; 0 before the first.
        var last: UInt64 = 0
        /// Up to when the client has everything, as far as is known; 0 when it is not.
        var covered: UInt64 = 0
    }

    private var marks: [FeedID: Mark]
    private var queue: [Bytes] = []
    private var head = 0
    private(set) var waitingBytes = 0

    /// - Parameter resumed: the time of the last report that the client has, when it goes on from there.
    init(_ feeds: [CatalogueFeed], resumed: UInt64? = nil) {
        marks = Dictionary(
            feeds.map { feed in
                let unit = feed.unit.nanoseconds
                return (feed.feedID, Mark(unit: unit, covered: resumed.map { $0 / unit * unit } ?? 0))
            }
        ) { first, _ in first }
    }

    /// - Returns: whether the report is for this client and new to it, and waits now.
    mutating func offer(_ report: APIReport, message: Bytes) -> Bool {
        guard var mark = marks[report.feedID], report.observationsNanoseconds > mark.last else { return false }
        if mark.covered > 0, report.validFromNanoseconds > mark.covered + mark.unit {
            append(
                EventText.gap(report.feedID, from: mark.covered + mark.unit, to: report.validFromNanoseconds - mark.unit))
        }
        mark.last = report.observationsNanoseconds
        mark.covered = max(mark.covered, report.observationsNanoseconds)
        marks[report.feedID] = mark
        append(message)
        return true
    }

    /// - Returns: whether the notice is about a feed of this client.
    mutating func tell(_ feedID: FeedID, isWithheld: Bool) -> Bool {
        guard marks[feedID] != nil else { return false }
        append(EventText.withheld(feedID, isWithheld))
        return true
    }

    private mutating func append(_ event: Bytes) {
        queue.append(event)
        waitingBytes += event.count
    }

    mutating func next() -> Bytes? {
        guard head < queue.count else { return nil }
        let event = queue[head]
        queue[head] = []
        head += 1
        if head > 256, head * 2 > queue.count {
            queue.removeFirst(head)
            head = 0
        }
        waitingBytes -= event.count
        assert(waitingBytes >= 0, "what waits was counted")
        return event
    }
}

/// What waits for one client, by the kind of its connection: one of the two.
struct ClientFeed: Sendable {
    /// Of the compatible WebSocket.
    private var seconds: CompatibleFeed?
    private var events: EventFeed?

    init(_ seconds: CompatibleFeed) { self.seconds = seconds }
    init(_ events: EventFeed) { self.events = events }

    /// - Returns: whether something waits now that did not.
    mutating func offer(_ report: APIReport, message: Bytes) -> Bool {
        events?.offer(report, message: message)
            ?? seconds?.offer(report.feedID, second: report.second, message: message) ?? false
    }

    /// - Returns: whether something waits now that did not: a compatible WebSocket is told nothing but reports.
    mutating func tell(_ feedID: FeedID, isWithheld: Bool) -> Bool {
        events?.tell(feedID, isWithheld: isWithheld) ?? false
    }

    mutating func next() -> Bytes? { events == nil ? seconds?.next() : events?.next() }

    var waitingBytes: Int { events?.waitingBytes ?? seconds?.waitingBytes ?? 0 }
    var conflated: UInt64 { seconds?.conflated ?? 0 }
}
