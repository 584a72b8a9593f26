// debug_trace: transactions of blocks run again, and calls, under a tracer.

import EVM
import Ethereum
import JSONRPC

extension ChainService {
    func traceTransaction(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let hash = try p.hash(0)
        let request = try TraceRequest(p[1], place: "argument 1")
        let found = try refusable { () throws(DevChainError) in
            try hub.read { chain throws(DevChainError) -> (CallView, StoredBlock, Int)? in
                guard let (block, index) = chain.place(of: hash) else { return nil }
                return (try chain.replayView(block), block, index)
            }
        }
        guard let (view, block, index) = found else {
            throw JSONRPCError(code: -32000, message: "transaction not found")
        }
        let answers = try refusable { () throws(DevChainError) in
            try view.replay(block, upTo: index + 1, isWatched: { $0 == index }) { _, run throws(DevChainError) in
                try request.answer(run)
            }
        }
        return answers[0]
    }

    /// debug_traceBlockByNumber and debug_traceBlockByHash.
    func traceBlock(_ p: Parameters) throws(JSONRPCError) -> JSON {
        guard p[0] != nil else { throw .invalidParams("missing value for required argument 0: a block") }
        let selector = try p.block(0)
        let block = try refusable { () throws(DevChainError) in
            try hub.read { chain throws(DevChainError) in
                guard let block = chain.block(selector) else {
                    switch selector {
                    case .hash(let hash): throw DevChainError(.blockNotFound, "block \(hash) not found")
                    case .number(let number): throw DevChainError(.blockNotFound, "block #\(number) not found")
                    default: throw DevChainError(.blockNotFound, "block not found")
                    }
                }
                return block
            }
        }
        return try trace(block, TraceRequest(p[1], place: "argument 1"))
    }

    /// debug_traceBlock: a block of this chain as RLP.
    func traceRawBlock(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let raw = try p.data(0)
        let hash: Hash32
        do throws(EthereumError) { hash = try Block.decode(raw).header.hash } catch {
            throw .invalidParams("argument 0: could not decode block: \(error.message)")
        }
        guard let block = hub.read({ $0.block(.hash(hash)) }) else {
            throw JSONRPCError(code: -32000, message: "block \(hash) is none of this chain's")
        }
        return try trace(block, TraceRequest(p[1], place: "argument 1"))
    }

    private func trace(_ block: StoredBlock, _ request: TraceRequest) throws(JSONRPCError) -> JSON {
        guard block.number > 0 else { throw JSONRPCError(code: -32000, message: "genesis is not traceable") }
        let answers = try refusable { () throws(DevChainError) in
            let view = try hub.read { chain throws(DevChainError) in try chain.replayView(block) }
            var size = 0
            return try view.replay(block, upTo: block.transactions.count) { index, run throws(DevChainError) -> JSON in
                let answer = try request.answer(run)
                size += answer.bytes.count
                guard size <= Limits.blockTraceBytesMaximum else {
                    throw DevChainError(
                        .limitExceeded,
                        "the traces of this block are larger than \(Limits.blockTraceBytesMaximum) bytes; ask for its "
                            + "transactions one by one")
                }
                return ["txHash": .hash(block.transactions[index].hash), "result": answer]
            }
        }
        return .array(answers)
    }

    /// Arguments: transaction, block, options with `stateOverrides`, `blockOverrides` and `txIndex`.
    func traceCall(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let request = try TraceRequest(p[2], place: "argument 2")
        let transaction = try TransactionRequest(try p.required(0, "a transaction"))
        var view = try tracedView(p)
        var overrides: [CallView.AccountOverride] = []
        if let options = p[2] {
            let members = try Members(options, "argument 2")
            overrides = try Overrides.accounts(members["stateOverrides"], place: members.path("stateOverrides"))
            try Overrides.block(
                members["blockOverrides"], place: members.path("blockOverrides"), &view.environment)
        }
        let call = try prepare(transaction, view, overrides)
        return try refusable { () throws(DevChainError) in
            try call.view.trace(call.transaction, sender: call.sender, overrides: call.overrides) {
                run throws(DevChainError) in try request.answer(run)
            }
        }
    }

    /// The view after the block that is named, or inside of it where `txIndex` says before which transaction.
    private func tracedView(_ p: Parameters) throws(JSONRPCError) -> CallView {
        guard let options = p[2], let index = try Members(options, "argument 2").uint64("txIndex") else {
            return try view(p.block(1))
        }
        let block = try knownBlock(p, at: 1)
        guard index < UInt64(block.transactions.count) else {
            throw JSONRPCError(
                code: -32000, message: "transaction index \(index) out of range for block \(block.hash)")
        }
        return try refusable { () throws(DevChainError) in
            let start = try hub.read { chain throws(DevChainError) in try chain.replayView(block) }
            return try start.replay(block, upTo: Int(index))
        }
    }
}
