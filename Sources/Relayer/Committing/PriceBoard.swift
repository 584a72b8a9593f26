// Prices that commit reports carry: USD prices of tokens, gas prices and native prices of chains. Read in the
// background, one loop for each chain and one for the price streams, so that no round waits for what hangs.

import CCIP
import ChainAccess
import Committing
import Ethereum
import Logging
import PriceStreams
import Synchronization

/// The prices of one process. Reading it never waits; what is older than three refreshes is as good as unknown.
final class PriceBoard: Sendable {
    /// What it costs to run something on a chain.
    struct ChainPrices: Sendable, Equatable {
        var fees: FeeComponents
        /// USD with 18 decimals for 10^18 of the native coin's smallest units; nil when nobody tells.
        var native: U256?
    }

    private struct Entry<Value: Sendable>: Sendable {
        var value: Value
        var readAt: UInt64
    }

    private struct State {
        var chains: [ChainSelector: Entry<ChainPrices>] = [:]
        var feeds: [Feed: Entry<U256>] = [:]
    }

    private struct Feed: Hashable {
        let destination: ChainSelector
        let token: Address
    }

    private let cluster: ClusterSettings
    private let watches: [ChainWatch]
    /// Nil where no price comes from streams.
    let streams: StreamPriceReader?
    private let now: @Sendable () -> UInt64
    private let logger: Logger
    private let state = Mutex(State())

    init(
        cluster: ClusterSettings, watches: [ChainWatch], streams: StreamPriceReader? = nil,
        now: @escaping @Sendable () -> UInt64, logger: Logger
    ) {
        precondition(streams != nil || !cluster.takesStreamPrices, "prices of streams need a reader")
        self.cluster = cluster
        self.watches = watches
        self.streams = streams
        self.now = now
        self.logger = logger
    }

    // MARK: What is known

    func prices(of chain: ChainSelector) -> ChainPrices? {
        let time = now()
        guard var known = state.withLock({ fresh($0.chains[chain], time) }) else { return nil }
        known.native = native(of: chain, told: known.native)
        return known
    }

    /// Of the stream that is named for the coin and of nothing else, or what the chain's FeeQuoter told.
    func native(of chain: ChainSelector, told: U256?) -> U256? {
        guard let source = cluster.chain(chain)?.nativePrice else { return told }
        return streams?.price(source, tokenDecimals: ReportSchema.coinDecimals)
    }

    /// USD with 18 decimals for 10^18 smallest units of each token of a destination.
    func tokens(of destination: ChainSelector) -> [Address: U256] {
        let time = now()
        let listed = cluster.chain(destination)?.tokenPrices ?? []
        var prices: [Address: U256] = [:]
        for item in listed {
            switch item.source {
            case .fixed(let usd): prices[item.token] = usd
            case .aggregator:
                let feed = Feed(destination: destination, token: item.token)
                prices[item.token] = state.withLock { fresh($0.feeds[feed], time) }
            case .stream(let source, let decimals): prices[item.token] = streams?.price(source, tokenDecimals: decimals)
            }
        }
        return prices
    }

    /// Milliseconds since the prices of a chain were read; nil when they never were.
    func age(of chain: ChainSelector) -> UInt64? {
        let time = now()
        return state.withLock { $0.chains[chain].map { time - min(time, $0.readAt) } }
    }

    private func fresh<Value: Sendable>(_ entry: Entry<Value>?, _ time: UInt64) -> Value? {
        guard let entry, time < entry.readAt + 3 * Limits.priceRefreshMilliseconds else { return nil }
        return entry.value
    }

    // MARK: Reading

