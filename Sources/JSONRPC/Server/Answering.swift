// From a request body to an answer body: runs the calls of one message, one after the other.
// No socket here; the order of messages is the caller's.

import Ethereum
import NIOCore

struct Answering: Sendable {
    let service: any JSONRPCService
    let batchAnswerBytesMaximum: Int
    let counters: ServerCounters

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
            for entry in entries {
                let separator = out.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ",")
                let before = out.count
                out.append(separator)
                if before > batchAnswerBytesMaximum {
                    refuse(entry, to: &out)
                } else {
                    await append(entry, on: connection, to: &out)
                }
                if out.count == before + 1 { out.removeLast() }
            }
            if !out.isEmpty { out.append(UInt8(ascii: "]")) }
        }
        return out.isEmpty ? nil : out
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

    /// The rest of a batch whose answers are too large already is not run.
    private func refuse(_ entry: IncomingEntry, to out: inout [UInt8]) {
        let error = JSONRPCError.limitExceeded("the answers of one batch exceed \(batchAnswerBytesMaximum) bytes")
        switch entry {
        case .malformed(let id, _): WireText.append(.failure(error), id: id, to: &out)
        case .call(let call): if let id = call.id { WireText.append(.failure(error), id: id, to: &out) }
        }
    }
}
