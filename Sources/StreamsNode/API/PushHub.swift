// The WebSockets and event streams of a gateway and what reaches each: reports go to the clients of their feed, closed keys
// lose theirs.

import Ethereum
import JSONRPC
import PriceStreams
import Synchronization

/// One client of the compatible WebSocket, or of the event stream.
final class PushSubscriber: PushSource {
    private struct State {
        var feed: ClientFeed
        /// What was published since the client was taken in, until what was before is there; then nil.
        var early: [(report: APIReport, message: Bytes)]? = []
        var connection: PushConnection?
        var isClosed = false
        /// Said before there was a connection to say it to.
        var farewell: (code: UInt16, reason: String)?
    }

    let id: UInt64
    let key: APIKey
    let feedIDs: [FeedID]
    let isEvents: Bool
    private let state: Mutex<State>
    private let ended: @Sendable (PushSubscriber, PushEnd) -> Void

    init(
        id: UInt64, key: APIKey, feedIDs: [FeedID], feed: ClientFeed, isEvents: Bool,
        ended: @escaping @Sendable (PushSubscriber, PushEnd) -> Void
    ) {
        self.id = id
        self.key = key
        self.feedIDs = feedIDs
        self.isEvents = isEvents
        self.ended = ended
        state = Mutex(State(feed: feed))
    }

    var conflated: UInt64 { state.withLock { $0.feed.conflated } }

    /// What was published before, oldest first; from now on what is published follows.
    func begin(_ before: [(report: APIReport, message: Bytes)]) {
        state.withLock { state in
            let early = state.early ?? []
            state.early = nil
            for (report, message) in before + early { _ = state.feed.offer(report, message: message) }
        }
    }

    func offer(_ report: APIReport, message: Bytes) {
        change { state in
            guard state.early == nil else {
                // Until the history is read: a moment.
                if state.early?.count ?? 0 < Limits.earlyReportsMaximum { state.early?.append((report, message)) }
                return false
            }
            return state.feed.offer(report, message: message)
        }
    }

    func tell(_ feedID: FeedID, isWithheld: Bool) { change { $0.feed.tell(feedID, isWithheld: isWithheld) } }

    private func change(_ body: (inout State) -> Bool) {
        enum Step { case nothing, wake(PushConnection), cut(PushConnection) }
        let step: Step = state.withLock { state in
            guard !state.isClosed, body(&state), let connection = state.connection else { return .nothing }
            return state.feed.waitingBytes > Limits.unsentBytesMaximum ? .cut(connection) : .wake(connection)
        }
        switch step {
        case .nothing: break
        case .wake(let connection): connection.wake()
        case .cut(let connection): connection.close(1008, reason: "slow consumer")
        }
    }

    func close(_ code: UInt16, reason: String) {
        let connection = state.withLock { state in
            if state.connection == nil { state.farewell = (code, reason) }
            return state.connection
        }
        connection?.close(code, reason: reason)
    }

    // MARK: PushSource

    func opened(_ connection: PushConnection) {
        let farewell = state.withLock { state in
            state.connection = connection
            return state.farewell
        }
        if let farewell { connection.close(farewell.code, reason: farewell.reason) }
    }

    func nextMessage() -> [UInt8]? { state.withLock { $0.feed.next() } }

    func closed(_ end: PushEnd) {
        let isFirst = state.withLock { state in
            defer {
                state.isClosed = true
                state.connection = nil
            }
            return !state.isClosed
        }
        precondition(isFirst, "a connection closes once")
        ended(self, end)
    }
}

final class PushHub: Sendable {
    private struct State {
        var subscribers: [UInt64: PushSubscriber] = [:]
        /// WebSockets, and event streams.
        var byFeed: [FeedID: [UInt64: PushSubscriber]] = [:]
        var eventsByFeed: [FeedID: [UInt64: PushSubscriber]] = [:]
        /// The last second of each feed that was passed on.
        var seconds: [FeedID: UInt64] = [:]
        var lastID: UInt64 = 0
        var conflatedBefore: UInt64 = 0
        var sent: UInt64 = 0
        var events: UInt64 = 0

        /// Puts a client under its feeds, or takes it away.
        mutating func list(_ subscriber: PushSubscriber, _ isThere: Bool) {
            func change(_ book: inout [FeedID: [UInt64: PushSubscriber]]) {
                for feedID in subscriber.feedIDs {
                    book[feedID, default: [:]][subscriber.id] = isThere ? subscriber : nil
                    if book[feedID]?.isEmpty == true { book[feedID] = nil }
                }
            }
            if subscriber.isEvents { change(&eventsByFeed) } else { change(&byFeed) }
        }
    }

