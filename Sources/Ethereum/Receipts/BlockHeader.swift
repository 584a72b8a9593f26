// Block headers of every fork up to Prague, withdrawals, and whole blocks, as RLP. What makes a block valid is not
// decided here.

/// A block header. Fields that came with a fork are nil before it; each needs those before it.
package struct BlockHeader: Hashable, Sendable {
    package var parentHash: Hash32
    package var ommersHash: Hash32 = .emptyListHash
    package var beneficiary: Address
    package var stateRoot: Hash32
    package var transactionsRoot: Hash32 = .emptyTrieRoot
    package var receiptsRoot: Hash32 = .emptyTrieRoot
    package var logsBloom = Bloom()
    /// Zero since the merge.
    package var difficulty: U256 = .zero
    package var number: UInt64
    package var gasLimit: UInt64
    package var gasUsed: UInt64 = 0
    /// Seconds since 1970.
    package var timestamp: UInt64
    /// At most 32 bytes in a valid block.
    package var extraData: Bytes = []
    /// The randomness of the beacon chain since the merge, the proof of work's mix before.
    package var mixHash: Hash32 = .zero
    package var nonce: UInt64 = 0
    /// Wei a gas; London.
    package var baseFeePerGas: U256?
    /// Shanghai.
    package var withdrawalsRoot: Hash32?
    /// Cancun.
    package var blobGasUsed: UInt64?
    /// Cancun.
    package var excessBlobGas: UInt64?
    /// Cancun.
    package var parentBeaconBlockRoot: Hash32?
    /// Prague.
    package var requestsHash: Hash32?

    package init(
        parentHash: Hash32, beneficiary: Address, stateRoot: Hash32, number: UInt64, gasLimit: UInt64, timestamp: UInt64
    ) {
        self.parentHash = parentHash
        self.beneficiary = beneficiary
        self.stateRoot = stateRoot
        self.number = number
        self.gasLimit = gasLimit
        self.timestamp = timestamp
    }

    package var hash: Hash32 { keccak256(rlp.encoded) }

    package var rlp: RLP {
        var items: [RLP] = [
            .bytes(parentHash.bytes), .bytes(ommersHash.bytes), .bytes(beneficiary.bytes), .bytes(stateRoot.bytes),
            .bytes(transactionsRoot.bytes), .bytes(receiptsRoot.bytes), .bytes(logsBloom.bytes), .uint(difficulty),
            .uint(number), .uint(gasLimit), .uint(gasUsed), .uint(timestamp), .bytes(extraData), .bytes(mixHash.bytes),
            .bytes(Bytes(bigEndian: nonce)),
        ]
        let forks: [RLP?] = [
            baseFeePerGas.map { .uint($0) }, withdrawalsRoot.map { .bytes($0.bytes) }, blobGasUsed.map { .uint($0) },
            excessBlobGas.map { .uint($0) }, parentBeaconBlockRoot.map { .bytes($0.bytes) },
            requestsHash.map { .bytes($0.bytes) },
        ]
        let present = forks.prefix { $0 != nil }
        precondition(
            forks.dropFirst(present.count).allSatisfy { $0 == nil },
            "a header has a fork's field, but not those before it")
        items += present.compactMap { $0 }
        return .list(items)
    }

    /// Decodes a header list; throws `malformedRLP`.
    package static func decode(_ item: RLP) throws(EthereumError) -> BlockHeader {
        let items = try item.asList("header")
        guard [15, 16, 17, 20, 21].contains(items.count) else {
            throw EthereumError(.malformedRLP, "a header has 15, 16, 17, 20 or 21 fields, not \(items.count)")
        }
        var header = BlockHeader(
            parentHash: try items[0].asHash32("parent hash"), beneficiary: try items[2].asAddress("beneficiary"),
            stateRoot: try items[3].asHash32("state root"), number: try items[8].asUInt64("number"),
            gasLimit: try items[9].asUInt64("gas limit"), timestamp: try items[11].asUInt64("timestamp"))
        header.ommersHash = try items[1].asHash32("ommers hash")
        header.transactionsRoot = try items[4].asHash32("transactions root")
        header.receiptsRoot = try items[5].asHash32("receipts root")
        guard let bloom = Bloom(bytes: try items[6].asBytes("bloom")) else {
            throw EthereumError(.malformedRLP, "bloom: expected 256 bytes")
        }
        header.logsBloom = bloom
        header.difficulty = try items[7].asUInt256("difficulty")
        header.gasUsed = try items[10].asUInt64("gas used")
        header.extraData = try items[12].asBytes("extra data")
        header.mixHash = try items[13].asHash32("mix hash")
        let nonce = try items[14].asBytes("nonce")
        guard nonce.count == 8, let number = UInt64(bigEndianBytes: nonce) else {
            throw EthereumError(.malformedRLP, "nonce: expected 8 bytes")
        }
        header.nonce = number
        if items.count > 15 { header.baseFeePerGas = try items[15].asUInt256("base fee") }
        if items.count > 16 { header.withdrawalsRoot = try items[16].asHash32("withdrawals root") }
        if items.count > 19 {
            header.blobGasUsed = try items[17].asUInt64("blob gas used")
            header.excessBlobGas = try items[18].asUInt64("excess blob gas")
            header.parentBeaconBlockRoot = try items[19].asHash32("parent beacon block root")
        }
        if items.count > 20 { header.requestsHash = try items[20].asHash32("requests hash") }
        return header
    }
}

