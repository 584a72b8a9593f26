// A subscriber of price streams, in Swift: one connection to each gateway, every report checked, each delivered once, and
// nothing that is missing passed over in silence (data-streams.md 11.4 to 11.7).

import Ethereum
import Logging
import MessageBus
import PriceStreams
import Synchronization

/// A report that was checked, as a consumer gets it.
package struct StreamDelivery: Sendable {
    package let report: PriceReport
    package let verified: VerifiedReport?
    /// The full report, for contracts.
    package let fullReport: Bytes
    package let gateway: String
    package let flags: StreamFlags
    package let feedSequence: UInt64
    /// Nanoseconds since 1970: when the oracles looked, when the gateway sent it, when it came in here.
    package let observationsTimestampNanoseconds: UInt64
    package let publishTimestampNanoseconds: UInt64
    package let receivedAt: UInt64
}

package enum StreamUpdate: Sendable {
    case report(StreamDelivery)
    /// Reports of a gateway did not come; they have been asked for.
    case gap(StreamGap, gateway: String)
    /// They are gone from that gateway.
    case lost(StreamGap, gateway: String)
    /// No report covers a time, whichever gateway it came by: the header's units, from the last one to the next.
    case uncovered(FeedID, after: UInt64, until: UInt64)
    case stalled(gateway: String)
    case resumed(gateway: String)
    /// Begins anew, withheld feeds included.
    case restarted(gateway: String)
    /// The gateway's operator stopped a feed: that gateway sends nothing of it until it is released.
    case withheld(FeedID, gateway: String)
    case released(FeedID, gateway: String)
    /// This process is too slow: the connection was closed and opened again.
    case tooSlow(gateway: String)
    /// Something that came in was not believed, by name.
    case refused(String, gateway: String)
}

package struct StreamClientConfiguration: Sendable {
    package struct Gateway: Sendable {
        package var name: String
        package var feed: Endpoint
        package var requests: Endpoint
        /// Nil for a gateway without keys.
        package var curve: (publisher: CurvePublicKey, keyPair: CurveKeyPair)?

        package init(
            name: String, feed: Endpoint, requests: Endpoint, curve: (publisher: CurvePublicKey, keyPair: CurveKeyPair)?
        ) {
            self.name = name
            self.feed = feed
            self.requests = requests
            self.curve = curve
        }
    }

    package var gateways: [Gateway]
    /// Feeds to follow; empty for all.
    package var feeds: [FeedID] = []
    package var mode = DeliveryMode.latest
    /// Who may sign. Nil believes nothing but the form of reports: for tools that only look.
    package var verifier: ReportVerifier?
    /// Asked when a report is of a configuration that nobody knows, at most once a second and on a bus thread: one may have
    /// come since. Nil when there is none.
    package var renewedVerifier: (@Sendable () -> ReportVerifier?)?

    package init(gateways: [Gateway]) { self.gateways = gateways }

    /// Every gateway of a DON whose doors its file tells. `keyPair` nil makes one for this process alone.
    /// - Parameter folder: where files of further configurations of the DON are, or will be: their oracles are believed too,
    ///   from when a file is there.
    package init(streams: StreamsSettings, configurations folder: String? = nil, keyPair: CurveKeyPair?) throws {
        let pair = try keyPair ?? CurveKeyPair.generate()
        gateways = streams.gateways.compactMap { gateway in
            gateway.access.map { access in
                Gateway(
                    name: gateway.name, feed: access.feed, requests: access.requests,
                    curve: access.isPlaintext ? nil : (gateway.curvePublicKey, pair))
            }
        }
        guard let folder else {
            verifier = try streams.verifier()
            return
        }
        var found = try ConfigurationFolder(path: folder, main: streams)
        _ = found.refresh()
        verifier = try streams.verifier(found.others)
        let watched = Mutex(found)
        renewedVerifier = {
            watched.withLock { watched in watched.refresh() ? try? streams.verifier(watched.others) : nil }
        }
    }
}

