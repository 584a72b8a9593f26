// Every kind of token pool on a running network, and USDC whose attestations are withheld, lost or void.

import CCIP
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Tokens of every kind and their attestations, end to end", .serialized)
struct AttestationTests {
    /// A network with its attestation service.
    struct Attested {
        let network: RunningNetwork
        let api: String

        init() throws {
            network = try RunningNetwork(["--tokens", "all"])
            guard let api = try network.document()["attester"]?["api"]?.asString else {
                network.stop()
                throw Failure("the network tells of no attestation service")
            }
            self.api = api
        }

        func post(_ path: String, _ json: String) throws {
            let answer = try Command.run("/usr/bin/curl", ["-s", "-f", "-d", json, api + path])
            guard answer.status == 0 else { throw Failure("POST \(path) \(json): \(answer.status) \(answer.output)") }
        }

        func get(_ path: String) throws -> JSON {
            try JSON.parse(Bytes(try Command.run("/usr/bin/curl", ["-s", api + path]).output.utf8))
        }

        func send(_ token: String, from: String = "ethereum", to: String = "jovay") throws -> String {
            let sent = try network.json(["send", from, to, "--token", token, "--receiver", "account:2"])
            guard let id = sent["data"]?["messages"]?[0]?["messageId"]?.asString else { throw Failure("no message id") }
            return id
        }

        func show(_ id: String) throws -> (status: Int32, data: JSON) {
            let outcome = try Command.causeway(["show", id, "--json", "--network", network.directory.path])
            return (outcome.status, try JSON.parse(Bytes(outcome.output.utf8))["data"] ?? .null)
        }

        /// The story of a message once `condition` holds; it must do so within a minute.
        func story(_ id: String, _ condition: (Int32, JSON) -> Bool) throws -> JSON {
            let deadline = Date(timeIntervalSinceNow: 60)
            var last = (status: Int32(0), data: JSON.null)
            while Date() < deadline {
                last = try show(id)
                if condition(last.status, last.data) { return last.data }
                usleep(100_000)
            }
            throw Failure("\(id): exit \(last.status), \(last.data["stage"]?.text ?? ""), \(last.data["waitsFor"]?.text ?? "")")
        }

        func waits(_ id: String, for words: String) throws {
            _ = try story(id) { status, data in status == 3 && data["waitsFor"]?.asString?.contains(words) == true }
        }

        func isExecuted(_ id: String) throws { _ = try story(id) { _, data in data["stage"]?.asString == "executed" } }
    }

    @Test("a late or lost attestation holds its message and no other; when it comes, the message is executed", .timeLimit(.minutes(6)))
    func lateAndLost() throws {
        let attested = try Attested()
        defer { attested.network.stop() }
        try attested.post("/faults", #"{"withheld": true}"#)
        let late = try attested.send("USDC=2.5")
        try attested.waits(late, for: "pending_confirmations")
        let other = try attested.send("LINK=1")
        try attested.isExecuted(other)
        try attested.waits(late, for: "pending_confirmations")

        // Lost: the service says that it knows nothing, though the chain has it.
        try attested.post("/faults", #"{"lostQuestions": 1000000}"#)
        let lost = try attested.send("USDCV1=3", from: "jovay", to: "ethereum")
        try attested.waits(lost, for: "does not know it yet")
        try attested.post("/faults", "{}")
        try attested.isExecuted(lost)
        try attested.isExecuted(late)

        // Void when it is made: the one attempt fails, a new attestation and an execution by hand mend it.
        try attested.post("/faults", #"{"expiryBlocks": 0}"#)
        let void = try attested.send("USDC=4")
        let failed = try attested.story(void) { status, data in status == 4 && data["stage"]?.asString == "failed" }
        #expect(failed["executed"]?.text.contains("expired") == true, "\(failed["executed"]?.text ?? "")")
        try attested.post("/faults", "{}")
        let transaction = try #require(failed["sent"]?["transaction"]?.asString)
        let item = try attested.get("/v2/messages/0?transactionHash=\(transaction)")["messages"]?[0]
        try attested.post("/v2/reattest/\(try #require(item?["eventNonce"]?.asString))", "")
        let executed = try attested.network.json(["exec", void])
        #expect(executed["data"]?["state"]?.asString == "success")
        #expect(try attested.network.json(["supply"])["data"]?["balanced"]?.asBool == true)
    }

    @Test("every kind of pool carries its token, silos are held apart, and all supplies balance", .timeLimit(.minutes(6)))
    func everyKind() throws {
        let attested = try Attested()
        defer { attested.network.stop() }
        let symbols = ["LINK", "CWT", "SILO", "BFROM", "BWITH", "BADDR", "MIXED", "USDC", "USDCV1"]
        for id in try symbols.map({ try attested.send("\($0)=3") }) { try attested.isExecuted(id) }
        for id in try symbols.map({ symbol in
            // Account 0 has what it was given there; of locked tokens it has nothing before it is sent something.
            let isLocked = symbol == "SILO" || symbol == "CWT"
            return isLocked ? try attested.send("\(symbol)=1") : try attested.send("\(symbol)=1.5", from: "jovay", to: "ethereum")
        }) { try attested.isExecuted(id) }
        let dust = try attested.send("MIXED=0.0000001234")
        try attested.isExecuted(dust)
        let supply = try #require(try attested.network.json(["supply"])["data"])
        #expect(supply["balanced"]?.asBool == true)
        let lines = supply["lines"]?.asArray ?? []
        let mixed = lines.first { $0["symbol"]?.asString == "MIXED" && $0["from"]?.asString == "16015286601757825753" }
        #expect(mixed?["taken"]?.asString == "3000000123400000000" && mixed?["given"]?.asString == "3000000")
        let silo = supply["pools"]?.asArray?.first { $0["silo"]?["name"]?.asString == "jovay" }
        #expect(silo?["needed"]?.asString == "4" + String(repeating: "0", count: 18) && silo?["needed"] == silo?["balance"])

        // The service is one of the network's processes: status tells when it is gone, and the network goes on.
        let pid = try #require(try attested.network.document()["attester"]?["pid"]?.asInt)
        #expect(try attested.network.json(["status"])["data"]?["well"]?.asBool == true)
        Foundation.kill(pid_t(pid), SIGKILL)
        let id = try attested.send("USDC=1")
        try attested.waits(id, for: "no answer")
        #expect(try attested.network.json(["status"], exits: 6)["data"]?["well"]?.asBool == false)
        try attested.isExecuted(try attested.send("BFROM=1"))
        #expect(try attested.network.document()["attester"]?["pid"] == .null)
    }
}
