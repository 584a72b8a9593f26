// Fetches off-chain token data beside the rounds (4.6 of the off-chain specification): rounds read the cache alone, and
// what they miss there is asked for in the background.

import CCIP
import ChainAccess
import Ethereum
import Executing
import JSONRPC
import Logging
import Storage
import Synchronization

/// Asks one attestation service.
package protocol AttestationFetching: Sendable {
    /// `path` stands behind the base address of the service. Throws when there is no answer.
    func get(_ path: String) async throws -> HTTPFetch.Answer
}

struct AttestationService: AttestationFetching {
    let base: String
    let fetch: HTTPFetch

    func get(_ path: String) async throws -> HTTPFetch.Answer { try await fetch.get(try EndpointURL.parse(base + path)) }
}

/// Where the transaction of a message is read again.
package struct TokenDataSource: Sendable {
    package var onRamp: Address
    /// The logs of a transaction of this chain; nil while its receipt is not to be had.
    package var logs: @Sendable (Hash32) async throws -> [ContractLog]?

    package init(onRamp: Address, logs: @escaping @Sendable (Hash32) async throws -> [ContractLog]?) {
        self.onRamp = onRamp
        self.logs = logs
    }
}

/// One pacer for everybody who asks one service: it blocks addresses, not clients.
package final class SharedPacer: Sendable {
    private let pacer: Mutex<RequestPacer>

    package init(_ settings: TokenDataSettings) {
        pacer = Mutex(RequestPacer(spacing: settings.intervalMilliseconds, coolDown: settings.coolDownMilliseconds))
    }

    func reserve(now: UInt64) -> RequestPacer.Slot { pacer.withLock { $0.reserve(now: now) } }

    func throttled(retryAfterSeconds: UInt64?, now: UInt64) {
        pacer.withLock { $0.throttled(retryAfterSeconds: retryAfterSeconds, now: now) }
    }
}

