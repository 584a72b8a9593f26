// causeway streams: price streams, from the processes that make them to the terminal that shows them.

import ArgumentParser

struct StreamsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streams",
        abstract: "Price streams: signed prices several times a second.",
        discussion: """
            Oracles agree on prices and sign reports; gateways fan them out over ZeroMQ and serve them over REST and WebSocket.
            `causeway up` runs four oracles and a gateway.

            Examples:
              causeway streams watch                   a live table of every feed
              causeway streams latest ETH/USD          the newest report, decoded
              causeway streams verify 0x...            who signed a report, and whether that is enough
            """,
        subcommands: [
            StreamsWatchCommand.self, StreamsFeedsCommand.self, StreamsLatestCommand.self, StreamsHistoryCommand.self,
            StreamsDecodeCommand.self, StreamsVerifyCommand.self, StreamsOracleCommand.self, StreamsGatewayCommand.self,
            StreamsKeysCommand.self, StreamsConfigCommand.self, StreamsWithholdCommand.self, StreamsReleaseCommand.self,
            StreamsWithheldCommand.self,
        ])
}
