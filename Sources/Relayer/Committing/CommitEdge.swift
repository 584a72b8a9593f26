// The commit plugin's side to the world: reads what CommitObserver asks for, sends what the cluster attested.

import Agreement
import CCIP
import ChainAccess
import Committing
import Ethereum
import Foundation
import Logging
import OffchainReporting
import Storage
import Synchronization

/// One destination of a committing process.
final class CommitEdge: PluginEdge {
    let observer: CommitObserver
    let destination: ChainWatch
    private let sources: [ChainWatch]
    private let reader: DestinationReader
    let keeper: BookKeeper
    private let sender: TransactionSender?
    private let prices: PriceBoard
    /// Nil in a cluster without guards.
    let guards: BlessingCollector?
    private let stops: LaneStops
    /// The digest that the OffRamp has installed.
    let digest: Hash32
    /// The digest by which oracles know the instance.
    private let instance: Digest
    private let base: ContextBase
    let notes: CommitNotes
    let halt = TransmissionHalt()
    let logger: Logger

    struct Memory {
        var previousOutcome: Bytes = []
        var leaves: [LaneKey: [UInt64: MessageLeaf]] = [:]
        /// Of the first message of each lane that no root covers, with the monotonic time since when.
        var standings: [ChainSelector: (standing: CommitStanding, since: UInt64)] = [:]
    }
    let memory = Mutex(Memory())

    init(
        observer: CommitObserver, destination: ChainWatch, sources: [ChainWatch], keeper: BookKeeper,
        sender: TransactionSender?, prices: PriceBoard, guards: BlessingCollector?, stops: LaneStops, instance: Digest,
        base: ContextBase, notes: CommitNotes, logger: Logger
    ) {
        self.observer = observer
        self.destination = destination
        self.sources = sources
        self.keeper = keeper
        self.sender = sender
        self.prices = prices
        self.guards = guards
        self.stops = stops
        self.instance = instance
        self.base = base
        self.notes = notes
        self.logger = logger
        digest = destination.settings.commitDigest
        let rules = observer.configuration.prices
        reader = DestinationReader(
            watch: destination, sources: observer.configuration.lanes.map(\.source), plugin: .commit,
            pricedTokens: rules?.tokens.map(\.token) ?? [], pricedChains: rules?.gas.map(\.chain) ?? [],
            readsRMN: observer.configuration.blessing != nil)
    }

    /// After a restart: the outcome that the instance restored.
    func restored(outcome: [UInt8]) {
        memory.withLock { $0.previousOutcome = outcome }
        askGuards(outcome)
    }

    var previousOutcome: Bytes { memory.withLock { $0.previousOutcome } }

    // MARK: Rounds

    func observe(previousOutcome: [UInt8], sequenceNumber: UInt64) async throws -> [UInt8] {
        let snapshot = try await snapshot(previousOutcome)
        let (observation, found) = try observer.observe(previousOutcome: previousOutcome, snapshot: snapshot)
        notes.observed(found)
        logger.debug(
            "observed", metadata: ["round": "\(sequenceNumber)", "notes": "\(found.map(\.description))"])
        return observation.encoded
    }

    func committed(sequenceNumber: UInt64, outcome: [UInt8]) {
        memory.withLock { $0.previousOutcome = outcome }
        notes.committed(sequenceNumber: sequenceNumber)
        askGuards(outcome)
    }

    /// What the outcome wants to have signed. Does not wait.
    private func askGuards(_ outcome: [UInt8]) {
        guard let guards, let needs = try? observer.needs(previousOutcome: outcome) else { return }
        guards.ask(needs.blessing, destination: destination.settings, instance: instance.bytes)
    }

