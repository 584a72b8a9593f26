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

    /// Answers the calls of one batch all together, where that is better than one after the other; nil leaves it. Asked
    /// for batches whose calls all name the same method.
    func answers(
        _ method: String, _ parameters: [JSON], on connection: JSONRPCConnection?
    ) async -> [Result<JSON, JSONRPCError>]?

    /// What befalls a message before its calls are run; asked once for each message, with the methods that it names.
    /// A service that behaves keeps the default; a simulated chain uses it to misbehave on purpose.
    func fate(of methods: [String]) async -> MessageFate

    /// The WebSocket is gone: forget its subscriptions. Comes once, after the last `answer` of that connection ended.
    func connectionClosed(_ connection: JSONRPCConnection)
}

/// What happens to one request body or WebSocket message.
package enum MessageFate: Sendable, Equatable {
    case answered
    /// Answered, but the answers of a batch carry each other's ids, as some nodes had it.
    case answeredWithMixedIDs
    /// Never answered; the connection is closed at once, or stays open.
    case silence(closes: Bool)
    /// Over HTTP this status, with `Retry-After` where it is given; over WebSocket the error, for each call.
    case refused(status: Int, retryAfterSeconds: UInt64?, error: JSONRPCError)
}

extension JSONRPCService {
    package func fate(of methods: [String]) async -> MessageFate { .answered }

    package func answers(
        _ method: String, _ parameters: [JSON], on connection: JSONRPCConnection?
    ) async -> [Result<JSON, JSONRPCError>]? { nil }
}
