// No gap goes unseen, whatever is lost, repeated, reordered or restarted between a publisher and a subscriber.

import Ethereum
@testable import PriceStreams
import TestSupport
import Testing

@Suite("A subscriber's view")
struct SubscriptionTrackerTests {
    static let second: UInt64 = 1_000_000_000

    /// A publisher and a subscriber with a lossy wire between them.
    struct Wire {
        var book: PublisherBook
        var tracker: SubscriptionTracker
        var now: UInt64 = 100 * SubscriptionTrackerTests.second
        var delivered: [FeedID: [UInt64]] = [:]
        var gaps: [StreamGap] = []
        var lost: [StreamGap] = []
        var other: [SubscriptionTracker.Action] = []
        var answers = true

        init(_ mode: DeliveryMode, keeping reports: Int = 100) {
            var bounds = PublisherBook.Bounds()
            bounds.reportsPerFeed = reports
            book = PublisherBook(bootID: 1, bounds: bounds)
            var configuration = TrackerConfiguration()
            configuration.mode = mode
            tracker = SubscriptionTracker(configuration: configuration)
            handle(.connected)
        }

        mutating func handle(_ event: SubscriptionTracker.Event) {
            var events = [event]
            while !events.isEmpty {
                for action in tracker.handle(events.removeFirst(), at: now) {
                    switch action {
                    case .deliver(let frame): delivered[frame.feedID, default: []].append(frame.feedSequence)
                    case .gap(let gap): gaps.append(gap)
                    case .lost(let gap): lost.append(gap)
                    case .ask(let request): if answers { events += book.answer(request).map { .reply($0) } }
                    default: other.append(action)
                    }
                }
            }
        }

        mutating func publish(_ index: Int, isLost: Bool = false) throws {
            now += 1_000_000
            let frame = book.publish(PublisherBookTests.report(index, now), at: now)
            if !isLost { handle(.frame(try StreamFrame(encoded: frame))) }
        }

        mutating func beat() throws {
            now += 250_000_000
            handle(.frame(try StreamFrame(encoded: book.heartbeat(at: now))))
        }
    }

    @Test("in complete mode every report arrives once and in order over thousands of lossy walks")
    func complete() throws {
        for seed in UInt64(0)..<300 {
            var random = SplitMix64(seed: seed)
            var wire = Wire(.complete)
            for _ in 0..<200 {
                try wire.publish(Int.random(in: 0..<3, using: &random), isLost: Int.random(in: 0..<4, using: &random) == 0)
                if Int.random(in: 0..<20, using: &random) == 0 { try wire.beat() }
            }
            try wire.beat()
            for index in 0..<3 {
                let feed = PublisherBookTests.feed(index)
                let numbers = wire.delivered[feed] ?? []
                let all = Array((numbers.first ?? 1)..<(wire.book.lastSequence(of: feed) + 1))
                #expect(numbers == all, "seed \(seed), feed \(index)")
            }
            #expect(wire.lost.isEmpty, "seed \(seed)")
        }
    }

    @Test("what is neither delivered nor told as lost does not exist, even when the publisher remembers little")
    func nothingUnseen() throws {
        for mode in [DeliveryMode.latest, .complete] {
            for seed in UInt64(0)..<200 {
                var random = SplitMix64(seed: seed)
                var wire = Wire(mode, keeping: 5)
                for _ in 0..<300 {
                    // Losses come in bursts that are longer than what is held.
                    let isBurst = Int.random(in: 0..<30, using: &random) == 0
                    for _ in 0..<(isBurst ? 12 : 1) { try wire.publish(0, isLost: isBurst) }
                }
                try wire.beat()
                let feed = PublisherBookTests.feed(0)
                let told = Set(wire.lost.flatMap { Array($0.from...$0.to) })
                let seen = Set(wire.delivered[feed] ?? [])
                let first = wire.delivered[feed]?.first ?? 1
                let missing = (first...wire.book.lastSequence(of: feed)).filter { !seen.contains($0) && !told.contains($0) }
                #expect(missing.isEmpty, "mode \(mode), seed \(seed): \(missing.prefix(5))")
            }
        }
    }

