// Keeps the book of handovers: one event at a time, on disk before anybody acts on it. Whoever runs instances is told what
// is to run, always the whole of it, and makes it so.

import Dispatch
import Ethereum
import Logging
import PriceStreams
import Storage
import Synchronization

package final class HandoverKeeper: Sendable {
    private static let key = "handover"

    private let store: Store
    private let book: Mutex<HandoverBook>
    /// One event after the other; whatever `apply` does happens here.
    private let queue = DispatchQueue(label: "causeway.streams.handover", qos: .userInitiated)
    private let apply: @Sendable ([HandoverBook.Run]) -> Void
    private let onFailure: @Sendable (String) -> Void
    private let logger: Logger
    private let isOver = Mutex(false)

    /// Takes up the book of an earlier run. Throws when the store cannot be read or holds something else.
    package init(
        store: Store, donID: UInt32, initial: RegisteredConfiguration, logger: Logger,
        onFailure: @escaping @Sendable (String) -> Void, apply: @escaping @Sendable ([HandoverBook.Run]) -> Void
    ) throws {
        self.store = store
        self.logger = logger
        self.apply = apply
        self.onFailure = onFailure
        book = Mutex(
            try store.value(Self.key).map { try HandoverBook(encoded: $0, donID: donID, initial: initial) }
                ?? HandoverBook(donID: donID, initial: initial))
    }

    package var current: HandoverBook { book.withLock { $0 } }

    /// Makes what is to run now run. From then on events are taken.
    package func start() { queue.sync { apply(current.runs) } }

    /// Nothing is applied any more when it returns.
    package func stop() {
        isOver.withLock { $0 = true }
        queue.sync {}
    }

    /// Later, in order.
    package func post(_ event: HandoverBook.Event) {
        queue.async { [self] in try? take([event]) }
    }

    /// At once; throws when it was not written down, and then nothing was taken.
    package func record(_ events: [HandoverBook.Event]) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            queue.async { [self] in done.resume(with: Result { try take(events) }) }
        }
    }

    private func take(_ events: [HandoverBook.Event]) throws {
        // Whoever waits must not take it for taken.
        guard !isOver.withLock({ $0 }) else { throw CancellationError() }
        let before = current
        var next = before
        var notes: [HandoverBook.Note] = []
        var isChanged = false
        for event in events {
            let result = next.handle(event)
            isChanged = isChanged || result.isChanged
            notes += result.notes
        }
        if isChanged {
            do { try store.setValue(Self.key, next.encoded) } catch {
                onFailure("the state of the handover cannot be stored: \(error)")
                throw error
            }
        }
        book.withLock { [next] in $0 = next }
        for note in notes { tell(note) }
        apply(next.runs)
    }

    private func tell(_ note: HandoverBook.Note) {
        switch note {
        case .registered(let digest, let standing):
            logger.notice("configuration registered", metadata: ["digest": "\(digest)", "standing": "\(standing)"])
        case .promoted(let digest, let retired):
            logger.notice("configuration promoted", metadata: ["digest": "\(digest)", "retires": "\(retired)"])
        case .cannotTakeOver(let digest, let from):
            logger.error(
                "a configuration was promoted that cannot take over: the one in production goes on",
                metadata: ["digest": "\(digest)", "from": "\(from)"])
        case .finished(let digest): logger.notice("configuration finished", metadata: ["digest": "\(digest)"])
        case .unknownPromotion(let retired):
            logger.error(
                "a promotion of configurations that are not known: watch.startBlock is too late",
                metadata: ["retired": "\(retired)"])
        }
    }
}
