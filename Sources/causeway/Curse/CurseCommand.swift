// causeway curse and causeway uncurse: stop and release chains at the RMNRemote contracts, in the owner's name.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Guarding
import Localnet

/// What is cursed, where, by whom.
struct CurseOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("A chain, or a lane as FROM:TO; left out with --global.", valueName: "chain|from:to"))
    var subject: String?

    @Flag(name: .long, help: "Everything on the chain that --on names.")
    var global = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The chain whose RMNRemote is told; for a lane both its ends when not given.", valueName: "chain"))
    var on: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Which account of the local network owns the RMNRemote; the deployer when not given.", valueName: "index"))
    var account: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("A Web3 Secret Storage file with the key of the RMNRemote's owner.", valueName: "path"))
    var keyFile: String?

    @OptionGroup var password: PasswordOptions

    @Flag(name: .long, help: "Simulate only: say what would happen and send nothing.")
    var dryRun = false

    @Option(name: .long, help: ArgumentHelp("Give up waiting after so long.", valueName: "seconds"))
    var timeout = 120

    func validate() throws {
        guard (subject == nil) == global else { throw ValidationError("name a chain or a lane FROM:TO, or give --global") }
        guard on != nil || subject?.contains(":") == true else {
            throw ValidationError("--on CHAIN names the chain whose RMNRemote is told")
        }
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout is from 1 to 86400 s") }
    }

    func key(_ network: BridgeNetwork) throws -> PrivateKey {
        if let keyFile { return try KeyStore.open(keyFile).openPrivateKey(password: try password.secret()) }
        let found = network.accounts.first { entry in account.map { entry.index == $0 } ?? entry.isDeployer }
        guard let found else {
            throw CommandFailure(
                "unknownAccount", network.accounts.isEmpty ? "this network has no accounts of its own" : "no such account",
                hint: "--key-file FILE with the key of the RMNRemote's owner", status: .usage)
        }
        return try PrivateKey(hex: found.privateKey)
    }

    /// One subject on each of the contracts that are told.
    func targets(_ network: BridgeNetwork) throws -> [CurseTarget] {
        if global {
            return [CurseTarget(chain: try network.chain(named: on ?? ""), subject: .everything)]
        }
        let parts = (subject ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1 {
            let (chain, place) = try network.lane(parts[0], on ?? "")
            return [CurseTarget(chain: place, subject: .chain(chain.selector, chain.name))]
        }
        guard parts.count == 2 else {
            throw CommandFailure("unknownLane", "'\(subject ?? "")' is no lane", hint: "write it as FROM:TO", status: .usage)
        }
        let (source, destination) = try network.lane(parts[0], parts[1])
        let both = [
            CurseTarget(chain: destination, subject: .chain(source.selector, source.name)),
            CurseTarget(chain: source, subject: .chain(destination.selector, destination.name)),
        ]
        guard let on else { return both }
        let place = try network.chain(named: on)
        guard let one = both.first(where: { $0.chain.selector == place.selector }) else {
            throw CommandFailure(
                "unknownLane", "\(place.name) is no end of \(source.name) to \(destination.name)",
                hint: "--on \(source.name) or --on \(destination.name)", status: .usage)
        }
        return [one]
    }
}

struct CurseTarget: Sendable {
    enum Subject: Sendable, Equatable {
        case everything
        case chain(ChainSelector, String)

        var bytes: Bytes {
            switch self {
            case .everything: CurseSubject.global
            case .chain(let selector, _): selector.curseSubject
            }
        }

        var name: String {
            switch self {
            case .everything: "everything"
            case .chain(_, let name): name
            }
        }
    }

    let chain: BridgeChain
    let subject: Subject
}

struct CurseCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "curse",
        abstract: "Stop a chain, a lane or everything at the RMNRemote contracts.",
        discussion: """
            A curse of CHAIN on another chain stops both directions between them there: reports from CHAIN are refused, and
            nothing is sent to CHAIN any more. A lane is cursed at both its ends, unless --on names one. --global stops all
            of one chain. The call is simulated first. Relayers see a curse within one round.

            Examples:
              causeway curse ethereum --on jovay
              causeway curse ethereum:jovay
              causeway curse --global --on jovay
              causeway curse ethereum --on jovay --config relayer-0.yaml --key-file owner.json
            """)

    @OptionGroup var curse: CurseOptions
    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        try await CurseRun(isCurse: true, options: curse, network: try network.load(), out: out).perform()
    }
}

struct UncurseCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "uncurse",
        abstract: "Release what was cursed.",
        discussion: """
            Messages that were sent before or during a curse go on by themselves once it is lifted everywhere.

            Examples:
              causeway uncurse ethereum --on jovay
              causeway uncurse ethereum:jovay
              causeway uncurse --global --on jovay
            """)

    @OptionGroup var curse: CurseOptions
    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        try await CurseRun(isCurse: false, options: curse, network: try network.load(), out: out).perform()
    }
}
