// Blob transactions and set-code transactions: what the pool takes, what a block holds, and what blobs cost.

@testable import DevChain
import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Blobs and delegations")
struct BlobTests {
    private static let blobFee = U256(1_000)

    private func sidecar(_ count: Int, seed: UInt8 = 1) throws -> BlobSidecar {
        let blobs = (0..<count).map { Bytes(repeating: UInt8($0) &+ seed, count: BlobSidecar.blobBytes) }
        let points = blobs.map { blob in Bytes(repeating: blob[0], count: BlobSidecar.pointBytes) }
        return try BlobSidecar(blobs: blobs, commitments: points, proofs: points)
    }

    private func raw(
        _ bench: Bench, from: Int = 0, nonce: UInt64, blobs: Int, blobFee: U256 = blobFee, cap: U256 = U256(100) * Bench.gwei,
        tip: U256 = Bench.gwei, seed: UInt8 = 1
    ) throws -> Bytes {
        let sidecar = try sidecar(blobs, seed: seed)
        let transaction = Transaction(
            kind: .blob, chainID: 31337, nonce: nonce, maxPriorityFeePerGas: tip, maxFeePerGas: cap, gasLimit: 21_000,
            to: Address(truncating: 0xbeef), value: 1, maxFeePerBlobGas: blobFee,
            blobVersionedHashes: sidecar.commitments.map { BlobSidecar.versionedHash(of: $0) })
        return transaction.signed(by: bench.keys[from]).encoded(with: sidecar)
    }

    private func pooled(_ bench: Bench, _ raw: Bytes, proves: Bool = true) throws -> PooledTransaction {
        try PooledTransaction(raw: raw, chainID: 31337, rules: bench.chain.rules, verifyBlobs: { _ in proves })
    }

    @Test("a blob transaction waits with its blobs and is in the block without them, and the block counts its gas")
    func inBlock() throws {
        var bench = try Bench()
        let raw = try raw(bench, nonce: 0, blobs: 3)
        let transaction = try pooled(bench, raw)
        #expect(transaction.networkForm == raw && transaction.sidecar?.blobs.count == 3)
        try bench.chain.submit(transaction)
        #expect(bench.chain.pool.blobCount == 3)
        let before = bench.chain.headState.balance(bench.keys[0].address)
        let block = bench.mine()
        #expect(block.header.blobGasUsed == 3 * 131_072 && block.header.excessBlobGas == 0)
        #expect(block.transactions[0].sidecar == nil && block.transactions[0].networkForm.count < 500)
        #expect(block.outcomes[0].blobGasPrice == 1 && block.outcomes[0].receipt.kind == .blob)
        #expect(bench.chain.pool.blobCount == 0)
        let paid = before - bench.chain.headState.balance(bench.keys[0].address)
        #expect(paid == U256(21_000) * block.outcomes[0].effectiveGasPrice + U256(3 * 131_072) + 1)
        #expect(try Block.decode(block.body.encoded).header.hash == block.hash)
    }

    @Test("blobs above the target raise their price in the blocks that follow, and none lower it")
    func price() throws {
        var bench = try Bench()
        var nonce: UInt64 = 0
        for _ in 0..<3 {
            try bench.chain.submit(pooled(bench, raw(bench, nonce: nonce, blobs: 9, blobFee: U256(1) << 40)))
            bench.mine()
            nonce += 1
        }
        let excess = try #require(bench.chain.head.header.excessBlobGas)
        #expect(excess == 2 * 3 * 131_072, "each full block adds three blobs to the excess of the next one")
        bench.mine()
        #expect(bench.chain.head.header.excessBlobGas == 3 * 3 * 131_072)
        bench.mine()
        #expect(bench.chain.head.header.excessBlobGas == 3 * 131_072)
        bench.mine(2)
        #expect(bench.chain.head.header.excessBlobGas == 0 && bench.chain.nextBlobBaseFee == 1)
    }

    @Test("more blobs than a block takes wait for the next one, and one that pays too little waits for its price")
    func waiting() throws {
        var bench = try Bench()
        for sender in 0..<3 { try bench.chain.submit(pooled(bench, raw(bench, from: sender, nonce: 0, blobs: 4))) }
        #expect(bench.mine().transactions.count == 2, "nine blobs are the most of a block")
        #expect(bench.mine().transactions.count == 1)
        #expect(bench.chain.pool.isEmpty)
    }

