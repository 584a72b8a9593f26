import Ethereum
import Foundation
import Glibc
@testable import Localnet
import TestSupport
import Testing

/// The supervisor over real chains and stand-ins for relayers: what it starts, tells of and ends.
@Suite("the local network", .serialized)
struct LocalNetworkTests {
    /// `chain` goes to the built command; `relayer` answers /ready on its HTTP port and does nothing else.
    private func executable(_ folder: String) throws -> String {
        let path = folder + "/stand-in"
        try Files.makeDirectory(folder + "/www")
        try Files.write("ready", to: folder + "/www/ready")
        let chains = PackageRoot.url.appendingPathComponent("chains").path
        let script = """
            #!/bin/sh
            if [ "$1" = chain ]; then CAUSEWAY_CHAINS_DIR=\(chains) exec \(CommandTests.executable) "$@"; fi
            port=$(sed -n "s/^  $5: \\"127.0.0.1:\\([0-9]*\\)\\"/\\1/p" "$3")
            echo "relayer of $3 as $5 on $port"
            exec python3 -m http.server "$port" --bind 127.0.0.1 --directory \(folder)/www
            """
        try Files.write(script, to: path, mode: 0o755)
        return path
    }

    private func options(_ folder: String) throws -> LocalnetOptions {
        try #require(access(CommandTests.executable, X_OK) == 0, "build the package first, or set CAUSEWAY_EXECUTABLE")
        var options = LocalnetOptions()
        options.dataDirectory = folder + "/net"
        options.executable = try executable(folder)
        return options
    }

    @Test("eight relayer processes start, one is killed and started again, and all end")
    func supervised() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let network = try await LocalNetwork.start(options: options(folder))
        let document = await network.document
        let pids = document.relayers.flatMap { relayer in NetworkDocument.roles.compactMap { relayer.pids[$0] } }
        #expect(pids.count == 8 && Set(pids).count == 8 && pids.allSatisfy { ProcessTable.isRunning($0) })
        #expect(document.state == .running)
        #expect(try NetworkDocument.load(document.path) == document)

        try await network.kill(relayer: 2, role: "executing")
        let killed = try #require(document.relayers[2].pids["executing"])
        #expect(!ProcessTable.isRunning(killed))
        #expect(try NetworkDocument.load(document.path).relayers[2].pids["executing"] == nil)
        try await network.restart(relayer: 2, role: "executing")
        let again = try #require(try NetworkDocument.load(document.path).relayers[2].pids["executing"])
        #expect(again != killed && ProcessTable.isRunning(again))
        let twice = await #expect(throws: LocalnetError.self) { try await network.restart(relayer: 2, role: "executing") }
        #expect(twice?.code == .networkRunning)
        let unknown = await #expect(throws: LocalnetError.self) { try await network.restart(relayer: 9, role: "executing") }
        #expect(unknown?.code == .unknownRelayer)

        // An end that nobody asked for is told, with the log's last lines, and nothing is started again.
        let victim = try #require(document.relayers[1].pids["committing"])
        #expect(Glibc.kill(pid_t(victim), SIGKILL) == 0)
        var events = network.events.makeAsyncIterator()
        let event = await events.next()
        guard case .relayerEnded(let index, let role, let exit, _, let lines) = event else {
            Issue.record("expected the end of a relayer, got \(String(describing: event))")
            return
        }
        #expect(index == 1 && role == "committing" && exit == .signal(SIGKILL))
        #expect(lines.first?.contains("relayer-1.yaml") == true)
        #expect(try NetworkDocument.load(document.path).relayers[1].pids["committing"] == nil)

        await network.stop()
        let left = (pids + [again] + document.chains.map(\.pid)).filter { ProcessTable.isRunning($0) }
        #expect(left.isEmpty)
        #expect(try NetworkDocument.load(document.path).state == .stopped)
        #expect(await events.next() == nil)
    }

    @Test("with --restart a relayer that dies comes back")
    func restarted() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        var options = try options(folder)
        options.restartsRelayers = true
        let network = try await LocalNetwork.start(options: options)
        let victim = try #require(await network.document.relayers[3].pids["executing"])
        #expect(Glibc.kill(pid_t(victim), SIGKILL) == 0)
        var events = network.events.makeAsyncIterator()
        _ = await events.next()
        guard case .relayerRestarted(3, "executing", let pid) = await events.next() else {
            Issue.record("the relayer did not come back")
            return
        }
        #expect(pid != victim && ProcessTable.isRunning(pid))
        await network.stop()
        #expect(!ProcessTable.isRunning(pid))
    }

    @Test("a process that dies at the start is told with its last words, and nothing is left behind")
    func stillborn() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let options = try options(folder)
        let path = try #require(options.executable)
        let script = try #require(Files.read(path, maximum: 10_000))
        let broken = String(decoding: script, as: UTF8.self)
            .replacing("exec python3", with: "case $3 in *relayer-3.yaml) echo 'no luck today'; exit 9;; esac; exec python3")
        try Files.write(broken, to: path, mode: 0o755)
        let error = await #expect(throws: LocalnetError.self) { try await LocalNetwork.start(options: options) }
        #expect(error?.code == .processExited)
        #expect(error?.message.contains("no luck today") == true && error?.message.contains("exit code 9") == true)
        let document = try NetworkDocument.load(folder + "/net")
        #expect(document.state == .stopped && !document.isSupervised)
        #expect(document.chains.count == 2 && document.chains.allSatisfy { !ProcessTable.isRunning($0.pid) })
    }

    @Test("what cannot be started is refused before anything is", arguments: [0, 3, 5, 6, 34])
    func refused(_ relayers: Int) async {
        var options = LocalnetOptions()
        options.relayers = relayers
        let error = await #expect(throws: LocalnetError.self) { try await LocalNetwork.start(options: options) }
        #expect(error?.code == .invalidRequest)
    }
}
