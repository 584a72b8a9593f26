// Looks at each opcode before it runs, on a chain whose fork lacks some that the loop does by itself. As a tracer of
// its own it makes a second loop, so that the one of today's forks has no question more.

import Ethereum

/// Another tracer, with the loop told to ask the rules for each opcode.
struct OpcodeGate<Inner: Tracer>: Tracer {
    static var seesSteps: Bool { Inner.seesSteps }
    static var seesCalls: Bool { Inner.seesCalls }
    static var seesLogs: Bool { Inner.seesLogs }
    static var asksForOpcodes: Bool { true }

    var inner: Inner

    mutating func step(_ step: TracedStep) { inner.step(step) }
    mutating func enter(_ call: TracedCall) { inner.enter(call) }
    mutating func exit(_ end: TracedEnd) { inner.exit(end) }
    mutating func log(_ log: Log, index: Int) { inner.log(log, index: index) }
    mutating func end() { inner.end() }
}
