// Stops of single lanes that this process has raised: they outlive a restart, and a person lifts them.

import CCIP
import Logging
import Storage
import Synchronization

final class LaneStops: Sendable {
    static let kind = "guardDisagrees"

    private let store: Store
    private let logger: Logger
    private let stopped: Mutex<Set<LaneKey>>

    init(lanes: [LaneKey], store: Store, logger: Logger) throws {
        self.store = store
        self.logger = logger
        let scopes = Set(try store.activeStops().map(\.scope))
        stopped = Mutex(Set(lanes.filter { scopes.contains(Self.scope($0)) }))
    }

    static func scope(_ lane: LaneKey) -> String { "lane/\(lane.source)/\(lane.destination)" }

    func isStopped(_ lane: LaneKey) -> Bool { stopped.withLock { $0.contains(lane) } }

    /// First in memory, then on disk: a disk that refuses does not keep the lane going.
    func stop(_ lane: LaneKey, reason: String) {
        guard stopped.withLock({ $0.insert(lane).inserted }) else { return }
        logger.critical("lane stopped", metadata: ["lane": "\(lane)", "reason": "\(reason)"])
        do {
            try store.raiseStop(scope: Self.scope(lane), kind: Self.kind, reason: reason)
        } catch {
            logger.critical("the stop is not on disk", metadata: ["lane": "\(lane)", "error": "\(error)"])
        }
    }
}
