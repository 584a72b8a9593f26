// RLP and what is written in it: transactions, blocks, receipts, account records, proofs. What decodes must encode to the
// same bytes: there is one form of everything.

import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Fuzz: encodings")
struct EncodingFuzzTests {
    @Test("RLP: what decodes encodes to the same bytes, alone and in a row")
    func rlp() throws {
        let nested = (0..<60).reduce(RLP.bytes([1])) { inner, _ in .list([inner]) }
        let corpus: [RLP] = [
            .bytes([]), .list([]), .uint(1024 as UInt64), .bytes(Bytes(repeating: 7, count: 60)), nested,
            .list([.uint(5 as UInt64), .list([.bytes(Bytes(repeating: 1, count: 300)), .list([])])]),
        ]
        try Fuzz("rlp", corpus: corpus.map(\.encoded) + [Bytes(corpus.map(\.encoded).joined())]).run { input in
            if let items = try? RLP.sequence(input) {
                try hold(Bytes(items.joined()) == input, "a row of items is cut without loss")
            }
            guard let item = try? RLP.decode(input) else { return false }
            try hold(item.encoded == input, "decoding is the inverse of encoding")
            _ = try? item.asUInt256("")
            _ = try? item.asAddress("")
            _ = try? item.asHash32("")
            return true
        }
    }

    @Test("transactions: what decodes encodes to the same bytes, and its checks hold up")
    func transactions() throws {
        var fuzz = Fuzz("transaction", corpus: try Samples.transactions().map(\.encoded))
        fuzz.mutate = Mutation.rlp
        try fuzz.run { input in
            if let item = try? RLP.decode(input), let inBlock = try? SignedTransaction.decode(inBlock: item) {
                try hold(try inBlock.blockItem == item, "the form in a block is kept")
            }
            guard let signed = try? SignedTransaction.decode(input) else { return false }
            try hold(signed.encoded == input, "decoding is the inverse of encoding")
            let transaction = signed.transaction
            // Common transactions are decoded by a shorter way: the same must come out.
            let again = SignedTransaction(transaction: transaction, signature: signed.signature)
            try hold(again.encoded == input && again.hash == signed.hash, "the parts make the same transaction")
            try hold((try? again.sender()) == (try? signed.sender()), "and the same sender")
            for fork in Fork.allCases {
                let rules = RuleSet(fork).transactions
                let floor = transaction.floorGas(rules)
                try hold(transaction.intrinsicGas(rules) >= 21_000 && (floor == 0 || floor >= 21_000), "gas has a floor")
                _ = try? transaction.checkRules(rules)
            }
            _ = transaction.effectiveGasPrice(baseFee: 7)
            for authorization in transaction.authorizations { _ = authorization.authority }
            return true
        }
    }

    @Test("blocks and headers: what decodes encodes to the same bytes")
    func blocks() throws {
        var corpus: [Bytes] = []
        for fork in [Fork.shanghai, .cancun, .prague, .osaka] {
            let blocks = try Samples.blocks(fork)
            corpus += blocks + blocks.compactMap { try? RLP.decode($0).asList("").first?.encoded }
        }
        var fuzz = Fuzz("block", corpus: corpus)
        fuzz.mutate = Mutation.rlp
        try fuzz.run { input in
            if let item = try? RLP.decode(input), let header = try? BlockHeader.decode(item) {
                try hold(header.rlp == item, "a header is kept")
                _ = header.hash
                return true
            }
            guard let block = try? Block.decode(input) else { return false }
            try hold(try block.encoded == input, "decoding is the inverse of encoding")
            _ = Block.transactionsRoot(block.transactions)
            return true
        }
    }

    @Test("receipts and account records: what decodes encodes to the same bytes")
    func receipts() throws {
        let log = Log(address: Address(truncating: 5), topics: [Hash32(1), Hash32(2)], data: [1, 2, 3])
        var corpus = Transaction.Kind.allCases.map {
            Receipt(kind: $0, succeeded: $0 != .blob, cumulativeGasUsed: 21_000, logs: [log, log]).encoded
        }
        corpus.append(
            AccountRecord(nonce: 1, balance: 2, storageRoot: .emptyTrieRoot, codeHash: .emptyCodeHash).encoded)
        // Blooms are rarely right after a change; a list of logs alone goes further.
        corpus.append(log.rlp.encoded)
        var fuzz = Fuzz("receipt", corpus: corpus)
        fuzz.mutate = Mutation.rlp
        try fuzz.run { input in
            var isTaken = false
            if let receipt = try? Receipt.decode(input) {
                try hold(receipt.encoded == input, "a receipt is kept")
                isTaken = true
            }
            if let record = try? AccountRecord.decode(input) {
                try hold(record.encoded == input, "an account record is kept")
                isTaken = true
            }
            if let item = try? RLP.decode(input), let log = try? Log.decode(item) {
                try hold(log.rlp == item, "a log is kept")
                _ = Bloom([log])
                isTaken = true
            }
            return isTaken
        }
    }

    @Test("trie proofs: a changed proof proves what the whole one proves, or nothing")
    func proofs() throws {
        var random = SplitMix64.forTest("fuzz proof: trie")
        var trie = MerkleTrie()
        let keys = (0..<200).map { _ in random.bytes(1 + random.below(32)) }
        for key in keys { trie[key] = random.bytes(1 + random.below(60)) }
        let root = trie.root
        let probes = Array(keys.prefix(20)) + (0..<5).map { _ in random.bytes(20) }
        // A key's number, then the nodes.
        let corpus = probes.indices.map { index in
            RLP.list([.uint(UInt64(index)), .list(trie.proof(for: probes[index]).map { .bytes($0) })]).encoded
        }
        let whole = trie
        var fuzz = Fuzz("proof", corpus: corpus)
        fuzz.mutate = Mutation.rlp
        try fuzz.run { input in
            guard let parts = try? RLP.decode(input).asList(""), parts.count == 2,
                let index = try? parts[0].asUInt64(""), index < 25, let items = try? parts[1].asList("")
            else { return false }
            let nodes = items.compactMap { try? $0.asBytes("") }
            let key = probes[Int(index)]
            // A node of the outside's own making, under a root of its making.
            if let first = nodes.first {
                _ = try? TrieProof.verify(root: keccak256(first), path: Nibbles.of(key), nodes: nodes)
                _ = try? TrieProof.verify(root: keccak256(first), key: key, nodes: nodes)
            }
            let proven: Bytes?
            do { proven = try TrieProof.verify(root: root, key: key, nodes: nodes) } catch {
                return false
            }
            try hold(proven == whole[key], "a proof proves the value of its key")
            return true
        }
    }
}
