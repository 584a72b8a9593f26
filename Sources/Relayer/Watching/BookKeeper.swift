// Keeps the book of messages from what the log pollers deliver: store first, then memory, then the feed.

import CCIP
import ChainAccess
import Ethereum
import Executing
import Foundation
import Logging
import Storage
import Synchronization

/// The edge around `MessageBook`. One for a process; pollers of several chains call it at once.
package final class BookKeeper: Sendable {
    private let cluster: ClusterSettings
    private let store: Store
    private let feed: LifecycleFeed?
    private let logger: Logger
    private let shared: Mutex<MessageBook>
    /// Held while messages go into the store or come from it: what is written must not pass what is paged in.
    private let paging = Mutex(())
    /// Chains with an active stop: nothing is vouched for, and nothing is sent there.
    private let stopped: Mutex<Set<ChainSelector>>
    private let watched: [LaneKey]
    /// Logs that must be there and were not found.
    private let missing = Mutex<[LaneKey: [MissingLogs.Kind: MissingLogs]]>([:])
    /// Told which chain has news.
    private let onNews: @Sendable (ChainSelector) -> Void

    package init(
        cluster: ClusterSettings, store: Store, feed: LifecycleFeed?, logger: Logger,
        onNews: @escaping @Sendable (ChainSelector) -> Void
    ) throws {
        self.cluster = cluster
        self.store = store
        self.feed = feed
        self.logger = logger
        self.onNews = onNews
        let lanes = cluster.lanes.map { LaneKey(source: $0.source, destination: $0.destination) }
        shared = Mutex(try Self.restored(lanes, store))
        watched = lanes.sorted()
        let scopes = Set(try store.activeStops().map(\.scope))
        stopped = Mutex(Set(cluster.chains.filter {
            scopes.contains("all") || scopes.contains(LogPoller.stopScope(chainID: $0.chainID))
        }.map(\.selector)))
    }

    package func read<Value: Sendable>(_ body: (borrowing MessageBook) -> Value) -> Value {
        shared.withLock { body($0) }
    }

    /// A stop outlives restarts; only an operator clears it.
    package func isStopped(_ chain: ChainSelector) -> Bool { stopped.withLock { $0.contains(chain) } }

    /// What a lane waits for because no endpoint shows its log; nil when nothing is missing.
    package func missingLogs(_ lane: LaneKey) -> MissingLogs? {
        missing.withLock { $0[lane]?.values.min { $0.kind < $1.kind } }
    }

    func note(_ logs: MissingLogs?, _ kind: MissingLogs.Kind, of lane: LaneKey) {
        missing.withLock { $0[lane, default: [:]][kind] = logs }
    }

    /// Everything that keeps a lane from going on although the chains are read, in words.
    package var complaints: [String] {
        let names = Dictionary(cluster.chains.map { ($0.selector, $0.name) }, uniquingKeysWith: { a, _ in a })
        func name(_ lane: LaneKey) -> String {
            "lane \(names[lane.source] ?? "\(lane.source)") -> \(names[lane.destination] ?? "\(lane.destination)")"
        }
        let lost = missing.withLock { $0 }.sorted { $0.key < $1.key }.flatMap { lane, logs in
            logs.values.sorted { $0.kind < $1.kind }.map { "\(name(lane)): \($0)" }
        }
        let refused = read { book in
            book.lanes.keys.sorted().compactMap { key -> String? in
                guard let first = book.lane(key).refused.min(by: { $0.key < $1.key }) else { return nil }
                return "\(name(key)): the log of message \(first.key) is refused: \(first.value)"
            }
        }
        return lost + refused
    }

    /// Finalized logs from another reading than the poller's: those that were taken before are left out, for what they
    /// began may be over. Returns how many were new.
    func recover(_ logs: [ChainLog], of chain: ClusterSettings.Chain) throws -> Int {
        let fresh = try logs.filter { try !isKnown($0, chain) }
        guard !fresh.isEmpty else { return 0 }
        for log in fresh { try take(log, chain, isFinal: true) }
        try retire(chain)
        try page(chain)
        onNews(chain.selector)
        return fresh.count
    }

    /// Whether this log, or a later one about the same thing, is in the store.
    private func isKnown(_ log: ChainLog, _ chain: ClusterSettings.Chain) throws -> Bool {
        let topics = log.log.topics
        if log.log.address == chain.contracts.onRamp {
            guard topics.count == 3, let destination = topics[1].word.asUInt64, let number = topics[2].word.asUInt64
            else { return true }
            let lane = LaneKey(source: chain.selector, destination: ChainSelector(destination))
            if read({ $0.lane(lane).refused[number] != nil }) { return true }
            return try store.message(
                source: chain.selector.rawValue, destination: destination, sequence: number) != nil
        }
        switch try? OffRampEvents.decode(
            ContractLog(address: log.log.address, topics: topics, data: log.log.data))
        {
        case .commitReportAccepted(let report):
            return try report.roots.allSatisfy { root in
                try store.root(
                    destination: chain.selector.rawValue, source: root.source.rawValue, covering: root.first.rawValue
                )?.root == root.root
            }
        case .executionStateChanged(let change):
            guard let place = try store.execution(
                destination: chain.selector.rawValue, source: change.source.rawValue,
                sequence: change.sequenceNumber.rawValue)?.place
            else { return false }
            return (place.block, place.logIndex) >= (log.blockNumber, log.logIndex)
        default: return true
        }
    }

    /// What the OffRamp says about messages whose logs were not read.
    func learned(_ states: [UInt64: MessageExecutionState], of lane: LaneKey, at block: BlockReference) {
        shared.withLock { $0.learned(states, of: lane, at: block) }
    }

    /// The root that covers a number, in memory or on disk.
    func rootRange(covering number: UInt64, of lane: LaneKey) throws -> ClosedRange<UInt64>? {
        if let root = read({ $0.lane(lane).roots.first { $0.root.covers(number) } })?.root {
            return root.first.rawValue...max(root.first.rawValue, root.last.rawValue)
        }
        return try store.root(
            destination: lane.destination.rawValue, source: lane.source.rawValue, covering: number
        ).map { $0.first...max($0.first, $0.last) }
    }

    /// What one poller of `chain` listens to. Another filter needs another name of the poller (`pollerName`): what lies
    /// behind the position of a name is not looked at again.
    package static func filter(_ chain: ClusterSettings.Chain) -> LogFilter {
        LogFilter(
            addresses: [chain.contracts.onRamp, chain.contracts.offRamp, chain.contracts.nonceManager],
            topics: [[
                MessageSentEvent.event.topic, OffRampEvents.commitReportAccepted.topic,
                OffRampEvents.executionStateChanged.topic, OffRampEvents.skippedIncorrectNonce.topic,
                OffRampEvents.skippedReportExecution.topic, OffRampEvents.alreadyAttempted.topic,
                OffRampEvents.skippedAlreadyExecutedMessage.topic, OffRampEvents.sourceChainConfigSet.topic,
                OffRampEvents.configSet.topic,
            ]])
    }

    package static func pollerName(_ chain: ClusterSettings.Chain) -> String { "messages-2-\(chain.name)" }

    /// Stops a chain for good: nothing is vouched for there and nothing sent until an operator clears it.
    func halt(_ chain: ClusterSettings.Chain, kind: String, reason: String) {
        stopped.withLock { _ = $0.insert(chain.selector) }
        do {
            try store.raiseStop(scope: LogPoller.stopScope(chainID: chain.chainID), kind: kind, reason: reason)
        } catch {
            logger.critical("the stop is not on disk", metadata: ["chain": "\(chain.name)", "error": "\(error)"])
        }
        logger.critical("chain stopped", metadata: ["chain": "\(chain.name)", "reason": "\(reason)"])
    }

    /// Publishes that a message needs a manual execution, unless that was done under this name before.
    func publishReady(
        _ key: MessageKey, _ id: MessageID, on destination: ChainSelector, reason: String, timestamp: UInt64,
        onceAs name: String
    ) {
        do {
            guard try store.value(name) == nil else { return }
            try store.setValue(name, [1])
        } catch {
            logger.warning("not published", metadata: ["message": "\(id)", "error": "\(error)"])
            return
        }
        logger.notice("ready for manual execution", metadata: ["message": "\(id)", "reason": "\(reason)"])
        feed?.publish(
            .ready(id, key.source, destination, key.sequenceNumber.rawValue, reason: reason, timestamp: timestamp, now: Self.now()))
    }

    /// Events of the poller of `chain`; a thrown error means that they come again.
    package func handle(_ event: LogPollerEvent, of chain: ClusterSettings.Chain) throws {
        switch event {
        case .finalized(let logs, let through):
            for log in logs { try take(log, chain, isFinal: true) }
            shared.withLock { $0.finalized(chain.selector, through: through.number) }
            try retire(chain)
            try page(chain)
        case .unfinalized(_, let logs):
            for log in logs { try take(log, chain, isFinal: false) }
            try page(chain)
        case .reorganised(let ancestor):
            shared.withLock { $0.reorganised(chain.selector, above: ancestor.number) }
            logger.notice("reorganisation", metadata: ["chain": "\(chain.name)", "ancestor": "\(ancestor.number)"])
        case .violated(let reason):
            // The poller has written the stop before it told us.
            stopped.withLock { _ = $0.insert(chain.selector) }
            logger.critical("finality violated", metadata: ["chain": "\(chain.name)", "reason": "\(reason)"])
        }
        onNews(chain.selector)
    }

    private func take(_ log: ChainLog, _ chain: ClusterSettings.Chain, isFinal: Bool) throws {
        let contractLog = ContractLog(address: log.log.address, topics: log.log.topics, data: log.log.data)
        let place = Place(
            block: log.blockNumber, blockHash: log.blockHash, transaction: log.transactionHash,
            logIndex: log.logIndex, timestamp: log.blockTimestamp ?? 0)
        if log.log.address == chain.contracts.onRamp {
            if isFinal { try takeSent(contractLog, place, chain) }
        } else if log.log.address == chain.contracts.offRamp || log.log.address == chain.contracts.nonceManager {
            do {
                switch try OffRampEvents.decode(contractLog) {
                case .commitReportAccepted(let report): try takeRoots(report, place, chain, isFinal)
                case .executionStateChanged(let change): try takeExecution(change, place, chain, isFinal)
                case .skippedIncorrectNonce(let source, let nonce, let sender):
                    takeSkip(.incorrectNonce(nonce, sender), of: source, place, chain, isFinal)
                case .skippedAlreadyExecuted(let source, let number):
                    takeSkip(.alreadyExecuted(number.rawValue), of: source, place, chain, isFinal)
                case .alreadyAttempted(let source, let number):
                    takeSkip(.alreadyAttempted(number.rawValue), of: source, place, chain, isFinal)
                case .skippedReport(let source): takeSkip(.cursedReport, of: source, place, chain, isFinal)
                case .sourceChainConfigSet(let source):
                    logger.notice("source configuration set", metadata: ["chain": "\(chain.name)", "source": "\(source)"])
                case .configSet(let plugin, let digest):
                    logger.notice(
                        "OCR configuration set",
                        metadata: ["chain": "\(chain.name)", "plugin": "\(plugin)", "digest": "\(digest)"])
                case .transmitted, nil: break
                }
            } catch let error as CCIPError {
                refuse(error, place, chain)
            }
        }
    }

    private func takeSent(_ log: ContractLog, _ place: Place, _ chain: ClusterSettings.Chain) throws {
        guard log.topics.count == 3, let raw = log.topics[1].word.asUInt64 else { return }
        let destination = ChainSelector(raw)
        let lane = LaneKey(source: chain.selector, destination: destination)
        guard cluster.lanes.contains(.init(source: lane.source, destination: lane.destination)) else { return }
        let message: EVM2AnyRampMessage
        do throws(CCIPError) {
            message = try MessageSentEvent.decode(
                log, source: chain.selector, destination: destination, onRamp: chain.contracts.onRamp)
        } catch {
            // The lane stands still in front of it: it must say why.
            if let number = log.topics[2].word.asUInt64 {
                shared.withLock { $0.refused(number, "\(error.message)", of: lane) }
            }
            return refuse(error, place, chain)
        }
        let row = MessageRow(
            source: lane.source.rawValue, destination: destination.rawValue,
            sequence: message.header.sequenceNumber.rawValue, messageID: message.header.messageID.hash,
            place: place, payload: log.data)
        let isNew = try paging.withLock { _ in
            try store.upsertMessages([row])
            return shared.withLock { $0.sent(message, at: place) }
        }
        feed?.publish(.sent(message, at: place, now: Self.now()))
        guard isNew else { return }
        logger.info("message sent", metadata: Self.metadata(message.header.messageID, lane, message.header.sequenceNumber))
    }

    private func takeRoots(
        _ report: AcceptedCommitReport, _ place: Place, _ chain: ClusterSettings.Chain, _ isFinal: Bool
    ) throws {
        for root in report.roots {
            let lane = LaneKey(source: root.source, destination: chain.selector)
            if isFinal {
                try store.upsertRoots([
                    RootRow(
                        destination: chain.selector.rawValue, source: root.source.rawValue, root: root.root,
                        first: root.first.rawValue, last: root.last.rawValue, onRamp: root.onRamp, place: place,
                        executed: false)
                ])
            }
            let isNew = shared.withLock { $0.committed(root, on: chain.selector, at: place, isFinal: isFinal) }
            try fill(root, of: lane)
            guard isFinal else { continue }
            let numbers = root.range?.numbers ?? []
            let ids = read { book -> [(UInt64, MessageID?)] in
                let messages = book.lane(lane).messages
                return numbers.map { ($0.rawValue, messages[$0.rawValue]?.message.header.messageID) }
            }
            for (number, id) in ids {
                feed?.publish(.committed(root, number, id, on: chain.selector, at: place, now: Self.now()))
            }
            guard isNew else { continue }
            logger.info(
                "root committed",
                metadata: ["lane": "\(lane)", "root": "\(root.root)", "range": "\(root.first)-\(root.last)"])
        }
    }

    private func takeExecution(
        _ change: ExecutionStateChange, _ place: Place, _ chain: ClusterSettings.Chain, _ isFinal: Bool
    ) throws {
        let lane = LaneKey(source: change.source, destination: chain.selector)
        if isFinal {
            try store.upsertExecutions([
                ExecutionRow(
                    destination: chain.selector.rawValue, source: change.source.rawValue,
                    sequence: change.sequenceNumber.rawValue, messageID: change.messageID.hash,
                    state: change.state.rawValue, returnData: change.returnData, place: place, finalized: true)
            ])
        }
        let entry = ExecutionEntry(change, at: place, isFinal: isFinal)
        shared.withLock { $0.executed(entry, on: chain.selector) }
        guard isFinal else { return }
        for event in LifecycleEvent.executed(change, on: chain.selector, at: place, now: Self.now()) {
            feed?.publish(event)
        }
        var metadata = Self.metadata(change.messageID, lane, change.sequenceNumber)
        metadata["state"] = "\(change.state)"
        logger.info("message executed", metadata: metadata)
    }

    /// What the contracts passed over in a report: no state changes, so no other event names the message.
    private func takeSkip(
        _ kind: MessageBook.Skip.Kind, of source: ChainSelector, _ place: Place, _ chain: ClusterSettings.Chain,
        _ isFinal: Bool
    ) {
        let lane = LaneKey(source: source, destination: chain.selector)
        let skip = MessageBook.Skip(kind: kind, place: place)
        guard shared.withLock({ $0.skipped(skip, lane) }) else { return }
        logger.notice(
            "skipped on chain",
            metadata: ["lane": "\(lane)", "skip": "\(kind.name)", "transaction": "\(place.transaction)", "final": "\(isFinal)"])
    }

    private func retire(_ chain: ClusterSettings.Chain) throws {
        for entry in shared.withLock({ $0.retireFinished(chain.selector) }) {
            try store.markExecuted(
                destination: chain.selector.rawValue, source: entry.root.source.rawValue, root: entry.root.root)
        }
    }

    /// A log of our contract that is not what it must be: never used, never silent.
    private func refuse(_ error: CCIPError, _ place: Place, _ chain: ClusterSettings.Chain) {
        logger.error(
            "log refused",
            metadata: ["chain": "\(chain.name)", "transaction": "\(place.transaction)", "error": "\(error)"])
    }

    // MARK: Paging

    /// Messages under a root that were left in the store, or had been over.
    private func fill(_ root: MerkleRoot, of lane: LaneKey) throws {
        try paging.withLock { _ in
            guard let range = shared.withLock({ $0.absent(under: root, of: lane) }) else { return }
            let rows = try Self.messages(store, lane, range)
            shared.withLock { $0.paged(rows, through: nil, of: lane) }
        }
    }

    /// Messages that wait, as far as the window of each lane to or from the chain has room for them.
    private func page(_ chain: ClusterSettings.Chain) throws {
        for lane in watched where lane.source == chain.selector || lane.destination == chain.selector {
            try paging.withLock { _ in
                guard let range = shared.withLock({ $0.wanted(of: lane) }) else { return }
                let rows = try Self.messages(store, lane, range)
                shared.withLock { $0.paged(rows, through: range.upperBound, of: lane) }
            }
        }
    }

    /// A range is at most a window wide, which is less than a page of the store.
    private static func messages(
        _ store: Store, _ lane: LaneKey, _ range: ClosedRange<UInt64>
    ) throws -> [(message: EVM2AnyRampMessage, place: Place)] {
        assert(range.upperBound - range.lowerBound < UInt64(Storage.Limits.indexPageMaximum))
        return try store.messages(source: lane.source.rawValue, destination: lane.destination.rawValue, in: range)
            .map { (try MessageSentEvent.decodeData($0.payload), $0.place) }
    }

    // MARK: Restoring

    /// Open roots with their messages and executions, and the first window of messages that wait: what a restart reads
    /// does not grow with what is over.
    private static func restored(_ lanes: [LaneKey], _ store: Store) throws -> MessageBook {
        var book = MessageBook(lanes: lanes)
        for key in lanes {
            let (source, destination) = (key.source.rawValue, key.destination.rawValue)
            let last = try store.lastMessage(source: source, destination: destination) ?? 0
            let committed = try store.lastCommitted(destination: destination, source: source) ?? 0
            var next: UInt64 = 0
            while true {
                let page = try store.openRoots(destination: destination, source: source, from: next)
                for row in page { try restore(row, &book, store, key) }
                guard page.count == Storage.Limits.indexPageMaximum, let end = page.last?.first else { break }
                next = end + 1
            }
            book.restore(lastSent: last, lastRetired: committed, of: key)
            if let range = book.wanted(of: key) {
                book.paged(try messages(store, key, range), through: range.upperBound, of: key)
            }
        }
        return book
    }

    private static func restore(_ row: RootRow, _ book: inout MessageBook, _ store: Store, _ key: LaneKey) throws {
        let root = MerkleRoot(
            source: key.source, onRamp: row.onRamp, first: SequenceNumber(row.first), last: SequenceNumber(row.last),
            root: row.root)
        book.committed(root, on: key.destination, at: row.place, isFinal: true)
        if let range = book.absent(under: root, of: key) {
            book.paged(try messages(store, key, range), through: nil, of: key)
        }
        let executions = try store.executions(
            destination: key.destination.rawValue, source: key.source.rawValue,
            in: row.first...max(row.first, row.last))
        for entry in executions.compactMap(ExecutionEntry.init) { book.executed(entry, on: key.destination) }
    }

    private static func now() -> UInt64 { UInt64(Date().timeIntervalSince1970 * 1_000) }

    private static func metadata(_ id: MessageID, _ lane: LaneKey, _ number: SequenceNumber) -> Logger.Metadata {
        ["message": "\(id)", "lane": "\(lane)", "sequence": "\(number)"]
    }
}
