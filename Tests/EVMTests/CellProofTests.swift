// Proofs of cells (EIP-7594): made here from the ceremony's points by long division, and checked by the other way.

import CPrecompiles
import Ethereum
import Foundation
import TestSupport
import Testing

@testable import EVM

@Suite("Cell proofs")
struct CellProofTests {
    /// A blob from its coefficients, with the commitment and the proofs of its 128 cells.
    private struct Proved {
        let blob: Bytes
        let commitment: Bytes
        let proofs: [Bytes]

        /// - Parameter powers: [tau^n] of the first group, from [1] on.
        init(_ coefficients: [BLS12Fr], _ powers: [AffinePoint<BLS12.G1>]) {
            func commit(_ coefficients: [BLS12Fr]) -> Bytes {
                let points = Array(powers[..<coefficients.count])
                return BLS12.compress(JacobianPoint.sum(points, times: coefficients.map(\.word)).affine)
            }
            blob = KZG.roots.flatMap { root in
                coefficients.reversed().reduce(BLS12Fr.zero) { $0 * root + $1 }.bytes
            }
            commitment = commit(coefficients)
            proofs = KZG.cellShifts.map { shift in
                // (p - p mod (x^64 - w)) / (x^64 - w), from the highest power down.
                var quotient = [BLS12Fr](repeating: .zero, count: coefficients.count - 64)
                for at in quotient.indices.reversed() {
                    let higher = at + 64 < quotient.count ? quotient[at + 64] : .zero
                    quotient[at] = coefficients[at + 64] + shift * higher
                }
                return commit(quotient)
            }
        }
    }

    private static func powers(_ count: Int) throws -> [AffinePoint<BLS12.G1>]? {
        guard let file = Fixtures.file("kzg", "trusted_setup.txt") else { return nil }
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        var powers: [AffinePoint<BLS12.G1>] = []
        for line in lines[(2 + 4096 + 65)...].prefix(count) {
            let bytes = try Hex.decode(String(line))
            powers.append(try #require(BLS12.decompressG1(bytes)))
        }
        return powers
    }

    @Test("coefficients are those of the polynomial that has the values")
    func coefficients() {
        var random = SplitMix64.forTest()
        let values = (0..<4096).map { _ in FieldTests.element(BLS12Fr.self, &random) }
        let coefficients = KZG.coefficients(values)
        for index in [0, 1, 2, 77, 4095] {
            let value = coefficients.reversed().reduce(BLS12Fr.zero) { $0 * KZG.roots[index] + $1 }
            #expect(value == values[index])
        }
    }

    @Test("each cell has its own 64 points among the 8192nd roots, and the first 64 cells are the blob's own")
    func shifts() {
        #expect(Set(KZG.cellShifts.map(\.bytes)).count == 128)
        for shift in KZG.cellShifts { #expect((0..<7).reduce(shift) { power, _ in power.squared } == .one) }
        for cell in [0, 1, 5, 63] {
            for at in [0, 1, 63] {
                let power = (0..<6).reduce(KZG.roots[64 * cell + at]) { power, _ in power.squared }
                #expect(power == KZG.cellShifts[cell], "cell \(cell), value \(at)")
            }
        }
    }

    @Test("cell proofs that were made by division hold, one blob or several, and none of what was changed does")
    func proofs() throws {
        guard let powers = try Self.powers(140) else { return }
        let known = powers.prefix(64).map { BLS12.compress($0) }
        #expect(known == KZG.powers.map { BLS12.compress($0) }, "those in the source are the ceremony's")
        var random = SplitMix64.forTest()
        let proved = [140, 70].map { count in
            Proved((0..<count).map { _ in FieldTests.element(BLS12Fr.self, &random) }, powers)
        }
        func holds(_ blobs: [Bytes], _ commitments: [Bytes], _ proofs: [Bytes]) throws -> Bool {
            try KZG.verify(blobs: blobs, commitments: commitments, cellProofs: proofs)
        }
        let (one, two) = (proved[0], proved[1])
        #expect(try holds([one.blob], [one.commitment], one.proofs))
        #expect(try holds([one.blob, two.blob], [one.commitment, two.commitment], one.proofs + two.proofs))
        #expect(try holds([], [], []))
        #expect(try !holds([one.blob], [two.commitment], one.proofs))
        #expect(try !holds([two.blob], [one.commitment], one.proofs))
        #expect(try !holds([one.blob, two.blob], [one.commitment, two.commitment], two.proofs + one.proofs))
        var swapped = one.proofs
        swapped.swapAt(3, 120)
        #expect(try !holds([one.blob], [one.commitment], swapped))
        var changed = one.blob
        changed[4_000 * 32 + 31] ^= 1
        #expect(try !holds([changed], [one.commitment], one.proofs))
        #expect(throws: KZG.Malformed.batchSize) {
            try holds([one.blob], [one.commitment], Array(one.proofs.dropLast()))
        }
        #expect(throws: KZG.Malformed.proof) {
            try holds([one.blob], [one.commitment], [Bytes(repeating: 1, count: 48)] + one.proofs.dropFirst())
        }
    }
}
