// causeway relayer: a relayer's processes and its stops. Without a subcommand it runs one process.

import ArgumentParser

struct RelayerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relayer",
        abstract: "Run one process of a relayer from its configuration file; show and lift its stops.",
        discussion: """
            A relayer is a committing and an executing process, paired over ZeroMQ, or one process with both roles. The files
            are explained in docs/reference/relayer-config.md; relayer-config/ is a complete example. Without a subcommand
            a process runs; `causeway relayer run --help` lists its options.

            Examples:
              causeway relayer --config relayer-0.yaml --role committing
              causeway relayer --config relayer-0.yaml --role executing
              causeway relayer --config relayer-0.yaml --role both --log-level debug
              causeway relayer stops --config relayer-0.yaml
              causeway relayer resume lane/ethereum/jovay --config relayer-0.yaml --reason "the guard's node was behind"
            """,
        subcommands: [RelayerRunCommand.self, RelayerStopsCommand.self, RelayerResumeCommand.self],
        defaultSubcommand: RelayerRunCommand.self)
}
