// The committing side of a relayer's pair: tells the executing process what it has seen, and all of it again whenever
// the link comes up.

import CCIP
import Ethereum
import Executing
import Logging
import MessageBus
import Storage
import Synchronization

final class PairFeeder: Sendable {
    static let channel = Array("feed/1".utf8)

    private struct State {
        var nextFrame: UInt64 = 1
        var messages: [LaneKey: UInt64] = [:]
        var roots: [LaneKey: Set<Hash32>] = [:]
    }

    private let link: PairLink
    private let keeper: BookKeeper
    private let lanes: [LaneKey]
    private let logger: Logger
    private let state = Mutex(State())

    init(link: PairLink, keeper: BookKeeper, lanes: [LaneKey], logger: Logger) {
        self.link = link
        self.keeper = keeper
        self.lanes = lanes
        self.logger = logger
    }

    /// The other side is new, or missed something: from the beginning.
    func startOver() {
        state.withLock { state in
            state.messages = [:]
            state.roots = [:]
        }
    }

    /// Sends what was not sent yet.
    func feed() {
        guard link.statistics.isConnected else { return }
        for lane in lanes { feed(lane) }
    }

    private func feed(_ key: LaneKey) {
        let (lastFed, fedRoots) = state.withLock { ($0.messages[key] ?? 0, $0.roots[key] ?? []) }
        let (messages, roots, last) = keeper.read { book -> ([FedMessage], [FedRoot], UInt64) in
            let known = book.lane(key)
            let fresh = known.messages.keys.filter { $0 > lastFed }.sorted()
            let messages = fresh.compactMap { known.messages[$0].flatMap(Self.fed) }
            let roots = known.roots.filter { !fedRoots.contains($0.root.root) }.map { entry in
                FedRoot(
                    committed: CommittedRoot(root: entry.root, timestamp: entry.place.timestamp),
                    place: LogPlace(entry.place))
            }
            return (messages, roots, fresh.last ?? lastFed)
        }
        guard !messages.isEmpty || !roots.isEmpty else { return }
        let number = state.withLock { $0.nextFrame }
        let frames = PairFeedFrame.splitting(
            number: number, destination: key.destination, messages: messages, roots: roots)
        for frame in frames {
            guard link.send(channel: Self.channel, payload: frame.encoded).isQueued else {
                // The other side reads the chain itself; it gets the rest when the link has room again.
                logger.debug("pair link is full", metadata: ["lane": "\(key)"])
                return
            }
        }
        state.withLock { state in
            state.nextFrame = number + UInt64(frames.count)
            state.messages[key] = last
            state.roots[key] = fedRoots.union(roots.map(\.committed.root.root))
        }
    }

    private static func fed(_ sent: SentMessage) -> FedMessage? {
        guard let message = try? Any2EVMRampMessage(converting: sent.message) else { return nil }
        return FedMessage(message: message, place: LogPlace(sent.place))
    }
}

extension LogPlace {
    init(_ place: Place) {
        self.init(
            blockNumber: place.block, blockHash: place.blockHash, transactionHash: place.transaction,
            logIndex: UInt32(clamping: place.logIndex))
    }
}
