// The settings of a server, with defaults that suit a node on this machine. No behaviour.

extension RPCServer {
    /// Answers a GET of one path.
    package typealias Route = @Sendable () async -> HTTPAnswer
    /// Answers any request.
    package typealias Handler = @Sendable (HTTPQuestion) async -> HTTPAnswer
    /// Decides on the handshake of a WebSocket to which this server pushes, or on the request for an event stream.
    package typealias PushGate = @Sendable (HTTPQuestion) async -> PushVerdict

    package struct Configuration: Sendable {
        /// Address or name to listen on; loopback unless someone decides otherwise.
        package var host = "127.0.0.1"
        /// 0 takes any free port.
        package var port = 0
        /// How many further ports are tried when `port` is taken.
        package var triesNextPorts = 0
        /// GET answers by exact path (without query), as in `/metrics`.
        package var routes: [String: Route] = [:]
        /// Takes every request that is no WebSocket handshake, in place of routes and JSON-RPC by POST.
        package var everyRequest: Handler?
        /// Takes every WebSocket handshake, in place of JSON-RPC; see `PushSource`.
        package var pushGate: PushGate?
        /// Takes every GET of this path (without query), whose answer is then an event stream.
        package var eventStream: (path: String, gate: PushGate)?
        package var push = PushTimes()
        /// The last word on every answer, the server's own refusals included.
        package var finishing: (@Sendable (HTTPAnswer) -> HTTPAnswer)?
        /// Answers every GET (and HEAD, asked as GET) that no route answers and, of a server without JSON-RPC, every POST.
        package var handler: Handler?
        /// What browsers are told about foreign origins; nil says nothing, and they refuse.
        package var allowedOrigin: String? = "*"
        /// Where this server's own counts go.
        package var metrics: MetricsRegistry
        /// The value of the `server` label of those counts.
        package var label = "rpc"

        package var requestBytesMaximum = Limits.requestBytesDefault
        package var targetBytesMaximum = Limits.targetBytesMaximum
        package var batchCallsMaximum = Limits.batchCallsDefault
        package var batchAnswerBytesMaximum = Limits.batchAnswerBytesDefault
        package var connectionsMaximum = Limits.connectionsDefault
        package var outboundBytesMaximum = Limits.outboundBytesDefault
        package var idleMilliseconds = Limits.idleMillisecondsDefault
        package var requestMilliseconds = Limits.requestMillisecondsDefault
        package var pingMilliseconds = Limits.pingMillisecondsDefault
        package var stalledWriteMilliseconds = Limits.stalledWriteMillisecondsDefault

        package init(
            host: String = "127.0.0.1", port: Int = 0, triesNextPorts: Int = 0, routes: [String: Route] = [:],
            metrics: MetricsRegistry = MetricsRegistry(), label: String = "rpc"
        ) {
            self.host = host
            self.port = port
            self.triesNextPorts = triesNextPorts
            self.routes = routes
            self.metrics = metrics
            self.label = label
        }
    }
}
