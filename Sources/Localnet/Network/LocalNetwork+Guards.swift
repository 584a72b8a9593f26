// Guards beside the relayers of a local network: keys, files and processes. What they judge is their own business.

import Ethereum
import Glibc

extension LocalNetwork {
    // MARK: Keys and contracts

    func guardKeys() throws(LocalnetError) -> [LocalGuardKeys] {
        var result: [LocalGuardKeys] = []
        for index in 0..<options.guards {
            let folder = keyDirectory("guard-\(index)")
            do {
                result.append(
                    try LocalGuardKeys(index: index, origin: options.keys) { name in
                        try SealedKeyFile.secret(in: folder, name, password: Self.password)
                    })
            } catch {
                throw LocalnetError(
                    .fileFailed, "the keys of guard \(index) in \(folder): \(error)",
                    hint: "restore the folder, or delete it to get new keys")
            }
        }
        return result
    }

    /// What went wrong, if anything.
    nonisolated func seal(_ keys: [LocalGuardKeys]) async -> LocalnetError? {
        await withTaskGroup(of: LocalnetError?.self) { group in
            for key in keys {
                let folder = keyDirectory(key.name)
                group.addTask {
                    do throws(LocalnetError) {
                        try key.write(to: folder, password: Self.password)
                        return nil
                    } catch { return error }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
    }

    /// What the contracts are told of the guards; nil without guards.
    func blessing(_ keys: [LocalGuardKeys]) -> DeploymentRequest.Blessing? {
        guard !keys.isEmpty else { return nil }
        return DeploymentRequest.Blessing(
            signers: keys.enumerated().map { .init(account: $1.signer.address, nodeIndex: UInt64($0)) },
            lanes: options.blessedLanes ?? .all)
    }

    // MARK: Files

    func writeGuards(_ guards: [(keys: LocalGuardKeys, ports: GuardPorts)], to folder: String) throws(LocalnetError) {
        for (index, (keys, ports)) in guards.enumerated() {
            let path = "\(folder)/\(keys.name).yaml"
            let file = GuardDocument(
                comment: "\(keys.name) of the cluster that `causeway up` started. Written on each start.",
                name: keys.name, folder: "../\(keys.name)",
                endpoints: document.chains.map { ($0.name, [$0.webSocket]) }, httpPort: ports.http,
                pollMilliseconds: 250, logLevel: options.logLevel)
            try Files.write(file.text, to: path)
            document.guards.append(
                .init(
                    index: index, name: keys.name, config: path, ports: ports,
                    log: "\(directory)/logs/\(keys.name).log", signer: keys.signer.address))
        }
    }

    // MARK: Processes

    func startGuard(_ index: Int) throws(LocalnetError) {
        guard document.guards.indices.contains(index) else {
            throw LocalnetError(
                .unknownRelayer, "there is no guard \(index)",
                hint: document.guards.isEmpty
                    ? "this network has none: causeway up --guards N" : "guards are 0 to \(document.guards.count - 1)")
        }
        let node = document.guards[index]
        let child = try ChildProcess(
            name: node.name, executable: executable, arguments: ["guard", "--config", node.config], logPath: node.log,
            lifeline: lifeline)
        guards[index] = child
        document.guards[index].pid = Int(child.pid)
        watch(child) { network, exit in await network.guardEnded(index, child, exit) }
    }

    func guardsReady() async throws(LocalnetError) {
        for (index, child) in guards.sorted(by: { $0.key < $1.key }) {
            try await ready(child, port: document.guards[index].ports.http)
        }
    }

    /// Sends a signal to one guard, as a test or an operator would. Its end is then no event.
    package func kill(guard index: Int, signal: Int32 = SIGKILL) async throws(LocalnetError) {
        guard let child = guards[index] else {
            throw LocalnetError(.unknownRelayer, "guard \(index) is not running")
        }
        expected.insert(child.pid)
        child.signal(signal)
        _ = await child.exit()
        document.guards[index].pid = nil
        try document.write()
    }

    /// Starts a guard that has ended, and waits until it is ready.
    package func restart(guard index: Int) async throws(LocalnetError) {
        guard guards[index]?.isRunning != true else {
            throw LocalnetError(.networkRunning, "guard \(index) is still running")
        }
        try startGuard(index)
        try document.write()
        if let child = guards[index] { try await ready(child, port: document.guards[index].ports.http) }
    }

    private func guardEnded(_ index: Int, _ child: ChildProcess, _ exit: ProcessExit) {
        guard !isStopping, expected.remove(child.pid) == nil else { return }
        hadFailures = true
        if document.guards[index].pid == Int(child.pid) { document.guards[index].pid = nil }
        var events: [NetworkEvent] = [
            .guardEnded(index: index, exit, log: child.logPath, lastLines: child.logTail)
        ]
        do {
            if options.restartsRelayers, document.state == .running {
                try startGuard(index)
                events.append(.guardRestarted(index: index, pid: document.guards[index].pid ?? 0))
            }
            // Whoever hears of the event finds it in the file.
            try document.write()
        } catch { report("guard-\(index): \(error)") }
        for event in events { continuation.yield(event) }
    }
}
