// Reads that several endpoints must answer alike. What gets signed comes from here: nothing is signed on one
// endpoint's word. A disagreement is never settled here: not yet, and an alarm.

import Ethereum

/// What a quorum read came to, with the reasons for adapting the question.
enum Agreement<Value: Sendable>: Sendable {
    case ready(Value)
    case notYet(String, [ChainAccessError])
    case refused(ChainAccessError)

    var reading: Reading<Value> {
        switch self {
        case .ready(let value): .ready(value)
        case .notYet(let why, _): .notYet(why)
        case .refused(let error): .refused(error)
        }
    }
}

extension ChainEndpointSet {
    /// Asks as many endpoints as make a quorum, others in place of those that fail, and those that fail again after a
    /// pause. `worstFirst` begins with the endpoints that are asked last otherwise.
    func agree<Value: Hashable & Sendable>(
        _ what: String, _ stages: [[RPCCall]], worstFirst: Bool = false, _ parse: @escaping Parse<Value>
    ) async -> Agreement<Value> {
        let order = worstFirst ? ranked().reversed() : ranked()
        var candidates = order[...]
        guard candidates.count >= quorum else {
            return .refused(
                candidates.isEmpty
                    ? noEndpoint
                    : ChainAccessError(
                        .noEndpoint, "\(candidates.count) endpoints serve chain \(chainID), \(quorum) must agree",
                        context: ["chain": name], hint: "correct the endpoints that were refused"))
        }
        var answers: [(endpoint: ChainEndpoint, value: Value)] = []
        var errors: [ChainAccessError] = []
        var retries = Retries(policy)
        while true {
            var failed: [(endpoint: ChainEndpoint, error: ChainAccessError)] = []
            while answers.count < quorum, !candidates.isEmpty {
                let round = candidates.prefix(quorum - answers.count)
                candidates = candidates.dropFirst(round.count)
                for (endpoint, outcome) in await askAll(Array(round), stages, parse) {
                    switch outcome {
                    case .success(let value): answers.append((endpoint, value))
                    case .failure(let error)
                    where !error.isOfEndpoint && error.code != .notFound && error.retry == .never:
                        return .refused(error)
                    case .failure(let error): failed.append((endpoint, error))
                    }
                }
            }
            if !failed.isEmpty { errors = failed.map(\.error) }
            let again = failed.filter(\.error.isTransient)
            guard answers.count < quorum, answers.count + again.count >= quorum, let last = again.last?.error,
                let pause = retries.pause(after: last, now: ChainEndpoint.now)
            else { break }
            do { try await Task.sleep(for: pause) } catch { break }
            candidates = again.map(\.endpoint)[...]
        }
        guard answers.count >= quorum, let first = answers.first else {
            let why = errors.last.map { "\($0.code.rawValue): \($0.message)" } ?? "no answer"
            return .notYet("\(what): \(answers.count) of \(quorum) endpoints answered (\(why))", errors)
        }
        if answers.allSatisfy({ $0.value == first.value }) { return .ready(first.value) }
        await settle(what, answers, Array(candidates), stages, parse)
        return .notYet("\(what): the endpoints disagree", errors + [ChainAccessError(.disagreement, what)])
    }

    private func askAll<Value: Hashable & Sendable>(
        _ endpoints: [ChainEndpoint], _ stages: [[RPCCall]], _ parse: @escaping Parse<Value>
    ) async -> [(ChainEndpoint, Result<Value, ChainAccessError>)] {
        if endpoints.count == 1 {
            do throws(ChainAccessError) {
                return [(endpoints[0], .success(try await ask(endpoints[0], stages, parse)))]
            } catch { return [(endpoints[0], .failure(error))] }
        }
        return await withTaskGroup(of: (ChainEndpoint, Result<Value, ChainAccessError>).self) { group in
            for endpoint in endpoints {
                group.addTask {
                    do throws(ChainAccessError) {
                        return (endpoint, .success(try await self.ask(endpoint, stages, parse)))
                    } catch { return (endpoint, .failure(error)) }
                }
            }
            var outcomes: [(ChainEndpoint, Result<Value, ChainAccessError>)] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes.sorted { $0.0.position < $1.0.position }
        }
    }