    @Test("blobs that do not fit their transaction, their proofs or the chain are refused by name")
    func refusals() throws {
        let bench = try Bench()
        let good = try raw(bench, nonce: 0, blobs: 2)
        #expect(refusal { try pooled(bench, good) } == nil)
        #expect(refusal { try pooled(bench, good, proves: false) } == .invalidBlobs)
        #expect(
            refusal { try PooledTransaction(raw: good, chainID: 31337, rules: bench.chain.rules) } == .invalidBlobs,
            "its points are none of the curve")
        let (signed, sidecar) = try SignedTransaction.decodeWithSidecar(good)
        #expect(refusal { try pooled(bench, signed.encoded) } == .invalidBlobs, "the bare form has no blobs")
        let other = try self.sidecar(2, seed: 7)
        #expect(refusal { try pooled(bench, signed.encoded(with: other)) } == .malformedTransaction)
        let fewer = try BlobSidecar(
            blobs: [sidecar.blobs[0]], commitments: [sidecar.commitments[0]], proofs: [sidecar.proofs[0]])
        #expect(refusal { try pooled(bench, signed.encoded(with: fewer)) } == .malformedTransaction)
        #expect(refusal { try pooled(bench, raw(bench, nonce: 0, blobs: 10)) } == .malformedTransaction)
        #expect(refusal { try pooled(bench, raw(bench, nonce: 0, blobs: 0)) } == .malformedTransaction)
        #expect(refusal { try pooled(bench, raw(bench, nonce: 0, blobs: 12)) } == .transactionTooLarge)
        let jovay = try Bench(Bench.profileText + "\nquirks: {noPointEvaluation: true}\n")
        #expect(refusal { try pooled(jovay, good) } == .kindNotSupported)
        #expect(throws: EthereumError.self) {
            _ = try BlobSidecar(blobs: [[1]], commitments: sidecar.commitments, proofs: sidecar.proofs)
        }
        var generator = SplitMix64.forTest()
        for _ in 0..<200 {
            var damaged = good
            let at = Int(generator.next() % 300)
            damaged[at] ^= UInt8(truncatingIfNeeded: generator.next() | 1)
            if let code = refusal({ try pooled(bench, damaged) }) { #expect(!code.rawValue.isEmpty) }
        }
    }

    @Test("cell proofs travel in the form of EIP-7594, and only chains from Osaka on take them")
    func cellProofs() throws {
        let osaka = try Bench(fork: .osaka)
        let (signed, plain) = try SignedTransaction.decodeWithSidecar(try raw(osaka, nonce: 0, blobs: 2))
        let cells = try BlobSidecar(
            blobs: plain.blobs, commitments: plain.commitments,
            proofs: (0..<256).map { Bytes(repeating: UInt8($0), count: BlobSidecar.pointBytes) }, hasCellProofs: true)
        let form = signed.encoded(with: cells)
        let (again, sidecar) = try SignedTransaction.decodeWithSidecar(form)
        #expect(again == signed && sidecar == cells && sidecar.byteCount == 2 * (131_072 + 129 * 48))
        #expect(try pooled(osaka, form).networkForm == form)
        #expect(refusal { try pooled(Bench(), form) } == .kindNotSupported)
        #expect(refusal { try pooled(osaka, form, proves: false) } == .invalidBlobs)
        #expect(refusal { try pooled(osaka, raw(osaka, nonce: 0, blobs: 7)) } == .malformedTransaction, "six at most")
        #expect(throws: EthereumError.self) {
            _ = try BlobSidecar(
                blobs: plain.blobs, commitments: plain.commitments, proofs: plain.proofs, hasCellProofs: true)
        }
        // The version stands behind the transaction: another one is not known.
        let after = form.indices.dropFirst(signed.encoded.count - 1)
        let at = try #require(after.first { form[$0...].starts(with: [1, 0xfa]) })
        var unknown = form
        unknown[at] = 2
        #expect { try SignedTransaction.decodeWithSidecar(unknown) } throws: {
            ($0 as? EthereumError)?.code == .unsupported
        }
    }

    @Test("the pool bounds blobs: no gaps, sixteen of a sender, double the price to replace, one kind of a sender")
    func pool() throws {
        var bench = try Bench()
        func submit(_ raw: Bytes) throws { try bench.chain.submit(pooled(bench, raw)) }
        #expect(refusal { try submit(raw(bench, nonce: 1, blobs: 1)) } == .nonceTooFar)
        for nonce in 0..<16 as Range<UInt64> { try submit(raw(bench, nonce: nonce, blobs: 1)) }
        #expect(refusal { try submit(raw(bench, nonce: 16, blobs: 1)) } == .senderQueueFull)
        let less = try raw(bench, nonce: 3, blobs: 2, blobFee: U256(1_999), cap: U256(200) * Bench.gwei, tip: 2 * Bench.gwei)
        #expect(refusal { try submit(less) } == .replacementUnderpriced)
        try submit(raw(bench, nonce: 3, blobs: 2, blobFee: U256(2_000), cap: U256(200) * Bench.gwei, tip: 2 * Bench.gwei))
        #expect(bench.chain.pool.blobCount == 17 && bench.chain.pool.count == 16)
        #expect(refusal { try bench.send(nonce: 16) } == .addressReserved)
        _ = try bench.send(from: 1, nonce: 0)
        #expect(refusal { try submit(raw(bench, from: 1, nonce: 1, blobs: 1)) } == .addressReserved)
        bench.mine(3)
        #expect(bench.chain.pool.isEmpty && bench.chain.pool.blobCount == 0)
    }

    // MARK: Set code

    private func setCode(_ bench: Bench, from: Int, nonce: UInt64, _ authorizations: [Authorization]) throws -> PooledTransaction {
        let transaction = Transaction(
            kind: .setCode, chainID: 31337, nonce: nonce, maxPriorityFeePerGas: Bench.gwei,
            maxFeePerGas: U256(100) * Bench.gwei, gasLimit: 200_000, to: Address(truncating: 0xbeef), value: 0,
            authorizations: authorizations)
        return try PooledTransaction(
            raw: transaction.signed(by: bench.keys[from]).encoded, chainID: 31337, rules: bench.chain.rules)
    }

    @Test("an account that lends its code, or is about to, has one transaction that waits")
    func delegations() throws {
        var bench = try Bench()
        let authority = bench.keys[1]
        let leave = Authorization.signed(by: authority, chainID: 31337, address: Address(truncating: 0xcafe), nonce: 0)
        try bench.chain.submit(setCode(bench, from: 0, nonce: 0, [leave]))
        _ = try bench.send(from: 1, nonce: 0)
        #expect(refusal { try bench.send(from: 1, nonce: 1) } == .delegatedQueueFull, "an authorization of it waits")
        _ = try bench.send(from: 1, nonce: 0, cap: U256(200) * Bench.gwei, tip: 2 * Bench.gwei)
        bench.mine()
        #expect(bench.chain.pool.isEmpty)
        var nonce = bench.chain.headState.nonce(authority.address)
        if bench.chain.headState.code(of: authority.address).isEmpty {
            // Its own transaction came first, so that the authorization was void: once more.
            let again = Authorization.signed(by: authority, chainID: 31337, address: Address(truncating: 0xcafe), nonce: nonce)
            try bench.chain.submit(setCode(bench, from: 0, nonce: 1, [again]))
            bench.mine()
            nonce += 1
        }
        #expect(bench.chain.headState.code(of: authority.address) == Code.designator(Address(truncating: 0xcafe)))
        #expect(refusal { try bench.send(from: 1, nonce: nonce + 1) } == .delegatedQueueFull, "no gap either")
        _ = try bench.send(from: 1, nonce: nonce)
        #expect(refusal { try bench.send(from: 1, nonce: nonce + 1) } == .delegatedQueueFull)
    }

    @Test("nobody whose transactions wait signs an authorization that could void them")
    func authorities() throws {
        var bench = try Bench()
        _ = try bench.send(from: 1, nonce: 0)
        _ = try bench.send(from: 1, nonce: 1)
        let leave = Authorization.signed(by: bench.keys[1], chainID: 31337, address: Address(truncating: 0xcafe), nonce: 2)
        #expect(refusal { try bench.chain.submit(setCode(bench, from: 0, nonce: 0, [leave])) } == .authorityReserved)
        bench.mine()
        try bench.chain.submit(setCode(bench, from: 0, nonce: 0, [leave]))
        bench.mine()
        #expect(bench.chain.headState.nonce(bench.keys[1].address) == 3)
    }
}
