// What one oracle observes of one stream, and what a round agrees on (5.3 of the streams specification).

import Ethereum

/// Two sides of a book around a benchmark.
package struct StreamQuote: Hashable, Sendable, BitwiseCopyable {
    package let bid: Decimal
    package let benchmark: Decimal
    package let ask: Decimal

    package init(bid: Decimal, benchmark: Decimal, ask: Decimal) {
        self.bid = bid
        self.benchmark = benchmark
        self.ask = ask
    }

    package var isOrdered: Bool { bid <= benchmark && benchmark <= ask }
}

/// A value with the time at which its source made it: what real-world assets carry.
package struct TimestampedDecimal: Hashable, Sendable, BitwiseCopyable {
    package let observedAtNanoseconds: UInt64
    package let value: Decimal

    package init(observedAtNanoseconds: UInt64, value: Decimal) {
        self.observedAtNanoseconds = observedAtNanoseconds
        self.value = value
    }
}

package enum StreamValue: Hashable, Sendable, BitwiseCopyable {
    case decimal(Decimal)
    case quote(StreamQuote)
    case timestamped(TimestampedDecimal)

    /// The type's number on the wire and in JSON.
    package enum Kind: UInt8, Sendable {
        case decimal = 0
        case quote = 1
        case timestamped = 2
    }

    package var kind: Kind {
        switch self {
        case .decimal: .decimal
        case .quote: .quote
        case .timestamped: .timestamped
        }
    }

    /// Every number of it is above zero.
    package var isPositive: Bool {
        switch self {
        case .decimal(let value): value.isPositive
        case .quote(let quote): quote.bid.isPositive && quote.benchmark.isPositive && quote.ask.isPositive
        case .timestamped(let stamped): stamped.value.isPositive
        }
    }

    /// The text form of 5.3.
    package var text: String {
        switch self {
        case .decimal(let value): value.description
        case .quote(let quote): "Q{Bid: \(quote.bid), Benchmark: \(quote.benchmark), Ask: \(quote.ask)}"
        case .timestamped(let stamped):
            "TSV{ObservedAtNanoseconds: \(stamped.observedAtNanoseconds), "
                + "StreamValue: {\"t\":0,\"v\":\"\(stamped.value)\"}}"
        }
    }
}

extension StreamValue {
    package var bytes: Bytes {
        var writer = CanonicalWriter(reserving: 128)
        write(to: &writer)
        return writer.bytes
    }

    /// How many `bytes` there are.
    var encodedCount: Int {
        switch self {
        case .decimal(let value): 1 + value.encodedCount
        case .quote(let quote): 1 + quote.bid.encodedCount + quote.benchmark.encodedCount + quote.ask.encodedCount
        case .timestamped(let stamped): 9 + stamped.value.encodedCount
        }
    }

    func write(to writer: inout CanonicalWriter) {
        writer.byte(kind.rawValue)
        switch self {
        case .decimal(let value): value.write(to: &writer)
        case .quote(let quote):
            quote.bid.write(to: &writer)
            quote.benchmark.write(to: &writer)
            quote.ask.write(to: &writer)
        case .timestamped(let stamped):
            writer.u64(stamped.observedAtNanoseconds)
            stamped.value.write(to: &writer)
        }
    }

    init(from reader: inout CanonicalReader) throws(PriceStreamsError) {
        switch try reader.byte() {
        case 0: self = .decimal(try Decimal(from: &reader))
        case 1:
            let bid = try Decimal(from: &reader)
            let benchmark = try Decimal(from: &reader)
            self = .quote(StreamQuote(bid: bid, benchmark: benchmark, ask: try Decimal(from: &reader)))
        case 2:
            let time = try reader.u64()
            self = .timestamped(TimestampedDecimal(observedAtNanoseconds: time, value: try Decimal(from: &reader)))
        case let other: throw reader.malformed("a value of type \(other)")
        }
    }

    /// The strict inverse of `bytes`.
    package init(bytes: Bytes) throws(PriceStreamsError) {
        var reader = CanonicalReader(bytes, .malformedObservation)
        try self.init(from: &reader)
        try reader.finish()
    }
}
