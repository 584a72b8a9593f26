// Compares what was read of the lanes with the contracts' own counters, and reads blocks again when a log is missing:
// an endpoint that leaves out a log must cost time and not a message (5.4). One for a process.

import Agreement
import CCIP
import ChainAccess
import Ethereum
import Logging
import Storage

package actor LaneAuditor {
    private let lanes: [LaneKey]
    private let watches: [ChainSelector: ChainWatch]
    private let keeper: BookKeeper
    private let logger: Logger

    /// What the ramps of one chain count: `getExpectedNextSequenceNumber` by destination, `minSeqNr` by source.
    private struct Counters {
        var block: UInt64
        var expected: [ChainSelector: UInt64] = [:]
        var minimum: [ChainSelector: UInt64] = [:]
    }
    /// Of chains whose nodes hold no state of finalized blocks: read at the newest block, used once that block is
    /// final.
    private var samples: [ChainSelector: Counters] = [:]

    /// When what was last missing of a lane is looked for again.
    private struct Search {
        var failures = 0
        var due: UInt64 = 0
        var since: UInt64
    }
    private var searches: [String: Search] = [:]
    /// The first number of each lane of which it is not known that a root covers it.
    private var uncovered: [LaneKey: UInt64] = [:]
    /// Where the second reading of each chain has come to.
    private var rereadThrough: [ChainSelector: UInt64] = [:]
    private var statesDue: UInt64 = 0

    package init(lanes: [LaneKey], watches: [ChainWatch], keeper: BookKeeper, logger: Logger) {
        self.lanes = lanes.sorted()
        self.watches = Dictionary(watches.map { ($0.settings.selector, $0) }, uniquingKeysWith: { a, _ in a })
        self.keeper = keeper
        self.logger = logger
    }

    /// Until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await pass(now: InstanceRunner.now())
            let isOpen = keeper.read { book in
                lanes.contains { key in
                    let lane = book.lane(key)
                    return !lane.roots.isEmpty || lane.lastSent > lane.lastRetired
                }
            }
            try? await Task.sleep(for: .milliseconds(isOpen ? Limits.auditMilliseconds : Limits.auditIdleMilliseconds))
        }
    }

    /// One look at every lane. `now` in monotonic milliseconds.
    package func pass(now: UInt64) async {
        var positions: [ChainSelector: BlockReference] = [:]
        for (selector, watch) in watches where !keeper.isStopped(selector) {
            guard await watch.isCaughtUp(), let position = await watch.poller.position else { continue }
            positions[selector] = BlockReference(number: position.number, hash: position.hash)
        }
        for (selector, position) in positions.sorted(by: { $0.key < $1.key }) {
            guard let watch = watches[selector] else { continue }
            await reread(watch, position)
        }
        var expected: [LaneKey: UInt64] = [:]
        var minimum: [LaneKey: UInt64] = [:]
        for (selector, position) in positions.sorted(by: { $0.key < $1.key }) {
            guard let watch = watches[selector], let counters = await counters(watch, position) else { continue }
            for (destination, number) in counters.expected {
                expected[LaneKey(source: selector, destination: destination)] = number
            }
            for (source, number) in counters.minimum {
                minimum[LaneKey(source: source, destination: selector)] = number
            }
        }
        let looksAtStates = now >= statesDue
        if looksAtStates { statesDue = now + Limits.auditStatesMilliseconds }
        for lane in lanes {
            guard let source = positions[lane.source], let destination = positions[lane.destination],
                let least = minimum[lane]
            else { continue }
            await look(lane, least, expected[lane], source: source, destination: destination, now: now)
            if looksAtStates { await learnStates(lane) }
        }
    }

    // MARK: Counters

    /// As of a finalized block; nil when they are not known yet.
    private func counters(_ watch: ChainWatch, _ position: BlockReference) async -> Counters? {
        if let counters = await read(watch, at: position) { return counters }
        let selector = watch.settings.selector
        let known = samples[selector].flatMap { $0.block <= position.number ? $0 : nil }
        if samples[selector] == nil || known != nil, let head = await watch.heads.current?.latest {
            samples[selector] = await read(watch, at: head)
        }
        return known
    }

    private func read(_ watch: ChainWatch, at block: BlockReference) async -> Counters? {
        let own = watch.settings.selector
        let contracts = watch.settings.contracts
        let destinations = lanes.filter { $0.source == own }.map(\.destination)
        let sources = lanes.filter { $0.destination == own }.map(\.source)
        let reader = ContractReader(watch.endpoints)
        var counters = Counters(block: block.number)
        if !destinations.isEmpty {
            let calls = destinations.map { (OnRampCalls.expectedNextSequenceNumber($0), contracts.onRamp) }
            guard let numbers = await reader.agreedAll(calls, at: block).value else { return nil }
            for (chain, number) in zip(destinations, numbers) { counters.expected[chain] = number.rawValue }
        }
        if !sources.isEmpty {
            let calls = sources.map { (OffRampCalls.sourceChainConfig($0), contracts.offRamp) }
            guard let configs = await reader.agreedAll(calls, at: block).value else { return nil }
            for (chain, config) in zip(sources, configs) { counters.minimum[chain] = config.minSequenceNumber.rawValue }
        }
        return counters
    }

    // MARK: What is missing

    private func look(
        _ lane: LaneKey, _ minimum: UInt64, _ expected: UInt64?, source: BlockReference, destination: BlockReference,
        now: UInt64
    ) async {
        let known = keeper.read { $0.lane(lane) }
        let missing = LaneAudit.missingMessages(
            known, minimum: minimum, expectedNext: max(expected ?? 0, known.lastSent + 1))
        await search(lane, .message, missing, known, through: source, now)
        var next = uncovered[lane] ?? 1
        let root: ClosedRange<UInt64>?
        do {
            root = try LaneAudit.missingRoot(next: &next, minimum: minimum) {
                try keeper.rootRange(covering: $0, of: lane)
            }
        } catch {
            return logger.error("roots cannot be looked up", metadata: ["lane": "\(lane)", "error": "\(error)"])
        }
        uncovered[lane] = next
        await search(lane, .root, root.map { [$0] } ?? [], known, through: destination, now)
        let executions = LaneAudit.missingExecutions(known, finalized: destination.number)
        await search(lane, .execution, executions, known, through: destination, now)
    }

    private func search(
        _ lane: LaneKey, _ kind: MissingLogs.Kind, _ ranges: [ClosedRange<UInt64>], _ known: MessageBook.Lane,
        through block: BlockReference, _ now: UInt64
    ) async {
        let id = "\(lane) \(kind.rawValue)"
        guard let first = ranges.first?.lowerBound else {
            if searches.removeValue(forKey: id) != nil {
                logger.notice("nothing is missing any more", metadata: ["lane": "\(lane)", "kind": "\(kind.rawValue)"])
            }
            return keeper.note(nil, kind, of: lane)
        }
        var state = searches[id] ?? Search(since: now)
        guard now >= state.due, let watch = watches[kind == .message ? lane.source : lane.destination] else { return }
        let filter = Self.filter(kind, lane, ranges, watch.settings, isNarrow: state.failures % 2 == 0)
        let from = Self.start(kind, first, known, watch.settings.startBlock)
        if from <= block.number {
            logger.warning("logs are missing: the blocks are read again", metadata: [
                "lane": "\(lane)", "kind": "\(kind.rawValue)", "first": "\(first)", "from": "\(from)",
                "to": "\(block.number)",
            ])
            let found = await reading(watch, filter, from...block.number, through: block)
            if found != nil, isFound(lane, kind, first) {
                searches[id] = state
                return
            }
        }
        state.failures += 1
        let pause = Limits.auditMilliseconds << UInt64(min(state.failures, 10))
        state.due = now + min(pause, Limits.searchMillisecondsMaximum)
        searches[id] = state
        let report = MissingLogs(
            kind: kind, ranges: ranges, sinceMilliseconds: state.since, failedReadings: state.failures)
        keeper.note(report, kind, of: lane)
        if state.failures >= Limits.failedReadingsBeforeAlarm {
            logger.error("no endpoint shows a log", metadata: ["lane": "\(lane)", "missing": "\(report)"])
        }
        // Roots over messages that were sent before the first block that we were told to read are none of our business.
        if kind == .root, state.failures >= Limits.failedReadingsBeforeAlarm, first == 1, known.messages[first] == nil,
            let end = ranges.first?.upperBound
        {
            uncovered[lane] = end + 1
        }
    }

    private func isFound(_ lane: LaneKey, _ kind: MissingLogs.Kind, _ number: UInt64) -> Bool {
        switch kind {
        case .message:
            keeper.read { $0.lane(lane).isSeen(number) || $0.lane(lane).refused[number] != nil }
        case .root: (try? keeper.rootRange(covering: number, of: lane)) != nil
        case .execution:
            keeper.read { $0.lane(lane).executions[number] != nil || $0.lane(lane).messages[number] == nil }
        }
    }

    /// The narrowest filter that the log must pass, and every other time the poller's own: which of the two an endpoint
    /// answers wrongly is not known.
    private static func filter(
        _ kind: MissingLogs.Kind, _ lane: LaneKey, _ ranges: [ClosedRange<UInt64>], _ chain: ClusterSettings.Chain,
        isNarrow: Bool
    ) -> LogFilter {
        guard isNarrow else { return BookKeeper.filter(chain) }
        let numbers = ranges.lazy.flatMap { $0 }.prefix(Limits.topicsMaximum).map { Hash32(U256($0)) }
        switch kind {
        case .message:
            return LogFilter(
                addresses: [chain.contracts.onRamp],
                topics: [[MessageSentEvent.event.topic], [Hash32(U256(lane.destination.rawValue))], Array(numbers)])
        case .root:
            return LogFilter(
                addresses: [chain.contracts.offRamp], topics: [[OffRampEvents.commitReportAccepted.topic]])
        case .execution:
            return LogFilter(
                addresses: [chain.contracts.offRamp],
                topics: [
                    [OffRampEvents.executionStateChanged.topic], [Hash32(U256(lane.source.rawValue))], Array(numbers),
                ])
        }
    }

    /// The block of the last log before the first missing one: logs of a lane come in the order of their numbers.
    private static func start(
        _ kind: MissingLogs.Kind, _ first: UInt64, _ known: MessageBook.Lane, _ startBlock: UInt64
    ) -> UInt64 {
        let block: UInt64? =
            switch kind {
            case .message: known.messages.filter { $0.key < first }.max { $0.key < $1.key }?.value.place.block
            case .root:
                known.roots.filter { $0.root.last.rawValue < first }.max { $0.root.last < $1.root.last }?.place.block
            case .execution: known.roots.first { $0.root.covers(first) }?.place.block
            }
        return max(block ?? startBlock, startBlock)
    }

    /// How many new logs were found; nil when the blocks could not be read.
    private func reading(
        _ watch: ChainWatch, _ filter: LogFilter, _ range: ClosedRange<UInt64>, through block: BlockReference
    ) async -> Int? {
        switch await watch.endpoints.secondOpinion(filter, range) {
        case .ready(let logs):
            do {
                return try await watch.recover(logs, through: block)
            } catch {
                logger.warning("logs were not taken", metadata: ["error": "\(error)"])
                return nil
            }
        case .notYet(let why):
            logger.info(
                "blocks cannot be read again yet", metadata: ["chain": "\(watch.settings.name)", "why": "\(why)"])
            return nil
        case .refused(let error):
            logger.warning("blocks cannot be read again", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Every hundred finalized blocks once more, from the endpoints that are asked last otherwise (5.4 b).
    private func reread(_ watch: ChainWatch, _ position: BlockReference) async {
        let selector = watch.settings.selector
        guard let done = rereadThrough[selector] else {
            rereadThrough[selector] = position.number
            return
        }
        guard position.number >= done + Limits.rereadBlocks else { return }
        let filter = BookKeeper.filter(watch.settings)
        if await reading(watch, filter, done + 1...position.number, through: position) != nil {
            rereadThrough[selector] = position.number
        }
    }

    // MARK: Executions

    /// Asks the OffRamp about messages that wait long: their executions may be further back than what is followed
    /// above the finalized block, or their logs may be missing.
    private func learnStates(_ lane: LaneKey) async {
        guard let watch = watches[lane.destination], let head = await watch.heads.current?.latest else { return }
        let known = keeper.read { $0.lane(lane) }
        let numbers = LaneAudit.unexecuted(known)
        guard !numbers.isEmpty else { return }
        let offRamp = watch.settings.contracts.offRamp
        let calls = numbers.map { (OffRampCalls.executionState(lane.source, SequenceNumber($0)), offRamp) }
        guard let states = await ContractReader(watch.endpoints).agreedAll(calls, at: head).value else { return }
        keeper.learned(Dictionary(zip(numbers, states), uniquingKeysWith: { a, _ in a }), of: lane, at: head)
    }
}
