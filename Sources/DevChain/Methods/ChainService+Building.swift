// testing_buildBlockV1: a block as a consensus layer would ask for it, in the shapes of the engine API.

import EVM
import Ethereum
import JSONRPC

extension ChainService {
    /// Arguments: the parent's hash, payload attributes, raw transactions or null for what waits, extra data.
    func buildBlock(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let parent = try p.hash(0)
        let attributes = try Members(try p.required(1, "payload attributes"), "argument 1")
        var request = try Self.payload(attributes)
        if p[3] != nil { request.extraData = try p.data(3) }
        let rules = hub.read { chain in
            chain.block(.hash(parent)).map { chain.era(over: $0, timestamp: request.timestamp).rules } ?? chain.rules
        }
        let candidates = try transactions(p, at: 2, rules)
        let asked = request
        let built = try refusable { () throws(DevChainError) in
            let plan = try hub.read { chain throws(DevChainError) in
                try chain.plan(over: parent, asked, candidates: candidates)
            }
            return (plan.candidates, candidates == nil ? try plan.payloadOfWhatFits() : try plan.payload())
        }
        return Self.answer(built.1, sidecars: Self.sidecars(built.1.block, built.0))
    }

    private static func payload(_ members: Members) throws(JSONRPCError) -> PayloadRequest {
        guard let timestamp = try members.uint64("timestamp") else {
            throw .invalidParams("\(members.path("timestamp")): expected seconds")
        }
        return PayloadRequest(
            timestamp: timestamp, prevRandao: try members.hash("prevRandao") ?? .zero,
            feeRecipient: try members.address("suggestedFeeRecipient") ?? .zero,
            withdrawals: try members.withdrawals(atMost: Limits.payloadWithdrawalsMaximum),
            parentBeaconBlockRoot: try members.hash("parentBeaconBlockRoot") ?? .zero)
    }

    /// Raw transactions, those with blobs also as they stand in blocks; nil where there is no list.
    private func transactions(
        _ p: Parameters, at position: Int, _ rules: RuleSet
    ) throws(JSONRPCError) -> [PooledTransaction]? {
        guard let value = p[position] else { return nil }
        guard let items = value.asArray, items.count <= Limits.payloadTransactionsMaximum else {
            throw .invalidParams(
                "argument \(position): expected at most \(Limits.payloadTransactionsMaximum) raw transactions")
        }
        var result: [PooledTransaction] = []
        for (index, item) in items.enumerated() {
            let raw = try Parameters.data(item, "argument \(position)[\(index)]")
            let chainID = profile.chainID
            result.append(
                try refusable { () throws(DevChainError) in
                    try raw.first == Transaction.Kind.blob.rawValue && !SignedTransaction.hasSidecar(raw)
                        ? PooledTransaction(bareOfBlock: raw, chainID: chainID, rules: rules)
                        : PooledTransaction(raw: raw, chainID: chainID, rules: rules)
                })
        }
        return result
    }

    private static func sidecars(_ block: StoredBlock, _ candidates: [PooledTransaction]) -> [BlobSidecar] {
        let known = Dictionary(candidates.map { ($0.hash, $0) }) { first, _ in first }
        return block.transactions.compactMap { known[$0.hash]?.sidecar }
    }

    /// As engine_getPayload answers.
    private static func answer(_ built: BuiltPayload, sidecars: [BlobSidecar]) -> JSON {
        func list(_ path: (BlobSidecar) -> [Bytes]) -> JSON { .array(sidecars.flatMap(path).map { .data($0) }) }
        return [
            "executionPayload": payload(built.block), "blockValue": .quantity(built.value),
            "blobsBundle": [
                "commitments": list(\.commitments), "proofs": list(\.proofs), "blobs": list(\.blobs),
            ],
            "executionRequests": .array(built.requests.map { .data($0) }), "shouldOverrideBuilder": false,
        ]
    }

    private static func payload(_ block: StoredBlock) -> JSON {
        let header = block.header
        var object = JSONObject([
            ("parentHash", .hash(header.parentHash)), ("feeRecipient", .address(header.beneficiary)),
            ("stateRoot", .hash(header.stateRoot)), ("receiptsRoot", .hash(header.receiptsRoot)),
            ("logsBloom", .string(header.logsBloom.hex)), ("prevRandao", .hash(header.mixHash)),
            ("blockNumber", .quantity(header.number)), ("gasLimit", .quantity(header.gasLimit)),
            ("gasUsed", .quantity(header.gasUsed)), ("timestamp", .quantity(header.timestamp)),
            ("extraData", .data(header.extraData)), ("baseFeePerGas", .quantity(block.baseFee)),
            ("blockHash", .hash(block.hash)),
            ("transactions", .array(block.transactions.map { .data($0.signed.encoded) })),
        ])
        if header.withdrawalsRoot != nil { object["withdrawals"] = .array(block.withdrawals.map(Answers.withdrawal)) }
        if let gas = header.blobGasUsed { object["blobGasUsed"] = .quantity(gas) }
        if let gas = header.excessBlobGas { object["excessBlobGas"] = .quantity(gas) }
        return .object(object)
    }
}

extension Members {
    /// The member `withdrawals`; none when it is missing.
    func withdrawals(atMost limit: Int) throws(JSONRPCError) -> [Withdrawal] {
        var result: [Withdrawal] = []
        for item in try list("withdrawals", atMost: limit) ?? [] {
            let entry = try Members(item, path("withdrawals"))
            guard let address = try entry.address("address") else {
                throw .invalidParams("\(entry.path("address")): expected an address")
            }
            result.append(
                Withdrawal(
                    index: try entry.uint64("index") ?? 0, validatorIndex: try entry.uint64("validatorIndex") ?? 0,
                    address: address, amountGwei: try entry.uint64("amount") ?? 0))
        }
        return result
    }
}
