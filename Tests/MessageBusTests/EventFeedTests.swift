// The event feed: wire form and gap finding as values, then over real sockets on loopback.

import CZeroMQ
import Testing

@testable import MessageBus

@Suite struct FeedTrackerTests {
    private func event(_ sequence: UInt64, _ topic: String = "t") -> FeedEvent {
        FeedEvent(topic: topic, sequence: sequence, payload: [])
    }
    private func beat(_ sequence: UInt64, life: UInt8 = 1) -> FeedEvent {
        FeedEvent(topic: FeedTopic.heartbeat, sequence: sequence, payload: [UInt8](repeating: life, count: 8))
    }
    private func items(_ events: [FeedEvent], seesEverything: Bool = true) -> [FeedItem] {
        var tracker = FeedTracker(seesEverything: seesEverything)
        return events.flatMap { tracker.observe($0) }
    }

    @Test("the wire form is topic, eight bytes big-endian, payload")
    func wireForm() {
        let frames = FeedFrames.frames(topic: "sent", sequence: 0x0102_0304_0506_0708, payload: [9])
        #expect(frames == [text("sent"), [1, 2, 3, 4, 5, 6, 7, 8], [9]])
        #expect(FeedFrames.decode(frames) == FeedEvent(topic: "sent", sequence: 0x0102_0304_0506_0708, payload: [9]))
        #expect(FeedFrames.number(FeedFrames.bigEndian(.max)) == .max)
    }

