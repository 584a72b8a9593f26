// Balances, code, storage, nonces and proofs.

import EVM
import Ethereum
import JSONRPC

extension ChainService {
    /// The state that an argument names. Where nothing waits, the pending state is the latest.
    func state(_ p: Parameters, at position: Int) throws(JSONRPCError) -> WorldState {
        let selector = try p.block(position)
        if selector == .pending, hub.read({ $0.hasWork }) { return pendingBlock().after }
        return try refusable { () throws(DevChainError) in
            try hub.read { chain throws(DevChainError) in try chain.state(selector) }
        }
    }

    func storage(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let address = try p.address(0)
        let slot = try p.slot(1)
        return .hash(Hash32(try state(p, at: 2).storage(address, slot)))
    }

    /// eth_getStorageValues: slots of several accounts at one block, by address.
    func storageValues(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let members = try Members(try p.required(0, "an object from address to storage keys"), "argument 0")
        guard !members.object.isEmpty else { throw .invalidParams("empty request") }
        let state = try state(p, at: 1)
        var answer = JSONObject()
        var count = 0
        for (name, value) in members.object.members {
            let place = members.path(String(name.prefix(42)))
            let address = try Parameters.address(.string(name), place)
            guard let keys = value.asArray else { throw .invalidParams("\(place): expected an array of storage keys") }
            count += keys.count
            guard count <= Limits.proofKeysMaximum else {
                throw .limitExceeded("too many slots: at most \(Limits.proofKeysMaximum) in one call")
            }
            var values: [JSON] = []
            for key in keys { values.append(.hash(Hash32(state.storage(address, try Parameters.slot(key, place))))) }
            answer[name] = .array(values)
        }
        return .object(answer)
    }

    /// eth_getAccountInfo: balance, nonce and code at once.
    func accountInfo(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let address = try p.address(0)
        let state = try state(p, at: 1)
        return [
            "balance": .quantity(state.balance(address)), "nonce": .quantity(state.nonce(address)),
            "code": .data(state.code(of: address)),
        ]
    }

    func transactionCount(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let address = try p.address(0)
        if try p.block(1) == .pending { return .quantity(hub.read { $0.pendingNonce(address) }) }
        return .quantity(try state(p, at: 1).nonce(address))
    }

    func account(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let state = try state(p, at: 1)
        let address = try p.address(0)
        guard let account = state.account(address)?.state else { return .null }
        return [
            "codeHash": .hash(account.codeHash), "storageRoot": .hash(state.storageRoot(of: address)),
            "balance": .quantity(account.balance), "nonce": .quantity(account.nonce),
        ]
    }

    /// EIP-1186. The proof leads to the state root of the block's header, so what development methods changed since
    /// the latest block is not in it.
    func proof(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let address = try p.address(0)
        guard let keys = p[1]?.asArray else { throw .invalidParams("argument 1: expected an array of storage keys") }
        guard keys.count <= Limits.proofKeysMaximum else {
            throw .limitExceeded("too many storage keys: \(keys.count), at most \(Limits.proofKeysMaximum)")
        }
        let selector = try p.block(2)
        let state = try refusable { () throws(DevChainError) in
            try hub.read { chain throws(DevChainError) in
                let block = try chain.knownBlock(selector)
                return try chain.states(of: block).after
            }
        }
        let account = state.account(address)?.state ?? AccountState()
        var proofs: [JSON] = []
        for key in keys {
            let slot = try Parameters.slot(key, "argument 1")
            proofs.append([
                // As it was written where that was a whole word, else as a number.
                "key": key.asString?.utf8.count == 66 ? .hash(Hash32(slot)) : .quantity(slot), "value": .quantity(state.storage(address, slot)),
                "proof": .array(state.proof(of: slot, in: address).map { .data($0) }),
            ])
        }
        return [
            "address": .address(address), "accountProof": .array(state.proof(of: address).map { .data($0) }),
            "balance": .quantity(account.balance), "codeHash": .hash(account.codeHash),
            "nonce": .quantity(account.nonce), "storageHash": .hash(state.storageRoot(of: address)),
            "storageProof": .array(proofs),
        ]
    }

