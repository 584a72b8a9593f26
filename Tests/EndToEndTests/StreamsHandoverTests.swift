// A DON goes from one configuration to the next on real processes, while somebody reads its prices and oracles are killed.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Handover of price streams, end to end", .serialized)
struct StreamsHandoverTests {
    @Test("staged, promoted, killed on the way: no report overlaps another, no time is left out, contracts take both",
        .timeLimit(.minutes(6)))
    func handover() throws {
        let network = try RunningNetwork(streams: true)
        defer { network.stop() }
        let first = try #require(try network.json(["streams", "config", "show"])["data"]?["production"])
        let blue = try #require(first["digest"]?.asString)
        #expect(first["name"]?.asString == "localnet", "what runs is what the contract has in production")
        let out = network.directory.appendingPathComponent("watch.jsonl")
        let err = network.directory.appendingPathComponent("watch.txt")
        var watcher = try Spawned(
            Command.executable, ["streams", "watch", "--complete", "--json", "--network", network.directory.path],
            output: out.path, errors: err.path)
        defer { watcher.kill() }
        try Self.wait(20, "reports") { try Self.reports(out, under: blue).count > 100 }
        // It comes while somebody reads.
        let green = network.directory.appendingPathComponent("streams/configurations/green.yaml")
        try Self.successor(of: network, blue).write(to: green, atomically: true, encoding: .utf8)

        // Out of order it is refused, before anything is sent.
        _ = try network.json(["streams", "config", "promote"], exits: 1)
        let registered = try network.json(["streams", "config", "register", green.path])["data"]
        #expect(registered?["verifiers"]?.asArray?.count == 2)
        let staged = try #require(try network.json(["streams", "config", "stage", green.path])["data"]?["digest"]?.asString)
        _ = try network.json(["streams", "config", "stage", green.path], exits: 1)
        try Self.wait(60, "four oracles with both configurations") {
            try (0..<4).allSatisfy { try Self.metric(network, $0, "instances") == 2 }
        }
        // Killed while it waits for its time: the same two run again.
        try Self.killAndRestart(network, 2)
        try Self.wait(30, "oracle-2 with both configurations") { (try? Self.metric(network, 2, "instances")) == 2 }
        #expect(try Self.reports(out, under: staged).isEmpty, "a staged configuration publishes nothing")

        let promoted = try network.json(["streams", "config", "promote"])["data"]
        #expect(promoted?["production"]?.asString == staged && promoted?["retired"]?.asString == blue)
        // Killed in the midst of it.
        try Self.killAndRestart(network, 1)
        try Self.wait(60, "reports of the new configuration") { try Self.reports(out, under: staged).count > 300 }

        let all = try Self.reports(out, under: nil)
        let last = try #require(all.lastIndex { Self.digest($0) == blue })
        let begin = try #require(all.firstIndex { Self.digest($0) == staged })
        print("\(begin) reports before the handover, \(all.count - begin) after it; the last old one at \(last)")
        let breaks = Self.breaks(all)
        let told = try String(contentsOf: err, encoding: .utf8)
        #expect(breaks == [], "\(told.suffix(2000))")
        // The check sees a report that is missing right there, and one that comes twice under another time.
        let feed = try #require(all[begin]["feedID"]?.asString)
        #expect(Self.breaks(Array(all[..<begin]) + Array(all[(begin + 1)...])) == [feed])

        for chain in ["ethereum", "jovay"] {
            for report in [all[0], all[begin]] {
                let full = try #require(report["fullReport"]?.asString)
                let verified = try network.json(["streams", "verify", full, "--chain", chain])["data"]
                #expect(verified?["valid"]?.asBool == true && verified?["signers"]?.asArray?.count == 2)
            }
        }
        let now = try network.json(["streams", "config", "show"])["data"]
        #expect(now?["production"]?["digest"]?.asString == staged && now?["production"]?["name"]?.asString == "green")
    }

    // MARK: The new configuration

    /// The present file with the next number, the present configuration as predecessor, and ports of its own.
    private static func successor(of network: RunningNetwork, _ blue: String) throws -> String {
        let file = network.directory.appendingPathComponent("streams/streams.yaml")
        var text = try String(contentsOf: file, encoding: .utf8)
        text = text.replacing("name: localnet\n", with: "name: green\n")
        let line = try #require(text.split(separator: "\n").first { $0.contains("configurator: {") })
        text = text.replacing(line, with: line.replacing("}", with: ", count: 2}") + "\n  predecessor: \"\(blue)\"")
        return try text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard line.contains(" endpoint: ") || line.contains(" ingress: "), let colon = line.lastIndex(of: ":") else {
                return String(line)
            }
            return "\(line[...colon])\(try freePort())\""
        }.joined(separator: "\n")
    }

    private static func freePort() throws -> Int {
        let outcome = try Command.run(
            Command.python, ["-c", "import socket;s=socket.socket();s.bind(('127.0.0.1',0));print(s.getsockname()[1])"])
        return try #require(Int(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    // MARK: Reports

    private static func digest(_ report: JSON) -> String { String((report["fullReport"]?.asString ?? "").prefix(66)) }

    private static func reports(_ file: URL, under digest: String?) throws -> [JSON] {
        // The last line may not be whole yet.
        let all = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { try? JSON.parse(String($0)) }
        return digest.map { wanted in all.filter { Self.digest($0) == wanted } } ?? all
    }

    /// Feeds of which a report does not begin just behind the one before it.
    private static func breaks(_ reports: [JSON]) -> [String] {
        var last: [String: UInt64] = [:]
        var found: Set<String> = []
        for report in reports {
            guard let feed = report["feedID"]?.asString,
                let from = report["report"]?["validFromTimestamp"]?.asString.flatMap({ UInt64($0) }),
                let until = report["report"]?["observationsTimestamp"]?.asString.flatMap({ UInt64($0) })
            else {
                found.insert("unreadable")
                continue
            }
            if let before = last[feed], from != before + 1 { found.insert(feed) }
            last[feed] = until
        }
        return found.sorted()
    }

    // MARK: Processes

    private static func wait(_ seconds: Double, _ what: String, _ condition: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while try !condition() {
            guard Date() < deadline else { throw Failure("no \(what) within \(seconds) s") }
            usleep(200_000)
        }
    }

    private static func oracle(_ network: RunningNetwork, _ index: Int) throws -> JSON {
        try #require(try network.document()["streams"]?["oracles"]?.asArray?[index])
    }

    private static func metric(_ network: RunningNetwork, _ index: Int, _ name: String) throws -> Int {
        let port = try #require(try oracle(network, index)["http"]?.asInt)
        let text = try PlainHTTP.get("http://127.0.0.1:\(port)/metrics")
        let line = text.split(separator: "\n").first { $0.hasPrefix("causeway_streams_\(name) ") }
        return try #require(line.flatMap { Double($0.split(separator: " ")[1]) }.map { Int($0) })
    }

    private static func killAndRestart(_ network: RunningNetwork, _ index: Int) throws {
        let node = try oracle(network, index)
        let pid = pid_t(try #require(node["pid"]?.asInt))
        Foundation.kill(pid, SIGKILL)
        let deadline = Date(timeIntervalSinceNow: 10)
        while Foundation.kill(pid, 0) == 0, Date() < deadline { usleep(5_000) }
        try network.start(["streams", "oracle", "--config", try #require(node["config"]?.asString)], log: "oracle-\(index)")
    }
}
