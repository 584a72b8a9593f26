// KZG proofs (EIP-4844): of one point, through the precompile, and of a whole blob.

import EVM
import Ethereum

struct KZGRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        guard case .yaml(let text) = file.content else { throw Mismatch("expected YAML") }
        let fields = try Self.fields(text)
        tally.check(file.path) {
            let verdict = fields["blob"] == nil ? try point(fields) : blob(fields)
            try match("verdict", verdict, fields["output"])
        }
    }

    /// `true`, `false`, or `null` for malformed input; the precompile succeeds where a proof holds, and nowhere else.
    private func point(_ fields: [String: String]) throws -> String {
        func part(_ name: String) -> Bytes { (try? Hex.decode(fields[name] ?? "-")) ?? [] }
        let (commitment, z, y, proof) = (part("commitment"), part("z"), part("y"), part("proof"))
        let verdict = Self.verdict { () throws(KZG.Malformed) in
            try KZG.verify(commitment: commitment, z: z, y: y, proof: proof)
        }
        let input = KZG.versionedHash(commitment).bytes + z + y + commitment + proof
        let outcome = input.withUnsafeBytes { Precompile.pointEvaluation.run($0, 50_000) }
        var succeeded = false
        if case .success = outcome { succeeded = true }
        try match("success of the precompile", succeeded, verdict == "true")
        return verdict
    }

    private func blob(_ fields: [String: String]) -> String {
        func part(_ name: String) -> Bytes { (try? Hex.decode(fields[name] ?? "-")) ?? [] }
        let (blob, commitment, proof) = (part("blob"), part("commitment"), part("proof"))
        return Self.verdict { () throws(KZG.Malformed) in
            try KZG.verify(blob: blob, commitment: commitment, proof: proof)
        }
    }

    private static func verdict(_ body: () throws(KZG.Malformed) -> Bool) -> String {
        do throws(KZG.Malformed) { return try body() ? "true" : "false" } catch { return "null" }
    }

    /// The few lines of these files: `name: 'value'` below `input:`, and `output:`.
    static func fields(_ text: String) throws -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].filter { $0 != " " && $0 != "'" && $0 != "\"" && $0 != "\r" }
            fields[String(parts[0].filter { $0 != " " })] = String(value)
        }
        guard fields["output"] != nil else { throw Mismatch("the file has no 'output'") }
        return fields
    }
}
