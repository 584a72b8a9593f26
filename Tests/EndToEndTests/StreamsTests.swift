// Price streams as `causeway up` starts them: what a subscriber gets, what contracts say of it, what relayers make of it, and
// what is seen of it when processes are killed.

import CCIP
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Price streams, end to end", .serialized)
struct StreamsTests {
    static let symbols: Set<String> = [
        "ETH/USD", "BTC/USD", "LINK/USD", "USDC/USD", "CNH/USD", "XAU/USD", "WTI/USD", "AAPL/USD", "FUND/USD",
    ]

    @Test("all feeds speak, and a report verifies on every chain", .timeLimit(.minutes(4)))
    func prices() throws {
        let network = try RunningNetwork(streams: true)
        defer { network.stop() }
        let streams = try #require(try network.document()["streams"])
        #expect(streams["oracles"]?.asArray?.count == 4 && streams["gateways"]?.asArray?.count == 1)
        let processes = try network.json(["status"])["data"]?["processes"]?.asArray ?? []
        let roles = processes.filter { $0["state"]?.asString == "running" }.compactMap { $0["role"]?.asString }
        #expect(roles.filter { $0 == "stream oracle" }.count == 4 && roles.contains("stream gateway"))
        let checks = try network.json(["check"])["data"]?["checks"]?.asArray ?? []
        #expect(checks.filter { $0["check"]?.asString == "streams keys" && $0["ok"]?.asBool == true }.count == 5)

        let lines = try watch(network, ["ETH/USD", "--count", "20"])
        #expect(lines.count == 20)
        #expect(lines.allSatisfy { $0["feed"]?.asString == "ETH/USD" && ($0["signers"]?.asArray?.count ?? 0) >= 2 })
        let all = try watch(network, ["--count", "150"])
        #expect(Set(all.compactMap { $0["feed"]?.asString }) == Self.symbols, "within 150 reports every feed has one")

        // Off chain and on both chains; a changed bit is refused by name.
        let report = try latest(network, "ETH/USD", seconds: true)
        for chain in ["ethereum", "jovay"] {
            let verified = try network.json(["streams", "verify", report.full, "--chain", chain])["data"]
            #expect(verified?["valid"]?.asBool == true && verified?["signers"]?.asArray?.count == 2)
            let proxy = try network.chain(chain)["contracts"]?["verifierProxy"]?.asString
            #expect(verified?["proxy"]?.asString == proxy && proxy != nil)
        }
        let refused = try Command.causeway(
            ["streams", "verify", Self.damaged(report.full), "--json", "--network", network.directory.path])
        #expect(refused.status == 6, "\(refused.output)")
        try refusedOnChain(network, Self.damaged(report.full))

        let history = try network.json(["streams", "history", "ETH/USD", "--from", "30s", "--limit", "5"])["data"]?.asArray
        #expect((history?.count ?? 0) >= 1, "the key of the local network opens the API")
        try withholdAndRelease(network)
    }

    /// What an operator types when a venue prints nonsense, and afterwards.
    private func withholdAndRelease(_ network: RunningNetwork) throws {
        func isTold(_ symbol: String) throws -> Bool {
            let outcome = try Command.causeway(
                ["streams", "latest", symbol, "--json", "--network", network.directory.path])
            guard outcome.status != 0 else { return true }
            let error = try JSON.parse(Bytes(outcome.output.utf8))["error"]
            #expect(error?["code"]?.asString == "feedWithheld", "\(outcome.output)")
            return false
        }
        func wait(until isSo: Bool) throws {
            let deadline = Date(timeIntervalSinceNow: 20)
            while try isTold("ETH/USD") != isSo {
                guard Date() < deadline else { throw Failure("ETH/USD is \(isSo ? "still withheld" : "told all the same")") }
                usleep(100_000)
            }
        }
        let stopped = try network.json(["streams", "withhold", "ETH/USD", "--reason", "a venue prints nonsense"])["data"]
        let feeds = try #require(stopped?["feeds"]?.asArray)
        #expect(stopped?["state"]?.asString == "withheld" && !feeds.isEmpty)
        #expect(feeds.allSatisfy { $0["feed"]?.asString == "ETH/USD" && $0["changed"]?.asBool == true })
        try wait(until: false)
        #expect(try isTold("BTC/USD"), "no other feed is withheld")
        let listed = try network.json(["streams", "withheld"])["data"]?["withheld"]?.asArray ?? []
        #expect(listed.count == feeds.count)
        #expect(listed.allSatisfy { $0["why"]?.asString == "a venue prints nonsense" && $0["released"] == .null })
        let again = try network.json(["streams", "release", "ETH/USD", "--reason", "the venue is off the list"])["data"]
        #expect(again?["state"]?.asString == "released" && again?["feeds"]?.asArray?.count == feeds.count)
        try wait(until: true)
        #expect(try network.json(["streams", "withheld"])["data"]?["withheld"]?.asArray == [])
        let over = try network.json(["streams", "withheld", "--all"])["data"]?["withheld"]?.asArray ?? []
        #expect(over.count == feeds.count)
        #expect(over.allSatisfy { $0["released"]?["why"]?.asString == "the venue is off the list" })
    }

