// The metrics of an oracle: what an operator looks at when prices are late.

import JSONRPC

final class OracleMetrics: Sendable {
    let registry = MetricsRegistry()
    private let node: OracleNode
    private let gauges: [String: MetricGauge]
    private let ages: [MetricGauge]
    private let inUse: [MetricGauge]
    /// In the order of the settings.
    private let sources: [(up: MetricGauge, age: MetricGauge, ticks: MetricGauge)]

    init(_ node: OracleNode) {
        self.node = node
        let names = [
            ("causeway_streams_round", "Sequence number of the last agreed round."),
            ("causeway_streams_round_age_seconds", "Since the last agreed round; grows when agreement stands still."),
            ("causeway_streams_epoch", "Epoch of agreement; each change is a new leader."),
            ("causeway_streams_observed", "Streams with a value in the last observation."),
            ("causeway_streams_wanted", "Streams that the last round asked for."),
            ("causeway_streams_reports_signed_total", "Reports that reached F+1 signatures here."),
            ("causeway_streams_reports_sent_total", "Reports handed to gateways, each gateway counted."),
            ("causeway_streams_reports_dropped_total", "Reports displaced before a gateway took them."),
            ("causeway_streams_refused_total", "Inputs of peers that were not used."),
            ("causeway_streams_alarms_total", "Reasons to call a person."),
            ("causeway_streams_oracles_connected", "Other oracles that are connected."),
            ("causeway_streams_gateways_connected", "Gateways that are connected."),
            ("causeway_streams_instances", "Configurations that are served: two during a handover."),
            ("causeway_streams_retiring", "Configurations of these that are to retire."),
            ("causeway_streams_clock_skew_seconds", "What this clock is ahead of the median of the last round."),
        ]
        let registry = registry
        gauges = Dictionary(uniqueKeysWithValues: names.map { ($0.0, registry.gauge($0.0, help: $0.1)) })
        let streams = node.settings.process.streams.streams
        ages = streams.map {
            registry.gauge(
                "causeway_streams_value_age_seconds", help: "Age of the youngest source of a stream; -1 without one.",
                labels: ["stream": $0.name])
        }
        inUse = streams.map {
            registry.gauge(
                "causeway_streams_sources_in_use", help: "Sources whose values count now.", labels: ["stream": $0.name])
        }
        sources = node.desk.sourceHealth.map { source in
            let labels = ["source": source.name]
            return (
                registry.gauge(
                    "causeway_streams_source_up", help: "1 while a source answers, 0 before it does and when it fails.",
                    labels: labels),
                registry.gauge(
                    "causeway_streams_source_tick_age_seconds",
                    help: "Since the last tick of a source that was taken; -1 before the first.", labels: labels),
                registry.gauge(
                    "causeway_streams_source_ticks_total", help: "Ticks of a source, refused ones too.", labels: labels)
            )
        }
    }

    /// What went wrong with a source, by kind: what it said of itself, and why its ticks were not taken.
    static func errors(_ source: SourceDesk.SourceHealth) -> [(kind: String, count: UInt64)] {
        let refused = source.refused.map { ($0.key.rawValue, $0.value) }
        let all = Dictionary(source.failures.map { ($0.key, $0.value) } + refused, uniquingKeysWith: +)
        return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func refreshSources(_ now: UInt64) {
        for (gauges, source) in zip(sources, node.desk.sourceHealth) {
            gauges.up.set(source.isConnected ? 1 : 0)
            gauges.age.set(source.tickedAt.map { Double(now > $0 ? now - $0 : 0) / 1e9 } ?? -1)
            gauges.ticks.set(source.ticks)
            for (kind, count) in Self.errors(source) {
                registry.gauge(
                    "causeway_streams_source_errors_total", help: "What went wrong with a source, by kind.",
                    labels: ["source": source.name, "kind": kind]
                ).set(count)
            }
        }
    }

    func refresh() {
        let condition = node.condition
        func set(_ name: String, _ value: Double) { gauges["causeway_streams_" + name]?.set(value) }
        set("round", Double(condition.sequenceNumber))
        set("round_age_seconds", Double(min(condition.roundAgeMilliseconds, 1_000_000_000)) / 1_000)
        set("epoch", Double(condition.epoch))
        set("observed", Double(condition.observed))
        set("wanted", Double(condition.wanted))
        set("reports_signed_total", Double(condition.reports))
        set("reports_sent_total", Double(condition.sent))
        set("reports_dropped_total", Double(condition.dropped))
        set("refused_total", Double(condition.refused))
        set("alarms_total", Double(condition.alarms))
        set("oracles_connected", Double(condition.connectedOracles))
        set("gateways_connected", Double(condition.connectedGateways))
        set("instances", Double(condition.instances))
        set("retiring", Double(condition.retiring))
        set("clock_skew_seconds", Double(condition.clockSkewNanoseconds) / 1e9)
        let now = GatewayNode.now()
        refreshSources(now)
        let health = Dictionary(node.desk.health(at: now).map { ($0.id, $0) }) { first, _ in first }
        for (index, stream) in node.settings.process.streams.streams.enumerated() {
            let found = health[stream.id]
            ages[index].set(found?.valueAgeNanoseconds.map { Double($0) / 1e9 } ?? -1)
            inUse[index].set(found?.sourcesInUse ?? 0)
        }
    }
}
