// Precompile 5: base^exponent mod modulus over byte strings (EIP-198), with the prices of three forks.

import Ethereum

extension Precompile {
    /// Priced by EIP-2565, from Berlin on.
    package static let modularExponentiation = Precompile(name: "modexp") { input, gasLimit in
        let lengths = (PaddedInput.word(input, 0), PaddedInput.word(input, 64))
        if lengths.0.isZero, lengths.1.isZero {
            let price = ModularPricing.berlin.minimum
            return gasLimit >= price ? .success([], gas: price) : .failure
        }
        return modularPower(input, gasLimit, .berlin)
    }

    /// Priced by EIP-198: Byzantium's.
    package static let modularExponentiationByzantium = Precompile(name: "modexp") { input, gasLimit in
        let lengths = (PaddedInput.word(input, 0), PaddedInput.word(input, 64))
        if lengths.0.isZero, lengths.1.isZero { return .success([], gas: 0) }
        return modularPower(input, gasLimit, .byzantium)
    }

    /// Priced by EIP-7883 and bounded by EIP-7823: Osaka's.
    package static let modularExponentiationOsaka = Precompile(name: "modexp") { input, gasLimit in
        modularPower(input, gasLimit, .osaka)
    }

    private static func modularPower(
        _ input: UnsafeRawBufferPointer, _ gasLimit: Int64, _ pricing: ModularPricing
    ) -> PrecompileOutcome {
        func length(_ offset: Int, _ maximum: Int) -> Int? {
            PaddedInput.word(input, offset).asInt.flatMap { $0 <= maximum ? $0 : nil }
        }
        guard let baseCount = length(0, pricing.numberBytesMaximum),
            let exponentCount = length(32, pricing.exponentBytesMaximum),
            let modulusCount = length(64, pricing.numberBytesMaximum)
        else { return .failure }
        let head = PaddedInput.bytes(input, 96 + baseCount, min(32, exponentCount))
        let price = pricing.price(
            baseCount, exponentCount, modulusCount, head: U256(bigEndianBytes: head) ?? .zero)
        guard price <= gasLimit else { return .failure }
        if modulusCount == 0 { return .success([], gas: price) }
        // A price that was paid bounds the exponent, but a host may allow any gas.
        guard exponentCount <= 16 * Limits.modularBytesMaximum else { return .failure }
        let base = PaddedInput.bytes(input, 96, baseCount)
        let exponent = PaddedInput.bytes(input, 96 + baseCount, exponentCount)
        let modulus = PaddedInput.bytes(input, 96 + baseCount + exponentCount, modulusCount)
        return .success(ModularPower.power(base, exponent, modulus), gas: price)
    }
}

/// What a modular power costs, and how long its numbers may be.
struct ModularPricing {
    let minimum: Int64
    let numberBytesMaximum: Int
    let exponentBytesMaximum: Int
    /// Iterations for each byte of the exponent beyond the first 32.
    let iterationsPerByte: Int
    let complexity: @Sendable (_ bytes: Int) -> UInt128
    let divisor: UInt128

    static let byzantium = ModularPricing(
        minimum: 0, numberBytesMaximum: Limits.modularBytesMaximum,
        exponentBytesMaximum: Limits.modularExponentBytesMaximum, iterationsPerByte: 8,
        complexity: { bytes in
            let x = UInt128(bytes)
            if bytes <= 64 { return x * x }
            return bytes <= 1_024 ? x * x / 4 + 96 * x - 3_072 : x * x / 16 + 480 * x - 199_680
        }, divisor: 20)

    static let berlin = ModularPricing(
        minimum: 200, numberBytesMaximum: Limits.modularBytesMaximum,
        exponentBytesMaximum: Limits.modularExponentBytesMaximum, iterationsPerByte: 8,
        complexity: { bytes in
            let words = UInt128((bytes + 7) / 8)
            return words * words
        }, divisor: 3)

    static let osaka = ModularPricing(
        minimum: 500, numberBytesMaximum: Limits.modularBytesMaximumOsaka,
        exponentBytesMaximum: Limits.modularBytesMaximumOsaka, iterationsPerByte: 16,
        complexity: { bytes in
            let words = UInt128((bytes + 7) / 8)
            return bytes <= 32 ? 16 : 2 * words * words
        }, divisor: 1)

    func price(_ base: Int, _ exponent: Int, _ modulus: Int, head: U256) -> Int64 {
        let bits = max(head.bitWidth - 1, 0)
        let iterations = exponent <= 32 ? bits : iterationsPerByte * (exponent - 32) + bits
        let price = complexity(max(base, modulus)) * UInt128(max(iterations, 1)) / divisor
        return max(Int64(clamping: price), minimum)
    }
}
