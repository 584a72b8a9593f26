// The execute plugin's side to the world: what the book, the pair and the destination say, handed to ExecuteObserver;
// what the cluster agreed on, simulated and sent.

import CCIP
import ChainAccess
import Ethereum
import Executing
import Logging
import OffchainReporting
import Storage
import Synchronization

/// One destination of an executing process.
final class ExecuteEdge: PluginEdge {
    private let destination: ChainWatch
    private let reader: DestinationReader
    private let keeper: BookKeeper
    private let sender: TransactionSender
    private let configuration: ExecuteConfiguration
    private let digest: Hash32
    private let logger: Logger

    private struct Memory: Sendable {
        var observer: ExecuteObserver
        var shelf: PairFeedShelf
        var previousOutcome: Bytes = []
        /// Messages by key, proven by their root or read from the source by this process.
        var messages: [MessageKey: SourceMessage] = [:]
        var verdicts: [MessageKey: SimulationVerdict] = [:]
        var installedDigest: Hash32?
        /// Reports on their way, by idempotency key.
        var underway: [Hash32: Bytes] = [:]
    }
    private let memory: Mutex<Memory>

    init(
        configuration: ExecuteConfiguration, ownIndex: Int, destination: ChainWatch, keeper: BookKeeper,
        sender: TransactionSender, logger: Logger
    ) {
        self.configuration = configuration
        self.destination = destination
        self.keeper = keeper
        self.sender = sender
        self.logger = logger
        digest = configuration.configurationDigest
        memory = Mutex(Memory(
            observer: ExecuteObserver(configuration: configuration, ownIndex: ownIndex),
            shelf: PairFeedShelf(configuration: configuration)))
        reader = DestinationReader(
            watch: destination, sources: configuration.sources.map(\.selector), plugin: .execution, pricedTokens: [],
            pricedChains: [])
    }

    var previousOutcome: Bytes { memory.withLock { $0.previousOutcome } }

    func restored(outcome: [UInt8]) {
        let now = InstanceRunner.now()
        memory.withLock { memory in
            memory.previousOutcome = outcome
            memory.observer.outcomeCommitted(outcome, installedDigest: digest, now: now)
        }
    }

    // MARK: The pair

    /// A frame of the committing pair: kept until the chain confirms it.
    func feed(_ frame: PairFeedFrame) {
        let receipt = memory.withLock { $0.shelf.accept(frame) }
        for refusal in receipt.refusals {
            logger.warning("fed item refused", metadata: ["refusal": "\(refusal)"])
        }
        if receipt.missedFrames > 0 {
            logger.info("feed has a gap", metadata: ["frames": "\(receipt.missedFrames)"])
        }
    }

    // MARK: Snapshots

    private func lane(_ source: ChainSelector) -> LaneKey {
        LaneKey(source: source, destination: configuration.destination.selector)
    }

    /// Everything but the nonces, which depend on what is pending.
    private func snapshot() async throws -> ExecuteSnapshot {
        guard !keeper.isStopped(destination.settings.selector) else {
            throw RelayerError(.stopped, "\(destination.settings.name) is stopped", hint: "read /ready, then the store's stops")
        }
        let state: DestinationState
        switch await reader.read() {
        case .ready(let ready): state = ready
        case .notYet(let why): throw RelayerError(.chain, why)
        case .refused(let error): throw error
        }
        guard await destination.isCaughtUp() else {
            throw RelayerError(.chain, "logs of \(destination.settings.name) are not read up to the finalized head yet")
        }
        var snapshot = ExecuteSnapshot(
            destinationTimestamp: state.block.timestamp, curse: .known(state.curse),
            installedDigest: state.installed.configurationDigest, sources: state.sources)
        for source in configuration.sources where !keeper.isStopped(source.selector) {
            let known = keeper.read { $0.lane(lane(source.selector)) }
            for entry in known.openRoots where !isFinished(entry.root, known) {
                snapshot.roots.append(CommittedRoot(root: entry.root, timestamp: entry.place.timestamp))
                addStates(of: entry.root, known, &snapshot)
                addMessages(of: entry.root, known, &snapshot)
            }
        }
        let verdicts = memory.withLock { memory in
            memory.installedDigest = state.installed.configurationDigest
            return memory.verdicts
        }
        snapshot.verdicts = verdicts
        return snapshot
    }

