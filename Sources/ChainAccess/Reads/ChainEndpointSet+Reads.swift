// Typed reads of one endpoint, the best first, the next when it fails. Good for everything that is not signed.

import Ethereum
import Transactions

extension RPCCall {
    static func block(_ selector: BlockSelector) -> RPCCall {
        if case .hash(let hash) = selector { return RPCCall("eth_getBlockByHash", [.hash(hash), false]) }
        return RPCCall("eth_getBlockByNumber", [selector.parameter, false])
    }

    static func logs(_ filter: LogFilter, _ range: ClosedRange<UInt64>) -> RPCCall {
        RPCCall(
            "eth_getLogs",
            [
                .object(
                    JSONObject(
                        [("fromBlock", .quantity(range.lowerBound)), ("toBlock", .quantity(range.upperBound))]
                            + filter.members))
            ])
    }

    static func logs(_ filter: LogFilter, blockHash: Hash32) -> RPCCall {
        RPCCall("eth_getLogs", [.object(JSONObject([("blockHash", .hash(blockHash))] + filter.members))])
    }

    static func call(_ target: CallTarget, at selector: BlockSelector) -> RPCCall {
        RPCCall("eth_call", [target.parameter, selector.parameter])
    }

    static func nonce(_ account: Address, at selector: BlockSelector) -> RPCCall {
        RPCCall("eth_getTransactionCount", [.address(account), selector.parameter])
    }
}

extension ChainEndpointSet {
    // MARK: Heads and blocks

    /// Heads of one endpoint, preferring one that is not behind what was seen before (repeatable reads).
    package func heads() async throws(ChainAccessError) -> ChainHeads {
        var retries = Retries(policy)
        while true {
            let failure: ChainAccessError
            do throws(ChainAccessError) { return try await newestHeads() } catch { failure = error }
            guard let pause = retries.pause(after: failure, now: ChainEndpoint.now) else {
                throw failure.with("chain", name)
            }
            do { try await Task.sleep(for: pause) } catch {
                throw ChainAccessError(.cancelled, "the read was given up")
            }
        }
    }

    private func newestHeads() async throws(ChainAccessError) -> ChainHeads {
        let known = highestFinalized
        var best: ChainHeads?
        var last: ChainAccessError?
        for endpoint in ranked() {
            do throws(ChainAccessError) {
                let heads = try await heads(of: endpoint)
                if heads.finalized.number >= known { return heads }
                if heads.finalized.number >= best?.finalized.number ?? 0 { best = heads }
            } catch {
                guard error.isOfEndpoint else { throw error }
                last = error
            }
        }
        if let best { return best }
        throw last ?? noEndpoint
    }

    func heads(of endpoint: ChainEndpoint) async throws(ChainAccessError) -> ChainHeads {
        let (seen, back) =
            switch policy.finality {
            case .tag(let offset): (try await taggedHeads(of: endpoint), offset)
            case .depth(let depth, let offset): (try await latestHead(of: endpoint), depth + offset)
            }
        var heads = seen
        if back > 0 {
            let number = heads.finalized.number > back ? heads.finalized.number - back : 0
            heads.finalized = try await ask(endpoint, [.block(.number(number))]) { answers throws(ChainAccessError) in
                try AnswerReader(answers[0], "eth_getBlockByNumber").block(number)
            }
            if case .depth = policy.finality { heads.safe = heads.finalized }
        }
        heads = heads.ordered
        saw(heads, endpoint)
        return heads
    }

    private func taggedHeads(of endpoint: ChainEndpoint) async throws(ChainAccessError) -> ChainHeads {
        let calls: [RPCCall] = [.block(.latest), .block(.safe), .block(.finalized)]
        return try await ask(endpoint, calls) { answers throws(ChainAccessError) in
            let latest = try AnswerReader(answers[0], "eth_getBlockByNumber(latest)").block()
            let finalized: BlockReference
            do throws(ChainAccessError) {
                finalized = try AnswerReader(answers[2], "eth_getBlockByNumber(finalized)").block()
            } catch {
                var named = error
                named.hint =
                    "a chain without finalized blocks yet has none to show; a node that never does needs"
                    + " 'finality: {depth: N}' for this chain in cluster.yaml"
                throw named
            }
            // Not every chain has the tag.
            let safe = try? AnswerReader(answers[1], "eth_getBlockByNumber(safe)").block()
            return ChainHeads(latest: latest, safe: safe ?? finalized, finalized: finalized)
        }
    }

