// Which prices an outcome writes, and whether earlier ones are still under way (3.5 to 3.7 of the off-chain
// specification). Median of what the readers say; written when never written, too old, or too far off.

import CCIP
import Ethereum

struct PriceProgression {
    private(set) var updates = PriceUpdates()
    private(set) var inflight: InflightPrices?
    private(set) var trouble: PriceTrouble?
    private(set) var notes: [CommitNote] = []
    /// Seconds of the destination's clock, which is also that of stored prices.
    private let destinationNow: UInt64?

    init(_ round: Round) {
        destinationNow = round.destinationNow
        guard let prices = round.configuration.prices else { return }
        trouble = round.previous.priceTrouble
        if let earlier = round.previous.inflightPrices {
            inflight = stillInflight(earlier, prices, round)
            return
        }
        if let trouble, !round.hasPassed(trouble.pauseMilliseconds(prices), since: trouble.since) { return }
        let gas = prices.gas.compactMap { gasUpdate($0, prices, round) }
        let tokens = prices.tokens.compactMap { tokenUpdate($0, prices, round) }
        updates.gas = Array(gas.prefix(prices.pricesPerReportMaximum))
        updates.tokens = Array(tokens.prefix(prices.pricesPerReportMaximum - updates.gas.count))
        if !updates.isEmpty {
            inflight = InflightPrices(sequenceNumber: round.sequenceNumber, since: round.now)
        }
    }

    // MARK: Under way

    private mutating func stillInflight(
        _ earlier: InflightPrices, _ prices: PriceConfiguration, _ round: Round
    ) -> InflightPrices? {
        let readers = round.configuration.destinationReaders
        let seen = Consensus.ranked(
            round.values(from: readers, \.priceSequenceNumber), rank: readers.faulty, minimum: readers.oneHonest)
        if let seen, seen >= earlier.sequenceNumber {
            notes.append(CommitNote(.pricesTransmitted))
            trouble = nil
            return nil
        }
        guard round.hasPassed(prices.inflightTimeoutMilliseconds, since: earlier.since) else { return earlier }
        notes.append(CommitNote(.pricesGivenUp))
        let failures = trouble?.failures ?? 0
        trouble = PriceTrouble(failures: failures == .max ? failures : failures + 1, since: round.now)
        return nil
    }

    /// What one oracle would write if all saw what it sees: only a reason to ask for a round.
    static func wouldUpdate(_ own: CommitObservation, _ prices: PriceConfiguration) -> Bool {
        let gas = own.gas.contains { item in
            guard let rule = prices.rule(for: item.chain),
                let stored = own.storedGas.first(where: { $0.chain == item.chain })?.price,
                let fresh = rule.packed(
                    execution: item.execution, dataAvailability: item.dataAvailability, nativePrice: item.nativePrice)
            else { return false }
            return StoredPrice(stored).isOlder(than: prices.gasHeartbeatSeconds, at: own.destinationTime)
                || rule.deviates(fresh, PackedGasPrice(stored.value))
        }
        return gas
            || own.feeds.contains { item in
                guard let rule = prices.rule(for: item.token),
                    let stored = own.storedTokens.first(where: { $0.token == item.token })?.price
                else { return false }
                return StoredPrice(stored).isOlder(than: prices.tokenHeartbeatSeconds, at: own.destinationTime)
                    || PriceDeviation.deviates(
                        item.price, stored.value.value, partsPerBillion: U256(rule.deviationPPB))
            }
    }

    // MARK: Gas

    private mutating func gasUpdate(
        _ rule: GasPriceRule, _ prices: PriceConfiguration, _ round: Round
    ) -> GasPriceUpdate? {
        guard let readers = round.configuration.readers(of: rule.chain) else { return nil }
        let observed = round.values(from: readers) { $0.gas.first { $0.chain == rule.chain } }
        guard let execution = Consensus.median(observed.map(\.execution), minimum: readers.majority),
            let availability = Consensus.median(observed.map(\.dataAvailability), minimum: readers.majority),
            let native = Consensus.median(observed.map(\.nativePrice), minimum: readers.majority)
        else { return nil }
        guard let fresh = rule.packed(execution: execution, dataAvailability: availability, nativePrice: native) else {
            notes.append(CommitNote(.priceTooLarge, rule.chain))
            return nil
        }
        let destination = round.configuration.destinationReaders
        let stored = round.values(from: destination) { $0.storedGas.first { $0.chain == rule.chain }?.price }
        guard let last = StoredPrice(gas: stored, readers: destination) else { return nil }
        let isDue =
            last.isOlder(than: prices.gasHeartbeatSeconds, at: destinationNow)
            || rule.deviates(fresh, PackedGasPrice(last.value))
        return isDue ? GasPriceUpdate(destination: rule.chain, usdPerUnitGas: fresh.packed) : nil
    }

