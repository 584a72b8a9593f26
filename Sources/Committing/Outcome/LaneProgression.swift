// From observations to the next state of each lane: which ranges, which roots (3.3 of the off-chain specification).
//
// Three choices differ from the reference, none of them weaker:
// - Each lane has its own state, so that a lane whose root is under way does not hold up the others. The OffRamp takes
//   roots of different sources in any order.
// - Observers send leaf hashes with their numbers. A leaf counts with 2·f_s + 1 equal votes of readers of the source,
//   and the root is computed here from agreed leaves: what 2·f_s + 1 equal roots say, said for each message, with an
//   honest reader behind each. So one round selects and builds, and observers that see different tips still agree on
//   what all of them see. Where leaves are missing the two rounds of the specification follow.
// - Waiting ends by agreed time, not by a number of rounds: rounds are driven by events here, and many can pass
//   before a transaction is included (12.1, item 6).

import CCIP
import Ethereum

struct LaneProgression {
    let round: Round
    private(set) var lanes: [LaneProgress] = []
    private(set) var blessing: BlessingProgression
    private(set) var notes: [CommitNote] = []
    private var rootsLeft: Int

    init(_ round: Round) {
        self.round = round
        rootsLeft = round.configuration.rootsPerReportMaximum
        blessing = BlessingProgression(round)
        let enabled = round.configuration.lanes.filter(\.isEnabled)
        guard !enabled.isEmpty else { return }
        let views = Dictionary(enabled.map { ($0.source, LaneView($0.source, round)) }) { first, _ in first }
        func view(_ source: ChainSelector) -> LaneView {
            guard let view = views[source] else { return LaneView(source, round) }
            return view
        }
        blessing.advance(view)
        rootsLeft -= blessing.blessed?.sources.count ?? 0
        // Another lane is the first in each round, so that none starves when reports are full.
        let start = Int(round.sequenceNumber % UInt64(enabled.count))
        for lane in enabled[start...] + enabled[..<start] {
            let state = advance(lane.lane, view(lane.source))
            if state != .selecting { lanes.append(LaneProgress(source: lane.source, state: state)) }
        }
        lanes.sort { $0.source < $1.source }
        blessing.openNext(lanes, view)
    }

    private mutating func advance(_ lane: MessageLane, _ view: LaneView) -> LaneState {
        switch round.previous.state(of: lane.source) {
        case .selecting: return select(lane, view)
        case .building(let range): return build(lane, range, view)
        case .waiting(let pending): return wait(lane, pending, view)
        case .blessing(let pending): return bless(lane, pending, view)
        }
    }

    // MARK: SelectingRanges

    private mutating func select(_ lane: MessageLane, _ view: LaneView) -> LaneState {
        guard let next = view.next, let readers = round.configuration.readers(of: lane.source) else { return .selecting }
        let maxima = round.values(from: readers) { $0.lane(lane.source)?.maximum }
        guard let maximum = Consensus.ranked(maxima, rank: readers.faulty, minimum: readers.majority) else {
            note(.insufficientAgreement, lane)
            return .selecting
        }
        guard maximum >= next.rawValue - 1 else {
            note(maximum == 0 ? .onRampMaximumZero : .offRampAhead, lane)
            return .selecting
        }
        guard maximum >= next.rawValue else { return .selecting }
        let size = min(maximum - next.rawValue, UInt64(round.configuration.leavesPerRootMaximum) - 1)
        let last = SequenceNumber(next.rawValue + size)
        if last.rawValue < maximum { note(.rangeTruncated, lane) }
        guard let range = SequenceRange(first: next, last: last) else { return .selecting }
        let leaves = agreedLeaves(lane, readers, range)
        guard !leaves.isEmpty else {
            note(.insufficientAgreement, lane)
            return rootsLeft > 0 ? .building(range) : .selecting
        }
        return report(lane, first: next, leaves, view)
    }

    /// Leaves from the first of the range on, as far as 2·f_s + 1 readers say the same.
    private mutating func agreedLeaves(
        _ lane: MessageLane, _ readers: ChainReaders, _ range: SequenceRange
    ) -> [Hash32] {
        let votes = round.values(from: readers) { $0.lane(lane.source)?.leaves }
        guard votes.count >= readers.majority else { return [] }
        var leaves: [Hash32] = []
        for number in range.numbers {
            switch Consensus.identical(votes.compactMap { $0[number] }, threshold: readers.majority) {
            case .value(let leaf):
                leaves.append(leaf)
            case .split:
                note(.split, lane)
                return leaves
            case .missing:
                return leaves
            }
        }
        return leaves
    }