    @Test("a lost tail shows at the next heartbeat")
    func tail() throws {
        var wire = Wire(.complete)
        try wire.publish(0)
        for _ in 0..<5 { try wire.publish(0, isLost: true) }
        #expect(wire.delivered[PublisherBookTests.feed(0)] == [1])
        try wire.beat()
        #expect(wire.delivered[PublisherBookTests.feed(0)] == [1, 2, 3, 4, 5, 6])
    }

    @Test("another boot id is another stream: told, and begun from its snapshot")
    func restart() throws {
        var wire = Wire(.latest)
        for _ in 0..<3 { try wire.publish(0) }
        wire.book = PublisherBook(bootID: 2)
        try wire.publish(0)
        #expect(wire.other.contains(.restarted(bootID: 2)))
        try wire.publish(0)
        #expect(wire.delivered[PublisherBookTests.feed(0)]?.suffix(2) == [1, 2])
    }

    @Test("silence of a second is a stall and ends with the next frame; ten late frames ask for a new connection")
    func slowness() throws {
        var wire = Wire(.latest)
        try wire.publish(0)
        wire.now += 2 * Self.second
        wire.handle(.tick)
        wire.handle(.tick)
        #expect(wire.other == [.stalled])
        try wire.publish(0)
        #expect(wire.other == [.stalled, .resumed])
        for _ in 0..<10 {
            let frame = wire.book.publish(PublisherBookTests.report(0, wire.now), at: wire.now)
            wire.now += 2 * Self.second
            wire.handle(.frame(try StreamFrame(encoded: frame)))
        }
        #expect(wire.other.contains(.reconnect(late: 10)))
    }

    @Test("an answer that does not come is asked for again")
    func again() throws {
        var wire = Wire(.complete)
        try wire.publish(0)
        wire.answers = false
        try wire.publish(0, isLost: true)
        try wire.publish(0)
        #expect(wire.delivered[PublisherBookTests.feed(0)] == [1] && wire.gaps.count == 1)
        wire.answers = true
        wire.now += 3 * Self.second
        wire.handle(.tick)
        #expect(wire.delivered[PublisherBookTests.feed(0)] == [1, 2, 3])
    }

    @Test("a number far ahead is told as lost and asks for nothing", arguments: [DeliveryMode.latest, .complete])
    func farAhead(mode: DeliveryMode) throws {
        var wire = Wire(mode)
        try wire.publish(0)
        wire.answers = false
        let feed = PublisherBookTests.feed(0)
        wire.handle(
            .frame(
                StreamFrame(
                    report: [1], of: feed, flags: [], bootID: 1, feedSequence: UInt64.max - 1, globalSequence: 2,
                    observationsTimestampNanoseconds: wire.now, publishTimestampNanoseconds: wire.now)))
        #expect(wire.lost == [StreamGap(feedID: feed, bootID: 1, from: 2, to: UInt64.max - 2)])
        #expect(wire.gaps.isEmpty && wire.delivered[feed] == [1, UInt64.max - 1])
    }

    @Test("a tracker that hides a hole is caught: with its gaps taken away the walk misses reports")
    func planted() throws {
        var wire = Wire(.complete)
        try wire.publish(0)
        wire.answers = false
        try wire.publish(0, isLost: true)
        for _ in 0..<1_100 { try wire.publish(0) }
        // Nobody answers: the wait is bounded, and what is missing is told.
        #expect(wire.lost.contains { $0.from == 2 && $0.to == 2 })
        #expect(wire.delivered[PublisherBookTests.feed(0)]?.contains(2) == false)
    }

