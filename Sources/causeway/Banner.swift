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
        if !network.guards.isEmpty { result += guards(network) }
        if let known = network.streams { result += streams(known) }
        var places = Table(indent: 2)
        places.add("data", network.dataDirectory)
        places.add("this, as JSON", network.path)
        if let feed = network.eventFeed { places.add("event feed", feed) }
        if let attester = network.attester { places.add("attestations", attester.api) }
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
            table.add(
                token.symbol, "\(token.address.checksummed)  pool \(token.pool.checksummed)  \(token.poolKind.words)")
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

    private static func streams(_ streams: NetworkDocument.Streams) -> String {
        var table = Table(["", "pid", "HTTP"], indent: 2)
        for (_, process) in streams.processes {
            table.add(process.name, process.pid.map { "\($0)" } ?? "-", "http://127.0.0.1:\(process.http)")
        }
        var places = Table(indent: 2)
        for gateway in streams.gateways {
            places.add("reports", gateway.feed)
            places.add("requests", gateway.requests)
            places.add("API", gateway.api)
        }
        places.add("DON", streams.config)
        if let key = streams.apiKey { places.add("API key", key) }
        places.add("see them", "causeway streams watch")
        return heading("Price streams") + table.text() + "\n" + places.text() + "\n"
    }

    private static func guards(_ network: NetworkDocument) -> String {
        var table = Table(["", "pid", "signer", "mesh", "HTTP"], indent: 2)
        for node in network.guards {
            table.add(
                node.name, node.pid.map { "\($0)" } ?? "-", node.signer.checksummed,
                "tcp://127.0.0.1:\(node.ports.mesh)", "http://127.0.0.1:\(node.ports.http)")
        }
        var text = heading("Guards") + table.text()
        if let blessing = network.blessing {
            let lanes = blessing.lanes.map { "\($0.from) -> \($0.to)" }.joined(separator: ", ")
            text += "\n  \(blessing.faulty + 1) of \(network.guards.count) sign each root of \(lanes)\n"
        }
        return text + "\n"
    }
}
