// The fan-out over real sockets on loopback, with the book and the tracker of price streams: numbers, heartbeats, snapshots,
// what was missed, who is let in, who asks too much, and what hostile subscribers send.

import CZeroMQ
import Ethereum
import PriceStreams
import Testing

@testable import MessageBus

@Suite("Fan-out", .serialized, .timeLimit(.minutes(2)))
struct FanOutTests {
    @Test("who joins late gets the newest report of each feed, then every report with the numbers that follow")
    func lateJoiner() async throws {
        let publisher = try bookPublisher()
        defer { #expect(publisher.stop()) }
        for number in UInt64(1)...30 { #expect(publisher.publish(report(Int(number % 3), number)) == .queued) }
        #expect(await eventually { publisher.statistics.published == 30 })
        let reader = try HandReader(publisher)
        #expect(await eventually { publisher.statistics.subscriptions == 2 })
        let early = try reader.reports()
        #expect(early.isEmpty, "what was published before the subscription does not come by itself")

        let answer = try await reader.ask(.snapshot(prefixes: [StreamTopic.allReports]))
        #expect(answer.last == .done(bootID: 1, globalSequence: 30))
        let newest = try frames(answer)
        #expect(newest.map(\.feedSequence) == [10, 10, 10] && newest.allSatisfy { $0.flags == .snapshot })
        #expect(Set(newest.map(\.payload)) == Set([28, 29, 30].map { Bytes(bigEndian: UInt64($0)) }))
        let one = try await reader.ask(.snapshot(prefixes: [StreamTopic.feed(feed(1))]))
        #expect(try frames(one).map(\.feedID) == [feed(1)])

        for number in UInt64(31)...60 { publisher.publish(report(Int(number % 3), number)) }
        var seen: [StreamFrame] = []
        #expect(try await eventually {
            seen += try reader.reports()
            return seen.count == 30
        })
        #expect(seen.map(\.globalSequence) == Array(31...60))
        for index in 0..<3 {
            let numbers = seen.filter { $0.feedID == feed(index) }.map(\.feedSequence)
            #expect(numbers == Array(11...20), "feed \(index) counts by itself")
        }
        #expect(seen.allSatisfy { $0.flags.isEmpty && $0.bootID == 1 })
        let counted = publisher.statistics
        #expect(counted.published == 60 && counted.requests == 2 && counted.repliesSent == 6)
    }

