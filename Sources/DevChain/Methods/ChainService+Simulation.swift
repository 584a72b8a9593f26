// eth_simulateV1: blocks of calls over a state, and how they look in JSON.

import EVM
import Ethereum
import JSONRPC

extension ChainService {
    /// Arguments: what to simulate, and the block to begin over.
    func simulate(_ p: Parameters) throws(JSONRPCError) -> JSON {
        let simulation = try Simulation(try p.required(0, "what to simulate"))
        let selector = try p.block(1)
        var chain = try refusable { () throws(DevChainError) in
            try hub.read { chain throws(DevChainError) in
                let base = try chain.knownBlock(selector)
                return SimulatedChain(
                    simulation, chain: chain, base: base, state: try chain.state(selector),
                    hashes: chain.hashes(through: base))
            }
        }
        return .array(try chain.run().map { Self.json($0, simulation) })
    }

    private static func json(_ simulated: SimulatedBlock, _ simulation: Simulation) -> JSON {
        let block = simulated.block
        guard case .object(var object) = Answers.block(block, whole: simulation.returnFullTransactions) else {
            return .null
        }
        object["calls"] = .array(simulated.calls.enumerated().map { json($1, at: $0, in: block) })
        return .object(object)
    }

    private static func json(_ call: SimulatedCall, at index: Int, in block: StoredBlock) -> JSON {
        let result = call.result
        let logs = call.logs.map { entry in
            Answers.log(
                LogEntry(log: entry.log, block: block, transactionIndex: index, logIndex: entry.index))
        }
        let isHalted = if case .halt = result.status { true } else { false }
        var object = JSONObject([
            ("returnData", .data(result.succeeded ? result.output : [])), ("logs", .array(logs)),
            ("gasUsed", .quantity(result.gasUsed)), ("maxUsedGas", .quantity(result.gasPeak)),
            ("status", result.succeeded ? "0x1" : "0x0"),
        ])
        if !result.succeeded {
            let error = RevertText.error(result)
            var shown = JSONObject([
                ("message", .string(error.message)), ("code", .integer(isHalted ? -32015 : error.code)),
            ])
            if let data = error.data { shown["data"] = data }
            object["error"] = .object(shown)
        }
        return .object(object)
    }
}
