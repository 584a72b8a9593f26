// What a node counts, and the keys of its log lines. Bodies and keys of accounts are never logged.

import JSONRPC
import Logging

struct NodeMetrics: Sendable {
    let blocks: MetricCounter
    let transactions: MetricCounter
    let dropped: MetricCounter
    let removedBlocks: MetricCounter
    let buildSeconds: MetricHistogram
    let head: MetricGauge
    let safe: MetricGauge
    let finalized: MetricGauge
    let poolTransactions: MetricGauge
    let subscriptions: MetricGauge

    init(_ registry: MetricsRegistry, chain: String) {
        let labels = ["chain": chain]
        blocks = registry.counter(
            "causeway_chain_blocks_total", help: "Blocks made; stands still when the chain does.", labels: labels)
        transactions = registry.counter(
            "causeway_chain_transactions_total", help: "Transactions in blocks made.", labels: labels)
        dropped = registry.counter(
            "causeway_chain_transactions_dropped_total",
            help: "Transactions that left the pool without a block since no block could hold them.", labels: labels)
        removedBlocks = registry.counter(
            "causeway_chain_blocks_removed_total", help: "Blocks that reorgs, rollbacks and reverts took away.",
            labels: labels)
        buildSeconds = registry.histogram(
            "causeway_chain_block_build_seconds", help: "Time to make a block, from plan to commit.", labels: labels)
        head = registry.gauge("causeway_chain_head_block", help: "Number of the latest block.", labels: labels)
        safe = registry.gauge("causeway_chain_safe_block", help: "Number of the safe block.", labels: labels)
        finalized = registry.gauge(
            "causeway_chain_finalized_block", help: "Number of the finalized block.", labels: labels)
        poolTransactions = registry.gauge(
            "causeway_chain_pool_transactions", help: "Transactions that wait for a block.", labels: labels)
        subscriptions = registry.gauge(
            "causeway_chain_subscriptions", help: "Subscriptions over WebSocket.", labels: labels)
    }
}

enum LogKey {
    static let chain = "chain"
    static let block = "block"
    static let hash = "hash"
    static let transaction = "transaction"
    static let transactions = "transactions"
    static let gas = "gas"
    static let reason = "reason"
    static let address = "address"
    static let depth = "depth"
    static let faults = "faults"
}
