// `causeway streams oracle`: the node and the port on which it tells how it is.

import Configuration
import JSONRPC
import Logging

package struct OracleProcess: Sendable {
    package let node: OracleNode
    private let logger: Logger

    /// Opens everything that can fail because of a file, a key or a port.
    package init(settings: OracleSettings, logger: Logger) throws {
        node = try OracleNode(settings: settings, logger: logger)
        self.logger = logger
    }

    /// Until the task is cancelled. `onListening` gets the HTTP port.
    package func run(isStoreLost: Bool = false, onListening: @Sendable (Int) -> Void = { _ in }) async throws {
        let http = node.settings.process.http
        let metrics = OracleMetrics(node)
        var configuration = RPCServer.Configuration(host: http.host, port: http.port, metrics: metrics.registry)
        configuration.label = "streams-oracle"
        configuration.routes = StreamsRoutes.routes(registry: metrics.registry, obstacles: { [node] in node.obstacles() }) {
            metrics.refresh()
        }
        let server = RPCServer(configuration: configuration, service: nil, logger: logger)
        onListening(try await server.start())
        do { try await node.run(isStoreLost: isStoreLost) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

/// What both kinds of process answer to whoever watches them.
enum StreamsRoutes {
    static func routes(
        registry: MetricsRegistry, obstacles: @escaping @Sendable () -> [String], refresh: @escaping @Sendable () -> Void
    ) -> [String: RPCServer.Route] {
        let ready: RPCServer.Route = {
            let found = obstacles()
            return found.isEmpty ? .text("ready\n") : .text(found.map { $0 + "\n" }.joined(), status: 503)
        }
        return [
            "/healthz": { .text("ok\n") }, "/health": { .text("ok\n") }, "/readyz": ready, "/ready": ready,
            "/metrics": {
                refresh()
                return .metrics(registry)
            },
        ]
    }
}
