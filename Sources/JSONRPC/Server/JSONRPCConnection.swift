// What a method provider holds of a WebSocket client: an identity and a way to push.
// Queues and sockets are WebSocketLane's.

import Ethereum

/// One client that can be pushed to. Equal by identity.
package final class JSONRPCConnection: Sendable, Hashable {
    /// Unique within a server's life.
    package let id: UInt64
    private let sink: @Sendable (_ method: String, _ parameters: JSON) -> Bool

    /// A connection without a socket, as tests and in-process users make it.
    /// - Parameter sink: takes each notification; false says that the connection is gone.
    package init(id: UInt64, sink: @escaping @Sendable (_ method: String, _ parameters: JSON) -> Bool) {
        self.id = id
        self.sink = sink
    }

    /// Queues a notification; never waits. A client whose queue is full is cut off and counted.
    /// - Returns: false when the connection is closed (or was just cut off): forget the subscription.
    @discardableResult
    package func notify(_ method: String, _ parameters: JSON) -> Bool { sink(method, parameters) }

    package static func == (a: JSONRPCConnection, b: JSONRPCConnection) -> Bool { a === b }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
