// The public state tests of Cancun and Prague. What is left out is counted and printed with its reason.

import EVM
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("State fixtures", .serialized)
struct StateFixtureTests {
    @Test(
        "public state tests end in the expected root and logs",
        arguments: [
            ("state-cancun", Fork.cancun), ("state-eest-prague-static", .prague), ("state-eest", .cancun),
            ("state-eest", .prague),
        ])
    func group(_ name: String, _ fork: Fork) throws {
        let files = Fixtures.files(name)
        guard !files.isEmpty else { return }
        let heavy = Self.heavyFiles()
        let fixture = StateFixture(fork)
        var tally = FixtureTally()
        let began = Date()
        for file in files {
            if heavy.contains(where: { file.path.hasSuffix($0) }) {
                tally.filesSkipped += 1
                continue
            }
            try fixture.run(file, into: &tally)
        }
        let seconds = Date().timeIntervalSince(began)
        print("\(name), \(fork.rawValue): \(tally.summary); \(Int(seconds)) s")
        for failure in tally.failures.prefix(Self.shownMaximum) { print("  failed: \(failure)") }
        #expect(tally.failures.isEmpty)
        #expect(tally.passed > 0)
    }

    @Test("a wrong rule makes public state tests fail")
    func plantedFault() throws {
        guard
            let file = Fixtures.file(
                "state-eest", "cancun/eip6780_selfdestruct/test_create_selfdestruct_same_tx_increased_nonce.json")
        else { return }
        var rules = RuleSet(.cancun)
        rules.hasCancunOpcodes = false
        rules.codeBytesMaximum = 8
        var tally = FixtureTally()
        try StateFixture(.cancun, rules: rules).run(file, into: &tally)
        #expect(!tally.failures.isEmpty, "the fault shows")
    }

    private static let shownMaximum = Int(ProcessInfo.processInfo.environment["CAUSEWAY_FIXTURES_SHOWN"] ?? "") ?? 20

    /// Paths of files that cost seconds to minutes each; CAUSEWAY_FIXTURES_EXTREME runs them too.
    private static func heavyFiles() -> [String] {
        if ProcessInfo.processInfo.environment["CAUSEWAY_FIXTURES_EXTREME"] != nil { return [] }
        let url = Fixtures.directory.appendingPathComponent("heavy.txt")
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t")
            guard fields.count == 4, fields[0] == "extreme" else { return nil }
            return "/" + fields[3]
        }
    }
}