package final class StreamClient: Sendable {
    private let subscribers: [FanOutSubscriber]

    /// Subscribes at once. `onUpdate` runs on a bus thread, one call at a time: hand over and return.
    package init(
        configuration: StreamClientConfiguration, logger: Logger = Logger(label: "causeway.streams.client"),
        onUpdate: @escaping @Sendable (StreamUpdate) -> Void
    ) throws {
        guard !configuration.gateways.isEmpty else {
            throw StreamsNodeError(
                .settings, "no gateway to subscribe to", hint: "streams.yaml tells their doors under gateways[].access")
        }
        let feeds = configuration.feeds.map(StreamTopic.feed)
        let topics = feeds.isEmpty ? [StreamTopic.allReports] : feeds
        let merger = StreamMerger(configuration, onUpdate: onUpdate)
        subscribers = try configuration.gateways.map { gateway in
            var link = FanOutSubscriberConfiguration(
                feed: gateway.feed, requests: gateway.requests, topics: topics + [StreamTopic.heartbeats])
            link.curve = gateway.curve
            var tracking = TrackerConfiguration()
            tracking.mode = configuration.mode
            tracking.topics = topics
            return try FanOutSubscriber(configuration: link, logger: logger) { [tracking] in
                StreamSink(gateway: gateway.name, tracker: SubscriptionTracker(configuration: tracking), merger: merger)
            }
        }
    }

    package var statistics: [FanOutSubscriberStatistics] { subscribers.map(\.statistics) }

    package func stop() { for subscriber in subscribers { subscriber.stop() } }
}

/// One connection: bytes in, decisions of the tracker out.
private final class StreamSink: FanOutSink {
    private let gateway: String
    private var tracker: SubscriptionTracker
    private let merger: StreamMerger

    init(gateway: String, tracker: SubscriptionTracker, merger: StreamMerger) {
        self.gateway = gateway
        self.tracker = tracker
        self.merger = merger
    }

    func connected() -> FanOutWishes { handle([.connected]) }
    func tick() -> FanOutWishes { handle([.tick]) }

    func frames(_ frames: [[UInt8]]) -> FanOutWishes {
        var events: [SubscriptionTracker.Event] = []
        events.reserveCapacity(frames.count)
        for bytes in frames {
            do throws(StreamFrameRefusal) {
                events.append(.frame(try StreamFrame(encoded: bytes)))
            } catch {
                merger.tell(.refused(error.rawValue, gateway: gateway))
            }
        }
        return handle(events)
    }

    func replies(_ replies: [[UInt8]]) -> FanOutWishes {
        handle(
            replies.compactMap { bytes in
                guard let reply = StreamReply(encoded: bytes) else {
                    merger.tell(.refused("malformedReply", gateway: gateway))
                    return nil
                }
                return .reply(reply)
            })
    }

    private func handle(_ events: [SubscriptionTracker.Event]) -> FanOutWishes {
        var wishes = FanOutWishes()
        let now = GatewayNode.now()
        for event in events {
            for action in tracker.handle(event, at: now) {
                switch action {
                case .deliver(let frame): merger.take(frame, from: gateway, at: now)
                case .ask(let request): wishes.requests.append(request.encoded)
                case .gap(let gap): merger.tell(.gap(gap, gateway: gateway))
                case .lost(let gap): merger.tell(.lost(gap, gateway: gateway))
                case .restarted: merger.tell(.restarted(gateway: gateway))
                case .stalled: merger.tell(.stalled(gateway: gateway))
                case .resumed: merger.tell(.resumed(gateway: gateway))
                case .reconnect:
                    wishes.reconnects = true
                    merger.tell(.tooSlow(gateway: gateway))
                case .refused(let reason): merger.tell(.refused(reason, gateway: gateway))
                case .withheld(let feed): merger.tell(.withheld(feed, gateway: gateway))
                case .released(let feed): merger.tell(.released(feed, gateway: gateway))
                }
            }
        }
        return wishes
    }
}

/// The first arrival of each report over all gateways, checked and in order.
private final class StreamMerger: Sendable {
    private struct Feed {
        var observations: UInt64 = 0
        /// Delivered behind newer ones, as backfill.
        var late: Set<UInt64> = []
    }

    private struct Belief {
        var verifier: ReportVerifier?
        /// When a newer one was asked for.
        var renewedAt: UInt64 = 0
    }

