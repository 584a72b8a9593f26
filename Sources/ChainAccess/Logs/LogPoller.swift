// Follows the logs of a filter: finalized ones from a quorum, in order, each once, with a cursor on disk that moves only
// after the handler has taken them; unfinalized ones, marked, with re-organisations told (5.4 to 5.6).

import Ethereum
import Logging
import Storage

package enum LogPollerEvent: Sendable {
    /// Logs up to a finalized block, read from a quorum. The cursor is stored after the handler returned, so after a
    /// crash the same logs may come once more, never fewer.
    case finalized(logs: [ChainLog], through: BlockReference)
    /// Logs of one block that may still go away; also sent for blocks without logs.
    case unfinalized(block: BlockReference, logs: [ChainLog])
    /// Blocks above `ancestor` that were told as unfinalized are gone.
    case reorganised(ancestor: BlockReference)
    /// A finalized block changed. Written to the store as a stop before; nothing follows.
    case violated(reason: String)
}

package enum LogPollerOutcome: Sendable, Equatable {
    case idle
    case advanced(to: UInt64)
    case notYet(String)
    case stopped(String)
}

package actor LogPoller {
    package typealias Handler = @Sendable (LogPollerEvent) async throws -> Void

    /// Kind of the stop that a finality violation raises.
    package static let violationKind = "finalityViolation"
    package static func stopScope(chainID: UInt64) -> String { "chain/\(chainID)" }

    /// Name of the cursor, and of the poller in logs.
    package nonisolated let name: String
    private let endpoints: ChainEndpointSet
    private let store: Store
    private let filter: LogFilter
    private let startBlock: UInt64?
    private let followsLatest: Bool
    private let logger: Logger
    private let handler: Handler

    private var loaded = false
    private var cursor: Cursor?
    private var tail: ChainTail?
    private var settled: ChainHeads?
    private var window: LogWindow
    /// When a step last took everything up to a finalized head, and that head.
    private var completed: (through: UInt64, at: Double)?
    private var isStepping = false
    private var lastWarning = ""

    /// `startBlock`: the first block whose logs are wanted when there is no cursor yet; nil begins behind the finalized
    /// head. The filter must not change under one name.
    package init(
        name: String, endpoints: ChainEndpointSet, store: Store, filter: LogFilter, startBlock: UInt64? = nil,
        followLatest: Bool = false, logger: Logger, handler: @escaping Handler
    ) {
        self.name = name
        self.endpoints = endpoints
        self.store = store
        self.filter = filter
        self.startBlock = startBlock
        followsLatest = followLatest
        var logger = logger
        logger[metadataKey: LogKey.chain] = "\(endpoints.name)"
        logger[metadataKey: LogKey.poller] = "\(name)"
        self.logger = logger
        self.handler = handler
        window = LogWindow(maximum: endpoints.policy.logWindow)
    }

    /// The last finalized block whose logs were taken; nil before the first step.
    package var position: Cursor? { cursor }

    /// Finalized logs were taken up to `finalized`, or up to a finalized head of a moment ago: only then is the
    /// absence of a log worth something. Counted in time and not in blocks: a chain with a block for each transaction
    /// makes any number of them while a query is on its way.
    package func isCaughtUp(with finalized: UInt64) -> Bool {
        guard let completed else { return false }
        return completed.through >= finalized || ChainEndpoint.now - completed.at < Limits.caughtUpSeconds
    }

    private var scope: String { Self.stopScope(chainID: endpoints.chainID) }

    /// Until the task is cancelled or the chain is stopped. Steps that come to nothing are made again.
    package func run(heads tracker: HeadTracker) async -> LogPollerOutcome {
        for await heads in await tracker.updates() {
            if Task.isCancelled { break }
            switch await step(heads: heads) {
            case .stopped(let why): return .stopped(why)
            case .notYet(let why) where why != lastWarning:
                lastWarning = why
                logger.warning("logs wait", metadata: [LogKey.error: "\(why)"])
            case .advanced: lastWarning = ""
            default: break
            }
        }
        return .idle
    }

    /// Takes everything up to these heads.
    package func step(heads: ChainHeads) async -> LogPollerOutcome {
        // An actor lets others in while it waits; two steps at once would deliver twice.
        guard !isStepping else { return .idle }
        if heads == settled { return .idle }
        isStepping = true
        defer { isStepping = false }
        do throws(ChainAccessError) {
            if let stop = try stored({ store throws(StorageError) in try store.isStopped(scope) }) {
                return .stopped(stop.reason)
            }
            if !loaded {
                cursor = try stored { store throws(StorageError) in try store.cursor(name) }
                loaded = true
            }
        } catch { return .notYet(error.description) }
        let outcome = await takeFinalized(heads.finalized)
        switch outcome {
        case .notYet, .stopped: return outcome
        case .idle, .advanced: break
        }
        completed = (heads.finalized.number, ChainEndpoint.now)
        guard followsLatest else {
            settled = heads
            return outcome
        }
        let latest = await takeLatest(heads)
        if case .idle = latest { settled = heads }
        return latest == .idle ? outcome : latest
    }

    // MARK: Finalized

    private func takeFinalized(_ finalized: BlockReference) async -> LogPollerOutcome {
        guard let start = cursor else { return await begin(finalized) }
        if finalized.number < start.number { return await lookBack(finalized, start) }
        if finalized.number == start.number {
            return finalized.hash == start.hash ? .idle : await confirmViolation(start)
        }
        return await advance(from: start.number + 1, to: finalized)
    }

    private func begin(_ finalized: BlockReference) async -> LogPollerOutcome {
        guard let startBlock else {
            // Nothing before now is wanted: the cursor starts at the finalized head.
            return await deliver([], through: finalized)
        }
        guard startBlock <= finalized.number else { return .idle }
        return await advance(from: startBlock, to: finalized)
    }

    /// The finalized head went back: a lagging endpoint, unless the block there is another one than it was.
    private func lookBack(_ finalized: BlockReference, _ cursor: Cursor) async -> LogPollerOutcome {
        do throws(ChainAccessError) {
            let name = name
            let before = try stored { store throws(StorageError) in
                try store.cursorHistory(name, number: finalized.number)
            }
            guard let before, before != finalized.hash else {
                return .notYet("finalized went back from \(cursor.number) to \(finalized.number)")
            }
            return await confirmViolation(Cursor(number: finalized.number, hash: before))
        } catch { return .notYet(error.description) }
    }

    private func advance(from first: UInt64, to finalized: BlockReference) async -> LogPollerOutcome {
        var from = first
        while from <= finalized.number {
            let to = window.range(from: from, upTo: finalized.number).upperBound
            let known = cursor
            let anchor = known?.number ?? to
            switch await endpoints.agreedRange(filter, from...to, anchor: anchor) {
            case .ready(let range):
                if let known, range.anchor.hash != known.hash { return await confirmViolation(known) }
                if to == finalized.number, range.end.hash != finalized.hash {
                    return .notYet("block \(to) is not the finalized block that was announced")
                }
                let outcome = await deliver(range.logs, through: range.end)
                guard case .advanced = outcome else { return outcome }
                from = to + 1
                window.succeeded()
            case .notYet(let why, let errors):
                // Whatever the endpoint says: asking for less may be answered. What it refused is tried smaller at
                // once; another failure may be of the moment, and waits for the next head.
                let isRefusal = errors.contains(where: \.isRefusedQuestion)
                guard errors.contains(where: \.mayBeTooMuch), window.failed(to - from + 1, isRefusal: isRefusal),
                    isRefusal
                else { return .notYet(why) }
            case .refused(let error): return .notYet(error.description)
            }
        }
        return .advanced(to: finalized.number)
    }

    /// The handler first, the cursor after it.
    private func deliver(_ logs: [ChainLog], through block: BlockReference) async -> LogPollerOutcome {
        let next = Cursor(number: block.number, hash: block.hash)
        var isTipThere = false
        if let tail, tail.isPassed(by: block) {
            // Finality has overtaken all that we followed: not seeing the tip among the new blocks is no reorganisation.
            switch await endpoints.agreedBlock(tail.tip.number) {
            case .ready(let found): isTipThere = found.hash == tail.tip.hash
            case .notYet(let why): return .notYet("block \(tail.tip.number) is in doubt: \(why)")
            case .refused(let error): return .notYet(error.description)
            }
        }
        do {
            try await handler(.finalized(logs: logs, through: block))
            try store.setCursor(name, next)
        } catch {
            return .notYet("logs up to block \(block.number) were not taken: \(error)")
        }
        cursor = next
        if let ancestor = tail?.finalize(block, isTipThere: isTipThere) {
            do { try await handler(.reorganised(ancestor: ancestor)) } catch {
                return .notYet("a re-organisation was not taken: \(error)")
            }
        }
        return .advanced(to: block.number)
    }

    // MARK: Violations

    /// A quorum must say that a finalized block is another one now. Then: the stop is written, and only then told.
    private func confirmViolation(_ known: Cursor) async -> LogPollerOutcome {
        switch await endpoints.agreedBlock(known.number) {
        case .notYet(let why): return .notYet("finalized block \(known.number) is in doubt: \(why)")
        case .refused(let error): return .notYet(error.description)
        case .ready(let block):
            if block.hash == known.hash { return .notYet("finalized block \(known.number) was in doubt and is not") }
            let reason =
                "finalized block \(known.number) of chain \(endpoints.name) was \(known.hash) and is now \(block.hash)"
            do throws(StorageError) {
                try store.raiseStop(scope: scope, kind: Self.violationKind, reason: reason)
            } catch {
                endpoints.alarm("\(reason), and the stop could not be stored: \(error)")
                return .stopped(reason)
            }
            endpoints.alarm(reason)
            do { try await handler(.violated(reason: reason)) } catch {
                logger.error("the stop was not taken", metadata: [LogKey.error: "\(error)"])
            }
            return .stopped(reason)
        }
    }

    // MARK: Unfinalized

    private func takeLatest(_ heads: ChainHeads) async -> LogPollerOutcome {
        var tail = self.tail ?? ChainTail(anchor: heads.finalized)
        self.tail = tail
        if tail.contains(heads.latest) || heads.latest.number <= heads.finalized.number { return .idle }
        do {
            // A lower or equal height with another hash, or a child that does not fit: look where we part.
            var fresh = try await children(of: tail, upTo: heads.latest)
            if heads.latest.number <= tail.tip.number || fresh.first.map({ $0.parentHash != tail.tip.hash }) ?? false {
                guard let ancestor = try await ancestor(of: tail, heads.latest) else {
                    return await confirmViolation(Cursor(number: tail.anchor.number, hash: tail.anchor.hash))
                }
                if ancestor != tail.tip {
                    logger.notice("re-organised", metadata: [LogKey.block: "\(ancestor.number)"])
                    try await handler(.reorganised(ancestor: ancestor))
                    tail.truncate(to: ancestor)
                    self.tail = tail
                }
                fresh = try await children(of: tail, upTo: heads.latest)
            }
            return try await follow(fresh, heads)
        } catch {
            return .notYet("unfinalized blocks: \(error)")
        }
    }

    private func children(of tail: ChainTail, upTo latest: BlockReference) async throws -> [BlockReference] {
        let deepest = latest.number - min(latest.number, UInt64(Limits.tailBlocksMaximum) - 1)
        let first = max(tail.tip.number + 1, tail.blocks.isEmpty ? deepest : 0)
        guard first <= latest.number else { return [] }
        if first == latest.number { return [latest] }
        let last = min(latest.number, first + UInt64(Limits.headersPerStep) - 1)
        return try await endpoints.blocks(Array(first...last)).sorted { $0.number < $1.number }
    }

    /// Compares what we have with the chain as it is now, in one answer of one endpoint. Nil: below the finalized block.
    private func ancestor(of tail: ChainTail, _ latest: BlockReference) async throws -> BlockReference? {
        let numbers = [tail.anchor.number] + tail.blocks.map(\.number).filter { $0 <= latest.number }
        let seen = try await endpoints.blocks(numbers)
        guard seen.contains(where: { $0.number == tail.anchor.number }) else {
            throw ChainAccessError(.behind, "the endpoint does not know block \(tail.anchor.number)")
        }
        return tail.lastCommon(with: seen)
    }

    private func follow(_ fresh: [BlockReference], _ heads: ChainHeads) async throws -> LogPollerOutcome {
        guard var tail, let last = fresh.last else {
            guard let tip = tail?.tip, tip.number < heads.latest.number else { return .idle }
            return .notYet("no endpoint shows the blocks above \(tip.number)")
        }
        let logs = try await endpoints.logs(filter, of: fresh)
        for (block, found) in zip(fresh, logs) {
            guard tail.append(block) else { return .notYet("block \(block.number) does not follow") }
            try await handler(.unfinalized(block: block, logs: found))
            self.tail = tail
        }
        return last.number >= heads.latest.number ? .idle : .advanced(to: last.number)
    }

    private func stored<Value>(
        _ body: (Store) throws(StorageError) -> Value
    ) throws(ChainAccessError) -> Value {
        do throws(StorageError) { return try body(store) } catch { throw ChainAccessError(error) }
    }
}
