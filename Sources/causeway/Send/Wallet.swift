// Signs and sends transactions of one account, one after the other or many at once, and waits for their blocks. For
// people's commands: what relayers send goes through the transaction manager, which survives a crash.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import JSONRPC
import Localnet

struct WalletOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Which account of the local network sends.", valueName: "index"))
    var account = 1

    @Option(name: .long, help: ArgumentHelp("A Web3 Secret Storage file whose key sends instead.", valueName: "path"))
    var keyFile: String?

    @OptionGroup var password: PasswordOptions

    func key(_ accounts: [NetworkDocument.Account]) throws -> PrivateKey {
        if let keyFile {
            return try KeyStore.open(keyFile).openPrivateKey(password: try password.secret())
        }
        guard let account = accounts.first(where: { $0.index == account }) else {
            throw CommandFailure(
                "unknownAccount",
                accounts.isEmpty ? "this network has no accounts of its own" : "no account \(account)",
                hint: accounts.isEmpty ? "--key-file FILE" : "0 to \(accounts.count - 1), or --key-file FILE",
                status: .usage)
        }
        return try PrivateKey(hex: account.privateKey)
    }
}

/// One transaction that is to be.
struct WalletCall: Sendable {
    let to: Address
    let data: Bytes
    var value: U256 = .zero
    let gasLimit: UInt64
}

struct SentTransaction: Sendable {
    let hash: Hash32
    let nonce: UInt64
    let at: ContinuousClock.Instant
}

struct Wallet: Sendable {
    let key: PrivateKey
    let chain: BridgeChain

    var address: Address { key.address }

    /// The answer of `eth_estimateGas` with a fifth on top. Throws `refused` with the contract's reason.
    func estimate(_ data: Bytes, to: Address, value: U256 = .zero, doing what: String) async throws -> UInt64 {
        do throws(ChainAccessError) {
            let gas = try await chain.endpoints.estimateGas(
                CallTarget(to: to, data: data, from: address, value: value.isZero ? nil : value))
            return gas + gas / 5
        } catch {
            if error.message.lowercased().contains("insufficient funds") {
                throw CommandFailure(
                    "insufficientFunds", "\(address) has too little coin to \(what): \(error.message)",
                    hint: "use another account, or send less")
            }
            guard error.code == .reverted else { throw error }
            throw Refusal.failure(error, doing: what)
        }
    }

    /// Signs all with consecutive nonces and hands them over without waiting for blocks; in the order of the calls.
    /// Throws `transactionRefused`; what was handed over before then stays out.
    func send(_ calls: [WalletCall]) async throws -> [SentTransaction] {
        var sent: [SentTransaction?] = Array(repeating: nil, count: calls.count)
        for _ in 0..<Self.attempts {
            let open = calls.indices.filter { sent[$0] == nil }
            if open.isEmpty { break }
            for (index, transaction) in zip(open, try await handOver(open.map { calls[$0] })) { sent[index] = transaction }
        }
        guard sent.allSatisfy({ $0 != nil }) else {
            throw CommandFailure(
                "transactionRefused", "\(chain.name): another program uses the nonces of \(address)",
                hint: "send from another account")
        }
        return sent.compactMap { $0 }
    }

    private static let attempts = 5

    /// Nil for those whose nonce somebody else took meanwhile.
    private func handOver(_ calls: [WalletCall]) async throws -> [SentTransaction?] {
        let fees = try await chain.endpoints.fees()
        let first = try await nextNonce()
        var sent: [SentTransaction?] = []
        while sent.count < calls.count {
            let start = sent.count
            let part = calls[start..<min(start + CommandLimits.batchTransactions, calls.count)]
            let signed = part.enumerated().map { index, call in
                Self.transaction(call, chainID: chain.chainID, nonce: first + UInt64(start + index), baseFee: fees.baseFee,
                    tip: fees.tip, gasPrice: fees.gasPrice)
                    .signed(by: key)
            }
            let at = ContinuousClock.now
            let answers = try await answers(signed)
            for (transaction, answer) in zip(signed, answers) {
                if case .failure(let error) = answer, try await isNonceTaken(error, transaction) {
                    sent.append(nil)
                } else {
                    sent.append(
                        SentTransaction(hash: transaction.hash, nonce: transaction.transaction.nonce, at: at))
                }
            }
        }
        return sent
    }

