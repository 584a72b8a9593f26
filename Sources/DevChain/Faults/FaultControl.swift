// The plan of a running chain behind its lock. While no rule is set, asking costs one load.

import Synchronization

final class FaultControl: Sendable {
    private let plan = Mutex(FaultPlan())
    private let isOn = Atomic(false)

    var isActive: Bool { isOn.load(ordering: .relaxed) }

    func set(_ rules: [FaultRule]) {
        plan.withLock { $0.set(rules) }
        isOn.store(!rules.isEmpty, ordering: .relaxed)
    }

    var armed: [FaultPlan.Armed] { plan.withLock { $0.armed } }

    func strike(message methods: [String]) -> FaultRule.Kind? {
        isActive ? plan.withLock { $0.strike(message: methods) } : nil
    }

    func strike(call method: String) -> FaultPlan.CallFaults {
        isActive ? plan.withLock { $0.strike(call: method) } : FaultPlan.CallFaults()
    }

    func keep(logsOf blocks: [UInt64], under faults: FaultPlan.CallFaults) -> [Bool] {
        faults.logRules.isEmpty
            ? blocks.map { _ in true } : plan.withLock { $0.keep(logsOf: blocks, under: faults) }
    }
}
