// Contexts, full reports, digests, signatures and verification against the vectors.

import Ethereum
import PriceStreams
import TestSupport
import Testing

@Suite("Full reports against the vectors")
struct EnvelopeVectorTests {
    @Test("11 sequence numbers give epoch, round and word; one overflows; 6 extra hashes")
    func reportContext() throws {
        let group = try StreamsVector.group("reportContext")
        let numbers = try group.items("seqNrToEpochRound")
        #expect(numbers.count == 11)
        let digest = Hash32(7)
        for vector in numbers {
            let context = try ReportContext(
                configurationDigest: digest, sequenceNumber: vector.u64("seqNr"), donID: 42)
            #expect(try context.epoch == vector.u32("epoch"))
            #expect(try UInt64(context.round) == vector.u64("round"))
            let word = try vector.hash("word")
            #expect(context.words[1] == word)
            #expect(try ReportContext(words: (digest, word, context.extraHash)) == context)
        }
        let errors = try group.items("errors")
        #expect(errors.count == 1)
        for vector in errors {
            let number = try vector.u64("seqNr")
            expectError(.sequenceNumberTooLarge) { () throws(PriceStreamsError) in
                _ = try ReportContext(configurationDigest: digest, sequenceNumber: number, donID: 42)
            }
            expectError(.malformedContext) { () throws(PriceStreamsError) in
                _ = try ReportContext(words: (digest, Hash32(U256(number)), .zero))
            }
        }
        let extra = try group.items("extraHash")
        #expect(extra.count == 6)
        for vector in extra {
            #expect(try ReportContext.extraHash(donID: vector.u32("donID")) == vector.hash("extraHash"))
        }
    }

