// Several calls to a node that may or may not take batches: one array where it does, single calls where it does not.
// What the calls mean is nobody's business here.

import Ethereum
import NIOCore
import Synchronization

/// Whether several calls go to an endpoint as one JSON-RPC array.
package enum BatchMode: String, Sendable, CaseIterable {
    /// As arrays, until the endpoint shows that it takes none.
    case auto
    case on
    /// Always one by one.
    case off
}

/// What is known of one endpoint's way with batches. A value; `RPCClient` keeps one.
struct BatchState: Sendable, Equatable {
    let mode: BatchMode
    /// Calls in one array; halved when the endpoint says that it is too large.
    private(set) var callsMaximum = Limits.clientBatchCalls
    /// It answered one: a refusal may then be a fault that passes.
    private(set) var isProven = false
    private(set) var refusalsInRow = 0
    private var isSingle = false

    init(_ mode: BatchMode) { self.mode = mode }

    /// False: calls go one by one.
    var takesBatches: Bool {
        switch mode {
        case .auto: !isSingle && callsMaximum > 1
        case .on: callsMaximum > 1
        case .off: false
        }
    }

    mutating func answered() {
        isProven = true
        refusalsInRow = 0
    }

    /// An array of this size was too large.
    mutating func tooLarge(_ count: Int) { callsMaximum = max(1, min(callsMaximum, count) / 2) }

    /// An array was refused, and its calls were answered one by one. `isClear`: the answer can only mean the array, and
    /// is no fault that passes.
    mutating func refused(isClear: Bool) {
        guard mode == .auto else { return }
        refusalsInRow += 1
        if isClear && !isProven || refusalsInRow >= Limits.batchRefusalsMaximum { isSingle = true }
    }

    /// Behind the address may stand another program from now on.
    mutating func connectionLost() {
        if isSingle { self = BatchState(mode) }
    }
}

extension RPCClient {
    package typealias Call = (method: String, parameters: [JSON])

    /// Several calls go out as one array, as far as is known of this endpoint.
    package var takesBatches: Bool { batchState.withLock { $0.takesBatches } }

    /// Several calls; the results stand in the order of the calls. An endpoint that refuses arrays, or answers them
    /// with something else, gets the calls one by one, at most `Limits.singleCallsAtOnce` at a time: from then on at
    /// once.
    ///
    /// A call that changes something may reach the node twice (in the refused array and alone), as it may whenever an
    /// answer is lost: its sender must know the answers "already known" and "nonce too low".
    /// - Parameter inOrder: single calls go one after the other, for transactions of one account.
    /// - Throws: when not every call was answered.
    package func callAll(
        _ calls: [Call], inOrder: Bool = false
    ) async throws(RPCClientError) -> [Result<JSON, JSONRPCError>] {
        let width = inOrder ? 1 : Limits.singleCallsAtOnce
        var results: [Result<JSON, JSONRPCError>] = []
        results.reserveCapacity(calls.count)
        while results.count < calls.count {
            let state = batchState.withLock { $0 }
            let rest = calls[results.count...]
            if !state.takesBatches {
                results += try await singles(Array(rest), width)
            } else if rest.count == 1, let call = rest.first {
                results.append(try await single(call.method, call.parameters))
            } else if let answered = try await array(Array(rest.prefix(state.callsMaximum)), width) {
                results += answered
            }
        }
        return results
    }

    /// One array, or its calls one by one when it is refused. Nil: it was too large, ask again.
    private func array(_ calls: [Call], _ width: Int) async throws(RPCClientError) -> [Result<JSON, JSONRPCError>]? {
        let refusal: RPCClientError
        do throws(RPCClientError) {
            let results = try await batch(calls)
            batchState.withLock { $0.answered() }
            return results
        } catch { refusal = error }
        if refusal.isTooLargeBatch {
            batchState.withLock { $0.tooLarge(calls.count) }
            return nil
        }
        let isProven = batchState.withLock { $0.isProven }
        guard batchMode == .auto, refusal.isBatchRefusal || (!isProven && refusal.mayBeBatchRefusal) else {
            throw refusal
        }
        let results = try await singles(calls, width)
        batchState.withLock { $0.refused(isClear: refusal.isBatchRefusal) }
        return results
    }

