// What a header must be before its block is run, from its parent and the fork alone. A decision without effects.

import EVM
import Ethereum

struct HeaderRules {
    let fork: Fork
    let rules: RuleSet
    let baseFee: ChainProfile.BaseFeeRule
    /// Of the parent: the header is one of proof of stake where the parent's total difficulty ended proof of work.
    let isMerged: Bool

    /// Throws the first rule that the header breaks.
    func check(_ header: BlockHeader, parent: BlockHeader) throws(DevChainError) {
        try checkPlace(header, parent)
        try checkGas(header, parent)
        if isMerged { try checkProofOfStake(header) } else { try checkDifficulty(header, parent) }
        try checkForkFields(header, parent)
    }

    private func checkPlace(_ header: BlockHeader, _ parent: BlockHeader) throws(DevChainError) {
        guard parent.number < .max, header.number == parent.number + 1 else {
            throw DevChainError(
                .invalidBlockNumber, "block \(header.number) does not follow its parent, which is \(parent.number)")
        }
        guard header.timestamp > parent.timestamp else {
            throw DevChainError(
                .invalidBlockTimestamp,
                "timestamp \(header.timestamp) is not after the parent's, which is \(parent.timestamp)")
        }
        guard header.extraData.count <= 32 else {
            throw DevChainError(.extraDataTooLong, "extra data of \(header.extraData.count) bytes, at most 32")
        }
    }

    private func checkGas(_ header: BlockHeader, _ parent: BlockHeader) throws(DevChainError) {
        let limit = header.gasLimit
        let before = BaseFees.parentGasLimit(parent, fork)
        let distance = limit > before ? limit - before : before - limit
        guard limit >= 5_000, limit <= EVM.Limits.gasMaximum, distance < before / 1024 else {
            throw DevChainError(
                .invalidGasLimit,
                "gas limit \(limit) is below 5000, past 2^63 - 1, or 1/1024 or more from the parent's, which is "
                    + "\(before)")
        }
        guard header.gasUsed <= limit else {
            throw DevChainError(.invalidGasUsed, "gas used \(header.gasUsed) is above the gas limit \(limit)")
        }
        let wanted = BaseFees.next(after: parent, rule: baseFee, fork: fork)
        guard header.baseFeePerGas == wanted else {
            throw DevChainError(
                .invalidBaseFee,
                "base fee \(header.baseFeePerGas?.decimal ?? "absent"), the parent asks for "
                    + "\(wanted?.decimal ?? "none") (EIP-1559)")
        }
    }

    /// What proof of work had and proof of stake fixes (EIP-3675).
    private func checkProofOfStake(_ header: BlockHeader) throws(DevChainError) {
        guard header.difficulty.isZero, header.nonce == 0 else {
            throw DevChainError(
                .invalidProofOfStakeField, "difficulty and nonce must be zero since the merge (EIP-3675)")
        }
        guard header.ommersHash == .emptyListHash else {
            throw DevChainError(.ommersNotAllowed, "there are no ommers since the merge (EIP-3675)")
        }
    }

    private func checkDifficulty(_ header: BlockHeader, _ parent: BlockHeader) throws(DevChainError) {
        let wanted = Difficulty.next(after: parent, timestamp: header.timestamp, fork: fork)
        guard header.difficulty == wanted else {
            throw DevChainError(
                .invalidDifficulty, "difficulty \(header.difficulty), the parent asks for \(wanted)")
        }
    }

    private func checkForkFields(_ header: BlockHeader, _ parent: BlockHeader) throws(DevChainError) {
        let present = (
            header.withdrawalsRoot != nil, header.parentBeaconBlockRoot != nil, header.requestsHash != nil
        )
        guard present == (fork >= .shanghai, fork >= .cancun, fork >= .prague) else {
            throw DevChainError(
                .wrongForkFields, "the header does not have the fields of a header of the fork \(fork.name)")
        }
        guard fork >= .cancun, let used = header.blobGasUsed, let excess = header.excessBlobGas else { return }
        let most = Transaction.gasPerBlob * UInt64(rules.blobsMaximum)
        guard used <= most, used.isMultiple(of: Transaction.gasPerBlob) else {
            throw DevChainError(
                .invalidBlobGasUsed,
                "blob gas used \(used) is no multiple of \(Transaction.gasPerBlob) up to \(most) (EIP-4844)")
        }
        let wanted = rules.excessBlobGas(after: parent)
        guard excess == wanted else {
            throw DevChainError(
                .invalidExcessBlobGas, "excess blob gas \(excess), the parent asks for \(wanted) (EIP-4844)")
        }
    }
}
