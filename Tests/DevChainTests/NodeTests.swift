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

    @Test("the same calls at fixed times give the same block hashes on two nodes")
    func determinism() async throws {
        var hashes: [JSON] = []
        for _ in 0..<2 {
            try await NodeBench.with(options: { $0.clock = { (Bench.start + 5) * 1000 } }) {
                (node: NodeBench) async throws in
                let contract = try await node.deploy(Bench.logger)
                try await node.send(to: contract, value: 0, data: U256(3).bytes)
                _ = try await node.ask("anvil_mine", 3, 12)
                _ = try await node.ask("anvil_reorg", 2)
                hashes.append(try #require(try await node.ask("eth_getBlockByNumber", "latest", false)["hash"]))
            }
        }
        #expect(hashes[0] == hashes[1])
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
