// What a person sees when a local network is ready: chains, accounts, relayers, and where to look next.

import CCIP
import Ethereum
import Localnet

enum Banner {
    static func heading(_ text: String) -> String {
        Terminal.data.paint(text, .cyan) + "\n" + Terminal.data.paint(String(repeating: "─", count: 60), .faint) + "\n"
    }

    /// The whole banner, its last line `ready in N s`.
    static func text(_ network: NetworkDocument) -> String {
        var result = "\n" + art + "\n"
        for chain in network.chains { result += Self.chain(chain) }
        result += accounts(network)
        if !network.relayers.isEmpty { result += relayers(network) }
        var places = Table(indent: 2)
        places.add("data", network.dataDirectory)
        places.add("this, as JSON", network.path)
        if let feed = network.eventFeed { places.add("event feed", feed) }
        result += places.text() + "\n"
        result += Terminal.data.paint("ready in \(network.readySeconds ?? "?") s", .green) + "\n"
        return result
    }

    private static let art = """
          ▄▀▀ ▄▀▄ █ █ ▄▀▀ █▀▀ █ █ █ ▄▀▄ ▀▄▀
          ▀▄▄ █▀█ ▀▄▀ ▄██ ██▄ ▀▄▀▄▀ █▀█  █ 
        """

    private static func chain(_ chain: NetworkDocument.Chain) -> String {
        var table = Table(indent: 2)
        table.add("chain id", "\(chain.chainID)")
        table.add("selector", chain.selector.description)
        table.add("RPC", chain.rpc)
        table.add("WebSocket", chain.webSocket)
        table.add("blocks", "every \(chain.blockMilliseconds) ms")
        for (name, address) in chain.contracts?.named ?? [] { table.add(name, address.checksummed) }
        for token in chain.tokens {
            let kind = token.poolKind == .lockRelease ? "locked here" : "burned and minted"
            table.add(token.symbol, "\(token.address.checksummed)  pool \(token.pool.checksummed)  \(kind)")
        }
        table.add("log", chain.log)
        return heading("\(chain.displayName) (\(chain.name))") + table.text() + "\n"
    }

    private static func accounts(_ network: NetworkDocument) -> String {
        var table = Table(indent: 2)
        for account in network.accounts {
            table.add(
                "(\(account.index))", account.address.checksummed, account.privateKey,
                account.isDeployer ? "owns the contracts" : "")
        }
        return heading("Accounts (public keys of the development mnemonic: worth nothing elsewhere)") + table.text() + "\n"
    }

    private static func relayers(_ network: NetworkDocument) -> String {
        var table = Table(["", "role", "pid", "mesh", "HTTP", "event feed"], indent: 2)
        for relayer in network.relayers {
            for role in NetworkDocument.roles {
                let isExecuting = role == "executing"
                let ports = relayer.ports
                table.add(
                    isExecuting ? "" : relayer.name, role, relayer.pids[role].map { "\($0)" } ?? "-",
                    "tcp://127.0.0.1:\(isExecuting ? ports.executingMesh : ports.committingMesh)",
                    "http://127.0.0.1:\(ports.http(role))",
                    isExecuting ? "tcp://127.0.0.1:\(ports.eventFeed)" : "")
            }
        }
        return heading("Relayers") + table.text() + "\n"
    }
}
