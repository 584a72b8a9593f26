// What a developer may change about the blocks to come, and the chain's clock. Real time comes in with each call.

import EVM
import Ethereum

/// The chain's clock: real seconds and what was added to them.
package struct ChainClock: Sendable, Equatable {
    /// Seconds that are added to the real time; negative when the chain lives in the past.
    package private(set) var offset: Int64 = 0
    /// The timestamp of the next block, set by hand.
    package private(set) var next: UInt64?
    /// Seconds from each block to the next, set by hand, instead of the real time.
    package private(set) var interval: UInt64?

    package init() {}

    /// A clock that was kept.
    init(offset: Int64, next: UInt64?, interval: UInt64?) {
        self.offset = offset
        self.next = next
        self.interval = interval
    }

    /// The chain's time at a real one, before it is compared with the parent's.
    package func now(_ realSeconds: UInt64) -> UInt64 {
        let (sum, overflow) = Int64(clamping: realSeconds).addingReportingOverflow(offset)
        return overflow ? UInt64(Int64.max) : UInt64(max(sum, 0))
    }

    /// The timestamp of a block made at a real time over a parent. Never below the parent's; equal to it where blocks
    /// come several a second.
    /// - Parameter rising: it is above the parent's, always.
    package func timestamp(at realSeconds: UInt64, parent: UInt64, rising: Bool = false) -> UInt64 {
        let least = rising ? parent.addingClamped(1) : parent
        if let next { return max(next, least) }
        if let interval { return max(parent.addingClamped(interval), least) }
        return max(now(realSeconds), least)
    }

    mutating func setInterval(_ seconds: UInt64?) { interval = seconds }

    mutating func advance(by seconds: UInt64) { offset = offset.addingClamped(Int64(clamping: seconds)) }

    mutating func setNext(_ timestamp: UInt64) { next = timestamp }

    /// Makes `timestamp` the time that it is now.
    mutating func set(_ timestamp: UInt64, at realSeconds: UInt64) {
        offset = Int64(clamping: timestamp).subtractingClamped(Int64(clamping: realSeconds))
        next = nil
    }

    /// A block was made: time goes on from a timestamp that was set by hand.
    mutating func blockWasMade(at realSeconds: UInt64) {
        if let next { set(next, at: realSeconds) }
    }
}

extension UInt64 {
    fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }
}

/// What the next blocks are made by.
package struct BlockSettings: Sendable, Equatable {
    package var clock = ChainClock()
    package var gasLimit: UInt64
    package var coinbase: Address
    /// The base fee of the next block only, in wei.
    package var nextBaseFee: U256?
    /// PREVRANDAO of the next block only.
    package var nextPrevRandao: Hash32?
    /// Counts the branches that reorgs made; blocks of a later branch carry it, so that their hashes differ.
    package var branch: UInt64 = 0
}

extension RuleSet {
    /// The excess blob gas of the block over this parent; figures that the parent's fork did not have count as zero.
    package func excessBlobGas(after parent: BlockHeader) -> UInt64 {
        excessBlobGas(
            parentExcess: parent.excessBlobGas ?? 0, parentUsed: parent.blobGasUsed ?? 0,
            parentBaseFee: parent.baseFeePerGas ?? .zero)
    }
}

/// How the base fee follows from the parent (EIP-1559, or a constant).
package enum BaseFees {
    /// Wei a gas in London's first block (EIP-1559).
    package static let firstWei = U256(1_000_000_000)

    /// The base fee of a block of this fork over `parent`; nil before London.
    static func next(after parent: BlockHeader, rule: ChainProfile.BaseFeeRule, fork: Fork) -> U256? {
        fork < .london ? nil : next(after: parent, rule: rule)
    }

    /// The gas limit that a block of this fork is measured by: London's first block may use twice as much, so that its
    /// target is what the limit was (EIP-1559).
    static func parentGasLimit(_ parent: BlockHeader, _ fork: Fork) -> UInt64 {
        let isFirst = fork >= .london && parent.baseFeePerGas == nil
        return isFirst ? parent.gasLimit.multipliedReportingOverflow(by: 2).partialValue : parent.gasLimit
    }

    private static func next(after parent: BlockHeader, rule: ChainProfile.BaseFeeRule) -> U256 {
        switch rule {
        case .constant(let wei): U256(wei)
        case .eip1559 where parent.baseFeePerGas == nil: firstWei
        case .eip1559(_, let elasticity, let denominator):
            eip1559(after: parent, elasticity: elasticity, denominator: denominator)
        }
    }

    static func initial(_ rule: ChainProfile.BaseFeeRule) -> U256 {
        switch rule {
        case .constant(let wei), .eip1559(let wei, _, _): U256(wei)
        }
    }

    /// Elasticity 2 and denominator 8 are Ethereum's.
    package static func eip1559(after parent: BlockHeader, elasticity: UInt64 = 2, denominator: UInt64 = 8) -> U256 {
        let base = parent.baseFeePerGas ?? .zero
        let target = max(parent.gasLimit / elasticity, 1)
        if parent.gasUsed == target { return base }
        let distance = parent.gasUsed > target ? parent.gasUsed - target : target - parent.gasUsed
        let (product, lost) = base.multipliedReportingOverflow(by: U256(distance))
        let step = lost ? base / U256(denominator) : product / U256(target) / U256(denominator)
        return parent.gasUsed > target ? base &+ max(step, 1) : base &- min(step, base)
    }
}
