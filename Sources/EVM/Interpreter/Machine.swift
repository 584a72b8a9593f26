// Runs one message to its end over an explicit stack of frames: native stack use does not grow with call depth.
// The loop is Machine+Loop.swift; what is rare, or calls the journal, is in the other extensions.

import Ethereum

/// What the machine runs for one transaction. Words, so that the loop only copies them.
struct MachineEnvironment: BitwiseCopyable {
    let origin: U256
    let gasPrice: U256
    let coinbase: U256
    let timestamp: U256
    let number: UInt64
    let prevRandao: U256
    let gasLimit: U256
    let chainID: U256
    let baseFee: U256
    let blobBaseFee: U256

    init(origin: Address, gasPrice: U256, block: BlockEnvironment) {
        self.origin = origin.word
        self.gasPrice = gasPrice
        coinbase = block.coinbase.word
        timestamp = U256(block.timestamp)
        number = block.number
        prevRandao = block.prevRandao.word
        gasLimit = U256(block.gasLimit)
        chainID = U256(block.chainID)
        baseFee = block.baseFee
        blobBaseFee = block.blobBaseFee
    }
}

/// What a message came to.
struct MessageOutcome {
    var exit: Exit
    var gasLeft: Int64
    var created: Address?

    var succeeded: Bool { exit == .stop || exit == .output }
}

final class Machine<T: Tracer> {
    let workspace: Workspace
    let journal: Journal
    let rules: RuleSet
    let precompiles: PrecompileSet
    let warmPrecompiles: PrecompileSet
    let environment: MachineEnvironment
    let blobHashes: [Hash32]
    /// The index of the frame on top; -1 when none runs.
    @exclusivity(unchecked) var depth = -1
    @exclusivity(unchecked) var tracer: T

    init(
        workspace: Workspace, journal: Journal, rules: RuleSet, precompiles: PrecompileSet,
        warmPrecompiles: PrecompileSet, environment: MachineEnvironment, blobHashes: [Hash32], tracer: T
    ) {
        self.workspace = workspace
        self.journal = journal
        self.rules = rules
        self.precompiles = precompiles
        self.warmPrecompiles = warmPrecompiles
        self.environment = environment
        self.blobHashes = blobHashes
        self.tracer = tracer
    }

    /// Runs a call from outside; its output is the workspace's return data.
    func call(from caller: Address, to address: Address, value: U256, input: Bytes, gas: Int64) -> MessageOutcome {
        guard place(input) else { return MessageOutcome(exit: .halt(.outOfGas), gasLeft: 0) }
        let account = journal.position(address)
        let call = CallRequest(
            kind: .call, codeAddress: address, address: address, caller: caller, value: value, movesValue: true,
            gas: gas, inputOffset: 0, inputCount: input.count, codeAccount: account, account: account,
            payerAccount: journal.position(caller), outputOffset: 0, outputCount: 0, isStatic: false)
        switch begin(call, memoryBase: Self.aligned(input.count)) {
        case .entered: return run()
        case .done(let exit, let gasLeft): return MessageOutcome(exit: exit, gasLeft: gasLeft)
        }
    }

    /// Runs a creation from outside. The creator's nonce has been raised already.
    func create(from creator: Address, at address: Address, value: U256, initCode: Bytes, gas: Int64) -> MessageOutcome
    {
        let code = Code(initCode)
        let creation = CreateRequest(
            creator: creator, address: address, value: value, gas: gas, code: code, kind: .create)
        switch begin(creation, memoryBase: 0) {
        case .entered:
            var outcome = run()
            outcome.created = outcome.succeeded ? address : nil
            return outcome
        case .done(let exit, let gasLeft): return MessageOutcome(exit: exit, gasLeft: gasLeft)
        }
    }

    /// Puts the input at the front of the arena, where the first frame's calldata is.
    private func place(_ input: Bytes) -> Bool {
        guard workspace.reserve(Self.aligned(input.count) + 4096, keeping: 0) else { return false }
        input.withUnsafeBytes { buffer in
            if let base = buffer.baseAddress, buffer.count > 0 {
                workspace.arena.copyMemory(from: base, byteCount: buffer.count)
            }
        }
        return true
    }

