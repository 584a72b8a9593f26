// Every instruction with what stood before it, as debug_traceTransaction tells them without a named tracer. Bounded:
// what is past the limits is counted and left out.

import Ethereum

package struct OpcodeLogger: Tracer {
    package struct Options: Sendable {
        package var memory = false
        package var stack = true
        package var storage = true
        package var returnData = false
        /// Most entries; nil for as many as `Limits` allows.
        package var limit: Int?

        package init() {}
    }

    package struct Entry: Sendable {
        package let programCounter: Int
        package let opcode: UInt8
        package let gas: Int64
        package fileprivate(set) var gasCost: Int64 = 0
        /// 1 for the first frame.
        package let depth: Int
        /// Gas to be given back so far; of an SSTORE, with its own.
        package fileprivate(set) var refund: Int64 = 0
        /// Why the instruction was not begun.
        package fileprivate(set) var error: String?
        /// The top is last; nil when it was not asked for.
        package fileprivate(set) var stack: [U256]?
        package fileprivate(set) var memory: Bytes = []
        package fileprivate(set) var returnData: Bytes = []
        /// All slots of the account that SLOAD and SSTORE met so far, with this one; empty at other instructions.
        package fileprivate(set) var storage: [U256: U256] = [:]
    }

    /// The instruction of a frame that has not ended.
    private struct Open {
        /// Its position in `entries`; nil when it was left out.
        var entry: Int?
        let opcode: UInt8
        let gas: Int64
        /// What it asks for by its operands.
        let price: Int64
        let stackCount: Int
        /// Gas that went to a child and what came back.
        var lent: Int64 = 0
    }

    package static var seesSteps: Bool { true }
    package static var seesCalls: Bool { true }

    package private(set) var entries: [Entry] = []
    /// True when the limit on size, not one that was asked for, left entries out.
    package private(set) var isCut = false
    private var bytes = 0
    private var open: [Open] = []
    private var storage: [Address: [U256: U256]] = [:]
    private let options: Options
    private let journal: Journal
    private let prices: StepPrice

    package init(_ options: Options, journal: Journal, rules: RuleSet, precompiles: PrecompileSet) {
        self.options = options
        self.journal = journal
        prices = StepPrice(journal: journal, rules: rules, precompiles: precompiles)
    }

    package mutating func step(_ step: TracedStep) {
        if step.depth < open.count { close(step.depth, gasLeft: step.gas) }
        let price = prices.of(step)
        let entry = hasRoom ? record(step) : nil
        let now = Open(
            entry: entry, opcode: step.opcode, gas: step.gas, price: price, stackCount: step.stack.count)
        if step.depth < open.count { open[step.depth] = now } else { open.append(now) }
    }

    package mutating func enter(_ call: TracedCall) {
        guard call.depth > 0, call.kind == .create || call.kind == .create2 else { return }
        // What a creation gets is no part of CREATE's cost.
        open[call.depth - 1].lent -= call.gas
    }

    package mutating func exit(_ end: TracedEnd) {
        if end.depth < open.count {
            settle(end)
            open.removeLast(open.count - end.depth)
        }
        if end.depth > 0 { open[end.depth - 1].lent += end.gasLeft }
    }

    // MARK: Inside

    private var hasRoom: Bool {
        if let limit = options.limit, entries.count >= limit { return false }
        return !isCut
    }

    private mutating func record(_ step: TracedStep) -> Int? {
        var entry = Entry(
            programCounter: step.programCounter, opcode: step.opcode, gas: step.gas, depth: step.depth + 1)
        entry.refund = journal.refund
        if options.stack { entry.stack = Array(step.stack) }
        if options.memory { entry.memory = Bytes(step.memory) }
        if options.returnData { entry.returnData = Bytes(step.returned) }
        if options.storage { entry.storage = touched(step) }
        bytes += Self.size(entry)
        guard bytes <= Limits.tracedBytesMaximum else {
            isCut = true
            return nil
        }
        entries.append(entry)
        return entries.count - 1
    }

    /// About what an entry takes as text.
    private static func size(_ entry: Entry) -> Int {
        let words = (entry.stack ?? []).reduce(0) { $0 + 6 + 2 * $1.byteWidth }
        return 90 + words + entry.memory.count * 2 + entry.memory.count / 5 + 2 * entry.returnData.count
            + 140 * entry.storage.count
    }

    private mutating func touched(_ step: TracedStep) -> [U256: U256] {
        let count = step.stack.count
        if step.opcode == 0x54, count >= 1 {
            let key = step.stack[count - 1]
            storage[step.address, default: [:]][key] = journal.storage(step.address, key)
        } else if step.opcode == 0x55, count >= 2 {
            storage[step.address, default: [:]][step.stack[count - 1]] = step.stack[count - 2]
        } else {
            return [:]
        }
        return storage[step.address] ?? [:]
    }

    /// The instruction of a frame is done and the frame goes on.
    private mutating func close(_ depth: Int, gasLeft: Int64) {
        let instruction = open[depth]
        guard let at = instruction.entry else { return }
        entries[at].gasCost = instruction.gas - gasLeft + instruction.lent
        if instruction.opcode == 0x55 { entries[at].refund = journal.refund }
    }

    /// The frame ended in its last instruction, so that nothing tells what that one cost but its price.
    private mutating func settle(_ end: TracedEnd) {
        let instruction = open[end.depth]
        guard let at = instruction.entry else { return }
        entries[at].gasCost = instruction.price
        guard case .halt(let reason) = end.status else { return }
        let facts = OpcodeFacts.of(instruction.opcode)
        switch reason {
        case .outOfGas
        where instruction.opcode == 0x55 && prices.rules.storeRule.hasSentry && instruction.gas <= Gas.storeSentry:
            entries[at].error = "out of gas: not enough gas for reentrancy sentry"
        // Otherwise it was the code of a creation that could not be paid for, after its RETURN.
        case .outOfGas where instruction.price > instruction.gas: entries[at].error = "out of gas"
        case .initCodeTooLarge: entries[at].error = "out of gas: max initcode size exceeded"
        case .stackUnderflow:
            entries[at].gasCost = facts?.gas ?? 0
            entries[at].error = "stack underflow (\(instruction.stackCount) <=> \(facts?.inputs ?? 0))"
        case .stackOverflow:
            let most = Limits.stackWordsMaximum + (facts?.inputs ?? 0) - (facts?.outputs ?? 0)
            entries[at].gasCost = facts?.gas ?? 0
            entries[at].error = "stack limit reached \(instruction.stackCount) (\(most))"
        default: break
        }
    }
}
