// What an instruction asks for, told before it runs: the gas that the machine will take, or would have taken where the
// frame has too little. The machine charges on its own; a test compares the two on all public state tests.

import Ethereum

struct StepPrice {
    let journal: Journal
    let rules: RuleSet
    /// Those whose addresses are warm from the start.
    let precompiles: PrecompileSet

    /// The price of a step with enough words on the stack. Gas that is passed on counts for CALL and its kin, and not
    /// for CREATE, as go-ethereum counts.
    func of(_ step: TracedStep) -> Int64 {
        guard rules.opcodes.contains(step.opcode), let facts = OpcodeFacts.of(step.opcode) else { return 0 }
        let fixed = rules.hasAccessPrices ? facts.gas : early(step.opcode) ?? facts.gas
        guard step.stack.count >= facts.inputs else { return fixed }
        let operands = Operands(stack: step.stack)
        var price = fixed + memory(step, operands)
        // What needs no look at the state counts also where the frame cannot pay it.
        switch step.opcode {
        case 0x0a: price += Gas.exponentiation + rules.exponentByte * Int64(operands[1].byteWidth)
        case 0x20: price += Gas.keccakWord * words(operands[1])
        case 0x37, 0x39, 0x3e, 0x5e: price += Gas.copyWord * words(operands[2])
        case 0x3c: price += Gas.copyWord * words(operands[3])
        case 0xa0...0xa4:
            price += Gas.log * Int64(1 + step.opcode - 0xa0) + Gas.logByte * small(operands[1])
        case 0xf0: price += initCodeWord * words(operands[2])
        case 0xf5: price += (initCodeWord + Gas.keccakWord) * words(operands[2])
        default: break
        }
        if price > step.gas { return price }
        switch step.opcode {
        case 0x3c: price += coldness(operands.address(0))
        case 0x31, 0x3b, 0x3f: price += coldness(operands.address(0))
        case 0x54 where rules.hasAccessPrices:
            price += isWarm(step.address, operands[0]) ? Gas.warmAccess : Gas.coldSlot
        case 0x55: price += store(step, operands)
        case 0xf1, 0xf2, 0xf4, 0xfa: price += call(step, operands, before: price)
        case 0xff: price += destruct(step, operands)
        default: break
        }
        return price
    }

    private var initCodeWord: Int64 { rules.transactions.contains(.meteredInitCode) ? Gas.initCodeWord : 0 }

    /// What an opcode whose price Berlin changed cost before, whatever it works on; nil for any other.
    private func early(_ opcode: UInt8) -> Int64? {
        switch opcode {
        case 0x31, 0x3b, 0x3f: rules.early.inspection(opcode)
        case 0x3c: rules.early.code
        case 0x54: rules.early.load
        case 0xf1, 0xf2, 0xf4, 0xfa: rules.early.call
        case 0xff: rules.early.selfDestruct
        default: nil
        }
    }

    private struct Operands {
        let stack: UnsafeBufferPointer<U256>
        subscript(index: Int) -> U256 { stack[stack.count - 1 - index] }
        func address(_ index: Int) -> Address { Address(truncating: self[index]) }
    }

    // MARK: Memory

    private func memory(_ step: TracedStep, _ o: Operands) -> Int64 {
        let one = U256.one
        switch step.opcode {
        case 0x51, 0x52: return growth(step, [(o[0], U256(32))])
        case 0x53: return growth(step, [(o[0], one)])
        case 0x20, 0xf3, 0xfd, 0xa0...0xa4: return growth(step, [(o[0], o[1])])
        case 0x37, 0x39, 0x3e: return growth(step, [(o[0], o[2])])
        case 0x3c: return growth(step, [(o[1], o[3])])
        case 0x5e: return growth(step, [(o[0], o[2]), (o[1], o[2])])
        case 0xf0, 0xf5: return growth(step, [(o[1], o[2])])
        case 0xf1, 0xf2: return growth(step, [(o[3], o[4]), (o[5], o[6])])
        case 0xf4, 0xfa: return growth(step, [(o[2], o[3]), (o[4], o[5])])
        default: return 0
        }
    }