    @Test("a ZeroMQ subscriber in Python, clients of the API and the history have the same reports", .timeLimit(.minutes(4)))
    func sameReports() throws {
        let network = try RunningNetwork(streams: true)
        defer { network.stop() }
        let streams = try #require(try network.document()["streams"])
        let gateway = try #require(streams["gateways"]?.asArray?.first)
        let id = try #require(try network.json(["streams", "latest", "ETH/USD", "--seconds"])["data"]?["feedID"]?.asString)
        func text(_ key: String) throws -> String { try #require(gateway[key]?.asString, "\(key) of the gateway") }
        let subscriber = try Command.run(
            Command.python,
            ["examples/price_feed.py", try text("feed"), try text("requests"), "--server-key", try gatewayKey(network),
             "--feed", id, "--count", "4", "--timeout", "40"], timeout: 60)
        #expect(subscriber.status == 0, "\(subscriber.errors)")
        let published = try subscriber.output.split(separator: "\n").map { try JSON.parse(String($0)) }
        #expect(published.count == 4 && published.allSatisfy { $0["feedID"]?.asString == id })
        let key = try JSON.parse(
            String(contentsOf: network.directory.appendingPathComponent("streams/api-key.json"), encoding: .utf8))
        let api = try text("api")
        let clients = try Command.run(
            Command.python,
            ["Tests/EndToEndTests/Python/streams_sdk.py", "--url", api, "--ws", api.replacing("http://", with: "ws://"),
             "--key", try #require(key["key"]?.asString), "--secret", try #require(key["secret"]?.asString)], timeout: 90)
        #expect(clients.status == 0, "\(clients.output)\(clients.errors)")
        // What was published stands in the history, byte for byte.
        let first = try #require(published.first?["observationsTimestamp"]?.asInt)
        let kept = try network.json(["streams", "history", id, "--from", "\(first)", "--limit", "20"])["data"]?.asArray ?? []
        for report in published {
            let same = kept.first { $0["observationsTimestamp"]?.asInt == report["observationsTimestamp"]?.asInt }
            #expect(same?["fullReport"]?.asString == report["fullReport"]?.asString)
        }
    }

    @Test("killed oracles, the leader among them, delay no report by long, and a killed gateway leaves no gap unseen",
        .timeLimit(.minutes(5)))
    func kills() throws {
        let network = try RunningNetwork(streams: true)
        defer { network.stop() }
        let out = network.directory.appendingPathComponent("watch.jsonl")
        let err = network.directory.appendingPathComponent("watch.txt")
        var watcher = try Spawned(
            Command.executable,
            ["streams", "watch", "ETH/USD", "--complete", "--json", "--network", network.directory.path],
            output: out.path, errors: err.path)
        defer { watcher.kill() }
        try waitForReports(out, 10, timeout: 20)

        // One after the other, so that one of them was the leader.
        for index in 0..<4 {
            let killed = try killStreams(network, "oracle-\(index)")
            try waitForReports(out, 20, since: killed, timeout: 20)
            let silence = try self.silence(out, around: killed)
            // A second on a machine that has nothing else to do; tests share theirs.
            #expect(silence < 3, "oracle-\(index): no report for \(silence) s")
            print("oracle-\(index) killed: \(silence) s without a report")
            try restartStreams(network, "oracle-\(index)", role: "oracle")
        }

        let killed = try killStreams(network, "gateway-east")
        try restartStreams(network, "gateway-east", role: "gateway")
        let resumed = nanoseconds()
        try waitForReports(out, 20, since: resumed, timeout: 30)
        let silence = try self.silence(out, around: killed)
        print("gateway killed: \(silence) s without a report")
        #expect(silence < 10, "the gateway was away for \(silence) s")

        // Sequence numbers either follow each other, or the watcher was told.
        let reports = try lines(out)
        let told = try String(contentsOf: err, encoding: .utf8)
        var jumps = 0
        var last: [String: UInt64] = [:]
        for report in reports {
            guard let feed = report["feedID"]?.asString, let sequence = report["sequence"]?.asString.flatMap({ UInt64($0) })
            else { throw Failure("a report without a sequence: \(report.text)") }
            if let before = last[feed], sequence != before + 1 { jumps += 1 }
            last[feed] = sequence
        }
        let words = ["did not come", "are gone", "started anew", "no report covers"]
        #expect(jumps == 0 || words.contains { told.contains($0) }, "\(jumps) jumps, told: \(told.suffix(1000))")
        print("\(reports.count) reports, \(jumps) jumps")
    }

    @Test("relayers take prices from the streams: FeeQuoters have what oracles signed, and nothing waits for a gateway",
        .timeLimit(.minutes(5)))
    func relayerPrices() throws {
        let network = try RunningNetwork(["--prices", "streams"], streams: true)
        defer { network.stop() }
        let checks = try network.json(["check"])["data"]
        #expect(checks?["failed"]?.asInt == 0, "\(checks?.text ?? "")")
        let fixed = U256(15) * U256(1_000_000_000_000_000_000)
        let jovay = try network.chain("jovay")
        let link = try #require(jovay["tokens"]?.asArray?.first { $0["symbol"]?.asString == "LINK" }?["address"]?.asString)
        let weth = try #require(jovay["contracts"]?["weth"]?.asString)
        for (symbol, token, before) in [("LINK/USD", link, fixed), ("ETH/USD", weth, U256(200) * fixed)] {
            let price = try changedPrice(network, "jovay", token, from: before, timeout: 120)
            // The median of what relayers read is the price of one report.
            let id = try #require(try network.json(["streams", "latest", symbol, "--seconds"])["data"]?["feedID"]?.asString)
            let pages = try ["285s", "190s", "95s"].map { start in
                try network.json(["streams", "history", id, "--from", start, "--limit", "100"])["data"]?.asArray ?? []
            }
            let prices = try pages.joined().map { try Self.benchmarkPrice(try #require($0["fullReport"]?.asString)) }
            #expect(prices.contains(price), "\(symbol): \(price) is none of \(prices.count) reports")
        }
        for relayer in 0..<4 {
            let metrics = try self.metrics(network, relayer)
            #expect(metrics.filter { $0.hasPrefix("causeway_stream_price_age_milliseconds{") }.count == 2)
            let refused = metrics.filter { $0.hasPrefix("causeway_stream_price_refused_total{") && !$0.hasSuffix(" 0") }
            #expect(refused == [], "relayer \(relayer)")
        }

        // Without the gateway: messages cross, relayers are ready, and say what they miss.
        _ = try killStreams(network, "gateway-east")
        let sent = try network.json(["send", "ethereum", "jovay", "--text", "no prices", "--wait"], timeout: 90)["data"]
        #expect(sent?["stage"]?.asString == "executed", "\(sent?.text ?? "")")
        let deadline = Date(timeIntervalSinceNow: 40)
        while try !metrics(network, 1).contains(where: {
            $0.hasPrefix("causeway_stream_requests_failed_total{") && $0.contains("reason=\"refused\"") && !$0.hasSuffix(" 0")
        }) {
            guard Date() < deadline else { throw Failure("no relayer says that its gateway is away") }
            usleep(500_000)
        }
        let status = try network.json(["status"], exits: 6)["data"]?["processes"]?.asArray ?? []
        let relayers = status.filter { $0["role"]?.asString.map { ["committing", "executing"].contains($0) } ?? false }
        #expect(relayers.count == 8 && relayers.allSatisfy { $0["state"]?.asString == "running" }, "\(status)")
    }

    private func metrics(_ network: RunningNetwork, _ relayer: Int) throws -> [String] {
        let port = try #require(try network.document()["relayers"]?.asArray?[relayer]["ports"]?["committingHTTP"]?.asInt)
        return try PlainHTTP.get("http://127.0.0.1:\(port)/metrics").split(separator: "\n").map(String.init)
    }

    /// The word behind the six of the header of a v3 report.
    private static func benchmarkPrice(_ full: String) throws -> U256 {
        let start = 32 * (8 + 6)
        return try #require(U256(bigEndianBytes: try Hex.decode(full)[start..<start + 32]))
    }

    /// The price of a token once a FeeQuoter has another one.
    private func changedPrice(
        _ network: RunningNetwork, _ chain: String, _ token: String, from before: U256, timeout: Double
    ) throws -> U256 {
        let quoter = try #require(try network.chain(chain)["contracts"]?["feeQuoter"]?.asString)
        let call = try ABIFunction("getTokenPrice(address)").encodeCall([.address(try Address(hex: token))])
        let deadline = Date(timeIntervalSinceNow: timeout)
        while true {
            let answer = try network.call(chain, "eth_call", [["to": .string(quoter), "data": .data(call)], "latest"])
            let words = try Hex.decode(try #require(answer.asString))
            let price = try #require(U256(bigEndianBytes: words[0..<32]))
            if price != before { return price }
            guard Date() < deadline else { throw Failure("the price of \(token) is still \(before) after \(timeout) s") }
            usleep(300_000)
        }
    }

    /// As streams.yaml tells it to subscribers.
    private func gatewayKey(_ network: RunningNetwork) throws -> String {
        let file = network.directory.appendingPathComponent("streams/streams.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        let gateways = try #require(text.range(of: "gateways:"))
        let line = try #require(text[gateways.upperBound...].split(separator: "\n").first { $0.contains("curvePublicKey: ") })
        return String(line.split(separator: "'")[1])
    }

    // MARK: What commands say

    private func watch(_ network: RunningNetwork, _ arguments: [String]) throws -> [JSON] {
        let outcome = try Command.causeway(
            ["streams", "watch"] + arguments + ["--json", "--network", network.directory.path], timeout: 40)
        guard outcome.status == 0 else { throw Failure("watch: exit \(outcome.status)\n\(outcome.errors)") }
        return try outcome.output.split(separator: "\n").map { try JSON.parse(String($0)) }
    }

    private func latest(_ network: RunningNetwork, _ symbol: String, seconds: Bool) throws -> (full: String, price: String) {
        let data = try network.json(["streams", "latest", symbol] + (seconds ? ["--seconds"] : []))["data"]
        return (
            try #require(data?["fullReport"]?.asString), try #require(data?["report"]?["benchmarkPrice"]?.asString)
        )
    }

    /// The last bit of the blob's last word is another one.
    private static func damaged(_ full: String) throws -> String {
        var bytes = try Hex.decode(full)
        // Blobs stand behind seven words of the envelope and their length.
        bytes[8 * 32 + 9 * 32 - 1] ^= 1
        return Hex.encode(bytes)
    }

    private func refusedOnChain(_ network: RunningNetwork, _ full: String) throws {
        let proxy = try #require(try network.chain("jovay")["contracts"]?["verifierProxy"]?.asString)
        let data = try ABIFunction("verifyView(bytes)").encodeCall([.bytes(try Hex.decode(full))])
        let error = #expect(throws: Failure.self) {
            try network.call("jovay", "eth_call", [["to": .string(proxy), "data": .data(data)], "latest"])
        }
        #expect(error?.description.contains(Hex.encode(Bytes(keccak256(text: "BadVerification()").bytes.prefix(4)))) == true)
    }

    // MARK: Processes and their lines

    private func nanoseconds() -> UInt64 { UInt64(Date().timeIntervalSince1970 * 1e6) * 1_000 }

    private func lines(_ file: URL) throws -> [JSON] {
        let text = try String(contentsOf: file, encoding: .utf8)
        // The last line may not be whole yet.
        return text.split(separator: "\n").compactMap { try? JSON.parse(String($0)) }
    }

    private func received(_ file: URL) throws -> [UInt64] {
        try lines(file).compactMap { $0["receivedNs"]?.asString.flatMap { UInt64($0) } }.sorted()
    }

    private func waitForReports(_ file: URL, _ count: Int, since: UInt64 = 0, timeout: Double) throws {
        let deadline = Date(timeIntervalSinceNow: timeout)
        while try received(file).filter({ $0 > since }).count < count {
            guard Date() < deadline else { throw Failure("no \(count) reports within \(timeout) s") }
            usleep(50_000)
        }
    }

    /// The longest time without a report from just before `moment` on, in seconds.
    private func silence(_ file: URL, around moment: UInt64) throws -> Double {
        let times = try received(file).filter { $0 + 1_000_000_000 > moment }
        return Double(zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0) / 1e9
    }

    private func process(_ network: RunningNetwork, _ name: String) throws -> JSON {
        let streams = try network.document()["streams"]
        let all = (streams?["oracles"]?.asArray ?? []) + (streams?["gateways"]?.asArray ?? [])
        return try #require(all.first { $0["name"]?.asString == name })
    }

    /// The time of the kill.
    private func killStreams(_ network: RunningNetwork, _ name: String) throws -> UInt64 {
        let pid = pid_t(try #require(try process(network, name)["pid"]?.asInt))
        let now = nanoseconds()
        Foundation.kill(pid, SIGKILL)
        let deadline = Date(timeIntervalSinceNow: 10)
        while Foundation.kill(pid, 0) == 0, Date() < deadline { usleep(5_000) }
        return now
    }

    /// Starts it again as an operator would, and waits until it is ready.
    private func restartStreams(_ network: RunningNetwork, _ name: String, role: String) throws {
        let node = try process(network, name)
        try network.start(["streams", role, "--config", try #require(node["config"]?.asString)], log: name)
        let port = try #require(node["http"]?.asInt)
        let deadline = Date(timeIntervalSinceNow: 20)
        while (try? PlainHTTP.get("http://127.0.0.1:\(port)/ready")) == nil {
            guard Date() < deadline else { throw Failure("\(name) is not ready") }
            usleep(100_000)
        }
    }
}
