// The wire: a JSON-RPC client as a transport. Calls may go over HTTP while announcements come over a WebSocket.

import Ethereum
import JSONRPC

package final class RPCTransport: ChainTransport {
    package let label: String
    private let calls: RPCClient
    private let announcements: RPCClient?

    /// `label` is shown in logs instead of the URL. `announcements` nil: `client` itself when it is a WebSocket.
    package init(label: String, client: RPCClient, announcements: RPCClient? = nil) {
        self.label = label
        calls = client
        self.announcements = announcements ?? (client.endpoint.isWebSocket ? client : nil)
    }

    package func send(_ calls: [RPCCall], timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer] {
        let outcome = await Deadline.race(timeout) { () async -> Result<[RPCAnswer], ChainAccessError> in
            do throws(ChainAccessError) { return .success(try await self.exchange(calls)) } catch {
                return .failure(error)
            }
        }
        guard let outcome else {
            // A caller that went away is no fault of the endpoint.
            if Task.isCancelled { throw ChainAccessError(.cancelled, "the read was given up") }
            throw ChainAccessError(
                .timeout, "no answer within \(timeout)", context: ["endpoint": label],
                hint: "the endpoint is overloaded or the network is slow")
        }
        return try outcome.get()
    }

    private func exchange(_ batch: [RPCCall]) async throws(ChainAccessError) -> [RPCAnswer] {
        do throws(RPCClientError) {
            return try await calls.callAll(batch.map { ($0.method, $0.parameters) }).map { result in
                switch result {
                case .success(let value): .result(value)
                case .failure(let error): .error(code: error.code, message: error.message, data: error.data)
                }
            }
        } catch {
            throw Self.read(error).with("endpoint", label)
        }
    }

    package var answersTogether: Bool { calls.takesBatches }

    private static func read(_ error: RPCClientError) -> ChainAccessError {
        switch error.code {
        case .timeout:
            ChainAccessError(.timeout, error.message, hint: "the endpoint is overloaded or the network is slow")
        case .garbage:
            ChainAccessError(.malformedAnswer, error.message, hint: "check that the URL is a JSON-RPC endpoint")
        case .tooLarge: ChainAccessError(.tooManyResults, error.message)
        case .cancelled: ChainAccessError(.cancelled, error.message)
        case .remote(let remote): RemoteErrors.read(remote.code, remote.message, remote.data)
        case .badStatus(429),
            .badStatus(503) where error.retryAfterMilliseconds != nil,
            .overloaded:
            ChainAccessError(
                .rateLimited, error.message, hint: "the provider limits calls",
                retryAfterMilliseconds: error.retryAfterMilliseconds)
        default:
            ChainAccessError(
                .unreachable, error.message, hint: "check that the endpoint runs, its URL, and the network",
                isLasting: error.retry == .never)
        }
    }

    package func newHeads() async -> AsyncStream<Void>? {
        guard let announcements else { return nil }
        let stream: AsyncStream<JSON>
        do throws(RPCClientError) { stream = try await announcements.subscribe(["newHeads"]) } catch {
            // Try again later: an empty stream, not none.
            return AsyncStream { $0.finish() }
        }
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let pump = Task {
            for await _ in stream { wake.yield() }
            wake.finish()
        }
        wake.onTermination = { _ in pump.cancel() }
        return wakes
    }
}
