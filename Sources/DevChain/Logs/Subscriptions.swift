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
    }

    private let state = Mutex(State())

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
        let entries = state.withLock { $0.entries }.filter { $0.after < sequence }
        guard !entries.isEmpty else { return }
        var gone: Set<JSONRPCConnection> = []
        for event in events {
            // What all heads' subscribers get is made once.
            var head: JSON?
            for entry in entries where !gone.contains(entry.connection) {
                let messages: [JSON]
                switch (entry.kind, event) {
                case (.newHeads, .added(let block)):
                    let shared = head ?? Answers.header(block)
                    head = shared
                    messages = [shared]
                case (.logs(let filter), .added(let block)):
                    messages = filter.logs(of: block).map { Answers.log($0) }
                case (.logs(let filter), .removed(let block)):
                    messages = filter.logs(of: block).reversed().map { Answers.log($0, removed: true) }
                case (.pendingTransactions(let whole), .pending(let transaction)):
                    messages = [
                        whole ? Answers.transaction(transaction, in: nil, baseFee: baseFee) : .hash(transaction.hash)
                    ]
                default: messages = []
                }
                for message in messages {
                    let told = entry.connection.notify(
                        "eth_subscription", ["subscription": .quantity(entry.id), "result": message])
                    if !told { gone.insert(entry.connection) }
                }
            }
        }
        for connection in gone { removeAll(of: connection) }
    }
}
