// One WebSocket that carries many calls at once: ids to waiting operations, subscription ids to streams.
// Connects when first asked and again after a loss. Confined to one event loop; frames are WebSocketLink's.

import Ethereum
import Logging
import NIOCore
import NIOHTTP1

final class WebSocketTransport: ClientTransport, @unchecked Sendable {
    // Unchecked: all state below is touched on `eventLoop` only, which every entry makes sure of.

    private enum State {
        case disconnected
        case connecting
        case connected(WebSocketLink)
        case closed
    }

    private let dialer: Dialer
    private let eventLoop: any EventLoop
    private var state = State.disconnected
    /// Operations sent, by the first id of each.
    private var sent: [UInt64: Operation] = [:]
    /// Which operation an id of a batch belongs to.
    private var owners: [UInt64: UInt64] = [:]
    private var waiting = CircularBuffer<Operation>()
    private var subscriptions: [String: SubscriptionSink] = [:]

    init(dialer: Dialer) {
        self.dialer = dialer
        eventLoop = dialer.eventLoop
    }

    func exchange(_ request: OutgoingRequest) -> EventLoopFuture<RawAnswer> {
        let promise = eventLoop.makePromise(of: RawAnswer.self)
        eventLoop.execute { self.begin(Operation(request, promise)) }
        return promise.futureResult
    }

    func cancel(_ id: UInt64) {
        eventLoop.execute { self.giveUp(id, self.dialer.cancelled) }
    }

    func close() -> EventLoopFuture<Void> {
        eventLoop.submit {
            let before = self.state
            self.state = .closed
            self.endEverything(self.dialer.stopped, resends: false)
            if case .connected(let link) = before { link.close() }
        }
    }

    /// The reader of a subscription left: tells the node, without waiting for its answer.
    func unsubscribe(_ subscription: String, id: UInt64) {
        eventLoop.execute {
            guard self.subscriptions.removeValue(forKey: subscription) != nil, case .connected(let link) = self.state
            else { return }
            var text: [UInt8] = []
            WireText.appendCall(id: id, "eth_unsubscribe", [.string(subscription)], to: &text)
            link.send(text)
        }
    }

    // MARK: Sending

    private func begin(_ operation: Operation) {
        if case .closed = state { return operation.finish(.failure(dialer.stopped)) }
        guard sent.count + waiting.count < Limits.waitingCallsMaximum else {
            return operation.finish(.failure(dialer.overloaded))
        }
        let id = operation.request.ids[0]
        operation.arm(on: eventLoop) { [weak self] in
            if let self { giveUp(id, dialer.timeout) }
        }
        waiting.append(operation)
        pump()
    }

    private func giveUp(_ id: UInt64, _ error: RPCClientError) {
        if let operation = forget(id) {
            operation.finish(.failure(error))
        } else if let position = waiting.firstIndex(where: { $0.request.ids[0] == id }) {
            waiting.remove(at: position).finish(.failure(error))
        }
    }

    private func pump() {
        switch state {
        case .closed, .connecting: return
        case .disconnected: if !waiting.isEmpty { connect() }
        case .connected(let link):
            while let operation = waiting.popFirst() {
                guard !operation.isDone else { continue }
                let first = operation.request.ids[0]
                sent[first] = operation
                if operation.request.isBatch { for id in operation.request.ids { owners[id] = first } }
                link.send(operation.request.body)
            }
        }
    }

    private func forget(_ id: UInt64) -> Operation? {
        guard let operation = sent.removeValue(forKey: id) else { return nil }
        if operation.request.isBatch { for id in operation.request.ids { owners.removeValue(forKey: id) } }
        return operation
    }

    // MARK: Connecting

    private func connect() {
        state = .connecting
        let deadline = NIODeadline.now() + .milliseconds(Int64(dialer.timeoutMilliseconds))
        dialer.openWebSocket(deadline: deadline) { [weak self] result in self?.connected(result) }
    }

    private func connected(_ result: Result<WebSocketLink, RPCClientError>) {
        guard case .connecting = state else {
            if case .success(let link) = result { link.close() }
            return
        }
        switch result {
        case .success(let link):
            state = .connected(link)
            link.onMessage = { [weak self] bytes in self?.route(bytes) }
            link.onClose = { [weak self, weak link] error in
                guard let self, case .connected(let current) = state, current === link else { return }
                state = .disconnected
                endEverything(error, resends: true)
                pump()
            }
            pump()
        case .failure(let error):
            state = .disconnected
            endEverything(error, resends: false)
        }
    }

    /// The connection is gone: every subscription ends; reads are kept for one more try when allowed.
    private func endEverything(_ error: RPCClientError, resends: Bool) {
        let streams = subscriptions
        subscriptions = [:]
        for sink in streams.values { sink.continuation.finish() }
        let lost = sent.sorted { $0.key < $1.key }.map(\.value)
        sent = [:]
        owners = [:]
        if !resends {
            let unsent = waiting
            waiting.removeAll()
            for operation in unsent { operation.finish(.failure(error)) }
        }
        for operation in lost.reversed() {
            if resends, error.code == .closed, operation.request.isRead, !operation.needsFresh {
                operation.needsFresh = true
                waiting.prepend(operation)
            } else {
                let isClosed = error.code == .closed
                operation.finish(.failure(isClosed ? dialer.closed(operation.request, error.message) : error))
            }
        }
    }

    // MARK: Receiving

    private func route(_ bytes: [UInt8]) {
        guard let value = try? JSON.parse(bytes) else { return garbage("the node sent a message that is no JSON") }
        switch value {
        case .array(let answers): routeBatch(answers, value)
        case .object(let object):
            if object["method"] != nil { return notify(object) }
            guard let answer = IncomingAnswer.read(value) else { return garbage("the node sent no JSON-RPC") }
            guard let id = answer.id else { return routeWithoutID(value) }
            guard let operation = forget(owners[id] ?? id) else { return }
            if let sink = operation.request.subscription, case .success(.string(let subscription)) = answer.result,
                !operation.isDone
            {
                subscriptions[subscription] = sink
            }
            operation.finish(.success(.value(value)))
        default: garbage("the node sent no JSON-RPC")
        }
    }

    private func routeBatch(_ answers: [JSON], _ value: JSON) {
        for answer in answers {
            guard let id = IncomingAnswer.read(answer)?.id, let owner = owners[id], let operation = forget(owner)
            else { continue }
            return operation.finish(.success(.value(value)))
        }
    }

    /// An error with id null: it can only be placed when one operation waits.
    private func routeWithoutID(_ value: JSON) {
        guard sent.count == 1, let id = sent.keys.first, let operation = forget(id) else { return }
        operation.finish(.success(.value(value)))
    }

    private func notify(_ object: JSONObject) {
        guard let parameters = object["params"], let subscription = parameters["subscription"]?.asString,
            let sink = subscriptions[subscription], let result = parameters["result"]
        else { return }
        switch sink.continuation.yield(result) {
        case .enqueued: break
        case .dropped, .terminated:
            // A gap in the middle would be worse than an end: the reader sees the end and starts over.
            subscriptions.removeValue(forKey: subscription)
            sink.continuation.finish()
            dialer.logger.warning(
                "a subscription's reader is too slow; the subscription was ended",
                metadata: [LogKey.endpoint: "\(dialer.endpoint)"])
        @unknown default: break
        }
    }

    private func garbage(_ why: String) {
        guard case .connected(let link) = state else { return }
        state = .disconnected
        link.close()
        endEverything(dialer.error(.garbage, why, retry: .later), resends: false)
    }
}
