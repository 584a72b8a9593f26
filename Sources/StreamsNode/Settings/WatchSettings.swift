// Whether a process follows a Configurator, and through which endpoints (`watch` in the files of oracles and gateways).
// The contract and its chain stand in streams.yaml: they are part of the digest.

import ChainAccess
import Configuration
import Ethereum
import JSONRPC
import PriceStreams

package struct WatchSettings: Sendable, Equatable {
    package var urls: [EndpointURL]
    /// Endpoints that must say the same; nil takes one of one, two of more.
    package var quorum: Int?
    package var finality: FinalityRule
    /// The first block that can hold a log of the Configurator.
    package var startBlock: UInt64
    package var logBlocksMaximum: UInt64
    package var pollMilliseconds: Int
    /// A folder with the files of other configurations, `*.yaml`.
    package var configurations: String

    /// Nil where the file has no `watch`.
    static func read(
        _ root: inout ConfigurationSection, folder: String
    ) throws(ConfigurationError) -> WatchSettings? {
        guard root.has("watch") else { return nil }
        var section = try root.section("watch")
        let known = try section.chainEndpoints(
            "endpoints", reason: "the chain of don.configurator is read there", maximum: Limits.watchEndpointsMaximum
        ) { try EndpointURL.parse($0) }
        let deepest = Int(ChainAccess.Limits.finalityDepthMaximum)
        let depth = section.has("finalityDepth") ? try section.integer("finalityDepth", in: 0...deepest) : nil
        let settings = WatchSettings(
            urls: known.urls, quorum: known.quorum,
            finality: depth.map { .depth(UInt64($0), offset: 0) } ?? .tag(offset: 0),
            startBlock: try section.number("startBlock", default: "0"),
            logBlocksMaximum: UInt64(try section.integer("logBlocksMaximum", in: 1...1_000_000, default: 1_000)),
            pollMilliseconds: try section.integer("pollMilliseconds", in: 100...600_000, default: 2_000),
            configurations: SettingsFile.join(folder, try section.string("configurations")))
        try section.finish()
        return settings
    }
}
