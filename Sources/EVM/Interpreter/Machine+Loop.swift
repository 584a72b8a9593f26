// The interpreter's loop: one switch over the opcode byte, with pc, sp and gas in locals. Nothing in here allocates,
// retains, or reads a class field; whatever does is out of line in Machine+Cold.swift. That is why it is one function.

import Ethereum

extension Machine {
    /// Runs the frame on top until it ends or another one is entered.
    @inline(never)
    func interpret(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        let base = frame.pointee.stack
        let limit = base + Limits.stackWordsMaximum
        var ip = frame.pointee.ip
        var sp = frame.pointee.sp
        var gas = frame.pointee.gas
        var memory = frame.pointee.memory
        var memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
        while true {
            let opcode = Opcode(ip.pointee)
            if T.seesSteps {
                frame.pointee.ip = ip
                frame.pointee.sp = sp
                frame.pointee.gas = gas
                traceStep(frame)
            }
            if T.asksForOpcodes, lacks(ip.pointee) {
                frame.pointee.ip = ip + 1
                return .halt(.invalidOpcode)
            }
            ip += 1
            switch opcode {
            case .stop:
                frame.pointee.gas = gas
                return .stop

            // Arithmetic
            case .add:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] &+ sp[-1]
            case .mul:
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].times(sp[-1])
            case .sub:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] &- sp[-1]
            case .div:
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].dividing(by: sp[-1])
            case .sdiv:
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].signedDividing(by: sp[-1])
            case .mod:
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].remainder(dividingBy: sp[-1])
            case .smod:
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].signedRemainder(dividingBy: sp[-1])
            case .addmod:
                gas &-= 8
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 3 { return .halt(.stackUnderflow) }
                sp -= 2
                sp[-1] = sp[1].addingModulo(sp[0], sp[-1])
            case .mulmod:
                gas &-= 8
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 3 { return .halt(.stackUnderflow) }
                sp -= 2
                sp[-1] = sp[1].multiplyingModulo(sp[0], sp[-1])
            case .signextend:
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[-1].signExtended(from: sp[0])

            // Comparison and bits
            case .lt:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[0] < sp[-1] ? 1 : 0 as UInt64)
            case .gt:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[-1] < sp[0] ? 1 : 0 as UInt64)
            case .slt:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[0].isLessSigned(than: sp[-1]) ? 1 : 0 as UInt64)
            case .sgt:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[-1].isLessSigned(than: sp[0]) ? 1 : 0 as UInt64)
            case .eq:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256((sp.limbs ^ (sp - 1).limbs).isZero ? 1 : 0 as UInt64)
            case .iszero:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp[-1] = U256((sp - 1).limbs.isZero ? 1 : 0 as UInt64)
            case .and:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp.limbs & (sp - 1).limbs
            case .or:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp.limbs | (sp - 1).limbs
            case .xor:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp.limbs ^ (sp - 1).limbs
            case .not:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp[-1] = ~(sp - 1).limbs
            case .byte:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[-1].byte(at: sp[0])
            case .shl:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[-1].shiftedLeft(byWord: sp[0])
            case .shr:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[-1].shiftedRight(byWord: sp[0])
            case .sar:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[-1].shiftedRightSigned(byWord: sp[0])

            // The message
            case .address:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = frame.pointee.address.word
                sp += 1
            case .caller:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = frame.pointee.caller.word
                sp += 1
            case .callvalue:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = frame.pointee.value
                sp += 1
            case .calldataload:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                let offset = sp[-1]
                let count = UInt64(UInt(bitPattern: frame.pointee.inputCount))
                if offset.fitsUInt64, offset.w0 < count, count &- offset.w0 >= 32 {
                    sp[-1] = U256(bigEndianAt: frame.pointee.input + Int(truncatingIfNeeded: offset.w0))
                } else {
                    sp[-1] = Self.wordPastEnd(frame, offset)
                }
            case .calldatasize:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(UInt64(UInt(bitPattern: frame.pointee.inputCount)))
                sp += 1

            // Stack, memory, control
            case .pop:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp -= 1
            case .mload:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                let offset = sp[-1]
                if !(offset.fitsUInt64 && offset.w0 < memorySize && memorySize &- offset.w0 >= 32) {
                    gas = reach(frame, offset, 32, gas)
                    if gas < 0 { return .halt(.outOfGas) }
                    memory = frame.pointee.memory
                    memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
                }
                sp[-1] = U256(bigEndianAt: memory + Int(truncatingIfNeeded: offset.w0))
            case .mstore:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 2
                let offset = sp[1]
                if !(offset.fitsUInt64 && offset.w0 < memorySize && memorySize &- offset.w0 >= 32) {
                    gas = reach(frame, offset, 32, gas)
                    if gas < 0 { return .halt(.outOfGas) }
                    memory = frame.pointee.memory
                    memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
                }
                sp[0].storeBigEndian(to: memory + Int(truncatingIfNeeded: offset.w0))
            case .mstore8:
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 2
                let offset = sp[1]
                if !(offset.fitsUInt64 && offset.w0 < memorySize) {
                    gas = reach(frame, offset, 1, gas)
                    if gas < 0 { return .halt(.outOfGas) }
                    memory = frame.pointee.memory
                    memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
                }
                memory.storeBytes(
                    of: UInt8(truncatingIfNeeded: sp[0].w0), toByteOffset: Int(truncatingIfNeeded: offset.w0),
                    as: UInt8.self)
            case .jump:
                gas &-= 8
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp -= 1
                if let halt = jump(to: sp.limbs, frame, &ip, &gas) { return .halt(halt) }
            case .jumpi:
                gas &-= 10
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 2
                if sp.limbs.isZero { continue }
                if let halt = jump(to: (sp + 1).limbs, frame, &ip, &gas) { return .halt(halt) }
            case .pc:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(UInt64(UInt(bitPattern: ip - frame.pointee.code &- 1)))
                sp += 1
            case .msize:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(memorySize)
                sp += 1
            case .gas:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(UInt64(bitPattern: gas))
                sp += 1
            case .jumpdest:
                gas &-= 1
                if gas < 0 { return .halt(.outOfGas) }

            // PUSH, DUP, SWAP
            case .push0:
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = .zero
                sp += 1
            case .push1:
                if let halt = StackWords.push(1, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push2:  // which stands before most jumps: they are done here too
                if let halt = StackWords.push(2, &ip, &sp, limit, &gas) { return .halt(halt) }
                if T.seesSteps { continue }
                if ip.pointee == 0x57 {
                    gas &-= 10
                    if gas < 0 { return .halt(.outOfGas) }
                    if sp < base + 2 { return .halt(.stackUnderflow) }
                    ip += 1
                    sp -= 2
                    if sp.limbs.isZero { continue }
                    if let halt = jump(to: sp[1], frame, &ip, &gas) { return .halt(halt) }
                } else if ip.pointee == 0x56 {
                    gas &-= 8
                    if gas < 0 { return .halt(.outOfGas) }
                    sp -= 1
                    if let halt = jump(to: sp[0], frame, &ip, &gas) { return .halt(halt) }
                }
            case .push3:
                if let halt = StackWords.push(3, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push4:
                if let halt = StackWords.push(4, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push5:
                if let halt = StackWords.push(5, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push6:
                if let halt = StackWords.push(6, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push7:
                if let halt = StackWords.push(7, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push8:
                if let halt = StackWords.push(8, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push9:
                if let halt = StackWords.push(9, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push10:
                if let halt = StackWords.push(10, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push11:
                if let halt = StackWords.push(11, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push12:
                if let halt = StackWords.push(12, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push13:
                if let halt = StackWords.push(13, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push14:
                if let halt = StackWords.push(14, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push15:
                if let halt = StackWords.push(15, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push16:
                if let halt = StackWords.push(16, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push17:
                if let halt = StackWords.push(17, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push18:
                if let halt = StackWords.push(18, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push19:
                if let halt = StackWords.push(19, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push20:
                if let halt = StackWords.push(20, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push21:
                if let halt = StackWords.push(21, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push22:
                if let halt = StackWords.push(22, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push23:
                if let halt = StackWords.push(23, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push24:
                if let halt = StackWords.push(24, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push25:
                if let halt = StackWords.push(25, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push26:
                if let halt = StackWords.push(26, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push27:
                if let halt = StackWords.push(27, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push28:
                if let halt = StackWords.push(28, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push29:
                if let halt = StackWords.push(29, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push30:
                if let halt = StackWords.push(30, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push31:
                if let halt = StackWords.push(31, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .push32:
                if let halt = StackWords.push(32, &ip, &sp, limit, &gas) { return .halt(halt) }
            case .dup1:
                if let halt = StackWords.duplicate(1, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup2:
                if let halt = StackWords.duplicate(2, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup3:
                if let halt = StackWords.duplicate(3, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup4:
                if let halt = StackWords.duplicate(4, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup5:
                if let halt = StackWords.duplicate(5, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup6:
                if let halt = StackWords.duplicate(6, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup7:
                if let halt = StackWords.duplicate(7, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup8:
                if let halt = StackWords.duplicate(8, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup9:
                if let halt = StackWords.duplicate(9, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup10:
                if let halt = StackWords.duplicate(10, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup11:
                if let halt = StackWords.duplicate(11, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup12:
                if let halt = StackWords.duplicate(12, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup13:
                if let halt = StackWords.duplicate(13, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup14:
                if let halt = StackWords.duplicate(14, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup15:
                if let halt = StackWords.duplicate(15, &sp, base, limit, &gas) { return .halt(halt) }
            case .dup16:
                if let halt = StackWords.duplicate(16, &sp, base, limit, &gas) { return .halt(halt) }
            case .swap1:
                if let halt = StackWords.swap(1, sp, base, &gas) { return .halt(halt) }
            case .swap2:
                if let halt = StackWords.swap(2, sp, base, &gas) { return .halt(halt) }
            case .swap3:
                if let halt = StackWords.swap(3, sp, base, &gas) { return .halt(halt) }
            case .swap4:
                if let halt = StackWords.swap(4, sp, base, &gas) { return .halt(halt) }
            case .swap5:
                if let halt = StackWords.swap(5, sp, base, &gas) { return .halt(halt) }
            case .swap6:
                if let halt = StackWords.swap(6, sp, base, &gas) { return .halt(halt) }
            case .swap7:
                if let halt = StackWords.swap(7, sp, base, &gas) { return .halt(halt) }
            case .swap8:
                if let halt = StackWords.swap(8, sp, base, &gas) { return .halt(halt) }
            case .swap9:
                if let halt = StackWords.swap(9, sp, base, &gas) { return .halt(halt) }
            case .swap10:
                if let halt = StackWords.swap(10, sp, base, &gas) { return .halt(halt) }
            case .swap11:
                if let halt = StackWords.swap(11, sp, base, &gas) { return .halt(halt) }
            case .swap12:
                if let halt = StackWords.swap(12, sp, base, &gas) { return .halt(halt) }
            case .swap13:
                if let halt = StackWords.swap(13, sp, base, &gas) { return .halt(halt) }
            case .swap14:
                if let halt = StackWords.swap(14, sp, base, &gas) { return .halt(halt) }
            case .swap15:
                if let halt = StackWords.swap(15, sp, base, &gas) { return .halt(halt) }
            case .swap16:
                if let halt = StackWords.swap(16, sp, base, &gas) { return .halt(halt) }

            default:
                frame.pointee.ip = ip
                frame.pointee.sp = sp
                frame.pointee.gas = gas
                let exit = cold(ip[-1], frame)
                guard case .next = exit else { return exit }
                sp = frame.pointee.sp
                gas = frame.pointee.gas
                memory = frame.pointee.memory
                memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
            }
        }
    }

    /// Goes to a JUMPDEST and, unless each step is watched, past it: then there is one instruction less to dispatch.
    @inline(__always) private func jump(
        to target: U256, _ frame: UnsafeMutablePointer<Frame>, _ ip: inout UnsafePointer<UInt8>, _ gas: inout Int64
    ) -> HaltReason? {
        guard target.fitsUInt64, target.w0 < UInt64(UInt(bitPattern: frame.pointee.codeCount)),
            frame.pointee.jumpDestinations[Int(truncatingIfNeeded: target.w0 >> 6)] &>> (target.w0 & 63) & 1 == 1
        else { return .invalidJump }
        ip = frame.pointee.code + Int(truncatingIfNeeded: target.w0)
        if T.seesSteps { return nil }
        ip += 1
        gas &-= 1
        return gas < 0 ? .outOfGas : nil
    }

    /// True for an opcode that the fork does not have.
    @inline(never)
    private func lacks(_ opcode: UInt8) -> Bool { !rules.opcodes.contains(opcode) }

    /// CALLDATALOAD where the word is not wholly inside the input.
    @inline(never)
    static func wordPastEnd(_ frame: UnsafeMutablePointer<Frame>, _ offset: U256) -> U256 {
        guard let offset = offset.asInt, offset < frame.pointee.inputCount else { return .zero }
        var word = U256.zero
        let count = min(32, frame.pointee.inputCount - offset)
        for at in 0..<count {
            let byte = frame.pointee.input.load(fromByteOffset: offset + at, as: UInt8.self)
            word = word << 8 | U256(UInt64(byte))
        }
        return word << (8 * (32 - count))
    }

    @inline(never)
    func traceStep(_ frame: UnsafeMutablePointer<Frame>) {
        let f = frame.pointee
        tracer.step(
            TracedStep(
                programCounter: f.ip - f.code, opcode: f.ip.pointee, gas: f.gas, depth: depth, address: f.address,
                stack: UnsafeBufferPointer(start: f.stack, count: f.sp - f.stack),
                memory: UnsafeRawBufferPointer(start: f.memory, count: f.memorySize),
                returned: UnsafeRawBufferPointer(start: workspace.returned, count: workspace.returnedCount)))
    }

    /// Tells the tracer of a call that begins at `depth`.
    func traceEnter(
        _ kind: CallKind, from: Address, to: Address, value: U256, gas: Int64, _ depth: Int,
        _ input: UnsafeRawBufferPointer
    ) {
        guard T.seesCalls else { return }
        tracer.enter(
            TracedCall(kind: kind, from: from, to: to, value: value, gas: gas, depth: depth, input: Bytes(input)))
    }

    /// Tells the tracer of its end.
    func traceExit(_ exit: Exit, _ gasLeft: Int64, _ depth: Int) {
        guard T.seesCalls else { return }
        // An opcode that is none is met outside of the loop, with the frame's place written back.
        let faulty = exit == .halt(.invalidOpcode) ? (workspace.frames + depth).pointee.ip[-1] : nil
        tracer.exit(
            TracedEnd(
                exit: exit, gasLeft: gasLeft, depth: depth, output: workspace.returnedBytes, faultyOpcode: faulty))
    }

    /// Tells the tracer of a call or creation that was not begun, for its depth or for want of money.
    func traceRefused(
        _ kind: CallKind, from: Address, to: Address, value: U256, gas: Int64, _ input: UnsafeRawBufferPointer
    ) {
        guard T.seesCalls else { return }
        traceEnter(kind, from: from, to: to, value: value, gas: gas, depth + 1, input)
        let reason: HaltReason = depth < Limits.callDepthMaximum ? .insufficientBalance : .callDepthExceeded
        traceExit(.halt(reason), gas, depth + 1)
    }
}
