// All endpoints of one chain: whom to ask, whom to ask next, and what several must say alike.
// The reads themselves stand in Reads/.

import Ethereum
import Logging
import Synchronization

/// Something that people must look at; also logged.
package typealias Alarm = @Sendable (String) -> Void

/// How transactions of a chain are priced where its node leaves us to guess.
package struct FeeRule: Sendable, Equatable {
    /// Nil: dynamic fees on a chain whose blocks have a base fee, legacy transactions elsewhere.
    package var kind: Transaction.Kind?
    /// Wei for one gas where the node suggests no tip.
    package var tipWei: U256
    /// Wei for one gas on a chain without base fees whose node tells no price; nil refuses to guess.
    package var gasPriceWei: U256?

    package init(kind: Transaction.Kind? = nil, tipWei: U256 = Limits.tipWeiDefault, gasPriceWei: U256? = nil) {
        self.kind = kind
        self.tipWei = tipWei
        self.gasPriceWei = gasPriceWei
    }
}

package struct AccessPolicy: Sendable {
    package var finality: FinalityRule
    /// Endpoints that must say the same before something is signed.
    package var quorum: Int?
    package var requestTimeout: Duration
    /// Blocks in one log query at most.
    package var logWindow: UInt64
    /// How often heads are read when nothing wakes us earlier.
    package var pollInterval: Duration
    /// How often a read is put to the endpoints before the caller hears of a failure that may pass.
    package var attempts: Int
    package var fees: FeeRule

    /// `quorum` nil: 1 for a single endpoint, 2 otherwise.
    package init(
        finality: FinalityRule, quorum: Int? = nil, requestTimeout: Duration = .seconds(5),
        logWindow: UInt64 = Limits.logWindowBlocks, pollInterval: Duration = .seconds(2),
        attempts: Int = Limits.attempts, fees: FeeRule = FeeRule()
    ) {
        self.finality = finality
        self.quorum = quorum
        self.requestTimeout = requestTimeout
        self.logWindow = max(1, logWindow)
        self.pollInterval = pollInterval
        self.attempts = max(1, attempts)
        self.fees = fees
    }
}

