// KZG proofs: batches, the polynomial's values, and what is refused.

import CPrecompiles
import Ethereum
import Foundation
import TestSupport
import Testing

@testable import EVM

@Suite("KZG")
struct KZGTests {
    @Test("a batch of blobs holds when each one does, and not when two proofs change places")
    func batches() throws {
        let vectors = try Fixtures.files("kzg", suffix: "data.yaml").map { try KZGVector($0) }
            .filter { $0.isBlob && $0.expected == "true" }
        guard vectors.count > 3 else { return }
        let blobs = vectors.map { $0.fields["blob"] ?? [] }
        let commitments = vectors.map { $0.fields["commitment"] ?? [] }
        var proofs = vectors.map { $0.fields["proof"] ?? [] }
        #expect(try KZG.verify(blobs: blobs, commitments: commitments, proofs: proofs))
        #expect(try KZG.verify(blobs: [], commitments: [], proofs: []))
        #expect(try KZG.verify(blobs: [blobs[0]], commitments: [commitments[0]], proofs: [proofs[0]]))
        let other = try #require(proofs.indices.first { proofs[$0] != proofs[0] })
        proofs.swapAt(0, other)
        #expect(try !KZG.verify(blobs: blobs, commitments: commitments, proofs: proofs))
        #expect(throws: KZG.Malformed.batchSize) {
            try KZG.verify(blobs: blobs, commitments: commitments, proofs: Array(proofs.dropLast()))
        }
    }

    @Test("a constant polynomial is committed to by its constant, with infinity as every proof")
    func constants() throws {
        var random = SplitMix64.forTest()
        let number = FieldTests.element(BLS12Fr.self, &random)
        let blob = Self.blob(of: number)
        let commitment = BLS12.compress(JacobianPoint(BLS12.g1Generator).multiplied(by: number.word).affine)
        let infinity = BLS12.compress(.infinity)
        #expect(try KZG.verify(blob: blob, commitment: commitment, proof: infinity))
        #expect(try !KZG.verify(blob: blob, commitment: commitment, proof: commitment))
        let z = FieldTests.element(BLS12Fr.self, &random)
        #expect(try KZG.verify(commitment: commitment, z: z.bytes, y: number.bytes, proof: infinity))
        #expect(try !KZG.verify(commitment: commitment, z: z.bytes, y: (number + .one).bytes, proof: infinity))
        var other = blob
        other[blob.count - 1] ^= 1
        #expect(try !KZG.verify(blob: other, commitment: commitment, proof: infinity))
        let hash = KZG.versionedHash(commitment)
        #expect(hash.bytes[0] == 1 && hash.bytes.dropFirst() == sha256(commitment).bytes.dropFirst())
        let input = hash.bytes + z.bytes + number.bytes + commitment + infinity
        guard case .success(let output, 50_000) = input.withUnsafeBytes({ Precompile.pointEvaluation.run($0, 50_000) })
        else {
            Issue.record("a proof that holds was refused")
            return
        }
        #expect(output.count == 64)
    }

    @Test("a polynomial given at the roots has its values there, and x has z at z")
    func evaluation() {
        var random = SplitMix64.forTest()
        let values = (0..<KZG.fieldElementsPerBlob).map { BLS12Fr(small: UInt64($0 * $0 + 1)) }
        for index in [0, 1, 2, 77, 4095] { #expect(KZG.evaluate(values, at: KZG.roots[index]) == values[index]) }
        for _ in 0..<5 {
            let z = FieldTests.element(BLS12Fr.self, &random)
            #expect(KZG.evaluate(KZG.roots, at: z) == z)
            #expect(KZG.evaluate(KZG.roots.map { $0 * $0.squared + .one }, at: z) == z.squared * z + .one)
        }
        #expect(KZG.roots[1] == -.one, "the order is bit-reversed")
    }

    @Test("what the prover makes of the ceremony's points is what the public vectors have, and holds everywhere")
    func prover() throws {
        guard let file = Fixtures.file("kzg", "trusted_setup.txt") else { return }
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let prover = try KZG.Prover(lagrangePoints: lines[2..<2 + KZG.fieldElementsPerBlob].map { try Hex.decode($0) })
        let vectors = try Fixtures.files("kzg", suffix: "data.yaml").map { try KZGVector($0) }
            .filter { $0.isBlob && $0.expected == "true" }
        #expect(!vectors.isEmpty)
        for vector in vectors {
            let blob = vector.fields["blob"] ?? []
            let commitment = try prover.commitment(to: blob)
            #expect(commitment == vector.fields["commitment"])
            #expect(try prover.proof(of: blob, commitment: commitment) == vector.fields["proof"])
        }
        var random = SplitMix64.forTest()
        let blob = (0..<KZG.fieldElementsPerBlob).flatMap { _ in BLS12Fr(small: random.next()).bytes }
        let commitment = try prover.commitment(to: blob)
        for z in [KZG.roots[0], KZG.roots[1], KZG.roots[1234], FieldTests.element(BLS12Fr.self, &random)] {
            let (proof, value) = try prover.proof(of: blob, at: z.bytes)
            #expect(try KZG.verify(commitment: commitment, z: z.bytes, y: value, proof: proof))
        }
        #expect(throws: KZG.Malformed.batchSize) { try KZG.Prover(lagrangePoints: []) }
    }

    @Test("malformed blobs, commitments, proofs and numbers are refused by name")
    func malformed() throws {
        let commitment = BLS12.compress(BLS12.g1Generator)
        let blob = Self.blob(of: .one)
        let zero = Bytes(repeating: 0, count: 32)
        let order = Generators.bls12Order.bytes
        func check(_ error: KZG.Malformed, _ body: () throws -> Bool) {
            #expect(throws: error) { try body() }
        }
        check(.blobSize) { try KZG.verify(blob: Bytes(blob.dropLast()), commitment: commitment, proof: commitment) }
        check(.blobElement) {
            try KZG.verify(blob: order + blob.dropFirst(32), commitment: commitment, proof: commitment)
        }
        check(.point) { try KZG.verify(commitment: commitment, z: order, y: zero, proof: commitment) }
        check(.value) { try KZG.verify(commitment: commitment, z: zero, y: order, proof: commitment) }
        var uncompressed = commitment
        uncompressed[0] &= 0x7f
        var infinityWithSign = BLS12.compress(.infinity)
        infinityWithSign[0] |= 0x20
        var infinityWithRest = BLS12.compress(.infinity)
        infinityWithRest[47] = 1
        let modulus = BLS12Fp.modulus.reversed().flatMap { Bytes(bigEndian: $0) }
        let tooLarge = [modulus[0] | 0x80] + modulus.dropFirst()
        // x = 0 is on the curve, but of order three.
        let smallOrder = [0x80] + Bytes(repeating: 0, count: 47)
        let short = Bytes(commitment.dropLast())
        for bad in [uncompressed, infinityWithSign, infinityWithRest, tooLarge, smallOrder, short] {
            check(.commitment) { try KZG.verify(commitment: bad, z: zero, y: zero, proof: commitment) }
            check(.proof) { try KZG.verify(commitment: commitment, z: zero, y: zero, proof: bad) }
        }
    }

    @Test("compressed points come back as they were")
    func compression() {
        var random = SplitMix64.forTest()
        #expect(BLS12.decompressG1(BLS12.compress(.infinity)).map(\.isInfinity) == true)
        for _ in 0..<30 {
            let point = JacobianPoint(BLS12.g1Generator).multiplied(by: random.word()).affine
            #expect(BLS12.decompressG1(BLS12.compress(point)).map { $0 == point } == true)
            #expect(BLS12.decompressG1(BLS12.compress(-point)).map { $0 == -point } == true)
        }
    }

    private static func blob(of number: BLS12Fr) -> Bytes {
        (0..<KZG.fieldElementsPerBlob).flatMap { _ in number.bytes }
    }
}

/// One case of c-kzg: a mapping `input` of hexadecimal strings, and `output` true, false or null.
private struct KZGVector {
    let name: String
    let isBlob: Bool
    /// Nil for text that is no hexadecimal.
    var fields: [String: Bytes] = [:]
    var expected = ""

    init(_ file: URL) throws {
        name = file.deletingLastPathComponent().lastPathComponent
        isBlob = name.hasPrefix("verify_blob")
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2 else { continue }
            if parts[0] == "output" {
                expected = parts[1]
            } else if let bytes = try? Hex.decode(parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "'\""))) {
                fields[parts[0]] = bytes
            }
        }
    }
}
