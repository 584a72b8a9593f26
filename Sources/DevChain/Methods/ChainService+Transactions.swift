// Transactions that come in: signed by their senders, or to be signed with the keys of this node.

import EVM
import Ethereum
import JSONRPC

extension ChainService {
    /// Recovers the sender before any lock is taken, then asks the pool.
    func sendRaw(_ p: Parameters) async throws(JSONRPCError) -> PooledTransaction {
        let raw = try p.data(0)
        let transaction = try refusable { () throws(DevChainError) in
            try PooledTransaction(raw: raw, chainID: profile.chainID, rules: hub.engines.rules)
        }
        try await submit(transaction)
        return transaction
    }

    private func submit(_ transaction: PooledTransaction) async throws(JSONRPCError) {
        do throws(DevChainError) {
            try hub.change { chain throws(DevChainError) in try chain.submit(transaction) }
        } catch { throw refusal(of: error) }
        guard cadence.current.automine else { return }
        await producer.mineWaiting()
        try checkDrop(transaction)
    }

    /// A transaction that the block dropped at once is an error of the sending call.
    private func checkDrop(_ transaction: PooledTransaction) throws(JSONRPCError) {
        let (isKnown, reason) = hub.read { chain in
            (
                chain.place(of: transaction.hash) != nil || chain.pool.find(transaction.hash) != nil,
                chain.lastDrop(of: transaction.hash)
            )
        }
        if !isKnown, let reason { throw JSONRPCError(code: -32000, message: reason) }
    }

    /// A batch of raw transactions: their senders are recovered side by side, and the pool is asked for all at once.
    func answers(
        _ method: String, _ parameters: [JSON], on connection: JSONRPCConnection?
    ) async -> [Result<JSON, JSONRPCError>]? {
        guard method == "eth_sendRawTransaction", !cadence.current.automine, !faults.isActive,
            !isMissing(.sendRawTransaction, method)
        else { return nil }
        var raw: [Bytes] = []
        raw.reserveCapacity(parameters.count)
        for parameters in parameters {
            do throws(JSONRPCError) { raw.append(try Parameters(parameters).data(0)) } catch { return nil }
        }
        return await submit(raw: raw).map { result in
            result.map { .hash($0) }.mapError(refusal)
        }
    }

    /// Takes raw transactions into the pool, in their order; for each its hash or why not.
    func submit(raw: [Bytes]) async -> [Result<Hash32, DevChainError>] {
        let pooled = await RecoveryPool.pooled(raw, chainID: profile.chainID, rules: hub.engines.rules)
        return hub.change { chain in
            pooled.map { result in
                result.flatMap { transaction in
                    Result { () throws(DevChainError) in
                        try chain.submit(transaction)
                        return transaction.hash
                    }
                }
            }
        }
    }

    /// As eth_sendRawTransaction, but answers with the receipt (EIP-7966).
    func sendRawSync(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        let patience = min(
            try p.uint64(1, default: Limits.syncWaitMilliseconds), Limits.syncWaitMillisecondsMaximum)
        let transaction = try await sendRaw(p)
        let deadline = ContinuousClock.now + .milliseconds(patience)
        while true {
            if let place = hub.read({ $0.place(of: transaction.hash) }) {
                return Answers.receipt(place.block, place.index)
            }
            guard ContinuousClock.now < deadline else {
                throw JSONRPCError(
                    code: 4, message: "the transaction was added to the mempool but wasn't processed in \(patience)ms",
                    data: .hash(transaction.hash))
            }
            do { try await Task.sleep(for: .milliseconds(Limits.syncPollMilliseconds)) } catch {
                throw .internalError("stopped while waiting for \(transaction.hash)")
            }
        }
    }

    // MARK: Accounts of this node

    func sendTransaction(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        let request = try TransactionRequest(try p.required(0, "a transaction"))
        let pooled = try pooled(request)
        try await submit(pooled)
        return .hash(pooled.hash)
    }

    /// The request filled and signed by an own key, or in the name of an impersonated account.
    func pooled(_ request: TransactionRequest) throws(JSONRPCError) -> PooledTransaction {
        let (transaction, sender) = try filled(request)
        if let key = keys[sender] {
            return try refusable { () throws(DevChainError) in
                try PooledTransaction(transaction.signed(by: key), chainID: profile.chainID, rules: hub.engines.rules)
            }
        }
        guard hub.read({ $0.isImpersonated(sender) }) else { throw Self.unknownAccount(sender) }
        return PooledTransaction(impersonating: sender, transaction)
    }

