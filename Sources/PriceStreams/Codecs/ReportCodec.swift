// From a channel and the values of a round to report bytes, by format (5.7).

import Ethereum

extension Channel {
    /// Throws by name when there is no report: a missing value, one that does not fit, a specimen in an EVM format.
    package func report(_ input: ReportInput) throws(PriceStreamsError) -> Bytes {
        if input.isSpecimen, definition.format != .json {
            throw PriceStreamsError(
                .specimenRefused, "channel \(id) of format \(definition.format)",
                hint: "a staging instance makes JSON reports only")
        }
        return try encoded(input)
    }

    /// The same without regard to the stage.
    func encoded(_ input: ReportInput) throws(PriceStreamsError) -> Bytes {
        switch options {
        case .premium(let terms, let multiplier): try Self.premium(input, terms, multiplier)
        case .unpacked(let terms, let entries): try Self.unpacked(input, terms, entries, from: 2)
        case .expressions(let terms, let entries):
            try Self.unpacked(input, terms, entries, from: input.values.count - entries.count)
        case .streamlined(let feedID, let entries): try Self.streamlined(input, feedID, entries)
        case .json: try Self.json(input)
        }
    }

    private static func premium(
        _ input: ReportInput, _ terms: ReportTerms, _ multiplier: U256
    ) throws(PriceStreamsError) -> Bytes {
        guard case .quote(let quote) = try input.value(2) else {
            throw input.wrongKind(2, "format 1 publishes a quote")
        }
        let header = try ReportHeaderWords(input, terms, prices: (try input.price(0), try input.price(1)))
        var words = header.words
        words.reserveCapacity(9)
        words.append(try SolidityInteger.int192.word(quote.benchmark, times: multiplier))
        words.append(try SolidityInteger.int192.word(quote.bid, times: multiplier))
        words.append(try SolidityInteger.int192.word(quote.ask, times: multiplier))
        return blob(words)
    }

    private static func unpacked(
        _ input: ReportInput, _ terms: ReportTerms, _ entries: [ABIEntry], from first: Int
    ) throws(PriceStreamsError) -> Bytes {
        let header = try ReportHeaderWords(input, terms, prices: (try input.price(0), try input.price(1)))
        var words = header.words
        words.reserveCapacity(6 + 2 * entries.count)
        for (index, entry) in entries.enumerated() {
            try append(entry, input, first + index) { _, word in words.append(word) }
        }
        return blob(words)
    }

    private static func streamlined(
        _ input: ReportInput, _ feedID: FeedID?, _ entries: [ABIEntry]
    ) throws(PriceStreamsError) -> Bytes {
        var writer = CanonicalWriter(reserving: 40 + 32 * entries.count)
        if let feedID {
            writer.raw(feedID.bytes)
        } else {
            writer.u32(ReportFormat.streamlined.rawValue)
            writer.u32(input.channelID.rawValue)
        }
        writer.u64(input.validAfterNanoseconds)
        for (index, entry) in entries.enumerated() {
            try append(entry, input, index) { type, word in writer.raw(type.packed(word)) }
        }
        return writer.bytes
    }

    /// One stream's words: a number, or time and value of a timestamped one. Quotes have no word.
    private static func append(
        _ entry: ABIEntry, _ input: ReportInput, _ index: Int, _ emit: (SolidityInteger, U256) -> Void
    ) throws(PriceStreamsError) {
        switch (try input.value(index), entry.fields.count) {
        case (.decimal(let number), 1):
            let field = entry.fields[0]
            emit(field.type, try field.type.word(number, times: field.multiplier))
        case (.timestamped(let stamped), 2):
            let (time, value) = (entry.fields[0], entry.fields[1])
            emit(time.type, try time.type.word(Decimal(stamped.observedAtNanoseconds), times: time.multiplier))
            emit(value.type, try value.type.word(stamped.value, times: value.multiplier))
        default:
            throw input.wrongKind(index, "one encoder for a number, a list of two for a timestamped value, no quotes")
        }
    }

    /// Fields in this order (5.7.6).
    private static func json(_ input: ReportInput) throws(PriceStreamsError) -> Bytes {
        var values: [JSON] = []
        for index in input.values.indices {
            let value = try input.value(index)
            values.append(["t": .integer(value.kind.rawValue), "v": .string(value.text)])
        }
        let report: JSON = [
            "ConfigDigest": .string(Hex.encodeBare(input.configurationDigest.bytes)),
            "SeqNr": .integer(input.sequenceNumber), "ChannelID": .integer(input.channelID.rawValue),
            "ValidAfterNanoseconds": .integer(input.validAfterNanoseconds),
            "ObservationTimestampNanoseconds": .integer(input.observationTimestampNanoseconds),
            "Values": .array(values), "Specimen": .bool(input.isSpecimen),
        ]
        return report.bytes
    }
}

extension SolidityInteger {
    /// The widest price type.
    static let int192 = SolidityInteger(isSigned: true, bits: 192)

    private init(isSigned: Bool, bits: Int) {
        self.isSigned = isSigned
        self.bits = bits
    }
}
