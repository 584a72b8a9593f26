// The state that all oracles share after a round, as canonical bytes: lists ascend, nothing floats (rule 1 of 4.2).

import Ethereum

package struct StreamsOutcome: Equatable, Sendable {
    package var stage: LifeCycleStage
    /// The median of the oracles' clocks.
    package var observationTimestampNanoseconds: UInt64
    /// Ascending by channel.
    package var definitions: [ChannelUpdate]
    package var validAfter: [ChannelTime]
    /// Ascending by key; carried ones keep their own time.
    package var aggregates: [Aggregate]
    package var jumps: [JumpState]

    package init(
        stage: LifeCycleStage, observationTimestampNanoseconds: UInt64 = 0, definitions: [ChannelUpdate] = [],
        validAfter: [ChannelTime] = [], aggregates: [Aggregate] = [], jumps: [JumpState] = []
    ) {
        self.stage = stage
        self.observationTimestampNanoseconds = observationTimestampNanoseconds
        self.definitions = definitions
        self.validAfter = validAfter
        self.aggregates = aggregates
        self.jumps = jumps
    }

    /// Whether the clock that an oracle put into this very round was more than a second from the round's: it then
    /// alarms, and stops voting until a round finds it right again (rule 5 of 4.2).
    package func finds(clockWrong ownNanoseconds: UInt64) -> Bool {
        let (early, late) = (
            min(ownNanoseconds, observationTimestampNanoseconds), max(ownNanoseconds, observationTimestampNanoseconds)
        )
        return late - early > AgreementLimits.clockToleranceNanoseconds
    }

    package func validAfter(_ channel: ChannelID) -> UInt64? {
        position(of: UInt64(channel.rawValue), in: validAfter) { UInt64($0.channelID.rawValue) }
            .map { validAfter[$0].validAfterNanoseconds }
    }

    package func aggregate(_ key: AggregateKey) -> StreamValue? {
        position(of: key.order, in: aggregates) { $0.key.order }.map { aggregates[$0].value }
    }

    package func jump(_ key: AggregateKey) -> JumpState? {
        position(of: key.order, in: jumps) { $0.key.order }.map { jumps[$0] }
    }

    package func definition(_ channel: ChannelID) -> ChannelDefinition? {
        position(of: UInt64(channel.rawValue), in: definitions) { UInt64($0.channelID.rawValue) }
            .map { definitions[$0].definition }
    }
}

extension StreamsOutcome {
    private static let version: UInt8 = 1

    package var encoded: Bytes {
        assert(strictlyAscending(definitions.map(\.channelID)) && strictlyAscending(aggregates.map(\.key)))
        var writer = CanonicalWriter(reserving: 64 + definitions.count * 400 + aggregates.count * 24)
        writer.byte(StreamsOutcome.version)
        writer.byte(stage.rawValue)
        writer.u64(observationTimestampNanoseconds)
        writer.list(definitions) { writer, item in
            writer.u32(item.channelID.rawValue)
            item.definition.write(to: &writer)
        }
        writer.list(validAfter) { writer, item in
            writer.u32(item.channelID.rawValue)
            writer.u64(item.validAfterNanoseconds)
        }
        writer.list(aggregates) { writer, item in
            StreamsOutcome.write(item.key, to: &writer)
            item.value.write(to: &writer)
        }
        writer.list(jumps) { writer, item in
            StreamsOutcome.write(item.key, to: &writer)
            item.reference.write(to: &writer)
            writer.byte(item.rounds)
            item.candidate?.write(to: &writer)
        }
        return writer.bytes
    }

    /// Strict; throws `malformedOutcome` or `tooLarge`. Definitions of `known` channels are recognised by their bytes;
    /// the result is the same without.
    package init(encoded: Bytes, known: ChannelSet = .empty) throws(PriceStreamsError) {
        guard encoded.count <= AgreementLimits.outcomeBytesMaximum else {
            throw PriceStreamsError(
                .tooLarge, "an outcome of \(encoded.count) bytes",
                hint: "at most \(AgreementLimits.outcomeBytesMaximum)")
        }
        var reader = CanonicalReader(encoded, .malformedOutcome)
        stage = try StreamsOutcome.head(&reader)
        observationTimestampNanoseconds = try reader.u64()
        definitions = try reader.list(maximum: AgreementLimits.channelsMaximum, least: 30) {
            reader throws(PriceStreamsError) -> ChannelUpdate in
            let id = ChannelID(try reader.u32())
            if let own = known[id], reader.takes(own.encodedDefinition) { return ChannelUpdate(id, own.definition) }
            return ChannelUpdate(id, try ChannelDefinition(from: &reader))
        }
        validAfter = try reader.list(maximum: AgreementLimits.validAfterMaximum, least: 12) {
            reader throws(PriceStreamsError) -> ChannelTime in
            let id = ChannelID(try reader.u32())
            return ChannelTime(id, try reader.u64())
        }
        aggregates = try reader.list(maximum: AgreementLimits.streamsMaximum, least: 12) {
            reader throws(PriceStreamsError) -> Aggregate in
            let key = try StreamsOutcome.key(&reader)
            return Aggregate(key, try StreamValue(from: &reader))
        }
        jumps = try reader.list(maximum: AgreementLimits.streamsMaximum, least: 13) {
            reader throws(PriceStreamsError) -> JumpState in
            let key = try StreamsOutcome.key(&reader)
            let reference = try StreamValue(from: &reader)
            let rounds = try reader.byte()
            guard rounds < AgreementLimits.jumpRounds else { throw reader.malformed("\(rounds) rounds of a jump") }
            let candidate = rounds == 0 ? nil : try StreamValue(from: &reader)
            return JumpState(key: key, reference: reference, candidate: candidate, rounds: rounds)
        }
        try reader.finish()
        guard strictlyAscending(definitions.map(\.channelID)), strictlyAscending(validAfter.map(\.channelID)),
            strictlyAscending(aggregates.map(\.key)), strictlyAscending(jumps.map(\.key))
        else { throw reader.malformed("lists ascend, each id once") }
    }

    /// Only the stage: what an observation is checked against.
    package static func stage(ofEncoded bytes: Bytes) throws(PriceStreamsError) -> LifeCycleStage {
        var reader = CanonicalReader(bytes, .malformedOutcome)
        return try head(&reader)
    }

    private static func head(_ reader: inout CanonicalReader) throws(PriceStreamsError) -> LifeCycleStage {
        guard try reader.byte() == version else { throw reader.malformed("another version") }
        guard let stage = LifeCycleStage(rawValue: try reader.byte()) else { throw reader.malformed("a stage") }
        return stage
    }

    private static func write(_ key: AggregateKey, to writer: inout CanonicalWriter) {
        writer.u32(key.streamID.rawValue)
        writer.byte(UInt8(truncatingIfNeeded: key.aggregator.rawValue))
    }

    private static func key(_ reader: inout CanonicalReader) throws(PriceStreamsError) -> AggregateKey {
        let stream = StreamID(try reader.u32())
        guard let aggregator = Aggregator(rawValue: UInt32(try reader.byte())) else {
            throw reader.malformed("an aggregator")
        }
        return AggregateKey(stream, aggregator)
    }
}
