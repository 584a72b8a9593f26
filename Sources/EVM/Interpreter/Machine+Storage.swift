// SLOAD, SSTORE, TLOAD, TSTORE and LOG: what a frame reads and writes beyond its memory.

import Ethereum

extension Machine {
    func load(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(1, frame) else { return .halt(.stackUnderflow) }
        let slot = journal.slot(frame.pointee.account, frame.pointee.sp[-1])
        let price =
            rules.hasAccessPrices ? (journal.warmSlot(slot) ? Gas.coldSlot : Gas.warmAccess) : rules.early.load
        guard charge(frame, price) else { return .halt(.outOfGas) }
        frame.pointee.sp[-1] = journal.slots[slot].pointee.current
        return .next
    }

    /// EIP-2200 with the prices of EIP-2929 and the refunds of EIP-3529. Earlier forks have their own.
    func store(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard !frame.pointee.isStatic else { return .halt(.staticViolation) }
        guard rules.hasAccessPrices else { return storeEarly(frame) }
        guard has(2, frame) else { return .halt(.stackUnderflow) }
        guard frame.pointee.gas > Gas.storeSentry else { return .halt(.outOfGas) }
        let sp = frame.pointee.sp
        let (key, value) = (sp[-1], sp[-2])
        frame.pointee.sp = sp - 2
        let position = journal.slot(frame.pointee.account, key)
        var price = journal.warmSlot(position) ? Gas.coldSlot : 0
        let entry = journal.slots[position].pointee
        if value == entry.current || entry.original != entry.current {
            price += Gas.warmAccess
        } else {
            price += entry.original.isZero ? Gas.slotSet : Gas.slotReset
        }
        guard charge(frame, price) else { return .halt(.outOfGas) }
        guard value != entry.current else { return .next }
        journal.refund += refund(entry, value)
        journal.setSlot(position, value)
        return .next
    }

    private func refund(_ entry: SlotEntry, _ value: U256) -> Int64 {
        if entry.original == entry.current {
            return !entry.original.isZero && value.isZero ? rules.slotClearedRefund : 0
        }
        var refund: Int64 = 0
        if !entry.original.isZero {
            if entry.current.isZero { refund -= rules.slotClearedRefund }
            if value.isZero { refund += rules.slotClearedRefund }
        }
        if value == entry.original {
            refund += (entry.original.isZero ? Gas.slotSet : Gas.slotReset) - Gas.warmAccess
        }
        return refund
    }

    func loadTransient(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard rules.hasCancunOpcodes else { return .halt(.invalidOpcode) }
        guard has(1, frame) else { return .halt(.stackUnderflow) }
        guard charge(frame, Gas.warmAccess) else { return .halt(.outOfGas) }
        frame.pointee.sp[-1] = journal.transient(frame.pointee.account, frame.pointee.sp[-1])
        return .next
    }

    func storeTransient(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard rules.hasCancunOpcodes else { return .halt(.invalidOpcode) }
        guard !frame.pointee.isStatic else { return .halt(.staticViolation) }
        guard has(2, frame) else { return .halt(.stackUnderflow) }
        guard charge(frame, Gas.warmAccess) else { return .halt(.outOfGas) }
        let sp = frame.pointee.sp
        journal.setTransient(frame.pointee.account, sp[-1], sp[-2])
        frame.pointee.sp = sp - 2
        return .next
    }

    func log(_ topicCount: Int, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard !frame.pointee.isStatic else { return .halt(.staticViolation) }
        guard has(2 + topicCount, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let (offset, count) = (sp[-1], sp[-2])
        guard expand(frame, offset, count),
            charge(frame, Gas.log * Int64(1 + topicCount) + Gas.logByte * Int64(count.w0))
        else { return .halt(.outOfGas) }
        let start = count.isZero ? 0 : Int(offset.w0)
        let data = UnsafeRawBufferPointer(start: frame.pointee.memory + start, count: Int(count.w0))
        journal.logBook.append(frame.pointee.address, topics: sp - 3, topicCount: topicCount, data: data)
        if T.seesLogs { traceLog() }
        frame.pointee.sp = sp - 2 - topicCount
        return .next
    }

    @inline(never)
    private func traceLog() {
        if let last = journal.logBook.last { tracer.log(last, index: journal.logBook.count - 1) }
    }
}