    /// Behind what waits already; not every node counts that.
    private func nextNonce() async throws -> UInt64 {
        let mined = try await chain.endpoints.nonce(address, at: .latest)
        let pending = try? await chain.endpoints.nonce(address, at: .pending)
        return max(mined, pending ?? 0)
    }

    /// Hands signed transactions over until the node answers: the same bytes again are the same transactions.
    private func answers(_ signed: [SignedTransaction]) async throws -> [Result<JSON, JSONRPCError>] {
        let calls = signed.map { (method: "eth_sendRawTransaction", parameters: [JSON.data($0.encoded)]) }
        var attempt = 1
        while true {
            do throws(RPCClientError) {
                var answers = try await chain.client.callAll(calls)
                for index in answers.indices {
                    answers[index] = await insisted(answers[index], calls[index])
                }
                return answers
            } catch {
                guard attempt < Self.attempts, error.retry != .never else { throw error }
                let pause = min(error.retryAfterMilliseconds ?? 200 * attempt, 10_000)
                try await Task.sleep(for: .milliseconds(pause))
            }
            attempt += 1
        }
    }

    /// The answer after further tries, while the node refuses for a reason that passes: one transaction that is missing
    /// holds up all behind it.
    private func insisted(
        _ answer: Result<JSON, JSONRPCError>, _ call: (method: String, parameters: [JSON])
    ) async -> Result<JSON, JSONRPCError> {
        var answer = answer
        for attempt in 1..<Self.attempts {
            guard case .failure(let error) = answer, Self.mayPass(error.message) else { return answer }
            try? await Task.sleep(for: .milliseconds(100 * attempt))
            if let again = try? await chain.client.callAll([call]).first { answer = again }
        }
        return answer
    }

    /// False for what a node says of a transaction that it will not take the next time either, or has already.
    private static func mayPass(_ message: String) -> Bool {
        let text = message.lowercased()
        let final = [
            "already", "known transaction", "nonce", "replacement", "underpriced", "insufficient", "intrinsic", "exceeds",
            "invalid", "not supported", "revert", "too large",
        ]
        return !final.contains { text.contains($0) }
    }

    /// False when the node has the transaction already, which it may have from an answer that got lost. Throws for
    /// every other refusal.
    private func isNonceTaken(_ error: JSONRPCError, _ transaction: SignedTransaction) async throws -> Bool {
        let text = error.message.lowercased()
        if text.contains("already known") || text.contains("known transaction") { return false }
        // Whatever it says: a transaction that it knows was taken.
        let hash = transaction.hash
        if try await chain.endpoints.receipt(hash) != nil { return false }
        if let known = try await chain.endpoints.transaction(hash), !known.isNull { return false }
        if text.contains("nonce too low") || text.contains("replacement") { return true }
        throw CommandFailure(
            "transactionRefused", "\(chain.name) refuses the transaction: \(error.message)",
            hint: text.contains("insufficient funds") ? "\(address) has too little to pay for it" : nil,
            context: [(name: "transaction", value: .hash(transaction.hash))])
    }

    static func transaction(
        _ call: WalletCall, chainID: UInt64, nonce: UInt64, baseFee: U256?, tip: U256, gasPrice: U256
    ) -> Transaction {
        guard let baseFee else {
            return .legacy(
                chainID: chainID, nonce: nonce, gasPrice: gasPrice, gasLimit: call.gasLimit, to: call.to,
                value: call.value, data: call.data)
        }
        // Room for a base fee that doubles: six full blocks in a row.
        return .dynamicFee(
            chainID: chainID, nonce: nonce, maxPriorityFeePerGas: tip, maxFeePerGas: baseFee * 2 + tip,
            gasLimit: call.gasLimit, to: call.to, value: call.value, data: call.data)
    }

