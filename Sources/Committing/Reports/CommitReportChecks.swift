// Whether this oracle lets an agreed report go on: before it queues for transmission, and again right before it is sent
// (3.9 of the off-chain specification). The second question is the same with a fresher snapshot.

import CCIP
import Ethereum
import OffchainReporting

package enum CommitVerdict: Equatable, Sendable {
    case accepted
    case rejected(CommitRejection)

    package var isAccepted: Bool { self == .accepted }
}

/// Why a report is not let on. The raw values are labels of metrics.
package enum CommitRejection: String, Error, Sendable, CaseIterable {
    case decodeReport = "decode_report"
    case emptyReport = "empty_report"
    case emptyRoot = "empty_root"
    case invalidRange = "invalid_seqnum_range"
    case unknownLane = "unknown_lane"
    case destinationNotSupported = "dest_not_supported"
    case destinationNotRead = "dest_support_check_error"
    case curseUnknown = "cursed_check_error"
    case cursed
    case sourceHalted = "source_halted"
    case configurationDigestUnknown = "config_digest_check_error"
    case configurationDigestMismatch = "config_digest_mismatch"
    case staleUnknown = "stale_check_error"
    case stale
    case blessingMismatch = "root_blessing_mismatch"
    case rmnConfigurationUnknown = "rmn_config_check_error"
    case rmnConfigurationChanged = "rmn_config_changed"
    case rmnSignatures = "rmn_signatures"
    case laneNotLive = "lane_not_live"
    case onRampMismatch = "onramp_mismatch"
    case rootMismatch = "root_mismatch"

    /// Expected in the life of a bridge; the others want a look.
    package var isNormal: Bool {
        switch self {
        case .cursed, .configurationDigestMismatch, .stale, .sourceHalted, .destinationNotSupported,
            .rmnConfigurationChanged:
            true
        default: false
        }
    }
}

extension CommitObserver {
    /// Whether to accept an attested report. `sequenceNumber` is that of its outcome, `configurationDigest` that of
    /// this instance.
    package func shouldAccept(
        _ report: Report, sequenceNumber: UInt64, configurationDigest: Digest, snapshot: CommitSnapshot
    ) -> CommitVerdict {
        do throws(CommitRejection) {
            try check(report, sequenceNumber: sequenceNumber, configurationDigest, snapshot)
            return .accepted
        } catch {
            return .rejected(error)
        }
    }

    /// The same question when this oracle's turn to transmit has come, with a snapshot of that moment.
    package func shouldTransmit(
        _ report: Report, sequenceNumber: UInt64, configurationDigest: Digest, snapshot: CommitSnapshot
    ) -> CommitVerdict {
        shouldAccept(
            report, sequenceNumber: sequenceNumber, configurationDigest: configurationDigest, snapshot: snapshot)
    }

    /// The report in its decoded form; nil when it is no commit report.
    package func decode(_ report: Report) -> CommitReport? { try? CommitReport(encoded: report.bytes) }

    private func check(
        _ report: Report, sequenceNumber: UInt64, _ digest: Digest, _ snapshot: CommitSnapshot
    ) throws(CommitRejection) {
        guard let commit = decode(report) else { throw .decodeReport }
        guard !commit.isEmpty else { throw .emptyReport }
        guard commit.blessed.isEmpty == commit.rmnSignatures.isEmpty else { throw .blessingMismatch }
        for root in commit.roots {
            guard !root.root.isZero, root.onRamp.contains(where: { $0 != 0 }) else { throw .emptyRoot }
            guard let range = root.range, range.count <= configuration.leavesPerRootMaximum else {
                throw .invalidRange
            }
        }
        guard readsDestination else { throw .destinationNotSupported }
        guard let destination = snapshot.destination else { throw .destinationNotRead }
        try checkCurses(commit, destination)
        guard let installed = destination.configurationDigest else { throw .configurationDigestUnknown }
        guard installed == Hash32(digest) else { throw .configurationDigestMismatch }
        try checkFreshness(commit, sequenceNumber, destination)
        for root in commit.unblessed { try checkLane(root, isBlessed: false, destination, snapshot) }
        for root in commit.blessed { try checkLane(root, isBlessed: true, destination, snapshot) }
        if !commit.blessed.isEmpty { try checkSignatures(commit, report.metadata, destination) }
    }

    /// What `RMNRemote.verify` will say, with its configuration as it is now (17.2).
    private func checkSignatures(
        _ commit: CommitReport, _ metadata: Bytes, _ destination: DestinationSnapshot
    ) throws(CommitRejection) {
        guard let blessing = configuration.blessing else { throw .blessingMismatch }
        guard let remote = destination.rmn else { throw .rmnConfigurationUnknown }
        let digest = blessing.digest(of: commit.blessed, to: configuration.destination, remote).digest
        let signers = commit.rmnSignatures.compactMap { RMNReportDigest.signer(of: $0, over: digest) }
        let isGood =
            remote.isUsable && signers.count == commit.rmnSignatures.count
            && signers.count >= remote.signaturesNeeded && strictlyAscending(signers)
            && signers.allSatisfy(remote.signers.contains)
        guard !isGood else { return }
        // A configuration that changed since the signatures were gathered is nobody's fault.
        throw metadata == remote.fingerprint.bytes ? .rmnSignatures : .rmnConfigurationChanged
    }

    private func checkCurses(_ commit: CommitReport, _ destination: DestinationSnapshot) throws(CommitRejection) {
        guard case .known(let curses) = destination.curse else { throw .curseUnknown }
        guard !curses.covers(configuration.destination), !commit.roots.contains(where: { curses.covers($0.source) })
        else { throw .cursed }
    }

    private func checkFreshness(
        _ commit: CommitReport, _ sequenceNumber: UInt64, _ destination: DestinationSnapshot
    ) throws(CommitRejection) {
        guard !commit.roots.isEmpty else {
            guard let latest = destination.latestPriceSequenceNumber else { throw .staleUnknown }
            guard sequenceNumber > latest else { throw .stale }
            return
        }
        guard Set(commit.roots.map(\.source)).count == commit.roots.count else { throw .stale }
        for root in commit.roots {
            guard let config = destination.sourceConfigs[root.source] else { throw .staleUnknown }
            guard root.first == config.minSequenceNumber else { throw .stale }
        }
    }

    private func checkLane(
        _ root: MerkleRoot, isBlessed: Bool, _ destination: DestinationSnapshot, _ snapshot: CommitSnapshot
    ) throws(CommitRejection) {
        guard let lane = configuration.lane(from: root.source), lane.isEnabled else { throw .unknownLane }
        guard !snapshot.haltedSources.contains(root.source) else { throw .sourceHalted }
        guard let config = destination.sourceConfigs[root.source] else { throw .staleUnknown }
        guard config.requiresBlessing == isBlessed else { throw .blessingMismatch }
        guard config.isLive else { throw .laneNotLive }
        guard root.onRamp == config.onRamp, root.onRamp == lane.lane.onRampBytes else { throw .onRampMismatch }
        // Where this oracle holds the messages itself, it also checks the root: a fourth look after S1 to S3 (0.2).
        if let range = root.range, let leaves = snapshot.sources[root.source]?.leaves,
            let own = RangeRoot.root(over: range, leaves)
        {
            guard own == root.root else { throw .rootMismatch }
        }
    }
}
