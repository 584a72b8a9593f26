// Crossings over real processes and real sockets: the demo, foreign clients, and processes that die.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Crossings, end to end", .serialized)
struct CrossingTests {
    @Test("the demo ends well, its first act twice, and leaves no process behind", .timeLimit(.minutes(20)))
    func demo() throws {
        for arguments in [["--first-act"], []] {
            let outcome = try Command.run("/bin/bash", ["scripts/demo.sh"] + arguments, timeout: 560)
            #expect(outcome.status == 0, "\(outcome.errors.suffix(4000))")
            #expect(outcome.output.contains("CWT locked on ethereum: 25 = minted on jovay: 25"))
            #expect(outcome.output.contains("failed, then executed by hand"))
            #expect(arguments != [] || outcome.output.contains("balanced: every token that left is under way or has arrived"))
        }
        let left = try Command.run("/bin/bash", ["-c", "pgrep -f 'causeway (chain|relayer|guard|attester|streams|up).*causeway-demo' || true"])
        #expect(left.output == "")
    }

    @Test("foreign clients see the same: web3.py sends and sees the execution, pyzmq gets the feed", .timeLimit(.minutes(4)))
    func foreignClients() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        guard let feed = try network.document()["eventFeed"]?.asString else { throw Failure("no eventFeed") }
        let events = network.directory.appendingPathComponent("events.jsonl")
        var subscriber = try Spawned(
            Command.python, ["examples/event_feed.py", feed, "--count", "3", "--timeout", "90"], output: events.path,
            errors: events.path + ".errors")
        defer { subscriber.kill() }
        // A subscriber is ready when the publisher has its subscription; a first message that it missed is sent again.
        usleep(500_000)
        let crossing = try Command.run(
            Command.python,
            ["Tests/EndToEndTests/Python/web3_crossing.py", network.documentPath,
             PackageRoot.url.appendingPathComponent("chains/artifacts").path], timeout: 120)
        #expect(crossing.status == 0, "\(crossing.errors)")
        let report = try JSON.parse(Bytes(crossing.output.utf8))
        #expect((report["executeGasUsed"]?.asInt ?? .max) < 250_000, "one small message costs under 250,000 gas")
        #expect(subscriber.wait(seconds: 60) == 0)
        let lines = try String(contentsOf: events, encoding: .utf8).split(separator: "\n").map {
            try JSON.parse(Bytes($0.utf8))
        }
        #expect(lines.map { $0["stage"]?.asString } == ["sent", "committed", "executed"])
        #expect(lines.allSatisfy { $0["messageId"]?.asString == report["messageId"]?.asString })
        #expect(lines.map { $0["sequence"]?.asInt } == [1, 2, 3])
    }

    @Test("one committing and one executing process die in a run of 100 messages: each arrives once", .timeLimit(.minutes(6)))
    func twoProcessesDie() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        _ = try network.json(["send", "ethereum", "jovay", "--text", "first half", "--count", "50"])
        try network.kill9(1, "committing")
        try network.kill9(2, "executing")
        _ = try network.json(["send", "ethereum", "jovay", "--text", "second half", "--count", "50"])
        try expectEachOnce(network, count: 100)
        // The leader's processes as well, whoever leads: with the dead ones back, another two may die.
        try network.restart(1, "committing")
        try network.restart(2, "executing")
        _ = try network.json(["send", "ethereum", "jovay", "--text", "third part", "--count", "20"])
        try network.kill9(0, "committing")
        try network.kill9(0, "executing")
        try expectEachOnce(network, count: 120)
    }

    @Test("all eight processes die and come back: nothing lost, nothing twice", .timeLimit(.minutes(6)))
    func allProcessesDie() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        _ = try network.json(["send", "ethereum", "jovay", "--text", "before", "--count", "60"])
        for relayer in 0..<4 {
            for role in ["committing", "executing"] { try network.kill9(relayer, role) }
        }
        _ = try network.json(["send", "ethereum", "jovay", "--text", "while nobody is there", "--count", "40"])
        for relayer in 0..<4 {
            for role in ["committing", "executing"] { try network.restart(relayer, role) }
        }
        try expectEachOnce(network, count: 100)
    }

    @Test("prices are reported when their heartbeat is due, by the relayers, on both chains", .timeLimit(.minutes(3)))
    func prices() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        let updated: JSON = .hash(keccak256(text: "UsdPerTokenUpdated(address,uint256,uint256)"))
        func updates(_ chain: String) throws -> Int {
            guard let feeQuoter = try network.chain(chain)["contracts"]?["feeQuoter"]?.asString else { throw Failure("no feeQuoter") }
            return try network.call(chain, "eth_getLogs", [[
                "address": .string(feeQuoter), "fromBlock": "0x0", "toBlock": "latest", "topics": [updated],
            ]]).asArray?.count ?? 0
        }
        let before = try (updates("ethereum"), updates("jovay"))
        let cluster = network.directory.appendingPathComponent("relayer-config/cluster.yaml")
        let text = try String(contentsOf: cluster, encoding: .utf8)
        try (text + "prices: {gasHeartbeatSeconds: 2, tokenHeartbeatSeconds: 2}\n").write(
            to: cluster, atomically: true, encoding: .utf8)
        for relayer in 0..<4 { try network.kill9(relayer, "committing") }
        for relayer in 0..<4 { try network.restart(relayer, "committing") }
        let deadline = Date(timeIntervalSinceNow: 60)
        while try updates("ethereum") == before.0 || updates("jovay") == before.1, Date() < deadline { usleep(200_000) }
        #expect(try updates("ethereum") > before.0)
        #expect(try updates("jovay") > before.1)
    }

    private func expectEachOnce(_ network: RunningNetwork, count: Int) throws {
        let found = try network.waitForExecutions(on: "jovay", count: count, timeout: 150)
        #expect(found.count == count, "\(found.count) executions of \(count) messages")
        #expect(Set(found.map(\.sequence)) == Set((1...UInt64(count)).map { U256($0) }))
        #expect(found.allSatisfy { $0.state == 2 })
    }
}
