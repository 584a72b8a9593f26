// causeway streams config: how a DON goes from one configuration to the next without an interruption, in the name of the
// contracts' owner. Reports of a configuration must pass at the verifiers before it is promoted; so there is an order.

import ArgumentParser
import CCIP
import ChainAccess
import Configuration
import Ethereum
import Foundation
import JSONRPC
import Localnet
import PriceStreams
import StreamsNode

struct StreamsConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Change the oracles, rules or cadence of a DON without an interruption.",
        discussion: """
            In this order, with the file of the new configuration already beside the running processes'
            (docs/operate/streams.md):

              causeway streams config register green.yaml    its reports pass at the verifiers
              causeway streams config stage green.yaml       its oracles begin to agree, and publish nothing
              causeway streams config promote                it takes over where the present one ends
            """,
        subcommands: [
            StreamsConfigShowCommand.self, StreamsConfigRegisterCommand.self, StreamsConfigStageCommand.self,
            StreamsConfigPromoteCommand.self,
        ])
}

/// In whose name, and on which chain.
struct OwnerOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Which account of the local network owns the contract; the deployer when not given.", valueName: "index"))
    var account: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("A Web3 Secret Storage file with the key of the contract's owner.", valueName: "path"))
    var keyFile: String?

    @OptionGroup var password: PasswordOptions

    @Option(name: .long, help: ArgumentHelp("The chain's endpoint, where it is not a local network's.", valueName: "url"))
    var rpc: String?

    @Option(name: .long, help: ArgumentHelp("Give up waiting after so long.", valueName: "seconds"))
    var timeout = 120

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout is from 1 to 86400 s") }
    }

    func key(_ accounts: [NetworkDocument.Account]) throws -> PrivateKey {
        if let keyFile { return try KeyStore.open(keyFile).openPrivateKey(password: try password.secret()) }
        guard let found = accounts.first(where: { entry in account.map { entry.index == $0 } ?? entry.isDeployer }) else {
            throw CommandFailure(
                "unknownAccount", accounts.isEmpty ? "this network has no accounts of its own" : "no such account",
                hint: "--key-file FILE with the key of the contract's owner", status: .usage)
        }
        return try PrivateKey(hex: found.privateKey)
    }
}

/// A chain that is named by its endpoint, or one of a local network.
struct OwnerChains {
    let chains: [BridgeChain]
    let accounts: [NetworkDocument.Account]

    init(_ streams: StreamsOptions, rpc: String?) async throws {
        guard let rpc else {
            let network = try BridgeNetwork(streams.network.running())
            (chains, accounts) = (network.chains, network.accounts)
            return
        }
        let url = try EndpointURL.parse(rpc)
        let answer = try await RPCClient(url, logger: .silent).call("eth_chainId", [])
        guard let chainID = answer.asUInt64 else {
            throw CommandFailure("malformedAnswer", "\(url) tells no chain id", hint: "is it the endpoint of a chain?")
        }
        chains = [
            try BridgeChain(
                name: "chain \(chainID)", displayName: "chain \(chainID)", chainID: chainID, selector: ChainSelector(0),
                urls: [url], contracts: ChainContracts(), tokens: [], startBlock: 0)
        ]
        accounts = []
    }

    func chain(_ id: UInt64) throws -> BridgeChain {
        guard let found = chains.first(where: { $0.chainID == id }) else {
            throw CommandFailure(
                "unknownChain", "the Configurator is on chain \(id), which is not at hand",
                hint: "there is " + chains.map { "\($0.name) (\($0.chainID))" }.joined(separator: ", ")
                    + "; --rpc URL names another")
        }
        return found
    }
}

/// What the contract says now, by its logs.
struct ConfiguratorState {
    let book: HandoverBook
    let count: UInt64
    /// As `promoteStagingConfig` wants to be told.
    let isGreenProduction: Bool

