// `causeway streams gateway`: the node, and the port of its API.

import Configuration
import Logging

package struct GatewayProcess: Sendable {
    package let node: GatewayNode
    package let keys: APIKeyStore
    private let withheld: WithheldStore
    private let logger: Logger

    /// Opens everything that can fail because of a file, a key or a port.
    package init(settings: GatewaySettings, logger: Logger) throws {
        node = try GatewayNode(settings: settings, logger: logger)
        keys = try APIKeyStore(
            directory: settings.process.dataDirectory,
            password: try KeyShelf.password(settings.process.password, file: settings.process.passwordFile), logger: logger)
        withheld = try WithheldStore(directory: settings.process.dataDirectory, logger: logger)
        self.logger = logger
    }

    /// Until the task is cancelled. `onListening` gets the HTTP port.
    package func run(onListening: @Sendable (Int) -> Void = { _ in }) async throws {
        let standing = withheld.standing
        if !standing.isEmpty { logger.warning("feeds are withheld", metadata: ["feeds": "\(standing.count)"]) }
        node.withhold(standing)
        let metrics = GatewayMetrics(node)
        let api = try GatewayAPI(node, keys: keys, metrics: metrics, logger: logger)
        onListening(try await api.start())
        let watching = Task { [keys] in await keys.watch { api.keysChanged() } }
        let withholding = Task { [node, withheld] in await withheld.watch { node.withhold($0) } }
        defer {
            watching.cancel()
            withholding.cancel()
        }
        do { try await node.run() } catch {
            await api.stop()
            throw error
        }
        await api.stop()
    }
}
