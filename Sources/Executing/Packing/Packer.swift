// One execution report while it is filled: which messages of which root, and whether they still fit the limits of gas,
// size and count (4.8). It knows nothing of nonces and of what is ready.

import CCIP
import Ethereum

/// A root whose leaves have been checked, with the messages that may be executed.
struct PackableRoot: Sendable {
    let committed: CommittedRoot
    let tree: MerkleTree
    /// By index; nil where there is nothing to execute.
    let messages: [PackableMessage?]
}

struct PackableMessage: Sendable {
    let message: Any2EVMRampMessage
    let tokenData: [Bytes]
    let gas: UInt64
    let bytes: Int

    init(_ message: Any2EVMRampMessage, tokenData: [Bytes], encodedCount: Int) {
        self.message = message
        self.tokenData = tokenData
        gas = MessageGas.estimate(message, tokenData: tokenData)
        bytes = ReportSize.message(encodedCount: encodedCount, tokenData: tokenData)
    }
}

extension PackableMessage {
    /// A cheap bound: far inside every limit, whatever the tree. Above it the packer decides.
    func fitsEasily(_ limits: ExecuteLimits) -> Bool {
        guard gas <= limits.batchGasLimit / 4, bytes <= limits.reportBytesMaximum / 4 else { return false }
        return 700_000 + 60 * UInt64(bytes) + 2 * gas <= limits.transactionGasMaximum
    }
}

struct PackingCost: Hashable, Sendable {
    var bytes = 0
    var messages = 0
    var batchGas: UInt64 = 0
    var transactionGas: UInt64 = 0
}

/// Which limit refuses a message.
enum PackingRefusal: Hashable, Sendable { case gas, size, count }

struct Packer: Sendable {
    private let limits: ExecuteLimits
    private let roots: [PackableRoot]
    private var selected: [[Int]]
    private var costs: [PackingCost]

    init(_ limits: ExecuteLimits, _ roots: [PackableRoot]) {
        self.limits = limits
        self.roots = roots
        selected = [[Int]](repeating: [], count: roots.count)
        costs = [PackingCost](repeating: PackingCost(), count: roots.count)
    }

    var isEmpty: Bool { selected.allSatisfy(\.isEmpty) }

    /// Adds all of `indices`, or none and says why. `sourceCap`: batch gas that one source may take.
    mutating func add(_ position: Int, _ indices: [Int], sourceCap: UInt64? = nil) -> PackingRefusal? {
        let merged = (selected[position] + indices).sorted()
        let cost = cost(position, merged)
        if let refusal = refusal(position, cost, sourceCap) { return refusal }
        selected[position] = merged
        costs[position] = cost
        return nil
    }

    private func refusal(_ position: Int, _ cost: PackingCost, _ sourceCap: UInt64?) -> PackingRefusal? {
        var total = PackingCost()
        var sourceGas: UInt64 = 0
        var used = 0
        for (other, known) in costs.enumerated() {
            let part = other == position ? cost : known
            guard part.messages > 0 else { continue }
            used += 1
            total.bytes += part.bytes
            total.messages += part.messages
            total.batchGas = Self.sum(total.batchGas, part.batchGas)
            total.transactionGas = Self.sum(total.transactionGas, part.transactionGas)
            if roots[other].committed.root.source == roots[position].committed.root.source {
                sourceGas = Self.sum(sourceGas, part.batchGas)
            }
        }
        let bytes = ReportSize.empty + total.bytes
        guard bytes <= limits.reportBytesMaximum else { return .size }
        if limits.reportMessagesMaximum > 0, total.messages > limits.reportMessagesMaximum { return .count }
        if limits.singleChainReportsMaximum > 0, used > limits.singleChainReportsMaximum { return .count }
        guard total.batchGas <= limits.batchGasLimit,
            max(total.transactionGas, ExecutionGasPlan.callDataBound(reportBytes: bytes))
                <= limits.transactionGasMaximum
        else { return .gas }
        if let sourceCap, sourceGas > sourceCap { return .gas }
        return nil
    }

    private func cost(_ position: Int, _ indices: [Int]) -> PackingCost {
        guard let report = report(position, indices) else {
            return PackingCost(bytes: .max / 4, messages: indices.count, batchGas: .max, transactionGas: .max)
        }
        var cost = PackingCost()
        cost.messages = indices.count
        cost.bytes = ReportSize.frame(proofs: report.proofs.count)
        cost.batchGas = MessageGas.merkle(leaves: roots[position].tree.leafCount)
        for index in indices {
            guard let message = roots[position].messages[index] else { continue }
            cost.bytes += message.bytes
            cost.batchGas = Self.sum(cost.batchGas, message.gas)
        }
        cost.transactionGas = ExecutionGas.limit([report], callData: [])
        return cost
    }

    private func report(_ position: Int, _ indices: [Int]) -> ExecutionReport? {
        let root = roots[position]
        guard let proof = try? root.tree.proof(indices: indices) else { return nil }
        let chosen = indices.compactMap { root.messages[$0] }
        guard chosen.count == indices.count else { return nil }
        return ExecutionReport(
            source: root.committed.root.source, messages: chosen.map(\.message),
            offchainTokenData: chosen.map(\.tokenData), proofs: proof.hashes, proofFlagBits: proof.flagBits)
    }

    /// The reports, oldest root first. Each is proved against its root once more, as the OffRamp will do it.
    func finished() throws(ExecutingError) -> [ExecutionReport] {
        var reports: [ExecutionReport] = []
        for (position, indices) in selected.enumerated() where !indices.isEmpty {
            let root = roots[position].committed.root
            guard let report = report(position, indices), (try? report.root(onRamp: root.onRamp)) == root.root else {
                throw ExecutingError(
                    .rootMismatch, "the proof for \(indices.count) messages does not lead to \(root.key)",
                    hint: "a defect of this build: report it with the outcome")
            }
            reports.append(report)
        }
        return reports
    }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, lost) = a.addingReportingOverflow(b)
        return lost ? .max : sum
    }
}
