// eth_simulateV1: blocks that nobody keeps agree with blocks that are made, and each fault has its number.

import DevChain
import EVM
import Ethereum
import JSONRPC
import Testing

@Suite("Simulations", .serialized)
struct SimulationTests {
    private static let poor = Address(truncating: 0xc000)
    private static let other = Address(truncating: 0xc100)

    private func simulate(_ node: NodeBench, _ blocks: [JSON], _ options: [(String, JSON)] = []) async throws -> [JSON] {
        let asked = JSON.object(JSONObject([("blockStateCalls", .array(blocks))] + options))
        return try #require(try await node.ask("eth_simulateV1", asked, "latest").asArray)
    }

    private func fault(_ node: NodeBench, _ blocks: [JSON], _ options: [(String, JSON)] = []) async throws -> Int {
        let asked = JSON.object(JSONObject([("blockStateCalls", .array(blocks))] + options))
        return try await node.refusal("eth_simulateV1", [asked, "latest"]).code
    }

    @Test("a simulated block with the transactions of a real one comes to its state root, receipts and gas")
    func agreesWithBlocks() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let base = try await node.ask("eth_blockNumber")
            _ = try await node.ask("evm_setAutomine", false)
            var calls: [JSON] = []
            for nonce in 1...3 as ClosedRange<UInt64> {
                _ = try await node.send(nonce: nonce, to: contract, value: 0, data: U256(nonce).bytes)
                let call: JSON = [
                    "from": .address(node.keys[0].address), "to": .address(contract), "data": .data(U256(nonce).bytes),
                    "nonce": .quantity(nonce), "gas": "0x30d40", "maxPriorityFeePerGas": "0x1",
                    "maxFeePerGas": .quantity(U256(10) * Bench.gwei),
                ]
                calls.append(call)
            }
            // A simulated block is later than its base, in whole seconds.
            _ = try await node.ask("evm_increaseTime", 5)
            _ = try await node.ask("evm_mine")
            let real = try await node.ask("eth_getBlockByNumber", "latest", false)
            var overrides = JSONObject()
            for (own, theirs) in [
                ("time", "timestamp"), ("feeRecipient", "miner"), ("prevRandao", "mixHash"), ("gasLimit", "gasLimit"),
            ] { overrides[own] = real[theirs] }
            let block: JSON = ["blockOverrides": .object(overrides), "calls": .array(calls)]
            let asked: JSON = [
                "blockStateCalls": .array([block]), "validation": true, "returnFullTransactions": true,
            ]
            let simulated = try #require(try await node.ask("eth_simulateV1", asked, base)[0])
            let same = [
                "stateRoot", "receiptsRoot", "logsBloom", "gasUsed", "baseFeePerGas", "parentHash", "number",
                "requestsHash", "withdrawalsRoot", "miner", "timestamp",
            ]
            for name in same { #expect(simulated[name] == real[name], "\(name)") }
            #expect(simulated["hash"] != real["hash"], "its transactions have no signatures")
            let counts: [JSON] = [1, 2, 3].map { (count: UInt64) -> JSON in .data(U256(count).bytes) }
            #expect(simulated["calls"]?.column("returnData") == counts)
            let first = try #require(simulated["transactions"]?[0])
            #expect(first["from"] == .address(node.keys[0].address) && first["r"] == "0x0" && first["v"] == "0x0")
            let log = try #require(simulated["calls"]?[2]?["logs"]?[0])
            #expect(log["logIndex"] == "0x2" && log["blockHash"] == simulated["hash"])
        }
    }

    @Test("blocks build on each other, gaps are filled, hashes chain, and nothing stays")
    func chain() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let head = try await node.ask("eth_getBlockByNumber", "latest", false)
            // Returns the hash of the block before.
            let code: Bytes = [0x60, 1, 0x43, 0x03, 0x40, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]
            let asks: JSON = [Self.other.hex: ["code": .data(code)]]
            let call: JSON = ["from": .address(Self.poor), "to": .address(Self.other)]
            let blocks = try await simulate(
                node,
                [
                    ["stateOverrides": asks, "calls": [call]],
                    ["blockOverrides": ["number": "0x4"], "calls": [call]],
                ])
            let all = JSON.array(blocks)
            let numbers: [JSON] = ["0x1", "0x2", "0x3", "0x4"]
            #expect(all.column("number") == numbers)
            let start = try #require(head["timestamp"]?.asUInt64)
            let times: [UInt64] = [start + 12, start + 24, start + 36, start + 48]
            #expect(all.column("timestamp") == times.map { (time: UInt64) -> JSON in .quantity(time) })
            let parents: [JSON] = [try #require(head["hash"])] + all.column("hash").dropLast()
            #expect(all.column("parentHash") == parents)
            #expect(blocks[0]["calls"]?.column("returnData") == [parents[0]])
            #expect(blocks[3]["calls"]?.column("returnData") == [parents[3]])
            #expect(Set(all.column("baseFeePerGas")) == ["0x0"], "nobody pays without validation")
            #expect(try await node.ask("eth_getCode", .address(Self.other)) == "0x")
            #expect(try await node.ask("eth_blockNumber") == "0x0")
        }
    }

    @Test("transfers of ether are told as logs where that is asked, and not those of calls that fail")
    func transfers() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let rich: JSON = [Self.poor.hex: ["balance": "0x7d0"]]
            let call: JSON = ["from": .address(Self.poor), "to": .address(Self.other), "value": "0x3e8"]
            let plain = try await simulate(node, [["stateOverrides": rich, "calls": [call]]])
            #expect(plain[0]["calls"]?[0]?["logs"] == [])
            let blocks = try await simulate(
                node, [["stateOverrides": rich, "calls": [call, call]]], [("traceTransfers", true)])
            let log = try #require(blocks[0]["calls"]?[1]?["logs"]?[0])
            #expect(log["address"] == "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee" && log["logIndex"] == "0x1")
            let topics: [JSON] = [
                .hash(keccak256(text: "Transfer(address,address,uint256)")), .hash(Hash32(Self.poor.word)),
                .hash(Hash32(Self.other.word)),
            ]
            #expect(log["topics"] == JSON.array(topics))
            #expect(log["data"] == JSON.hash(Hash32(1000)))
            #expect(blocks[0]["logsBloom"] == plain[0]["logsBloom"], "they are no logs of the block")
            // Passes what it got on, and reverts.
            let code: Bytes = [0x5f, 0x5f, 0x5f, 0x5f, 0x34, 0x61, 0xbe, 0xef, 0x5a, 0xf1, 0x5f, 0x5f, 0xfd]
            let state: JSON = [Self.poor.hex: ["balance": "0x7d0"], Self.other.hex: ["code": .data(code)]]
            let failed = try await simulate(
                node, [["stateOverrides": state, "calls": [call]]], [("traceTransfers", true)])
            #expect(failed[0]["calls"]?[0]?["logs"] == [])
            let error: JSON = ["message": "execution reverted", "code": 3, "data": "0x"]
            #expect(failed[0]["calls"]?.column("error") == [error])
            #expect(failed[0]["calls"]?[0]?["status"] == "0x0")
        }
    }

    @Test("each fault is refused by the number that the specification gives it")
    func faults() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let validating: [(String, JSON)] = [("validation", true)]
            let call: JSON = ["from": .address(Self.poor), "to": .address(Self.other)]
            func rich(_ calls: JSON...) -> JSON {
                let account: JSON = ["balance": "0xde0b6b3a7640000", "nonce": "0x5"]
                let state: JSON = [Self.poor.hex: account]
                return ["stateOverrides": state, "calls": .array(calls)]
            }
            func with(_ name: String, _ value: JSON) -> JSON {
                var object = call.asObject ?? JSONObject()
                object["maxFeePerGas"] = .quantity(U256(10) * Bench.gwei)
                object[name] = value
                return .object(object)
            }
            #expect(try await fault(node, [rich(with("nonce", "0x4"))], validating) == -38010)
            #expect(try await fault(node, [rich(with("nonce", "0x6"))], validating) == -38011)
            #expect(try await fault(node, [rich(call)], validating) == -38012)
            #expect(try await fault(node, [rich(with("gas", "0x100"))]) == -38013)
            #expect(try await fault(node, [["calls": [with("value", "0x1")]]]) == -38014)
            #expect(try await fault(node, [["calls": [["from": .address(Self.poor), "value": "0x1"]]]]) == -38014)
            let small: JSON = ["blockOverrides": ["gasLimit": "0x7530"], "calls": [with("gas", "0x7531")]]
            #expect(try await fault(node, [small]) == -38015)
            #expect(try await fault(node, [["blockOverrides": ["number": "0x0"]]]) == -38020)
            #expect(
                try await fault(node, [["blockOverrides": ["number": "0x3"]], ["blockOverrides": ["number": "0x3"]]])
                    == -38020)
            #expect(try await fault(node, [["blockOverrides": ["time": .quantity(Bench.start)]]]) == -38021)
            let code = Bytes(repeating: 0, count: 49_153)
            #expect(try await fault(node, [rich(["from": .address(Self.poor), "data": .data(code)])]) == -38025)
            #expect(try await fault(node, Array(repeating: [:], count: 257)) == -38026)
            #expect(try await fault(node, [["blockOverrides": ["number": "0x101"]]]) == -38026)
            #expect(try await fault(node, []) == -32602)
            let moved: JSON = [Self.poor.hex: ["movePrecompileToAddress": .address(Self.other)]]
            #expect(try await fault(node, [["stateOverrides": moved]]) == -32000)
            let both: JSON = [Self.poor.hex: ["state": [:], "stateDiff": [:]]]
            #expect(try await fault(node, [["stateOverrides": both]]) == -32000)
            #expect(try await node.refusal("eth_simulateV1", [["blockStateCalls": [[:]]], "0x99"]).code == -32000)
            // Without validation none of nonce and fee matters, and a contract may send.
            let free = try await simulate(node, [rich(with("nonce", "0x77"), call)])
            let succeeded: [JSON] = ["0x1", "0x1"]
            #expect(free[0]["calls"]?.column("status") == succeeded)
            let account: JSON = ["code": "0x00", "balance": "0x1"]
            let state: JSON = [Self.poor.hex: account]
            let contract: JSON = ["stateOverrides": state, "calls": .array([with("value", "0x1")])]
            #expect(try await fault(node, [contract], validating) == -38014, "a fee must be there, whoever sends")
            let pays = try await simulate(node, [rich(with("nonce", "0x5"))], validating)
            #expect(pays[0]["calls"]?[0]?["status"] == "0x1")
        }
    }

    @Test("precompiles can be moved and replaced, in a simulated block and in a call")
    func precompiles() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let identity = Address(truncating: 4)
            let code: Bytes = [0x60, 9, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]
            let account: JSON = ["movePrecompileToAddress": .address(Self.other), "code": .data(code)]
            let moves: JSON = [identity.hex: account]
            func call(_ to: Address) -> JSON { ["to": .address(to), "data": "0x0102"] }
            let first: JSON = ["stateOverrides": moves, "calls": .array([call(Self.other), call(identity)])]
            let second: JSON = ["calls": .array([call(Self.other)])]
            let blocks = try await simulate(node, [first, second])
            let answers: [JSON] = ["0x0102", .data(U256(9).bytes)]
            #expect(blocks[0]["calls"]?.column("returnData") == answers)
            #expect(blocks[1]["calls"]?.column("returnData") == ["0x"], "a move holds for its block")
            #expect(try await node.ask("eth_call", call(Self.other), "latest", moves) == "0x0102")
            #expect(try await node.ask("eth_call", call(identity), "latest", moves) == .data(U256(9).bytes))
            #expect(try await node.ask("eth_call", call(identity), "latest") == "0x0102")
        }
    }
}
