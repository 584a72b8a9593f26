// The signed report as it travels: abi.encode(bytes32[3] context, bytes blob, bytes32[] rs, bytes32[] ss, bytes32
// rawVs) (3.1, 3.5 of the price specification). One form only: what decodes here encodes to the same bytes. Whether the
// signatures are any good is asked in Verification.

import Ethereum

package struct FullReport: Hashable, Sendable {
    package let context: ReportContext
    /// The report: whole words, at least one.
    package let blob: Bytes
    /// In the order in which they stand. We sort by oracle, so that equal inputs give equal bytes.
    package let signatures: [Signature]

    /// Throws `blobLength` or `tooManySignatures`.
    package init(context: ReportContext, blob: Bytes, signatures: [Signature]) throws(PriceStreamsError) {
        guard Self.isBlobLength(blob.count) else { throw Self.blobLength(blob.count) }
        guard signatures.count <= Limits.signaturesMaximum else { throw Self.tooMany(signatures.count) }
        self.context = context
        self.blob = blob
        self.signatures = signatures
    }

    package init(
        context: ReportContext, report: PriceReport, signatures: [Signature]
    ) throws(PriceStreamsError) {
        try self.init(context: context, blob: report.blob, signatures: signatures)
    }

    /// What the signatures are made over.
    package var digest: Hash32 { signingDigest(blob: blob, context: context) }

    /// 320 bytes, the blob, and 64 for each signature.
    package var byteCount: Int { 320 + blob.count + 64 * signatures.count }

    /// The canonical bytes.
    package var encoded: Bytes {
        let count = signatures.count
        return WordWriter.bytes(words: byteCount / 32) { writer in
            writer.word(context.configurationDigest)
            writer.word(context.sequenceNumber)
            writer.word(context.extraHash)
            writer.word(UInt64(Self.blobOffset))
            writer.word(UInt64(256 + blob.count))
            writer.word(UInt64(288 + blob.count + 32 * count))
            writer.word(rawVs)
            writer.word(UInt64(blob.count))
            writer.bytes(blob)
            writer.word(UInt64(count))
            for signature in signatures { writer.word(signature.r) }
            writer.word(UInt64(count))
            for signature in signatures { writer.word(signature.s) }
        }
    }

    /// Byte i from the left is the parity of signature i.
    package var rawVs: Hash32 {
        var word = U256.zero
        for (index, signature) in signatures.enumerated() where signature.yParity == 1 {
            word = word | U256.one << (8 * (31 - index))
        }
        return Hash32(word)
    }

    private static let blobOffset = 224

    private static func isBlobLength(_ count: Int) -> Bool {
        count >= 32 && count % 32 == 0 && count <= Limits.reportBytesMaximum
    }

    private static func blobLength(_ count: Int) -> PriceStreamsError {
        PriceStreamsError(
            .blobLength, "a report of \(count) bytes",
            hint: "whole words of 32 bytes, at most \(Limits.reportBytesMaximum / 32) of them")
    }

    private static func tooMany(_ count: some CustomStringConvertible) -> PriceStreamsError {
        PriceStreamsError(
            .tooManySignatures, "\(count) signatures", hint: "a DON has at most \(Limits.signaturesMaximum) oracles")
    }
}

// MARK: - Decoding

