// The pool's rules, one by one, and the order of the block that it fills.

import DevChain
import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Pool")
struct PoolTests {
    @Test("each fault of a transaction is refused by its name, and the pool stays as it was")
    func refusals() throws {
        var bench = try Bench()
        _ = try bench.send(nonce: 0)
        bench.mine()
        _ = try bench.send(nonce: 1)
        let before = bench.chain.pool.count
        typealias Code = DevChainError.Code
        let poor = Address(truncating: 0xdead)
        bench.chain.setCode([0x00], of: bench.keys[4].address)
        let cases: [(Code, (inout Bench) throws -> Void)] = [
            (.nonceTooLow, { _ = try $0.send(nonce: 0, value: 2) }),
            (.alreadyKnown, { _ = try $0.send(nonce: 1) }),
            (.replacementUnderpriced, { _ = try $0.send(nonce: 1, value: 2) }),
            (.nonceTooFar, { _ = try $0.send(nonce: 30_000) }),
            (.insufficientFunds, { _ = try $0.send(from: 1, nonce: 0, value: U256(101) * Bench.ether) }),
            (.insufficientFunds, { _ = try $0.send(from: 1, nonce: 0, value: .max) }),
            (.gasLimitExceedsBlock, { _ = try $0.send(from: 1, nonce: 0, gas: 30_000_001, cap: Bench.gwei) }),
            (.intrinsicGasTooLow, { _ = try $0.send(from: 1, nonce: 0, gas: 20_999) }),
            (.feeBelowBaseFee, { _ = try $0.send(from: 1, nonce: 0, cap: 1000, tip: 0) }),
            (.priorityFeeAboveCap, { _ = try $0.send(from: 1, nonce: 0, cap: Bench.gwei, tip: Bench.gwei + 1) }),
            (.wrongChain, { _ = try $0.transaction(from: 1, nonce: 0, chainID: 1) }),
            (.senderHasCode, { _ = try $0.send(from: 4, nonce: 0) }),
            (
                .initCodeTooLarge,
                {
                    _ = try $0.send(
                        from: 1, nonce: 0, to: nil, value: 0, data: Bytes(repeating: 0, count: 49_153), gas: 2_000_000)
                }
            ),
            (
                .insufficientFunds,
                {
                    let transaction = Transaction.legacy(
                        chainID: 31337, nonce: 0, gasPrice: U256(2) * Bench.gwei, gasLimit: 21_000, to: poor)
                    try $0.chain.submit(PooledTransaction(impersonating: poor, transaction))
                }
            ),
        ]
        for (code, attempt) in cases { #expect(refusal { try attempt(&bench) } == code) }
        #expect(bench.chain.pool.count == before)
    }

    @Test("raw bytes that are no transaction of this chain are refused")
    func rawRefusals() throws {
        let bench = try Bench()
        let good = try bench.transaction(nonce: 0).signed
        func take(_ raw: Bytes) -> DevChainError.Code? {
            refusal { try PooledTransaction(raw: raw, chainID: 31337, rules: bench.chain.rules) }
        }
        #expect(take(good.encoded) == nil)
        #expect(take([]) == .malformedTransaction)
        #expect(take(Bytes(good.encoded.dropLast())) == .malformedTransaction)
        #expect(take(good.encoded + [0]) == .malformedTransaction)
        #expect(take(Bytes(repeating: 0xff, count: 200_000)) == .transactionTooLarge)
        let high = SignedTransaction(transaction: good.transaction, signature: good.signature.flipped)
        #expect(take(high.encoded) == .invalidSignature)
        let blob = Transaction(
            kind: .blob, chainID: 31337, nonce: 0, maxPriorityFeePerGas: 1, maxFeePerGas: Bench.gwei * 2,
            gasLimit: 21_000, to: .zero, maxFeePerBlobGas: 1, blobVersionedHashes: [Hash32(U256.one << 248)])
        #expect(take(blob.signed(by: bench.keys[0]).encoded) == .invalidBlobs, "it comes without its blobs")
        // A transaction without replay protection is taken, as deterministic deployments need it.
        let old = Transaction.legacy(
            chainID: nil, nonce: 0, gasPrice: Bench.gwei * 2, gasLimit: 21_000, to: .zero, value: 1)
        #expect(take(old.signed(by: bench.keys[0]).encoded) == nil)
    }

    @Test("a replacement pays a tenth more in both fees and takes the place")
    func replacement() throws {
        var bench = try Bench()
        let old = try bench.send(nonce: 0, cap: U256(10) * Bench.gwei, tip: U256(10))
        #expect(
            refusal { try bench.send(nonce: 0, cap: U256(11) * Bench.gwei, tip: U256(10)) } == .replacementUnderpriced)
        #expect(
            refusal { try bench.send(nonce: 0, cap: U256(11) * Bench.gwei - 1, tip: U256(11)) }
                == .replacementUnderpriced)
        let new = try bench.send(nonce: 0, cap: U256(11) * Bench.gwei, tip: U256(11))
        #expect(bench.chain.pool.count == 1)
        #expect(bench.chain.pool.find(old.hash) == nil)
        #expect(bench.chain.lastDrop(of: old.hash)?.contains("replaced") == true)
        let block = bench.mine()
        #expect(block.transactions.map(\.hash) == [new.hash])
    }

    @Test("transactions behind a gap wait, are bounded, and follow once the gap is closed")
    func gaps() throws {
        var bench = try Bench()
        for nonce in 1...64 as ClosedRange<UInt64> { _ = try bench.send(nonce: nonce) }
        #expect(refusal { try bench.send(nonce: 65) } == .senderQueueFull)
        #expect(bench.chain.pool.readyCount == 0)
        #expect(!bench.chain.hasWork)
        let empty = bench.mine()
        #expect(empty.transactions.isEmpty)
        #expect(bench.chain.pendingNonce(bench.keys[0].address) == 0)
        _ = try bench.send(nonce: 0)
        #expect(bench.chain.pool.readyCount == 65)
        #expect(bench.chain.pendingNonce(bench.keys[0].address) == 65)
        let block = bench.mine()
        #expect(block.transactions.map(\.transaction.nonce) == Array(0...64))
        #expect(bench.chain.pool.isEmpty)
    }

    @Test("higher tips go first, among equals the first to come, and nonces keep their order")
    func order() throws {
        var bench = try Bench()
        let a = try bench.send(from: 0, nonce: 0, tip: 5)
        let b = try bench.send(from: 1, nonce: 0, tip: 9)
        let c = try bench.send(from: 2, nonce: 0, tip: 5)
        let d = try bench.send(from: 0, nonce: 1, tip: 100)
        let e = try bench.send(from: 2, nonce: 1, tip: 1)
        let block = bench.mine()
        #expect(block.transactions.map(\.hash) == [b, a, d, c, e].map(\.hash))
    }

    @Test("what does not fit stays for the next block; what can be in none leaves with a reason")
    func overflow() throws {
        var bench = try Bench()
        bench.chain.setGasLimit(50_000)
        let first = try bench.send(from: 0, nonce: 0, tip: 3)
        let second = try bench.send(from: 1, nonce: 0, tip: 2)
        let third = try bench.send(from: 2, nonce: 0, tip: 1)
        let firstBlock = bench.mine()
        #expect(firstBlock.transactions.map(\.hash) == [first.hash, second.hash])
        let secondBlock = bench.mine()
        #expect(secondBlock.transactions.map(\.hash) == [third.hash])
        let spends = try bench.send(from: 3, nonce: 0, value: U256(99) * Bench.ether)
        let broke = try bench.send(from: 3, nonce: 1, value: U256(99) * Bench.ether)
        let thirdBlock = bench.mine()
        #expect(thirdBlock.transactions.map(\.hash) == [spends.hash])
        #expect(bench.chain.pool.isEmpty)
        #expect(bench.chain.lastDrop(of: broke.hash)?.contains("insufficient funds") == true)
    }

    @Test("whatever is submitted and mined, the pool's counts agree with its contents")
    func consistency() throws {
        var random = SplitMix64.forTest()
        var bench = try Bench()
        for _ in 0..<400 {
            let sender = random.below(4)
            let nonce = bench.chain.headState.nonce(bench.keys[sender].address) + UInt64(random.below(5))
            switch random.below(10) {
            case 0: bench.mine()
            case 1:
                if let any = bench.chain.pool.contents.first.flatMap({ ($0.ready + $0.gapped).first }) {
                    let isDropped = bench.chain.drop(any.hash)
                    #expect(isDropped)
                }
            case 2: bench.chain.setNonce(nonce, of: bench.keys[sender].address)
            default:
                _ = try? bench.send(from: sender, nonce: nonce, tip: U256(random.below(1000)))
            }
            let contents = bench.chain.pool.contents
            #expect(contents.reduce(0) { $0 + $1.ready.count } == bench.chain.pool.readyCount)
            #expect(contents.reduce(0) { $0 + $1.ready.count + $1.gapped.count } == bench.chain.pool.count)
            for (sender, ready, gapped) in contents {
                let start = bench.chain.headState.nonce(sender)
                #expect(ready.map(\.transaction.nonce) == ready.indices.map { start + UInt64($0) })
                let nonces = gapped.map(\.transaction.nonce)
                #expect(nonces == nonces.sorted())
                #expect(nonces.first.map { $0 > start + UInt64(ready.count) } ?? true)
                #expect((ready + gapped).allSatisfy { bench.chain.pool.find($0.hash) === $0 })
            }
        }
    }
}
