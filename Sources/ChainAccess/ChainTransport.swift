// The seam between this room and the wire: calls go out together, answers come back in their order.
// No meaning of any method is known here.

import Ethereum

package struct RPCCall: Hashable, Sendable {
    package var method: String
    package var parameters: [JSON]

    package init(_ method: String, _ parameters: [JSON] = []) {
        self.method = method
        self.parameters = parameters
    }
}

package enum RPCAnswer: Hashable, Sendable {
    case result(JSON)
    /// What the endpoint itself says is wrong with this call.
    case error(code: Int, message: String, data: JSON?)
}

/// One endpoint of one chain.
package protocol ChainTransport: Sendable {
    /// Names the endpoint in logs and errors; holds no secret.
    var label: String { get }

    /// All calls of one `send` are answered by one request, in their order. When false they may be answered in any
    /// order and at different moments.
    var answersTogether: Bool { get }

    /// Sends all calls, as one batch where the endpoint takes them. The answers are as many as the calls and in their
    /// order.
    /// - Throws: `unreachable`, `timeout`, `malformedAnswer`: the whole batch failed.
    func send(_ calls: [RPCCall], timeout: Duration) async throws(ChainAccessError) -> [RPCAnswer]

    /// Yields when the endpoint announces a block; ends when the connection does. Nil without subscriptions.
    /// A hint to look, never a fact.
    func newHeads() async -> AsyncStream<Void>?
}

extension ChainTransport {
    package var answersTogether: Bool { true }
}
