// One relayer process: one node or both, its HTTP port, and the way from a configuration file to a running node.

import Ethereum
import JSONRPC
import Logging

/// `causeway relayer`.
package struct RelayerProcess: Sendable {
    private let nodes: [RelayerNode]
    private let settings: RelayerSettings
    private let logger: Logger

    /// Opens everything that can fail because of a file, a key or a port.
    package init(settings: RelayerSettings, role: RelayerRole, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let roles: [RelayerRole] = role == .both ? [.committing, .executing] : [role]
        nodes = try roles.map { role in
            try RelayerNode(
                settings: settings, role: role, keys: try RelayerKeys.open(settings, role: role), logger: logger)
        }
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
                try await group.next()
                group.cancelAll()
            }
        } catch {
            for server in servers { await server.stop() }
            throw error
        }
        for server in servers { await server.stop() }
    }
}
