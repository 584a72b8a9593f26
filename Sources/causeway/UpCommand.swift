// causeway up: the whole local network, until it is told to end; or in the background.

import ArgumentParser
import Ethereum
import Glibc
import Localnet

struct UpCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start the whole local network: chains, contracts, relayers, guards, price streams.",
        discussion: """
            Ethereum on port 8545 and Jovay on 8546 (or the next free ports), all contracts, four relayers as eight
            processes, four stream oracles and their gateway. Ctrl-C leaves nothing behind. DATA_DIR/localnet.json says everything that the banner says.

            Examples:
              causeway up
              causeway up --json --detach                  in the background; its description on stdout
              causeway up --data-dir ./data --relayers 7
              causeway up --block-time 1000                slower blocks
              causeway up --guards 4                       all lanes take roots that two of four guards have signed
              causeway up --guards 4 --rmn ethereum:jovay  only this lane does
              causeway up --no-streams                     without price streams: less work for a small machine
              causeway up --prices streams                 relayers take prices from the price streams
              causeway up --tokens all                     every kind of token pool, USDC with its attestation service
            """)

    @Flag(name: .long, help: "Return when the network is ready and leave it running; causeway down ends it.")
    var detach = false

    @Option(name: .long, help: "Where files go. A new temporary folder, removed at the end, when not given.")
    var dataDir: String?

    @Option(name: .long, help: "How many relayers: 4, 7, 10 ...")
    var relayers = 4

    @Option(name: .long, help: "How many guards; their F is (N - 1) / 2, and F + 1 of them sign a root.")
    var guards = 0

    @Option(
        name: .long,
        help: ArgumentHelp("Lanes whose roots guards must sign: all, or FROM:TO with commas; all with --guards.", valueName: "lanes"))
    var rmn: String?

    @Option(name: .long, help: ArgumentHelp("Milliseconds between blocks on all chains.", valueName: "ms"))
    var blockTime: Int?

    @Option(name: .long, help: "Chain profiles in the order of their ports, with commas.")
    var chains = "ethereum,jovay"

    @Option(name: .long, help: "standard: LINK and CWT. all: one token of each kind of pool, and an attestation service.")
    var tokens = LocalTokens.standard

    @Flag(name: .long, help: "Random relayer keys instead of those of the development mnemonic.")
    var randomKeys = false

    @Flag(name: .long, help: "No price streams.")
    var noStreams = false

    @Option(name: .long, help: "fixed, or streams: relayers take the prices of ETH, LINK and USDC from the price streams.")
    var prices = LocalPrices.fixed

    @Flag(name: .long, help: "Start a relayer, guard, oracle or gateway again when it ends by itself.")
    var restart = false

    @Flag(name: .long, help: "Chains and contracts only.")
    var noRelayers = false

    @Option(name: .long, help: "Log level of all processes.")
    var logLevel = "info"

    @OptionGroup var output: OutputOptions

    private func localnetOptions() throws -> LocalnetOptions {
        var options = LocalnetOptions()
        options.guards = guards
        options.blessedLanes = try rmn.map { try LaneSelection($0.split(separator: ",").map(String.init)) }
        options.dataDirectory = dataDir
        options.relayers = relayers
        options.blockMilliseconds = blockTime
        options.profiles = chains.split(separator: ",").map(String.init)
        options.keys = randomKeys ? .random : .development
        options.restartsRelayers = restart
        options.tokens = tokens
        options.startsRelayers = !noRelayers
        options.streams = !noStreams
        options.prices = prices
        options.makeAPIKey = { files in try LocalStreamsKey.make(files) }
        options.logLevel = logLevel
        return options
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let options = try localnetOptions()
        try options.validate()
        if detach { return try await startInBackground(out) }
        let signals = Signals()
        let starting = Task {
            try await LocalNetwork.start(options: options) { out.talk($0) }
        }
        // Until the network stands, a signal breaks the start off; afterwards it ends the network.
        let wish = Task {
            let number = await signals.first()
            out.talk("\(Signals.name(number)): ending the network")
            starting.cancel()
            return number
        }
        let network = try await starting.value
        if !wish.isCancelled {
            let document = await network.document
            out.data(document.json) { Banner.text(document) }
            if out.isJSON { out.talk("ready in \(document.readySeconds ?? "?") s") }
        }
        let stop = Task {
            _ = await wish.value
            await network.stop()
        }
        let isWhole = await follow(network, out)
        if !isWhole { await network.stop(keepingFiles: true) } else { await stop.value }
        if isWhole { out.talk("ended, nothing is left running") }
        return isWhole ? .done : .error
    }

    /// Tells of ends that nobody asked for, until the network is stopped. False when it cannot go on.
    private func follow(_ network: LocalNetwork, _ out: CommandOutput) async -> Bool {
        for await event in network.events {
            switch event {
            case .relayerEnded(let index, let role, let exit, let log, let lines):
                out.warn("relayer-\(index) \(role) ended with \(exit); its log: \(log)")
                for line in lines.suffix(4) { out.talk("    \(line)") }
            case .relayerRestarted(let index, let role, let pid):
                out.talk("relayer-\(index) \(role) was started again as process \(pid)")
            case .guardEnded(let index, let exit, let log, let lines):
                out.warn("guard-\(index) ended with \(exit); its log: \(log)")
                for line in lines.suffix(4) { out.talk("    \(line)") }
            case .guardRestarted(let index, let pid):
                out.talk("guard-\(index) was started again as process \(pid)")
            case .attesterEnded(let exit, let log, let lines):
                out.warn("the attestation service ended with \(exit), so USDC waits; its log: \(log)")
                for line in lines.suffix(4) { out.talk("    \(line)") }
            case .streamsEnded(let name, let exit, let log, let lines):
                out.warn("\(name) of the price streams ended with \(exit); its log: \(log)")
                for line in lines.suffix(4) { out.talk("    \(line)") }
            case .streamsRestarted(let name, let pid):
                out.talk("\(name) was started again as process \(pid)")
            case .chainEnded(let name, let exit, let log, let lines):
                out.warn("chain \(name) ended with \(exit), so the network ends; its log: \(log)")
                for line in lines { out.talk("    \(line)") }
                return false
            }
        }
        return true
    }

    // MARK: In the background

    private func startInBackground(_ out: CommandOutput) async throws -> ExitStatus {
        guard let executable = ProjectFiles.executable else {
            throw CommandFailure("spawnFailed", "the path of this program is not known")
        }
        let directory: String
        if let dataDir {
            try Files.makeDirectory(dataDir)
            directory = Files.absolute(dataDir)
        } else {
            directory = try Files.makeTemporaryDirectory(prefix: "causeway-")
        }
        try Files.makeDirectory(directory + "/logs")
        if let holder = DataDirectoryLock.holder(directory) {
            throw LocalnetError(
                .networkRunning, "a network already runs in \(directory) (process \(holder))",
                hint: "stop it: causeway down --network \(directory)")
        }
        Files.remove(directory + "/" + NetworkDocument.fileName)
        let log = directory + "/logs/up.txt"
        out.talk("starting in the background, output in \(log)")
        let child = try ChildProcess(
            name: "causeway up", executable: executable, arguments: backgroundArguments(directory), logPath: log,
            lifeline: nil, newSession: true)
        let document = try await ready(child, directory)
        out.data(document.json) { Banner.text(document) }
        return .done
    }

    private func backgroundArguments(_ directory: String) -> [String] {
        var arguments = [
            "up", "--data-dir", directory, "--relayers", "\(relayers)", "--chains", chains, "--log-level", logLevel,
        ]
        if guards != 0 { arguments += ["--guards", "\(guards)"] }
        if let rmn { arguments += ["--rmn", rmn] }
        if let blockTime { arguments += ["--block-time", "\(blockTime)"] }
        if tokens != .standard { arguments += ["--tokens", tokens.rawValue] }
        if randomKeys { arguments.append("--random-keys") }
        if restart { arguments.append("--restart") }
        if noRelayers { arguments.append("--no-relayers") }
        if noStreams { arguments.append("--no-streams") }
        if prices != .fixed { arguments += ["--prices", prices.rawValue] }
        return arguments
    }

    private func ready(_ child: ChildProcess, _ directory: String) async throws -> NetworkDocument {
        // The network has its own deadlines and ends by itself when it misses them.
        while true {
            if let exit = child.exitStatus {
                throw CommandFailure(
                    "processExited",
                    "the network ended with \(exit):\n    " + child.logTail.joined(separator: "\n    "),
                    hint: "its output: \(child.logPath)")
            }
            if let document = try? NetworkDocument.load(directory), document.state == .running { return document }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

extension LocalTokens: ExpressibleByArgument {}
extension LocalPrices: ExpressibleByArgument {}
