// How blocks, transactions, receipts and logs look in JSON-RPC answers. Nothing is decided here.

import EVM
import Ethereum
import JSONRPC

enum Answers {
    // MARK: Blocks

    /// The members of a header. `pending` leaves out what a block that is not made yet does not have.
    static func header(_ block: StoredBlock, pending: Bool = false) -> JSON {
        let header = block.header
        var object = JSONObject([
            ("hash", pending ? .null : .hash(block.hash)),
            ("parentHash", .hash(header.parentHash)),
            ("sha3Uncles", .hash(header.ommersHash)),
            ("miner", .address(header.beneficiary)),
            ("stateRoot", .hash(header.stateRoot)),
            ("transactionsRoot", .hash(header.transactionsRoot)),
            ("receiptsRoot", .hash(header.receiptsRoot)),
            ("logsBloom", .string(header.logsBloom.hex)),
            ("difficulty", .quantity(header.difficulty)),
            ("number", .quantity(header.number)),
            ("gasLimit", .quantity(header.gasLimit)),
            ("gasUsed", .quantity(header.gasUsed)),
            ("timestamp", .quantity(header.timestamp)),
            ("extraData", .data(header.extraData)),
            ("mixHash", .hash(header.mixHash)),
            ("nonce", pending ? .null : .data(Bytes(bigEndian: header.nonce))),
        ])
        if let fee = header.baseFeePerGas { object["baseFeePerGas"] = .quantity(fee) }
        if let root = header.withdrawalsRoot { object["withdrawalsRoot"] = .hash(root) }
        if let gas = header.blobGasUsed { object["blobGasUsed"] = .quantity(gas) }
        if let gas = header.excessBlobGas { object["excessBlobGas"] = .quantity(gas) }
        if let root = header.parentBeaconBlockRoot { object["parentBeaconBlockRoot"] = .hash(root) }
        if let hash = header.requestsHash { object["requestsHash"] = .hash(hash) }
        return .object(object)
    }

    static func block(
        _ block: StoredBlock, whole: Bool, pending: Bool = false, quirks: ChainProfile.Quirks? = nil
    ) -> JSON {
        guard case .object(var object) = header(block, pending: pending) else { return .null }
        object["size"] = quirks?.sizeZero ?? false ? "0x0" : .quantity(UInt64(size(block)))
        // Nodes showed it until about Prague, and clients of that time read it.
        if quirks?.totalDifficultyZero ?? false {
            object["totalDifficulty"] = "0x0"
        } else if block.header.requestsHash == nil, quirks != nil {
            object["totalDifficulty"] = .quantity(block.totalDifficulty)
        }
        object["uncles"] = .array(block.ommers.map { .hash($0.hash) })
        object["transactions"] = .array(
            block.transactions.enumerated().map { index, transaction in
                whole
                    ? self.transaction(transaction, in: pending ? nil : (block, index), baseFee: block.baseFee)
                    : .hash(transaction.hash)
            })
        if block.header.withdrawalsRoot != nil { object["withdrawals"] = .array(block.withdrawals.map(withdrawal)) }
        return .object(object)
    }

    /// An ommer: a header without a body.
    static func ommer(_ header: BlockHeader) -> JSON {
        let block = StoredBlock(header: header, transactions: [], outcomes: [])
        guard case .object(var object) = self.header(block) else { return .null }
        object["size"] = .quantity(UInt64(size(block)))
        object["uncles"] = []
        return .object(object)
    }

    static func withdrawal(_ withdrawal: Withdrawal) -> JSON {
        [
            "index": .quantity(withdrawal.index), "validatorIndex": .quantity(withdrawal.validatorIndex),
            "address": .address(withdrawal.address), "amount": .quantity(withdrawal.amountGwei),
        ]
    }

    /// The length of the block's RLP, without making it.
    static func size(_ block: StoredBlock) -> Int {
        func string(_ count: Int) -> Int { count + (count < 56 ? 1 : 1 + U256(count).byteWidth) }
        let bodies = block.transactions.reduce(0) { sum, transaction in
            let count = transaction.signed.encoded.count
            return sum + (transaction.transaction.kind == .legacy ? count : string(count))
        }
        let withdrawals =
            block.header.withdrawalsRoot == nil
            ? 0 : string(block.withdrawals.reduce(0) { $0 + $1.rlp.encoded.count })
        let ommers = string(block.ommers.reduce(0) { $0 + $1.rlp.encoded.count })
        return string(block.header.rlp.encoded.count + string(bodies) + ommers + withdrawals)
    }

    // MARK: Transactions

