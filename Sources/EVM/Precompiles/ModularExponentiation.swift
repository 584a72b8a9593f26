// Precompile 5: base^exponent mod modulus over byte strings (EIP-198), priced by EIP-2565. The numbers are libcrypto's.

import CLibCrypto
import Ethereum

extension Precompile {
    package static let modularExponentiation = Precompile(name: "modexp") { input, gasLimit in
        let lengths = (PaddedInput.word(input, 0), PaddedInput.word(input, 32), PaddedInput.word(input, 64))
        let least: Int64 = 200
        if lengths.0.isZero, lengths.2.isZero {
            return gasLimit >= least ? .success([], gas: least) : .failure
        }
        guard let baseCount = bounded(lengths.0), let modulusCount = bounded(lengths.2),
            let exponentCount = lengths.1.asInt, exponentCount < 1 << 48
        else { return .failure }
        let head = PaddedInput.bytes(input, 96 + baseCount, min(32, exponentCount))
        let price = price(baseCount, exponentCount, modulusCount, head: U256(bigEndianBytes: head) ?? .zero)
        guard price <= gasLimit else { return .failure }
        if modulusCount == 0 { return .success([], gas: price) }
        // A price that was paid bounds the exponent, but a host may allow any gas.
        guard exponentCount <= 16 * Limits.modularBytesMaximum else { return .failure }
        let base = PaddedInput.bytes(input, 96, baseCount)
        let exponent = PaddedInput.bytes(input, 96 + baseCount, exponentCount)
        let modulus = PaddedInput.bytes(input, 96 + baseCount + exponentCount, modulusCount)
        return .success(power(base, exponent, modulus), gas: price)
    }

    private static func bounded(_ count: U256) -> Int? {
        count.asInt.flatMap { $0 <= Limits.modularBytesMaximum ? $0 : nil }
    }

    private static func price(_ base: Int, _ exponent: Int, _ modulus: Int, head: U256) -> Int64 {
        let words = UInt128((max(base, modulus) + 7) / 8)
        let bits = max(head.bitWidth - 1, 0)
        let iterations = exponent <= 32 ? bits : 8 * (exponent - 32) + bits
        let price = words * words * UInt128(max(iterations, 1)) / 3
        return Int64(clamping: max(price, 200))
    }

    private static func power(_ base: Bytes, _ exponent: Bytes, _ modulus: Bytes) -> Bytes {
        let zeros = Bytes(repeating: 0, count: modulus.count)
        if modulus.allSatisfy({ $0 == 0 }) { return zeros }
        let context = BN_CTX_new()
        let numbers = [base, exponent, modulus].map { (bytes: Bytes) in BN_bin2bn(bytes, Int32(bytes.count), nil) }
        let result = BN_new()
        defer {
            for number in numbers { BN_free(number) }
            BN_free(result)
            BN_CTX_free(context)
        }
        var output = zeros
        let done = BN_mod_exp(result, numbers[0], numbers[1], numbers[2], context)
        precondition(done == 1, "libcrypto refused a modular power")
        let written = BN_bn2binpad(result, &output, Int32(output.count))
        precondition(written == Int32(output.count), "libcrypto wrote a number of another length")
        return output
    }
}
