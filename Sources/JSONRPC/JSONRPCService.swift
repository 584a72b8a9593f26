// What a method provider implements and what it is handed. No socket, no wire format.

import Ethereum

/// Answers methods. One value serves every connection of a server, over HTTP and WebSocket.
package protocol JSONRPCService: Sendable {
    /// Answers one call. Calls of one connection come one after the other; calls of several connections at once.
    /// - Parameters:
    ///   - parameters: the JSON array (or object) as sent; an empty array when there was none.
    ///   - connection: nil over HTTP, where nothing can be pushed.
    func answer(
        _ method: String, _ parameters: JSON, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON

    /// The WebSocket is gone: forget its subscriptions. Comes once, after the last `answer` of that connection ended.
    func connectionClosed(_ connection: JSONRPCConnection)
}
