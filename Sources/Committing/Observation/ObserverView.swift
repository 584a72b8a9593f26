// Turns a snapshot into an observation: leaves out what must not be said, and notes why (3.3, 3.5 to 3.7, 3.13).

import CCIP
import Ethereum

struct ObserverView {
    let observer: CommitObserver
    let snapshot: CommitSnapshot
    let outcome: CommitOutcome
    private(set) var notes: [CommitNote] = []

    init(observer: CommitObserver, snapshot: CommitSnapshot, outcome: CommitOutcome) {
        self.observer = observer
        self.snapshot = snapshot
        self.outcome = outcome
    }

    private var configuration: CommitConfiguration { observer.configuration }

    mutating func observation() -> CommitObservation {
        var value = CommitObservation(timestamp: snapshot.timestampMilliseconds)
        value.lanes = observedLanes()
        addPrices(to: &value)
        addBlessing(to: &value)
        return value
    }

    // MARK: Blessing

    private func addBlessing(to value: inout CommitObservation) {
        guard configuration.blessing != nil else { return }
        if observer.readsDestination, value.lanes.contains(where: { $0.requiresBlessing == true }) {
            value.rmn = snapshot.destination?.rmn
        }
        guard let set = outcome.blessing, let own = snapshot.signatures, own.setID == set.id else { return }
        let fresh = own.signatures.filter { !set.signatures.contains($0) }.sorted { $0.precedes($1) }
        guard !fresh.isEmpty else { return }
        value.signatures = BlessingVotes(
            setID: set.id, signatures: Array(fresh.prefix(Limits.observedSignaturesMaximum)))
    }

    // MARK: Lanes

    private mutating func observedLanes() -> [LaneObservation] {
        let mayName = mayNameOffRampNumbers()
        var lanes: [LaneObservation] = []
        for lane in configuration.lanes where lane.isEnabled {
            guard !snapshot.haltedSources.contains(lane.source) else {
                notes.append(CommitNote(.sourceHalted, lane.source))
                continue
            }
            var value = LaneObservation(source: lane.source)
            if observer.readsDestination {
                guard mayName, let config = liveConfig(lane.lane) else { continue }
                value.next = config.minSequenceNumber
                value.requiresBlessing = config.requiresBlessing
            }
            if observer.reads(lane.source) { addSource(lane.lane, to: &value) }
            if !value.isEmpty { lanes.append(value) }
        }
        return lanes
    }

    /// Unknown means cursed; a curse of the destination or of everything stops all roots (3.13).
    private mutating func mayNameOffRampNumbers() -> Bool {
        guard observer.readsDestination else { return false }
        guard let destination = snapshot.destination else {
            notes.append(CommitNote(.destinationNotRead))
            return false
        }
        guard case .known(let curses) = destination.curse else {
            notes.append(CommitNote(.curseUnknown))
            return false
        }
        guard !curses.covers(configuration.destination) else {
            notes.append(CommitNote(.destinationCursed))
            return false
        }
        return true
    }

    /// The OffRamp's configuration of a lane that can be served (3.3.1); nil silences the lane.
    private mutating func liveConfig(_ lane: MessageLane) -> SourceChainConfig? {
        guard let destination = snapshot.destination, case .known(let curses) = destination.curse else { return nil }
        guard !curses.covers(lane.source) else {
            notes.append(CommitNote(.sourceCursed, lane.source))
            return nil
        }
        guard let config = destination.sourceConfigs[lane.source], config.isLive else {
            notes.append(CommitNote(.laneNotLive, lane.source))
            return nil
        }
        guard config.onRamp == lane.onRampBytes else {
            notes.append(CommitNote(.onRampMismatch, lane.source))
            return nil
        }
        guard !config.requiresBlessing || configuration.blessing != nil else {
            notes.append(CommitNote(.blessingNotConfigured, lane.source))
            return nil
        }
        return config
    }