    // MARK: Fees

    func feeHistory(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let asked = try p.uint64(0)
        guard asked > 0 else { return ["oldestBlock": "0x0", "gasUsedRatio": []] }
        let percentiles = try percentiles(p[2])
        let newest = p[1] == nil ? StoredBlock?.none : try knownBlock(p, at: 1)
        let (blocks, nextFee, blobFees, blobLimits) = hub.read { chain in
            let last = newest?.number ?? chain.head.number
            let count = min(asked, Limits.feeHistoryBlocksMaximum, last + 1)
            let blocks = Array(chain.blocks[Int(last + 1 - count)...Int(last)])
            let isHead = last == chain.head.number
            let nextFee = isHead ? chain.nextBaseFee : chain.blocks[Int(last) + 1].baseFee
            let nextBlobFee =
                isHead
                ? chain.nextBlobBaseFee : chain.environment(of: chain.blocks[Int(last) + 1]).blobBaseFee
            let blobFees = blocks.map { chain.environment(of: $0).blobBaseFee } + [nextBlobFee]
            return (blocks, nextFee, blobFees, blocks.map { chain.era(of: $0.header).rules.blobsMaximum })
        }
        var answer = JSONObject([
            ("oldestBlock", .quantity(blocks[0].number)),
            ("baseFeePerGas", .array(blocks.map { .quantity($0.baseFee) } + [.quantity(nextFee)])),
            (
                "gasUsedRatio",
                .array(blocks.map { .number(Self.ratio($0.header.gasUsed, of: $0.header.gasLimit)) })
            ),
            ("baseFeePerBlobGas", .array(blobFees.map { .quantity($0) })),
            (
                "blobGasUsedRatio",
                .array(
                    zip(blocks, blobLimits).map { block, most in
                        .number(Self.ratio(block.header.blobGasUsed ?? 0, of: Transaction.gasPerBlob * UInt64(most)))
                    })
            ),
        ])
        if p[2] != nil { answer["reward"] = .array(blocks.map { Self.rewards($0, percentiles) }) }
        return .object(answer)
    }

    private func percentiles(_ json: JSON?) throws(JSONRPCError) -> [Double] {
        guard let json else { return [] }
        guard let items = json.asArray, items.count <= Limits.feeHistoryPercentilesMaximum else {
            throw .invalidParams("argument 2: expected at most \(Limits.feeHistoryPercentilesMaximum) percentiles")
        }
        var result: [Double] = []
        for item in items {
            guard case .number(let text) = item, let value = Double(text), (0...100).contains(value),
                value >= result.last ?? 0
            else { throw .invalidParams("argument 2: percentiles are ascending numbers from 0 to 100") }
            result.append(value)
        }
        return result
    }

    private static func ratio(_ used: UInt64, of limit: UInt64) -> String {
        used == 0 ? "0" : used >= limit ? "1" : "\(Double(used) / Double(limit))"
    }

    /// The tips below which the given shares of the block's gas were paid.
    private static func rewards(_ block: StoredBlock, _ percentiles: [Double]) -> JSON {
        let paid = block.outcomes.map { (tip: $0.effectiveGasPrice &- block.baseFee, gas: $0.gasUsed) }
            .sorted { $0.tip < $1.tip }
        guard let last = paid.last else { return .array(percentiles.map { _ in "0x0" }) }
        return .array(
            percentiles.map { percentile in
                var left = Double(block.header.gasUsed) * percentile / 100
                for (tip, gas) in paid {
                    left -= Double(gas)
                    if left <= 0 { return .quantity(tip) }
                }
                return .quantity(last.tip)
            })
    }
}
