// The WebSockets of a gateway and what reaches each: reports go to the clients of their feed, closed keys lose theirs.

import Ethereum
import JSONRPC
import PriceStreams
import Synchronization

/// One client of the compatible WebSocket.
final class PushSubscriber: PushSource {
    private struct State {
        var feed: CompatibleFeed
        var connection: PushConnection?
        var isClosed = false
        /// Said before there was a connection to say it to.
        var farewell: (code: UInt16, reason: String)?
    }

    let id: UInt64
    let key: APIKey
    let feedIDs: [FeedID]
    private let state: Mutex<State>
    private let ended: @Sendable (PushSubscriber, PushEnd) -> Void

    init(id: UInt64, key: APIKey, feedIDs: [FeedID], ended: @escaping @Sendable (PushSubscriber, PushEnd) -> Void) {
        self.id = id
        self.key = key
        self.feedIDs = feedIDs
        self.ended = ended
        state = Mutex(State(feed: CompatibleFeed(feedIDs)))
    }

    var conflated: UInt64 { state.withLock { $0.feed.conflated } }

    func offer(_ feedID: FeedID, second: UInt64, message: Bytes) {
        enum Step { case nothing, wake(PushConnection), cut(PushConnection) }
        let step: Step = state.withLock { state in
            guard !state.isClosed, state.feed.offer(feedID, second: second, message: message) else { return .nothing }
            guard let connection = state.connection else { return .nothing }
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
        var byFeed: [FeedID: [UInt64: PushSubscriber]] = [:]
        /// The last second of each feed that was passed on.
        var seconds: [FeedID: UInt64] = [:]
        var lastID: UInt64 = 0
        var conflatedBefore: UInt64 = 0
        var sent: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Takes a client in; it gets the newest report of each of its feeds at once.
    func add(
        _ key: APIKey, _ feedIDs: [FeedID], latest: (FeedID) -> APIReport?,
        ended: @escaping @Sendable (PushSubscriber, PushEnd) -> Void
    ) -> PushSubscriber {
        let subscriber = state.withLock { state in
            state.lastID += 1
            let subscriber = PushSubscriber(id: state.lastID, key: key, feedIDs: feedIDs) { [weak self] subscriber, end in
                self?.remove(subscriber)
                ended(subscriber, end)
            }
            state.subscribers[subscriber.id] = subscriber
            for feedID in feedIDs { state.byFeed[feedID, default: [:]][subscriber.id] = subscriber }
            return subscriber
        }
        // Reports that are published meanwhile are there already: what is older than they are is not offered any more.
        for feedID in feedIDs {
            guard let report = latest(feedID) else { continue }
            subscriber.offer(feedID, second: report.second, message: report.json.single)
        }
        return subscriber
    }

    private func remove(_ subscriber: PushSubscriber) {
        let conflated = subscriber.conflated
        state.withLock { state in
            state.subscribers[subscriber.id] = nil
            for feedID in subscriber.feedIDs {
                state.byFeed[feedID]?[subscriber.id] = nil
                if state.byFeed[feedID]?.isEmpty == true { state.byFeed[feedID] = nil }
            }
            state.conflatedBefore += conflated
        }
    }

    /// Passes on the first report of each new second; the JSON is made once for all.
    func publish(_ report: APIReport) {
        let targets: [PushSubscriber] = state.withLock { state in
            guard report.second > state.seconds[report.feedID, default: 0] else { return [] }
            state.seconds[report.feedID] = report.second
            let targets = state.byFeed[report.feedID].map { Array($0.values) } ?? []
            state.sent += UInt64(targets.count)
            return targets
        }
        guard !targets.isEmpty else { return }
        let message = report.json.single
        for target in targets { target.offer(report.feedID, second: report.second, message: message) }
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
    var count: Int { state.withLock { $0.subscribers.count } }
    var sent: UInt64 { state.withLock { $0.sent } }
    var conflated: UInt64 {
        let (before, open) = state.withLock { ($0.conflatedBefore, Array($0.subscribers.values)) }
        return open.reduce(before) { $0 + $1.conflated }
    }
}
