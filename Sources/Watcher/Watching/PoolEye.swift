// What a guard sees of token pools on one chain: what passes them in finalized blocks, and how their limiters stand. Whether
// that is right is the Guard's to say.

import CCIP
import ChainAccess
import Ethereum
import Guarding
import Logging
import Storage
import Synchronization

final class PoolEye: Sendable {
    let eye: ChainEye
    /// Of this chain, ascending.
    let gates: [PoolGate]
    let flows: LogPoller
    private let audience: any GuardAudience
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var readBlock: UInt64 = 0
        var failure: String? = "not read yet"
    }

    /// Nil where no pool is watched.
    init?(_ eye: ChainEye, pools: [PoolAllowance], store: Store, audience: any GuardAudience, logger: Logger) {
        let gates = pools.map(\.gate).filter { $0.chain == eye.chain.selector }.sorted()
        guard !gates.isEmpty else { return nil }
        self.eye = eye
        self.gates = gates
        self.audience = audience
        self.logger = logger
        let (chain, endpoints) = (eye.chain.selector, eye.endpoints)
        // Without a start block: what passed before this guard knew its allowances is none of its business. A pool that is
        // added later is counted from where the cursor stands then.
        flows = LogPoller(
            name: "guard-pools-\(eye.chain.name)", endpoints: endpoints, store: store,
            filter: LogFilter(
                addresses: Set(gates.map(\.pool)).sorted { $0.hex < $1.hex },
                topics: [[PoolWords.lockedOrBurned, PoolWords.releasedOrMinted]]),
            startBlock: nil, followLatest: false, logger: logger
        ) { event in try await Self.passed(try await event.timed(by: endpoints), chain, audience) }
    }

    /// Of what the limiters said last.
    var readBlock: UInt64 { state.withLock { $0.readBlock } }
    /// Why the limiters are not known; nil when they are.
    var failure: String? { state.withLock { $0.failure } }

    private static func passed(
        _ event: LogPollerEvent, _ chain: ChainSelector, _ audience: any GuardAudience
    ) async throws {
        switch event {
        case .finalized(let logs, _):
            for item in logs {
                guard let timestamp = item.blockTimestamp else {
                    throw WatcherError(.chain, "block \(item.blockNumber) has no time")
                }
                let flow = try PoolWords.flow(
                    item.log, on: chain, block: item.blockNumber, logIndex: item.logIndex, timestamp: timestamp)
                if let flow { try await audience.sees(.flow(flow)) }
            }
        case .violated(let reason): try await audience.sees(.finalityViolated(chain, reason: reason))
        case .unfinalized, .reorganised: break
        }
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                guard case .stopped(let reason) = await flows.run(heads: eye.heads) else { return }
                logger.critical("chain stopped", metadata: ["chain": "\(eye.chain.name)", "reason": "\(reason)"])
                while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
            }
            group.addTask { [self] in
                while !Task.isCancelled {
                    await read()
                    try? await Task.sleep(for: .milliseconds(Limits.poolReadMilliseconds))
                }
            }
        }
    }

    /// All limiters at one block, from a quorum. What cannot be read changes nothing, and is an obstacle.
    func read() async {
        guard let head = await eye.heads.current?.latest else { return fail("no head yet") }
        let targets = gates.flatMap { gate in
            [
                CallTarget(to: gate.pool, data: PoolWords.supports(gate.remote)),
                CallTarget(to: gate.pool, data: PoolWords.limiter(gate)),
            ]
        }
        switch await eye.endpoints.agreedCalls(targets, at: head) {
        case .notYet(let why): fail(why)
        case .refused(let error): fail(error.message)
        case .ready(let results):
            do {
                guard results.count == targets.count else { return fail("\(results.count) answers to \(targets.count) calls") }
                for (position, gate) in gates.enumerated() {
                    let limiter = try Self.limiter(gate, results[2 * position], results[2 * position + 1])
                    try await audience.sees(.limiter(gate, limiter))
                }
                state.withLock { $0 = State(readBlock: head.number, failure: nil) }
            } catch { fail("\(error)") }
        }
    }

    private static func limiter(
        _ gate: PoolGate, _ supported: CallResult, _ answer: CallResult
    ) throws -> LimiterState? {
        guard case .returned(let bytes) = supported else {
            throw WatcherError(.chain, "\(gate) does not answer isSupportedChain: is it a pool of CCIP 1.5 or 1.6?")
        }
        guard try PoolWords.isSupported(bytes) else { return nil }
        guard case .returned(let state) = answer else {
            throw WatcherError(.chain, "\(gate) does not tell its limiter")
        }
        return try PoolWords.limiter(state)
    }

    private func fail(_ why: String) {
        let isNew = state.withLock { state in
            defer { state.failure = why }
            return state.failure != why
        }
        if isNew { logger.warning("limiters of pools are not read", metadata: ["chain": "\(eye.chain.name)", "why": "\(why)"]) }
    }
}
