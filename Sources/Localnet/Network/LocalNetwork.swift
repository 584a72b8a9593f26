// Starts a whole network on this machine, keeps its processes together, ends all of them. What a process does is its own
// business; what is deployed is Deployment's.

import CCIP
import Configuration
import Ethereum
import Glibc
import Logging

/// What happens in a running network that nobody asked for.
package enum NetworkEvent: Sendable {
    /// A relayer process ended by itself; the others go on.
    case relayerEnded(index: Int, role: String, ProcessExit, log: String, lastLines: [String])
    case relayerRestarted(index: Int, role: String, pid: Int)
    case guardEnded(index: Int, ProcessExit, log: String, lastLines: [String])
    case guardRestarted(index: Int, pid: Int)
    /// A chain ended: the network cannot go on.
    case chainEnded(name: String, ProcessExit, log: String, lastLines: [String])
    /// The attestation service ended: USDC waits, everything else goes on.
    case attesterEnded(ProcessExit, log: String, lastLines: [String])
    /// An oracle or gateway of the price streams ended by itself; the others go on.
    case streamsEnded(name: String, ProcessExit, log: String, lastLines: [String])
    case streamsRestarted(name: String, pid: Int)
}

package actor LocalNetwork {
    let options: LocalnetOptions
    let directory: String
    let executable: String
    let report: @Sendable (String) -> Void
    let lifeline: Lifeline
    let ports = Ports()
    private let lock: DataDirectoryLock
    private let isTemporary: Bool

    private var chains: [ChildProcess] = []
    private var relayers: [RelayerSlot: ChildProcess] = [:]
    /// By index; LocalNetwork+Guards.swift is theirs.
    var guards: [Int: ChildProcess] = [:]
    var attester: ChildProcess?
    /// By name; LocalNetwork+Streams.swift is theirs.
    var streams: [String: ChildProcess] = [:]
    /// Ends that we brought about ourselves are no events.
    var expected: Set<pid_t> = []
    private(set) var isStopping = false
    /// Something ended that should not have: its log is worth keeping.
    var hadFailures = false
    package internal(set) var document: NetworkDocument
    let continuation: AsyncStream<NetworkEvent>.Continuation
    /// For one consumer; ends when the network is stopped.
    package nonisolated let events: AsyncStream<NetworkEvent>

    struct RelayerSlot: Hashable, Sendable {
        let index: Int
        let role: String
        var name: String { "relayer-\(index) \(role)" }
    }

    private init(
        options: LocalnetOptions, report: @escaping @Sendable (String) -> Void
    ) throws(LocalnetError) {
        try options.validate()
        self.options = options
        self.report = report
        guard let executable = options.executable ?? ProjectFiles.executable else {
            throw LocalnetError(.spawnFailed, "the path of this program is not known")
        }
        self.executable = executable
        isTemporary = options.dataDirectory == nil
        if let named = options.dataDirectory {
            try Files.makeDirectory(named)
            directory = Files.absolute(named)
        } else {
            directory = try Files.makeTemporaryDirectory(prefix: "causeway-")
        }
        lock = try DataDirectoryLock(directory)
        lifeline = try Lifeline()
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
        document = NetworkDocument(
            state: .starting, pid: Int(getpid()), startedAt: UInt64(max(0, time(nil))), dataDirectory: directory,
            chains: [], accounts: [], relayers: [])
    }

    /// Starts everything and returns when it is ready. On a failure nothing is left behind, and the error says what the
    /// process that failed wrote last.
    package static func start(
        options: LocalnetOptions, report: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(LocalnetError) -> LocalNetwork {
        let network = try LocalNetwork(options: options, report: report)
        do {
            try await network.bringUp()
        } catch {
            await network.stop(keepingFiles: true)
            throw error
        }
        return network
    }

    // MARK: Start

    private func bringUp() async throws(LocalnetError) {
        let begun = ContinuousClock.now
        try Files.makeDirectory(directory + "/logs")
        removeLeftovers()
        let profiles = try loadProfiles()
        try options.blessedLanes?.validate(chains: profiles.map(\.name))
        let artifacts = try ProjectFiles.artifacts()
        let accounts = try developmentAccounts()
        document.accounts = accounts.enumerated().map { index, key in
            .init(index: index, address: key.address, privateKey: Hex.encode(key.secret.bytes), isDeployer: index == 0)
        }
        report("starting \(profiles.count) chains in \(directory)")
        for profile in profiles { try startChain(profile) }
        try document.write()
        try CurrentNetwork.set(directory)
        // Sealing keys takes processor time, waiting for chains does not.
        let keys = try relayerKeys(profiles.map(\.name))
        let guardKeys = try guardKeys()
        async let sealing = seal(keys)
        async let sealingGuards = seal(guardKeys)
        let streams = try streamsDocument(profiles, deployer: accounts[0].address)
        if let streams { try await startStreams(streams) }
        let plan = try await deploy(profiles, accounts, artifacts, keys, guardKeys, streams)
        if let failure = await sealing { throw failure }
        if let failure = await sealingGuards { throw failure }
        record(plan)
        try writeVerifiers(plan)
        try startAttester(plan)
        try writeConfiguration(plan, keys, guardKeys, streams)
        try document.write()
        try await attesterReady()
        if options.startsRelayers {
            let guardians = options.guards == 0 ? "" : " and \(options.guards) guards"
            report("starting \(options.relayers) relayers as \(options.relayers * 2) processes\(guardians)")
            for index in 0..<options.relayers {
                for role in NetworkDocument.roles { try startRelayer(RelayerSlot(index: index, role: role)) }
            }
            for node in document.guards { try startGuard(node.index) }
            try document.write()
            try await relayersReady()
            try await guardsReady()
        }
        try await streamsReady()
        document.state = .running
        let (seconds, attoseconds) = (ContinuousClock.now - begun).components
        let tenths = seconds * 10 + attoseconds / 100_000_000_000_000_000
        document.readySeconds = "\(tenths / 10).\(tenths % 10)"
        try document.write()
    }

    /// What an earlier run in this folder left and this one must not find: its chains are gone, so its stores lie.
    private func removeLeftovers() {
        for name in Files.names(in: directory + "/relayer-config") where name.hasPrefix("guard-") {
            Files.remove(directory + "/relayer-config/" + name)
        }
        let members = Files.names(in: directory).filter { $0.hasPrefix("relayer-") || $0.hasPrefix("guard-") }
        for name in members where name != "relayer-config" {
            for file in Files.names(in: directory + "/" + name) where file != "keys" {
                Files.removeTree(directory + "/" + name + "/" + file)
            }
        }
        removeStreams()
        for name in Files.names(in: directory + "/logs") where name.hasSuffix(".log") {
            Files.remove(directory + "/logs/" + name)
        }
    }

    private func loadProfiles() throws(LocalnetError) -> [LocalProfile] {
        var profiles: [LocalProfile] = []
        for name in options.profiles { profiles.append(try LocalProfile.load(name)) }
        return profiles
    }

    private func developmentAccounts() throws(LocalnetError) -> [PrivateKey] {
        do { return try Mnemonic(Mnemonic.developmentText).accounts(count: options.accounts) } catch {
            throw LocalnetError(.invalidRequest, "the development accounts: \(error.message)")
        }
    }

    private func startChain(_ profile: LocalProfile) throws(LocalnetError) {
        let port = try ports.take(from: profile.port)
        let log = directory + "/logs/chain-\(profile.name).log"
        var arguments = [
            "chain", "--profile", profile.path, "--localnet", "--host", "127.0.0.1", "--port", "\(port)",
            "--log-level", options.logLevel,
        ]
        if let milliseconds = options.blockMilliseconds { arguments += ["--block-time", "\(milliseconds)"] }
        let child = try ChildProcess(
            name: "chain \(profile.name)", executable: executable, arguments: arguments, logPath: log,
            lifeline: lifeline)
        chains.append(child)
        document.chains.append(
            .init(
                name: profile.name, displayName: profile.displayName, chainID: profile.chainID,
                selector: profile.selector, rpc: "http://127.0.0.1:\(port)", webSocket: "ws://127.0.0.1:\(port)",
                pid: Int(child.pid), log: log,
                blockMilliseconds: options.blockMilliseconds ?? profile.blockMilliseconds))
        watch(child) { [name = profile.name] network, exit in
            await network.chainEnded(name, child, exit)
        }
    }

    private func deploy(
        _ profiles: [LocalProfile], _ accounts: [PrivateKey], _ artifacts: ContractArtifacts,
        _ keys: [LocalRelayerKeys], _ guardKeys: [LocalGuardKeys], _ streams: StreamsDocument?
    ) async throws(LocalnetError) -> DeploymentPlan {
        let names = profiles.map(\.name)
        let deployer = accounts[0]
        let attesters = try options.tokens.attesters()
        let request = DeploymentRequest(
            chains: profiles.map { profile in
                .init(
                    name: profile.name, chainID: profile.chainID, selector: profile.selector,
                    deployer: deployer.address, nativePriceUSD18: LocalnetEconomy.etherUSD18,
                    gasPriceUSD18: LocalnetEconomy.gasPriceUSD18(wei: profile.baseFeeWei),
                    cctpDomain: options.tokens.needsAttesters ? LocalAttesters.domain(profile) : nil)
            },
            tokens: options.tokens.tokens(chains: names, home: names[0]), oracles: keys.map(\.oracle),
            faulty: (options.relayers - 1) / 3, holders: accounts.map(\.address),
            transmitterFunding: LocalnetEconomy.transmitterFunding, blessing: blessing(guardKeys),
            attesters: attesters, streams: try streams?.contractSide())
        var targets: [String: DeploymentTarget] = [:]
        var endpoints: [RPCDeploymentEndpoint] = []
        for (index, (chain, child)) in zip(document.chains, chains).enumerated() {
            try await ready(child, port: Self.port(of: chain.rpc))
            let endpoint = try RPCDeploymentEndpoint(url: chain.rpc, logger: Logger(label: "localnet"))
            endpoints.append(endpoint)
            // The same nonces would give the same addresses everywhere, and hide who mixes up two chains.
            let nonce = U256(UInt64(index) * Limits.nonceDistance)
            _ = try await endpoint.results([DeploymentCall("anvil_setNonce", [.address(deployer.address), .quantity(nonce)])])
            targets[chain.name] = DeploymentTarget(endpoint: endpoint, key: deployer)
        }
        report("deploying contracts to \(names.joined(separator: " and "))")
        // No state file: the chains are new on each start.
        let plan = try await Deployer(artifacts: artifacts, policy: .local, progress: report).deploy(request, to: targets)
        if let streams, let home = plan.request.chains.first, let target = targets[home.name] {
            try await StreamsRegistrar(
                streams: streams, target: target, chain: home, artifacts: artifacts, progress: report
            ).register()
        }
        for endpoint in endpoints { await endpoint.close() }
        return plan
    }

    private func record(_ plan: DeploymentPlan) {
        document.blessing = plan.request.blessing.map {
            .init(faulty: $0.faulty, lanes: $0.lanes.lanes(of: plan.chains.map(\.chain.name)))
        }
        for (index, chain) in plan.chains.enumerated() where document.chains.indices.contains(index) {
            document.chains[index].contracts = chain.contracts
            document.chains[index].commitDigest = chain.commitDigest
            document.chains[index].executeDigest = chain.executeDigest
            document.chains[index].tokens = plan.request.tokens.compactMap { token in
                chain.contracts.token(token.symbol).map { here in
                    .init(
                        symbol: token.symbol, name: token.name, decimals: token.decimals(on: chain.chain.name),
                        address: here.token, pool: here.pool, poolKind: token.poolKind(on: chain.chain.name))
                }
            }
        }
    }

    // MARK: Relayers

    private func relayerKeys(_ chains: [String]) throws(LocalnetError) -> [LocalRelayerKeys] {
        var result: [LocalRelayerKeys] = []
        for index in 0..<options.relayers {
            let folder = keyDirectory(index)
            do {
                result.append(
                    try LocalRelayerKeys(index: index, chains: chains, origin: options.keys) { name in
                        try LocalRelayerKeys.secret(in: folder, name, password: Self.password)
                    })
            } catch {
                throw LocalnetError(
                    .fileFailed, "the keys of relayer \(index) in \(folder): \(error)",
                    hint: "restore the folder, or delete it to get new keys")
            }
        }
        return result
    }

    /// What went wrong, if anything.
    private nonisolated func seal(_ keys: [LocalRelayerKeys]) async -> LocalnetError? {
        await withTaskGroup(of: LocalnetError?.self) { group in
            for relayer in keys {
                let folder = keyDirectory(relayer.index)
                group.addTask {
                    do throws(LocalnetError) {
                        try relayer.write(to: folder, password: Self.password)
                        return nil
                    } catch { return error }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
    }

    /// Worth nothing, and said so: the keys of a local network guard nothing.
    static let password = "localnet"

    private nonisolated func keyDirectory(_ index: Int) -> String { keyDirectory("relayer-\(index)") }
    nonisolated func keyDirectory(_ member: String) -> String { "\(directory)/\(member)/keys" }

    private func writeConfiguration(
        _ plan: DeploymentPlan, _ keys: [LocalRelayerKeys], _ guardKeys: [LocalGuardKeys], _ streams: StreamsDocument?
    ) throws(LocalnetError) {
        let folder = directory + "/relayer-config"
        try Files.makeDirectory(folder)
        var relayers: [(keys: LocalRelayerKeys, ports: RelayerPorts)] = []
        var next = options.portBase
        for key in keys { relayers.append((key, try RelayerPorts(ports, from: &next))) }
        var guards: [(keys: LocalGuardKeys, ports: GuardPorts)] = []
        for key in guardKeys { guards.append((key, try GuardPorts(ports, from: &next))) }
        let access = try streamsAccess()
        try Files.write(
            try ClusterFiles.cluster(
                name: "localnet", plan: plan, relayers: relayers, guards: guards, attestationAPI: document.attester?.api,
                streams: access == nil ? nil : streams),
            to: folder + "/cluster.yaml")
        let endpoints = document.chains.map { (chain: $0.name, url: $0.webSocket) }
        try writeGuards(guards, to: folder)
        for (key, ports) in relayers {
            let path = "\(folder)/\(key.name).yaml"
            try Files.write(
                ClusterFiles.relayer(
                    keys: key, ports: ports, endpoints: endpoints, logLevel: options.logLevel, streams: access), to: path)
            document.relayers.append(
                .init(
                    index: key.index, name: key.name, config: path, pids: [:], ports: ports,
                    logs: Dictionary(
                        uniqueKeysWithValues: NetworkDocument.roles.map { ($0, logPath(RelayerSlot(index: key.index, role: $0))) }),
                    reportSigner: key.reportSigner.address,
                    transmitters: Dictionary(
                        uniqueKeysWithValues: plan.chains.map(\.chain.name).map { chain in
                            (
                                chain,
                                [
                                    "committing": key.committing[chain]?.address, "executing": key.executing[chain]?.address,
                                ].compactMapValues { $0 }
                            )
                        })))
        }
    }

    private func logPath(_ slot: RelayerSlot) -> String { "\(directory)/logs/relayer-\(slot.index)-\(slot.role).log" }

    private func startRelayer(_ slot: RelayerSlot) throws(LocalnetError) {
        guard document.relayers.indices.contains(slot.index), NetworkDocument.roles.contains(slot.role) else {
            throw LocalnetError(
                .unknownRelayer, "there is no relayer \(slot.index) \(slot.role)",
                hint: "relayers are 0 to \(document.relayers.count - 1), roles committing and executing")
        }
        let child = try ChildProcess(
            name: slot.name, executable: executable,
            arguments: ["relayer", "--config", document.relayers[slot.index].config, "--role", slot.role],
            logPath: logPath(slot), lifeline: lifeline)
        relayers[slot] = child
        document.relayers[slot.index].pids[slot.role] = Int(child.pid)
        watch(child) { network, exit in await network.relayerEnded(slot, child, exit) }
    }

    private func relayersReady() async throws(LocalnetError) {
        for (slot, child) in relayers.sorted(by: { ($0.key.index, $0.key.role) < ($1.key.index, $1.key.role) }) {
            try await ready(child, port: document.relayers[slot.index].ports.http(slot.role))
        }
    }

    /// Sends a signal to one relayer process, as a test or an operator would. Its end is then no event.
    package func kill(relayer index: Int, role: String, signal: Int32 = SIGKILL) async throws(LocalnetError) {
        guard let child = relayers[RelayerSlot(index: index, role: role)] else {
            throw LocalnetError(.unknownRelayer, "relayer \(index) \(role) is not running")
        }
        expected.insert(child.pid)
        child.signal(signal)
        _ = await child.exit()
        document.relayers[index].pids[role] = nil
        try document.write()
    }

    /// Starts one relayer process that has ended, and waits until it is ready.
    package func restart(relayer index: Int, role: String, waitsUntilReady: Bool = true) async throws(LocalnetError) {
        let slot = RelayerSlot(index: index, role: role)
        guard relayers[slot]?.isRunning != true else {
            throw LocalnetError(.networkRunning, "relayer \(index) \(role) is still running")
        }
        try startRelayer(slot)
        try document.write()
        if waitsUntilReady, let child = relayers[slot] {
            try await ready(child, port: document.relayers[index].ports.http(role))
        }
    }

    // MARK: Readiness and ends

    static func port(of url: String) -> Int { url.split(separator: ":").last.flatMap { Int($0) } ?? 0 }

    func ready(_ child: ChildProcess, port: Int) async throws(LocalnetError) {
        let deadline = ContinuousClock.now + .seconds(Limits.readySecondsMaximum)
        var last = "no answer"
        while ContinuousClock.now < deadline {
            if let exit = child.exitStatus {
                throw LocalnetError(
                    .processExited,
                    "\(child.name) ended with \(exit) before it was ready:\n    "
                        + child.logTail.joined(separator: "\n    "), hint: "its log: \(child.logPath)")
            }
            if let answer = await HTTPProbe.get(port: port, path: "/ready") {
                if answer.status == 200 { return }
                last = "\(answer.status) \(answer.body.prefix(300))"
            }
            do { try await Task.sleep(for: .milliseconds(20)) } catch {
                throw LocalnetError(.notReady, "broken off while \(child.name) was starting")
            }
        }
        throw LocalnetError(
            .notReady, "\(child.name) is not ready after \(Limits.readySecondsMaximum) s: \(last)",
            hint: "its log: \(child.logPath)")
    }

    func watch(
        _ child: ChildProcess, _ ended: @escaping @Sendable (LocalNetwork, ProcessExit) async -> Void
    ) {
        Task { [weak self] in
            let exit = await child.exit()
            if let self { await ended(self, exit) }
        }
    }

    /// False while the network is being stopped: then an end is wanted.
    func tellOfEnd(_ event: NetworkEvent) -> Bool {
        guard !isStopping else { return false }
        hadFailures = true
        continuation.yield(event)
        return true
    }

    private func chainEnded(_ name: String, _ child: ChildProcess, _ exit: ProcessExit) {
        _ = tellOfEnd(.chainEnded(name: name, exit, log: child.logPath, lastLines: child.logTail))
    }

    private func relayerEnded(_ slot: RelayerSlot, _ child: ChildProcess, _ exit: ProcessExit) {
        guard !isStopping, expected.remove(child.pid) == nil else { return }
        hadFailures = true
        if document.relayers[slot.index].pids[slot.role] == Int(child.pid) {
            document.relayers[slot.index].pids[slot.role] = nil
        }
        var events: [NetworkEvent] = [
            .relayerEnded(index: slot.index, role: slot.role, exit, log: child.logPath, lastLines: child.logTail)
        ]
        do {
            if options.restartsRelayers, document.state == .running {
                try startRelayer(slot)
                let pid = document.relayers[slot.index].pids[slot.role] ?? 0
                events.append(.relayerRestarted(index: slot.index, role: slot.role, pid: pid))
            }
            // Whoever hears of the event finds it in the file.
            try document.write()
        } catch {
            report("relayer-\(slot.index) \(slot.role): \(error)")
        }
        for event in events { continuation.yield(event) }
    }

    // MARK: End

    /// Ends all processes, relayers first, and takes the files of a temporary network away unless they are to be kept.
    package func stop(keepingFiles: Bool = false) async {
        guard !isStopping else { return }
        isStopping = true
        await end(Array(relayers.values) + Array(guards.values) + Array(streams.values) + (attester.map { [$0] } ?? []))
        await end(chains)
        lifeline.close()
        ports.release()
        CurrentNetwork.clear(directory)
        if isTemporary, !keepingFiles, !hadFailures {
            Files.removeTree(directory)
        } else {
            document.state = .stopped
            for index in document.relayers.indices { document.relayers[index].pids = [:] }
            for index in document.guards.indices { document.guards[index].pid = nil }
            document.attester?.pid = nil
            for (_, process) in document.streams?.processes ?? [] { document.streams?.setPID(nil, of: process.name) }
            try? document.write()
        }
        lock.release()
        continuation.finish()
    }

    private nonisolated func end(_ children: [ChildProcess]) async {
        await withTaskGroup(of: Void.self) { group in
            for child in children where child.isRunning { group.addTask { await child.stop() } }
        }
    }
}
