import Ethereum
import Foundation
import Glibc
@testable import Localnet
import TestSupport
import Testing

/// The built command, as a person or a script runs it: `CAUSEWAY_EXECUTABLE`, else the release build of this package.
@Suite("the command", .serialized)
struct CommandTests {
    static let executable =
        Files.environment("CAUSEWAY_EXECUTABLE") ?? PackageRoot.url.appendingPathComponent(".build/release/causeway").path

    private let folder: String
    private let environment: [String: String]

    init() throws {
        try #require(
            access(Self.executable, X_OK) == 0,
            "no \(Self.executable): build the package first, or set CAUSEWAY_EXECUTABLE")
        folder = try Samples.folder()
        // Its own TMPDIR keeps the test from the developer's own network.
        environment = [
            "CAUSEWAY_CHAINS_DIR": PackageRoot.url.appendingPathComponent("chains").path, "TMPDIR": folder,
        ]
    }

    private func start(_ arguments: String, _ name: String = "run") throws -> ChildProcess {
        try ChildProcess(
            name: name, executable: "/bin/sh",
            arguments: ["-c", "exec \(Self.executable) \(arguments) >\(folder)/\(name).out 2>\(folder)/\(name).err"],
            environment: environment, logPath: folder + "/\(name).log", lifeline: nil)
    }

    private func text(_ name: String) -> String {
        String(decoding: Files.read(folder + "/" + name, maximum: 1 << 22) ?? [], as: UTF8.self)
    }

    /// Runs to the end: exit code, stdout, stderr.
    private func run(_ arguments: String) async throws -> (exit: ProcessExit, out: String, error: String) {
        let child = try start(arguments)
        let exit = await child.exit()
        return (exit, text("run.out"), text("run.err"))
    }

    private func eventually<Value>(_ seconds: Int = 30, _ probe: () throws -> Value?) async throws -> Value {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let value = try probe() { return value }
            try #require(ContinuousClock.now < deadline, "it did not come about in \(seconds) s: \(text("up.err"))")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func running(_ directory: String) async throws -> NetworkDocument {
        try await eventually { (try? NetworkDocument.load(directory)).flatMap { $0.state == .running ? $0 : nil } }
    }

    private func isGone(_ pid: Int) -> Bool { !ProcessTable.isRunning(pid) }

    @Test("help goes to stdout with 0, what the parser refuses to stderr with 2")
    func usage() async throws {
        let help = try await run("up --help")
        #expect(help.exit == .code(0) && help.out.contains("--detach") && help.error.isEmpty)
        let wrong = try await run("up --relayers many")
        #expect(wrong.exit == .code(2) && wrong.out.isEmpty && wrong.error.contains("many"))
        let enveloped = try await run("up --relayers many --json")
        #expect(enveloped.exit == .code(2))
        let json = try JSON.parse(enveloped.out)
        #expect(json["ok"] == false && json["command"] == "up" && json["error"]?["code"] == "usage")
        let unknown = try await run("frobnicate")
        #expect(unknown.exit == .code(2))
        Files.removeTree(folder)
    }

    @Test("a failure is one envelope on stdout and one line on stderr, with 1")
    func failure() async throws {
        let result = try await run("status --json --network /nowhere")
        #expect(result.exit == .code(1))
        let json = try JSON.parse(result.out)
        #expect(json.asObject?.names == ["ok", "command", "error"])
        #expect(json["error"]?["code"] == "networkMissing")
        #expect(json["error"]?["hint"]?.asString?.contains("causeway up") == true)
        #expect(result.error.hasPrefix("error: no local network at /nowhere"))
        let relayers = try await run("up --relayers 5")
        #expect(relayers.exit == .code(1) && relayers.error.contains("N = 3F + 1"))
        Files.removeTree(folder)
    }

    @Test("up starts chains and contracts, tells of them in JSON, and Ctrl-C leaves nothing behind")
    func up() async throws {
        let child = try start("up --no-relayers --json", "up")
        let out = try await eventually { try? JSON.parse(text("up.out")) }
        #expect(out["ok"] == true && out["command"] == "up")
        let document = try NetworkDocument(json: try #require(out["data"]))
        #expect(document.chains.map(\.name) == ["ethereum", "jovay"])
        #expect(document.chains[0].contracts?.router != document.chains[1].contracts?.router)
        #expect(try NetworkDocument.load(document.dataDirectory) == document)
        #expect(document.chains.allSatisfy { ProcessTable.isRunning($0.pid) })
        child.signal(SIGINT)
        #expect(await child.exit() == .code(0))
        #expect(document.chains.allSatisfy { isGone($0.pid) })
        #expect(!Files.exists(document.dataDirectory), "a temporary network takes its files away")
        #expect(text("up.err").contains("nothing is left running"))
        Files.removeTree(folder)
    }

    @Test("kill -9 of the supervisor ends its children too")
    func orphaned() async throws {
        let child = try start("up --no-relayers --data-dir \(folder)/net", "up")
        let document = try await running(folder + "/net")
        // Only this one process, not its group: the children must see it by themselves.
        #expect(kill(child.pid, SIGKILL) == 0)
        #expect(await child.exit() == .signal(SIGKILL))
        for chain in document.chains { _ = try await eventually { isGone(chain.pid) ? true : nil } }
        #expect(!document.isSupervised)
        let status = try await run("status --network \(folder)/net")
        #expect(status.exit == .code(6))
        Files.removeTree(folder)
    }

    @Test("a network in the background is found, refuses a second one in its folder, and is brought down")
    func detached() async throws {
        let started = try await run("up --detach --no-relayers --json --data-dir \(folder)/net")
        #expect(started.exit == .code(0), "\(started.error)")
        let document = try NetworkDocument(json: try #require(JSON.parse(started.out)["data"]))
        let second = try await run("up --no-relayers --data-dir \(folder)/net")
        #expect(second.exit == .code(1) && second.error.contains("already runs"))
        let down = try await run("down --json")
        #expect(down.exit == .code(0), "\(down.error)")
        #expect(try JSON.parse(down.out)["data"]?["orderly"] == true)
        // Its parent has ended, so it is the system that takes the last trace of it away, a moment later.
        for pid in [document.pid] + document.chains.map(\.pid) { _ = try await eventually { isGone(pid) ? true : nil } }
        #expect(try NetworkDocument.load(folder + "/net").state == .stopped)
        let again = try await run("down --network \(folder)/net")
        #expect(again.exit == .code(1))
        Files.removeTree(folder)
    }

    @Test("a chain that dies ends the network with 1 and says so")
    func deadChain() async throws {
        let child = try start("up --no-relayers --data-dir \(folder)/net", "up")
        let document = try await running(folder + "/net")
        #expect(kill(pid_t(document.chains[1].pid), SIGKILL) == 0)
        #expect(await child.exit() == .code(1))
        #expect(text("up.err").contains("chain jovay ended with signal 9"))
        #expect(document.chains.allSatisfy { isGone($0.pid) })
        Files.removeTree(folder)
    }

    @Test("one chain by itself says where it listens, and refuses a port in use")
    func chain() async throws {
        let child = try start("chain --profile jovay --port 0 --json", "chain")
        let out = try await eventually { try? JSON.parse(text("chain.out")) }
        #expect(out["data"]?["chainId"] == 2_019_775)
        let port = try #require(out["data"]?["rpc"]?.asString?.split(separator: ":").last.flatMap { Int($0) })
        #expect(await HTTPProbe.get(port: port, path: "/ready")?.status == 200)
        let second = try await run("chain --port \(port)")
        #expect(second.exit == .code(1) && second.error.contains("\(port)"))
        let foreign = try await run("chain --profile moon")
        #expect(foreign.exit == .code(1) && foreign.error.contains("ethereum, jovay"))
        child.signal(SIGTERM)
        #expect(await child.exit() == .code(0))
        Files.removeTree(folder)
    }

    @Test("deploy puts everything onto two chains by RPC, and a second run changes nothing")
    func deploy() async throws {
        var ports: [Int] = []
        var chains: [ChildProcess] = []
        for name in ["ethereum", "jovay"] {
            chains.append(try start("chain --profile \(name) --localnet --port 0 --json", name))
            let out = try await eventually { try? JSON.parse(text("\(name).out")) }
            ports.append(try #require(out["data"]?["rpc"]?.asString?.split(separator: ":").last.flatMap { Int($0) }))
        }
        let yaml = (DeploymentFileTests.text + DeploymentFileTests.rmn)
            .replacing("127.0.0.1:1\"", with: "127.0.0.1:\(ports[0])\"").replacing("127.0.0.1:2\"", with: "127.0.0.1:\(ports[1])\"")
        try Files.write(yaml, to: folder + "/d.yaml")
        let owner = try Mnemonic(Mnemonic.developmentText).account(3)
        let sealed = try KeyFile.sealed(owner, password: Secret(Bytes("pw".utf8)), work: .light)
        try Files.write(sealed.json.pretty, to: folder + "/deployer.json", mode: 0o600)
        try Files.write("pw\n", to: folder + "/password", mode: 0o600)
        let first = try await run("deploy \(folder)/d.yaml --poll 20 --json --write \(folder)/out.json")
        #expect(first.exit == .code(0), "\(first.error)")
        let state = Files.read(folder + "/d.yaml.state.json", maximum: 1 << 22)
        #expect(!Files.exists(folder + "/d.yaml.addresses.json"))
        let written = try JSON.parse(try #require(Files.read(folder + "/out.json", maximum: 1 << 22)))
        #expect(written["chains"]?.asArray?.map { $0["name"] } == ["ethereum", "jovay"])
        #expect(written["chains"]?[0]?["contracts"]?["rmnRemote"]?.asString?.count == 42)
        #expect(try JSON.parse(first.out)["data"]?["addresses"] == .string(folder + "/out.json"))
        let second = try await run("deploy \(folder)/d.yaml --poll 20 --json --write \(folder)/out.json")
        #expect(second.exit == .code(0) && second.out == first.out)
        #expect(Files.read(folder + "/d.yaml.state.json", maximum: 1 << 22) == state)
        let deployed = try JSON.parse(first.out)["data"]?["chains"]?[1]
        #expect(deployed?["contracts"]?["receiver"] == nil)
        #expect(deployed?["tokens"]?.asArray?.count == 2)
        for chain in chains { await chain.stop() }
        Files.removeTree(folder)
    }
}
