// One relayer process: one node or both, its HTTP port, and the way from a configuration file to a running node.

import Ethereum
import JSONRPC
import Logging

/// `causeway relayer`.
package struct RelayerProcess: Sendable {
    private let nodes: [RelayerNode]
    private let senders: SenderPool
    private let settings: RelayerSettings
    private let logger: Logger

    /// Opens everything that can fail because of a file, a key or a port.
    package init(settings: RelayerSettings, role: RelayerRole, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        if role != .both, let chain = settings.sharedTransmitterChains.first {
            throw RelayerError(
                .settings,
                "\(settings.relayer) has one transmitter for both plugins on \(chain), and runs as \(role.rawValue) only",
                hint: "run `causeway relayer --role both`, or give each role a key of its own: two processes with one "
                    + "key take each other's nonces")
        }
        let roles: [RelayerRole] = role == .both ? [.committing, .executing] : [role]
        let senders = try SenderPool(settings: settings, role: role, logger: logger)
        nodes = try roles.map { role in
            try RelayerNode(
                settings: settings, role: role, keys: try RelayerKeys.open(settings, role: role), senders: senders,
                logger: logger)
        }
        senders.settled()
        self.senders = senders
    }

    /// Until the task is cancelled. `onListening` gets the HTTP port of each node.
    package func run(isStoreLost: Bool = false, onListening: @Sendable (RelayerRole, Int) -> Void = { _, _ in }) async throws {
        var servers: [RPCServer] = []
        for node in nodes {
            let server = NodeService.server(for: node, address: settings.http(node.role), logger: logger)
            onListening(node.role, try await server.start())
            servers.append(server)
        }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for node in nodes { group.addTask { try await node.run(isStoreLost: isStoreLost) } }
                group.addTask { [senders] in try await senders.run() }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await end(servers)
            throw error
        }
        await end(servers)
    }

    private func end(_ servers: [RPCServer]) async {
        for server in servers { await server.stop() }
        for node in nodes { node.close() }
        senders.close()
    }
}
