// The metrics of a node, all declared here, zero from the start; refreshed when somebody asks for them.

import Agreement
import ChainAccess
import Committing
import JSONRPC
import MessageBus
import PriceStreams
import Storage

final class NodeMetrics: Sendable {
    let registry = MetricsRegistry()
    private let node: RelayerNode

    init(_ node: RelayerNode) {
        self.node = node
    }

    /// Reads the statistics of the node's parts into the registry.
    func refresh() async {
        let own = ["role": node.role.rawValue]
        func set(_ name: String, _ help: String, _ labels: [String: String] = [:], _ value: Double) {
            registry.gauge(name, help: help, labels: own.merging(labels) { $1 }).set(value)
        }
        set("causeway_ready", "1 when the node takes part; look at /ready when it is 0", [:],
            await node.obstacles().isEmpty ? 1 : 0)
        for watch in node.watches {
            let chain = ["chain": watch.settings.name]
            let heads = await watch.heads.current
            set("causeway_chain_latest_block", "newest block seen; a flat line is a dead endpoint", chain,
                Double(heads?.latest.number ?? 0))
            set("causeway_chain_finalized_block", "newest finalized block; messages wait for it", chain,
                Double(heads?.finalized.number ?? 0))
            set("causeway_chain_logs_through_block", "finalized block up to which logs are taken", chain,
                Double((await watch.poller.position)?.number ?? 0))
        }
        let mesh = node.mesh.statistics
        set("causeway_mesh_peers_connected", "peers whose link is up; below 2F nothing is agreed", [:],
            Double(node.connectedRelayers))
        if let guards = node.guards?.statistics {
            set("causeway_guards_connected", "guards whose link is up; below fSign+1 no root is blessed", [:],
                Double(node.connectedGuards))
            for (answer, count) in [
                ("signed", guards.signatures), ("waits", guards.waits), ("refused", guards.refusals),
                ("useless", guards.useless),
            ] {
                set("causeway_guard_answers_total", "answers of guards by kind; refusals want a look",
                    ["answer": answer], Double(count))
            }
        }
        for (chain, age) in node.priceAges {
            set("causeway_price_age_milliseconds", "since gas and native prices of the chain were read", ["chain": chain],
                Double(age))
        }
        if let streams = node.prices?.streams { noteStreams(streams, own) }
        set("causeway_mesh_sent_messages_total", "messages to peers", [:], Double(mesh.sentMessages))
        set("causeway_mesh_received_messages_total", "messages from peers", [:], Double(mesh.receivedMessages))
        for reason in DropReason.allCases {
            set("causeway_mesh_dropped_messages_total", "messages that went no further, by reason",
                ["reason": reason.rawValue], Double(mesh.drops(reason)))
        }
        set("causeway_pair_connected", "1 when the other half of this relayer is linked", [:],
            node.pair.statistics.isConnected ? 1 : 0)
        let runners = node.committers.map { ($0.destination.name, $0.runner) }
            + node.executors.map { ($0.destination.name, $0.runner) }
        for (destination, runner) in runners {
            let (label, status) = (["destination": destination], runner.status)
            set("causeway_instance_epoch", "epoch; growing fast means that leaders fail", label, Double(status.epoch))
            set("causeway_instance_sequence_number", "outcomes agreed on", label, Double(status.committedSequenceNumber))
            set("causeway_instance_refused_inputs_total", "inputs of peers that were refused", label, Double(status.refused))
            set("causeway_instance_alarms_total", "alarms: equivocation, halted votes; must stay 0", label, Double(status.alarms))
            set("causeway_instance_dropped_messages_total", "messages dropped because the loop was far behind", label,
                Double(status.droppedMessages))
            set("causeway_instance_loop_age_milliseconds", "since the loop's last turn; its heartbeat", label,
                Double(InstanceRunner.now() - min(InstanceRunner.now(), status.lastTurn)))
        }
        for item in node.committers { noteRounds(of: item, own) }
        let senders = node.committers.map { ($0.destination.name, $0.sender) }
            + node.executors.map { ($0.destination.name, $0.sender) }
        for case (let destination, let sender?) in senders {
            set("causeway_transactions_pending", "transactions between outbox and finality", ["destination": destination],
                Double(await sender.pending))
        }
        set("causeway_mesh_foreign_messages_total",
            "messages of instances that this relayer does not have: a peer's cluster file differs", [:],
            Double(node.census.unknownMessages))
        for item in node.executors {
            let label = ["destination": item.destination.name]
            set("causeway_execute_unsimulated_total",
                "reports sent with the computed gas limit because no endpoint simulates them", label,
                Double(item.edge.unsimulatedReports))
            guard let tokens = item.tokenData?.statistics else { continue }
            set("causeway_token_data_waiting", "tokens whose attestation is not there yet", label, Double(tokens.waiting))
            set("causeway_token_data_requests_total", "requests to the attestation service", label, Double(tokens.requests))
            set("causeway_token_data_throttled_total", "answers that said: too many requests", label,
                Double(tokens.throttled))
            set("causeway_token_data_failures_total", "requests without an answer", label, Double(tokens.failures))
        }
        if let feed = node.feed {
            set("causeway_feed_events_total", "events published", [:], Double(feed.statistics.publishedEvents))
        }
    }

    /// Zero from the start, but for ages: a price that was never known has none.
    private func noteStreams(_ streams: StreamPriceReader, _ own: [String: String]) {
        let statistics = streams.statistics
        func set(_ name: String, _ help: String, _ labels: [String: String], _ value: UInt64) {
            registry.gauge(name, help: help, labels: own.merging(labels) { $1 }).set(Double(value))
        }
        for (feed, age) in statistics.ages {
            set("causeway_stream_price_age_milliseconds",
                "since the oracles looked at the price that is in use, or was last", ["feed": "\(feed)"], age)
        }
        for feed in streams.feeds {
            for reason in RefusalReason.ofStreamPrices {
                set("causeway_stream_price_refused_total", "reports of a stream that were not used, by reason",
                    ["feed": "\(feed)", "reason": reason.rawValue],
                    statistics.refused[.init(feed: feed, reason: reason)] ?? 0)
            }
        }
        for origin in streams.origins {
            for reason in StreamPriceReader.Failure.reasons {
                set("causeway_stream_requests_failed_total", "requests to a gateway that gave no report, by reason",
                    ["origin": origin, "reason": reason], statistics.failures[.init(origin: origin, reason: reason)] ?? 0)
            }
        }
    }

    /// One series for each note that can be made, zero from the start: by source where it is about one.
    private func noteRounds(of item: RelayerNode.Committer, _ own: [String: String]) {
        let tally = item.edge.notes.current
        let sources = item.edge.observer.configuration.lanes.map(\.source)
        var notes: [CommitNote] = []
        for kind in CommitNote.Kind.allCases {
            if kind.subject != .source { notes.append(CommitNote(kind)) }
            if kind.subject != .destination { notes += sources.map { CommitNote(kind, $0) } }
        }
        // Prices may be about chains that no lane comes from.
        notes += tally.counts.keys.filter { !notes.contains($0) }
        for note in notes {
            let name = note.chain.map { chain in node.settings.cluster.chain(chain)?.name ?? "\(chain)" }
            let labels = [
                "destination": item.destination.name, "stage": note.kind.stage.rawValue, "note": note.kind.rawValue,
                "source": name ?? "",
            ]
            registry.gauge(
                "causeway_commit_notes_total",
                help: "what rounds noted: why a lane was left out here (observation), what became of its root (outcome)",
                labels: own.merging(labels) { $1 }
            ).set(Double(tally.counts[note] ?? 0))
        }
    }
}