    private mutating func report(
        _ lane: MessageLane, first: SequenceNumber, _ leaves: [Hash32], _ view: LaneView
    ) -> LaneState {
        let last = SequenceNumber(first.rawValue + UInt64(leaves.count) - 1)
        guard let range = SequenceRange(first: first, last: last), let tree = try? MerkleTree(leaves: leaves) else {
            preconditionFailure("1 to \(Limits.leavesPerRootMaximum) leaves make a tree: \(leaves.count) from \(first)")
        }
        return report(lane, range, tree.root, view)
    }

    /// Into the report of this outcome, or to the roots that wait for signatures. The wrong list would cost the whole
    /// report, so what is not agreed on is not reported.
    private mutating func report(
        _ lane: MessageLane, _ range: SequenceRange, _ root: Hash32, _ view: LaneView
    ) -> LaneState {
        let pending = PendingRoot(
            range: range, root: root, sequenceNumber: round.sequenceNumber, since: round.now)
        switch view.requiresBlessing {
        case nil:
            note(.insufficientAgreement, lane)
            return .selecting
        case true?:
            return round.configuration.blessing == nil ? .selecting : .blessing(pending)
        case false?:
            guard rootsLeft > 0 else {
                note(.laneDeferred, lane)
                return .selecting
            }
            rootsLeft -= 1
            note(.reportGenerated, lane)
            return .waiting(pending)
        }
    }

    // MARK: BuildingReport

    private mutating func build(_ lane: MessageLane, _ range: SequenceRange, _ view: LaneView) -> LaneState {
        // The range may have been committed meanwhile: a report would only be refused.
        guard view.next == nil || view.next == range.first, let readers = round.configuration.readers(of: lane.source) else {
            note(.reportEmpty, lane)
            return .selecting
        }
        let votes = round.values(from: readers) { observation in
            observation.lane(lane.source)?.root.flatMap { $0.range == range ? $0.root : nil }
        }
        switch Consensus.identical(votes, threshold: readers.majority) {
        case .value(let root):
            return report(lane, range, root, view)
        case .split:
            note(.split, lane)
            return .selecting
        case .missing:
            note(.reportEmpty, lane)
            return .selecting
        }
    }

    // MARK: WaitingForTransmission

    private mutating func wait(_ lane: MessageLane, _ pending: PendingRoot, _ view: LaneView) -> LaneState {
        let next = view.next
        if let next, next > pending.range.first {
            note(.reportTransmitted, lane)
            return select(lane, view)
        }
        if let next, next < pending.range.first { note(.offRampRegression, lane) }
        guard round.hasPassed(round.configuration.transmissionTimeoutMilliseconds, since: pending.since) else {
            return .waiting(pending)
        }
        note(.reportTransmissionFailed, lane)
        // The chain is asked anew. Whichever report lands first, the other is refused: `minSeqNr` must match.
        return select(lane, view)
    }

    // MARK: Waiting for signatures

    private mutating func bless(_ lane: MessageLane, _ pending: PendingRoot, _ view: LaneView) -> LaneState {
        if blessing.blessed?.sources.contains(lane.source) == true {
            note(.reportGenerated, lane)
            return .waiting(
                PendingRoot(
                    range: pending.range, root: pending.root, sequenceNumber: round.sequenceNumber, since: round.now))
        }
        if blessing.open?.sources.contains(lane.source) == true { return .blessing(pending) }
        if let next = view.next, next > pending.range.first { return select(lane, view) }
        guard !blessing.released.contains(lane.source), view.requiresBlessing != false else { return .selecting }
        guard let next = view.next, next < pending.range.first else { return .blessing(pending) }
        note(.offRampRegression, lane)
        // A destination that went back for good: the root would wait for ever.
        let isLost = round.hasPassed(round.configuration.transmissionTimeoutMilliseconds, since: pending.since)
        return isLost ? select(lane, view) : .blessing(pending)
    }

    private mutating func note(_ kind: CommitNote.Kind, _ lane: MessageLane) {
        notes.append(CommitNote(kind, lane.source))
    }
}
