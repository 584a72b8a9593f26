// debug_trace over a real socket: transactions of blocks with others before them, calls, and every tracer's shape.

import DevChain
import EVM
import Ethereum
import JSONRPC
import Testing

@Suite("Traces", .serialized)
struct TraceTests {
    /// Slot 0 with this value.
    private static func slot(_ value: UInt64) -> JSON {
        .object(JSONObject([(Hash32.zero.hex, .hash(Hash32(U256(value))))]))
    }

    @Test("a transaction is traced on the state that the ones before it in its block left")
    func placeInBlock() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            _ = try await node.ask("evm_setAutomine", false)
            var hashes: [JSON] = []
            for number in 0..<3 as Range<UInt64> {
                hashes.append(try await node.send(to: contract, value: 0, data: U256(number).bytes))
            }
            _ = try await node.ask("evm_mine")
            // The contract counts calls in slot 0 and returns the count.
            for (index, hash) in hashes.enumerated() {
                let trace = try await node.ask("debug_traceTransaction", hash, ["tracer": "callTracer"])
                #expect(trace["output"] == .data(U256(index + 1).bytes))
                #expect(trace["type"] == "CALL" && trace["to"] == .address(contract) && trace["value"] == "0x0")
                let receipt = try await node.ask("eth_getTransactionReceipt", hash)
                #expect(trace["gasUsed"] == receipt["gasUsed"])
            }
            let all = try await node.ask("debug_traceBlockByNumber", "latest", ["tracer": "callTracer"])
            #expect(all.column("txHash") == hashes)
            let outputs: [JSON] = [1, 2, 3].map { (count: UInt64) -> JSON in .data(U256(count).bytes) }
            #expect(JSON.array(all.column("result")).column("output") == outputs)
            let block = try await node.ask("eth_getBlockByNumber", "latest", false)
            let blockHash = try #require(block["hash"])
            #expect(try await node.ask("debug_traceBlockByHash", blockHash, ["tracer": "callTracer"]) == all)
            let raw = try await node.ask("debug_getRawBlock", "latest")
            #expect(try await node.ask("debug_traceBlock", raw, ["tracer": "callTracer"]) == all)
            // A call inside the block, before its second transaction.
            let call: JSON = ["to": .address(contract)]
            let options: JSON = ["tracer": "callTracer", "txIndex": "0x1"]
            #expect(try await node.ask("debug_traceCall", call, "latest", options)["output"] == .data(U256(2).bytes))
        }
    }

    @Test("logs stand in the call that wrote them, with their index in the block; those of a failed call do not")
    func logs() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let logger = try await node.deploy(Bench.logger)
            _ = try await node.ask("evm_setAutomine", false)
            _ = try await node.send(to: logger, value: 0)
            let second = try await node.send(to: logger, value: 0, data: U256(7).bytes)
            _ = try await node.ask("evm_mine")
            let options: JSON = ["tracer": "callTracer", "tracerConfig": ["withLog": true]]
            let trace = try await node.ask("debug_traceTransaction", second, options)
            let log: JSON = [
                "address": .address(logger), "topics": [.hash(Hash32(1))], "data": .data(U256(7).bytes),
                "index": "0x1", "position": "0x0",
            ]
            #expect(trace["logs"] == JSON.array([log]))
            // Calls the logger and reverts with what it returned.
            var code: Bytes = [0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x73]
            code += logger.bytes
            code += [0x5a, 0xf1, 0x5f, 0x5f, 0xfd] as Bytes
            let call: JSON = ["to": .address(Address(truncating: 0xabc))]
            var outer = options.asObject ?? JSONObject()
            outer["stateOverrides"] = [Address(truncating: 0xabc).hex: ["code": .data(code)]]
            let failed = try await node.ask("debug_traceCall", call, "latest", .object(outer))
            #expect(failed["error"] == "execution reverted" && failed["logs"] == nil)
            let inner = try #require(failed["calls"]?[0])
            #expect(inner["to"] == .address(logger) && inner["error"] == nil && inner["logs"] == nil)
            outer["tracerConfig"] = ["onlyTopCall": true]
            #expect(try await node.ask("debug_traceCall", call, "latest", .object(outer))["calls"] == nil)
        }
    }

    @Test("errors are told in go-ethereum's words, with the reason of a revert and without the address of no contract")
    func failures() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let options: JSON = ["tracer": "callTracer"]
            func trace(_ code: Bytes) async throws -> JSON {
                let target = Address(truncating: 0xabc)
                var whole = options.asObject ?? JSONObject()
                whole["stateOverrides"] = [target.hex: ["code": .data(code)]]
                return try await node.ask(
                    "debug_traceCall", ["to": .address(target), "gas": "0x10000"], "latest", .object(whole))
            }
            #expect(try await trace(Bench.reverter)["revertReason"] == "no")
            #expect(try await trace([0xfe])["error"] == "invalid opcode: INVALID")
            #expect(try await trace([0x0c])["error"] == "invalid opcode: opcode 0xc not defined")
            #expect(try await trace([0x5b, 0x5f, 0x56])["error"] == "out of gas")
            #expect(try await trace([0x5f, 0x56])["error"] == "invalid jump destination")
            let creation = try await node.ask(
                "debug_traceCall", ["data": .data([0x5f, 0x5f, 0xfd])], "latest", options)
            #expect(creation["type"] == "CREATE" && creation["to"] == nil && creation["error"] == "execution reverted")
            #expect(
                try await node.refusal("debug_traceTransaction", [.hash(.zero)]).message == "transaction not found")
            #expect(try await node.refusal("debug_traceBlockByNumber", ["0x0"]).message == "genesis is not traceable")
            #expect(try await node.refusal("debug_traceBlockByNumber", ["0x99"]).code == -32000)
            #expect(try await node.refusal("debug_traceBlockByNumber", ["3"]).code == -32602)
            #expect(try await node.refusal("debug_traceBlockByHash", [.hash(.zero)]).code == -32000)
            #expect(try await node.refusal("debug_traceBlock", ["0xc0"]).code == -32602)
            let wrong: [JSON] = [["tracer": "muxTracer"], ["tracer": "{step: function() {}}"], ["enableMemory": 1]]
            let anyone: JSON = ["to": .address(.zero)]
            for options in wrong {
                let error = try await node.refusal("debug_traceCall", [anyone, "latest", options])
                #expect(error.code == -32602)
            }
        }
    }

    @Test("without a named tracer every instruction is told, and options leave parts out")
    func opcodes() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let hash = try await node.send(to: contract, value: 0, data: U256(7).bytes)
            let trace = try await node.ask("debug_traceTransaction", hash, ["enableMemory": true])
            let receipt = try await node.ask("eth_getTransactionReceipt", hash)
            #expect(trace["gas"]?.asUInt64 == receipt["gasUsed"]?.asUInt64)
            #expect(trace["failed"] == false && trace["returnValue"] == .data(U256(1).bytes))
            let logs = try #require(trace["structLogs"]?.asArray)
            let first: JSON = [
                "pc": 0, "op": "PUSH0", "gas": try #require(logs[0]["gas"]), "gasCost": 2, "depth": 1, "stack": [],
            ]
            #expect(logs[0] == first)
            let store = try #require(logs.first { $0["op"] == "SSTORE" })
            #expect(store["storage"] == Self.slot(1))
            #expect(store["gasCost"] == 20_000)
            #expect(store["memory"] == JSON.array([.data(U256(7).bytes)]))
            #expect(store["stack"] == ["0x1", "0x0"])
            let bare = try await node.ask(
                "debug_traceTransaction", hash, ["disableStack": true, "disableStorage": true, "limit": 12])
            #expect(bare["structLogs"]?.asArray?.count == 12)
            for name in ["stack", "storage", "memory"] { #expect(bare["structLogs"]?.column(name) == []) }
            let transfer = try await node.send()
            let nothing: JSON = ["gas": 21_000, "failed": false, "returnValue": "0x", "structLogs": []]
            #expect(try await node.ask("debug_traceTransaction", transfer) == nothing)
        }
    }

    @Test("the prestate is enough to run the transaction again, and the difference leads from it to what is now")
    func prestate() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            _ = try await node.send(to: contract, value: 0)
            let before = try await node.ask("eth_getBalance", .address(node.keys[1].address))
            let hash = try await node.send(from: 1, to: contract, value: 3)
            let whole = try await node.ask("debug_traceTransaction", hash, ["tracer": "prestateTracer"])
            let account = try #require(whole[contract.hex])
            #expect(account["storage"] == Self.slot(1))
            #expect(account["code"] == JSON.data(Bench.logger))
            #expect(account["balance"] == "0x0")
            #expect(account["codeHash"] == JSON.hash(keccak256(Bench.logger)))
            #expect(whole[node.keys[1].address.hex] == JSON.object(JSONObject([("balance", before)])))
            let difference = try await node.ask(
                "debug_traceTransaction", hash, ["tracer": "prestateTracer", "tracerConfig": ["diffMode": true]])
            let (pre, post) = (try #require(difference["pre"]), try #require(difference["post"]))
            #expect(pre[contract.hex]?["storage"] == Self.slot(1))
            #expect(post[contract.hex] == JSON.object(JSONObject([("balance", "0x3"), ("storage", Self.slot(2))])))
            let after = try await node.ask("eth_getBalance", .address(node.keys[1].address))
            let sender = JSON.object(JSONObject([("balance", after), ("nonce", 1)]))
            #expect(post[node.keys[1].address.hex] == sender)
            let bare = try await node.ask(
                "debug_traceTransaction", hash,
                ["tracer": "prestateTracer", "tracerConfig": ["disableCode": true, "disableStorage": true]])
            #expect(bare[contract.hex] == ["balance": "0x0", "nonce": 1])
            let selectors = try await node.ask(
                "debug_traceCall", ["to": .address(contract), "data": "0x0102030405"], "latest", ["tracer": "4byteTracer"])
            #expect(selectors == ["0x01020304-1": 1])
            #expect(try await node.ask("debug_traceTransaction", hash, ["tracer": "noopTracer"]) == [:])
        }
    }
}

extension JSON {
    /// A member of each item of an array, where it is there.
    func column(_ name: String) -> [JSON] { (asArray ?? []).compactMap { (item: JSON) -> JSON? in item[name] } }
}
