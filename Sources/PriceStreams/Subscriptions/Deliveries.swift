// Who has which reports of a round: gateways count what they took, oracles learn from that for which reports they need not
// stand in. Counts spare work and prove nothing: an oracle that hears of none hands over everything itself.

import Ethereum

/// The reports of one round that a gateway took.
package struct DeliveryReceipt: Equatable, Sendable {
    package let digest: Hash32
    package let sequenceNumber: UInt64
    package let count: Int

    package init(digest: Hash32, sequenceNumber: UInt64, count: Int) {
        self.digest = digest
        self.sequenceNumber = sequenceNumber
        self.count = count
    }
}

/// The gateway's side. A report is counted when it is taken, once: the gateway's own book keeps repetitions out.
package struct DeliveryTally: Sendable {
    private struct Round: Sendable {
        let digest: Hash32
        let sequenceNumber: UInt64
        var count = 0
        var isNews = false
    }

    /// Rounds that are counted at a time: three seconds at the highest cadence, for two configurations.
    package static let roundsMaximum = 128

    /// Oldest first.
    private var rounds: [Round] = []

    package init() {}

    package mutating func add(digest: Hash32, sequenceNumber: UInt64) {
        let index: Int
        if let known = rounds.lastIndex(where: { $0.sequenceNumber == sequenceNumber && $0.digest == digest }) {
            index = known
        } else {
            if rounds.count == Self.roundsMaximum { rounds.removeFirst() }
            index = rounds.count
            rounds.append(Round(digest: digest, sequenceNumber: sequenceNumber))
        }
        rounds[index].count += 1
        rounds[index].isNews = true
    }

    /// What was counted since the last call.
    package mutating func news() -> [DeliveryReceipt] {
        var news: [DeliveryReceipt] = []
        for index in rounds.indices where rounds[index].isNews {
            rounds[index].isNews = false
            let round = rounds[index]
            news.append(DeliveryReceipt(digest: round.digest, sequenceNumber: round.sequenceNumber, count: round.count))
        }
        return news
    }
}

/// The oracle's side, for one configuration.
package struct ReceiptBook: Sendable {
    private struct Round: Sendable {
        let sequenceNumber: UInt64
        var counts: [Int]
    }

    package static let roundsMaximum = 64

    private let gateways: Int
    /// Oldest first.
    private var rounds: [Round] = []

    package init(gateways: Int) { self.gateways = gateways }

    /// - Parameter isConnected: of each gateway: nobody waits for one that is away.
    /// - Returns: how many reports of the round every connected gateway has; 0 while one of them has said nothing.
    package mutating func note(
        _ receipt: DeliveryReceipt, from gateway: Int, isConnected: (Int) -> Bool
    ) -> Int {
        guard (0..<gateways).contains(gateway), receipt.count >= 0 else { return 0 }
        let index: Int
        if let known = rounds.lastIndex(where: { $0.sequenceNumber == receipt.sequenceNumber }) {
            index = known
        } else {
            if rounds.count == Self.roundsMaximum { rounds.removeFirst() }
            index = rounds.count
            rounds.append(Round(sequenceNumber: receipt.sequenceNumber, counts: [Int](repeating: 0, count: gateways)))
        }
        rounds[index].counts[gateway] = max(rounds[index].counts[gateway], receipt.count)
        let counts = rounds[index].counts
        return (0..<gateways).filter { $0 == gateway || isConnected($0) }.map { counts[$0] }.min() ?? 0
    }
}
