// Which blocks are called safe and finalized. Pure: the head and the timestamps of blocks come in. A chain's tags never
// move down by what is said here; who keeps them takes the higher one.

import Ethereum

extension ChainProfile {
    package struct Finality: Sendable, Equatable {
        package enum Rule: Sendable, Equatable {
            /// So many blocks below the head.
            case depth
            /// By epochs of this many slots; each block has its slot, so none is missed.
            case epochs(slots: UInt64)
            /// By what becomes of a block's batch on the L1.
            case rollup(Rollup)
        }

        package var rule = Rule.depth
        /// Blocks below the head at which a block is safe, by the rule `depth` and at the level `sequencer`.
        package var safeDepth: UInt64
        package var finalizedDepth: UInt64
    }

    /// A rollup's batches: one closes each `batchSeconds`, and reaches its levels so long after that (jovay.md 2.1,
    /// 2.4).
    package struct Rollup: Sendable, Equatable {
        package enum Level: String, Sendable, CaseIterable {
            /// The sequencer has made the block.
            case sequencer
            /// The batch's commit is mined on the L1.
            case l1Committed
            /// That block is final on the L1.
            case l1Final
            case teeVerified
            case zkVerified
        }

        package var safeTag: Level
        package var finalizedTag: Level
        package var batchSeconds: UInt64
        /// After the batch closed.
        package var commitSeconds: UInt64
        /// After the commit, as are the next two.
        package var l1FinalSeconds: UInt64
        package var teeSeconds: UInt64
        package var zkSeconds: UInt64

        /// Seconds from the close of a batch to a level; nil where no batch is waited for.
        package func delay(_ level: Level) -> UInt64? {
            switch level {
            case .sequencer: nil
            case .l1Committed: commitSeconds
            case .l1Final: commitSeconds + l1FinalSeconds
            case .teeVerified: commitSeconds + teeSeconds
            case .zkVerified: commitSeconds + zkSeconds
            }
        }
    }
}

extension ChainProfile.Finality {
    /// The numbers of the safe and the finalized block under a head.
    /// - Parameter timestamp: of a block up to the head, in seconds; never falling from block to block.
    package func tags(head: UInt64, timestamp: (UInt64) -> UInt64) -> (safe: UInt64, finalized: UInt64) {
        func below(_ depth: UInt64) -> UInt64 { head - min(depth, head) }
        switch rule {
        case .depth: return (below(safeDepth), below(finalizedDepth))
        case .epochs(let slots):
            // In an epoch the one before it is justified, and the one before that is finalized; each checkpoint is the
            // first block of its epoch.
            let epoch = head / slots
            return ((epoch - min(1, epoch)) * slots, (epoch - min(2, epoch)) * slots)
        case .rollup(let rollup):
            func tag(_ level: ChainProfile.Rollup.Level, _ depth: UInt64) -> UInt64 {
                rollup.delay(level).map { rollup.last(after: $0, head: head, timestamp) } ?? below(depth)
            }
            let finalized = tag(rollup.finalizedTag, finalizedDepth)
            return (max(tag(rollup.safeTag, safeDepth), finalized), finalized)
        }
    }
}

extension ChainProfile.Rollup {
    /// The last block of the newest batch that closed at least `delay` seconds before the head's timestamp.
    func last(after delay: UInt64, head: UInt64, _ timestamp: (UInt64) -> UInt64) -> UInt64 {
        let start = timestamp(0)
        let passed = timestamp(head) - start
        guard passed >= delay else { return 0 }
        let closedBefore = start + (passed - delay) / batchSeconds * batchSeconds
        // The first block at or past that time belongs to a later batch.
        var low: UInt64 = 0
        var high = head
        while low < high {
            let middle = (low + high + 1) / 2
            if timestamp(middle) < closedBefore { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The newest block of each level.
    package func levels(head: UInt64, timestamp: (UInt64) -> UInt64) -> [(level: Level, block: UInt64)] {
        Level.allCases.map { level in
            (level, delay(level).map { last(after: $0, head: head, timestamp) } ?? head)
        }
    }
}
