// What makes the shipped chains differ from Ethereum, seen from outside: each quirk with its key on and off.

import DevChain
import EVM
import Ethereum
import Foundation
import JSONRPC
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("Quirks", .serialized)
struct QuirkTests {
    static let vault = Address(truncating: U256(w0: 0, w1: 0, w2: 0x7100_0000, w3: 0))

    /// Code that returns the 32 bytes that an opcode gives.
    private func teller(_ opcode: Bytes) -> Bytes { opcode + [0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3] }

    /// The shipped chain with blocks on demand.
    private func with(
        _ name: String, webSocket: Bool = false, _ body: (NodeBench) async throws -> Void
    ) async throws {
        var profile = try ProfileTests.shipped(name)
        profile.cadence.onDemand = true
        profile.cadence.heartbeatMilliseconds = 0
        try await NodeBench.with(profile: profile, webSocket: webSocket, body)
    }

    /// The bench chain with one more line.
    private func with(line: String, replacing key: String = "-", _ body: (NodeBench) async throws -> Void) async throws
    {
        let rest = Bench.profileText.split(separator: "\n").filter { !$0.hasPrefix(key + ":") }
        try await NodeBench.with(rest.joined(separator: "\n") + "\n" + line, body)
    }

    @Test("Jovay's headers say nothing of miner, size and difficulty, and hash to what they show")
    func headers() async throws {
        try await with("jovay") { (node: NodeBench) async throws in
            try await node.send()
            let block = try await node.ask("eth_getBlockByNumber", "latest", true)
            for (name, value) in [
                ("miner", JSON.address(.zero)), ("size", "0x0"), ("difficulty", "0x0"), ("totalDifficulty", "0x0"),
                ("mixHash", .hash(.zero)), ("nonce", "0x0000000000000000"), ("extraData", "0x"),
                ("baseFeePerGas", "0xf4240"), ("gasLimit", "0x3b9aca00"), ("uncles", []),
            ] {
                #expect(block[name] == value, "\(name)")
            }
            let raw = try Hex.decode(try #require(try await node.ask("debug_getRawHeader", "latest").asString))
            #expect(block["hash"] == .hash(keccak256(raw)))
            #expect(try await node.ask("eth_coinbase") == .address(.zero))
            #expect(try await node.refusal("anvil_setCoinbase", [.address(.zero)]).message.contains("profile"))
        }
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask("anvil_setCoinbase", .address(Self.vault))
            _ = try await node.ask("evm_mine")
            let block = try await node.ask("eth_getBlockByNumber", "latest", true)
            #expect(block["miner"] == .address(Self.vault) && block["totalDifficulty"] == nil && block["size"] != "0x0")
        }
    }

