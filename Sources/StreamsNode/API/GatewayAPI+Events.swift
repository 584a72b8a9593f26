// Event streams of the interface (8.5 of the price specification): who is let in, and from where it goes on.

import Ethereum
import JSONRPC
import PriceStreams
import Synchronization

extension GatewayAPI {
    /// Authenticated and limited as a WebSocket is.
    func streamGate(_ request: HTTPQuestion) -> PushVerdict {
        do {
            let (_, target) = try handler.route(request)
            let key = try keys().authenticate(request, nowMilliseconds: now())
            let feeds = try handler.streamedFeeds(target, key)
            let resumed = try handler.resumption(request)
            try rates.withLock { try $0.connect(key.user) }
            let handler = handler
            let subscriber = hub.add(key, feeds, resumed: resumed) {
                handler.events(feeds, since: resumed)
            } ended: { [weak self] subscriber, end in
                self?.ended(subscriber, end)
            }
            for feed in feeds where handler.history.isWithheld(feed.feedID) {
                subscriber.tell(feed.feedID, isWithheld: true)
            }
            return .accepted(subscriber, headers: [Self.originsName: handler.catalogue.originsHeader])
        } catch {
            let answer = (error as? APIRefusal ?? .fault).answer
            count(answer.status)
            return .refused(answer)
        }
    }
}

extension APIHandler {
    static let streamPath = "/ext/v1/stream"

    func streamedFeeds(_ target: APITarget, _ key: APIKey) throws(APIRefusal) -> [CatalogueFeed] {
        try subscription(target, key).compactMap { catalogue[$0] }
    }

    /// The time of the last report that the client has, from the header that browsers and libraries send by themselves.
    func resumption(_ request: HTTPQuestion) throws(APIRefusal) -> UInt64? {
        let values = request.values("Last-Event-ID")
        guard let text = values.first, !text.isEmpty else { return nil }
        guard values.count == 1, text.utf8.count <= 20, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let time = UInt64(text)
        else { throw .malformed("Last-Event-ID is no id of this stream") }
        return time
    }

    /// What a client is given first, oldest first: the newest report of each feed; or, of one that goes on, what it may have
    /// missed, its last second included: reports of one round reach the gateway one after the other. What does not fit is
    /// told as a gap by what follows it. A store that fails gives less, and the gap tells it.
    func events(_ feeds: [CatalogueFeed], since resumed: UInt64?) -> [APIReport] {
        let from = resumed.map { $0 - min($0, Limits.resumeOverlapNanoseconds) }
        let share = max(1, Limits.resumedReportsMaximum / max(1, feeds.count))
        let reports = feeds.flatMap { feed -> [APIReport] in
            var reports: [APIReport] = []
            if let from { reports = (try? history.page(of: feed.feedID, from: from, to: .max, limit: share)) ?? [] }
            // The newest is not on the disk yet.
            if let latest = try? history.latest(of: feed.feedID), latest.observationsNanoseconds >= from ?? 0,
                latest.observationsNanoseconds > reports.last?.observationsNanoseconds ?? 0
            {
                reports.append(latest)
            }
            return reports
        }
        let ordered = reports.enumerated().sorted {
            ($0.element.observationsNanoseconds, $0.offset) < ($1.element.observationsNanoseconds, $1.offset)
        }
        return ordered.map(\.element)
    }
}
