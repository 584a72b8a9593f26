// causeway show: the whole story of one message.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum

struct ShowCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the whole story of a message: stage, what it waits for, since when, what to do.",
        discussion: """
            Takes a message id, or the hash of the transaction that sent or executed it. Both chains are read by RPC; relayers
            that answer say why they wait.

            Exits with 0 when it is executed, 4 when it failed at its destination, 3 while it is on its way, 5 when no chain
            knows it. Of a transaction that reverted it tells the call and the reason, with exit code 1.

            Examples:
              causeway show 0x5e11...
              causeway show 0x5e11... --details        with the calls and logs of its transactions, decoded
              causeway show 0x5e11... --json
              causeway show 0x5e11... --config relayer-config/relayer-0.yaml --blocks 1000000
            """)

    @Argument(help: "A message id or a transaction hash.")
    var id: String

    @Option(name: .long, help: "How many blocks of each chain are looked through at most.")
    var blocks = CommandLimits.scanBlocksDefault

    @Flag(name: .long, help: "Also the transactions at both ends: decoded calls, reverts and logs.")
    var details = false

    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let hash = try HashArgument.parse(id)
        let network = try network.load()
        let story: MessageStory
        do {
            story = try await MessageStoryReader(network, scanBlocks: blocks).story(of: hash)
        } catch let failure as CommandFailure where failure.status == .unknownMessage {
            guard let view = try await reverted(hash, network) else { throw failure }
            out.data(["transaction": view.json]) { view.text }
            return .error
        }
        var transactions: [TransactionView] = []
        if details {
            for (chain, hash) in story.transactions {
                if let view = try await TransactionView.read(hash, on: chain) { transactions.append(view) }
            }
        }
        var json = story.json.asObject ?? JSONObject()
        if details { json["transactions"] = .array(transactions.map(\.json)) }
        out.data(.object(json)) { story.text + transactions.map { "\n" + $0.text }.joined() }
        switch story.stage {
        case .executed: return .done
        case .failed: return .messageFailed
        case .sent, .finalized, .committed: return .waiting
        }
    }

    /// A transaction that reverted carries no message, but has a story of its own.
    private func reverted(_ hash: Hash32, _ network: BridgeNetwork) async throws -> TransactionView? {
        for chain in network.chains {
            if let view = try await TransactionView.read(hash, on: chain), view.receipt?.succeeded == false { return view }
        }
        return nil
    }
}

enum HashArgument {
    /// Throws a usage failure that says what would be right.
    static func parse(_ text: String) throws -> Hash32 {
        guard let hash = try? Hash32(hex: text) else {
            throw CommandFailure(
                "malformedHash", "'\(text.prefix(80))' is no message id and no transaction hash",
                hint: "0x and 64 hexadecimal digits", status: .usage)
        }
        return hash
    }
}
