// The observation of one round: the parts that this oracle's roles allow, inside the budget, executable messages first
// (4.2, 4.4, 4.5 of the off-chain specification).

import CCIP
import Ethereum

extension ExecuteObserver {
    /// Canonical bytes, never above the configured size. Empty parts where nothing may or can be said.
    package func observation(previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64) -> Bytes {
        let encoded = observe(previous: decode(previousOutcome), snapshot: snapshot, now: now).encoded
        precondition(encoded.count <= configuration.limits.observationBytesMaximum, "an observation above its budget")
        return encoded
    }

    func observe(previous: ExecuteOutcome, snapshot: ExecuteSnapshot, now: UInt64) -> ExecuteObservation {
        let roots = view(previous, snapshot, now: now).roots.filter { $0.blocked == nil && $0.isWorthObserving }
        // Those that can be executed first; inside both groups the order of execution.
        let byUse = roots.filter(\.hasReady) + roots.filter { !$0.hasReady }
        return ExecuteObservation(
            roots: observedRoots(byUse), leaves: observedLeaves(byUse, snapshot),
            nonces: observedNonces(byUse, previous, snapshot))
    }

    private func observedRoots(_ roots: [RootView]) -> [ObservedRoot] {
        guard readsDestination else { return [] }
        let seen = roots.filter(\.isSeen).prefix(Limits.rootsPerObservation)
        return seen.compactMap { root in
            root.executed.map { ObservedRoot(committed: root.committed, executed: $0) }
        }
    }

    private func observedNonces(
        _ roots: [RootView], _ previous: ExecuteOutcome, _ snapshot: ExecuteSnapshot
    ) -> [ObservedNonce] {
        guard readsDestination, case .known(let cursed) = snapshot.curse,
            !cursed.covers(configuration.destination.selector)
        else { return [] }
        var chosen: [ObservedNonce] = []
        var known: Set<SenderKey> = []
        func add(_ sender: SenderKey) {
            guard chosen.count < Limits.sendersPerObservation, known.insert(sender).inserted,
                configuration.source(sender.source) != nil, let nonce = snapshot.nonces[sender]
            else { return }
            chosen.append(ObservedNonce(sender: sender, nonce: nonce))
        }
        for sender in previous.wantedSenders { add(sender) }
        for root in roots {
            for index in 0..<root.count { sender(of: root, index, snapshot).map(add) }
        }
        return chosen
    }

    // MARK: Leaves and full messages

    private func observedLeaves(_ roots: [RootView], _ snapshot: ExecuteSnapshot) -> [ObservedLeaves] {
        let usable = roots.filter {
            $0.hasReady && $0.leaves != nil && configuration.reads(ownIndex, $0.committed.root.source)
        }
        var budget = MessageBudget(bytesMaximum: configuration.limits.observationBytesMaximum / 2)
        var chosen = [[Int]](repeating: [], count: usable.count)
        let sources = Set(usable.map(\.committed.root.source)).count
        // A fair share for each source, then whatever is left, oldest first.
        if sources > 1 {
            var shares: [ChainSelector: MessageBudget] = [:]
            for (position, root) in usable.enumerated() {
                let source = root.committed.root.source
                let share = shares[source] ?? budget.share(sources)
                shares[source] = choose(root, position, snapshot, &chosen, share, &budget)
            }
        }
        for (position, root) in usable.enumerated() {
            _ = choose(root, position, snapshot, &chosen, nil, &budget)
        }
        return zip(usable, chosen).compactMap { root, indices in
            guard let leaves = root.leaves, !indices.isEmpty else { return nil }
            return ObservedLeaves(
                key: root.committed.key, first: root.committed.root.first, leaves: leaves,
                messages: indices.sorted().compactMap { observed(root, $0, snapshot) })
        }
    }

    private func choose(
        _ root: RootView, _ position: Int, _ snapshot: ExecuteSnapshot, _ chosen: inout [[Int]],
        _ share: MessageBudget?, _ budget: inout MessageBudget
    ) -> MessageBudget? {
        var share = share
        for index in 0..<root.count where root.standings[index] == .ready && !chosen[position].contains(index) {
            guard let message = observed(root, index, snapshot) else { continue }
            let cost = message.cost + (chosen[position].isEmpty ? root.leavesCost : 0)
            if let known = share {
                guard let rest = known.spending(cost) else { continue }
                guard let left = budget.spending(cost) else { continue }
                share = rest
                budget = left
            } else {
                guard let left = budget.spending(cost) else { continue }
                budget = left
            }
            chosen[position].append(index)
        }
        return share
    }

    private func observed(_ root: RootView, _ index: Int, _ snapshot: ExecuteSnapshot) -> ObservedMessage? {
        guard let item = snapshot.messages[root.committed.root.message(at: index)], let data = item.readyTokenData,
            item.encoded.count <= Limits.messageBytesMaximum, data.count <= Limits.tokensPerMessage,
            data.allSatisfy({ $0.count <= Limits.tokenDataBytesMaximum })
        else { return nil }
        return ObservedMessage(index: index, encoded: item.encoded, tokenData: data)
    }
}

/// What is left for full messages.
private struct MessageBudget {
    private var bytes: Int
    private var messages = Limits.fullMessagesPerObservation

    init(bytesMaximum: Int) { bytes = bytesMaximum }

    func share(_ parts: Int) -> MessageBudget {
        var part = self
        part.bytes = bytes / parts
        part.messages = max(1, messages / parts)
        return part
    }

    /// Nil when it is not enough.
    func spending(_ cost: Int) -> MessageBudget? {
        guard messages > 0, bytes >= cost else { return nil }
        var rest = self
        rest.bytes -= cost
        rest.messages -= 1
        return rest
    }
}

extension ObservedMessage {
    fileprivate var cost: Int { tokenData.reduce(encoded.count + 12) { $0 + $1.count + 4 } }
}

extension RootView {
    fileprivate var leavesCost: Int { 8 + 32 + 8 + 8 + 32 * count }
}
