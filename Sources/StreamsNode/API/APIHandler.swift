// From a request to its answer (sections 7 to 9 of the price specification): routes, authentication, limits, parameters,
// statuses and bodies. No clock and no socket; the time and the keys come with the request.

import Ethereum
import JSONRPC
import PriceStreams

struct APIHandler: Sendable {
    let catalogue: FeedCatalogue
    let history: any ReportHistory

    enum Route: Equatable, Sendable {
        case origins, feeds, latest, report, bulk, page, webSocket, range, stream
        /// For everybody: public facts of the service and its condition.
        case metadata, don, health, ready, metrics

        static let paths: [String: Route] = [
            "/": .origins, "/api/v1/feeds": .feeds, "/api/v1/reports/latest": .latest, "/api/v1/reports": .report,
            "/api/v1/reports/bulk": .bulk, "/api/v1/reports/page": .page, "/api/v1/ws": .webSocket,
            "/ext/v1/reports/range": .range, APIHandler.streamPath: .stream, "/ext/v1/feeds": .metadata, "/ext/v1/don": .don, "/healthz": .health,
            "/health": .health, "/readyz": .ready, "/ready": .ready, "/metrics": .metrics,
        ]

        var isOpen: Bool {
            switch self {
            case .metadata, .don, .health, .ready, .metrics: true
            default: false
            }
        }

        var methods: [String] {
            switch self {
            case .origins: ["HEAD"]
            case _ where isOpen: ["GET", "HEAD"]
            default: ["GET"]
            }
        }

        /// The endpoints that are counted, each by itself.
        var endpoint: String? {
            switch self {
            case .latest: "latest"
            case .report: "report"
            case .bulk: "bulk"
            case .page: "page"
            case .range: "range"
            default: nil
            }
        }
    }

    func route(_ request: HTTPQuestion) throws(APIRefusal) -> (Route, APITarget) {
        let target = APITarget(request.target)
        guard let route = Route.paths[target.path] else { throw .pathNotFound }
        guard route.methods.contains(request.method) else {
            throw .methodNotAllowed(route.methods.joined(separator: ", "))
        }
        return (route, target)
    }

    /// The answer to an authenticated request that is within its limits.
    func answer(_ route: Route, _ target: APITarget, _ key: APIKey) throws(APIRefusal) -> HTTPAnswer {
        switch route {
        case .origins: return HTTPAnswer(contentType: "application/json", body: [])
        case .feeds:
            let feeds = catalogue.feeds.filter { $0.isPublic && key.mayRead($0.feedID) }.map(\.compatible)
            return Self.json(JSON.object(JSONObject([("feeds", .array(feeds))])).bytes)
        case .latest:
            let feed = try feed(target, key)
            if history.isWithheld(feed.feedID) { throw .withheld }
            return try single { try history.latest(of: feed.feedID) }
        case .report:
            let (feedID, second) = (try target.feedID(), try target.seconds("timestamp"))
            try catalogue.authorise([feedID], key)
            return try single { try history.covering(second: second, of: feedID) }
        case .bulk: return try bulk(target, key)
        case .page: return try page(target, key)
        case .range: return try range(target, key)
        case .webSocket: throw .malformed("a WebSocket handshake is expected here")
        case .stream: throw .malformed("the server answers an event stream by itself")
        case .metadata: return Self.json(catalogue.wholeBody)
        case .don: return Self.json(catalogue.donBody)
        case .health, .ready, .metrics: preconditionFailure("the server answers for itself")
        }
    }

    /// The feeds of a WebSocket: what its request line asks for, all of it allowed.
    func subscription(_ target: APITarget, _ key: APIKey) throws(APIRefusal) -> [FeedID] {
        let feedIDs = try target.feedIDs(maximum: Limits.subscribedFeedsMaximum)
        try catalogue.authorise(feedIDs, key)
        return feedIDs
    }

    // MARK: Endpoints

    private func feed(_ target: APITarget, _ key: APIKey) throws(APIRefusal) -> CatalogueFeed {
        let feedID = try target.feedID()
        try catalogue.authorise([feedID], key)
        guard let feed = catalogue[feedID] else { throw .forbidden(feedID) }
        return feed
    }

    private func single(_ find: () throws -> APIReport?) throws(APIRefusal) -> HTTPAnswer {
        guard let report = try Self.read(find) else { throw .reportNotFound }
        return Self.json(report.json.single)
    }

    private func bulk(_ target: APITarget, _ key: APIKey) throws(APIRefusal) -> HTTPAnswer {
        let feedIDs = try target.feedIDs(maximum: Limits.bulkFeedsMaximum)
        let second = try target.seconds("timestamp")
        try catalogue.authorise(feedIDs, key)
        let reports = try Self.read { try feedIDs.compactMap { try history.covering(second: second, of: $0) } }
        return Self.json(ReportJSON.list(reports.map(\.json)), status: reports.count == feedIDs.count ? 200 : 206)
    }

    private func page(_ target: APITarget, _ key: APIKey) throws(APIRefusal) -> HTTPAnswer {
        _ = try target.feedID()
        let second = try target.seconds("startTimestamp")
        let limit = try target.limit(maximum: Limits.pageReportsMaximum, default: Limits.pageReportsDefault)
        let feed = try feed(target, key)
        let reports = try Self.read { try history.seconds(of: feed, from: second, limit: limit) }
        return Self.json(ReportJSON.list(reports.map(\.json)))
    }

    private func range(_ target: APITarget, _ key: APIKey) throws(APIRefusal) -> HTTPAnswer {
        _ = try target.feedID()
        let from = try target.nanoseconds("fromNs", default: nil)
        let end = try target.nanoseconds("toNs", default: .max)
        let limit = try target.limit(maximum: Limits.rangeReportsMaximum, default: Limits.rangeReportsDefault)
        let feed = try feed(target, key)
        let reports = try Self.read { try history.page(of: feed.feedID, from: from, to: end, limit: limit) }
        var next = JSON.null
        if reports.count == limit, let last = reports.last {
            next = .string(String(last.observationsNanoseconds + 1))
        }
        let body = JSON.object(JSONObject([("reports", .array(reports.map(\.whole))), ("nextNs", next)]))
        return Self.json(body.bytes)
    }

    // MARK: Bodies

    static func json(_ body: Bytes, status: Int = 200) -> HTTPAnswer {
        HTTPAnswer(status: status, contentType: "application/json", body: body)
    }

    /// Whatever the storage throws is our fault, and no news for the client.
    private static func read<Value>(_ work: () throws -> Value) throws(APIRefusal) -> Value {
        do { return try work() } catch { throw .fault }
    }
}
