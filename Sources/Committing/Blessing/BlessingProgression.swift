// From signatures in observations to blessed roots of a report, and the order in which lanes get their turn (7.3 of the
// off-chain specification).
//
// The reference has its leader gather signatures for the query of a round. Here each oracle asks the guards itself and
// passes on what it got: a signature is checked by recovery, so one honest oracle that reached enough guards is enough,
// and a slow or faulty leader changes nothing (docs/internals/decisions/0006).

import CCIP
import Ethereum

/// What the readers of the destination agree on about one lane in this round.
struct LaneView {
    /// The OffRamp's next number.
    let next: SequenceNumber?
    /// Whether its roots need signatures.
    let requiresBlessing: Bool?
    /// Too few name a next number for the lane to be in use: cursed, disabled, or not read.
    let isSilent: Bool

    init(_ source: ChainSelector, _ round: Round) {
        let readers = round.configuration.destinationReaders
        let numbers = round.values(from: readers) { $0.lane(source)?.next }
        next = Consensus.ranked(numbers, rank: readers.faulty, minimum: readers.majority)
        requiresBlessing = Consensus.identical(
            round.values(from: readers) { $0.lane(source)?.requiresBlessing }.map { $0 ? 1 : 0 },
            threshold: readers.majority
        ).value.map { $0 == 1 }
        let heard = round.voices.count { readers.contains($0.observer) }
        isSilent = heard >= readers.majority && numbers.count <= readers.faulty
    }
}

struct BlessingProgression {
    private let round: Round
    private let configuration: BlessingConfiguration?
    /// The RMNRemote's configuration of this round; nil when too few tell the same.
    private let remote: RMNRemoteConfiguration?
    private(set) var open: BlessingSet?
    private(set) var blessed: BlessedRoots?
    /// Lanes of a set that was dissolved: their roots are selected anew.
    private(set) var released: [ChainSelector] = []
    private(set) var suspects: [BlessingSuspect]
    private(set) var notes: [CommitNote] = []

    init(_ round: Round) {
        self.round = round
        configuration = round.configuration.blessing
        let readers = round.configuration.destinationReaders
        remote = Consensus.identical(round.values(from: readers, \.rmn), threshold: readers.majority).value
        open = round.previous.blessing
        suspects = round.previous.suspects
    }

    // MARK: The open set

    /// Completes the open set, dissolves it, or keeps it with the signatures that have come.
    mutating func advance(_ view: (ChainSelector) -> LaneView) {
        guard let set = open else { return }
        guard let configuration, let roots = round.configuration.roots(of: set.sources, in: round.previous) else {
            return dissolve(set, .blessingDissolved)
        }
        if let remote, remote != set.remote { return dissolve(set, .rmnConfigurationChanged) }
        for root in roots where isOver(root, view(root.source)) { return dissolve(set, .blessingDissolved) }
        let signatures = merged(set, configuration.digest(of: roots, to: round.configuration.destination, set.remote))
        if signatures.count >= set.remote.signaturesNeeded {
            open = nil
            blessed = BlessedRoots(remote: set.remote, sources: set.sources, signatures: signatures)
            suspects.removeAll { set.sources.contains($0.source) }
            notes.append(CommitNote(.rootsBlessed))
        } else if round.hasPassed(configuration.timeoutMilliseconds, since: set.since) {
            suspect(set, configuration)
            dissolve(set, .blessingTimedOut)
        } else {
            open = BlessingSet(
                id: set.id, since: set.since, remote: set.remote, sources: set.sources, signatures: signatures)
        }
    }

    /// A member that the OffRamp would not take any more: committed by another report, cursed, disabled, or no longer
    /// in need of signatures.
    private func isOver(_ root: MerkleRoot, _ view: LaneView) -> Bool {
        view.isSilent || view.next.map { $0 > root.first } ?? false || view.requiresBlessing == false
    }

    private mutating func dissolve(_ set: BlessingSet, _ note: CommitNote.Kind) {
        open = nil
        released = set.sources
        notes += set.sources.map { CommitNote(note, $0) }
    }

