// Rate limits of token pools as the guard's operator knows them, and what pools really let through (7.5 of the off-chain
// specification). Whoever can loosen a limit on chain can drain a pool: so the guard counts for itself.

import CCIP
import Ethereum

/// One way through one pool.
package struct PoolGate: Hashable, Comparable, Sendable, CustomStringConvertible {
    package enum Direction: String, Hashable, Sendable {
        /// Tokens that leave for the remote chain.
        case outbound
        /// Tokens that arrive from it.
        case inbound
    }

    /// Where the pool stands.
    package let chain: ChainSelector
    package let pool: Address
    package let remote: ChainSelector
    package let direction: Direction

    package init(chain: ChainSelector, pool: Address, remote: ChainSelector, direction: Direction) {
        self.chain = chain
        self.pool = pool
        self.remote = remote
        self.direction = direction
    }

    /// Whose messages move these tokens.
    package var lane: GuardLane {
        direction == .outbound
            ? GuardLane(source: chain, destination: remote) : GuardLane(source: remote, destination: chain)
    }

    package var description: String {
        direction == .outbound ? "pool \(pool) towards \(remote)" : "pool \(pool) from \(remote)"
    }

    package static func < (a: PoolGate, b: PoolGate) -> Bool {
        (a.chain, a.pool.hex, a.remote, a.direction.rawValue) < (b.chain, b.pool.hex, b.remote, b.direction.rawValue)
    }
}

/// The most that may pass a gate: `capacity` at once, and `rate` for each second, in the token's smallest units there.
package struct PoolAllowance: Hashable, Sendable {
    package let gate: PoolGate
    package let capacity: U256
    package let rate: U256

    package init(gate: PoolGate, capacity: U256, rate: U256) {
        self.gate = gate
        self.capacity = capacity
        self.rate = rate
    }
}

/// A limiter as the pool has it.
package struct LimiterState: Hashable, Sendable {
    package var isEnabled: Bool
    package var capacity: U256
    package var rate: U256

    package init(isEnabled: Bool, capacity: U256, rate: U256) {
        self.isEnabled = isEnabled
        self.capacity = capacity
        self.rate = rate
    }

    /// In which way it allows more than the guard's operator does; nil when it does not.
    func looseness(_ allowance: PoolAllowance) -> String? {
        guard isEnabled else { return "the limiter is off" }
        if capacity > allowance.capacity {
            return "the capacity is \(capacity.decimal), at most \(allowance.capacity.decimal) is allowed"
        }
        if rate > allowance.rate {
            return "the rate is \(rate.decimal) a second, at most \(allowance.rate.decimal) is allowed"
        }
        return nil
    }
}

/// Tokens that passed a gate in a finalized block.
package struct PoolFlow: Hashable, Sendable {
    package var gate: PoolGate
    package var amount: U256
    package var block: UInt64
    package var logIndex: UInt64
    /// Seconds, the block's.
    package var timestamp: UInt64

    package init(gate: PoolGate, amount: U256, block: UInt64, logIndex: UInt64, timestamp: UInt64) {
        self.gate = gate
        self.amount = amount
        self.block = block
        self.logIndex = logIndex
        self.timestamp = timestamp
    }
}

/// What is left of an allowance, and up to which log that is counted.
///
/// A limiter on chain that is no looser than the allowance never lets more through than this bucket holds, whatever it
/// held itself when counting began: both fill at most by `rate`, and this one begins full. So what passes it in spite of
/// this bucket shows that the limiter was looser, or that the pool was gone around.
package struct PoolBucket: Hashable, Sendable {
    package let gate: PoolGate
    package private(set) var tokens: U256
    /// Seconds; 0 before the first flow.
    package private(set) var updated: UInt64
    package private(set) var block: UInt64
    package private(set) var logIndex: UInt64

    package init(full allowance: PoolAllowance) {
        self.init(gate: allowance.gate, tokens: allowance.capacity, updated: 0, block: 0, logIndex: 0)
    }

    package init(gate: PoolGate, tokens: U256, updated: UInt64, block: UInt64, logIndex: UInt64) {
        self.gate = gate
        self.tokens = tokens
        self.updated = updated
        self.block = block
        self.logIndex = logIndex
    }

    enum Verdict: Equatable {
        /// Counted before: logs may come twice.
        case known
        case within
        case exceeded(available: U256)
    }

    mutating func take(_ flow: PoolFlow, _ allowance: PoolAllowance) -> Verdict {
        precondition(flow.gate == gate && allowance.gate == gate, "a flow of another gate")
        guard updated == 0 || (block, logIndex) < (flow.block, flow.logIndex) else { return .known }
        let available = available(at: flow.timestamp, allowance)
        (block, logIndex) = (flow.block, flow.logIndex)
        updated = max(updated, flow.timestamp, 1)
        guard flow.amount <= available else {
            tokens = .zero
            return .exceeded(available: available)
        }
        tokens = available &- flow.amount
        return .within
    }

    /// An allowance that was made smaller holds at once.
    func available(at now: UInt64, _ allowance: PoolAllowance) -> U256 {
        let (refill, lost) = allowance.rate.multipliedReportingOverflow(by: U256(now > updated ? now - updated : 0))
        let (filled, over) = tokens.addingReportingOverflow(refill)
        return lost || over || updated == 0 ? allowance.capacity : min(filled, allowance.capacity)
    }
}

extension Guard {
    /// A limiter was read; nil where the pool does not serve the remote chain, so that nothing can pass. Said once for
    /// each way of being loose.
    mutating func take(_ state: LimiterState?, of gate: PoolGate, _ actions: inout [GuardAction]) {
        guard let allowance = configuration.pools[gate] else { return }
        limiters[gate] = state
        let looseness = state.flatMap { $0.looseness(allowance) }
        defer { loosened[gate] = looseness }
        guard let looseness, loosened[gate] != looseness else { return }
        stop(gate.lane, .rateLimitLoosened, "\(gate): \(looseness)", &actions)
    }

    /// The stop is on disk before the flow counts as seen: after a crash between the two it is judged again.
    mutating func take(_ flow: PoolFlow, _ actions: inout [GuardAction]) {
        guard let allowance = configuration.pools[flow.gate] else { return }
        var bucket = buckets[flow.gate] ?? PoolBucket(full: allowance)
        switch bucket.take(flow, allowance) {
        case .known: return
        case .within: break
        case .exceeded(let available):
            stop(
                flow.gate.lane, .rateLimitExceeded,
                "\(flow.gate): \(flow.amount.decimal) passed in block \(flow.block), \(available.decimal) were left",
                &actions)
        }
        tallies.flows += 1
        buckets[flow.gate] = bucket
        actions.append(.keepBucket(bucket))
    }

    /// By gate, ascending: what a limiter was last seen as, and what is left at `now` (seconds).
    package func poolViews(now: UInt64) -> [(allowance: PoolAllowance, limiter: LimiterState?, left: U256)] {
        configuration.pools.keys.sorted().compactMap { gate in
            guard let allowance = configuration.pools[gate] else { return nil }
            let bucket = buckets[gate] ?? PoolBucket(full: allowance)
            return (allowance, limiters[gate], bucket.available(at: now, allowance))
        }
    }
}
