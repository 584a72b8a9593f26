// The list of calls of a transaction, as debug_traceTransaction's callTracer tells them.

import Ethereum

package struct CallTracer: Tracer {
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
    }

    package static var seesSteps: Bool { false }
    package static var seesCalls: Bool { true }

    package private(set) var calls: [Call] = []
    /// Calls beyond the limit, which are not in the list.
    package private(set) var omitted = 0
    /// Positions in `calls` of what has not ended; -1 for an omitted one.
    private var open: [Int] = []

    package init() {}

    package mutating func step(_ step: TracedStep) {}

    package mutating func enter(_ call: TracedCall) {
        guard calls.count < Limits.tracedCallsMaximum else {
            omitted += 1
            open.append(-1)
            return
        }
        open.append(calls.count)
        calls.append(
            Call(
                kind: call.kind, from: call.from, to: call.to, value: call.value, gas: call.gas, input: call.input,
                depth: call.depth))
    }

    package mutating func exit(_ end: TracedEnd) {
        guard let at = open.popLast(), at >= 0 else { return }
        calls[at].gasUsed = calls[at].gas - end.gasLeft
        calls[at].output = end.output
        calls[at].status = end.status
    }
}