extension FullReport {
    /// Reads canonical bytes and no others. Throws `envelopeTooLarge`, `envelopeTruncated`, `envelopeOffset`,
    /// `envelopeTrailingBytes`, `malformedContext`, `blobLength`, `tooManySignatures`, `signatureCountMismatch`,
    /// `signatureParity` or `unusedParity`.
    package init(encoded bytes: Bytes) throws(PriceStreamsError) {
        guard bytes.count <= Limits.fullReportBytesMaximum else {
            throw PriceStreamsError(
                .envelopeTooLarge, "a full report of \(bytes.count) bytes",
                hint: "at most \(Limits.fullReportBytesMaximum) are read")
        }
        let reader = EnvelopeReader(bytes)
        let context = try ReportContext(words: (try reader.hash(0), try reader.hash(32), try reader.hash(64)))
        try reader.expect(Self.blobOffset, at: 96, "blob")
        let length = try reader.size(at: Self.blobOffset)
        guard Self.isBlobLength(length) else { throw Self.blobLength(length) }
        try reader.expect(256 + length, at: 128, "rs")
        let count = try reader.size(at: 256 + length)
        guard count <= Limits.signaturesMaximum else { throw Self.tooMany(count) }
        try reader.expect(288 + length + 32 * count, at: 160, "ss")
        let second = try reader.size(at: 288 + length + 32 * count)
        guard second == count else {
            throw PriceStreamsError(
                .signatureCountMismatch, "\(count) values r beside \(second) values s",
                hint: "each signature has one of both")
        }
        let end = 320 + length + 64 * count
        guard bytes.count >= end else { throw reader.truncated(end) }
        guard bytes.count == end else {
            throw PriceStreamsError(
                .envelopeTrailingBytes, "\(bytes.count - end) bytes follow the full report",
                hint: "contracts ignore them; nobody may send them")
        }
        let parities = try Self.parities(try reader.hash(192), count: count)
        var signatures: [Signature] = []
        signatures.reserveCapacity(count)
        for index in 0..<count {
            let r = try reader.hash(288 + length + 32 * index)
            let s = try reader.hash(320 + length + 32 * (count + index))
            signatures.append(Signature(r: r.word, s: s.word, yParity: UInt8(parities >> UInt32(index) & 1)))
        }
        self.context = context
        self.blob = Bytes(bytes[256..<256 + length])
        self.signatures = signatures
    }

    /// Bit i is the parity of signature i.
    private static func parities(_ rawVs: Hash32, count: Int) throws(PriceStreamsError) -> UInt32 {
        var bits: UInt32 = 0
        for index in 0..<32 {
            let v = UInt8(truncatingIfNeeded: (rawVs.word >> (8 * (31 - index))).w0)
            guard v != 0 else { continue }
            guard index < count else {
                throw PriceStreamsError(
                    .unusedParity, "byte \(index) of rawVs is \(v), with \(count) signatures",
                    hint: "bytes without a signature are zero")
            }
            guard v == 1 else {
                throw PriceStreamsError(
                    .signatureParity, "byte \(index) of rawVs is \(v)",
                    hint: "0 or 1; contracts add 27 themselves")
            }
            bits |= 1 << UInt32(index)
        }
        return bits
    }
}

/// Reads words of a full report at places that may lie outside.
private struct EnvelopeReader {
    let bytes: Bytes

    init(_ bytes: Bytes) { self.bytes = bytes }

    func hash(_ offset: Int) throws(PriceStreamsError) -> Hash32 {
        guard offset >= 0, offset <= bytes.count - 32 else { throw truncated(offset + 32) }
        return Hash32(bytes.withUnsafeBytes { U256(bigEndianAt: $0.baseAddress.unsafelyUnwrapped + offset) })
    }

    /// A length; one that no report could have is as good as the bytes being cut off.
    func size(at offset: Int) throws(PriceStreamsError) -> Int {
        guard let size = try hash(offset).word.asUInt64, size <= UInt64(Limits.fullReportBytesMaximum) else {
            throw PriceStreamsError(
                .envelopeTruncated, "the length at offset \(offset) goes past the end", hint: "ask for the report again"
            )
        }
        return Int(size)
    }

    func expect(_ value: Int, at offset: Int, _ what: String) throws(PriceStreamsError) {
        let found = try hash(offset).word
        guard found.asInt == value else {
            throw PriceStreamsError(
                .envelopeOffset, "the offset of \(what) is \(found), not \(value)",
                hint: "only the canonical order of abi.encode is accepted")
        }
    }

    func truncated(_ wanted: Int) -> PriceStreamsError {
        PriceStreamsError(
            .envelopeTruncated, "a full report of \(bytes.count) bytes ends before byte \(wanted)",
            hint: "ask for the report again")
    }
}
