// causeway supply: what left each chain against what arrived at the others, token by token.

import ArgumentParser
import CCIP
import ChainAccess
import Ethereum
import Guarding
import Localnet

struct SupplyCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "supply",
        abstract: "Hold what is locked or burned against what is minted or released, for each token and lane.",
        discussion: """
            Reads every message, execution and pool event since the contracts were made. 'taken' is what the pool at the source
            locked or burned, 'given' what the pool at the destination minted or released, 'in flight' what messages carry that
            are not executed with success: taken = given + in flight, in the source's decimals. A pool that locks must also hold
            at least what is away, and each silo of a siloed pool what is away on its chain. Ids and amounts are read by the guards' code, not by the relayers'.

            Exits with 0 when all balances and with 6 when something does not.

            Examples:
              causeway supply
              causeway supply --json --config relayer-0.yaml
            """)

    @OptionGroup var network: BridgeOptions
    @OptionGroup var output: OutputOptions

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let report = try await SupplyReader(network: try network.load(), tell: { out.talk($0) }).read()
        out.data(report.json) { report.text }
        return report.isBalanced ? .done : .checkFailed
    }
}

/// What the chains say, at one block each.
struct SupplyReport: Sendable {
    struct Line: Sendable {
        let pair: TokenPair?
        let key: SupplyKey
        let line: SupplyLine
    }

    struct Pool: Sendable {
        let end: TokenEnd
        /// The chain whose silo this is; nil for a whole pool.
        var silo: BridgeChain?
        let balance: U256
        let needed: U256

        var isCovered: Bool { balance >= needed }
    }

    let lines: [Line]
    let pools: [Pool]
    let blocks: [(chain: BridgeChain, block: UInt64)]

    var isBalanced: Bool { lines.allSatisfy(\.line.verdict.isBalanced) && pools.allSatisfy(\.isCovered) }

    var json: JSON {
        [
            "balanced": .bool(isBalanced), "lines": .array(lines.map(\.json)),
            "pools": .array(
                pools.map { pool in
                    [
                        "chain": pool.end.chain.json, "silo": pool.silo?.json ?? .null, "symbol": .string(pool.end.symbol),
                        "pool": .string(pool.end.pool.checksummed), "balance": .string(pool.balance.decimal),
                        "needed": .string(pool.needed.decimal), "covered": .bool(pool.isCovered),
                    ]
                }),
            "blocks": .array(blocks.map { ["chain": $0.chain.json, "block": .integer($0.block)] }),
        ]
    }

    var text: String {
        var table = Table(["from", "to", "token", "taken", "given", "in flight", "messages", "verdict"])
        for line in lines { table.add(line.row) }
        var text = table.text()
        if !pools.isEmpty {
            var table = Table(["locking pool", "token", "holds", "must hold", "verdict"])
            for pool in pools {
                table.add(
                    "\(pool.end.chain.name) \(pool.end.pool.checksummed)"
                        + (pool.silo.map { ", silo of \($0.name)" } ?? ""), pool.end.symbol, pool.end.text(pool.balance),
                    pool.end.text(pool.needed),
                    Terminal.data.paint(pool.isCovered ? "covered" : "NOT COVERED", pool.isCovered ? .green : .red))
            }
            text += "\n" + table.text()
        }
        let wrong = lines.count { !$0.line.verdict.isBalanced } + pools.count { !$0.isCovered }
        return text + "\n"
            + (wrong == 0
                ? "balanced: every token that left is under way or has arrived\n" : "NOT BALANCED: \(wrong) of the above\n")
    }
}

extension SupplyReport.Line {
    private func text(_ amount: U256, _ end: TokenEnd?) -> String { end?.text(amount) ?? amount.decimal }

    var detail: String {
        switch line.verdict {
        case .balanced: "balanced"
        case .uncovered(let amount): "UNCOVERED: the pool took \(text(amount, pair?.source)) too little"
        case .stranded(let amount): "STRANDED: the pool took \(text(amount, pair?.source)) that no message carries"
        case .excess(let amount): "EXCESS: \(text(amount, pair?.destination)) given that nobody sent"
        case .short(let amount): "SHORT: \(text(amount, pair?.destination)) of arrived messages not given"
        case .unknownMessage(let number): "UNKNOWN: message \(number) was executed and never sent"
        }
    }

    var row: [String] {
        let isGood = line.verdict.isBalanced
        return [
            pair?.source.chain.name ?? "\(key.lane.source)", pair?.destination.chain.name ?? "\(key.lane.destination)",
            pair?.source.symbol ?? key.sourcePool.checksummed, text(line.taken, pair?.source),
            text(line.given, pair?.destination), text(line.inFlight, pair?.source), "\(line.messagesInFlight)",
            Terminal.data.paint(detail, isGood ? .green : .red),
        ]
    }

    var json: JSON {
        [
            "from": .string(key.lane.source.description), "to": .string(key.lane.destination.description),
            "sourcePool": .string(key.sourcePool.checksummed),
            "symbol": pair.map { .string($0.source.symbol) } ?? .null, "taken": .string(line.taken.decimal),
            "sent": .string(line.sent.decimal), "arrived": .string(line.arrived.decimal),
            "given": .string(line.given.decimal), "inFlight": .string(line.inFlight.decimal),
            "messagesInFlight": .integer(line.messagesInFlight), "verdict": .string(line.verdict.name),
            "detail": .string(detail),
        ]
    }
}
