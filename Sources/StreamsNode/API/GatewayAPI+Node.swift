// The interface of a running gateway: its settings, its reports.

import Configuration
import Logging
import PriceStreams

extension GatewayAPI {
    /// Serves what the node publishes from now on, and what it holds.
    convenience init(_ node: GatewayNode, keys: APIKeyStore, metrics: GatewayMetrics, logger: Logger) throws {
        var settings = GatewayAPISettings()
        settings.host = node.settings.process.http.host
        settings.port = node.settings.process.http.port
        settings.requestsPerSecond = node.settings.requestsPerSecond
        settings.connectionsPerUser = node.settings.connectionsPerUser
        self.init(
            settings: settings, catalogue: try FeedCatalogue(node.settings.process.streams),
            history: GatewayHistory(node), keys: { keys.current }, obstacles: { [weak node] in node?.obstacles() ?? [] },
            metrics: metrics.registry, refreshMetrics: { metrics.refresh() }, logger: logger)
        node.onWithheld { [weak self] feedID, isWithheld in self?.tell(feedID, isWithheld: isWithheld) }
        node.onPublished { [weak self] published in self?.publish(APIReport(published)) }
    }
}
