// The methods over a real socket: answers in shape, errors by number, hostile parameters.

import DevChain
import EVM
import Ethereum
import Foundation
import JSONRPC
import TestSupport
import Testing

@Suite("Methods", .serialized)
struct MethodTests {
    @Test("simple questions have their answers")
    func simple() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let first = node.keys[0].address
            let table: [(String, [JSON], JSON)] = [
                ("eth_chainId", [], "0x7a69"), ("net_version", [], "31337"), ("eth_blockNumber", [], "0x0"),
                ("eth_syncing", [], false), ("net_listening", [], true), ("net_peerCount", [], "0x0"),
                ("eth_gasPrice", [], .quantity(1_875_000_000 as UInt64)),
                ("eth_maxPriorityFeePerGas", [], .quantity(1_000_000_000 as UInt64)),
                ("eth_getBalance", [.address(first), "latest"], .quantity(U256(10_000) * Bench.ether)),
                ("eth_getBalance", [.address(first)], .quantity(U256(10_000) * Bench.ether)),
                ("eth_getBalance", [.address(first), "finalized"], .quantity(U256(10_000) * Bench.ether)),
                ("eth_getBalance", [.address(first), ["blockNumber": "0x0"]], .quantity(U256(10_000) * Bench.ether)),
                ("eth_getTransactionCount", [.address(first), "pending"], "0x0"),
                ("eth_getCode", [.address(first), "safe"], "0x"),
                ("eth_getStorageAt", [.address(first), "0x0", "latest"], .hash(.zero)),
                ("eth_getBlockByNumber", ["0x10", false], .null), ("eth_getBlockByHash", [.hash(.zero), true], .null),
                ("eth_getTransactionByHash", [.hash(.zero)], .null),
                ("eth_getTransactionReceipt", [.hash(.zero)], .null),
                ("eth_getUncleCountByBlockNumber", ["latest"], "0x0"),
                (
                    "eth_accounts", [],
                    .array(
                        node.keys.map { .address($0.address) })
                ),
                ("web3_sha3", ["0x68656c6c6f"], .hash(keccak256(text: "hello"))),
                ("eth_getBlockTransactionCountByNumber", ["latest"], "0x0"),
                ("txpool_status", [], ["pending": "0x0", "queued": "0x0"]),
                ("anvil_getAutomine", [], true), ("eth_blobBaseFee", [], "0x1"),
            ]
            for (method, parameters, expected) in table {
                let answer = try await node.client.call(method, parameters)
                #expect(answer == expected, "\(method) \(JSON.array(parameters).text)")
            }
            // The accounts are those that every development chain has.
            #expect(first.checksummed == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
            #expect(node.keys.count == 10)
        }
    }

    @Test("a transaction is found by every way that leads to it, and all ways agree")
    func transactionEverywhere() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let hash = try await node.send(to: contract, value: 0, data: U256(7).bytes)
            let receipt = try await node.ask("eth_getTransactionReceipt", hash)
            #expect(receipt["status"] == "0x1")
            #expect(receipt["logs"]?.asArray?.count == 1)
            let block = try await node.ask("eth_getBlockByNumber", "latest", true)
            let blockHash = try #require(block["hash"])
            let whole = try await node.ask("eth_getTransactionByHash", hash)
            #expect(block["transactions"]?[0] == whole)
            #expect(try await node.ask("eth_getTransactionByBlockHashAndIndex", blockHash, "0x0") == whole)
            #expect(try await node.ask("eth_getTransactionByBlockNumberAndIndex", "latest", "0x0") == whole)
            #expect(try await node.ask("eth_getBlockReceipts", blockHash)[0] == receipt)
            #expect(try await node.ask("eth_getBlockByHash", blockHash, false)["transactions"] == [hash])
            #expect(
                whole["blockHash"] == blockHash && whole["type"] == "0x2"
                    && whole["from"] == .address(node.keys[0].address))
            let raw = try Hex.decode(try #require(try await node.ask("eth_getRawTransactionByHash", hash).asString))
            #expect(JSON.hash(try SignedTransaction.decode(raw).hash) == hash)
            let body = try Hex.decode(try #require(try await node.ask("debug_getRawBlock", "latest").asString))
            let decoded = try Block.decode(body)
            #expect(JSON.hash(decoded.header.hash) == blockHash)
            #expect(block["size"] == .quantity(UInt64(body.count)))
            let log = try #require(receipt["logs"]?[0])
            #expect(log["data"] == .data(U256(7).bytes) && log["topics"] == [.hash(Hash32(1))])
            let found = try await node.ask(
                "eth_getLogs", ["fromBlock": "0x0", "address": .address(contract), "topics": [.null, .null]])
            #expect(found == [], "a log with one topic does not match two positions")
            for filter in [
                ["blockHash": blockHash], ["fromBlock": "earliest"], ["fromBlock": "0x2", "toBlock": "0x2"],
                ["address": [.address(contract), .address(.zero)], "topics": [[.hash(Hash32(1)), .hash(.zero)]]],
                ["topics": [.null]],
            ] as [JSON] { #expect(try await node.ask("eth_getLogs", filter) == [log], "\(filter.text)") }
            for filter in [
                ["address": .address(.zero)], ["topics": [.hash(.zero)]], ["fromBlock": "0x0", "toBlock": "0x1"],
                ["fromBlock": "0x9"],
            ] as [JSON] { #expect(try await node.ask("eth_getLogs", filter) == [], "\(filter.text)") }
        }
    }

    @Test("calls return, revert with reason and data, obey overrides, and estimates are enough but no more")
    func calls() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let reverter = try await node.deploy(Bench.reverter)
            let error = try await node.refusal("eth_call", [["to": .address(reverter)], "latest"])
            #expect(error.code == 3)
            #expect(error.message == "execution reverted: no")
            #expect(error.data?.asString?.hasPrefix("0x08c379a0") == true)
            let estimate = try await node.refusal("eth_estimateGas", [["to": .address(reverter)]])
            #expect(estimate == error)
            let logger = try await node.deploy(Bench.logger)
            let call: JSON = ["to": .address(logger), "data": .data(U256(1).bytes)]
            #expect(try await node.ask("eth_call", call, "latest") == .data(U256(1).bytes))
            let slot: JSON = [logger.hex: ["stateDiff": [Hash32.zero.hex: .hash(Hash32(41))]]]
            #expect(try await node.ask("eth_call", call, "latest", slot) == .data(U256(42).bytes))
            let code: JSON = [logger.hex: ["code": .data([0x60, 0x09, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3])]]
            #expect(try await node.ask("eth_call", call, "latest", code) == .data(U256(9).bytes))
            #expect(try await node.ask("eth_call", call, "latest") == .data(U256(1).bytes), "overrides do not stay")
            let number: JSON = ["to": .address(logger)]
            let asks: JSON = [logger.hex: ["code": .data([0x43, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3])]]
            #expect(try await node.ask("eth_call", number, "latest", asks) == .data(U256(2).bytes))
            #expect(try await node.ask("eth_call", number, "pending", asks) == .data(U256(3).bytes))
            #expect(
                try await node.ask("eth_call", number, "latest", asks, ["number": "0x64"]) == .data(U256(100).bytes))

            let gas = try await node.number("eth_estimateGas", call)
            let enough = try await node.send(from: 1, to: logger, value: 0, data: U256(1).bytes, gas: gas)
            #expect(try await node.ask("eth_getTransactionReceipt", enough)["status"] == "0x1")
            #expect(
                try await node.number(
                    "eth_estimateGas",
                    [
                        "to": .address(Address(truncating: 0xbeef)), "value": "0x1",
                        "from": .address(node.keys[0].address),
                    ]) == 21_000)
            let second = try await node.number("eth_estimateGas", call)
            let short = try await node.send(from: 1, to: logger, value: 0, data: U256(1).bytes, gas: second - 1)
            #expect(try await node.ask("eth_getTransactionReceipt", short)["status"] == "0x0")
            let poor = try await node.refusal(
                "eth_call", [["from": .address(Address(truncating: 0x5252)), "to": .address(logger), "value": "0x1"]])
            #expect(poor.code == -32000 && poor.message.contains("insufficient funds"))
            let list = try await node.ask("eth_createAccessList", call, "latest")
            #expect(list["accessList"] == [["address": .address(logger), "storageKeys": [.hash(.zero)]]])
        }
    }

    @Test("traces tell the tree of calls, of a call and of a transaction in its block")
    func traces() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let inner = try await node.deploy(Bench.reverter)
            let outer = try await node.deploy(Bench.prober)
            let call: JSON = ["to": .address(outer), "data": .data(inner.abiWord)]
            let trace = try await node.ask("debug_traceCall", call, "latest", ["tracer": "callTracer"])
            #expect(trace["type"] == "CALL" && trace["to"] == .address(outer) && trace["error"] == nil)
            let child = try #require(trace["calls"]?[0])
            #expect(child["type"] == "STATICCALL" && child["to"] == .address(inner))
            #expect(child["error"] == "execution reverted" && child["revertReason"] == "no")
            let hash = try await node.send(to: outer, value: 0, data: inner.abiWord)
            let replay = try await node.ask("debug_traceTransaction", hash, ["tracer": "callTracer"])
            #expect(replay["calls"]?[0]?["revertReason"] == "no")
            #expect(replay["gasUsed"] == (try await node.ask("eth_getTransactionReceipt", hash)["gasUsed"]))
            let top = try await node.ask(
                "debug_traceTransaction", hash, ["tracer": "callTracer", "tracerConfig": ["onlyTopCall": true]])
            #expect(top["calls"] == nil)
            #expect(try await node.ask("debug_traceTransaction", hash)["structLogs"]?.asArray?.isEmpty == false)
            let unknown = try await node.refusal("debug_traceTransaction", [hash, ["tracer": "nobodysTracer"]])
            #expect(unknown.message.contains("nobodysTracer"))
        }
    }

    @Test("proofs lead from the header's state root to the account and its slots")
    func proofs() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            try await node.send(to: contract, value: 0)
            let proof = try await node.ask("eth_getProof", .address(contract), ["0x0", "0x5"], "latest")
            let block = try await node.ask("eth_getBlockByNumber", "latest", false)
            func nodes(_ json: JSON?) throws -> [Bytes] {
                try (json?.asArray ?? []).map { try Hex.decode($0.asString ?? "") }
            }
            let root = try Hash32(hex: try #require(block["stateRoot"]?.asString))
            let leaf = try #require(
                try TrieProof.verify(root: root, key: contract.bytes, nodes: nodes(proof["accountProof"])))
            let account = try AccountRecord.decode(leaf)
            #expect(JSON.hash(account.storageRoot) == proof["storageHash"] && account.nonce == 1)
            let slots = try #require(proof["storageProof"]?.asArray)
            let value = try TrieProof.verify(
                root: account.storageRoot, key: U256.zero.bytes, nodes: nodes(slots[0]["proof"]))
            #expect(value == RLP.uint(1 as UInt64).encoded && slots[0]["value"] == "0x1")
            let none = try TrieProof.verify(
                root: account.storageRoot, key: U256(5).bytes, nodes: nodes(slots[1]["proof"]))
            #expect(none == nil && slots[1]["value"] == "0x0")
        }
    }

    @Test("what is wrong with a call is told by number and in words")
    func errors() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let address = JSON.address(node.keys[0].address)
            let table: [(String, [JSON], Int, String)] = [
                ("eth_nothing", [], -32601, "eth_nothing"),
                ("eth_getBalance", [], -32602, "argument 0"), ("eth_getBalance", ["0x12"], -32602, "20 bytes"),
                ("eth_getBalance", [.null], -32602, "argument 0"), ("eth_getBalance", [5], -32602, "argument 0"),
                ("eth_getBalance", [address, "newest"], -32602, "newest"),
                ("eth_getBalance", [address, "0x"], -32602, "argument 1"),
                ("eth_getBalance", [address, "0x10000000000000000"], -32602, "argument 1"),
                ("eth_getBalance", [address, ["blockHash": "0x1"]], -32602, "blockHash"),
                ("eth_getBalance", [address, [:]], -32602, "blockHash or blockNumber"),
                ("eth_getBalance", [address, "0x99"], -32000, "header not found"),
                ("eth_getBlockByNumber", [], -32602, "argument 0"),
                ("eth_getBlockByNumber", ["latest", "yes"], -32602, "true or false"),
                ("eth_getTransactionByHash", ["0xzz"], -32602, "argument 0"),
                ("eth_call", [], -32602, "a transaction"), ("eth_call", [[]], -32602, "an object"),
                ("eth_call", [["to": "0x1"]], -32602, "argument 0.to"),
                ("eth_call", [["data": "0x1"]], -32602, "argument 0.data"),
                ("eth_call", [["data": "0x01", "input": "0x02"]], -32602, "differ"),
                ("eth_call", [["gasPrice": "0x1", "maxFeePerGas": "0x1"]], -32602, "both gasPrice"),
                (
                    "eth_call", [["to": address], "latest", [address.asString ?? "": ["balance": "-1"]]], -32602,
                    "balance"
                ),
                ("eth_call", [["to": address], "latest", ["nobody": [:]]], -32602, "nobody"),
                ("eth_getLogs", [["fromBlock": "0x5", "toBlock": "0x1"]], -32602, "block range"),
                ("eth_getLogs", [["blockHash": .hash(.zero)]], -32000, "header not found"),
                ("eth_getLogs", [["blockHash": .hash(.zero), "fromBlock": "0x1"]], -32602, "blockHash"),
                ("eth_getLogs", [["topics": [.null, .null, .null, .null, .null]]], -32005, "topics"),
                ("eth_getLogs", [["topics": ["0x01"]]], -32602, "topics"),
                ("eth_getLogs", [["fromBlock": "0x0", "toBlock": "0xffffffffffffffff"]], -32005, "none"),
                ("eth_sendRawTransaction", ["0x"], -32000, "empty"),
                ("eth_sendRawTransaction", ["0x02"], -32000, "malformed"),
                ("eth_sendRawTransaction", ["hello"], -32602, "argument 0"),
                ("eth_sendTransaction", [["from": .address(.zero)]], -32000, "unknown account"),
                ("eth_sign", [.address(.zero), "0x00"], -32000, "unknown account"),
                ("eth_subscribe", ["newHeads"], -32000, "WebSocket"),
                ("eth_getFilterChanges", ["0x99"], -32000, "filter"),
                ("eth_feeHistory", ["0x1", "latest", [50, 20]], -32602, "ascending"),
                ("eth_feeHistory", ["0x1", "latest", ["x"]], -32602, "percentiles"),
                ("eth_getProof", [address, "0x0", "latest"], -32602, "array"),
                ("evm_mine", [["blocks": "0xfffffffffff"]], -32005, "blocks"),
                ("evm_increaseTime", ["0xffffffffffffffff"], -32005, "time"),
                ("evm_setNextBlockTimestamp", ["0x1"], -32000, "timestamp"),
                ("anvil_reorg", ["0x5"], -32000, "finalized"), ("anvil_reorg", ["0xffffffffffffffff"], -32005, "deep"),
                ("anvil_setBalance", [address], -32602, "argument 1"),
                ("anvil_setNonce", [address, "0xffffffffffffffff"], -32602, "nonce"),
                ("evm_setBlockGasLimit", ["0x1"], -32602, "gas limit"),
                ("debug_traceTransaction", [.hash(.zero), ["tracer": "callTracer"]], -32000, "not found"),
                ("debug_traceCall", [["to": address], "latest", ["tracer": "x"]], -32602, "callTracer"),
            ]
            for (method, parameters, code, words) in table where words != "none" {
                let error = try await node.refusal(method, parameters)
                #expect(error.code == code, "\(method) \(JSON.array(parameters).text.prefix(200)): \(error)")
                #expect(error.message.contains(words), "\(method): \(error.message)")
            }
            let past = try await node.refusal("eth_getLogs", [["fromBlock": "0x0", "toBlock": "0x1"]])
            #expect(past.code == -32602 && past.message.contains("beyond current head block"))
            #expect(try await node.number("eth_blockNumber") == 0)
        }
    }

    @Test("no parameters whatever bring the node down, and each answer is a result or a known error")
    func hostile() async throws {
        var random = SplitMix64.forTest()
        let dangerous: Set<String> = [
            "evm_mine", "anvil_mine", "hardhat_mine", "eth_sendRawTransactionSync", "evm_setIntervalMining",
            "anvil_setIntervalMining",
        ]
        let methods = Method.byName.keys.filter { !dangerous.contains($0) }.sorted()
        let pieces: [JSON] = [
            .null, true, false, 0, -1, 5, .number("1e400"), .number("18446744073709551616"), "", "0x", "0x0", "0x1",
            "latest", "pending", "finalized", "0xffffffffffffffff", .string("0x" + String(repeating: "f", count: 64)),
            .string("0x" + String(repeating: "f", count: 65)), .address(Address(truncating: 0xbeef)), .hash(.zero),
            [], [:], [[]], ["from": "0x1"], ["to": .address(.zero), "gas": "0xffffffffffffffff"],
            ["data": "0x5b5f56", "gas": "0x5f5e100"],
            ["value": .string(U256.max.hex), "gasPrice": .string(U256.max.hex)],
            ["fromBlock": "earliest", "topics": [[]]], ["depth": "0x1"], ["tracer": "callTracer"], "newHeads", "logs",
        ]
        try await NodeBench.with { (node: NodeBench) async throws in
            for _ in 0..<1500 {
                let method = methods[random.below(methods.count)]
                let parameters = (0..<random.below(5)).map { _ in pieces[random.below(pieces.count)] }
                do throws(RPCClientError) {
                    _ = try await node.client.call(method, parameters)
                } catch {
                    guard let remote = error.remote else {
                        Issue.record("\(method) \(JSON.array(parameters).text): \(error)")
                        continue
                    }
                    #expect(
                        [3, 4, -32000, -32005, -32600, -32601, -32602].contains(remote.code),
                        "\(method) \(JSON.array(parameters).text): \(remote)")
                }
            }
            #expect(try await node.ask("eth_chainId") == "0x7a69")
        }
    }

    @Test("the quirks of a profile show in its methods")
    func quirks() async throws {
        let text = Bench.profileText + "\nquirks: {filterMethodsMissing: true, priorityFeeZero: true}"
        try await NodeBench.with(text) { (node: NodeBench) async throws in
            for method in [
                "eth_newFilter", "eth_newBlockFilter", "eth_newPendingTransactionFilter", "eth_uninstallFilter",
                "eth_getFilterChanges", "eth_getFilterLogs",
            ] { #expect(try await node.refusal(method, []).code == -32601) }
            #expect(try await node.ask("eth_maxPriorityFeePerGas") == "0x0")
            #expect(try await node.ask("eth_gasPrice") == .quantity(875_000_000 as UInt64))
            #expect(try await node.ask("eth_getLogs", ["fromBlock": "0x0"]) == [])
        }
    }

    @Test("the node signs for its own accounts and sends for impersonated ones")
    func ownAccounts() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let own = node.keys[3]
            let hash = try await node.ask(
                "eth_sendTransaction",
                ["from": .address(own.address), "to": "0x00000000000000000000000000000000000000aa", "value": "0x5"])
            #expect(try await node.ask("eth_getTransactionReceipt", hash)["status"] == "0x1")
            let signature = try Hex.decode(
                try #require(try await node.ask("eth_sign", .address(own.address), "0x1234").asString))
            let recovered = Secp256k1.recoverAddress(
                digest: PersonalMessage.digest([0x12, 0x34]), signature: try Signature(bytes: signature))
            #expect(recovered == own.address)
            let signed = try await node.ask(
                "eth_signTransaction", ["from": .address(own.address), "to": .address(.zero)])
            let raw = try SignedTransaction.decode(try Hex.decode(try #require(signed["raw"]?.asString)))
            #expect(try raw.sender() == own.address && raw.transaction.nonce == 1)

            let stranger = Address(truncating: 0x5151)
            let request: JSON = [
                "from": .address(stranger), "to": "0x00000000000000000000000000000000000000aa", "value": "0x7",
            ]
            #expect(
                try await node.refusal("eth_sendTransaction", [request]).message.contains("unknown account")
                    == false, "too poor is told first, by the estimate")
            _ = try await node.ask("anvil_setBalance", .address(stranger), .string(Bench.ether.hex))
            #expect(try await node.refusal("eth_sendTransaction", [request]).message.contains("unknown account"))
            _ = try await node.ask("hardhat_impersonateAccount", .address(stranger))
            let theirs = try await node.ask("eth_sendTransaction", request)
            #expect(try await node.ask("eth_getTransactionReceipt", theirs)["from"] == .address(stranger))
            #expect(try await node.number("eth_getBalance", .address(Address(truncating: 0xaa))) == 12)
            _ = try await node.ask("anvil_stopImpersonatingAccount", .address(stranger))
            #expect(try await node.refusal("eth_sendTransaction", [request]).message.contains("unknown account"))
        }
    }

    @Test("fee history weighs tips by gas")
    func feeHistory() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask("evm_setAutomine", false)
            try await node.send(from: 0, gas: 21_000, tip: 5)
            try await node.send(from: 1, gas: 21_000, tip: 9)
            _ = try await node.ask("evm_mine")
            let history = try await node.ask("eth_feeHistory", "0x5", "latest", [0, 50, 100])
            #expect(history["oldestBlock"] == "0x0")
            #expect(history["baseFeePerGas"]?.asArray?.count == 3)
            #expect(history["reward"] == [["0x0", "0x0", "0x0"], ["0x5", "0x5", "0x9"]])
            #expect(history["gasUsedRatio"]?[1]?.text == "\(42_000.0 / 30_000_000.0)")
        }
    }
}

@Suite("Method list")
struct MethodListTests {
    @Test("the reference lists every method and alias, and no other of those families")
    func reference() throws {
        let url = PackageRoot.url.appendingPathComponent("docs/reference/rpc-methods.md")
        let text = String(decoding: try Fixtures.bytes(url), as: UTF8.self)
        let offered = try #require(text.range(of: "## Not offered").map { text[..<$0.lowerBound] })
        let missing = text.dropFirst(offered.count).prefix { $0 != "|" }
        let pattern = /`((?:eth|net|web3|debug|evm|anvil|hardhat|causeway|txpool|personal|rpc|testing)_[A-Za-z0-9_]+)`/
        let named = Set(offered.matches(of: pattern).map { String($0.1) })
        let answered = Set(Method.byName.keys)
        #expect(answered.subtracting(named) == [], "answered, but not in the reference")
        // What is pushed has a name as well, but nobody calls it.
        #expect(named.subtracting(answered) == [FaultRule.pushName], "in the reference, but not answered")
        #expect(missing.matches(of: pattern).allSatisfy { !answered.contains(String($0.1)) })
        #expect(answered.count > 100)
    }
}
