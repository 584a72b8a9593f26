// Commitments and proofs for blobs: what a client that makes sidecars needs. Checking needs none of it.

import CPrecompiles
import Ethereum

extension KZG {
    /// The ceremony's points of G1 that belong to the 4096 values of a blob (the Lagrange form).
    package struct Prover: Sendable {
        /// In the order of a blob's values.
        private let points: [AffinePoint<BLS12.G1>]

        /// 4096 compressed points in the order of the ceremony's file.
        package init(lagrangePoints: [Bytes]) throws(Malformed) {
            guard lagrangePoints.count == fieldElementsPerBlob else { throw .batchSize }
            var points: [AffinePoint<BLS12.G1>] = []
            for index in 0..<fieldElementsPerBlob {
                points.append(try point(lagrangePoints[reversed(index)], .commitment))
            }
            self.points = points
        }

        package func commitment(to blob: Bytes) throws(Malformed) -> Bytes { commit(try polynomial(blob)) }

        /// The proof that belongs to a blob and its commitment.
        package func proof(of blob: Bytes, commitment: Bytes) throws(Malformed) -> Bytes {
            commit(KZG.quotient(try polynomial(blob), at: challenge(blob, commitment)))
        }

        /// A proof of a polynomial's value at any point, and that value.
        package func proof(of blob: Bytes, at z: Bytes) throws(Malformed) -> (proof: Bytes, value: Bytes) {
            guard let z = BLS12Fr(z) else { throw .point }
            let values = try polynomial(blob)
            return (commit(KZG.quotient(values, at: z)), evaluate(values, at: z).bytes)
        }

        private func commit(_ values: [BLS12Fr]) -> Bytes {
            BLS12.compress(JacobianPoint.sum(points, times: values.map(\.word)).affine)
        }
    }

    /// The values of (p(x) - p(z)) / (x - z) at the roots of unity (consensus-specs, compute_kzg_proof_impl and
    /// compute_quotient_eval_within_domain).
    static func quotient(_ values: [BLS12Fr], at z: BLS12Fr) -> [BLS12Fr] {
        let y = evaluate(values, at: z)
        var inverses = roots.map { $0 - z }
        BLS12Fr.invert(&inverses)
        var quotient = values.indices.map { (values[$0] - y) * inverses[$0] }
        if let index = roots.firstIndex(where: { $0 == z }) {
            // There the quotient is the derivative; its value follows from all others.
            let inverse = z.inverted
            quotient[index] = values.indices.reduce(BLS12Fr.zero) { sum, other in
                other == index ? sum : sum - quotient[other] * roots[other] * inverse
            }
        }
        return quotient
    }
}
