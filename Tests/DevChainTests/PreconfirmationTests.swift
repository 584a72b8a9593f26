// Preconfirmations: what the pending block shows between two blocks, that it becomes the block, and that it can be
// taken back.

import DevChain
import EVM
import Ethereum
import JSONRPC
import TestSupport
import Testing

@Suite("Preconfirmations", .serialized)
struct PreconfirmationTests {
    /// Blocks by hand only: an hour apart by time.
    static let line =
        "blocks: {intervalMilliseconds: 3600000, heartbeatMilliseconds: 0, preconfirmationMilliseconds: 3600000}"

    private func with(_ line: String = line, _ body: (NodeBench) async throws -> Void) async throws {
        let rest = Bench.profileText.split(separator: "\n").filter { !$0.hasPrefix("blocks:") }
        try await NodeBench.with(rest.joined(separator: "\n") + "\n" + line, body)
    }

    @Test("the pending block takes up what waits beat by beat, in order, shows it, and becomes the block")
    func grows() async throws {
        try await with { (node: NodeBench) async throws in
            let target = JSON.address(Address(truncating: 0xbeef))
            let first = try await node.send(value: 5, tip: 1)
            #expect(try await node.ask("eth_getTransactionReceipt", first) == .null)
            #expect(try await node.ask("eth_getBlockByNumber", "pending", false)["transactions"] == [])
            #expect(try await node.ask("eth_getBalance", target, "pending") == "0x0")
            #expect(try await node.ask("causeway_preconfirm") == 1)
            let early = try await node.ask("eth_getTransactionReceipt", first)
            #expect(early["status"] == "0x1" && early["blockNumber"] == "0x1" && early["transactionIndex"] == "0x0")
            #expect(try await node.ask("eth_getTransactionByHash", first)["blockNumber"] == "0x1")
            #expect(try await node.ask("eth_getBalance", target, "pending") == "0x5")
            #expect(try await node.ask("eth_getBalance", target, "latest") == "0x0")
            #expect(try await node.number("eth_blockNumber") == 0)
            // A higher tip that comes later does not overtake what is shown.
            let second = try await node.send(from: 1, value: 6, tip: 1_000_000)
            #expect(try await node.ask("causeway_preconfirm") == 2)
            let pending = try await node.ask("eth_getBlockByNumber", "pending", false)
            #expect(pending["transactions"] == [first, second] && pending["hash"] == .null)
            #expect(try await node.ask("eth_call", ["to": target], "pending") == "0x")
            let third = try await node.send(from: 2, value: 7, tip: 2_000_000)
            #expect(try await node.ask("eth_getTransactionReceipt", third) == .null, "its beat is to come")
            _ = try await node.ask("evm_mine")
            let block = try await node.ask("eth_getBlockByNumber", "latest", false)
            #expect(block["transactions"] == [first, second, third])
            let receipt = try await node.ask("eth_getTransactionReceipt", first)
            #expect(receipt["blockHash"] == block["hash"] && receipt["gasUsed"] == early["gasUsed"])
            #expect(try await node.ask("eth_getBlockByNumber", "pending", false)["transactions"] == [])
            #expect(try await node.ask("causeway_preconfirm") == 0)
        }
    }

    @Test("a rollback takes back what was shown: it waits again, or is gone")
    func rollback() async throws {
        try await with { (node: NodeBench) async throws in
            let first = try await node.send(value: 5)
            let second = try await node.send(value: 6)
            #expect(try await node.ask("causeway_preconfirm") == 2)
            #expect(try await node.ask("causeway_rollbackPreconfirmations") == [first, second])
            #expect(try await node.ask("eth_getTransactionReceipt", first) == .null)
            #expect(try await node.ask("eth_getTransactionByHash", first)["blockHash"] == .null)
            #expect(try await node.ask("eth_getBlockByNumber", "pending", false)["transactions"] == [])
            #expect(try await node.ask("causeway_preconfirm") == 2)
            #expect(try await node.ask("causeway_rollbackPreconfirmations", ["drop": true]) == [first, second])
            #expect(try await node.ask("eth_getTransactionByHash", first) == .null)
            #expect(try await node.ask("causeway_rollbackPreconfirmations") == [])
            #expect(try await node.refusal("causeway_rollbackPreconfirmations", [["drop": 1]]).code == -32602)
            let again = try await node.send(nonce: 0, value: 7)
            _ = try await node.ask("evm_mine")
            #expect(try await node.ask("eth_getBlockByNumber", "latest", false)["transactions"] == [again])
        }
    }

