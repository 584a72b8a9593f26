// `pools` of guard-N.yaml: the most that the operator lets through token pools. One entry for a pool and a remote chain.

import CCIP
import Configuration
import Ethereum
import Guarding

enum PoolSettings {
    static func read(
        _ root: inout ConfigurationSection, _ cluster: WatchedCluster
    ) throws(ConfigurationError) -> [PoolAllowance] {
        let names = cluster.chains.map(\.name).joined(separator: ", ")
        var pools: [PoolAllowance] = []
        for var section in try root.sections("pools") {
            func chain(_ key: String) throws(ConfigurationError) -> ChainSelector {
                try section.value(key, expected: "one of the chains \(names)") { name in
                    cluster.chains.first { $0.name == name }?.selector
                }
            }
            let (here, remote) = (try chain("chain"), try chain("remote"))
            let pool = try section.account("pool")
            guard section.has("outbound") || section.has("inbound") else {
                throw ConfigurationError(
                    .missingKey, "\(section.place): '\(section.path)' needs outbound or inbound",
                    hint: "write outbound: {capacity: \"...\", rate: \"...\"}, in the token's smallest units")
            }
            for direction in [PoolGate.Direction.outbound, .inbound] where section.has(direction.rawValue) {
                let gate = PoolGate(chain: here, pool: pool, remote: remote, direction: direction)
                guard cluster.lanes.contains(where: { $0.source == gate.lane.source && $0.destination == gate.lane.destination })
                else {
                    throw section.refused(
                        direction.rawValue, "a lane that the cluster does not have", "one of its lanes")
                }
                pools.append(try allowance(gate, &section))
            }
            try section.finish()
        }
        guard pools.count <= Limits.poolsMaximum else {
            throw root.refused("pools", "\(pools.count) limits", "at most \(Limits.poolsMaximum)")
        }
        return pools
    }

    private static func allowance(
        _ gate: PoolGate, _ section: inout ConfigurationSection
    ) throws(ConfigurationError) -> PoolAllowance {
        var limit = try section.section(gate.direction.rawValue)
        func amount(_ key: String) throws(ConfigurationError) -> U256 {
            try limit.value(key, expected: "an amount in the token's smallest units") { try? U256(text: $0) }
        }
        let allowance = PoolAllowance(gate: gate, capacity: try amount("capacity"), rate: try amount("rate"))
        try limit.finish()
        return allowance
    }
}
