// What a server counts about itself. Declared here, counted by the sessions.

/// Why a server ended a connection that did not end by itself.
enum CutReason: String, CaseIterable, Hashable, Sendable {
    case tooManyConnections = "too_many_connections"
    case idle
    case slowRequest = "slow_request"
    case slowReader = "slow_reader"
    case silent
    case malformed
    case tooLarge = "too_large"
    case protocolViolation = "protocol_violation"
}

struct ServerCounters: Sendable {
    let calls: MetricCounter
    let failedCalls: MetricCounter
    let refusedMessages: MetricCounter
    let notifications: MetricCounter
    let connections: MetricGauge
    let webSockets: MetricGauge
    let eventStreams: MetricGauge
    let answerSeconds: MetricHistogram
    private let cuts: [CutReason: MetricCounter]

    init(registry: MetricsRegistry, label: String) {
        let labels = ["server": label]
        calls = registry.counter(
            "causeway_rpc_server_calls_total", help: "Calls and notifications handed to the methods.", labels: labels)
        failedCalls = registry.counter(
            "causeway_rpc_server_failed_calls_total", help: "Calls answered with an error.", labels: labels)
        refusedMessages = registry.counter(
            "causeway_rpc_server_refused_messages_total",
            help: "Messages refused before any method saw them: no JSON, no JSON-RPC, too many calls.", labels: labels)
        notifications = registry.counter(
            "causeway_rpc_server_notifications_total", help: "Notifications queued for subscribers.", labels: labels)
        connections = registry.gauge(
            "causeway_rpc_server_connections", help: "Open connections, WebSockets included.", labels: labels)
        webSockets = registry.gauge(
            "causeway_rpc_server_websockets", help: "Open WebSockets.", labels: labels)
        eventStreams = registry.gauge(
            "causeway_rpc_server_event_streams", help: "Open event streams.", labels: labels)
        answerSeconds = registry.histogram(
            "causeway_rpc_server_answer_seconds", help: "Time a method took.", labels: labels)
        var cuts: [CutReason: MetricCounter] = [:]
        for reason in CutReason.allCases {
            cuts[reason] = registry.counter(
                "causeway_rpc_server_cut_connections_total",
                help: "Connections ended by this server, by reason; slow_reader means that a client does not read.",
                labels: ["server": label, "reason": reason.rawValue])
        }
        self.cuts = cuts
    }

    func cut(_ reason: CutReason) { cuts[reason]?.add() }
    func cutCount(_ reason: CutReason) -> UInt64 { cuts[reason]?.value ?? 0 }
}
