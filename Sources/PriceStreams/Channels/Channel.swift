// A definition with its options parsed, and what follows from both. Made once for known definitions.

import Ethereum

/// A class, because rounds pass channels around more often than they look into them.
package final class Channel: Equatable, Sendable {
    package let id: ChannelID
    package let definition: ChannelDefinition
    package let options: ChannelOptions
    /// Aggregates that a report is made of, in order; in format 7 the calculated ones stand at the end.
    package let values: [AggregateKey]
    /// Those of them that come from observations.
    package let observed: [AggregateKey]
    /// The definition's bytes in an outcome, by which it is recognised there without being decoded.
    let encodedDefinition: Bytes

    /// Throws by name when options and streams do not fit the format.
    package init(_ id: ChannelID, _ definition: ChannelDefinition) throws(PriceStreamsError) {
        self.id = id
        self.definition = definition
        let options = try ChannelOptions(format: definition.format, options: definition.options)
        self.options = options
        let calculated = options.calculated.map { AggregateKey($0.streamID, .calculated) }
        switch options {
        case .expressions:
            // A file may list the calculated streams; their place is at the end in any case.
            observed = definition.streams.filter { $0.aggregator != .calculated }
            values = observed + calculated
        default:
            observed = definition.streams.filter { $0.aggregator != .calculated }
            values = definition.streams
        }
        var writer = CanonicalWriter(reserving: definition.encodedCount)
        definition.write(to: &writer)
        encodedDefinition = writer.bytes
        try checkShape()
    }

    package static func == (a: Channel, b: Channel) -> Bool {
        a === b || a.id == b.id && a.definition == b.definition
    }

    private func checkShape() throws(PriceStreamsError) {
        switch options {
        case .json: break
        case .premium:
            try require(values.count == 3, "format 1 wants native price, LINK price and a quote")
        case .unpacked(_, let entries):
            try require(
                values.count >= 3 && values.count == entries.count + 2,
                "format 4 wants native price, LINK price, then one stream for each of \(entries.count) abi entries")
        case .expressions(_, let entries):
            try require(
                observed.count >= 2 && values.count == observed.count + entries.count,
                "format 7 wants native price, LINK price and an expression in each abi entry")
            for stream in options.calculated.flatMap(\.expression.streams) {
                try require(
                    observed.contains { $0.streamID == stream },
                    "an expression reads s\(stream), which the channel does not observe")
            }
        case .streamlined(_, let entries):
            try require(values.count == entries.count, "format 6 wants one stream for each of \(entries.count) entries")
        }
    }

    private func require(_ holds: Bool, _ hint: String) throws(PriceStreamsError) {
        guard holds else {
            throw PriceStreamsError(
                .badDefinition, "channel \(id) has \(definition.streams.count) streams", hint: hint)
        }
    }

    package var feedID: FeedID? { options.feedID }
    package var isLive: Bool { !definition.isTombstone }
}