    private func growth(_ step: TracedStep, _ ranges: [(offset: U256, count: U256)]) -> Int64 {
        var end = step.memory.count
        for (offset, count) in ranges where !count.isZero {
            guard offset.fitsUInt64, count.fitsUInt64, offset.w0 < Limits.memoryOffsetMaximum,
                count.w0 < Limits.memoryOffsetMaximum
            else { return Int64.max / 4 }
            end = max(end, Machine<NoTracer>.aligned(Int(offset.w0 + count.w0)))
        }
        // The machine prices words.
        return Machine<NoTracer>.memoryPrice(UInt64(end) / 32)
            - Machine<NoTracer>.memoryPrice(UInt64(step.memory.count) / 32)
    }

    /// An operand that memory was paid for, or the largest that cannot be.
    private func small(_ count: U256) -> Int64 { Int64(min(count.clampedUInt64, Limits.memoryOffsetMaximum)) }
    private func words(_ count: U256) -> Int64 { (small(count) + 31) / 32 }

    // MARK: State

    private func isWarm(_ address: Address) -> Bool {
        precompiles.contains(address)
            || journal.accounts[journal.position(address)].pointee.warm == journal.stamp
    }

    private func isWarm(_ address: Address, _ key: U256) -> Bool {
        journal.slots[journal.slot(journal.position(address), key)].pointee.warm == journal.stamp
    }

    /// What a cold account costs beyond the warm one's price.
    private func coldness(_ address: Address) -> Int64 {
        !rules.hasAccessPrices || isWarm(address) ? 0 : Gas.coldAccount - Gas.warmAccess
    }

    private func store(_ step: TracedStep, _ o: Operands) -> Int64 {
        if rules.storeRule.hasSentry, step.gas <= Gas.storeSentry { return 0 }
        let entry = journal.slots[journal.slot(journal.position(step.address), o[0])].pointee
        guard rules.hasAccessPrices else { return EarlyStore.of(entry, o[1], rules).price }
        let cold = entry.warm == journal.stamp ? 0 : Gas.coldSlot
        if o[1] == entry.current || entry.original != entry.current { return cold + Gas.warmAccess }
        return cold + (entry.original.isZero ? Gas.slotSet : Gas.slotReset)
    }

    private func call(_ step: TracedStep, _ o: Operands, before: Int64) -> Int64 {
        let target = o.address(1)
        let value = step.opcode == 0xf1 || step.opcode == 0xf2 ? o[2] : .zero
        var price = coldness(target)
        if !value.isZero {
            price += Gas.callValue
            if step.opcode == 0xf1, rules.clearsEmptyAccounts, journal.isEmpty(journal.position(target)) {
                price += Gas.newAccount
            }
        }
        if step.opcode == 0xf1, comesToBe(target) { price += Gas.newAccount }
        if rules.hasDelegations, let delegate = journal.code(journal.position(target)).delegate {
            price += isWarm(delegate) || delegate == target ? Gas.warmAccess : Gas.coldAccount
        }
        let left = step.gas - before - price
        guard left >= 0 else { return price }
        // Before EIP-150 what was asked for was charged, whether it was there or not.
        guard rules.keepsOne64th else { return price + Int64(min(o[0].clampedUInt64, UInt64(Int64.max / 4))) }
        let most = left - left / 64
        return price + (o[0].fitsUInt64 && o[0].w0 < UInt64(most) ? Int64(o[0].w0) : most)
    }

    private func destruct(_ step: TracedStep, _ o: Operands) -> Int64 {
        let heir = o.address(0)
        var price = !rules.hasAccessPrices || isWarm(heir) ? 0 : Gas.coldAccount
        guard rules.hasAccessPrices || rules.early.selfDestructPaysForHeir else { return 0 }
        if comesToBe(heir) { return price + Gas.newAccount }
        let own = journal.position(step.address)
        if rules.clearsEmptyAccounts, !journal.balance(own).isZero, journal.isEmpty(journal.position(heir)) {
            price += Gas.newAccount
        }
        return price
    }

    /// Before EIP-161: an account that is named comes to be where it was not.
    private func comesToBe(_ address: Address) -> Bool {
        !rules.clearsEmptyAccounts && !journal.existsNow(journal.position(address))
    }
}
