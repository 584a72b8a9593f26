// What may watch the machine. The loop is compiled once for each tracer of this module, so that NoTracer costs nothing.

import Ethereum

/// Sees what a machine does. Nothing it does can change the outcome.
package protocol Tracer {
    /// False leaves `step` out of the loop.
    static var seesSteps: Bool { get }
    /// False leaves out `enter` and `exit`.
    static var seesCalls: Bool { get }
    /// False leaves out `log`.
    static var seesLogs: Bool { get }
    /// True where the fork may lack an opcode that the loop does by itself: it asks the rules then.
    static var asksForOpcodes: Bool { get }
    /// Before each instruction.
    mutating func step(_ step: TracedStep)
    /// A call or creation begins; exactly one `exit` follows for it.
    mutating func enter(_ call: TracedCall)
    mutating func exit(_ end: TracedEnd)
    /// A log was written; `index` counts the transaction's logs that are not taken back so far.
    mutating func log(_ log: Log, index: Int)
    /// The transaction has ended and its fees are paid; what it did stands in the journal for the last time.
    mutating func end()
}

extension Tracer {
    package static var seesLogs: Bool { false }
    package static var asksForOpcodes: Bool { false }
    @inline(__always) package mutating func log(_ log: Log, index: Int) {}
    @inline(__always) package mutating func end() {}
}

package enum CallKind: String, Sendable, Hashable {
    case call = "CALL"
    case callCode = "CALLCODE"
    case delegateCall = "DELEGATECALL"
    case staticCall = "STATICCALL"
    case create = "CREATE"
    case create2 = "CREATE2"
    case selfDestruct = "SELFDESTRUCT"
}

/// The machine before an instruction. The pointers are good during the call only.
package struct TracedStep {
    package let programCounter: Int
    package let opcode: UInt8
    package let gas: Int64
    /// 0 for the first frame.
    package let depth: Int
    package let address: Address
    /// The top is last.
    package let stack: UnsafeBufferPointer<U256>
    package let memory: UnsafeRawBufferPointer
    /// What the last call of this frame returned.
    package let returned: UnsafeRawBufferPointer
}

package struct TracedCall {
    package let kind: CallKind
    package let from: Address
    package let to: Address
    package let value: U256
    package let gas: Int64
    package let depth: Int
    /// Calldata, or the init code of a creation.
    package let input: Bytes
}

package struct TracedEnd {
    package let status: ExecutionStatus
    package let gasLeft: Int64
    package let depth: Int
    package let output: Bytes
    /// The opcode that is none, where the status says so.
    package let faultyOpcode: UInt8?

    init(exit: Exit, gasLeft: Int64, depth: Int, output: Bytes, faultyOpcode: UInt8?) {
        switch exit {
        case .revert: status = .revert
        case .halt(let reason): status = .halt(reason)
        case .next, .entered, .stop, .output: status = .success
        }
        self.gasLeft = gasLeft
        self.depth = depth
        self.output = output
        self.faultyOpcode = faultyOpcode
    }
}

/// Watches nothing.
package struct NoTracer: Tracer {
    package static var seesSteps: Bool { false }
    package static var seesCalls: Bool { false }
    package init() {}
    @inline(__always) package mutating func step(_ step: TracedStep) {}
    @inline(__always) package mutating func enter(_ call: TracedCall) {}
    @inline(__always) package mutating func exit(_ end: TracedEnd) {}
}
