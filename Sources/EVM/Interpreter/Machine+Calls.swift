// Calls, creations and SELFDESTRUCT: what they cost, when they are refused, and the frames that they push.

import Ethereum

/// A call that has been paid for.
struct CallRequest {
    let kind: CallKind
    /// Whose code runs; differs from `address` in CALLCODE and DELEGATECALL.
    let codeAddress: Address
    let address: Address
    let caller: Address
    let value: U256
    /// True where `value` goes from caller to address.
    let movesValue: Bool
    let gas: Int64
    /// In the arena.
    let inputOffset: Int
    let inputCount: Int
    /// The journal's positions of `codeAddress`, of `address`, and of who pays `value` where it moves.
    let codeAccount: Int32
    let account: Int32
    let payerAccount: Int32
    /// In the caller's memory.
    let outputOffset: Int
    let outputCount: Int
    let isStatic: Bool
}

struct CreateRequest {
    let creator: Address
    let address: Address
    let value: U256
    let gas: Int64
    let code: Code
    let kind: CallKind
}

enum Begun {
    /// A frame was pushed.
    case entered
    /// It is over already: a precompile, no code, or a collision.
    case done(Exit, Int64)
}

extension Machine {
    // MARK: Beginning

    func begin(_ call: CallRequest, memoryBase: Int) -> Begun {
        traceEnter(
            call.kind, from: call.kind == .delegateCall ? call.address : call.caller, to: call.codeAddress, value: call.value, gas: call.gas, depth + 1,
            UnsafeRawBufferPointer(start: workspace.arena + call.inputOffset, count: call.inputCount))
        let snapshot = journal.snapshot
        if call.movesValue { journal.transfer(call.value, from: call.payerAccount, to: call.account) }
        workspace.returnedCount = 0
        if let precompile = precompiles.find(call.codeAddress) {
            return done(run(precompile, call, snapshot))
        }
        let code = runnableCode(call.codeAccount)
        if code.count == 0 { return done((.stop, call.gas)) }
        push(code, memoryBase, snapshot, call, isCreation: false)
        return .entered
    }

    private func done(_ end: (exit: Exit, gasLeft: Int64)) -> Begun {
        traceExit(end.exit, end.gasLeft, depth + 1)
        return .done(end.exit, end.gasLeft)
    }

    /// The code that a call runs: the account's own, or that of the account it names (EIP-7702, one step only).
    private func runnableCode(_ account: Int32) -> Code {
        let code = journal.code(account)
        guard rules.hasDelegations, let delegate = code.delegate else { return code }
        return precompiles.contains(delegate) ? .empty : journal.code(journal.position(delegate))
    }

    private func run(_ precompile: Precompile, _ call: CallRequest, _ snapshot: Journal.Snapshot) -> (Exit, Int64) {
        let input = UnsafeRawBufferPointer(start: workspace.arena + call.inputOffset, count: call.inputCount)
        switch precompile.run(input, call.gas) {
        case .success(let output, let gas) where gas <= call.gas:
            workspace.setReturned(output)
            return (.stop, call.gas - gas)
        default:
            journal.revert(to: snapshot)
            return (.halt(.precompileFailed), 0)
        }
    }

    func begin(_ creation: CreateRequest, memoryBase: Int) -> Begun {
        traceEnter(
            creation.kind, from: creation.creator, to: creation.address, value: creation.value, gas: creation.gas,
            depth + 1, UnsafeRawBufferPointer(start: creation.code.start, count: creation.code.count))
        workspace.returnedCount = 0
        let account = journal.position(creation.address)
        if journal.hindersCreation(account) { return done((.halt(.createCollision), 0)) }
        let snapshot = journal.snapshot
        journal.markCreated(account)
        journal.setNonce(account, rules.startsAtNonceOne ? 1 : 0)
        let creator = journal.position(creation.creator)
        journal.transfer(creation.value, from: creator, to: account)
        if creation.code.count == 0 { return done((.stop, creation.gas)) }
        let call = CallRequest(
            kind: creation.kind, codeAddress: creation.address, address: creation.address, caller: creation.creator,
            value: creation.value, movesValue: true, gas: creation.gas, inputOffset: 0, inputCount: 0,
            codeAccount: account, account: account, payerAccount: creator, outputOffset: 0, outputCount: 0,
            isStatic: false)
        push(creation.code, memoryBase, snapshot, call, isCreation: true)
        return .entered
    }

