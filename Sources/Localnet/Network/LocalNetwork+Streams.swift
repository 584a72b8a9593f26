// The price streams of a local network: four oracles and a gateway beside chains and relayers, which need neither. Started
// first, so that prices are there when the chains are.

import Ethereum
import Glibc
import PriceStreams

/// A key for the API of a local gateway, and the secret that goes with it.
package struct LocalAPIKey: Sendable {
    package var key: String
    package var secret: String

    package init(key: String, secret: String) {
        self.key = key
        self.secret = secret
    }
}

extension LocalNetwork {
    private static let streamOracles = 4
    private static let streamGateways = ["east"]
    private static let apiKeyName = "api-key.json"

    var streamsDirectory: String { directory + "/streams" }

    /// What an earlier run left. Keys stay.
    func removeStreams() {
        for name in Files.names(in: streamsDirectory) {
            let path = "\(streamsDirectory)/\(name)"
            guard Files.exists(path + "/keys") else {
                Files.removeTree(path)
                continue
            }
            for file in Files.names(in: path) where file != "keys" { Files.removeTree(path + "/" + file) }
        }
    }

    // MARK: Keys and files

    /// Nil when the network has none.
    func streamsDocument(_ profiles: [LocalProfile], deployer: Address) throws(LocalnetError) -> StreamsDocument? {
        guard options.runsStreams, let home = profiles.first else { return nil }
        var next = options.portBase + Limits.streamsPortDistance
        func take() throws(LocalnetError) -> Int {
            defer { next += 1 }
            next = try ports.take(from: next)
            return next
        }
        var oracles: [(LocalStreamsKeys, StreamOraclePorts)] = []
        for index in 0..<Self.streamOracles {
            oracles.append((try streamsKeys("oracle-\(index)", isOracle: true), .init(mesh: try take(), http: try take())))
        }
        var gateways: [(String, LocalStreamsKeys, StreamGatewayPorts)] = []
        for name in Self.streamGateways {
            gateways.append(
                (
                    name, try streamsKeys("gateway-" + name, isOracle: false),
                    .init(ingress: try take(), feed: try take(), requests: try take(), http: try take())
                ))
        }
        return StreamsDocument(
            name: "localnet", oracles: oracles, gateways: gateways, feeds: .standard, chainID: home.chainID,
            registrar: .created(by: deployer, nonce: StreamsRegistrar.nonce), registrarRPC: document.chains.first?.rpc,
            logLevel: options.logLevel)
    }

    private nonisolated func streamsKeyDirectory(_ name: String) -> String { "\(directory)/streams/\(name)/keys" }

    private func streamsKeys(_ name: String, isOracle: Bool) throws(LocalnetError) -> LocalStreamsKeys {
        let folder = streamsKeyDirectory(name)
        let existing: (String) throws -> Bytes? = { try SealedKeyFile.secret(in: folder, $0, password: Self.password) }
        do {
            return isOracle
                ? try LocalStreamsKeys(oracle: name, origin: options.keys, existing: existing)
                : try LocalStreamsKeys(gateway: name, origin: options.keys, existing: existing)
        } catch {
            throw LocalnetError(
                .fileFailed, "the keys of \(name) in \(folder): \(error)",
                hint: "restore the folder, or delete it to get new keys")
        }
    }

