// causeway tokens: what can cross, through which pools, within which limits.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Localnet

struct TokensCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Show the tokens of each chain's registry: pools, remote ends, rate limits.",
        discussion: """
            One line for each token and each chain that its pool serves. 'ends' says whether the pool at the other end names
            this one: only then a transfer arrives.

            Examples:
              causeway tokens
              causeway tokens --chain ethereum
              causeway tokens --json --config relayer-0.yaml
            """)

    @Option(name: .long, help: ArgumentHelp("Only this chain.", valueName: "chain"))
    var chain: String?

    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let network = try network.load()
        let only = try chain.map { try network.chain(named: $0) }
        var tokens: [TokenEnd] = []
        for chain in network.chains { tokens += try await TokenReader(network: network).tokens(of: chain) }
        let shown = tokens.filter { only == nil || $0.chain.selector == only?.selector }
        out.data(["tokens": .array(shown.map { Self.json($0, tokens) })]) { Self.text(shown, tokens) }
        return .done
    }

    /// The other end of a token as that chain's registry has it.
    static func other(_ remote: RemoteEnd, _ tokens: [TokenEnd]) -> TokenEnd? {
        tokens.first { $0.chain.selector == remote.selector && $0.token == remote.token }
    }

    /// Both pools name each other, byte for byte.
    static func isPaired(_ end: TokenEnd, _ remote: RemoteEnd, _ tokens: [TokenEnd]) -> Bool {
        guard let other = other(remote, tokens), let back = other.remote(end.chain.selector) else { return false }
        return back.token == end.token && back.pools.contains(end.pool.abiWord)
            && remote.pools.contains(other.pool.abiWord)
    }

    private static func text(_ shown: [TokenEnd], _ tokens: [TokenEnd]) -> String {
        var table = Table(["chain", "token", "decimals", "address", "pool", "kind", "to", "ends", "out", "in"])
        for end in shown {
            let head = [
                end.chain.name, end.symbol, "\(end.decimals)", end.token.checksummed, end.pool.checksummed, end.poolType,
            ]
            if end.remotes.isEmpty { table.add(head + ["none", "-", "-", "-"]) }
            for remote in end.remotes {
                let isPaired = isPaired(end, remote, tokens)
                let name = tokens.first { $0.chain.selector == remote.selector }?.chain.name ?? remote.selector.description
                table.add(
                    head + [
                        name, Terminal.data.paint(isPaired ? "paired" : "NOT PAIRED", isPaired ? .green : .red),
                        limit(remote.outbound, end), limit(remote.inbound, end),
                    ])
            }
        }
        return table.text()
    }

    private static func limit(_ bucket: TokenBucket?, _ end: TokenEnd) -> String {
        guard let bucket else { return "unread" }
        return bucket.isEnabled ? "\(end.text(bucket.tokens)) of \(end.text(bucket.capacity))" : "free"
    }

    private static func json(_ end: TokenEnd, _ tokens: [TokenEnd]) -> JSON {
        [
            "chain": end.chain.json, "symbol": .string(end.symbol), "decimals": .integer(end.decimals),
            "token": .string(end.token.checksummed), "pool": .string(end.pool.checksummed),
            "poolType": .string(end.poolType), "administrator": .string(end.administrator.checksummed),
            "remotes": .array(
                end.remotes.map { remote in
                    [
                        "selector": .string(remote.selector.description),
                        "token": remote.token.map { .string($0.checksummed) } ?? .null,
                        "pools": .array(remote.pools.map { .data($0) }), "paired": .bool(isPaired(end, remote, tokens)),
                        "outbound": json(remote.outbound), "inbound": json(remote.inbound),
                    ]
                }),
        ]
    }

    private static func json(_ bucket: TokenBucket?) -> JSON {
        guard let bucket else { return .null }
        return [
            "enabled": .bool(bucket.isEnabled), "tokens": .string(bucket.tokens.decimal),
            "capacity": .string(bucket.capacity.decimal), "rate": .string(bucket.rate.decimal),
        ]
    }
}
