// What a profile makes different in the RPC: methods that are missing, answers that are bent, calls that are too many.
// Each has its key under `rpc` or `quirks` in docs/reference/chain-profiles.md.

import Ethereum
import JSONRPC
import Synchronization

extension ChainService {
    func isMissing(_ method: Method, _ name: String) -> Bool {
        if method.isFilter, profile.quirks.filterMethodsMissing { return true }
        let missing = profile.rpc.missingMethods
        return missing.contains(method.rawValue) || missing.contains(name)
    }

    /// The answer as this chain's nodes give it.
    func profiledAnswer(
        _ method: Method, _ parameters: JSON, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON {
        if let refusal = unknown(method, parameters) { throw refusal }
        let answer = try await answer(method, try Parameters(bent(method, parameters)), on: connection)
        switch method {
        case .transactionByHash where profile.rpc.poolTransactionsHidden && answer["blockHash"] == .null: return .null
        case .traceTransaction, .traceCall:
            guard profile.rpc.traceErrorsInHex, case .object(var object) = answer, object["error"] != nil else {
                return answer
            }
            object["error"] = .data(Bytes("status code: 2".utf8))
            return .object(object)
        default: return answer
        }
    }

    /// The refusal of a block by a name, or of a log filter by a hash, that this chain's nodes do not know.
    private func unknown(_ method: Method, _ parameters: JSON) -> JSONRPCError? {
        guard !profile.rpc.missingBlockTags.isEmpty || profile.rpc.logsByHashMissing,
            case .array(let items) = parameters
        else { return nil }
        var named = items
        if method == .logs, let filter = items.first {
            if profile.rpc.logsByHashMissing, let hash = filter["blockHash"], !hash.isNull {
                return .invalidParams("argument 0.blockHash: not supported")
            }
            named = [filter["fromBlock"], filter["toBlock"]].compactMap { $0 }
        }
        let tag = named.lazy.compactMap(\.asString).first { profile.rpc.missingBlockTags.contains($0) }
        return tag.map { .invalidParams("'\($0)' is no block number") }
    }

    /// The parameters, with the latest block instead of one that is not there, where nodes answer so.
    private func bent(_ method: Method, _ parameters: JSON) -> JSON {
        guard profile.rpc.unknownBlockIsLatest, method == .call, case .array(var items) = parameters, items.count > 1,
            let selector = try? Parameters.block(items[1], "argument 1"), hub.read({ $0.block(selector) }) == nil
        else { return parameters }
        items[1] = "latest"
        return .array(items)
    }

    /// The refusal of a transaction, with this chain's code for a wrong nonce.
    func refusal(of error: DevChainError) -> JSONRPCError {
        let plain = JSONRPCError(error)
        guard error.code == .nonceTooLow || error.code == .nonceTooFar else { return plain }
        return JSONRPCError(code: profile.rpc.nonceErrorCode, message: plain.message, data: plain.data)
    }

    /// HTTP 429 when a minute had its calls; nil when these are taken. Development methods cost nothing.
    func tooMany(_ methods: [String]) -> MessageFate? {
        guard profile.rpc.callsPerMinute > 0 else { return nil }
        let count = methods.count { !FaultRule.isOfTester($0) }
        let now = clock()
        return quota.withLock { $0.take(count, at: now) }.map { seconds in
            .refused(
                status: 429, retryAfterSeconds: seconds,
                error: .limitExceeded("more than \(profile.rpc.callsPerMinute) calls in a minute"))
        }
    }
}

/// Calls by the minute, as public endpoints count them. Pure: time comes in.
struct CallQuota: Sendable {
    let perMinute: Int
    private var minute: UInt64 = 0
    private var used = 0

    init(perMinute: Int) { self.perMinute = perMinute }

    /// Takes calls; nil when they are allowed, else the seconds until the next minute begins.
    mutating func take(_ count: Int, at milliseconds: UInt64) -> UInt64? {
        if milliseconds / 60_000 != minute { (minute, used) = (milliseconds / 60_000, 0) }
        guard used + count <= perMinute else { return (60_000 - milliseconds % 60_000 + 999) / 1000 }
        used += count
        return nil
    }
}
