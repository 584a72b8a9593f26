// A stop that stands in a relayer's store, seen and lifted through the command, with the relayer as a real process.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Lifting a stop, end to end", .serialized)
struct RelayerStopsTests {
    @Test("a stopped relayer says so, is refused while it runs, and goes on after its stop is lifted", .timeLimit(.minutes(4)))
    func lifting() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        let config = try #require(try network.document()["relayers"]?.asArray?[0]["config"]?.asString)
        func relayer(_ arguments: [String], exits: Int32 = 0) throws -> JSON {
            let outcome = try Command.causeway(["relayer"] + arguments + ["--config", config, "--json"])
            #expect(outcome.status == exits, "\(arguments): \(outcome.status) \(outcome.errors)")
            return try JSON.parse(Bytes(outcome.output.utf8))
        }
        #expect(try relayer(["stops"])["data"]?["stops"]?.asArray == [])
        let id = try #require(try network.chain("jovay")["chainId"]?.asUInt256).decimal

        // What a process writes when it sees a finalized block change.
        try network.kill9(0, "committing")
        let folder = URL(fileURLWithPath: config).deletingLastPathComponent()
        let written = try Command.run(
            Command.python,
            ["-c", """
                import glob, sqlite3, sys
                paths = glob.glob(sys.argv[1] + '/**/committing.sqlite', recursive=True)
                assert len(paths) == 1, paths
                store = sqlite3.connect(paths[0])
                store.execute("INSERT INTO stop (scope, kind, reason, raised_at) VALUES (?, 'finalityViolation', 'a block changed', 5)",
                    ('chain/' + sys.argv[2],))
                store.commit()
                """, try dataDirectory(config, folder), id])
        #expect(written.status == 0, "\(written.errors)")
        try network.restart(0, "committing")
        let ready = try obstacles(network) { $0.contains("stopped: chain/\(id)") }
        #expect(ready.contains("causeway relayer resume chain/\(id)"))

        // Seen beside the process, and not to be lifted under it.
        let listed = try relayer(["stops"])["data"]?["stops"]?.asArray ?? []
        #expect(listed.count == 1 && listed[0]["stop"]?.asString == "chain/\(id)" && listed[0]["role"]?.asString == "committing")
        let reason = ["--reason", "the test wrote it"]
        let held = try relayer(["resume", "chain/jovay"] + reason, exits: 1)
        #expect(held["error"]?["code"]?.asString == "storeHeld", "\(held.text)")
        network.stopStarted()
        try network.kill9(0, "executing")
        let unknown = try relayer(["resume", "chain/ethereum"] + reason, exits: 1)
        #expect(unknown["error"]?["code"]?.asString == "unknownStop")
        #expect(unknown["error"]?["hint"]?.asString?.contains("chain/\(id)") == true)
        let lifted = try relayer(["resume", "chain/jovay"] + reason)
        #expect(lifted["data"]?["lifted"]?.asArray?.count == 1)
        #expect(try relayer(["stops"])["data"]?["stops"]?.asArray == [])
        let record = try relayer(["stops", "--all"])["data"]?["stops"]?.asArray?.first?["lifted"]
        #expect(record?["why"]?.asString == "the test wrote it" && record?["by"]?.asString?.isEmpty == false)

        // It goes on: no stop among its obstacles, and messages cross.
        for role in ["committing", "executing"] { try network.restart(0, role) }
        _ = try obstacles(network) { !$0.isEmpty && !$0.contains("stopped") }
        _ = try network.json(["send", "ethereum", "jovay", "--text", "on again", "--wait"])
    }

    private func dataDirectory(_ config: String, _ folder: URL) throws -> String {
        let text = try String(contentsOfFile: config, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("dataDirectory:") })
        let value = line.dropFirst("dataDirectory:".count).trimmingCharacters(in: CharacterSet(charactersIn: " \""))
        return value.hasPrefix("/") ? value : folder.appendingPathComponent(value).path
    }

    /// What /ready of relayer 0's committing node says, once it is what is waited for.
    private func obstacles(_ network: RunningNetwork, until isWanted: (String) -> Bool) throws -> String {
        let port = try #require(try network.document()["relayers"]?.asArray?[0]["ports"]?["committingHTTP"]?.asInt)
        let deadline = Date(timeIntervalSinceNow: 40)
        var last = ""
        while Date() < deadline {
            let outcome = try Command.run(
                Command.python,
                ["-c", """
                    import sys, urllib.request, urllib.error
                    try:
                        print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
                    except urllib.error.HTTPError as error:
                        print(error.read().decode())
                    except OSError:
                        pass
                    """, "http://127.0.0.1:\(port)/ready"], timeout: 20)
            last = outcome.output
            if isWanted(last) { return last }
            usleep(300_000)
        }
        throw Failure("/ready never said what is waited for: \(last)")
    }
}
