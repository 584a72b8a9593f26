// What a gateway does with the reports that oracles send: once, in order, and no hole where a report is on its way.

import Ethereum
import PriceStreams
import TestSupport
import Testing

@Suite("Reports that come into a gateway")
struct IngressBookTests {
    private static let second: UInt64 = 1_000_000_000
    private static let patience: UInt64 = 100_000_000

    /// A gateway's book of one feed, and reports of rounds that follow each other: round n covers 10 n + 1 to 10 n + 10.
    private struct World {
        let don: TestDON
        let verifier: ReportVerifier
        var book: IngressBook
        var now: UInt64 = 1_000 * IngressBookTests.second
        var published: [UInt64] = []
        var holes = 0

        init() throws {
            don = try TestDON()
            verifier = ReportVerifier([don.set])
            book = IngressBook(
                [WatchedFeed(feedID: don.feed, staleAfter: 5 * IngressBookTests.second, hours: .always)],
                patience: IngressBookTests.patience, now: now)
        }

        func report(_ round: UInt64, price: Int192 = 100) throws -> VerifiedReport {
            let report = try don.report(
                validFrom: 10 * round + 1, observations: 10 * round + 10, expiresAt: 10 * round + 1_000, price: price)
            return try verifier.verify(don.full(report.blob, sequenceNumber: round).encoded)
        }

        @discardableResult
        mutating func take(_ round: UInt64, price: Int192 = 100) throws -> IngressBook.Verdict {
            let verified = try report(round, price: price)
            let admission = book.admit(
                verified, encoded: verified.fullReport.encoded, label: 0, receivedAt: now, now: now)
            note(admission.released, admission.notes)
            return admission.verdict
        }

        mutating func wait(_ nanoseconds: UInt64) {
            now += nanoseconds
            let due = book.releaseDue(now: now)
            note(due.released, due.notes)
        }

        private mutating func note(_ released: [IngressBook.Release], _ notes: [IngressBook.Note]) {
            published += released.map { $0.verified.fullReport.context.sequenceNumber }
            holes += notes.count { if case .hole = $0 { true } else { false } }
        }
    }

    @Test("a report is published once and at once, and an older one never after it")
    func order() throws {
        var world = try World()
        #expect(try world.take(3) == .taken)
        #expect(try world.take(3) == .duplicate)
        #expect(try world.take(2) == .late)
        #expect(try world.take(4) == .taken)
        #expect(world.published == [3, 4] && world.holes == 0 && !world.book.hasWaiting)
    }

    @Test("one that is early waits for the one before it, and both go out in order")
    func early() throws {
        var world = try World()
        try world.take(1)
        try world.take(4)
        try world.take(3)
        #expect(world.published == [1] && world.book.hasWaiting)
        world.wait(Self.patience - 1)
        #expect(world.published == [1])
        try world.take(2)
        #expect(world.published == [1, 2, 3, 4] && world.holes == 0 && !world.book.hasWaiting)
        #expect(try world.take(3) == .duplicate, "it was here before")
    }

    @Test("one that waits in vain goes out after its time, and the hole is told once")
    func inVain() throws {
        var world = try World()
        try world.take(1)
        try world.take(3)
        world.wait(Self.patience / 2)
        try world.take(4)
        world.wait(Self.patience / 2)
        #expect(world.published == [1, 3, 4] && world.holes == 1, "what follows on it waits no longer than it")
        #expect(try world.take(2) == .late)
    }

    @Test("so many may wait; one more and the oldest goes out")
    func bound() throws {
        var world = try World()
        try world.take(1)
        let many = UInt64(IngressBook.heldMaximum)
        for round in 0..<many { try world.take(3 + 2 * round) }
        #expect(world.published == [1])
        try world.take(3 + 2 * many)
        #expect(world.published == [1, 3] && world.holes == 1)
    }

    @Test("two blobs of one time are told, and the second goes to nobody")
    func equivocation() throws {
        var world = try World()
        try world.take(1)
        let first = try world.report(1).fullReport.blob
        let other = try world.don.report(validFrom: 11, observations: 20, expiresAt: 1_010, price: 101)
        let verified = try world.verifier.verify(world.don.full(other.blob, sequenceNumber: 2).encoded)
        let admission = world.book.admit(
            verified, encoded: verified.fullReport.encoded, label: 0, receivedAt: world.now, now: world.now)
        #expect(admission.verdict == .equivocation(first: first) && admission.released.isEmpty)
    }

    @Test("what waits of a feed that is withheld goes to nobody, and after the release the hole is told")
    func withheld() throws {
        var world = try World()
        try world.take(1)
        try world.take(3)
        world.book.withhold([world.don.feed], now: world.now)
        world.wait(2 * Self.patience)
        #expect(try world.take(4) == .withheld)
        #expect(world.published == [1] && !world.book.hasWaiting)
        world.book.withhold([], now: world.now)
        try world.take(6)
        world.wait(2 * Self.patience)
        #expect(world.published == [1, 6] && world.holes == 1)
    }

    @Test("a feed that fell silent recovers with its next report, and says both")
    func silence() throws {
        var world = try World()
        try world.take(1)
        #expect(world.book.tick(now: world.now + 5 * Self.second).isEmpty)
        guard case .stale? = world.book.tick(now: world.now + 5 * Self.second + 1).first else {
            Issue.record("silence was not told")
            return
        }
        #expect(world.book.staleFeeds == [world.don.feed])
        try world.take(2)
        #expect(world.book.staleFeeds.isEmpty && world.published == [1, 2])
    }

    @Test("in whatever order the reports of a few rounds come, they go out in theirs, each once, without a hole")
    func anyOrder() throws {
        var random = SplitMix64.forTest()
        for _ in 0..<60 {
            var world = try World()
            try world.take(0)
            var next: UInt64 = 1
            while next < 40 {
                let count = 1 + random.below(IngressBook.heldMaximum)
                var rounds = (next..<next + UInt64(count)).flatMap { [UInt64](repeating: $0, count: 1 + random.below(3)) }
                for index in rounds.indices.reversed() { rounds.swapAt(index, random.below(index + 1)) }
                for round in rounds {
                    try world.take(round)
                    world.wait(UInt64(random.below(Int(Self.patience) / rounds.count)))
                }
                next += UInt64(count)
            }
            #expect(world.published == Array(0..<next) && world.holes == 0)
        }
    }
}
