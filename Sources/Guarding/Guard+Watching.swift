// What the guard sees by itself: messages leaving, roots and executions arriving, and whether one follows from the other
// (7.5 of the off-chain specification).

import CCIP
import Ethereum

/// What the finalized blocks of a destination said of the messages of one lane.
struct ExecutionBook: Sendable {
    struct Entry: Hashable, Sendable {
        var state: MessageExecutionState
        var block: UInt64
        var logIndex: UInt64
    }

    private var entries: [UInt64: Entry] = [:]
    private var order: [UInt64] = []

    subscript(number: UInt64) -> Entry? { entries[number] }

    mutating func set(_ number: UInt64, _ entry: Entry) {
        if entries.updateValue(entry, forKey: number) == nil { order.append(number) }
        guard order.count > 2 * Limits.messagesPerLaneMaximum else { return }
        for old in order.prefix(Limits.messagesPerLaneMaximum) { entries[old] = nil }
        order.removeFirst(Limits.messagesPerLaneMaximum)
    }
}

extension Guard {
    // MARK: Sources

    /// Logs in order. At the first one that cannot be right nothing further is taken: the cursor stays, and the endpoints
    /// get the chance to say something else.
    mutating func take(
        _ logs: [SourceLog], of source: ChainSelector, through: UInt64, now: GuardTime, _ actions: inout [GuardAction]
    ) {
        guard let ramp = configuration.sources[source] else { return }
        var kept: [DerivedMessage] = []
        var problem: (AnomalyKind, GuardLane?, String)?
        for item in logs {
            guard item.log.address == ramp.onRamp, item.log.topics.first == DerivedMessage.topic, item.log.topics.count > 1,
                let destination = item.log.topics[1].word.asUInt64
            else { continue }
            let lane = GuardLane(source: source, destination: ChainSelector(destination))
            guard configuration.watches(lane) else { continue }
            problem = add(item, ramp, lane, &kept, &actions)
            if problem != nil { break }
        }
        if !kept.isEmpty {
            actions.append(.keep(kept))
            lookAgain(source, now: now, &actions)
        }
        if let (kind, lane, detail) = problem {
            if refusedLogs[source] != detail {
                refusedLogs[source] = detail
                tallies.anomalies[kind, default: 0] += 1
                actions.append(.alarm(Anomaly(kind: kind, lane: lane, detail: detail)))
            }
            actions.append(.refuseLogs(source, reason: detail))
        } else {
            refusedLogs[source] = nil
            let before = sources[source]?.through ?? 0
            sources[source]?.through = max(through, before)
            noteLag(source, now: now)
        }
        verifyAgain(source, now: now, &actions)
    }

    /// What is wrong with a log; nil when it was taken.
    private mutating func add(
        _ item: SourceLog, _ ramp: GuardConfiguration.Source, _ lane: GuardLane, _ kept: inout [DerivedMessage],
        _ actions: inout [GuardAction]
    ) -> (AnomalyKind, GuardLane?, String)? {
        let message: DerivedMessage
        do throws(GuardError) {
            message = try DerivedMessage(log: item.log, block: item.block, onRamp: ramp.onRamp, source: ramp.selector)
        } catch {
            return (.unreadableMessage, lane, "block \(item.block): \(error.message)")
        }
        switch books[lane]?.add(message) {
        case .new?: kept.append(message)
        case .known?, nil: break
        case .gap(let last)?:
            return (.missingMessage, lane, "message \(message.number) follows \(last) in block \(item.block)")
        case .contradicts(let known)?:
            let text = "message \(message.number) was \(known.messageID) and is now \(message.messageID)"
            stop(lane, .contradictingMessage, text, &actions)
            return (.contradictingMessage, lane, text)
        }
        return nil
    }

    mutating func saw(_ chain: ChainSelector, finalized: UInt64, now: GuardTime) {
        guard let view = sources[chain] else { return }
        sources[chain]?.finalized = max(finalized, view.finalized ?? 0)
        noteLag(chain, now: now)
    }

    private mutating func noteLag(_ source: ChainSelector, now: GuardTime) {
        guard let view = sources[source], let through = view.through, let finalized = view.finalized else { return }
        let lag = finalized > through ? finalized - through : 0
        if lag > Limits.logLagBlocksMaximum {
            sources[source]?.caughtUpSince = nil
        } else if view.caughtUpSince == nil {
            sources[source]?.caughtUpSince = now
        }
    }

    // MARK: Destinations

