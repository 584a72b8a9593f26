// The gas limit of `execute`: the number that loses messages when it is too small (pitfalls 1, off-chain 4.9). The
// OffRamp records a message as failed when its inner call had too little gas, and relayers have one attempt only.

import Ethereum

/// All results saturate: what does not fit 64 bits is refused by every batch limit.
package enum ExecutionGas {
    /// Measured on the real contracts; never failed.
    static let perReport: UInt64 = 300_000
    static let perMessage: UInt64 = 350_000
    static let perDataByte: UInt64 = 60
    static let perToken: UInt64 = 220_000
    /// Of the estimate in 4.9.
    static let estimatePerReport: UInt64 = 350_000
    static let estimatePerMessage: UInt64 = 22_200 + 92_600
    static let estimatePerToken: UInt64 = 2_900 + 92_600 + 200_000 + 50_000
    static let estimateOnceForTokens: UInt64 = 7_100 + 2_500

    /// The limit to send with: the largest of the measured formula, 1.1 times the estimate, and the floor that the
    /// call data itself demands. Never less than what was asked for.
    package static func limit(_ reports: [ExecutionReport], callData: Bytes) -> UInt64 {
        max(measured(reports), estimated(reports), callDataFloor(callData))
    }

    package static func limit(_ reports: [ExecutionReport], context: ReportContext) -> UInt64 {
        limit(reports, callData: context.executeCall(encodedReports: reports.encodedReports))
    }

    /// 300,000 + per message 350,000 + 60 a byte + 66/63 of (gas limit + for each token its gas + 220,000).
    static func measured(_ reports: [ExecutionReport]) -> UInt64 {
        var total = perReport * UInt64(max(1, reports.count))
        for report in reports {
            for (index, message) in report.messages.enumerated() {
                let data = report.offchainTokenData.indices.contains(index) ? report.offchainTokenData[index] : []
                let user = userGas(message, tokenOverhead: perToken)
                let stretched = (user / 63).saturatingMultiply(66).saturatingAdd((user % 63 * 66 + 62) / 63)
                total = total.saturatingAdd(perMessage).saturatingAdd(bytes(message, data) * perDataByte)
                    .saturatingAdd(stretched)
            }
        }
        return total
    }

    static func estimated(_ reports: [ExecutionReport]) -> UInt64 {
        var total = estimatePerReport
        for report in reports {
            for (index, message) in report.messages.enumerated() {
                let data = report.offchainTokenData.indices.contains(index) ? report.offchainTokenData[index] : []
                total = total.saturatingAdd(estimatePerMessage).saturatingAdd(bytes(message, data) * 16)
                    .saturatingAdd(userGas(message, tokenOverhead: estimatePerToken))
                    .saturatingAdd(message.tokenAmounts.isEmpty ? 0 : estimateOnceForTokens)
            }
            total = total.saturatingAdd(merkle(leaves: report.messages.count + report.proofs.count))
        }
        return total.saturatingAdd(total / 10)
    }

    /// EIP-7623: 21,000 + 10 for a zero byte, 40 for another.
    package static func callDataFloor(_ callData: Bytes) -> UInt64 {
        let zeros = UInt64(callData.count { $0 == 0 })
        return 21_000 + 10 * (zeros + 4 * (UInt64(callData.count) - zeros))
    }

    private static func userGas(_ message: Any2EVMRampMessage, tokenOverhead: UInt64) -> UInt64 {
        message.tokenAmounts.reduce(message.gasLimit.clampedUInt64) { total, token in
            total.saturatingAdd(UInt64(token.destinationGas)).saturatingAdd(tokenOverhead)
        }
    }

    private static func bytes(_ message: Any2EVMRampMessage, _ tokenData: [Bytes]) -> UInt64 {
        let tokens = message.tokenAmounts.reduce(0) { $0 + $1.extraData.count + $1.sourcePool.count }
        return UInt64(message.data.count + tokens + tokenData.reduce(0) { $0 + $1.count })
    }

    private static func merkle(leaves: Int) -> UInt64 {
        let depth = leaves <= 1 ? 0 : UInt64(Int.bitWidth - (leaves - 1).leadingZeroBitCount)
        return (depth * 32 + 96) * 16
    }
}

/// The gas limit of `commit` (6.5): signatures, roots, prices; 500,000 at least, as in production.
package enum CommitGas {
    package static func limit(_ report: CommitReport, signatures: Int, callData: Bytes) -> UInt64 {
        var parts: UInt64 = 21_000
        parts += UInt64(callData.count) * 16
        parts += UInt64(signatures) * 12_000
        parts += UInt64(report.roots.count) * 90_000
        parts += UInt64(report.rmnSignatures.count) * 15_000
        parts += UInt64(report.prices.tokens.count + report.prices.gas.count) * 40_000
        return max(500_000, parts * 3 / 2, ExecutionGas.callDataFloor(callData))
    }
}

extension UInt64 {
    func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, lost) = addingReportingOverflow(other)
        return lost ? .max : sum
    }

    func saturatingMultiply(_ other: UInt64) -> UInt64 {
        let (product, lost) = multipliedReportingOverflow(by: other)
        return lost ? .max : product
    }
}
