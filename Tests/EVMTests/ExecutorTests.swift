// Transactions around their code: refusals by name, fees, nonces, delegations, blobs, the journal's ends.

import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Transactions")
struct ExecutorTests {
    private func refusal(_ bench: Bench = Bench(), _ change: (inout Transaction) -> Void) -> TransactionRefusal? {
        var transaction = bench.transaction(to: Bench.other)
        change(&transaction)
        do throws(TransactionRefusal) {
            _ = try bench.executor.execute(
                transaction, sender: Bench.sender, block: bench.block, journal: bench.journal)
            return nil
        } catch {
            #expect(bench.journal.changes.isEmpty, "a refusal changes nothing")
            #expect(!error.description.isEmpty)
            return error
        }
    }

    @Test("each fault of a transaction is refused by its name")
    func refusals() {
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.nonce = 1 }?.code == "nonceTooHigh")
        let used = Bench()
        used.state.accounts[Bench.sender]?.nonce = 5
        #expect(refusal(used) { $0.nonce = 4 } == .nonceTooLow(expected: 5, got: 4))
        let last = Bench()
        last.state.accounts[Bench.sender]?.nonce = .max
        #expect(refusal(last) { $0.nonce = .max } == .nonceIsMaximum)
        #expect(refusal { $0.value = Bench.wealth }?.code == "insufficientFunds")
        #expect(refusal { $0.maxFeePerGas = .max }?.code == "insufficientFunds")
        #expect(refusal { $0.gasLimit = 20_999 } == .intrinsicGasTooLow(least: 21_000, got: 20_999))
        #expect(refusal { $0.gasLimit = 1 << 41 }?.code == "gasLimitExceedsBlock")
        #expect(refusal { $0.maxFeePerGas = 6 } == .feeCapTooLow(baseFee: 7, cap: 6))
        #expect(refusal { $0.maxPriorityFeePerGas = 101 } == .priorityFeeAboveCap(priority: 101, cap: 100))
        #expect(refusal { $0.chainID = 2 } == .wrongChain(expected: 1, got: 2))
        let large = refusal {
            $0.to = nil
            $0.data = Bytes(repeating: 0, count: 49_153)
        }
        #expect(large == .initCodeTooLarge(limit: 49_152, got: 49_153))
        let contract = Bench()
        contract.state.accounts[Bench.sender]?.code = [0x00]
        #expect(refusal(contract) { _ in } == .senderNotEOA(Bench.sender))
    }

    @Test("blob and set-code transactions are refused by their own rules")
    func typedRefusals() {
        func blob(_ hashes: [Hash32], _ cap: U256 = 3) -> (inout Transaction) -> Void {
            {
                $0.kind = .blob
                $0.blobVersionedHashes = hashes
                $0.maxFeePerBlobGas = cap
            }
        }
        let hash = Hash32(U256.one << 248)
        #expect(refusal(Bench(), blob([hash])) == nil)
        #expect(refusal(Bench(.shanghai), blob([hash])) == .kindNotSupported(.blob))
        #expect(refusal(Bench(), blob([])) == .noBlobs)
        #expect(refusal(Bench(), blob([Hash32(1)])) == .blobHashVersionUnknown)
        #expect(refusal(Bench(), blob([hash], 2)) == .blobFeeCapTooLow(blobBaseFee: 3, cap: 2))
        #expect(refusal(Bench(), blob(Array(repeating: hash, count: 10))) == .tooManyBlobs(limit: 9, got: 10))
        #expect(refusal(Bench(.cancun), blob(Array(repeating: hash, count: 7))) == .tooManyBlobs(limit: 6, got: 7))
        #expect(refusal { $0.kind = .setCode } == .noAuthorizations)
        #expect(refusal(Bench(.cancun)) { $0.kind = .setCode } == .kindNotSupported(.setCode))
    }

    @Test("the sender pays gas, the coinbase gets the tip, and the base fee is burnt")
    func fees() throws {
        let bench = Bench()
        let result = try bench.execute(bench.transaction(value: 10, to: Bench.other))
        #expect(result.gasUsed == 21_000 && result.effectiveGasPrice == 9)
        #expect(bench.journal.account(Bench.sender)?.balance == Bench.wealth - U256(21_000 * 9 + 10))
        #expect(bench.journal.account(Bench.coinbase)?.balance == U256(21_000 * 2))
        #expect(bench.journal.account(Bench.other)?.balance == 10)
        #expect(bench.journal.account(Bench.sender)?.nonce == 1)
    }

    @Test("a halt takes all gas and keeps nonce and fee; a revert gives the rest back")
    func failures() throws {
        let halting = Bench(.prague, [[0xfe]])
        let halted = try halting.execute(halting.transaction(value: 10, gas: 50_000))
        #expect(halted.status == .halt(.invalidOpcode) && halted.gasUsed == 50_000)
        #expect(halting.journal.account(Bench.contract)?.balance == 1000)
        #expect(halting.journal.account(Bench.sender)?.nonce == 1)
        let reverting = Bench(.prague, [[0x5f, 0x5f, 0xfd]])
        let reverted = try reverting.execute()
        #expect(reverted.status == .revert && reverted.gasUsed == 21_004)
    }

    @Test("a call leaves no trace and needs no fee")
    func calls() throws {
        let bench = Bench(.prague, [[0x60, 1, 0x5f, 0x55]])
        bench.journal.override(balance: 0, of: Bench.sender)
        let changes = bench.journal.changes
        #expect(try bench.call().succeeded)
        #expect(bench.journal.changes == changes)
        #expect(throws: TransactionRefusal.insufficientFunds(needed: 1, balance: 0)) {
            try bench.call(bench.transaction(value: 1))
        }
        bench.journal.override(slot: 0, to: 1, of: Bench.contract)
        #expect(try bench.call().gasUsed == 21_000 + 5 + 2200)
    }

    @Test("an estimate is the least gas that succeeds, refunds and passed-on gas included")
    func estimates() throws {
        let store: Bytes = [0x5f, 0x5f, 0x55, 0x00]
        let forward: Bytes = [0x5f, 0x5f, 0x5f, 0x5f, 0x5f] + Bytecode.push(Bench.other)
        let calling = forward + [0x62, 1, 0, 0, 0xf1, 0x60, 0x20, 0x57, 0x5f, 0x5f, 0xfd]
        let padded = calling + Bytes(repeating: 0x5b, count: 33 - calling.count)
        for code in [[], store, padded] as [Bytes] {
            let bench = Bench(.prague, Bytecode(code), other: Bytecode(store))
            bench.state.accounts[Bench.contract]?.storage[0] = 1
            bench.state.accounts[Bench.other]?.storage[0] = 1
            func run(_ gas: UInt64) throws -> Bool { try bench.call(bench.transaction(gas: gas)).succeeded }
            let estimate = try bench.executor.estimateGas(
                bench.transaction(), sender: Bench.sender, block: bench.block, journal: bench.journal)
            guard case .gas(let gas) = estimate else {
                Issue.record("\(estimate)")
                continue
            }
            #expect(try run(gas))
            if gas > 21_000 { #expect(try !run(gas - 1)) }
        }
        let failing = Bench(.prague, [[0x5f, 0x5f, 0xfd]])
        let estimate = try failing.executor.estimateGas(
            failing.transaction(), sender: Bench.sender, block: failing.block, journal: failing.journal)
        guard case .fails(let result) = estimate else { return #expect(Bool(false), "a revert has no estimate") }
        #expect(result.status == .revert)
    }

    @Test("touched empty accounts go, untouched ones stay")
    func emptyAccounts() throws {
        let bench = Bench()
        let stays = Address(truncating: 0xeeee)
        bench.state.accounts[Bench.other] = MemoryAccount()
        bench.state.accounts[stays] = MemoryAccount()
        _ = try bench.execute(bench.transaction(to: Bench.other))
        bench.state.apply(bench.journal.changes)
        #expect(bench.state.accounts[Bench.other] == nil)
        #expect(bench.state.accounts[stays] != nil)
    }

    @Test("an authorization sets a delegation, whose code runs in the account's own name")
    func delegations() throws {
        let key = try PrivateKey(bytes: Bytes(repeating: 7, count: 32))
        let bench = Bench(.prague, [[0x33, 0x5f, 0x55]])
        var transaction = bench.transaction(to: key.address)
        transaction.kind = .setCode
        transaction.authorizations = [
            .signed(by: key, chainID: 1, address: Bench.contract, nonce: 0),
            .signed(by: key, chainID: 2, address: Bench.other, nonce: 1),
            .signed(by: key, chainID: 0, address: Bench.other, nonce: 5),
        ]
        let result = try bench.execute(transaction)
        #expect(result.succeeded)
        #expect(bench.journal.code(key.address) == Code.designator(Bench.contract))
        #expect(bench.journal.account(key.address)?.nonce == 1)
        #expect(bench.journal.storage(key.address, 0) == Bench.sender.word)
        // A zero address takes the delegation away.
        transaction.nonce = 1
        transaction.authorizations = [.signed(by: key, chainID: 1, address: .zero, nonce: 1)]
        _ = try bench.execute(transaction)
        #expect(bench.journal.code(key.address).isEmpty)
    }

    @Test("system calls run without fees or nonces")
    func systemCalls() throws {
        let bench = Bench(.prague, [[0x33, 0x5f, 0x55]])
        let result = bench.executor.systemCall(
            to: Bench.contract, data: [], block: bench.block, journal: bench.journal)
        #expect(result?.succeeded == true)
        #expect(bench.journal.storage(Bench.contract, 0) == Executor.systemAddress.word)
        #expect(bench.journal.account(Executor.systemAddress) == nil)
        let none = bench.executor.systemCall(
            to: Bench.other, data: [], block: bench.block, journal: bench.journal)
        #expect(none == nil)
    }

    @Test("a profile can add and remove precompiles")
    func profiles() throws {
        var precompiles = PrecompileSet(.prague)
        precompiles[4] = nil
        let far = Address(truncating: U256.one << 100)
        precompiles.set(Precompile(name: "seven") { _, _ in .success([7], gas: 70) }, at: far)
        let executor = Executor(rules: RuleSet(.prague), precompiles: precompiles)
        let bench = Bench()
        func run(_ to: Address) throws -> ExecutionResult {
            try executor.call(
                bench.transaction(data: [1], to: to), sender: Bench.sender, block: bench.block, journal: bench.journal)
        }
        #expect(try run(far).output == [7])
        #expect(try run(far).gasUsed == 21_000 + 16 + 70)
        #expect(try run(Address(truncating: 4)).output.isEmpty)
        precompiles[0x100] = .p256Verify
        let wider = Executor(rules: RuleSet(.prague), precompiles: precompiles)
        let verified = try wider.call(
            bench.transaction(to: Address(truncating: 0x100)), sender: Bench.sender, block: bench.block,
            journal: bench.journal)
        #expect(verified.succeeded && verified.gasUsed == 21_000 + 6_900)
    }

    @Test("the blob base fee follows the excess")
    func blobBaseFee() {
        #expect(RuleSet(.cancun).blobBaseFee(excessBlobGas: 0) == 1)
        #expect(RuleSet(.cancun).blobBaseFee(excessBlobGas: 2_314_058) == 2)
        #expect(RuleSet(.cancun).blobBaseFee(excessBlobGas: 10 * 1024 * 1024) == 23)
        #expect(!RuleSet(.prague).blobBaseFee(excessBlobGas: .max).isZero, "an absurd excess ends")
    }

    @Test("changes come by address and slot, and start anew once committed")
    func changes() throws {
        let bench = Bench(.prague, [[0x60, 2, 0x60, 9, 0x55, 0x60, 1, 0x60, 3, 0x55]])
        _ = try bench.execute()
        let changes = bench.journal.changes
        #expect(changes.map(\.address) == changes.map(\.address).sorted())
        let contract = try #require(changes.first { $0.address == Bench.contract })
        #expect(contract.slots == [SlotChange(slot: 3, value: 1), SlotChange(slot: 9, value: 2)])
        #expect(contract.code == nil && !contract.clearsStorage)
        bench.state.apply(changes)
        bench.journal.markCommitted()
        #expect(bench.journal.changes.isEmpty)
        #expect(try bench.execute(bench.transaction(nonce: 1)).gasUsed < 30_000)
    }
}
