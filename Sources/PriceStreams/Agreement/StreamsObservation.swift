// What one oracle says in one round, as canonical bytes (5.4).

import Ethereum

package struct StreamReading: Hashable, Sendable {
    package let streamID: StreamID
    package let value: StreamValue

    package init(_ streamID: StreamID, _ value: StreamValue) {
        self.streamID = streamID
        self.value = value
    }
}

package struct ChannelUpdate: Hashable, Sendable {
    package let channelID: ChannelID
    package let definition: ChannelDefinition

    package init(_ channelID: ChannelID, _ definition: ChannelDefinition) {
        self.channelID = channelID
        self.definition = definition
    }
}

package struct StreamsObservation: Equatable, Sendable {
    /// The oracle's clock at the end of its observation.
    package var timestampNanoseconds: UInt64
    package var shouldRetire: Bool
    /// Only while the instance waits for its predecessor.
    package var retirement: AttestedRetirement?
    /// Channels to remove, and definitions to add or replace; ascending.
    package var removals: [ChannelID]
    package var updates: [ChannelUpdate]
    /// Ascending by stream.
    package var values: [StreamReading]

    package init(
        timestampNanoseconds: UInt64, shouldRetire: Bool = false, retirement: AttestedRetirement? = nil,
        removals: [ChannelID] = [], updates: [ChannelUpdate] = [], values: [StreamReading] = []
    ) {
        self.timestampNanoseconds = timestampNanoseconds
        self.shouldRetire = shouldRetire
        self.retirement = retirement
        self.removals = removals
        self.updates = updates
        self.values = values
    }

    private static let version: UInt8 = 1

    package var encoded: Bytes {
        var writer = CanonicalWriter(reserving: 64 + values.count * 24)
        writer.byte(StreamsObservation.version)
        writer.u64(timestampNanoseconds)
        writer.flag(shouldRetire)
        writer.flag(retirement != nil)
        retirement?.write(to: &writer)
        writer.list(removals) { writer, id in writer.u32(id.rawValue) }
        writer.list(updates) { writer, update in
            writer.u32(update.channelID.rawValue)
            update.definition.write(to: &writer)
        }
        writer.list(values) { writer, reading in
            writer.u32(reading.streamID.rawValue)
            reading.value.write(to: &writer)
        }
        return writer.bytes
    }

    /// Strict: bounds, order, one encoding for each value. Throws `malformedObservation` or `tooLarge`.
    package init(encoded: Bytes) throws(PriceStreamsError) {
        guard encoded.count <= AgreementLimits.observationBytesMaximum else {
            throw PriceStreamsError(
                .tooLarge, "an observation of \(encoded.count) bytes",
                hint: "at most \(AgreementLimits.observationBytesMaximum)")
        }
        var reader = CanonicalReader(encoded, .malformedObservation)
        guard try reader.byte() == StreamsObservation.version else { throw reader.malformed("another version") }
        timestampNanoseconds = try reader.u64()
        guard timestampNanoseconds <= AgreementLimits.timestampMaximum else { throw reader.malformed("a clock") }
        shouldRetire = try reader.flag()
        retirement = try reader.flag() ? AttestedRetirement(from: &reader) : nil
        removals = try reader.list(maximum: AgreementLimits.removalsPerObservationMaximum, least: 4) {
            reader throws(PriceStreamsError) -> ChannelID in ChannelID(try reader.u32())
        }
        updates = try reader.list(maximum: AgreementLimits.updatesPerObservationMaximum, least: 30) {
            reader throws(PriceStreamsError) -> ChannelUpdate in
            let id = ChannelID(try reader.u32())
            return ChannelUpdate(id, try ChannelDefinition(from: &reader))
        }
        values = try reader.list(maximum: AgreementLimits.streamsMaximum, least: 11) {
            reader throws(PriceStreamsError) -> StreamReading in
            let id = StreamID(try reader.u32())
            return StreamReading(id, try StreamValue(from: &reader))
        }
        try reader.finish()
        guard strictlyAscending(removals), strictlyAscending(updates.map(\.channelID)),
            strictlyAscending(values.map(\.streamID))
        else { throw reader.malformed("lists ascend, each id once") }
    }
}
