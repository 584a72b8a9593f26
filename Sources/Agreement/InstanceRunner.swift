// Performs the actions of one agreement instance, strictly in order, on a thread of its own.
// No decision lives here: what to send, store or ask comes from the Instance value alone.

import Dispatch
import Foundation
import Logging
import OffchainReporting
import Storage
import Synchronization

/// One serial loop per instance (ccip-offchain.md 0.3): mailbox in, actions out. Writes are synchronous on this thread,
/// so nothing that depends on a vote leaves before the vote is on disk.
package final class InstanceRunner: @unchecked Sendable {
    /// How bytes get to peers.
    package struct Links: Sendable {
        package var send: @Sendable (_ oracle: Int, _ bytes: [UInt8]) -> Void
        package var broadcast: @Sendable (_ bytes: [UInt8]) -> Void

        package init(
            send: @escaping @Sendable (Int, [UInt8]) -> Void, broadcast: @escaping @Sendable ([UInt8]) -> Void
        ) {
            self.send = send
            self.broadcast = broadcast
        }
    }

    /// What others may know of a running instance.
    package struct Status: Sendable, Equatable {
        package var epoch: UInt64 = 0
        package var leader = 0
        package var committedSequenceNumber: UInt64 = 0
        package var refused: UInt64 = 0
        package var alarms: UInt64 = 0
        package var droppedMessages: UInt64 = 0
        /// Monotonic milliseconds of the last turn of the loop.
        package var lastTurn: Milliseconds = 0
        /// Why the loop ended, other than by `stop`.
        package var failure: String?
    }

    package let configuration: InstanceConfiguration
    private let edge: any PluginEdge
    /// The same edge where it answers at once.
    private let immediate: (any ImmediateEdge)?
    private let store: Store
    private let links: Links
    private let logger: Logger
    private let onFailure: @Sendable (String) -> Void

    private let mailbox = NSCondition()
    // Guarded by `mailbox`.
    private var waiting: [Event] = []
    private var workIsWaiting = false
    private var isStopping = false
    private var hasEnded = false

    // Touched by the loop's thread alone.
    private var instance: Instance
    private var timers: [(id: TimerID, deadline: Milliseconds)] = []

    private let shared = Mutex(Status())
    /// The round whose observation is wanted.
    private let observing = Mutex<RoundTag?>(nil)

    package init(
        configuration: InstanceConfiguration, plugin: any ReportingPlugin, crypto: Cryptography, edge: any PluginEdge,
        store: Store, links: Links, logger: Logger, onFailure: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.edge = edge
        immediate = edge as? any ImmediateEdge
        self.store = store
        self.links = links
        self.logger = logger
        self.onFailure = onFailure
        instance = Instance(configuration: configuration, plugin: plugin, crypto: crypto)
    }

    package var status: Status { shared.withLock { $0 } }

    /// Milliseconds of a clock that never goes back.
    package static func now() -> Milliseconds { DispatchTime.now().uptimeNanoseconds / 1_000_000 }

    /// Restores the state and starts the loop. `isLost` is the operator's word that the store of this oracle is gone.
    package func start(isLost: Bool = false) throws {
        let restored = try restoredState(isLost: isLost)
        let thread = Thread { [self] in run(restored) }
        thread.name = "ocr-\(configuration.label.plugin)"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Rows decide, whatever else the store says: fresh is only an instance of which no row was ever written. Without a
    /// row nothing that binds has left the process, and a damaged store is refused when it is opened.
    func restoredState(isLost: Bool) throws -> RestoredState {
        let digest = configuration.digest
        _ = try store.registerInstance(
            digest: digest.bytes, plugin: configuration.label.plugin,
            destination: configuration.label.destinationSelector)
        if isLost { return .lost }
        let rows = try store.votes(digest: digest.bytes)
        return try DurableState.restoring(rows, for: digest).map { .intact($0) } ?? .fresh
    }

    package func stop() {
        mailbox.lock()
        isStopping = true
        mailbox.signal()
        while !hasEnded, mailbox.wait(until: Date(timeIntervalSinceNow: 5)) {}
        mailbox.unlock()
    }

    /// Bytes of a peer whose key the transport has proven. Dropped, and counted, when the loop is far behind.
    package func receive(from oracle: Int, _ bytes: [UInt8]) {
        post(.message(from: oracle, bytes: bytes), isDroppable: true)
    }

    /// This oracle has something new to report. Many calls before the next turn count as one.
    package func workAvailable() {
        mailbox.lock()
        workIsWaiting = true
        mailbox.signal()
        mailbox.unlock()
    }

    /// Every receiver has so many reports of an outcome (`Event.reportsDelivered`).
    package func reportsDelivered(sequenceNumber: UInt64, count: Int) {
        post(.reportsDelivered(sequenceNumber: sequenceNumber, count: count), isDroppable: true)
    }

    /// An answer that was there at once: the next thing the loop does. True, so that the list of actions goes on.
    private func postFromLoop(_ event: Event) -> Bool {
        post(event)
        return true
    }

    private func post(_ event: Event, isDroppable: Bool = false) {
        mailbox.lock()
        defer { mailbox.unlock() }
        if isDroppable, waiting.count >= Limits.mailboxMessagesMaximum {
            shared.withLock { $0.droppedMessages += 1 }
            return
        }
        waiting.append(event)
        mailbox.signal()
    }

    // MARK: The loop

    private func run(_ restored: RestoredState) {
        if case .intact(let state) = restored { edge.restored(outcome: state.committed?.outcome ?? []) }
        perform(.started(restored))
        while let events = nextEvents() {
            for event in events { perform(event) }
            shared.withLock { [instance] in
                $0.lastTurn = Self.now()
                $0.committedSequenceNumber = instance.committedSequenceNumber
            }
        }
        mailbox.lock()
        hasEnded = true
        mailbox.broadcast()
        mailbox.unlock()
    }

    /// Waits for mail or the next deadline; nil ends the loop.
    private func nextEvents() -> [Event]? {
        mailbox.lock()
        defer { mailbox.unlock() }
        while !isStopping {
            var events = waiting
            waiting.removeAll(keepingCapacity: true)
            if workIsWaiting {
                events.append(.workAvailable)
                workIsWaiting = false
            }
            let now = Self.now()
            for timer in timers where timer.deadline <= now { events.append(.timerFired(timer.id)) }
            timers.removeAll { $0.deadline <= now }
            if !events.isEmpty { return events }
            let next = timers.map(\.deadline).min() ?? now + 1_000
            _ = mailbox.wait(until: Date(timeIntervalSinceNow: Double(next - now) / 1_000 + 0.000_5))
        }
        return nil
    }

    private func perform(_ event: Event) {
        guard shared.withLock({ $0.failure }) == nil else { return }
        for action in instance.handle(event, at: Self.now()) {
            guard perform(action) else { return }
        }
    }

    /// False when the rest of the list must not happen.
    private func perform(_ action: Action) -> Bool {
        switch action {
        case .persist(let records): return persist(records)
        case .send(let oracle, let bytes): links.send(oracle, bytes)
        case .broadcast(let bytes): links.broadcast(bytes)
        case .setTimer(let id, let deadline):
            timers.removeAll { $0.id == id }
            timers.append((id, deadline))
        case .cancelTimer(let id): timers.removeAll { $0.id == id }
        case .requestObservation(let tag, let previousOutcome, _): observe(tag, previousOutcome)
        case .outcomeCommitted(let sequenceNumber, let outcome):
            edge.committed(sequenceNumber: sequenceNumber, outcome: outcome)
        case .askAcceptance(let key, let report):
            if let immediate { return postFromLoop(.acceptanceAnswered(key, immediate.accepts(report, key))) }
            Task { [self] in post(.acceptanceAnswered(key, await edge.shouldAccept(report, key) ?? true)) }
        case .askTransmission(let key, let report):
            if immediate != nil { return postFromLoop(.transmissionAnswered(key, true)) }
            Task { [self] in post(.transmissionAnswered(key, await isToBeSent(report, key))) }
        case .transmit(let report):
            if let immediate { immediate.carry(report) } else { Task { [self] in await edge.transmit(report) } }
        case .epochEntered(let epoch, let leader):
            shared.withLock { ($0.epoch, $0.leader) = (epoch, leader) }
            logger.info("epoch entered", metadata: ["epoch": "\(epoch)", "leader": "\(leader)"])
        case .refused(let refusal):
            shared.withLock { $0.refused += 1 }
            logger.debug("input refused", metadata: ["refusal": "\(refusal)"])
        case .alarm(let alarm): raise(alarm)
        }
        return true
    }

    private func persist(_ records: [DurableRecord]) -> Bool {
        let digest = configuration.digest
        do {
            try store.upsertVotes(records.map { record in
                VoteRow(digest: digest.bytes, slot: [record.slot.rawValue], bytes: record.encoded(for: digest))
            })
            return true
        } catch {
            let reason = "votes cannot be stored: \(error)"
            shared.withLock { $0.failure = reason }
            logger.critical("instance stopped", metadata: ["reason": "\(reason)"])
            onFailure(reason)
            return false
        }
    }

    private func observe(_ tag: RoundTag, _ previousOutcome: [UInt8]) {
        observing.withLock { $0 = tag }
        let end = Self.now() + Milliseconds(Double(configuration.timing.deltaProgress) * Limits.observationShare)
        Task { [self] in
            while true {
                do {
                    let bytes = try await edge.observe(
                        previousOutcome: previousOutcome, sequenceNumber: tag.sequenceNumber)
                    return post(.observationReady(tag, bytes))
                } catch {
                    // One request that failed must not cost the round an observation; a round that is over wants none.
                    guard Self.now() + Limits.questionPauseMilliseconds < end, observing.withLock({ $0 == tag }),
                        !Task.isCancelled
                    else { return post(.observationFailed(tag, reason: "\(error)")) }
                    logger.debug("observation tried again", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .milliseconds(Limits.questionPauseMilliseconds))
            }
        }
    }

    /// Asks until the world answers, as long as one transmitter's turn lasts; then it is the next one's.
    private func isToBeSent(_ report: Report, _ key: ReportKey) async -> Bool {
        let end = Self.now() + configuration.timing.deltaStage
        while true {
            if let answer = await edge.shouldTransmit(report, key) { return answer }
            guard Self.now() + Limits.transmissionPauseMilliseconds < end else { return false }
            try? await Task.sleep(for: .milliseconds(Limits.transmissionPauseMilliseconds))
        }
    }

    private func raise(_ alarm: Alarm) {
        shared.withLock { $0.alarms += 1 }
        logger.error("alarm", metadata: ["alarm": "\(alarm)"])
        guard case .equivocation(let accused, let what, let first, let second) = alarm else { return }
        do {
            try store.appendEvidence(
                digest: configuration.digest.bytes, accused: accused, kind: what, first: first, second: second)
        } catch {
            logger.error("evidence could not be stored", metadata: ["error": "\(error)"])
        }
    }
}
