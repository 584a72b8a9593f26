// One chain's part of a deployment: reconcile with the chain, send a window, wait for it, until nothing is left.

import CCIP
import Ethereum

struct ChainDeployment: Sendable {
    let plan: ChainPlan
    /// Of the chain in the state.
    let position: Int
    let target: DeploymentTarget
    let journal: DeploymentJournal
    let policy: DeploymentPolicy
    let progress: @Sendable (String) -> Void

    private var endpoint: any DeploymentEndpoint { target.endpoint }
    private var name: String { plan.chain.name }

    /// What an account can do on the chain now.
    struct Account: Sendable {
        var nonce: UInt64
        var balance: U256
        /// Nil where the chain has no base fee.
        var tip: U256?
        var maxFeePerGas: U256
    }

    func run() async throws(LocalnetError) {
        let deadline = ContinuousClock.now + .seconds(policy.deadlineSeconds)
        try await reconcile()
        // Each turn sends at least one step; failed steps throw.
        while true {
            let account = try await account()
            let state = await journal.chain(position)
            let pending = try state.pending(nextNonce: account.nonce, creations: plan.creations)
            if pending.isEmpty { break }
            let window = try affordable(pending, account)
            progress("\(name): \(state.steps.count - pending.count) of \(state.steps.count) steps done, sending \(window.count)")
            try await send(window, account)
            try await wait(for: window, until: deadline)
        }
        try await verifyCode()
        progress("\(name): \(plan.creations) contracts stand, \(plan.steps.count) steps done")
    }

    // MARK: Reconciling

    /// Marks as done what an earlier run sent and the chain has; forgets what never arrived or failed.
    private func reconcile() async throws(LocalnetError) {
        let state = await journal.chain(position)
        let sent = state.steps.indices.filter { state.steps[$0].transaction != nil }
        guard !sent.isEmpty else { return }
        progress("\(name): checking \(sent.count) steps of an earlier run")
        let receipts = try await receipts(sent.compactMap { state.steps[$0].transaction })
        let done = zip(sent, receipts).filter { $0.1?["status"]?.asUInt64 == 1 }.map(\.0)
        try await journal.update(position) { chain in
            for index in sent { chain.steps[index].isDone = false }
            for index in done { chain.steps[index].isDone = true }
        }
        try await verifyCode()
    }

    /// Code must stand where the state says that a contract was made.
    private func verifyCode() async throws(LocalnetError) {
        let made = await journal.chain(position).steps.filter { $0.isDone && $0.address != nil }
        for start in stride(from: 0, to: made.count, by: Limits.receiptsPerRequest) {
            let part = made[start..<min(start + Limits.receiptsPerRequest, made.count)]
            let calls = part.map { step in
                DeploymentCall("eth_getCode", [.address(step.address ?? .zero), "latest"])
            }
            for (step, code) in zip(part, try await endpoint.results(calls)) where (code.asString?.count ?? 0) <= 2 {
                throw LocalnetError(
                    .stateMismatch, "chain \(name): no code at \(step.address ?? .zero) ('\(step.label)')",
                    hint: "the chain was reset or re-organised: delete the state file and deploy again")
            }
        }
    }

    // MARK: Sending

    private func account() async throws(LocalnetError) -> Account {
        let owner = JSON.address(target.key.address)
        let answers = try await endpoint.results([
            DeploymentCall("eth_getTransactionCount", [owner, "latest"]),
            DeploymentCall("eth_getBalance", [owner, "latest"]),
            DeploymentCall("eth_getBlockByNumber", ["latest", false]),
        ])
        guard let nonce = answers[0].asUInt64, let balance = answers[1].asUInt256 else {
            throw LocalnetError(.chainUnreachable, "\(endpoint.label) answers no numbers")
        }
        var price: U256?
        if case .result(let told)? = try await endpoint.send([DeploymentCall("eth_gasPrice")]).first { price = told.asUInt256 }
        guard let baseFee = answers[2]["baseFeePerGas"]?.asUInt256 else {
            guard let price else {
                throw LocalnetError(
                    .chainUnreachable, "\(endpoint.label) tells neither a base fee nor a gas price",
                    hint: "name a node that answers eth_gasPrice")
            }
            return Account(nonce: nonce, balance: balance, tip: nil, maxFeePerGas: price)
        }
        // The gas price is the base fee and a usual tip; twice the base fee outlives six full blocks.
        let usual = price ?? baseFee + Limits.tipWei
        let tip = usual > baseFee ? usual - baseFee : U256.zero
        return Account(nonce: nonce, balance: balance, tip: tip, maxFeePerGas: baseFee * 2 + tip)
    }

    /// As many steps as the window and the balance allow; nodes count the gas limits of all that wait.
    private func affordable(
        _ pending: [(position: Int, nonce: UInt64)], _ account: Account
    ) throws(LocalnetError) -> [(position: Int, nonce: UInt64)] {
        var left = account.balance
        var count = 0
        for entry in pending.prefix(policy.window) {
            let step = plan.steps[entry.position]
            let cost = account.maxFeePerGas * U256(step.gasLimit) + step.value
            guard cost <= left else { break }
            left -= cost
            count += 1
        }
        guard count > 0 else {
            let step = plan.steps[pending[0].position]
            let cost = account.maxFeePerGas * U256(step.gasLimit) + step.value
            throw LocalnetError(
                .insufficientFunds,
                "chain \(name): '\(step.label)' may cost \(cost) wei, \(target.key.address) has \(account.balance)",
                hint: "send ether to \(target.key.address) on \(name), then run it again")
        }
        return Array(pending.prefix(count))
    }

