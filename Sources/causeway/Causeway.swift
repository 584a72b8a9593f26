// The command: its list of subcommands, and how a run ends. Each subcommand has its own file under its name.

import ArgumentParser
import Glibc
import Localnet

@main
struct Causeway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "causeway",
        abstract: "Carries messages and tokens between EVM chains, the way CCIP does.",
        discussion: """
            First steps:
              causeway up                          a local Ethereum and Jovay with contracts and relayers
              causeway status                      what runs, and whether it is well
              causeway send ethereum jovay --text "hello" --wait
              causeway show ID                     the whole story of a message
              causeway down                        stop a network that was started with --detach

            Data goes to stdout, talk to stderr. --json writes one envelope: {"ok": true, "command": ..., "data": ...} or
            {"ok": false, "command": ..., "error": {"code", "message", "hint"}}; big numbers are strings there.

            Exit codes: 0 done, 1 error, 2 usage, 3 waiting, 4 message failed on chain, 5 unknown message, 6 check failed.
            """,
        version: "0.1.0",
        subcommands: [
            UpCommand.self, DownCommand.self, StatusCommand.self, DeployCommand.self, ChainCommand.self,
            GuardCommand.self, CurseCommand.self, UncurseCommand.self, TokensCommand.self, SupplyCommand.self,
            SendCommand.self, ShowCommand.self, ExecCommand.self, LanesCommand.self, FeeCommand.self, ChainsCommand.self,
            ErrorsCommand.self, KeysCommand.self, ConfigCommand.self, CheckCommand.self, RelayerCommand.self,
            AdoptCommand.self, ClusterCommand.self, AttesterCommand.self, StreamsCommand.self,
        ])

    static func main() async {
        // Before anything else: a child of a network must not outlive it.
        Lifeline.watch()
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let status as ExitStatus {
            Glibc.exit(status.rawValue)
        } catch {
            end(with: error, arguments)
        }
    }

    /// Help and version go to stdout with 0; everything that the parser refuses is a usage error.
    private static func end(with error: any Error, _ arguments: [String]) -> Never {
        let text = fullMessage(for: error)
        guard exitCode(for: error) != .success else {
            Terminal.writeData(text + "\n")
            Glibc.exit(ExitStatus.done.rawValue)
        }
        if arguments.contains("--json") {
            let words = arguments.prefix { !$0.hasPrefix("-") }
            let failure = CommandFailure("usage", message(for: error), hint: "causeway help", status: .usage)
            CommandOutput(command: words.joined(separator: " "), isJSON: true).fail(failure)
        } else {
            Terminal.writeTalk(text + "\n")
        }
        Glibc.exit(ExitStatus.usage.rawValue)
    }
}
