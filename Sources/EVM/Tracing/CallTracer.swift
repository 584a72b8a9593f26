// The list of calls of a transaction, as debug_traceTransaction's callTracer tells them.

import Ethereum

package struct CallTracer: Tracer {
    /// A log inside of a call.
    package struct CallLog: Sendable, Hashable {
        package let log: Log
        /// Among the logs of the block.
        package let index: Int
        /// How many calls of its own the call had made by then.
        package let position: Int
    }

    /// One call, in the order in which calls began.
    package struct Call: Sendable, Hashable {
        package let kind: CallKind
        package let from: Address
        package let to: Address
        /// Wei.
        package let value: U256
        package let gas: Int64
        package let input: Bytes
        /// 0 for the transaction's own; a call's parent is the last one before it with a depth of one less.
        package let depth: Int
        package fileprivate(set) var gasUsed: Int64 = 0
        package fileprivate(set) var output: Bytes = []
        package fileprivate(set) var status = ExecutionStatus.success
        /// The opcode that is none, where the status says so.
        package fileprivate(set) var faultyOpcode: UInt8?
        package fileprivate(set) var logs: [CallLog] = []
    }

    private struct Open {
        /// Position in `calls`; nil for one that was left out.
        let call: Int?
        var children = 0
    }

    package static var seesSteps: Bool { false }
    package static var seesCalls: Bool { true }
    package static var seesLogs: Bool { true }

    package private(set) var calls: [Call] = []
    /// Calls beyond the limits, which are not in the list.
    package private(set) var omitted = 0
    private var bytes = 0
    private var open: [Open] = []
    private let onlyTop: Bool
    private let keepsLogs: Bool
    private let firstLogIndex: Int

    /// - Parameters:
    ///   - onlyTop: leaves out the calls that code makes.
    ///   - firstLogIndex: how many logs the block has before this transaction.
    package init(onlyTop: Bool = false, keepsLogs: Bool = false, firstLogIndex: Int = 0) {
        self.onlyTop = onlyTop
        self.keepsLogs = keepsLogs
        self.firstLogIndex = firstLogIndex
    }

    package mutating func step(_ step: TracedStep) {}

    package mutating func enter(_ call: TracedCall) {
        if onlyTop, call.depth > 0 {
            open.append(Open(call: nil))
            return
        }
        bytes += call.input.count
        guard calls.count < Limits.tracedCallsMaximum, bytes <= Limits.tracedBytesMaximum else {
            omitted += 1
            open.append(Open(call: nil))
            return
        }
        open.append(Open(call: calls.count))
        calls.append(
            Call(
                kind: call.kind, from: call.from, to: call.to, value: call.value, gas: call.gas, input: call.input,
                depth: call.depth))
    }

    package mutating func exit(_ end: TracedEnd) {
        guard let at = open.popLast()?.call else { return }
        if !open.isEmpty { open[open.count - 1].children += 1 }
        bytes += end.output.count
        calls[at].gasUsed = calls[at].gas - end.gasLeft
        calls[at].output = bytes <= Limits.tracedBytesMaximum ? end.output : []
        calls[at].status = end.status
        calls[at].faultyOpcode = end.faultyOpcode
    }

    package mutating func log(_ log: Log, index: Int) {
        guard keepsLogs, let now = open.last, let at = now.call else { return }
        bytes += log.data.count + 200
        guard bytes <= Limits.tracedBytesMaximum else {
            omitted += 1
            return
        }
        calls[at].logs.append(CallLog(log: log, index: firstLogIndex + index, position: now.children))
    }
}