    private func send(_ window: [(position: Int, nonce: UInt64)], _ account: Account) async throws(LocalnetError) {
        let signed = window.map { entry in
            let step = plan.steps[entry.position]
            return transaction(step, nonce: entry.nonce, account).signed(by: target.key)
        }
        let entries = zip(window, signed).map { ($0.position, $0.nonce, $1.hash) }
        try await journal.update(position) { chain in
            for (index, nonce, hash) in entries {
                chain.steps[index].nonce = nonce
                chain.steps[index].transaction = hash
            }
        }
        for batch in batches(signed) {
            let calls = signed[batch].map { DeploymentCall("eth_sendRawTransaction", [.data($0.encoded)]) }
            for (index, answer) in zip(batch, try await endpoint.send(calls)) {
                guard case .error(let code, let message, _) = answer, !isRepeated(message) else { continue }
                throw LocalnetError(
                    .transactionRefused,
                    "chain \(name): '\(plan.steps[window[index].position].label)' was refused: \(message) (\(code))",
                    hint: "run it again to go on from here")
            }
        }
    }

    private func transaction(_ step: DeploymentStep, nonce: UInt64, _ account: Account) -> Transaction {
        guard let tip = account.tip else {
            return .legacy(
                chainID: plan.chain.chainID, nonce: nonce, gasPrice: account.maxFeePerGas, gasLimit: step.gasLimit,
                to: step.target, value: step.value, data: step.data)
        }
        return .dynamicFee(
            chainID: plan.chain.chainID, nonce: nonce, maxPriorityFeePerGas: tip, maxFeePerGas: account.maxFeePerGas,
            gasLimit: step.gasLimit, to: step.target, value: step.value, data: step.data)
    }

    /// Ranges of transactions whose text together stays below the limit of one request.
    private func batches(_ signed: [SignedTransaction]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = 0
        var size = 0
        for (index, transaction) in signed.enumerated() {
            let bytes = transaction.encoded.count * 2
            if index > start, size + bytes > Limits.broadcastBytesMaximum || index - start == Limits.receiptsPerRequest {
                result.append(start..<index)
                start = index
                size = 0
            }
            size += bytes
        }
        result.append(start..<signed.count)
        return result
    }

    /// Nodes say this of a transaction that they already have.
    private func isRepeated(_ message: String) -> Bool {
        let text = message.lowercased()
        return text.contains("already known") || text.contains("already imported") || text.contains("known transaction")
    }

    // MARK: Waiting

    private func wait(
        for window: [(position: Int, nonce: UInt64)], until deadline: ContinuousClock.Instant
    ) async throws(LocalnetError) {
        guard let last = window.last else { return }
        let owner = JSON.address(target.key.address)
        while true {
            let answer = try await endpoint.results([DeploymentCall("eth_getTransactionCount", [owner, "latest"])])
            if let nonce = answer[0].asUInt64, nonce > last.nonce { break }
            guard ContinuousClock.now < deadline else {
                throw LocalnetError(
                    .timeout, "chain \(name): transactions wait since \(policy.deadlineSeconds) s for their blocks",
                    hint: "run it again to go on from here")
            }
            do { try await Task.sleep(for: .milliseconds(policy.pollMilliseconds)) } catch {
                throw LocalnetError(.timeout, "chain \(name): broken off", hint: "run it again to go on from here")
            }
        }
        try await settle(window)
    }

    private func settle(_ window: [(position: Int, nonce: UInt64)]) async throws(LocalnetError) {
        let state = await journal.chain(position)
        let receipts = try await receipts(window.compactMap { state.steps[$0.position].transaction })
        var done: [Int] = []
        var failed: (Int, JSON?)?
        for (entry, receipt) in zip(window, receipts) {
            if receipt?["status"]?.asUInt64 == 1 {
                done.append(entry.position)
            } else if failed == nil {
                failed = (entry.position, receipt)
            }
        }
        try await journal.update(position) { [done] chain in
            for index in done { chain.steps[index].isDone = true }
        }
        if let (index, receipt) = failed { throw await failure(plan.steps[index], receipt) }
    }

    private func receipts(_ hashes: [Hash32]) async throws(LocalnetError) -> [JSON?] {
        var result: [JSON?] = []
        for start in stride(from: 0, to: hashes.count, by: Limits.receiptsPerRequest) {
            let part = hashes[start..<min(start + Limits.receiptsPerRequest, hashes.count)]
            let calls = part.map { DeploymentCall("eth_getTransactionReceipt", [.hash($0)]) }
            result += try await endpoint.results(calls).map { $0.isNull ? nil : $0 }
        }
        return result
    }

    /// Says why a step failed, by doing it again as a call.
    private func failure(_ step: DeploymentStep, _ receipt: JSON?) async -> LocalnetError {
        let hash = receipt?["transactionHash"]?.asString ?? "its transaction"
        guard receipt != nil else {
            return LocalnetError(
                .transactionFailed, "chain \(name): '\(step.label)' was replaced by another transaction of its nonce",
                hint: "does another program use the deployer's account?")
        }
        var call = JSONObject()
        call["from"] = .address(target.key.address)
        call["to"] = step.target.map { .address($0) }
        call["gas"] = .quantity(step.gasLimit)
        call["data"] = .data(step.data)
        var reason = "no reason is known"
        if let answer = try? await endpoint.send([DeploymentCall("eth_call", [.object(call), "latest"])]).first,
            case .error(_, let message, let data) = answer
        {
            let bytes = data?.asString.flatMap { try? Hex.decode($0) } ?? []
            reason = bytes.isEmpty ? message : "\(RevertReason(bytes))"
        }
        let gas = receipt?["gasUsed"]?.asUInt64.map { "\($0)" } ?? "?"
        return LocalnetError(
            .transactionFailed,
            "chain \(name): '\(step.label)' failed in \(hash), gas used \(gas) of \(step.gasLimit): \(reason)")
    }
}
