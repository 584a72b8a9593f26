// Everything that one process holds of one chain: endpoints, heads, logs.

import CCIP
import ChainAccess
import Ethereum
import JSONRPC
import Logging
import Storage
import Synchronization

/// One chain as a process sees it.
package final class ChainWatch: Sendable {
    package let settings: ClusterSettings.Chain
    package let endpoints: ChainEndpointSet
    package let heads: HeadTracker
    package let poller: LogPoller
    private let clients: [RPCClient]
    private let wasCaughtUp = Mutex(false)

    package init(
        _ chain: ClusterSettings.Chain, _ settings: RelayerSettings, store: Store, keeper: BookKeeper, logger: Logger
    ) throws {
        guard let listed = settings.endpoints.first(where: { $0.chain == chain.name }) else {
            throw RelayerError(.settings, "no endpoints for chain \(chain.name)")
        }
        var clients: [RPCClient] = []
        var transports: [any ChainTransport] = []
        for (position, url) in listed.urls.enumerated() {
            let client = RPCClient(url, logger: logger)
            clients.append(client)
            transports.append(RPCTransport(label: "\(chain.name)-\(position)", client: client))
        }
        self.settings = chain
        self.clients = clients
        let interval = Duration.milliseconds(settings.pollMilliseconds)
        let policy = AccessPolicy(finality: .tag(offset: 0), quorum: listed.quorum, pollInterval: interval)
        endpoints = try ChainEndpointSet(
            chainID: chain.chainID, name: chain.name, transports: transports, policy: policy, logger: logger)
        heads = HeadTracker(endpoints, logger: logger)
        poller = LogPoller(
            name: "messages-\(chain.name)", endpoints: endpoints, store: store, filter: BookKeeper.filter(chain),
            startBlock: chain.startBlock, followLatest: true, logger: logger
        ) { [endpoints] event in try keeper.handle(try await Self.timed(event, endpoints), of: chain) }
    }

    /// Block times belong to what oracles compare; endpoints that leave them out of logs are asked for the blocks.
    private static func timed(_ event: LogPollerEvent, _ endpoints: ChainEndpointSet) async throws -> LogPollerEvent {
        switch event {
        case .finalized(var logs, let through):
            for at in logs.indices where logs[at].blockTimestamp == nil {
                let same = logs[..<at].last { $0.blockHash == logs[at].blockHash }?.blockTimestamp
                if let same {
                    logs[at].blockTimestamp = same
                } else if let block = try await endpoints.block(.hash(logs[at].blockHash)) {
                    logs[at].blockTimestamp = block.timestamp
                } else {
                    throw RelayerError(.chain, "block \(logs[at].blockHash) of a log is not to be had")
                }
            }
            return .finalized(logs: logs, through: through)
        case .unfinalized(let block, var logs):
            for at in logs.indices { logs[at].blockTimestamp = block.timestamp }
            return .unfinalized(block: block, logs: logs)
        case .reorganised, .violated: return event
        }
    }

    /// Finalized logs were taken up to the finalized head once, and are at most a few blocks behind it now: only then is
    /// the absence of a log worth something. What is sent is checked against the contract's own state besides.
    package func isCaughtUp() async -> Bool {
        guard let current = await heads.current, let position = await poller.position else { return false }
        let lag = current.finalized.number - min(current.finalized.number, position.number)
        if lag == 0 { wasCaughtUp.withLock { $0 = true } }
        return lag <= Limits.logLagBlocksMaximum && wasCaughtUp.withLock { $0 }
    }

    package func close() async {
        for client in clients { await client.close() }
    }
}
