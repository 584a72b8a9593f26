// What a guard keeps of a message: enough to compute roots and to judge executions, nothing more.

import CCIP
import Ethereum

/// One direction between two chains.
package struct GuardLane: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let source: ChainSelector
    package let destination: ChainSelector

    package init(source: ChainSelector, destination: ChainSelector) {
        self.source = source
        self.destination = destination
    }

    package static func < (a: GuardLane, b: GuardLane) -> Bool { (a.destination, a.source) < (b.destination, b.source) }
    package var description: String { "\(source) -> \(destination)" }
    /// As stops name it.
    package var scope: String { "lane/\(source)/\(destination)" }
}

/// Tokens that leave with a message, in source decimals.
package struct DerivedAmount: Hashable, Sendable {
    package let pool: Address
    package let amount: U256

    package init(pool: Address, amount: U256) {
        self.pool = pool
        self.amount = amount
    }
}

/// A message of a finalized block, by the guard's own reading.
package struct DerivedMessage: Hashable, Sendable {
    package let lane: GuardLane
    package let number: UInt64
    package let messageID: Hash32
    package let leaf: Hash32
    /// Block of the source.
    package let block: UInt64
    package let amounts: [DerivedAmount]

    package init(
        lane: GuardLane, number: UInt64, messageID: Hash32, leaf: Hash32, block: UInt64, amounts: [DerivedAmount]
    ) {
        self.lane = lane
        self.number = number
        self.messageID = messageID
        self.leaf = leaf
        self.block = block
        self.amounts = amounts
    }

    /// Reads a raw log of the OnRamp. Throws `foreignLog`, `malformedLog`, `messageIDMismatch`, `undeliverable`.
    package init(log: Log, block: UInt64, onRamp: Address, source: ChainSelector) throws(GuardError) {
        let message = try RawMessage(log, onRamp: onRamp, source: source)
        self.init(
            lane: GuardLane(source: message.source, destination: message.destination), number: message.number,
            messageID: message.id, leaf: try LeafOfLog.leaf(of: message, onRamp: onRamp), block: block,
            amounts: message.tokens.map { DerivedAmount(pool: $0.pool, amount: $0.amount) })
    }

    /// Topic of `CCIPMessageSent`, for filters.
    package static var topic: Hash32 { RawMessage.topic }

    /// Root over leaves in the order of their numbers; nil for none or more than 256.
    package static func root(of leaves: [Hash32]) -> Hash32? { RootOfLeaves.root(of: leaves) }
}
