// What waits in the pool, as txpool methods tell it.

import Ethereum
import JSONRPC

extension ChainService {
    func poolStatus() -> JSON {
        let (ready, all) = hub.read { ($0.pool.readyCount, $0.pool.count) }
        return ["pending": .quantity(UInt64(ready)), "queued": .quantity(UInt64(all - ready))]
    }

    func poolContent() -> JSON {
        let baseFee = hub.read { $0.nextBaseFee }
        return pool { Answers.transaction($0, in: nil, baseFee: baseFee) }
    }

    /// The same in one line a transaction.
    func poolInspection() -> JSON {
        pool { pooled in
            let transaction = pooled.transaction
            let target = transaction.to?.checksummed ?? "contract creation"
            return .string(
                "\(target): \(transaction.value) wei + \(transaction.gasLimit) gas × \(transaction.maxFeePerGas) wei")
        }
    }

    func poolContentFrom(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let sender = try p.address(0)
        let (own, baseFee) = hub.read { ($0.pool.contents(of: sender), $0.nextBaseFee) }
        func shown(_ transactions: [PooledTransaction]) -> JSON {
            Self.byNonce(transactions) { Answers.transaction($0, in: nil, baseFee: baseFee) }
        }
        return ["pending": shown(own.ready), "queued": shown(own.gapped)]
    }

    /// eth_pendingTransactions: what waits of this node's own accounts.
    func pendingTransactions() -> JSON {
        let (contents, baseFee) = hub.read { chain in
            (accounts.map { chain.pool.contents(of: $0.address) }, chain.nextBaseFee)
        }
        return .array(
            contents.flatMap { $0.ready + $0.gapped }.map { Answers.transaction($0, in: nil, baseFee: baseFee) })
    }

    private func pool(_ shown: (PooledTransaction) -> JSON) -> JSON {
        var pending = JSONObject()
        var queued = JSONObject()
        for (sender, ready, gapped) in hub.read({ $0.pool.contents }) {
            if !ready.isEmpty { pending[sender.checksummed] = Self.byNonce(ready, shown) }
            if !gapped.isEmpty { queued[sender.checksummed] = Self.byNonce(gapped, shown) }
        }
        return ["pending": .object(pending), "queued": .object(queued)]
    }

    private static func byNonce(_ transactions: [PooledTransaction], _ shown: (PooledTransaction) -> JSON) -> JSON {
        .object(JSONObject(transactions.map { (String($0.transaction.nonce), shown($0)) }))
    }
}
