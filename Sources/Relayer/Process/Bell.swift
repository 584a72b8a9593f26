// Wakes a loop: many rings before it looks count as one.

import Synchronization

final class Bell: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func ring() { continuation.yield() }

    /// Ends with the task, or when the bell is taken down.
    var rings: AsyncStream<Void> { stream }

    func takeDown() { continuation.finish() }
}
