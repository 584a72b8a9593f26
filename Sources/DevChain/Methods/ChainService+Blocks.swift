// Blocks, transactions and receipts by number, hash and tag.

import Ethereum
import JSONRPC

extension ChainService {
    /// The block that an argument names, or nil; the pending one is built for it.
    func foundBlock(_ p: Parameters, at position: Int) throws(JSONRPCError) -> (block: StoredBlock, pending: Bool)? {
        guard p[position] != nil else {
            throw .invalidParams("missing value for required argument \(position): a block")
        }
        let selector = try p.block(position)
        if selector == .pending { return (pendingBlock().block, true) }
        return hub.read { $0.block(selector) }.map { ($0, false) }
    }

    func knownBlock(_ p: Parameters, at position: Int) throws(JSONRPCError) -> StoredBlock {
        let selector = try p.block(position)
        return try refusable { () throws(DevChainError) in
            try hub.read { chain throws(DevChainError) in try chain.knownBlock(selector) }
        }
    }

    /// The block that would be made now, and the state after it. Nothing of it is kept.
    func pendingBlock() -> BuiltBlock {
        if let known = hub.read({ $0.preconfirmedBlock }) { return known }
        let seconds = seconds
        return hub.read { $0.pendingPlan(at: seconds) }.run()
    }

    func block(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let whole = try p.bool(1, default: false)
        return try foundBlock(p, at: 0).map {
            Answers.block(
                $0.block, whole: whole, pending: $0.pending, quirks: profile.quirks)
        } ?? .null
    }

    func header(_ p: Parameters) throws(JSONRPCError) -> JSON {
        try foundBlock(p, at: 0).map { Answers.header($0.block, pending: $0.pending) } ?? .null
    }

    func blockReceipts(_ p: Parameters) throws(JSONRPCError) -> JSON {
        guard let (block, isPending) = try foundBlock(p, at: 0), !isPending else { return .null }
        return .array(block.transactions.indices.map { Answers.receipt(block, $0) })
    }

    func blockTransactionCount(_ p: Parameters) throws(JSONRPCError) -> JSON {
        try foundBlock(p, at: 0).map { .quantity(UInt64($0.block.transactions.count)) } ?? .null
    }

    func uncleCount(_ p: Parameters) throws(JSONRPCError) -> JSON {
        try foundBlock(p, at: 0).map { .quantity(UInt64($0.block.ommers.count)) } ?? .null
    }

    /// An ommer, told as a block without a body.
    func uncle(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let index = try p.uint64(1)
        guard let (block, _) = try foundBlock(p, at: 0), index < UInt64(block.ommers.count) else { return .null }
        return Answers.ommer(block.ommers[Int(index)])
    }

    func rawBlock(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let block = try knownBlock(p, at: 0)
        do throws(EthereumError) { return .data(try block.body.encoded) } catch {
            throw .internalError("block \(block.number) does not encode: \(error.message)")
        }
    }

    // MARK: Transactions

    func transactionByHash(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let hash = try p.hash(0)
        let (place, waiting, baseFee) = hub.read {
            ($0.place(of: hash) ?? $0.preconfirmedPlace(of: hash), $0.pool.find(hash), $0.nextBaseFee)
        }
        if let place {
            return Answers.transaction(
                place.block.transactions[place.index], in: place, baseFee: place.block.baseFee)
        }
        return waiting.map { Answers.transaction($0, in: nil, baseFee: baseFee) } ?? .null
    }

    func transactionByIndex(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let index = try p.uint64(1)
        guard let (block, isPending) = try foundBlock(p, at: 0), index < UInt64(block.transactions.count) else {
            return .null
        }
        return Answers.transaction(
            block.transactions[Int(index)], in: isPending ? nil : (block, Int(index)), baseFee: block.baseFee)
    }

    /// A blob transaction that waits is answered with its blobs.
    func rawTransaction(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let hash = try p.hash(0)
        let (place, waiting) = hub.read { ($0.place(of: hash), $0.pool.find(hash)) }
        let found = place.map { $0.block.transactions[$0.index] } ?? waiting
        return found.map { .data($0.networkForm) } ?? .null
    }

    func rawTransactionByIndex(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let index = try p.uint64(1)
        guard let (block, _) = try foundBlock(p, at: 0), index < UInt64(block.transactions.count) else { return "0x" }
        return .data(block.transactions[Int(index)].signed.encoded)
    }

    func receipt(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let hash = try p.hash(0)
        let place = hub.read { $0.place(of: hash) ?? $0.preconfirmedPlace(of: hash) }
        return place.map { Answers.receipt($0.block, $0.index) } ?? .null
    }
}