    static func read(_ settings: StreamsSettings, _ chain: BridgeChain, from block: UInt64) async throws -> Self {
        guard let head = try await chain.endpoints.block(.latest) else {
            throw CommandFailure("noHead", "\(chain.name) shows no block")
        }
        let filter = LogFilter(
            addresses: [settings.configurator.address],
            topics: [ConfiguratorInterface.topics, [StreamsConfigurationDigest.identifier(donID: settings.donID)]])
        let logs = try await chain.endpoints.logs(filter, min(block, head.number)...head.number)
        return try Self(settings, logs)
    }

    // Never inlined, here and below: Swift 6.3 crashes while it splits asynchronous callers that these became a part of.
    @inline(never)
    private init(_ settings: StreamsSettings, _ logs: [ChainLog]) throws {
        var book = HandoverBook(donID: settings.donID, initial: try settings.registered())
        var (count, isGreen) = (UInt64(0), false)
        for log in logs {
            guard let event = try ConfiguratorEvent(topics: log.log.topics, data: log.log.data, donID: settings.donID)
            else { continue }
            switch event {
            case .production(let found), .staging(let found): count = found.count
            case .promoted: isGreen.toggle()
            }
            _ = book.handle(.log(event, at: LogPosition(block: log.blockNumber, index: log.logIndex)))
        }
        (self.book, self.count, isGreenProduction) = (book, count, isGreen)
    }

    @inline(never)
    func promotion(_ donID: UInt32) throws -> Bytes {
        try ConfiguratorInterface.promoteStagingConfig.encodeCall([
            .hash(StreamsConfigurationDigest.identifier(donID: donID)), .bool(isGreenProduction),
        ])
    }

    func json(_ names: [Hash32: String]) -> JSON {
        func entry(_ digest: Hash32?) -> JSON {
            guard let digest else { return .null }
            let known = book.entry(digest)
            return [
                "digest": .string(digest.hex), "name": names[digest].map { .string($0) } ?? .null,
                "count": known.map { .integer($0.configuration.count) } ?? .null,
                "oracles": .integer(known?.configuration.signers.count ?? 0),
                "canTakeOver": .bool(known?.standing == .staging),
            ]
        }
        let isStaged = book.staging.flatMap { book.entry($0)?.standing } == .staging
        return [
            "production": entry(book.production), "staging": entry(isStaged ? book.staging : nil), "count": .integer(count),
        ]
    }
}

struct ConfigBlockOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The first block that can hold a log of the Configurator.", valueName: "number"))
    var fromBlock: UInt64 = 0
}

struct StreamsConfigShowCommand: CausewayCommand {
    static let path = "streams config show"
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "What a DON's Configurator has in production and in staging.",
        discussion: """
            Examples:
              causeway streams config show
              causeway streams config show --config streams.yaml --rpc https://rpc.example --json
            """)

    @OptionGroup var streams: StreamsOptions
    @Option(name: .long, help: ArgumentHelp("The chain's endpoint, where it is not a local network's.", valueName: "url"))
    var rpc: String?
    @OptionGroup var block: ConfigBlockOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let settings = try streams.load()
        let names = try names(settings)
        let chain = try await OwnerChains(streams, rpc: rpc).chain(settings.configurator.chainID)
        let state = try await ConfiguratorState.read(settings, chain, from: block.fromBlock)
        show(state, names, out)
        return .done
    }

    @inline(never)
    private func names(_ settings: StreamsSettings) throws -> [Hash32: String] {
        var names: [Hash32: String] = [:]
        for item in [settings] + (try streams.others(than: settings)) { names[try item.configurationDigest()] = item.name }
        return names
    }

    private func show(_ state: ConfiguratorState, _ names: [Hash32: String], _ out: CommandOutput) {
        out.data(state.json(names)) {
            var table = Table(["", "digest", "name"])
            let isStaged = state.book.staging.flatMap { state.book.entry($0)?.standing } == .staging
            for (what, digest) in [("production", state.book.production), ("staging", isStaged ? state.book.staging : nil)] {
                table.add(what, digest?.hex ?? "none", digest.flatMap { names[$0] } ?? "")
            }
            return table.text()
        }
    }
}

