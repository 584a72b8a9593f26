// causeway chains: the chains of a network with their heads and contracts, or all that are known by name.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Localnet

struct ChainsCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "chains",
        abstract: "Show chains: ids, selectors, addresses, heads.",
        discussion: """
            Without a network, or with --known: the chains that commands take by name.

            Examples:
              causeway chains
              causeway chains --known
              causeway chains --json
            """)

    @Flag(name: .long, help: "All chains that are known by name.")
    var known = false

    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        guard !known, let network = try running(out) else { return showKnown(out) }
        var entries: [(BridgeChain, ChainHeads?)] = []
        for chain in network.chains {
            let heads = try? await chain.endpoints.heads()
            if heads == nil { out.warn("\(chain.name) does not answer at \(chain.rpc.joined(separator: ", "))") }
            entries.append((chain, heads))
        }
        let json: JSON = [
            "network": network.document.map { .string($0.dataDirectory) } ?? .null,
            "chains": .array(entries.map { Self.json($0, $1) }),
        ]
        out.data(json) { entries.map { Self.text($0, $1) }.joined(separator: "\n") }
        return entries.allSatisfy { $0.1 != nil } ? .done : .error
    }

    /// Nil when none runs and none was asked for.
    private func running(_ out: CommandOutput) throws -> BridgeNetwork? {
        do { return try network.load() } catch let error as LocalnetError {
            guard error.code == .networkMissing, network.local.network == nil else { throw error }
            out.talk("no network runs here; these chains are known by name")
            return nil
        }
    }

    private func showKnown(_ out: CommandOutput) -> ExitStatus {
        let chains = ChainNames.registry().chains
        let list = chains.map { chain -> JSON in
            [
                "name": .string(chain.name), "chainId": .integer(chain.chainID),
                "selector": .string(chain.selector.description), "registryName": .string(chain.registryName),
                "aliases": .array(chain.aliases.map { .string($0) }),
            ]
        }
        out.data(["network": .null, "chains": .array(list)]) {
            var table = Table(["name", "chain id", "selector", "also"])
            for chain in chains {
                table.add(
                    chain.name, "\(chain.chainID)", chain.selector.description,
                    chain.names.dropFirst().joined(separator: ", "))
            }
            return table.text()
        }
        return .done
    }

    private static func json(_ chain: BridgeChain, _ heads: ChainHeads?) -> JSON {
        func number(_ value: UInt64?) -> JSON { value.map { .integer($0) } ?? .null }
        var object = chain.json.asObject ?? JSONObject()
        object["displayName"] = .string(chain.displayName)
        object["rpc"] = .array(chain.rpc.map { .string($0) })
        object["latest"] = number(heads?.latest.number)
        object["safe"] = number(heads?.safe.number)
        object["finalized"] = number(heads?.finalized.number)
        object["timestamp"] = number(heads?.latest.timestamp)
        object["contracts"] = chain.contracts.json
        object["tokens"] = .array(
            chain.tokens.map { token in
                [
                    "symbol": .string(token.symbol), "decimals": .integer(token.decimals),
                    "address": .string(token.address.checksummed),
                    "pool": token.pool.map { .string($0.checksummed) } ?? .null,
                ]
            })
        return .object(object)
    }

    private static func text(_ chain: BridgeChain, _ heads: ChainHeads?) -> String {
        var table = Table(indent: 2)
        table.add("chain id", "\(chain.chainID)")
        table.add("selector", chain.selector.description)
        for url in chain.rpc { table.add("RPC", url) }
        if let heads {
            table.add("latest", "\(heads.latest.number)  \(MessageStory.time(heads.latest.timestamp))")
            table.add("safe", "\(heads.safe.number)")
            table.add("finalized", "\(heads.finalized.number)")
        } else {
            table.add("latest", "no answer")
        }
        for (name, address) in chain.contracts.named where !address.isZero { table.add(name, address.checksummed) }
        for token in chain.tokens {
            table.add(token.symbol, token.address.checksummed + (token.pool.map { "  pool \($0)" } ?? ""))
        }
        return Banner.heading("\(chain.displayName) (\(chain.name))") + table.text()
    }
}