    private mutating func addSource(_ lane: MessageLane, to value: inout LaneObservation) {
        guard let source = snapshot.sources[lane.source] else {
            notes.append(CommitNote(.sourceNotRead, lane.source))
            return
        }
        switch outcome.state(of: lane.source) {
        case .selecting:
            addSelection(source, from: value.next, to: &value)
        case .waiting(let pending), .blessing(let pending):
            // Only who sees the report landed speaks about what comes next.
            addSelection(source, from: value.next == pending.range.first ? nil : value.next, to: &value)
        case .building(let range):
            value.root = root(over: range, source.leaves, lane.source)
        }
    }

    private func addSelection(
        _ source: SourceSnapshot, from next: SequenceNumber?, to value: inout LaneObservation
    ) {
        value.maximum = source.finalizedMaximum
        guard let maximum = source.finalizedMaximum, let next, next.rawValue <= maximum else { return }
        let count = min(UInt64(configuration.leavesPerLaneObserved), maximum - next.rawValue + 1)
        var leaves: [Hash32] = []
        var expected = next.rawValue
        for leaf in source.leaves.drop(while: { $0.sequenceNumber < next }) {
            guard UInt64(leaves.count) < count, leaf.sequenceNumber.rawValue == expected else { break }
            leaves.append(leaf.leaf)
            expected += 1
        }
        if !leaves.isEmpty { value.leaves = LeafVotes(first: next, leaves: leaves) }
    }

    /// The root over exactly the range, or nothing.
    private mutating func root(
        over range: SequenceRange, _ leaves: [MessageLeaf], _ source: ChainSelector
    ) -> RootVote? {
        guard let root = RangeRoot.root(over: range, leaves) else {
            notes.append(CommitNote(.messageCountMismatch, source))
            return nil
        }
        return RootVote(range: range, root: root)
    }

    // MARK: Prices

    private mutating func addPrices(to value: inout CommitObservation) {
        guard let prices = configuration.prices else { return }
        if observer.readsDestination { value.destinationTime = snapshot.destination?.blockTimestamp }
        if outcome.inflightPrices != nil {
            if observer.readsDestination { value.priceSequenceNumber = snapshot.destination?.latestPriceSequenceNumber }
            return
        }
        for rule in prices.gas {
            if let item = gasObservation(rule) { value.gas.append(item) }
            if observer.readsDestination, let price = snapshot.destination?.gasPrices[rule.chain] {
                value.storedGas.append(StoredGasPrice(chain: rule.chain, price: price))
            }
        }
        for rule in prices.tokens {
            if observer.reads(prices.feedChain), let price = snapshot.feedPrices[rule.token] {
                let item = FeedPrice(token: rule.token, price: price)
                if item.isPlausible { value.feeds.append(item) } else { notes.append(CommitNote(.valueOutOfBounds)) }
            }
            if observer.readsDestination, let price = snapshot.destination?.tokenPrices[rule.token] {
                value.storedTokens.append(StoredTokenPrice(token: rule.token, price: price))
            }
        }
    }

    /// Only where both a fee and a native price are known.
    private mutating func gasObservation(_ rule: GasPriceRule) -> GasObservation? {
        guard observer.reads(rule.chain), let source = snapshot.sources[rule.chain], let fees = source.fees,
            let native = source.nativePrice
        else { return nil }
        let item = GasObservation(
            chain: rule.chain, execution: fees.execution, dataAvailability: fees.dataAvailability, nativePrice: native)
        guard item.isPlausible else {
            notes.append(CommitNote(.valueOutOfBounds, rule.chain))
            return nil
        }
        return item
    }
}

/// Roots recomputed from checked leaves.
enum RangeRoot {
    /// Nil unless the leaves hold every message of the range.
    static func root(over range: SequenceRange, _ leaves: [MessageLeaf]) -> Hash32? {
        let wanted = leaves.filter { range.contains($0.sequenceNumber) }
        guard wanted.count == range.count, wanted.map(\.sequenceNumber) == range.numbers else { return nil }
        return (try? MerkleTree(leaves: wanted.map(\.leaf)))?.root
    }
}