/// A file with what follows from it.
private struct NewConfiguration {
    let settings: StreamsSettings
    let digest: Hash32
    /// For the Configurator, and for a Verifier.
    let registration: Bytes
    let verifierRegistration: Bytes

    @inline(never)
    init(file: String) throws {
        settings = try StreamsSettings(yaml: try SettingsFile.read(file), file: file)
        digest = try settings.configurationDigest()
        registration = try settings.donConfiguration().registration()
        verifierRegistration = try settings.donConfiguration().verifierRegistration()
    }
}

struct StreamsConfigRegisterCommand: CausewayCommand {
    static let path = "streams config register"
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Let reports of a configuration pass at a chain's Verifier, or at all of a local network.",
        discussion: """
            Examples:
              causeway streams config register green.yaml
              causeway streams config register green.yaml --rpc https://rpc.example --verifier 0x... --key-file owner.json
            """)

    @Argument(help: ArgumentHelp("The file of the new configuration.", valueName: "streams.yaml"))
    var file: String
    @Option(name: .long, help: ArgumentHelp("The Verifier, with --rpc.", valueName: "address"))
    var verifier: String?
    @OptionGroup var owner: OwnerOptions
    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (verifier == nil) == (owner.rpc == nil) else { throw ValidationError("--rpc and --verifier go together") }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let new = try NewConfiguration(file: file)
        let owners = try await OwnerChains(streams, rpc: owner.rpc)
        let key = try owner.key(owners.accounts)
        let named = try verifier.map { try Address(hex: $0) }
        var told: [JSON] = []
        for chain in owners.chains {
            guard let contract = named ?? chain.contracts.streams?.verifier else { continue }
            let place = try await OwnerCall(owner: owner, key: key, chain: chain, out: out)
                .send(new.verifierRegistration, to: contract, doing: "register \(new.settings.name) at the Verifier of \(chain.name)")
            told.append(["chain": .string(chain.name), "verifier": .string(contract.checksummed), "transaction": .hash(place)])
        }
        guard !told.isEmpty else {
            throw CommandFailure("verifierMissing", "no Verifier is known", hint: "--rpc URL --verifier ADDRESS")
        }
        out.data(["digest": .string(new.digest.hex), "verifiers": .array(told)]) {
            "\(new.digest) passes at \(told.count) verifier\(told.count == 1 ? "" : "s")\n"
        }
        return .done
    }
}

struct StreamsConfigStageCommand: CausewayCommand {
    static let path = "streams config stage"
    static let configuration = CommandConfiguration(
        commandName: "stage",
        abstract: "Register a configuration that shall follow the present one (or the first one) at the Configurator.",
        discussion: """
            Its oracles begin to agree, and publish nothing until it is promoted. The file names the present configuration
            under don.predecessor, and the next number under don.configurator.count. More than F of the present oracles must
            be among the new ones: they carry over how far each feed is covered.

            Examples:
              causeway streams config stage green.yaml
              causeway streams config stage green.yaml --rpc https://rpc.example --key-file owner.json
            """)

