// The root over the leaves of an interval (9.1 of the on-chain specification), computed in place, level by level. No layers
// are kept and no proofs exist here.

import CCIP
import Ethereum

enum RootOfLeaves {
    /// Nil for no leaf or more than 256.
    static func root(of leaves: [Hash32]) -> Hash32? {
        guard !leaves.isEmpty, leaves.count <= Int(Limits.rootMessagesMaximum) else { return nil }
        var level = leaves
        var width = level.count
        while width > 1 {
            for pair in 0..<(width + 1) / 2 {
                let right = 2 * pair + 1
                level[pair] = parent(level[2 * pair], right < width ? level[right] : missing)
            }
            width = (width + 1) / 2
        }
        return level[0]
    }

    /// 32 bytes of 0xff stand for a neighbour that is not there.
    private static let missing = Hash32(U256.max)

    private static func parent(_ a: Hash32, _ b: Hash32) -> Hash32 {
        var row = WordRow()
        row.number(1)
        row.hash(a < b ? a : b)
        row.hash(a < b ? b : a)
        return row.digest
    }
}
