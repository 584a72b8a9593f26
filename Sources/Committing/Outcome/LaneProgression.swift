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
    private(set) var notes: [CommitNote] = []
    private var rootsLeft: Int

    init(_ round: Round) {
        self.round = round
        rootsLeft = round.configuration.rootsPerReportMaximum
        let enabled = round.configuration.lanes.filter(\.isEnabled)
        guard !enabled.isEmpty else { return }
        // Another lane is the first in each round, so that none starves when reports are full.
        let start = Int(round.sequenceNumber % UInt64(enabled.count))
        for lane in enabled[start...] + enabled[..<start] {
            let state = advance(lane.lane)
            if state != .selecting { lanes.append(LaneProgress(source: lane.source, state: state)) }
        }
        lanes.sort { $0.source < $1.source }
    }

    private mutating func advance(_ lane: MessageLane) -> LaneState {
        let destination = round.configuration.destinationReaders
        let next = Consensus.ranked(
            round.values(from: destination) { $0.lane(lane.source)?.next }, rank: destination.faulty,
            minimum: destination.majority)
        switch round.previous.state(of: lane.source) {
        case .selecting: return select(lane, next)
        case .building(let range): return build(lane, range, next)
        case .waiting(let pending): return wait(lane, pending, next)
        }
    }

    // MARK: SelectingRanges

    private mutating func select(_ lane: MessageLane, _ next: SequenceNumber?) -> LaneState {
        guard let next, let readers = round.configuration.readers(of: lane.source) else { return .selecting }
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
        return report(lane, first: next, leaves)
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

    private mutating func report(_ lane: MessageLane, first: SequenceNumber, _ leaves: [Hash32]) -> LaneState {
        let last = SequenceNumber(first.rawValue + UInt64(leaves.count) - 1)
        guard let range = SequenceRange(first: first, last: last), let tree = try? MerkleTree(leaves: leaves) else {
            preconditionFailure("1 to \(Limits.leavesPerRootMaximum) leaves make a tree: \(leaves.count) from \(first)")
        }
        return report(lane, range, tree.root)
    }

    private mutating func report(_ lane: MessageLane, _ range: SequenceRange, _ root: Hash32) -> LaneState {
        guard rootsLeft > 0 else {
            note(.laneDeferred, lane)
            return .selecting
        }
        rootsLeft -= 1
        note(.reportGenerated, lane)
        return .waiting(
            PendingRoot(range: range, root: root, sequenceNumber: round.sequenceNumber, since: round.now))
    }

    // MARK: BuildingReport

    private mutating func build(_ lane: MessageLane, _ range: SequenceRange, _ next: SequenceNumber?) -> LaneState {
        // The range may have been committed meanwhile: a report would only be refused.
        guard next == nil || next == range.first, let readers = round.configuration.readers(of: lane.source) else {
            note(.reportEmpty, lane)
            return .selecting
        }
        let votes = round.values(from: readers) { observation in
            observation.lane(lane.source)?.root.flatMap { $0.range == range ? $0.root : nil }
        }
        switch Consensus.identical(votes, threshold: readers.majority) {
        case .value(let root):
            return report(lane, range, root)
        case .split:
            note(.split, lane)
            return .selecting
        case .missing:
            note(.reportEmpty, lane)
            return .selecting
        }
    }

    // MARK: WaitingForTransmission

    private mutating func wait(_ lane: MessageLane, _ pending: PendingRoot, _ next: SequenceNumber?) -> LaneState {
        if let next, next > pending.range.first {
            note(.reportTransmitted, lane)
            return select(lane, next)
        }
        if let next, next < pending.range.first { note(.offRampRegression, lane) }
        guard round.hasPassed(round.configuration.transmissionTimeoutMilliseconds, since: pending.since) else {
            return .waiting(pending)
        }
        note(.reportTransmissionFailed, lane)
        // The chain is asked anew. Whichever report lands first, the other is refused: `minSeqNr` must match.
        return select(lane, next)
    }

    private mutating func note(_ kind: CommitNote.Kind, _ lane: MessageLane) {
        notes.append(CommitNote(kind, lane.source))
    }
}