    private func isFinished(_ root: MerkleRoot, _ lane: MessageBook.Lane) -> Bool {
        root.allNumbers { lane.executions[$0]?.state.isTouched == true }
    }

    private func addStates(of root: MerkleRoot, _ lane: MessageBook.Lane, _ snapshot: inout ExecuteSnapshot) {
        guard let range = root.range else { return }
        for number in range.numbers {
            let entry = lane.execution(number.rawValue)
            snapshot.states[MessageKey(source: root.source, sequenceNumber: number)] = ExecutionRecord(
                entry?.state ?? .untouched, isFinal: entry?.isFinal ?? false, returnData: entry?.returnData ?? [])
        }
    }

    /// Fed messages count when their whole root proves them; else what this process has read from the source itself.
    private func addMessages(of root: MerkleRoot, _ lane: MessageBook.Lane, _ snapshot: inout ExecuteSnapshot) {
        guard let range = root.range else { return }
        let keys = range.numbers.map { MessageKey(source: root.source, sequenceNumber: $0) }
        var (found, fed) = memory.withLock { memory -> ([MessageKey: SourceMessage], FeedVerdict?) in
            var found: [MessageKey: SourceMessage] = [:]
            for key in keys { found[key] = memory.messages[key] }
            return (found, found.count == keys.count ? nil : memory.shelf.verify(root))
        }
        switch fed {
        case .verified(let messages):
            for message in messages { found[message.key] = SourceMessage(plain: message, onRamp: root.onRamp) }
            memory.withLock { $0.shelf.discard(root) }
        case .contradicts:
            logger.error("the pair's feed contradicts the chain", metadata: ["root": "\(root.root)"])
            memory.withLock { $0.shelf.discard(root, contradicted: true) }
        case .incomplete, nil: break
        }
        for (number, key) in zip(range.numbers, keys) where found[key] == nil {
            guard let sent = lane.messages[number.rawValue],
                let converted = try? Any2EVMRampMessage(converting: sent.message)
            else { continue }
            found[key] = SourceMessage(plain: converted, onRamp: root.onRamp)
        }
        for key in keys { snapshot.messages[key] = found[key] }
        memory.withLock { [found] in $0.messages.merge(found) { _, new in new } }
    }

    /// A snapshot with the nonces that decide, put through `settle`.
    private func fullSnapshot(_ previous: Bytes) async throws -> ExecuteSnapshot {
        var snapshot = try await snapshot()
        let now = InstanceRunner.now()
        let senders = memory.withLock { [snapshot] memory -> [SenderKey] in
            memory.observer.settle(previousOutcome: previous, snapshot: snapshot, now: now)
            return memory.observer.needs(previousOutcome: previous, snapshot: snapshot, now: now).nonces
        }
        if !senders.isEmpty {
            let calls = senders.map { NonceManagerCalls.inboundNonce($0.source, $0.sender) }
            let manager = destination.settings.contracts.nonceManager
            guard let head = await destination.heads.current else { throw RelayerError(.chain, "no head yet") }
            let reader = ContractReader(destination.endpoints)
            switch await reader.agreedAll(calls.map { ($0, manager) }, at: head.latest) {
            case .ready(let nonces): for (sender, nonce) in zip(senders, nonces) { snapshot.nonces[sender] = nonce }
            case .notYet(let why): throw RelayerError(.chain, why)
            case .refused(let error): throw error
            }
        }
        forget(snapshot)
        return snapshot
    }

    /// Keeps of messages and verdicts only what roots still need.
    private func forget(_ snapshot: ExecuteSnapshot) {
        memory.withLock { memory in
            guard memory.messages.count > 2 * snapshot.states.count + 512 else { return }
            memory.messages = memory.messages.filter { snapshot.states[$0.key] != nil }
            memory.verdicts = memory.verdicts.filter { snapshot.states[$0.key] != nil }
        }
    }

    // MARK: Rounds

    func observe(previousOutcome: [UInt8], sequenceNumber: UInt64) async throws -> [UInt8] {
        let snapshot = try await fullSnapshot(previousOutcome)
        let now = InstanceRunner.now()
        return memory.withLock {
            $0.observer.observation(previousOutcome: previousOutcome, snapshot: snapshot, now: now)
        }
    }

