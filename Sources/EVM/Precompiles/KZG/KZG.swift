// KZG commitments to blobs (EIP-4844, consensus-specs deneb/polynomial-commitments.md): proofs of evaluations are
// checked here. A blob is a polynomial of 4096 values at the 4096th roots of unity, in bit-reversed order.

import CPrecompiles
import Ethereum

package enum KZG {
    package static let fieldElementsPerBlob = 4096
    package static let blobBytes = fieldElementsPerBlob * 32
    /// Bytes of a commitment and of a proof.
    package static let pointBytes = BLS12.compressedBytes

    /// Why an input is no input at all; that a proof does not hold is an answer and no error.
    package enum Malformed: Error, Equatable {
        case blobSize, blobElement, commitment, proof, point, value
        /// A batch whose lists have different lengths.
        case batchSize
    }

    /// Whether the committed polynomial has the value `y` at `z`.
    package static func verify(commitment: Bytes, z: Bytes, y: Bytes, proof: Bytes) throws(Malformed) -> Bool {
        guard let z = BLS12Fr(z) else { throw .point }
        guard let y = BLS12Fr(y) else { throw .value }
        return holds([Claim(try point(commitment, .commitment), z, y, try point(proof, .proof))], weights: [.one])
    }

    /// Whether `commitment` is a commitment to the blob; `proof` is one of its value at a point that both determine.
    package static func verify(blob: Bytes, commitment: Bytes, proof: Bytes) throws(Malformed) -> Bool {
        holds([try claim(blob, commitment, proof)], weights: [.one])
    }

    /// Whether each of several blobs belongs to its commitment: one pairing check for all.
    package static func verify(blobs: [Bytes], commitments: [Bytes], proofs: [Bytes]) throws(Malformed) -> Bool {
        guard blobs.count == commitments.count, blobs.count == proofs.count else { throw .batchSize }
        var claims: [Claim] = []
        for index in blobs.indices { claims.append(try claim(blobs[index], commitments[index], proofs[index])) }
        return holds(claims, weights: weights(claims, commitments, proofs))
    }

    /// What a transaction names a commitment by (EIP-4844).
    package static func versionedHash(_ commitment: Bytes) -> Hash32 {
        var hash = sha256(commitment).bytes
        hash[0] = 1
        return Hash32(U256(bigEndianBytes: hash) ?? .zero)
    }

    /// "The polynomial of this commitment has the value y at z."
    struct Claim {
        let commitment: AffinePoint<BLS12.G1>
        let z, y: BLS12Fr
        let proof: AffinePoint<BLS12.G1>

        init(
            _ commitment: AffinePoint<BLS12.G1>, _ z: BLS12Fr, _ y: BLS12Fr, _ proof: AffinePoint<BLS12.G1>
        ) {
            self.commitment = commitment
            self.z = z
            self.y = y
            self.proof = proof
        }
    }

    /// [tau] of the second group from the ceremony's output (consensus-specs trusted_setup_4096.json).
    private static let tau = AffinePoint<BLS12.G2>(
        x: BLS12Fp2(
            c0: BLS12.number(
                "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"),
            c1: BLS12.number(
                "15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72")),
        y: BLS12Fp2(
            c0: BLS12.number(
                "014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d105941f383ee689bfbbb832a99"),
            c1: BLS12.number(
                "1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d7ac9cd23048ef30d0a154f")))

    /// A proof is [(p(tau) - y) / (tau - z)]. So e(C - y + z proof, 1) = e(proof, tau), for one claim or for a sum of
    /// claims with weights that no prover could foresee.
    static func holds(_ claims: [Claim], weights: [BLS12Fr]) -> Bool {
        var points = [BLS12.g1Generator]
        var scalars = [-zip(claims, weights).reduce(BLS12Fr.zero) { $0 + $1.0.y * $1.1 }]
        for (claim, weight) in zip(claims, weights) {
            points += [claim.commitment, claim.proof]
            scalars += [weight, weight * claim.z]
        }
        let left = JacobianPoint.sum(points, times: scalars.map(\.word))
        let right = JacobianPoint.sum(claims.map(\.proof), times: weights.map(\.word))
        return BLS12.productIsOne([(left.affine, BLS12.g2Generator), (-right.affine, tau)])
    }

    static func point(_ bytes: Bytes, _ fault: Malformed) throws(Malformed) -> AffinePoint<BLS12.G1> {
        guard let point = BLS12.decompressG1(bytes) else { throw fault }
        return point
    }
}

extension BLS12Fr {
    /// The number as a word.
    var word: U256 { U256(bigEndianBytes: bytes) ?? .zero }

    /// Any word modulo r.
    init(reducing word: U256) {
        self.init()
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 4) { limbs in
            limbs[0] = word.w0
            limbs[1] = word.w1
            limbs[2] = word.w2
            limbs[3] = word.w3
            BLS12Fr_reduceInto(&self, limbs.baseAddress)
        }
    }
}
