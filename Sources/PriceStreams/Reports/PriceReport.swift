// One report: header and body, read from and written to the bytes that are signed (section 2). Who signed them is in
// Envelope and Verification.

import Ethereum

/// What every report begins with. Timestamps are in the unit of the feed's schema: seconds, or milliseconds for feeds
/// of our private range. v1 has no such header; its reports get one that says the same (see `init(v1Observations:)`).
package struct ReportHeader: Hashable, Sendable {
    package let feedID: FeedID
    /// The first unit of time to which the value applies.
    package let validFrom: UInt64
    /// The last one: the DON's median of the oracles' clocks.
    package let observations: UInt64
    /// 1e18-scaled; not charged any more.
    package let nativeFee: UInt192
    package let linkFee: UInt192
    /// Days ahead: no limit of freshness (2.2).
    package let expiresAt: UInt64

    package init(
        feedID: FeedID, validFrom: UInt64, observations: UInt64, nativeFee: UInt192 = 0, linkFee: UInt192 = 0,
        expiresAt: UInt64
    ) {
        self.feedID = feedID
        self.validFrom = validFrom
        self.observations = observations
        self.nativeFee = nativeFee
        self.linkFee = linkFee
        self.expiresAt = expiresAt
    }

    /// The header of a v1 report, which holds for one second, costs nothing and never expires.
    init(v1FeedID feedID: FeedID, observations: UInt64) {
        self.init(
            feedID: feedID, validFrom: observations, observations: observations, expiresAt: UInt64(UInt32.max))
    }

    /// validFrom <= observations <= expiresAt, as every honest report has it.
    package var isOrdered: Bool { validFrom <= observations && observations <= expiresAt }
}

/// A report that can be encoded: its feed, header and body fit each other by construction.
package struct PriceReport: Hashable, Sendable {
    package let schema: ReportSchema
    package let header: ReportHeader
    package let body: ReportBody

    /// Throws `unknownSchema`, `schemaMismatch` or `headerTimestamp`.
    package init(header: ReportHeader, body: ReportBody) throws(PriceStreamsError) {
        let schema = try Self.schema(of: header.feedID)
        guard schema.number == body.schemaNumber else {
            throw PriceStreamsError(
                .schemaMismatch, "a v\(body.schemaNumber) body under the \(schema) feed \(header.feedID)",
                hint: "the channel's report format does not belong to this feed id")
        }
        let last = max(header.validFrom, header.observations, header.expiresAt)
        guard last <= schema.headerUnit.maximum else {
            throw PriceStreamsError(
                .headerTimestamp, "the timestamp \(last) of feed \(header.feedID) is beyond a \(schema) header",
                hint: "its unit is \(schema.headerUnit.rawValue)")
        }
        guard schema.number != 1 || header == ReportHeader(v1FeedID: header.feedID, observations: header.observations)
        else {
            throw PriceStreamsError(
                .headerTimestamp, "a v1 report has neither fees nor a range of time", hint: "use v3 for new feeds")
        }
        self.init(schema, header, body)
    }

    private init(_ schema: ReportSchema, _ header: ReportHeader, _ body: ReportBody) {
        self.schema = schema
        self.header = header
        self.body = body
    }

    /// Reads the bytes of a report: exactly the words of its schema, all of them canonical. Throws `reportLength`,
    /// `unknownSchema` or `nonCanonicalWord`.
    package init(blob: Bytes) throws(PriceStreamsError) {
        guard blob.count >= 32 else {
            throw PriceStreamsError(
                .reportLength, "\(blob.count) bytes are no report", hint: "a report begins with its feed id of 32 bytes"
            )
        }
        let schema = try Self.schema(of: FeedID(WordReader.first(of: blob)))
        guard blob.count == schema.byteCount else {
            throw PriceStreamsError(
                .reportLength, "\(blob.count) bytes where a \(schema) report has \(schema.byteCount)",
                hint: "the feed's id and its channel's format disagree")
        }
        var reader = WordReader(blob, schema: schema)
        let header = try ReportHeader(schema: schema, &reader)
        let body = try ReportBody(schemaNumber: schema.number, &reader)
        assert(reader.isAtEnd, "the body reads all words of \(schema)")
        self.init(schema, header, body)
    }

    /// The bytes that are hashed, signed and handed to contracts.
    package var blob: Bytes {
        WordWriter.bytes(words: schema.wordCount) { writer in
            header.write(schema: schema, to: &writer)
            body.write(to: &writer)
        }
    }

    /// Every word by its name, as text: hexadecimal for ids and hashes, decimal for numbers.
    package var fields: [(name: String, value: String)] {
        let blob = blob
        return schema.fields.enumerated().map { index, field in
            let word = U256(bigEndianBytes: blob[32 * index..<32 * index + 32]) ?? .zero
            let text =
                switch field.kind {
                case .bytes32: Hash32(word).hex
                case .uint32, .uint64, .uint192: word.decimal
                case .int192: Int192(word: word)?.decimal ?? word.hex
                }
            return (field.name, text)
        }
    }

    package var feedID: FeedID { header.feedID }

    /// The header's times in nanoseconds; the largest number when they do not fit.
    package var validFromNanoseconds: UInt64 { nanoseconds(header.validFrom) }
    package var observationsNanoseconds: UInt64 { nanoseconds(header.observations) }
    package var expiresAtNanoseconds: UInt64 { nanoseconds(header.expiresAt) }

    private func nanoseconds(_ time: UInt64) -> UInt64 {
        let (value, overflow) = time.multipliedReportingOverflow(by: schema.headerUnit.nanoseconds)
        return overflow ? .max : value
    }

    private static func schema(of feedID: FeedID) throws(PriceStreamsError) -> ReportSchema {
        guard let schema = ReportSchema(version: feedID.version) else {
            let version = Hex.encode(Bytes(bigEndian: feedID.version))
            throw PriceStreamsError(
                .unknownSchema, "no schema has the version \(version) of feed \(feedID)",
                hint: "1 to 13 and 0x0f02 to 0x0f0d are known")
        }
        return schema
    }
}

extension ReportHeader {
    init(schema: ReportSchema, _ reader: inout WordReader) throws(PriceStreamsError) {
        let feedID = FeedID(reader.hash())
        let first = try reader.timestamp()
        guard schema.number > 1 else {
            self.init(v1FeedID: feedID, observations: first)
            return
        }
        let observations = try reader.timestamp()
        let nativeFee = try reader.uint192()
        let linkFee = try reader.uint192()
        self.init(
            feedID: feedID, validFrom: first, observations: observations, nativeFee: nativeFee, linkFee: linkFee,
            expiresAt: try reader.timestamp())
    }

    func write(schema: ReportSchema, to writer: inout WordWriter) {
        writer.word(feedID.hash)
        if schema.number > 1 { writer.word(validFrom) }
        writer.word(observations)
        guard schema.number > 1 else { return }
        writer.word(nativeFee)
        writer.word(linkFee)
        writer.word(expiresAt)
    }
}
