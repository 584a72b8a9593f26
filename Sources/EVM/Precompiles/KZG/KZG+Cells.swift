// Proofs of cells (EIP-7594, consensus-specs fulu/polynomial-commitments-sampling.md): a blob's polynomial is also told
// at 4096 further points, and all 8192 values make 128 cells of 64, each with its proof. Whoever has the blob knows
// what the cells hold, so only proofs travel with it, and one pairing check tells for all of them.

import CPrecompiles
import Ethereum

extension KZG {
    package static let cellsPerBlob = 128
    private static let elementsPerCell = 64

    /// Whether each blob belongs to its commitment and all its 128 cell proofs hold. `cellProofs` has the first blob's
    /// proofs first.
    package static func verify(
        blobs: [Bytes], commitments: [Bytes], cellProofs: [Bytes]
    ) throws(Malformed) -> Bool {
        guard blobs.count == commitments.count, cellProofs.count == blobs.count * cellsPerBlob else {
            throw .batchSize
        }
        var polynomials: [[BLS12Fr]] = []
        var points: [AffinePoint<BLS12.G1>] = []
        for index in blobs.indices {
            polynomials.append(coefficients(try polynomial(blobs[index])))
            points.append(try point(commitments[index], .commitment))
        }
        var proofs: [AffinePoint<BLS12.G1>] = []
        for proof in cellProofs { proofs.append(try point(proof, .proof)) }
        return holds(polynomials, points, proofs, base: weight(blobs, commitments, cellProofs))
    }

    /// A cell's 64 points are those where x^64 is some w, so its values are those of p mod (x^64 - w), of degree below
    /// 64, and its proof is [(p - that) / (x^64 - w)] at tau. For a sum of cells with weights r:
    /// e(sum of r (C - [p mod (x^64 - w)] + w proof), 1) = e(sum of r proof, tau^64).
    private static func holds(
        _ polynomials: [[BLS12Fr]], _ commitments: [AffinePoint<BLS12.G1>], _ proofs: [AffinePoint<BLS12.G1>],
        base: BLS12Fr
    ) -> Bool {
        var weights: [BLS12Fr] = []
        var shifted: [BLS12Fr] = []
        var ofCommitments: [BLS12Fr] = []
        var remainder = [BLS12Fr](repeating: .zero, count: elementsPerCell)
        var weight = BLS12Fr.one
        for polynomial in polynomials {
            // The sums over the blob's cells of r w^q, one for each power q of x^64 in the polynomial.
            var sums = [BLS12Fr](repeating: .zero, count: fieldElementsPerBlob / elementsPerCell)
            for shift in cellShifts {
                weights.append(weight)
                shifted.append(weight * shift)
                var power = weight
                for q in sums.indices {
                    sums[q] = sums[q] + power
                    power = power * shift
                }
                weight = weight * base
            }
            ofCommitments.append(sums[0])
            for (at, coefficient) in polynomial.enumerated() {
                let place = at % elementsPerCell
                remainder[place] = remainder[place] + coefficient * sums[at / elementsPerCell]
            }
        }
        let left = JacobianPoint.sum(
            commitments + powers + proofs,
            times: (ofCommitments + remainder.map { -$0 } + shifted).map(\.word))
        let right = JacobianPoint.sum(proofs, times: weights.map(\.word))
        return BLS12.productIsOne([(left.affine, BLS12.g2Generator), (-right.affine, tau64)])
    }

    /// What no prover could foresee: a hash of all that is to be checked.
    private static func weight(_ blobs: [Bytes], _ commitments: [Bytes], _ proofs: [Bytes]) -> BLS12Fr {
        var data = Bytes("RCKZGCBATCH__V1_".utf8)
        for blob in blobs { data += sha256(blob).bytes }
        for point in commitments + proofs { data += point }
        return BLS12Fr(reducing: sha256(data).word)
    }

    /// For each cell what x^64 is at its points: the 128th roots of unity in bit-reversed order.
    static let cellShifts: [BLS12Fr] = {
        let bits = cellsPerBlob.trailingZeroBitCount
        let step = fieldElementsPerBlob / cellsPerBlob
        return (0..<cellsPerBlob).map { cell in
            let reversed = (0..<bits).reduce(0) { $0 << 1 | cell >> $1 & 1 }
            return roots[Self.reversed(reversed * step)]
        }
    }()

    /// The coefficients of a polynomial from its values at the roots of unity, which come in bit-reversed order: an
    /// inverse fast Fourier transform.
    static func coefficients(_ values: [BLS12Fr]) -> [BLS12Fr] {
        var result = values
        let count = values.count
        // Minus the j-th power of the root is the (count - j)-th.
        let inverses = (0..<count).map { roots[reversed((count - $0) % count)] }
        var span = 1
        while span < count {
            let step = count / (2 * span)
            for start in stride(from: 0, to: count, by: 2 * span) {
                for at in 0..<span {
                    let (even, odd) = (result[start + at], result[start + at + span] * inverses[at * step])
                    result[start + at] = even + odd
                    result[start + at + span] = even - odd
                }
            }
            span *= 2
        }
        let scale = BLS12Fr(small: UInt64(count)).inverted
        return result.map { $0 * scale }
    }
}
