// The fault switches in force, as a value: given a call, it decides what befalls it, and counts. What it decides is
// done elsewhere (ChainService+Faults.swift, and the server for what befalls a whole message).

import Ethereum

package struct FaultPlan: Sendable {
    /// A rule with what it has counted.
    package struct Armed: Sendable, Equatable {
        /// Never used twice in a plan's life.
        package let id: UInt64
        package let rule: FaultRule
        /// Calls that it was for.
        package fileprivate(set) var seen: UInt64 = 0
        /// Calls that it struck.
        package fileprivate(set) var struck: UInt64 = 0
        fileprivate var logs: UInt64 = 0
        fileprivate var draws: UInt64

        fileprivate init(id: UInt64, rule: FaultRule) {
            self.id = id
            self.rule = rule
            if case .probability(_, let seed) = rule.chance { draws = seed } else { draws = 0 }
        }

        /// True when it will strike no more.
        package var isSpent: Bool {
            rule.count.map { struck >= $0 } ?? false || rule.calls.map { seen >= $0 } ?? false
        }

        fileprivate mutating func strikes(_ method: String) -> Bool {
            guard !isSpent, rule.covers(method) else { return false }
            seen += 1
            let isStruck =
                switch rule.chance {
                case .always: true
                case .every(let n): seen % n == 0
                case .probability(let millionths, _): draw() % 1_000_000 < millionths
                }
            if isStruck { struck += 1 }
            return isStruck
        }

        /// SplitMix64 (Steele, Lea, Flood 2014).
        private mutating func draw() -> UInt64 {
            draws &+= 0x9e37_79b9_7f4a_7c15
            var z = draws
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    /// What befalls one call. Several rules add up; of several errors the first one's is told.
    package struct CallFaults: Sendable, Equatable {
        package var delayMilliseconds: UInt64 = 0
        package var errorCode: Int?
        package var errorMessage = ""
        package var staleBlocks: UInt64 = 0
        package var finalityLead: UInt64 = 0
        package var numberOffset: Int64 = 0
        /// The rules that leave logs out.
        package var logRules: [UInt64] = []

        package init() {}

        /// True when the call is answered as it should be.
        package var isNone: Bool { self == CallFaults() }
    }

    package private(set) var armed: [Armed] = []
    private var lastID: UInt64 = 0

    package init(_ rules: [FaultRule] = []) { set(rules) }

    /// These rules and no others, counted from zero.
    package mutating func set(_ rules: [FaultRule]) {
        armed = []
        for rule in rules {
            lastID += 1
            armed.append(Armed(id: lastID, rule: rule))
        }
    }

    /// What befalls a message with these calls; nil when it is answered. The first rule that strikes ends the looking.
    package mutating func strike(message methods: [String]) -> FaultRule.Kind? {
        for method in methods {
            for index in armed.indices where armed[index].rule.kind.isOfMessage {
                if armed[index].strikes(method) { return armed[index].rule.kind }
            }
        }
        return nil
    }

    /// What befalls one call.
    package mutating func strike(call method: String) -> CallFaults {
        var faults = CallFaults()
        for index in armed.indices where !armed[index].rule.kind.isOfMessage {
            guard armed[index].strikes(method) else { continue }
            switch armed[index].rule.kind {
            case .delay(let milliseconds): faults.delayMilliseconds += milliseconds
            case .error(let code, let message):
                if faults.errorCode == nil { (faults.errorCode, faults.errorMessage) = (code, message) }
            case .staleHead(let blocks): faults.staleBlocks = max(faults.staleBlocks, blocks)
            case .missingLogs, .missingLogsOfBlock: faults.logRules.append(armed[index].id)
            case .wrongBlockNumber(let offset): faults.numberOffset += offset
            case .lyingFinality(let blocks): faults.finalityLead = max(faults.finalityLead, blocks)
            case .drop, .tooManyRequests, .serverError: assertionFailure("what befalls messages is decided for them")
            }
        }
        return faults
    }

    /// For each log, named by its block's number, whether it stays. Counts go on from call to call.
    package mutating func keep(logsOf blocks: [UInt64], under faults: CallFaults) -> [Bool] {
        var stays = blocks.map { _ in true }
        for index in armed.indices where faults.logRules.contains(armed[index].id) {
            for (position, block) in blocks.enumerated() {
                switch armed[index].rule.kind {
                case .missingLogs(let every):
                    armed[index].logs += 1
                    if armed[index].logs % every == 0 { stays[position] = false }
                case .missingLogsOfBlock(block): stays[position] = false
                default: break
                }
            }
        }
        return stays
    }
}
