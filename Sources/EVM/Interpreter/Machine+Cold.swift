// Opcodes out of the loop: rare ones, and those that read the journal. Each one works on the frame in memory.

import Ethereum

extension Machine {
    @inline(never)
    func cold(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        switch opcode {
        case 0x0a: exponentiate(frame)
        case 0x1e: leadingZeros(frame)
        case 0x20: hash(frame)
        case 0x31, 0x3b, 0x3f: inspectAccount(opcode, frame)
        case 0x32, 0x38, 0x3a, 0x3d, 0x41...0x46, 0x48, 0x4a: constant(opcode, frame)
        case 0x37, 0x39, 0x3e: copyBytes(opcode, frame)
        case 0x3c: copyAccountCode(frame)
        case 0x40: blockHash(frame)
        case 0x47: ownBalance(frame)
        case 0x49: blobHash(frame)
        case 0x54: load(frame)
        case 0x55: store(frame)
        case 0x5c: loadTransient(frame)
        case 0x5d: storeTransient(frame)
        case 0x5e: moveMemory(frame)
        case 0xa0...0xa4: log(Int(opcode - 0xa0), frame)
        case 0xf0, 0xf5: createOperation(opcode, frame)
        case 0xf1, 0xf2, 0xf4, 0xfa: callOperation(opcode, frame)
        case 0xf3: end(.output, frame)
        case 0xfd: end(.revert, frame)
        case 0xff: selfDestruct(frame)
        default: .halt(.invalidOpcode)
        }
    }

    /// True when so many words are on the stack.
    @inline(__always) func has(_ count: Int, _ frame: UnsafeMutablePointer<Frame>) -> Bool {
        frame.pointee.sp - frame.pointee.stack >= count
    }

    @inline(__always) private func hasRoom(_ frame: UnsafeMutablePointer<Frame>) -> Bool {
        frame.pointee.sp - frame.pointee.stack < Limits.stackWordsMaximum
    }