    @Test("feeds that were not asked for, and more than a publisher may have, are refused by name and not remembered")
    func inventedFeeds() throws {
        func frame(_ feed: FeedID, _ sequence: UInt64 = 1) -> StreamFrame {
            StreamFrame(
                report: [1], of: feed, flags: [], bootID: 1, feedSequence: sequence, globalSequence: 1,
                observationsTimestampNanoseconds: Self.second, publishTimestampNanoseconds: Self.second)
        }
        var configuration = TrackerConfiguration()
        configuration.topics = [StreamTopic.feed(PublisherBookTests.feed(0)), StreamTopic.version(8)]
        var narrow = SubscriptionTracker(configuration: configuration)
        let other = FeedID(version: 8, symbol: "A", segment: "test")
        for feed in [PublisherBookTests.feed(0), other] {
            let actions = narrow.handle(.frame(frame(feed)), at: Self.second)
            #expect(actions.contains(.deliver(frame(feed))))
        }
        let foreign = narrow.handle(.frame(frame(PublisherBookTests.feed(1))), at: Self.second)
        #expect(foreign == [.refused("notSubscribed")])
        #expect(narrow.last(of: PublisherBookTests.feed(1)) == nil)

        configuration.topics = [StreamTopic.allReports]
        configuration.feedsMaximum = 10
        var wide = SubscriptionTracker(configuration: configuration)
        var refused = 0
        for index in 0..<1_000 {
            let actions = wide.handle(.frame(frame(PublisherBookTests.feed(index))), at: Self.second)
            refused += actions.count { $0 == .refused("tooManyFeeds") }
        }
        #expect(refused == 990)
        #expect((0..<1_000).count { wide.last(of: PublisherBookTests.feed($0)) != nil } == 10)
        // Those that are known go on.
        let next = wide.handle(.frame(frame(PublisherBookTests.feed(3), 2)), at: Self.second)
        #expect(next.contains(.deliver(frame(PublisherBookTests.feed(3), 2))))
    }

    @Test("a withheld feed is told once, by name, and so is its release; feeds that were not asked for are no news")
    func withheld() throws {
        var wire = Wire(.complete)
        func notices() -> [SubscriptionTracker.Action] {
            wire.other.filter { action in
                switch action {
                case .withheld, .released: true
                default: false
                }
            }
        }
        let (first, second) = (PublisherBookTests.feed(0), PublisherBookTests.feed(1))
        func tell(_ feed: FeedID, _ isWithheld: Bool) throws {
            let frame = wire.book.withhold(feed, isWithheld, at: wire.now)
            wire.handle(.frame(try StreamFrame(encoded: try #require(frame))))
        }
        try wire.publish(0)
        try wire.publish(1)
        try tell(first, true)
        let again = wire.book.withhold(first, true, at: wire.now)
        #expect(again == nil)
        for _ in 0..<10 { try wire.beat() }
        #expect(notices() == [.withheld(first)])
        try tell(first, false)
        #expect(notices() == [.withheld(first), .released(first)])
        // A notice that was lost: the next heartbeats tell it, and a report tells a lost release.
        _ = wire.book.withhold(second, true, at: wire.now)
        for _ in 0..<2 { try wire.beat() }
        #expect(notices().last == .withheld(second))
        _ = wire.book.withhold(second, false, at: wire.now)
        try wire.publish(1)
        #expect(notices().last == .released(second) && notices().count == 4)
        #expect(wire.delivered[second] == [1, 2] && wire.lost.isEmpty && wire.gaps.isEmpty)

        var configuration = TrackerConfiguration()
        configuration.topics = [StreamTopic.feed(second)]
        var narrow = SubscriptionTracker(configuration: configuration)
        let notice = StreamFrame(
            heartbeatOf: 1, globalSequence: 0, publishTimestampNanoseconds: 1, about: first, flags: [.withheld])
        #expect(try StreamFrame(encoded: notice.encoded) == notice)
        let actions = narrow.handle(.frame(notice), at: 1)
        #expect(actions.isEmpty)
    }

    @Test("a conflating queue keeps the newest of each key and the order in which keys became ready")
    func conflation() {
        var queue = ConflatingQueue<Int, Int>()
        for value in 0..<1_000 { queue.put(value, for: value % 3) }
        #expect(queue.count == 3 && queue.conflated == 997)
        #expect((0..<3).compactMap { _ in queue.take()?.value } == [999, 997, 998])
        #expect(queue.take() == nil && queue.isEmpty)
    }
}
