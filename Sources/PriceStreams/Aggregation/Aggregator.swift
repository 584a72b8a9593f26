// How the observations of one stream become one value (5.4 of the streams specification), with its weak spots closed:
// enough observations that F liars stay inside the honest range, and no timestamp from the future.

import Ethereum

package enum Aggregator: UInt32, Hashable, Sendable, CaseIterable {
    case median = 1
    case mode = 2
    case quote = 3
    /// From an expression over other aggregates; never from observations.
    case calculated = 4

    package var name: String { "\(self)" }

    package init?(name: String) {
        guard let found = Aggregator.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// Why a round has no value for a stream.
package enum AggregationFailure: String, Error, Sendable, CaseIterable {
    /// Fewer usable observations than the stream's rule asks for.
    case tooFewObservations
    /// No value has F+1 votes.
    case noMajority
    /// A jump that is not yet confirmed; the old value is not published again as if it were new.
    case jumpHeld
    /// An expression without a result: a missing input, a division by zero, a number too large.
    case notCalculable
}

/// One stream's aggregation in one round. A value that keeps its room for the streams that follow.
struct Aggregation {
    let faulty: Int
    /// The round's clock: values stamped later than this plus the tolerance are not used.
    let latestTimestamp: UInt64
    private var numbers: [Decimal] = []
    private var others: [Decimal] = []
    private var asks: [Decimal] = []
    private var times: [UInt64] = []

    init(faulty: Int, clockNanoseconds: UInt64) {
        self.faulty = faulty
        let (latest, overflow) = clockNanoseconds.addingReportingOverflow(AgreementLimits.futureToleranceNanoseconds)
        latestTimestamp = overflow ? .max : latest
    }

    /// Whether a single observation may take part.
    func isUsable(_ value: StreamValue, _ rule: StreamRule) -> Bool {
        if case .timestamped(let stamped) = value, stamped.observedAtNanoseconds > latestTimestamp { return false }
        return !rule.positiveOnly || value.isPositive
    }

    /// `values` in any order, each from another observer.
    mutating func aggregate(
        _ values: [StreamValue], by aggregator: Aggregator, rule: StreamRule
    ) -> Result<StreamValue, AggregationFailure> {
        let needed = rule.observationsNeeded(aggregator, faulty: faulty)
        let usable = values.allSatisfy { isUsable($0, rule) } ? values : values.filter { isUsable($0, rule) }
        switch aggregator {
        case .median: return median(usable, needed: needed)
        case .mode: return mode(usable, needed: needed)
        case .quote: return quote(usable, needed: needed)
        case .calculated: return .failure(.notCalculable)
        }
    }

    /// The commonest type decides whether timestamped values or plain numbers count; a quote counts as a number with
    /// its benchmark. Ties go to the lower type number.
    private mutating func median(_ values: [StreamValue], needed: Int) -> Result<StreamValue, AggregationFailure> {
        var counts = (decimal: 0, quote: 0, timestamped: 0)
        for value in values {
            switch value {
            case .decimal: counts.decimal += 1
            case .quote: counts.quote += 1
            case .timestamped: counts.timestamped += 1
            }
        }
        let isTimestamped = counts.timestamped > max(counts.decimal, counts.quote)
        numbers.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        for value in values {
            switch value {
            case .decimal(let number): if !isTimestamped { numbers.append(number) }
            case .quote(let quote): if !isTimestamped { numbers.append(quote.benchmark) }
            case .timestamped(let stamped):
                guard isTimestamped else { continue }
                numbers.append(stamped.value)
                times.append(stamped.observedAtNanoseconds)
            }
        }
        guard numbers.count >= max(1, needed) else { return .failure(.tooFewObservations) }
        let value = upperMedian(&numbers)
        guard isTimestamped else { return .success(.decimal(value)) }
        return .success(.timestamped(TimestampedDecimal(observedAtNanoseconds: upperMedian(&times), value: value)))
    }

    /// The value with most votes, at least F+1; of equally frequent ones the smallest by its bytes. Equal numbers have
    /// equal bytes, so votes for 1.0 and 1.00 are votes for one value.
    private func mode(_ values: [StreamValue], needed: Int) -> Result<StreamValue, AggregationFailure> {
        guard values.count >= needed else { return .failure(.tooFewObservations) }
        var best: (value: StreamValue, votes: Int)?
        for (index, value) in values.enumerated() where !values[..<index].contains(value) {
            let votes = values[index...].count { $0 == value }
            if let current = best {
                let wins =
                    votes > current.votes
                    || votes == current.votes && value.bytes.lexicographicallyPrecedes(current.value.bytes)
                if !wins { continue }
            }
            best = (value, votes)
        }
        guard let best, best.votes >= faulty + 1 else { return .failure(.noMajority) }
        return .success(best.value)
    }

    /// Three medians over the ordered quotes; they are again ordered.
    private mutating func quote(_ values: [StreamValue], needed: Int) -> Result<StreamValue, AggregationFailure> {
        numbers.removeAll(keepingCapacity: true)
        others.removeAll(keepingCapacity: true)
        asks.removeAll(keepingCapacity: true)
        for case .quote(let quote) in values where quote.isOrdered {
            numbers.append(quote.bid)
            others.append(quote.benchmark)
            asks.append(quote.ask)
        }
        guard numbers.count >= max(1, needed) else { return .failure(.tooFewObservations) }
        let result = StreamQuote(
            bid: upperMedian(&numbers), benchmark: upperMedian(&others), ask: upperMedian(&asks))
        assert(result.isOrdered, "medians of ordered quotes are ordered")
        return .success(.quote(result))
    }
}

/// `sorted[n/2]`: of an even number the upper middle. By insertion: there are at most 31.
func upperMedian<Value: Comparable>(_ values: inout [Value]) -> Value {
    precondition(!values.isEmpty, "a median of nothing")
    for index in values.indices.dropFirst() {
        let value = values[index]
        var place = index
        while place > 0, value < values[place - 1] {
            values[place] = values[place - 1]
            place -= 1
        }
        values[place] = value
    }
    return values[values.count / 2]
}
