// The reading end of a fan-out: a SUB for the frames and a DEALER for questions, on one thread of their own. What is
// delivered, asked and given up is decided by the sink, which lives on that thread.

import CZeroMQ
import Logging
import Synchronization

/// What the sink wants done after it was told something.
package struct FanOutWishes: Equatable, Sendable {
    /// Requests to send, in order.
    package var requests: [[UInt8]] = []
    /// Close both connections and open them again.
    package var reconnects = false

    package init() {}
}

/// Takes what comes in. Made, used and dropped on the bus thread: hand over and return, never wait.
package protocol FanOutSink: AnyObject {
    /// Both connections are up.
    func connected() -> FanOutWishes
    /// Frames as they were published, in order.
    func frames(_ frames: [[UInt8]]) -> FanOutWishes
    func replies(_ replies: [[UInt8]]) -> FanOutWishes
    /// At least four times a second.
    func tick() -> FanOutWishes
}

package struct FanOutSubscriberStatistics: Equatable, Sendable {
    package var isConnected = false
    package var connections: UInt64 = 0
    package var frames: UInt64 = 0
    package var bytes: UInt64 = 0
    package var replies: UInt64 = 0
    package var requests: UInt64 = 0
    package var reconnects: UInt64 = 0
    package var drops = DropCounters()
    package var handshakeFailures: UInt64 = 0
    package var isRunning = true
    package var failure: MessageBusError?

    package init() {}
}

final class FanOutSubscriberShared: Sendable {
    let configuration: FanOutSubscriberConfiguration
    let logger: Logger
    let wake: WakeUp
    let statistics = Mutex(FanOutSubscriberStatistics())

    init(configuration: FanOutSubscriberConfiguration, logger: Logger) throws(MessageBusError) {
        self.configuration = configuration
        self.logger = logger
        wake = try WakeUp()
    }
}

package final class FanOutSubscriber: Sendable {
    private let shared: FanOutSubscriberShared
    private let thread: BusThread

    /// Subscribes at once.
    package init(
        configuration: FanOutSubscriberConfiguration, logger: Logger = Logger(label: "causeway.bus.fanout"),
        sink: @escaping @Sendable () -> any FanOutSink
    ) throws(MessageBusError) {
        try configuration.validate()
        let shared = try FanOutSubscriberShared(configuration: configuration, logger: logger)
        thread = try BusThread(name: "bus-fanin", wake: shared.wake) { context throws(MessageBusError) in
            try FanOutSubscriberService(shared: shared, context: context, sink: sink())
        }
        self.shared = shared
    }

    deinit { thread.requestStop() }

    package var statistics: FanOutSubscriberStatistics {
        var snapshot = shared.statistics.withLock { $0 }
        snapshot.isRunning = thread.isRunning
        snapshot.failure = thread.failure
        return snapshot
    }

    /// - Returns: whether its thread has ended in time; false at once when called from its sink.
    @discardableResult
    package func stop(deadlineMilliseconds: Int = Limits.stopMillisecondsDefault) -> Bool {
        thread.stop(deadlineMilliseconds: deadlineMilliseconds)
    }
}

final class FanOutSubscriberService: BusService {
    private let shared: FanOutSubscriberShared
    private let sink: any FanOutSink
    private let feed: Dialer
    private let requests: Dialer
    private var isConnected = false
    private var tickAt: UInt64

    init(shared: FanOutSubscriberShared, context: ZeroMQContext, sink: any FanOutSink) throws(MessageBusError) {
        self.shared = shared
        self.sink = sink
        let configuration = shared.configuration
        let now = monotonicMilliseconds()
        tickAt = now
        func configure(_ socket: ZeroMQSocket, _ endpoint: Endpoint) throws(MessageBusError) {
            try socket.applyLink(
                timings: configuration.timings, frameBytesMaximum: configuration.frameBytesMaximum,
                sendHighWaterMark: Limits.feedHighWaterMark,
                receiveHighWaterMark: configuration.receiveHighWaterMark, lingerMilliseconds: 0,
                isIPv6: endpoint.isIPv6)
            if let curve = configuration.curve { try socket.applyCurveClient(curve.keyPair, server: curve.publisher) }
        }
        feed = try Dialer(
            context: context, kind: ZMQ_SUB, endpoint: configuration.feed, timings: configuration.timings, now: now
        ) { socket throws(MessageBusError) in
            try configure(socket, configuration.feed)
            for topic in configuration.topics { try socket.set(ZMQ_SUBSCRIBE, bytes: topic) }
        }
        requests = try Dialer(
            context: context, kind: ZMQ_DEALER, endpoint: configuration.requests, timings: configuration.timings, now: now
        ) { socket throws(MessageBusError) in
            try configure(socket, configuration.requests)
        }
    }

    func register(_ poll: inout PollSet) {
        feed.register(&poll, wantsToSend: false)
        requests.register(&poll, wantsToSend: false)
    }

    func turn(now: UInt64) throws(MessageBusError) -> Int {
        let change = try feed.observe(now: now)
        _ = try requests.observe(now: now)
        shared.logger.changed(change, peer: "fan-out", endpoint: feed.endpoint)
        let isUp = feed.isReady && requests.isReady
        if isUp, !isConnected {
            shared.statistics.withLock { $0.connections += 1 }
            try fulfil(sink.connected(), now: now)
        }
        isConnected = isUp
        let frames = try drain(feed.socket)
        if !frames.isEmpty { try fulfil(sink.frames(frames), now: now) }
        let replies = try drain(requests.socket)
        if !replies.isEmpty { try fulfil(sink.replies(replies), now: now) }
        if now >= tickAt {
            try fulfil(sink.tick(), now: now)
            tickAt = now + UInt64(Limits.fanOutTickMilliseconds)
        }
        let failures = feed.handshakeFailures + requests.handshakeFailures
        shared.statistics.withLock { state in
            state.isConnected = isUp
            state.frames += UInt64(frames.count)
            state.bytes += UInt64(frames.reduce(0) { $0 + $1.count })
            state.replies += UInt64(replies.count)
            state.handshakeFailures = failures
        }
        let isCutShort = max(frames.count, replies.count) >= Limits.fanOutBatchMaximum
        return isCutShort ? 0 : Int(clamping: tickAt > now ? tickAt - now : 0)
    }

    private func drain(_ socket: ZeroMQSocket) throws(MessageBusError) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        for _ in 0..<Limits.fanOutBatchMaximum {
            guard let parts = try socket.receive(framesMaximum: 1, frameBytesMaximum: shared.configuration.frameBytesMaximum)
            else { break }
            if parts.hasOversizeFrame || parts.hasExcessFrames {
                shared.statistics.withLock { $0.drops[parts.hasOversizeFrame ? .tooLarge : .malformed] += 1 }
            } else {
                frames.append(contentsOf: parts.frames)
            }
        }
        return frames
    }

    private func fulfil(_ wishes: FanOutWishes, now: UInt64) throws(MessageBusError) {
        var sent: UInt64 = 0
        for request in wishes.requests where try requests.socket.send(request) == .sent { sent += 1 }
        shared.statistics.withLock { state in
            state.requests += sent
            state.reconnects += wishes.reconnects ? 1 : 0
        }
        guard wishes.reconnects else { return }
        try feed.redirect(to: feed.endpoint, now: now)
        try requests.redirect(to: requests.endpoint, now: now)
        isConnected = false
    }

    func close() {
        feed.close()
        requests.close()
    }
}
