// Why a message is not committed yet: named reasons that `causeway show` and the status of a lane explain. Nothing
// decides here; see ObserverView, LaneProgression and BlessingProgression.

import CCIP
import Ethereum

/// The stage of one message on its way to a commit report, as one relayer sees it.
package enum CommitStanding: Hashable, Sendable {
    case committed

    // On the way.
    /// All checks pass here: the next round takes it.
    case ready
    /// Its range is selected, the root is voted on.
    case building
    /// In the report of an agreed outcome (its sequence number, and its agreed time in milliseconds since 1970).
    case inFlight(sequenceNumber: UInt64, since: UInt64)
    /// The same, longer than a report should take: its range is selected anew.
    case overdue(sequenceNumber: UInt64, since: UInt64)
    /// A root before its own is under way; this one follows once that has landed.
    case waitsForRange(first: SequenceNumber, last: SequenceNumber)

    // Waiting for guards.
    /// Guards are asked to sign its root since this agreed time.
    case rmnRequired(have: Int, need: Int, since: UInt64)
    /// Its root is agreed on; other roots are being signed.
    case waitsForTurn
    /// Guards did not sign it in time, so many times; asked again at this agreed time.
    case rmnTimedOut(failures: Int, until: UInt64)
    /// So many guards say that the root is wrong.
    case rmnRefused(guards: Int)
    case rmnUnavailable(RMNLack)
    /// The source requires signatures and the cluster has no guards.
    case rmnNotConfigured

    // Waiting for a chain, an endpoint or a person.
    /// So many messages of the lane before it and itself are not final yet, as far as this relayer has read.
    case notFinal(messages: UInt64)
    case sourceUnread
    case destinationUnread
    /// The message with this number is not read, and none goes past it.
    case sourceLogMissing(first: SequenceNumber)
    /// The log of the message with this number is not what it must be; known to whoever read it.
    case messageRefused(SequenceNumber, String)
    case sourceHalted
    case curseUnread
    case sourceCursed
    case destinationCursed
    case laneUnknown
    case laneDisabled
    case onRampMismatch
    case digestMismatch
}

/// Why no report with blessed roots can pass.
package enum RMNLack: String, Sendable {
    /// The RMNRemote's configuration is not read.
    case unread
    /// Nobody has called `setConfig`, or it is RMN 2.1.0, which verifies nothing.
    case notConfigured
}

extension CommitStanding {
    package enum Class: String, Sendable { case done, moving, waiting, stuck, alarm }

    /// A stable name for JSON, metrics and documentation.
    package var code: String {
        switch self {
        case .committed: "committed"
        case .ready: "ready"
        case .building: "building"
        case .inFlight: "in_flight"
        case .overdue: "transmission_overdue"
        case .waitsForRange: "waits_for_range"
        case .rmnRequired: "rmn_required"
        case .waitsForTurn: "waits_for_turn"
        case .rmnTimedOut: "rmn_timed_out"
        case .rmnRefused: "rmn_refused"
        case .rmnUnavailable: "rmn_unavailable"
        case .rmnNotConfigured: "rmn_not_configured"
        case .notFinal: "not_final"
        case .sourceUnread: "source_unread"
        case .destinationUnread: "destination_unread"
        case .sourceLogMissing: "source_log_missing"
        case .messageRefused: "message_refused"
        case .sourceHalted: "source_halted"
        case .curseUnread: "curse_unread"
        case .sourceCursed: "source_cursed"
        case .destinationCursed: "destination_cursed"
        case .laneUnknown: "lane_unknown"
        case .laneDisabled: "lane_disabled"
        case .onRampMismatch: "on_ramp_mismatch"
        case .digestMismatch: "digest_mismatch"
        }
    }

    package var standingClass: Class {
        switch self {
        case .committed: .done
        case .ready, .building, .inFlight, .waitsForRange: .moving
        case .overdue, .rmnRequired, .waitsForTurn, .rmnTimedOut, .notFinal, .sourceUnread, .destinationUnread,
            .sourceLogMissing, .curseUnread, .sourceCursed, .destinationCursed:
            .waiting
        case .rmnUnavailable, .rmnNotConfigured, .sourceHalted, .laneUnknown, .laneDisabled, .digestMismatch: .stuck
        case .rmnRefused, .onRampMismatch, .messageRefused: .alarm
        }
    }