    @Test(
        "Jovay's machine: COINBASE is the vault; PREVRANDAO, BLOBBASEFEE, BLOBHASH are zero; BLOCKHASH is a text's hash"
    )
    func machine() async throws {
        let numbered = keccak256(text: "3")
        let table: [(Bytes, jovay: U256)] = [
            ([0x41], Self.vault.word), ([0x44], 0), ([0x48], 1_000_000), ([0x4a], 0), ([0x5f, 0x49], 0),
            ([0x60, 0x03, 0x40], numbered.word),
        ]
        try await with("jovay") { (node: NodeBench) async throws in
            for (opcode, expected) in table {
                let contract = try await node.deploy(teller(opcode))
                #expect(
                    try await node.ask("eth_call", ["to": .address(contract)]) == .data(expected.bytes), "\(opcode)")
            }
            // No point evaluation: the precompile's address is an empty account.
            #expect(try await node.ask("eth_call", ["to": .address(Address(truncating: 10)), "data": "0x00"]) == "0x")
        }
        try await NodeBench.with { (node: NodeBench) async throws in
            for opcode in [[0x44], [0x4a]] as [Bytes] {
                let contract = try await node.deploy(teller(opcode))
                #expect(try await node.ask("eth_call", ["to": .address(contract)]) != .data(U256.zero.bytes))
            }
        }
    }

    @Test("on Jovay the sender pays gas and bytes, the vault gets both, and the receipt tells")
    func fees() async throws {
        try await with("jovay") { (node: NodeBench) async throws in
            let sender = JSON.address(node.keys[0].address)
            func balance(_ address: JSON) async throws -> U256 {
                try #require(try await node.ask("eth_getBalance", address).asUInt256)
            }
            let (before, vault) = (try await balance(sender), try await balance(.address(Self.vault)))
            let hash = try await node.send(value: 5, tip: 0)
            let receipt = try await node.ask("eth_getTransactionReceipt", hash)
            let raw = try Hex.decode(try #require(try await node.ask("eth_getRawTransactionByHash", hash).asString))
            #expect(receipt["l1FeePerByte"] == .quantity(1_438_232 as UInt64))
            let bytes = U256(1_438_232) * U256(raw.count)
            #expect(receipt["l1Fee"] == .quantity(bytes))
            let gas = U256(21_000) * U256(1_000_000)
            #expect(try await balance(sender) == before - 5 - gas - bytes)
            #expect(try await balance(.address(Self.vault)) == vault + gas + bytes)
            #expect(try await node.number("eth_estimateGas", ["to": .address(.zero)]) == 21_000, "gas of the L2 only")
            #expect(try await node.ask("eth_maxPriorityFeePerGas") == "0x0")
        }
        try await NodeBench.with { (node: NodeBench) async throws in
            let hash = try await node.send()
            #expect(try await node.ask("eth_getTransactionReceipt", hash)["l1Fee"] == nil)
        }
    }

    @Test("the L1 gas oracle: jovay.md's example, fed by its relayer, holds from the next block on")
    func oracle() async throws {
        try await with("jovay") { (node: NodeBench) async throws in
            let oracle = try Address(hex: "0x8100000000000000000000000000000000000000")
            func ask(_ signature: String, _ words: U256...) async throws -> JSON {
                let data = Bytes(keccak256(text: signature).bytes.prefix(4)) + words.flatMap(\.bytes)
                return try await node.ask("eth_call", ["to": .address(oracle), "data": .data(data)])
            }
            #expect(try await ask("l1FeePerByte()") == .data(U256(1_438_232).bytes))
            #expect(try await ask("getTxL1Fee(uint256)", 100) == .data(U256(143_823_200).bytes))
            let signature = "setNewBatchBlobFeeAndTxFee(uint256,uint256,uint256)"
            #expect(Hex.encode(keccak256(text: signature).bytes.prefix(4)) == "0xf8b80244")
            let feed = Bytes(keccak256(text: signature).bytes.prefix(4))
            // The example of jovay.md 1.7, and a batch ten times as dear.
            for (daFee, execFee, expected) in [
                (U256(131_072) * Bench.gwei, U256(2_000_000) * Bench.gwei, U256(1_438_232)),
                (U256(1_310_720) * Bench.gwei, U256(2_000_000) * Bench.gwei, U256(2_271_565)),
            ] {
                let data = feed + daFee.bytes + execFee.bytes + U256(80_712).bytes
                let hash = try await node.send(to: oracle, value: 0, data: data, gas: 300_000)
                #expect(try await node.ask("eth_getTransactionReceipt", hash)["status"] == "0x1")
                #expect(try await ask("l1FeePerByte()") == .data(expected.bytes), "\(expected)")
                let next = try await node.send()
                #expect(try await node.ask("eth_getTransactionReceipt", next)["l1FeePerByte"] == .quantity(expected))
            }
            let nothing = feed + Bytes(repeating: 0, count: 96)
            let stranger = try await node.send(from: 1, to: oracle, value: 0, data: nothing, gas: 300_000)
            #expect(try await node.ask("eth_getTransactionReceipt", stranger)["status"] == "0x0")
            let manager = JSON.address(try Address(hex: "0x4100000000000000000000000000000000000000"))
            #expect(try await node.ask("eth_call", ["to": manager, "data": "0x3cf80e6c"]) == "0x", "advanceEpoch()")
            #expect(try await node.ask("eth_getCode", manager) == "0x00")
        }
    }

    @Test("a sender who can pay the gas but not the bytes is refused, and one who loses the means is dropped")
    func cannotPayBytes() async throws {
        try await with("jovay") { (node: NodeBench) async throws in
            let poor = node.keys[3]
            // Gas of a transfer at the cap that `send` names, and not a wei for its bytes.
            let gas = U256(21_000) * U256(10) * Bench.gwei
            _ = try await node.ask("anvil_setBalance", .address(poor.address), .quantity(gas + 1))
            let error = await #expect(throws: RPCClientError.self) { try await node.send(from: 3, gas: 21_000) }
            #expect(error?.remote?.message.contains("insufficient funds") == true)
            _ = try await node.ask("anvil_setBalance", .address(poor.address), .quantity(gas + gas))
            _ = try await node.ask("evm_setAutomine", false)
            let hash = try await node.send(from: 3, gas: 21_000)
            _ = try await node.ask("anvil_setBalance", .address(poor.address), .quantity(gas + 1))
            _ = try await node.ask("evm_mine")
            #expect(try await node.ask("eth_getTransactionReceipt", hash) == .null)
            #expect(try await node.ask("txpool_status") == ["pending": "0x0", "queued": "0x0"])
            #expect(try await node.ask("eth_getBalance", .address(poor.address)) == .quantity(gas + 1))
        }
    }

    @Test("Jovay's RPC: methods that are missing, accounts that are not told, blobs that are not taken")
    func missing() async throws {
        try await with("jovay") { (node: NodeBench) async throws in
            let address = JSON.address(node.keys[0].address)
            for (method, parameters) in [
                ("eth_sign", [address, "0x00"]), ("eth_signTransaction", [["from": address]]),
                ("eth_sendTransaction", [["from": address]]), ("eth_getProof", [address, [], "latest"]),
                ("eth_newFilter", [[:]]), ("eth_newBlockFilter", []), ("eth_newPendingTransactionFilter", []),
                ("eth_getFilterChanges", ["0x1"]), ("eth_getFilterLogs", ["0x1"]), ("eth_uninstallFilter", ["0x1"]),
            ] as [(String, [JSON])] {
                #expect(try await node.refusal(method, parameters).code == -32601, "\(method)")
            }
            #expect(try await node.ask("eth_accounts") == [])
            #expect(try await node.ask("eth_protocolVersion") == "0x41")
            #expect(try await node.ask("eth_hashrate") == "0x0")
            #expect(try await node.ask("eth_mining") == false)
            // The keys are there all the same, for who acts as a developer.
            let hash = try await node.ask("eth_sendUnsignedTransaction", ["from": address, "to": address])
            #expect(try await node.ask("eth_getTransactionReceipt", hash)["status"] == "0x1")
        }
        for name in ["jovay", "pharos", "base"] { #expect(try !ProfileTests.shipped(name).blobs.areTaken) }
        #expect(try ProfileTests.shipped("ethereum").blobs.areTaken)
    }

    @Test("a transaction that waits is hidden, a wrong nonce has its own code, where the profile says so")
    func poolAndNonce() async throws {
        for (name, hidden, code) in [("jovay", true, 112), ("pharos", false, -32000)] {
            try await with(name) { (node: NodeBench) async throws in
                try await node.send(nonce: 0)
                await #expect(throws: RPCClientError.self) { try await node.send(nonce: 0, tip: 9) }
                do { try await node.send(nonce: 0, tip: 9) } catch let error as RPCClientError {
                    #expect(error.remote?.code == code && error.remote?.message.contains("nonce too low") == true)
                }
                do { try await node.send(nonce: 20_002) } catch let error as RPCClientError {
                    #expect(error.remote?.code == code)
                }
                _ = try await node.ask("evm_setAutomine", false)
                let waiting = try await node.send(nonce: 1)
                #expect(try await (node.ask("eth_getTransactionByHash", waiting) == .null) == hidden)
                _ = try await node.ask("evm_mine")
                #expect(try await node.ask("eth_getTransactionByHash", waiting)["blockNumber"] == "0x2")
            }
        }
    }

    @Test("a failed call's trace tells its error in hexadecimal where the profile says so")
    func traces() async throws {
        for (key, expected) in [("true", JSON.data(Bytes("status code: 2".utf8))), ("false", "execution reverted")] {
            try await with(line: "rpc: {traceErrorsInHex: \(key)}") { (node: NodeBench) async throws in
                let contract = try await node.deploy(Bench.reverter)
                let hash = try await node.send(to: contract, value: 0)
                let trace = try await node.ask("debug_traceTransaction", hash, ["tracer": "callTracer"])
                #expect(trace["error"] == expected)
            }
        }
    }

    @Test("a call in a block that is not there runs in the latest where the profile says so, and is refused elsewhere")
    func unknownBlocks() async throws {
        let call: JSON = ["to": .address(.zero)]
        try await with(line: "rpc: {unknownBlockIsLatest: true}") { (node: NodeBench) async throws in
            #expect(try await node.ask("eth_call", call, "0x99") == "0x")
            #expect(try await node.refusal("eth_getBalance", [.address(.zero), "0x99"]).code == -32000)
        }
        try await with(line: "rpc: {unknownBlockIsLatest: false}") { (node: NodeBench) async throws in
            #expect(try await node.refusal("eth_call", [call, "0x99"]).message.contains("not found"))
        }
    }

    private func post(_ body: String, to port: Int) async throws -> (HTTPURLResponse, String) {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)")))
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        let (data, response) = try await URLSession.shared.data(for: request)
        return (try #require(response as? HTTPURLResponse), String(decoding: data, as: UTF8.self))
    }

    @Test("the answers of a batch carry each other's ids where the profile says so")
    func mixedIDs() async throws {
        let batch = [(1, "eth_chainId"), (2, "net_version"), (3, "eth_blockNumber")]
            .map { #"{"jsonrpc":"2.0","id":\#($0),"method":"\#($1)","params":[]}"# }
        for (key, ids) in [("true", [2, 3, 1]), ("false", [1, 2, 3])] {
            try await with(line: "rpc: {mismatchedBatchIDs: \(key)}") { (node: NodeBench) async throws in
                let text = try await post("[\(batch.joined(separator: ","))]", to: node.port).1
                let answers = try #require(try JSON.parse(Bytes(text.utf8)).asArray)
                #expect(answers.map { $0["id"]?.asInt } == ids)
                #expect(answers.map { $0["result"] } == ["0x7a69", "31337", "0x0"])
                #expect(try JSON.parse(Bytes(try await post(batch[0], to: node.port).1.utf8))["id"] == 1)
            }
        }
    }

    @Test("lists of calls, names of blocks and logs by hash are refused where the profile says so, and are taken elsewhere")
    func poorerNodes() async throws {
        let call = #"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#
        let hash: JSON = .hash(keccak256(text: "no block"))
        let keys = "rpc: {batchesMissing: KEY, logsByHashMissing: KEY, missingBlockTags: [TAGS]}"
        for (key, tags) in [("true", "finalized, pending"), ("false", "")] {
            let line = keys.replacingOccurrences(of: "KEY", with: key).replacingOccurrences(of: "TAGS", with: tags)
            try await with(line: line) { (node: NodeBench) async throws in
                let isPoor = key == "true"
                #expect(try await post("[\(call),\(call)]", to: node.port).0.statusCode == (isPoor ? 400 : 200))
                #expect(try await post(call, to: node.port).0.statusCode == 200)
                let logs = try await node.refusal("eth_getLogs", [["blockHash": hash]])
                #expect(logs.message.contains("not supported") == isPoor)
                for tag in ["finalized", "pending"] {
                    if isPoor {
                        let refused = try await node.refusal("eth_getBlockByNumber", [.string(tag), false])
                        #expect(refused.code == -32602 && refused.message.contains(tag))
                        #expect(try await node.refusal("eth_getBalance", [.address(.zero), .string(tag)]).code == -32602)
                    } else {
                        #expect(try await node.ask("eth_getBlockByNumber", .string(tag), false)["number"] != nil)
                    }
                }
                #expect(try await node.ask("eth_getBlockByNumber", "safe", false)["number"] != nil)
            }
        }
    }

    @Test(
        "a minute has its calls: then HTTP 429 with Retry-After, until the next one; development methods cost nothing")
    func quota() async throws {
        let clock = TestClock(Bench.start * 1000 + 15_000)
        let text = Bench.profileText + "\nrpc: {callsPerMinute: 3}"
        try await NodeBench.with(text, options: { $0.clock = clock.read }) { (node: NodeBench) async throws in
            let call = #"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#
            let batch = "[\(call),\(call)]"
            #expect(try await post(call, to: node.port).0.statusCode == 200)
            #expect(try await post(batch, to: node.port).0.statusCode == 200)
            let (refused, _) = try await post(call, to: node.port)
            #expect(refused.statusCode == 429)
            let left = 60 - (Bench.start + 15) % 60
            #expect(refused.value(forHTTPHeaderField: "Retry-After") == "\(left)")
            let mine = #"{"jsonrpc":"2.0","id":1,"method":"evm_mine","params":[]}"#
            #expect(try await post(mine, to: node.port).0.statusCode == 200)
            clock.advance(left * 1000)
            #expect(try await post(call, to: node.port).0.statusCode == 200)
        }
    }

    @Test("Pharos looks through a thousand blocks of logs, both ends counted, and no more")
    func logWindow() async throws {
        try await with("pharos") { (node: NodeBench) async throws in
            _ = try await node.ask("anvil_mine", 1500)
            #expect(try await node.ask("eth_getLogs", ["fromBlock": "0x1", "toBlock": "0x3e8"]) == [])
            let error = try await node.refusal("eth_getLogs", [["fromBlock": "0x0", "toBlock": "0x3e8"]])
            #expect(error.code == -32005 && error.message.contains("1000"))
            #expect(try await node.number("eth_blockNumber") == 1500)
            let finalized = try await node.ask("eth_getBlockByNumber", "finalized", false)
            #expect(finalized["number"] == .quantity(1498 as UInt64), "one second behind, at two blocks a second")
        }
    }

    @Test("a rollup tells how far its levels are; the tags follow them")
    func levels() async throws {
        try await with(
            line: "finality: {rule: rollup, safeTag: l1Committed, finalizedTag: zkVerified, batchSeconds: 100, "
                + "commitSeconds: 10, zkSeconds: 200}", replacing: "finality"
        ) { (node: NodeBench) async throws in
            _ = try await node.ask("anvil_mine", 12, 10)  // ten seconds apart, the first at once
            let clockless = try await node.ask("causeway_finality")
            let levels = try #require(clockless["levels"])
            #expect(levels["sequencer"] == "0xc" && levels["zkVerified"] == "0x0")
            #expect(clockless["safe"] == levels["l1Committed"] && clockless["finalized"] == levels["zkVerified"])
            _ = try await node.ask("anvil_mine", 40, 10)
            let later = try await node.ask("causeway_finality")
            let safe = try #require(later["safe"]?.asUInt64)
            let finalized = try #require(later["finalized"]?.asUInt64)
            #expect(0 < finalized && finalized < safe && safe < 52)
            #expect(try await node.ask("eth_getBlockByNumber", "safe", false)["number"] == .quantity(safe))
        }
        try await NodeBench.with { (node: NodeBench) async throws in
            #expect(try await node.ask("causeway_finality") == ["latest": "0x0", "safe": "0x0", "finalized": "0x0"])
        }
    }
}
