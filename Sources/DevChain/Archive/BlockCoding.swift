// Blocks and changes of the state as bytes for the data directory: RLP, read back strictly. What is read was written by
// this program, so anything else is damage.

import EVM
import Ethereum

extension StoredBlock {
    /// The block with all that running it gave.
    var archived: Bytes {
        let bodies = transactions.map { transaction -> RLP in
            .list([
                .bytes(transaction.signed.encoded), .bytes(transaction.sender.bytes),
                .uint(transaction.isImpersonated ? 1 : 0 as UInt64),
            ])
        }
        let ends = outcomes.map { outcome -> RLP in
            let l1Fee: [RLP] = outcome.l1Fee.map { [.uint($0.wei), .uint($0.perByte)] } ?? []
            // A rollup never had receipts with a root.
            let root: [RLP] = outcome.receipt.stateRoot.map { [.bytes($0.bytes)] } ?? []
            return .list([
                .uint(outcome.receipt.succeeded ? 1 : 0 as UInt64), .uint(outcome.receipt.cumulativeGasUsed),
                .list(outcome.receipt.logs.map(\.rlp)), .uint(outcome.gasUsed), .uint(outcome.effectiveGasPrice),
                .bytes(outcome.createdAddress?.bytes ?? []), .uint(UInt64(outcome.firstLogIndex)),
                .uint(outcome.blobGasPrice ?? .zero),
            ] + (l1Fee.isEmpty ? root : l1Fee))
        }
        let work: [RLP] =
            totalDifficulty.isZero ? [] : [.list(ommers.map(\.rlp)), .uint(totalDifficulty)]
        return RLP.list([header.rlp, .list(bodies), .list(ends), .list(withdrawals.map(\.rlp))] + work).encoded
    }

    /// Reads `archived`.
    static func archived(_ bytes: Bytes) throws(EthereumError) -> StoredBlock {
        let parts = try RLP.decode(bytes).asList("block")
        guard parts.count == 4 || parts.count == 6 else { throw damaged("\(parts.count) parts of a block, not 4 or 6") }
        var transactions: [PooledTransaction] = []
        for item in try parts[1].asList("transactions") {
            let fields = try item.asList("transaction")
            guard fields.count == 3 else { throw damaged("a transaction has \(fields.count) fields, not 3") }
            let signed = try SignedTransaction.decode(try fields[0].asBytes("transaction"))
            transactions.append(
                PooledTransaction(
                    kept: signed, sender: try fields[1].asAddress("sender"),
                    isImpersonated: try fields[2].asUInt64("impersonated") == 1))
        }
        var outcomes: [Outcome] = []
        for (index, item) in try parts[2].asList("outcomes").enumerated() {
            guard index < transactions.count else { throw damaged("more outcomes than transactions") }
            outcomes.append(try outcome(try item.asList("outcome"), transactions[index]))
        }
        guard outcomes.count == transactions.count else { throw damaged("fewer outcomes than transactions") }
        var withdrawals: [Withdrawal] = []
        for item in try parts[3].asList("withdrawals") { withdrawals.append(try Withdrawal.decode(item)) }
        var ommers: [BlockHeader] = []
        if parts.count == 6 {
            for item in try parts[4].asList("ommers") { ommers.append(try BlockHeader.decode(item)) }
        }
        return StoredBlock(
            header: try BlockHeader.decode(parts[0]), transactions: transactions, outcomes: outcomes,
            withdrawals: withdrawals, ommers: ommers,
            totalDifficulty: parts.count == 6 ? try parts[5].asUInt256("total difficulty") : nil)
    }