    /// Whom or what the message waits for.
    package var waitsFor: String {
        switch self {
        case .committed: "nothing: a root that covers it is accepted"
        case .ready: "the next round of the cluster, or other oracles that do not see it final yet"
        case .building: "the root over its range, which is being agreed on"
        case .inFlight(let number, _): "the transaction of commit report \(number)"
        case .overdue(let number, _): "a new report: number \(number) has not landed in time"
        case .waitsForRange(let first, let last): "the report over messages \(first) to \(last) of the lane"
        case .rmnRequired(let have, let need, _): "guard signatures: \(have) of \(need)"
        case .waitsForTurn: "its turn with the guards, who sign other roots"
        case .rmnTimedOut(let failures, _):
            "guard signatures: not enough came in time" + (failures > 1 ? ", \(failures) times" : "")
        case .rmnRefused(let guards): "a person: \(guards) guards say that its root is wrong"
        case .rmnUnavailable(.unread): "the destination endpoint: the RMNRemote's configuration is not read"
        case .rmnUnavailable(.notConfigured): "a configuration of the RMNRemote: it verifies no signature now"
        case .rmnNotConfigured: "guards: the OffRamp requires signatures for this source, the cluster has none"
        case .notFinal(let messages):
            "finality: \(messages) \(messages == 1 ? "message" : "messages") of the lane up to this one not final here"
        case .sourceUnread: "the source endpoint: its messages are not read yet"
        case .destinationUnread: "the destination endpoint: the OffRamp is not read yet"
        case .sourceLogMissing(let first): "the log of message \(first): no endpoint shows it"
        case .messageRefused(let number, let reason): "a person: the log of message \(number) is refused: \(reason)"
        case .sourceHalted: "a person: this relayer has stopped for the source"
        case .curseUnread: "the destination endpoint: the curse state cannot be read"
        case .sourceCursed: "the curse of the source chain to be lifted"
        case .destinationCursed: "the curse of the destination, or the global one, to be lifted"
        case .laneUnknown: "the source to be configured at the OffRamp"
        case .laneDisabled: "the source chain to be enabled at the OffRamp"
        case .onRampMismatch: "a person: the OffRamp names another OnRamp than the cluster file"
        case .digestMismatch: "the instance whose configuration digest the OffRamp has installed"
        }
    }

    /// What somebody can do about it; empty where waiting is right.
    package var advice: String {
        switch self {
        case .committed, .ready, .building, .waitsForRange, .waitsForTurn, .notFinal: ""
        case .inFlight, .overdue: "if this lasts, look at the transmitters' balances and their pending transactions"
        case .rmnRequired, .rmnTimedOut: "if this lasts, look at the guards: are they up, and do they see the source final?"
        case .rmnRefused: "stop, and compare the source chain with the root: a wrong endpoint or a false root"
        case .rmnUnavailable(.unread): "look at the endpoints of the destination: `causeway check`"
        case .rmnUnavailable(.notConfigured):
            "ask the owner of the RMNRemote for setConfig, or the OffRamp's for isRMNVerificationDisabled"
        case .rmnNotConfigured: "add guards to cluster.yaml, or ask the OffRamp's owner to switch verification off"
        case .sourceUnread, .destinationUnread, .curseUnread, .sourceLogMissing:
            "look at the endpoints of that chain: `causeway check`"
        case .messageRefused: "compare the OnRamp's contract and the endpoints with those of other relayers"
        case .sourceHalted: "read the reason with `causeway relayer stops`, mend it, then `causeway relayer resume`"
        case .sourceCursed, .destinationCursed: "ask who runs the RMN contracts of the destination"
        case .laneUnknown, .laneDisabled: "ask the owner of the OffRamp"
        case .onRampMismatch: "compare cluster.yaml with the OffRamp: `causeway check`"
        case .digestMismatch: "start the relayers with the installed configuration, or install theirs"
        }
    }

    /// Agreed time since which it stands so, where an outcome tells it; milliseconds since 1970.
    package var agreedSince: UInt64? {
        switch self {
        case .inFlight(_, let since), .overdue(_, let since), .rmnRequired(_, _, let since): since
        default: nil
        }
    }
}

