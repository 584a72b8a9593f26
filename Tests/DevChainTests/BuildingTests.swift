// Blocks that a consensus layer asks for: over any block, with exactly what was named, and nothing of them stays.

import DevChain
import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Building blocks for a consensus layer")
struct BuildingTests {
    private func request(_ bench: Bench, after seconds: UInt64 = 10) -> PayloadRequest {
        PayloadRequest(
            timestamp: bench.now + seconds, prevRandao: keccak256([1]), feeRecipient: Address(truncating: 0xfee),
            withdrawals: [
                Withdrawal(index: 1, validatorIndex: 2, address: Address(truncating: 0xaa), amountGwei: 3)
            ],
            parentBeaconBlockRoot: keccak256([2]), extraData: [7])
    }

    @Test("a block of named transactions has what was asked for and can be imported; the chain stays as it was")
    func exact() throws {
        var bench = try Bench()
        bench.mine(2)
        let (head, version) = (bench.chain.head.hash, bench.chain.headState.root)
        let transactions = [try bench.transaction(nonce: 0), try bench.transaction(from: 1, nonce: 0, tip: 5)]
        let asked = request(bench)
        let built = try bench.chain.plan(over: head, asked, candidates: transactions).payload()
        #expect(built.block.transactions.map(\.hash) == transactions.map(\.hash))
        let header = built.block.header
        #expect(header.parentHash == head && header.beneficiary == asked.feeRecipient)
        #expect(header.mixHash == asked.prevRandao && header.extraData == [7] && header.timestamp == asked.timestamp)
        #expect(header.parentBeaconBlockRoot == asked.parentBeaconBlockRoot && built.block.withdrawals.count == 1)
        #expect(built.value == (Bench.gwei + 5) * 21_000, "the tips of both")
        #expect(bench.chain.head.hash == head && bench.chain.headState.root == version)
        try bench.chain.importBlock(built.block.body.encoded)
        #expect(bench.chain.head.hash == built.block.hash)
        #expect(bench.chain.headState.balance(Address(truncating: 0xaa)) == 3_000_000_000)
        #expect(bench.chain.headState.balance(asked.feeRecipient) == built.value)
    }

    @Test("a transaction that cannot be in the block refuses it; what waits is taken as far as it fits")
    func refusals() throws {
        var bench = try Bench()
        bench.mine(2)
        let head = bench.chain.head.hash
        let wrong = try bench.transaction(nonce: 9)
        let plan = try bench.chain.plan(over: head, request(bench), candidates: [wrong])
        #expect(refusal { try plan.payload() } == .invalidTransaction)
        _ = try bench.send(nonce: 0)
        let waiting = try bench.chain.plan(over: head, request(bench), candidates: nil)
        #expect(try waiting.payloadOfWhatFits().block.transactions.count == 1)
        // Over an older block too.
        let old = try bench.chain.plan(over: bench.chain.blocks[1].hash, request(bench), candidates: [])
        #expect(try old.payload().block.number == 2)
        #expect(refusal { try bench.chain.plan(over: .zero, request(bench), candidates: []) } == .blockNotFound)
        var late = request(bench)
        late.timestamp = bench.chain.head.header.timestamp
        #expect(refusal { try bench.chain.plan(over: head, late, candidates: []) } == .invalidBlockTimestamp)
        late.timestamp += 1
        late.extraData = Bytes(repeating: 0, count: 33)
        #expect(refusal { try bench.chain.plan(over: head, late, candidates: []) } == .extraDataTooLong)
    }

    @Test("the gas limit goes towards the chain's by less than a 1024th of the parent's")
    func gasLimit() {
        for (parent, wanted, next) in [
            (200_000_000, 100_000_000, 199_804_689), (30_000_000, 30_000_000, 30_000_000),
            (30_000_000, 30_000_010, 30_000_010), (30_000_000, 60_000_000, 30_029_295), (5_000, 4_000, 4_997),
        ] as [(UInt64, UInt64, UInt64)] {
            #expect(Blockchain.gasLimit(after: parent, towards: wanted) == next)
        }
    }
}
