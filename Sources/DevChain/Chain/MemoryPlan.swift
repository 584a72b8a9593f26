// How much of the past stays in memory, and how a budget is shared out.

/// What old blocks, old states and the state itself may take.
package struct MemoryPlan: Sendable, Equatable {
    /// Changes of accounts and slots that lead to earlier states; each takes about 200 bytes.
    package var stateChanges = 1_000_000
    /// Bytes of blocks, where they can be read again from a data directory.
    package var blockBytes = 256 << 20
    /// Bytes of the state's file that are held in memory; nil for all.
    package var stateBytes: Int?

    package init() {}

    /// Shares a budget of the whole process out: what the process takes by itself first, half of the rest to the state,
    /// an eighth to earlier states, a quarter to blocks. What is left is for calls, the pool and answers.
    package init(budget bytes: Int) {
        let rest = max(bytes - (64 << 20), 32 << 20)
        stateBytes = rest / 2
        stateChanges = rest / 8 / 200
        blockBytes = rest / 4
    }
}
