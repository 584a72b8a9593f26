// What one oracle thinks of every message under the roots that it sees: the base of its observation and of what it
// explains. A pure function of a snapshot, the last outcome and the local caches.

import CCIP
import Ethereum

/// One root with the standing of each of its messages.
struct RootView: Sendable {
    let committed: CommittedRoot
    let count: Int
    /// Whether the destination, as read by this oracle, shows this root. Otherwise it is known from the outcome only.
    let isSeen: Bool
    let executed: MessageSet?
    /// All leaves, when they lead to the root.
    let leaves: [Hash32]?
    /// What holds up the root as a whole: then nothing is said about it.
    let blocked: ExecutionStanding?
    var standings: [ExecutionStanding]

    var isWorthObserving: Bool {
        standings.contains { standing in
            switch standing {
            case .executed, .failedOnChain, .executing: false
            default: true
            }
        }
    }
    var hasReady: Bool { standings.contains(.ready) }
}

struct LocalView: Sendable {
    /// In the order of execution.
    private(set) var roots: [RootView] = []

    private let configuration: ExecuteConfiguration
    private let snapshot: ExecuteSnapshot
    private let previous: ExecuteOutcome
    private let caches: ExecuteCaches
    private let now: UInt64

    init(
        _ configuration: ExecuteConfiguration, _ snapshot: ExecuteSnapshot, _ previous: ExecuteOutcome,
        _ caches: ExecuteCaches, now: UInt64
    ) {
        self.configuration = configuration
        self.snapshot = snapshot
        self.previous = previous
        self.caches = caches
        self.now = now
        collect()
        placeNonces()
    }

    // MARK: Which roots

    private mutating func collect() {
        var seen: Set<RootKey> = []
        var all: [(CommittedRoot, Bool)] = []
        for committed in snapshot.roots.sorted()
        where committed.isPlausible && configuration.source(committed.root.source) != nil {
            guard !caches.isSettled(committed.key, now: now), seen.insert(committed.key).inserted else { continue }
            all.append((committed, true))
        }
        for item in previous.pending where !caches.isSettled(item.committed.key, now: now) {
            guard seen.insert(item.committed.key).inserted else { continue }
            all.append((item.committed, false))
        }
        for (committed, isSeen) in all.sorted(by: { $0.0 < $1.0 }) {
            guard let count = committed.root.checkedCount else { continue }
            roots.append(view(committed, count, isSeen))
        }
    }

    private func view(_ committed: CommittedRoot, _ count: Int, _ isSeen: Bool) -> RootView {
        let root = committed.root
        let executed =
            isSeen ? snapshot.executed(root) : previous.pending(committed.key).map(\.executed)
        let found = (0..<count).map { snapshot.messages[root.message(at: $0)] }
        let leaves = found.compactMap { $0?.leaf }
        let isComplete = leaves.count == count
        let tree = isComplete ? try? MerkleTree(leaves: leaves) : nil
        let isProven = tree?.root == root.root
        let blocked = rootStanding(committed, executed, isSeen)
        let standings: [ExecutionStanding] = (0..<count).map { index in
            if let done = doneStanding(root.message(at: index), executed, index) { return done }
            if let blocked { return blocked }
            guard isComplete else { return .messageUnread }
            guard let tree, isProven, let message = found[index] else { return .rootMismatch }
            return sizeStanding(message, index, committed, tree) ?? messageStanding(message)
        }
        return RootView(
            committed: committed, count: count, isSeen: isSeen, executed: executed,
            leaves: isProven ? leaves : nil, blocked: blocked, standings: standings)
    }

    // MARK: Why not

    private func doneStanding(_ key: MessageKey, _ executed: MessageSet?, _ index: Int) -> ExecutionStanding? {
        if let record = snapshot.states[key] {
            switch record.state {
            case .success: return .executed
            case .failure: return .failedOnChain(returnData: record.returnData)
            case .inProgress: return .executing
            case .untouched: break
            }
        }
        return executed?.contains(index) == true ? .executed : nil
    }

    /// What holds up every message of the root.
    private func rootStanding(
        _ committed: CommittedRoot, _ executed: MessageSet?, _ isSeen: Bool
    ) -> ExecutionStanding? {
        if case .known(let cursed) = snapshot.curse {
            if cursed.covers(configuration.destination.selector) { return .destinationCursed }
            if cursed.covers(committed.root.source) { return .sourceCursed }
        }
        // A root known from the outcome only: this oracle may be no reader of the destination.
        guard isSeen else { return nil }
        guard case .known = snapshot.curse else { return .curseUnread }
        if let source = snapshot.sources[committed.root.source] {
            guard source.isEnabled else { return .sourceDisabled }
            guard source.onRamp == committed.root.onRamp else { return .onRampChanged }
        } else {
            return .sourceDisabled
        }
        if isBeyondHorizon(committed) { return .beyondHorizon }
        return executed == nil ? .stateUnread : nil
    }

