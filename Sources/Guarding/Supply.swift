// Supply accounting: what left one end of a lane against what arrived at the other, token by token. What is locked or burned
// at the source is either released or minted at the destination, or under way: anything else is money from nowhere, or
// money lost. A value; `causeway supply` fills it from logs.

import CCIP
import Ethereum

/// One kind of token on one lane, named by the pools at its ends.
package struct SupplyKey: Hashable, Comparable, Sendable {
    package let lane: GuardLane
    package let sourcePool: Address

    package init(lane: GuardLane, sourcePool: Address) {
        self.lane = lane
        self.sourcePool = sourcePool
    }

    package static func < (a: SupplyKey, b: SupplyKey) -> Bool { (a.lane, a.sourcePool) < (b.lane, b.sourcePool) }
}

/// Tokens that a message carries, and how far it is.
package struct SupplyTransfer: Hashable, Sendable {
    package let key: SupplyKey
    package let number: UInt64
    /// Smallest units of the source.
    package let amount: U256

    package init(key: SupplyKey, number: UInt64, amount: U256) {
        self.key = key
        self.number = number
        self.amount = amount
    }
}

package enum SupplyVerdict: Hashable, Sendable {
    case balanced
    /// The pool took less than messages carry away: tokens without cover.
    case uncovered(U256)
    /// The pool took more than messages carry away: tokens that no message moves.
    case stranded(U256)
    /// The destination gave out more than arrived messages allow.
    case excess(U256)
    /// The destination gave out less than arrived messages carry; within `dust` it is rounding.
    case short(U256)
    /// Tokens arrived of a message that was never sent.
    case unknownMessage(UInt64)

    package var isBalanced: Bool { self == .balanced }
    /// A stable name.
    package var name: String {
        switch self {
        case .balanced: "balanced"
        case .uncovered: "uncovered"
        case .stranded: "stranded"
        case .excess: "excess"
        case .short: "short"
        case .unknownMessage: "unknown_message"
        }
    }
}

/// The sums of one token on one lane. All in the source's smallest units, but `given`.
package struct SupplyLine: Hashable, Sendable {
    /// What the source pool locked or burned for this lane.
    package internal(set) var taken = U256.zero
    /// What the messages of the lane carry.
    package internal(set) var sent = U256.zero
    /// Of these, what successful executions carried.
    package internal(set) var arrived = U256.zero
    /// What the destination pool released or minted for this lane, in the destination's smallest units.
    package internal(set) var given = U256.zero
    /// What the destination pool should have given for `arrived`, message by message, rounded down.
    package internal(set) var owed = U256.zero
    package internal(set) var messagesInFlight = 0
    var strangers: UInt64?

    package var inFlight: U256 { sent > arrived ? sent &- arrived : .zero }

    package var verdict: SupplyVerdict {
        if let strangers { return .unknownMessage(strangers) }
        if taken < sent { return .uncovered(sent &- taken) }
        if taken > sent { return .stranded(taken &- sent) }
        if given > owed { return .excess(given &- owed) }
        if given < owed { return .short(owed &- given) }
        return .balanced
    }
}

/// Decimals at both ends of a lane, for one token.
package struct SupplyDecimals: Hashable, Sendable {
    package let source: UInt8
    package let destination: UInt8

    package init(source: UInt8, destination: UInt8) {
        self.source = source
        self.destination = destination
    }

    /// As pools translate amounts (19.4): rounded down. Nil where the pool reverts.
    package func translate(_ amount: U256) -> U256? {
        if source == destination { return amount }
        let distance = source > destination ? source - destination : destination - source
        guard distance <= 77 else { return nil }
        var factor = U256.one
        for _ in 0..<distance { factor = factor &* U256(10 as UInt64) }
        if source > destination { return amount / factor }
        let (product, overflow) = amount.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

package struct SupplyBook: Sendable {
    private var lines: [SupplyKey: SupplyLine] = [:]
    private var decimals: [SupplyKey: SupplyDecimals] = [:]
    /// By lane and number: what a message carries.
    private var transfers: [GuardLane: [UInt64: [SupplyTransfer]]] = [:]
    private var arrivals: [GuardLane: Set<UInt64>] = [:]

    package init() {}

    /// Decimals of a token must be known before its messages arrive; equal ones are assumed otherwise.
    package mutating func know(_ key: SupplyKey, _ decimals: SupplyDecimals) {
        self.decimals[key] = decimals
        lines[key, default: SupplyLine()] = lines[key] ?? SupplyLine()
    }

    package mutating func sent(_ transfer: SupplyTransfer) {
        transfers[transfer.key.lane, default: [:]][transfer.number, default: []].append(transfer)
        edit(transfer.key) { line in
            line.sent = line.sent.adding(transfer.amount)
            line.messagesInFlight += 1
        }
    }

    /// A pool event of the source, attributed to a lane.
    package mutating func taken(_ key: SupplyKey, _ amount: U256) {
        edit(key) { $0.taken = $0.taken.adding(amount) }
    }

    /// A pool event of the destination, attributed to the lane and to the token that its source pool stands for.
    package mutating func given(_ key: SupplyKey, _ amount: U256) {
        edit(key) { $0.given = $0.given.adding(amount) }
    }

    /// A message was executed with success; the same one twice counts once, as the OffRamp takes it once.
    package mutating func arrived(_ lane: GuardLane, _ number: UInt64) {
        guard arrivals[lane, default: []].insert(number).inserted else { return }
        for transfer in transfers[lane]?[number] ?? [] {
            let scale = decimals[transfer.key]
            edit(transfer.key) { line in
                line.arrived = line.arrived.adding(transfer.amount)
                line.owed = line.owed.adding(scale.map { $0.translate(transfer.amount) ?? .zero } ?? transfer.amount)
                line.messagesInFlight -= 1
            }
        }
    }

    /// Tokens were given for a message that no source log shows.
    package mutating func stranger(_ key: SupplyKey, _ number: UInt64) {
        edit(key) { $0.strangers = $0.strangers ?? number }
    }

    package func carries(_ lane: GuardLane, _ number: UInt64) -> [SupplyTransfer] { transfers[lane]?[number] ?? [] }

    private mutating func edit(_ key: SupplyKey, _ change: (inout SupplyLine) -> Void) {
        change(&lines[key, default: SupplyLine()])
    }

    /// In the order of lanes and pools.
    package var all: [(key: SupplyKey, line: SupplyLine)] {
        lines.keys.sorted().compactMap { key in lines[key].map { (key, $0) } }
    }

    package var isBalanced: Bool { lines.values.allSatisfy(\.verdict.isBalanced) }
}

extension U256 {
    /// Sums of money saturate: no total supply comes near, and a sum that does must not wrap to something small.
    fileprivate func adding(_ other: U256) -> U256 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
