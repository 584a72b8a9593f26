// Who is heard on which channel of the mesh: relayers with different cluster files have no channel in common, and must
// be told so.

import OffchainReporting
import Synchronization

/// Counts by peer. Times are those of `InstanceRunner.now`.
package final class ChannelCensus: Sendable {
    private struct State {
        var heard: [[UInt8]: [Int: Milliseconds]] = [:]
        /// Last message of each peer on a channel that this process does not have.
        var strange: [Int: Milliseconds] = [:]
        var strangers: UInt64 = 0
    }

    private let shared = Mutex(State())
    private let startedAt: Milliseconds

    package init(now: Milliseconds) { startedAt = now }

    package func heard(_ channel: [UInt8], from peer: Int, now: Milliseconds) {
        shared.withLock { $0.heard[channel, default: [:]][peer] = now }
    }

    package func unknown(from peer: Int, now: Milliseconds) {
        shared.withLock { state in
            state.strange[peer] = now
            state.strangers += 1
        }
    }

    /// Messages on channels of other instances.
    package var unknownMessages: UInt64 { shared.withLock { $0.strangers } }

    /// What is wrong with a channel; nil while enough peers are heard, and before `window` milliseconds have passed.
    package func obstacle(
        _ channel: [UInt8], label: String, needed: Int, window: Milliseconds, names: [String], now: Milliseconds
    ) -> String? {
        guard now >= startedAt + window else { return nil }
        let (answering, strange) = shared.withLock { state in
            (
                (state.heard[channel] ?? [:]).filter { $0.value + window > now }.count,
                state.strange.filter { $0.value + window > now && state.heard[channel]?[$0.key] == nil }.keys.sorted()
            )
        }
        guard answering < needed else { return nil }
        let others = strange.filter(names.indices.contains).map { names[$0] }
        return "\(label): \(answering) of \(needed) needed peers answer"
            + (others.isEmpty
                ? "" : "; \(others.joined(separator: ", ")) speak of another configuration: compare the cluster files")
    }
}
