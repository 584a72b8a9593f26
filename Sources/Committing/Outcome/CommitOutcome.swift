// The replicated state between rounds: where each lane stands, the prices of this round, what is under way.
// How it comes about is in LaneProgression and PriceProgression.

import CCIP
import Ethereum

/// A root that was agreed on: reported and not shown on the destination yet, or waiting for signatures.
package struct PendingRoot: Hashable, Sendable {
    package let range: SequenceRange
    package let root: Hash32
    /// The outcome that reported it, or, while it waits for signatures, that agreed on it.
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
    /// The root is agreed on and not reported: it needs signatures of RMN nodes first.
    case blessing(PendingRoot)
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

/// Prices that were given up, one time after the other. They go out in reports of their own until one lands, so that
/// whatever keeps them from landing keeps no root.
package struct PriceTrouble: Hashable, Sendable {
    package let failures: UInt32
    /// Agreed time of the last one, milliseconds since 1970.
    package let since: UInt64

    /// When they are written again, after `since`: at once the first time, then after a doubling pause of at most a
    /// heartbeat.
    func pauseMilliseconds(_ prices: PriceConfiguration) -> UInt64 {
        guard failures > 1 else { return 0 }
        let heartbeat = min(prices.gasHeartbeatSeconds, prices.tokenHeartbeatSeconds) * 1_000
        let doublings = min(failures - 2, Limits.priceDoublingsMaximum - 1)
        return min(prices.inflightTimeoutMilliseconds << UInt64(doublings), heartbeat)
    }
}

package struct CommitOutcome: Hashable, Sendable {
    static let version: UInt8 = 2
    /// Before the first round.
    package static let initial = CommitOutcome(lanes: [], prices: PriceUpdates(), inflightPrices: nil)

    /// Lanes that are building, blessing or waiting, ascending by source.
    package let lanes: [LaneProgress]
    /// Reported by this outcome.
    package let prices: PriceUpdates
    package let inflightPrices: InflightPrices?
    /// Not nil: prices have a report of their own.
    package let priceTrouble: PriceTrouble?
    /// The set of roots that guards are asked about.
    package let blessing: BlessingSet?
    /// Which of the new roots are blessed, and by whom.
    package let blessed: BlessedRoots?
    /// Ascending by source.
    package let suspects: [BlessingSuspect]

    init(
        lanes: [LaneProgress], prices: PriceUpdates, inflightPrices: InflightPrices?, priceTrouble: PriceTrouble? = nil,
        blessing: BlessingSet? = nil, blessed: BlessedRoots? = nil, suspects: [BlessingSuspect] = []
    ) {
        self.lanes = lanes
        self.prices = prices
        self.inflightPrices = inflightPrices
        self.priceTrouble = priceTrouble
        self.blessing = blessing
        self.blessed = blessed
        self.suspects = suspects
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
        writer.optional(priceTrouble) { writer, trouble in
            writer.u32(trouble.failures)
            writer.u64(trouble.since)
        }
        writer.optional(blessing) { $1.write(to: &$0) }
        writer.optional(blessed) { $1.write(to: &$0) }
        writer.list(suspects) { writer, suspect in
            writer.selector(suspect.source)
            writer.u32(suspect.failures)
            writer.u64(suspect.until)
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
        let trouble = try reader.optional { reader throws(CCIPError) in
            PriceTrouble(failures: try reader.u32(), since: try reader.u64())
        }
        let blessing = try reader.optional { reader throws(CCIPError) in try BlessingSet(&reader) }
        let blessed = try reader.optional { reader throws(CCIPError) in try BlessedRoots(&reader) }
        let suspects = try reader.list(maximum: Limits.lanesMaximum) { reader throws(CCIPError) in
            BlessingSuspect(source: try reader.selector(), failures: try reader.u32(), until: try reader.u64())
        }
        guard strictlyAscending(suspects.map(\.source)),
            suspects.allSatisfy({ $0.failures <= Limits.blessingDoublingsMaximum })
        else { throw reader.malformed("suspects") }
        guard strictlyAscending(lanes.map(\.source)), strictlyAscending(gas.map(\.destination)),
            zip(tokens, tokens.dropFirst()).allSatisfy({ $0.token < $1.token })
        else { throw reader.malformed("a list out of order") }
        try reader.finish()
        return CommitOutcome(
            lanes: lanes, prices: PriceUpdates(tokens: tokens, gas: gas), inflightPrices: inflight,
            priceTrouble: trouble, blessing: blessing, blessed: blessed, suspects: suspects)
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
            pending.write(to: &writer)
        case .blessing(let pending):
            writer.byte(3)
            pending.write(to: &writer)
        }
    }

    init(_ reader: inout CanonicalReader) throws(CCIPError) {
        source = try reader.selector()
        switch try reader.byte() {
        case 1:
            state = .building(try reader.range())
        case 2:
            state = .waiting(try PendingRoot(&reader))
        case 3:
            state = .blessing(try PendingRoot(&reader))
        case let other:
            throw reader.malformed("lane state \(other)")
        }
    }
}

extension PendingRoot {
    func write(to writer: inout CanonicalWriter) {
        writer.range(range)
        writer.hash(root)
        writer.u64(sequenceNumber)
        writer.u64(since)
    }

    init(_ reader: inout CanonicalReader) throws(CCIPError) {
        range = try reader.range()
        root = try reader.hash()
        sequenceNumber = try reader.u64()
        since = try reader.u64()
    }
}