extension CommitObserver {
    /// Where one message of a lane stands. `installed` is the digest that reports of this instance are made for.
    /// Throws `malformedOutcome`.
    package func standing(
        of number: SequenceNumber, from source: ChainSelector, previousOutcome: [UInt8], snapshot: CommitSnapshot,
        installed: Hash32
    ) throws(CommittingError) -> CommitStanding {
        let outcome = try CommitOutcome(encoded: previousOutcome)
        guard let destination = snapshot.destination else { return .destinationUnread }
        guard let lane = configuration.lane(from: source) else { return .laneUnknown }
        guard let config = destination.sourceConfigs[source], !config.onRamp.isEmpty else { return .laneUnknown }
        if config.minSequenceNumber > number { return .committed }
        if let blocked = blocked(lane, config, destination, snapshot, installed) { return blocked }
        switch outcome.state(of: source) {
        case .building(let range): return range.contains(number) ? .building : waits(number, range)
        case .waiting(let pending):
            guard pending.range.contains(number) else { return waits(number, pending.range) }
            return isOverdue(pending, snapshot)
                ? .overdue(sequenceNumber: pending.sequenceNumber, since: pending.since)
                : .inFlight(sequenceNumber: pending.sequenceNumber, since: pending.since)
        case .blessing(let pending):
            guard pending.range.contains(number) else { return waits(number, pending.range) }
            return blessing(source, outcome, snapshot)
        case .selecting: return selecting(number, config.minSequenceNumber, snapshot.sources[source])
        }
    }

    private func blocked(
        _ lane: CommitLane, _ config: SourceChainConfig, _ destination: DestinationSnapshot, _ snapshot: CommitSnapshot,
        _ installed: Hash32
    ) -> CommitStanding? {
        if let digest = destination.configurationDigest, digest != installed { return .digestMismatch }
        if snapshot.haltedSources.contains(lane.source) { return .sourceHalted }
        guard case .known(let curses) = destination.curse else { return .curseUnread }
        if curses.covers(configuration.destination) { return .destinationCursed }
        if curses.covers(lane.source) { return .sourceCursed }
        guard lane.isEnabled, config.isLive else { return .laneDisabled }
        guard config.onRamp == lane.lane.onRampBytes else { return .onRampMismatch }
        if config.requiresBlessing {
            guard configuration.blessing != nil else { return .rmnNotConfigured }
            guard let remote = destination.rmn else { return .rmnUnavailable(.unread) }
            guard remote.isUsable else { return .rmnUnavailable(.notConfigured) }
        }
        return nil
    }

    private func waits(_ number: SequenceNumber, _ range: SequenceRange) -> CommitStanding {
        number > range.last ? .waitsForRange(first: range.first, last: range.last) : .ready
    }

    private func isOverdue(_ pending: PendingRoot, _ snapshot: CommitSnapshot) -> Bool {
        let now = snapshot.timestampMilliseconds
        return now >= pending.since && now - pending.since >= configuration.transmissionTimeoutMilliseconds
    }

    private func blessing(
        _ source: ChainSelector, _ outcome: CommitOutcome, _ snapshot: CommitSnapshot
    ) -> CommitStanding {
        if let set = outcome.blessing, set.sources.contains(source) {
            let own = snapshot.signatures.flatMap { $0.setID == set.id ? $0.signatures.count : nil } ?? 0
            return .rmnRequired(
                have: max(set.signatures.count, own), need: set.remote.signaturesNeeded, since: set.since)
        }
        if let suspect = outcome.suspects.first(where: { $0.source == source }),
            suspect.until > snapshot.timestampMilliseconds
        {
            return .rmnTimedOut(failures: Int(suspect.failures), until: suspect.until)
        }
        return .waitsForTurn
    }

    private func selecting(
        _ number: SequenceNumber, _ next: SequenceNumber, _ source: SourceSnapshot?
    ) -> CommitStanding {
        guard let source, let maximum = source.finalizedMaximum else { return .sourceUnread }
        guard maximum >= number.rawValue else {
            return .notFinal(messages: number.rawValue - max(maximum, next.rawValue - 1))
        }
        // What one root holds at most; what comes behind it follows with the next.
        let window = configuration.buildsAtOnce ? configuration.leavesPerLaneObserved : configuration.leavesPerRootMaximum
        let (end, isLost) = next.rawValue.addingReportingOverflow(UInt64(max(1, window)) - 1)
        let last = SequenceNumber(isLost ? .max : end)
        guard number <= last else { return .waitsForRange(first: next, last: last) }
        // Without leaves in observations the messages are read once their range is selected.
        guard configuration.buildsAtOnce else { return .ready }
        var expected = next.rawValue
        for leaf in source.leaves.drop(while: { $0.sequenceNumber < next }) {
            guard leaf.sequenceNumber.rawValue == expected else { break }
            if expected >= number.rawValue { return .ready }
            expected += 1
        }
        return .sourceLogMissing(first: SequenceNumber(expected))
    }
}