    static func aligned(_ count: Int) -> Int { (count + 31) & ~31 }

    /// Runs frames until the first one ends.
    private func run() -> MessageOutcome {
        while true {
            let exit = interpret(workspace.frames + depth)
            if exit == .entered { continue }
            if let outcome = finish(exit) { return outcome }
        }
    }

    /// Ends the frame on top and hands its result to its parent; returns the outcome when there is no parent.
    @inline(never)
    private func finish(_ end: Exit) -> MessageOutcome? {
        let frame = workspace.frames + depth
        var exit = end
        if frame.pointee.isCreation, exit == .stop || exit == .output { exit = deposit(frame, exit) }
        var gasLeft = frame.pointee.gas
        switch exit {
        case .output, .revert:
            let count = frame.pointee.resultCount
            if count > 0 {
                workspace.setReturned(frame.pointee.memory + frame.pointee.resultOffset, count)
            } else {
                workspace.returnedCount = 0
            }
            if exit == .revert { journal.revert(to: frame.pointee.snapshot) }
        case .stop: workspace.returnedCount = 0
        default:
            workspace.returnedCount = 0
            journal.revert(to: frame.pointee.snapshot)
            gasLeft = 0
        }
        traceExit(exit, gasLeft, depth)
        workspace.codes[depth] = nil
        depth -= 1
        guard depth >= 0 else { return MessageOutcome(exit: exit, gasLeft: gasLeft) }
        resume(workspace.frames + depth, after: frame, exit, gasLeft)
        return nil
    }

    /// Puts a child's result where its parent expects it.
    private func resume(
        _ parent: UnsafeMutablePointer<Frame>, after child: UnsafeMutablePointer<Frame>, _ exit: Exit, _ gasLeft: Int64
    ) {
        refresh(parent)
        parent.pointee.gas += gasLeft
        let succeeded = exit == .stop || exit == .output
        if child.pointee.isCreation {
            push(parent, succeeded ? child.pointee.address.word : .zero)
            if succeeded { workspace.returnedCount = 0 }
        } else {
            push(parent, succeeded ? .one : .zero)
            copyReturned(to: parent, child.pointee.outputOffset, child.pointee.outputCount)
        }
    }

    /// Copies as much of the return data as fits into the range that a call named.
    func copyReturned(to frame: UnsafeMutablePointer<Frame>, _ offset: Int, _ count: Int) {
        let copied = min(count, workspace.returnedCount)
        if copied > 0 { (frame.pointee.memory + offset).copyMemory(from: workspace.returned, byteCount: copied) }
    }

    /// Takes the arena's present place into a frame.
    func refresh(_ frame: UnsafeMutablePointer<Frame>) {
        frame.pointee.memory = workspace.arena + frame.pointee.memoryBase
        frame.pointee.input = UnsafeRawPointer(workspace.arena + frame.pointee.inputOffset)
    }

    @inline(__always) func push(_ frame: UnsafeMutablePointer<Frame>, _ word: U256) {
        frame.pointee.sp.pointee = word
        frame.pointee.sp += 1
    }

    /// Stores the code that init code returned (EIP-2, EIP-170, EIP-3541), or says why it cannot.
    private func deposit(_ frame: UnsafeMutablePointer<Frame>, _ exit: Exit) -> Exit {
        let count = exit == .output ? frame.pointee.resultCount : 0
        guard count <= rules.codeBytesMaximum else { return .halt(.codeTooLarge) }
        let bytes = UnsafeRawBufferPointer(start: frame.pointee.memory + frame.pointee.resultOffset, count: count)
        if count > 0, bytes[0] == 0xef, rules.refusesEFCode { return .halt(.codeBeginsWithEF) }
        let price = Gas.codeDepositByte * Int64(count)
        guard frame.pointee.gas >= price else {
            guard !rules.requiresCodeDeposit else { return .halt(.outOfGas) }
            // Frontier: the account stays, without code and with the gas that was left.
            frame.pointee.resultCount = 0
            return .stop
        }
        frame.pointee.gas -= price
        if count > 0 { journal.setCode(frame.pointee.account, Code(copying: bytes), hash: keccak256(bytes)) }
        return exit
    }
}