    // MARK: Tokens

    private func tokenUpdate(
        _ rule: TokenPriceRule, _ prices: PriceConfiguration, _ round: Round
    ) -> TokenPriceUpdate? {
        guard let readers = round.configuration.readers(of: prices.feedChain) else { return nil }
        let observed = round.values(from: readers) { $0.feeds.first { $0.token == rule.token }?.price }
        guard let feed = Consensus.median(observed, minimum: readers.majority), let fresh = UInt224(feed) else {
            return nil
        }
        let destination = round.configuration.destinationReaders
        let stored = round.values(from: destination) { $0.storedTokens.first { $0.token == rule.token }?.price }
        guard let last = StoredPrice(token: stored, readers: destination) else { return nil }
        let isDue =
            last.isOlder(than: prices.tokenHeartbeatSeconds, at: destinationNow)
            || PriceDeviation.deviates(feed, last.value.value, partsPerBillion: U256(rule.deviationPPB))
        return isDue ? TokenPriceUpdate(token: rule.token, usdPerToken: fresh) : nil
    }
}

/// What the FeeQuoter holds, as its readers agree.
private struct StoredPrice {
    let value: UInt224
    /// Seconds; 0: never written.
    let timestamp: UInt32

    init(_ price: TimestampedPrice) {
        value = price.value
        timestamp = price.timestamp
    }

    /// Nil without 2·f + 1 readers: who does not know the last price does not replace it.
    init?(token stored: [TimestampedPrice], readers: ChainReaders) {
        guard let value = Consensus.median(stored.map(\.value), minimum: readers.majority),
            let timestamp = Consensus.median(stored.map(\.timestamp), minimum: readers.majority)
        else { return nil }
        self.value = value
        self.timestamp = timestamp
    }

    /// The two halves of a packed price are two prices: each has its own median.
    init?(gas stored: [TimestampedPrice], readers: ChainReaders) {
        let parts = stored.map { PackedGasPrice($0.value) }
        guard let execution = Consensus.median(parts.map(\.execution), minimum: readers.majority),
            let availability = Consensus.median(parts.map(\.dataAvailability), minimum: readers.majority),
            let timestamp = Consensus.median(stored.map(\.timestamp), minimum: readers.majority),
            let packed = try? PackedGasPrice(execution: execution, dataAvailability: availability)
        else { return nil }
        value = packed.packed
        self.timestamp = timestamp
    }

    /// `now` is a block time like the timestamp itself; without one only a price that was never written is old.
    func isOlder(than heartbeatSeconds: UInt64, at now: UInt64?) -> Bool {
        timestamp == 0 || now.map { $0 > UInt64(timestamp) + heartbeatSeconds } ?? false
    }
}

extension GasPriceRule {
    /// USD with 18 decimals for a unit of gas: `gasPrice · usdPerFeeCoin / 10^decimals` for both parts (3.5).
    /// Nil when a part does not fit its half.
    func packed(execution: U256, dataAvailability: U256, nativePrice: U256) -> PackedGasPrice? {
        let unit = (0..<nativeDecimals).reduce(U256.one) { product, _ in product * 10 }
        guard let executionUSD = execution.multiplied(by: nativePrice, dividedBy: unit),
            let availabilityUSD = dataAvailability.multiplied(by: nativePrice, dividedBy: unit)
        else { return nil }
        return try? PackedGasPrice(execution: executionUSD, dataAvailability: availabilityUSD)
    }

    func deviates(_ fresh: PackedGasPrice, _ stored: PackedGasPrice) -> Bool {
        guard !isDeviationDisabled else { return false }
        return PriceDeviation.deviates(
            fresh.execution, stored.execution, partsPerBillion: U256(executionDeviationPPB))
            || PriceDeviation.deviates(
                fresh.dataAvailability, stored.dataAvailability, partsPerBillion: U256(dataAvailabilityDeviationPPB))
    }
}
