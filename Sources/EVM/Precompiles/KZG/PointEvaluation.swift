// Precompile 10: a KZG proof that a blob's polynomial has a value at a point (EIP-4844).

import CPrecompiles
import Ethereum

extension Precompile {
    /// The input is the versioned hash, z, y, the commitment and the proof; the answer is always the same.
    package static let pointEvaluation = Precompile(name: "KZG point evaluation") { input, gasLimit in
        let price: Int64 = 50_000
        guard gasLimit >= price, input.count == 192 else { return .failure }
        let bytes = Bytes(input)
        let commitment = Bytes(bytes[96..<144])
        guard Bytes(bytes[0..<32]) == KZG.versionedHash(commitment).bytes else { return .failure }
        do throws(KZG.Malformed) {
            let holds = try KZG.verify(
                commitment: commitment, z: Bytes(bytes[32..<64]), y: Bytes(bytes[64..<96]),
                proof: Bytes(bytes[144..<192]))
            return holds ? .success(answer, gas: price) : .failure
        } catch {
            return .failure
        }
    }

    /// Elements in a blob, and the order of the field.
    private static let answer =
        U256(UInt64(KZG.fieldElementsPerBlob)).bytes
        + Bytes(BLS12Fr.modulus.reversed().flatMap { Bytes(bigEndian: $0) })
}