    private func isBeyondHorizon(_ committed: CommittedRoot) -> Bool {
        let (end, lost) = committed.timestamp.addingReportingOverflow(configuration.delays.visibilitySeconds)
        return !lost && end < snapshot.destinationTimestamp
    }

    /// Everything but nonces.
    private func messageStanding(_ item: SourceMessage) -> ExecutionStanding {
        let key = item.message.key
        if let until = caches.inflightUntil(key, now: now) { return .inFlight(untilMilliseconds: until) }
        for (index, entry) in item.tokenData.enumerated() {
            if case .notReady(let reason) = entry { return .tokenDataNotReady(token: index, reason: reason) }
        }
        if let until = caches.heldUntil(key, now: now) { return .attemptFailed(untilMilliseconds: until) }
        switch snapshot.verdicts[key]?.verdict {
        case .shortOfGas: return .shortOfGas
        case .reverts(let name): return .simulationReverts(name)
        case .fails(_, let since):
            let until = since &+ configuration.delays.failingReceiverMilliseconds
            if now < until { return .receiverFails(untilMilliseconds: until) }
        case .delivers, nil: break
        }
        return .ready
    }

    /// Whether a report with this message alone would pass the limits.
    private func sizeStanding(
        _ item: SourceMessage, _ index: Int, _ committed: CommittedRoot, _ tree: MerkleTree
    ) -> ExecutionStanding? {
        let tokenData = item.tokenData.map { $0.bytes ?? [] }
        // It must also be observable: in half an observation, together with the leaves of its root (4.4).
        let observed = tokenData.reduce(item.encoded.count + 128 + 32 * tree.leafCount) { $0 + $1.count + 4 }
        guard observed <= configuration.limits.observationBytesMaximum / 2,
            item.encoded.count <= Limits.messageBytesMaximum, tokenData.count <= Limits.tokensPerMessage,
            tokenData.allSatisfy({ $0.count <= Limits.tokenDataBytesMaximum })
        else { return .tooLarge }
        let packable = PackableMessage(item.message, tokenData: tokenData, encodedCount: item.encoded.count)
        if packable.fitsEasily(configuration.limits) { return nil }
        var messages = [PackableMessage?](repeating: nil, count: tree.leafCount)
        messages[index] = packable
        var alone = Packer(
            configuration.limits, [PackableRoot(committed: committed, tree: tree, messages: messages)])
        switch alone.add(0, [index]) {
        case .gas: return .tooMuchGas
        case .size, .count: return .tooLarge
        case nil: return nil
        }
    }

    // MARK: Ordered senders

    /// Per sender in the order of the lane: the next nonce may go, and those behind it together with it.
    private mutating func placeNonces() {
        var expected: [SenderKey: UInt64] = [:]
        let order = roots.indices.sorted { a, b in
            let (left, right) = (roots[a].committed.root, roots[b].committed.root)
            return (left.source, left.first, a) < (right.source, right.first, b)
        }
        for position in order {
            for index in 0..<roots[position].count where roots[position].standings[index] == .ready {
                let key = roots[position].committed.root.message(at: index)
                guard let message = snapshot.messages[key]?.message, let sender = message.orderedSender else {
                    continue
                }
                // Unread here: others may know it, so the message is observed and the cluster decides.
                guard let next = expected[sender] ?? snapshot.nonces[sender].map({ $0 &+ 1 }) else { continue }
                let nonce = message.header.nonce
                if nonce == next {
                    expected[sender] = next &+ 1
                } else if nonce > next {
                    roots[position].standings[index] = .waitsForPredecessor(nonce: next)
                } else {
                    roots[position].standings[index] = .nonceAlreadyUsed(next: next)
                }
            }
        }
    }
}

extension PendingRoot {
    /// The cluster's verdict on one of its messages.
    package func verdict(_ key: MessageKey) -> ClusterVerdict? {
        guard committed.root.contains(key) else { return nil }
        let offset = key.sequenceNumber.rawValue - committed.root.first.rawValue
        return offset < UInt64(verdicts.count) ? verdicts[Int(offset)] : nil
    }
}
