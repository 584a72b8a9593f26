// Logs of ranges and of single blocks, whatever an endpoint's limits and abilities are.

import Ethereum
import Synchronization

/// How the logs of one block are asked for.
enum LogsByBlock: Sendable, Equatable {
    case unknown
    /// By `blockHash` (EIP-234): the endpoint cannot answer for another block.
    case hash
    /// By number, with the headers compared before and after: some nodes refuse `blockHash`, others ignore it.
    case number
}

extension ChainEndpointSet {
    /// Logs of a range in order. Large ranges are asked for in windows, which are halved when a query fails.
    package func logs(
        _ filter: LogFilter, _ range: ClosedRange<UInt64>
    ) async throws(ChainAccessError) -> [ChainLog] {
        var logs: [ChainLog] = []
        var window = LogWindow(maximum: policy.logWindow)
        var from = range.lowerBound
        while true {
            let part = window.range(from: from, upTo: range.upperBound)
            do throws(ChainAccessError) {
                logs += try await read([.logs(filter, part)]) { answers throws(ChainAccessError) in
                    try AnswerReader(answers[0], "eth_getLogs").logs(filter, part)
                }
            } catch {
                guard error.isRefusedQuestion, window.failed(UInt64(part.count), isRefusal: true) else { throw error }
                continue
            }
            if part.upperBound == range.upperBound { return logs }
            from = part.upperBound + 1
            window.succeeded()
        }
    }

    /// The same from a quorum, beginning with the endpoints that are asked last otherwise: a second opinion on what was
    /// read before. The range must be final.
    package func secondOpinion(_ filter: LogFilter, _ range: ClosedRange<UInt64>) async -> Reading<[ChainLog]> {
        var logs: [ChainLog] = []
        var window = LogWindow(maximum: policy.logWindow)
        var from = range.lowerBound
        while true {
            let part = window.range(from: from, upTo: range.upperBound)
            switch await agreedRange(filter, part, anchor: part.upperBound, worstFirst: true) {
            case .ready(let found):
                logs += found.logs
                if part.upperBound == range.upperBound { return .ready(logs) }
                from = part.upperBound + 1
                window.succeeded()
            case .notYet(let why, let errors):
                guard errors.contains(where: \.isRefusedQuestion), window.failed(UInt64(part.count), isRefusal: true)
                else { return .notYet(why) }
            case .refused(let error): return .refused(error)
            }
        }
    }

    // MARK: Blocks that may still go away

    /// Logs of exactly one block.
    package func logs(_ filter: LogFilter, of block: BlockReference) async throws(ChainAccessError) -> [ChainLog] {
        try await logs(filter, of: [block]).flatMap { $0 }
    }

    /// Logs of each of these blocks, which follow one another.
    func logs(_ filter: LogFilter, of blocks: [BlockReference]) async throws(ChainAccessError) -> [[ChainLog]] {
        guard !blocks.isEmpty else { return [] }
        if logsByBlock.withLock({ $0 }) == .unknown {
            let found = try await findLogsByBlock(filter)
            logsByBlock.withLock { $0 = found }
        }
        guard logsByBlock.withLock({ $0 }) == .hash else { return try await logsByNumber(filter, blocks[...]) }
        do throws(ChainAccessError) {
            return try await logsByHash(filter, blocks)
        } catch {
            guard [.remote, .unsupported, .malformedAnswer, .tooManyResults].contains(error.code) else { throw error }
            let logs = try await logsByNumber(filter, blocks[...])
            logsByBlock.withLock { $0 = .number }
            return logs
        }
    }

    /// A block that cannot exist: who answers with logs, or with none, does not look at the hash.
    private func findLogsByBlock(_ filter: LogFilter) async throws(ChainAccessError) -> LogsByBlock {
        var nowhere = Hash32.zero.bytes
        nowhere[31] = 1
        guard let hash = Hash32(bytes: nowhere) else { return .number }
        for endpoint in ranked() {
            let answers = try await endpoint.send([.logs(filter, blockHash: hash)], timeout: policy.requestTimeout)
            switch answers.first {
            case .error(let code, let message, let data):
                let error = RemoteErrors.read(code, message, data)
                if error.code == .unsupported || error.isLasting { return .number }
                // Neither yes nor no: a fault of the moment.
                if error.code == .rateLimited || error.remoteCode == -32603 { throw error }
            case .result, nil: return .number
            }
        }
        return .hash
    }

    private func logsByHash(
        _ filter: LogFilter, _ blocks: [BlockReference]
    ) async throws(ChainAccessError) -> [[ChainLog]] {
        try await read(blocks.map { .logs(filter, blockHash: $0.hash) }) { answers throws(ChainAccessError) in
            var logs: [[ChainLog]] = []
            for (answer, block) in zip(answers, blocks) {
                logs.append(try AnswerReader(answer, "eth_getLogs").logs(filter, nil, blockHash: block.hash))
            }
            return logs
        }
    }

    /// One range, held by the header of its last block before and after: a block names all that are before it.
    private func logsByNumber(
        _ filter: LogFilter, _ blocks: ArraySlice<BlockReference>
    ) async throws(ChainAccessError) -> [[ChainLog]] {
        var logs: [[ChainLog]] = []
        var window = LogWindow(maximum: policy.logWindow)
        var rest = blocks
        while let first = rest.first {
            let part = Array(rest.prefix(Int(clamping: window.size)))
            guard let last = part.last, last.number - first.number == UInt64(part.count) - 1 else {
                throw ChainAccessError(.behind, "blocks that do not follow one another")
            }
            do throws(ChainAccessError) {
                logs += try await logsOfRange(filter, part, first.number...last.number)
            } catch {
                guard error.isRefusedQuestion, window.failed(UInt64(part.count), isRefusal: true) else { throw error }
                continue
            }
            rest = rest.dropFirst(part.count)
            window.succeeded()
        }
        return logs
    }

    private func logsOfRange(
        _ filter: LogFilter, _ blocks: [BlockReference], _ range: ClosedRange<UInt64>
    ) async throws(ChainAccessError) -> [[ChainLog]] {
        let header = RPCCall.block(.number(range.upperBound))
        let hash = blocks.last?.hash
        return try await persistently { endpoint throws(ChainAccessError) in
            try await self.ask(endpoint, [[header], [.logs(filter, range)], [header]]) {
                answers throws(ChainAccessError) in
                for at in [0, 2] {
                    let found = try AnswerReader(answers[at], "eth_getBlockByNumber").block(range.upperBound)
                    guard found.hash == hash else {
                        throw ChainAccessError(.behind, "block \(range.upperBound) changed while its logs were read")
                    }
                }
                let found = try AnswerReader(answers[1], "eth_getLogs").logs(filter, range)
                var logs = [[ChainLog]](repeating: [], count: blocks.count)
                for log in found {
                    let at = Int(log.blockNumber - range.lowerBound)
                    guard blocks[at].hash == log.blockHash else {
                        throw ChainAccessError(.behind, "block \(log.blockNumber) changed while its logs were read")
                    }
                    logs[at].append(log)
                }
                return logs
            }
        }
    }
}
