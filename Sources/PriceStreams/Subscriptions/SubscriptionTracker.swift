// The subscriber's side of a fan-out (data-streams.md 11.5 to 11.7): first the subscription, then the snapshot; numbers
// that are missing are asked for, told of, and never passed over in silence; a subscriber that cannot keep up says so.

import Ethereum

/// How a subscriber wants a hole in the numbers to be treated.
package enum DeliveryMode: Sendable, Equatable {
    /// The newest report at once; what is missing comes after it, marked as backfill.
    case latest
    /// Every report in order: newer ones wait until the missing ones are there, or are known to be gone.
    case complete
}

/// A span of reports that a subscriber did not get when they were sent.
package struct StreamGap: Equatable, Hashable, Sendable {
    package let feedID: FeedID
    package let bootID: UInt64
    package let from: UInt64
    package let to: UInt64
}

package struct TrackerConfiguration: Sendable {
    package var mode = DeliveryMode.latest
    /// Prefixes of what is subscribed to; the heartbeats come in any case.
    package var topics: [Bytes] = [StreamTopic.allReports]
    /// Silence after which a publisher counts as stalled: four heartbeats.
    package var silenceNanoseconds: UInt64 = 1_000_000_000
    /// A frame older than this when it arrives is late, by the clock of this machine.
    package var lateNanoseconds: UInt64 = 1_000_000_000
    /// Late frames in a row after which the connection is made anew.
    package var lateFramesMaximum = 10
    /// An answer that has not come after this is asked for again.
    package var answerNanoseconds: UInt64 = 2_000_000_000
    /// Reports that wait for missing ones of their feed, in complete mode; beyond it the gap is given up.
    package var waitingMaximum = 1_000
    /// Feeds that are remembered: twice what a round may report on. What a publisher invents beyond it is refused.
    package var feedsMaximum = 4_096

    package init() {}
}

