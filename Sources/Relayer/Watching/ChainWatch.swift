// Everything that one process holds of one chain: endpoints, heads, logs.

import CCIP
import ChainAccess
import Configuration
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
    private let keeper: BookKeeper
    private let rmn = Mutex<Address?>(nil)

    package init(
        _ chain: ClusterSettings.Chain, _ settings: RelayerSettings, store: Store, keeper: BookKeeper, logger: Logger
    ) throws {
        guard let listed = settings.endpoints.first(where: { $0.chain == chain.name }) else {
            throw RelayerError(.settings, "no endpoints for chain \(chain.name)")
        }
        var clients: [RPCClient] = []
        var transports: [any ChainTransport] = []
        for (position, url) in listed.urls.enumerated() {
            // The transport's own limit is the shorter one; the client's closes what hangs all the same.
            let client = RPCClient(
                url, timeoutMilliseconds: 2 * chain.access.requestTimeoutMilliseconds, batchMode: chain.access.batch,
                logger: logger)
            clients.append(client)
            transports.append(RPCTransport(label: "\(chain.name)-\(position)", client: client))
        }
        self.settings = chain
        self.clients = clients
        self.keeper = keeper
        let interval = Duration.milliseconds(settings.pollMilliseconds)
        let policy = chain.policy(quorum: listed.quorum, pollInterval: interval)
        endpoints = try ChainEndpointSet(
            chainID: chain.chainID, name: chain.name, transports: transports, policy: policy, logger: logger)
        heads = HeadTracker(endpoints, logger: logger)
        poller = LogPoller(
            name: BookKeeper.pollerName(chain), endpoints: endpoints, store: store, filter: BookKeeper.filter(chain),
            startBlock: chain.startBlock, followLatest: true, logger: logger
        ) { [endpoints] event in
            // Block times belong to what oracles compare.
            try keeper.handle(try await event.timed(by: endpoints), of: chain)
        }
    }

    /// Only then is the absence of a log worth something. What is sent is checked against the contract's own state
    /// besides.
    package func isCaughtUp() async -> Bool {
        guard let current = await heads.current else { return false }
        return await poller.isCaughtUp(with: current.finalized.number)
    }

    /// Takes logs of finalized blocks that the poller was not shown; those that it was shown change nothing.
    /// Returns how many were new.
    func recover(_ logs: [ChainLog], through: BlockReference) async throws -> Int {
        let event = LogPollerEvent.finalized(logs: logs, through: through)
        guard case .finalized(let timed, _) = try await event.timed(by: endpoints) else { return 0 }
        return try keeper.recover(timed, of: settings)
    }

    /// The contract that the OffRamp asks about curses: a proxy as a rule, whose target may change (3.7). Part of the
    /// OffRamp's immutable configuration, so it is read once.
    func curseContract(at block: BlockReference) async -> Reading<Address> {
        if let known = rmn.withLock({ $0 }) { return .ready(known) }
        let reader = ContractReader(endpoints)
        let reading = await reader.agreed(OffRampCalls.staticConfig(), from: settings.contracts.offRamp, at: block)
        guard case .ready(let config) = reading else { return reading.map(\.rmnRemote) }
        rmn.withLock { $0 = config.rmnRemote }
        return .ready(config.rmnRemote)
    }

    /// Endpoints that serve another chain; none of them is asked any more.
    package var refusedEndpoints: [EndpointStatus] { endpoints.statuses.filter { $0.state == .refused } }

    package func close() async {
        for client in clients { await client.close() }
    }
}
