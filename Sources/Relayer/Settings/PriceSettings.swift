// What a destination's FeeQuoter is told, and where the prices come from: the price keys of a chain in cluster.yaml.

import CCIP
import Configuration
import Ethereum

extension ClusterSettings {
    /// A price feed on the destination's `feedChain`.
    package struct TokenFeed: Sendable, Equatable {
        package var token: Address
        package var aggregator: Address
        package var tokenDecimals: UInt8
        /// An answer older than this, by the clock of its chain, is not used.
        package var maximumAgeSeconds: UInt64
    }

    package struct TokenPrice: Sendable, Equatable {
        package enum Source: Sendable, Equatable {
            /// USD with 18 decimals for 10^18 smallest units of the token (FeeQuoter's unit).
            case fixed(U256)
            case aggregator(TokenFeed)
            /// A feed of the price streams, and the decimals of the token.
            case stream(StreamSource, tokenDecimals: UInt8)
        }

        package var token: Address
        package var source: Source
        /// Parts per billion from which it is written again; nil: as for all tokens.
        package var deviationPPB: UInt64?

        package var feed: TokenFeed? { if case .aggregator(let feed) = source { feed } else { nil } }

        /// As `causeway config show` prints it.
        package var text: String {
            switch source {
            case .fixed(let usd): usd.decimal
            case .aggregator(let feed): "feed \(feed.aggregator.checksummed)"
            case .stream(let source, let decimals): "\(source.text), token of \(decimals) decimals"
            }
        }
    }

    /// When prices are reported again (ccip-offchain.md 3.5, 3.6), and whether at all.
    package struct Prices: Sendable, Equatable {
        package var reportsGas = true
        package var reportsTokens = true
        package var gasDeviationPPB: UInt64
        package var gasHeartbeatSeconds: UInt64
        package var tokenDeviationPPB: UInt64
        package var tokenHeartbeatSeconds: UInt64
    }

    /// What data costs on the chain below a rollup (3.5).
    package struct DataAvailability: Sendable, Equatable {
        package enum Kind: String, Sendable, CaseIterable {
            /// No rollup.
            case none
            /// `GasPriceOracle` since Ecotone.
            case optimism
            /// `ArbGasInfo`.
            case arbitrum
            /// Any contract with `l1BaseFee()`.
            case oracle
        }

        package var kind: Kind
        package var oracle: Address
    }
}

extension ConfigurationSection {
    /// `prices` of the cluster, and of a chain with the cluster's as its defaults.
    mutating func prices(_ inherited: ClusterSettings.Prices?) throws(ConfigurationError) -> ClusterSettings.Prices {
        var section = try section("prices")
        var prices = ClusterSettings.Prices(
            gasDeviationPPB: try section.number("gasDeviationPPB", default: text(inherited?.gasDeviationPPB, 200_000_000)),
            gasHeartbeatSeconds: try section.number("gasHeartbeatSeconds", default: text(inherited?.gasHeartbeatSeconds, 1_200)),
            tokenDeviationPPB: try section.number("tokenDeviationPPB", default: text(inherited?.tokenDeviationPPB, 5_000_000)),
            tokenHeartbeatSeconds: try section.number(
                "tokenHeartbeatSeconds", default: text(inherited?.tokenHeartbeatSeconds, 7_200)))
        prices.reportsGas = try section.isOn("gas", default: inherited?.reportsGas ?? true)
        prices.reportsTokens = try section.isOn("tokens", default: inherited?.reportsTokens ?? true)
        try section.finish()
        return prices
    }

    private func text(_ inherited: UInt64?, _ builtIn: UInt64) -> String { "\(inherited ?? builtIn)" }

    private mutating func isOn(_ key: String, default builtIn: Bool) throws(ConfigurationError) -> Bool {
        try value(key, expected: "on or off", default: builtIn ? "on" : "off") { text in
            ["on": true, "true": true, "off": false, "false": false][text]
        }
    }

    /// `tokenPrices` of a chain.
    mutating func tokenPrices() throws(ConfigurationError) -> [ClusterSettings.TokenPrice] {
        var prices: [ClusterSettings.TokenPrice] = []
        for var item in try sections("tokenPrices") {
            let token = try item.address("token")
            let source = try item.priceSource(token)
            let deviation = item.has("deviationPPB") ? try item.number("deviationPPB") : nil
            prices.append(ClusterSettings.TokenPrice(token: token, source: source, deviationPPB: deviation))
            try item.finish()
        }
        return prices
    }

    /// Exactly one of the three.
    private mutating func priceSource(_ token: Address) throws(ConfigurationError) -> ClusterSettings.TokenPrice.Source {
        let kinds = ["usd", "aggregator", "stream"]
        let given = kinds.filter { has($0) }
        guard let kind = given.first else {
            // One of them may be there, mistyped.
            let hint = "a price comes from one of 'usd', 'aggregator' and 'stream'"
            let errors = kinds.map { missing($0, hint: hint) }
            throw errors.first { $0.hint != hint } ?? errors[0]
        }
        guard given.count == 1 else {
            throw refused(given[1], "there beside '\(kind)'", "exactly one of 'usd', 'aggregator' and 'stream'")
        }
        switch kind {
        case "aggregator":
            return .aggregator(
                ClusterSettings.TokenFeed(
                    token: token, aggregator: try address("aggregator"), tokenDecimals: try tokenDecimals(),
                    maximumAgeSeconds: try number("maximumAgeSeconds", default: "86400")))
        case "stream": return .stream(try streamSource(), tokenDecimals: try tokenDecimals())
        default: return .fixed(try word("usd"))
        }
    }

    private mutating func tokenDecimals() throws(ConfigurationError) -> UInt8 {
        UInt8(try integer("decimals", in: 0...Int(FeeQuoterUnit.decimalsMaximum)))
    }

    /// `nativePrice` of a chain; nil where its FeeQuoter tells.
    mutating func nativePrice() throws(ConfigurationError) -> ClusterSettings.StreamSource? {
        guard has("nativePrice") else { return nil }
        var section = try section("nativePrice")
        let source = try section.streamSource()
        try section.finish()
        return source
    }

    /// `dataAvailability` of a chain.
    mutating func dataAvailability() throws(ConfigurationError) -> ClusterSettings.DataAvailability {
        var section = try section("dataAvailability")
        let kinds = ClusterSettings.DataAvailability.Kind.allCases.map(\.rawValue)
        let kind = try section.value("kind", expected: kinds.joined(separator: ", "), default: "none") { text in
            ClusterSettings.DataAvailability.Kind(rawValue: text)
        }
        let oracle: Address
        switch kind {
        case .none: oracle = .zero
        case .optimism:
            oracle = section.has("address")
                ? try section.address("address") : Address(truncating: ClusterSettings.DataAvailability.optimismOracle)
        case .arbitrum:
            oracle = section.has("address") ? try section.address("address") : Address(truncating: U256(0x6C as UInt64))
        case .oracle: oracle = try section.address("address")
        }
        try section.finish()
        return ClusterSettings.DataAvailability(kind: kind, oracle: oracle)
    }
}

extension ClusterSettings.DataAvailability {
    /// 0x420000000000000000000000000000000000000F, where every OP stack chain has its GasPriceOracle.
    static let optimismOracle = U256(0x42 as UInt64) << 152 | U256(0x0F as UInt64)
}
