// Observations, outcomes, rules, retirement proofs, definition files and expressions of the price streams: what decodes
// must encode to the same bytes, and nothing may trap.

import Ethereum
import PriceStreams
import TestSupport
import Testing

@Suite("Fuzz: price rounds")
struct PriceAgreementFuzzTests {
    private static func values() throws -> [StreamValue] {
        let one = try Decimal(text: "2417.80335512")
        return [
            .decimal(one), .decimal(.zero), .quote(StreamQuote(bid: .one, benchmark: one, ask: one)),
            .timestamped(TimestampedDecimal(observedAtNanoseconds: 1_767_225_600_000_000_000, value: one.negated)),
        ]
    }

    private static let file = """
        {"7":{"reportFormat":"evm_abi_encode_unpacked_expr","streams":[{"streamId":1,"aggregator":"median"},
        {"streamId":2,"aggregator":"median"},{"streamId":3,"aggregator":"quote"}],"opts":{"baseUSDFee":"0.35",
        "expirationWindow":86400,"feedID":"0x0f02f70783d6b0d6464b1cb5994596f427198e7c9e8e0ad4514ab5fe398f6802",
        "TimeResolution":"ms","maxReportRange":"5m","abi":[{"type":"int192","multiplier":"1000000000000000000",
        "expression":"Div(Add(s3_bid,s3_ask),2)","expressionStreamId":1001}]}}}
        """

    private static func definitions() throws -> [ChannelUpdate] {
        try ChannelDefinition.file(Bytes(file.utf8)).map { ChannelUpdate($0.key, $0.value) }
    }

    @Test("observations and outcomes: what decodes encodes to the same bytes")
    func rounds() throws {
        let values = try Self.values()
        let proof = AttestedRetirement(
            report: RetirementReport(protocolVersion: 1, validAfter: [ChannelTime(ChannelID(7), 5)]).encoded,
            sequenceNumber: 9, signatures: [.init(signer: 1, signature: .none), .init(signer: 2, signature: .none)])
        let observation = StreamsObservation(
            timestampNanoseconds: 1_767_225_600_000_000_000, shouldRetire: true, retirement: proof,
            removals: [ChannelID(3)], updates: try Self.definitions(),
            values: values.enumerated().map { StreamReading(StreamID(UInt32($0.offset)), $0.element) })
        let keys = values.indices.map { AggregateKey(StreamID(UInt32($0)), .median) }
        let outcome = StreamsOutcome(
            stage: .staging, observationTimestampNanoseconds: 7, definitions: try Self.definitions(),
            validAfter: [ChannelTime(ChannelID(7), 5)], aggregates: zip(keys, values).map { Aggregate($0, $1) },
            jumps: [JumpState(key: keys[0], reference: values[0], candidate: values[1], rounds: 2)])
        let known = try ChannelSet(ChannelDefinition.file(Bytes(Self.file.utf8)))
        try Fuzz("price-round", corpus: [observation.encoded, outcome.encoded, proof.encoded]).run { input in
            var taken = false
            if let value = try? StreamsObservation(encoded: input) {
                try hold(value.encoded == input, "an observation is kept")
                taken = true
            }
            let value = try? StreamsOutcome(encoded: input)
            try hold(value == (try? StreamsOutcome(encoded: input, known: known)), "known channels change nothing")
            if let value {
                try hold(value.encoded == input, "an outcome is kept")
                taken = true
            }
            if let value = try? AttestedRetirement(encoded: input) {
                try hold(value.encoded == input, "a proof is kept")
                _ = try? RetirementReport(encoded: value.report)
                taken = true
            }
            return taken
        }
    }

    @Test("values, rules and labels: what decodes encodes to the same bytes")
    func parts() throws {
        var corpus = try Self.values().map(\.bytes)
        corpus.append(
            try StreamRules([StreamRule(streamID: StreamID(3), positiveOnly: true, jumpLimit: 5, minObservations: 2)])
                .encoded)
        corpus.append(
            ReportLabel(
                channelID: ChannelID(7), format: .unpacked, feedID: FeedID(Hash32(7)),
                observationTimestampNanoseconds: 3
            ).encoded)
        try Fuzz("price-parts", corpus: corpus).run { input in
            if let value = try? StreamValue(bytes: input) {
                try hold(value.bytes == input, "a value is kept")
                return true
            }
            if let value = try? StreamRules(encoded: input) {
                try hold(value.encoded == input, "rules are kept")
                return true
            }
            guard let value = try? ReportLabel(encoded: input) else { return false }
            try hold(value.encoded == input, "a label is kept")
            return true
        }
    }

    @Test("definition files and expressions: refused by name or usable")
    func texts() throws {
        let corpus = [Self.file, "Div(Add(s1,s2_bid),Max(3,-0.5,s4_timestamp))", "1e-18"].map { Bytes($0.utf8) }
        try Fuzz("price-texts", corpus: corpus).run { input in
            if let file = try? ChannelDefinition.file(input), let set = try? ChannelSet(file) {
                for channel in set.channels {
                    let input = ReportInput(
                        channelID: channel.id, validAfterNanoseconds: 1, observationTimestampNanoseconds: 2_000_000_000,
                        values: channel.values.map { _ in .decimal(.one) }, sequenceNumber: 1,
                        configurationDigest: .zero)
                    _ = try? channel.report(input)
                }
                return true
            }
            let text = String(decoding: input, as: UTF8.self)
            if let expression = try? Expression(text) {
                _ = expression.value { _ in .decimal(.one) }
                return true
            }
            guard let number = try? Decimal(text: text) else { return false }
            try hold((try? Decimal(text: number.description)) == number, "a number is kept")
            return true
        }
    }
}
