// How a chain is read and paid: what counts as final there, what its nodes take, how transactions are priced.
// Part of cluster.yaml, for what is final must be the same for every relayer.

import ChainAccess
import Configuration
import Ethereum
import JSONRPC

/// The limits of a chain's nodes (`access`).
package struct ChainAccessSettings: Sendable, Equatable {
    /// Blocks in one log query; smaller ones are tried when an endpoint refuses.
    package var logBlocksMaximum: UInt64 = 1_000
    /// For one request. A question that is asked again may take twice as long.
    package var requestTimeoutMilliseconds = 5_000
    package var batch = BatchMode.auto

    package init() {}
}

extension ClusterSettings.Chain {
    /// How `endpoints` of this chain are asked.
    package func policy(
        quorum: Int?, pollInterval: Duration = .seconds(2), logWindow: UInt64? = nil
    ) -> AccessPolicy {
        AccessPolicy(
            finality: finality, quorum: quorum,
            requestTimeout: .milliseconds(access.requestTimeoutMilliseconds),
            logWindow: min(logWindow ?? access.logBlocksMaximum, access.logBlocksMaximum), pollInterval: pollInterval,
            fees: fees)
    }
}

extension ConfigurationSection {
    /// `finality: {tag: finalized, offset: N}` or `finality: {depth: N, offset: N}`. There is no default: a chain whose
    /// blocks are believed too early loses money, and only its operator knows how early that is (5.2).
    mutating func finality() throws(ConfigurationError) -> FinalityRule {
        guard has("finality") else {
            throw missing(
                "finality",
                hint: "write 'finality: {tag: finalized}' where the nodes know that tag, else 'finality: {depth: N}'")
        }
        var section = try section("finality")
        let deepest = Int(ChainAccess.Limits.finalityDepthMaximum)
        let offset = UInt64(try section.integer("offset", in: 0...deepest, default: 0))
        let rule: FinalityRule
        switch (section.has("tag"), section.has("depth")) {
        case (true, false):
            let known: String? = try section.value("tag", expected: "finalized") { $0 == "finalized" ? $0 : nil }
            assert(known == "finalized")
            rule = .tag(offset: offset)
        case (false, true):
            rule = .depth(UInt64(try section.integer("depth", in: 0...deepest)), offset: offset)
        case (true, true):
            throw ConfigurationError(
                .invalidValue, "\(section.place): '\(section.path)' has a tag and a depth", hint: "give one of them")
        case (false, false):
            try section.finish()
            throw ConfigurationError(
                .missingKey, "\(section.place): '\(section.path)' has neither tag nor depth",
                hint: "write {tag: finalized} or {depth: N}")
        }
        try section.finish()
        return rule
    }

    mutating func access() throws(ConfigurationError) -> ChainAccessSettings {
        var settings = ChainAccessSettings()
        var section = try section("access")
        settings.logBlocksMaximum = UInt64(
            try section.integer("logBlocksMaximum", in: 1...1_000_000, default: Int(settings.logBlocksMaximum)))
        settings.requestTimeoutMilliseconds = try section.integer(
            "requestTimeoutMilliseconds", in: 100...60_000, default: settings.requestTimeoutMilliseconds)
        settings.batch = try section.value(
            "batch", expected: BatchMode.allCases.map(\.rawValue).joined(separator: ", "),
            default: settings.batch.rawValue
        ) { BatchMode(rawValue: $0) }
        try section.finish()
        return settings
    }

    mutating func fees() throws(ConfigurationError) -> FeeRule {
        var section = try section("fees")
        let kind = try section.value("kind", expected: "auto, legacy or dynamic", default: "auto") {
            FeeKind(rawValue: $0)
        }
        let tip = try section.word("tipWei", default: FeeRule().tipWei.decimal)
        let price = section.has("gasPriceWei") ? try section.word("gasPriceWei") : nil
        try section.finish()
        return FeeRule(kind: kind.transactions, tipWei: tip, gasPriceWei: price)
    }
}

private enum FeeKind: String {
    case auto, legacy, dynamic

    var transactions: Transaction.Kind? {
        switch self {
        case .auto: nil
        case .legacy: .legacy
        case .dynamic: .dynamicFee
        }
    }
}
