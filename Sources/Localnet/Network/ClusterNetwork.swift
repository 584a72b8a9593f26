// Runs the relayers and guards of one folder under one supervisor: start, readiness, ends, and that nothing is left
// behind. Chains are somebody else's; what a process does is its own business.

import Ethereum
import Glibc

/// One process of a cluster.
package struct ClusterMember: Sendable, Equatable {
    /// Of the relayer or guard.
    package var name: String
    /// committing, executing, both or guard.
    package var role: String
    package var arguments: [String]
    /// HTTP ports that must answer /ready.
    package var ports: [Int]

    package init(name: String, role: String, arguments: [String], ports: [Int]) {
        self.name = name
        self.role = role
        self.arguments = arguments
        self.ports = ports
    }

    package var label: String { role == "both" || role == "guard" ? name : "\(name) \(role)" }
}

package enum ClusterEvent: Sendable {
    case ended(ClusterMember, ProcessExit, log: String, lastLines: [String])
    case restarted(ClusterMember, pid: Int)
}

package struct ClusterOptions: Sendable {
    package var directory: String
    package var members: [ClusterMember]
    /// Starts a process again when it ends by itself.
    package var restarts = true
    package var readySeconds = Limits.readySecondsMaximum
    /// The program to start; nil for the running one.
    package var executable: String?

    package init(directory: String, members: [ClusterMember]) {
        self.directory = directory
        self.members = members
    }
}

package actor ClusterNetwork {
    private let options: ClusterOptions
    private let directory: String
    private let executable: String
    private let lifeline: Lifeline
    private let lock: DataDirectoryLock
    private let report: @Sendable (String) -> Void
    private var children: [Int: ChildProcess] = [:]
    /// Ends of each member since the start, for the pause before the next one.
    private var ends: [Int: Int] = [:]
    private var isStopping = false
    private(set) package var document: NetworkDocument
    private let continuation: AsyncStream<ClusterEvent>.Continuation
    /// For one consumer; ends when the cluster is stopped.
    package nonisolated let events: AsyncStream<ClusterEvent>

    private init(
        _ options: ClusterOptions, _ document: NetworkDocument, report: @escaping @Sendable (String) -> Void
    ) throws(LocalnetError) {
        guard let executable = options.executable ?? ProjectFiles.executable else {
            throw LocalnetError(.spawnFailed, "the path of this program is not known")
        }
        self.options = options
        self.executable = executable
        self.report = report
        directory = Files.absolute(options.directory)
        lock = try DataDirectoryLock(directory)
        lifeline = try Lifeline()
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
        self.document = document
        self.document.dataDirectory = directory
        self.document.pid = Int(getpid())
        self.document.startedAt = UInt64(max(0, time(nil)))
        self.document.state = .starting
        self.document.kind = .cluster
    }

    /// Starts all members and returns when all are ready. On a failure nothing is left running, and the error says what
    /// the process that failed wrote last.
    /// - Parameter document: chains, accounts and relayers, as `localnet.json` is to tell them.
    package static func start(
        _ options: ClusterOptions, document: NetworkDocument, report: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(LocalnetError) -> ClusterNetwork {
        let network = try ClusterNetwork(options, document, report: report)
        do {
            try await network.bringUp()
        } catch {
            await network.stop()
            throw error
        }
        return network
    }

    private func bringUp() async throws(LocalnetError) {
        let begun = ContinuousClock.now
        try Files.makeDirectory(directory + "/logs")
        report("starting \(options.members.count) processes in \(directory)")
        for index in options.members.indices { try start(index) }
        try document.write()
        try CurrentNetwork.set(directory)
        let deadline = begun + .seconds(options.readySeconds)
        for index in options.members.indices { try await ready(index, deadline) }
        document.state = .running
        let (seconds, attoseconds) = (ContinuousClock.now - begun).components
        let tenths = seconds * 10 + attoseconds / 100_000_000_000_000_000
        document.readySeconds = "\(tenths / 10).\(tenths % 10)"
        try document.write()
    }

    private func logPath(_ member: ClusterMember) -> String {
        "\(directory)/logs/" + member.label.replacing(" ", with: "-") + ".log"
    }

    private func start(_ index: Int) throws(LocalnetError) {
        let member = options.members[index]
        let child = try ChildProcess(
            name: member.label, executable: executable, arguments: member.arguments, logPath: logPath(member),
            lifeline: lifeline)
        children[index] = child
        note(member, Int(child.pid))
        Task { [weak self] in
            let exit = await child.exit()
            await self?.ended(index, child, exit)
        }
    }

    private func note(_ member: ClusterMember, _ pid: Int?) {
        if member.role == "guard", let place = document.guards.firstIndex(where: { $0.name == member.name }) {
            document.guards[place].pid = pid
            document.guards[place].log = logPath(member)
            return
        }
        guard let place = document.relayers.firstIndex(where: { $0.name == member.name }) else { return }
        for role in NetworkDocument.roles where member.role == role || member.role == "both" {
            document.relayers[place].pids[role] = pid
            document.relayers[place].logs[role] = logPath(member)
        }
    }

    private func ready(_ index: Int, _ deadline: ContinuousClock.Instant) async throws(LocalnetError) {
        let member = options.members[index]
        for port in member.ports {
            var last = "no answer"
            while true {
                guard let child = children[index] else { break }
                if let exit = child.exitStatus {
                    throw LocalnetError(
                        .processExited,
                        "\(member.label) ended with \(exit) before it was ready:\n    "
                            + child.logTail.joined(separator: "\n    "), hint: "its log: \(child.logPath)")
                }
                if let answer = await HTTPProbe.get(port: port, path: "/ready") {
                    if answer.status == 200 { break }
                    last = "\(answer.status) \(answer.body.prefix(300))"
                }
                guard ContinuousClock.now < deadline else {
                    throw LocalnetError(
                        .notReady, "\(member.label) is not ready after \(options.readySeconds) s: \(last)",
                        hint: "its log: \(logPath(member))")
                }
                do { try await Task.sleep(for: .milliseconds(50)) } catch {
                    throw LocalnetError(.notReady, "broken off while \(member.label) was starting")
                }
            }
        }
    }

    private func ended(_ index: Int, _ child: ChildProcess, _ exit: ProcessExit) async {
        guard !isStopping, children[index] === child else { return }
        let member = options.members[index]
        note(member, nil)
        try? document.write()
        continuation.yield(.ended(member, exit, log: child.logPath, lastLines: child.logTail))
        // Before all are ready an end is an error of the start.
        guard options.restarts, document.state == .running else { return }
        let count = ends[index, default: 0]
        ends[index] = count + 1
        // A process that cannot live must not keep the machine busy.
        try? await Task.sleep(for: .milliseconds(min(200 << min(count, 8), 30_000)))
        guard !isStopping else { return }
        do {
            try start(index)
            try document.write()
            continuation.yield(.restarted(member, pid: Int(children[index]?.pid ?? 0)))
        } catch { report("\(member.label): \(error)") }
    }

    /// Ends all processes and keeps their files: the stores are what the relayers must not forget.
    package func stop() async {
        guard !isStopping else { return }
        isStopping = true
        await withTaskGroup(of: Void.self) { group in
            for child in children.values where child.isRunning { group.addTask { await child.stop() } }
        }
        lifeline.close()
        CurrentNetwork.clear(directory)
        document.state = .stopped
        for index in document.relayers.indices { document.relayers[index].pids = [:] }
        for index in document.guards.indices { document.guards[index].pid = nil }
        try? document.write()
        continuation.finish()
    }
}
