// The accounts and slots that a transaction met, as they stood before it and, where asked, after it: what
// debug_traceTransaction's prestateTracer tells. The rules of what counts as met are go-ethereum's.

import Ethereum

package struct PrestateTracer: Tracer {
    package struct Options: Sendable {
        /// Tells what changed, before and after, and leaves out the rest.
        package var difference = false
        package var code = true
        package var storage = true
        package var emptyAccounts = false

        package init() {}
    }

    package struct Account: Sendable, Equatable {
        /// Nil where it is not told.
        package var balance: U256?
        package var nonce: UInt64 = 0
        package var code: Bytes = []
        package var storage: [U256: U256] = [:]
        /// True without nonce, balance and code.
        package var isEmpty = false
    }

    package static var seesSteps: Bool { true }
    package static var seesCalls: Bool { false }

    package private(set) var before: [Address: Account] = [:]
    /// Filled at the end where the difference was asked for.
    package private(set) var after: [Address: Account] = [:]
    /// True when there was more than `Limits` allows.
    package private(set) var isCut = false
    private var slotCount = 0
    private var destroyed: Set<Address> = []
    private let options: Options
    private let journal: Journal

    /// Takes note of what the transaction names itself. Make it before the transaction runs.
    package init(
        _ options: Options, journal: Journal, transaction: Transaction, sender: Address, coinbase: Address
    ) {
        self.options = options
        self.journal = journal
        meet(sender)
        meet(transaction.to ?? .created(by: sender, nonce: journal.account(sender)?.nonce ?? 0))
        meet(coinbase)
        for authorization in transaction.authorizations {
            if let authority = authorization.authority { meet(authority) }
        }
    }

    package mutating func step(_ step: TracedStep) {
        let count = step.stack.count
        func top(_ index: Int) -> U256 { step.stack[count - 1 - index] }
        switch step.opcode {
        case 0x54, 0x55: if count >= 1 { meet(step.address, slot: top(0)) }
        case 0x31, 0x3b, 0x3c, 0x3f: if count >= 1 { meet(Address(truncating: top(0))) }
        case 0xff:
            guard count >= 1 else { return }
            meet(Address(truncating: top(0)))
            destroyed.insert(step.address)
        case 0xf1, 0xf2, 0xf4, 0xfa:
            guard count >= 5 else { return }
            let target = Address(truncating: top(1))
            meet(target)
            if let delegate = journal.code(journal.position(target)).delegate { meet(delegate) }
        case 0xf0: meet(.created(by: step.address, nonce: journal.account(step.address)?.nonce ?? 0))
        case 0xf5:
            guard count >= 4, let code = initCode(step, top(1), top(2)) else { return }
            meet(.created(by: step.address, salt: Hash32(top(3)), initCodeHash: keccak256(code)))
        default: break
        }
    }

    package mutating func enter(_ call: TracedCall) {}
    package mutating func exit(_ end: TracedEnd) {}

    package mutating func end() {
        if options.difference { findDifference() }
        if !options.emptyAccounts { before = before.filter { !$0.value.isEmpty } }
    }

    // MARK: Inside

    /// Init code as it will stand in memory; nil where the creation cannot be paid for anyway.
    private func initCode(_ step: TracedStep, _ offset: U256, _ count: U256) -> Bytes? {
        guard let count = count.asInt, count <= Limits.initCodeBytesTraced else { return nil }
        guard count > 0 else { return [] }
        guard let offset = offset.asInt, offset < Int(Limits.memoryOffsetMaximum) else { return nil }
        var code = Bytes(repeating: 0, count: count)
        let held = min(count, max(step.memory.count - offset, 0))
        for at in 0..<held { code[at] = step.memory[offset + at] }
        return code
    }

    private mutating func meet(_ address: Address) {
        guard before[address] == nil, hasRoom() else { return }
        let state = journal.account(address)
        let code = journal.code(address)
        before[address] = Account(
            balance: state?.balance ?? .zero, nonce: state?.nonce ?? 0, code: options.code ? code : [],
            isEmpty: state == nil || (state?.isEmpty ?? true))
    }

    private mutating func meet(_ address: Address, slot: U256) {
        meet(address)
        guard options.storage, before[address]?.storage[slot] == nil, hasRoom() else { return }
        before[address]?.storage[slot] = journal.storage(address, slot)
    }

    private mutating func hasRoom() -> Bool {
        slotCount += 1
        if slotCount > Limits.tracedStateMaximum { isCut = true }
        return !isCut
    }

    private mutating func findDifference() {
        for (address, old) in before where !destroyed.contains(address) {
            let state = journal.account(address)
            var new = Account(balance: nil)
            var kept = old
            if let balance = old.balance, state?.balance ?? .zero != balance { new.balance = state?.balance ?? .zero }
            var isChanged = new.balance != nil
            if state?.nonce ?? 0 != old.nonce {
                new.nonce = state?.nonce ?? 0
                isChanged = true
            }
            if options.code {
                let code = journal.code(address)
                if code != old.code {
                    new.code = code
                    isChanged = true
                }
            }
            for (slot, value) in old.storage {
                let now = journal.storage(address, slot)
                if value.isZero || value == now { kept.storage[slot] = nil }
                guard value != now else { continue }
                isChanged = true
                if !now.isZero { new.storage[slot] = now }
            }
            before[address] = isChanged ? kept : nil
            if isChanged { after[address] = new }
        }
    }
}
