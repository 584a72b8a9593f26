// A block as it came in: decoded, and what its body and its run must agree with.

import EVM
import Ethereum

struct ImportedBlock {
    private let block: Block
    let hash: Hash32

    var header: BlockHeader { block.header }
    var withdrawals: [Withdrawal] { block.withdrawals ?? [] }
    var ommers: [BlockHeader] { block.ommers }
    private let byteCount: Int

    /// What only a block of proof of work has.
    var work: BlockPlan.Work? {
        header.difficulty.isZero
            ? nil
            : BlockPlan.Work(
                difficulty: header.difficulty, mixHash: header.mixHash, nonce: header.nonce, ommers: ommers)
    }

    /// Throws `malformedBlock` for anything but one canonical block.
    init(_ bytes: Bytes) throws(DevChainError) {
        guard bytes.count <= Limits.blockBytesMaximum else {
            throw DevChainError(
                .malformedBlock, "a block of \(bytes.count) bytes, at most \(Limits.blockBytesMaximum) are taken")
        }
        do throws(EthereumError) { block = try Block.decode(bytes) } catch {
            throw DevChainError(.malformedBlock, "the block is malformed: \(error.message)")
        }
        hash = block.header.hash
        byteCount = bytes.count
    }

    /// Checks the body against the header; the transactions with their senders.
    func checkBody(_ era: Blockchain.Era, chainID: UInt64) throws(DevChainError) -> [PooledTransaction] {
        guard era.fork < .osaka || byteCount <= Limits.blockBytesMaximumOsaka else {
            throw DevChainError(
                .blockTooLarge,
                "a block of \(byteCount) bytes, at most \(Limits.blockBytesMaximumOsaka) (EIP-7934)")
        }
        guard era.fork < .paris || block.ommers.isEmpty else {
            throw DevChainError(.ommersNotAllowed, "there are no ommers since the merge (EIP-3675)")
        }
        try agree(.invalidOmmersHash, "ommers hash", header.ommersHash, Block.ommersHash(block.ommers))
        guard (block.withdrawals != nil) == (era.fork >= .shanghai) else {
            throw DevChainError(.malformedBlock, "blocks have a list of withdrawals from Shanghai on (EIP-4895)")
        }
        try agree(
            .invalidWithdrawalsRoot, "withdrawals root", header.withdrawalsRoot,
            block.withdrawals.map { Block.withdrawalsRoot($0) })
        try agree(
            .invalidTransactionsRoot, "transactions root", header.transactionsRoot,
            Block.transactionsRoot(block.transactions))
        let blobGas = block.transactions.reduce(0) { $0 + $1.transaction.blobGas }
        guard era.fork < .cancun || header.blobGasUsed == blobGas else {
            throw DevChainError(
                .invalidBlobGasUsed, "the header's blob gas is not that of the transactions, \(blobGas)")
        }
        var transactions: [PooledTransaction] = []
        for (index, signed) in block.transactions.enumerated() {
            do throws(DevChainError) {
                transactions.append(try PooledTransaction(ofBlock: signed, chainID: chainID, rules: era.rules))
            } catch {
                throw DevChainError(
                    .invalidTransaction, "transaction \(index) cannot be in the block: \(error.message)")
            }
        }
        return transactions
    }

    /// Throws the first field of the header that is not what the run came to.
    func compare(with outcome: BlockRun.Outcome) throws(DevChainError) {
        let ran = outcome.block.header
        try agree(.invalidGasUsed, "gas used", header.gasUsed, ran.gasUsed)
        try agree(.invalidRequestsHash, "requests hash", header.requestsHash, ran.requestsHash)
        try agree(.invalidLogsBloom, "logs bloom", header.logsBloom.hex, ran.logsBloom.hex)
        try agree(.invalidReceiptsRoot, "receipts root", header.receiptsRoot, ran.receiptsRoot)
        try agree(.invalidStateRoot, "state root", header.stateRoot, ran.stateRoot)
        // All fields have their own check; this is the second line of defence.
        try agree(.invalidBlockHash, "hash", hash, outcome.block.hash)
    }

    private func agree<Value: Equatable>(
        _ code: DevChainError.Code, _ what: String, _ header: Value, _ found: Value
    ) throws(DevChainError) {
        guard header == found else {
            throw DevChainError(code, "\(what): the header has \(header), the block \(found)")
        }
    }
}
