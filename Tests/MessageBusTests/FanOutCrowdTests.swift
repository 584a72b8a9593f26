// A thousand subscribers of which ten never read: the others do not notice, and what is held for the ten is bounded.

import CZeroMQ
import Ethereum
import PriceStreams
import Testing

@testable import MessageBus

/// Many bare SUB sockets. A context takes 1,023 sockets unless told otherwise: they are spread over a few.
private final class Crowd {
    private let contexts: [ZeroMQContext]
    let sockets: [ZeroMQSocket]
    /// Numbers of the feed, as they came.
    private(set) var numbers: [[UInt64]]

    init(_ count: Int, _ publisher: BookPublisher, _ topic: [UInt8], highWaterMark: Int32) throws {
        contexts = try (0..<(count + 499) / 500).map { _ in try ZeroMQContext() }
        var sockets: [ZeroMQSocket] = []
        for index in 0..<count {
            let socket = try contexts[index / 500].socket(ZMQ_SUB)
            try socket.applyLink(
                timings: .patient, frameBytesMaximum: 1 << 20, sendHighWaterMark: 10, receiveHighWaterMark: highWaterMark,
                lingerMilliseconds: 0, isIPv6: false)
            try socket.set(ZMQ_SUBSCRIBE, bytes: topic)
            try socket.connect(publisher.feedEndpoint.description)
            sockets.append(socket)
        }
        self.sockets = sockets
        numbers = Array(repeating: [], count: count)
    }

    deinit { for socket in sockets { socket.close() } }

    /// Reads what has come for everybody.
    func read(_ wanted: FeedID) throws {
        for (index, socket) in sockets.enumerated() {
            while let parts = try socket.receive(framesMaximum: 1, frameBytesMaximum: 1 << 20) {
                let frame = try StreamFrame(encoded: parts.frames[0])
                if frame.feedID == wanted { numbers[index].append(frame.feedSequence) }
            }
        }
    }
}

extension LinkTimings {
    /// Of a test that reads a thousand sockets from one thread: nobody is given up because that takes a while.
    fileprivate static var patient: LinkTimings {
        var timings = LinkTimings()
        timings.heartbeatIntervalMilliseconds = 20_000
        timings.heartbeatTimeoutMilliseconds = 60_000
        timings.handshakeTimeoutMilliseconds = 60_000
        return timings
    }
}

@Suite("Fan-out: a crowd", .serialized, .timeLimit(.minutes(3)))
struct FanOutCrowdTests {
    /// Reads small reports of feed 0; ten read all, and ten take all and read nothing.
    private func run(
        readers: Int, rounds: UInt64, highWaterMark: Int32
    ) async throws -> (readers: [[UInt64]], all: [[UInt64]], held: [Int], isRunning: Bool) {
        let publisher = try bookPublisher {
            $0.sendHighWaterMark = highWaterMark
            $0.timings = .patient
        }
        defer { #expect(publisher.stop(deadlineMilliseconds: 30_000)) }
        let many = try Crowd(readers, publisher, StreamTopic.feed(feed(0)), highWaterMark: 1_000)
        let whole = try Crowd(10, publisher, StreamTopic.allReports, highWaterMark: 1_000)
        let lazy = try Crowd(10, publisher, StreamTopic.allReports, highWaterMark: 1)
        #expect(await eventually(seconds: 60) { publisher.statistics.subscriptions == readers + 20 })
        for round in 1...rounds {
            // A large report beside each small one: what is not read fills every buffer on its way.
            publisher.publish(report(0, round))
            publisher.publish(report(1, round, bytes: 60_000))
            // The readers keep up with twenty rounds at a time.
            guard round % 20 == 0 else { continue }
            let isThere = try await eventually(seconds: 60) {
                try many.read(feed(0))
                try whole.read(feed(1))
                return many.numbers.allSatisfy { $0.last == round } && whole.numbers.allSatisfy { $0.last == round }
            }
            #expect(isThere, "round \(round): every reader has every report")
            guard isThere else { break }
        }
        // What was held for those who never read, when they read at last.
        var (held, unchanged) = (-1, 0)
        #expect(try await eventually {
            try lazy.read(feed(1))
            let now = lazy.numbers.map(\.count).reduce(0, +)
            unchanged = now == held ? unchanged + 1 : 0
            held = now
            return now > 0 && unchanged == 60
        })
        return (many.numbers, whole.numbers, lazy.numbers.map(\.count), publisher.statistics.isRunning)
    }

    @Test("of a thousand subscribers ten never read: all others get every report in order, and the ten hold up nobody")
    func crowd() async throws {
        let rounds: UInt64 = 600
        let seen = try await run(readers: 980, rounds: rounds, highWaterMark: 100)
        let everything = Array(1...rounds)
        #expect(seen.readers.count == 980 && seen.all.count == 10)
        let complete = seen.readers.count { $0 == everything }
        #expect(complete == 980, "readers of one feed")
        #expect(seen.all.allSatisfy { $0 == everything }, "readers of all feeds")
        // A hundred frames in the publisher, and what the kernel takes on both sides: never all of it.
        #expect(seen.held.allSatisfy { $0 < 500 }, "held for those who do not read: \(seen.held)")
        #expect(seen.isRunning)
    }

    @Test("planted fault: without the bound everything is held for those who never read")
    func planted() async throws {
        let seen = try await run(readers: 10, rounds: 600, highWaterMark: 10_000)
        #expect(seen.held.contains { $0 == 600 }, "\(seen.held)")
    }
}
