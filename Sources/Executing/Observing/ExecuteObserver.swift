// One oracle's side of the execute plugin: what to read, what to observe, whether there is work, why a message waits.
// Pure: the edge brings a snapshot and the time, and performs what is asked.

import CCIP
import Ethereum

/// Milliseconds are those of a monotonic clock of this process.
///
/// The edge's loop: on every new destination block, feed frame or source read it takes a snapshot, calls `settle`,
/// reads what `needs` names, and when `hasWork` says so hands `.workAvailable` to its instance. `requestObservation` is
/// answered with `observation`, `outcomeCommitted` is passed on here, `askAcceptance` and `askTransmission` are
/// answered with `shouldAccept` and `shouldTransmit`.
package struct ExecuteObserver: Sendable {
    package let configuration: ExecuteConfiguration
    package let ownIndex: Int
    var caches = ExecuteCaches()

    package init(configuration: ExecuteConfiguration, ownIndex: Int) {
        precondition((0..<configuration.oracleCount).contains(ownIndex), "oracle \(ownIndex) is not in the cluster")
        self.configuration = configuration
        self.ownIndex = ownIndex
    }

    var readsDestination: Bool { configuration.readsDestination(ownIndex) }

    func view(_ previous: ExecuteOutcome, _ snapshot: ExecuteSnapshot, now: UInt64) -> LocalView {
        LocalView(configuration, snapshot, previous, caches, now: now)
    }

    /// Garbage never comes out of agreement; a store of another version could hold it, and then nothing is pending.
    func decode(_ outcome: Bytes) -> ExecuteOutcome { (try? ExecuteOutcome(encoded: outcome)) ?? .none }

    // MARK: Memory

    /// After every `outcomeCommitted` of the instance, and once with the restored outcome at the start. Messages of its
    /// reports are in flight from now on, unless another instance's digest is installed: a candidate must not hold
    /// anything back (4.3).
    package mutating func outcomeCommitted(_ outcome: Bytes, installedDigest: Hash32?, now: UInt64) {
        guard installedDigest == configuration.configurationDigest,
            let messages = try? decode(outcome).reportedMessages()
        else { return }
        let until = now &+ configuration.delays.inflightExpiryMilliseconds
        for message in messages { caches.markInflight(message.key, until: until, now: now) }
    }

    /// Nothing was sent for these messages: they may be observed again at once. Only for transactions of this oracle;
    /// others wait for the expiry.
    package mutating func transmissionFailed(report: Bytes) {
        guard let reports = try? [ExecutionReport](checked: report) else { return }
        for message in reports.messages { caches.forgetInflight(message.key) }
    }

    /// A transaction with these messages was paid for and came to nothing. Once may be bad luck: they are observed again
    /// at once. From the second time on in a row they are held back, 1, 2, 4 ... 64 expiries long, so that a cause that
    /// stays cannot spend this oracle's money for ever.
    package mutating func attemptFailed(report: Bytes, now: UInt64) {
        guard let reports = try? [ExecutionReport](checked: report) else { return }
        for message in reports.messages {
            caches.forgetInflight(message.key)
            let before = caches.countFailure(message.key)
            guard before > 0 else { continue }
            let expiries = UInt64(1) << UInt64(min(before - 1, Limits.failurePauseDoublings))
            let pause = configuration.delays.inflightExpiryMilliseconds &* expiries
            caches.hold(message.key, until: now &+ pause, now: now)
        }
    }

    /// Not observed before `until`: a cause outside these messages, or room for others to go first.
    package mutating func postpone(_ keys: [MessageKey], until: UInt64, now: UInt64) {
        for key in keys {
            caches.forgetInflight(key)
            caches.hold(key, until: until, now: now)
        }
    }

    /// Once for each new snapshot: roots with nothing left to do are put away, and it is noted since when messages
    /// stand as they do.
    package mutating func settle(previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64) {
        for committed in snapshot.roots where committed.isPlausible {
            for index in 0..<(committed.root.checkedCount ?? 0) {
                let key = committed.root.message(at: index)
                if snapshot.states[key]?.state.isTouched == true { caches.forgetFailures(key) }
            }
            guard let executed = snapshot.executed(committed.root), let count = committed.root.checkedCount,
                executed.isFull(count), !caches.isSettled(committed.key, now: now)
            else { continue }
            let delays = configuration.delays
            let rest = (delays.visibilitySeconds &+ 3_600) &* 1_000
            let pause = snapshot.isFinallyExecuted(committed.root) ? rest : delays.rootSnoozeMilliseconds
            caches.settle(committed.key, until: now &+ pause, now: now)
        }
        let previous = decode(previousOutcome)
        var noted: [(MessageKey, ExecutionStanding)] = []
        for root in view(previous, snapshot, now: now).roots {
            for index in 0..<root.count {
                let key = root.committed.root.message(at: index)
                noted.append((key, merged(root.standings[index], key, previous, snapshot)))
            }
        }
        caches.note(noted, now: now)
    }

    // MARK: Reads

    package func needs(previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64) -> ExecuteReads {
        let previous = decode(previousOutcome)
        let horizon = configuration.delays.visibilitySeconds
        var reads = ExecuteReads(
            commitReportsFrom: snapshot.destinationTimestamp > horizon ? snapshot.destinationTimestamp - horizon : 0)
        var states: [MessageKey] = []
        var missing: [MessageKey] = []
        var suspect: [MessageKey] = []
        var senders = Set(previous.wantedSenders)
        for root in view(previous, snapshot, now: now).roots {
            let isReader = configuration.reads(ownIndex, root.committed.root.source)
            for index in 0..<root.count {
                let key = root.committed.root.message(at: index)
                if root.isSeen { states.append(key) }
                if isReader, root.blocked == nil {
                    if snapshot.messages[key] == nil, root.isWorthObserving { missing.append(key) }
                    if root.standings[index] == .rootMismatch { suspect.append(key) }
                }
                switch root.standings[index] {
                case .tokenDataNotReady: reads.tokenData.append(key)
                case .shortOfGas, .simulationReverts:
                    guard let record = snapshot.verdicts[key], reads.simulations.count < Limits.simulationsPerLook,
                        record.isDue(block: snapshot.destinationBlock, at: now)
                    else { break }
                    reads.simulations.append(key)
                default: break
                }
                if let sender = sender(of: root, index, snapshot) { senders.insert(sender) }
            }
        }
        if readsDestination {
            reads.executionStates = LaneRange.joining(Array(Set(states)).sorted())
            reads.nonces = senders.sorted()
        }
        reads.messages = LaneRange.joining(Array(Set(missing)).sorted())
        reads.suspectMessages = LaneRange.joining(Array(Set(suspect)).sorted())
        return reads
    }

    /// Whose nonce decides about this message.
    func sender(of root: RootView, _ index: Int, _ snapshot: ExecuteSnapshot) -> SenderKey? {
        switch root.standings[index] {
        case .ready, .waitsForPredecessor, .nonceAlreadyUsed, .inFlight:
            snapshot.messages[root.committed.root.message(at: index)]?.message.orderedSender
        default: nil
        }
    }

    // MARK: Work

    /// Whether a round could achieve something that the last one could not. Ask after something changed, not on a tick:
    /// it stays true while the others do not yet see what this oracle sees.
    package func hasWork(previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64) -> Bool {
        let previous = decode(previousOutcome)
        if readsDestination, previous.wantedSenders.contains(where: { snapshot.nonces[$0] != nil }) { return true }
        return view(previous, snapshot, now: now).roots.contains { root in
            guard root.blocked == nil else { return false }
            if root.hasReady, configuration.reads(ownIndex, root.committed.root.source) { return true }
            guard readsDestination, root.isSeen, previous.pending(root.committed.key) == nil else { return false }
            // A root that the cluster does not work on yet, and that is not merely waiting for our own transactions.
            return root.standings.contains { $0 == .ready || $0 == .messageUnread }
        }
    }
}
