// The execute plugin's side to the world: what the book, the pair and the destination say, handed to ExecuteObserver;
// what the cluster agreed on, simulated and sent.

import Agreement
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
    let destination: ChainWatch
    let reader: DestinationReader
    let keeper: BookKeeper
    /// Nil where this relayer does not transmit.
    let sender: TransactionSender?
    /// The digest by which oracles know the instance.
    let instance: Digest
    let configuration: ExecuteConfiguration
    /// The digest that the OffRamp has installed.
    let digest: Hash32
    let halt = TransmissionHalt()
    let logger: Logger
    private let tokenData: TokenDataWorker?

    struct Memory: Sendable {
        var observer: ExecuteObserver
        var shelf: PairFeedShelf
        var previousOutcome: Bytes = []
        /// Messages by key, proven by their root or read from the source by this process.
        var messages: [MessageKey: SourceMessage] = [:]
        var records: [MessageKey: SimulationRecord] = [:]
        var installedDigest: Hash32?
        /// Reports on their way, by idempotency key.
        var underway: [Hash32: Bytes] = [:]
        /// Reports sent without a simulation, because no endpoint can simulate them.
        var unsimulated: UInt64 = 0
        /// Stands already in the log.
        var saysUnsimulated = false
        /// Seconds of the OffRamp's permissionless threshold, as read last.
        var threshold: (seconds: UInt32, readAt: UInt64)?
        /// Milliseconds of the last look for messages that need people.
        var toldReadyAt: UInt64 = 0
        /// Messages whose need of manual execution was published by this process.
        var published: Set<String> = []
    }
    let memory: Mutex<Memory>

    init(
        configuration: ExecuteConfiguration, ownIndex: Int, destination: ChainWatch, keeper: BookKeeper,
        sender: TransactionSender?, tokenData: TokenDataWorker?, instance: Digest, logger: Logger
    ) {
        self.configuration = configuration
        self.destination = destination
        self.keeper = keeper
        self.sender = sender
        self.instance = instance
        self.tokenData = tokenData
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
            logger.debug("feed has a gap", metadata: ["frames": "\(receipt.missedFrames)"])
        }
    }

    // MARK: Snapshots

    private func lane(_ source: ChainSelector) -> LaneKey {
        LaneKey(source: source, destination: configuration.destination.selector)
    }

    /// Everything but the nonces, which depend on what is pending.
    func snapshot() async throws -> ExecuteSnapshot {
        guard !keeper.isStopped(destination.settings.selector) else {
            throw RelayerError(.stopped, "\(destination.settings.name) is stopped", hint: "read /ready, then the store's stops")
        }
        let state: DestinationState
        switch await reader.read() {
        case .ready(let ready): state = ready
        case .notYet(let why): throw RelayerError(.chain, why)
        case .refused(let error): throw error
        }
        halt.saw(state.installed)
        guard await destination.isCaughtUp() else {
            throw RelayerError(.chain, "logs of \(destination.settings.name) are not read up to the finalized head yet")
        }
        var snapshot = ExecuteSnapshot(
            destinationTimestamp: state.block.timestamp, destinationBlock: state.block.number, curse: .known(state.curse),
            installedDigest: state.installed.configurationDigest, sources: state.sources)
        for source in configuration.sources where !keeper.isStopped(source.selector) {
            let known = keeper.read { $0.lane(lane(source.selector)) }
            for entry in known.openRoots where !isFinished(entry.root, known) {
                snapshot.roots.append(CommittedRoot(root: entry.root, timestamp: entry.place.timestamp))
                addStates(of: entry.root, known, &snapshot)
                addMessages(of: entry.root, known, &snapshot)
            }
        }
        snapshot.verdicts = memory.withLock { memory in
            memory.installedDigest = state.installed.configurationDigest
            return memory.records
        }
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
        if let tokenData {
            for key in keys {
                guard let item = found[key], !item.message.tokenAmounts.isEmpty else { continue }
                let transaction = lane.messages[key.sequenceNumber.rawValue]?.place.transaction
                found[key] = item.with(tokenData: tokenData.data(of: item.message, transaction: transaction))
            }
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
            memory.records = memory.records.filter { snapshot.states[$0.key] != nil }
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
        let (holdsBack, tellsReady) = memory.withLock { memory in
            let isDue = now >= memory.toldReadyAt + Limits.idleLookMilliseconds
            if isDue { memory.toldReadyAt = now }
            return (!memory.records.isEmpty, isDue)
        }
        if holdsBack { await simulateAgain(snapshot, previous) }
        if tellsReady { await publishReady(snapshot, previous) }
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
}
