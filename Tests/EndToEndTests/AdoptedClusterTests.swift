// Contracts that stand on two chains, adopted by their addresses and keys alone, and a cluster that carries messages for
// them: adopt, cluster, send, check, a killed relayer, down.

import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("A cluster for contracts that exist already", .serialized)
struct AdoptedClusterTests {
    /// Two chain processes with contracts on them; `stop` leaves neither processes nor files.
    final class World {
        let directory: URL
        let ports: [Int]
        private var chains: [Spawned] = []
        let keys: [String: PrivateKey]

        static let names = ["alpha", "beta"]
        static let profiles = ["ethereum", "jovay"]
        static let identities: [(id: UInt64, selector: String)] = [
            (11_155_111, "16015286601757825753"), (2_019_775, "945045181441419236"),
        ]

        init() throws {
            directory = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-adopt-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let base = 30_000 + Int.random(in: 0..<1_000) * 2
            ports = [base, base + 1]
            var keys: [String: PrivateKey] = [:]
            for relayer in 0..<4 {
                for name in ["signer", "alpha-c", "alpha-e", "beta-c", "beta-e"] { keys["\(name)-\(relayer)"] = .random() }
            }
            self.keys = keys
            for (profile, port) in zip(Self.profiles, ports) {
                let log = directory.appendingPathComponent("chain-\(profile).log").path
                chains.append(
                    try Spawned(
                        Command.executable, ["chain", "--profile", profile, "--localnet", "--port", "\(port)"], output: log,
                        errors: log))
            }
            for port in ports { try waitForPort(port) }
        }

        func stop() {
            _ = try? Command.causeway(["down", "--network", path("cluster")])
            for index in chains.indices { chains[index].kill() }
            try? FileManager.default.removeItem(at: directory)
        }

        func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
        func secret(_ name: String) -> String { keys[name].map { Hex.encode($0.secret.bytes) } ?? "" }
        func address(_ name: String) -> String { keys[name]?.address.checksummed ?? "" }

        private func waitForPort(_ port: Int) throws {
            let deadline = Date(timeIntervalSinceNow: 20)
            let body = Bytes("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}".utf8)
            guard let url = URL(string: "http://127.0.0.1:\(port)") else { throw Failure("port \(port)") }
            while (try? PlainHTTP.post(url, body)) == nil {
                guard Date() < deadline else { throw Failure("no chain on port \(port)") }
                usleep(50_000)
            }
        }

        /// `causeway deploy` with the public halves of the keys; what it prints of the addresses.
        func deploy() throws -> JSON {
            var text = "chains:\n"
            for (index, name) in Self.names.enumerated() {
                text += "  - {name: \(name), chainId: \(Self.identities[index].id), selector: \"\(Self.identities[index].selector)\", "
                text += "rpc: \"http://127.0.0.1:\(ports[index])\", nativePriceUSD: \"3000\"}\n"
            }
            text += "tokens: [{symbol: LINK, priceUSD: \"15\", link: true}]\nreceivers: true\ntransmitterFundingWei: \"1000000000000000000\"\n"
            text += "cluster:\n  faulty: 1\n  relayers:\n"
            for relayer in 0..<4 {
                text += "    - peerId: \"\(Hex.encode(keccak256(text: "peer \(relayer)").bytes))\"\n"
                text += "      reportSigner: \"\(address("signer-\(relayer)"))\"\n      transmitters:\n"
                for name in Self.names {
                    text += "        \(name): {committing: \"\(address("\(name)-c-\(relayer)"))\", executing: \"\(address("\(name)-e-\(relayer)"))\"}\n"
                }
            }
            try text.write(toFile: path("deploy.yaml"), atomically: true, encoding: .utf8)
            setenv("CAUSEWAY_DEPLOYER_KEY", Hex.encode(try Mnemonic(Mnemonic.developmentText).account(0).secret.bytes), 1)
            defer { unsetenv("CAUSEWAY_DEPLOYER_KEY") }
            let outcome = try Command.causeway(["deploy", path("deploy.yaml"), "--poll", "20", "--json"])
            guard outcome.status == 0 else { throw Failure("deploy: \(outcome.errors)") }
            return try JSON.parse(Bytes(outcome.output.utf8))
        }

        /// Addresses and keys, and nothing else.
        func adoptionFile(_ deployed: JSON) throws -> String {
            var text = "chains:\n"
            for (index, chain) in (deployed["data"]?["chains"]?.asArray ?? []).enumerated() {
                guard let offRamp = chain["contracts"]?["offRamp"]?.asString else { throw Failure("no OffRamp") }
                text += "  - {name: \(Self.names[index]), rpc: \"http://127.0.0.1:\(ports[index])\", finality: {depth: 3}, offRamp: \"\(offRamp)\"}\n"
            }
            text += "relayers:\n"
            for relayer in [2, 0, 3, 1] {
                text += "  - signer: \"\(secret("signer-\(relayer)"))\"\n    transmitters:\n"
                for name in Self.names {
                    text += "      \(name): {committing: \"\(secret("\(name)-c-\(relayer)"))\", executing: \"\(secret("\(name)-e-\(relayer)"))\"}\n"
                }
            }
            let payer = Hex.encode(try Mnemonic(Mnemonic.developmentText).account(1).secret.bytes)
            text += "accounts: [\"\(payer)\"]\n"
            try text.write(toFile: path("adopt.yaml"), atomically: true, encoding: .utf8)
            return path("adopt.yaml")
        }

