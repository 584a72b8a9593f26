// causeway config: checks a configuration file, or shows what it comes to. Starts nothing, reads no chain.

import ArgumentParser
import Configuration
import Ethereum
import Relayer

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Validate configuration files, and show where each value came from.",
        discussion: """
            Files of relayers, clusters, deployments, chain profiles and price streams; the kind is told by the keys.

            Examples:
              causeway config validate relayer-config/relayer-0.yaml
              causeway config show relayer-config/relayer-0.yaml --origin
            """,
        subcommands: [ConfigValidateCommand.self, ConfigShowCommand.self])
}

struct ConfigurationFileOptions: ParsableArguments {
    @Argument(help: "The file.")
    var file: String

    @Option(name: .long, help: "relayer, guard, cluster, profile, deployment, attester, streams, oracle or gateway; told by the keys when not given.")
    var kind: String?

    func validate() throws {
        if let kind, ConfigurationKind(rawValue: kind) == nil {
            let known = ConfigurationKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(kind)' is no kind of configuration: \(known)")
        }
    }

    func values() throws -> (ConfigurationKind, [ConfigurationValue]) {
        let text = try SettingsFile.read(file)
        let kind = try self.kind.flatMap(ConfigurationKind.init(rawValue:)) ?? ConfigurationFiles.kind(of: text, file: file)
        return (kind, try ConfigurationFiles.values(file, kind: kind))
    }
}

struct ConfigValidateCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a configuration file: keys, types, ranges, and what only the whole can show.",
        discussion: """
            Exits with 0 when the file is good. A relayer's file is checked together with the cluster file it names; keys
            and endpoints are not looked at (causeway check does that).

            Examples:
              causeway config validate relayer-config/cluster.yaml
              causeway config validate chains/profiles/jovay.yaml --json
            """)
    static var path: String { "config validate" }

    @OptionGroup var options: ConfigurationFileOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let (kind, _) = try options.values()
        out.data(["file": .string(options.file), "kind": .string(kind.rawValue), "valid": true]) {
            "\(options.file): a good \(kind.rawValue) file\n"
        }
        return .done
    }
}

struct ConfigShowCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show every value that a configuration file comes to.",
        discussion: """
            With --origin also where each came from: a line of the file, an environment variable, or a default. Environment
            variables override relayer files (pollMilliseconds is CAUSEWAY_POLL_MILLISECONDS); cluster files and chain
            profiles are shared and take no overrides.

            Examples:
              causeway config show relayer-config/relayer-0.yaml --origin
              causeway config show relayer-config/cluster.yaml
            """)
    static var path: String { "config show" }

    @OptionGroup var options: ConfigurationFileOptions

    @Flag(name: .long, help: "Say where each value came from.")
    var origin = false

    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let (kind, values) = try options.values()
        let json = JSON.array(
            values.map { value in
                [
                    "path": .string(value.path), "value": .string(value.text),
                    "origin": value.origin.map { .string($0) } ?? .null,
                ]
            })
        out.data(["file": .string(options.file), "kind": .string(kind.rawValue), "values": json]) {
            var table = Table()
            for value in values {
                table.add([value.path, value.text] + (origin ? [value.origin ?? options.file] : []))
            }
            return table.text()
        }
        return .done
    }
}
