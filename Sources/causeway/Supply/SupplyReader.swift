// Reads the logs of both ends of every lane for `causeway supply`.

import CCIP
import ChainAccess
import Ethereum
import Guarding
import Localnet

struct SupplyReader: Sendable {
    let network: BridgeNetwork
    let tell: @Sendable (String) -> Void

    func read() async throws -> SupplyReport {
        var tokens: [TokenEnd] = []
        for chain in network.chains { tokens += try await TokenReader(network: network).tokens(of: chain) }
        let pairs = TokenPair.all(tokens)
        var ledger = SupplyLedger(pairs: pairs)
        // Arrivals first: what has arrived by then was sent before, and stands in the departures that are read later.
        var arrivals: [(BridgeChain, block: UInt64, logs: [ChainLog])] = []
        for chain in network.chains {
            let head = try await chain.endpoints.heads().latest.number
            tell("reading \(chain.name) up to block \(head)")
            arrivals.append((chain, head, try await logs(chain, tokens, to: head, arrivals: true)))
        }
        for (chain, block, _) in arrivals {
            let head = try await chain.endpoints.heads().latest.number
            let departed = try await logs(chain, tokens, to: max(head, block), arrivals: false)
            try ledger.departures(departed, of: chain, balanceBlock: block)
        }
        for (chain, block, logs) in arrivals { try ledger.arrivals(logs, of: chain, balanceBlock: block) }
        var pools: [SupplyReport.Pool] = []
        for (chain, block, _) in arrivals {
            for end in tokens where end.chain.selector == chain.selector && end.isLocking {
                let reader = ContractReader(chain.endpoints, at: .number(block))
                let balance = try await reader.read(TokenCalls.balance(of: end.pool), from: end.token)
                pools.append(SupplyReport.Pool(end: end, balance: balance, needed: ledger.mustHold(end.pool)))
                if end.isSiloed { pools += try await silos(of: end, at: block, ledger) }
            }
        }
        let lines = ledger.book.all.map { key, line in
            SupplyReport.Line(pair: pairs.first { $0.key == key }, key: key, line: line)
        }
        return SupplyReport(lines: lines, pools: pools, blocks: arrivals.map { ($0.0, $0.block) })
    }

    /// In the order of the chain.
    private func logs(
        _ chain: BridgeChain, _ tokens: [TokenEnd], to head: UInt64, arrivals: Bool
    ) async throws -> [ChainLog] {
        guard head >= chain.startBlock else { return [] }
        let pools = tokens.filter { $0.chain.selector == chain.selector }.map(\.pool)
        let ramp = arrivals ? chain.contracts.offRamp : chain.contracts.onRamp
        let topics =
            arrivals ? PoolEvents.given + [DestinationLogs.executionChanged] : PoolEvents.taken + [DerivedMessage.topic]
        let filter = LogFilter(addresses: [ramp] + pools, topics: [topics])
        return try await chain.endpoints.logs(filter, chain.startBlock...head)
            .sorted { ($0.blockNumber, $0.logIndex) < ($1.blockNumber, $1.logIndex) }
    }

    /// A silo for each chain that the pool keeps apart.
    private func silos(of end: TokenEnd, at block: UInt64, _ ledger: SupplyLedger) async throws -> [SupplyReport.Pool] {
        func ask(_ signature: String, returns: String, _ remote: RemoteEnd) async throws -> ABIValue? {
            let function = try ABIFunction(signature, returns: returns)
            let answer = try await end.chain.endpoints.call(
                to: end.pool, data: try function.encodeCall([.uint(remote.selector.rawValue)]), at: .number(block))
            return try function.decodeOutput(answer).first
        }
        var pools: [SupplyReport.Pool] = []
        for remote in end.remotes {
            guard try await ask("isSiloed(uint64)", returns: "(bool)", remote)?.asBool == true,
                let held = try await ask("getAvailableTokens(uint64)", returns: "(uint256)", remote)?.asUInt256
            else { continue }
            pools.append(
                SupplyReport.Pool(
                    end: end, silo: network.chains.first { $0.selector == remote.selector }, balance: held,
                    needed: ledger.mustHold(end.pool, for: remote.selector)))
        }
        return pools
    }
}
