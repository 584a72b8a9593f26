// The token bucket that limits what a pool lets through (19.5 of the on-chain specification). Time comes in as a number.

import Ethereum

package struct TokenBucket: Hashable, Sendable {
    package private(set) var tokens: U256
    /// Seconds, as the chain's clock counts.
    package private(set) var lastUpdated: UInt64
    package let isEnabled: Bool
    package let capacity: U256
    /// Tokens that flow back each second.
    package let rate: U256

    package init(tokens: U256, lastUpdated: UInt64, isEnabled: Bool, capacity: U256, rate: U256) {
        self.tokens = tokens
        self.lastUpdated = lastUpdated
        self.isEnabled = isEnabled
        self.capacity = capacity
        self.rate = rate
    }

    /// Where the limiter reverts.
    package enum Refusal: Error, Equatable, Sendable {
        case maxCapacityExceeded(capacity: U256, requested: U256)
        case rateLimitReached(minWaitSeconds: U256, available: U256)
        case overfilled
        /// A bucket that never refills (rate 0) panics in the contract.
        case neverRefills

        /// The bytes that the contract reverts with.
        package func revertData(token: Address) -> Bytes {
            switch self {
            case .maxCapacityExceeded(let capacity, let requested):
                PoolErrors.call(
                    "TokenMaxCapacityExceeded(uint256,uint256,address)",
                    [.uint(capacity), .uint(requested), .address(token)])
            case .rateLimitReached(let wait, let available):
                PoolErrors.call(
                    "TokenRateLimitReached(uint256,uint256,address)",
                    [.uint(wait), .uint(available), .address(token)])
            case .overfilled: PoolErrors.call("BucketOverfilled()", [])
            case .neverRefills: PoolErrors.call("Panic(uint256)", [.uint(UInt64(0x11))])
            }
        }
    }

    /// What the bucket holds at `now`.
    package func available(at now: UInt64) -> U256 {
        guard now > lastUpdated else { return tokens }
        let (refill, lost) = rate.multipliedReportingOverflow(by: U256(now - lastUpdated))
        let (filled, over) = tokens.addingReportingOverflow(refill)
        return lost || over ? capacity : min(capacity, filled)
    }

    /// Takes `amount` out, or throws and leaves the bucket as it was.
    package mutating func consume(_ amount: U256, at now: UInt64) throws(Refusal) {
        guard isEnabled, !amount.isZero else { return }
        guard tokens <= capacity || now <= lastUpdated else { throw .overfilled }
        let available = available(at: now)
        guard amount <= capacity else { throw .maxCapacityExceeded(capacity: capacity, requested: amount) }
        guard amount <= available else {
            guard !rate.isZero else { throw .neverRefills }
            let missing = amount - available
            let (quotient, remainder) = missing.quotientAndRemainder(dividingBy: rate)
            throw .rateLimitReached(
                minWaitSeconds: remainder.isZero ? quotient : quotient + .one, available: available)
        }
        tokens = available - amount
        lastUpdated = max(now, lastUpdated)
    }
}