    private func push(
        _ code: Code, _ memoryBase: Int, _ snapshot: Journal.Snapshot, _ call: CallRequest, isCreation: Bool
    ) {
        depth += 1
        assert(depth <= Limits.callDepthMaximum, "a frame too deep")
        workspace.codes[depth] = code
        let stack = workspace.stack(depth)
        let frame = Frame(
            ip: code.start, code: code.start, codeCount: code.count, jumpDestinations: code.jumpDestinations,
            stack: stack, sp: stack, gas: call.gas, memory: workspace.arena + memoryBase, memorySize: 0,
            memoryBase: memoryBase, input: UnsafeRawPointer(workspace.arena + call.inputOffset),
            inputOffset: call.inputOffset, inputCount: call.inputCount, address: call.address, caller: call.caller,
            value: call.value, account: call.account, isStatic: call.isStatic, isCreation: isCreation,
            snapshot: snapshot, outputOffset: call.outputOffset, outputCount: call.outputCount)
        (workspace.frames + depth).initialize(to: frame)
    }

    /// A child gets at most all but a 64th of the gas (EIP-150); before that rule all of it.
    private func mostPassedOn(_ gas: Int64) -> Int64 { rules.keepsOne64th ? gas - gas / 64 : gas }

    // MARK: CALL, CALLCODE, DELEGATECALL, STATICCALL

