// The pool of HTTP connections of one client: who waits, who is sent where, what is sent again.
// Confined to one event loop; wire handling is HTTPLink's.

import Ethereum
import Logging
import NIOCore
import NIOHTTP1

final class HTTPTransport: ClientTransport, @unchecked Sendable {
    // Unchecked: all state below is touched on `eventLoop` only, which every entry makes sure of.

    private let dialer: Dialer
    private let connectionsMaximum: Int
    private let eventLoop: any EventLoop
    private var waiting = CircularBuffer<Operation>()
    private var running: [UInt64: (operation: Operation, link: HTTPLink)] = [:]
    private var links: [ObjectIdentifier: HTTPLink] = [:]
    private var idle: [HTTPLink] = []
    /// Open links and those being opened.
    private var open = 0
    private var isClosed = false
    private var sweep: Scheduled<Void>?

    init(dialer: Dialer, connections: Int) {
        self.dialer = dialer
        connectionsMaximum = max(1, connections)
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
            self.isClosed = true
            self.sweep?.cancel()
            for operation in self.waiting { operation.finish(.failure(self.dialer.stopped)) }
            self.waiting.removeAll()
            for (operation, _) in self.running.values { operation.finish(.failure(self.dialer.stopped)) }
            self.running = [:]
            for link in self.links.values { link.close() }
            self.idle = []
        }
    }

    // MARK: On the loop

    private func begin(_ operation: Operation) {
        guard !isClosed else { return operation.finish(.failure(dialer.stopped)) }
        guard waiting.count < Limits.waitingCallsMaximum else { return operation.finish(.failure(dialer.overloaded)) }
        let id = operation.request.ids[0]
        operation.arm(on: eventLoop) { [weak self] in
            if let self { giveUp(id, dialer.timeout) }
        }
        waiting.append(operation)
        pump()
    }

    private func giveUp(_ id: UInt64, _ error: RPCClientError) {
        if let (operation, link) = running.removeValue(forKey: id) {
            operation.finish(.failure(error))
            link.close()
        } else if let position = waiting.firstIndex(where: { $0.request.ids[0] == id }) {
            let operation = waiting.remove(at: position)
            operation.finish(.failure(error))
        } else {
            connecting.removeValue(forKey: id)?.finish(.failure(error))
        }
    }

    /// Operations for which a connection is being opened.
    private var connecting: [UInt64: Operation] = [:]

    private func pump() {
        while let operation = waiting.first, !isClosed {
            if !operation.needsFresh, let link = idle.popLast() {
                guard link.canServeAgain else { continue }
                waiting.removeFirst()
                send(operation, link)
            } else if open < connectionsMaximum {
                waiting.removeFirst()
                connect(for: operation)
            } else if let link = idle.popLast() {
                link.close()
            } else {
                return
            }
        }
        scheduleSweep()
    }

    private func connect(for operation: Operation) {
        open += 1
        let id = operation.request.ids[0]
        connecting[id] = operation
        let dialer = dialer
        let made = NIOLoopBoundBox<HTTPLink?>(nil, eventLoop: eventLoop)
        dialer.connect(deadline: operation.request.deadline) { channel in
            let watch = ByteWatch()
            let link = HTTPLink(dialer: dialer, watch: watch)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(watch)
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(link)
            made.value = link
        }.assumeIsolated().whenComplete { [self] result in
            let operation = connecting.removeValue(forKey: id)
            switch (result, made.value) {
            case (.success, let link?):
                links[ObjectIdentifier(link)] = link
                link.onClose = { [weak self, weak link] in
                    if let self, let link { lost(link) }
                }
                if isClosed { link.close() }
                if let operation { send(operation, link) } else { release(link) }
            case (.failure(let failure), _):
                open -= 1
                operation?.finish(.failure(dialer.explained(failure)))
            default:
                open -= 1
                operation?.finish(.failure(dialer.error(.closed, "the connection ended", retry: .later)))
            }
            pump()
        }
    }

    private func send(_ operation: Operation, _ link: HTTPLink) {
        let id = operation.request.ids[0]
        guard !operation.isDone else { return release(link) }
        running[id] = (operation, link)
        link.send(operation.request) { [weak self] outcome in
            guard let self else { return }
            running.removeValue(forKey: id)
            switch outcome {
            case .answered(let bytes, let status, let retryAfter): answered(operation, bytes, status, retryAfter)
            case .failed(let error) where error.code == .closed:
                operation.finish(.failure(dialer.closed(operation.request, error.message)))
            case .failed(let error): operation.finish(.failure(error))
            case .stale: stale(operation)
            }
            release(link)
        }
    }

    private func answered(_ operation: Operation, _ bytes: [UInt8], _ status: Int, _ retryAfter: Int?) {
        if status == 200 { return operation.finish(.success(.bytes(bytes))) }
        // Many nodes put a JSON-RPC answer under another status: then it says more than the status does.
        // Not so with 429: its status and its pause are what counts.
        if status != 429, let value = try? JSON.parse(bytes),
            IncomingAnswer.read(value) != nil || value.asArray != nil
        {
            return operation.finish(.success(.value(value)))
        }
        operation.finish(.failure(dialer.status(status, retryAfter: retryAfter)))
    }

    private func stale(_ operation: Operation) {
        guard !operation.isDone, !isClosed else { return }
        guard operation.request.isRead, !operation.needsFresh else {
            return operation.finish(.failure(dialer.closed(operation.request)))
        }
        dialer.logger.debug(
            "a kept-alive connection was dead; the call is sent again",
            metadata: [LogKey.endpoint: "\(dialer.endpoint)"])
        operation.needsFresh = true
        waiting.prepend(operation)
    }

    private func release(_ link: HTTPLink) {
        if link.canServeAgain, !isClosed { idle.append(link) }
        pump()
    }

    private func lost(_ link: HTTPLink) {
        guard links.removeValue(forKey: ObjectIdentifier(link)) != nil else { return }
        idle.removeAll { $0 === link }
        open -= 1
        pump()
    }

    /// Closes links that nobody used for a while.
    private func scheduleSweep() {
        guard sweep == nil, !idle.isEmpty, !isClosed else { return }
        let delay = TimeAmount.milliseconds(Int64(Limits.pooledIdleMilliseconds))
        sweep = eventLoop.scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            sweep = nil
            let now = NIODeadline.now()
            let (old, young) = (idle.filter { now - $0.idleSince >= delay }, idle.filter { now - $0.idleSince < delay })
            idle = young
            for link in old { link.close() }
            scheduleSweep()
        }
    }
}
