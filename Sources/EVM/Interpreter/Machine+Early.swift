// What opcodes cost, and what SSTORE gives back, before Berlin (EIP-2929). Never on the way of a later fork.

import Ethereum

extension Machine {
    /// SSTORE by the rules of Frontier, EIP-1283 or EIP-2200.
    @inline(never)
    func storeEarly(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(2, frame) else { return .halt(.stackUnderflow) }
        if rules.storeRule.hasSentry, frame.pointee.gas <= Gas.storeSentry { return .halt(.outOfGas) }
        let sp = frame.pointee.sp
        let (key, value) = (sp[-1], sp[-2])
        frame.pointee.sp = sp - 2
        let position = journal.slot(frame.pointee.account, key)
        let (price, refund) = EarlyStore.of(journal.slots[position].pointee, value, rules)
        guard charge(frame, price) else { return .halt(.outOfGas) }
        journal.refund += refund
        if value != journal.slots[position].pointee.current { journal.setSlot(position, value) }
        return .next
    }

    /// CALL and its kin, without what they pass on.
    @inline(never)
    func callPriceEarly(_ kind: CallKind, _ position: Int32, _ value: U256) -> Int64 {
        var price = rules.early.call
        if !value.isZero { price += Gas.callValue }
        if kind == .call, isNewEarly(position, receives: !value.isZero) { price += Gas.newAccount }
        return price
    }

    @inline(never)
    func selfDestructPriceEarly(_ heir: Int32, receives: Bool) -> Int64 {
        let paysForHeir = rules.early.selfDestructPaysForHeir && isNewEarly(heir, receives: receives)
        return rules.early.selfDestruct + (paysForHeir ? Gas.newAccount : 0)
    }

    /// Whether an account comes into the state: any that is named, or since EIP-161 one that gets something.
    private func isNewEarly(_ position: Int32, receives: Bool) -> Bool {
        rules.clearsEmptyAccounts ? receives && journal.isEmpty(position) : !journal.existsNow(position)
    }
}

/// SSTORE before Berlin.
enum EarlyStore {
    /// 15,000 for each slot that becomes zero (Yellow Paper, R_sclear).
    static let clearedRefund: Int64 = 15_000
    static let reset: Int64 = 5_000

    /// What writing `value` costs and what it gives back; below zero where something given back before is taken.
    static func of(_ entry: SlotEntry, _ value: U256, _ rules: RuleSet) -> (price: Int64, refund: Int64) {
        guard rules.storeRule != .plain else {
            let price = entry.current.isZero && !value.isZero ? Gas.slotSet : reset
            return (price, !entry.current.isZero && value.isZero ? clearedRefund : 0)
        }
        let unchanged = rules.early.storeUnchanged
        if value == entry.current { return (unchanged, 0) }
        if entry.original == entry.current {
            if entry.original.isZero { return (Gas.slotSet, 0) }
            return (reset, value.isZero ? clearedRefund : 0)
        }
        var refund: Int64 = 0
        if !entry.original.isZero {
            if entry.current.isZero { refund -= clearedRefund }
            if value.isZero { refund += clearedRefund }
        }
        if value == entry.original { refund += (entry.original.isZero ? Gas.slotSet : reset) - unchanged }
        return (unchanged, refund)
    }
}
