// What a gateway remembers of the reports that it published: numbers, the newest of each feed, and the last ones for
// whoever missed some. Bounded twice: reports of one feed, bytes of all.

import Ethereum

/// A report that is to be published: verified, and never seen before.
package struct PublishableReport: Equatable, Sendable {
    package let feedID: FeedID
    package let flags: StreamFlags
    package let observationsTimestampNanoseconds: UInt64
    /// The full report.
    package let payload: Bytes

    package init(feedID: FeedID, flags: StreamFlags, observationsTimestampNanoseconds: UInt64, payload: Bytes) {
        self.feedID = feedID
        self.flags = flags
        self.observationsTimestampNanoseconds = observationsTimestampNanoseconds
        self.payload = payload
    }
}

/// Numbers reports and answers requests. A value: the thread that owns the sockets owns it.
package struct PublisherBook: Sendable {
    package struct Bounds: Sendable {
        /// Reports kept of one feed: an hour at one a second.
        package var reportsPerFeed = 3_600
        /// Bytes kept of all feeds.
        package var bytes = 64 << 20

        package init() {}
    }

    private struct Ring: Sendable {
        var frames: [Bytes] = []
        /// Index of the oldest that is held; what lies before it is empty.
        var head = 0
        /// Sequence number of the newest.
        var last: UInt64 = 0
        /// Left out of snapshots: the operator does not stand by its newest report.
        var isWithheld = false

        var count: Int { frames.count - head }
        var oldest: UInt64 { last - UInt64(count) + 1 }

        mutating func append(_ frame: Bytes) {
            frames.append(frame)
            last += 1
        }

        /// - Returns: the frame that leaves.
        mutating func removeOldest() -> Bytes {
            var frame: Bytes = []
            swap(&frame, &frames[head])
            head += 1
            if head > 64, head * 2 > frames.count {
                frames.removeFirst(head)
                head = 0
            }
            return frame
        }
    }

    package let bootID: UInt64
    package private(set) var globalSequence: UInt64 = 0
    package private(set) var heldBytes = 0
    private let bounds: Bounds
    private var rings: [Ring] = []
    private var indices: [FeedID: Int] = [:]
    /// What is held, oldest first, from `orderHead`; entries of reports that have left by the other bound are stale.
    private var order: [(ring: Int32, sequence: UInt64)] = []
    private var orderHead = 0
    private var heldReports = 0
    /// The frame that left last: its memory is the next one's. Who still sends it has it as it was.
    private var spare: Bytes = []
    /// Feeds that are withheld, in the order in which they became so, and whose turn it is to be named.
    private var withheld: [FeedID] = []
    private var heartbeats = 0

    package init(bootID: UInt64, bounds: Bounds = Bounds()) {
        self.bootID = bootID
        self.bounds = bounds
    }

    package var feeds: Int { rings.count }

    /// The number of the newest report of a feed; 0 before the first.
    package func lastSequence(of feedID: FeedID) -> UInt64 { indices[feedID].map { rings[$0].last } ?? 0 }

    /// Numbers a report and remembers it.
    /// - Returns: the frame to send.
    package mutating func publish(_ report: PublishableReport, at nanoseconds: UInt64) -> Bytes {
        let index: Int
        if let known = indices[report.feedID] {
            index = known
        } else {
            index = rings.count
            indices[report.feedID] = index
            rings.append(Ring())
        }
        globalSequence += 1
        var frame: Bytes = []
        swap(&frame, &spare)
        StreamFrame(
            report: [], of: report.feedID, flags: report.flags, bootID: bootID,
            feedSequence: rings[index].last + 1, globalSequence: globalSequence,
            observationsTimestampNanoseconds: report.observationsTimestampNanoseconds,
            publishTimestampNanoseconds: nanoseconds
        ).encode(payload: report.payload, into: &frame)
        rings[index].append(frame)
        heldBytes += frame.count
        heldReports += 1
        order.append((Int32(index), rings[index].last))
        if rings[index].count > bounds.reportsPerFeed { removeOldest(of: index) }
        forget()
        return frame
    }

    private mutating func removeOldest(of index: Int) {
        spare = rings[index].removeOldest()
        heldBytes -= spare.count
        heldReports -= 1
    }

    /// Gives up the oldest reports until the bytes fit; the newest of each feed always stays.
    private mutating func forget() {
        var looks = order.count - orderHead
        while heldBytes > bounds.bytes, looks > 0 {
            looks -= 1
            let entry = order[orderHead]
            orderHead += 1
            // No copy of the ring: a second owner would make every removal copy all of it.
            guard entry.sequence >= rings[Int(entry.ring)].oldest else { continue }
            if rings[Int(entry.ring)].count > 1 { removeOldest(of: Int(entry.ring)) } else { order.append(entry) }
        }
        guard order.count > 2 * heldReports + 1_024 else { return }
        order = order[orderHead...].filter { $0.sequence >= rings[Int($0.ring)].oldest }
        orderHead = 0
    }

    /// Where feeds are withheld, each heartbeat names the next of them, and one in each turn none: a subscriber that
    /// comes late hears of all.
    package mutating func heartbeat(at nanoseconds: UInt64) -> Bytes {
        heartbeats = (heartbeats + 1) % (withheld.count + 1)
        guard heartbeats < withheld.count else {
            return StreamFrame(
                heartbeatOf: bootID, globalSequence: globalSequence, publishTimestampNanoseconds: nanoseconds
            ).encoded
        }
        return notice(withheld[heartbeats], [.withheld], at: nanoseconds)
    }

    /// Withholds a feed, or releases it. What was published stays to be asked for by its numbers; snapshots leave it out.
    /// - Returns: the frame that tells subscribers; nil when it was so before.
    package mutating func withhold(_ feedID: FeedID, _ isWithheld: Bool, at nanoseconds: UInt64) -> Bytes? {
        guard withheld.contains(feedID) != isWithheld else { return nil }
        if isWithheld { withheld.append(feedID) } else { withheld.removeAll { $0 == feedID } }
        if let index = indices[feedID] { rings[index].isWithheld = isWithheld }
        return notice(feedID, isWithheld ? [.withheld] : [], at: nanoseconds)
    }

    private func notice(_ feedID: FeedID, _ flags: StreamFlags, at nanoseconds: UInt64) -> Bytes {
        StreamFrame(
            heartbeatOf: bootID, globalSequence: globalSequence, publishTimestampNanoseconds: nanoseconds, about: feedID,
            flags: flags
        ).encoded
    }

    /// The whole answer to a request, in order.
    package func answer(_ request: StreamRequest) -> [StreamReply] {
        let done = StreamReply.done(bootID: bootID, globalSequence: globalSequence)
        switch request {
        case .snapshot(let prefixes):
            let newest = rings.filter { !$0.isWithheld }.compactMap(\.frames.last).filter { frame in
                prefixes.contains { frame.starts(with: $0) }
            }
            return newest.map { .report(StreamFrame.marked($0, adding: .snapshot)) } + [done]
        case .gap(let feedID, let bootID, let from, let to):
            guard bootID == self.bootID, let index = indices[feedID] else { return [.gone(oldest: 0)] }
            let ring = rings[index]
            guard from >= ring.oldest else { return [.gone(oldest: ring.oldest)] }
            let end = min(to, ring.last, from + StreamRequest.gapReportsMaximum - 1)
            guard from <= end else { return [done] }
            return (from...end).map { number in
                let frame = ring.frames[ring.head + Int(number - ring.oldest)]
                return .report(StreamFrame.marked(frame, adding: .backfill))
            } + [done]
        }
    }

    /// The whole answer to what a subscriber sent, whatever it is.
    package func answer(encoded request: Bytes) -> [StreamReply] {
        do throws(StreamRequest.Refusal) {
            return answer(try StreamRequest(encoded: request))
        } catch {
            return [.error(error.text)]
        }
    }
}
