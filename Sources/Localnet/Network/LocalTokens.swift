// The tokens of a local network that was asked for every kind of them, and the attesters of its USDC. Values only.

import CCIP
import Ethereum

/// Which tokens a local network starts with.
package enum LocalTokens: String, Sendable, CaseIterable {
    /// LINK and CWT.
    case standard
    /// One of every kind of pool, USDC over both versions of CCTP, and one with different decimals; needs more time.
    case all

    var needsAttesters: Bool { self == .all }

    func attesters() throws(LocalnetError) -> DeploymentRequest.Attesters? {
        guard needsAttesters else { return nil }
        return try LocalAttesters.request()
    }

    /// `home` is where the locking pools stand.
    func tokens(chains: [String], home: String) -> [DeploymentRequest.Token] {
        let standard = LocalnetEconomy.tokens(chains: chains, home: home)
        return self == .standard ? standard : standard + Self.further(chains, home)
    }

    private static func further(_ chains: [String], _ home: String) -> [DeploymentRequest.Token] {
        let unit = LocalnetEconomy.unit
        let limit = DeploymentRequest.RateLimit(capacity: U256(1_000_000) * unit, rate: U256(10_000) * unit)
        /// 10,000 of the token for each account, on every chain.
        func everywhere(_ decimals: (String) -> UInt8) -> [String: U256] {
            Dictionary(
                uniqueKeysWithValues: chains.map { chain in
                    (chain, (0..<decimals(chain)).reduce(U256(10_000)) { amount, _ in amount * 10 })
                })
        }
        let whole = everywhere { _ in 18 }
        let small = everywhere { _ in DeploymentRequest.usdcDecimals }
        let usdcLimit = DeploymentRequest.RateLimit(capacity: U256(1_000_000_000_000), rate: U256(10_000_000_000))
        /// A dollar for a token of 6 decimals.
        let dollar = unit * U256(1_000_000_000_000)
        return [
            .init(
                name: "Siloed Test Token", symbol: "SILO", priceUSD18: unit, rateLimit: limit,
                minted: whole.filter { $0.key == home }, pools: [home: .siloedLockRelease]),
            .init(
                name: "Burn From Test Token", symbol: "BFROM", priceUSD18: unit, rateLimit: limit, minted: whole,
                pool: .burnFrom),
            .init(
                name: "Burn With From Test Token", symbol: "BWITH", priceUSD18: unit, rateLimit: limit, minted: whole,
                pool: .burnWithFrom),
            .init(
                name: "Burn To Address Test Token", symbol: "BADDR", priceUSD18: unit, rateLimit: limit, minted: whole,
                pool: .burnToAddress),
            .init(
                name: "Mixed Decimals Test Token", symbol: "MIXED", priceUSD18: unit, rateLimit: limit,
                minted: everywhere { $0 == home ? 18 : 6 },
                decimalsOn: Dictionary(uniqueKeysWithValues: chains.filter { $0 != home }.map { ($0, 6) })),
            .init(
                name: "USD Coin", symbol: "USDC", decimals: DeploymentRequest.usdcDecimals, priceUSD18: dollar,
                rateLimit: usdcLimit, minted: small, pool: .usdcV2),
            .init(
                name: "USD Coin over CCTP v1", symbol: "USDCV1", decimals: DeploymentRequest.usdcDecimals, priceUSD18: dollar,
                rateLimit: usdcLimit, minted: small, pool: .usdcV1),
        ]
    }
}

/// Who attests the USDC of a local network.
enum LocalAttesters {
    static let count = 2
    static let threshold = 2

    static func request() throws(LocalnetError) -> DeploymentRequest.Attesters {
        .init(addresses: try AttesterKeys(development: count).addresses, threshold: threshold)
    }

    /// Circle's own numbers where there are any: Jovay has none, and gets its chain id.
    static func domain(_ profile: LocalProfile) -> UInt32 {
        let known: [String: UInt32] = ["ethereum": 0, "base": 6, "pharos": 31]
        return known[profile.name] ?? UInt32(truncatingIfNeeded: profile.chainID)
    }
}
