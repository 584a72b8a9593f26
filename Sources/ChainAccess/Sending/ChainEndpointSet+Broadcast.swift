// Sends a signed transaction to every endpoint; the first that takes it ends the wait, the others still get it.

import Ethereum
import Logging
import Transactions

extension ChainEndpointSet {
    /// Never throws: an endpoint that does not answer may still have taken the transaction (`unknown`).
    package func sendRaw(_ raw: Bytes) async -> BroadcastOutcome {
        let endpoints = ranked()
        let calls = [RPCCall("eth_sendRawTransaction", [.data(raw)])]
        let hash = keccak256(raw)
        let (answers, continuation) = AsyncStream.makeStream(
            of: BroadcastOutcome.self, bufferingPolicy: .bufferingNewest(endpoints.count + 1))
        // Not tied to the caller: what was started is not called back when one endpoint has answered.
        for endpoint in endpoints {
            Task { continuation.yield(await self.broadcast(endpoint, calls, hash)) }
        }
        var best = BroadcastOutcome.unknown
        var count = 0
        guard !endpoints.isEmpty else { return best }
        for await outcome in answers {
            count += 1
            if Self.weight(outcome) > Self.weight(best) { best = outcome }
            if best == .accepted || count == endpoints.count { break }
        }
        continuation.finish()
        return best
    }

    private func broadcast(_ endpoint: ChainEndpoint, _ calls: [RPCCall], _ hash: Hash32) async -> BroadcastOutcome {
        do throws(ChainAccessError) {
            return try await ask(endpoint, calls) { answers throws(ChainAccessError) in
                switch answers[0] {
                case .error(let code, let message, _):
                    let outcome = RemoteErrors.broadcast(code, message)
                    if outcome == .unknown {
                        self.logger.warning(
                            "a broadcast was answered with an error we do not know",
                            metadata: [
                                LogKey.transaction: "\(hash)", LogKey.error: "\(code) \(message.prefix(200))",
                            ])
                    }
                    return outcome
                case .result:
                    let answered = try AnswerReader(answers[0], "eth_sendRawTransaction").hash()
                    // Another hash than ours: whatever it is, it does not say that ours is in.
                    return answered == hash ? .accepted : .unknown
                }
            }
        } catch { return .unknown }
    }

    /// Which answer counts when endpoints differ.
    private static func weight(_ outcome: BroadcastOutcome) -> Int {
        switch outcome {
        case .accepted: 7
        case .alreadyKnown: 6
        case .nonceTooLow: 5
        case .underpriced: 4
        case .insufficientFunds: 3
        case .nonceTooHigh: 2
        case .rejected: 1
        case .unknown: 0
        }
    }
}
