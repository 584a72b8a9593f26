// The replicated state between rounds: where each lane stands, the prices of this round, what is under way.
// How it comes about is in LaneProgression and PriceProgression.

import CCIP
import Ethereum

/// A root that was reported and has not shown on the destination yet.
package struct PendingRoot: Hashable, Sendable {
    package let range: SequenceRange
    package let root: Hash32
    /// The outcome that reported it.
    package let sequenceNumber: UInt64
    /// Agreed time of that outcome, milliseconds since 1970.
    package let since: UInt64

    package init(range: SequenceRange, root: Hash32, sequenceNumber: UInt64, since: UInt64) {
        self.range = range
        self.root = root
        self.sequenceNumber = sequenceNumber
        self.since = since
    }
}

/// The merkle-root state machine of 3.3, one for each lane.
package enum LaneState: Hashable, Sendable {
    /// SelectingRanges.
    case selecting
    /// BuildingReport: roots over this range are voted on in the next round.
    case building(SequenceRange)
    /// WaitingForTransmission.
    case waiting(PendingRoot)
}

package struct LaneProgress: Hashable, Sendable {
    package let source: ChainSelector
    /// Never `selecting`, which is the state of a lane that is not listed.
    package let state: LaneState
}

package struct InflightPrices: Hashable, Sendable {
    /// The outcome that reported them.
    package let sequenceNumber: UInt64
    /// Agreed time of that outcome, milliseconds since 1970.
    package let since: UInt64
}

package struct CommitOutcome: Hashable, Sendable {
    static let version: UInt8 = 1
    /// Before the first round.
    package static let initial = CommitOutcome(lanes: [], prices: PriceUpdates(), inflightPrices: nil)

    /// Lanes that are building or waiting, ascending by source.
    package let lanes: [LaneProgress]
    /// Reported by this outcome.
    package let prices: PriceUpdates
    package let inflightPrices: InflightPrices?

    init(lanes: [LaneProgress], prices: PriceUpdates, inflightPrices: InflightPrices?) {
        self.lanes = lanes
        self.prices = prices
        self.inflightPrices = inflightPrices
    }

    package func state(of source: ChainSelector) -> LaneState {
        lanes.first { $0.source == source }?.state ?? .selecting
    }

    /// Roots that this outcome, of that sequence number, reports.
    package func newRoots(_ sequenceNumber: UInt64) -> [(source: ChainSelector, root: PendingRoot)] {
        lanes.compactMap { lane in
            guard case .waiting(let root) = lane.state, root.sequenceNumber == sequenceNumber else { return nil }
            return (lane.source, root)
        }
    }

    package var isBuilding: Bool {
        lanes.contains { if case .building = $0.state { true } else { false } }
    }
}

// MARK: Canonical bytes

extension CommitOutcome {
    package var encoded: Bytes {
        var writer = CanonicalWriter()
        writer.byte(Self.version)
        writer.list(lanes) { $1.write(to: &$0) }
        writer.list(prices.tokens) { writer, update in
            writer.address(update.token)
            writer.word(update.usdPerToken.value)
        }
        writer.list(prices.gas) { writer, update in
            writer.selector(update.destination)
            writer.word(update.usdPerUnitGas.value)
        }
        writer.optional(inflightPrices) { writer, inflight in
            writer.u64(inflight.sequenceNumber)
            writer.u64(inflight.since)
        }
        return writer.bytes
    }

    /// Strict inverse of `encoded`; no bytes are the initial outcome. Throws `malformedOutcome`.
    package init(encoded: Bytes) throws(CommittingError) {
        guard !encoded.isEmpty else {
            self = .initial
            return
        }
        do throws(CCIPError) { self = try Self.read(encoded) } catch { throw .undecodable(.malformedOutcome, error) }
    }

    private static func read(_ encoded: Bytes) throws(CCIPError) -> CommitOutcome {
        var reader = CanonicalReader(encoded, "commit outcome")
        let version = try reader.byte()
        guard version == Self.version else { throw reader.malformed("version \(version)") }
        let lanes = try reader.list(maximum: Limits.lanesMaximum) { reader throws(CCIPError) in
            try LaneProgress(&reader)
        }
        let tokens = try reader.list(maximum: Limits.pricesPerReportMaximum) { reader throws(CCIPError) in
            TokenPriceUpdate(token: try reader.address(), usdPerToken: try reader.price224())
        }
        let gas = try reader.list(maximum: Limits.pricesPerReportMaximum) { reader throws(CCIPError) in
            GasPriceUpdate(destination: try reader.selector(), usdPerUnitGas: try reader.price224())
        }
        let inflight = try reader.optional { reader throws(CCIPError) in
            InflightPrices(sequenceNumber: try reader.u64(), since: try reader.u64())
        }
        guard strictlyAscending(lanes.map(\.source)), strictlyAscending(gas.map(\.destination)),
            zip(tokens, tokens.dropFirst()).allSatisfy({ $0.token < $1.token })
        else { throw reader.malformed("a list out of order") }
        try reader.finish()
        return CommitOutcome(lanes: lanes, prices: PriceUpdates(tokens: tokens, gas: gas), inflightPrices: inflight)
    }
}

extension LaneProgress {
    func write(to writer: inout CanonicalWriter) {
        writer.selector(source)
        switch state {
        case .selecting:
            preconditionFailure("a selecting lane is not listed")
        case .building(let range):
            writer.byte(1)
            writer.range(range)
        case .waiting(let pending):
            writer.byte(2)
            writer.range(pending.range)
            writer.hash(pending.root)
            writer.u64(pending.sequenceNumber)
            writer.u64(pending.since)
        }
    }

    init(_ reader: inout CanonicalReader) throws(CCIPError) {
        source = try reader.selector()
        switch try reader.byte() {
        case 1:
            state = .building(try reader.range())
        case 2:
            state = .waiting(
                PendingRoot(
                    range: try reader.range(), root: try reader.hash(), sequenceNumber: try reader.u64(),
                    since: try reader.u64()))
        case let other:
            throw reader.malformed("lane state \(other)")
        }
    }
}