    /// For a depth rule; what is final follows from the latest block alone.
    private func latestHead(of endpoint: ChainEndpoint) async throws(ChainAccessError) -> ChainHeads {
        let latest = try await ask(endpoint, [.block(.latest)]) { answers throws(ChainAccessError) in
            try AnswerReader(answers[0], "eth_getBlockByNumber(latest)").block()
        }
        return ChainHeads(latest: latest, safe: latest, finalized: latest)
    }

    /// Nil when no endpoint knows the block.
    package func block(_ selector: BlockSelector) async throws(ChainAccessError) -> BlockReference? {
        do throws(ChainAccessError) {
            return try await read([.block(selector)]) { answers throws(ChainAccessError) in
                try AnswerReader(answers[0], "block").block()
            }
        } catch {
            guard error.code == .behind else { throw error }
            return nil
        }
    }

    /// Blocks by number from one endpoint, in one batch; those that it does not know are left out.
    func blocks(_ numbers: [UInt64]) async throws(ChainAccessError) -> [BlockReference] {
        try await read(numbers.map { .block(.number($0)) }) { answers throws(ChainAccessError) in
            var blocks: [BlockReference] = []
            for (answer, number) in zip(answers, numbers) {
                let reader = try AnswerReader(answer, "eth_getBlockByNumber")
                if !reader.isNull { blocks.append(try reader.block(number)) }
            }
            return blocks
        }
    }

    // MARK: Calls

    /// Throws `reverted` with the revert data.
    package func call(
        to: Address, data: Bytes, from: Address? = nil, gas: UInt64? = nil, value: U256? = nil,
        at selector: BlockSelector = .latest
    ) async throws(ChainAccessError) -> Bytes {
        let target = CallTarget(to: to, data: data, from: from, value: value, gas: gas)
        return try await read([.call(target, at: selector)]) { answers throws(ChainAccessError) in
            try AnswerReader(answers[0], "eth_call").bytes()
        }
    }

    /// Many calls in one batch. Throws when the batch as a whole failed; a revert is the result of its call.
    package func calls(
        _ targets: [CallTarget], at selector: BlockSelector = .latest
    ) async throws(ChainAccessError) -> [Result<Bytes, ChainAccessError>] {
        try await read(targets.map { .call($0, at: selector) }) { answers throws(ChainAccessError) in
            var results: [Result<Bytes, ChainAccessError>] = []
            for answer in answers {
                do throws(ChainAccessError) {
                    results.append(.success(try AnswerReader(answer, "eth_call").bytes()))
                } catch {
                    guard error.code == .reverted else { throw error }
                    results.append(.failure(error))
                }
            }
            return results
        }
    }

    /// Throws `reverted` when the call cannot succeed.
    package func estimateGas(_ target: CallTarget) async throws(ChainAccessError) -> UInt64 {
        try await read([RPCCall("eth_estimateGas", [target.parameter])]) { answers throws(ChainAccessError) in
            try AnswerReader(answers[0], "eth_estimateGas").number()
        }
    }

    // MARK: Accounts

    package func balance(_ account: Address, at selector: BlockSelector = .latest) async throws(ChainAccessError)
        -> U256
    {
        let call = RPCCall("eth_getBalance", [.address(account), selector.parameter])
        return try await read([call]) { answers throws(ChainAccessError) in
            try AnswerReader(answers[0], "eth_getBalance").word()
        }
    }

    package func nonce(_ account: Address, at selector: BlockSelector = .latest) async throws(ChainAccessError)
        -> UInt64
    {
        try await read([.nonce(account, at: selector)]) { answers throws(ChainAccessError) in
            try AnswerReader(answers[0], "eth_getTransactionCount").number()
        }
    }