    private let state = Mutex(State())

    /// Takes a client of the WebSocket in; it gets the newest report of each of its feeds at once.
    func add(
        _ key: APIKey, _ feedIDs: [FeedID], latest: (FeedID) -> APIReport?,
        ended: @escaping @Sendable (PushSubscriber, PushEnd) -> Void
    ) -> PushSubscriber {
        let subscriber = take(key, feedIDs, ClientFeed(CompatibleFeed(feedIDs)), isEvents: false, ended)
        // Reports that are published meanwhile are there already: what is older than they are is not offered any more.
        subscriber.begin([])
        for feedID in feedIDs {
            guard let report = latest(feedID) else { continue }
            subscriber.offer(report, message: report.json.single)
        }
        return subscriber
    }

    /// Takes a client of the event stream in; it gets `before`, oldest first, and then every report.
    func add(
        _ key: APIKey, _ feeds: [CatalogueFeed], resumed: UInt64?, before: () -> [APIReport],
        ended: @escaping @Sendable (PushSubscriber, PushEnd) -> Void
    ) -> PushSubscriber {
        let subscriber = take(
            key, feeds.map(\.feedID), ClientFeed(EventFeed(feeds, resumed: resumed)), isEvents: true, ended)
        subscriber.begin(before().map { ($0, EventText.report($0)) })
        return subscriber
    }

    private func take(
        _ key: APIKey, _ feedIDs: [FeedID], _ feed: ClientFeed, isEvents: Bool,
        _ ended: @escaping @Sendable (PushSubscriber, PushEnd) -> Void
    ) -> PushSubscriber {
        state.withLock { state in
            state.lastID += 1
            let subscriber = PushSubscriber(
                id: state.lastID, key: key, feedIDs: feedIDs, feed: feed, isEvents: isEvents
            ) { [weak self] subscriber, end in
                self?.remove(subscriber)
                ended(subscriber, end)
            }
            state.subscribers[subscriber.id] = subscriber
            state.list(subscriber, true)
            return subscriber
        }
    }

    private func remove(_ subscriber: PushSubscriber) {
        let conflated = subscriber.conflated
        state.withLock { state in
            state.subscribers[subscriber.id] = nil
            state.list(subscriber, false)
            state.conflatedBefore += conflated
        }
    }

    /// Passes on every report to event streams, and the first report of each new second to WebSockets; the JSON is made
    /// once for all of a kind.
    func publish(_ report: APIReport) {
        let (targets, streams): ([PushSubscriber], [PushSubscriber]) = state.withLock { state in
            let streams = state.eventsByFeed[report.feedID].map { Array($0.values) } ?? []
            state.events += UInt64(streams.count)
            guard report.second > state.seconds[report.feedID, default: 0] else { return ([], streams) }
            state.seconds[report.feedID] = report.second
            let targets = state.byFeed[report.feedID].map { Array($0.values) } ?? []
            state.sent += UInt64(targets.count)
            return (targets, streams)
        }
        if !targets.isEmpty {
            let message = report.json.single
            for target in targets { target.offer(report, message: message) }
        }
        if !streams.isEmpty {
            let message = EventText.report(report)
            for stream in streams { stream.offer(report, message: message) }
        }
    }

    /// Tells event streams that a feed is withheld, or goes on.
    func tell(_ feedID: FeedID, isWithheld: Bool) {
        let streams = state.withLock { state in state.eventsByFeed[feedID].map { Array($0.values) } ?? [] }
        for stream in streams { stream.tell(feedID, isWithheld: isWithheld) }
    }

    /// Closes the connections of keys that may not read any more what they read.
    func enforce(_ keys: APIKeys) {
        for subscriber in all {
            let key = keys.active(subscriber.key.key)
            guard let key, key.user == subscriber.key.user, subscriber.feedIDs.allSatisfy(key.mayRead) else {
                subscriber.close(4401, reason: "key revoked")
                continue
            }
        }
    }

    var all: [PushSubscriber] {
        state.withLock { state in state.subscribers.sorted { $0.key < $1.key }.map(\.value) }
    }
    var webSockets: Int { state.withLock { $0.subscribers.values.count { !$0.isEvents } } }
    var eventStreams: Int { state.withLock { $0.subscribers.values.count { $0.isEvents } } }
    var sent: UInt64 { state.withLock { $0.sent } }
    var events: UInt64 { state.withLock { $0.events } }
    var conflated: UInt64 {
        let (before, open) = state.withLock { ($0.conflatedBefore, Array($0.subscribers.values)) }
        return open.reduce(before) { $0 + $1.conflated }
    }
}
