// Signing and verifying reports beside libsecp256k1 called directly with the same digests and keys.

import BenchSupport
import CSecp256k1
import Ethereum
import PriceStreams

/// libsecp256k1 as it is.
private final class BareCurve {
    private let context: OpaquePointer

    init() throws {
        guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY)),
            secp256k1_context_randomize(context, randomBytes(32)) == 1
        else { throw BenchError("libsecp256k1 gave no context") }
        self.context = context
    }

    deinit { secp256k1_context_destroy(context) }

    func sign(_ digest: Bytes, _ key: Bytes, into compact: inout Bytes) -> Int32 {
        var signature = secp256k1_ecdsa_recoverable_signature()
        var recovery: Int32 = 0
        _ = secp256k1_ecdsa_sign_recoverable(context, &signature, digest, key, nil, nil)
        _ = secp256k1_ecdsa_recoverable_signature_serialize_compact(context, &compact, &recovery, &signature)
        return recovery
    }

    func recover(_ digest: Bytes, _ compact: Bytes, _ recovery: Int32, into out: inout Bytes) -> Bool {
        var signature = secp256k1_ecdsa_recoverable_signature()
        var key = secp256k1_pubkey()
        var length = 65
        return secp256k1_ecdsa_recoverable_signature_parse_compact(context, &signature, compact, recovery) == 1
            && secp256k1_ecdsa_recover(context, &key, &signature, digest) == 1
            && secp256k1_ec_pubkey_serialize(context, &out, &length, &key, UInt32(SECP256K1_EC_UNCOMPRESSED)) == 1
    }
}

extension StreamBench {
    static func signing(_ options: Options, _ report: Report) throws {
        let folder = try options.folder("signing")
        let don = try DON(folder: folder, feeds: 1, cadence: 10)
        let digest = keccak256(text: "configuration")
        let maker = ReportMaker(don, digest: digest)
        let bare = try BareCurve()
        let (blob, context) = (try maker.report(feed: 0, round: 0).blob, try maker.context(round: 0))
        let signed = signingDigest(blob: blob, context: context)
        let full = try maker.full(feed: 0, round: 0)
        let verifier = ReportVerifier([
            try OracleSet(digest: digest, faulty: 1, signers: don.signers.map(\.address), donID: 7)
        ])
        var compact = Bytes(repeating: 0, count: 64)
        var recoveries: [Int32] = []
        var compacts: [Bytes] = []
        for signer in don.signers.prefix(2) {
            recoveries.append(bare.sign(signed.bytes, signer.secret.bytes, into: &compact))
            compacts.append(compact)
        }
        // The two do the same work: the same bytes come out.
        guard full.signatures.map(\.compactBytes) == compacts, try verifier.verify(full.encoded).signers == [0, 1]
        else {
            throw BenchError("ours and libsecp256k1 sign differently")
        }
        let (digestBytes, key, encoded) = (signed.bytes, don.signers[0].secret.bytes, full.encoded)
        var out = Bytes(repeating: 0, count: 65)
        var best = [Double](repeating: .infinity, count: 5)
        var kept = 0
        for _ in 0..<options.repetitions {
            let milliseconds = options.signingMilliseconds
            best[0] = min(
                best[0],
                Stopwatch.best(milliseconds: milliseconds) {
                    kept &+= Int(bare.sign(digestBytes, key, into: &compact))
                })
            best[1] = min(
                best[1],
                Stopwatch.best(milliseconds: milliseconds) {
                    kept &+= Int(don.signers[0].sign(digest: signingDigest(blob: blob, context: context)).yParity)
                })
            best[2] = min(
                best[2],
                Stopwatch.best(milliseconds: milliseconds) {
                    for index in 0..<2 {
                        kept &+= bare.recover(digestBytes, compacts[index], recoveries[index], into: &out) ? 1 : 0
                    }
                })
            best[3] = min(
                best[3],
                try Stopwatch.best(milliseconds: milliseconds) {
                    kept &+= try verifier.verify(encoded).signers.count
                })
            best[4] = min(
                best[4],
                Stopwatch.best(milliseconds: milliseconds) {
                    kept &+= signingDigest(blob: blob, context: context).isZero ? 1 : 0
                })
        }
        guard kept != 0 else { throw BenchError("nothing was done") }
        for (name, bare, ours) in [("sign a report", 0, 1), ("verify a report of two signatures", 2, 3)] {
            let ratio = best[bare] / best[ours]
            report.add(
                "signing", name,
                [("bare/s", 1e9 / best[bare]), ("ours/s", 1e9 / best[ours]), ("ratio", ratio)], aim: "ratio >= 0.9",
                isMet: ratio >= 0.9)
        }
        report.add("signing", "of it the digest that is signed", [("us", best[4] / 1e3)])
    }
}
