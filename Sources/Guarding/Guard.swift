// The guard: one state machine for all lanes. It watches sources and destinations through its own endpoints and signs a
// root only when everything it knows says so. No clock, disk, socket or key lives here.
//
// Invariants: G1 never a second leaf for a number of a lane, and the record of the first is on disk before its signature
// exists; G2 nothing is signed below the guard's own finality; G3 a stop outlives restarts; G4 a guard can only withhold:
// no event makes a lane move that would stand still without it.

import CCIP
import Ethereum

package struct Guard: Sendable {
    package let configuration: GuardConfiguration
    package internal(set) var tallies = GuardTallies()

    var books: [GuardLane: LaneBook] = [:]
    var sources: [ChainSelector: SourceView] = [:]
    var views: [ChainSelector: (facts: DestinationFacts, at: GuardTime)] = [:]
    /// By scope. Only looked up, never walked.
    var stops: [String: GuardStop] = [:]
    /// Wait for a look at their destination.
    var pending: [PendingRequest] = []
    /// Came before their messages were final here: judged again as soon as those are, without being asked again.
    var early: [PendingRequest] = []
    var unverified: [Unverified] = []
    var executions: [GuardLane: ExecutionBook] = [:]
    var rates: [RateWindow]
    /// The last alarm of a source whose logs are refused: said once, not every poll.
    var refusedLogs: [ChainSelector: String] = [:]
    /// The limit that each lane was last held at, for the same reason.
    var limitsTold: [GuardLane: String] = [:]
    /// Only looked up, never walked.
    var buckets: [PoolGate: PoolBucket] = [:]
    var limiters: [PoolGate: LimiterState] = [:]
    /// How limiters are looser than allowed: said once.
    var loosened: [PoolGate: String] = [:]
    /// Lanes for which a curse was asked for.
    var cursed: Set<GuardLane> = []

    /// How far a source has been read.
    struct SourceView: Sendable {
        var through: UInt64?
        var finalized: UInt64?
        /// Since when the logs are close behind the finalized head; nil while they are not.
        var caughtUpSince: GuardTime?
    }

    struct PendingRequest: Sendable {
        var request: SignatureRequest
        var relayer: RelayerIndex
        var since: GuardTime
        /// The relayer has been told to wait.
        var isAnswered = false

        func isSame(as other: PendingRequest) -> Bool { relayer == other.relayer && request.id == other.request.id }
    }

    struct RateWindow: Sendable {
        var second: GuardTime = 0
        var count = 0
    }

    /// A root or an execution whose messages are not final for us yet.
    struct Unverified: Sendable {
        enum Claim: Hashable, Sendable {
            case root(AcceptedRoot)
            case execution(ExecutedMessage)
        }
        var claim: Claim
        var since: GuardTime

        var lane: GuardLane {
            switch claim {
            case .root(let root): root.lane
            case .execution(let message): message.lane
            }
        }
    }

    /// With what an earlier run left on disk: messages in ascending order of lane and number, records and stops that stand.
    package init(
        configuration: GuardConfiguration, messages: [DerivedMessage] = [], records: [GuardRecord] = [],
        stops: [GuardStop] = [], buckets: [PoolBucket] = []
    ) {
        self.configuration = configuration
        rates = Array(repeating: RateWindow(), count: configuration.relayerCount)
        for lane in configuration.lanes {
            books[lane] = LaneBook()
            executions[lane] = ExecutionBook()
        }
        for message in messages { _ = books[message.lane]?.add(message) }
        for record in records { books[record.lane]?.sign(record) }
        for stop in stops {
            if self.stops[stop.scope] == nil { self.stops[stop.scope] = stop }
            // What called for a curse before was answered then.
            for lane in configuration.lanes where lane.scope == stop.scope && stop.kind.callsForCurse { cursed.insert(lane) }
        }
        for bucket in buckets { self.buckets[bucket.gate] = bucket }
        for source in configuration.sources.keys.sorted() { sources[source] = SourceView() }
    }

    /// Takes one event. The actions must be done in their order, each before the next.
    package mutating func handle(_ event: GuardEvent) -> [GuardAction] {
        var actions: [GuardAction] = []
        switch event {
        case .request(let request, let relayer, let now): take(request, from: relayer, now: now, &actions)
        case .sourceLogs(let source, let logs, let through, let now):
            take(logs, of: source, through: through, now: now, &actions)
        case .head(let chain, let finalized, let now): saw(chain, finalized: finalized, now: now)
        case .destination(let facts, let now): take(facts, now: now, &actions)
        case .destinationSilent(let destination, let reason): answerSilence(of: destination, reason, &actions)
        case .accepted(let root, let now): judge(.root(root), now: now, &actions)
        case .executed(let message, let isFinal, let now):
            if isFinal { follow(message, &actions) }
            judge(.execution(message), now: now, &actions)
        case .limiter(let gate, let state): take(state, of: gate, &actions)
        case .flow(let flow): take(flow, &actions)
        case .finalityViolated(let chain, let reason):
            stop(GuardStop.scope(chain), .finalityViolation, reason, lane: nil, &actions)
        case .tick(let now): expire(now: now, &actions)
        }
        return actions
    }

    // MARK: Stops

    /// The stop that holds a lane; nil when it may be signed for.
    package func stop(of lane: GuardLane) -> GuardStop? {
        for scope in [GuardStop.everything, lane.scope, GuardStop.scope(lane.source), GuardStop.scope(lane.destination)] {
            if let stop = stops[scope] { return stop }
        }
        return nil
    }

    /// Writes first, then tells, then curses. The first reason of a scope stands.
    mutating func stop(
        _ scope: String, _ kind: AnomalyKind, _ reason: String, lane: GuardLane?, _ actions: inout [GuardAction]
    ) {
        tallies.anomalies[kind, default: 0] += 1
        if stops[scope] == nil {
            let stop = GuardStop(scope: scope, kind: kind, reason: reason)
            stops[scope] = stop
            actions.append(.raiseStop(stop))
        }
        actions.append(.alarm(Anomaly(kind: kind, lane: lane, detail: reason)))
        // Once: also where a milder reason has stopped the lane before.
        if let lane, configuration.cursesOnAnomaly, kind.callsForCurse, cursed.insert(lane).inserted {
            actions.append(.curse(lane.source, on: lane.destination, reason: "\(kind.rawValue): \(reason)"))
        }
    }

    mutating func stop(_ lane: GuardLane, _ kind: AnomalyKind, _ reason: String, _ actions: inout [GuardAction]) {
        stop(lane.scope, kind, reason, lane: lane, &actions)
    }

    // MARK: Condition

    /// True when the logs of every source are close behind its finalized head.
    package func isCaughtUp(_ source: ChainSelector) -> Bool { sources[source]?.caughtUpSince != nil }

    /// The newest message of a lane that is final for us; 0 for none.
    package func finalizedThrough(_ lane: GuardLane) -> UInt64 { books[lane]?.last ?? 0 }

    package var unverifiedCount: Int { unverified.count }
    package var pendingCount: Int { pending.count }
}

/// What has happened since the process began.
package struct GuardTallies: Hashable, Sendable {
    package internal(set) var requests: UInt64 = 0
    package internal(set) var signed: UInt64 = 0
    package internal(set) var waits: UInt64 = 0
    /// By code, of lanes and of whole requests.
    package internal(set) var refused: [RefusalCode: UInt64] = [:]
    package internal(set) var throttled: UInt64 = 0
    package internal(set) var anomalies: [AnomalyKind: UInt64] = [:]
    /// Flows through pools that were counted.
    package internal(set) var flows: UInt64 = 0
    package internal(set) var rootsVerified: UInt64 = 0
    package internal(set) var executionsVerified: UInt64 = 0
    /// Claims about messages that this guard has never read or no longer holds.
    package internal(set) var unverifiable: UInt64 = 0
}