    /// Waits until all are in blocks. Throws `timeout` naming how many are not.
    func receipts(_ hashes: [Hash32], deadline: ContinuousClock.Instant) async throws -> [ChainReceipt] {
        var receipts: [ChainReceipt?] = Array(repeating: nil, count: hashes.count)
        while true {
            let open = hashes.indices.filter { receipts[$0] == nil }
            if open.isEmpty { return receipts.compactMap { $0 } }
            for start in stride(from: 0, to: open.count, by: CommandLimits.batchTransactions) {
                let part = Array(open[start..<min(start + CommandLimits.batchTransactions, open.count)])
                let found = try await chain.endpoints.receipts(part.map { hashes[$0] })
                for (index, receipt) in zip(part, found) { receipts[index] = receipt }
                // Later nonces cannot be in a block when an earlier one is not.
                if found.contains(where: { $0 == nil }) { break }
            }
            let missing = receipts.count { $0 == nil }
            guard missing == 0 || ContinuousClock.now < deadline else {
                throw CommandFailure(
                    "timeout", "\(missing) of \(hashes.count) transactions are in no block of \(chain.name) yet",
                    hint: "causeway show \(hashes[receipts.firstIndex { $0 == nil } ?? 0]) tells later", status: .waiting)
            }
            if missing > 0 { try await Task.sleep(for: .milliseconds(CommandLimits.pollMilliseconds)) }
        }
    }

    /// Lets `spender` take what is needed, where it may not yet. The hashes of what was sent.
    func approve(
        _ needs: [TokenNeed], spender: Address, deadline: ContinuousClock.Instant, tell: (String) -> Void
    ) async throws -> [Hash32] {
        var calls: [WalletCall] = []
        for need in needs {
            let balance = try await chain.reader.read(TokenCalls.balance(of: address), from: need.token)
            let allowance = try await chain.reader.read(TokenCalls.allowance(address, spender), from: need.token)
            // Fees stand in the need with a quarter of room, which the account need not have.
            guard balance >= need.amount - need.amount / 5 else {
                throw try await shortage(of: need, balance: balance, spender: spender)
            }
            guard allowance < need.amount else { continue }
            let data = TokenCalls.approve(spender, need.amount)
            tell("approving \(need.symbol)")
            let gas = try await estimate(data, to: need.token, doing: "approve \(need.symbol)")
            calls.append(WalletCall(to: need.token, data: data, gasLimit: gas))
        }
        guard !calls.isEmpty else { return [] }
        let hashes = try await send(calls).map(\.hash)
        for receipt in try await receipts(hashes, deadline: deadline) where !receipt.succeeded {
            throw CommandFailure("transactionFailed", "the approval \(receipt.transactionHash) failed on \(chain.name)")
        }
        return hashes
    }

    /// Too little of a token, with what the token itself says when it is to move that much.
    private func shortage(of need: TokenNeed, balance: U256, spender: Address) async throws -> CommandFailure {
        let hint = "use another account, or send less"
        let told = "\(address) has \(need.text(balance)) on \(chain.name), \(need.text(need.amount)) are needed"
        do throws(ChainAccessError) {
            let transfer = (try? ERC20Interface.transfer.encodeCall([.address(spender), .uint(need.amount)])) ?? []
            _ = try await chain.endpoints.call(to: need.token, data: transfer, from: address)
        } catch {
            guard error.code == .reverted else { throw error }
            let reason = RevertExplanation(error.revertData ?? [])
            return CommandFailure("insufficientFunds", "\(told): \(reason.text)", hint: hint, context: reason.fields)
        }
        return CommandFailure("insufficientFunds", told, hint: hint)
    }
}
