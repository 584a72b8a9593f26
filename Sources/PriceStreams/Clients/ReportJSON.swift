// The report object of the REST and WebSocket interfaces, and the bodies around it (8.1, 8.2, 9.2 of the price
// specification). Written byte by byte: it is made for every report, and clients depend on its exact form.

import Ethereum

/// Four members, no others; times in whole seconds.
package struct ReportJSON: Hashable, Sendable {
    package let feedID: FeedID
    package let validFromTimestamp: UInt64
    package let observationsTimestamp: UInt64
    package let fullReport: Bytes

    package init(feedID: FeedID, validFromTimestamp: UInt64, observationsTimestamp: UInt64, fullReport: Bytes) {
        self.feedID = feedID
        self.validFromTimestamp = validFromTimestamp
        self.observationsTimestamp = observationsTimestamp
        self.fullReport = fullReport
    }

    /// `fullReport` must be the bytes from which `report` was read. Milliseconds of our private feeds are cut to
    /// seconds.
    package init(report: PriceReport, fullReport: Bytes) {
        self.init(
            feedID: report.feedID, validFromTimestamp: report.validFromNanoseconds / 1_000_000_000,
            observationsTimestamp: report.observationsNanoseconds / 1_000_000_000, fullReport: fullReport)
    }

    /// `{"report":{...}}`: one report, also as a WebSocket message.
    package var single: Bytes {
        TextWriter.bytes(capacity: byteCountMaximum + 16) { writer in
            writer.put("{\"report\":")
            write(to: &writer)
            writer.put("}")
        }
    }

    /// `{"reports":[...]}`; an empty list is `[]`, never null.
    package static func list(_ reports: [ReportJSON]) -> Bytes {
        TextWriter.bytes(capacity: reports.reduce(16) { $0 + $1.byteCountMaximum + 1 }) { writer in
            writer.put("{\"reports\":[")
            for (index, report) in reports.enumerated() {
                if index > 0 { writer.put(",") }
                report.write(to: &writer)
            }
            writer.put("]}")
        }
    }

    /// `{"feeds":[{"feedID":"0x..."},...]}`.
    package static func feeds(_ feeds: [FeedID]) -> Bytes {
        JSON.object(
            JSONObject([("feeds", .array(feeds.map { .object(JSONObject([("feedID", .string($0.text))])) }))])
        ).bytes
    }

    /// The names take 85 bytes, the feed id 64, two numbers at most 20 each.
    private var byteCountMaximum: Int { 200 + 2 * fullReport.count }

    private func write(to writer: inout TextWriter) {
        writer.put("{\"feedID\":\"0x")
        writer.putHex(feedID.bytes)
        writer.put("\",\"validFromTimestamp\":")
        writer.putDecimal(validFromTimestamp)
        writer.put(",\"observationsTimestamp\":")
        writer.putDecimal(observationsTimestamp)
        writer.put(",\"fullReport\":\"0x")
        writer.putHex(fullReport)
        writer.put("\"}")
    }
}

/// Text into memory that was taken for all of it.
private struct TextWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var position = 0

    static func bytes(capacity: Int, _ fill: (inout TextWriter) -> Void) -> Bytes {
        Bytes(unsafeUninitializedCapacity: capacity) { buffer, count in
            // What the system gave may be more than was asked for.
            var writer = TextWriter(buffer: UnsafeMutableBufferPointer(rebasing: buffer[..<capacity]))
            fill(&writer)
            count = writer.position
        }
    }

    private init(buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func put(_ text: StaticString) {
        precondition(position + text.utf8CodeUnitCount <= buffer.count, "the capacity was counted")
        for index in 0..<text.utf8CodeUnitCount { buffer[position + index] = text.utf8Start[index] }
        position += text.utf8CodeUnitCount
    }

    mutating func putDecimal(_ value: UInt64) {
        for digit in String(value).utf8 { put(digit) }
    }

    mutating func putHex(_ bytes: Bytes) {
        precondition(position + 2 * bytes.count <= buffer.count, "the capacity was counted")
        for byte in bytes {
            put(Self.digit(byte >> 4))
            put(Self.digit(byte & 15))
        }
    }

    private mutating func put(_ byte: UInt8) {
        precondition(position < buffer.count, "the capacity was counted")
        buffer[position] = byte
        position += 1
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}

// MARK: - Reading, for clients

extension ReportJSON {
    /// Reads a report object; members that it does not know are ignored, as other clients do. Throws
    /// `malformedReportJSON`.
    package init(_ json: JSON) throws(PriceStreamsError) {
        guard let feed = json["feedID"]?.asString, let feedID = try? FeedID(text: feed) else {
            throw Self.malformed("feedID is no feed id")
        }
        guard let text = json["fullReport"]?.asString, text.hasPrefix("0x"),
            text.utf8.count <= 2 + 2 * Limits.fullReportBytesMaximum, let fullReport = try? Hex.decode(text)
        else { throw Self.malformed("fullReport is no hexadecimal text of a full report") }
        self.init(
            feedID: feedID, validFromTimestamp: try Self.seconds(json, "validFromTimestamp"),
            observationsTimestamp: try Self.seconds(json, "observationsTimestamp"), fullReport: fullReport)
    }

    /// Reads `{"report":{...}}`.
    package init(single bytes: Bytes) throws(PriceStreamsError) {
        guard bytes.count <= Limits.reportJSONBytesMaximum, let json = try? JSON.parse(bytes),
            let report = json["report"]
        else { throw Self.malformed("the message has no report") }
        try self.init(report)
    }

    /// A JSON number without sign, fraction or exponent.
    private static func seconds(_ json: JSON, _ name: String) throws(PriceStreamsError) -> UInt64 {
        guard case .number(let text)? = json[name], let value = UInt64(text), String(value) == text else {
            throw malformed("\(name) is no whole number of seconds")
        }
        return value
    }

    private static func malformed(_ why: String) -> PriceStreamsError {
        PriceStreamsError(
            .malformedReportJSON, why, hint: "the server speaks another protocol, or damages what it sends")
    }
}
