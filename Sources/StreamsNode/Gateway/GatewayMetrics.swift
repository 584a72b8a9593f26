// The metrics of a gateway. Every loss has a reason.

import JSONRPC
import MessageBus
import PriceStreams

final class GatewayMetrics: Sendable {
    let registry: MetricsRegistry
    private let node: GatewayNode
    private let gauges: [String: MetricGauge]
    private let ages: [(feed: FeedID, gauge: MetricGauge)]
    private let withheld: [(feed: FeedID, gauge: MetricGauge)]

    init(_ node: GatewayNode, registry: MetricsRegistry = MetricsRegistry()) {
        self.node = node
        self.registry = registry
        let outcomes = [
            "published", "late", "duplicate", "withheld", "equivocation", "refused", "malformed_batch", "dropped_batch",
            "stored", "unstored",
        ]
        var gauges: [String: MetricGauge] = [:]
        for outcome in outcomes {
            gauges["ingress_" + outcome] = registry.gauge(
                "causeway_gateway_reports_total", help: "What became of reports that came in.", labels: ["outcome": outcome])
        }
        let names = [
            ("holes_total", "Spans of time that no report covers."), ("stale_feeds", "Feeds that are silent now."),
            ("withheld_feeds", "Feeds that the operator withholds."), ("oracles_connected", "Oracles that are connected."),
            ("configurations", "Configurations whose reports are believed."), ("subscriptions", "Subscriptions of the fan-out."),
            ("frames_total", "Frames published over ZeroMQ."), ("requests_total", "Requests of subscribers for what they missed."),
            ("replies_cut_total", "Answers that a subscriber did not take."),
            ("requests_limited_total", "Requests refused for their number."),
            ("handshakes_failed_total", "Connections that were not admitted."),
        ]
        for (name, help) in names { gauges[name] = registry.gauge("causeway_gateway_" + name, help: help) }
        self.gauges = gauges
        func each(_ name: String, _ help: String) -> [(feed: FeedID, gauge: MetricGauge)] {
            node.settings.process.streams.feeds.map { feed in
                (
                    feed.feedID,
                    registry.gauge(
                        "causeway_gateway_" + name, help: help, labels: ["feed": feed.symbol, "schema": feed.schema.name])
                )
            }
        }
        ages = each(
            "report_age_seconds", "Since the newest report of a feed; -1 before the first, and while it is withheld.")
        withheld = each("feed_withheld", "1 while the operator withholds the feed.")
    }

    func refresh() {
        let (counts, fan) = (node.counts, node.publisher.statistics)
        func set(_ name: String, _ value: UInt64) { gauges[name]?.set(value) }
        set("ingress_published", counts.published)
        set("ingress_late", counts.late)
        set("ingress_duplicate", counts.duplicates)
        set("ingress_withheld", counts.withheld)
        set("ingress_equivocation", counts.equivocations)
        set("ingress_refused", counts.refused.values.reduce(0, +))
        set("ingress_malformed_batch", counts.malformedBatches)
        set("ingress_dropped_batch", counts.droppedBatches)
        set("ingress_stored", counts.stored)
        set("ingress_unstored", counts.unstored)
        set("holes_total", counts.holes)
        set("stale_feeds", UInt64(node.staleFeeds.count))
        set("configurations", UInt64(node.believedConfigurations))
        let stopped = node.withheldFeeds
        set("withheld_feeds", UInt64(stopped.count))
        for (feed, gauge) in withheld { gauge.set(stopped.contains(feed) ? 1 : 0) }
        set("oracles_connected", UInt64(node.connectedOracles))
        set("subscriptions", UInt64(fan.subscriptions))
        set("frames_total", fan.published)
        set("requests_total", fan.requests)
        set("replies_cut_total", fan.repliesCut)
        set("requests_limited_total", fan.drops[.rateLimited])
        set("handshakes_failed_total", fan.handshakeFailures)
        let now = GatewayNode.now()
        for (feed, gauge) in ages {
            gauge.set(node.latest(of: feed).map { Double(now &- $0.publishedAt) / 1e9 } ?? -1)
        }
    }
}
