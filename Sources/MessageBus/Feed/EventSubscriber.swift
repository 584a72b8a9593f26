// The event feed's reading end: for progress displays, tools and tests. Shows gaps instead of hiding them.

import CZeroMQ
import Logging
import Synchronization

package struct EventSubscriberConfiguration: Sendable {
    package var endpoint: Endpoint
    /// Topic prefixes; the empty one means everything, and only then can gaps be seen.
    package var topics: [String] = [""]
    /// The publisher's key and ours, where the feed uses CURVE.
    package var curve: (publisher: CurvePublicKey, keyPair: CurveKeyPair)?
    package var payloadBytesMaximum = Limits.payloadBytesDefault
    package var timings = LinkTimings()

    package init(endpoint: Endpoint) { self.endpoint = endpoint }

    package func validate() throws(MessageBusError) {
        guard endpoint.port != 0, endpoint.host != "*" else {
            throw MessageBusError(
                .malformedEndpoint, "\(endpoint) names no place to dial", context: ["endpoint": "\(endpoint)"],
                hint: "give a host and a port")
        }
        guard (1...Limits.subscriptionsMaximum).contains(topics.count) else {
            throw .configuration("a subscriber asks for 1 to \(Limits.subscriptionsMaximum) topics")
        }
        for topic in topics where topic.utf8.count > Limits.topicBytesMaximum {
            throw .configuration("a topic has at most \(Limits.topicBytesMaximum) bytes")
        }
        try LinkFraming.validate(payloadBytesMaximum: payloadBytesMaximum)
        try timings.validate()
    }
}

package struct SubscriberStatistics: Equatable, Sendable {
    package var isConnected = false
    package var connections: UInt64 = 0
    package var receivedEvents: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    package var heartbeats: UInt64 = 0
    /// Stretches of missing events, and the events missing in them.
    package var gaps: UInt64 = 0
    package var missedEvents: UInt64 = 0
    package var restarts: UInt64 = 0
    /// Number of the last event we know the publisher has sent.
    package var lastSequence: UInt64?
    package var lastHeardMilliseconds: UInt64?
    package var drops = DropCounters()
    package var isRunning = true
    package var failure: MessageBusError?
}

/// Takes the items of one wake-up, in order. Runs on the bus thread: hand over and return, never wait.
package typealias FeedHandler = @Sendable ([FeedItem]) -> Void

final class SubscriberShared: Sendable {
    struct State: Sendable {
        var statistics = SubscriberStatistics()
    }

    let configuration: EventSubscriberConfiguration
    let logger: Logger
    let handler: FeedHandler
    let wake: WakeUp
    let state = Mutex(State())

    init(
        configuration: EventSubscriberConfiguration, logger: Logger, handler: @escaping FeedHandler
    ) throws(MessageBusError) {
        self.configuration = configuration
        self.logger = logger
        self.handler = handler
        wake = try WakeUp()
    }
}

package final class EventSubscriber: Sendable {
    private let shared: SubscriberShared
    private let thread: BusThread

    /// Subscribes at once. What was published before the connection is up is not seen, and is no gap.
    package init(
        configuration: EventSubscriberConfiguration, logger: Logger = Logger(label: "causeway.bus.subscriber"),
        onItems handler: @escaping FeedHandler
    ) throws(MessageBusError) {
        try configuration.validate()
        let shared = try SubscriberShared(configuration: configuration, logger: logger, handler: handler)
        thread = try BusThread(name: "bus-subscriber", wake: shared.wake) { context throws(MessageBusError) in
            try SubscriberService(shared: shared, context: context)
        }
        self.shared = shared
    }

    deinit { thread.requestStop() }

    package var statistics: SubscriberStatistics {
        var snapshot = shared.state.withLock { $0.statistics }
        snapshot.isRunning = thread.isRunning
        snapshot.failure = thread.failure
        return snapshot
    }

    /// - Returns: whether its thread has ended in time; false at once when called from its handler.
    @discardableResult
    package func stop(deadlineMilliseconds: Int = Limits.stopMillisecondsDefault) -> Bool {
        thread.stop(deadlineMilliseconds: deadlineMilliseconds)
    }
}