    package func code(_ account: Address, at selector: BlockSelector = .latest) async throws(ChainAccessError) -> Bytes
    {
        let call = RPCCall("eth_getCode", [.address(account), selector.parameter])
        return try await read([call]) { answers throws(ChainAccessError) in
            try AnswerReader(answers[0], "eth_getCode").bytes()
        }
    }

    // MARK: Transactions

    /// Nil when the transaction is in no block.
    package func receipt(_ hash: Hash32) async throws(ChainAccessError) -> ChainReceipt? {
        try await receipts([hash])[0]
    }

    /// In the order of the hashes.
    package func receipts(_ hashes: [Hash32]) async throws(ChainAccessError) -> [ChainReceipt?] {
        let calls = hashes.map { RPCCall("eth_getTransactionReceipt", [.hash($0)]) }
        return try await read(calls) { answers throws(ChainAccessError) in
            var receipts: [ChainReceipt?] = []
            for (answer, hash) in zip(answers, hashes) {
                let reader = try AnswerReader(answer, "eth_getTransactionReceipt")
                let receipt = try reader.receipt()
                guard receipt == nil || receipt?.transactionHash == hash else {
                    throw reader.malformed("the receipt of another transaction")
                }
                receipts.append(receipt)
            }
            return receipts
        }
    }

    /// Asks every endpoint. Nil only when each of them answered that it knows no receipt; not yet when one that was
    /// asked did not answer and none knows one.
    func receiptAnywhere(_ hash: Hash32) async -> Reading<ChainReceipt?> {
        var silent: String?
        for endpoint in ranked() {
            do throws(ChainAccessError) {
                let receipt = try await ask(endpoint, [RPCCall("eth_getTransactionReceipt", [.hash(hash)])]) {
                    answers throws(ChainAccessError) in
                    try AnswerReader(answers[0], "eth_getTransactionReceipt").receipt()
                }
                if let receipt, receipt.transactionHash == hash { return .ready(receipt) }
            } catch { silent = error.description }
        }
        return silent.map { .notYet($0) } ?? .ready(nil)
    }

    /// As the node tells it; nil when it does not know the hash.
    package func transaction(_ hash: Hash32) async throws(ChainAccessError) -> JSON? {
        try await read([RPCCall("eth_getTransactionByHash", [.hash(hash)])]) { answers throws(ChainAccessError) in
            let reader = try AnswerReader(answers[0], "eth_getTransactionByHash")
            return reader.isNull ? Optional<JSON>.none : .some(reader.json)
        }
    }

    /// What a transaction would have to pay now. A node need not know `eth_gasPrice` and `eth_maxPriorityFeePerGas`:
    /// where there is a base fee, the policy's tip stands in for them.
    package func fees() async throws(ChainAccessError) -> FeeSuggestion {
        let calls: [RPCCall] = [.block(.latest), RPCCall("eth_maxPriorityFeePerGas"), RPCCall("eth_gasPrice")]
        let rule = policy.fees
        return try await read(calls) { answers throws(ChainAccessError) in
            let baseFee = try AnswerReader(answers[0], "eth_getBlockByNumber").block().baseFee
            let tip = try? AnswerReader(answers[1], "eth_maxPriorityFeePerGas").word()
            let price: U256?
            do throws(ChainAccessError) { price = try AnswerReader(answers[2], "eth_gasPrice").word() } catch {
                // Whether it has no price or cannot say just now makes a difference only when nothing else is known.
                guard baseFee != nil || rule.gasPriceWei != nil || !error.isTransient else { throw error }
                price = nil
            }
            guard let baseFee else {
                guard let price = price ?? rule.gasPriceWei else {
                    throw ChainAccessError(
                        .unsupported, "the endpoint tells no gas price, and the chain has no base fee",
                        hint: "name one as fees.gasPriceWei of this chain in cluster.yaml")
                }
                return FeeSuggestion(baseFee: nil, tip: tip ?? price, gasPrice: price)
            }
            let spare = price.map { $0 > baseFee ? $0 &- baseFee : .zero }
            let offered = tip ?? spare ?? rule.tipWei
            return FeeSuggestion(baseFee: baseFee, tip: offered, gasPrice: price ?? baseFee &+ offered)
        }
    }
}
