// What a fan-out needs to be told, and what it tells: one XPUB from which many read, and one ROUTER that answers them.

/// One side's keys of a fan-out.
package enum FanOutSecurity: Sendable {
    /// Readable by everybody who reaches the ports. Refused off loopback unless `allowsPlaintextOffLoopback`.
    case plaintext
    /// Encrypted, the publisher proven. `admitted` nil lets every key in.
    case curve(CurveKeyPair, admitted: [CurvePublicKey: String]?)
}

package struct FanOutPublisherConfiguration: Sendable {
    /// Where frames are published.
    package var feed: Endpoint
    /// Where requests are answered.
    package var requests: Endpoint
    package var security = FanOutSecurity.plaintext
    package var allowsPlaintextOffLoopback = false
    /// Between two heartbeats, idle or not.
    package var heartbeatMilliseconds = 250
    /// Frames inside libzmq towards one subscriber; a slower one loses frames and sees the hole in the numbers.
    package var sendHighWaterMark = Limits.fanOutHighWaterMark
    /// Items that wait for the publisher's thread.
    package var queuedItemsMaximum = Limits.fanOutQueuedItemsMaximum
    /// Requests of one client key.
    package var requestsPerSecond = 10
    package var timings = LinkTimings.fanOut

    package init(feed: Endpoint, requests: Endpoint) {
        self.feed = feed
        self.requests = requests
    }

    package func validate() throws(MessageBusError) {
        if case .plaintext = security, !feed.isLoopback || !requests.isLoopback, !allowsPlaintextOffLoopback {
            throw .configuration(
                "the fan-out at \(feed) would be readable on the network",
                hint: "listen on 127.0.0.1, turn CURVE on, or allow plain text explicitly")
        }
        guard (1...Limits.intervalMillisecondsMaximum).contains(heartbeatMilliseconds) else {
            throw .configuration("the heartbeat interval must be between 1 ms and an hour")
        }
        guard sendHighWaterMark > 0, queuedItemsMaximum > 0, requestsPerSecond > 0 else {
            throw .configuration("high-water mark, queue and request rate must be at least 1")
        }
        try timings.validate()
    }
}

package struct FanOutPublisherStatistics: Equatable, Sendable {
    package var published: UInt64 = 0
    package var publishedBytes: UInt64 = 0
    package var heartbeats: UInt64 = 0
    package var queuedItems = 0
    /// Subscriptions that subscribers have told of, less those that they took back.
    package var subscriptions = 0
    package var requests: UInt64 = 0
    package var repliesSent: UInt64 = 0
    /// Parts of answers that did not fit into what a client had not yet read.
    package var repliesCut: UInt64 = 0
    package var drops = DropCounters()
    package var admission = AdmissionStatistics()
    package var handshakes: UInt64 = 0
    package var handshakeFailures: UInt64 = 0
    package var isRunning = true
    package var failure: MessageBusError?

    package init() {}
}

package struct FanOutSubscriberConfiguration: Sendable {
    package var feed: Endpoint
    package var requests: Endpoint
    /// Prefixes of frames.
    package var topics: [[UInt8]]
    /// The publisher's key and ours, where it uses CURVE.
    package var curve: (publisher: CurvePublicKey, keyPair: CurveKeyPair)?
    package var receiveHighWaterMark = Limits.fanOutHighWaterMark
    package var frameBytesMaximum = Limits.fanOutFrameBytesMaximum
    package var timings = LinkTimings.fanOut

    package init(feed: Endpoint, requests: Endpoint, topics: [[UInt8]]) {
        self.feed = feed
        self.requests = requests
        self.topics = topics
    }

    package func validate() throws(MessageBusError) {
        for endpoint in [feed, requests] where !endpoint.isDialable {
            throw MessageBusError(
                .malformedEndpoint, "\(endpoint) names no place to dial", context: ["endpoint": "\(endpoint)"],
                hint: "give a host and a port")
        }
        guard (1...Limits.fanOutTopicsMaximum).contains(topics.count) else {
            throw .configuration("a subscriber asks for 1 to \(Limits.fanOutTopicsMaximum) topics")
        }
        for topic in topics where topic.count > Limits.topicBytesMaximum {
            throw .configuration("a topic has at most \(Limits.topicBytesMaximum) bytes")
        }
        try timings.validate()
    }
}

extension LinkTimings {
    /// A price that is a second old is old: silence is noticed within three.
    package static var fanOut: LinkTimings {
        var timings = LinkTimings()
        timings.heartbeatIntervalMilliseconds = 1_000
        timings.heartbeatTimeoutMilliseconds = 3_000
        timings.reconnectIntervalMilliseconds = 100
        timings.reconnectIntervalMaximumMilliseconds = 5_000
        timings.handshakeTimeoutMilliseconds = 5_000
        timings.redialAfterMilliseconds = 10_000
        return timings
    }
}
