// One oracle's side of a round: what to read, what to say about it, and whether there is anything to say. Pure: the
// snapshot holds all that was read.

import CCIP
import Ethereum

package struct CommitObserver: Sendable {
    package let configuration: CommitConfiguration
    package let ownIndex: Int

    /// `ownIndex` counts from 0 in the order of the instance's oracles.
    package init(configuration: CommitConfiguration, ownIndex: Int) {
        self.configuration = configuration
        self.ownIndex = ownIndex
    }

    package var readsDestination: Bool { configuration.destinationReaders.contains(ownIndex) }
    package func reads(_ chain: ChainSelector) -> Bool {
        configuration.readers(of: chain)?.contains(ownIndex) ?? false
    }

    // MARK: What to read

    /// What this oracle has to read for the round after `previousOutcome`. Throws `malformedOutcome`.
    package func needs(previousOutcome: [UInt8]) throws(CommittingError) -> CommitReads {
        let outcome = try CommitOutcome(encoded: previousOutcome)
        let leaves = configuration.leavesPerLaneObserved
        let lanes = configuration.lanes.filter(\.isEnabled).map { lane in
            let want: CommitReads.Want =
                switch outcome.state(of: lane.source) {
                case .selecting: .select(leavesMaximum: leaves)
                case .building(let range): .build(range)
                case .waiting(let pending), .blessing(let pending): .wait(pending: pending.range, leavesMaximum: leaves)
                }
            return CommitReads.Lane(lane: lane.lane, want: want, readsSource: reads(lane.source))
        }
        let isInflight = outcome.inflightPrices != nil
        return CommitReads(
            readsDestination: readsDestination, lanes: lanes,
            readsPrices: configuration.prices != nil && !isInflight,
            readsPriceSequenceNumber: configuration.prices != nil && isInflight && readsDestination,
            readsRMN: configuration.blessing != nil && readsDestination,
            blessing: configuration.blessingRequest(outcome))
    }

    // MARK: What to say

    /// The observation of this oracle, canonical and within its size. Throws `malformedOutcome`; `implausibleValue` for
    /// a snapshot whose clock is not set.
    package func observation(
        previousOutcome: [UInt8], snapshot: CommitSnapshot, sequenceNumber: UInt64
    ) throws(CommittingError) -> [UInt8] {
        try observe(previousOutcome: previousOutcome, snapshot: snapshot).observation.encoded
    }

    /// The same before encoding, with the reasons for what is left out.
    package func observe(
        previousOutcome: [UInt8], snapshot: CommitSnapshot
    ) throws(CommittingError) -> (observation: CommitObservation, notes: [CommitNote]) {
        let outcome = try CommitOutcome(encoded: previousOutcome)
        var view = ObserverView(observer: self, snapshot: snapshot, outcome: outcome)
        let observation = view.observation()
        // A second look by the rules of the others: an oracle never signs what they would refuse.
        try ObservationRules(configuration: configuration).check(observation, by: ownIndex, after: outcome)
        return (observation, view.notes)
    }

    // MARK: Whether to ask for a round

    /// Whether a round now would change something as far as this oracle can see: messages to select, a report that has
    /// landed or is overdue, prices to write. Ask it whenever a chain has moved or an outcome is committed.
    package func hasWork(previousOutcome: [UInt8], snapshot: CommitSnapshot) throws(CommittingError) -> Bool {
        let outcome = try CommitOutcome(encoded: previousOutcome)
        if outcome.isBuilding { return true }
        let own = try observe(previousOutcome: previousOutcome, snapshot: snapshot).observation
        return own.lanes.contains { hasWork($0, outcome.state(of: $0.source), snapshot) }
            || isOverdue(outcome, snapshot) || hasPriceWork(own, outcome, snapshot)
            || hasBlessingWork(own, outcome, snapshot)
    }

    private func hasWork(_ lane: LaneObservation, _ state: LaneState, _ snapshot: CommitSnapshot) -> Bool {
        guard let next = lane.next else { return false }
        switch state {
        case .selecting: return lane.maximum.map { $0 >= next.rawValue } ?? false
        case .building: return true
        case .waiting(let pending): return next > pending.range.first
        case .blessing(let pending):
            let isLost =
                next < pending.range.first
                && passed(configuration.transmissionTimeoutMilliseconds, since: pending.since, snapshot)
            return next > pending.range.first || lane.requiresBlessing == false || isLost
        }
    }

    /// Enough signatures, a set that ran out of time, or one to open.
    private func hasBlessingWork(
        _ own: CommitObservation, _ outcome: CommitOutcome, _ snapshot: CommitSnapshot
    ) -> Bool {
        guard let blessing = configuration.blessing else { return false }
        if let set = outcome.blessing {
            let known = snapshot.signatures.flatMap { $0.setID == set.id ? $0.signatures : nil } ?? []
            let fresh = known.count { !set.signatures.contains($0) }
            return set.signatures.count + fresh >= set.remote.signaturesNeeded
                || passed(blessing.timeoutMilliseconds, since: set.since, snapshot)
                || own.rmn.map { $0 != set.remote } ?? false
        }
        guard own.rmn?.isUsable == true else { return false }
        return own.lanes.contains { lane in
            guard case .blessing(let pending) = outcome.state(of: lane.source), lane.next == pending.range.first,
                lane.requiresBlessing == true
            else { return false }
            return outcome.suspects.first { $0.source == lane.source }
                .map { $0.until <= snapshot.timestampMilliseconds } ?? true
        }
    }

    private func isOverdue(_ outcome: CommitOutcome, _ snapshot: CommitSnapshot) -> Bool {
        outcome.lanes.contains { lane in
            guard case .waiting(let pending) = lane.state else { return false }
            return passed(configuration.transmissionTimeoutMilliseconds, since: pending.since, snapshot)
        }
    }

    private func hasPriceWork(
        _ own: CommitObservation, _ outcome: CommitOutcome, _ snapshot: CommitSnapshot
    ) -> Bool {
        guard let prices = configuration.prices else { return false }
        if let inflight = outcome.inflightPrices {
            return own.priceSequenceNumber.map { $0 >= inflight.sequenceNumber } ?? false
                || passed(prices.inflightTimeoutMilliseconds, since: inflight.since, snapshot)
        }
        if let trouble = outcome.priceTrouble,
            !passed(trouble.pauseMilliseconds(prices), since: trouble.since, snapshot)
        { return false }
        return PriceProgression.wouldUpdate(own, prices)
    }

    private func passed(_ duration: UInt64, since: UInt64, _ snapshot: CommitSnapshot) -> Bool {
        snapshot.timestampMilliseconds >= since && snapshot.timestampMilliseconds - since >= duration
    }
}
