// What transactions of a rollup pay beside gas and tip, and where it goes: the price of their bytes on the L1, and a
// base fee that is collected instead of burnt (jovay.md 1.7).

import EVM
import Ethereum

package struct BlockFees: Sendable, Equatable {
    package var baseFeeToCoinbase = false
    /// Wei for each byte of a signed transaction; nil on a chain without an L1 under it.
    package var l1FeePerByte: U256?

    /// The price is bounded and a transaction is, so the product fits.
    func l1Fee(of transaction: PooledTransaction) -> U256 {
        l1FeePerByte.map { $0 * U256(transaction.signed.encoded.count) } ?? .zero
    }

    /// Takes the L1 fee before the transaction runs; throws when the sender could not pay for both.
    func charge(_ fee: U256, _ transaction: PooledTransaction, _ journal: Journal) throws(TransactionRefusal) {
        guard !fee.isZero else { return }
        let balance = journal.account(transaction.sender)?.balance ?? .zero
        let cost = transaction.transaction.costMaximum
        guard let cost, cost <= balance, fee <= balance - cost else {
            throw .insufficientFunds(needed: cost.map { $0 &+ fee }, balance: balance)
        }
        journal.override(balance: balance - fee, of: transaction.sender)
    }

    /// The transaction entered no block.
    func giveBack(_ fee: U256, _ transaction: PooledTransaction, _ journal: Journal) {
        if !fee.isZero { journal.credit(fee, to: transaction.sender) }
    }

    /// Gives the coinbase what the transaction paid beside its tip.
    func collect(_ fee: U256, _ result: ExecutionResult, _ block: BlockEnvironment, _ journal: Journal) {
        let base = baseFeeToCoinbase ? block.baseFee * U256(result.gasUsed) : .zero
        let sum = fee &+ base
        if !sum.isZero { journal.credit(sum, to: block.coinbase) }
    }
}

extension ChainProfile {
    /// Who headers say made a block whose fees `coinbase` gets.
    func shownMiner(_ coinbase: Address) -> Address { quirks.minerZero ? .zero : coinbase }
}

extension WorldState {
    /// Puts an account of a profile into a genesis state.
    mutating func place(_ account: ChainProfile.Predeploy) {
        if account.nonce > 0 { setNonce(account.nonce, of: account.address) }
        if !account.balance.isZero { setBalance(account.balance, of: account.address) }
        if !account.code.isEmpty { setCode(account.code, of: account.address) }
        for entry in account.storage { setStorage(entry.slot, to: entry.value, of: account.address) }
    }
}
