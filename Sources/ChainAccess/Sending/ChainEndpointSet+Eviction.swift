// Whether transactions that were broadcast are still known anywhere.

import Ethereum

extension ChainEndpointSet {
    /// True only when every endpoint has answered for every hash, and none knows one: then nodes take another price for
    /// the nonce.
    func knowsNone(of hashes: [Hash32]) async -> Bool {
        let calls = hashes.map { RPCCall("eth_getTransactionByHash", [.hash($0)]) }
        let endpoints = ranked()
        for endpoint in endpoints {
            do throws(ChainAccessError) {
                let isUnknown = try await ask(endpoint, calls) { answers throws(ChainAccessError) in
                    var isUnknown = true
                    for answer in answers {
                        let reader = try AnswerReader(answer, "eth_getTransactionByHash")
                        if !reader.isNull { isUnknown = false }
                    }
                    return isUnknown
                }
                guard isUnknown else { return false }
            } catch { return false }
        }
        return !endpoints.isEmpty
    }
}
