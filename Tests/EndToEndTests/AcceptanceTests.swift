// Acceptance by strangers, as far as we can play them: nodes over py-evm, contracts wired by a script, an adoption file with
// addresses and keys, then nothing but `causeway adopt` and `causeway cluster`. Cells and verdicts are those of
// Python/acceptance.py, whose roots come from a tree of its own.

import Foundation
import TestSupport
import Testing

@Suite("Acceptance on foreign nodes", .serialized)
struct AcceptanceTests {
    /// Two cells always; `CAUSEWAY_ACCEPTANCE_CELLS` names others, separated by commas, or `all`.
    static let cells: [String] = {
        let usual = ["interval-1", "faults-1"]
        guard let wanted = ProcessInfo.processInfo.environment["CAUSEWAY_ACCEPTANCE_CELLS"], !wanted.isEmpty else { return usual }
        guard wanted == "all" else { return wanted.split(separator: ",").map(String.init) }
        let listed = try? Command.run(Command.python, [script, "--list"], timeout: 60)
        return listed?.output.split(separator: "\n").map(String.init) ?? usual
    }()
    private static let script = "Tests/EndToEndTests/Python/acceptance.py"

    @Test(
        "messages over foreign nodes end as they should, in order where asked, under the standard tree's roots",
        .timeLimit(.minutes(16)), arguments: cells)
    func cell(_ name: String) throws {
        let run = try Command.run(
            Command.python, [Self.script, "--cell", name, "--causeway", Command.executable], timeout: 900)
        let wrong = run.output.split(separator: "\n").filter { $0.hasPrefix("WRONG") }.joined(separator: "\n")
        #expect(run.status == 0, "\(name)\n\(wrong)\n\(run.output.suffix(1500))\n\(run.errors.suffix(1500))")
        #expect(run.output.contains("0 deviations"))
    }

    @Test("a planted deviation is found: a wrong root, a message executed twice, one out of order", .timeLimit(.minutes(2)))
    func planted() throws {
        let run = try Command.run(Command.python, ["Tests/EndToEndTests/Python/acceptance_planted.py"], timeout: 100)
        #expect(run.status == 0, "\(run.output.suffix(1500))\n\(run.errors.suffix(1500))")
    }
}
