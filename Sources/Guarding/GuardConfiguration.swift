// What a guard's operator says: lanes, contracts, its own signer, limits. Checked once; nothing of it comes from relayers.

import CCIP
import Ethereum

package struct GuardConfiguration: Hashable, Sendable {
    /// A chain that messages leave.
    package struct Source: Hashable, Sendable {
        package var selector: ChainSelector
        package var onRamp: Address

        package init(selector: ChainSelector, onRamp: Address) {
            self.selector = selector
            self.onRamp = onRamp
        }
    }

    /// A chain that messages reach.
    package struct Destination: Hashable, Sendable {
        package var selector: ChainSelector
        package var chainID: UInt64
        package var offRamp: Address

        package init(selector: ChainSelector, chainID: UInt64, offRamp: Address) {
            self.selector = selector
            self.chainID = chainID
            self.offRamp = offRamp
        }
    }

    /// The most of a pool's token that may leave, in the token's smallest units on the source.
    package struct ValueLimit: Hashable, Sendable {
        package var source: ChainSelector
        package var pool: Address
        package var perMessage: U256
        /// Under one root.
        package var perRoot: U256

        package init(source: ChainSelector, pool: Address, perMessage: U256, perRoot: U256) {
            self.source = source
            self.pool = pool
            self.perMessage = perMessage
            self.perRoot = perRoot
        }
    }

    package let sources: [ChainSelector: Source]
    package let destinations: [ChainSelector: Destination]
    /// Ascending.
    package let lanes: [GuardLane]
    package let signer: Address
    package let relayerCount: Int
    package let limits: [ValueLimit]
    package let pools: [PoolGate: PoolAllowance]
    /// How long a root or an execution may be ahead of our view of its source.
    package let graceMilliseconds: UInt64
    /// Ask for a curse on the anomalies that call for one.
    package let cursesOnAnomaly: Bool

    /// Throws `invalidConfiguration`: a lane without its ends, nothing to guard, a limit of an unknown source, a pool
    /// of no lane.
    package init(
        sources: [Source], destinations: [Destination], lanes: [GuardLane], signer: Address, relayerCount: Int,
        limits: [ValueLimit] = [], pools: [PoolAllowance] = [], graceMilliseconds: UInt64 = Limits.graceMillisecondsDefault,
        cursesOnAnomaly: Bool = false
    ) throws(GuardError) {
        self.sources = Dictionary(sources.map { ($0.selector, $0) }, uniquingKeysWith: { first, _ in first })
        self.destinations = Dictionary(destinations.map { ($0.selector, $0) }, uniquingKeysWith: { first, _ in first })
        self.lanes = lanes.sorted()
        self.signer = signer
        self.relayerCount = relayerCount
        self.limits = limits
        self.pools = Dictionary(pools.map { ($0.gate, $0) }, uniquingKeysWith: { first, _ in first })
        self.graceMilliseconds = graceMilliseconds
        self.cursesOnAnomaly = cursesOnAnomaly
        func refused(_ why: String, _ hint: String) -> GuardError { GuardError(.invalidConfiguration, why, hint: hint) }
        guard self.sources.count == sources.count, self.destinations.count == destinations.count,
            Set(lanes).count == lanes.count
        else { throw refused("a chain or a lane stands twice", "name each once") }
        guard !lanes.isEmpty, relayerCount > 0 else { throw refused("no lane or no relayer", "a guard needs both") }
        for lane in lanes where self.sources[lane.source] == nil || self.destinations[lane.destination] == nil {
            throw refused("lane \(lane) has an end that is no chain here", "name both chains")
        }
        guard self.pools.count == pools.count else { throw refused("a pool stands twice", "one entry for each remote chain") }
        for gate in self.pools.keys.sorted() where !self.lanes.contains(gate.lane) {
            throw refused("\(gate) belongs to lane \(gate.lane), which is not guarded", "correct pools")
        }
        for limit in limits where self.sources[limit.source] == nil {
            throw refused("a limit of chain \(limit.source), which no lane leaves", "correct limits")
        }
    }

    func watches(_ lane: GuardLane) -> Bool { lanes.contains(lane) }
}
