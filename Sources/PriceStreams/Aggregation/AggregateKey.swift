// A stream may be aggregated in several ways at once; the pair names an aggregate.

package struct AggregateKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let streamID: StreamID
    package let aggregator: Aggregator

    package init(_ streamID: StreamID, _ aggregator: Aggregator) {
        self.streamID = streamID
        self.aggregator = aggregator
    }

    @inline(__always) var order: UInt64 { UInt64(streamID.rawValue) << 32 | UInt64(aggregator.rawValue) }

    package static func < (a: AggregateKey, b: AggregateKey) -> Bool { a.order < b.order }
    package var description: String { "\(streamID)/\(aggregator.name)" }
}

package struct Aggregate: Hashable, Sendable {
    package let key: AggregateKey
    package let value: StreamValue

    package init(_ key: AggregateKey, _ value: StreamValue) {
        self.key = key
        self.value = value
    }
}

/// The place of `key` in a list that ascends by `order`, or nil.
func position<Element>(of key: UInt64, in list: [Element], order: (Element) -> UInt64) -> Int? {
    var low = 0
    var high = list.count
    while low < high {
        let middle = (low + high) / 2
        if order(list[middle]) < key { low = middle + 1 } else { high = middle }
    }
    return low < list.count && order(list[low]) == key ? low : nil
}