    @Test("30 full reports decode, encode to the same bytes, and are signed anew with equal bytes")
    func envelopes() throws {
        let keys = try StreamsVector.privateKeys()
        let vectors = try StreamsVector.list("envelopes")
        #expect(vectors.count == 30)
        for vector in vectors {
            let bytes = try vector.bytes("fullReport")
            let full = try FullReport(encoded: bytes)
            #expect(full.encoded == bytes)
            #expect(try full.byteCount == vector.int("fullReportBytes"))
            #expect(try keccak256(bytes) == vector.hash("fullReportKeccak"))
            #expect(try full.context.words == vector.hashes("reportContext"))
            if vector["seqNr"] != nil { #expect(try full.context.sequenceNumber == vector.u64("seqNr")) }
            #expect(try full.blob == vector.bytes("reportBlob"))
            #expect(try keccak256(full.blob) == vector.hash("reportHash"))
            #expect(try full.digest == vector.hash("signingDigest"))
            #expect(try full.signatures.map { Hash32($0.r) } == vector.hashes("rawRs"))
            #expect(try full.signatures.map { Hash32($0.s) } == vector.hashes("rawSs"))
            #expect(try full.rawVs == vector.hash("rawVs"))
            let report = try PriceReport(blob: full.blob)
            #expect(try report.schema.number == vector.int("schemaVersion"))
            #expect(try report.feedID.text == vector.text("feedId"))
            let signed = try vector.integers("signerIndexes").map { keys[$0].sign(digest: full.digest) }
            #expect(try FullReport(context: full.context, report: report, signatures: signed).encoded == bytes)
        }
    }

    @Test("30 full reports verify, with the signers that the vectors name")
    func verification() throws {
        let sets = try StreamsVector.oracleSets()
        let verifier = ReportVerifier(Array(sets.values))
        for vector in try StreamsVector.list("envelopes") {
            let set = try #require(sets[try vector.text("config")])
            let verified = try verifier.verify(vector.bytes("fullReport"))
            #expect(verified.configurationDigest == set.digest)
            #expect(verified.donID == 42)
            #expect(try verified.signers == vector.integers("signerIndexes"))
            #expect(try verified.signers.map { set.signers[$0] } == vector.signers("recoveredSigners"))
        }
    }

    /// What our own verifier says to each case; nil where it accepts.
    static let refusals: KeyValuePairs<String, String?> = [
        "baseline_ok": nil, "order_swapped_ok": nil, "too_few_signatures": "signatureCount",
        "too_many_signatures": "signatureCount", "no_signatures": "signatureCount",
        "duplicate_signer": "duplicateSigner", "unauthorised_signer": "unknownSigner",
        "rs_ss_length_mismatch": "signatureCountMismatch", "tampered_blob": "unknownSigner",
        "tampered_epoch_round": "unknownSigner", "tampered_extra_hash": "unknownSigner",
        "unknown_config_digest": "unknownDigest", "v_27_28_instead_of_0_1": "signatureParity",
        "v_flipped": "unknownSigner", "v_overflow_0xe5": "signatureParity", "high_s_malleated": "highS",
        "r_zero": "invalidSignature", "trailing_bytes_after_payload": "envelopeTrailingBytes",
        "truncated_payload": "envelopeTruncated", "blob_offset_out_of_place": "envelopeOffset",
        "empty_payload": "envelopeTruncated",
        // Its expiry lies before its observations: signed, but not what an honest DON makes (3.7 step 7).
        "expired_report_valid_signatures": "timesOutOfOrder",
    ]

    @Test("22 cases: our verifier refuses by name, the contracts of each generation answer as the table says")
    func envelopeRules() throws {
        let sets = Array(try StreamsVector.oracleSets().values).filter { $0.feedID == nil && $0.signers.count == 4 }
        // Of the DON's two configurations of four oracles v0.4 knows one signer set.
        let blue = try #require(try StreamsVector.oracleSets()["blue production, n=4 f=1"])
        let verifier = ReportVerifier([blue])
        let vectors = try StreamsVector.list("envelopeRules")
        #expect(vectors.map { try? $0.text("name") } == Self.refusals.map(\.key))
        for (vector, expected) in zip(vectors, Self.refusals.map(\.value)) {
            let name = try vector.text("name")
            let bytes = try vector.bytes("fullReport")
            #expect(refusal(verifier, bytes) == expected, "\(name)")
            let table = try vector.at("expected")
            let current = try table.text("verifierV05")
            let v05 = OnchainRules.verdict(bytes, generation: .v05, sets: sets)
            #expect(agrees(v05, current), "\(name): \(v05) instead of \(current)")
            guard let older = table["destinationVerifierV04"]?.asString else { continue }
            let v04 = OnchainRules.verdict(bytes, generation: .v04, sets: [blue])
            #expect(agrees(v04, older), "\(name): \(v04) instead of \(older)")
        }
    }

    private func refusal(_ verifier: ReportVerifier, _ bytes: Bytes) -> String? {
        do {
            _ = try verifier.verify(bytes)
            return nil
        } catch {
            return error.code
        }
    }

    /// The table's words begin with the verdict's; for a digest it writes no digits, for garbage it only forbids
    /// success.
    private func agrees(_ verdict: OnchainVerdict, _ words: String) -> Bool {
        switch verdict {
        case .verifierNotFound(let digest):
            words.contains(digest.isZero ? "VerifierNotFound(0x00..00)" : "VerifierNotFound(digest)")
        case .undecodable: words.hasPrefix("revert (abi decode)") || words == "must not verify"
        case .accepted: words == "ok" || words.hasPrefix("ok (")
        default: words == verdict.description || words.hasPrefix(verdict.description + " (")
        }
    }

    @Test("3 reports signed the other way: digest and signatures of JSON and retirement reports")
    func sign3() throws {
        let keys = try StreamsVector.privateKeys()
        let vectors = try StreamsVector.list("sign3")
        #expect(vectors.count == 3)
        for vector in vectors {
            let report = Bytes(try vector.text("reportUtf8").utf8)
            #expect(try keccak256(report) == vector.hash("reportHash"))
            let digest = sign3Digest(
                report: report, configurationDigest: try vector.hash("configDigest"),
                sequenceNumber: try vector.u64("seqNr"))
            #expect(try digest == vector.hash("signingDigest"))
            let signatures = try vector.items("signatures")
            #expect(signatures.count == 2)
            for item in signatures {
                let signature = try keys[item.int("signer")].sign(digest: digest)
                #expect(try signature.bytes == item.bytes("signature"))
                #expect(try Secp256k1.recoverAddress(digest: digest, signature: signature) == item.address("address"))
            }
        }
    }

    @Test("2 streamlined reports have their digest and signatures")
    func streamlined() throws {
        let keys = try StreamsVector.privateKeys()
        let vectors = try StreamsVector.group("lloCodecs").items("streamlined")
        #expect(vectors.count == 2)
        for vector in vectors {
            let digest = streamlinedDigest(
                report: try vector.bytes("report"), configurationDigest: try vector.hash("configDigest"))
            #expect(try digest == vector.hash("signingDigest"))
            for item in try vector.items("signatures") {
                let signature = try keys[item.int("signer")].sign(digest: digest)
                #expect(try signature.bytes == item.bytes("signature"))
            }
        }
    }
}

/// Fails unless `body` throws this code.
func expectError(_ code: PriceStreamsError.Code, _ what: String = "", _ body: () throws(PriceStreamsError) -> Void) {
    do {
        try body()
        Issue.record("\(what): nothing was thrown where \(code.rawValue) was expected")
    } catch {
        #expect(error.code == code, "\(what): \(error)")
    }
}