    private func singles(_ calls: [Call], _ width: Int) async throws(RPCClientError) -> [Result<JSON, JSONRPCError>] {
        var results = [Result<JSON, JSONRPCError>?](repeating: nil, count: calls.count)
        let failure: RPCClientError? = await withTaskGroup(of: (Int, SingleOutcome).self) { group in
            var next = 0
            while next < min(width, calls.count) {
                let position = next
                group.addTask { (position, await self.outcome(calls[position])) }
                next += 1
            }
            while let (position, outcome) = await group.next() {
                switch outcome {
                case .answered(let result): results[position] = result
                case .failed(let error):
                    group.cancelAll()
                    return error
                }
                guard next < calls.count else { continue }
                let following = next
                group.addTask { (following, await self.outcome(calls[following])) }
                next += 1
            }
            return nil
        }
        if let failure { throw failure }
        return results.compactMap(\.self)
    }

    private enum SingleOutcome: Sendable {
        case answered(Result<JSON, JSONRPCError>)
        case failed(RPCClientError)
    }

    private func outcome(_ call: Call) async -> SingleOutcome {
        do throws(RPCClientError) {
            return .answered(try await single(call.method, call.parameters))
        } catch { return .failed(error) }
    }

    /// The node's own refusal is an answer. A read whose answer got lost is asked again, for among many calls one that
    /// fails would take the others with it.
    private func single(
        _ method: String, _ parameters: [JSON]
    ) async throws(RPCClientError) -> Result<JSON, JSONRPCError> {
        var attempt = 1
        while true {
            do throws(RPCClientError) { return .success(try await call(method, parameters)) } catch {
                if let remote = error.remote { return .failure(remote) }
                guard attempt < Limits.singleCallAttempts, OutgoingRequest.isRead(method), error.passesSoon else {
                    throw error
                }
            }
            attempt += 1
            do { try await Task.sleep(for: .milliseconds(Limits.singleCallPauseMilliseconds)) } catch {
                throw dialer.cancelled
            }
        }
    }
}

extension RPCClientError {
    /// The endpoint refuses arrays as such. A fault that single calls meet too (500, 429, no answer) is none of these.
    var isBatchRefusal: Bool {
        switch code {
        case .garbage: true
        case .badStatus(let status): [400, 404, 405, 413, 415, 422, 501].contains(status)
        // Invalid request, unknown method, invalid parameters, no JSON: what an array is to a node that knows none.
        case .remote(let error): [-32_600, -32_601, -32_602, -32_700].contains(error.code) || error.speaksOfBatches
        default: false
        }
    }

    /// What a node might say that stumbles over an array, but also one that stumbles over anything just now.
    var mayBeBatchRefusal: Bool {
        switch code {
        case .closed, .remote: true
        case .badStatus(let status): status >= 500
        default: false
        }
    }

    var isTooLargeBatch: Bool {
        switch code {
        case .badStatus(413), .tooLarge: true
        case .remote(let error):
            error.speaksOfBatches
                && ["large", "limit", "exceed", "too many", "maximum", "size"].contains(
                    where: error.message.lowercased().contains)
                && !["not supported", "unsupported", "not allowed", "disabled"].contains(
                    where: error.message.lowercased().contains)
        default: false
        }
    }

    /// The same call may well be answered in a moment.
    fileprivate var passesSoon: Bool {
        switch code {
        case .closed, .garbage: true
        case .badStatus(let status): status >= 500
        default: false
        }
    }
}

extension JSONRPCError {
    fileprivate var speaksOfBatches: Bool { message.lowercased().contains("batch") }
}
