// Gas that one message takes out of a batch (4.9 of the off-chain specification), and the exact size of reports.
// What a transaction is sent with stands in ExecutionGasPlan.swift.

import CCIP
import Ethereum

enum MessageGas {
    /// 15 words of the message struct.
    static let fixedBytes: UInt64 = 480
    static let bytesPerToken: UInt64 = 52
    static let perByte: UInt64 = 16
    static let stateUpdate: UInt64 = 22_200
    static let supportsInterface: UInt64 = 92_600
    static let perToken: UInt64 = 2_900 + 92_600 + 200_000 + 50_000
    static let onceForTokens: UInt64 = 7_100 + 2_500

    /// Saturates: a message beyond 64 bits fits no batch.
    static func estimate(_ message: Any2EVMRampMessage, tokenData: [Bytes]) -> UInt64 {
        let tokens = UInt64(message.tokenAmounts.count)
        let variable = message.tokenAmounts.reduce(message.data.count) { $0 + $1.extraData.count }
        let attached = tokenData.reduce(0) { $0 + $1.count }
        var total = (fixedBytes + bytesPerToken * tokens + UInt64(variable) + UInt64(attached)) * perByte
        total += stateUpdate + supportsInterface + perToken * tokens + (tokens > 0 ? onceForTokens : 0)
        for token in message.tokenAmounts { total += UInt64(token.destinationGas) }
        let (sum, lost) = total.addingReportingOverflow(message.gasLimit.clampedUInt64)
        return lost ? .max : sum
    }

    static func merkle(leaves: Int) -> UInt64 {
        let depth = leaves <= 1 ? 0 : UInt64(Int.bitWidth - (leaves - 1).leadingZeroBitCount)
        return (depth * 32 + 96) * 16
    }
}

/// Bytes of `abi.encode(ExecutionReport[])`, without encoding it.
enum ReportSize {
    /// Offset and length of the array.
    static let empty = 64

    /// Offset of the report, its five head words, three array lengths.
    static func frame(proofs: Int) -> Int { 32 + 160 + 96 + 32 * proofs }

    /// `encodedCount` is that of `abi.encode(message)`, which begins with an offset of its own.
    static func message(encodedCount: Int, tokenData: [Bytes]) -> Int {
        tokenData.reduce(encodedCount + 64) { $0 + 64 + ($1.count + 31) / 32 * 32 }
    }
}
