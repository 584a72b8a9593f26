// The edge of the compatible interface: one port for REST, WebSocket and the service's own condition. What is answered is
// decided in APIHandler; keys, limits and clients are values or have files of their own; event streams are in +Events.

import Dispatch
import Ethereum
import Foundation
import JSONRPC
import Logging
import PriceStreams
import Synchronization

package struct GatewayAPISettings: Sendable {
    package var host = "127.0.0.1"
    package var port = 0
    package var requestsPerSecond = 10
    package var connectionsPerUser = 20
    package var push = PushTimes()

    package init() {}
}

package final class GatewayAPI: Sendable {
    private enum Result: String, CaseIterable, Hashable, Sendable {
        case ok = "200", partial = "206", malformed = "400", unauthorised = "401", notFound = "404", method = "405"
        case limited = "429", fault = "500", other
    }

    let handler: APIHandler
    let keys: @Sendable () -> APIKeys
    private let obstacles: @Sendable () -> [String]
    let hub = PushHub()
    let rates: Mutex<RateBook>
    private let logger: Logger
    private let metrics: MetricsRegistry
    private let refreshMetrics: @Sendable () -> Void
    private let answers: [Result: MetricCounter]
    private let slowConsumers: MetricCounter
    private let server = Mutex<RPCServer?>(nil)
    private let settings: GatewayAPISettings
    let now: @Sendable () -> UInt64

    /// - Parameters:
    ///   - keys: asked at every request.
    ///   - obstacles: why the gateway is not ready; empty when it is.
    ///   - refreshMetrics: called before metrics are shown.
    ///   - now: milliseconds since 1970.
    package init(
        settings: GatewayAPISettings, catalogue: FeedCatalogue, history: any ReportHistory,
        keys: @escaping @Sendable () -> APIKeys, obstacles: @escaping @Sendable () -> [String] = { [] },
        metrics: MetricsRegistry = MetricsRegistry(), refreshMetrics: @escaping @Sendable () -> Void = {},
        now: @escaping @Sendable () -> UInt64 = { GatewayNode.now() / 1_000_000 }, logger: Logger
    ) {
        self.settings = settings
        handler = APIHandler(catalogue: catalogue, history: history)
        self.keys = keys
        self.obstacles = obstacles
        self.metrics = metrics
        self.refreshMetrics = refreshMetrics
        self.now = now
        self.logger = logger
        rates = Mutex(
            RateBook(
                requestsPerSecond: settings.requestsPerSecond, connectionsPerUser: settings.connectionsPerUser))
        answers = metrics.counters(
            "causeway_gateway_api_answers_total",
            help: "Answers of the interface by status; 401 and 429 want a look when they grow.", by: "status", Result.self)
        slowConsumers = metrics.counter(
            "causeway_gateway_slow_consumers_total", help: "Clients that were cut off because they do not read.")
    }

    /// Binds and listens.
    /// - Returns: the port.
    package func start() async throws -> Int {
        var configuration = RPCServer.Configuration(
            host: settings.host, port: settings.port, metrics: metrics, label: "streams-gateway")
        configuration.allowedOrigin = nil
        configuration.requestBytesMaximum = Limits.requestBodyBytesMaximum
        configuration.targetBytesMaximum = Limits.requestTargetBytesMaximum
        configuration.connectionsMaximum = Limits.apiConnectionsMaximum
        configuration.push = settings.push
        configuration.everyRequest = { [weak self] request in await self?.answer(request) ?? APIRefusal.fault.answer }
        configuration.pushGate = { [weak self] request in await self?.gate(request) ?? .refused(APIRefusal.fault.answer) }
        configuration.eventStream = (
            path: APIHandler.streamPath,
            gate: { [weak self] request in self?.streamGate(request) ?? .refused(APIRefusal.fault.answer) }
        )
        let origins = handler.catalogue.originsHeader
        configuration.finishing = { Self.finished($0, origins: origins) }
        let made = RPCServer(configuration: configuration, service: nil, logger: logger)
        let port = try await made.start()
        server.withLock { $0 = made }
        return port
    }

    /// Says goodbye to all clients.
    /// - Parameter staggerSeconds: over how long, so that they do not come back all at once.
    package func stop(staggerSeconds: Double = 0) async {
        let clients = staggerSeconds > 0 ? hub.all : []
        for client in clients {
            client.close(1001, reason: "going away")
            try? await Task.sleep(for: .seconds(staggerSeconds / Double(max(clients.count, 1))))
        }
        await server.withLock { $0.take() }?.stop()
    }

    package func publish(_ report: APIReport) { hub.publish(report) }

    /// The keys are other ones than before.
    package func keysChanged() { hub.enforce(keys()) }

    /// A feed is withheld by its operator, or goes on.
    package func tell(_ feedID: FeedID, isWithheld: Bool) { hub.tell(feedID, isWithheld: isWithheld) }

    package var webSockets: Int { hub.webSockets }
    package var eventStreams: Int { hub.eventStreams }

    // MARK: Requests

    func answer(_ request: HTTPQuestion) async -> HTTPAnswer {
        let answer: HTTPAnswer
        do {
            let (route, target) = try handler.route(request)
            if route.isOpen {
                answer = try openAnswer(route, target)
            } else {
                answer = try authenticatedAnswer(request, route, target)
            }
        } catch let refusal as APIRefusal {
            answer = refusal.answer
        } catch {
            answer = APIRefusal.fault.answer
        }
        count(answer.status)
        return answer
    }

    private func openAnswer(_ route: APIHandler.Route, _ target: APITarget) throws -> HTTPAnswer {
        switch route {
        case .health: return .text("ok\n")
        case .ready:
            let obstacles = obstacles()
            return obstacles.isEmpty
                ? .text("ready\n") : .text(obstacles.map { $0 + "\n" }.joined(), status: 503)
        case .metrics:
            refreshOwnMetrics()
            refreshMetrics()
            return .metrics(metrics)
        default: return try handler.answer(route, target, Self.nobody)
        }
    }

    private static let nobody = APIKey(key: "", user: "", secret: Secret([]), feeds: [])

    private func authenticatedAnswer(
        _ request: HTTPQuestion, _ route: APIHandler.Route, _ target: APITarget
    ) throws -> HTTPAnswer {
        let time = now()
        let key = try keys().authenticate(request, nowMilliseconds: time)
        if let endpoint = route.endpoint {
            try rates.withLock { try $0.take(key.user, endpoint, nowMilliseconds: time) }
        }
        return try handler.answer(route, target, key)
    }

    func gate(_ request: HTTPQuestion) async -> PushVerdict {
        do {
            let (route, target) = try handler.route(request)
            guard route == .webSocket else { throw APIRefusal.pathNotFound }
            let key = try keys().authenticate(request, nowMilliseconds: now())
            let feedIDs = try handler.subscription(target, key)
            try rates.withLock { try $0.connect(key.user) }
            let history = handler.history
            let subscriber = hub.add(key, feedIDs) { try? history.latest(of: $0) } ended: { [weak self] subscriber, end in
                self?.ended(subscriber, end)
            }
            return .accepted(subscriber, headers: [Self.originsName: handler.catalogue.originsHeader])
        } catch {
            let answer = (error as? APIRefusal ?? .fault).answer
            count(answer.status)
            return .refused(answer)
        }
    }

    func ended(_ subscriber: PushSubscriber, _ end: PushEnd) {
        rates.withLock { $0.disconnect(subscriber.key.user) }
        if end == .slow { slowConsumers.add() }
        logger.debug("client left", metadata: ["user": "\(subscriber.key.user)", "reason": "\(end)"])
    }

    // MARK: Answers

    static let originsName = "x-cll-available-origins"

    /// Every answer names the origins; what the server refuses by itself has the body that clients can show.
    static func finished(_ answer: HTTPAnswer, origins: String) -> HTTPAnswer {
        var finished = answer
        if answer.status >= 400, answer.contentType.hasPrefix("text/plain"), answer.status != 503 {
            // Too long a request line is a malformed argument for this interface (8.4).
            let status = [414, 431].contains(answer.status) ? 400 : answer.status
            let text = String(decoding: answer.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            finished = APIRefusal(status: status, message: text, headers: answer.headers).answer
        }
        finished.headers[originsName] = origins
        return finished
    }

    func count(_ status: Int) { (answers[Result(rawValue: String(status)) ?? .other])?.add() }

    private func refreshOwnMetrics() {
        metrics.gauge(
            "causeway_gateway_websockets", help: "Clients of the compatible WebSocket."
        ).set(hub.webSockets)
        metrics.gauge("causeway_gateway_event_streams", help: "Clients of the event stream.").set(hub.eventStreams)
        metrics.gauge(
            "causeway_gateway_event_stream_messages", help: "Reports handed to event streams since the start."
        ).set(hub.events)
        metrics.gauge(
            "causeway_gateway_websocket_messages", help: "Reports handed to WebSockets since the start."
        ).set(hub.sent)
        metrics.gauge(
            "causeway_gateway_websocket_conflated", help: "Reports displaced by newer ones because a client is slow."
        ).set(hub.conflated)
        for user in keys().users {
            metrics.gauge(
                "causeway_gateway_user_websockets", help: "WebSockets and event streams of a user; twice as many as meant is a client that reconnects badly.",
                labels: ["user": user]
            ).set(rates.withLock { $0.connections(of: user) })
        }
        rates.withLock { $0.forget(before: now() - min(now(), 60_000)) }
    }
}
