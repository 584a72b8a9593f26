// When the next block is due. Pure: times come in as milliseconds of any steady clock.

import Synchronization

package struct MiningCadence: Sendable, Equatable {
    package enum Decision: Sendable, Equatable {
        /// A block is due since this time.
        case mine(dueSince: UInt64)
        /// The pending block should take up what waits.
        case preconfirm
        /// Nothing is due for so long; nil when only a change can make it so.
        case wait(milliseconds: UInt64?)
    }

    /// A transaction gets its block at once; time makes none for it.
    package var automine: Bool
    /// Shortest time between two blocks while transactions wait; 0 makes none for them.
    package var intervalMilliseconds: UInt64
    /// A block is made after this time even when it is empty; 0 makes none.
    package var heartbeatMilliseconds: UInt64
    /// While transactions wait, the pending block takes them up this often; 0 never.
    package var preconfirmationMilliseconds: UInt64

    package init(
        automine: Bool, intervalMilliseconds: UInt64, heartbeatMilliseconds: UInt64,
        preconfirmationMilliseconds: UInt64 = 0
    ) {
        self.preconfirmationMilliseconds = preconfirmationMilliseconds
        self.automine = automine
        self.intervalMilliseconds = intervalMilliseconds
        self.heartbeatMilliseconds = heartbeatMilliseconds
    }

    package init(_ cadence: ChainProfile.Cadence) {
        automine = cadence.onDemand
        intervalMilliseconds = cadence.onDemand ? 0 : UInt64(cadence.intervalMilliseconds)
        heartbeatMilliseconds = UInt64(cadence.heartbeatMilliseconds)
        preconfirmationMilliseconds = UInt64(cadence.preconfirmationMilliseconds)
    }

    /// How late a block may be and still count as made when it was due.
    package var slackMilliseconds: UInt64 {
        let beats = [intervalMilliseconds, heartbeatMilliseconds].filter { $0 > 0 }
        return (beats.min() ?? 0) / 2
    }

    /// - Parameters:
    ///   - lastBeatAt: when the pending block last took up what waited; nil when it did not since the last block.
    ///   - hasWork: a transaction waits that a block could hold.
    ///   - hasUnconfirmed: one waits that the pending block does not hold.
    package func decide(
        now: UInt64, lastBlockAt: UInt64, lastBeatAt: UInt64? = nil, hasWork: Bool, hasUnconfirmed: Bool = false
    ) -> Decision {
        var due: UInt64?
        if heartbeatMilliseconds > 0 { due = lastBlockAt + heartbeatMilliseconds }
        if hasWork, intervalMilliseconds > 0 { due = min(due ?? .max, lastBlockAt + intervalMilliseconds) }
        if let due, due <= now { return .mine(dueSince: due) }
        var next = due
        if hasUnconfirmed, preconfirmationMilliseconds > 0 {
            let beat = max(lastBeatAt ?? lastBlockAt, lastBlockAt) + preconfirmationMilliseconds
            if beat <= now { return .preconfirm }
            next = min(due ?? .max, beat)
        }
        return .wait(milliseconds: next.map { $0 - now })
    }
}

/// The cadence in force, which methods may change.
final class CadenceControl: Sendable {
    private let state: Mutex<MiningCadence>

    init(_ cadence: MiningCadence) { state = Mutex(cadence) }

    var current: MiningCadence { state.withLock { $0 } }

    func change(_ body: (inout MiningCadence) -> Void) {
        state.withLock { cadence in body(&cadence) }
    }
}