    /// Seals the keys, while the chains are coming up. What went wrong, if anything.
    private nonisolated func sealStreams(_ keys: [LocalStreamsKeys]) async -> LocalnetError? {
        await withTaskGroup(of: LocalnetError?.self) { group in
            for key in keys {
                let folder = streamsKeyDirectory(key.name)
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

    /// Files, keys, processes.
    func startStreams(_ streams: StreamsDocument) async throws(LocalnetError) {
        let folder = streamsDirectory
        try Files.makeDirectory(folder)
        try Files.makeDirectory(folder + "/" + StreamsDocument.configurations)
        try Files.write(streams.text, to: folder + "/streams.yaml")
        var known = NetworkDocument.Streams(
            config: folder + "/streams.yaml", verifiers: folder + "/verifiers.json", apiKey: nil, oracles: [], gateways: [])
        for (index, (keys, ports)) in streams.oracles.enumerated() {
            let path = "\(folder)/\(keys.name).yaml"
            try Files.write(streams.oracleText(index), to: path)
            known.oracles.append(process(keys.name, path, ports.http))
        }
        for (index, (_, keys, ports)) in streams.gateways.enumerated() {
            let path = "\(folder)/\(keys.name).yaml"
            try Files.write(streams.gatewayText(index), to: path)
            known.gateways.append(
                .init(
                    process: process(keys.name, path, ports.http), feed: ClusterFiles.loopback(ports.feed),
                    requests: ClusterFiles.loopback(ports.requests), api: StreamsDocument.api(ports)))
        }
        let keys = streams.oracles.map(\.keys) + streams.gateways.map(\.keys)
        if let failure = await sealStreams(keys) { throw failure }
        known.apiKey = try await writeAPIKey(known.gateways)
        document.streams = known
        report("starting \(known.oracles.count) stream oracles and \(known.gateways.count) gateway")
        for (_, process) in known.processes { try startStreams(process.name) }
    }

    private func process(_ name: String, _ config: String, _ http: Int) -> NetworkDocument.Streams.Process {
        .init(name: name, config: config, log: "\(directory)/logs/\(name).log", http: http, pid: nil)
    }

    /// One key that opens every gateway. Its file is as private as those of the processes' keys.
    private func writeAPIKey(_ gateways: [NetworkDocument.Streams.Gateway]) async throws(LocalnetError) -> String? {
        guard let make = options.makeAPIKey else { return nil }
        let path = streamsDirectory + "/" + Self.apiKeyName
        let made: LocalAPIKey
        do { made = try await make(gateways.map(\.process.config)) } catch {
            throw LocalnetError(.fileFailed, "the API key of the price streams: \(error)")
        }
        let json: JSON = ["key": .string(made.key), "secret": .string(made.secret)]
        try Files.write(json.pretty, to: path, mode: 0o600)
        return path
    }

    /// Where relayers ask for prices; nil when theirs are fixed. They go on without prices while no gateway answers.
    func streamsAccess() throws(LocalnetError) -> RelayerDocument.Streams? {
        guard options.prices == .streams else { return nil }
        guard let streams = document.streams, streams.apiKey != nil else {
            throw LocalnetError(.invalidRequest, "relayers cannot take prices from streams without a key for their API")
        }
        return .init(origins: streams.gateways.map(\.api), keyFile: "../streams/" + Self.apiKeyName)
    }

    /// Where the reports are verified on each chain, once the contracts stand.
    func writeVerifiers(_ plan: DeploymentPlan) throws(LocalnetError) {
        guard let streams = document.streams else { return }
        var chains = JSONObject()
        for chain in plan.chains {
            guard let contracts = chain.contracts.streams else { continue }
            chains[chain.chain.name] = .object(
                JSONObject(contracts.named.map { ($0.name, .string($0.address.checksummed)) }))
        }
        try Files.write(JSON.object(chains).pretty, to: streams.verifiers)
    }

    // MARK: Processes

    private func startStreams(_ name: String) throws(LocalnetError) {
        guard let known = document.streams, let node = known.processes.first(where: { $0.process.name == name })?.process
        else {
            let names = document.streams?.processes.map(\.process.name).joined(separator: ", ")
            throw LocalnetError(
                .unknownRelayer, "the price streams have no process '\(name)'",
                hint: names ?? "this network has no price streams")
        }
        let role = known.oracles.contains { $0.name == name } ? "oracle" : "gateway"
        let child = try ChildProcess(
            name: name, executable: executable, arguments: ["streams", role, "--config", node.config], logPath: node.log,
            lifeline: lifeline)
        streams[name] = child
        document.streams?.setPID(Int(child.pid), of: name)
        watch(child) { network, exit in await network.streamsEnded(name, child, exit) }
    }

    /// Gateways last: one is ready when every feed has a report.
    func streamsReady() async throws(LocalnetError) {
        for (_, process) in document.streams?.processes ?? [] {
            if let child = streams[process.name] { try await ready(child, port: process.http) }
        }
    }

    /// Sends a signal to one process of the streams, as a test or an operator would. Its end is then no event.
    package func kill(streams name: String, signal: Int32 = SIGKILL) async throws(LocalnetError) {
        guard let child = streams[name] else { throw LocalnetError(.unknownRelayer, "\(name) is not running") }
        expected.insert(child.pid)
        child.signal(signal)
        _ = await child.exit()
        document.streams?.setPID(nil, of: name)
        try document.write()
    }

    /// Starts a process of the streams that has ended, and waits until it is ready.
    package func restart(streams name: String) async throws(LocalnetError) {
        guard streams[name]?.isRunning != true else {
            throw LocalnetError(.networkRunning, "\(name) is still running")
        }
        try startStreams(name)
        try document.write()
        let process = document.streams?.processes.first { $0.process.name == name }?.process
        if let child = streams[name], let process { try await ready(child, port: process.http) }
    }

    private func streamsEnded(_ name: String, _ child: ChildProcess, _ exit: ProcessExit) {
        guard !isStopping, expected.remove(child.pid) == nil else { return }
        hadFailures = true
        let known = document.streams?.processes.first { $0.process.name == name }?.process
        if known?.pid == Int(child.pid) { document.streams?.setPID(nil, of: name) }
        var events: [NetworkEvent] = [.streamsEnded(name: name, exit, log: child.logPath, lastLines: child.logTail)]
        do {
            if options.restartsRelayers, document.state == .running {
                try startStreams(name)
                let pid = document.streams?.processes.first { $0.process.name == name }?.process.pid
                events.append(.streamsRestarted(name: name, pid: pid ?? 0))
            }
            // Whoever hears of the event finds it in the file.
            try document.write()
        } catch { report("\(name): \(error)") }
        for event in events { continuation.yield(event) }
    }
}