    /// A transaction, with its place where a block holds it.
    static func transaction(
        _ pooled: PooledTransaction, in place: (block: StoredBlock, index: Int)?, baseFee: U256
    ) -> JSON {
        let transaction = pooled.transaction
        let price = transaction.effectiveGasPrice(baseFee: baseFee)
        var object = JSONObject([
            ("blockHash", place.map { .hash($0.block.hash) } ?? .null),
            ("blockNumber", place.map { .quantity($0.block.number) } ?? .null),
            ("blockTimestamp", place.map { .quantity($0.block.header.timestamp) } ?? .null),
            ("transactionIndex", place.map { .quantity(UInt64($0.index)) } ?? .null),
            ("hash", .hash(pooled.hash)),
            ("type", .quantity(UInt64(transaction.kind.rawValue))),
            ("from", .address(pooled.sender)),
            ("to", transaction.to.map { .address($0) } ?? .null),
            ("nonce", .quantity(transaction.nonce)),
            ("gas", .quantity(transaction.gasLimit)),
            ("value", .quantity(transaction.value)),
            ("input", .data(transaction.data)),
            ("gasPrice", .quantity(place == nil ? transaction.maxFeePerGas : price ?? transaction.maxFeePerGas)),
        ])
        if let id = transaction.chainID { object["chainId"] = .quantity(id) }
        if transaction.kind != .legacy {
            object["accessList"] = accessList(transaction.accessList)
            object["yParity"] = .quantity(UInt64(pooled.signed.signature.yParity))
        }
        if transaction.kind.rawValue >= Transaction.Kind.dynamicFee.rawValue {
            object["maxFeePerGas"] = .quantity(transaction.maxFeePerGas)
            object["maxPriorityFeePerGas"] = .quantity(transaction.maxPriorityFeePerGas)
        }
        if transaction.kind == .blob {
            object["maxFeePerBlobGas"] = .quantity(transaction.maxFeePerBlobGas)
            object["blobVersionedHashes"] = .array(transaction.blobVersionedHashes.map { .hash($0) })
        }
        if transaction.kind == .setCode {
            object["authorizationList"] = .array(transaction.authorizations.map(authorization))
        }
        object["v"] = .quantity(pooled.signed.v)
        object["r"] = .quantity(pooled.signed.signature.r)
        object["s"] = .quantity(pooled.signed.signature.s)
        return .object(object)
    }

    static func accessList(_ list: [AccessListEntry]) -> JSON {
        .array(
            list.map { entry in
                ["address": .address(entry.address), "storageKeys": .array(entry.storageKeys.map { .hash($0) })]
            })
    }

    private static func authorization(_ value: Authorization) -> JSON {
        [
            "chainId": .quantity(value.chainID), "address": .address(value.address), "nonce": .quantity(value.nonce),
            "yParity": .quantity(UInt64(value.yParity)), "r": .quantity(value.r), "s": .quantity(value.s),
        ]
    }

    // MARK: Receipts and logs

    static func receipt(_ block: StoredBlock, _ index: Int) -> JSON {
        let pooled = block.transactions[index]
        let outcome = block.outcomes[index]
        let logs = outcome.receipt.logs.enumerated().map { offset, log in
            Answers.log(
                LogEntry(log: log, block: block, transactionIndex: index, logIndex: outcome.firstLogIndex + offset))
        }
        var object = JSONObject([
            ("transactionHash", .hash(pooled.hash)),
            ("transactionIndex", .quantity(UInt64(index))),
            ("blockHash", .hash(block.hash)),
            ("blockNumber", .quantity(block.number)),
            ("from", .address(pooled.sender)),
            ("to", pooled.transaction.to.map { .address($0) } ?? .null),
            ("cumulativeGasUsed", .quantity(outcome.receipt.cumulativeGasUsed)),
            ("gasUsed", .quantity(outcome.gasUsed)),
            ("contractAddress", outcome.createdAddress.map { .address($0) } ?? .null),
            ("logs", .array(logs)),
            ("logsBloom", .string(outcome.receipt.bloom.hex)),
            ("type", .quantity(UInt64(pooled.transaction.kind.rawValue))),
            ("effectiveGasPrice", .quantity(outcome.effectiveGasPrice)),
        ])
        if let root = outcome.receipt.stateRoot {
            object["root"] = .hash(root)
        } else {
            object["status"] = .quantity(outcome.receipt.succeeded ? 1 : 0 as UInt64)
        }
        if let fee = outcome.l1Fee {
            object["l1Fee"] = .quantity(fee.wei)
            object["l1FeePerByte"] = .quantity(fee.perByte)
        }
        if let price = outcome.blobGasPrice {
            object["blobGasUsed"] = .quantity(pooled.transaction.blobGas)
            object["blobGasPrice"] = .quantity(price)
        }
        return .object(object)
    }

    static func log(_ entry: LogEntry, removed: Bool = false) -> JSON {
        [
            "address": .address(entry.log.address),
            "topics": .array(entry.log.topics.map { .hash($0) }),
            "data": .data(entry.log.data),
            "blockNumber": .quantity(entry.block.number),
            "transactionHash": .hash(entry.block.transactions[entry.transactionIndex].hash),
            "transactionIndex": .quantity(UInt64(entry.transactionIndex)),
            "blockHash": .hash(entry.block.hash),
            "blockTimestamp": .quantity(entry.block.header.timestamp),
            "logIndex": .quantity(UInt64(entry.logIndex)),
            "removed": .bool(removed),
        ]
    }
}