extension Hash32 {
    /// keccak(rlp("")): the root of a trie without entries.
    package static let emptyTrieRoot = keccak256([0x80])
    /// keccak(rlp([])): the hash of no ommers.
    package static let emptyListHash = keccak256([0xc0])
    /// keccak(""): the code hash of an account without code.
    package static let emptyCodeHash = keccak256([])
}

/// Ether that the beacon chain pays out (EIP-4895).
package struct Withdrawal: Hashable, Sendable {
    package var index: UInt64
    package var validatorIndex: UInt64
    package var address: Address
    /// In Gwei.
    package var amountGwei: UInt64

    package init(index: UInt64, validatorIndex: UInt64, address: Address, amountGwei: UInt64) {
        self.index = index
        self.validatorIndex = validatorIndex
        self.address = address
        self.amountGwei = amountGwei
    }

    package var rlp: RLP { .list([.uint(index), .uint(validatorIndex), .bytes(address.bytes), .uint(amountGwei)]) }

    package static func decode(_ item: RLP) throws(EthereumError) -> Withdrawal {
        let items = try item.asList("withdrawal")
        guard items.count == 4 else {
            throw EthereumError(.malformedRLP, "a withdrawal has \(items.count) fields, not 4")
        }
        return Withdrawal(
            index: try items[0].asUInt64("withdrawal index"),
            validatorIndex: try items[1].asUInt64("validator index"),
            address: try items[2].asAddress("withdrawal address"),
            amountGwei: try items[3].asUInt64("withdrawal amount"))
    }
}

/// A header with its body.
package struct Block: Hashable, Sendable {
    package var header: BlockHeader
    package var transactions: [SignedTransaction]
    package var ommers: [BlockHeader]
    /// Nil before Shanghai.
    package var withdrawals: [Withdrawal]?

    package init(
        header: BlockHeader, transactions: [SignedTransaction] = [], ommers: [BlockHeader] = [],
        withdrawals: [Withdrawal]? = nil
    ) {
        self.header = header
        self.transactions = transactions
        self.ommers = ommers
        self.withdrawals = withdrawals
    }

    package var encoded: Bytes {
        get throws(EthereumError) {
            var bodies: [RLP] = []
            for transaction in transactions { bodies.append(try transaction.blockItem) }
            var items: [RLP] = [header.rlp, .list(bodies), .list(ommers.map(\.rlp))]
            if let withdrawals { items.append(.list(withdrawals.map(\.rlp))) }
            return RLP.list(items).encoded
        }
    }

    /// Decodes a whole block; throws `malformedRLP` or what a transaction throws.
    package static func decode(_ bytes: Bytes) throws(EthereumError) -> Block {
        let items = try RLP.decode(bytes).asList("block")
        guard items.count == 3 || items.count == 4 else {
            throw EthereumError(.malformedRLP, "a block has 3 or 4 parts, not \(items.count)")
        }
        var block = Block(header: try BlockHeader.decode(items[0]))
        for item in try items[1].asList("transactions") {
            block.transactions.append(try SignedTransaction.decode(inBlock: item))
        }
        for item in try items[2].asList("ommers") { block.ommers.append(try BlockHeader.decode(item)) }
        if items.count == 4 {
            var withdrawals: [Withdrawal] = []
            for item in try items[3].asList("withdrawals") { withdrawals.append(try Withdrawal.decode(item)) }
            block.withdrawals = withdrawals
        }
        return block
    }

    /// The hash that a header must have for these ommers.
    package static func ommersHash(_ ommers: [BlockHeader]) -> Hash32 {
        ommers.isEmpty ? .emptyListHash : keccak256(RLP.list(ommers.map(\.rlp)).encoded)
    }

    /// The roots that a header must have for this body.
    package static func transactionsRoot(_ transactions: [SignedTransaction]) -> Hash32 {
        Trie.root(ofOrdered: transactions.map(\.encoded))
    }
    package static func receiptsRoot(_ receipts: [Receipt]) -> Hash32 { Trie.root(ofOrdered: receipts.map(\.encoded)) }
    package static func withdrawalsRoot(_ withdrawals: [Withdrawal]) -> Hash32 {
        Trie.root(ofOrdered: withdrawals.map(\.rlp.encoded))
    }
}
