// One to many, as fast as libzmq is: items in from any thread, frames out of one XPUB, and a ROUTER beside it that
// answers subscribers who missed some. What a frame says is the source's affair; the source lives on the bus thread.

import CZeroMQ
import Logging
import Synchronization

/// Turns items into frames and requests into answers. Made, used and dropped on the bus thread alone.
package protocol FanOutSource: AnyObject, SendableMetatype {
    associatedtype Item: Sendable
    /// The frame to send; nil sends nothing.
    func frame(for item: Item) -> [UInt8]?
    func heartbeat() -> [UInt8]
    /// The whole answer, a frame each. `client` is who admission says it is, nil without CURVE.
    func answer(_ request: [UInt8], client: String?) -> [[UInt8]]
    /// The answer to a client that asks too often.
    func refusal() -> [UInt8]
}

final class FanOutShared<Item: Sendable>: Sendable {
    struct State: Sendable {
        var queue: [Item] = []
        var statistics = FanOutPublisherStatistics()
        var isStopped = false
    }

    let configuration: FanOutPublisherConfiguration
    let logger: Logger
    let wake: WakeUp
    let state = Mutex(State())
    let bound = Mutex<(feed: Endpoint, requests: Endpoint)?>(nil)

    init(configuration: FanOutPublisherConfiguration, logger: Logger) throws(MessageBusError) {
        self.configuration = configuration
        self.logger = logger
        wake = try WakeUp()
    }
}

package final class FanOutPublisher<Source: FanOutSource>: Sendable {
    private let shared: FanOutShared<Source.Item>
    private let thread: BusThread
    /// With the ports the system chose where the configuration said 0.
    package let feedEndpoint: Endpoint
    package let requestEndpoint: Endpoint

    package init(
        configuration: FanOutPublisherConfiguration, logger: Logger = Logger(label: "causeway.bus.fanout"),
        source: @escaping @Sendable () -> Source
    ) throws(MessageBusError) {
        try configuration.validate()
        let shared = try FanOutShared<Source.Item>(configuration: configuration, logger: logger)
        thread = try BusThread(name: "bus-fanout", wake: shared.wake) { context throws(MessageBusError) in
            try FanOutService(shared: shared, context: context, source: source())
        }
        self.shared = shared
        let bound = shared.bound.withLock { $0 }
        feedEndpoint = bound?.feed ?? configuration.feed
        requestEndpoint = bound?.requests ?? configuration.requests
    }

    deinit { thread.requestStop() }

    /// From any thread, never waits. An item dropped for a full queue is counted: the publisher's thread is stuck.
    @discardableResult
    package func publish(_ item: Source.Item) -> SendResult { publish(contentsOf: [item]) }

    /// Several, in order and with one waking; `dropped` when there was no room for the last ones.
    @discardableResult
    package func publish(contentsOf items: [Source.Item]) -> SendResult {
        let (result, isNews) = shared.state.withLock { state -> (SendResult, Bool) in
            let room = state.isStopped ? 0 : max(0, shared.configuration.queuedItemsMaximum - state.queue.count)
            let taken = min(room, items.count)
            if taken == items.count { state.queue += items } else { state.queue += items[..<taken] }
            guard taken < items.count else { return (.queued, taken > 0) }
            let reason: DropReason = state.isStopped ? .notRunning : .queueFull
            state.statistics.drops[reason] += UInt64(items.count - taken)
            return (.dropped(reason), taken > 0)
        }
        if isNews { shared.wake.ring() }
        return result
    }

    package var statistics: FanOutPublisherStatistics {
        var snapshot = shared.state.withLock { state in
            state.statistics.queuedItems = state.queue.count
            return state.statistics
        }
        snapshot.isRunning = thread.isRunning
        snapshot.failure = thread.failure
        return snapshot
    }

    /// - Returns: whether its thread has ended in time.
    @discardableResult
    package func stop(deadlineMilliseconds: Int = Limits.stopMillisecondsDefault) -> Bool {
        shared.state.withLock { $0.isStopped = true }
        return thread.stop(deadlineMilliseconds: deadlineMilliseconds)
    }
}

/// The publisher on its bus thread.
final class FanOutService<Source: FanOutSource>: BusService {
    private let shared: FanOutShared<Source.Item>
    private let source: Source
    private let feed: Listener
    private let requests: Listener
    private let admission: AdmissionHandler?
    private var heartbeatAt: UInt64
    private var subscriptions = 0
    private var taken: [Source.Item] = []
    /// Rates of the clients that asked last.
    private var gates: [[UInt8]: RateGate] = [:]

    init(
        shared: FanOutShared<Source.Item>, context: ZeroMQContext, source: Source
    ) throws(MessageBusError) {
        self.shared = shared
        self.source = source
        let configuration = shared.configuration
        let domain = "causeway.fanout"
        switch configuration.security {
        case .plaintext: admission = nil
        case .curve(_, let keys):
            admission = try AdmissionHandler(context: context, domain: domain, policy: keys.map { .listed($0) } ?? .anyKey)
        }
        func configure(_ socket: ZeroMQSocket, _ frameBytesMaximum: Int, _ endpoint: Endpoint) throws(MessageBusError) {
            try socket.applyLink(
                timings: configuration.timings, frameBytesMaximum: frameBytesMaximum,
                sendHighWaterMark: configuration.sendHighWaterMark, receiveHighWaterMark: Limits.feedHighWaterMark,
                lingerMilliseconds: 0, isIPv6: endpoint.isIPv6)
            if case .curve(let keys, _) = configuration.security { try socket.applyCurveServer(keys, domain: domain) }
        }
        feed = try Listener(context: context, kind: ZMQ_XPUB, endpoint: configuration.feed) {
            socket throws(MessageBusError) in
            try configure(socket, Limits.controlFrameBytesMaximum, configuration.feed)
            try socket.set(ZMQ_XPUB_VERBOSE, 1)
        }
        requests = try Listener(context: context, kind: ZMQ_ROUTER, endpoint: configuration.requests) {
            socket throws(MessageBusError) in
            try configure(socket, Limits.fanOutFrameBytesMaximum, configuration.requests)
            try socket.set(ZMQ_ROUTER_MANDATORY, 1)
        }
        heartbeatAt = monotonicMilliseconds()
        let bound = (feed.endpoint, requests.endpoint)
        shared.bound.withLock { $0 = bound }
        shared.logger.info(
            "fan-out listens",
            metadata: [LogKey.endpoint: "\(feed.endpoint)", "requests": "\(requests.endpoint)"])
    }

