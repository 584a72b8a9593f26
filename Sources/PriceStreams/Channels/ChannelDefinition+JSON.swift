// Definition files (5.2): an object keyed by channel id. Strict: what is not understood is refused with its place.

import Ethereum

extension ChannelDefinition {
    /// A whole file; ids ascending. Options are checked by ChannelSet.
    package static func file(_ bytes: Bytes) throws(PriceStreamsError) -> [ChannelID: ChannelDefinition] {
        guard bytes.count <= AgreementLimits.definitionFileBytesMaximum else {
            throw bad("a file of \(bytes.count) bytes", "at most \(AgreementLimits.definitionFileBytesMaximum)")
        }
        let whole: JSON
        do { whole = try JSON.parse(bytes) } catch { throw bad(error.message, "the file must be JSON") }
        guard let object = whole.asObject, object.members.count <= AgreementLimits.channelsMaximum else {
            throw bad("no object of channels", "at most \(AgreementLimits.channelsMaximum), keyed by id")
        }
        var found: [ChannelID: ChannelDefinition] = [:]
        for (name, value) in object.members {
            guard let id = UInt32(name), String(id) == name else {
                throw bad("channel '\(name.prefix(40))'", "a decimal number of 32 bits")
            }
            do { found[ChannelID(id)] = try ChannelDefinition(value) } catch {
                throw PriceStreamsError(error.code, "channel \(id): \(error.message)", hint: error.hint)
            }
        }
        return found
    }

    package init(_ value: JSON) throws(PriceStreamsError) {
        let object = try FoldedObject(
            value,
            known: ["reportformat", "streams", "opts", "source", "tombstone", "disablenilstreamvalues"], .badDefinition)
        guard let format = ChannelDefinition.format(object["reportformat"]) else {
            throw object.wrong("reportformat", "a name such as evm_abi_encode_unpacked, or its number")
        }
        guard let items = object["streams"]?.asArray else { throw object.wrong("streams", "a list of streams") }
        var streams: [AggregateKey] = []
        for item in items.prefix(AgreementLimits.streamsPerChannelMaximum + 1) {
            streams.append(try ChannelDefinition.stream(item))
        }
        try self.init(
            format: format, streams: streams, options: object["opts"].map { $0.sortedByName.bytes } ?? [],
            source: UInt32(try object.unsigned("source", maximum: UInt64(UInt32.max)) ?? 0),
            isTombstone: try object.flag("tombstone"),
            disablesNilValues: try object.flag("disablenilstreamvalues"))
    }

    private static func format(_ value: JSON?) -> ReportFormat? {
        switch value {
        case .string(let name): ReportFormat(name: name)
        case .number(let text): UInt32(text).map(ReportFormat.init(rawValue:))
        default: nil
        }
    }

    private static func stream(_ value: JSON) throws(PriceStreamsError) -> AggregateKey {
        let object = try FoldedObject(value, known: ["streamid", "aggregator"], .badDefinition)
        guard let id = try object.unsigned("streamid", maximum: UInt64(UInt32.max)) else {
            throw object.wrong("streamid", "the stream's number")
        }
        let aggregator: Aggregator? =
            switch object["aggregator"] {
            case .string(let name): Aggregator(name: name)
            case .number(let text): UInt32(text).flatMap(Aggregator.init(rawValue:))
            default: nil
            }
        guard let aggregator else { throw object.wrong("aggregator", "median, mode, quote or calculated") }
        return AggregateKey(StreamID(UInt32(truncatingIfNeeded: id)), aggregator)
    }

    private static func bad(_ what: String, _ hint: String) -> PriceStreamsError {
        PriceStreamsError(.badDefinition, what, hint: hint)
    }
}