    /// Until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            if let streams { group.addTask { [self] in await repeating { await streams.refresh() } } }
            for watch in watches where isPriced(watch.settings.selector) {
                group.addTask { [self] in await repeating { [self] in await readChain(watch) } }
            }
            for destination in cluster.chains {
                let feeds = destination.tokenPrices.compactMap(\.feed)
                guard !feeds.isEmpty, let watch = watches.first(where: { $0.settings.selector == destination.feedChain })
                else { continue }
                group.addTask { [self] in
                    await repeating { [self] in await readFeeds(feeds, of: destination.selector, watch) }
                }
            }
        }
    }

    /// A source of some lane into a destination that keeps gas prices.
    private func isPriced(_ chain: ChainSelector) -> Bool {
        cluster.lanes.contains { lane in
            lane.source == chain && cluster.chain(lane.destination).map { $0.prices.reportsGas } ?? false
        }
    }

    /// One reading after the other, each under a deadline of its own: a request that hangs costs this chain alone.
    private func repeating(_ read: @escaping @Sendable () async -> Void) async {
        while !Task.isCancelled {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await read() }
                group.addTask { try? await Task.sleep(for: .milliseconds(Limits.priceReadingMilliseconds)) }
                await group.next()
                group.cancelAll()
            }
            try? await Task.sleep(for: .milliseconds(Limits.priceRefreshMilliseconds))
        }
    }

    private func readChain(_ watch: ChainWatch) async {
        guard let execution = await executionPrice(watch) else { return }
        guard let availability = await dataAvailabilityPrice(watch) else { return }
        let native = watch.settings.nativePrice == nil ? await nativePrice(watch) : nil
        let time = now()
        state.withLock { state in
            state.chains[watch.settings.selector] = Entry(
                value: ChainPrices(
                    fees: FeeComponents(execution: execution, dataAvailability: availability), native: native),
                readAt: time)
        }
    }

    /// In the chain's smallest coin; nil when it cannot be read.
    private func executionPrice(_ watch: ChainWatch) async -> U256? {
        if let fixed = watch.settings.gasPrice { return fixed }
        return try? await watch.endpoints.fees().gasPrice
    }

    /// As the chain's own FeeQuoter has it.
    private func nativePrice(_ watch: ChainWatch) async -> U256? {
        let call = FeeQuoterCalls.tokenPrice(watch.settings.wrappedNative)
        let price = try? await ContractReader(watch.endpoints).read(call, from: watch.settings.contracts.feeQuoter)
        guard let price, price.timestamp > 0 else { return nil }
        return price.value.value
    }

    /// 0 on chains that are no rollups; nil when the oracle cannot be read: then the chain has no price at all, for a
    /// price without its larger half would let messages cross at a loss.
    private func dataAvailabilityPrice(_ watch: ChainWatch) async -> U256? {
        let (rule, reader) = (watch.settings.dataAvailability, ContractReader(watch.endpoints))
        switch rule.kind {
        case .none: return .zero
        case .arbitrum: return try? await reader.read(RollupFeeCalls.l1BaseFeeEstimate(), from: rule.oracle)
        case .oracle: return try? await reader.read(RollupFeeCalls.l1BaseFee(), from: rule.oracle)
        case .optimism:
            let parts = try? await reader.together(
                BoundCall(RollupFeeCalls.l1BaseFee(), from: rule.oracle),
                BoundCall(RollupFeeCalls.baseFeeScalar(), from: rule.oracle),
                BoundCall(RollupFeeCalls.blobBaseFee(), from: rule.oracle),
                BoundCall(RollupFeeCalls.blobBaseFeeScalar(), from: rule.oracle))
            guard let parts else { return nil }
            return RollupFeeCalls.optimismPrice(
                baseFee: parts.0, baseFeeScalar: parts.1, blobBaseFee: parts.2, blobBaseFeeScalar: parts.3)
        }
    }

    /// Ages by the clock of the feeds' own chain.
    private func readFeeds(
        _ feeds: [ClusterSettings.TokenFeed], of destination: ChainSelector, _ watch: ChainWatch
    ) async {
        guard let now = await watch.heads.current?.latest.timestamp else { return }
        for feed in feeds {
            let round = PriceFeedCalls.latestRoundData()
            let decimals = PriceFeedCalls.decimals()
            do {
                let (latest, places) = try await ContractReader(watch.endpoints).together(
                    BoundCall(round, from: feed.aggregator), BoundCall(decimals, from: feed.aggregator))
                let price = latest.price(
                    feedDecimals: places, tokenDecimals: feed.tokenDecimals, maximumAgeSeconds: feed.maximumAgeSeconds,
                    now: now)
                guard let price else {
                    logger.warning("price feed not used", metadata: [
                        "aggregator": "\(feed.aggregator.checksummed)", "updatedAt": "\(latest.updatedAt)", "now": "\(now)",
                    ])
                    continue
                }
                let time = self.now()
                state.withLock { $0.feeds[Feed(destination: destination, token: feed.token)] = Entry(value: price, readAt: time) }
            } catch {
                logger.debug("price feed not read", metadata: ["error": "\(error)"])
            }
        }
    }
}
