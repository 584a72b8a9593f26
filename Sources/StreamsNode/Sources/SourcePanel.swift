// What one stream's sources say, and what of it is fit to be observed (12.5 of the price specification). Pure.

import Ethereum
import PriceStreams

/// Why a tick is not used, or a stream not observed. Stable: metrics and logs carry these names.
package enum SourceRefusal: String, CaseIterable, Sendable {
    // Of a tick.
    case wrongKind, nonPositive, crossedQuote, clockAhead, outOfOrder
    // Of a source when the value is asked for.
    case stale, deviates
    // Of the whole stream.
    case noSource, tooFewSources, sourcesDisagree
}

package struct SourcePanel: Sendable {
    /// The last good tick of one source.
    private struct Seat: Sendable {
        var source: Int
        var tick: SourceTick
    }

    /// What is to be observed now, and how it came about.
    package struct Verdict: Equatable, Sendable {
        package var value: StreamValue?
        package var sourcesInUse: Int
        /// Of the youngest source in use.
        package var ageNanoseconds: UInt64?
        /// Why there is no value; or why the value says that it is unknown.
        package var reason: SourceRefusal?
    }

    package let stream: StreamSettings
    /// Whether zero is observed when there is nothing to go by: of a market's status, where it means "unknown".
    package let tellsUnknown: Bool
    private var seats: [Seat] = []
    package private(set) var refused: [SourceRefusal: UInt64] = [:]
    package private(set) var lastRefusal: SourceRefusal?
    package private(set) var ticks: UInt64 = 0

    package init(_ stream: StreamSettings, tellsUnknown: Bool = false) {
        self.stream = stream
        self.tellsUnknown = tellsUnknown
    }

    // MARK: Ticks

    /// Takes a tick of a source, or says why not; the source's last good tick then stays until it is too old.
    package mutating func take(_ tick: SourceTick, from source: Int) -> SourceRefusal? {
        assert(tick.stream == stream.id, "a tick of another stream")
        let at = seats.firstIndex { $0.source == source }
        if let reason = refusal(tick, after: at.map { seats[$0].tick }) {
            refuse(reason)
            return reason
        }
        ticks += 1
        if let at {
            seats[at].tick = tick
        } else {
            precondition(seats.count < Limits.sourcesPerStreamMaximum, "settings bound the sources of a stream")
            seats.append(Seat(source: source, tick: tick))
        }
        return nil
    }

    private func refusal(_ tick: SourceTick, after last: SourceTick?) -> SourceRefusal? {
        guard tick.value.kind == stream.kind else { return .wrongKind }
        if stream.rule.positiveOnly, !tick.value.isPositive { return .nonPositive }
        if case .quote(let quote) = tick.value, !quote.isOrdered { return .crossedQuote }
        let latest = tick.receivedAt &+ Limits.sourceClockAheadNanoseconds
        if let madeAt = tick.madeAt, madeAt > latest { return .clockAhead }
        if case .timestamped(let stamped) = tick.value, stamped.observedAtNanoseconds > latest { return .clockAhead }
        // A cache or another server of the source answers with what was: only while the newer one is still fit for use.
        if let last, let before = last.madeAt, let madeAt = tick.madeAt, madeAt < before,
            age(last, tick.receivedAt) <= stream.sourceAgeMaximum
        {
            return .outOfOrder
        }
        return nil
    }

    private mutating func refuse(_ reason: SourceRefusal) {
        refused[reason, default: 0] += 1
        lastRefusal = reason
    }

    // MARK: The value

    /// How old a source's word is at `now`; the highest number when our own clock was set back behind it.
    private func age(_ tick: SourceTick, _ now: UInt64) -> UInt64 {
        guard tick.receivedAt <= now &+ Limits.sourceClockAheadNanoseconds else { return .max }
        // A timestamped value may be as old as its market's last trade: it tells so itself. What must be fresh is the
        // source's word.
        let isStamped = tick.value.kind == .timestamped
        let from = isStamped ? tick.receivedAt : min(tick.madeAt ?? tick.receivedAt, tick.receivedAt)
        return now > from ? now - from : 0
    }

    /// Judges without counting; for health.
    package func verdict(at now: UInt64) -> Verdict {
        let limit = stream.sourceAgeMaximum
        let fresh = seats.filter { age($0.tick, now) <= limit }.map(\.tick)
        guard !fresh.isEmpty else { return none(seats.isEmpty ? .noSource : .stale, fresh, now) }
        guard fresh.count >= stream.sourcesMinimum else { return none(.tooFewSources, fresh, now) }
        return stream.aggregator == .mode ? mode(fresh, now) : middle(fresh, now)
    }

    /// The value to observe; every refusal is counted.
    package mutating func value(at now: UInt64) -> StreamValue? {
        let verdict = verdict(at: now)
        if let reason = verdict.reason { refuse(reason) }
        return verdict.value
    }

    private func none(_ reason: SourceRefusal, _ fresh: [SourceTick], _ now: UInt64) -> Verdict {
        Verdict(
            value: tellsUnknown ? .decimal(.zero) : nil, sourcesInUse: 0, ageNanoseconds: youngest(fresh, now),
            reason: reason)
    }

    private func youngest(_ ticks: [SourceTick], _ now: UInt64) -> UInt64? { ticks.map { age($0, now) }.min() }

    /// The commonest value, if more than half of the sources tell it.
    private func mode(_ fresh: [SourceTick], _ now: UInt64) -> Verdict {
        for tick in fresh {
            let same = fresh.filter { $0.value == tick.value }
            if same.count * 2 > fresh.count {
                return Verdict(
                    value: tick.value, sourcesInUse: same.count, ageNanoseconds: youngest(same, now), reason: nil)
            }
        }
        return none(.sourcesDisagree, fresh, now)
    }

    /// The median of the sources that are near the median of all. Those must be more than half: two that contradict
    /// each other prove nothing.
    private func middle(_ fresh: [SourceTick], _ now: UInt64) -> Verdict {
        var used = fresh
        if stream.streamClass.isPrice, fresh.count > 1 {
            let levels = fresh.map(\.value.level).sorted()
            let median = levels[levels.count / 2]
            used = fresh.filter { !$0.value.level.differs(from: median, byMoreThan: stream.sourceDeviationMaximum) }
            guard used.count * 2 > fresh.count else { return none(.sourcesDisagree, fresh, now) }
            guard used.count >= stream.sourcesMinimum else { return none(.deviates, fresh, now) }
        }
        return Verdict(
            value: median(used), sourcesInUse: used.count, ageNanoseconds: youngest(used, now),
            reason: used.count < fresh.count ? .deviates : nil)
    }

    private func median(_ ticks: [SourceTick]) -> StreamValue {
        guard ticks.count > 1 else { return ticks[0].value }
        func of(_ numbers: [Decimal]) -> Decimal { numbers.sorted()[numbers.count / 2] }
        switch stream.kind {
        case .decimal: return .decimal(of(ticks.map(\.value.level)))
        case .quote:
            let quotes = ticks.compactMap(\.value.quote)
            return .quote(
                StreamQuote(
                    bid: of(quotes.map(\.bid)), benchmark: of(quotes.map(\.benchmark)), ask: of(quotes.map(\.ask))))
        case .timestamped:
            // A value keeps the time at which it was made: both are one source's.
            let sorted = ticks.compactMap(\.value.timestamped).sorted {
                $0.value == $1.value ? $0.observedAtNanoseconds < $1.observedAtNanoseconds : $0.value < $1.value
            }
            return .timestamped(sorted[sorted.count / 2])
        }
    }
}

extension StreamValue {
    /// The number by which two values are compared.
    var level: Decimal {
        switch self {
        case .decimal(let value): value
        case .quote(let quote): quote.benchmark
        case .timestamped(let stamped): stamped.value
        }
    }

    var quote: StreamQuote? { if case .quote(let quote) = self { quote } else { nil } }
    var timestamped: TimestampedDecimal? { if case .timestamped(let stamped) = self { stamped } else { nil } }
}