        func json(_ arguments: [String], exits: Int32 = 0, timeout: Double = 120) throws -> JSON {
            let outcome = try Command.causeway(arguments + ["--json"], timeout: timeout)
            guard outcome.status == exits else {
                throw Failure("\(arguments): exit \(outcome.status) instead of \(exits)\n\(outcome.errors)\n\(outcome.output)")
            }
            return try JSON.parse(Bytes(outcome.output.utf8))
        }
    }

    @Test("addresses and keys are enough: adopt, cluster, messages both ways, a killed relayer comes back", .timeLimit(.minutes(4)))
    func adopted() throws {
        let world = try World()
        defer { world.stop() }
        let deployed = try world.deploy()
        let cluster = world.path("cluster")
        let adopted = try world.json(["adopt", "--deployment", try world.adoptionFile(deployed), "--out", cluster])
        #expect(adopted["data"]?["failed"]?.asInt == 0 && (adopted["data"]?["passed"]?.asInt ?? 0) > 40)
        let running = try world.json(["cluster", cluster, "--detach"])
        #expect(running["data"]?["state"] == "running" && running["data"]?["kind"] == "cluster")

        func send(_ from: String, _ to: String, _ place: Int, _ count: Int) throws {
            guard let receiver = deployed["data"]?["chains"]?[place]?["contracts"]?["receiver"]?.asString else {
                throw Failure("no receiver")
            }
            let sent = try world.json(
                ["send", from, to, "--receiver", receiver, "--text", "hello", "--count", "\(count)", "--account", "0", "--wait",
                    "--timeout", "90", "--network", cluster], timeout: 120)
            #expect(sent["data"]?["stage"] == "executed", "\(sent.pretty)")
        }
        try send("alpha", "beta", 1, 3)
        try send("beta", "alpha", 0, 2)
        #expect(try world.json(["status", "--network", cluster])["data"]?["well"] == true)
        #expect(try world.json(["check", "--network", cluster])["data"]?["failed"]?.asInt == 0)

        let document = try JSON.parse(Bytes(try Data(contentsOf: URL(fileURLWithPath: cluster + "/localnet.json"))))
        let pids = (document["relayers"]?.asArray ?? []).compactMap { $0["pids"]?["committing"]?.asInt }
        #expect(pids.count == 4)
        Foundation.kill(pid_t(pids[1]), SIGKILL)
        try send("alpha", "beta", 1, 1)
        let deadline = Date(timeIntervalSinceNow: 30)
        while try Command.causeway(["status", "--network", cluster]).status != 0 {
            guard Date() < deadline else { throw Failure("the killed relayer did not come back") }
            usleep(200_000)
        }

        // Nothing is left, and the same folder starts again with its stores.
        #expect(try world.json(["down", "--network", cluster])["data"]?["orderly"] == true)
        for pid in pids { #expect(Foundation.kill(pid_t(pid), 0) != 0, "process \(pid) is still there") }
        _ = try world.json(["adopt", "--deployment", world.path("adopt.yaml"), "--out", cluster])
        _ = try world.json(["cluster", cluster, "--detach", "--split"])
        try send("beta", "alpha", 0, 1)
    }

    @Test("what is wrong in the file is told with its line, and nothing is written", .timeLimit(.minutes(2)))
    func refused() throws {
        let world = try World()
        defer { world.stop() }
        let text = try String(contentsOfFile: try world.adoptionFile(try world.deploy()), encoding: .utf8)
        let stranger = Hex.encode(PrivateKey.random().secret.bytes)
        for (wanted, given, status, says) in [
            ("relayers:", "relayrs:", 1, "relayers"),
            (world.secret("signer-2"), stranger, 1, "is not among the 4 signers"),
            ("http://127.0.0.1:\(world.ports[1])", "http://127.0.0.1:1", 6, "FAILED"),
            ("http://127.0.0.1:\(world.ports[1])", "http://127.0.0.1:\(world.ports[0])", 6, "FAILED"),
        ] as [(String, String, Int32, String)] {
            let path = world.path("wrong.yaml")
            try text.replacingOccurrences(of: wanted, with: given).write(toFile: path, atomically: true, encoding: .utf8)
            let outcome = try Command.causeway(["adopt", "--deployment", path, "--out", world.path("none")])
            #expect(outcome.status == status, "\(outcome.status) \(outcome.output) \(outcome.errors)")
            #expect((outcome.output + outcome.errors).contains(says), "\(outcome.output) \(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: world.path("none/relayer-0.yaml")))
        }
    }
}
