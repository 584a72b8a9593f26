// The calls that other rooms make: one client for one endpoint, over HTTP or WebSocket.
// Ids are given and answers are checked here; how bytes travel is the transports'.

import Ethereum
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Calls the methods of one node. Safe from any task; a lost connection is made anew by the next call.
package final class RPCClient: Sendable {
    package let endpoint: EndpointURL
    let dialer: Dialer
    private let transport: any ClientTransport
    private let webSocket: WebSocketTransport?
    private let lastID = Atomic<UInt64>(0)
    package let batchMode: BatchMode
    let batchState: Mutex<BatchState>

    /// - Parameters:
    ///   - timeoutMilliseconds: for each call, connecting included.
    ///   - connections: HTTP connections kept at most; a WebSocket is one connection.
    ///   - answerBytesMaximum: a larger answer is refused and its connection closed.
    ///   - batchMode: how `callAll` sends several calls.
    ///   - trustedCertificatesFile: PEM file of issuers trusted besides the system's, for private networks.
    package init(
        _ endpoint: EndpointURL, timeoutMilliseconds: Int = Limits.callMillisecondsDefault,
        connections: Int = Limits.clientConnectionsDefault, answerBytesMaximum: Int = Limits.answerBytesDefault,
        batchMode: BatchMode = .auto, trustedCertificatesFile: String? = nil, logger: Logger
    ) {
        self.endpoint = endpoint
        self.batchMode = batchMode
        batchState = Mutex(BatchState(batchMode))
        dialer = Dialer(
            endpoint: endpoint, trustedCertificatesFile: trustedCertificatesFile,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(), timeoutMilliseconds: max(1, timeoutMilliseconds),
            answerBytesMaximum: max(1, answerBytesMaximum), logger: logger)
        if endpoint.isWebSocket {
            let made = WebSocketTransport(dialer: dialer)
            webSocket = made
            transport = made
        } else {
            webSocket = nil
            transport = HTTPTransport(dialer: dialer, connections: connections)
        }
    }

    deinit { _ = transport.close() }

    /// One call.
    /// - Throws: `remote` when the node refused; everything else is transport.
    package func call(_ method: String, _ parameters: [JSON]) async throws(RPCClientError) -> JSON {
        try await call(method, parameters, subscription: nil)
    }

    /// Several calls in one request; the results stand in the order of the calls. Nothing is sent for no calls.
    /// - Throws: only when the request as a whole failed.
    package func batch(
        _ calls: [(method: String, parameters: [JSON])]
    ) async throws(RPCClientError) -> [Result<JSON, JSONRPCError>] {
        guard !calls.isEmpty else { return [] }
        let first = lastID.wrappingAdd(UInt64(calls.count), ordering: .relaxed).oldValue + 1
        var body: [UInt8] = []
        for (position, call) in calls.enumerated() {
            body.append(UInt8(ascii: position == 0 ? "[" : ","))
            WireText.appendCall(id: first + UInt64(position), call.method, call.parameters, to: &body)
        }
        body.append(UInt8(ascii: "]"))
        let ids = Array(first..<first + UInt64(calls.count))
        let value = try await exchange(
            body, ids: ids, isBatch: true, isRead: calls.allSatisfy { OutgoingRequest.isRead($0.method) })
        guard case .array(let answers) = value else {
            if case .failure(let error) = IncomingAnswer.read(value)?.result { throw remote(error) }
            throw garbage("the answer to a batch is no array")
        }
        var results = [Result<JSON, JSONRPCError>?](repeating: nil, count: calls.count)
        for answer in answers {
            guard let answer = IncomingAnswer.read(answer), let id = answer.id, id >= first,
                id - first < UInt64(calls.count), results[Int(id - first)] == nil
            else { throw garbage("the answer to a batch holds an element that answers none of its calls") }
            results[Int(id - first)] = answer.result
        }
        let complete = results.compactMap(\.self)
        guard complete.count == calls.count else {
            throw garbage("the answer to a batch of \(calls.count) calls holds \(complete.count)")
        }
        return complete
    }

    /// Subscribes with `eth_subscribe` (WebSocket endpoints only).
    /// - Returns: the `result` of each notification. The stream ends when the connection is lost or the reader is too
    ///   slow: subscribe again and fill the gap by reading. Letting go of the stream unsubscribes.
    package func subscribe(_ parameters: [JSON]) async throws(RPCClientError) -> AsyncStream<JSON> {
        guard let webSocket else {
            throw dialer.error(
                .unsupportedScheme, "subscriptions need a ws:// or wss:// endpoint; poll over HTTP", retry: .never)
        }
        let (stream, continuation) = AsyncStream<JSON>.makeStream(
            bufferingPolicy: .bufferingOldest(Limits.subscriptionBufferMaximum))
        let sink = SubscriptionSink(continuation: continuation)
        let answer = try await call("eth_subscribe", parameters, subscription: sink)
        guard let subscription = answer.asString else { throw garbage("eth_subscribe was not answered with text") }
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        continuation.onTermination = { [weak webSocket] reason in
            if case .cancelled = reason { webSocket?.unsubscribe(subscription, id: id) }
        }
        return stream
    }

    /// Closes all connections; what waits fails with `stopped`, and so does every later call.
    package func close() async { try? await transport.close().get() }

    // MARK: -

    private func call(
        _ method: String, _ parameters: [JSON], subscription: SubscriptionSink?
    ) async throws(RPCClientError) -> JSON {
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        var body: [UInt8] = []
        WireText.appendCall(id: id, method, parameters, to: &body)
        let value = try await exchange(
            body, ids: [id], isBatch: false, isRead: OutgoingRequest.isRead(method), subscription: subscription)
        guard let answer = IncomingAnswer.read(value) else { throw garbage("the answer is no JSON-RPC answer") }
        switch answer.result {
        case .success(let result):
            guard answer.id == id else { throw garbage("the answer has another id than the call") }
            return result
        case .failure(let error):
            // A node that could not read the call answers with id null.
            guard answer.id == id || answer.id == nil else { throw garbage("the answer has another id than the call") }
            throw remote(error)
        }
    }

    private func exchange(
        _ body: [UInt8], ids: [UInt64], isBatch: Bool, isRead: Bool, subscription: SubscriptionSink? = nil
    ) async throws(RPCClientError) -> JSON {
        let deadline = NIODeadline.now() + .milliseconds(Int64(dialer.timeoutMilliseconds))
        let request = OutgoingRequest(
            body: body, ids: ids, isBatch: isBatch, isRead: isRead, deadline: deadline, subscription: subscription)
        let transport = transport
        let answer: RawAnswer
        do {
            answer = try await withTaskCancellationHandler {
                let future = transport.exchange(request)
                // A cancellation that came before the request stood in the transport found nothing to cancel.
                if Task.isCancelled { transport.cancel(ids[0]) }
                return try await future.get()
            } onCancel: {
                transport.cancel(ids[0])
            }
        } catch {
            let explained = dialer.explained(error)
            if explained.code == .refused { batchState.withLock { $0.connectionLost() } }
            throw explained
        }
        switch answer {
        case .value(let value): return value
        case .bytes(let bytes):
            do { return try JSON.parse(bytes) } catch { throw garbage("the answer is no JSON (\(error.message))") }
        }
    }

    private func garbage(_ why: String) -> RPCClientError { dialer.error(.garbage, why, retry: .later) }

    private func remote(_ error: JSONRPCError) -> RPCClientError {
        // EIP-1474: -32005 is a limit that passes, -32002 a resource that is not there yet.
        let passes = error.code == -32005 || error.code == -32002 || error.code == -32603
        return dialer.error(
            .remote(error), "the node answers \(error.code): \(error.message.prefix(300))",
            retry: passes ? .later : .never)
    }
}