package final class TokenDataWorker: Sendable {
    struct TokenKey: Hashable, Comparable {
        let message: MessageKey
        let id: MessageID
        let token: Int

        static func < (a: TokenKey, b: TokenKey) -> Bool { (a.message, a.token) < (b.message, b.token) }
    }

    private struct Entry {
        let need: TokenDataNeed
        let transaction: Hash32
        var data: TokenData
        /// Milliseconds of the next request, or of the end of a ready answer.
        var due: UInt64
        /// Entries that no round has asked for lately go.
        var wantedAt: UInt64
        var isRunning = false
    }

    private struct State {
        var entries: [TokenKey: Entry] = [:]
        var requests: UInt64 = 0
        var throttled: UInt64 = 0
        var failures: UInt64 = 0
    }

    package struct Statistics: Sendable, Equatable {
        package var waiting: Int
        package var ready: Int
        package var requests: UInt64
        package var throttled: UInt64
        package var failures: UInt64
    }

    private let settings: TokenDataSettings
    private let service: any AttestationFetching
    private let sources: [ChainSelector: TokenDataSource]
    private let logger: Logger
    private let now: @Sendable () -> UInt64
    private let pacer: SharedPacer
    private let shared = Mutex(State())
    private let bell = Bell()

    /// `now`: milliseconds of a monotonic clock.
    package init(
        settings: TokenDataSettings, service: any AttestationFetching, sources: [ChainSelector: TokenDataSource],
        pacer: SharedPacer, logger: Logger, now: @escaping @Sendable () -> UInt64
    ) {
        self.settings = settings
        self.service = service
        self.sources = sources
        self.logger = logger
        self.pacer = pacer
        self.now = now
    }

    package convenience init(
        settings: TokenDataSettings, sources: [ChainSelector: TokenDataSource], pacer: SharedPacer, logger: Logger,
        now: @escaping @Sendable () -> UInt64
    ) {
        let fetch = HTTPFetch(timeoutMilliseconds: settings.timeoutMilliseconds, logger: logger)
        self.init(
            settings: settings, service: AttestationService(base: settings.api, fetch: fetch), sources: sources,
            pacer: pacer, logger: logger, now: now)
    }

    package var statistics: Statistics {
        shared.withLock { state in
            let ready = state.entries.values.count { if case .ready = $0.data { true } else { false } }
            return Statistics(
                waiting: state.entries.count - ready, ready: ready, requests: state.requests, throttled: state.throttled,
                failures: state.failures)
        }
    }

    // MARK: For rounds

    /// What is known now, one entry for each token; what is not is fetched from now on. `transaction` is that of the
    /// message on its source chain, nil while this process has not read it there.
    package func data(of message: Any2EVMRampMessage, transaction: Hash32?) -> [TokenData] {
        let needs = settings.rules.needs(of: message)
        guard needs.contains(where: { $0 != .none }) else { return needs.map { _ in .none } }
        let time = now()
        var isNew = false
        let data = shared.withLock { state in
            needs.enumerated().map { index, need -> TokenData in
                switch need {
                case .none: return .none
                case .unknown(let why): return .notReady(why)
                case .cctpV1, .cctpV2:
                    guard let transaction else { return .notReady("its transaction is not read on the source chain yet") }
                    let key = TokenKey(message: message.key, id: message.header.messageID, token: index)
                    if state.entries[key] == nil || state.entries[key]?.transaction != transaction {
                        guard state.entries.count < Limits.tokenDataEntriesMaximum else { return .notReady("too many wait") }
                        state.entries[key] = Entry(
                            need: need, transaction: transaction, data: .notReady("not asked for yet"), due: time,
                            wantedAt: time)
                        isNew = true
                    }
                    state.entries[key]?.wantedAt = time
                    return state.entries[key]?.data ?? .notReady("not asked for yet")
                }
            }
        }
        if isNew { bell.ring() }
        return data
    }

    // MARK: The loop

    /// Until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(Limits.tokenDataTickMilliseconds))
                    bell.ring()
                }
                bell.takeDown()
            }
            for await _ in bell.rings {
                if Task.isCancelled { break }
                await work()
            }
            group.cancelAll()
        }
    }

    /// Everything that is due, a few at a time. Returns when it is done.
    package func work() async {
        let time = now()
        let due = shared.withLock { state -> [TokenKey] in
            state.entries = state.entries.filter {
                $0.value.isRunning || $0.value.wantedAt + Limits.tokenDataForgottenMilliseconds > time
            }
            let due = state.entries.filter { !$0.value.isRunning && $0.value.due <= time }.keys.sorted()
            for key in due { state.entries[key]?.isRunning = true }
            return due
        }
        await withTaskGroup(of: Void.self) { group in
            for (index, key) in due.enumerated() {
                if index >= Limits.tokenDataWorkers { await group.next() }
                group.addTask { [self] in await fetch(key) }
            }
        }
    }

    private func fetch(_ key: TokenKey) async {
        guard let entry = shared.withLock({ $0.entries[key] }) else { return }
        let answer: AttestationAnswer
        do {
            answer = try await self.answer(key, entry)
        } catch {
            shared.withLock { $0.failures += 1 }
            answer = .notReady("no answer: \(error)")
            logger.debug("token data not fetched", metadata: ["message": "\(key.id)", "error": "\(error)"])
        }
        let time = now()
        shared.withLock { state in
            guard var current = state.entries[key] else { return }
            current.isRunning = false
            switch answer {
            case .ready(let bytes):
                // A refresh that fails later never takes back what is here: an attestation does not go bad.
                current.data = .ready(bytes)
                current.due = time + Limits.tokenDataCacheMilliseconds
            case .notReady(let why):
                if case .notReady = current.data { current.data = .notReady(why) }
                current.due = max(current.due, time + settings.retryMilliseconds)
            }
            state.entries[key] = current
        }
    }

    private func answer(_ key: TokenKey, _ entry: Entry) async throws -> AttestationAnswer {
        guard let source = sources[key.message.source] else { return .notReady("the source chain is not watched") }
        guard let logs = try await source.logs(entry.transaction) else {
            return .notReady("the receipt of its transaction is not to be had")
        }
        switch entry.need {
        case .none: return .ready([])
        case .unknown(let why): return .notReady(why)
        case .cctpV1(let transmitter, let domain, let nonce):
            guard let message = CCTPV1.message(in: logs, transmitter: transmitter, domain: domain, nonce: nonce) else {
                return .notReady("its transaction has no MessageSent of \(transmitter) with nonce \(nonce)")
            }
            return try await ask(CCTPV1.path(message)) { CCTPV1.read($0, message: message) }
        case .cctpV2(let domain, let hash):
            guard let rule = settings.rules.rules.first(where: { $0.source == key.message.source }),
                let (rank, count) = DepositRank.of(
                    hash, token: key.token, of: key.id, in: logs, onRamp: source.onRamp, rule: rule)
            else { return .notReady("its transaction does not hold the message") }
            return try await ask(CCTPV2.path(domain: domain, transaction: entry.transaction)) {
                CCTPV2.read($0, depositHash: hash, rank: rank, count: count)
            }
        }
    }

    private func ask(_ path: String, _ read: (JSON) -> AttestationAnswer) async throws -> AttestationAnswer {
        switch pacer.reserve(now: now()) {
        case .notBefore(let time):
            let wait = time - min(time, now())
            return .notReady("the attestation service is left alone for \(wait) ms more")
        case .at(let time):
            let wait = time - min(time, now())
            if wait > 0 { try await Task.sleep(for: .milliseconds(Int64(wait))) }
        }
        shared.withLock { $0.requests += 1 }
        let answer = try await service.get(path)
        switch answer.status {
        case 200:
            guard let json = try? JSON.parse(answer.body) else { return .notReady("the answer is no JSON") }
            return read(json)
        case 404: return .notReady("the attestation service does not know it yet")
        case 429:
            shared.withLock { $0.throttled += 1 }
            pacer.throttled(retryAfterSeconds: answer.retryAfterSeconds, now: now())
            return .notReady("the attestation service wants fewer requests")
        default: return .notReady("HTTP status \(answer.status)")
        }
    }
}

extension TokenDataSource {
    package init(onRamp: Address, endpoints: ChainEndpointSet) {
        self.init(onRamp: onRamp) { transaction in
            try await endpoints.receipts([transaction])[0].map { receipt in
                receipt.logs.map { ContractLog(address: $0.log.address, topics: $0.log.topics, data: $0.log.data) }
            }
        }
    }
}
