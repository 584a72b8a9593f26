// causeway cluster: all relayers and guards of a folder, until they are told to end; or in the background.

import ArgumentParser
import Ethereum
import Glibc
import Localnet

struct ClusterCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Start all relayers and guards of a folder under one supervisor.",
        discussion: """
            DIR is what `causeway adopt` wrote, or any folder with a cluster.yaml, relayer files and their keys on this
            machine. A process for each relayer (both roles) and for each guard; a process that ends by itself is started
            again. Says `ready` when all are, Ctrl-C ends all of them. The chains are not started here.

            Examples:
              causeway cluster ./cluster
              causeway cluster ./cluster --detach --json
              causeway status --network ./cluster
              causeway down --network ./cluster
            """)

    @Argument(help: "The folder.")
    var directory: String

    @Flag(name: .long, help: "Return when all are ready and leave them running; causeway down ends them.")
    var detach = false

    @Flag(name: .long, help: "A process for each role of a relayer instead of one for both.")
    var split = false

    @Flag(name: .long, help: "Leave a process that ends by itself as it is.")
    var noRestart = false

    @Option(name: .long, help: ArgumentHelp("Give up when not all are ready after so long.", valueName: "seconds"))
    var timeout = 120

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...3_600).contains(timeout) else { throw ValidationError("--timeout is from 1 to 3600 s") }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let folder = try ClusterFolder(directory)
        if detach { return try await startInBackground(folder, out) }
        var options = ClusterOptions(directory: folder.directory, members: folder.members(oneForEachRole: split))
        options.restarts = !noRestart
        options.readySeconds = timeout
        let signals = Signals()
        let document = folder.document()
        let starting = Task { [options] in
            try await ClusterNetwork.start(options, document: document) { out.talk($0) }
        }
        // Until the cluster stands, a signal breaks the start off; afterwards it ends the cluster.
        let wish = Task {
            let number = await signals.first()
            out.talk("\(Signals.name(number)): ending the cluster")
            starting.cancel()
            return number
        }
        let network = try await starting.value
        let ready = await network.document
        out.data(ready.json) { Self.text(ready) }
        let stop = Task {
            _ = await wish.value
            await network.stop()
        }
        for await event in network.events {
            switch event {
            case .ended(let member, let exit, let log, let lines):
                out.warn("\(member.label) ended with \(exit); its log: \(log)")
                for line in lines.suffix(4) { out.talk("    \(line)") }
            case .restarted(let member, let pid):
                out.talk("\(member.label) was started again as process \(pid)")
            }
        }
        await stop.value
        out.talk("ended, nothing is left running")
        return .done
    }

    /// The last line is `ready in N s`.
    static func text(_ document: NetworkDocument) -> String {
        var table = Table(["relayer", "pid", "committing", "executing", "event feed"], indent: 2)
        for relayer in document.relayers {
            let pids = Set(NetworkDocument.roles.compactMap { relayer.pids[$0] }).sorted()
            table.add(
                relayer.name, pids.map { "\($0)" }.joined(separator: " "), "http://127.0.0.1:\(relayer.ports.committingHTTP)",
                "http://127.0.0.1:\(relayer.ports.executingHTTP)", "tcp://127.0.0.1:\(relayer.ports.eventFeed)")
        }
        for node in document.guards {
            table.add(node.name, node.pid.map { "\($0)" } ?? "-", "http://127.0.0.1:\(node.ports.http)", "", "")
        }
        let chains = document.chains.map { "\($0.name) (\($0.chainID))" }.joined(separator: ", ")
        return "cluster in \(document.dataDirectory) for \(chains)\n\n" + table.text()
            + "\nready in \(document.readySeconds ?? "?") s\n"
    }

    // MARK: In the background

    private func startInBackground(_ folder: ClusterFolder, _ out: CommandOutput) async throws -> ExitStatus {
        guard let executable = ProjectFiles.executable else {
            throw CommandFailure("spawnFailed", "the path of this program is not known")
        }
        if let holder = DataDirectoryLock.holder(folder.directory) {
            throw LocalnetError(
                .networkRunning, "a cluster already runs in \(folder.directory) (process \(holder))",
                hint: "stop it: causeway down --network \(folder.directory)")
        }
        try Files.makeDirectory(folder.directory + "/logs")
        Files.remove(folder.directory + "/" + NetworkDocument.fileName)
        let log = folder.directory + "/logs/cluster.txt"
        var arguments = ["cluster", folder.directory, "--timeout", "\(timeout)"]
        if split { arguments.append("--split") }
        if noRestart { arguments.append("--no-restart") }
        out.talk("starting in the background, output in \(log)")
        let child = try ChildProcess(
            name: "causeway cluster", executable: executable, arguments: arguments, logPath: log, lifeline: nil,
            newSession: true)
        // The cluster has its own deadline and ends by itself when it misses it.
        while true {
            if let exit = child.exitStatus {
                throw CommandFailure(
                    "processExited",
                    "the cluster ended with \(exit):\n    " + child.logTail.joined(separator: "\n    "),
                    hint: "its output: \(child.logPath)")
            }
            if let document = try? NetworkDocument.load(folder.directory), document.state == .running {
                out.data(document.json) { Self.text(document) }
                return .done
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
