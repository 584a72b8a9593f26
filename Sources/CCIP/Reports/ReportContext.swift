// What stands around a report on its way to the OffRamp: the context, the digest that oracles sign, the signatures in
// the contract's form, and the call data (10.2, 10.3 of the on-chain specification).

import Ethereum

/// Configuration digest and OCR sequence number: the two context words.
package struct ReportContext: Hashable, Sendable {
    package let configurationDigest: Hash32
    package let sequenceNumber: UInt64

    package init(configurationDigest: Hash32, sequenceNumber: UInt64) {
        self.configurationDigest = configurationDigest
        self.sequenceNumber = sequenceNumber
    }

    package var words: [Hash32] { [configurationDigest, Hash32(U256(sequenceNumber))] }

    /// keccak256(keccak256(report) || word 0 || word 1). Signed raw: no Ethereum message prefix.
    package func digest(report: Bytes) -> Hash32 { keccak256(digestPreimage(report: report)) }

    func digestPreimage(report: Bytes) -> Bytes {
        keccak256(report).bytes + configurationDigest.bytes + U256(sequenceNumber).bytes
    }

    private var abi: ABIValue { .array(words.map { .hash($0) }) }

    /// Call data of `commit`. Exactly F+1 signatures, in any order; throws `tooManySignatures` above 32.
    package func commitCall(report: CommitReport, signatures: [Signature]) throws(CCIPError) -> Bytes {
        try commitCall(encodedReport: report.encoded, signatures: signatures)
    }

    package func commitCall(encodedReport: Bytes, signatures: [Signature]) throws(CCIPError) -> Bytes {
        let packed = try PackedSignatures(signatures)
        return OffRampInterface.commit.selector
            + ABICodec.encode(
                [
                    abi, .bytes(encodedReport), .array(packed.rs.map { .hash($0) }),
                    .array(packed.ss.map { .hash($0) }), .hash(packed.rawVs),
                ], as: OffRampInterface.commit.inputs)
    }

    /// Call data of `execute`.
    package func executeCall(encodedReports: Bytes) -> Bytes {
        OffRampInterface.execute.selector
            + ABICodec.encode([abi, .bytes(encodedReports)], as: OffRampInterface.execute.inputs)
    }
}

/// Signatures as `commit` takes them: byte i of rawVs, from the left, is the parity (0 or 1) of signature i.
package struct PackedSignatures: Hashable, Sendable {
    package let rs: [Hash32]
    package let ss: [Hash32]
    package let rawVs: Hash32

    package init(_ signatures: [Signature]) throws(CCIPError) {
        guard signatures.count <= Limits.reportSignaturesMaximum else {
            throw CCIPError(
                .tooManySignatures, "\(signatures.count) signatures",
                hint: "rawVs has room for \(Limits.reportSignaturesMaximum); the contract wants exactly F+1")
        }
        rs = signatures.map { Hash32($0.r) }
        ss = signatures.map { Hash32($0.s) }
        let parities = signatures.map(\.yParity)
        let padded = parities + Bytes(repeating: 0, count: 32 - parities.count)
        rawVs = Hash32(U256(bigEndianBytes: padded) ?? .zero)
    }
}

/// What `manuallyExecute` takes; anyone may call it (13.1).
package enum ManualExecution {
    /// Throws `malformedReport` when the overrides do not have the shape of the reports.
    package static func call(
        reports: [ExecutionReport], overrides: [[GasLimitOverride]]
    ) throws(CCIPError) -> Bytes {
        let fits =
            reports.count == overrides.count
            && zip(reports, overrides).allSatisfy { report, list in
                report.messages.count == list.count
                    && zip(report.messages, list).allSatisfy { $0.tokenAmounts.count == $1.tokenGasOverrides.count }
            }
        guard fits, !reports.isEmpty else {
            throw CCIPError(
                .malformedReport, "gas overrides do not have the shape of the reports",
                hint: "one override for each message, one token entry for each token, zeros for no change")
        }
        return OffRampInterface.manuallyExecute.selector
            + ABICodec.encode(
                [.array(reports.map(\.abi)), .array(overrides.map { .array($0.map(\.abi)) })],
                as: OffRampInterface.manuallyExecute.inputs)
    }
}
