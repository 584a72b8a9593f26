// What the fault switches decide, without a socket: which calls are struck, how often, and what is left out.

import DevChain
import TestSupport
import Testing

@Suite("Fault plan")
struct FaultPlanTests {
    /// Which of `count` calls a rule strikes.
    private func strikes(_ rule: FaultRule, _ count: Int, _ method: String = "eth_call") -> [Int] {
        var plan = FaultPlan([rule])
        return (1...count).filter { _ in !plan.strike(call: method).isNone }
    }

    @Test("without rules nothing is struck")
    func none() {
        var plan = FaultPlan()
        #expect(plan.strike(call: "eth_call").isNone)
        #expect(plan.strike(message: ["eth_call", "eth_getLogs"]) == nil)
    }

    @Test("a rule strikes always, every n-th time, a number of times, or among a number of calls")
    func chances() {
        let delay = FaultRule.Kind.delay(milliseconds: 5)
        #expect(strikes(FaultRule("eth_call", delay), 4) == [1, 2, 3, 4])
        #expect(strikes(FaultRule("eth_call", delay, .every(3)), 10) == [3, 6, 9])
        #expect(strikes(FaultRule("eth_call", delay, .every(2), count: 2), 10) == [2, 4])
        #expect(strikes(FaultRule("eth_call", delay, calls: 3), 10) == [1, 2, 3])
        #expect(strikes(FaultRule("eth_call", delay, .every(2), calls: 5), 10) == [2, 4])
        #expect(strikes(FaultRule("eth_call", delay, .probability(millionths: 0, seed: 1)), 100).isEmpty)
        #expect(strikes(FaultRule("eth_call", delay, .probability(millionths: 1_000_000, seed: 1)), 9).count == 9)
    }

    @Test("a seed strikes the same calls each time, about as many as its share says; another seed strikes others")
    func seeds() {
        let rule = FaultRule("*", .delay(milliseconds: 1), .probability(millionths: 250_000, seed: 7))
        let first = strikes(rule, 4000)
        #expect(first == strikes(rule, 4000))
        #expect((850...1150).contains(first.count))
        let other = FaultRule("*", .delay(milliseconds: 1), .probability(millionths: 250_000, seed: 8))
        #expect(strikes(other, 4000) != first)
    }

    @Test("a rule is for one method, for those that begin alike, or for all but the tester's own")
    func coverage() {
        let table: [(String, String, Bool)] = [
            ("eth_call", "eth_call", true), ("eth_call", "eth_callMany", false), ("eth_get*", "eth_getLogs", true),
            ("eth_get*", "eth_call", false), ("*", "eth_call", true), ("*", "debug_traceCall", true),
            ("*", "eth_subscription", true), ("*", "evm_mine", false), ("*", "anvil_mine", false),
            ("*", "hardhat_mine", false), ("*", "causeway_reorg", false), ("evm_mine", "evm_mine", true),
            ("anvil_*", "anvil_mine", true), ("causeway_*", "causeway_reorg", true),
            ("causeway_*", "causeway_setFaults", false), ("causeway_clearFaults", "causeway_clearFaults", false),
        ]
        for (pattern, method, covered) in table {
            #expect(FaultRule(pattern, .serverError).covers(method) == covered, "\(pattern) \(method)")
        }
    }

    @Test("what befalls a message is decided once for it, and does not count calls' rules")
    func messages() {
        var plan = FaultPlan([
            FaultRule("eth_getLogs", .serverError, .every(2)),
            FaultRule("*", .delay(milliseconds: 3)), FaultRule("*", .delay(milliseconds: 4)),
        ])
        #expect(plan.strike(message: ["eth_call", "eth_getLogs"]) == nil)
        #expect(plan.strike(message: ["eth_call", "eth_getLogs"]) == .serverError)
        #expect(plan.armed.map(\.seen) == [2, 0, 0])
        #expect(plan.strike(call: "eth_getLogs").delayMilliseconds == 7)
        #expect(plan.armed.map(\.struck) == [1, 1, 1])
        #expect(plan.armed.allSatisfy { !$0.isSpent })
    }

    @Test("logs are left out by their count over all calls, or by their block")
    func logs() {
        var plan = FaultPlan([FaultRule("*", .missingLogs(every: 3))])
        let faults = plan.strike(call: "eth_getLogs")
        #expect(plan.keep(logsOf: [1, 1, 1, 2], under: faults) == [true, true, false, true])
        #expect(plan.keep(logsOf: [2, 2], under: faults) == [true, false])
        plan.set([FaultRule("*", .missingLogsOfBlock(2))])
        #expect(plan.keep(logsOf: [1, 2], under: faults) == [true, true], "a rule that is gone leaves nothing out")
        #expect(plan.keep(logsOf: [1, 2, 3], under: plan.strike(call: "eth_getLogs")) == [true, false, true])
    }

    @Test("a spent rule strikes no more, and rules that are set anew begin to count anew")
    func spent() {
        var plan = FaultPlan([FaultRule("*", .error(code: 7, message: "seven"), count: 1)])
        #expect(plan.strike(call: "eth_call").errorCode == 7)
        #expect(plan.armed[0].isSpent)
        #expect(plan.strike(call: "eth_call").isNone)
        plan.set(plan.armed.map(\.rule))
        #expect(plan.strike(call: "eth_call").errorMessage == "seven")
    }
}
