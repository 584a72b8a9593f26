// What a channel publishes (5.2): streams with their aggregators, a format and its options, and the hash that oracles
// vote with.

import Ethereum

package struct ChannelDefinition: Hashable, Sendable {
    package let format: ReportFormat
    package let streams: [AggregateKey]
    /// Canonical JSON; empty when there are none.
    package let options: Bytes
    /// 1 is the contract's owner, greater values are adders.
    package let source: UInt32
    /// Keeps its id and time state, and is neither observed nor reported.
    package let isTombstone: Bool
    /// Reportable only while every stream has an aggregate.
    package let disablesNilValues: Bool

    /// Throws `badDefinition` when a size bound is passed.
    package init(
        format: ReportFormat, streams: [AggregateKey], options: Bytes, source: UInt32 = 0, isTombstone: Bool = false,
        disablesNilValues: Bool = false
    ) throws(PriceStreamsError) {
        guard (1...AgreementLimits.streamsPerChannelMaximum).contains(streams.count) else {
            throw PriceStreamsError(
                .badDefinition, "\(streams.count) streams",
                hint: "1 to \(AgreementLimits.streamsPerChannelMaximum) streams make a channel")
        }
        guard options.count <= AgreementLimits.optionsBytesMaximum else {
            throw PriceStreamsError(
                .badDefinition, "options of \(options.count) bytes",
                hint: "at most \(AgreementLimits.optionsBytesMaximum)")
        }
        self.format = format
        self.streams = streams
        self.options = options
        self.source = source
        self.isTombstone = isTombstone
        self.disablesNilValues = disablesNilValues
    }

    /// Bytes in an observation or outcome.
    var encodedCount: Int { 4 + 4 + 8 * streams.count + 4 + options.count + 4 + 2 }

    func write(to writer: inout CanonicalWriter) {
        writer.u32(format.rawValue)
        writer.list(streams) { writer, key in
            writer.u32(key.streamID.rawValue)
            writer.u32(key.aggregator.rawValue)
        }
        writer.string(options)
        writer.u32(source)
        writer.flag(isTombstone)
        writer.flag(disablesNilValues)
    }

    init(from reader: inout CanonicalReader) throws(PriceStreamsError) {
        let format = ReportFormat(rawValue: try reader.u32())
        let streams = try reader.list(maximum: AgreementLimits.streamsPerChannelMaximum, least: 8) {
            reader throws(PriceStreamsError) -> AggregateKey in
            let stream = StreamID(try reader.u32())
            let number = try reader.u32()
            guard let aggregator = Aggregator(rawValue: number) else {
                throw reader.malformed("an aggregator \(number)")
            }
            return AggregateKey(stream, aggregator)
        }
        let options = try reader.string(maximum: AgreementLimits.optionsBytesMaximum)
        let source = try reader.u32()
        let isTombstone = try reader.flag()
        try self.init(
            format: format, streams: streams, options: options, source: source, isTombstone: isTombstone,
            disablesNilValues: try reader.flag())
    }
}

// MARK: - What is voted with

extension ChannelDefinition {
    private func preimage(_ channel: ChannelID, _ flags: (inout CanonicalWriter) -> Void) -> Bytes {
        var writer = CanonicalWriter(reserving: 32 + encodedCount)
        writer.u32(channel.rawValue)
        writer.u32(format.rawValue)
        writer.list(streams) { writer, key in
            writer.u32(key.streamID.rawValue)
            writer.u32(key.aggregator.rawValue)
        }
        flags(&writer)
        writer.raw(options)
        return writer.bytes
    }

    /// The hash that upstream votes with. It leaves out three fields, so that one faulty oracle can flip them on the
    /// votes of honest ones (5.2, pitfall 28): for comparison only.
    package func upstreamHash(_ channel: ChannelID) -> Hash32 { sha256(preimage(channel) { _ in }) }

    /// The hash that our oracles vote with: upstream's with tombstone, source and disableNilStreamValues before the
    /// options.
    package func voteHash(_ channel: ChannelID) -> Hash32 {
        sha256(
            preimage(channel) { writer in
                writer.flag(isTombstone)
                writer.u32(source)
                writer.flag(disablesNilValues)
            })
    }
}
