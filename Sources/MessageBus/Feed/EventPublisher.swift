// The event feed's publishing end: numbers events, queues them with a bound, beats while idle.
// What events mean and how they are encoded is the caller's.

import CZeroMQ
import Glibc
import Logging
import Synchronization

package struct EventPublisherConfiguration: Sendable {
    package enum Security: Sendable {
        /// Readable by everybody who reaches the port. Refused off loopback unless `allowsPlaintextOffLoopback`.
        case plaintext
        /// Encrypted, the publisher proven. `admitted` nil lets every key in.
        case curve(CurveKeyPair, admitted: [CurvePublicKey]?)
    }

    package var endpoint: Endpoint
    package var security = Security.plaintext
    package var allowsPlaintextOffLoopback = false
    /// Between two heartbeats.
    package var heartbeatMilliseconds = 1_000
    /// Number of the first event; a publisher that remembers its last one goes on from there.
    package var firstSequence: UInt64 = 1
    package var payloadBytesMaximum = Limits.payloadBytesDefault
    package var queuedEventsMaximum = Limits.queuedEventsDefault
    package var queuedBytesMaximum = Limits.queuedBytesPerPeerDefault
    package var timings = LinkTimings()

    package init(endpoint: Endpoint) { self.endpoint = endpoint }

    package func validate() throws(MessageBusError) {
        if case .plaintext = security, !endpoint.isLoopback, !allowsPlaintextOffLoopback {
            throw .configuration(
                "the event feed at \(endpoint) would be readable on the network",
                hint: "listen on 127.0.0.1, turn CURVE on, or allow plain text explicitly")
        }
        guard (1...Limits.intervalMillisecondsMaximum).contains(heartbeatMilliseconds) else {
            throw .configuration("the heartbeat interval must be between 1 ms and an hour")
        }
        guard firstSequence > 0 else { throw .configuration("sequence numbers begin at 1 or above") }
        try LinkFraming.validate(payloadBytesMaximum: payloadBytesMaximum)
        guard queuedEventsMaximum > 0, queuedBytesMaximum >= payloadBytesMaximum + Limits.topicBytesMaximum else {
            throw .configuration("the feed's queue cannot hold one event of \(payloadBytesMaximum) bytes")
        }
        try timings.validate()
    }
}

package struct PublisherStatistics: Equatable, Sendable {
    /// Number of the last event, `firstSequence - 1` before the first.
    package var sequence: UInt64 = 0
    package var publishedEvents: UInt64 = 0
    package var publishedBytes: UInt64 = 0
    package var heartbeats: UInt64 = 0
    package var queuedEvents = 0
    /// Distinct topic prefixes somebody is subscribed to now.
    package var subscribedTopics = 0
    package var drops = DropCounters()
    package var admission = AdmissionStatistics()
    package var handshakeFailures: UInt64 = 0
    package var isRunning = true
    package var failure: MessageBusError?
}

final class PublisherShared: Sendable {
    struct State: Sendable {
        var queue: [FeedEvent] = []
        var queuedBytes = 0
        var statistics = PublisherStatistics()
        var isStopped = false
    }

    let configuration: EventPublisherConfiguration
    let logger: Logger
    let wake: WakeUp
    let state: Mutex<State>
    let bound = Mutex<Endpoint?>(nil)

    init(configuration: EventPublisherConfiguration, logger: Logger) throws(MessageBusError) {
        self.configuration = configuration
        self.logger = logger
        wake = try WakeUp()
        var first = State()
        first.statistics.sequence = configuration.firstSequence - 1
        state = Mutex(first)
    }
}

/// One-to-many: subscribers choose topic prefixes. Slow ones lose events and see it in the numbers.
package final class EventPublisher: Sendable {
    private let shared: PublisherShared
    private let thread: BusThread
    /// With the port the system chose if the configuration said 0.
    package let boundEndpoint: Endpoint

    package init(
        configuration: EventPublisherConfiguration, logger: Logger = Logger(label: "causeway.bus.feed")
    ) throws(MessageBusError) {
        try configuration.validate()
        let shared = try PublisherShared(configuration: configuration, logger: logger)
        thread = try BusThread(name: "bus-feed", wake: shared.wake) { context throws(MessageBusError) in
            try PublisherService(shared: shared, context: context)
        }
        self.shared = shared
        boundEndpoint = shared.bound.withLock { $0 } ?? configuration.endpoint
    }

    deinit { thread.requestStop() }

    /// Numbers and queues an event; from any thread, never waits. An event dropped for a full queue keeps its number,
    /// so subscribers see that it is missing; a refused one (topic or size) gets none.
    @discardableResult
    package func publish(topic: String, payload: [UInt8]) -> SendResult {
        let isRunning = thread.isRunning
        let result = shared.state.withLock { state -> SendResult in
            func drop(_ reason: DropReason) -> SendResult {
                state.statistics.drops[reason] += 1
                return .dropped(reason)
            }
            guard !state.isStopped, isRunning else { return drop(.notRunning) }
            guard FeedFrames.refusal(topic: topic) == nil else { return drop(.malformed) }
            guard payload.count <= shared.configuration.payloadBytesMaximum else { return drop(.tooLarge) }
            state.statistics.sequence += 1
            let size = topic.utf8.count + payload.count
            guard state.queue.count < shared.configuration.queuedEventsMaximum,
                state.queuedBytes + size <= shared.configuration.queuedBytesMaximum
            else { return drop(.queueFull) }
            state.queue.append(FeedEvent(topic: topic, sequence: state.statistics.sequence, payload: payload))
            state.queuedBytes += size
            return .queued
        }
        if result.isQueued { shared.wake.ring() }
        return result
    }

    package var statistics: PublisherStatistics {
        var snapshot = shared.state.withLock { state in
            state.statistics.queuedEvents = state.queue.count
            return state.statistics
        }
        snapshot.isRunning = thread.isRunning
        snapshot.failure = thread.failure
        return snapshot
    }

    /// Closes the socket and ends the thread.
    /// - Returns: whether it has ended in time.
    @discardableResult
    package func stop(deadlineMilliseconds: Int = Limits.stopMillisecondsDefault) -> Bool {
        shared.state.withLock { $0.isStopped = true }
        return thread.stop(deadlineMilliseconds: deadlineMilliseconds)
    }
}