    /// Asks the rest too, and puts those that stand alone behind the others, so that the next question goes to
    /// endpoints that agree.
    private func settle<Value: Hashable & Sendable>(
        _ what: String, _ answers: [(endpoint: ChainEndpoint, value: Value)], _ others: [ChainEndpoint],
        _ stages: [[RPCCall]], _ parse: @escaping Parse<Value>
    ) async {
        var votes = answers
        for (endpoint, outcome) in others.isEmpty ? [] : await askAll(others, stages, parse) {
            if case .success(let value) = outcome { votes.append((endpoint, value)) }
        }
        let counts = Dictionary(grouping: votes, by: \.value).mapValues(\.count)
        let most = counts.values.max() ?? 0
        let isClear = counts.values.count { $0 == most } == 1
        var blamed: [String] = []
        for vote in votes where !isClear || counts[vote.value] != most {
            vote.endpoint.withHealth { $0.disagreed() }
            blamed.append(vote.endpoint.label)
        }
        alarm(
            "chain \(name): endpoints disagree about \(what): "
                + (isClear
                    ? "\(blamed.joined(separator: ", ")) against \(most) others" : blamed.joined(separator: ", ")))
    }

    // MARK: Typed

    /// Heads whose finalized block a quorum has and names alike. `latest` is the highest that was seen.
    package func agreedHeads() async -> Reading<ChainHeads> {
        if quorum == 1 {
            do throws(ChainAccessError) { return .ready(try await heads()) } catch {
                return error.retry == .never ? .refused(error) : .notYet(error.description)
            }
        }
        let candidates = ranked()
        guard candidates.count >= quorum else { return .refused(noEndpoint) }
        var found: [ChainHeads] = []
        var why = "no answer"
        await withTaskGroup(of: Result<ChainHeads, ChainAccessError>.self) { group in
            for endpoint in candidates {
                group.addTask {
                    do throws(ChainAccessError) { return .success(try await self.heads(of: endpoint)) } catch {
                        return .failure(error)
                    }
                }
            }
            for await outcome in group {
                switch outcome {
                case .success(let heads): found.append(heads)
                case .failure(let error): why = "\(error.code.rawValue): \(error.message)"
                }
                // The slow ones are not waited for.
                if found.count >= quorum { group.cancelAll() }
            }
        }
        guard found.count >= quorum else {
            return .notYet("heads: \(found.count) of \(quorum) endpoints answered (\(why))")
        }
        let sorted = found.sorted { $0.finalized.number > $1.finalized.number }
        // The highest height that a quorum has reached.
        let height = sorted[quorum - 1].finalized.number
        guard let latest = found.map(\.latest).max(by: { $0.number < $1.number }) else { return .notYet("no head") }
        let same = found.map(\.finalized).filter { $0.number == height }
        if same.count >= quorum, let block = same.first, same.allSatisfy({ $0.hash == block.hash }) {
            return .ready(ChainHeads(latest: latest, safe: block, finalized: block).ordered)
        }
        return await agreedBlock(height).map { ChainHeads(latest: latest, safe: $0, finalized: $0).ordered }
    }

    package func agreedBlock(_ number: UInt64) async -> Reading<BlockReference> {
        await agree("block \(number)", [[.block(.number(number))]]) { answers throws(ChainAccessError) in
            try AnswerReader(answers[0], "eth_getBlockByNumber").block(number)
        }.reading
    }

    /// Logs of a range that ends at `block`, which must still be what it was.
    package func agreedLogs(
        _ filter: LogFilter, _ range: ClosedRange<UInt64>, at block: BlockReference
    ) async -> Reading<[ChainLog]> {
        let agreement = await agreedRange(filter, range, anchor: block.number)
        return pinned(agreement.reading, block) { $0.anchor }.map(\.logs)
    }

    struct AgreedRange: Hashable, Sendable {
        var logs: [ChainLog]
        /// The block that the caller knows.
        var anchor: BlockReference
        /// The last block of the range.
        var end: BlockReference
    }