    /// Sends in the name of any account, as if it was impersonated.
    func sendUnsigned(_ p: Parameters) async throws(JSONRPCError) -> JSON {
        let (transaction, sender) = try filled(TransactionRequest(try p.required(0, "a transaction")))
        let pooled = PooledTransaction(impersonating: sender, transaction)
        try await submit(pooled)
        return .hash(pooled.hash)
    }

    func signTransaction(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let (transaction, sender) = try filled(TransactionRequest(try p.required(0, "a transaction")))
        guard let key = keys[sender] else { throw Self.unknownAccount(sender) }
        let signed = transaction.signed(by: key)
        let pooled = try refusable { () throws(DevChainError) in
            try PooledTransaction(signed, chainID: profile.chainID, rules: hub.engines.rules)
        }
        let baseFee = hub.read { $0.nextBaseFee }
        return [
            "raw": .data(signed.encoded), "tx": Answers.transaction(pooled, in: nil, baseFee: baseFee),
        ]
    }

    /// eth_fillTransaction: the transaction with everything that was left open, not signed.
    func fillTransaction(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let (transaction, sender) = try filled(TransactionRequest(try p.required(0, "a transaction")))
        let pooled = PooledTransaction(simulating: sender, transaction)
        return [
            "raw": .data(pooled.signed.encoded), "tx": Answers.transaction(pooled, in: nil, baseFee: .zero),
        ]
    }

    /// The transaction with everything that the request left open.
    private func filled(_ request: TransactionRequest) throws(JSONRPCError) -> (Transaction, sender: Address) {
        guard let sender = request.from ?? accounts.first?.address else {
            throw .invalidParams("argument 0.from: missing, and this node has no account of its own")
        }
        if let chainID = request.chainID, chainID != profile.chainID {
            throw JSONRPCError(
                DevChainError(
                    .wrongChain, "chainId does not match node's (have=\(chainID), want=\(profile.chainID))"))
        }
        let (nonce, baseFee, tip) = hub.read { ($0.pendingNonce(sender), $0.nextBaseFee, $0.suggestedTip) }
        var whole = request
        whole.from = sender
        let kind = request.kind(hasDynamicFees: true)
        let priority = request.gasPrice ?? request.maxPriorityFeePerGas ?? min(tip, request.maxFeePerGas ?? tip)
        let cap = request.gasPrice ?? request.maxFeePerGas ?? (baseFee &+ baseFee &+ priority)
        let gas: UInt64
        if let asked = request.gas {
            gas = asked
        } else {
            // A value that the sender does not have is told by the pool, in its words.
            gas = try estimate(whole)
        }
        return (
            Transaction(
                kind: kind, chainID: profile.chainID, nonce: request.nonce ?? nonce, maxPriorityFeePerGas: priority,
                maxFeePerGas: cap, gasLimit: gas, to: request.to, value: request.value, data: request.data,
                accessList: request.accessList ?? [], authorizations: request.authorizations), sender
        )
    }

    private static func unknownAccount(_ address: Address) -> JSONRPCError {
        JSONRPCError(
            DevChainError(
                .notAnAccount,
                "unknown account: this node has no key for \(address); use one of eth_accounts, send a signed "
                    + "transaction, or impersonate it with anvil_impersonateAccount"))
    }

    // MARK: Signing

    func sign(account p: Parameters, _ account: Int, message: Int) throws(JSONRPCError) -> JSON {
        let address = try p.address(account)
        let message = try p.data(message)
        guard let key = keys[address] else { throw Self.unknownAccount(address) }
        return .data(key.sign(digest: PersonalMessage.digest(message)).bytesWithV)
    }

    func signTypedData(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let address = try p.address(0)
        var document = try p.required(1, "typed data")
        if let text = document.asString {
            guard let parsed = try? JSON.parse(Bytes(text.utf8)) else {
                throw .invalidParams("argument 1: the text is no JSON")
            }
            document = parsed
        }
        guard let key = keys[address] else { throw Self.unknownAccount(address) }
        do throws(EthereumError) {
            return .data(key.sign(digest: try TypedData(json: document).digest).bytesWithV)
        } catch {
            throw .invalidParams("argument 1: \(error.message)")
        }
    }
}
