// A whole local network as real processes, started by the command that people type, and what tests ask of it.

import Ethereum
import Foundation
import TestSupport

struct ProcessOutcome {
    var status: Int32
    var output: String
    var errors: String
}

enum Command {
    static let executable = PackageRoot.url.appendingPathComponent(".build/release/causeway").path
    static let python = PackageRoot.url.appendingPathComponent(".venv/bin/python").path

    /// Runs to the end; killed after `timeout` seconds.
    static func run(_ path: String, _ arguments: [String], timeout: Double = 120) throws -> ProcessOutcome {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (out, err) = (folder.appendingPathComponent("out"), folder.appendingPathComponent("err"))
        var child = try Spawned(path, arguments, output: out.path, errors: err.path)
        guard let status = child.wait(seconds: timeout) else {
            child.kill()
            let told = (try? String(contentsOf: err, encoding: .utf8)) ?? ""
            throw Failure("\(path) \(arguments.joined(separator: " ")) did not end within \(timeout) s\n\(told.suffix(2000))")
        }
        return ProcessOutcome(
            status: status, output: try String(contentsOf: out, encoding: .utf8),
            errors: try String(contentsOf: err, encoding: .utf8))
    }

    static func causeway(_ arguments: [String], timeout: Double = 120) throws -> ProcessOutcome {
        try run(executable, arguments, timeout: timeout)
    }
}

/// A child process by plain means: Foundation's takes a process for running while a grandchild holds its socket.
struct Spawned {
    let pid: pid_t
    private var status: Int32?

