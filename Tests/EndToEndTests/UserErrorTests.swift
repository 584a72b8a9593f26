// What a user can do wrong, done on real chains, and what the command says to it. The tables are those of
// Python/user_errors.py and of the errors_*.py beside it; what they must cover comes from `causeway errors`.

import Ethereum
import TestSupport
import Testing

@Suite("Errors that users cause", .serialized)
struct UserErrorTests {
    @Test("every error that a user can cause comes back with its name and a hint", .timeLimit(.minutes(5)))
    func everyError() throws {
        let run = try Command.run(
            Command.python, ["Tests/EndToEndTests/Python/user_errors.py", "--causeway", Command.executable], timeout: 280)
        let wrong = run.output.split(separator: "\n").filter { $0.hasPrefix("WRONG") }.joined(separator: "\n")
        try #require(run.status == 0, "\(wrong.prefix(4000))\n\(run.output.suffix(1500))\n\(run.errors.suffix(1500))")
        let summary = try JSON.parse(Bytes((run.output.split(separator: "\n").last ?? "").utf8))
        // As many as there are, and no quiet loss of rows.
        #expect(summary["deviations"]?.asInt == 0)
        #expect((summary["provoked"]?.asInt ?? 0) >= 95)
        #expect((summary["rows"]?["send"]?.asInt ?? 0) >= 40 && (summary["rows"]?["exec"]?.asInt ?? 0) >= 20)
    }
}