/// The publisher on its bus thread: an XPUB, which never waits for a subscriber.
final class PublisherService: BusService {
    private let shared: PublisherShared
    private let listener: Listener
    private let admission: AdmissionHandler?
    /// Tells one life of a publisher from the next.
    private let instance: [UInt8]
    private var heartbeatAt: UInt64
    private var topics = 0

    init(shared: PublisherShared, context: ZeroMQContext) throws(MessageBusError) {
        self.shared = shared
        let configuration = shared.configuration
        let domain = "causeway.feed"
        switch configuration.security {
        case .plaintext: admission = nil
        case .curve(_, let keys):
            let policy = keys.map { keys in
                AdmissionHandler.Policy.listed(Dictionary(keys.map { ($0, "subscriber") }) { first, _ in first })
            }
            admission = try AdmissionHandler(context: context, domain: domain, policy: policy ?? .anyKey)
        }
        listener = try Listener(context: context, kind: ZMQ_XPUB, endpoint: configuration.endpoint) {
            socket throws(MessageBusError) in
            try socket.applyLink(
                timings: configuration.timings, frameBytesMaximum: Limits.controlFrameBytesMaximum,
                sendHighWaterMark: Limits.feedHighWaterMark, receiveHighWaterMark: Limits.receiveHighWaterMark,
                lingerMilliseconds: Limits.linkLingerMilliseconds, isIPv6: configuration.endpoint.isIPv6)
            if case .curve(let keyPair, _) = configuration.security {
                try socket.applyCurveServer(keyPair, domain: domain)
            }
        }
        var generator = SystemRandomNumberGenerator()
        instance = FeedFrames.bigEndian(generator.next())
        heartbeatAt = monotonicMilliseconds()
        let bound = listener.endpoint
        shared.bound.withLock { $0 = bound }
        shared.logger.info("event feed listens", metadata: [LogKey.endpoint: "\(bound)"])
    }

    func register(_ poll: inout PollSet) {
        if let admission { poll.add(admission.socket, ZMQ_POLLIN) }
        listener.register(&poll, wantsToReceive: true)
    }

    func turn(now: UInt64) throws(MessageBusError) -> Int {
        if let admission { shared.logger.denied(try admission.serve(), link: "feed") }
        _ = try listener.observe()
        let malformed = try readSubscriptions()
        let (events, head) = shared.state.withLock { state in
            defer { (state.queue, state.queuedBytes) = ([], 0) }
            return (state.queue, state.statistics.sequence)
        }
        var bytes = 0
        for event in events {
            try put(topic: event.topic, sequence: event.sequence, payload: event.payload)
            bytes += event.topic.utf8.count + event.payload.count
        }
        let beats = now >= heartbeatAt
        if beats {
            try put(topic: FeedTopic.heartbeat, sequence: head, payload: instance)
            heartbeatAt = now + UInt64(shared.configuration.heartbeatMilliseconds)
        }
        let (size, topics, failures) = (UInt64(bytes), topics, listener.handshakeFailures)
        let seen = admission?.statistics ?? AdmissionStatistics()
        shared.state.withLock { state in
            state.statistics.publishedEvents += UInt64(events.count)
            state.statistics.publishedBytes += size
            state.statistics.heartbeats += beats ? 1 : 0
            state.statistics.subscribedTopics = topics
            state.statistics.drops[.malformed] += malformed
            state.statistics.handshakeFailures = failures
            state.statistics.admission = seen
        }
        return Int(clamping: heartbeatAt - now)
    }

    private func put(topic: String, sequence: UInt64, payload: [UInt8]) throws(MessageBusError) {
        _ = try listener.socket.send(FeedFrames.frames(topic: topic, sequence: sequence, payload: payload))
    }

    /// Reads who subscribes to what; anything else a subscriber sends is counted and thrown away.
    private func readSubscriptions() throws(MessageBusError) -> UInt64 {
        var malformed: UInt64 = 0
        for _ in 0..<Limits.batchMessagesMaximum {
            guard let parts = try listener.socket.receive(
                framesMaximum: 1, frameBytesMaximum: Limits.controlFrameBytesMaximum)
            else { break }
            switch parts.frames.first?.first {
            case 1 where !parts.hasExcessFrames: topics += 1
            case 0 where !parts.hasExcessFrames: topics = max(0, topics - 1)
            default: malformed += 1
            }
        }
        return malformed
    }

    func close() {
        listener.close()
        admission?.socket.close()
    }
}
