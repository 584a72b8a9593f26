// What token pools say of their limits and of what passes them, as call data, answers and logs, by the guard's own words.

import CCIP
import Ethereum

package enum PoolWords {
    package static let lockedOrBurned = keccak256(text: "LockedOrBurned(uint64,address,address,uint256)")
    package static let releasedOrMinted = keccak256(text: "ReleasedOrMinted(uint64,address,address,address,uint256)")

    package static func supports(_ remote: ChainSelector) -> Bytes { call("isSupportedChain(uint64)", remote) }

    package static func limiter(_ gate: PoolGate) -> Bytes {
        switch gate.direction {
        case .outbound: call("getCurrentOutboundRateLimiterState(uint64)", gate.remote)
        case .inbound: call("getCurrentInboundRateLimiterState(uint64)", gate.remote)
        }
    }

    private static func call(_ signature: String, _ chain: ChainSelector) -> Bytes {
        var row = WordRow()
        row.number(chain.rawValue)
        return Bytes(keccak256(text: signature).bytes.prefix(4)) + row.bytes
    }

    package static func isSupported(_ answer: Bytes) throws(GuardError) -> Bool {
        try WordView(answer, "isSupportedChain").flag(0)
    }

    /// Tokens and time of the bucket are left aside: the guard counts for itself.
    package static func limiter(_ answer: Bytes) throws(GuardError) -> LimiterState {
        let view = try WordView(answer, "rate limiter")
        return LimiterState(isEnabled: try view.flag(64), capacity: try view.word(96), rate: try view.word(128))
    }

    /// Nil for a log of another event. Throws `malformedLog`.
    package static func flow(
        _ log: Log, on chain: ChainSelector, block: UInt64, logIndex: UInt64, timestamp: UInt64
    ) throws(GuardError) -> PoolFlow? {
        let direction: PoolGate.Direction
        let place: Int
        switch log.topics.first {
        case lockedOrBurned: (direction, place) = (.outbound, 64)
        case releasedOrMinted: (direction, place) = (.inbound, 96)
        default: return nil
        }
        let view = try WordView(log.data, direction == .outbound ? "LockedOrBurned" : "ReleasedOrMinted")
        guard log.topics.count == 2, let remote = log.topics[1].word.asUInt64, log.data.count == place + 32 else {
            throw view.malformed("\(log.topics.count) topics, \(log.data.count) bytes")
        }
        let gate = PoolGate(chain: chain, pool: log.address, remote: ChainSelector(remote), direction: direction)
        return PoolFlow(
            gate: gate, amount: try view.word(place), block: block, logIndex: logIndex, timestamp: timestamp)
    }
}