    func committed(sequenceNumber: UInt64, outcome: [UInt8]) {
        let now = InstanceRunner.now()
        memory.withLock { memory in
            memory.previousOutcome = outcome
            memory.observer.outcomeCommitted(outcome, installedDigest: memory.installedDigest ?? digest, now: now)
        }
    }

    /// Cheap: whether some root has a message that is not executed, as far as the book knows.
    func isBusy() -> Bool {
        keeper.read { book in
            configuration.sources.contains { source in
                let known = book.lane(lane(source.selector))
                return known.openRoots.contains { entry in
                    !entry.root.allNumbers { known.execution($0)?.state.isTouched == true }
                }
            }
        }
    }

    func hasWork() async -> Bool {
        let previous = previousOutcome
        let snapshot: ExecuteSnapshot
        do {
            snapshot = try await fullSnapshot(previous)
        } catch {
            logger.debug("no look at the destination", metadata: ["error": "\(error)"])
            return false
        }
        let now = InstanceRunner.now()
        return memory.withLock { $0.observer.hasWork(previousOutcome: previous, snapshot: snapshot, now: now) }
    }

    /// Why a message is where it is; nil for one of another lane.
    func standing(of key: MessageKey) async throws -> MessageStanding {
        let previous = previousOutcome
        let snapshot = try await fullSnapshot(previous)
        let now = InstanceRunner.now()
        return memory.withLock {
            $0.observer.standing(of: key, previousOutcome: previous, snapshot: snapshot, now: now)
        }
    }

    // MARK: Reports

    func shouldAccept(_ report: Report, _ key: ReportKey) async -> Bool {
        guard await judge(report, key, isTurn: false) else { return false }
        return await simulates(report, key) != nil
    }

    func shouldTransmit(_ report: Report, _ key: ReportKey) async -> Bool { await judge(report, key, isTurn: true) }

    private func judge(_ report: Report, _ key: ReportKey, isTurn: Bool) async -> Bool {
        do {
            var snapshot = try await snapshot()
            let reports = try [ExecutionReport](encodedReports: report.bytes)
            guard !reports.contains(where: { keeper.isStopped($0.source) }) else {
                logger.warning("report of a stopped chain dropped", metadata: ["report": "\(key.sequenceNumber)"])
                return false
            }
            try await readStates(of: reports, into: &snapshot)
            let judgement = memory.withLock { [snapshot] memory in
                isTurn
                    ? memory.observer.shouldTransmit(report: report.bytes, snapshot: snapshot)
                    : memory.observer.shouldAccept(report: report.bytes, snapshot: snapshot)
            }
            guard case .drop(let reason) = judgement else { return true }
            logger.info("report dropped", metadata: ["report": "\(key.sequenceNumber)", "reason": "\(reason)"])
        } catch {
            logger.warning("report not judged", metadata: ["report": "\(key.sequenceNumber)", "error": "\(error)"])
        }
        return false
    }

    /// The contract's own word on the messages of a report: logs may be some blocks behind.
    private func readStates(of reports: [ExecutionReport], into snapshot: inout ExecuteSnapshot) async throws {
        let keys = reports.flatMap(\.messages).map(\.key)
        let calls = keys.map { OffRampCalls.executionState($0.source, $0.sequenceNumber) }
        let offRamp = destination.settings.contracts.offRamp
        let states = try await ContractReader(destination.endpoints).readAll(calls.map { ($0, offRamp) })
        for (key, state) in zip(keys, states) where snapshot.states[key]?.state.isTouched != true {
            snapshot.states[key] = ExecutionRecord(try state.get())
        }
    }

    /// The gas plan of a report that runs through in simulation; nil, with the culprits noted, when it does not.
    private func simulates(_ report: Report, _ key: ReportKey) async -> ExecutionGasPlan? {
        guard let reports = try? [ExecutionReport](encodedReports: report.bytes) else { return nil }
        let context = ReportContext(configurationDigest: digest, sequenceNumber: key.sequenceNumber)
        let callData = context.executeCall(encodedReports: report.bytes)
        guard let plan = ExecutionGasPlan(
            reports: reports, callData: callData, maximum: configuration.limits.transactionGasMaximum)
        else { return nil }
        switch await simulate(plan, callData) {
        case .sends(let plan): return plan
        case .unread: return nil
        case .refused(let why, _):
            logger.warning("report does not run through", metadata: ["report": "\(key.sequenceNumber)", "why": "\(why)"])
            await findCulprits(reports, context)
            memory.withLock { $0.observer.transmissionFailed(report: report.bytes) }
            return nil
        }
    }

