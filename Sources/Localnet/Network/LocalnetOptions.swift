// What a local network is made of, and the tokens and prices it starts with. Values only.

import CCIP
import Ethereum

package struct LocalnetOptions: Sendable {
    /// Where files go; nil makes a new folder in the place for temporary ones.
    package var dataDirectory: String?
    /// Chain profiles by name, in the order of their ports.
    package var profiles = ["ethereum", "jovay"]
    /// N = 3F + 1.
    package var relayers = 4
    /// Distance of blocks; nil for what the profiles say for the local network.
    package var blockMilliseconds: Int?
    package var keys = KeyOrigin.development
    /// Starts a relayer process again when it ends by itself.
    package var restartsRelayers = false
    /// False brings up chains and contracts only.
    package var startsRelayers = true
    package var tokens = LocalTokens.standard
    package var logLevel = "info"
    /// Guards; 0 for none, and then no lane needs their signatures.
    package var guards = 0
    /// Lanes whose roots need signatures of guards; nil for all when there are guards.
    package var blessedLanes: LaneSelection?
    /// Price streams: oracles, a gateway, and contracts that verify their reports.
    package var streams = true
    /// Where relayers take the prices of tokens and coins from.
    package var prices = LocalPrices.fixed
    /// Makes a key that opens the gateways with these files, and puts it where they find it; nil for none.
    package var makeAPIKey: (@Sendable ([String]) async throws -> LocalAPIKey)?
    /// Development accounts that get test tokens.
    package var accounts = 10
    /// The program to start; nil for the running one.
    package var executable: String?
    /// First ports tried for what is no chain.
    package var portBase = 19_100

    package init() {}

    /// Chains and contracts alone have none.
    var runsStreams: Bool { streams && startsRelayers }

    /// Throws `invalidRequest`.
    package func validate() throws(LocalnetError) {
        guard relayers >= 4, relayers <= Limits.relayersMaximum, relayers % 3 == 1 else {
            throw LocalnetError(
                .invalidRequest, "\(relayers) relayers", hint: "N = 3F + 1: 4, 7, 10 ... up to \(Limits.relayersMaximum)")
        }
        guard profiles.count >= 2, Set(profiles).count == profiles.count else {
            throw LocalnetError(.invalidRequest, "a network needs at least two different chains")
        }
        if let blockMilliseconds, !(10...3_600_000).contains(blockMilliseconds) {
            throw LocalnetError(.invalidRequest, "a block time of \(blockMilliseconds) ms", hint: "from 10 ms to an hour")
        }
        guard (0...Limits.guardsMaximum).contains(guards) else {
            throw LocalnetError(
                .invalidRequest, "\(guards) guards", hint: "from 1 to \(Limits.guardsMaximum), or 0 for none")
        }
        guard guards > 0 || blessedLanes == nil else {
            throw LocalnetError(
                .invalidRequest, "lanes that need guards, and no guards", hint: "add --guards N, or leave --rmn away")
        }
        guard prices == .fixed || runsStreams else {
            throw LocalnetError(
                .invalidRequest, "prices from streams, and no streams",
                hint: "leave --no-streams and --no-relayers away, or --prices streams")
        }
        guard (1...10).contains(accounts) else {
            throw LocalnetError(.invalidRequest, "\(accounts) accounts", hint: "from 1 to 10")
        }
    }
}

/// Where the relayers of a local network take prices from.
package enum LocalPrices: String, Sendable, CaseIterable {
    /// What everything costs at the start, for good.
    case fixed
    /// The network's own streams, where they have a feed of the token; else as before.
    case streams
}

/// The tokens of the local network and what things cost there.
enum LocalnetEconomy {
    /// 10^18.
    static let unit = U256(1_000_000_000_000_000_000)
    static let etherUSD18 = U256(3_000) * unit

    /// LINK burns and mints on all chains. CWT is locked on the first one and minted on the others, so its supply there is
    /// what has crossed.
    static func tokens(chains: [String], home: String) -> [DeploymentRequest.Token] {
        let limit = DeploymentRequest.RateLimit(capacity: U256(1_000_000) * unit, rate: U256(10_000) * unit)
        let balance = U256(10_000) * unit
        return [
            DeploymentRequest.Token(
                name: "Chainlink Token", symbol: "LINK", priceUSD18: U256(15) * unit, isLink: true, rateLimit: limit,
                minted: Dictionary(uniqueKeysWithValues: chains.map { ($0, balance) })),
            DeploymentRequest.Token(
                name: "Causeway Test Token", symbol: "CWT", priceUSD18: unit, lockedOn: [home], rateLimit: limit,
                minted: [home: balance]),
        ]
    }

    /// What one gas of `wei` costs in US dollars with 18 decimals.
    static func gasPriceUSD18(wei: UInt64) -> U256 {
        (U256(wei) * etherUSD18).quotientAndRemainder(dividingBy: unit).quotient
    }

    /// A hundred ether: thousands of reports.
    static let transmitterFunding = U256(100) * unit
}
