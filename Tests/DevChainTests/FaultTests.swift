// The fault switches over real sockets: what a client of a misbehaving chain sees.

import DevChain
import Ethereum
import Foundation
import JSONRPC
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("Faults", .serialized)
struct FaultTests {
    /// Posts one body by hand; the status, the headers and the text.
    private func post(_ body: String, to port: Int) async throws -> (Int, HTTPURLResponse, String) {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)")))
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.timeoutInterval = 3
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        return (http.statusCode, http, String(decoding: data, as: UTF8.self))
    }

    private func call(_ method: String, id: Int = 1) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":[]}"#
    }

    @Test("rules are set, shown with their counts, and cleared; none is there at the start")
    func administration() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            #expect(try await node.ask("causeway_getFaults") == [])
            let rules: JSON = [
                ["method": "eth_chainId", "kind": "error", "code": -32001, "message": "gone", "count": 1],
                ["kind": "delay", "milliseconds": 1, "every": 2],
                ["method": "eth_get*", "kind": "http500", "calls": 9],
                ["kind": "missingLogs", "nth": 2, "probability": .number("0.5"), "seed": 3],
                ["kind": "wrongBlockNumber", "offset": -3], ["kind": "drop", "close": false, "method": "net_version"],
                ["kind": "staleHead", "blocks": 2, "method": "eth_call"], ["kind": "lyingFinalized", "blocks": 1],
                ["kind": "http429", "retryAfterSeconds": 7, "method": "eth_gasPrice"],
            ]
            #expect(try await node.ask("causeway_setFaults", rules) == 9)
            #expect(try await node.refusal("eth_chainId", []).message == "gone")
            #expect(try await node.ask("eth_chainId") == "0x7a69", "the rule was for one call")
            let shown = try #require(try await node.ask("causeway_getFaults").asArray)
            #expect(shown.count == 9)
            #expect(shown[0]["struck"] == 1 && shown[0]["spent"] == true && shown[0]["code"] == -32001)
            #expect(shown[1]["seen"] == 2 && shown[1]["struck"] == 1 && shown[1]["method"] == "*")
            #expect(shown[3]["probability"] == .number("0.5") && shown[3]["seed"] == 3 && shown[4]["offset"] == -3)
            #expect(try await node.ask("causeway_clearFaults") == 9)
            #expect(try await node.ask("causeway_getFaults") == [])
        }
    }

    static let refused: [(JSON, String)] = [
        (["kind": "delay"], "milliseconds"), (["milliseconds": 5], "kind"), (["kind": "dealy"], "did you mean 'delay'"),
        (["kind": "delay", "milliseconds": 5, "methd": "x"], "did you mean 'method'"),
        (["kind": "http500", "blocks": 1], "blocks"), (["kind": "http500", "method": "eth_cal"], "eth_call"),
        (["kind": "http500", "method": "eth_*get*"], "star"),
        (["kind": "http500", "method": "causeway_setFaults"], "never faulted"),
        (["kind": "delay", "milliseconds": 600_001], "600000"), (["kind": "drop", "every": 0], "every"),
        (["kind": "drop", "every": 2, "probability": .number("0.5")], "not both"),
        (["kind": "drop", "probability": .number("1.5")], "0 to 1"),
        (["kind": "drop", "close": 1], "true or false"), (["kind": "staleHead", "blocks": 0], "blocks"),
        (["kind": "missingLogs", "nth": 1, "block": 2], "not both"), (["kind": "wrongBlockNumber"], "offset"),
        (["kind": "drop", "count": 0], "count"), ("drop", "object"),
    ]

    @Test("a wrong rule is refused with its place and what would be right, and the rules before it stay")
    func refusals() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask("causeway_setFaults", [["kind": "delay", "milliseconds": 1]])
            for (rule, words) in Self.refused {
                let error = try await node.refusal("causeway_setFaults", [[["kind": "http500"], rule]])
                #expect(error.code == -32602 && error.message.contains("argument 0[1]"), "\(rule.text)")
                #expect(error.message.contains(words), "\(rule.text): \(error.message)")
            }
            #expect(try await node.refusal("causeway_setFaults", [5]).code == -32602)
            let many = JSON.array(Array(repeating: ["kind": "http500"], count: 101))
            #expect(try await node.refusal("causeway_setFaults", [many]).code == -32005)
            #expect(try await node.ask("causeway_getFaults").asArray?.count == 1)
        }
    }

    @Test("delays come late, errors say what was asked for, in batches too")
    func delayAndError() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask(
                "causeway_setFaults",
                [
                    ["method": "eth_blockNumber", "kind": "delay", "milliseconds": 120],
                    ["method": "eth_gasPrice", "kind": "error", "code": -32050, "message": "overloaded"],
                ])
            let began = ContinuousClock.now
            #expect(try await node.ask("eth_blockNumber") == "0x0")
            #expect(ContinuousClock.now - began >= .milliseconds(120))
            let answers = try await node.client.batch([("eth_chainId", []), ("eth_gasPrice", []), ("net_version", [])])
            #expect(try answers[0].get() == "0x7a69")
            let error = #expect(throws: JSONRPCError.self) { try answers[1].get() }
            #expect(error == JSONRPCError(code: -32050, message: "overloaded"))
            #expect(try answers[2].get() == "31337")
            // Raw transactions of one batch go to the pool together; a fault for one of them is for that one.
            _ = try await node.ask("evm_setAutomine", false)
            _ = try await node.ask(
                "causeway_setFaults", [["method": "eth_sendRawTransaction", "kind": "error", "every": 2]])
            let raw = (0..<3 as Range<UInt64>).map { nonce in
                Transaction.dynamicFee(
                    chainID: 31337, nonce: nonce, maxPriorityFeePerGas: 1, maxFeePerGas: U256(10) * Bench.gwei,
                    gasLimit: 21_000, to: .zero
                ).signed(by: node.keys[0])
            }
            let sent = try await node.client.batch(raw.map { ("eth_sendRawTransaction", [.data($0.encoded)]) })
            #expect(try sent[0].get() == .hash(raw[0].hash))
            #expect(throws: JSONRPCError.self) { try sent[1].get() }
            #expect(try sent[2].get() == .hash(raw[2].hash))
        }
    }

    @Test("HTTP 429 has its Retry-After, HTTP 500 its status, and a batch with one such call gets them as a whole")
    func statuses() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask(
                "causeway_setFaults",
                [
                    ["method": "eth_chainId", "kind": "http429", "retryAfterSeconds": 7, "every": 2],
                    ["method": "eth_gasPrice", "kind": "http500", "count": 1],
                ])
            #expect(try await post(call("eth_chainId"), to: node.port).0 == 200)
            let (status, response, _) = try await post(call("eth_chainId"), to: node.port)
            #expect(status == 429 && response.value(forHTTPHeaderField: "Retry-After") == "7")
            let batch = "[\(call("net_version")),\(call("eth_gasPrice", id: 2))]"
            #expect(try await post(batch, to: node.port).0 == 500)
            let (again, _, text) = try await post(batch, to: node.port)
            #expect(again == 200 && text.contains("31337"))
        }
    }

    @Test("a dropped call gets no answer: the connection is closed, or stays silent")
    func drops() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask(
                "causeway_setFaults",
                [
                    ["method": "eth_chainId", "kind": "drop"],
                    ["method": "eth_gasPrice", "kind": "drop", "close": false],
                ])
            let began = ContinuousClock.now
            await #expect(throws: URLError.self) { try await post(call("eth_chainId"), to: node.port) }
            #expect(ContinuousClock.now - began < .seconds(2), "closed, not left to time out")
            let silent = await #expect(throws: URLError.self) { try await post(call("eth_gasPrice"), to: node.port) }
            #expect(silent?.code == .timedOut)
            #expect(try await node.ask("net_version") == "31337")
            _ = try await node.ask("causeway_clearFaults")
            #expect(try await node.ask("eth_chainId") == "0x7a69")
        }
    }

    @Test("over WebSocket the same: errors for statuses, a closed connection for a drop")
    func webSocket() async throws {
        try await NodeBench.with(webSocket: true) { (node: NodeBench) async throws in
            _ = try await node.ask(
                "causeway_setFaults",
                [
                    ["method": "eth_chainId", "kind": "http429"], ["method": "eth_gasPrice", "kind": "http500"],
                    ["method": "net_version", "kind": "drop", "count": 1],
                    ["method": "eth_blockNumber", "kind": "delay", "milliseconds": 60],
                ])
            #expect(try await node.refusal("eth_chainId", []).code == -32005)
            #expect(try await node.refusal("eth_gasPrice", []).code == -32603)
            let began = ContinuousClock.now
            #expect(try await node.ask("eth_blockNumber") == "0x0")
            #expect(ContinuousClock.now - began >= .milliseconds(60))
            // The connection is cut; the client opens another, and the rule is spent.
            try await node.until("an answer after the cut") { (try? await node.ask("net_version")) == "31337" }
            #expect(try await node.ask("causeway_getFaults")[2]?["struck"] == 1)
        }
    }

    @Test("behind a stale head newer blocks, receipts, states and logs are not there yet")
    func staleHead() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let early = try await node.send(to: contract, value: 0)
            let late = try await node.send(to: contract, value: 5)
            let lateHash = try #require(try await node.ask("eth_getTransactionReceipt", late)["blockHash"])
            _ = try await node.ask("causeway_setFaults", [["kind": "staleHead", "blocks": 1]])
            #expect(try await node.ask("eth_blockNumber") == "0x2")
            #expect(try await node.ask("eth_getBlockByNumber", "latest", false)["number"] == "0x2")
            #expect(try await node.ask("eth_getBlockByNumber", "0x3", false) == .null)
            #expect(try await node.ask("eth_getBlockByHash", lateHash, false) == .null)
            #expect(try await node.ask("eth_getTransactionReceipt", late) == .null)
            #expect(try await node.ask("eth_getTransactionByHash", late)["blockNumber"] == .null)
            #expect(try await node.ask("eth_getTransactionReceipt", early)["blockNumber"] == "0x2")
            #expect(try await node.ask("eth_getBalance", .address(contract)) == "0x0")
            #expect(try await node.number("eth_getTransactionCount", .address(node.keys[0].address), "latest") == 2)
            #expect(try await node.ask("eth_getStorageAt", .address(contract), "0x0") == .hash(Hash32(1)))
            #expect(try await node.ask("eth_call", ["to": .address(contract)]) == .data(U256(2).bytes))
            let info = try await node.ask("eth_getAccountInfo", .address(contract), "latest")
            #expect(info["balance"] == "0x0")
            let trace = try await node.ask("debug_traceBlockByNumber", "latest", ["tracer": "callTracer"])
            #expect(trace.asArray?.map { $0["txHash"] } == [early])
            let all: JSON = ["fromBlock": "0x0", "toBlock": "latest"]
            #expect(try await node.ask("eth_getLogs", all).asArray?.count == 1)
            #expect(try await node.ask("eth_getLogs", ["blockHash": lateHash]) == [])
            #expect(
                try await node.refusal("eth_getBalance", [.address(contract), "0x3"]).message.contains("not found"))
            _ = try await node.ask("causeway_clearFaults")
            #expect(try await node.ask("eth_getLogs", all).asArray?.count == 2)
            #expect(try await node.ask("eth_getBalance", .address(contract)) == "0x5")
        }
    }

    @Test("a lying node says safe and finalized too early, and never beyond its head")
    func lyingFinalized() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask("anvil_mine", 10)
            func tags() async throws -> [UInt64?] {
                try await ["finalized", "safe"].asyncMap { tag in
                    try await node.ask("eth_getBlockByNumber", .string(tag), false)["number"]?.asUInt64
                }
            }
            #expect(try await tags() == [6, 8])
            _ = try await node.ask("causeway_setFaults", [["kind": "lyingFinalized", "blocks": 3]])
            #expect(try await tags() == [9, 10])
            #expect(try await node.number("eth_blockNumber") == 10)
            _ = try await node.ask(
                "causeway_setFaults", [["method": "eth_getBlockByNumber", "kind": "lyingFinalized", "blocks": 1]])
            #expect(try await tags() == [7, 9])
            _ = try await node.ask("causeway_clearFaults")
            #expect(try await tags() == [6, 8])
        }
    }

    @Test("wrong block numbers stand in blocks, transactions, receipts and logs")
    func wrongNumbers() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let hash = try await node.send(to: contract, value: 0)
            _ = try await node.ask("causeway_setFaults", [["kind": "wrongBlockNumber", "offset": 100]])
            #expect(try await node.ask("eth_blockNumber") == "0x66")
            let block = try await node.ask("eth_getBlockByNumber", "0x2", true)
            #expect(block["number"] == "0x66" && block["transactions"]?[0]?["blockNumber"] == "0x66")
            let receipt = try await node.ask("eth_getTransactionReceipt", hash)
            #expect(receipt["blockNumber"] == "0x66" && receipt["logs"]?[0]?["blockNumber"] == "0x66")
            let logs = try await node.ask("eth_getLogs", ["fromBlock": "0x0"])
            #expect(logs[0]?["blockNumber"] == "0x66")
            _ = try await node.ask(
                "causeway_setFaults", [["method": "eth_blockNumber", "kind": "wrongBlockNumber", "offset": -9]])
            #expect(try await node.ask("eth_blockNumber") == "0x0", "a number is never below zero")
            #expect(try await node.ask("eth_getTransactionReceipt", hash)["blockNumber"] == "0x2")
        }
    }

    @Test("missing logs are missing from eth_getLogs and filters, while the receipts have them")
    func missingLogs() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let filter = try await node.ask("eth_newFilter", ["fromBlock": "0x0", "address": .address(contract)])
            var hashes: [JSON] = []
            for _ in 0..<4 { hashes.append(try await node.send(to: contract, value: 0)) }
            let all: JSON = ["fromBlock": "0x0"]
            func blocks(_ logs: JSON) -> [UInt64?] { (logs.asArray ?? []).map { $0["blockNumber"]?.asUInt64 } }
            _ = try await node.ask("causeway_setFaults", [["method": "eth_getLogs", "kind": "missingLogs", "nth": 2]])
            #expect(blocks(try await node.ask("eth_getLogs", all)) == [2, 4])
            #expect(blocks(try await node.ask("eth_getFilterLogs", filter)) == [2, 3, 4, 5])
            _ = try await node.ask("causeway_setFaults", [["kind": "missingLogs", "block": 3]])
            #expect(blocks(try await node.ask("eth_getLogs", all)) == [2, 4, 5])
            #expect(blocks(try await node.ask("eth_getFilterChanges", filter)) == [2, 4, 5])
            #expect(try await node.ask("eth_getTransactionReceipt", hashes[1])["logs"]?.asArray?.count == 1)
            _ = try await node.ask("causeway_setFaults", [["kind": "missingLogs"]])
            #expect(try await node.ask("eth_getLogs", all) == [])
        }
    }

    @Test("subscribers of a stale head get blocks late, in order, and never those that a reorg took before")
    func subscribers() async throws {
        try await NodeBench.with(webSocket: true) { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let heads = try await node.client.subscribe(["newHeads"])
            let logs = try await node.client.subscribe(["logs", ["address": .address(contract)]])
            try await node.until("both subscriptions stand") {
                try await node.ask("anvil_nodeInfo")["subscriptions"] == 2
            }
            _ = try await node.ask(
                "causeway_setFaults", [["method": "eth_subscription", "kind": "staleHead", "blocks": 2]])
            try await node.send(to: contract, value: 0)  // block 2: held
            _ = try await node.ask("evm_mine")  // block 3: held
            _ = try await node.ask("anvil_reorg", 1)  // block 3 goes untold, another comes
            _ = try await node.ask("evm_mine")  // block 4: tells block 2
            _ = try await node.ask("causeway_clearFaults")
            _ = try await node.ask("evm_mine")  // block 5: tells all that was held
            let seen = await take(4, of: heads)
            #expect(seen.map { $0["number"]?.asUInt64 } == [2, 3, 4, 5])
            #expect(zip(seen, seen.dropFirst()).allSatisfy { $0["hash"] == $1["parentHash"] })
            let seenLogs = await take(1, of: logs)
            #expect(seenLogs.map { $0["blockNumber"]?.asUInt64 } == [2])
        }
    }

    @Test("what is pushed can be dropped, lack logs and have wrong numbers")
    func pushes() async throws {
        try await NodeBench.with(webSocket: true) { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let heads = try await node.client.subscribe(["newHeads"])
            let logs = try await node.client.subscribe(["logs", ["address": .address(contract)]])
            try await node.until("both subscriptions stand") {
                try await node.ask("anvil_nodeInfo")["subscriptions"] == 2
            }
            func set(_ rule: JSON) async throws { _ = try await node.ask("causeway_setFaults", [rule]) }
            /// The publisher is a step behind the calls: the next rule is set once this one has counted.
            func send(seen: Int) async throws {
                try await node.send(to: contract, value: 0)
                try await node.until("the push was looked at") {
                    try await node.ask("causeway_getFaults")[0]?["seen"] == .integer(seen)
                }
            }
            try await set(["method": "eth_subscription", "kind": "drop"])
            try await send(seen: 1)
            try await set(["method": "eth_subscription", "kind": "missingLogs"])
            try await send(seen: 1)
            try await set(["method": "eth_subscription", "kind": "wrongBlockNumber", "offset": 1000])
            try await send(seen: 1)
            #expect(await take(2, of: heads).map { $0["number"]?.asUInt64 } == [3, 1004])
            #expect(await take(1, of: logs).map { $0["blockNumber"]?.asUInt64 } == [1004])
        }
    }
}
