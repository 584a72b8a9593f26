// Everything that a guard holds of one chain: its own endpoints, heads, and the logs of the two ramps.

import CCIP
import ChainAccess
import Configuration
import Ethereum
import Foundation
import Guarding
import JSONRPC
import Logging
import Storage

/// Takes what an eye sees. Throws when logs must be read again.
protocol GuardAudience: Sendable {
    func sees(_ event: GuardEvent) async throws
}

final class ChainEye: Sendable {
    let chain: WatchedCluster.Chain
    let endpoints: ChainEndpointSet
    let heads: HeadTracker
    /// Nil where no lane begins.
    let departures: LogPoller?
    /// Nil where no lane ends.
    let arrivals: LogPoller?
    private let clients: [RPCClient]
    private let audience: any GuardAudience

    init(
        _ chain: WatchedCluster.Chain, _ settings: GuardSettings, store: Store, audience: any GuardAudience, logger: Logger
    ) throws {
        guard let listed = settings.endpoints.first(where: { $0.chain == chain.name }) else {
            throw WatcherError(.settings, "no endpoints for chain \(chain.name)")
        }
        var clients: [RPCClient] = []
        var transports: [any ChainTransport] = []
        for (position, url) in listed.urls.enumerated() {
            let client = RPCClient(url, logger: logger)
            clients.append(client)
            transports.append(RPCTransport(label: "\(chain.name)-\(position)", client: client))
        }
        let policy = AccessPolicy(
            finality: chain.finality, quorum: listed.quorum,
            requestTimeout: .milliseconds(chain.requestTimeoutMilliseconds), logWindow: chain.logBlocksMaximum,
            pollInterval: .milliseconds(settings.pollMilliseconds))
        let endpoints = try ChainEndpointSet(
            chainID: chain.chainID, name: chain.name, transports: transports, policy: policy, logger: logger)
        self.chain = chain
        self.clients = clients
        self.endpoints = endpoints
        self.audience = audience
        heads = HeadTracker(endpoints, logger: logger)
        func poller(
            _ name: String, _ filter: LogFilter, _ handler: @escaping LogPoller.Handler, latest: Bool
        ) -> LogPoller {
            LogPoller(
                name: Self.cursor(name, chain), endpoints: endpoints, store: store, filter: filter,
                startBlock: chain.startBlock, followLatest: latest, logger: logger, handler: handler)
        }
        let lanes = settings.cluster.lanes
        departures =
            lanes.contains { $0.source == chain.selector }
            ? poller(
                "departures", LogFilter(addresses: [chain.onRamp], topics: [[DerivedMessage.topic]]),
                { try await Self.departed($0, chain, audience) }, latest: false) : nil
        arrivals =
            lanes.contains { $0.destination == chain.selector }
            ? poller(
                "arrivals",
                LogFilter(
                    addresses: [chain.offRamp],
                    topics: [[DestinationLogs.commitAccepted, DestinationLogs.executionChanged]]),
                { try await Self.arrived($0, chain, audience) }, latest: true) : nil
    }

    /// Cursors of a chain; removed to read everything again.
    static func cursors(_ chain: WatchedCluster.Chain) -> [String] {
        ["departures", "arrivals"].map { cursor($0, chain) }
    }

    private static func cursor(_ name: String, _ chain: WatchedCluster.Chain) -> String { "guard-\(name)-\(chain.name)" }

    static var now: GuardTime { GuardTime(max(0, Date().timeIntervalSince1970 * 1_000)) }

    // MARK: Logs

    private static func departed(
        _ event: LogPollerEvent, _ chain: WatchedCluster.Chain, _ audience: any GuardAudience
    ) async throws {
        switch event {
        case .finalized(let logs, let through):
            let logs = logs.map { SourceLog(log: $0.log, block: $0.blockNumber) }
            try await audience.sees(.sourceLogs(chain.selector, logs, through: through.number, now: now))
        case .violated(let reason): try await audience.sees(.finalityViolated(chain.selector, reason: reason))
        case .unfinalized, .reorganised: break
        }
    }

    private static func arrived(
        _ event: LogPollerEvent, _ chain: WatchedCluster.Chain, _ audience: any GuardAudience
    ) async throws {
        switch event {
        case .finalized(let logs, _):
            for log in logs { try await judge(log, isFinal: true, chain, audience) }
        case .unfinalized(_, let logs):
            for log in logs { try await judge(log, isFinal: false, chain, audience) }
        case .violated(let reason): try await audience.sees(.finalityViolated(chain.selector, reason: reason))
        case .reorganised: break
        }
    }

    private static func judge(
        _ item: ChainLog, isFinal: Bool, _ chain: WatchedCluster.Chain, _ audience: any GuardAudience
    ) async throws {
        guard item.log.address == chain.offRamp else { return }
        switch item.log.topics.first {
        case DestinationLogs.commitAccepted:
            let roots = try DestinationLogs.accepted(item.log, on: chain.selector, block: item.blockNumber)
            for root in roots { try await audience.sees(.accepted(root, now: now)) }
        case DestinationLogs.executionChanged:
            let message = try DestinationLogs.executed(
                item.log, on: chain.selector, block: item.blockNumber, logIndex: item.logIndex)
            try await audience.sees(.executed(message, isFinal: isFinal, now: now))
        default: break
        }
    }

    // MARK: Running

    /// Chain ids of all endpoints; a wrong one is an error that no waiting mends.
    func verify() async throws {
        for status in await endpoints.verify() where status.state == .refused {
            throw WatcherError(
                .chain, "endpoint \(status.label) of \(chain.name): \(status.lastError.map { "\($0)" } ?? "refused")",
                hint: "correct endpoints.\(chain.name) in the guard's file")
        }
    }

    func run(logger: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [heads] in await heads.run() }
            group.addTask { [self] in
                for await heads in await heads.updates() {
                    try? await audience.sees(.head(chain.selector, finalized: heads.finalized.number, now: Self.now))
                }
            }
            for poller in [departures, arrivals].compactMap({ $0 }) {
                group.addTask { [heads, chain] in
                    guard case .stopped(let reason) = await poller.run(heads: heads) else { return }
                    logger.critical("chain stopped", metadata: ["chain": "\(chain.name)", "reason": "\(reason)"])
                    // The stop is in the store; the process stays up to say so.
                    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
                }
            }
        }
    }

    func close() async {
        for client in clients { await client.close() }
    }
}
