// Follows the transmitters of one chain up to its finalized block. What is done with a message is Attester's business.

import Ethereum

/// Reads one chain from where it stopped the last time.
struct AttesterWatch: Sendable {
    let chain: AttesterSettings.Chain
    let endpoint: any DeploymentEndpoint
    private var next: UInt64

    init(_ chain: AttesterSettings.Chain, endpoint: any DeploymentEndpoint) {
        self.chain = chain
        self.endpoint = endpoint
        next = chain.startBlock
    }

    struct News: Sendable {
        var latest: UInt64
        var messages: [(message: AttestedMessage, place: AttesterPlace)]
        /// False while there is more to read than one query takes.
        var isComplete: Bool
    }

    /// What became final since; at most one query of logs. Throws `chainUnreachable` or `wrongChain`, and reads the same
    /// blocks again the next time.
    mutating func read() async throws(LocalnetError) -> News {
        let heads = try await endpoint.results([
            DeploymentCall("eth_blockNumber"), DeploymentCall("eth_getBlockByNumber", ["finalized", false]),
        ])
        guard let latest = heads[0].asUInt64 else {
            throw LocalnetError(.chainUnreachable, "\(endpoint.label) answers no block number")
        }
        // Young chains have no finalized block yet.
        guard let finalized = heads[1]["number"]?.asUInt64, finalized >= next else {
            return News(latest: latest, messages: [], isComplete: true)
        }
        let last = min(finalized, next + Limits.attesterBlocksPerQuery - 1)
        let filter: JSON = [
            "fromBlock": .quantity(next), "toBlock": .quantity(last),
            "address": .array(chain.transmitters.map { .address($0) }),
            "topics": [.hash(AttestedMessage.messageSent.topic)],
        ]
        let logs = try await endpoint.results([DeploymentCall("eth_getLogs", [filter])])[0]
        guard let items = logs.asArray else {
            throw LocalnetError(.chainUnreachable, "\(endpoint.label) answers no list of logs")
        }
        var found: [(message: AttestedMessage, place: AttesterPlace)] = []
        for item in items { if let message = try message(item) { found.append(message) } }
        next = last + 1
        found.sort { $0.place < $1.place }
        return News(latest: latest, messages: found, isComplete: last == finalized)
    }

    private func message(_ log: JSON) throws(LocalnetError) -> (message: AttestedMessage, place: AttesterPlace)? {
        guard let block = log["blockNumber"]?.asUInt64, let index = log["logIndex"]?.asUInt64,
            let transaction = log["transactionHash"]?.asString.flatMap({ try? Hash32(hex: $0) }),
            let data = log["data"]?.asString.flatMap({ try? Hex.decode($0) })
        else { throw LocalnetError(.chainUnreachable, "\(endpoint.label) answers a log that lacks a key") }
        let topics = (log["topics"]?.asArray ?? []).compactMap { $0.asString.flatMap { try? Hash32(hex: $0) } }
        // Anyone may log anything from a contract of theirs; transmitters log messages of their own domain.
        guard let message = AttestedMessage(topics: topics, data: data), message.sourceDomain == chain.domain else { return nil }
        return (
            message, AttesterPlace(domain: chain.domain, block: block, logIndex: index, transaction: transaction)
        )
    }
}