    func register(_ poll: inout PollSet) {
        if let admission { poll.add(admission.socket, ZMQ_POLLIN) }
        feed.register(&poll, wantsToReceive: true)
        requests.register(&poll, wantsToReceive: true)
    }

    func turn(now: UInt64) throws(MessageBusError) -> Int {
        if let admission { shared.logger.denied(try admission.serve(), link: "fan-out") }
        _ = try feed.observe()
        _ = try requests.observe()
        let malformed = try readSubscriptions()
        // The two arrays take turns, so that publishers rarely wait for one that grows.
        shared.state.withLock { state in swap(&state.queue, &taken) }
        var (frames, bytes) = (0, 0)
        for item in taken {
            guard let frame = source.frame(for: item) else { continue }
            _ = try feed.socket.send(shared: frame)
            frames += 1
            bytes += frame.count
        }
        taken.removeAll(keepingCapacity: taken.count <= Limits.fanOutItemsKept)
        let beats = now >= heartbeatAt
        if beats {
            _ = try feed.socket.send(source.heartbeat())
            heartbeatAt = now + UInt64(shared.configuration.heartbeatMilliseconds)
        }
        let asked = try serveRequests(now: now)
        let seen = admission?.statistics ?? AdmissionStatistics()
        let counts = (feed.handshakes, feed.handshakeFailures + requests.handshakeFailures, subscriptions)
        shared.state.withLock { state in
            state.statistics.published += UInt64(frames)
            state.statistics.publishedBytes += UInt64(bytes)
            state.statistics.heartbeats += beats ? 1 : 0
            state.statistics.drops[.malformed] += malformed + asked.malformed
            state.statistics.drops[.rateLimited] += asked.limited
            state.statistics.requests += asked.requests
            state.statistics.repliesSent += asked.sent
            state.statistics.repliesCut += asked.cut
            state.statistics.admission = seen
            (state.statistics.handshakes, state.statistics.handshakeFailures, state.statistics.subscriptions) = counts
        }
        return asked.isCutShort ? 0 : Int(clamping: heartbeatAt > now ? heartbeatAt - now : 0)
    }

    /// Reads who subscribes to what; anything else a subscriber sends is counted and thrown away.
    private func readSubscriptions() throws(MessageBusError) -> UInt64 {
        var malformed: UInt64 = 0
        for _ in 0..<Limits.batchMessagesMaximum {
            guard
                let parts = try feed.socket.receive(
                    framesMaximum: 1, frameBytesMaximum: Limits.controlFrameBytesMaximum)
            else { break }
            switch parts.frames.first?.first {
            case 1 where !parts.hasExcessFrames: subscriptions += 1
            case 0 where !parts.hasExcessFrames: subscriptions = max(0, subscriptions - 1)
            default: malformed += 1
            }
        }
        return malformed
    }

    private struct Asked {
        var requests: UInt64 = 0
        var malformed: UInt64 = 0
        var limited: UInt64 = 0
        var sent: UInt64 = 0
        var cut: UInt64 = 0
        var isCutShort = false
    }

    private func serveRequests(now: UInt64) throws(MessageBusError) -> Asked {
        var asked = Asked()
        for _ in 0..<Limits.fanOutRequestsPerTurnMaximum {
            guard
                let parts = try requests.socket.receive(
                    framesMaximum: 2, frameBytesMaximum: Limits.fanOutFrameBytesMaximum)
            else { return asked }
            guard parts.frames.count == 2, !parts.hasExcessFrames, !parts.hasOversizeFrame else {
                asked.malformed += 1
                continue
            }
            asked.requests += 1
            let client = parts.userID.map { Array($0.utf8) } ?? parts.frames[0]
            guard admit(client, now: now) else {
                asked.limited += 1
                _ = try requests.socket.send([parts.frames[0], source.refusal()])
                continue
            }
            let answer = source.answer(parts.frames[1], client: parts.userID)
            for (index, frame) in answer.enumerated() {
                guard try requests.socket.send([parts.frames[0], frame]) == .sent else {
                    asked.cut += UInt64(answer.count - index)
                    break
                }
                asked.sent += 1
            }
        }
        asked.isCutShort = true
        return asked
    }

    private func admit(_ client: [UInt8], now: UInt64) -> Bool {
        let rate = shared.configuration.requestsPerSecond
        if gates[client] == nil, gates.count >= Limits.fanOutClientsMaximum { gates.removeAll() }
        let limit = RateLimit(
            messagesPerSecond: rate, messagesBurst: rate, bytesPerSecond: 1 << 20, bytesBurst: 1 << 20)
        return gates[client, default: RateGate(limit, now: now)].admit(byteCount: 1, now: now)
    }

    func close() {
        feed.close()
        requests.close()
        admission?.socket.close()
    }
}