    private let belief: Mutex<Belief>
    private let renewed: (@Sendable () -> ReportVerifier?)?
    private let mode: DeliveryMode
    private let onUpdate: @Sendable (StreamUpdate) -> Void
    private let feeds = Mutex<[FeedID: Feed]>([:])

    init(_ configuration: StreamClientConfiguration, onUpdate: @escaping @Sendable (StreamUpdate) -> Void) {
        belief = Mutex(Belief(verifier: configuration.verifier))
        renewed = configuration.renewedVerifier
        mode = configuration.mode
        self.onUpdate = onUpdate
    }

    func tell(_ update: StreamUpdate) { feeds.withLock { _ in onUpdate(update) } }

    func take(_ frame: StreamFrame, from gateway: String, at now: UInt64) {
        let isKnown = feeds.withLock { feeds in
            guard let feed = feeds[frame.feedID] else { return false }
            // Known by the time in the header, which the payload must bear out before anything is believed.
            return frame.observationsTimestampNanoseconds <= feed.observations && !frame.flags.contains(.backfill)
        }
        if isKnown { return }
        let verified: VerifiedReport?
        let report: PriceReport
        do {
            let full = try FullReport(encoded: frame.payload)
            if let checked = try verify(full, at: now) {
                (verified, report) = (checked, checked.report)
            } else {
                (verified, report) = (nil, try PriceReport(blob: full.blob))
            }
        } catch {
            let code = (error as? VerificationRefusal)?.code ?? (error as? PriceStreamsError)?.code.rawValue
            return tell(.refused(code ?? "malformed", gateway: gateway))
        }
        let unit = report.schema.headerUnit.nanoseconds
        guard report.feedID == frame.feedID else { return tell(.refused("feedMismatch", gateway: gateway)) }
        guard frame.observationsTimestampNanoseconds / unit == report.header.observations else {
            return tell(.refused("timeMismatch", gateway: gateway))
        }
        deliver(
            StreamDelivery(
                report: report, verified: verified, fullReport: frame.payload, gateway: gateway, flags: frame.flags,
                feedSequence: frame.feedSequence,
                observationsTimestampNanoseconds: frame.observationsTimestampNanoseconds,
                publishTimestampNanoseconds: frame.publishTimestampNanoseconds, receivedAt: now))
    }

    /// Nil where nobody's signatures are asked for.
    private func verify(_ full: FullReport, at now: UInt64) throws(VerificationRefusal) -> VerifiedReport? {
        guard let verifier = belief.withLock({ $0.verifier }) else { return nil }
        do {
            return try verifier.verify(full)
        } catch {
            guard case .unknownDigest = error, let newest = newest(at: now) else { throw error }
            return try newest.verify(full)
        }
    }

    /// Another connection may have found it just now.
    private func newest(at now: UInt64) -> ReportVerifier? {
        belief.withLock { belief in
            let isDue = now < belief.renewedAt || now - belief.renewedAt >= Limits.clientRenewalNanoseconds
            if let renewed, isDue {
                belief.renewedAt = now
                belief.verifier = renewed() ?? belief.verifier
            }
            return belief.verifier
        }
    }

    private func deliver(_ delivery: StreamDelivery) {
        feeds.withLock { feeds in
            let id = delivery.report.feedID
            // A gateway that is believed without signatures may invent feeds, and begin anew to invent others.
            guard feeds[id] != nil || feeds.count < Limits.clientFeedsMaximum else {
                return onUpdate(.refused("tooManyFeeds", gateway: delivery.gateway))
            }
            var feed = feeds[id] ?? Feed()
            let time = delivery.observationsTimestampNanoseconds
            if time <= feed.observations {
                // Late: once, and only what was missed.
                guard delivery.flags.contains(.backfill), feed.late.insert(time).inserted else { return }
                if feed.late.count > Limits.lateReportsRemembered { feed.late = [time] }
                feeds[id] = feed
                return onUpdate(.report(delivery))
            }
            let unit = delivery.report.schema.headerUnit.nanoseconds
            let (last, from) = (feed.observations / unit, delivery.report.header.validFrom)
            feed.observations = time
            feeds[id] = feed
            if last > 0, from > last + 1 { onUpdate(.uncovered(id, after: last, until: from)) }
            onUpdate(.report(delivery))
        }
    }
}