    private func exponentiate(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(2, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let price = Gas.exponentiation + rules.exponentByte * Int64(sp[-2].byteWidth)
        guard charge(frame, price) else { return .halt(.outOfGas) }
        sp[-2] = sp[-1].raised(to: sp[-2])
        frame.pointee.sp = sp - 1
        return .next
    }

    private func leadingZeros(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard rules.hasLeadingZeros else { return .halt(.invalidOpcode) }
        guard has(1, frame) else { return .halt(.stackUnderflow) }
        guard charge(frame, Gas.leadingZeros) else { return .halt(.outOfGas) }
        frame.pointee.sp[-1] = U256(UInt64(256 - frame.pointee.sp[-1].bitWidth))
        return .next
    }

    private func hash(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(2, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let (offset, count) = (sp[-1], sp[-2])
        guard expand(frame, offset, count), charge(frame, Gas.keccak + Gas.keccakWord * Self.words(count)) else {
            return .halt(.outOfGas)
        }
        let start = count.isZero ? 0 : Int(offset.w0)
        let bytes = UnsafeRawBufferPointer(start: frame.pointee.memory + start, count: Int(count.w0))
        sp[-2] = keccak256(bytes).word
        frame.pointee.sp = sp - 1
        return .next
    }

    // MARK: Environment

    private func constant(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        if opcode == 0x4a, !rules.hasCancunOpcodes { return .halt(.invalidOpcode) }
        guard hasRoom(frame) else { return .halt(.stackOverflow) }
        guard charge(frame, 2) else { return .halt(.outOfGas) }
        let word: U256 =
            switch opcode {
            case 0x32: environment.origin
            case 0x38: U256(UInt64(frame.pointee.codeCount))
            case 0x3a: environment.gasPrice
            case 0x3d: U256(UInt64(workspace.returnedCount))
            case 0x41: environment.coinbase
            case 0x42: environment.timestamp
            case 0x43: U256(environment.number)
            case 0x44: environment.prevRandao
            case 0x45: environment.gasLimit
            case 0x46: environment.chainID
            case 0x48: environment.baseFee
            default: environment.blobBaseFee
            }
        push(frame, word)
        return .next
    }

    private func blockHash(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(1, frame) else { return .halt(.stackUnderflow) }
        guard charge(frame, Gas.blockHash) else { return .halt(.outOfGas) }
        let asked = frame.pointee.sp[-1]
        let isKept =
            asked.fitsUInt64 && asked.w0 < environment.number
            && environment.number - asked.w0 <= Limits.blockHashesKept
        frame.pointee.sp[-1] = isKept ? journal.reader.blockHash(asked.w0).word : .zero
        return .next
    }

    private func blobHash(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard rules.hasCancunOpcodes else { return .halt(.invalidOpcode) }
        guard has(1, frame) else { return .halt(.stackUnderflow) }
        guard charge(frame, 3) else { return .halt(.outOfGas) }
        let index = frame.pointee.sp[-1].asInt ?? .max
        frame.pointee.sp[-1] = index < blobHashes.count ? blobHashes[index].word : .zero
        return .next
    }

    // MARK: Accounts

    /// The price of touching an account, which is warm from then on (EIP-2929). Precompiles are always warm.
    func accessPrice(_ position: Int32, _ address: Address) -> Int64 {
        journal.warm(position) && !warmPrecompiles.contains(address) ? Gas.coldAccount : Gas.warmAccess
    }

    private func inspectAccount(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(1, frame) else { return .halt(.stackUnderflow) }
        let address = Address(truncating: frame.pointee.sp[-1])
        let position = journal.position(address)
        let price = rules.hasAccessPrices ? accessPrice(position, address) : rules.early.inspection(opcode)
        guard charge(frame, price) else { return .halt(.outOfGas) }
        frame.pointee.sp[-1] =
            switch opcode {
            case 0x31: journal.balance(position)
            case 0x3b: U256(UInt64(journal.code(position).count))
            default: journal.isEmpty(position) ? .zero : journal.accounts[position].pointee.codeHash.word
            }
        return .next
    }

    private func ownBalance(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard hasRoom(frame) else { return .halt(.stackOverflow) }
        guard charge(frame, 5) else { return .halt(.outOfGas) }
        push(frame, journal.balance(frame.pointee.account))
        return .next
    }

    private func copyAccountCode(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(4, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let (target, offset, count) = (sp[-2], sp[-3], sp[-4])
        let address = Address(truncating: sp[-1])
        guard expand(frame, target, count), charge(frame, Gas.copyWord * Self.words(count)) else {
            return .halt(.outOfGas)
        }
        let position = journal.position(address)
        let price = rules.hasAccessPrices ? accessPrice(position, address) : rules.early.code
        guard charge(frame, price) else { return .halt(.outOfGas) }
        let code = journal.code(position)
        copy(UnsafeRawPointer(code.start), code.count, from: offset, to: target, count: count, frame)
        withExtendedLifetime(code) {}
        frame.pointee.sp = sp - 4
        return .next
    }

    // MARK: Copies

    private func copyBytes(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(3, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let (target, offset, count) = (sp[-1], sp[-2], sp[-3])
        guard expand(frame, target, count), charge(frame, 3 + Gas.copyWord * Self.words(count)) else {
            return .halt(.outOfGas)
        }
        switch opcode {
        case 0x37: copy(frame.pointee.input, frame.pointee.inputCount, from: offset, to: target, count: count, frame)
        case 0x39:
            let code = UnsafeRawPointer(frame.pointee.code)
            copy(code, frame.pointee.codeCount, from: offset, to: target, count: count, frame)
        default:
            let (end, overflow) = offset.addingReportingOverflow(count)
            guard !overflow, end <= U256(UInt64(workspace.returnedCount)) else {
                return .halt(.returnDataOutOfBounds)
            }
            copy(workspace.returned, workspace.returnedCount, from: offset, to: target, count: count, frame)
        }
        frame.pointee.sp = sp - 3
        return .next
    }

    private func moveMemory(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard rules.hasCancunOpcodes else { return .halt(.invalidOpcode) }
        guard has(3, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let (target, source, count) = (sp[-1], sp[-2], sp[-3])
        guard expand(frame, max(target, source), count), charge(frame, 3 + Gas.copyWord * Self.words(count)) else {
            return .halt(.outOfGas)
        }
        if !count.isZero {
            let memory = frame.pointee.memory
            (memory + Int(target.w0)).copyMemory(from: memory + Int(source.w0), byteCount: Int(count.w0))
        }
        frame.pointee.sp = sp - 3
        return .next
    }

    /// RETURN and REVERT.
    private func end(_ exit: Exit, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard has(2, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        guard expand(frame, sp[-1], sp[-2]) else { return .halt(.outOfGas) }
        frame.pointee.resultCount = Int(sp[-2].w0)
        frame.pointee.resultOffset = sp[-2].isZero ? 0 : Int(sp[-1].w0)
        return exit
    }
}
