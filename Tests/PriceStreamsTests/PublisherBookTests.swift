// What a gateway remembers, and what it answers from it.

import Ethereum
@testable import PriceStreams
import TestSupport
import Testing

@Suite("A publisher's book")
struct PublisherBookTests {
    static func feed(_ index: Int) -> FeedID { FeedID(version: 3, symbol: "F\(index)", segment: "test") }

    static func report(_ index: Int, _ time: UInt64, bytes: Int = 10) -> PublishableReport {
        PublishableReport(
            feedID: feed(index), flags: [], observationsTimestampNanoseconds: time,
            payload: Bytes(repeating: UInt8(truncatingIfNeeded: time), count: bytes))
    }

    @Test("numbers rise by one for each feed and for all, and a heartbeat repeats the last")
    func numbers() throws {
        var book = PublisherBook(bootID: 5)
        for round in 1...3 {
            for index in 0..<4 {
                let frame = try StreamFrame(encoded: book.publish(Self.report(index, UInt64(round)), at: 9))
                #expect(frame.feedSequence == UInt64(round) && frame.bootID == 5)
                #expect(frame.globalSequence == UInt64((round - 1) * 4 + index + 1))
            }
        }
        #expect(try StreamFrame(encoded: book.heartbeat(at: 10)).globalSequence == 12)
    }

    @Test("each withheld feed is named in its turn by heartbeats, and left out of snapshots; its past can be asked for")
    func withheld() throws {
        var book = PublisherBook(bootID: 5)
        for round in 1...3 { for index in 0..<4 { _ = book.publish(Self.report(index, UInt64(round)), at: 9) } }
        let never = FeedID(version: 3, symbol: "never", segment: "test")
        let told = [Self.feed(2), Self.feed(1), never].map { book.withhold($0, true, at: 9) }
        #expect(told.allSatisfy { $0 != nil })
        let beats = try (0..<8).map { _ in try StreamFrame(encoded: book.heartbeat(at: 10)) }
        #expect(beats.allSatisfy { $0.kind == .heartbeat && $0.globalSequence == 12 && $0.payload.isEmpty })
        for turn in [beats.prefix(4), beats.suffix(4)] {
            #expect(turn.count { $0.feedID.hash == .zero && $0.flags.isEmpty } == 1)
            let named = turn.filter { $0.flags == .withheld }.map(\.feedID)
            #expect(Set(named).isSuperset(of: [Self.feed(1), Self.feed(2)]) && named.count == 3)
        }
        let newest = book.answer(.snapshot(prefixes: [StreamTopic.allReports]))
        #expect(newest.count == 3, "two feeds, and the end")
        #expect(book.answer(.gap(feedID: Self.feed(1), bootID: 5, from: 1, to: 3)).count == 4)
        let release = book.withhold(Self.feed(1), false, at: 11)
        let notice = try StreamFrame(encoded: try #require(release))
        #expect(notice.feedID == Self.feed(1) && notice.flags.isEmpty && notice.kind == .heartbeat)
        let again = book.withhold(Self.feed(1), false, at: 11)
        #expect(again == nil)
        #expect(book.answer(.snapshot(prefixes: [StreamTopic.feed(Self.feed(1))])).count == 2)
    }

    @Test("a snapshot holds the newest report of each feed that a prefix names, marked, then the end")
    func snapshot() throws {
        var book = PublisherBook(bootID: 5)
        for round in 1...3 { for index in 0..<4 { _ = book.publish(Self.report(index, UInt64(round)), at: 9) } }
        let all = book.answer(.snapshot(prefixes: [StreamTopic.allReports]))
        #expect(all.count == 5 && all.last == .done(bootID: 5, globalSequence: 12))
        for case .report(let bytes) in all {
            let frame = try StreamFrame(encoded: bytes)
            #expect(frame.flags == .snapshot && frame.feedSequence == 3)
        }
        #expect(book.answer(.snapshot(prefixes: [StreamTopic.feed(Self.feed(2))])).count == 2)
        #expect(book.answer(.snapshot(prefixes: [StreamTopic.version(8)])) == [.done(bootID: 5, globalSequence: 12)])
    }

    @Test("a frame that is still held after it left the book keeps its bytes, though its memory is used again")
    func memory() throws {
        var bounds = PublisherBook.Bounds()
        bounds.reportsPerFeed = 2
        var book = PublisherBook(bootID: 5, bounds: bounds)
        var random = SplitMix64(seed: 29)
        var held: [(time: UInt64, size: Int, frame: Bytes)] = []
        for time in UInt64(1)...500 {
            let size = Int.random(in: 0..<3, using: &random) == 0 ? 20 : 10
            let frame = book.publish(Self.report(0, time, bytes: size), at: time)
            // A subscriber that does not read leaves some of them in the queues.
            if Bool.random(using: &random) { held.append((time, size, frame)) }
            let decoded = try StreamFrame(encoded: frame)
            #expect(decoded.feedSequence == time && decoded.payload == Self.report(0, time, bytes: size).payload)
        }
        #expect(held.count > 100)
        for (time, size, frame) in held {
            let decoded = try StreamFrame(encoded: frame)
            #expect(decoded.feedSequence == time && decoded.observationsTimestampNanoseconds == time)
            #expect(decoded.payload == Self.report(0, time, bytes: size).payload)
        }
    }

    @Test("a gap is answered with just the reports asked for, or with the oldest that is held")
    func gap() throws {
        var bounds = PublisherBook.Bounds()
        bounds.reportsPerFeed = 5
        var book = PublisherBook(bootID: 5, bounds: bounds)
        for round in 1...9 { _ = book.publish(Self.report(0, UInt64(round)), at: 9) }
        func ask(_ from: UInt64, _ to: UInt64, boot: UInt64 = 5, _ index: Int = 0) -> [StreamReply] {
            book.answer(.gap(feedID: Self.feed(index), bootID: boot, from: from, to: to))
        }
        let answer = ask(6, 8)
        #expect(answer.count == 4)
        let numbers = try answer.dropLast().map { reply in
            guard case .report(let bytes) = reply else { return UInt64(0) }
            return try StreamFrame(encoded: bytes).feedSequence
        }
        #expect(numbers == [6, 7, 8])
        #expect(ask(4, 8) == [.gone(oldest: 5)])
        #expect(ask(6, 8, boot: 4) == [.gone(oldest: 0)])
        #expect(ask(6, 8, 3) == [.gone(oldest: 0)])
        #expect(ask(10, 12) == [.done(bootID: 5, globalSequence: 9)])
    }

    @Test("bytes held stay below their bound over any mix of feeds, and the newest of each feed is never given up")
    func bounded() {
        var random = SplitMix64(seed: 23)
        var bounds = PublisherBook.Bounds()
        bounds.bytes = 60_000
        bounds.reportsPerFeed = 40
        var book = PublisherBook(bootID: 1, bounds: bounds)
        for step in 0..<20_000 {
            // Feed 0 is rare, the others are not.
            let index = step % 997 == 0 ? 0 : 1 + Int.random(in: 0..<20, using: &random)
            _ = book.publish(Self.report(index, UInt64(step), bytes: Int.random(in: 10...900, using: &random)), at: 1)
            #expect(book.heldBytes <= 60_000)
        }
        let newest = book.answer(.snapshot(prefixes: [StreamTopic.allReports]))
        #expect(newest.count == 22)
    }
}
