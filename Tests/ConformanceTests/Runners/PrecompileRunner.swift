// Precompiled contracts alone: outputs, gas, and refusals. The file's name says which contract it is for.

import EVM
import Ethereum

struct PrecompileRunner: FixtureRunner {
    /// Instead of the contract that the file's name says, so that a test can plant a fault.
    var replacement: Precompile?

    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        let name = Self.plain(file.name)
        guard let precompile = replacement ?? Self.precompile(name) else {
            throw Mismatch("no precompiled contract has the name of this file")
        }
        for (label, test) in try file.list() {
            tally.check("\(file.path) \(label)") { try check(precompile, test) }
        }
    }

    private func check(_ precompile: Precompile, _ test: JSON) throws {
        let input = try test.bytes("Input")
        func run(_ gas: Int64) -> PrecompileOutcome { input.withUnsafeBytes { precompile.run($0, gas) } }
        if test["ExpectedError"] != nil {
            if case .success(let output, _) = run(1 << 50) { throw Mismatch("accepted, with \(Hex.encode(output))") }
            return
        }
        let gas = Int64(clamping: try test.number("Gas"))
        guard case .success(let output, let used) = run(gas) else { throw Mismatch("refused with \(gas) gas") }
        try match("output", Hex.encode(output), Hex.encode(try Hex.decode(test["Expected"]?.asString ?? "")))
        try match("gas", used, gas)
        if gas > 0, case .success = run(gas - 1) { throw Mismatch("ran with \(gas - 1) gas") }
    }

    /// Lower case, without `fail-`, ending, `_` and the suites' own marks.
    private static func plain(_ file: String) -> String {
        var name = file.lowercased()
        if name.hasPrefix("fail-") { name.removeFirst(5) }
        name = name.replacing(".json", with: "").replacing("_", with: "").replacing("-", with: "")
        return name.replacing("bn256", with: "bn254")
    }

    private static func precompile(_ name: String) -> Precompile? {
        switch name {
        case "p256verify": .p256Verify
        case "modexp": .modularExponentiationByzantium
        case "modexpeip7883": .modularExponentiationOsaka
        default: number(name).flatMap { PrecompileSet(.prague)[$0] }
        }
    }

    /// The contract's address, from geth's names and those of the assets of EIP-2537.
    private static func number(_ name: String) -> UInt64? {
        switch name {
        case "ecrecover": 1
        case "sha256": 2
        case "ripemd160", "ripemd": 3
        case "identity", "datacopy": 4
        case "modexpeip2565": 5
        case "bn254add": 6
        case "bn254scalarmul": 7
        case "bn254pairing": 8
        case "blake2f": 9
        case "pointevaluation": 10
        case "blsg1add", "addg1bls": 11
        case "blsg1mul", "blsg1multiexp", "mulg1bls", "msmg1bls": 12
        case "blsg2add", "addg2bls": 13
        case "blsg2mul", "blsg2multiexp", "mulg2bls", "msmg2bls": 14
        case "blspairing", "pairingcheckbls": 15
        case "blsmapg1", "mapfptog1bls": 16
        case "blsmapg2", "mapfp2tog2bls": 17
        default: nil
        }
    }
}
