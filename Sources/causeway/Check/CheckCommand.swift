// causeway check: everything that must be right before relayers run, one line each.

import ArgumentParser
import Configuration
import Ethereum
import Localnet
import Relayer

struct CheckCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check configuration, keys, endpoints, balances and contracts; fails loudly.",
        discussion: """
            With --config one relayer's file: it and its cluster file are read, its keys opened, its endpoints asked for their
            chain, its transmitters' balances looked at, and the contracts held against the cluster file: versions, OCR3
            configurations, lanes, authorised callers, RMN, tokens, curses, finality. Without it all relayers and guards of
            the local network, or of the cluster's folder that --network names. The file may also be a guard's, a stream oracle's
            or a gateway's: then it, the file that it shares with the others, and its keys are looked at.

            Exits with 0 when all is well and with 6 when one check failed.

            Examples:
              causeway check
              causeway check --config relayer-config/relayer-0.yaml
              causeway check --config relayer-0.yaml --min-balance 0.5 --json
            """)

    @Option(name: .long, help: ArgumentHelp("The file of a relayer, a guard, a stream oracle or a gateway.", valueName: "relayer.yaml"))
    var config: String?

    @OptionGroup var network: NetworkOptions

    @Option(name: .long, help: "Least balance of a transmitter, in the chain's coin.")
    var minBalance = "0.01"

    @Flag(name: .long, help: "Only what needs no chain: files and keys.")
    var offline = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard config == nil || network.network == nil else {
            throw ValidationError("--network and --config name two things to check: give one of them")
        }
        guard DecimalText.parse(minBalance, decimals: 18) != nil else {
            throw ValidationError("--min-balance '\(minBalance.prefix(40))' is no amount like 0.01")
        }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        // What is wrong with a file is told below, as a check.
        if let config, let text = try? SettingsFile.read(config),
            (try? ConfigurationFiles.kind(of: text, file: config)) == .guardian
        {
            return report(GuardChecks(file: config, cluster: nil).run(), out)
        }
        if let config, let streams = StreamsChecks(file: config) { return report(streams.run().results, out) }
        let (files, guards) = try self.files()
        guard !files.isEmpty else {
            throw CommandFailure("noRelayers", "this network has no relayers to check", hint: "causeway up without --no-relayers")
        }
        var results: [CheckResult] = []
        var loaded: [RelayerSettings] = []
        for file in files {
            let (result, settings) = Self.load(file)
            results.append(result)
            if let settings { loaded.append(settings) }
        }
        for settings in loaded { results += Self.keys(settings) }
        for file in guards { results += GuardChecks(file: file, cluster: loaded.first?.cluster).run() }
        results += StreamsChecks.all(streamsFiles())
        if !offline, let first = loaded.first {
            let own = loaded.compactMap { settings in
                settings.cluster.relayers.first { $0.name == settings.relayer }
            }
            let checks = ChainChecks(
                settings: first, balanceMinimum: DecimalText.parse(minBalance, decimals: 18) ?? .zero, relayers: own)
            results += await checks.run()
        }
        return report(results, out)
    }

    private func report(_ results: [CheckResult], _ out: CommandOutput) -> ExitStatus {
        let failed = results.count { !$0.isGood }
        let json: JSON = [
            "passed": .integer(results.count - failed), "failed": .integer(failed),
            "checks": .array(results.map(\.json)),
        ]
        out.data(json) { CheckTable.text(results) }
        return failed == 0 ? .done : .checkFailed
    }

    /// One relayer's file, all of a cluster's folder, or all of the local network.
    private func files() throws -> (relayers: [String], guards: [String]) {
        if let config { return ([config], []) }
        if let place = network.network, ClusterFolder.holds(place) {
            let folder = try ClusterFolder(place)
            return (folder.relayers.map(\.path), folder.guards.map(\.path))
        }
        let document = try network.known()
        return (document.relayers.map(\.config), document.guards.map(\.config))
    }

    /// Those of the local network's oracles and gateways.
    private func streamsFiles() -> [String] {
        guard config == nil, network.network.map({ !ClusterFolder.holds($0) }) ?? true else { return [] }
        return (try? network.known())?.streams?.processes.map(\.process.config) ?? []
    }

    private static func load(_ file: String) -> (CheckResult, RelayerSettings?) {
        do {
            let settings = try ConfigurationFiles.relayer(file).settings
            let cluster = settings.cluster
            return (
                .good(
                    settings.relayer, "configuration",
                    "\(file): \(cluster.relayers.count) relayers, \(cluster.chains.count) chains, \(cluster.lanes.count) lanes"),
                settings
            )
        } catch {
            let failure = CommandFailure(error)
            return (.bad(file, "configuration", failure.message, hint: failure.hint), nil)
        }
    }

    private static func keys(_ settings: RelayerSettings) -> [CheckResult] {
        let roles: [RelayerRole] = [.committing, .executing]
        return roles.map { role in
            do {
                let keys = try RelayerKeys.open(settings, role: role)
                return .good(
                    settings.relayer, "\(role.rawValue) keys",
                    "report signer \(keys.reportSigner.address), \(keys.transmitters.count) transmitters")
            } catch {
                let failure = CommandFailure(error)
                return .bad(settings.relayer, "\(role.rawValue) keys", failure.message, hint: failure.hint)
            }
        }
    }
}
