// When prices are written again (3.5, 3.6, 8.2 of the off-chain specification): thresholds and heartbeats per chain and
// token, pinned in the configuration so that a stale cache of the home chain cannot stop updates.

import CCIP
import Ethereum

/// A chain whose gas price the destination's FeeQuoter keeps.
package struct GasPriceRule: Hashable, Sendable {
    package let chain: ChainSelector
    /// Parts per billion of the smaller of the two prices.
    package let executionDeviationPPB: UInt64
    package let dataAvailabilityDeviationPPB: UInt64
    /// Only the heartbeat counts.
    package let isDeviationDisabled: Bool
    /// Units of the chain's smallest coin in what `usdPerFeeCoin` prices: 18 for EVM chains (3.5).
    package let nativeDecimals: UInt8

    package init(
        chain: ChainSelector, executionDeviationPPB: UInt64, dataAvailabilityDeviationPPB: UInt64,
        isDeviationDisabled: Bool = false, nativeDecimals: UInt8 = 18
    ) {
        self.chain = chain
        self.executionDeviationPPB = executionDeviationPPB
        self.dataAvailabilityDeviationPPB = dataAvailabilityDeviationPPB
        self.isDeviationDisabled = isDeviationDisabled
        self.nativeDecimals = nativeDecimals
    }
}

package struct TokenPriceRule: Hashable, Sendable {
    package let token: Address
    package let deviationPPB: UInt64

    package init(token: Address, deviationPPB: UInt64) {
        self.token = token
        self.deviationPPB = deviationPPB
    }
}

package struct PriceConfiguration: Hashable, Sendable {
    /// Ascending by chain.
    package let gas: [GasPriceRule]
    package let gasHeartbeatSeconds: UInt64
    /// Ascending by token; empty switches token prices off.
    package let tokens: [TokenPriceRule]
    package let tokenHeartbeatSeconds: UInt64
    /// Whose readers answer for the feeds.
    package let feedChain: ChainSelector
    /// How long reported prices may take to show before they are observed again.
    package let inflightTimeoutMilliseconds: UInt64
    package let pricesPerReportMaximum: Int

    package init(
        gas: [GasPriceRule], gasHeartbeatSeconds: UInt64 = 1_200, tokens: [TokenPriceRule] = [],
        tokenHeartbeatSeconds: UInt64 = 7_200, feedChain: ChainSelector,
        inflightTimeoutMilliseconds: UInt64 = 60_000, pricesPerReportMaximum: Int = 64
    ) {
        self.gas = gas
        self.gasHeartbeatSeconds = gasHeartbeatSeconds
        self.tokens = tokens
        self.tokenHeartbeatSeconds = tokenHeartbeatSeconds
        self.feedChain = feedChain
        self.inflightTimeoutMilliseconds = inflightTimeoutMilliseconds
        self.pricesPerReportMaximum = pricesPerReportMaximum
    }

    package func rule(for chain: ChainSelector) -> GasPriceRule? { gas.first { $0.chain == chain } }
    package func rule(for token: Address) -> TokenPriceRule? { tokens.first { $0.token == token } }

    func validate(in configuration: CommitConfiguration) throws(CommittingError) {
        guard gas.count <= Limits.pricedChainsMaximum, strictlyAscending(gas.map(\.chain)) else {
            throw configuration.bad("\(gas.count) gas price rules", "each chain once, ascending")
        }
        for rule in gas {
            guard rule.chain != configuration.destination, configuration.readers(of: rule.chain) != nil else {
                throw configuration.bad(
                    "gas price of chain \(rule.chain)", "another chain than the destination, with readers")
            }
            guard rule.isDeviationDisabled || (rule.executionDeviationPPB > 0 && rule.dataAvailabilityDeviationPPB > 0)
            else { throw configuration.bad("gas price deviation of chain \(rule.chain) is 0", "more than 0 ppb") }
            guard rule.nativeDecimals <= 36 else {
                throw configuration.bad("nativeDecimals \(rule.nativeDecimals) of chain \(rule.chain)", "0 to 36")
            }
        }
        guard tokens.count <= Limits.pricedTokensMaximum,
            zip(tokens, tokens.dropFirst()).allSatisfy({ $0.token < $1.token })
        else { throw configuration.bad("\(tokens.count) token price rules", "each token once, ascending") }
        guard tokens.allSatisfy({ $0.deviationPPB > 0 && !$0.token.isZero }) else {
            throw configuration.bad("a token price rule", "deviation above 0 ppb, token not zero")
        }
        guard tokens.isEmpty || configuration.readers(of: feedChain) != nil else {
            throw configuration.bad("feed chain \(feedChain) has no readers", "add it to chains")
        }
        for seconds in [gasHeartbeatSeconds, tokenHeartbeatSeconds]
        where !(1...Limits.heartbeatSecondsMaximum).contains(seconds) {
            throw configuration.bad("a price heartbeat of \(seconds) s", "1 s to a year")
        }
        guard (1...Limits.intervalMillisecondsMaximum).contains(inflightTimeoutMilliseconds) else {
            throw configuration.bad("inflightTimeoutMilliseconds = \(inflightTimeoutMilliseconds)", "1 ms to a day")
        }
        guard (1...Limits.pricesPerReportMaximum).contains(pricesPerReportMaximum) else {
            throw configuration.bad(
                "pricesPerReportMaximum = \(pricesPerReportMaximum)", "1 to \(Limits.pricesPerReportMaximum)")
        }
    }

    func write(to writer: inout CanonicalWriter) {
        writer.list(gas) { writer, rule in
            writer.selector(rule.chain)
            writer.u64(rule.executionDeviationPPB)
            writer.u64(rule.dataAvailabilityDeviationPPB)
            writer.flag(rule.isDeviationDisabled)
            writer.byte(rule.nativeDecimals)
        }
        writer.u64(gasHeartbeatSeconds)
        writer.list(tokens) { writer, rule in
            writer.address(rule.token)
            writer.u64(rule.deviationPPB)
        }
        writer.u64(tokenHeartbeatSeconds)
        writer.selector(feedChain)
        writer.u64(inflightTimeoutMilliseconds)
        writer.u32(UInt32(pricesPerReportMaximum))
    }
}
