// Who may say what (1.5, 3.10 of the off-chain specification). Pure: the configuration and the last outcome decide, no
// clock. A part that breaks a rule condemns the whole observation.

import CCIP
import Ethereum

struct ObservationRules {
    let configuration: CommitConfiguration

    func check(_ observation: CommitObservation, by observer: Int, after outcome: CommitOutcome) throws(CommittingError)
    {
        guard (0..<configuration.oracleCount).contains(observer) else {
            throw CommittingError(
                .notAReader, "oracle \(observer)", hint: "the cluster has \(configuration.oracleCount)")
        }
        guard (1...Limits.timestampMillisecondsMaximum).contains(observation.timestamp) else {
            throw implausible("timestamp \(observation.timestamp)")
        }
        let isDestinationReader = configuration.destinationReaders.contains(observer)
        try checkLanes(observation, by: observer, isDestinationReader, outcome)
        try checkPriceParts(observation, by: observer, isDestinationReader, outcome)
        try checkBlessing(observation, by: observer, isDestinationReader, outcome)
    }

    // MARK: Blessing

    /// Whose signatures they are is found out in the outcome, once for all observers.
    private func checkBlessing(
        _ observation: CommitObservation, by observer: Int, _ isDestinationReader: Bool, _ outcome: CommitOutcome
    ) throws(CommittingError) {
        if observation.rmn != nil {
            guard configuration.blessing != nil else { throw unasked("a configuration of RMN nodes") }
            guard isDestinationReader else { throw notReader(observer, configuration.destination) }
        }
        guard let votes = observation.signatures else { return }
        guard let set = outcome.blessing, set.id == votes.setID else {
            throw unasked("signatures over roots that nobody asked for")
        }
        guard !votes.signatures.isEmpty,
            zip(votes.signatures, votes.signatures.dropFirst()).allSatisfy({ $0.precedes($1) })
        else { throw implausible("signatures of RMN nodes out of order") }
    }

    // MARK: Lanes

    private func checkLanes(
        _ observation: CommitObservation, by observer: Int, _ isDestinationReader: Bool, _ outcome: CommitOutcome
    ) throws(CommittingError) {
        guard strictlyAscending(observation.lanes.map(\.source)) else { throw implausible("lanes out of order") }
        for lane in observation.lanes {
            guard let known = configuration.lane(from: lane.source), known.isEnabled else {
                throw implausible("lane from \(lane.source)")
            }
            guard !lane.isEmpty else { throw implausible("lane from \(lane.source) without a word") }
            guard isDestinationReader || (lane.next == nil && lane.requiresBlessing == nil) else {
                throw notReader(observer, configuration.destination)
            }
            if let next = lane.next {
                guard next.rawValue >= 1 else { throw implausible("next sequence number 0") }
            }
            if lane.maximum != nil || lane.leaves != nil || lane.root != nil {
                guard configuration.readers(of: lane.source)?.contains(observer) == true else {
                    throw notReader(observer, lane.source)
                }
            }
            try checkVotes(lane, outcome)
        }
    }

    private func checkVotes(_ lane: LaneObservation, _ outcome: CommitOutcome) throws(CommittingError) {
        let state = outcome.state(of: lane.source)
        if let votes = lane.leaves {
            if case .building = state { throw unasked("leaves for \(lane.source) while a range is built") }
            guard !votes.leaves.isEmpty, votes.leaves.count <= configuration.leavesPerLaneObserved,
                votes.leaves.allSatisfy({ !$0.isZero })
            else { throw implausible("\(votes.leaves.count) leaves for \(lane.source)") }
            guard votes.first.rawValue >= 1, let maximum = lane.maximum,
                votes.first.rawValue <= UInt64.max - UInt64(votes.leaves.count),
                votes.first.rawValue + UInt64(votes.leaves.count) - 1 <= maximum
            else { throw implausible("leaves for \(lane.source) past its own maximum") }
        }
        if let vote = lane.root {
            guard case .building(let range) = state, vote.range == range else {
                throw unasked("a root for \(lane.source) that nobody selected")
            }
            guard !vote.root.isZero else { throw implausible("root 0 for \(lane.source)") }
        }
    }

