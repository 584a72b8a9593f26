// Subscribers with a tracker over real sockets: publishers that start anew, and readers that are too slow.

import CZeroMQ
import Ethereum
import PriceStreams
import Synchronization
import Testing

@testable import MessageBus

@Suite("Fan-out: subscribers", .serialized, .timeLimit(.minutes(2)))
struct FanOutSubscriberTests {
    @Test("a publisher that starts anew is found, told as another life, and begun from its snapshot")
    func restart() async throws {
        let first = try bookPublisher(boot: 1)
        let told = Told()
        let reader = try tracking(first, told)
        defer { #expect(reader.stop()) }
        #expect(await eventually { reader.statistics.isConnected })
        for number in UInt64(1)...5 { first.publish(report(0, number)) }
        #expect(await eventually { told.delivered(0).count == 5 })
        #expect(first.stop())
        let second = try bookPublisher(boot: 2, feed: first.feedEndpoint, requests: first.requestEndpoint)
        defer { #expect(second.stop()) }
        // Published before anybody is there: the snapshot brings the newest of them.
        for number in UInt64(6)...8 { second.publish(report(0, number)) }
        #expect(await eventually { told.all.contains(.restarted(bootID: 2)) })
        #expect(await eventually { told.delivered(0).contains { $0.bootID == 2 && $0.feedSequence == 3 } })
        for number in UInt64(9)...11 { second.publish(report(0, number)) }
        #expect(await eventually { told.delivered(0).last?.feedSequence == 6 })
        let numbers = told.delivered(0).filter { $0.bootID == 2 }.map(\.feedSequence)
        #expect(numbers.suffix(4) == [3, 4, 5, 6], "each once, in order: \(numbers)")
        #expect(reader.statistics.connections >= 2)
    }

    @Test("a subscriber that is too slow connects anew and is told so, misses nothing, and another does not notice")
    func tooSlow() async throws {
        let publisher = try bookPublisher()
        defer { #expect(publisher.stop()) }
        let (slow, fast) = (Told(), Told())
        let readers = try [slow, fast].map { told in
            try tracking(publisher, told) {
                $0.lateNanoseconds = told === slow ? 300_000_000 : 60_000_000_000
                $0.silenceNanoseconds = 60_000_000_000
            }
        }
        defer { for reader in readers { #expect(reader.stop()) } }
        #expect(await eventually { publisher.statistics.subscriptions == 4 })
        publisher.publish(report(0, 1))
        #expect(await eventually { slow.delivered(0).count == 1 && fast.delivered(0).count == 1 })
        slow.stall.withLock { $0 = 700_000 }
        // Frames wait for a thread that does something else.
        for number in UInt64(2)...200 { publisher.publish(report(0, number)) }
        #expect(await eventually { slow.all.contains { if case .reconnect = $0 { true } else { false } } })
        #expect(await eventually { readers[0].statistics.reconnects >= 1 && readers[0].statistics.connections >= 2 })
        publisher.publish(report(0, 201))
        #expect(await eventually { slow.delivered(0).last?.feedSequence == 201 && fast.delivered(0).count == 201 })
        #expect(fast.delivered(0).map(\.feedSequence) == Array(1...201))
        #expect(slow.delivered(0).map(\.feedSequence) == Array(1...201), "what it passed over came again")
        #expect(readers[1].statistics.reconnects == 0 && fast.gaps.isEmpty)
        #expect(!fast.all.contains { if case .reconnect = $0 { true } else { false } })
    }

    @Test("frames that a subscriber had no room for show as a gap, which is asked for and filled; another misses nothing")
    func highWaterMark() async throws {
        // The kernel takes some megabytes for a reader: the rest is the publisher's to bound.
        let publisher = try bookPublisher { $0.sendHighWaterMark = 50 }
        defer { #expect(publisher.stop()) }
        let fast = Told()
        let reader = try tracking(publisher, fast)
        defer { #expect(reader.stop()) }
        let slow = try HandReader(publisher, highWaterMark: 1)
        #expect(await eventually { publisher.statistics.subscriptions == 4 && reader.statistics.isConnected })
        let total: UInt64 = 600
        for number in 1...total {
            publisher.publish(report(0, number, bytes: 60_000))
            // The reader keeps up; the slow one never reads.
            if number % 20 == 0 { #expect(await eventually { fast.delivered(0).count == Int(number) }) }
        }
        #expect(fast.delivered(0).map(\.feedSequence) == Array(1...total))
        #expect(fast.gaps.isEmpty)

        var tracker = SubscriptionTracker(configuration: TrackerConfiguration())
        var (seen, gaps, at): (Int, Int, UInt64) = (0, 0, 0)
        #expect(try await eventually {
            publisher.publish(report(1, at))
            at += 1
            for frame in try slow.frames() {
                for action in tracker.handle(.frame(frame), at: wallNanoseconds()) {
                    switch action {
                    case .deliver(let frame) where frame.feedID == feed(0): seen += 1
                    case .gap, .lost: gaps += 1
                    case .ask(.snapshot): gaps += 1
                    default: break
                    }
                }
            }
            return gaps > 0
        })
        #expect(seen < Int(total), "what was held for it is bounded: \(seen) of \(total)")
    }
}