    @Test("what is shown cannot be replaced, and what is dropped is shown no more")
    func replacement() async throws {
        try await with { (node: NodeBench) async throws in
            let first = try await node.send(nonce: 0, value: 5, tip: 1)
            let second = try await node.send(nonce: 1, value: 6, tip: 1)
            #expect(try await node.ask("causeway_preconfirm") == 2)
            do {
                try await node.send(nonce: 0, value: 9, tip: 5_000_000_000)
                Issue.record("a preconfirmed transaction was replaced")
            } catch let error as RPCClientError {
                #expect(error.remote?.message.contains("preconfirmed") == true)
            }
            _ = try await node.ask("anvil_dropTransaction", first)
            #expect(try await node.ask("eth_getTransactionReceipt", first) == .null)
            #expect(try await node.ask("eth_getTransactionReceipt", second) == .null, "it waits behind a gap now")
            #expect(try await node.ask("causeway_preconfirm") == 0)
            let other = try await node.send(nonce: 0, value: 9, tip: 1)
            #expect(try await node.ask("causeway_preconfirm") == 2)
            #expect(try await node.ask("eth_getBlockByNumber", "pending", false)["transactions"] == [other, second])
        }
    }

    @Test("a change of the state, a snapshot's revert and a reorg take the pending block back")
    func underneath() async throws {
        try await with { (node: NodeBench) async throws in
            _ = try await node.ask("anvil_mine", 2)
            let hash = try await node.send()
            #expect(try await node.ask("causeway_preconfirm") == 1)
            _ = try await node.ask("anvil_setBalance", .address(.zero), "0x1")
            #expect(try await node.ask("eth_getTransactionReceipt", hash) == .null)
            #expect(try await node.ask("causeway_preconfirm") == 1)
            _ = try await node.ask("anvil_reorg", 1)
            let snapshot = try await node.ask("evm_snapshot")
            #expect(try await node.ask("eth_getTransactionReceipt", hash) == .null)
            #expect(try await node.ask("causeway_preconfirm") == 1)
            #expect(try await node.ask("eth_getTransactionReceipt", hash)["blockNumber"] == "0x3")
            #expect(try await node.ask("evm_revert", snapshot) == true)
            #expect(try await node.ask("eth_getTransactionReceipt", hash) == .null)
        }
    }

    @Test("by time, a receipt is there long before its block, and the block keeps it")
    func byTime() async throws {
        let line = "blocks: {intervalMilliseconds: 1500, heartbeatMilliseconds: 1500, preconfirmationMilliseconds: 20}"
        try await with(line) { (node: NodeBench) async throws in
            try await node.until("a block to count from") { try await node.number("eth_blockNumber") >= 1 }
            let began = try await node.number("eth_blockNumber")
            let hash = try await node.send()
            try await node.until("the preconfirmed receipt") {
                try await node.ask("eth_getTransactionReceipt", hash) != .null
            }
            #expect(try await node.number("eth_blockNumber") == began, "the block is still to come")
            let early = try await node.ask("eth_getTransactionReceipt", hash)
            #expect(early["blockNumber"] == .quantity(began + 1))
            try await node.until("the block") { try await node.number("eth_blockNumber") > began }
            let receipt = try await node.ask("eth_getTransactionReceipt", hash)
            #expect(receipt["blockNumber"] == .quantity(began + 1))
            let block = try await node.ask("eth_getBlockByNumber", .quantity(began + 1), false)
            #expect(receipt["blockHash"] == block["hash"])
        }
    }

    @Test("the cadence beats only between blocks, and only for what is not shown yet")
    func decisions() {
        let base = MiningCadence(
            automine: false, intervalMilliseconds: 2000, heartbeatMilliseconds: 2000, preconfirmationMilliseconds: 200)
        func decide(_ now: UInt64, _ beat: UInt64?, _ unconfirmed: Bool) -> MiningCadence.Decision {
            base.decide(now: now, lastBlockAt: 0, lastBeatAt: beat, hasWork: true, hasUnconfirmed: unconfirmed)
        }
        #expect(decide(150, nil, true) == .wait(milliseconds: 50))
        #expect(decide(200, nil, true) == .preconfirm)
        #expect(decide(300, 200, true) == .wait(milliseconds: 100))
        #expect(decide(400, 200, true) == .preconfirm)
        #expect(decide(400, 200, false) == .wait(milliseconds: 1600))
        #expect(decide(1900, 1850, true) == .wait(milliseconds: 100), "the block comes before the next beat")
        #expect(decide(2000, 1800, true) == .mine(dueSince: 2000))
        #expect(
            base.decide(now: 2150, lastBlockAt: 2000, lastBeatAt: 1990, hasWork: true, hasUnconfirmed: true)
                == .wait(milliseconds: 50))
    }
}
