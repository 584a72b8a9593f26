// The rules a configuration must satisfy before an instance may start with it. Each error names the value.

import CCIP
import Ethereum

extension CommitConfiguration {
    func validate() throws(CommittingError) {
        guard faulty >= 1, oracleCount == 3 * faulty + 1, oracleCount <= Limits.oraclesMaximum else {
            throw bad("N = \(oracleCount), F = \(faulty)", "N must be 3F + 1, F at least 1, N at most 31")
        }
        try validateChains()
        try validateLanes()
        guard (1...Limits.leavesPerRootMaximum).contains(leavesPerRootMaximum) else {
            throw bad("leavesPerRootMaximum = \(leavesPerRootMaximum)", "1 to \(Limits.leavesPerRootMaximum)")
        }
        guard (1...Limits.rootsPerReportMaximum).contains(rootsPerReportMaximum) else {
            throw bad("rootsPerReportMaximum = \(rootsPerReportMaximum)", "1 to \(Limits.rootsPerReportMaximum)")
        }
        guard (1...Limits.intervalMillisecondsMaximum).contains(transmissionTimeoutMilliseconds) else {
            throw bad("transmissionTimeoutMilliseconds = \(transmissionTimeoutMilliseconds)", "1 ms to a day")
        }
        try prices?.validate(in: self)
        try blessing?.validate(in: self)
    }

    private func validateChains() throws(CommittingError) {
        guard strictlyAscending(chains.map(\.chain)) else {
            throw bad("chains are not ascending by selector", "list each chain once, in order")
        }
        for chain in chains {
            guard chain.faulty >= 1, chain.faulty <= faulty else {
                throw bad("f of chain \(chain.chain) is \(chain.faulty)", "1 to F = \(faulty)")
            }
            guard strictlyAscending(chain.readers), chain.readers.allSatisfy((0..<oracleCount).contains) else {
                throw bad("readers of chain \(chain.chain)", "oracle indices, ascending, each once")
            }
            guard chain.readers.count >= 3 * chain.faulty + 1 else {
                throw bad(
                    "chain \(chain.chain) has \(chain.readers.count) readers for f = \(chain.faulty)",
                    "3f + 1 readers: fewer cannot both outvote and outlast f faulty ones")
            }
        }
        guard readers(of: destination) != nil else {
            throw bad("destination \(destination) has no readers", "add it to chains")
        }
    }

    private func validateLanes() throws(CommittingError) {
        guard lanes.count <= Limits.lanesMaximum, strictlyAscending(lanes.map(\.source)) else {
            throw bad("\(lanes.count) lanes", "at most \(Limits.lanesMaximum), each source once, ascending")
        }
        for lane in lanes {
            guard lane.lane.destination == destination, lane.source != destination else {
                throw bad(
                    "lane \(lane.source) -> \(lane.lane.destination)", "a lane leads from elsewhere to \(destination)")
            }
            guard readers(of: lane.source) != nil else {
                throw bad("source \(lane.source) has no readers", "add it to chains")
            }
            guard !lane.lane.onRamp.isZero else { throw bad("lane \(lane.source) has no OnRamp", "name its address") }
        }
    }

    func bad(_ what: String, _ hint: String) -> CommittingError {
        CommittingError(.badConfiguration, what, hint: hint)
    }
}

func strictlyAscending<Value: Comparable>(_ values: [Value]) -> Bool {
    zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
}
