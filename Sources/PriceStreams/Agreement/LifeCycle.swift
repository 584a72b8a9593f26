// Where an instance stands between its predecessor and its successor (5.6), and the report that hands time over.

import Ethereum

package enum LifeCycleStage: UInt8, Hashable, Sendable {
    /// Has a predecessor that still publishes: builds state, makes specimens only.
    case staging = 0
    case production = 1
    /// Makes nothing but retirement reports any more.
    case retired = 2

    package var name: String { "\(self)" }
}

package struct ChannelTime: Hashable, Sendable {
    package let channelID: ChannelID
    /// Everything up to here is covered by reports.
    package let validAfterNanoseconds: UInt64

    package init(_ channelID: ChannelID, _ validAfterNanoseconds: UInt64) {
        self.channelID = channelID
        self.validAfterNanoseconds = validAfterNanoseconds
    }
}

/// How far each channel of a retired instance was covered. Its successor begins exactly there.
package struct RetirementReport: Hashable, Sendable {
    package let protocolVersion: UInt32
    /// Ascending by channel.
    package let validAfter: [ChannelTime]

    package init(protocolVersion: UInt32, validAfter: [ChannelTime]) {
        self.protocolVersion = protocolVersion
        self.validAfter = validAfter
    }

    /// `{"ProtocolVersion":1,"ValidAfterNanoseconds":{"1":...}}`, channels ascending.
    package var encoded: Bytes {
        let times = validAfter.map { ($0.channelID.description, JSON.integer($0.validAfterNanoseconds)) }
        let whole: JSON = [
            "ProtocolVersion": .integer(protocolVersion), "ValidAfterNanoseconds": .object(JSONObject(times)),
        ]
        return whole.bytes
    }

    /// The strict inverse: what does not encode to the same bytes again is refused.
    package init(encoded: Bytes) throws(PriceStreamsError) {
        guard encoded.count <= AgreementLimits.retirementBytesMaximum, let value = try? JSON.parse(encoded),
            let version = value["ProtocolVersion"]?.asUInt64.flatMap(UInt32.init(exactly:)),
            let members = value["ValidAfterNanoseconds"]?.asObject?.members,
            members.count <= AgreementLimits.validAfterMaximum
        else { throw RetirementReport.bad("\(encoded.count) bytes") }
        var times: [ChannelTime] = []
        for (name, time) in members {
            guard let id = UInt32(name), let nanoseconds = time.asUInt64 else {
                throw RetirementReport.bad("channel '\(name.prefix(20))'")
            }
            times.append(ChannelTime(ChannelID(id), nanoseconds))
        }
        self.init(protocolVersion: version, validAfter: times)
        guard strictlyAscending(times.map(\.channelID)), self.encoded == encoded else {
            throw RetirementReport.bad("another spelling")
        }
    }

    fileprivate static func bad(_ what: String) -> PriceStreamsError {
        PriceStreamsError(
            .badRetirementReport, what, hint: "the predecessor's report, signed by more than F of its oracles")
    }
}

/// A retirement report with the signatures that its instance's oracles gave it.
package struct AttestedRetirement: Hashable, Sendable {
    package let report: Bytes
    package let sequenceNumber: UInt64
    /// By index of the signer, ascending.
    package let signatures: [SignerSignature]

    package struct SignerSignature: Hashable, Sendable {
        package let signer: UInt8
        package let signature: Signature

        package init(signer: UInt8, signature: Signature) {
            self.signer = signer
            self.signature = signature
        }
    }

    package init(report: Bytes, sequenceNumber: UInt64, signatures: [SignerSignature]) {
        self.report = report
        self.sequenceNumber = sequenceNumber
        self.signatures = signatures.sorted { $0.signer < $1.signer }
    }

    /// The report, when more than F distinct signers of `predecessor` signed it and no signature is false.
    package func verified(by predecessor: OracleSet) throws(PriceStreamsError) -> RetirementReport {
        guard strictlyAscending(signatures.map(\.signer)), signatures.count > predecessor.faulty else {
            throw RetirementReport.bad("\(signatures.count) signatures")
        }
        let parsed = try RetirementReport(encoded: report)
        let digest = sign3Digest(
            report: report, configurationDigest: predecessor.digest, sequenceNumber: sequenceNumber)
        for item in signatures {
            guard predecessor.signers.indices.contains(Int(item.signer)), item.signature.isLowS,
                Secp256k1.recoverAddress(digest: digest, signature: item.signature)
                    == predecessor.signers[Int(item.signer)]
            else { throw RetirementReport.bad("signature of oracle \(item.signer)") }
        }
        return parsed
    }

    func write(to writer: inout CanonicalWriter) {
        writer.string(report)
        writer.u64(sequenceNumber)
        writer.list(signatures) { writer, item in
            writer.byte(item.signer)
            writer.raw(item.signature.bytes)
        }
    }

    init(from reader: inout CanonicalReader) throws(PriceStreamsError) {
        report = try reader.string(maximum: AgreementLimits.retirementBytesMaximum)
        sequenceNumber = try reader.u64()
        signatures = try reader.list(maximum: AgreementLimits.oraclesMaximum, least: 66) {
            reader throws(PriceStreamsError) -> SignerSignature in
            let signer = try reader.byte()
            let bytes = Bytes(try reader.raw(65))
            guard bytes[64] < 2, let signature = try? Signature(bytes: bytes) else {
                throw reader.malformed("a signature")
            }
            return SignerSignature(signer: signer, signature: signature)
        }
    }

    /// For the store of the oracle that waits for its predecessor.
    package var encoded: Bytes {
        var writer = CanonicalWriter()
        write(to: &writer)
        return writer.bytes
    }

    package init(encoded: Bytes) throws(PriceStreamsError) {
        var reader = CanonicalReader(encoded, .badRetirementReport)
        try self.init(from: &reader)
        try reader.finish()
    }
}