    init(_ path: String, _ arguments: [String], output: String, errors: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Relative paths are those of the package.
        _ = chdir(PackageRoot.url.path)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var environment = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for entry in environment { free(entry) } }
        var child = pid_t()
        let failure = posix_spawn(&child, path, &actions, nil, &words, &environment)
        guard failure == 0 else { throw Failure("\(path) cannot be started: \(String(cString: strerror(failure)))") }
        pid = child
    }

    /// The exit status (128 and the signal's number when one ended it); nil when it still runs after that time.
    mutating func wait(seconds: Double) -> Int32? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while status == nil {
            var raw: Int32 = 0
            if waitpid(pid, &raw, WNOHANG) == pid {
                let signal = raw & 0x7f
                status = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
            } else if Date() >= deadline {
                return nil
            } else {
                usleep(5_000)
            }
        }
        return status
    }

    mutating func kill() {
        guard status == nil else { return }
        Foundation.kill(pid, SIGKILL)
        _ = wait(seconds: 10)
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A network in a directory of its own. `stop` leaves neither processes nor files.
final class RunningNetwork {
    let directory: URL
    private var started: [Spawned] = []

    var documentPath: String { directory.appendingPathComponent("localnet.json").path }

    /// - Parameter streams: with price streams, which take a good part of a small machine.
    init(_ options: [String] = [], streams: Bool = false) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-net-\(UUID().uuidString.prefix(8))")
        let up = try Command.causeway(["up", "--detach", "--data-dir", directory.path] + options + (streams ? [] : ["--no-streams"]))
        guard up.status == 0 else { throw Failure("causeway up: exit \(up.status)\n\(up.errors)") }
    }

    func stop() {
        for index in started.indices { started[index].kill() }
        _ = try? Command.causeway(["down", "--network", directory.path])
        try? FileManager.default.removeItem(at: directory)
    }

    func document() throws -> JSON { try JSON.parse(Bytes(try Data(contentsOf: URL(fileURLWithPath: documentPath)))) }

    func json(_ arguments: [String], timeout: Double = 120, exits: Int32 = 0) throws -> JSON {
        let outcome = try Command.causeway(arguments + ["--json", "--network", directory.path], timeout: timeout)
        guard outcome.status == exits else {
            throw Failure("\(arguments): exit \(outcome.status) instead of \(exits)\n\(outcome.errors)\n\(outcome.output)")
        }
        return try JSON.parse(Bytes(outcome.output.utf8))
    }

    // MARK: Relayer processes

    func pid(_ relayer: Int, _ role: String) throws -> pid_t {
        guard let value = try document()["relayers"]?.asArray?[relayer]["pids"]?[role]?.asInt else {
            throw Failure("relayer \(relayer) has no \(role) process")
        }
        return pid_t(value)
    }

    func kill9(_ relayer: Int, _ role: String) throws {
        let pid = try pid(relayer, role)
        Foundation.kill(pid, SIGKILL)
        // Its parent reaps it; the document tells.
        let deadline = Date(timeIntervalSinceNow: 10)
        while Foundation.kill(pid, 0) == 0, Date() < deadline { usleep(5_000) }
    }

    /// Starts a process of a relayer again, as an operator would.
    func restart(_ relayer: Int, _ role: String, config: String? = nil) throws {
        guard let path = try config ?? document()["relayers"]?.asArray?[relayer]["config"]?.asString else {
            throw Failure("relayer \(relayer) has no config")
        }
        let log = directory.appendingPathComponent("restart-\(relayer)-\(role)-\(started.count).log").path
        started.append(
            try Spawned(Command.executable, ["relayer", "--config", path, "--role", role], output: log, errors: log))
    }

    /// Ends what `restart` started.
    func stopStarted() {
        for index in started.indices { started[index].kill() }
        started = []
    }

    /// Starts a command that `stop` ends.
    func start(_ arguments: [String], log name: String) throws {
        let log = directory.appendingPathComponent("restart-\(name)-\(started.count).log").path
        started.append(try Spawned(Command.executable, arguments, output: log, errors: log))
    }

    // MARK: Guards

    func guardian(_ index: Int) throws -> JSON {
        guard let node = try document()["guards"]?.asArray?[index] else { throw Failure("there is no guard \(index)") }
        return node
    }

    func killGuard(_ index: Int) throws {
        guard let pid = try guardian(index)["pid"]?.asInt else { throw Failure("guard \(index) does not run") }
        Foundation.kill(pid_t(pid), SIGKILL)
        let deadline = Date(timeIntervalSinceNow: 10)
        while Foundation.kill(pid_t(pid), 0) == 0, Date() < deadline { usleep(5_000) }
    }

    func restartGuard(_ index: Int) throws {
        guard let path = try guardian(index)["config"]?.asString else { throw Failure("guard \(index) has no config") }
        let log = directory.appendingPathComponent("restart-guard-\(index)-\(started.count).log").path
        started.append(try Spawned(Command.executable, ["guard", "--config", path], output: log, errors: log))
    }

    // MARK: Chains

    func chain(_ name: String) throws -> JSON {
        guard let chain = try document()["chains"]?.asArray?.first(where: { $0["name"]?.asString == name }) else {
            throw Failure("no chain \(name)")
        }
        return chain
    }

    /// One JSON-RPC call over HTTP, by curl-like means: no client of ours.
    func call(_ chain: String, _ method: String, _ parameters: [JSON]) throws -> JSON {
        guard let rpc = try self.chain(chain)["rpc"]?.asString, let url = URL(string: rpc) else {
            throw Failure("chain \(chain) has no rpc")
        }
        let body: JSON = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .array(parameters)]
        let answer = try PlainHTTP.post(url, Bytes(body.text.utf8))
        let json = try JSON.parse(answer)
        guard let result = json["result"] else { throw Failure("\(method): \(json.text)") }
        return result
    }

    /// Sequence numbers with their `ExecutionStateChanged` states on `chain`, in log order.
    func executions(on chain: String) throws -> [(sequence: U256, state: Int)] {
        guard let offRamp = try self.chain(chain)["contracts"]?["offRamp"]?.asString else { throw Failure("no offRamp") }
        let topic = keccak256(text: "ExecutionStateChanged(uint64,uint64,bytes32,bytes32,uint8,bytes,uint256)")
        let logs = try call(chain, "eth_getLogs", [[
            "address": .string(offRamp), "fromBlock": "0x0", "toBlock": "latest", "topics": [.hash(topic)],
        ]])
        return try (logs.asArray ?? []).map { log in
            guard let sequence = log["topics"]?.asArray?[2].asString, let data = log["data"]?.asString else {
                throw Failure("a log without topics")
            }
            // messageHash, state, ...: the second word of the data.
            return (try U256(text: sequence), Int(try Hex.decode(data)[63]))
        }
    }

    /// Waits until `count` messages are executed; returns what is there.
    func waitForExecutions(on chain: String, count: Int, timeout: Double) throws -> [(sequence: U256, state: Int)] {
        let deadline = Date(timeIntervalSinceNow: timeout)
        while true {
            let found = try executions(on: chain)
            if Set(found.map(\.sequence)).count >= count { return found }
            guard Date() < deadline else {
                throw Failure("\(Set(found.map(\.sequence)).count) of \(count) messages executed within \(timeout) s")
            }
            usleep(100_000)
        }
    }
}

/// HTTP POST on a plain socket: the tests must not lean on the client they test.
enum PlainHTTP {
    static func get(_ url: String) throws -> String {
        let outcome = try Command.run(
            Command.python, ["-c", "import sys,urllib.request as u;print(u.urlopen(sys.argv[1],timeout=30).read().decode())", url])
        guard outcome.status == 0 else { throw Failure("GET \(url): \(outcome.errors)") }
        return outcome.output
    }

    static func post(_ url: URL, _ body: Bytes) throws -> Bytes {
        let outcome = try Command.run(
            Command.python,
            ["-c", "import sys,urllib.request as u;r=u.Request(sys.argv[1],sys.argv[2].encode(),{'Content-Type':'application/json'});sys.stdout.buffer.write(u.urlopen(r,timeout=30).read())",
             url.absoluteString, String(decoding: body, as: UTF8.self)], timeout: 40)
        guard outcome.status == 0 else { throw Failure("POST \(url): \(outcome.errors)") }
        return Bytes(outcome.output.utf8)
    }
}
