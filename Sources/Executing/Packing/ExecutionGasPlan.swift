// With which gas limit an execution report is sent, and the rule that it is simulated first (4.9 of the off-chain
// specification, pitfalls 1). The OffRamp records a message as failed when its inner call was given too little gas,
// with a transaction that succeeds; relayers have one attempt. Nothing is sent from here.

import CCIP
import Ethereum

/// The gas of one `execute` or `manuallyExecute` transaction.
///
/// The edge sends with exactly `transactionGasLimit`, or with what `next` raised it to, never with less and never with
/// the answer of `eth_estimateGas`: that finds the smallest gas at which the *transaction* does not revert, and lost
/// about half of all messages when it was tried. Before the broadcast it calls `eth_call` with this gas limit from
/// `simulationSender` on the latest block and hands the answer to `next`.
package struct ExecutionGasPlan: Hashable, Sendable {
    /// The OffRamp's GAS_ESTIMATION_SENDER: passes the transmitter check, and lack of gas inside a message reverts the
    /// whole call with `InsufficientGasToCompleteTx` instead of spending the attempt. Never send from it.
    /// 0x00c11c11c11c11c11c11c11c11c11c11c11c11c1.
    package static let simulationSender: Address = {
        let middle = [[UInt8]](repeating: [0xc1, 0x1c, 0x11], count: 6).flatMap { $0 }
        return Address(bytes: [0x00] + middle + [0xc1]) ?? .zero
    }()

    package let transactionGasLimit: UInt64
    /// Never raised above this; a report that needs more is not sent.
    package let maximum: UInt64
    /// The limit that the messages ask for, before any raise.
    package let floor: UInt64
    package let raises: Int

    /// Gas for `execute`. Nil when the report needs more than `maximum`: it must not be sent at all.
    package init?(reports: [ExecutionReport], context: ReportContext, maximum: UInt64) {
        self.init(
            reports: reports, callData: context.executeCall(encodedReports: reports.encodedReports), maximum: maximum)
    }

    /// Gas for any call that runs these reports; `callData` is what is sent.
    package init?(reports: [ExecutionReport], callData: Bytes, maximum: UInt64) {
        self.init(floor: ExecutionGas.limit(reports, callData: callData), maximum: maximum, raises: 0)
    }

    private init?(floor: UInt64, limit: UInt64? = nil, maximum: UInt64, raises: Int) {
        let limit = limit ?? floor
        guard limit <= maximum, limit >= floor else { return nil }
        self.floor = floor
        self.maximum = maximum
        self.raises = raises
        transactionGasLimit = limit
    }

    /// Upper bound of what call data alone demands (EIP-7623), for a report of this size.
    static func callDataBound(reportBytes: Int) -> UInt64 { 21_000 + 40 * UInt64(reportBytes + 196) }

    /// The same report with the computed limit alone: what is sent where no endpoint can simulate it. Pitfalls 1 allow
    /// that: the computed limit never failed in measurements of the real contracts.
    package var atFloor: ExecutionGasPlan {
        ExecutionGasPlan(floor: floor, maximum: maximum, raises: 0) ?? self
    }

    /// How an endpoint answered `eth_call`.
    package enum Answer: Hashable, Sendable {
        case ranThrough
        /// With the data of the revert; empty where the endpoint gives none.
        case reverted(Bytes)
        /// The endpoint's own words for too little gas, which need not be the transaction's: it may have a cap.
        case outOfGas
        /// The endpoint will not call on behalf of the simulation sender at all.
        case refused(String)
        /// No endpoint answered.
        case unanswered
    }

    /// What a simulation says about sending.
    package enum Decision: Hashable, Sendable {
        /// Broadcast with `transactionGasLimit`.
        case send
        /// Simulate again with this plan.
        case simulateAgain(ExecutionGasPlan)
        /// Even the largest gas limit is too little: find the message with `ExecuteObserver.singleReport`, and record
        /// `SimulationVerdict.shortOfGas` for it.
        case tooMuchGas
        /// The transaction would revert as a whole; nothing is spent by not sending it. `reactions` says what to do.
        case refuse(RevertReason)
        /// This endpoint cannot simulate: ask as the transmitter, and if nothing speaks against it send `atFloor`.
        case cannotSimulate(String)
        /// Nothing is known: ask again.
        case unknown
    }

    package func next(after answer: Answer) -> Decision {
        switch answer {
        case .ranThrough: return .send
        case .reverted(let data): return next(afterSimulation: data)
        case .outOfGas:
            if case .simulateAgain(let raised) = next(afterSimulation: []) { return .simulateAgain(raised) }
            return .cannotSimulate("out of gas at \(transactionGasLimit)")
        case .refused(let text): return .cannotSimulate(text)
        case .unanswered: return .unknown
        }
    }

    /// `revertData`: nil when the simulation ran through.
    package func next(afterSimulation revertData: Bytes?) -> Decision {
        guard let revertData else { return .send }
        let reason = RevertReason(revertData)
        // A plain out-of-gas has no data; it is lack of gas as well.
        guard reason.reaction == .simulation || reason.isUnderGassed || revertData.isEmpty else {
            return .refuse(reason)
        }
        let (more, lost) = transactionGasLimit.addingReportingOverflow(transactionGasLimit / 2)
        let raised = lost ? maximum : min(maximum, more)
        guard raises < Limits.gasRaisesMaximum, raised > transactionGasLimit,
            let plan = ExecutionGasPlan(floor: floor, limit: raised, maximum: maximum, raises: raises + 1)
        else { return .tooMuchGas }
        return .simulateAgain(plan)
    }
}