    func callOperation(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        let kind: CallKind =
            switch opcode {
            case 0xf1: .call
            case 0xf2: .callCode
            case 0xf4: .delegateCall
            default: .staticCall
            }
        let hasValue = kind == .call || kind == .callCode
        let operands = hasValue ? 7 : 6
        guard has(operands, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let rest = sp - operands
        let (outputCount, outputOffset, inputCount, inputOffset) = (rest[0], rest[1], rest[2], rest[3])
        let (requested, target) = (sp[-1], Address(truncating: sp[-2]))
        let value = hasValue ? sp[-3] : .zero
        if frame.pointee.isStatic, kind == .call, !value.isZero { return .halt(.staticViolation) }
        guard expand(frame, inputOffset, inputCount), expand(frame, outputOffset, outputCount) else {
            return .halt(.outOfGas)
        }
        let targetAccount = journal.position(target)
        guard charge(frame, callPrice(kind, targetAccount, target, value)) else { return .halt(.outOfGas) }
        frame.pointee.sp = rest
        let most = mostPassedOn(frame.pointee.gas)
        // Before EIP-150 asking for more than there is was the caller's end.
        if !rules.keepsOne64th, requested > U256(UInt64(most)) { return .halt(.outOfGas) }
        var gas = requested.fitsUInt64 && requested.w0 < UInt64(most) ? Int64(requested.w0) : most
        frame.pointee.gas -= gas
        if !value.isZero { gas += Gas.callStipend }
        workspace.returnedCount = 0
        guard depth < Limits.callDepthMaximum, value.isZero || journal.balance(frame.pointee.account) >= value else {
            frame.pointee.gas += gas
            let input = frame.pointee.memory + (inputCount.isZero ? 0 : Int(inputOffset.w0))
            traceRefused(
                kind, from: frame.pointee.address, to: target,
                value: kind == .delegateCall ? frame.pointee.value : value, gas: gas,
                UnsafeRawBufferPointer(start: input, count: Int(inputCount.w0)))
            push(frame, .zero)
            return .next
        }
        let keepsAddress = kind == .callCode || kind == .delegateCall
        let call = CallRequest(
            kind: kind, codeAddress: target, address: keepsAddress ? frame.pointee.address : target,
            caller: kind == .delegateCall ? frame.pointee.caller : frame.pointee.address,
            value: kind == .delegateCall ? frame.pointee.value : value, movesValue: !keepsAddress, gas: gas,
            inputOffset: inputCount.isZero ? 0 : frame.pointee.memoryBase + Int(inputOffset.w0),
            inputCount: Int(inputCount.w0), codeAccount: targetAccount,
            account: keepsAddress ? frame.pointee.account : targetAccount, payerAccount: frame.pointee.account,
            outputOffset: outputCount.isZero ? 0 : Int(outputOffset.w0), outputCount: Int(outputCount.w0),
            isStatic: frame.pointee.isStatic || kind == .staticCall)
        switch begin(call, memoryBase: frame.pointee.memoryBase + frame.pointee.memorySize) {
        case .entered: return .entered
        case .done(let exit, let gasLeft):
            frame.pointee.gas += gasLeft
            push(frame, exit == .stop ? .one : .zero)
            copyReturned(to: frame, call.outputOffset, call.outputCount)
            return .next
        }
    }

    private func callPrice(_ kind: CallKind, _ position: Int32, _ target: Address, _ value: U256) -> Int64 {
        guard rules.hasAccessPrices else { return callPriceEarly(kind, position, value) }
        var price = accessPrice(position, target)
        if !value.isZero {
            price += Gas.callValue
            if kind == .call, journal.isEmpty(position) { price += Gas.newAccount }
        }
        if rules.hasDelegations, let delegate = journal.code(position).delegate {
            price += accessPrice(journal.position(delegate), delegate)
        }
        return price
    }

    // MARK: CREATE, CREATE2

    func createOperation(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard !frame.pointee.isStatic else { return .halt(.staticViolation) }
        let isSalted = opcode == 0xf5
        let operands = isSalted ? 4 : 3
        guard has(operands, frame) else { return .halt(.stackUnderflow) }
        let sp = frame.pointee.sp
        let (value, offset, count) = (sp[-1], sp[-2], sp[-3])
        guard count <= U256(UInt64(rules.initCodeBytesMaximum)) else { return .halt(.initCodeTooLarge) }
        let initCodeWord = rules.transactions.contains(.meteredInitCode) ? Gas.initCodeWord : 0
        guard count.w0 < Limits.memoryOffsetMaximum else { return .halt(.outOfGas) }
        let price = Gas.create + (initCodeWord + (isSalted ? Gas.keccakWord : 0)) * Self.words(count)
        guard expand(frame, offset, count), charge(frame, price) else { return .halt(.outOfGas) }
        frame.pointee.sp = sp - operands
        workspace.returnedCount = 0
        let creator = frame.pointee.account
        let nonce = journal.accounts[creator].pointee.nonce
        guard depth < Limits.callDepthMaximum, journal.balance(creator) >= value, nonce < .max else {
            // Nobody is told the address of what does not come to be.
            traceRefused(
                isSalted ? .create2 : .create, from: frame.pointee.address, to: .zero, value: value,
                gas: mostPassedOn(frame.pointee.gas),
                UnsafeRawBufferPointer(
                    start: frame.pointee.memory + (count.isZero ? 0 : Int(offset.w0)), count: Int(count.w0)))
            push(frame, .zero)
            return .next
        }
        let gas = mostPassedOn(frame.pointee.gas)
        frame.pointee.gas -= gas
        journal.setNonce(creator, nonce + 1)
        let start = count.isZero ? 0 : Int(offset.w0)
        let bytes = UnsafeRawBufferPointer(start: frame.pointee.memory + start, count: Int(count.w0))
        let address =
            isSalted
            ? Address.created(
                by: frame.pointee.address, salt: Hash32(sp[-4]), initCodeHash: keccak256(bytes))
            : Address.created(by: frame.pointee.address, nonce: nonce)
        _ = journal.warm(journal.position(address))
        let creation = CreateRequest(
            creator: frame.pointee.address, address: address, value: value, gas: gas, code: Code(copying: bytes),
            kind: isSalted ? .create2 : .create)
        switch begin(creation, memoryBase: frame.pointee.memoryBase + frame.pointee.memorySize) {
        case .entered: return .entered
        case .done(let exit, let gasLeft):
            frame.pointee.gas += gasLeft
            push(frame, exit == .stop ? address.word : .zero)
            return .next
        }
    }

    // MARK: SELFDESTRUCT

    func selfDestruct(_ frame: UnsafeMutablePointer<Frame>) -> Exit {
        guard !frame.pointee.isStatic else { return .halt(.staticViolation) }
        guard has(1, frame) else { return .halt(.stackUnderflow) }
        let heir = Address(truncating: frame.pointee.sp[-1])
        let position = journal.position(heir)
        let own = frame.pointee.account
        let balance = journal.balance(own)
        var price = Gas.selfDestruct
        if rules.hasAccessPrices {
            if accessPrice(position, heir) == Gas.coldAccount { price += Gas.coldAccount }
            if !balance.isZero, journal.isEmpty(position) { price += Gas.newAccount }
        } else {
            price = selfDestructPriceEarly(position, receives: !balance.isZero)
        }
        guard charge(frame, price) else { return .halt(.outOfGas) }
        if rules.selfDestructRefund > 0, !journal.isDestroyed(own) { journal.refund += rules.selfDestructRefund }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        workspace.returnedCount = 0
        traceEnter(.selfDestruct, from: frame.pointee.address, to: heir, value: balance, gas: 0, depth + 1, none)
        traceExit(.stop, 0, depth + 1)
        let removes = !rules.destroysOnlyNewAccounts || journal.isCreated(own)
        if position != own {
            journal.transfer(balance, from: own, to: position)
        } else if removes {
            journal.setBalance(own, .zero)
        }
        if removes { journal.markDestroyed(own) }
        return .stop
    }
}
