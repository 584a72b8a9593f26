// The rules of single streams, fixed for an instance: every oracle must apply the same, so a digest can bind them.

import Ethereum

package struct StreamRule: Hashable, Sendable {
    package let streamID: StreamID
    /// Values at or below zero are not used (2.5).
    package var positiveOnly: Bool
    /// Thousand-millionths by which one round may differ from the last agreed value without being confirmed; nil is no
    /// guard (12.5). 100,000,000 is 10 %.
    package var jumpLimit: UInt64?
    /// Usable observations that an aggregate needs. Nil: 2F+1 for median and quote, so that F liars cannot leave the
    /// range of the honest values; F+1 for mode, whose winner needs F+1 equal votes anyway. F+1 everywhere is what
    /// upstream does (5.4, pitfall 26).
    package var minObservations: Int?
    /// A timestamped value that a round cannot renew stays, with its own old timestamp.
    package var carries: Bool

    package init(
        streamID: StreamID, positiveOnly: Bool = false, jumpLimit: UInt64? = nil, minObservations: Int? = nil,
        carries: Bool = true
    ) {
        self.streamID = streamID
        self.positiveOnly = positiveOnly
        self.jumpLimit = jumpLimit
        self.minObservations = minObservations
        self.carries = carries
    }

    package func observationsNeeded(_ aggregator: Aggregator, faulty: Int) -> Int {
        minObservations ?? (aggregator == .mode ? faulty + 1 : 2 * faulty + 1)
    }
}

/// Ascending by stream; a stream without a rule of its own has the defaults.
package struct StreamRules: Equatable, Sendable {
    package let rules: [StreamRule]

    package static let none = StreamRules(ascending: [])

    private init(ascending rules: [StreamRule]) { self.rules = rules }

    /// In any order, each stream once.
    package init(_ rules: [StreamRule]) throws(PriceStreamsError) {
        let sorted = rules.sorted { $0.streamID < $1.streamID }
        guard sorted.count <= AgreementLimits.streamsMaximum, strictlyAscending(sorted.map(\.streamID)) else {
            throw PriceStreamsError(
                .badRules, "\(rules.count) rules",
                hint: "one for each stream, at most \(AgreementLimits.streamsMaximum)")
        }
        for rule in sorted {
            if let limit = rule.jumpLimit, !(1...AgreementLimits.jumpLimitMaximum).contains(limit) {
                throw PriceStreamsError(
                    .badRules, "jumpLimit \(limit) of stream \(rule.streamID)", hint: "100000000 stands for 10 %")
            }
            if let least = rule.minObservations, !(1...AgreementLimits.oraclesMaximum).contains(least) {
                throw PriceStreamsError(
                    .badRules, "minObservations \(least) of stream \(rule.streamID)", hint: "F + 1 to N")
            }
        }
        self.rules = sorted
    }

    package func rule(of stream: StreamID) -> StreamRule {
        var low = 0
        var high = rules.count
        while low < high {
            let middle = (low + high) / 2
            if rules[middle].streamID < stream { low = middle + 1 } else { high = middle }
        }
        return low < rules.count && rules[low].streamID == stream ? rules[low] : StreamRule(streamID: stream)
    }
}

extension StreamRules {
    /// A version byte, then the rules; zero stands for "none" where a number may be absent.
    package var encoded: Bytes {
        var writer = CanonicalWriter(reserving: 5 + rules.count * 15)
        writer.byte(1)
        writer.list(rules) { writer, rule in
            writer.u32(rule.streamID.rawValue)
            writer.flag(rule.positiveOnly)
            writer.u64(rule.jumpLimit ?? 0)
            writer.byte(UInt8(rule.minObservations ?? 0))
            writer.flag(rule.carries)
        }
        return writer.bytes
    }

    package init(encoded: Bytes) throws(PriceStreamsError) {
        var reader = CanonicalReader(encoded, .badRules)
        guard try reader.byte() == 1 else { throw reader.malformed("rules of another version") }
        let rules = try reader.list(maximum: AgreementLimits.streamsMaximum, least: 15) {
            reader throws(PriceStreamsError) -> StreamRule in
            let stream = StreamID(try reader.u32())
            let positiveOnly = try reader.flag()
            let limit = try reader.u64()
            let least = Int(try reader.byte())
            return StreamRule(
                streamID: stream, positiveOnly: positiveOnly, jumpLimit: limit == 0 ? nil : limit,
                minObservations: least == 0 ? nil : least, carries: try reader.flag())
        }
        try reader.finish()
        guard strictlyAscending(rules.map(\.streamID)) else { throw reader.malformed("rules out of order") }
        try self.init(rules)
    }
}
