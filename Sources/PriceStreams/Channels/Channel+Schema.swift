// Whether a channel's reports are what its feed id says: the admission check that keeps reports off the wire which every
// verifier and client would refuse.

extension Channel {
    /// Throws `badOptions` when the feed's version is no schema, or its words, their types or the unit of its header are
    /// others than the channel writes.
    func checkSchema() throws(PriceStreamsError) {
        let types: [[SolidityInteger]]
        let terms: ReportTerms
        switch options {
        case .premium(let premium, _):
            terms = premium
            types = [[SolidityInteger]](repeating: [.int192], count: 3)
        case .unpacked(let unpacked, let entries), .expressions(let unpacked, let entries):
            terms = unpacked
            types = entries.map { $0.fields.map(\.type) }
        case .streamlined, .json: return
        }
        guard let schema = ReportSchema(version: terms.feedID.version), schema.number > 1 else {
            throw bad(terms, "its version is no schema that has an encoder")
        }
        let unit: TimeResolution = schema.headerUnit == .seconds ? .seconds : .milliseconds
        guard unit == terms.resolution else {
            throw bad(terms, "\(schema) has times in \(unit.rawValue), the channel in \(terms.resolution.rawValue)")
        }
        let words = types.flatMap { $0 }
        guard words.count + 6 == schema.wordCount else {
            throw bad(terms, "\(schema) has \(schema.wordCount) words, the channel writes \(words.count + 6)")
        }
        for (type, field) in zip(words, schema.fields.dropFirst(6)) where !field.kind.holds(type) {
            throw bad(terms, "\(field.name) of \(schema) is \(field.kind.rawValue), the channel writes \(type)")
        }
    }

    private func bad(_ terms: ReportTerms, _ hint: String) -> PriceStreamsError {
        PriceStreamsError(.badOptions, "channel \(id) publishes feed \(terms.feedID)", hint: hint)
    }
}

extension ReportSchema.Kind {
    /// Whether every number of `type` is one of this kind.
    func holds(_ type: SolidityInteger) -> Bool {
        switch self {
        case .bytes32: false
        case .uint32: !type.isSigned && type.bits <= 32
        case .uint64: !type.isSigned && type.bits <= 64
        case .uint192: !type.isSigned && type.bits <= 192
        case .int192: type.isSigned ? type.bits <= 192 : type.bits < 192
        }
    }
}
