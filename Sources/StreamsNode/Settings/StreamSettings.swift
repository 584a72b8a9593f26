// One observed value of streams.yaml: its number, its kind, how oracles agree on it, and the rules that guard it.

import Configuration
import Ethereum
import PriceStreams

package struct StreamSettings: Sendable, Equatable {
    package var name: String
    package var id: StreamID
    package var kind: StreamValue.Kind
    package var aggregator: Aggregator
    package var streamClass: StreamClass
    package var rule: StreamRule
    package var sourceAgeMaximum: UInt64
    /// Sources that must speak before a value is observed.
    package var sourcesMinimum: Int
    /// Thousand-millionths by which one source may differ from the median of all.
    package var sourceDeviationMaximum: UInt64

    package var key: AggregateKey { AggregateKey(id, aggregator) }
}

extension StreamSettings {
    init(_ section: inout ConfigurationSection) throws(ConfigurationError) {
        name = try section.value("name", expected: "letters, digits, '-', '/' and '.', at most 40") { text in
            Self.isName(text) ? text : nil
        }
        let number = try section.integer("id", in: 1...Int(StreamSettings.idMaximum))
        id = StreamID(UInt32(number))
        let kinds: [String: (StreamValue.Kind, Aggregator)] = [
            "decimal": (.decimal, .median), "quote": (.quote, .quote), "timestamped": (.timestamped, .median),
            "status": (.decimal, .mode),
        ]
        let (kind, aggregator) = try section.value(
            "kind", expected: "decimal, quote, timestamped or status", default: "decimal") { kinds[$0] }
        self.kind = kind
        self.aggregator = aggregator
        let names = StreamClass.allCases.map(\.rawValue).joined(separator: ", ")
        let streamClass: StreamClass = try section.value(
            "class", expected: "one of \(names)", default: aggregator == .mode ? "status" : "number"
        ) { StreamClass(rawValue: $0) }
        self.streamClass = streamClass
        let standard = StreamRule(streamID: id, class: streamClass)
        rule = StreamRule(
            streamID: id, positiveOnly: try section.bool("positiveOnly", default: standard.positiveOnly),
            jumpLimit: try section.share("jumpLimit", default: standard.jumpLimit),
            minObservations: section.has("minObservations") ? try section.integer("minObservations", in: 1...31) : nil,
            carries: try section.bool("carries", default: standard.carries))
        sourceAgeMaximum = try section.milliseconds("sourceAge", default: streamClass.sourceAgeMaximum / 1_000_000)
        sourcesMinimum = try section.integer("sources", in: 1...16, default: streamClass.sourcesMinimum)
        sourceDeviationMaximum = try section.share("sourceDeviation", default: 30_000_000) ?? .max
        try section.finish()
    }

    /// Numbers above belong to calculated streams.
    static let idMaximum: UInt32 = 999_999

    static func isName(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
                    || [0x2d, 0x2e, 0x2f].contains(byte)
            }
    }
}

extension ConfigurationSection {
    /// A share such as `10%` or `0.5%`, in thousand-millionths; `none` is nil.
    mutating func share(_ key: String, default builtIn: UInt64?) throws(ConfigurationError) -> UInt64? {
        let text = builtIn.flatMap { Decimal(magnitude: U256($0), exponent: -7) }.map { "\($0)%" } ?? "none"
        return try value(key, expected: "a share such as 10% or 0.5%, or none", default: text) { text -> UInt64?? in
            if text == "none" { return .some(nil) }
            guard text.hasSuffix("%"), let number = try? Decimal(text: String(text.dropLast())),
                let parts = number.truncated(times: 10_000_000)?.asUInt64, (1...100_000_000_000).contains(parts)
            else { return nil }
            return .some(parts)
        }
    }

    /// Nanoseconds, written as milliseconds.
    mutating func milliseconds(_ key: String, default builtIn: UInt64) throws(ConfigurationError) -> UInt64 {
        let value = try integer(key + "Milliseconds", in: 1...1_000_000_000, default: Int(builtIn))
        return UInt64(value) * 1_000_000
    }
}
