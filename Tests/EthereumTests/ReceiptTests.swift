// Receipts, blooms, headers and blocks: known values, round trips, refusals.

import Ethereum
import TestSupport
import Testing

@Suite("Receipts and blocks")
struct ReceiptTests {
    private static func logs(_ random: inout SplitMix64) -> [Log] {
        (0..<random.below(4)).map { _ in
            Log(
                address: random.address(), topics: (0..<random.below(5)).map { _ in random.hash32() },
                data: random.bytes(random.below(80)))
        }
    }

    @Test("a bloom holds what was added and, at this size, hardly anything else")
    func bloom() throws {
        var random = SplitMix64.forTest()
        let logs = (0..<20).flatMap { _ in Self.logs(&random) }
        let bloom = Bloom(logs)
        for log in logs {
            #expect(bloom.mayContain(log.address.bytes))
            for topic in log.topics { #expect(bloom.mayContain(topic.bytes)) }
        }
        let strangers = (0..<1_000).count { _ in bloom.mayContain(random.address().bytes) }
        #expect(strangers < 50)
        #expect(Bloom(bytes: bloom.bytes) == bloom)
        #expect(Bloom(bytes: Bytes(repeating: 0, count: 255)) == nil)
        var union = Bloom()
        #expect(union.isEmpty && !union.mayContain([1]))
        union.formUnion(bloom)
        #expect(union == bloom)
    }

    @Test("a bloom sets the three bits that the Yellow Paper names")
    func bloomBits() {
        var bloom = Bloom()
        bloom.add([])
        // keccak("") begins c5d2 4601 86f7: bits 1490, 1537, 1783.
        let set = (0..<2048).filter { bloom.bytes[255 - $0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        #expect(set == [0x5d2 & 2047, 0x4601 & 2047, 0x86f7 & 2047].sorted())
    }

    @Test("receipts of every kind survive a round trip", arguments: Transaction.Kind.allCases)
    func receipts(kind: Transaction.Kind) throws {
        var random = SplitMix64.forTest("receipts \(kind)")
        for _ in 0..<30 {
            let receipt = Receipt(
                kind: kind, succeeded: random.below(2) == 0, cumulativeGasUsed: random.next(), logs: Self.logs(&random))
            let bytes = receipt.encoded
            #expect(try Receipt.decode(bytes) == receipt)
            #expect(bytes[0] == (kind == .legacy ? bytes[0] : kind.rawValue))
            #expect(throws: EthereumError.self) { try Receipt.decode(bytes + [0]) }
            #expect(throws: EthereumError.self) { try Receipt.decode(Bytes(bytes.dropLast())) }
        }
    }

    @Test("a receipt whose bloom is not that of its logs, or with five topics, is refused")
    func badReceipts() throws {
        let log = Log(address: .zero, topics: [.zero], data: [])
        let wrongBloom = Receipt(kind: .legacy, succeeded: true, cumulativeGasUsed: 1, logs: [log], bloom: Bloom())
        #expect(throws: EthereumError.self) { try Receipt.decode(wrongBloom.encoded) }
        let five = Log(address: .zero, topics: Array(repeating: .zero, count: 5), data: [])
        let tooMany = Receipt(kind: .legacy, succeeded: true, cumulativeGasUsed: 1, logs: [five])
        #expect(throws: EthereumError.self) { try Receipt.decode(tooMany.encoded) }
        #expect(throws: EthereumError.self) { try Receipt.decode([]) }
        #expect { try Receipt.decode([9, 0xc0]) } throws: { ($0 as? EthereumError)?.code == .unsupported }
    }

    private static func header(fork: Int, _ random: inout SplitMix64) -> BlockHeader {
        var header = BlockHeader(
            parentHash: random.hash32(), beneficiary: random.address(), stateRoot: random.hash32(),
            number: random.next(),
            gasLimit: random.next(), timestamp: random.next())
        header.extraData = random.bytes(random.below(33))
        header.nonce = random.next()
        header.difficulty = random.word()
        if fork > 0 { header.baseFeePerGas = random.word() }
        if fork > 1 { header.withdrawalsRoot = random.hash32() }
        if fork > 2 {
            header.blobGasUsed = random.next()
            header.excessBlobGas = random.next()
            header.parentBeaconBlockRoot = random.hash32()
        }
        if fork > 3 { header.requestsHash = random.hash32() }
        return header
    }

    @Test("headers of each fork, and blocks with them, survive a round trip", arguments: 0...4)
    func blocks(fork: Int) throws {
        var random = SplitMix64.forTest("blocks \(fork)")
        let key = try PrivateKey(bytes: random.bytes(32))
        for _ in 0..<20 {
            let header = Self.header(fork: fork, &random)
            let decoded = try BlockHeader.decode(RLP.decode(header.rlp.encoded))
            #expect(decoded == header && decoded.hash == header.hash)
            let legacy = Transaction.legacy(chainID: 5, nonce: 1, gasPrice: 1, gasLimit: 1, to: nil).signed(by: key)
            let typed = Transaction.dynamicFee(
                chainID: 5, nonce: 2, maxPriorityFeePerGas: 1, maxFeePerGas: 1, gasLimit: 1, to: .zero
            ).signed(by: key)
            let withdrawal = Withdrawal(
                index: random.next(), validatorIndex: random.next(), address: random.address(),
                amountGwei: random.next())
            let block = Block(
                header: header, transactions: [legacy, typed], ommers: fork == 0 ? [header] : [],
                withdrawals: fork > 1 ? [withdrawal] : nil)
            #expect(try Block.decode(block.encoded) == block)
        }
    }

    @Test("a header of 18 fields, or with a short bloom, is refused")
    func badHeaders() throws {
        var random = SplitMix64.forTest()
        var items = try Self.header(fork: 4, &random).rlp.asList("header")
        #expect(throws: EthereumError.self) { try BlockHeader.decode(.list(Array(items.prefix(18)))) }
        #expect(throws: EthereumError.self) { try BlockHeader.decode(.list(items + [.bytes([])])) }
        items[6] = .bytes([])
        #expect(throws: EthereumError.self) { try BlockHeader.decode(.list(items)) }
    }

    @Test("roots of empty lists are the known constant, and a list's root depends on its order")
    func roots() {
        #expect(Hash32.emptyTrieRoot.hex == "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
        #expect(Hash32.emptyListHash.hex == "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
        #expect(Block.transactionsRoot([]) == .emptyTrieRoot)
        #expect(Block.receiptsRoot([]) == .emptyTrieRoot && Block.withdrawalsRoot([]) == .emptyTrieRoot)
        #expect(Trie.root(ofOrdered: [[1], [2]]) != Trie.root(ofOrdered: [[2], [1]]))
    }
}
