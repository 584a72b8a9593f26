// Telling the world that a message needs `manuallyExecute` although nothing failed on chain: relayers will not, or cannot,
// execute it.

import Agreement
import CCIP
import ChainAccess
import Ethereum
import Executing
import Logging
import Synchronization

extension ExecuteEdge {
    /// Publishes each such message once when that is first known, and once more when the contract begins to take a manual
    /// execution of it. What was published stands in the store, so that a restart does not repeat it.
    func publishReady(_ snapshot: ExecuteSnapshot, _ previous: Bytes) async {
        let now = InstanceRunner.now()
        let standings = memory.withLock {
            $0.observer.standings(previousOutcome: previous, snapshot: snapshot, now: now)
        }
        let threshold = await permissionlessThreshold(now)
        for item in standings {
            guard let readiness = ManualReadiness(item, at: snapshot.destinationTimestamp, threshold: threshold),
                let id = item.messageID
            else { continue }
            let name = "ready/\(configuration.destination.selector)/\(item.key.source)/\(item.key.sequenceNumber)/\(readiness.stage)"
            guard memory.withLock({ $0.published.insert(name).inserted }) else { continue }
            keeper.publishReady(
                item.key, id, on: configuration.destination.selector, reason: readiness.reason, timestamp: snapshot.destinationTimestamp,
                onceAs: name)
        }
        memory.withLock { memory in if memory.published.count > Limits.storiesMaximum { memory.published = [] } }
    }

    /// `permissionLessExecutionThresholdSeconds`; nil while it was never read. Read again every ten minutes.
    private func permissionlessThreshold(_ now: UInt64) async -> UInt32? {
        let known = memory.withLock { $0.threshold }
        if let known, known.readAt + 600_000 > now { return known.seconds }
        let call = OffRampCalls.dynamicConfig()
        let read = try? await ContractReader(destination.endpoints).read(call, from: destination.settings.contracts.offRamp)
        guard let read else { return known?.seconds }
        memory.withLock { $0.threshold = (read.permissionLessExecutionThresholdSeconds, now) }
        return read.permissionLessExecutionThresholdSeconds
    }
}

/// Whether a message waits for a person, and since which of two moments.
struct ManualReadiness: Equatable {
    /// `known`: relayers will not execute it. `open`: the contract takes a manual execution now.
    let stage: String
    let reason: String

    /// Nil for what relayers still see to, and for what failed on chain: that is published with its event.
    init?(_ item: MessageStanding, at time: UInt64, threshold: UInt32?) {
        guard let committedAt = item.committedAt else { return nil }
        let isPossible: Bool
        switch item.standing {
        case .failedOnChain: return nil
        case .tooMuchGas, .tooLarge, .beyondHorizon, .shortOfGas, .notAgreed, .messageUnread, .attemptFailed,
            .wrongInstance, .nonceUnread, .receiverFails:
            isPossible = true
        // Done, about to be done, or the contract would refuse people as well.
        default: isPossible = false
        }
        let isOpen = isPossible && (threshold.map { time > committedAt && time - committedAt > UInt64($0) } ?? false)
        guard isOpen || item.standing.needsManualExecution else { return nil }
        stage = isOpen ? "open" : "known"
        reason = isOpen ? "\(item.standing.code): may be executed by hand now" : item.standing.code
    }
}
