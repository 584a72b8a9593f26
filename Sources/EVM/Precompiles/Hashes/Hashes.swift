// Precompiles 1 to 4: signature recovery, SHA-256, RIPEMD-160 and identity.

import Ethereum

extension Precompile {
    /// 1: the account that signed a digest; no output, and no failure, for a signature without one.
    package static let recover = Precompile(name: "ecrecover") { input, gasLimit in
        let price: Int64 = 3_000
        guard gasLimit >= price else { return .failure }
        let digest = Hash32(PaddedInput.word(input, 0))
        let v = PaddedInput.word(input, 32)
        guard v == 27 || v == 28 else { return .success([], gas: price) }
        let signature = Signature(
            r: PaddedInput.word(input, 64), s: PaddedInput.word(input, 96), yParity: v == 28 ? 1 : 0)
        let signer = Secp256k1.recoverAddress(digest: digest, signature: signature)
        return .success(signer?.abiWord ?? [], gas: price)
    }

    /// 2.
    package static let sha256 = Precompile(name: "sha256") { input, gasLimit in
        let price = 60 + 12 * words(input.count)
        guard gasLimit >= price else { return .failure }
        return .success(Digest.sha256(input), gas: price)
    }

    /// 3: the 20 bytes stand at the end of a word.
    package static let ripemd160 = Precompile(name: "ripemd160") { input, gasLimit in
        let price = 600 + 120 * words(input.count)
        guard gasLimit >= price else { return .failure }
        return .success(Digest.ripemd160(input).leftPadded(to: 32), gas: price)
    }

    /// 4.
    package static let identity = Precompile(name: "identity") { input, gasLimit in
        let price = 15 + 3 * words(input.count)
        guard gasLimit >= price else { return .failure }
        return .success(Bytes(input), gas: price)
    }

    private static func words(_ count: Int) -> Int64 { Int64((count + 31) / 32) }
}

/// Reads an input as if zeros without end followed it.
enum PaddedInput {
    static func word(_ input: UnsafeRawBufferPointer, _ offset: Int) -> U256 {
        if offset + 32 <= input.count, let base = input.baseAddress { return U256(bigEndianAt: base + offset) }
        return U256(bigEndianBytes: bytes(input, offset, 32)) ?? .zero
    }

    static func bytes(_ input: UnsafeRawBufferPointer, _ offset: Int, _ count: Int) -> Bytes {
        let start = min(offset, input.count)
        let present = min(count, input.count - start)
        return Bytes(input[start..<start + present]) + Bytes(repeating: 0, count: count - present)
    }
}
