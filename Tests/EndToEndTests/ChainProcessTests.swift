// `causeway chain` as a process: what survives when it does not.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("A chain as a process", .serialized)
struct ChainProcessTests {
    @Test("killed with SIGKILL under load, a chain with a data directory loses nothing that it acknowledged")
    func survivesKills() throws {
        let script = PackageRoot.url.appendingPathComponent("Tests/EndToEndTests/Python/chain_survives.py").path
        let outcome = try Command.run(Command.python, [script, Command.executable, "8"], timeout: 120)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let told = try JSON.parse(Bytes(outcome.output.utf8))
        #expect((told["receipts"]?.asUInt64 ?? 0) > 100)
        #expect((told["edits"]?.asUInt64 ?? 0) > 5)
    }
}
