// Runs transactions over a journal: from the sender's purse to the receipt's figures. Checks are in
// Executor+Validation.swift. One executor serves one chain, from one thread at a time.

import Ethereum

package final class Executor {
    package let rules: RuleSet
    /// A chain whose precompiles differ has its own table.
    package let precompiles: PrecompileSet
    /// The addresses that are warm from the start: those of the chain's precompiles, wherever a caller put them.
    package let warmPrecompiles: PrecompileSet
    private let workspace = Workspace()

    /// - Parameter warm: the chain's own table where `precompiles` is one that a caller changed.
    package init(rules: RuleSet, precompiles: PrecompileSet, warm: PrecompileSet? = nil) {
        self.rules = rules
        self.precompiles = precompiles
        warmPrecompiles = warm ?? precompiles
    }

    package convenience init(fork: Fork) {
        self.init(rules: RuleSet(fork), precompiles: PrecompileSet(fork))
    }

    // MARK: Transactions

    /// Runs a transaction of a block. What it did stays in the journal; `gasAvailable` is what the block has left.
    /// Throws, with the journal as before, for a transaction that no block can hold.
    package func execute(
        _ transaction: Transaction, sender: Address, block: BlockEnvironment, journal: Journal,
        gasAvailable: UInt64? = nil, mayHaveCode: Bool = false
    ) throws(TransactionRefusal) -> ExecutionResult {
        var tracer = NoTracer()
        return try execute(
            transaction, sender: sender, block: block, journal: journal, gasAvailable: gasAvailable,
            mayHaveCode: mayHaveCode, tracer: &tracer)
    }

    /// As above, watched.
    @_specialize(where T == NoTracer)
    @_specialize(where T == CallTracer)
    package func execute<T: Tracer>(
        _ transaction: Transaction, sender: Address, block: BlockEnvironment, journal: Journal,
        gasAvailable: UInt64? = nil, mayHaveCode: Bool = false, tracer: inout T
    ) throws(TransactionRefusal) -> ExecutionResult {
        let price = try validate(
            transaction, sender: sender, block: block, journal: journal, gasAvailable: gasAvailable ?? block.gasLimit,
            mayHaveCode: mayHaveCode)
        let result = begin(transaction, sender, block, journal, price: price, paysFees: true, &tracer)
        journal.finishTransaction()
        return result
    }

    /// Runs a call that no block will hold (`eth_call`, gas estimates): nonce, code of the sender and fees are not
    /// checked, no fee is paid, and the journal is as before. The value must be there.
    package func call(
        _ transaction: Transaction, sender: Address, block: BlockEnvironment, journal: Journal
    ) throws(TransactionRefusal) -> ExecutionResult {
        var tracer = NoTracer()
        return try call(transaction, sender: sender, block: block, journal: journal, tracer: &tracer)
    }

    /// As above, watched.
    @_specialize(where T == NoTracer)
    @_specialize(where T == CallTracer)
    package func call<T: Tracer>(
        _ transaction: Transaction, sender: Address, block: BlockEnvironment, journal: Journal, tracer: inout T
    ) throws(TransactionRefusal) -> ExecutionResult {
        var transaction = transaction
        transaction.gasLimit = min(transaction.gasLimit, Limits.gasMaximum)
        try validateCall(transaction, sender: sender, journal: journal)
        let price = transaction.effectiveGasPrice(baseFee: block.baseFee) ?? transaction.maxFeePerGas
        let result = begin(transaction, sender, block, journal, price: price, paysFees: false, &tracer)
        journal.discardTransaction()
        return result
    }

    /// Runs code as the protocol does at a block's begin and end (EIP-4788, EIP-2935, EIP-7002, EIP-7251): no fees, no
    /// nonce, no intrinsic gas. What it did stays in the journal. Nil when the account has no code.
    package func systemCall(
        to address: Address, data: Bytes, block: BlockEnvironment, journal: Journal,
        sender: Address = Executor.systemAddress, gasLimit: UInt64 = 30_000_000
    ) -> ExecutionResult? {
        guard journal.code(journal.position(address)).count > 0 else { return nil }
        let machine = machine(NoTracer(), sender, block, journal, price: .zero, blobHashes: [])
        let outcome = machine.call(
            from: sender, to: address, value: .zero, input: data, gas: Int64(clamping: gasLimit))
        let gasUsed = gasLimit - UInt64(outcome.gasLeft)
        let result = result(outcome, machine, gasUsed: gasUsed, refunded: 0, price: .zero)
        journal.finishTransaction()
        workspace.trim()
        return result
    }

    /// The caller of system calls.
    package static let systemAddress = Address(
        truncating: U256(w0: 0xffff_ffff_ffff_fffe, w1: .max, w2: 0xffff_ffff, w3: 0))

    // MARK: The run itself

    private func machine<T: Tracer>(
        _ tracer: T, _ sender: Address, _ block: BlockEnvironment, _ journal: Journal, price: U256,
        blobHashes: [Hash32]
    ) -> Machine<T> {
        Machine(
            workspace: workspace, journal: journal, rules: rules, precompiles: precompiles,
            warmPrecompiles: warmPrecompiles,
            environment: MachineEnvironment(origin: sender, gasPrice: price, block: block), blobHashes: blobHashes,
            tracer: tracer)
    }

    /// Runs a transaction that may be run, through the loop that its fork needs.
    @inline(__always)
    func begin<T: Tracer>(
        _ transaction: Transaction, _ sender: Address, _ block: BlockEnvironment, _ journal: Journal, price: U256,
        paysFees: Bool, _ tracer: inout T
    ) -> ExecutionResult {
        journal.clearsEmptyAccounts = rules.clearsEmptyAccounts
        if rules.opcodes.hasAllOfTheLoop {
            return run(transaction, sender, block, journal, price: price, paysFees: paysFees, &tracer)
        }
        var gate = OpcodeGate(inner: tracer)
        defer { tracer = gate.inner }
        return run(transaction, sender, block, journal, price: price, paysFees: paysFees, &gate)
    }

    @inline(__always)
    private func run<T: Tracer>(
        _ transaction: Transaction, _ sender: Address, _ block: BlockEnvironment, _ journal: Journal, price: U256,
        paysFees: Bool, _ tracer: inout T
    ) -> ExecutionResult {
        let payer = journal.position(sender)
        if paysFees { buyGas(transaction, block, journal, payer, price) }
        let nonce = journal.accounts[payer].pointee.nonce
        journal.setNonce(payer, nonce &+ 1)
        warmUp(transaction, block, journal, payer)
        if rules.hasDelegations { delegate(transaction.authorizations, block, journal) }

        let machine = machine(
            tracer, sender, block, journal, price: price, blobHashes: transaction.blobVersionedHashes)
        let gas = Int64(transaction.gasLimit - transaction.intrinsicGas(rules.transactions))
        let outcome: MessageOutcome
        if let to = transaction.to {
            if rules.hasDelegations, let delegate = journal.code(journal.position(to)).delegate {
                _ = journal.warm(journal.position(delegate))
            }
            outcome = machine.call(
                from: sender, to: to, value: transaction.value, input: transaction.data, gas: gas)
        } else {
            let address = Address.created(by: sender, nonce: nonce)
            _ = journal.warm(journal.position(address))
            outcome = machine.create(
                from: sender, at: address, value: transaction.value, initCode: transaction.data, gas: gas)
        }
        tracer = machine.tracer

        let spent = transaction.gasLimit - UInt64(outcome.gasLeft)
        let refunded = min(UInt64(max(journal.refund, 0)), spent / rules.refundQuotient)
        let gasUsed = max(spent - refunded, transaction.floorGas(rules.transactions))
        if paysFees { settle(transaction, block, journal, payer, price, gasUsed: gasUsed) }
        tracer.end()
        var result = result(outcome, machine, gasUsed: gasUsed, refunded: refunded, price: price)
        result.gasPeak = max(spent, gasUsed)
        workspace.trim()
        return result
    }

    private func result<T: Tracer>(
        _ outcome: MessageOutcome, _ machine: Machine<T>, gasUsed: UInt64, refunded: UInt64, price: U256
    ) -> ExecutionResult {
        let status: ExecutionStatus =
            switch outcome.exit {
            case .revert: .revert
            case .halt(let reason): .halt(reason)
            case .next, .entered, .stop, .output: .success
            }
        return ExecutionResult(
            status: status, gasUsed: gasUsed, gasRefunded: refunded, output: workspace.returnedBytes,
            logs: machine.journal.logs, createdAddress: outcome.created, effectiveGasPrice: price)
    }

    private func buyGas(
        _ transaction: Transaction, _ block: BlockEnvironment, _ journal: Journal, _ payer: Int32, _ price: U256
    ) {
        // Validation has shown that the balance covers more than this.
        var cost = price * U256(transaction.gasLimit)
        cost += block.blobBaseFee * U256(transaction.blobGas)
        journal.setBalance(payer, journal.balance(payer) - cost)
    }

    private func settle(
        _ transaction: Transaction, _ block: BlockEnvironment, _ journal: Journal, _ payer: Int32, _ price: U256,
        gasUsed: UInt64
    ) {
        journal.setBalance(payer, journal.balance(payer) &+ price * U256(transaction.gasLimit - gasUsed))
        let coinbase = journal.position(block.coinbase)
        let tip = (price - block.baseFee) * U256(gasUsed)
        journal.setBalance(coinbase, journal.balance(coinbase) &+ tip)
    }

    /// What is warm from the start (EIP-2929, EIP-2930, EIP-3651); precompiles always are.
    private func warmUp(
        _ transaction: Transaction, _ block: BlockEnvironment, _ journal: Journal, _ payer: Int32
    ) {
        _ = journal.warm(payer)
        if rules.warmsBeneficiary { _ = journal.warm(journal.position(block.coinbase)) }
        if let to = transaction.to { _ = journal.warm(journal.position(to)) }
        for entry in transaction.accessList {
            let position = journal.position(entry.address)
            _ = journal.warm(position)
            for key in entry.storageKeys { _ = journal.warmSlot(journal.slot(position, key.word)) }
        }
    }

    /// Sets the code of accounts that gave their leave (EIP-7702). A wrong authorization is passed over.
    private func delegate(_ authorizations: [Authorization], _ block: BlockEnvironment, _ journal: Journal) {
        for authorization in authorizations {
            guard authorization.chainID.isZero || authorization.chainID == U256(block.chainID),
                authorization.nonce < .max, let authority = authorization.authority
            else { continue }
            let position = journal.position(authority)
            _ = journal.warm(position)
            let code = journal.code(position)
            guard code.count == 0 || code.delegate != nil,
                journal.accounts[position].pointee.nonce == authorization.nonce
            else { continue }
            if journal.accounts[position].pointee.exists || !journal.isEmpty(position) {
                journal.refund += Gas.knownAuthorityRefund
            }
            if authorization.address.isZero {
                journal.setCode(position, .empty, hash: AccountEntry.emptyCodeHash)
            } else {
                let designator = Code.designator(authorization.address)
                journal.setCode(position, Code(designator), hash: keccak256(designator))
            }
            journal.setNonce(position, authorization.nonce + 1)
        }
    }
}
