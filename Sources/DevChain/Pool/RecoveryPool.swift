// Raw transactions of a batch decoded and their senders recovered on all cores: recovery is most of what a transfer costs.

import EVM
import Ethereum

enum RecoveryPool {
    /// Pieces of a batch: small enough that both cores end together, large enough that starting one does not count.
    private static let pieceCount = 32

    /// The transactions in their order, or why one is refused.
    static func pooled(
        _ raw: [Bytes], chainID: UInt64, rules: RuleSet
    ) async -> [Result<PooledTransaction, DevChainError>] {
        guard raw.count > pieceCount else { return raw.map { decode($0, chainID, rules) } }
        return await withTaskGroup(of: (Int, [Result<PooledTransaction, DevChainError>]).self) { group in
            for start in stride(from: 0, to: raw.count, by: pieceCount) {
                group.addTask {
                    let end = min(start + pieceCount, raw.count)
                    return (start, raw[start..<end].map { decode($0, chainID, rules) })
                }
            }
            var pieces: [Int: [Result<PooledTransaction, DevChainError>]] = [:]
            for await (start, piece) in group { pieces[start] = piece }
            return stride(from: 0, to: raw.count, by: pieceCount).flatMap { pieces[$0] ?? [] }
        }
    }

    private static func decode(
        _ raw: Bytes, _ chainID: UInt64, _ rules: RuleSet
    ) -> Result<PooledTransaction, DevChainError> {
        Result { () throws(DevChainError) in try PooledTransaction(raw: raw, chainID: chainID, rules: rules) }
    }
}