    // MARK: Prices

    private func checkPriceParts(
        _ observation: CommitObservation, by observer: Int, _ isDestinationReader: Bool, _ outcome: CommitOutcome
    ) throws(CommittingError) {
        let hasPrices =
            !observation.gas.isEmpty || !observation.storedGas.isEmpty || !observation.feeds.isEmpty
            || !observation.storedTokens.isEmpty
        guard let prices = configuration.prices else {
            guard !hasPrices, observation.priceSequenceNumber == nil, observation.destinationTime == nil else {
                throw unasked("prices")
            }
            return
        }
        if let time = observation.destinationTime {
            guard isDestinationReader else { throw notReader(observer, configuration.destination) }
            guard (1...Limits.blockTimestampMaximum).contains(time) else { throw implausible("block time \(time)") }
        }
        let isInflight = outcome.inflightPrices != nil
        guard !(isInflight && hasPrices), isInflight || observation.priceSequenceNumber == nil else {
            throw unasked("prices, or their sequence number")
        }
        let needsDestination =
            observation.priceSequenceNumber != nil || !observation.storedGas.isEmpty
            || !observation.storedTokens.isEmpty
        guard isDestinationReader || !needsDestination else { throw notReader(observer, configuration.destination) }
        try checkGas(observation, by: observer, prices)
        try checkTokens(observation, by: observer, prices)
    }

    private func checkGas(
        _ observation: CommitObservation, by observer: Int, _ prices: PriceConfiguration
    ) throws(CommittingError) {
        guard strictlyAscending(observation.gas.map(\.chain)), strictlyAscending(observation.storedGas.map(\.chain))
        else { throw implausible("gas prices out of order") }
        for item in observation.gas {
            guard prices.rule(for: item.chain) != nil else { throw implausible("gas price of \(item.chain)") }
            guard configuration.readers(of: item.chain)?.contains(observer) == true else {
                throw notReader(observer, item.chain)
            }
            guard item.isPlausible else { throw implausible("gas price of \(item.chain)") }
        }
        for item in observation.storedGas where prices.rule(for: item.chain) == nil {
            throw implausible("stored gas price of \(item.chain)")
        }
    }

    private func checkTokens(
        _ observation: CommitObservation, by observer: Int, _ prices: PriceConfiguration
    ) throws(CommittingError) {
        guard zip(observation.feeds, observation.feeds.dropFirst()).allSatisfy({ $0.token < $1.token }),
            zip(observation.storedTokens, observation.storedTokens.dropFirst()).allSatisfy({ $0.token < $1.token })
        else { throw implausible("token prices out of order") }
        if !observation.feeds.isEmpty, configuration.readers(of: prices.feedChain)?.contains(observer) != true {
            throw notReader(observer, prices.feedChain)
        }
        for item in observation.feeds {
            guard prices.rule(for: item.token) != nil, item.isPlausible else {
                throw implausible("feed price of \(item.token)")
            }
        }
        for item in observation.storedTokens where prices.rule(for: item.token) == nil {
            throw implausible("stored price of \(item.token)")
        }
    }

    private func implausible(_ what: String) -> CommittingError {
        CommittingError(.implausibleValue, what, hint: "no honest oracle of this configuration says so")
    }

    private func unasked(_ what: String) -> CommittingError {
        CommittingError(.unaskedPart, what, hint: "the last outcome does not ask for it")
    }

    private func notReader(_ observer: Int, _ chain: ChainSelector) -> CommittingError {
        CommittingError(.notAReader, "oracle \(observer) speaks about chain \(chain)", hint: "it is no reader of it")
    }
}

extension GasObservation {
    /// Execution costs something, and each part fits its half of a packed price (3.5).
    var isPlausible: Bool {
        !execution.isZero && execution.bitWidth <= Limits.gasPriceBits
            && dataAvailability.bitWidth <= Limits.gasPriceBits
            && !nativePrice.isZero && nativePrice.bitWidth <= Limits.tokenPriceBits
    }
}

extension FeedPrice {
    var isPlausible: Bool { !price.isZero && price.bitWidth <= Limits.tokenPriceBits }
}
