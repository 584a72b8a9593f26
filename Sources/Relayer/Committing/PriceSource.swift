// Prices that commit reports carry: USD prices of tokens from the cluster file, gas prices from the chains.

import CCIP
import ChainAccess
import Ethereum
import Synchronization

/// A static table of token prices (`tokenPrices` in cluster.yaml) and the gas price that each chain tells.
final class PriceSource: Sendable {
    private let cluster: ClusterSettings

    init(cluster: ClusterSettings) { self.cluster = cluster }

    /// USD with 18 decimals for 10^18 smallest units of each token of a chain.
    func tokens(of chain: ChainSelector) -> [Address: U256] {
        var prices: [Address: U256] = [:]
        for price in cluster.chain(chain)?.tokenPrices ?? [] { prices[price.token] = price.usd }
        return prices
    }

    /// Execution gas price of a chain, in its smallest coin; nil when it cannot be read.
    func gas(_ watch: ChainWatch) async -> U256? {
        if let fixed = watch.settings.gasPrice { return fixed }
        guard let fees = try? await watch.endpoints.fees() else { return nil }
        return fees.gasPrice
    }

    /// USD of the chain's native coin, as its own FeeQuoter has it.
    func native(_ watch: ChainWatch) async -> U256? {
        let call = FeeQuoterCalls.tokenPrice(watch.settings.wrappedNative)
        let reader = ContractReader(watch.endpoints)
        guard let price = try? await reader.read(call, from: watch.settings.contracts.feeQuoter), price.timestamp > 0
        else { return nil }
        return price.value.value
    }
}
