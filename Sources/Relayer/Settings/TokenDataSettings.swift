// The `tokenData` section of cluster.yaml: tokens that need an attestation, and the service that gives it (8.4 of the
// off-chain specification).

import CCIP
import Configuration
import Ethereum
import Executing
import JSONRPC

package struct TokenDataSettings: Sendable, Equatable {
    /// Base address of the attestation service.
    package var api: String
    package var timeoutMilliseconds: Int
    /// Between two requests.
    package var intervalMilliseconds: UInt64
    /// Pause after a 429 without Retry-After.
    package var coolDownMilliseconds: UInt64
    /// Before a token that is not ready is asked for again.
    package var retryMilliseconds: UInt64
    package var rules: TokenDataRules

    package init(
        api: String, timeoutMilliseconds: Int = 1_000, intervalMilliseconds: UInt64 = 100,
        coolDownMilliseconds: UInt64 = 300_000, retryMilliseconds: UInt64 = Limits.tokenDataRetryMilliseconds,
        rules: TokenDataRules
    ) {
        self.api = api
        self.timeoutMilliseconds = timeoutMilliseconds
        self.intervalMilliseconds = intervalMilliseconds
        self.coolDownMilliseconds = coolDownMilliseconds
        self.retryMilliseconds = retryMilliseconds
        self.rules = rules
    }
}

extension TokenDataSettings {
    /// Nil when the section is missing.
    static func read(
        _ root: inout ConfigurationSection, _ chains: [ClusterSettings.Chain]
    ) throws(ConfigurationError) -> TokenDataSettings? {
        guard root.has("tokenData") else { return nil }
        var section = try root.section("tokenData")
        let api: String = try section.value(
            "attestationAPI", expected: "an address like https://iris-api.circle.com"
        ) { text in
            guard let url = try? EndpointURL.parse(text), !url.isWebSocket else { return nil }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
        let timeout = try section.integer("timeoutMilliseconds", in: 50...60_000, default: 1_000)
        let interval = try section.integer("intervalMilliseconds", in: 0...60_000, default: 100)
        let coolDown = try section.integer("coolDownMilliseconds", in: 0...600_000, default: 300_000)
        let retry = try section.integer(
            "retryMilliseconds", in: 50...600_000, default: Int(Limits.tokenDataRetryMilliseconds))
        let names = chains.map(\.name).joined(separator: ", ")
        var rules: [TokenDataRule] = []
        for var entry in try section.sections("tokens", required: true) {
            let source: ChainSelector = try entry.value("chain", expected: "one of the chains \(names)") { name in
                chains.first { $0.name == name }?.selector
            }
            let transmitter = entry.has("messageTransmitter") ? try entry.address("messageTransmitter") : nil
            let rule = TokenDataRule(source: source, pool: try entry.address("pool"), messageTransmitter: transmitter)
            guard !rules.contains(where: { $0.source == source && $0.pool == rule.pool }) else {
                throw entry.refused("pool", "\(rule.pool)", "each pool of a chain once")
            }
            rules.append(rule)
            try entry.finish()
        }
        try section.finish()
        return TokenDataSettings(
            api: api, timeoutMilliseconds: timeout, intervalMilliseconds: UInt64(interval),
            coolDownMilliseconds: UInt64(coolDown), retryMilliseconds: UInt64(retry), rules: TokenDataRules(rules))
    }
}
