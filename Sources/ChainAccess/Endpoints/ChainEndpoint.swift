// One endpoint: its wire, its health, and the check that it serves the chain it is meant to serve.

import Ethereum
import Logging
import Synchronization

final class ChainEndpoint: Sendable {
    let transport: any ChainTransport
    let position: Int
    private let chainID: UInt64
    private let logger: Logger
    private let health = Mutex(EndpointHealth())
    private static let start = ContinuousClock.now

    var label: String { transport.label }

    init(_ transport: any ChainTransport, position: Int, chainID: UInt64, logger: Logger) {
        self.transport = transport
        self.position = position
        self.chainID = chainID
        var logger = logger
        logger[metadataKey: LogKey.endpoint] = "\(transport.label)"
        self.logger = logger
    }

    static var now: Double {
        let (seconds, fraction) = (ContinuousClock.now - start).components
        return Double(seconds) + Double(fraction) / 1e18
    }

    func withHealth<Value: Sendable>(_ body: (inout EndpointHealth) -> Value) -> Value { health.withLock { body(&$0) } }

    /// Calls in stages: those of a stage are sent when all of the stage before are answered. An endpoint that answers
    /// an array in its order gets all of them in one. The answers stand in the order of the calls.
    func send(stages: [[RPCCall]], timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer] {
        if transport.answersTogether {
            let answers = try await send(stages.flatMap { $0 }, timeout: timeout)
            // It has just turned out that it does not: what was asked at once stands in no order.
            if transport.answersTogether || stages.count < 2 { return answers }
        }
        var answers: [RPCAnswer] = []
        for stage in stages { answers += try await send(stage, timeout: timeout) }
        return answers
    }

    /// The chain id was checked before. Many calls go out in parts.
    func send(_ calls: [RPCCall], timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer] {
        let cooling = withHealth { $0.coolsUntil } - Self.now
        if cooling > 0 {
            throw ChainAccessError(
                .rateLimited, "the endpoint asked for a pause", context: ["endpoint": label],
                hint: "the provider limits calls", retryAfterMilliseconds: Int(cooling * 1_000) + 1)
        }
        try await verify(timeout: timeout)
        var answers: [RPCAnswer] = []
        var start = 0
        while start < calls.count {
            let part = Array(calls[start..<min(start + Limits.batchCallsMaximum, calls.count)])
            answers += try await exchange(part, timeout)
            start += part.count
        }
        return answers
    }

    private func exchange(_ calls: [RPCCall], _ timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer] {
        do throws(ChainAccessError) {
            let answers = try await transport.send(calls, timeout: timeout)
            guard answers.count == calls.count else {
                throw ChainAccessError(.malformedAnswer, "\(answers.count) answers to \(calls.count) calls")
            }
            return answers
        } catch {
            throw error.with("endpoint", label)
        }
    }

    /// Asks for the chain id once after a start and after each loss of the connection. A wrong one is for good.
    func verify(timeout: Duration) async throws(ChainAccessError) {
        switch withHealth({ $0.identity }) {
        case .verified: return
        case .refused(let found): throw wrong(found)
        case .unverified: break
        }
        let answers = try await exchange([RPCCall("eth_chainId")], timeout)
        guard let answer = answers.first else { return }
        let found = try AnswerReader(answer, "eth_chainId").number()
        guard found == chainID else {
            withHealth { $0.identity = .refused(found: found) }
            let error = wrong(found)
            logger.critical("endpoint refused: it serves another chain", metadata: [LogKey.error: "\(error)"])
            throw error
        }
        withHealth { $0.identity = .verified }
        logger.info("endpoint serves the right chain", metadata: [LogKey.chain: "\(chainID)"])
    }

    private func wrong(_ found: UInt64) -> ChainAccessError {
        ChainAccessError(
            .wrongChainID, "endpoint \(label) serves chain \(found), not \(chainID)",
            context: ["endpoint": label, "chain": "\(chainID)"],
            hint: "correct the endpoint or the chain id in the configuration")
    }

    // MARK: What came of it

    func succeeded() { withHealth { $0.succeeded() } }

    func failed(_ error: ChainAccessError) {
        guard error.code != .cancelled else { return }
        let first = withHealth { health in
            defer { health.failed(error, now: Self.now) }
            return health.failuresInRow == 0
        }
        if first { logger.warning("endpoint fails", metadata: [LogKey.error: "\(error)"]) }
    }

    func saw(latest: UInt64, finalized: UInt64) {
        withHealth { health in
            health.latest = latest
            health.finalized = finalized
        }
    }
}

enum LogKey {
    static let chain = "chain"
    static let endpoint = "endpoint"
    static let error = "error"
    static let block = "block"
    static let poller = "poller"
    static let sender = "sender"
    static let request = "request"
    static let transaction = "transaction"
    static let nonce = "nonce"
}