    /// Logs with the headers of a known block and of the range's end. The end is read before the logs: an endpoint that
    /// does not have the block yet would leave out its logs without a word.
    func agreedRange(
        _ filter: LogFilter, _ range: ClosedRange<UInt64>, anchor: UInt64, worstFirst: Bool = false
    ) async -> Agreement<AgreedRange> {
        let end = range.upperBound
        let stages: [[RPCCall]] = [[.block(.number(anchor)), .block(.number(end))], [.logs(filter, range)]]
        let what = "logs of blocks \(range.lowerBound) to \(end)"
        return await agree(what, stages, worstFirst: worstFirst) { answers throws(ChainAccessError) in
            let found = AgreedRange(
                logs: try AnswerReader(answers[2], "eth_getLogs").logs(filter, range),
                anchor: try AnswerReader(answers[0], "eth_getBlockByNumber").block(anchor),
                end: try AnswerReader(answers[1], "eth_getBlockByNumber").block(end))
            if let log = found.logs.last, log.blockNumber == end, log.blockHash != found.end.hash {
                throw ChainAccessError(.behind, "block \(end) changed while its logs were read")
            }
            return found
        }
    }

    /// `eth_call`s at `block`; a revert is an answer too.
    package func agreedCalls(_ targets: [CallTarget], at block: BlockReference) async -> Reading<[CallResult]> {
        let header = RPCCall.block(.number(block.number))
        let stages = [[header] + targets.map { .call($0, at: .number(block.number)) }, [header]]
        let reading = await agree("calls at block \(block.number)", stages) { answers throws(ChainAccessError) in
            var results: [CallResult] = []
            for answer in answers.dropFirst().dropLast() { results.append(try CallResult(answer)) }
            return try Self.pin(answers, block.number, results)
        }.reading
        return pinned(reading, block) { $0.block }.map(\.value)
    }

    /// Transactions that `account` had sent by `block`.
    package func agreedNonce(_ account: Address, at block: BlockReference) async -> Reading<UInt64> {
        let header = RPCCall.block(.number(block.number))
        let stages = [[header, .nonce(account, at: .number(block.number))], [header]]
        let reading = await agree("nonce of \(account)", stages) { answers throws(ChainAccessError) in
            try Self.pin(answers, block.number, try AnswerReader(answers[1], "eth_getTransactionCount").number())
        }.reading
        return pinned(reading, block) { $0.block }.map(\.value)
    }

    private struct Pinned<Value: Hashable & Sendable>: Hashable, Sendable {
        var block: BlockReference
        var value: Value
    }

    /// The header stands first and last: what was read between them belongs to that block, in whatever order an
    /// endpoint answers, when both are the same.
    private static func pin<Value>(
        _ answers: [RPCAnswer], _ number: UInt64, _ value: Value
    ) throws(ChainAccessError) -> Pinned<Value> {
        guard let first = answers.first, let last = answers.last else {
            throw ChainAccessError(.malformedAnswer, "no answers")
        }
        let before = try AnswerReader(first, "eth_getBlockByNumber").block(number)
        let after = try AnswerReader(last, "eth_getBlockByNumber").block(number)
        guard before.hash == after.hash else {
            throw ChainAccessError(.behind, "block \(number) changed while it was read")
        }
        return Pinned(block: before, value: value)
    }

    private func pinned<Value>(
        _ reading: Reading<Value>, _ block: BlockReference, _ found: (Value) -> BlockReference
    ) -> Reading<Value> {
        guard case .ready(let value) = reading, found(value).hash != block.hash else { return reading }
        return .notYet("block \(block.number) is no longer \(block.hash)")
    }
}

extension CallResult {
    init(_ answer: RPCAnswer) throws(ChainAccessError) {
        do throws(ChainAccessError) {
            self = .returned(try AnswerReader(answer, "eth_call").bytes())
        } catch {
            guard error.code == .reverted else { throw error }
            self = .reverted(error.revertData ?? [])
        }
    }
}

extension ChainHeads {
    /// finalized <= safe <= latest, whatever endpoints of different heights said.
    var ordered: ChainHeads {
        var heads = self
        if heads.latest.number < heads.finalized.number { heads.latest = heads.finalized }
        if heads.safe.number < heads.finalized.number { heads.safe = heads.finalized }
        if heads.safe.number > heads.latest.number { heads.safe = heads.finalized }
        return heads
    }
}
