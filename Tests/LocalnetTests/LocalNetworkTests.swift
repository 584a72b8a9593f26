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
            if [ "$1" = streams ]; then
                port=$(sed -n 's/^http: "127.0.0.1:\\([0-9]*\\)"/\\1/p' "$4")
                echo "streams $2 of $4 on $port"
                exec python3 -m http.server "$port" --bind 127.0.0.1 --directory \(folder)/www
            fi
            if [ "$1" = guard ]; then
                port=$(sed -n 's/^http: "127.0.0.1:\\([0-9]*\\)"/\\1/p' "$3")
                echo "guard of $3 on $port"
                exec python3 -m http.server "$port" --bind 127.0.0.1 --directory \(folder)/www
            fi
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
        options.streams = false
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

    @Test("guards start beside the relayers, one dies and comes back, another is stopped by hand, and all end")
    func guarded() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        var options = try options(folder)
        options.guards = 3
        options.blessedLanes = try LaneSelection(["ethereum:jovay"])
        options.restartsRelayers = true
        // What an earlier run with more guards left.
        try Files.makeDirectory(folder + "/net/relayer-config")
        try Files.makeDirectory(folder + "/net/guard-0/keys")
        for stale in ["relayer-config/guard-3.yaml", "guard-0/guard.sqlite", "guard-0/keys/note"] {
            try Files.write("old", to: folder + "/net/" + stale)
        }
        let network = try await LocalNetwork.start(options: options)
        let document = await network.document
        #expect(document.guards.map(\.name) == ["guard-0", "guard-1", "guard-2"])
        #expect(document.guards.allSatisfy { $0.pid.map { ProcessTable.isRunning($0) } == true })
        #expect(document.blessing == .init(faulty: 1, lanes: [.init(from: "ethereum", to: "jovay")]))
        #expect(try NetworkDocument.load(document.path) == document)
        #expect(!Files.exists(folder + "/net/relayer-config/guard-3.yaml"))
        #expect(!Files.exists(folder + "/net/guard-0/guard.sqlite") && Files.exists(folder + "/net/guard-0/keys/note"))
        for name in ["guard-signer.json", "curve-guard.json", "password"] {
            #expect(Files.isPrivate(folder + "/net/guard-2/keys/" + name), "\(name)")
        }

        let victim = try #require(document.guards[1].pid)
        #expect(Glibc.kill(pid_t(victim), SIGKILL) == 0)
        var events = network.events.makeAsyncIterator()
        guard case .guardEnded(1, .signal(SIGKILL), _, let lines) = await events.next() else {
            Issue.record("the end of the guard was not told")
            return
        }
        #expect(lines.first?.contains("guard-1.yaml") == true)
        guard case .guardRestarted(1, let pid) = await events.next() else {
            Issue.record("the guard did not come back")
            return
        }
        #expect(pid != victim && ProcessTable.isRunning(pid))

        try await network.kill(guard: 0)
        #expect(try NetworkDocument.load(document.path).guards[0].pid == nil)
        try await network.restart(guard: 0)
        let unknown = await #expect(throws: LocalnetError.self) { try await network.kill(guard: 3) }
        #expect(unknown?.code == .unknownRelayer)
        let last = await network.document.guards.compactMap(\.pid)
        #expect(last.count == 3)
        await network.stop()
        #expect(last.allSatisfy { !ProcessTable.isRunning($0) })
        #expect(try NetworkDocument.load(document.path).guards.allSatisfy { $0.pid == nil })
    }

    @Test("price streams start before the contracts stand, one dies and comes back, one is stopped by hand, and all end")
    func streams() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        var options = try options(folder)
        options.streams = true
        options.restartsRelayers = true
        options.makeAPIKey = { files in LocalAPIKey(key: "key of \(files.count)", secret: "secret") }
        // What an earlier run left: files go, keys stay.
        try Files.makeDirectory(folder + "/net/streams/oracle-0/keys")
        try Files.makeDirectory(folder + "/net/streams/oracle-9")
        for stale in ["oracle-0/store.sqlite", "oracle-0/keys/note", "oracle-9/store.sqlite", "oracle-9.yaml"] {
            try Files.write("old", to: folder + "/net/streams/" + stale)
        }
        let network = try await LocalNetwork.start(options: options)
        let document = await network.document
        let streams = try #require(document.streams)
        let names = streams.processes.map(\.process.name)
        #expect(names == ["oracle-0", "oracle-1", "oracle-2", "oracle-3", "gateway-east"])
        #expect(streams.processes.allSatisfy { $0.process.pid.map { ProcessTable.isRunning($0) } == true })
        #expect(try NetworkDocument.load(document.path) == document)
        #expect(!Files.exists(folder + "/net/streams/oracle-9") && !Files.exists(folder + "/net/streams/oracle-9.yaml"))
        #expect(!Files.exists(folder + "/net/streams/oracle-0/store.sqlite"))
        #expect(Files.exists(folder + "/net/streams/oracle-0/keys/note"))
        for name in ["report-signer.json", "offchain.json", "curve-streams.json", "password"] {
            #expect(Files.isPrivate(folder + "/net/streams/oracle-3/keys/" + name), "\(name)")
        }
        #expect(Files.names(in: folder + "/net/streams/gateway-east/keys").sorted() == ["curve-streams.json", "password"])
        let key = try #require(streams.apiKey)
        #expect(Files.isPrivate(key))
        #expect(try JSON.parse(#require(Files.read(key, maximum: 1_000))) == ["key": "key of 1", "secret": "secret"])
        let verifiers = try JSON.parse(#require(Files.read(streams.verifiers, maximum: 10_000)))
        for chain in document.chains {
            let contracts = try #require(chain.contracts?.streams)
            #expect(verifiers[chain.name]?["verifierProxy"]?.asString == contracts.verifierProxy.checksummed)
            #expect(verifiers[chain.name]?["verifier"]?.asString == contracts.verifier.checksummed)
        }

        let victim = try #require(streams.oracles[1].pid)
        #expect(Glibc.kill(pid_t(victim), SIGKILL) == 0)
        var events = network.events.makeAsyncIterator()
        guard case .streamsEnded("oracle-1", .signal(SIGKILL), _, let lines) = await events.next() else {
            Issue.record("the end of the oracle was not told")
            return
        }
        #expect(lines.first?.contains("oracle-1.yaml") == true)
        guard case .streamsRestarted("oracle-1", let pid) = await events.next() else {
            Issue.record("the oracle did not come back")
            return
        }
        #expect(pid != victim && ProcessTable.isRunning(pid))
        try await network.kill(streams: "gateway-east")
        #expect(try NetworkDocument.load(document.path).streams?.gateways[0].process.pid == nil)
        try await network.restart(streams: "gateway-east")
        let unknown = await #expect(throws: LocalnetError.self) { try await network.restart(streams: "gateway-west") }
        #expect(unknown?.code == .unknownRelayer)
        let last = await network.document.streams?.processes.compactMap(\.process.pid) ?? []
        #expect(last.count == 5)
        await network.stop()
        #expect(last.allSatisfy { !ProcessTable.isRunning($0) })
        #expect(try NetworkDocument.load(document.path).streams?.processes.allSatisfy { $0.process.pid == nil } == true)
    }

    @Test("guards that cannot be are refused before anything is started")
    func refusedGuards() async throws {
        var many = LocalnetOptions()
        many.guards = 33
        var lanes = LocalnetOptions()
        lanes.blessedLanes = .all
        var foreign = LocalnetOptions()
        foreign.guards = 1
        foreign.blessedLanes = try LaneSelection(["ethereum:moon"])
        for (options, says) in [(many, "33 guards"), (lanes, "no guards"), (foreign, "'moon'")] {
            let error = await #expect(throws: LocalnetError.self) { try await LocalNetwork.start(options: options) }
            #expect(error?.code == .invalidRequest && error?.message.contains(says) == true, "\(error?.message ?? "")")
        }
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