    /// The same number twice in finalized blocks: only a failure may be followed by something.
    mutating func follow(_ message: ExecutedMessage, _ actions: inout [GuardAction]) {
        guard var book = executions[message.lane] else { return }
        let entry = ExecutionBook.Entry(state: message.state, block: message.block, logIndex: message.logIndex)
        defer { executions[message.lane] = book }
        guard let before = book[message.number] else { return book.set(message.number, entry) }
        let isRepeat = (before.block, before.logIndex) >= (entry.block, entry.logIndex)
        guard !isRepeat else { return }
        if before.state == .success {
            stop(
                message.lane, .doubleExecution,
                "message \(message.number) succeeded in block \(before.block) and was executed again in block \(entry.block)",
                &actions)
        }
        book.set(message.number, entry)
    }

    mutating func judge(_ claim: Unverified.Claim, now: GuardTime, _ actions: inout [GuardAction]) {
        let item = Unverified(claim: claim, since: now)
        guard configuration.watches(item.lane) else { return }
        guard !verify(item, &actions) else { return }
        // A log is told when it is new and once more when it is final.
        guard !unverified.contains(where: { $0.claim == claim }) else { return }
        unverified.append(item)
        if unverified.count > Limits.unverifiedMaximum {
            unverified.removeFirst()
            tallies.unverifiable += 1
        }
    }

    private mutating func verifyAgain(_ source: ChainSelector, now: GuardTime, _ actions: inout [GuardAction]) {
        guard unverified.contains(where: { $0.lane.source == source }) else { return }
        let items = unverified
        unverified = []
        var open: [Unverified] = []
        for item in items where item.lane.source != source || !verify(item, &actions) { open.append(item) }
        unverified = open
    }

    /// True when nothing more is to be found out about it.
    private mutating func verify(_ item: Unverified, _ actions: inout [GuardAction]) -> Bool {
        let book = books[item.lane] ?? LaneBook()
        switch item.claim {
        case .root(let accepted): return verify(accepted, book, &actions)
        case .execution(let message): return verify(message, book, &actions)
        }
    }

    private mutating func verify(
        _ accepted: AcceptedRoot, _ book: LaneBook, _ actions: inout [GuardAction]
    ) -> Bool {
        let root = accepted.root
        guard let range = root.range, UInt64(range.count) <= Limits.rootMessagesMaximum else {
            stop(
                accepted.lane, .committedRootMismatch,
                "block \(accepted.block) commits the interval \(root.first)...\(root.last)", &actions)
            return true
        }
        guard !book.isForgotten(root.first.rawValue) else {
            tallies.unverifiable += 1
            return true
        }
        guard let messages = book.messages(range) else { return false }
        let own = DerivedMessage.root(of: messages.map(\.leaf))
        if own == root.root {
            tallies.rootsVerified += 1
        } else {
            stop(
                accepted.lane, .committedRootMismatch,
                "block \(accepted.block) commits \(root.root) over \(range), own root is "
                    + (own.map { "\($0)" } ?? "none"), &actions)
        }
        return true
    }

    private mutating func verify(
        _ message: ExecutedMessage, _ book: LaneBook, _ actions: inout [GuardAction]
    ) -> Bool {
        guard !book.isForgotten(message.number) else {
            tallies.unverifiable += 1
            return true
        }
        guard let sent = book.message(message.number) else { return false }
        if sent.messageID == message.messageID, sent.leaf == message.leaf {
            tallies.executionsVerified += 1
        } else {
            stop(
                message.lane, .executedContentMismatch,
                "block \(message.block) executes \(message.messageID) as message \(message.number), sent was "
                    + "\(sent.messageID)", &actions)
        }
        return true
    }

    /// Claims whose source messages do not come, though the source is read up to its finalized head.
    mutating func expire(now: GuardTime, _ actions: inout [GuardAction]) {
        let items = unverified
        unverified = []
        var open: [Unverified] = []
        for item in items {
            guard let caughtUp = sources[item.lane.source]?.caughtUpSince else {
                open.append(item)
                continue
            }
            let from = max(item.since, caughtUp)
            guard now > from, now - from > configuration.graceMilliseconds else {
                open.append(item)
                continue
            }
            accuse(item, &actions)
        }
        unverified = open
    }

    private mutating func accuse(_ item: Unverified, _ actions: inout [GuardAction]) {
        let last = finalizedThrough(item.lane)
        switch item.claim {
        case .root(let accepted):
            stop(
                item.lane, .unfinalizedRoot,
                "block \(accepted.block) commits \(accepted.root.first)...\(accepted.root.last), final at the source is "
                    + "\(last)", &actions)
        case .execution(let message):
            stop(
                item.lane, .executedWithoutSource,
                "block \(message.block) executes message \(message.number) (\(message.messageID)), final at the source is "
                    + "\(last)", &actions)
        }
    }
}
