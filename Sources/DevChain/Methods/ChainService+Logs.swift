// Logs by range, filters that are polled, and subscriptions.

import Ethereum
import JSONRPC

extension ChainService {
    func logs(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let filter = try LogFilter(p[0])
        if case .range(_, .number(let last)) = filter.blocks {
            let head = hub.read { $0.head.number }
            guard last <= head else {
                throw .invalidParams("block range extends beyond current head block: \(last) is above \(head)")
            }
        }
        return try answer(filter)
    }

    private func answer(_ filter: LogFilter) throws(JSONRPCError) -> JSON {
        if case .range(.number(let from), .number(let to)) = filter.blocks, from > to {
            throw .invalidParams("invalid block range params: fromBlock \(from) is above toBlock \(to)")
        }
        let found = try refusable { () throws(DevChainError) in
            let blocks = try hub.read { chain throws(DevChainError) in try chain.blocks(of: filter) }
            return try LogSearch(filter).collect(from: blocks)
        }
        return .array(found.map { Answers.log($0) })
    }

    func newFilter(_ kind: FilterRegistry.Kind) throws(JSONRPCError) -> JSON {
        if case .logs(let filter) = kind, case .hash = filter.blocks {
            throw .invalidParams("argument 0: a filter follows a range; ask eth_getLogs for the logs of one block")
        }
        let seconds = seconds
        let id = try refusable { () throws(DevChainError) in
            try hub.filters { filters throws(DevChainError) in try filters.install(kind, at: seconds) }
        }
        return .quantity(id)
    }

    func filterChanges(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let id = try p.uint64(0)
        let seconds = seconds
        let changes = try refusable { () throws(DevChainError) in
            try hub.filters { filters throws(DevChainError) in try filters.poll(id, at: seconds) }
        }
        guard let changes else { throw Self.unknownFilter }
        return .array(
            changes.map { change in
                switch change {
                case .hash(let hash): .hash(hash)
                case .log(let entry, let removed): Answers.log(entry, removed: removed)
                }
            })
    }

    func filterLogs(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let id = try p.uint64(0)
        guard case .logs(let filter)? = hub.filters({ $0.kind(id) }) else { throw Self.unknownFilter }
        return try answer(filter)
    }

    func uninstallFilter(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let id = try p.uint64(0)
        return .bool(hub.filters { $0.uninstall(id) })
    }

    private static var unknownFilter: JSONRPCError { JSONRPCError(code: -32000, message: "filter not found") }

    // MARK: Subscriptions

    func subscribe(_ p: Parameters, _ connection: JSONRPCConnection?) throws(JSONRPCError) -> JSON {
        guard let connection else {
            throw JSONRPCError(
                code: -32000, message: "notifications not supported: subscribe over WebSocket, on the same port")
        }
        let kind: Subscriptions.Kind
        switch p[0]?.asString {
        case "newHeads": kind = .newHeads
        case "logs":
            var filter = try LogFilter(p[1], place: "argument 1")
            filter.blocks = .range(from: .latest, to: .latest)
            kind = .logs(filter)
        case "newPendingTransactions":
            hub.tellPending()
            kind = .pendingTransactions(whole: try p.bool(1, default: false))
        default:
            throw .invalidParams("argument 0: expected newHeads, logs or newPendingTransactions")
        }
        let sequence = hub.sequence
        let id = try refusable { () throws(DevChainError) in
            try subscriptions.add(kind, for: connection, after: sequence)
        }
        return .quantity(id)
    }

    func unsubscribe(_ p: Parameters, _ connection: JSONRPCConnection?) throws(JSONRPCError) -> JSON {
        let id = try p.uint64(0)
        guard let connection, subscriptions.remove(id, of: connection) else {
            throw JSONRPCError(code: -32000, message: "subscription not found")
        }
        return true
    }
}