    @Test("what is no event is refused", arguments: [
        [], [[1]], [[1], [0, 0, 0, 0, 0, 0, 0, 1]], [[], [0, 0, 0, 0, 0, 0, 0, 1], []], [[0xff], [0, 0, 0, 0, 0, 0, 0, 1], []],
        [[65], [0, 0, 0, 0, 0, 0, 1], []], [[65], [0, 0, 0, 0, 0, 0, 0, 0, 1], []],
        [[UInt8](repeating: 65, count: 129), [0, 0, 0, 0, 0, 0, 0, 1], []],
    ] as [[[UInt8]]])
    func malformed(frames: [[UInt8]]) { #expect(FeedFrames.decode(frames) == nil) }

    @Test("missing numbers are one gap, before the event that shows it")
    func gaps() {
        #expect(items([event(5), event(6), event(9)]) == [.event(event(5)), .event(event(6)), .gap(7...8), .event(event(9))])
        #expect(items([event(1), event(3)], seesEverything: false) == [.event(event(1)), .event(event(3))])
    }

    @Test("a heartbeat shows events lost at the end, once")
    func tail() {
        #expect(items([event(1), beat(1), beat(4), beat(4), event(5)]) == [
            .event(event(1)), .heartbeat(sequence: 1), .gap(2...4), .heartbeat(sequence: 4), .heartbeat(sequence: 4),
            .event(event(5)),
        ])
        #expect(items([beat(0), event(1)]) == [.heartbeat(sequence: 0), .event(event(1))])
        #expect(items([beat(0), event(2)]) == [.heartbeat(sequence: 0), .gap(1...1), .event(event(2))])
    }

    @Test("a publisher that began anew is seen by its numbers or by its heartbeat")
    func restarts() {
        #expect(items([event(5), event(1)]) == [.event(event(5)), .restarted, .event(event(1))])
        #expect(items([beat(3), beat(8, life: 2)]) == [.heartbeat(sequence: 3), .restarted, .heartbeat(sequence: 8)])
        #expect(items([event(5), beat(2)]) == [.event(event(5)), .restarted, .heartbeat(sequence: 2)])
        // Seen by the numbers first, the new life's heartbeat is no second restart.
        #expect(items([beat(5), event(1), beat(1, life: 2)]) == [
            .heartbeat(sequence: 5), .restarted, .event(event(1)), .heartbeat(sequence: 1),
        ])
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct EventFeedTests {
    private func publisher(_ adjust: (inout EventPublisherConfiguration) -> Void = { _ in }) throws -> EventPublisher {
        var configuration = EventPublisherConfiguration(endpoint: try anyPort())
        configuration.heartbeatMilliseconds = 50
        configuration.timings = .fast
        adjust(&configuration)
        return try EventPublisher(configuration: configuration, logger: quiet)
    }

    private func subscriber(
        _ endpoint: Endpoint, _ collector: Collector<FeedItem>,
        _ adjust: (inout EventSubscriberConfiguration) -> Void = { _ in }
    ) throws -> EventSubscriber {
        var configuration = EventSubscriberConfiguration(endpoint: endpoint)
        configuration.timings = .fast
        adjust(&configuration)
        return try EventSubscriber(configuration: configuration, logger: quiet, onItems: collector.handler)
    }

    private func events(_ collector: Collector<FeedItem>) -> [FeedEvent] {
        collector.all.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    @Test("events arrive in order with their numbers; heartbeats carry the last number")
    func flow() async throws {
        let feed = try publisher()
        let seen = Collector<FeedItem>()
        let reader = try subscriber(feed.boundEndpoint, seen)
        defer { #expect(feed.stop() && reader.stop()) }
        #expect(await eventually { seen.all.contains(.heartbeat(sequence: 0)) })
        for number in UInt8(1)...100 { #expect(feed.publish(topic: "t.\(number % 3)", payload: [number]) == .queued) }
        #expect(await eventually { seen.all.contains(.heartbeat(sequence: 100)) })
        #expect(events(seen).map(\.payload) == (UInt8(1)...100).map { [$0] })
        #expect(events(seen).map(\.sequence) == Array(1...100))
        #expect(reader.statistics.gaps == 0)
        #expect(reader.statistics.receivedEvents == 100)
        #expect(reader.statistics.lastSequence == 100)
        #expect(feed.statistics.publishedEvents == 100)
        #expect(feed.statistics.subscribedTopics == 1)
    }

    @Test("a subscriber to some topics gets those and the heartbeats")
    func topics() async throws {
        let feed = try publisher()
        let seen = Collector<FeedItem>()
        let reader = try subscriber(feed.boundEndpoint, seen) { $0.topics = ["a"] }
        defer { #expect(feed.stop() && reader.stop()) }
        #expect(await eventually { feed.statistics.subscribedTopics == 2 && reader.statistics.heartbeats > 0 })
        for topic in ["a.1", "b", "a.2", "b"] { feed.publish(topic: topic, payload: []) }
        #expect(await eventually { seen.all.contains(.heartbeat(sequence: 4)) })
        #expect(events(seen).map(\.topic) == ["a.1", "a.2"])
        #expect(reader.statistics.gaps == 0)
    }

    @Test("numbers that a publisher skips are reported as gaps, and bad frames are counted")
    func gapsOverSockets() async throws {
        let context = try ZeroMQContext()
        let listener = try Listener(context: context, kind: ZMQ_XPUB, endpoint: anyPort()) { _ in }
        defer {
            listener.close()
            context.terminate()
        }
        let seen = Collector<FeedItem>()
        let reader = try subscriber(listener.endpoint, seen)
        defer { #expect(reader.stop()) }
        #expect(try await eventually { try listener.socket.receive(framesMaximum: 1, frameBytesMaximum: 100) != nil })
        for sequence in [1, 2, 5, 6] as [UInt64] {
            _ = try listener.socket.send(FeedFrames.frames(topic: "t", sequence: sequence, payload: []))
        }
        _ = try listener.socket.send([text("t"), [1, 2, 3]])
        _ = try listener.socket.send(FeedFrames.frames(topic: FeedTopic.heartbeat, sequence: 8, payload: []))
        #expect(await eventually { seen.all.contains(.heartbeat(sequence: 8)) })
        #expect(events(seen).map(\.sequence) == [1, 2, 5, 6])
        #expect(seen.all.contains(.gap(3...4)) && seen.all.contains(.gap(7...8)))
        #expect(reader.statistics.gaps == 2)
        #expect(reader.statistics.missedEvents == 4)
        #expect(reader.statistics.drops[.malformed] == 1)
    }

    @Test("events dropped for a full queue are counted and show as gaps: received and missed are all")
    func fullQueue() async throws {
        let feed = try publisher { $0.queuedEventsMaximum = 2 }
        let seen = Collector<FeedItem>()
        let reader = try subscriber(feed.boundEndpoint, seen)
        defer { #expect(feed.stop() && reader.stop()) }
        #expect(await eventually { seen.all.contains(.heartbeat(sequence: 0)) })
        var dropped: UInt64 = 0
        for _ in 0..<200_000 where dropped < 100 {
            if feed.publish(topic: "t", payload: [1]) == .dropped(.queueFull) { dropped += 1 }
        }
        #expect(dropped == 100)
        let head = feed.statistics.sequence
        #expect(await eventually { reader.statistics.lastSequence == head })
        let counted = reader.statistics
        #expect(counted.receivedEvents + counted.missedEvents == head)
        #expect(counted.missedEvents >= 100)
        #expect(feed.statistics.drops[.queueFull] == 100)
    }

    @Test("a publisher that comes back on its port is found again and known to be a new one")
    func publisherRestarts() async throws {
        let first = try publisher()
        let place = first.boundEndpoint
        let seen = Collector<FeedItem>()
        let reader = try subscriber(place, seen)
        defer { #expect(reader.stop()) }
        #expect(await eventually { reader.statistics.heartbeats > 0 })
        for _ in 0..<3 { first.publish(topic: "t", payload: []) }
        #expect(await eventually { seen.all.contains(.heartbeat(sequence: 3)) })
        #expect(first.stop())
        let second = try publisher {
            $0.endpoint = place
            $0.firstSequence = 4
        }
        defer { #expect(second.stop()) }
        #expect(await eventually { reader.statistics.restarts == 1 })
        second.publish(topic: "t", payload: [2])
        #expect(await eventually { events(seen).contains(FeedEvent(topic: "t", sequence: 4, payload: [2])) })
        #expect(reader.statistics.connections == 2)
    }

    @Test("with CURVE only listed readers read, and with an open list any key does", arguments: [true, false])
    func curve(isListed: Bool) async throws {
        let (server, member, stranger) = (
            try CurveKeyPair.generate(), try CurveKeyPair.generate(), try CurveKeyPair.generate()
        )
        let feed = try publisher { $0.security = .curve(server, admitted: isListed ? [member.publicKey] : nil) }
        let (atMember, atStranger, atPlain) = (Collector<FeedItem>(), Collector<FeedItem>(), Collector<FeedItem>())
        let readers = try [
            subscriber(feed.boundEndpoint, atMember) { $0.curve = (server.publicKey, member) },
            subscriber(feed.boundEndpoint, atStranger) { $0.curve = (server.publicKey, stranger) },
            subscriber(feed.boundEndpoint, atPlain),
        ]
        defer {
            #expect(feed.stop())
            for reader in readers { #expect(reader.stop()) }
        }
        #expect(await eventually { !atMember.all.isEmpty })
        if isListed {
            #expect(await eventually { feed.statistics.admission.deniedKeys.map(\.publicKey) == [stranger.publicKey] })
        } else {
            #expect(await eventually { !atStranger.all.isEmpty })
        }
        #expect(await eventually { feed.statistics.handshakeFailures >= 1 })
        #expect(atStranger.all.isEmpty == isListed)
        #expect(atPlain.all.isEmpty)
    }

    @Test("what may not be published or read is refused by name")
    func refusals() throws {
        let feed = try publisher { $0.payloadBytesMaximum = 10 }
        #expect(feed.publish(topic: "", payload: []) == .dropped(.malformed))
        #expect(feed.publish(topic: "heartbeat.mine", payload: []) == .dropped(.malformed))
        #expect(feed.publish(topic: String(repeating: "t", count: 129), payload: []) == .dropped(.malformed))
        #expect(feed.publish(topic: "t", payload: [UInt8](repeating: 0, count: 11)) == .dropped(.tooLarge))
        #expect(feed.statistics.sequence == 0)
        let busy = #expect(throws: MessageBusError.self) { try publisher { $0.endpoint = feed.boundEndpoint } }
        #expect(busy?.code == .portInUse)
        let open = try Endpoint("tcp://*:0")
        let exposed = #expect(throws: MessageBusError.self) { try publisher { $0.endpoint = open } }
        #expect(exposed?.code == .invalidConfiguration)
        #expect(exposed?.hint?.contains("CURVE") == true)
        let nowhere = #expect(throws: MessageBusError.self) { try subscriber(anyPort(), Collector()) }
        #expect(nowhere?.code == .malformedEndpoint)
        #expect(throws: MessageBusError.self) { try subscriber(feed.boundEndpoint, Collector()) { $0.topics = [] } }
        #expect(feed.stop())
        #expect(feed.publish(topic: "t", payload: []) == .dropped(.notRunning))
    }

    @Test("what a subscriber sends besides subscriptions is counted and harms nobody")
    func noisySubscriber() async throws {
        let feed = try publisher()
        defer { #expect(feed.stop()) }
        let context = try ZeroMQContext()
        let noisy = try context.socket(ZMQ_XSUB)
        defer {
            noisy.close()
            context.terminate()
        }
        try noisy.connect(feed.boundEndpoint.description)
        let isCounted = try await eventually {
            _ = try noisy.send([[9, 9, 9]])
            return feed.statistics.drops[.malformed] > 0
        }
        #expect(isCounted)
        let seen = Collector<FeedItem>()
        let reader = try subscriber(feed.boundEndpoint, seen)
        defer { #expect(reader.stop()) }
        #expect(await eventually { !seen.all.isEmpty })
    }
}