    private enum Simulation {
        case sends(ExecutionGasPlan)
        case refused(String, SimulationVerdict)
        /// No endpoint answered: nothing is known.
        case unread
    }

    private func simulate(_ first: ExecutionGasPlan, _ callData: Bytes) async -> Simulation {
        var plan = first
        while true {
            let target = CallTarget(
                to: destination.settings.contracts.offRamp, data: callData, from: ExecutionGasPlan.simulationSender,
                gas: plan.transactionGasLimit)
            let revertData: Bytes?
            switch (try? await destination.endpoints.calls([target], at: .latest))?.first {
            case .success: revertData = nil
            case .failure(let error) where error.code == .reverted: revertData = error.revertData ?? []
            case .failure, nil: return .unread
            }
            switch plan.next(afterSimulation: revertData) {
            case .send: return .sends(plan)
            case .simulateAgain(let raised): plan = raised
            case .tooMuchGas: return .refused("short of gas at \(plan.maximum)", .shortOfGas)
            case .refuse(let reason): return .refused("\(reason)", .reverts("\(reason)"))
            }
        }
    }

    /// Simulates each message of a report alone, so that one bad message does not hold back the others.
    private func findCulprits(_ reports: [ExecutionReport], _ context: ReportContext) async {
        let previous = previousOutcome
        guard let snapshot = try? await snapshot() else { return }
        let now = InstanceRunner.now()
        for message in reports.flatMap(\.messages) {
            let single = memory.withLock {
                $0.observer.singleReport(message.key, previousOutcome: previous, snapshot: snapshot, now: now)
            }
            guard let single else { continue }
            let callData = context.executeCall(encodedReports: [single].encodedReports)
            guard let plan = ExecutionGasPlan(
                reports: [single], callData: callData, maximum: configuration.limits.transactionGasMaximum)
            else { continue }
            guard case .refused(let why, let verdict) = await simulate(plan, callData) else { continue }
            logger.error("message cannot be executed", metadata: [
                "message": "\(message.header.messageID)", "why": "\(why)",
            ])
            memory.withLock { $0.verdicts[message.key] = verdict }
        }
    }

    func transmit(_ attested: AttestedReport) async {
        let number = attested.key.sequenceNumber
        guard !keeper.isStopped(destination.settings.selector) else { return }
        guard let plan = await simulates(attested.report, attested.key) else { return }
        let context = ReportContext(configurationDigest: digest, sequenceNumber: number)
        let key = keccak256(
            Bytes("causeway.execute".utf8) + digest.bytes + Bytes(bigEndian: number)
                + Bytes(bigEndian: UInt64(attested.key.index)))
        do {
            memory.withLock { $0.underway[key] = attested.report.bytes }
            let status = try await sender.submit(
                key: key, to: destination.settings.contracts.offRamp,
                data: context.executeCall(encodedReports: attested.report.bytes), gasLimit: plan.transactionGasLimit)
            if case .failed(let why) = status {
                // The outbox did not take it: its messages may be reported again at once.
                logger.warning("execution report not taken", metadata: ["report": "\(number)", "why": "\(why)"])
                return failed(key)
            }
            logger.info("execution report sent", metadata: ["report": "\(number)", "status": "\(status)"])
        } catch {
            logger.error("execution report not sent", metadata: ["report": "\(number)", "error": "\(error)"])
            failed(key)
        }
    }

    /// Follows the sender: messages of a transaction that failed as a whole may be reported again at once.
    func followOutcomes() async {
        for await outcome in await sender.outcomes() {
            switch outcome.kind {
            case .reverted, .failed: failed(outcome.key)
            case .confirmed: break
            case .finalized: memory.withLock { $0.underway[outcome.key] = nil }
            }
        }
    }

    private func failed(_ key: Hash32) {
        memory.withLock { memory in
            guard let report = memory.underway.removeValue(forKey: key) else { return }
            memory.observer.transmissionFailed(report: report)
        }
    }
}