    /// Signatures of the set with those that observers pass on: strangers and second signatures of one signer are
    /// dropped, no more than needed are kept. Ascending by signer.
    private func merged(_ set: BlessingSet, _ digest: RMNReportDigest) -> [RMNSignature] {
        let votes = round.voices.compactMap { $0.observation.signatures }.filter { $0.setID == set.id }
        let hash = digest.digest
        var bySigner: [(signer: Address, signature: RMNSignature)] = []
        var seen: Set<RMNSignature> = []
        // Earlier ones first, then by their own order: who passes them on does not matter.
        for signature in set.signatures + votes.flatMap(\.signatures).sorted(by: { $0.precedes($1) }) {
            guard bySigner.count < set.remote.signaturesNeeded, seen.insert(signature).inserted,
                let signer = RMNReportDigest.signer(of: signature, over: hash), set.remote.signers.contains(signer),
                !bySigner.contains(where: { $0.signer == signer })
            else { continue }
            bySigner.append((signer, signature))
        }
        return bySigner.sorted { $0.signer < $1.signer }.map(\.signature)
    }

    /// Members of a set that ran out of time are tried alone: at once after a common set, after a doubling pause when
    /// even that failed.
    private mutating func suspect(_ set: BlessingSet, _ configuration: BlessingConfiguration) {
        for source in set.sources {
            let earlier = suspects.first { $0.source == source }?.failures ?? 0
            let failures = set.sources.count == 1 ? min(earlier + 1, Limits.blessingDoublingsMaximum) : earlier
            let pause = failures == 0 ? 0 : configuration.timeoutMilliseconds << UInt64(failures - 1)
            suspects.removeAll { $0.source == source }
            suspects.append(BlessingSuspect(source: source, failures: failures, until: round.now + pause))
        }
        suspects.sort { $0.source < $1.source }
    }

    // MARK: The next set

    /// Opens a set from lanes whose roots wait, when none is open.
    mutating func openNext(_ lanes: [LaneProgress], _ view: (ChainSelector) -> LaneView) {
        suspects.removeAll { view($0.source).requiresBlessing == false }
        guard open == nil, configuration != nil else { return }
        let candidates = lanes.compactMap { lane -> (source: ChainSelector, root: PendingRoot)? in
            guard case .blessing(let root) = lane.state, view(lane.source).next == root.range.first,
                view(lane.source).requiresBlessing == true
            else { return nil }
            return (lane.source, root)
        }
        guard !candidates.isEmpty else { return }
        guard let remote else {
            notes.append(CommitNote(.insufficientAgreement))
            return
        }
        guard remote.isUsable else {
            notes += candidates.map { CommitNote(.rmnUnavailable, $0.source) }
            return
        }
        let sources = turn(candidates)
        guard !sources.isEmpty else { return }
        open = BlessingSet(id: round.sequenceNumber, since: round.now, remote: remote, sources: sources)
        notes += sources.map { CommitNote(.blessingOpened, $0) }
    }

    /// Whoever has waited longest: all lanes without a suspicion together, or one suspect alone.
    private func turn(_ candidates: [(source: ChainSelector, root: PendingRoot)]) -> [ChainSelector] {
        let common = candidates.filter { candidate in !suspects.contains { $0.source == candidate.source } }
            .sorted { ($0.root.since, $0.source) < ($1.root.since, $1.source) }
        let due = suspects.filter { suspect in
            suspect.until <= round.now && candidates.contains { $0.source == suspect.source }
        }.min { ($0.until, $0.source) < ($1.until, $1.source) }
        if let due, common.first.map({ due.until <= $0.root.since }) ?? true { return [due.source] }
        let room = min(Limits.blessedRootsMaximum, round.configuration.rootsPerReportMaximum)
        return common.prefix(room).map(\.source).sorted()
    }
}

extension CommitConfiguration {
    /// The roots of lanes that are blessing, as a report has them; nil when one of them is not, or unknown.
    func roots(of sources: [ChainSelector], in outcome: CommitOutcome) -> [MerkleRoot]? {
        var roots: [MerkleRoot] = []
        for source in sources {
            guard case .blessing(let pending) = outcome.state(of: source), let lane = lane(from: source),
                lane.isEnabled
            else { return nil }
            roots.append(lane.lane.root(pending))
        }
        return roots
    }

    /// What guards are to be asked after this outcome; nil while no set is open.
    package func blessingRequest(_ outcome: CommitOutcome) -> BlessingRequest? {
        guard let blessing, let set = outcome.blessing, let roots = roots(of: set.sources, in: outcome) else {
            return nil
        }
        return BlessingRequest(
            setID: set.id, since: set.since, remote: set.remote, roots: roots,
            digest: blessing.digest(of: roots, to: destination, set.remote), signatures: set.signatures)
    }
}

extension MessageLane {
    /// A root of this lane, in the contract's form.
    func root(_ pending: PendingRoot) -> MerkleRoot {
        MerkleRoot(
            source: source, onRamp: onRampBytes, first: pending.range.first, last: pending.range.last,
            root: pending.root)
    }
}
