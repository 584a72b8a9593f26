// Calls that no block holds, estimates and access lists. They run on a view, outside of the chain's lock.

import EVM
import Ethereum
import JSONRPC

extension ChainService {
    /// The view that an argument names. The pending one is the state after what waits, inside the next block.
    func view(_ selector: BlockSelector) throws(JSONRPCError) -> CallView {
        if selector == .pending { return nextView() }
        return try refusable { () throws(DevChainError) in
            try hub.read { chain throws(DevChainError) in try chain.view(selector) }
        }
    }

    /// The next block: its number, time and fee, over the state that it starts from or, where transactions wait, after
    /// them.
    func nextView() -> CallView {
        let seconds = seconds
        let (plan, known) = hub.read { ($0.pendingPlan(at: seconds), $0.preconfirmedBlock) }
        let state = known?.after ?? (plan.candidates.isEmpty ? plan.before : plan.run().after)
        return CallView(
            state: state, environment: plan.environment, hashes: plan.hashes,
            blockHashOfDecimalText: plan.blockHashOfDecimalText, engines: hub.engines)
    }

    struct PreparedCall {
        let view: CallView
        let transaction: Transaction
        let sender: Address
        let overrides: [CallView.AccountOverride]
    }

    /// Arguments: transaction, block, state overrides, block overrides.
    private func prepare(_ p: Parameters, defaultBlock: BlockSelector = .latest) throws(JSONRPCError) -> PreparedCall {
        let request = try TransactionRequest(try p.required(0, "a transaction"))
        var view = try view(p[1] == nil ? defaultBlock : p.block(1))
        let overrides = try Overrides.accounts(p[2], place: "argument 2")
        try Overrides.block(p[3], place: "argument 3", &view.environment)
        return try prepare(request, view, overrides)
    }

    func prepare(
        _ request: TransactionRequest, _ view: CallView, _ overrides: [CallView.AccountOverride]
    ) throws(JSONRPCError) -> PreparedCall {
        let sender = request.from ?? .zero
        let most = max(view.environment.gasLimit, Limits.callGasMaximum)
        let nonce = overrides.last { $0.address == sender }?.nonce ?? view.state.nonce(sender)
        let transaction = request.call(
            chainID: profile.chainID, gasLimit: min(request.gas ?? most, most), nonce: nonce)
        guard transaction.maxPriorityFeePerGas <= transaction.maxFeePerGas else {
            throw JSONRPCError(
                DevChainError(.priorityFeeAboveCap, "max priority fee per gas higher than max fee per gas"))
        }
        return PreparedCall(view: view, transaction: transaction, sender: sender, overrides: overrides)
    }

    func call(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let call = try prepare(p)
        let result = try refusable { () throws(DevChainError) in
            try call.view.call(call.transaction, sender: call.sender, overrides: call.overrides)
        }
        guard result.succeeded else { throw RevertText.error(result) }
        return .data(result.output)
    }

    func estimateGas(_ p: Parameters) throws(JSONRPCError) -> JSON {
        .quantity(try estimate(prepare(p)))
    }

    private func estimate(_ call: PreparedCall) throws(JSONRPCError) -> UInt64 {
        var transaction = call.transaction
        // No more gas than the sender can pay for, where a price is named.
        if !transaction.maxFeePerGas.isZero {
            let own = call.overrides.last { $0.address == call.sender }?.balance
            let balance = own ?? call.view.state.balance(call.sender)
            guard balance >= transaction.value else {
                throw JSONRPCError(
                    DevChainError(
                        .insufficientFunds,
                        "insufficient funds for transfer: \(call.sender) has \(balance) wei, the value is "
                            + "\(transaction.value)"))
            }
            let affordable = ((balance &- transaction.value) / transaction.maxFeePerGas).clampedUInt64
            transaction.gasLimit = min(transaction.gasLimit, affordable)
        }
        let estimate = try refusable { () throws(DevChainError) in
            try call.view.estimate(transaction, sender: call.sender, overrides: call.overrides)
        }
        switch estimate {
        case .gas(let gas): return gas
        case .fails(let result):
            if case .halt(.outOfGas) = result.status {
                throw JSONRPCError(code: -32000, message: "gas required exceeds allowance (\(transaction.gasLimit))")
            }
            throw RevertText.error(result)
        }
    }

    /// The gas that a transaction of this node's own accounts should have.
    func estimate(_ request: TransactionRequest) throws(JSONRPCError) -> UInt64 {
        try estimate(prepare(request, nextView(), []))
    }

    func createAccessList(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let call = try prepare(p)
        let (list, result) = try refusable { () throws(DevChainError) in
            try call.view.accessList(call.transaction, sender: call.sender)
        }
        var answer = JSONObject([
            ("accessList", Answers.accessList(list)), ("gasUsed", .quantity(result.gasUsed)),
        ])
        if !result.succeeded { answer["error"] = .string(RevertText.error(result).message) }
        return .object(answer)
    }
}
