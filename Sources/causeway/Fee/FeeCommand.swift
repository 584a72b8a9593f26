// causeway fee: what a message would cost, in the chain's own coin and in LINK.

import ArgumentParser
import CCIP
import Ethereum

struct FeeCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "fee",
        abstract: "Show what a message would cost.",
        discussion: """
            Takes the options of causeway send and sends nothing. --fee-token adds a token to those that are quoted anyway.

            Examples:
              causeway fee ethereum jovay --text "hello"
              causeway fee jovay ethereum --token LINK=10 --gas-limit 500000 --json
            """)

    @Argument(help: "Where it starts: a chain by name, chain id or selector.")
    var from: String

    @Argument(help: "Where it goes.")
    var to: String

    @OptionGroup var message: MessageOptions
    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let network = try network.load()
        let (source, destination) = try network.lane(from, to)
        let draft = try await message.draft(from: source, to: destination, accounts: network.accounts)
        var tokens = [FeeToken.native]
        if source.token("LINK") != nil { tokens.append(try await TokenLookup.fee("LINK", on: source)) }
        if !tokens.contains(draft.fee) { tokens.append(draft.fee) }
        var fees: [(token: FeeToken, amount: U256)] = []
        for token in tokens {
            fees.append((token, try await FeeQuotes.quote(draft, paidIn: token, from: source, to: destination)))
        }
        let json: JSON = [
            "from": source.json, "to": destination.json, "fees": .array(fees.map { $0.token.json($0.amount) }),
        ]
        out.data(json) {
            var table = Table(["paid in", "fee"])
            for fee in fees { table.add(fee.token.name, fee.token.text(fee.amount)) }
            return table.text()
        }
        return .done
    }
}
