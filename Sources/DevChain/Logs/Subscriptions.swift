// Who listens over WebSocket, and what is pushed to whom. Pushing never waits: a client that does not read is cut off
// by its connection.

import Ethereum
import JSONRPC
import Synchronization

final class Subscriptions: Sendable {
    enum Kind: Sendable {
        case newHeads
        case logs(LogFilter)
        case pendingTransactions(whole: Bool)
    }

    private struct Entry: Sendable {
        let id: UInt64
        let connection: JSONRPCConnection
        let kind: Kind
        /// Batches of events up to this one came before the subscription.
        let after: UInt64
    }

    private struct State: Sendable {
        var entries: [Entry] = []
        var lastID: UInt64 = 0
        /// Blocks that a stale head holds back, oldest first.
        var held = HeldBlocks()
    }

    private let state = Mutex(State())
    private let faults: FaultControl

    init(faults: FaultControl) { self.faults = faults }

    var count: Int { state.withLock { $0.entries.count } }

    /// Adds a subscription; its id.
    func add(_ kind: Kind, for connection: JSONRPCConnection, after sequence: UInt64) throws(DevChainError) -> UInt64 {
        try state.withLock { state throws(DevChainError) in
            guard state.entries.count(where: { $0.connection == connection }) < Limits.subscriptionsPerConnectionMaximum
            else {
                throw DevChainError(
                    .limitExceeded,
                    "a connection has at most \(Limits.subscriptionsPerConnectionMaximum) subscriptions")
            }
            state.lastID += 1
            state.entries.append(Entry(id: state.lastID, connection: connection, kind: kind, after: sequence))
            return state.lastID
        }
    }

    /// False when the connection has no such subscription.
    func remove(_ id: UInt64, of connection: JSONRPCConnection) -> Bool {
        state.withLock { state in
            let before = state.entries.count
            state.entries.removeAll { $0.id == id && $0.connection == connection }
            return state.entries.count < before
        }
    }

    func removeAll(of connection: JSONRPCConnection) {
        state.withLock { $0.entries.removeAll { $0.connection == connection } }
    }

    /// Pushes what the chain did to those who asked for it.
    func publish(_ events: [ChainEvent], sequence: UInt64, baseFee: U256) {
        let (all, holds) = state.withLock { ($0.entries, !$0.held.isEmpty) }
        let entries = all.filter { $0.after < sequence }
        guard !entries.isEmpty || holds else { return }
        var gone: Set<JSONRPCConnection> = []
        for event in events {
            guard faults.isActive || holds else {
                push(event, to: entries, baseFee: baseFee, under: FaultPlan.CallFaults(), &gone)
                continue
            }
            if faults.strike(message: [FaultRule.pushName]) != nil { continue }
            let struck = faults.strike(call: FaultRule.pushName)
            let told = state.withLock { $0.held.pass(event, holdingBack: Int(clamping: struck.staleBlocks)) }
            for event in told { push(event, to: entries, baseFee: baseFee, under: struck, &gone) }
        }
        for connection in gone { removeAll(of: connection) }
    }

    private func push(
        _ event: ChainEvent, to entries: [Entry], baseFee: U256, under struck: FaultPlan.CallFaults,
        _ gone: inout Set<JSONRPCConnection>
    ) {
        let view = FaultedView(faults: struck, head: 0, safe: 0, finalized: 0)
        // What all heads' subscribers get is made once.
        var head: JSON?
        for entry in entries where !gone.contains(entry.connection) {
            var messages: [JSON]
            switch (entry.kind, event) {
            case (.newHeads, .added(let block)):
                let shared = head ?? Answers.header(block)
                head = shared
                messages = [shared]
            case (.logs(let filter), .added(let block)):
                messages = kept(filter.logs(of: block), struck).map { Answers.log($0) }
            case (.logs(let filter), .removed(let block)):
                messages = kept(filter.logs(of: block).reversed(), struck).map { Answers.log($0, removed: true) }
            case (.pendingTransactions(let whole), .pending(let transaction)):
                messages = [
                    whole ? Answers.transaction(transaction, in: nil, baseFee: baseFee) : .hash(transaction.hash)
                ]
            default: messages = []
            }
            if struck.numberOffset != 0 { messages = messages.map(view.shifted) }
            for message in messages {
                let told = entry.connection.notify(
                    "eth_subscription", ["subscription": .quantity(entry.id), "result": message])
                if !told { gone.insert(entry.connection) }
            }
        }
    }

    private func kept(_ logs: [LogEntry], _ struck: FaultPlan.CallFaults) -> [LogEntry] {
        guard !struck.logRules.isEmpty else { return logs }
        let stays = faults.keep(logsOf: logs.map(\.block.number), under: struck)
        return zip(logs, stays).filter(\.1).map(\.0)
    }
}

/// The delay line of a stale head: the newest blocks wait in it, and those that go again before they were told are
/// never told.
struct HeldBlocks: Sendable {
    private var blocks: [StoredBlock] = []

    var isEmpty: Bool { blocks.isEmpty }

    /// What is to be told now that `event` came, with `count` blocks held back.
    mutating func pass(_ event: ChainEvent, holdingBack count: Int) -> [ChainEvent] {
        switch event {
        case .removed(let block) where blocks.last === block:
            blocks.removeLast()
            return []
        case .added(let block):
            blocks.append(block)
            let due = blocks.prefix(max(blocks.count - count, 0))
            blocks.removeFirst(due.count)
            return due.map { .added($0) }
        default: return [event]
        }
    }
}