    @Test("a subscriber of one feed gets that feed alone, and a whole schema by its prefix")
    func topics() async throws {
        let publisher = try bookPublisher()
        defer { #expect(publisher.stop()) }
        let one = try HandReader(publisher, topics: [StreamTopic.feed(feed(2))])
        let schema = try HandReader(publisher, topics: [StreamTopic.version(3)])
        let other = try HandReader(publisher, topics: [StreamTopic.version(8), StreamTopic.heartbeats])
        #expect(await eventually { publisher.statistics.subscriptions == 4 })
        for number in UInt64(1)...9 { publisher.publish(report(Int(number % 3), number)) }
        var (atOne, atSchema, atOther): ([StreamFrame], [StreamFrame], [StreamFrame]) = ([], [], [])
        #expect(try await eventually {
            atOne += try one.frames()
            atSchema += try schema.frames()
            atOther += try other.frames()
            return atSchema.count == 9 && atOne.count == 3 && atOther.contains { $0.globalSequence == 9 }
        })
        #expect(atOne.allSatisfy { $0.feedID == feed(2) } && atOne.map(\.feedSequence) == [1, 2, 3])
        #expect(atOther.allSatisfy { $0.kind == .heartbeat })
        #expect(await eventually { publisher.statistics.subscriptions == 4 })
    }

    @Test("heartbeats come idle or not, and repeat the number of the last report")
    func heartbeats() async throws {
        let publisher = try bookPublisher()
        defer { #expect(publisher.stop()) }
        let reader = try HandReader(publisher, topics: [StreamTopic.heartbeats])
        var beats: [StreamFrame] = []
        #expect(try await eventually {
            beats += try reader.frames()
            return beats.count >= 3
        })
        #expect(beats.allSatisfy { $0.globalSequence == 0 && $0.feedID.hash == .zero && $0.payload.isEmpty })
        let before = beats.count
        // Traffic without a pause takes nothing from them.
        var number: UInt64 = 0
        #expect(try await eventually {
            for _ in 0..<10 {
                number += 1
                publisher.publish(report(0, number))
            }
            beats += try reader.frames()
            return beats.count >= before + 5
        })
        #expect(try await eventually {
            beats += try reader.frames()
            return beats.last?.globalSequence == number
        })
        let numbers = beats.map(\.globalSequence)
        #expect(numbers == numbers.sorted())
        #expect(publisher.statistics.heartbeats >= UInt64(beats.count))
    }

    @Test("what was missed is asked for by its numbers: inside, past both ends, another life, too much at once")
    func backfill() async throws {
        let publisher = try bookPublisher(boot: 7, keeping: 2_000)
        defer { #expect(publisher.stop()) }
        for number in UInt64(1)...2_500 { publisher.publish(report(0, number)) }
        #expect(await eventually { publisher.statistics.published == 2_500 })
        let reader = try HandReader(publisher)
        func gap(_ from: UInt64, _ to: UInt64, boot: UInt64 = 7, of index: Int = 0) async throws -> [StreamReply] {
            try await reader.ask(.gap(feedID: feed(index), bootID: boot, from: from, to: to))
        }
        func numbers(_ answer: [StreamReply]) throws -> [UInt64] {
            let frames = try frames(answer)
            #expect(frames.allSatisfy { $0.flags == .backfill && $0.payload == Bytes(bigEndian: $0.feedSequence) })
            return frames.map(\.feedSequence)
        }
        let done = StreamReply.done(bootID: 7, globalSequence: 2_500)
        let inside = try await gap(600, 605)
        #expect(try numbers(inside) == Array(600...605) && inside.last == done)
        let oldest = try await gap(501, 501)
        #expect(try numbers(oldest) == [501])
        let pastTheEnd = try await gap(2_499, 9_999)
        #expect(try numbers(pastTheEnd) == [2_499, 2_500] && pastTheEnd.last == done)
        let ahead = try await gap(2_501, UInt64.max)
        #expect(ahead == [done])
        let tooOld = try await gap(500, 600)
        #expect(tooOld == [.gone(oldest: 501)])
        let otherLife = try await gap(600, 605, boot: 6)
        #expect(otherLife == [.gone(oldest: 0)])
        let unknown = try await gap(1, 2, of: 5)
        #expect(unknown == [.gone(oldest: 0)])
        let tooLarge = try await gap(501, 2_500)
        #expect(try numbers(tooLarge) == Array(501...1_500) && tooLarge.last == done, "a thousand at once")
        let rest = try await gap(1_501, 2_500)
        #expect(try numbers(rest) == Array(1_501...2_500))
        #expect(publisher.statistics.repliesCut == 0)
    }

    @Test("an answer that a client does not read is cut, counted, and takes nobody else's")
    func unreadAnswers() async throws {
        let publisher = try bookPublisher { $0.sendHighWaterMark = 50 }
        defer { #expect(publisher.stop()) }
        for number in UInt64(1)...1_000 { publisher.publish(report(0, number, bytes: 32 << 10)) }
        #expect(await eventually { publisher.statistics.published == 1_000 })
        let (lazy, other) = (try HandReader(publisher, highWaterMark: 1), try HandReader(publisher))
        let question = StreamRequest.gap(feedID: feed(0), bootID: 1, from: 1, to: 1_000)
        #expect(try lazy.requests.send(question.encoded) == .sent)
        #expect(await eventually { publisher.statistics.repliesCut > 0 })
        let answer = try await other.ask(.snapshot(prefixes: [StreamTopic.allReports]))
        #expect(answer.count == 2)
    }

    @Test("a client that asks too often is refused and told so; others are not, and it may ask again later")
    func rate() async throws {
        let publisher = try bookPublisher { $0.requestsPerSecond = 5 }
        defer { #expect(publisher.stop()) }
        publisher.publish(report(0, 1))
        let (eager, other) = (try HandReader(publisher), try HandReader(publisher))
        let snapshot = StreamRequest.snapshot(prefixes: [StreamTopic.allReports]).encoded
        for _ in 0..<60 { #expect(try eager.requests.send(snapshot) == .sent) }
        var answers: [StreamReply] = []
        #expect(try await eventually {
            answers += try eager.replies()
            return publisher.statistics.requests == 60 && answers.count { if case .report = $0 { false } else { true } } == 60
        })
        let refused = answers.count { $0 == .error("slow down") }
        #expect(refused >= 30 && refused < 60)
        #expect(publisher.statistics.drops[.rateLimited] == UInt64(refused))
        let calm = try await other.ask(snapshot)
        #expect(calm.last == .done(bootID: 1, globalSequence: 1))
        var again: [StreamReply] = []
        for _ in 0..<40 where again.isEmpty || again == [.error("slow down")] {
            again = try await eager.ask(snapshot)
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(again.last == .done(bootID: 1, globalSequence: 1))
    }

    @Test("with CURVE only listed keys read and ask; a stranger is refused, counted and named, and so is plain text")
    func strangers() async throws {
        let (server, member, stranger) = (
            try CurveKeyPair.generate(), try CurveKeyPair.generate(), try CurveKeyPair.generate()
        )
        let publisher = try bookPublisher { $0.security = .curve(server, admitted: [member.publicKey: "desk"]) }
        defer { #expect(publisher.stop()) }
        let atMember = try HandReader(publisher, curve: (server.publicKey, member))
        let atStranger = try HandReader(publisher, curve: (server.publicKey, stranger))
        let atPlain = try HandReader(publisher)
        #expect(await eventually { publisher.statistics.subscriptions == 2 })
        publisher.publish(report(0, 1))
        var seen: [StreamFrame] = []
        #expect(try await eventually {
            seen += try atMember.reports()
            return seen.count == 1
        })
        let answer = try await atMember.ask(.snapshot(prefixes: [StreamTopic.allReports]))
        #expect(answer.count == 2)
        for reader in [atStranger, atPlain] {
            _ = try reader.requests.send(StreamRequest.snapshot(prefixes: [StreamTopic.allReports]).encoded)
        }
        // Both doors of both strangers.
        #expect(await eventually { publisher.statistics.handshakeFailures >= 4 })
        let admission = publisher.statistics.admission
        #expect(admission.deniedKeys.map(\.publicKey) == [stranger.publicKey])
        #expect(admission.denied >= 2 && admission.admitted >= 2)
        let stolen = try atStranger.frames().count + atPlain.frames().count + atStranger.replies().count + atPlain.replies().count
        #expect(stolen == 0)
        #expect(publisher.statistics.requests == 1, "no question of a stranger was looked at")
    }

    @Test("what hostile subscribers send is refused by name or cut off, and the others do not notice")
    func hostile() async throws {
        let publisher = try bookPublisher()
        defer { #expect(publisher.stop()) }
        let (good, bad) = (try HandReader(publisher), try HandReader(publisher, kind: ZMQ_XSUB))
        #expect(await eventually { publisher.statistics.subscriptions == 2 })

        // Subscriptions that are none: an XSUB may send anything.
        #expect(try bad.feed.send([9, 9, 9]) == .sent)
        #expect(await eventually { publisher.statistics.drops[.malformed] == 1 })
        #expect(try bad.feed.send([[1], [2]]) == .sent)
        // A subscription above every bound ends its connection.
        #expect(try bad.feed.send([1] + Bytes(repeating: 0x52, count: 100_000)) == .sent)

        // Questions that are none.
        let cases: [([UInt8], String)] = [
            ([], "unknown request"), (Bytes("HELP".utf8), "unknown request"), (Bytes("SNAP".utf8), "at least one prefix"),
            (Bytes("SNAP".utf8) + [0], "a prefix has 1 to 33 bytes"), (Bytes("SNAP".utf8) + [34] + Bytes(repeating: 1, count: 34), "a prefix has"),
            (Bytes("SNAP".utf8) + [5, 1], "inside the request"), (Bytes("GAP".utf8) + [1, 2], "56 bytes"),
            (StreamRequest.gap(feedID: feed(0), bootID: 1, from: 5, to: 4).encoded, "GAP from 5 to 4"),
            (StreamRequest.gap(feedID: feed(0), bootID: 1, from: 0, to: 4).encoded, "GAP from 0 to 4"),
            (Bytes("SNAP".utf8) + Bytes(repeating: 1, count: 60_000), "too large"),
        ]
        for (request, words) in cases {
            let answer = try await bad.ask(request)
            guard case .error(let text) = answer.first, answer.count == 1 else {
                Issue.record("\(request.prefix(8)) was answered with \(answer)")
                continue
            }
            #expect(text.contains(words), "\(text)")
        }
        let before = publisher.statistics.drops[.malformed]
        #expect(try bad.requests.send([Bytes("SNAP".utf8), [1]]) == .sent)
        #expect(await eventually { publisher.statistics.drops[.malformed] > before })
        // A frame above the bound ends the connection before it takes memory.
        let asked = publisher.statistics.requests
        #expect(try bad.requests.send(Bytes(repeating: 0x53, count: 1 << 20)) == .sent)
        let snapshot = StreamRequest.snapshot(prefixes: [StreamTopic.allReports])

        for number in UInt64(1)...100 { publisher.publish(report(0, number)) }
        var seen: [StreamFrame] = []
        #expect(try await eventually {
            seen += try good.reports()
            return seen.count == 100
        })
        #expect(seen.map(\.feedSequence) == Array(1...100))
        let answer = try await good.ask(snapshot)
        #expect(answer.last == .done(bootID: 1, globalSequence: 100))
        #expect(publisher.statistics.requests == asked + 1 && publisher.statistics.isRunning)
    }

    @Test("an item for which there is no room is dropped and counted, and nothing after a stop is taken")
    func fullQueue() async throws {
        let publisher = try bookPublisher { $0.queuedItemsMaximum = 2 }
        var dropped: UInt64 = 0
        for number in UInt64(1)...200_000 where dropped < 50 {
            if publisher.publish(report(0, number)) == .dropped(.queueFull) { dropped += 1 }
        }
        #expect(dropped == 50 && publisher.statistics.drops[.queueFull] == 50)
        #expect(publisher.stop())
        #expect(publisher.publish(report(0, 1)) == .dropped(.notRunning))
        #expect(!publisher.statistics.isRunning)
    }

    @Test("several items go out in their order, and of too many the last ones are dropped and counted")
    func several() async throws {
        let publisher = try bookPublisher { $0.queuedItemsMaximum = 1_000 }
        defer { #expect(publisher.stop()) }
        let reader = try HandReader(publisher)
        #expect(await eventually { publisher.statistics.subscriptions == 2 })
        #expect(publisher.publish(contentsOf: []) == .queued)
        #expect(publisher.publish(contentsOf: (1...1_000).map { report(0, $0) }) == .queued)
        #expect(await eventually { publisher.statistics.published == 1_000 })
        #expect(publisher.publish(contentsOf: (1_001...2_100).map { report(0, $0) }) == .dropped(.queueFull))
        #expect(publisher.statistics.drops[.queueFull] == 100)
        var seen: [StreamFrame] = []
        #expect(try await eventually {
            seen += try reader.reports()
            return seen.count == 2_000
        })
        #expect(seen.map(\.feedSequence) == Array(1...2_000))
        #expect(seen.map(\.observationsTimestampNanoseconds) == Array(1...2_000), "of too many, the first ones")
    }

    @Test("frames that wait for a subscriber keep their bytes, though the book uses the memory of those that left it again")
    func waitingFrames() async throws {
        let publisher = try bookPublisher(keeping: 1)
        defer { #expect(publisher.stop()) }
        let reader = try HandReader(publisher, highWaterMark: 1)
        #expect(await eventually { publisher.statistics.subscriptions == 2 })
        // More than kernels hold for a reader: most of them wait inside libzmq while the next ones are written.
        let total: UInt64 = 400
        publisher.publish(contentsOf: (1...total).map { report(0, $0, bytes: 50_000) })
        #expect(await eventually { publisher.statistics.published == total })
        var seen: [StreamFrame] = []
        #expect(try await eventually {
            seen += try reader.reports()
            return seen.count == Int(total)
        })
        #expect(seen.map(\.feedSequence) == Array(1...total))
        #expect(seen.map(\.payload) == (1...total).map { report(0, $0, bytes: 50_000).payload })
    }

    @Test("a port without keys that others can reach is refused, and so are limits that are none")
    func refusals() throws {
        let open = try Endpoint("tcp://0.0.0.0:0")
        #expect(throws: MessageBusError.self) { try bookPublisher(feed: open) }
        #expect(throws: MessageBusError.self) { try bookPublisher { $0.heartbeatMilliseconds = 0 } }
        #expect(throws: MessageBusError.self) { try bookPublisher { $0.requestsPerSecond = 0 } }
        #expect(throws: MessageBusError.self) { try bookPublisher { $0.queuedItemsMaximum = 0 } }
        var link = FanOutSubscriberConfiguration(feed: try Endpoint("tcp://127.0.0.1:1"), requests: open, topics: [])
        #expect(throws: MessageBusError.self) { try link.validate() }
        link.topics = Array(repeating: [1], count: Limits.fanOutTopicsMaximum + 1)
        #expect(throws: MessageBusError.self) { try link.validate() }
    }
}
