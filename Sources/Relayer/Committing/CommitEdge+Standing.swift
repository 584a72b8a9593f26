// Why messages are not committed yet, for `causeway show` and the status of lanes: the standings of CommitObserver, with
// the time since when and what guards say.

import Agreement
import CCIP
import Committing
import Ethereum
import Foundation
import OffchainReporting
import Synchronization

extension CommitEdge {
    /// One message, or the first that waits on a lane, for people.
    struct Explanation: Sendable {
        let standing: CommitStanding
        /// Milliseconds that it has stood so; nil when nobody has looked before.
        let sinceMilliseconds: UInt64?
        /// "guard-2 waits: ...", while guards are asked.
        let guards: [String]
    }

    /// Reads the chain. Throws when that fails.
    func explanation(of number: UInt64, from source: ChainSelector) async throws -> Explanation {
        let previous = previousOutcome
        let snapshot = try await snapshot(previous)
        note(previous, snapshot)
        return explain(try stands(number, source, previous, snapshot), source)
    }

    private func stands(
        _ number: UInt64, _ source: ChainSelector, _ previous: Bytes, _ snapshot: CommitSnapshot
    ) throws -> CommitStanding {
        let standing = try observer.standing(
            of: SequenceNumber(number), from: source, previousOutcome: previous, snapshot: snapshot, installed: digest)
        let to = observer.configuration.destination
        switch standing {
        case .sourceHalted:
            let against = guards?.contradictions(to, of: source) ?? 0
            return against > 0 ? .rmnRefused(guards: against) : standing
        case .sourceLogMissing(let first):
            // Not missing, but none that can be believed.
            let key = LaneKey(source: source, destination: to)
            let reason = keeper.read { $0.lane(key).refused[first.rawValue] }
            return reason.map { .messageRefused(first, $0) } ?? standing
        default: return standing
        }
    }

    private func explain(_ standing: CommitStanding, _ source: ChainSelector) -> Explanation {
        let words: [String]
        switch standing {
        case .rmnRequired, .rmnRefused, .waitsForTurn: words = guards?.words(observer.configuration.destination) ?? []
        default: words = []
        }
        let wall = UInt64(Date().timeIntervalSince1970 * 1_000)
        let agreed = standing.agreedSince.map { wall - min(wall, $0) }
        let now = InstanceRunner.now()
        let seen = memory.withLock { memory -> UInt64? in
            guard let known = memory.standings[source], known.standing.code == standing.code else { return nil }
            return now - min(now, known.since)
        }
        return Explanation(standing: standing, sinceMilliseconds: agreed ?? seen, guards: words)
    }

    /// Remembers since when each lane with messages that wait stands as it does.
    func note(_ previous: Bytes, _ snapshot: CommitSnapshot) {
        let now = InstanceRunner.now()
        for lane in observer.configuration.lanes {
            let next = waiting(lane.source, snapshot)
            let standing = next.flatMap { try? stands($0, lane.source, previous, snapshot) }
            memory.withLock { memory in
                guard let standing else {
                    memory.standings[lane.source] = nil
                    return
                }
                let known = memory.standings[lane.source]
                memory.standings[lane.source] = (
                    standing, known?.standing.code == standing.code ? known?.since ?? now : now
                )
            }
        }
    }

    /// The first message of a lane that no root covers; nil when there is none.
    private func waiting(_ source: ChainSelector, _ snapshot: CommitSnapshot) -> UInt64? {
        let key = LaneKey(source: source, destination: observer.configuration.destination)
        let (sent, covered) = keeper.read { book -> (UInt64, UInt64) in
            let lane = book.lane(key)
            return (lane.lastSent, lane.openRoots.map(\.root.last.rawValue).max() ?? lane.lastRetired)
        }
        let next = snapshot.destination?.sourceConfigs[source]?.minSequenceNumber.rawValue ?? covered + 1
        return next >= 1 && next <= sent ? next : nil
    }

    /// Lanes with messages that wait, as they stood at the last look; ascending by source.
    var lanes: [(source: ChainSelector, explanation: Explanation)] {
        memory.withLock { $0.standings }.sorted { $0.key < $1.key }.map { ($0.key, explain($0.value.standing, $0.key)) }
    }
}
