// Precompiles alone: which fork has which, and the public vectors with outputs, gas and refusals.

import EVM
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Precompiles")
struct PrecompileTests {
    @Test("public vectors give the expected output for the expected gas, and refused inputs are refused")
    func vectors() throws {
        let files = Fixtures.files("precompiles")
        guard !files.isEmpty else { return }
        var tally = VectorTally()
        for file in files {
            let subject = try #require(VectorSubject(file), "no precompile for \(file.lastPathComponent)")
            try tally.run(subject, file)
        }
        print("precompiles: \(tally.summary)")
        for failure in tally.failures.prefix(20) { print("  failed: \(failure)") }
        #expect(tally.failures.isEmpty)
        #expect(tally.passed > 0)
    }

    @Test("a wrong output, a wrong price and a missing refusal each make vectors fail")
    func plantedFaults() throws {
        guard let good = Fixtures.file("precompiles", "generated/bn254Add.json"),
            let bad = Fixtures.file("precompiles", "generated/fail-bn254Add.json")
        else { return }
        let wrongOutput = Precompile(name: "swapped") { input, gas in
            Precompile.bn254Multiply.run(UnsafeRawBufferPointer(rebasing: input.prefix(64)), gas * 1_000)
        }
        let wrongPrice = Precompile(name: "dear") { input, gas in
            guard case .success(let output, let used) = Precompile.bn254Add.run(input, gas) else { return .failure }
            return .success(output, gas: used + 1)
        }
        let obliging = Precompile(name: "obliging") { _, _ in .success([], gas: 150) }
        for (precompile, file) in [(wrongOutput, good), (wrongPrice, good), (obliging, bad)] {
            var tally = VectorTally()
            try tally.run(VectorSubject(precompile: precompile, comparesGas: true), file)
            #expect(!tally.failures.isEmpty, "\(precompile.name) shows")
        }
    }

    @Test("each fork has its contracts")
    func forks() {
        let counts = [Fork.shanghai: 9, .cancun: 10, .prague: 17] as [Fork: UInt64]
        for fork in Fork.allCases {
            let set = PrecompileSet(fork)
            let last = counts[fork] ?? 0
            for number in 1...last { #expect(set.contains(Address(truncating: U256(number)))) }
            #expect(!set.contains(Address(truncating: U256(last + 1))))
            #expect(!set.contains(Address(truncating: U256(0x100))))
            #expect(!set.contains(.zero))
        }
    }
}

/// What a file of vectors is about, by its name.
struct VectorSubject {
    var precompile: Precompile
    var comparesGas: Bool

    init(precompile: Precompile, comparesGas: Bool) {
        self.precompile = precompile
        self.comparesGas = comparesGas
    }

    init?(_ file: URL) {
        let name = file.deletingPathExtension().lastPathComponent.lowercased().replacing("fail-", with: "")
        // Before Berlin other prices held (EIP-198).
        comparesGas = name != "modexp"
        if let special = Self.special[name] {
            precompile = special
            return
        }
        guard let number = Self.numbers[name], let found = PrecompileSet(.prague)[number] else { return nil }
        precompile = found
    }

    private static let special: [String: Precompile] = [
        "p256verify": .p256Verify, "modexp_eip7883": .modularExponentiationOsaka,
    ]

    private static let numbers: [String: UInt64] = [
        "ecrecover": 1, "sha256": 2, "ripemd160": 3, "identity": 4, "modexp": 5, "modexp_eip2565": 5, "bn256add": 6,
        "bn254add": 6, "bn256scalarmul": 7, "bn254scalarmul": 7, "bn256pairing": 8, "bn254pairing": 8, "blake2f": 9,
        "pointevaluation": 10, "blsg1add": 11, "add_g1_bls": 11, "blsg1mul": 12, "blsg1multiexp": 12, "msm_g1_bls": 12,
        "blsg2add": 13, "add_g2_bls": 13, "blsg2mul": 14, "mul_g2_bls": 14, "blsg2multiexp": 14, "msm_g2_bls": 14,
        "blspairing": 15, "pairing_check_bls": 15, "blsmapg1": 16, "blsmapg2": 17,
    ]
}

struct VectorTally {
    var files = 0
    var passed = 0
    var failures: [String] = []
    var withoutGas = 0

    var summary: String {
        "\(files) files, \(passed + failures.count) subtests, \(passed) passed, \(failures.count) failed, 0 left out; "
            + "gas of \(withoutGas) not compared (prices before Berlin)"
    }

    mutating func run(_ subject: VectorSubject, _ file: URL) throws {
        files += 1
        for test in try Fixtures.json(file).asArray ?? [] {
            let label = "\(file.lastPathComponent) \(test["Name"]?.asString ?? "?")"
            let input = try Hex.decode(test["Input"]?.asString ?? "")
            if !subject.comparesGas { withoutGas += 1 }
            if let fault = try Self.fault(subject, input, test) {
                failures.append("\(label): \(fault)")
            } else {
                passed += 1
            }
        }
    }

    /// What is wrong with the answer to one vector.
    private static func fault(_ subject: VectorSubject, _ input: Bytes, _ test: JSON) throws -> String? {
        func run(_ gas: Int64) -> PrecompileOutcome { input.withUnsafeBytes { subject.precompile.run($0, gas) } }
        guard let text = test["Expected"]?.asString else {
            guard case .failure = run(1 << 50) else { return "a refused input was accepted" }
            return nil
        }
        guard let gas = test["Gas"]?.asUInt64.map(Int64.init) else { return "no gas" }
        guard case .success(let output, let used) = run(subject.comparesGas ? gas : 1 << 50) else { return "it failed" }
        guard output == (try Hex.decode(text)) else { return "output \(Hex.encode(output))" }
        guard subject.comparesGas else { return nil }
        guard used == gas else { return "gas \(used), not \(gas)" }
        guard gas > 0 else { return nil }
        guard case .failure = run(gas - 1) else { return "it ran with too little gas" }
        return nil
    }
}
