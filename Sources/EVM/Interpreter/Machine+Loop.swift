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
            let opcode = ip.pointee
            if T.seesSteps {
                frame.pointee.ip = ip
                frame.pointee.sp = sp
                frame.pointee.gas = gas
                traceStep(frame)
            }
            ip += 1
            switch opcode {
            case 0x00:  // STOP
                frame.pointee.gas = gas
                return .stop

            // Arithmetic
            case 0x01:  // ADD
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] &+ sp[-1]
            case 0x02:  // MUL
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] &* sp[-1]
            case 0x03:  // SUB
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] &- sp[-1]
            case 0x04:  // DIV
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].dividing(by: sp[-1])
            case 0x05:  // SDIV
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].signedDividing(by: sp[-1])
            case 0x06:  // MOD
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].remainder(dividingBy: sp[-1])
            case 0x07:  // SMOD
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0].signedRemainder(dividingBy: sp[-1])
            case 0x08:  // ADDMOD
                gas &-= 8
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 3 { return .halt(.stackUnderflow) }
                sp -= 2
                sp[-1] = sp[1].sum(sp[0], modulo: sp[-1])
            case 0x09:  // MULMOD
                gas &-= 8
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 3 { return .halt(.stackUnderflow) }
                sp -= 2
                sp[-1] = sp[1].product(sp[0], modulo: sp[-1])
            case 0x0b:  // SIGNEXTEND
                gas &-= 5
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[-1].signExtended(from: sp[0])

            // Comparison and bits
            case 0x10:  // LT
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[0] < sp[-1] ? 1 : 0 as UInt64)
            case 0x11:  // GT
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[-1] < sp[0] ? 1 : 0 as UInt64)
            case 0x12:  // SLT
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[0].isLessSigned(than: sp[-1]) ? 1 : 0 as UInt64)
            case 0x13:  // SGT
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256(sp[-1].isLessSigned(than: sp[0]) ? 1 : 0 as UInt64)
            case 0x14:  // EQ
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = U256((sp[0] ^ sp[-1]).isZero ? 1 : 0 as UInt64)
            case 0x15:  // ISZERO
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp[-1] = U256(sp[-1].isZero ? 1 : 0 as UInt64)
            case 0x16:  // AND
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] & sp[-1]
            case 0x17:  // OR
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] | sp[-1]
            case 0x18:  // XOR
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[0] ^ sp[-1]
            case 0x19:  // NOT
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp[-1] = ~sp[-1]
            case 0x1a:  // BYTE
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                sp[-1] = sp[-1].byte(at: sp[0])
            case 0x1b:  // SHL
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                let amount = sp[0]
                sp[-1] = amount.fitsUInt64 && amount.w0 < 256 ? sp[-1] << Int(amount.w0) : .zero
            case 0x1c:  // SHR
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                let amount = sp[0]
                sp[-1] = amount.fitsUInt64 && amount.w0 < 256 ? sp[-1] >> Int(amount.w0) : .zero
            case 0x1d:  // SAR
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 1
                let amount = sp[0]
                sp[-1] = sp[-1].shiftedRightSigned(by: amount.fitsUInt64 && amount.w0 < 255 ? Int(amount.w0) : 255)

            // The message
            case 0x30:  // ADDRESS
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = frame.pointee.address.word
                sp += 1
            case 0x33:  // CALLER
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = frame.pointee.caller.word
                sp += 1
            case 0x34:  // CALLVALUE
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = frame.pointee.value
                sp += 1
            case 0x35:  // CALLDATALOAD
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
            case 0x36:  // CALLDATASIZE
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(UInt64(UInt(bitPattern: frame.pointee.inputCount)))
                sp += 1

            // Stack, memory, control
            case 0x50:  // POP
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp -= 1
            case 0x51:  // MLOAD
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                let offset = sp[-1]
                if !(offset.fitsUInt64 && offset.w0 < memorySize && memorySize &- offset.w0 >= 32) {
                    frame.pointee.gas = gas
                    guard expand(frame, offset, 32) else { return .halt(.outOfGas) }
                    gas = frame.pointee.gas
                    memory = frame.pointee.memory
                    memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
                }
                sp[-1] = U256(bigEndianAt: memory + Int(truncatingIfNeeded: offset.w0))
            case 0x52:  // MSTORE
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 2
                let offset = sp[1]
                if !(offset.fitsUInt64 && offset.w0 < memorySize && memorySize &- offset.w0 >= 32) {
                    frame.pointee.gas = gas
                    guard expand(frame, offset, 32) else { return .halt(.outOfGas) }
                    gas = frame.pointee.gas
                    memory = frame.pointee.memory
                    memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
                }
                sp[0].storeBigEndian(to: memory + Int(truncatingIfNeeded: offset.w0))
            case 0x53:  // MSTORE8
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 2
                let offset = sp[1]
                if !(offset.fitsUInt64 && offset.w0 < memorySize) {
                    frame.pointee.gas = gas
                    guard expand(frame, offset, 1) else { return .halt(.outOfGas) }
                    gas = frame.pointee.gas
                    memory = frame.pointee.memory
                    memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
                }
                memory.storeBytes(
                    of: UInt8(truncatingIfNeeded: sp[0].w0), toByteOffset: Int(truncatingIfNeeded: offset.w0),
                    as: UInt8.self)
            case 0x56:  // JUMP
                gas &-= 8
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 1 { return .halt(.stackUnderflow) }
                sp -= 1
                let target = sp[0]
                guard target.fitsUInt64, target.w0 < UInt64(UInt(bitPattern: frame.pointee.codeCount)),
                    frame.pointee.jumpDestinations[Int(truncatingIfNeeded: target.w0 >> 6)]
                        &>> (target.w0 & 63) & 1 == 1
                else { return .halt(.invalidJump) }
                ip = frame.pointee.code + Int(truncatingIfNeeded: target.w0)
            case 0x57:  // JUMPI
                gas &-= 10
                if gas < 0 { return .halt(.outOfGas) }
                if sp < base + 2 { return .halt(.stackUnderflow) }
                sp -= 2
                if !sp[0].isZero {
                    let target = sp[1]
                    guard target.fitsUInt64, target.w0 < UInt64(UInt(bitPattern: frame.pointee.codeCount)),
                        frame.pointee.jumpDestinations[Int(truncatingIfNeeded: target.w0 >> 6)]
                            &>> (target.w0 & 63) & 1 == 1
                    else { return .halt(.invalidJump) }
                    ip = frame.pointee.code + Int(truncatingIfNeeded: target.w0)
                }
            case 0x58:  // PC
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(UInt64(UInt(bitPattern: ip - frame.pointee.code &- 1)))
                sp += 1
            case 0x59:  // MSIZE
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(memorySize)
                sp += 1
            case 0x5a:  // GAS
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(UInt64(bitPattern: gas))
                sp += 1
            case 0x5b:  // JUMPDEST
                gas &-= 1
                if gas < 0 { return .halt(.outOfGas) }

            // PUSH, DUP, SWAP
            case 0x5f:  // PUSH0
                gas &-= 2
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = .zero
                sp += 1
            case 0x60:  // PUSH1
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(UInt64(ip.pointee))
                sp += 1
                ip += 1
            case 0x61:  // PUSH2
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                let value = UnsafeRawPointer(ip).loadUnaligned(as: UInt16.self)
                sp[0] = U256(UInt64(UInt16(bigEndian: value)))
                sp += 1
                ip += 2
            case 0x62...0x67:  // PUSH3 to PUSH8
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                let count = UInt64(opcode &- 0x5f)
                let value = UInt64(bigEndian: UnsafeRawPointer(ip).loadUnaligned(as: UInt64.self))
                sp[0] = U256(value &>> (64 &- 8 &* count))
                sp += 1
                ip += Int(truncatingIfNeeded: count)
            case 0x68...0x7e:  // PUSH9 to PUSH31
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                let count = Int(opcode &- 0x5f)
                sp[0] = U256(bigEndianAt: ip) >> (256 &- 8 &* count)
                sp += 1
                ip += count
            case 0x7f:  // PUSH32
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = U256(bigEndianAt: ip)
                sp += 1
                ip += 32
            case 0x80...0x8f:  // DUP1 to DUP16
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                let from = sp - Int(opcode &- 0x7f)
                if from < base { return .halt(.stackUnderflow) }
                if sp == limit { return .halt(.stackOverflow) }
                sp[0] = from.pointee
                sp += 1
            case 0x90...0x9f:  // SWAP1 to SWAP16
                gas &-= 3
                if gas < 0 { return .halt(.outOfGas) }
                let with = sp - Int(opcode &- 0x8e)
                if with < base { return .halt(.stackUnderflow) }
                let top = sp[-1]
                sp[-1] = with.pointee
                with.pointee = top

            default:
                frame.pointee.ip = ip
                frame.pointee.sp = sp
                frame.pointee.gas = gas
                let exit = cold(opcode, frame)
                if exit != .next { return exit }
                sp = frame.pointee.sp
                gas = frame.pointee.gas
                memory = frame.pointee.memory
                memorySize = UInt64(UInt(bitPattern: frame.pointee.memorySize))
            }
        }
    }

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
                memory: UnsafeRawBufferPointer(start: f.memory, count: f.memorySize)))
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
        tracer.exit(TracedEnd(exit: exit, gasLeft: gasLeft, depth: depth, output: workspace.returnedBytes))
    }
}
