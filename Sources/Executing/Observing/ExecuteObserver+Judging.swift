// Whether an attested report is accepted and transmitted (4.10 of the off-chain specification), why a message waits,
// and the report of a single message with which an edge finds the one that spoils a batch. Nothing is observed here.

import CCIP
import Ethereum

package enum ReportJudgement: Hashable, Sendable {
    case proceed
    case drop(Reason)

    /// Names of the reference where it has one (3.9).
    package struct Reason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package var description: String { rawValue }

        package static let undecodable = Reason(rawValue: "decode_report")
        package static let empty = Reason(rawValue: "empty_report")
        package static let destinationNotSupported = Reason(rawValue: "dest_not_supported")
        package static let digestUnread = Reason(rawValue: "config_digest_check_error")
        package static let digestMismatch = Reason(rawValue: "config_digest_mismatch")
        package static let alreadyExecuted = Reason(rawValue: "already_executed")
        package static let curseUnread = Reason(rawValue: "cursed_check_error")
        package static let cursed = Reason(rawValue: "cursed")
        package static let sourceDisabled = Reason(rawValue: "source_disabled")
    }
}

extension ExecuteObserver {
    /// When a report is attested.
    package func shouldAccept(report: Bytes, snapshot: ExecuteSnapshot) -> ReportJudgement { judge(report, snapshot) }

    /// When this oracle's turn has come, against a fresher snapshot. Unlike the reference the curse is asked for again:
    /// the contract would skip a cursed lane, so sending is safe but wasted.
    package func shouldTransmit(report: Bytes, snapshot: ExecuteSnapshot) -> ReportJudgement {
        judge(report, snapshot)
    }

    private func judge(_ bytes: Bytes, _ snapshot: ExecuteSnapshot) -> ReportJudgement {
        guard readsDestination else { return .drop(.destinationNotSupported) }
        guard bytes.count <= configuration.limits.reportBytesMaximum,
            let reports = try? [ExecutionReport](checked: bytes)
        else { return .drop(.undecodable) }
        let messages = reports.messages
        guard !messages.isEmpty, reports.allSatisfy({ !$0.messages.isEmpty }) else { return .drop(.empty) }
        guard let installed = snapshot.installedDigest else { return .drop(.digestUnread) }
        guard installed == configuration.configurationDigest else { return .drop(.digestMismatch) }
        if messages.allSatisfy({ snapshot.states[$0.key]?.state.isTouched == true }) {
            return .drop(.alreadyExecuted)
        }
        guard case .known(let cursed) = snapshot.curse else { return .drop(.curseUnread) }
        if cursed.covers(configuration.destination.selector) || reports.contains(where: { cursed.covers($0.source) }) {
            return .drop(.cursed)
        }
        // A disabled source reverts the whole transaction.
        if reports.contains(where: { snapshot.sources[$0.source]?.isEnabled == false }) {
            return .drop(.sourceDisabled)
        }
        return .proceed
    }

    // MARK: Explaining

    /// The standing of one message.
    package func standing(
        of key: MessageKey, previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64
    ) -> MessageStanding {
        let previous = decode(previousOutcome)
        let root = view(previous, snapshot, now: now).roots.first { $0.committed.root.contains(key) }
        let committed = root?.committed ?? snapshot.roots.sorted().first { $0.root.contains(key) }
        var standing = ExecutionStanding.notCommitted
        if let root {
            let index = Int(key.sequenceNumber.rawValue - root.committed.root.first.rawValue)
            standing = merged(root.standings[index], key, previous, snapshot)
        } else if let record = snapshot.states[key] {
            switch record.state {
            case .success: standing = .executed
            case .failure: standing = .failedOnChain(returnData: record.returnData)
            case .inProgress: standing = .executing
            case .untouched: break
            }
        } else if committed != nil {
            standing = .stateUnread
        }
        return MessageStanding(
            key: key, messageID: snapshot.messages[key]?.message.header.messageID, standing: standing,
            committedAt: committed?.timestamp, sinceMilliseconds: caches.since(key, standing))
    }

    /// Every message under a root that is not put away, in the order of execution.
    package func standings(previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64) -> [MessageStanding] {
        let previous = decode(previousOutcome)
        return view(previous, snapshot, now: now).roots.flatMap { root in
            (0..<root.count).map { index in
                let key = root.committed.root.message(at: index)
                let standing = merged(root.standings[index], key, previous, snapshot)
                return MessageStanding(
                    key: key, messageID: snapshot.messages[key]?.message.header.messageID, standing: standing,
                    committedAt: root.committed.timestamp, sinceMilliseconds: caches.since(key, standing))
            }
        }
    }

    /// Messages that relayers could still execute, under roots accepted more than `alarmSeconds` ago: what a person
    /// should look at before the visibility window closes (`visibilityAlarm`, 8.6).
    package func nearHorizon(
        alarmSeconds: UInt64, previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64
    ) -> [MessageStanding] {
        standings(previousOutcome: previousOutcome, snapshot: snapshot, now: now).filter { item in
            guard let committedAt = item.committedAt, snapshot.destinationTimestamp > committedAt else { return false }
            return snapshot.destinationTimestamp - committedAt > alarmSeconds
                && item.standing.standingClass != .done && !item.standing.needsManualExecution
        }
    }

    /// The local reason, or what the cluster lacked for a message that is ready here.
    func merged(
        _ standing: ExecutionStanding, _ key: MessageKey, _ previous: ExecuteOutcome, _ snapshot: ExecuteSnapshot
    ) -> ExecutionStanding {
        guard standing == .ready else { return standing }
        if let installed = snapshot.installedDigest, installed != configuration.configurationDigest {
            return .wrongInstance
        }
        switch previous.pending(covering: key)?.verdict(key) {
        case .batchFull: return .waitsForRoom
        case .some(let verdict)
        where verdict == .notObserved || verdict == .tokenDataNotAgreed || verdict == .nonceNotAgreed:
            if verdict == .nonceNotAgreed, readsDestination,
                let sender = snapshot.messages[key]?.message.orderedSender, snapshot.nonces[sender] == nil
            {
                return .nonceUnread
            }
            return .notAgreed(verdict)
        default: return .ready
        }
    }

    // MARK: Finding the spoiler

    /// The report that executes one message alone, for a simulation whose verdict goes into the next snapshot. Nil
    /// while its root, all messages of it and its token data are not known.
    package func singleReport(
        _ key: MessageKey, previousOutcome: Bytes, snapshot: ExecuteSnapshot, now: UInt64
    ) -> ExecutionReport? {
        let roots = view(decode(previousOutcome), snapshot, now: now).roots
        guard let root = roots.first(where: { $0.committed.root.contains(key) }), let leaves = root.leaves,
            let item = snapshot.messages[key], let data = item.readyTokenData
        else { return nil }
        let index = Int(key.sequenceNumber.rawValue - root.committed.root.first.rawValue)
        guard let proof = try? MerkleTree(leaves: leaves).proof(indices: [index]) else { return nil }
        return ExecutionReport(
            source: key.source, messages: [item.message], offchainTokenData: [data], proofs: proof.hashes,
            proofFlagBits: proof.flagBits)
    }
}
