// The edge of the fault switches: waits, refuses and bends answers as the plan decides, and takes rules from their
// admin methods. What is decided is in Faults/FaultPlan.swift.

import Ethereum
import JSONRPC
import Logging

extension ChainService {
    // MARK: Messages and calls

    func fate(of methods: [String]) async -> MessageFate {
        if let refused = tooMany(methods) { return refused }
        if profile.rpc.batchesMissing, methods.count > 1 {
            return .refused(
                status: 400, retryAfterSeconds: nil, error: .invalidRequest("this endpoint takes one call at a time"))
        }
        switch faults.strike(message: methods) {
        case .drop(let closes): return .silence(closes: closes)
        case .tooManyRequests(let seconds):
            return .refused(
                status: 429, retryAfterSeconds: seconds, error: .limitExceeded("too many requests, as a fault has it"))
        case .serverError:
            return .refused(status: 500, retryAfterSeconds: nil, error: .internalError("as a fault has it"))
        default: return profile.rpc.mismatchedBatchIDs ? .answeredWithMixedIDs : .answered
        }
    }

    /// Answers a call that a fault strikes.
    func answer(
        _ method: Method, _ parameters: JSON, on connection: JSONRPCConnection?, under struck: FaultPlan.CallFaults
    ) async throws(JSONRPCError) -> JSON {
        if struck.delayMilliseconds > 0 {
            // Cut short only when the process ends: then nobody waits any more.
            try? await Task.sleep(for: .milliseconds(struck.delayMilliseconds))
        }
        if let code = struck.errorCode { throw JSONRPCError(code: code, message: struck.errorMessage) }
        let view = hub.read {
            FaultedView(faults: struck, head: $0.head.number, safe: $0.safe, finalized: $0.finalized)
        }
        let answer = try await profiledAnswer(method, view.parameters(method, parameters), on: connection)
        return view.answer(method, withoutLogs(method, answer, struck))
    }

    /// The logs that stay.
    private func withoutLogs(_ method: Method, _ answer: JSON, _ struck: FaultPlan.CallFaults) -> JSON {
        guard !struck.logRules.isEmpty, [.logs, .filterLogs, .filterChanges].contains(method),
            let items = answer.asArray, items.allSatisfy({ $0.asObject != nil })
        else { return answer }
        let stays = faults.keep(logsOf: items.map { $0["blockNumber"]?.asUInt64 ?? 0 }, under: struck)
        return .array(zip(items, stays).filter(\.1).map(\.0))
    }

    // MARK: Administration

    func administerFaults(_ method: Method, _ p: Parameters) throws(JSONRPCError) -> JSON {
        switch method {
        case .setFaults:
            guard let items = try p.required(0, "a list of fault rules").asArray else {
                throw .invalidParams("argument 0: expected a list of fault rules")
            }
            guard items.count <= Limits.faultRulesMaximum else {
                throw .limitExceeded("\(items.count) fault rules, at most \(Limits.faultRulesMaximum)")
            }
            var rules: [FaultRule] = []
            for (index, item) in items.enumerated() { rules.append(try FaultRule(item, "argument 0[\(index)]")) }
            faults.set(rules)
            logger.notice("faults set by request", metadata: [LogKey.faults: "\(rules.count)"])
            return .integer(rules.count)
        case .clearFaults:
            let count = faults.armed.count
            faults.set([])
            logger.notice("faults cleared by request", metadata: [LogKey.faults: "\(count)"])
            return .integer(count)
        default: return .array(faults.armed.map(\.json))
        }
    }
}