    /// Whether a round would come to something now.
    func hasWork() async -> Bool {
        let previous = previousOutcome
        do {
            let snapshot = try await snapshot(previous)
            note(previous, snapshot)
            return try observer.hasWork(previousOutcome: previous, snapshot: snapshot)
        } catch {
            logger.debug("no look at the destination", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Cheap: whether a look at the destination is worth it. True while messages are there that no root covers, and
    /// while something reported has not shown yet.
    func isBusy() -> Bool {
        let previous = previousOutcome
        guard let needs = try? observer.needs(previousOutcome: previous) else { return true }
        if needs.readsPriceSequenceNumber || needs.blessing != nil { return true }
        return needs.lanes.contains { lane in
            guard case .select = lane.want else { return true }
            let key = LaneKey(source: lane.lane.source, destination: observer.configuration.destination)
            return keeper.read { book in
                let known = book.lane(key)
                let covered = known.openRoots.map(\.root.last.rawValue).max() ?? known.lastRetired
                return known.lastSent > covered
            }
        }
    }

    func snapshot(_ previous: Bytes) async throws -> CommitSnapshot {
        let needs = try observer.needs(previousOutcome: previous)
        var snapshot = CommitSnapshot(timestampMilliseconds: UInt64(Date().timeIntervalSince1970 * 1_000))
        snapshot.haltedSources = halted
        snapshot.signatures = guards?.votes(observer.configuration.destination)
        stopContradicted(needs.blessing)
        if needs.readsDestination, !keeper.isStopped(destination.settings.selector) {
            switch await reader.read() {
            case .ready(let state): snapshot.destination = reading(state)
            case .notYet(let why): logger.debug("destination not read", metadata: ["why": "\(why)"])
            case .refused(let error): throw error
            }
        }
        for lane in needs.lanes where lane.readsSource {
            snapshot.sources[lane.lane.source] = source(lane, snapshot.destination)
        }
        if needs.readsPrices { addPrices(to: &snapshot) }
        return snapshot
    }

    /// Sources that this process does not vouch for.
    private var halted: Set<ChainSelector> {
        let to = observer.configuration.destination
        return Set(
            sources.map(\.settings.selector).filter { source in
                keeper.isStopped(source) || stops.isStopped(LaneKey(source: source, destination: to))
            })
    }

    /// A root that as many guards contradict as could sign it is wrong, or they are: nothing of the lane goes on until a
    /// person has looked.
    private func stopContradicted(_ request: BlessingRequest?) {
        guard let guards, let request else { return }
        let to = observer.configuration.destination
        for root in request.roots
        where guards.contradictions(to, of: root.source) >= request.remote.signaturesNeeded {
            stops.stop(
                LaneKey(source: root.source, destination: to),
                reason: "guards derive another root for messages \(root.first) to \(root.last)")
        }
    }

    /// Sequence numbers in it are those of agreement.
    private func reading(_ state: DestinationState) -> DestinationSnapshot {
        halt.saw(state.installed)
        return DestinationSnapshot(
            curse: .known(state.curse), sourceConfigs: state.sources,
            configurationDigest: state.installed.configurationDigest,
            latestPriceSequenceNumber: base.relative(state.latestPriceSequenceNumber), gasPrices: state.gasPrices,
            tokenPrices: state.tokenPrices, blockTimestamp: state.block.timestamp,
            rmn: state.rmn.flatMap { RMNRemoteConfiguration($0.config, at: $0.address) })
    }

    /// Finalized messages of one lane from the book, with their leaves.
    private func source(_ lane: CommitReads.Lane, _ destination: DestinationSnapshot?) -> SourceSnapshot {
        let next = destination?.sourceConfigs[lane.lane.source]?.minSequenceNumber.rawValue
        let range: ClosedRange<UInt64>?
        switch lane.want {
        case .build(let wanted): range = wanted.first.rawValue...wanted.last.rawValue
        case .select(let count): range = Self.window(next, count)
        case .wait(let pending, let count): range = next == pending.first.rawValue ? nil : Self.window(next, count)
        }
        let key = LaneKey(source: lane.lane.source, destination: observer.configuration.destination)
        let (lastSent, messages) = keeper.read { book -> (UInt64, [EVM2AnyRampMessage]) in
            let known = book.lane(key)
            guard let range else { return (known.lastSent, []) }
            var messages: [EVM2AnyRampMessage] = []
            for number in range {
                guard let sent = known.messages[number] else { break }
                messages.append(sent.message)
            }
            return (known.lastSent, messages)
        }
        return SourceSnapshot(finalizedMaximum: lastSent, leaves: leaves(of: messages, lane.lane, key))
    }

    private static func window(_ next: UInt64?, _ count: Int) -> ClosedRange<UInt64>? {
        guard let next, count > 0 else { return nil }
        let (last, overflow) = next.addingReportingOverflow(UInt64(count) - 1)
        return next...(overflow ? .max : last)
    }

    /// Each leaf is computed once.
    private func leaves(of messages: [EVM2AnyRampMessage], _ lane: MessageLane, _ key: LaneKey) -> [MessageLeaf] {
        var cached = memory.withLock { $0.leaves[key] ?? [:] }
        var leaves: [MessageLeaf] = []
        var isChanged = false
        for message in messages {
            let number = message.header.sequenceNumber.rawValue
            if let leaf = cached[number], leaf.messageID == message.header.messageID {
                leaves.append(leaf)
                continue
            }
            let leaf: MessageLeaf
            do {
                leaf = try MessageValidation.leaf(of: message, lane: lane)
            } catch {
                // The lane stops in front of it, and says so each time: a message of ours that is none is an alarm.
                logger.error("message refused", metadata: ["lane": "\(key)", "sequence": "\(number)", "error": "\(error)"])
                break
            }
            cached[number] = leaf
            leaves.append(leaf)
            isChanged = true
        }
        if isChanged {
            if cached.count > Limits.messagesPerLaneMaximum, let first = leaves.first?.sequenceNumber.rawValue {
                cached = cached.filter { $0.key >= first }
            }
            memory.withLock { [cached] in $0.leaves[key] = cached }
        }
        return leaves
    }

    /// What the board knows now: no round waits for a price.
    private func addPrices(to snapshot: inout CommitSnapshot) {
        snapshot.feedPrices = prices.tokens(of: observer.configuration.destination)
        for watch in sources {
            let selector = watch.settings.selector
            guard let known = prices.prices(of: selector) else { continue }
            snapshot.sources[selector, default: SourceSnapshot()].fees = known.fees
            snapshot.sources[selector]?.nativePrice = known.native
        }
    }

    // MARK: Reports

    func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool? { await judge(report, key, isTurn: false) }
    func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool? { await judge(report, key, isTurn: true) }

    private func judge(_ report: Report, _ key: ReportKey, isTurn: Bool) async -> Bool? {
        guard !keeper.isStopped(destination.settings.selector) else { return false }
        guard let digest = Digest(digest.bytes) else { return false }
        let snapshot: CommitSnapshot
        do {
            snapshot = try await checkSnapshot(report)
        } catch {
            logger.warning("report not judged", metadata: ["report": "\(key.sequenceNumber)", "error": "\(error)"])
            return nil
        }
        let verdict =
            isTurn
            ? observer.shouldTransmit(
                report, sequenceNumber: key.sequenceNumber, configurationDigest: digest, snapshot: snapshot)
            : observer.shouldAccept(
                report, sequenceNumber: key.sequenceNumber, configurationDigest: digest, snapshot: snapshot)
        if !verdict.isAccepted {
            logger.info("report dropped", metadata: ["report": "\(key.sequenceNumber)", "verdict": "\(verdict)"])
        }
        return verdict.isAccepted
    }

    private func checkSnapshot(_ report: Report) async throws -> CommitSnapshot {
        var snapshot = CommitSnapshot(timestampMilliseconds: UInt64(Date().timeIntervalSince1970 * 1_000))
        switch await reader.read() {
        case .ready(let state): snapshot.destination = reading(state)
        case .notYet(let why): throw RelayerError(.chain, why)
        case .refused(let error): throw error
        }
        snapshot.haltedSources = halted
        for root in observer.decode(report)?.roots ?? [] {
            guard let lane = observer.configuration.lane(from: root.source), let range = root.range else { continue }
            let reads = CommitReads.Lane(lane: lane.lane, want: .build(range), readsSource: true)
            snapshot.sources[root.source] = source(reads, snapshot.destination)
        }
        return snapshot
    }

    func transmit(_ attested: AttestedReport) async {
        let number = attested.key.sequenceNumber
        guard let sender, halt.reason == nil, !keeper.isStopped(destination.settings.selector) else { return }
        do {
            let signatures = try attested.signatures.map { try Signature(bytes: $0.signature) }
            let context = ReportContext(configurationDigest: digest, sequenceNumber: base.value &+ number)
            let callData = try context.commitCall(encodedReport: attested.report.bytes, signatures: signatures)
            guard let report = observer.decode(attested.report) else { return }
            let gas = CommitGas.limit(report, signatures: signatures.count, callData: callData)
            let to = destination.settings.contracts.offRamp
            if let reason = await revertReason(callData, gas: gas, from: sender.address) {
                logger.info("report would revert", metadata: ["report": "\(number)", "reason": "\(reason)"])
                react(to: reason)
                return
            }
            let index = attested.key.index
            let key = keccak256(
                Bytes("causeway.commit".utf8) + instance.bytes + Bytes(bigEndian: number)
                    + (index == 0 ? [] : Bytes(bigEndian: UInt64(index))))
            let status = try await sender.submit(key: key, to: to, data: callData, gasLimit: gas) {
                [weak self] in await self?.isWanted(callData, gas: gas, from: sender.address)
            }
            logger.info("commit report sent", metadata: ["report": "\(number)", "status": "\(status)"])
        } catch {
            logger.error("commit report not sent", metadata: ["report": "\(number)", "error": "\(error)"])
        }
    }

    /// Before a higher price is paid: another transmitter's report may have landed meanwhile.
    private func isWanted(_ callData: Bytes, gas: UInt64, from: Address) async -> Bool? {
        guard let reason = await revertReason(callData, gas: gas, from: from) else { return nil }
        return !reason.reactions.contains(.discard)
    }

    private func react(to reason: RevertReason) {
        for reaction in reason.reactions {
            switch reaction {
            case .haltInstance: halt.raise("the OffRamp answers \(reason)")
            case .stopChain: keeper.halt(destination.settings, kind: "forkedChain", reason: "the OffRamp answers \(reason)")
            case .alarm: logger.error("the OffRamp refuses a report", metadata: ["reason": "\(reason)"])
            case .discard, .retryLater, .raiseGas: break
            }
        }
    }

    /// A report that would revert is not sent: another transmitter's may have landed meanwhile. Nil when it runs through,
    /// and when no endpoint answers: the outbox waits for one.
    private func revertReason(_ callData: Bytes, gas: UInt64, from: Address) async -> RevertReason? {
        let target = CallTarget(
            to: destination.settings.contracts.offRamp, data: callData, from: from, gas: gas)
        let results = (try? await destination.endpoints.calls([target], at: .latest)) ?? []
        guard case .failure(let error) = results.first, error.code == .reverted else { return nil }
        return RevertReason(error.revertData ?? [])
    }
}