/// One subscriber's view of one publisher. Times are nanoseconds of the wall clock.
package struct SubscriptionTracker: Sendable {
    package enum Event: Sendable {
        /// The connection is up: the subscriptions are on their way.
        case connected
        case frame(StreamFrame)
        case reply(StreamReply)
        /// At least four times a second.
        case tick
    }

    package enum Action: Equatable, Sendable {
        case deliver(StreamFrame)
        case ask(StreamRequest)
        /// Reports are missing; they have been asked for.
        case gap(StreamGap)
        /// They are not to be had from this publisher any more.
        case lost(StreamGap)
        /// The publisher started anew: its numbers begin at 1.
        case restarted(bootID: UInt64)
        case stalled
        case resumed
        /// This subscriber is too slow: close the connection, open it again.
        case reconnect(late: Int)
        case refused(String)
        /// The gateway's operator stopped this feed: nothing of it comes until it is released. Told once.
        case withheld(FeedID)
        case released(FeedID)
    }

    private struct Feed: Sendable {
        var last: UInt64 = 0
        /// Newer reports that wait for those before them, ascending.
        var waiting: [StreamFrame] = []
    }

    private struct Question: Sendable {
        let request: StreamRequest
        let gap: StreamGap?
        var askedAt: UInt64?
    }

    /// Reports of one feed that are asked for: a publisher holds no more.
    private static let gapMaximum: UInt64 = 3_600
    /// Questions that wait for their turn; beyond it gaps are told as lost.
    private static let questionsMaximum = 4_096

    private let configuration: TrackerConfiguration
    private var bootID: UInt64?
    private var feeds: [FeedID: Feed] = [:]
    private var withheld: Set<FeedID> = []
    private var globalSequence: UInt64 = 0
    /// A number of all feeds was passed over: some feed misses a report, perhaps its last.
    private var hasHole = false
    private var questions: [Question] = []
    private var heardAt: UInt64?
    private var isStalled = false
    private var lateInARow = 0
    /// Whether every report of the publisher is subscribed to, so that the heartbeat's number tells of a lost tail.
    private let seesAll: Bool

    package init(configuration: TrackerConfiguration) {
        self.configuration = configuration
        seesAll = configuration.topics.contains(StreamTopic.allReports)
    }

    /// The number of the last report of a feed that was delivered or given up; nil before the first.
    package func last(of feedID: FeedID) -> UInt64? { feeds[feedID]?.last }

    package mutating func handle(_ event: Event, at now: UInt64) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .connected:
            heardAt = now
            lateInARow = 0
            questions = []
            ask(.snapshot(prefixes: configuration.topics), about: nil)
        case .frame(let frame):
            heard(now, &actions)
            live(frame, now, &actions)
        case .reply(let reply):
            heard(now, &actions)
            answered(reply, &actions)
        case .tick:
            if let heardAt, !isStalled, now > heardAt + configuration.silenceNanoseconds {
                isStalled = true
                actions.append(.stalled)
            }
        }
        put(now, &actions)
        return actions
    }

    private mutating func heard(_ now: UInt64, _ actions: inout [Action]) {
        heardAt = now
        if isStalled {
            isStalled = false
            actions.append(.resumed)
        }
    }

    // MARK: Frames as they are published

    private mutating func live(_ frame: StreamFrame, _ now: UInt64, _ actions: inout [Action]) {
        if frame.bootID != bootID { restart(frame.bootID, &actions) }
        if frame.kind == .heartbeat {
            notice(frame, &actions)
            // A tail that was lost: nothing after it will show the hole.
            if seesAll, frame.globalSequence > globalSequence || hasHole, !isAskingForState {
                hasHole = false
                ask(.snapshot(prefixes: configuration.topics), about: nil)
            }
            return
        }
        if globalSequence > 0, frame.globalSequence > globalSequence + 1 { hasHole = true }
        globalSequence = max(globalSequence, frame.globalSequence)
        watchLateness(frame, now, &actions)
        if !withheld.isEmpty, withheld.remove(frame.feedID) != nil { actions.append(.released(frame.feedID)) }
        accept(frame, &actions)
    }

    /// A heartbeat that names a feed tells whether it is withheld.
    private mutating func notice(_ frame: StreamFrame, _ actions: inout [Action]) {
        guard frame.feedID.hash != .zero, isAskedFor(frame.feedID) else { return }
        if frame.flags.contains(.withheld) {
            guard withheld.count < configuration.feedsMaximum, withheld.insert(frame.feedID).inserted else { return }
            actions.append(.withheld(frame.feedID))
        } else if withheld.remove(frame.feedID) != nil {
            actions.append(.released(frame.feedID))
        }
    }

    private func isAskedFor(_ feedID: FeedID) -> Bool {
        let topic = StreamTopic.feed(feedID)
        return configuration.topics.contains { topic.starts(with: $0) }
    }

    /// Whether a feed may be followed that was not yet: nobody signs the ids in headers.
    private func admits(_ feedID: FeedID, _ actions: inout [Action]) -> Bool {
        guard isAskedFor(feedID) else {
            actions.append(.refused("notSubscribed"))
            return false
        }
        guard feeds.count < configuration.feedsMaximum else {
            actions.append(.refused("tooManyFeeds"))
            return false
        }
        return true
    }

    private mutating func restart(_ bootID: UInt64, _ actions: inout [Action]) {
        let isFirst = self.bootID == nil
        self.bootID = bootID
        globalSequence = 0
        hasHole = false
        if isFirst { return }
        for key in feeds.keys.sorted() where !(feeds[key]?.waiting.isEmpty ?? true) {
            for frame in feeds[key]?.waiting ?? [] { actions.append(.deliver(frame)) }
        }
        feeds = [:]
        withheld = []
        questions = []
        actions.append(.restarted(bootID: bootID))
        ask(.snapshot(prefixes: configuration.topics), about: nil)
    }

    private mutating func watchLateness(_ frame: StreamFrame, _ now: UInt64, _ actions: inout [Action]) {
        let isLate = now > frame.publishTimestampNanoseconds &+ configuration.lateNanoseconds
        lateInARow = isLate ? lateInARow + 1 : 0
        guard lateInARow >= configuration.lateFramesMaximum else { return }
        actions.append(.reconnect(late: lateInARow))
        lateInARow = 0
    }

    private mutating func accept(_ frame: StreamFrame, _ actions: inout [Action]) {
        guard feeds[frame.feedID] != nil || admits(frame.feedID, &actions) else { return }
        var feed = feeds[frame.feedID] ?? Feed()
        defer { feeds[frame.feedID] = feed }
        let known = feed.waiting.last?.feedSequence ?? feed.last
        guard frame.feedSequence > known else { return }
        // The first number of a feed that was never seen is a beginning, not a hole: the snapshot tells what was before.
        let isFirst = known == 0
        // The header is signed by nobody: a number far ahead must not make this subscriber ask for ever.
        if !isFirst, frame.feedSequence - known - 1 > Self.gapMaximum || questions.count >= Self.questionsMaximum {
            if frame.feedSequence > known + 1 {
                let lost = StreamGap(feedID: frame.feedID, bootID: frame.bootID, from: known + 1, to: frame.feedSequence - 1)
                actions.append(.lost(lost))
            }
            giveUp(frame.feedID, &feed, &actions)
            feed.last = frame.feedSequence
            actions.append(.deliver(frame))
            return
        }
        if !isFirst, frame.feedSequence > known + 1 {
            let gap = StreamGap(
                feedID: frame.feedID, bootID: frame.bootID, from: known + 1, to: frame.feedSequence - 1)
            actions.append(.gap(gap))
            askFor(gap)
        }
        if configuration.mode == .complete, !isFirst, !feed.waiting.isEmpty || frame.feedSequence > known + 1 {
            feed.waiting.append(frame)
            if feed.waiting.count > configuration.waitingMaximum { giveUp(frame.feedID, &feed, &actions) }
            return
        }
        feed.last = frame.feedSequence
        actions.append(.deliver(frame))
    }

    /// Too much waits: what is missing is told as lost, and the rest delivered.
    private mutating func giveUp(_ feedID: FeedID, _ feed: inout Feed, _ actions: inout [Action]) {
        for question in questions where question.gap?.feedID == feedID {
            if let gap = question.gap { actions.append(.lost(gap)) }
        }
        questions.removeAll { $0.gap?.feedID == feedID }
        for frame in feed.waiting { actions.append(.deliver(frame)) }
        feed.last = feed.waiting.last?.feedSequence ?? feed.last
        feed.waiting = []
    }

    // MARK: Answers

    private var isAskingForState: Bool { questions.contains { $0.gap == nil } }

    private mutating func ask(_ request: StreamRequest, about gap: StreamGap?) {
        questions.append(Question(request: request, gap: gap, askedAt: nil))
    }

    private mutating func askFor(_ gap: StreamGap) {
        var from = gap.from
        while from <= gap.to {
            let to = min(gap.to, from + StreamRequest.gapReportsMaximum - 1)
            let part = StreamGap(feedID: gap.feedID, bootID: gap.bootID, from: from, to: to)
            ask(.gap(feedID: part.feedID, bootID: part.bootID, from: part.from, to: part.to), about: part)
            from = to + 1
        }
    }

    /// One question at a time: the answers carry no name of theirs.
    private mutating func put(_ now: UInt64, _ actions: inout [Action]) {
        guard !questions.isEmpty else { return }
        if let askedAt = questions[0].askedAt, now < askedAt + configuration.answerNanoseconds { return }
        questions[0].askedAt = now
        actions.append(.ask(questions[0].request))
    }

    private mutating func answered(_ reply: StreamReply, _ actions: inout [Action]) {
        switch reply {
        case .report(let bytes):
            do throws(StreamFrameRefusal) {
                backfilled(try StreamFrame(encoded: bytes), &actions)
            } catch {
                actions.append(.refused(error.rawValue))
            }
        case .done(let bootID, let globalSequence):
            guard let question = questions.first, question.askedAt != nil else { return }
            questions.removeFirst()
            if let gap = question.gap {
                settle(gap, &actions)
            } else if bootID == self.bootID ?? bootID {
                self.bootID = bootID
                self.globalSequence = max(self.globalSequence, globalSequence)
            }
        case .gone(let oldest):
            guard let question = questions.first, let gap = question.gap, question.askedAt != nil else { return }
            questions.removeFirst()
            // What is still held is asked for; what is not is lost.
            if oldest > gap.from, oldest <= gap.to {
                actions.append(.lost(StreamGap(feedID: gap.feedID, bootID: gap.bootID, from: gap.from, to: oldest - 1)))
                advance(gap.feedID, to: oldest - 1, &actions)
                askFor(StreamGap(feedID: gap.feedID, bootID: gap.bootID, from: oldest, to: gap.to))
            } else {
                actions.append(.lost(gap))
                advance(gap.feedID, to: gap.to, &actions)
            }
        case .error(let text):
            if let question = questions.first, question.askedAt != nil {
                questions.removeFirst()
                if let gap = question.gap {
                    actions.append(.lost(gap))
                    advance(gap.feedID, to: gap.to, &actions)
                }
            }
            actions.append(.refused(text))
        }
    }

    private mutating func backfilled(_ frame: StreamFrame, _ actions: inout [Action]) {
        if frame.bootID != bootID {
            guard frame.flags.contains(.snapshot) else { return }
            if bootID == nil { bootID = frame.bootID } else { return restart(frame.bootID, &actions) }
        }
        if frame.flags.contains(.snapshot) { return accept(frame, &actions) }
        guard var feed = feeds[frame.feedID], let gap = questions.first?.gap, gap.feedID == frame.feedID,
            (gap.from...gap.to).contains(frame.feedSequence)
        else { return }
        switch configuration.mode {
        case .latest: actions.append(.deliver(frame))
        case .complete:
            guard frame.feedSequence == feed.last + 1 else { return }
            feed.last = frame.feedSequence
            feeds[frame.feedID] = feed
            actions.append(.deliver(frame))
            release(frame.feedID, &actions)
        }
    }

    /// The answer to a question is complete: what it did not bring does not exist.
    private mutating func settle(_ gap: StreamGap, _ actions: inout [Action]) {
        guard configuration.mode == .complete, let feed = feeds[gap.feedID], feed.last < gap.to else { return }
        actions.append(
            .lost(StreamGap(feedID: gap.feedID, bootID: gap.bootID, from: max(gap.from, feed.last + 1), to: gap.to)))
        advance(gap.feedID, to: gap.to, &actions)
    }

    private mutating func advance(_ feedID: FeedID, to sequence: UInt64, _ actions: inout [Action]) {
        guard configuration.mode == .complete, let feed = feeds[feedID], feed.last < sequence else { return }
        feeds[feedID]?.last = sequence
        release(feedID, &actions)
    }

    /// Delivers what no longer waits for anything.
    private mutating func release(_ feedID: FeedID, _ actions: inout [Action]) {
        guard var feed = feeds[feedID] else { return }
        while let next = feed.waiting.first, next.feedSequence == feed.last + 1 {
            feed.last = next.feedSequence
            feed.waiting.removeFirst()
            actions.append(.deliver(next))
        }
        feeds[feedID] = feed
    }
}
