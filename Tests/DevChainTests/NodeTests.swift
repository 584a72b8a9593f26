// The node as a whole: development methods, filters, subscriptions, cadence, routes, ports.

import DevChain
import EVM
import Ethereum
import Foundation
import JSONRPC
import Synchronization
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("Node", .serialized)
struct NodeTests {
    @Test("development methods under all their names")
    func development() async throws {
        try await NodeBench.with(options: { $0.clock = { (Bench.start + 10) * 1000 } }) {
            (node: NodeBench) async throws in
            let address = JSON.address(Address(truncating: 0x42))
            for prefix in ["anvil", "hardhat"] {
                _ = try await node.ask("\(prefix)_setBalance", address, "0x10")
                _ = try await node.ask("\(prefix)_setCode", address, "0x6001")
                _ = try await node.ask("\(prefix)_setNonce", address, "0x9")
                _ = try await node.ask("\(prefix)_setStorageAt", address, "0x1", .hash(Hash32(5)))
                #expect(try await node.ask("eth_getBalance", address) == "0x10")
                #expect(try await node.ask("eth_getCode", address) == "0x6001")
                #expect(try await node.ask("eth_getTransactionCount", address) == "0x9")
                #expect(try await node.ask("eth_getStorageAt", address, "0x1") == .hash(Hash32(5)))
                _ = try await node.ask("\(prefix)_setBalance", address, "0x0")
            }
            let snapshot = try await node.ask("evm_snapshot")
            _ = try await node.ask("anvil_mine", "0x3", "0x64")
            let times = try await [1, 2, 3].asyncMap { number in
                try await node.ask("eth_getBlockByNumber", .quantity(UInt64(number)), false)["timestamp"]?.asUInt64
            }
            #expect(times == [10, 110, 210].map { Bench.start + $0 })
            #expect(try await node.ask("evm_increaseTime", 1000).asUInt64 == 1200)
            _ = try await node.ask("evm_mine")
            #expect(
                try await node.ask("eth_getBlockByNumber", "latest", false)["timestamp"]
                    == .quantity(Bench.start + 1210))
            _ = try await node.ask("evm_setNextBlockTimestamp", .integer(Bench.start + 9000))
            _ = try await node.ask("evm_mine")
            #expect(
                try await node.ask("eth_getBlockByNumber", "latest", false)["timestamp"]
                    == .quantity(Bench.start + 9000))
            #expect(try await node.ask("evm_revert", snapshot) == true)
            #expect(try await node.ask("evm_revert", snapshot) == false)
            #expect(try await node.number("eth_blockNumber") == 0)
            #expect(try await node.ask("anvil_nodeInfo")["environment"]?["timeOffset"] == 0)
        }
    }

    @Test("with automine off transactions wait, pending shows what is to come, and they can be dropped")
    func manual() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask("evm_setAutomine", false)
            let target = Address(truncating: 0xbeef)
            let hash = try await node.send(value: 5)
            let other = try await node.send(from: 1, value: 6)
            #expect(try await node.ask("eth_getTransactionReceipt", hash) == .null)
            #expect(try await node.ask("eth_getTransactionByHash", hash)["blockHash"] == .null)
            #expect(try await node.number("eth_getBalance", .address(target), "latest") == 0)
            #expect(try await node.number("eth_getBalance", .address(target), "pending") == 11)
            #expect(try await node.number("eth_getTransactionCount", .address(node.keys[0].address), "pending") == 1)
            let pending = try await node.ask("eth_getBlockByNumber", "pending", false)
            #expect(pending["hash"] == .null && pending["number"] == "0x1" && pending["transactions"] == [hash, other])
            #expect(try await node.ask("txpool_status")["pending"] == "0x2")
            #expect(try await node.ask("anvil_dropTransaction", other) == other)
            #expect(try await node.ask("anvil_dropTransaction", other) == .null)
            _ = try await node.ask("evm_mine")
            #expect(try await node.ask("eth_getTransactionReceipt", hash)["blockNumber"] == "0x1")
            #expect(try await node.ask("eth_getTransactionByHash", other) == .null)
            let late = try await node.send(value: 7)
            _ = try await node.ask("evm_setAutomine", true)
            #expect(try await node.ask("eth_getTransactionReceipt", late)["status"] == "0x1")
        }
    }

    @Test("filters tell what is new since the last poll, reorgs included")
    func filters() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let logs = try await node.ask("eth_newFilter", ["address": .address(contract)])
            let blocks = try await node.ask("eth_newBlockFilter")
            let pending = try await node.ask("eth_newPendingTransactionFilter")
            #expect(try await node.ask("eth_getFilterChanges", logs) == [])
            let hash = try await node.send(to: contract, value: 0)
            let receipt = try await node.ask("eth_getTransactionReceipt", hash)
            let log = try #require(receipt["logs"]?[0])
            #expect(try await node.ask("eth_getFilterChanges", logs) == [log])
            #expect(try await node.ask("eth_getFilterChanges", logs) == [])
            #expect(try await node.ask("eth_getFilterLogs", logs) == [log])
            #expect(try await node.ask("eth_getFilterChanges", blocks) == [try #require(receipt["blockHash"])])
            #expect(try await node.ask("eth_getFilterChanges", pending) == [hash])
            _ = try await node.ask("anvil_reorg", 1)
            let removed = try await node.ask("eth_getFilterChanges", logs)
            #expect(removed.asArray?.count == 1 && removed[0]?["removed"] == true)
            #expect(removed[0]?["blockHash"] == receipt["blockHash"])
            #expect(try await node.ask("eth_uninstallFilter", logs) == true)
            #expect(try await node.ask("eth_uninstallFilter", logs) == false)
            #expect(try await node.refusal("eth_getFilterChanges", [logs]).message == "filter not found")
        }
    }

    @Test("subscribers see heads, logs with what a reorg removed, and pending transactions, in order")
    func subscriptions() async throws {
        try await NodeBench.with(webSocket: true) { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            let heads = try await node.client.subscribe(["newHeads"])
            let logs = try await node.client.subscribe(["logs", ["address": .address(contract)]])
            let pending = try await node.client.subscribe(["newPendingTransactions"])
            try await node.until("the three subscriptions stand") {
                try await node.ask("anvil_nodeInfo")["subscriptions"] == 3
            }
            let hash = try await node.send(to: contract, value: 0)
            _ = try await node.ask("causeway_reorg", ["depth": 1, "restore": true])
            // The restored transaction waits; the next block takes it up again.
            _ = try await node.ask("evm_mine")
            let seenHeads = await take(3, of: heads)
            #expect(seenHeads.map { $0["number"]?.asUInt64 } == [2, 2, 3])
            #expect(seenHeads[2]["parentHash"] == seenHeads[1]["hash"])
            let seenLogs = await take(3, of: logs)
            #expect(seenLogs.map { $0["removed"]?.asBool } == [false, true, false])
            #expect(seenLogs.map { $0["blockNumber"]?.asUInt64 } == [2, 2, 3])
            #expect(seenLogs.allSatisfy { $0["transactionHash"] == hash })
            #expect(await take(1, of: pending) == [hash])
        }
    }

    @Test("blocks come by the profile's beat, faster while transactions wait")
    func cadence() async throws {
        let text = Bench.profileText.replacing(
            "{onDemand: true, heartbeatMilliseconds: 0}", with: "{intervalMilliseconds: 20, heartbeatMilliseconds: 300}"
        )
        try await NodeBench.with(text, options: { $0.genesisTimestamp = nil }) { (node: NodeBench) async throws in
            try await node.until("an empty block by heartbeat") { try await node.number("eth_blockNumber") >= 1 }
            let began = ContinuousClock.now
            for _ in 0..<5 {
                let hash = try await node.send()
                try await node.until("a block for a waiting transaction") {
                    try await node.ask("eth_getTransactionReceipt", hash) != .null
                }
            }
            #expect(
                ContinuousClock.now - began < .milliseconds(5 * 300),
                "waiting transactions do not wait for the heartbeat")
            let receipt = try await node.ask(
                "eth_sendRawTransactionSync",
                .data(
                    Transaction.dynamicFee(
                        chainID: 31337, nonce: 5, maxPriorityFeePerGas: 1, maxFeePerGas: U256(10) * Bench.gwei,
                        gasLimit: 21_000, to: .zero
                    ).signed(by: node.keys[0]).encoded))
            #expect(receipt["status"] == "0x1")
        }
    }

    @Test("the cadence decides by interval, heartbeat and work")
    func decisions() {
        let jovay = MiningCadence(automine: false, intervalMilliseconds: 100, heartbeatMilliseconds: 3000)
        #expect(jovay.decide(now: 50, lastBlockAt: 0, hasWork: true) == .wait(milliseconds: 50))
        #expect(jovay.decide(now: 100, lastBlockAt: 0, hasWork: true) == .mine(dueSince: 100))
        #expect(jovay.decide(now: 2000, lastBlockAt: 0, hasWork: false) == .wait(milliseconds: 1000))
        #expect(jovay.decide(now: 2000, lastBlockAt: 0, hasWork: true) == .mine(dueSince: 100))
        #expect(jovay.decide(now: 3000, lastBlockAt: 0, hasWork: false) == .mine(dueSince: 3000))
        let demand = MiningCadence(automine: true, intervalMilliseconds: 0, heartbeatMilliseconds: 0)
        #expect(demand.decide(now: 9999, lastBlockAt: 0, hasWork: true) == .wait(milliseconds: nil))
    }

    @Test("a reset brings the chain back to its begin: the same calls give the same hashes again")
    func reset() async throws {
        try await NodeBench.with(options: { $0.clock = { (Bench.start + 5) * 1000 } }) {
            (node: NodeBench) async throws in
            var hashes: [JSON] = []
            let genesis = try await node.ask("eth_getBlockByNumber", "0x0", false)
            for turn in 0..<2 {
                let contract = try await node.deploy(Bench.logger)
                let hash = try await node.send(to: contract, value: 0)
                _ = try await node.ask("anvil_mine", 6)
                _ = try await node.ask("evm_setAutomine", false)
                let waiting = try await node.send(from: 1)
                _ = try await node.ask("anvil_impersonateAccount", .address(contract))
                let snapshot = try await node.ask("evm_snapshot")
                hashes.append(try #require(try await node.ask("eth_getBlockByNumber", "latest", false)["hash"]))
                #expect(try await node.ask(turn == 0 ? "anvil_reset" : "hardhat_reset") == .null)
                #expect(try await node.ask("eth_getBlockByNumber", "latest", false) == genesis)
                #expect(try await node.ask("eth_getBlockByNumber", "finalized", false) == genesis)
                #expect(try await node.ask("eth_getTransactionReceipt", hash) == .null)
                #expect(try await node.ask("eth_getTransactionByHash", waiting) == .null)
                #expect(try await node.ask("eth_getCode", .address(contract)) == "0x")
                #expect(try await node.ask("txpool_status")["pending"] == "0x0")
                #expect(try await node.ask("evm_revert", snapshot) == false)
                #expect(try await node.refusal("eth_sendTransaction", [["from": .address(contract)]]).code == -32000)
                _ = try await node.ask("evm_setAutomine", true)
            }
            #expect(hashes[0] == hashes[1])
            let forking: JSON = ["forking": ["jsonRpcUrl": "http://127.0.0.1:1"]]
            #expect(try await node.refusal("anvil_reset", [forking]).message.contains("forks no other"))
            #expect(try await node.ask("anvil_reset", ["forking": .null]) == .null)
        }
    }

    @Test("timestamps at a fixed distance, detailed blocks, a sender's transactions, transactions without a signature")
    func furtherDevelopment() async throws {
        try await NodeBench.with(options: { $0.clock = { (Bench.start + 5) * 1000 } }) {
            (node: NodeBench) async throws in
            #expect(try await node.ask("anvil_setBlockTimestampInterval", 12) == .null)
            let blocks = try await node.ask("evm_mine_detailed", ["blocks": 3])
            #expect(
                try #require(blocks.asArray).map { $0["timestamp"]?.asUInt64 } == [12, 24, 36].map { Bench.start + $0 })
            #expect(try await node.ask("anvil_removeBlockTimestampInterval") == true)
            #expect(try await node.ask("anvil_removeBlockTimestampInterval") == false)
            _ = try await node.ask("evm_mine")
            #expect(
                try await node.ask("eth_getBlockByNumber", "latest", false)["timestamp"]
                    == .quantity(Bench.start + 36), "never below the parent's")
            #expect(try await node.refusal("anvil_setBlockTimestampInterval", ["0xffffffffffff"]).code == -32005)
            #expect(try await node.refusal("evm_mine_detailed", [["blocks": 1001]]).code == -32005)
            _ = try await node.ask("evm_setAutomine", false)
            let first = try await node.send(nonce: 0)
            _ = try await node.send(nonce: 1)
            let other = try await node.send(from: 1)
            #expect(try await node.ask("anvil_removePoolTransactions", .address(node.keys[0].address)) == .null)
            #expect(try await node.ask("eth_getTransactionByHash", first) == .null)
            let detailed = try await node.ask("anvil_mineDetailed")
            #expect(detailed[0]?["transactions"]?.asArray?.map { $0["hash"] } == [other])
            _ = try await node.ask("evm_setAutomine", true)
            let stranger = Address(truncating: 0x5151)
            _ = try await node.ask("anvil_setBalance", .address(stranger), .quantity(Bench.ether))
            let hash = try await node.ask(
                "eth_sendUnsignedTransaction", ["from": .address(stranger), "to": .address(.zero), "value": "0x5"])
            #expect(try await node.ask("eth_getTransactionReceipt", hash)["from"] == .address(stranger))
            #expect(try await node.ask("anvil_getIntervalMining") == .null)
            _ = try await node.ask("anvil_setIntervalMining", 7)
            #expect(try await node.ask("anvil_getIntervalMining") == 7)
            #expect(try await node.ask("anvil_setLoggingEnabled", false) == true)
            #expect(try await node.ask("anvil_enableTraces") == .null)
            #expect(try await node.refusal("hardhat_setMinGasPrice", ["0x1"]).message.contains("EIP-1559"))
            #expect(try await node.refusal("anvil_setRpcUrl", ["http://127.0.0.1"]).code == -32601)
        }
    }

    @Test("the same calls at fixed times give the same block hashes on two nodes, whatever method changes the chain")
    func determinism() async throws {
        var stories: [[JSON]] = []
        for _ in 0..<2 {
            var story: [JSON] = []
            try await NodeBench.with(options: { $0.clock = { (Bench.start + 5) * 1000 } }) {
                (node: NodeBench) async throws in
                func note() async throws {
                    story.append(try #require(try await node.ask("eth_getBlockByNumber", "latest", false)["hash"]))
                }
                func change(_ method: String, _ parameters: JSON...) async throws {
                    _ = try await node.client.call(method, parameters)
                    _ = try await node.ask("evm_mine")
                    try await note()
                }
                let contract = try await node.deploy(Bench.logger)
                try await node.send(to: contract, value: 0, data: U256(3).bytes)
                let (one, two) = (JSON.address(Address(truncating: 0x71)), JSON.address(Address(truncating: 0x72)))
                try await change("anvil_mine", 3, 12)
                try await change("anvil_setBalance", one, "0x8ac7230489e80000")
                try await change("anvil_addBalance", two, "0x9")
                try await change("anvil_setCode", two, .data(Bench.logger))
                try await change("anvil_setNonce", one, "0x7")
                try await change("anvil_setStorageAt", two, "0x5", .hash(Hash32(6)))
                try await change("evm_increaseTime", 100)
                try await change("evm_setNextBlockTimestamp", .integer(Bench.start + 9000))
                try await change("evm_setTime", .integer(Bench.start + 10_000))
                try await change("anvil_setBlockTimestampInterval", 12)
                try await change("anvil_removeBlockTimestampInterval")
                try await change("anvil_setCoinbase", two)
                try await change("evm_setBlockGasLimit", "0x1c9c38")
                try await change("anvil_setNextBlockBaseFeePerGas", "0x3b9aca00")
                try await change("hardhat_setPrevRandao", .hash(Hash32(99)))
                try await change("anvil_impersonateAccount", one)
                try await change("eth_sendTransaction", ["from": one, "to": two, "value": "0x1", "gas": "0x30d40"])
                try await change("anvil_reorg", 2)
                try await change("causeway_reorg", ["depth": 3, "restore": true])
                try await change("anvil_rollback", 1)
                let snapshot = try await node.ask("evm_snapshot")
                try await change("evm_mine_detailed", ["blocks": 2])
                try await change("evm_revert", snapshot)
                _ = try await node.ask("evm_setAutomine", false)
                try await node.send(from: 1, gas: 21_000)
                let dropped = try await node.send(from: 2, gas: 21_000)
                try await change("anvil_dropTransaction", dropped)
                try await change("anvil_dropAllTransactions")
                try await change("anvil_reset")
            }
            stories.append(story)
        }
        #expect(stories[0] == stories[1])
        // Snapshots apart, no two blocks of the story are the same one.
        #expect(stories[0].count == 25 && Set(stories[0]).count >= 24)
    }

    @Test("over a reorg with other transactions: logs go and come, receipts vanish and reappear, tags stay consistent")
    func reorgSeenFromOutside() async throws {
        try await NodeBench.with(webSocket: true) { (node: NodeBench) async throws in
            let contract = try await node.deploy(Bench.logger)
            _ = try await node.ask("anvil_mine", 5)
            let logs = try await node.client.subscribe(["logs", ["address": .address(contract)]])
            let heads = try await node.client.subscribe(["newHeads"])
            try await node.until("both subscriptions stand") {
                try await node.ask("anvil_nodeInfo")["subscriptions"] == 2
            }
            func tags() async throws -> [UInt64] {
                var result: [UInt64] = []
                for tag in ["finalized", "safe", "latest"] {
                    let block = try await node.ask("eth_getBlockByNumber", .string(tag), false)
                    result.append(try #require(block["number"]?.asUInt64))
                }
                return result
            }
            let lost = try await node.send(to: contract, value: 0, data: U256(1).bytes)
            let kept = try await node.send(from: 1, to: contract, value: 0, data: U256(2).bytes)
            let before = try await node.ask("eth_getTransactionReceipt", kept)
            #expect(try await tags() == [4, 6, 8])
            let raw = try await node.ask("eth_getRawTransactionByHash", kept)
            let other = Transaction.dynamicFee(
                chainID: 31337, nonce: 0, maxPriorityFeePerGas: 1, maxFeePerGas: U256(10) * Bench.gwei,
                gasLimit: 200_000, to: contract, value: 0, data: U256(3).bytes
            ).signed(by: node.keys[2])
            let hashes = try await node.ask(
                "causeway_reorg", ["depth": 2, "transactions": [[raw, 0], [.data(other.encoded), 1]]])
            #expect(try await tags() == [4, 6, 8], "the branch is as long as the one it replaced")
            #expect(try await node.ask("eth_getTransactionReceipt", lost) == .null)
            #expect(try await node.ask("eth_getTransactionByHash", lost) == .null)
            let after = try await node.ask("eth_getTransactionReceipt", kept)
            #expect(after["blockNumber"] == "0x7" && after["blockHash"] == hashes[0])
            #expect(before["blockNumber"] == "0x8" && after["blockHash"] != before["blockHash"])
            #expect(try await node.ask("eth_getBlockByHash", try #require(before["blockHash"]), false) == .null)
            #expect(try await node.ask("eth_getTransactionReceipt", .hash(other.hash))["blockHash"] == hashes[1])
            let found = try #require(
                try await node.ask("eth_getLogs", ["fromBlock": "0x7", "address": .address(contract)]).asArray)
            #expect(found.map { $0["data"] } == [2, 3].map { .data(U256($0).bytes) })
            let seen = await take(6, of: logs)
            #expect(seen.map { $0["removed"]?.asBool } == [false, false, true, true, false, false])
            #expect(seen.map { $0["blockNumber"]?.asUInt64 } == [7, 8, 8, 7, 7, 8])
            #expect(seen.map { $0["data"] } == [1, 2, 2, 1, 2, 3].map { .data(U256($0).bytes) })
            #expect(seen[2]["blockHash"] == before["blockHash"] && seen[4]["blockHash"] == hashes[0])
            let seenHeads = await take(4, of: heads)
            #expect(seenHeads.map { $0["number"]?.asUInt64 } == [7, 8, 7, 8])
            #expect(seenHeads[3]["parentHash"] == seenHeads[2]["hash"])
            // A shorter chain moves safe down with it, finalized never.
            _ = try await node.ask("anvil_rollback", 3)
            #expect(try await tags() == [4, 5, 5])
            #expect(try await node.refusal("anvil_rollback", [2]).message.contains("finalized"))
            #expect(try await node.ask("eth_getTransactionReceipt", kept) == .null)
            _ = try await node.ask("eth_sendRawTransaction", raw)
            #expect(try await node.ask("eth_getTransactionReceipt", kept)["blockNumber"] == "0x6")
            #expect(try await tags() == [4, 5, 6])
        }
    }

    @Test("health, readiness and metrics are there beside the methods, and batches are answered in their order")
    func routes() async throws {
        try await NodeBench.with { (node: NodeBench) async throws in
            _ = try await node.ask("evm_mine")
            func get(_ path: String) async throws -> String {
                let url = try #require(URL(string: "http://127.0.0.1:\(node.port)\(path)"))
                return String(decoding: try await URLSession.shared.data(from: url).0, as: UTF8.self)
            }
            for path in ["/health", "/ready"] {
                let answer = try JSON.parse(Bytes(try await get(path).utf8))
                #expect(answer["status"] == "ok" && answer["latest"] == 1)
            }
            let metrics = try await get("/metrics")
            #expect(metrics.contains("causeway_chain_blocks_total{chain=\"bench\"} 1"))
            #expect(metrics.contains("causeway_chain_transactions_dropped_total{chain=\"bench\"} 0"))
            let answers = try await node.client.batch([
                ("eth_chainId", []), ("eth_nothing", []), ("eth_blockNumber", []),
            ])
            #expect(try answers[0].get() == "0x7a69")
            #expect(throws: JSONRPCError.self) { try answers[1].get() }
            #expect(try answers[2].get() == "0x1")
        }
    }

    @Test("a port in use is an error, or the next one is taken")
    func ports() async throws {
        try await NodeBench.with { (first: NodeBench) async throws in
            var options = DevChainOptions()
            options.port = first.port
            let strict = try DevChainNode(profile: try Bench.profile(), options: options, logger: NodeBench.quiet())
            let error = await #expect(throws: RPCServerError.self) { try await strict.start() }
            #expect(error?.code == .portInUse)
            await strict.stop()
            options.triesNextPorts = true
            let lenient = try DevChainNode(profile: try Bench.profile(), options: options, logger: NodeBench.quiet())
            let port = try await lenient.start()
            #expect(port > first.port)
            await lenient.stop()
        }
    }

    @Test("many senders at once: every transaction is in a block once, readers never stop")
    func concurrency() async throws {
        let text = Bench.profileText.replacing(
            "{onDemand: true, heartbeatMilliseconds: 0}", with: "{intervalMilliseconds: 10, heartbeatMilliseconds: 10}")
        try await NodeBench.with(text) { (node: NodeBench) async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        for nonce in 0..<40 as Range<UInt64> {
                            try await node.send(from: sender, nonce: nonce, gas: 21_000)
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<100 { _ = try await node.ask("eth_getBlockByNumber", "latest", true) }
                }
                try await group.waitForAll()
            }
            try await node.until("all 320 are in blocks") {
                try await node.number("eth_getBalance", .address(Address(truncating: 0xbeef))) == 320
            }
            #expect(try await node.ask("txpool_status") == ["pending": "0x0", "queued": "0x0"])
        }
    }
}

extension Array {
    func asyncMap<Result>(_ convert: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await convert(element)) }
        return results
    }
}
