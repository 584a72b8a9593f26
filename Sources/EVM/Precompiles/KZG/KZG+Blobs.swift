// Blobs as polynomials: reading, the challenge at which one is opened, its value there, and the weights of a batch.

import CPrecompiles
import Ethereum

extension KZG {
    static func claim(_ blob: Bytes, _ commitment: Bytes, _ proof: Bytes) throws(Malformed) -> Claim {
        let values = try polynomial(blob)
        let c = try point(commitment, .commitment)
        let p = try point(proof, .proof)
        let z = challenge(blob, commitment)
        return Claim(c, z, evaluate(values, at: z), p)
    }

    /// The values of a blob's polynomial at the roots of unity; each is below r.
    static func polynomial(_ blob: Bytes) throws(Malformed) -> [BLS12Fr] {
        guard blob.count == blobBytes else { throw .blobSize }
        var values: [BLS12Fr] = []
        values.reserveCapacity(fieldElementsPerBlob)
        for offset in stride(from: 0, to: blobBytes, by: 32) {
            let value = blob.withUnsafeBytes { raw in raw.baseAddress.flatMap { BLS12Fr(bytes: $0 + offset) } }
            guard let value else { throw .blobElement }
            values.append(value)
        }
        return values
    }

    /// The point at which a blob is opened: a hash of it and of its commitment.
    static func challenge(_ blob: Bytes, _ commitment: Bytes) -> BLS12Fr {
        let degree = U256(UInt64(fieldElementsPerBlob)).bytes.suffix(16)
        return hashed(Bytes("FSBLOBVERIFY_V1_".utf8) + degree + blob + commitment)
    }

    /// Powers of a hash of all that a batch holds.
    static func weights(_ claims: [Claim], _ commitments: [Bytes], _ proofs: [Bytes]) -> [BLS12Fr] {
        var data = Bytes("RCKZGBATCH___V1_".utf8)
        data += Bytes(bigEndian: UInt64(fieldElementsPerBlob)) + Bytes(bigEndian: UInt64(claims.count))
        for (index, claim) in claims.enumerated() {
            data += commitments[index] + claim.z.bytes + claim.y.bytes + proofs[index]
        }
        let base = hashed(data)
        var power = BLS12Fr.one
        return claims.map { _ in
            defer { power = power * base }
            return power
        }
    }

    private static func hashed(_ data: Bytes) -> BLS12Fr { BLS12Fr(reducing: sha256(data).word) }

    /// The barycentric formula: (z^n - 1) / n times the sum of values[i] roots[i] / (z - roots[i]).
    static func evaluate(_ values: [BLS12Fr], at z: BLS12Fr) -> BLS12Fr {
        precondition(values.count == fieldElementsPerBlob, "a blob's polynomial has 4096 values")
        let roots = Self.roots
        if let index = roots.firstIndex(where: { $0 == z }) { return values[index] }
        var inverses = roots.map { z - $0 }
        BLS12Fr.invert(&inverses)
        var sum = BLS12Fr.zero
        for index in values.indices { sum = sum + values[index] * roots[index] * inverses[index] }
        var power = z
        for _ in 0..<fieldElementsPerBlob.trailingZeroBitCount { power = power.squared }
        return (power - .one) * BLS12Fr(small: UInt64(fieldElementsPerBlob)).inverted * sum
    }

    /// Where bit reversal puts the item of an index.
    static func reversed(_ index: Int) -> Int {
        let bits = fieldElementsPerBlob.trailingZeroBitCount
        return (0..<bits).reduce(0) { $0 << 1 | index >> $1 & 1 }
    }

    /// The 4096th roots of unity in bit-reversed order; 7 generates the multiplicative group.
    static let roots: [BLS12Fr] = {
        let exponent = Words.divided(Words.subtractingOne(BLS12Fr.modulus), by: UInt64(fieldElementsPerBlob))
        let generator = BLS12Fr(small: 7).power(exponent)
        var roots = [BLS12Fr](repeating: .one, count: fieldElementsPerBlob)
        var root = BLS12Fr.one
        for index in 0..<fieldElementsPerBlob {
            roots[reversed(index)] = root
            root = root * generator
        }
        return roots
    }()
}