    private static func outcome(
        _ fields: [RLP], _ transaction: PooledTransaction
    ) throws(EthereumError) -> Outcome {
        guard (8...10).contains(fields.count) else {
            throw damaged("an outcome has \(fields.count) fields, not 8, 9 with a state root, or 10 with an L1 fee")
        }
        var logs: [Log] = []
        for log in try fields[2].asList("logs") { logs.append(try Log.decode(log)) }
        let created = try fields[5].asBytes("created address")
        let blobPrice = try fields[7].asUInt256("blob gas price")
        return Outcome(
            receipt: Receipt(
                kind: transaction.transaction.kind, succeeded: try fields[0].asUInt64("status") == 1,
                cumulativeGasUsed: try fields[1].asUInt64("cumulative gas"), logs: logs,
                stateRoot: fields.count == 9 ? try fields[8].asHash32("state root") : nil),
            gasUsed: try fields[3].asUInt64("gas used"), effectiveGasPrice: try fields[4].asUInt256("gas price"),
            blobGasPrice: transaction.transaction.kind == .blob ? blobPrice : nil,
            createdAddress: created.isEmpty ? nil : try fields[5].asAddress("created address"),
            firstLogIndex: Int(clamping: try fields[6].asUInt64("first log")),
            l1Fee: fields.count < 10
                ? nil
                : L1Fee(wei: try fields[8].asUInt256("L1 fee"), perByte: try fields[9].asUInt256("L1 fee of a byte")))
    }

    private static func damaged(_ what: String) -> EthereumError { EthereumError(.malformedRLP, what) }
}

/// What a step changed in the state. Code stands apart.
enum ChangeCoding {
    static func bytes(_ changes: [AccountChange]) -> Bytes {
        RLP.list(
            changes.map { change in
                var fields: [RLP] = [.bytes(change.address.bytes)]
                if let state = change.state {
                    fields += [
                        .uint(state.nonce), .uint(state.balance), .bytes(state.codeHash.bytes),
                        .uint(change.clearsStorage ? 1 : 0 as UInt64),
                        .list(change.slots.flatMap { [.uint($0.slot), .uint($0.value)] }),
                    ]
                }
                return .list(fields)
            }
        ).encoded
    }

    static func changes(_ bytes: Bytes) throws(EthereumError) -> [AccountChange] {
        var changes: [AccountChange] = []
        for item in try RLP.decode(bytes).asList("changes") {
            let fields = try item.asList("change")
            guard fields.count == 1 || fields.count == 6 else {
                throw EthereumError(.malformedRLP, "a change has \(fields.count) fields, not 1 or 6")
            }
            var change = AccountChange(address: try fields[0].asAddress("address"), state: nil)
            if fields.count == 6 {
                change.state = AccountState(
                    nonce: try fields[1].asUInt64("nonce"), balance: try fields[2].asUInt256("balance"),
                    codeHash: try fields[3].asHash32("code hash"))
                change.clearsStorage = try fields[4].asUInt64("clears") == 1
                let words = try fields[5].asList("slots")
                for at in stride(from: 0, to: words.count - 1, by: 2) {
                    change.slots.append(
                        SlotChange(slot: try words[at].asUInt256("slot"), value: try words[at + 1].asUInt256("value")))
                }
            }
            changes.append(change)
        }
        return changes
    }
}

extension PooledTransaction {
    /// The transaction as the pool's file holds it: the sender of an impersonated one, else a zero, and the raw form.
    var kept: Bytes { (isImpersonated ? [1] + sender.bytes : [0]) + networkForm }

    /// Reads `kept`; throws what a transaction of that form would be refused for.
    static func kept(_ bytes: Bytes, chainID: UInt64, rules: RuleSet) throws(DevChainError) -> PooledTransaction {
        guard bytes.first == 1 else {
            // The proofs of blobs were checked before it was kept.
            return try PooledTransaction(
                raw: Bytes(bytes.dropFirst()), chainID: chainID, rules: rules, verifyBlobs: { _ in true })
        }
        do throws(EthereumError) {
            guard let sender = Address(bytes: bytes[1..<min(21, bytes.count)]) else {
                throw EthereumError(.malformedTransaction, "a kept transaction without its sender")
            }
            let signed = try SignedTransaction.decode(Bytes(bytes.dropFirst(21)))
            return PooledTransaction(kept: signed, sender: sender, isImpersonated: true)
        } catch { throw DevChainError(.malformedTransaction, error.message) }
    }
}