package final class ChainEndpointSet: Sendable {
    package let chainID: UInt64
    package let name: String
    package let policy: AccessPolicy
    /// Endpoints that must agree.
    package let quorum: Int
    let endpoints: [ChainEndpoint]
    let logger: Logger
    private let alarmHook: Alarm
    /// Highest heads that any endpoint showed.
    private let best = Mutex((latest: UInt64(0), finalized: UInt64(0)))
    /// How logs of one block are asked for; found out once.
    let logsByBlock = Mutex(LogsByBlock.unknown)

    /// Throws `invalidConfiguration`: no endpoint, a quorum that cannot be met, too deep a finality.
    package init(
        chainID: UInt64, name: String, transports: [any ChainTransport], policy: AccessPolicy, logger: Logger,
        alarm: @escaping Alarm = { _ in }
    ) throws(ChainAccessError) {
        let quorum = policy.quorum ?? min(2, transports.count)
        guard !transports.isEmpty, (1...transports.count).contains(quorum) else {
            throw ChainAccessError(
                .invalidConfiguration, "\(transports.count) endpoints cannot give a quorum of \(quorum)",
                context: ["chain": name], hint: "add endpoints or lower the quorum")
        }
        if case .depth(let depth, let offset) = policy.finality,
            depth > Limits.finalityDepthMaximum || offset > Limits.finalityDepthMaximum
        {
            throw ChainAccessError(
                .invalidConfiguration, "a finality depth above \(Limits.finalityDepthMaximum)",
                context: ["chain": name],
                hint: "check the unit: it counts blocks")
        }
        var logger = logger
        logger[metadataKey: LogKey.chain] = "\(name)"
        self.chainID = chainID
        self.name = name
        self.policy = policy
        self.quorum = quorum
        self.logger = logger
        alarmHook = alarm
        endpoints = transports.enumerated().map { position, transport in
            ChainEndpoint(transport, position: position, chainID: chainID, logger: logger)
        }
        logger.info(
            "chain endpoints",
            metadata: [
                "endpoints": "\(transports.count)", "quorum": "\(quorum)", "finality": "\(policy.finality)",
            ])
    }

    package var statuses: [EndpointStatus] {
        let best = self.best.withLock { $0 }
        let now = ChainEndpoint.now
        return endpoints.map { endpoint in
            endpoint.withHealth { health in
                EndpointStatus(
                    label: endpoint.label, state: health.state(now: now, best: best.latest), penalty: health.penalty,
                    latest: health.latest, finalized: health.finalized, lastError: health.lastError?.description)
            }
        }
    }

    /// Asks every endpoint for its chain id. Those that serve another chain are never asked again.
    @discardableResult
    package func verify() async -> [EndpointStatus] {
        await withTaskGroup(of: Void.self) { group in
            for endpoint in endpoints {
                group.addTask {
                    do throws(ChainAccessError) {
                        try await endpoint.verify(timeout: self.policy.requestTimeout)
                        endpoint.succeeded()
                    } catch {
                        endpoint.failed(error)
                        if error.code == .wrongChainID { self.alarm(error.message) }
                    }
                }
            }
        }
        return statuses
    }

    func alarm(_ message: String) {
        logger.error("\(message)")
        alarmHook(message)
    }

    func saw(_ heads: ChainHeads, _ endpoint: ChainEndpoint) {
        endpoint.saw(latest: heads.latest.number, finalized: heads.finalized.number)
        best.withLock { best in
            best = (max(best.latest, heads.latest.number), max(best.finalized, heads.finalized.number))
        }
    }

    var highestFinalized: UInt64 { best.withLock { $0.finalized } }

    /// Best first; refused ones are left out.
    func ranked() -> [ChainEndpoint] {
        let latest = best.withLock { $0.latest }
        let now = ChainEndpoint.now
        return endpoints.compactMap { endpoint in
            endpoint.withHealth { $0.isRefused ? nil : ($0.rank(now: now, best: latest), endpoint.position, endpoint) }
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { $0.2 }
    }

    // MARK: One endpoint, the next when it fails

    typealias Parse<Value> = @Sendable ([RPCAnswer]) throws(ChainAccessError) -> Value

    /// Asks one endpoint and reads its answers; a failure that is the endpoint's own passes the question on. When none
    /// answers, and the failure may pass, all are asked again.
    func read<Value: Sendable>(_ calls: [RPCCall], _ parse: Parse<Value>) async throws(ChainAccessError) -> Value {
        try await persistently { endpoint throws(ChainAccessError) in try await self.ask(endpoint, [calls], parse) }
    }

    /// One answer of the first endpoint that gives one, over all attempts that the policy allows.
    func persistently<Value: Sendable>(
        _ question: (ChainEndpoint) async throws(ChainAccessError) -> Value
    ) async throws(ChainAccessError) -> Value {
        var retries = Retries(policy)
        while true {
            let failure: ChainAccessError
            do throws(ChainAccessError) { return try await anyone(question) } catch { failure = error }
            guard let pause = retries.pause(after: failure, now: ChainEndpoint.now) else {
                throw failure.with("chain", name)
            }
            do { try await Task.sleep(for: pause) } catch {
                throw ChainAccessError(.cancelled, "the read was given up")
            }
        }
    }

    /// The best first, the next when it fails.
    private func anyone<Value: Sendable>(
        _ question: (ChainEndpoint) async throws(ChainAccessError) -> Value
    ) async throws(ChainAccessError) -> Value {
        var last: ChainAccessError?
        for endpoint in ranked() {
            do throws(ChainAccessError) { return try await question(endpoint) } catch {
                guard error.isOfEndpoint else { throw error }
                // What may pass says more about when to ask again than what an incapable endpoint says.
                if last?.isTransient != true || error.isTransient { last = error }
            }
        }
        throw last ?? noEndpoint
    }

    func ask<Value: Sendable>(
        _ endpoint: ChainEndpoint, _ calls: [RPCCall], _ parse: Parse<Value>
    ) async throws(ChainAccessError) -> Value {
        try await ask(endpoint, [calls], parse)
    }

    /// Calls in stages (`ChainEndpoint.send(stages:timeout:)`).
    func ask<Value: Sendable>(
        _ endpoint: ChainEndpoint, _ stages: [[RPCCall]], _ parse: Parse<Value>
    ) async throws(ChainAccessError) -> Value {
        do throws(ChainAccessError) {
            let answers = try await endpoint.send(stages: stages, timeout: policy.requestTimeout)
            let value = try parse(answers)
            endpoint.succeeded()
            return value
        } catch {
            if error.code == .wrongChainID { alarm(error.message) }
            switch error.code {
            case .unreachable, .timeout, .malformedAnswer, .wrongChainID, .rateLimited: endpoint.failed(error)
            default: break
            }
            throw error.with("endpoint", endpoint.label)
        }
    }

    var noEndpoint: ChainAccessError {
        ChainAccessError(
            .noEndpoint, "no endpoint serves chain \(chainID)", context: ["chain": name],
            hint: "every configured endpoint serves another chain: correct the configuration")
    }
}
