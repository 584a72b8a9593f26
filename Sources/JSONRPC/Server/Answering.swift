// From a request body to an answer body: runs the calls of one message, one after the other.
// No socket here; the order of messages is the caller's.

import Ethereum
import NIOCore

struct Answering: Sendable {
    let service: any JSONRPCService
    let batchAnswerBytesMaximum: Int
    let counters: ServerCounters

    /// What a session does with a message that was dealt with.
    enum Reply: Sendable {
        /// Nothing to say: notifications only.
        case nothing
        case body([UInt8])
        /// HTTP only: an answer that is no JSON-RPC.
        case plain(HTTPAnswer, retryAfterSeconds: UInt64?)
        case silence(closes: Bool)
    }

    /// Deals with a message as the service wants it dealt with.
    func reply(to message: IncomingMessage, on connection: JSONRPCConnection?) async -> Reply {
        switch await service.fate(of: message.methods) {
        case .answered:
            return await answer(message, on: connection).map { .body($0) } ?? .nothing
        case .answeredWithMixedIDs:
            return await answer(message.withMixedIDs, on: connection).map { .body($0) } ?? .nothing
        case .silence(let closes): return .silence(closes: closes)
        case .refused(let status, let seconds, let error):
            guard connection != nil else {
                return .plain(.text("\(error.message)\n", status: status), retryAfterSeconds: seconds)
            }
            return refusal(of: message, error).map { .body($0) } ?? .nothing
        }
    }

    /// The same error for each call of a message.
    private func refusal(of message: IncomingMessage, _ error: JSONRPCError) -> [UInt8]? {
        var out: [UInt8] = []
        switch message {
        case .refused: WireText.append(.failure(error), id: .null, to: &out)
        case .single(let entry): refuse(entry, error, to: &out)
        case .batch(let entries):
            for entry in entries {
                out.append(out.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
                let before = out.count
                refuse(entry, error, to: &out)
                if out.count == before { out.removeLast() }
            }
            if !out.isEmpty { out.append(UInt8(ascii: "]")) }
        }
        return out.isEmpty ? nil : out
    }

    /// The answer to a message; nil when there is none to give (notifications).
    func answer(_ message: IncomingMessage, on connection: JSONRPCConnection?) async -> [UInt8]? {
        var out: [UInt8] = []
        switch message {
        case .refused(let error):
            counters.refusedMessages.add()
            WireText.append(.failure(error), id: .null, to: &out)
        case .single(let entry):
            await append(entry, on: connection, to: &out)
        case .batch(let entries):
            if await appendTogether(entries, on: connection, to: &out) { break }
            for entry in entries {
                let separator = out.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ",")
                let before = out.count
                out.append(separator)
                if before > batchAnswerBytesMaximum {
                    refuse(entry, batchTooLarge, to: &out)
                } else {
                    await append(entry, on: connection, to: &out)
                }
                if out.count == before + 1 { out.removeLast() }
            }
            if !out.isEmpty { out.append(UInt8(ascii: "]")) }
        }
        return out.isEmpty ? nil : out
    }

    /// Answers a batch of calls of one method at once, if the service wants to.
    private func appendTogether(
        _ entries: [IncomingEntry], on connection: JSONRPCConnection?, to out: inout [UInt8]
    ) async -> Bool {
        let calls = entries.compactMap { if case .call(let call) = $0 { call } else { nil } }
        guard calls.count == entries.count, calls.count > 1, let method = calls.first?.method,
            calls.allSatisfy({ $0.method == method })
        else { return false }
        let start = NIODeadline.now()
        guard let results = await service.answers(method, calls.map(\.parameters), on: connection) else { return false }
        precondition(results.count == calls.count, "an answer for each call")
        counters.calls.add(UInt64(calls.count))
        counters.answerSeconds.observe(Double((NIODeadline.now() - start).nanoseconds) / 1e9)
        for (call, result) in zip(calls, results) {
            if case .failure = result { counters.failedCalls.add() }
            guard let id = call.id else { continue }
            out.append(out.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
            if out.count > batchAnswerBytesMaximum {
                WireText.append(.failure(batchTooLarge), id: id, to: &out)
            } else {
                WireText.append(result, id: id, to: &out)
            }
        }
        if !out.isEmpty { out.append(UInt8(ascii: "]")) }
        return true
    }

    private func append(_ entry: IncomingEntry, on connection: JSONRPCConnection?, to out: inout [UInt8]) async {
        switch entry {
        case .malformed(let id, let error):
            counters.refusedMessages.add()
            WireText.append(.failure(error), id: id, to: &out)
        case .call(let call):
            let start = NIODeadline.now()
            counters.calls.add()
            let result: Result<JSON, JSONRPCError>
            do {
                result = .success(try await service.answer(call.method, call.parameters, on: connection))
            } catch {
                counters.failedCalls.add()
                result = .failure(error)
            }
            counters.answerSeconds.observe(Double((NIODeadline.now() - start).nanoseconds) / 1e9)
            if let id = call.id { WireText.append(result, id: id, to: &out) }
        }
    }

    private var batchTooLarge: JSONRPCError {
        .limitExceeded("the answers of one batch exceed \(batchAnswerBytesMaximum) bytes")
    }

    /// Answers an entry that is not run: the rest of a batch whose answers are too large already, or all of a message.
    private func refuse(_ entry: IncomingEntry, _ error: JSONRPCError, to out: inout [UInt8]) {
        switch entry {
        case .malformed(let id, _): WireText.append(.failure(error), id: id, to: &out)
        case .call(let call): if let id = call.id { WireText.append(.failure(error), id: id, to: &out) }
        }
    }
}
