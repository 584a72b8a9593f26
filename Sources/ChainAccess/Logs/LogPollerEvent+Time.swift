// Block times of logs, for those who reckon with them: some nodes leave them out.

import Ethereum

extension LogPollerEvent {
    /// The same with the time of its block at each log; blocks are asked for where an endpoint did not say it.
    /// Throws when one is not to be had.
    package func timed(by endpoints: ChainEndpointSet) async throws -> LogPollerEvent {
        switch self {
        case .finalized(var logs, let through):
            for at in logs.indices where logs[at].blockTimestamp == nil {
                let same = logs[..<at].last { $0.blockHash == logs[at].blockHash }?.blockTimestamp
                if let same {
                    logs[at].blockTimestamp = same
                } else if let block = try await endpoints.block(.hash(logs[at].blockHash)) {
                    logs[at].blockTimestamp = block.timestamp
                } else {
                    throw ChainAccessError(.behind, "block \(logs[at].blockHash) of a log is not to be had")
                }
            }
            return .finalized(logs: logs, through: through)
        case .unfinalized(let block, var logs):
            for at in logs.indices { logs[at].blockTimestamp = block.timestamp }
            return .unfinalized(block: block, logs: logs)
        case .reorganised, .violated: return self
        }
    }
}