    @Argument(help: ArgumentHelp("The file of the new configuration.", valueName: "streams.yaml"))
    var file: String
    @OptionGroup var owner: OwnerOptions
    @OptionGroup var block: ConfigBlockOptions
    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let new = try NewConfiguration(file: file)
        let (settings, digest) = (new.settings, new.digest)
        let owners = try await OwnerChains(streams, rpc: owner.rpc)
        let chain = try owners.chain(settings.configurator.chainID)
        let state = try await ConfiguratorState.read(settings, chain, from: block.fromBlock)
        try Self.check(settings, state)
        let hash = try await OwnerCall(owner: owner, key: try owner.key(owners.accounts), chain: chain, out: out)
            .send(new.registration, to: settings.configurator.address, doing: "stage \(settings.name)")
        let after = try await ConfiguratorState.read(settings, chain, from: block.fromBlock)
        guard after.book.staging == digest || after.book.production == digest else {
            throw CommandFailure(
                "otherDigest", "the contract gave the configuration another digest than \(digest)",
                hint: "somebody else registered one meanwhile: causeway streams config show")
        }
        out.data(["digest": .string(digest.hex), "transaction": .hash(hash)]) {
            "\(digest) is registered; when its oracles are ready: causeway streams config promote\n"
        }
        return .done
    }

    @inline(never)
    static func check(_ settings: StreamsSettings, _ state: ConfiguratorState) throws {
        func refuse(_ message: String, _ hint: String) -> CommandFailure {
            CommandFailure("notStageable", message, hint: hint)
        }
        guard settings.configurator.count == state.count + 1 else {
            throw refuse(
                "don.configurator.count is \(settings.configurator.count), and \(state.count) were registered",
                "write \(state.count + 1)")
        }
        guard settings.predecessor == state.book.production else {
            throw refuse(
                "don.predecessor is \(settings.predecessor?.hex ?? "not given")",
                state.book.production.map { "the configuration in production is \($0.hex)" }
                    ?? "none is in production: the first one has no predecessor")
        }
        guard let before = state.book.production.flatMap({ state.book.entry($0)?.configuration }) else { return }
        let common = Set(before.signers).intersection(settings.oracles.map(\.signer)).count
        guard common > Int(before.faulty) else {
            throw refuse(
                "\(common) oracles are in both configurations",
                "more than F = \(before.faulty) carry over how far each feed is covered: change the set in two steps")
        }
    }
}

struct StreamsConfigPromoteCommand: CausewayCommand {
    static let path = "streams config promote"
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Put the staged configuration into production; the present one retires when it has ended every report.",
        discussion: """
            Oracles retire the present configuration only once they have seen the staged one agree on something.

            Examples:
              causeway streams config promote
              causeway streams config promote --config streams.yaml --rpc https://rpc.example --key-file owner.json
            """)

    @OptionGroup var owner: OwnerOptions
    @OptionGroup var block: ConfigBlockOptions
    @OptionGroup var streams: StreamsOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let settings = try streams.load()
        let owners = try await OwnerChains(streams, rpc: owner.rpc)
        let chain = try owners.chain(settings.configurator.chainID)
        let state = try await ConfiguratorState.read(settings, chain, from: block.fromBlock)
        guard let staged = state.book.staging, state.book.entry(staged)?.standing == .staging,
            let production = state.book.production
        else {
            throw CommandFailure(
                "nothingStaged", "no configuration waits that could take over", hint: "causeway streams config stage FILE")
        }
        let data = try state.promotion(settings.donID)
        let hash = try await OwnerCall(owner: owner, key: try owner.key(owners.accounts), chain: chain, out: out)
            .send(data, to: settings.configurator.address, doing: "promote \(staged)")
        out.data(
            ["production": .string(staged.hex), "retired": .string(production.hex), "transaction": .hash(hash)]
        ) { "\(staged) is in production, \(production) retires\n" }
        return .done
    }
}

/// One transaction of an owner: simulated, sent, waited for.
private struct OwnerCall {
    let owner: OwnerOptions
    let key: PrivateKey
    let chain: BridgeChain
    let out: CommandOutput

    func send(_ data: Bytes, to contract: Address, doing what: String) async throws -> Hash32 {
        let wallet = Wallet(key: key, chain: chain)
        let gas = try await wallet.estimate(data, to: contract, doing: what)
        let hashes = try await wallet.send([WalletCall(to: contract, data: data, gasLimit: gas)]).map(\.hash)
        out.talk("\(what): sent \(hashes[0])")
        let receipt = try await wallet.receipts(hashes, deadline: .now + .seconds(owner.timeout))[0]
        guard receipt.succeeded else {
            throw CommandFailure(
                "transactionFailed", "\(what) failed in block \(receipt.blockNumber)",
                hint: "somebody else may have done it meanwhile: causeway streams config show",
                context: [(name: "transaction", value: .hash(receipt.transactionHash))])
        }
        return receipt.transactionHash
    }
}