/// The subscriber on its bus thread.
final class SubscriberService: BusService {
    private let shared: SubscriberShared
    private let dialer: Dialer
    private var tracker: FeedTracker

    init(shared: SubscriberShared, context: ZeroMQContext) throws(MessageBusError) {
        self.shared = shared
        let configuration = shared.configuration
        tracker = FeedTracker(seesEverything: configuration.topics.contains(""))
        dialer = try Dialer(
            context: context, kind: ZMQ_SUB, endpoint: configuration.endpoint, timings: configuration.timings,
            now: monotonicMilliseconds()
        ) { socket throws(MessageBusError) in
            try socket.applyLink(
                timings: configuration.timings,
                frameBytesMaximum: configuration.payloadBytesMaximum + Limits.frameSlackBytes,
                sendHighWaterMark: Limits.feedHighWaterMark, receiveHighWaterMark: Limits.feedHighWaterMark,
                lingerMilliseconds: Limits.linkLingerMilliseconds, isIPv6: configuration.endpoint.isIPv6)
            if let curve = configuration.curve {
                try socket.applyCurveClient(curve.keyPair, server: curve.publisher)
            }
            for topic in configuration.topics { try socket.set(ZMQ_SUBSCRIBE, bytes: Array(topic.utf8)) }
            if !configuration.topics.contains("") {
                try socket.set(ZMQ_SUBSCRIBE, bytes: Array(FeedTopic.heartbeat.utf8))
            }
        }
    }

    func register(_ poll: inout PollSet) { dialer.register(&poll, wantsToSend: false) }

    func turn(now: UInt64) throws(MessageBusError) -> Int {
        let change = try dialer.observe(now: now)
        shared.logger.changed(change, peer: "feed", endpoint: dialer.endpoint)
        let isReady = dialer.isReady
        let (items, bytes, drops, isCutShort) = try receive()
        let last = tracker.last
        shared.state.withLock { state in
            state.statistics.isConnected = isReady
            state.statistics.connections += change == .up ? 1 : 0
            state.statistics.receivedBytes += UInt64(bytes)
            state.statistics.lastSequence = last
            if !items.isEmpty { state.statistics.lastHeardMilliseconds = now }
            for (reason, number) in drops.byReason { state.statistics.drops[reason] += number }
            for item in items { state.statistics.count(item) }
        }
        if !items.isEmpty { shared.handler(items) }
        return isCutShort ? 0 : isReady ? Limits.settledTurnMilliseconds : Limits.unsettledTurnMilliseconds
    }

    private func receive() throws(MessageBusError) -> ([FeedItem], Int, DropCounters, isCutShort: Bool) {
        var items: [FeedItem] = []
        var bytes = 0
        var drops = DropCounters()
        let limit = shared.configuration.payloadBytesMaximum
        for _ in 0..<Limits.batchMessagesMaximum where bytes < Limits.batchBytesMaximum {
            guard let parts = try dialer.socket.receive(framesMaximum: 3, frameBytesMaximum: limit) else {
                return (items, bytes, drops, false)
            }
            bytes += parts.byteCount
            if parts.hasOversizeFrame {
                drops[.tooLarge] += 1
            } else if !parts.hasExcessFrames, let event = FeedFrames.decode(parts.frames) {
                items.append(contentsOf: tracker.observe(event))
            } else {
                drops[.malformed] += 1
            }
        }
        return (items, bytes, drops, true)
    }

    func close() { dialer.close() }
}

extension SubscriberStatistics {
    fileprivate mutating func count(_ item: FeedItem) {
        switch item {
        case .event: receivedEvents += 1
        case .gap(let range):
            gaps += 1
            missedEvents += range.upperBound - range.lowerBound + 1
        case .heartbeat: heartbeats += 1
        case .restarted: restarts += 1
        }
    }
}
